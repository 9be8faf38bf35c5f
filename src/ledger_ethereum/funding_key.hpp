// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "crypto/keys.hpp"
#include "crypto/secret.hpp"
#include "evm/address.hpp"

namespace bw::ledger_ethereum {

// The key of the account that pays for entries: a key file (docs/formats.md, "Key files"), or 64
// hex digits with or without "0x" in front, as Ethereum's tools write it. Not an entity: it has no
// rights, only money. kNotFound when there is no file; kDenied when it is sealed and the
// passphrase is missing or wrong, or when others may read it.
Result<crypto::SigningKey> read_funding_key(const std::filesystem::path& file,
                                            const crypto::Passphrase* passphrase);
// Makes a new key and its file, of mode 0600, sealed when a passphrase is given. kConflict when
// the file exists.
Result<crypto::SigningKey> make_funding_key(const std::filesystem::path& file,
                                            const crypto::Passphrase* passphrase, Random& random);

}  // namespace bw::ledger_ethereum
