// SPDX-License-Identifier: Apache-2.0
#include "syndication/handshake.hpp"

#include <array>

#include "base/check.hpp"
#include "codec/writer.hpp"
#include "crypto/sha256.hpp"

namespace bw::syndication {
namespace {

constexpr std::uint8_t kClientSide = 'C';
constexpr std::uint8_t kServerSide = 'S';

struct Party {
  const EntityKey& key;
  Role role;
};

// What `self`, on its side of the channel, signs to speak with `peer`.
Hash transcript(const Hash& exporter, std::uint8_t side, const Party& self, const Party& peer) {
  static const crypto::TaggedHash kTag("bosswave/session");
  const std::array own{side, static_cast<std::uint8_t>(self.role)};
  const std::array other{static_cast<std::uint8_t>(peer.role)};
  return kTag({exporter.view(), own, self.key.view(), peer.key.view(), other});
}

Hash attachment(const Hash& exporter, const EntityKey& entity, std::uint64_t stream) {
  static const crypto::TaggedHash kTag("bosswave/attach");
  Bytes number;
  codec::Writer(number).u64(stream);
  return kTag({exporter.view(), entity.view(), number});
}

std::string_view role_name(Role role) {
  switch (role) {
    case Role::kAgent:
      return "agent";
    case Role::kFollower:
      return "follower";
    case Role::kRouter:
      return "router";
    case Role::kLedger:
      return "ledger";
  }
  return "unknown";
}

// Who may come to a server of this role.
Role client_of(Role server) {
  return server == Role::kRouter ? Role::kAgent : Role::kFollower;
}

bool is_anonymous(const Hello& hello) {
  return hello.self.is_zero() && hello.signature == crypto::Signature{};
}

Result<void> check_role(const Hello& hello, Role expected) {
  if (hello.role == expected) return {};
  return fail(ErrorCode::kDenied,
              "hello: the peer is a {} where a {} is expected; check the address",
              role_name(hello.role), role_name(expected));
}

Result<void> check_addressee(const Hello& hello, const EntityKey& self) {
  if (hello.peer == self) return {};
  return fail(ErrorCode::kDenied, "hello: meant for {}, but this is {}; check the address",
              hello.peer.text(), self.text());
}

Result<void> check_signature(const Hello& hello, const Hash& message) {
  if (crypto::verify(hello.self, message, hello.signature)) return {};
  return fail(ErrorCode::kBadSignature,
              "hello: {} did not sign this channel; somebody may be in between, or the key is "
              "another's",
              hello.self.text());
}

}  // namespace

Hello client_hello(const Hash& exporter, Role role, const crypto::SigningKey* self,
                   const EntityKey& server, Role server_role, Bytes head) {
  BW_ASSERT(self != nullptr || role == Role::kFollower);
  Hello hello{.role = role, .self = {}, .peer = server, .head = std::move(head)};
  if (self == nullptr) return hello;
  hello.self = self->public_key();
  hello.signature =
      self->sign(transcript(exporter, kClientSide, {hello.self, role}, {server, server_role}));
  return hello;
}

Hello server_hello(const Hash& exporter, Role role, const crypto::SigningKey& self,
                   const Hello& client, Bytes head) {
  Hello hello{
      .role = role, .self = self.public_key(), .peer = client.self, .head = std::move(head)};
  hello.signature =
      self.sign(transcript(exporter, kServerSide, {hello.self, role}, {client.self, client.role}));
  return hello;
}

Result<void> check_client(const Hello& hello, const Hash& exporter, const EntityKey& self,
                          Role self_role) {
  BW_CHECK(check_role(hello, client_of(self_role)));
  BW_CHECK(check_addressee(hello, self));
  if (hello.role == Role::kFollower && is_anonymous(hello)) return {};
  return check_signature(
      hello, transcript(exporter, kClientSide, {hello.self, hello.role}, {self, self_role}));
}

Result<void> check_server(const Hello& hello, const Hash& exporter, const EntityKey& expected,
                          Role expected_role, const EntityKey& self, Role self_role) {
  BW_CHECK(check_role(hello, expected_role));
  if (hello.self != expected) {
    return fail(ErrorCode::kDenied,
                "hello: the server is {} where {} is expected; check the address",
                hello.self.text(), expected.text());
  }
  BW_CHECK(check_addressee(hello, self));
  return check_signature(
      hello, transcript(exporter, kServerSide, {hello.self, hello.role}, {self, self_role}));
}

Attach attach(const Hash& exporter, const crypto::SigningKey& entity, std::uint64_t stream) {
  const EntityKey& key = entity.public_key();
  return {key, stream, entity.sign(attachment(exporter, key, stream))};
}

Result<void> check_attach(const Attach& attach, const Hash& exporter) {
  if (crypto::verify(attach.entity, attachment(exporter, attach.entity, attach.stream),
                     attach.signature)) {
    return {};
  }
  return fail(ErrorCode::kBadSignature, "attach: {} did not sign this channel",
              attach.entity.text());
}

}  // namespace bw::syndication
