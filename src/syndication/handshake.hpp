// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "syndication/frames.hpp"

namespace bw::syndication {

// Binds a TLS channel to entity keys (design, section 7). `exporter` is the channel's 32-byte
// exporter value (RFC 9266, label EXPORTER-Channel-Binding), which an attacker in the middle cannot
// make equal on both legs.
//   signed: tagged_hash("bosswave/session", exporter | side u8 | role u8 | self 32 | peer 32 | peer
//   role u8)
// side: 'C' for the client, 'S' for the server; peer = the key expected or accepted.

Hello client_hello(const Hash& exporter, Role role, const crypto::SigningKey* self,
                   const EntityKey& server, Role server_role, Bytes head);
Hello server_hello(const Hash& exporter, Role role, const crypto::SigningKey& self,
                   const Hello& client, Bytes head);

// The server's check of a client hello. Anonymous is allowed only to followers of a ledger.
Result<void> check_client(const Hello& hello, const Hash& exporter, const EntityKey& self,
                          Role self_role);
// The client's check of the server hello: it must be the very key that was expected.
Result<void> check_server(const Hello& hello, const Hash& exporter, const EntityKey& expected,
                          Role expected_role, const EntityKey& self, Role self_role);

Attach attach(const Hash& exporter, const crypto::SigningKey& entity, std::uint64_t stream);
Result<void> check_attach(const Attach& attach, const Hash& exporter);

}  // namespace bw::syndication
