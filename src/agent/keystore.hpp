// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "crypto/sealed_key.hpp"

namespace bw::agent {

using KeyPtr = std::shared_ptr<const crypto::SigningKey>;

// The agent's keys: one file NAME.key each in a directory of mode 0700, and keys lent by
// applications, which live in memory only. Thread-safe.
class Keystore {
 public:
  // Opens every unsealed key; sealed ones stay locked until unlock().
  static Result<std::unique_ptr<Keystore>> open(const std::filesystem::path& directory);

  // kConflict when the name is taken. Sealed when a passphrase is given.
  Result<KeyPtr> create(const std::string& name, const crypto::Passphrase* passphrase);
  Result<KeyPtr> import(const std::string& name, ByteView key_file,
                        const crypto::Passphrase* passphrase);
  Result<void> unlock(const std::string& name, const crypto::Passphrase& passphrase);

  // By name, handle of a lent key, or public key. kNotFound names what was looked for and what
  // exists.
  [[nodiscard]] Result<KeyPtr> find(std::string_view what) const;
  [[nodiscard]] std::optional<std::string> name_of(const EntityKey& key) const;
  [[nodiscard]] std::optional<EntityKey> key_named(std::string_view name) const;  // sealed ones too

  struct Listed {
    std::string name;
    EntityKey key;
    bool locked;
  };
  [[nodiscard]] std::vector<Listed> list() const;

  std::string lend(crypto::SigningKey key);  // returns a fresh handle
  void take_back(const std::string& handle);

 private:
  Keystore() = default;
  struct Held {
    EntityKey key;
    KeyPtr pair;  // null while locked
  };
  std::filesystem::path directory_;
  mutable std::mutex mutex_;
  std::map<std::string, Held, std::less<>> named_;
  std::map<std::string, KeyPtr, std::less<>> lent_;
};

}  // namespace bw::agent
