// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <optional>

#include "agent/keystore.hpp"
#include "syndication/seal_keyring.hpp"

namespace bw::agent {

// What an agent persisted sealed and which still stands as far as it knows, so that it can seal it
// again for who may read it later. One file each in a directory of its own, sealed with a key that
// is derived from the origin's (docs/formats.md, "Seal records"); in memory only, without a
// directory. For one thread.
class SealRecords {
 public:
  struct Name {
    EntityKey origin;
    EntityKey ns;
    std::string uri;
    friend auto operator<=>(const Name&, const Name&) = default;
  };
  struct Record {
    std::optional<Time> expires;
    Time sealed_at;             // first
    Time stored_before;         // the stored message was created before this, by our clock
    crypto::AeadNonce nonce{};  // of the sealed payload that is stored
    Hash readers_hash;          // of whom it is sealed for
    // The same as a list; not kept in files, so null after a restart.
    syndication::Readers readers;
  };

  // Reads what is there. Files of other forms are left alone.
  explicit SealRecords(std::filesystem::path directory);

  // kLimited at limits::kSealRecords; kIo.
  Result<void> put(const Name& name, Record record, ByteView plaintext,
                   const crypto::SigningKey& origin);
  void erase(const Name& name);
  // kNotFound, kIo; kBadSignature when it was sealed with another key, or altered.
  [[nodiscard]] Result<Bytes> plaintext(const Name& name, const crypto::SigningKey& origin) const;

  [[nodiscard]] Record* find(const Name& name);
  [[nodiscard]] const std::map<Name, Record>& all() const { return records_; }

  static Hash hash_of(const std::vector<EntityKey>& readers);

 private:
  [[nodiscard]] std::filesystem::path file_of(const Name& name) const;
  void load(const std::filesystem::path& path);

  std::filesystem::path directory_;
  std::map<Name, Record> records_;
  std::map<Name, Bytes> in_memory_;  // plaintexts, without a directory
};

}  // namespace bw::agent
