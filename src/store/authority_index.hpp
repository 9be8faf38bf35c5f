// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <rocksdb/db.h>

#include "store/authority_rows.hpp"
#include "store/authority_store.hpp"

namespace bw::store {

// The RocksDB behind an AuthorityStore. It writes no log of its own: the ledger file is the log,
// and tells again whatever was not yet in the index's files when the process ended. Damage found
// while reading is remembered on disk (a file
// `<directory>.damaged`), so that the next open makes the index anew. Thread-safe.
class AuthorityIndex {
 public:
  // kCorrupt when RocksDB says that its files are damaged.
  static Result<std::unique_ptr<AuthorityIndex>> open(const std::filesystem::path& directory,
                                                      const AuthorityStoreOptions& options);
  // Waits until what was written is in the index's files, if it can be.
  ~AuthorityIndex();
  AuthorityIndex(const AuthorityIndex&) = delete;
  AuthorityIndex& operator=(const AuthorityIndex&) = delete;
  // Removes it and the mark of damage.
  static Result<void> remove(const std::filesystem::path& directory);
  static bool marked_damaged(const std::filesystem::path& directory);

  [[nodiscard]] Result<std::optional<std::string>> get(const std::string& key) const;
  template <class Row>
  [[nodiscard]] Result<std::optional<Row>> row(const std::string& key) const;
  // Sees what was written before it was made. Must not outlive the index.
  [[nodiscard]] std::unique_ptr<rocksdb::Iterator> iterate() const;
  // Calls visit(key) for each key with `prefix`, until it returns false.
  Result<void> each(const std::string& prefix,
                    const std::function<Result<bool>(std::string_view)>& visit) const;
  [[nodiscard]] Result<void> check(const rocksdb::Status& status) const;

  // All or nothing, in order: after a crash the index has some first part of what was written.
  Result<void> write(rocksdb::WriteBatch& batch);
  // Starts to make what was written last.
  Result<void> flush_soon();
  // After a failed write (disk full): lets RocksDB try again.
  Result<void> resume();
  [[nodiscard]] std::uint64_t bytes_on_disk() const;

 private:
  explicit AuthorityIndex(std::filesystem::path directory) : directory_(std::move(directory)) {}
  void mark_damaged() const;

  std::filesystem::path directory_;
  std::unique_ptr<rocksdb::DB> db_;
};

template <class Row>
Result<std::optional<Row>> AuthorityIndex::row(const std::string& key) const {
  BW_TRY(const auto value, get(key));
  if (!value) return std::nullopt;
  auto row = decode_row<Row>(*value);
  if (!row) {
    mark_damaged();
    return fail(std::move(row).error());
  }
  return *std::move(row);
}

}  // namespace bw::store
