// SPDX-License-Identifier: Apache-2.0
#include "store/authority_index.hpp"

#include <utility>

#include <fcntl.h>
#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

#include "store/file.hpp"
#include "store/rocksdb_log.hpp"

namespace bw::store {
namespace {

constexpr int kCacheShardBits = 4;

std::filesystem::path damage_mark(const std::filesystem::path& directory) {
  return directory.string() + ".damaged";
}

rocksdb::BlockBasedTableOptions table_options(const AuthorityStoreOptions& options) {
  rocksdb::BlockBasedTableOptions table;
  // Few shards, and filters in parts: a block that is larger than its shard is never kept.
  table.block_cache = rocksdb::NewLRUCache(options.block_cache_bytes, kCacheShardBits);
  table.block_size = 8 * 1024;
  table.format_version = 5;
  // "Not there" is the usual answer (is this DoT a repeat, is this entity new), and should not cost
  // a read. Indexes and filters count against the cache, so that memory does not grow with the
  // ledger.
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.partition_filters = true;
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  return table;
}

rocksdb::Options index_options(const AuthorityStoreOptions& options) {
  rocksdb::Options out;
  out.create_if_missing = true;
  out.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table_options(options)));
  out.write_buffer_size = options.write_buffer_bytes;
  out.max_write_buffer_number = 3;
  out.max_background_jobs = 2;
  out.max_open_files = 256;
  out.level_compaction_dynamic_level_bytes = true;
  out.compression = rocksdb::kLZ4Compression;
  out.info_log = std::make_shared<NoRocksDbLog>();
  return out;
}

// Files that are missing are as bad as files that are damaged: the index is made again.
bool is_damage(const rocksdb::Status& status) {
  return status.IsCorruption() || status.IsPathNotFound() || status.IsNotSupported() ||
         status.IsInvalidArgument();
}

}  // namespace

Result<std::unique_ptr<AuthorityIndex>> AuthorityIndex::open(const std::filesystem::path& directory,
                                                             const AuthorityStoreOptions& options) {
  std::unique_ptr<AuthorityIndex> index(new AuthorityIndex(directory));
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(index_options(options), directory.string(), &db);
  index->db_.reset(db);
  BW_CHECK(index->check(status));
  return index;
}

// RocksDB would flush by itself, but forgets a flush that it has begun and not finished.
AuthorityIndex::~AuthorityIndex() {
  if (db_) db_->Flush(rocksdb::FlushOptions()).PermitUncheckedError();
}

Result<void> AuthorityIndex::remove(const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::remove_all(directory, error);
  if (!error) std::filesystem::remove(damage_mark(directory), error);
  if (!error) return {};
  return fail(system_error("remove", directory, error.value()));
}

bool AuthorityIndex::marked_damaged(const std::filesystem::path& directory) {
  std::error_code ignored;
  return std::filesystem::exists(damage_mark(directory), ignored);
}

void AuthorityIndex::mark_damaged() const {
  // When not even this can be written, the operator reads in the error what to remove.
  (void)File::open(damage_mark(directory_), O_WRONLY | O_CREAT).has_value();
}

Result<void> AuthorityIndex::check(const rocksdb::Status& status) const {
  if (status.ok()) return {};
  if (is_damage(status)) {
    mark_damaged();
    return fail(
        ErrorCode::kCorrupt,
        "{}: is damaged ({}); restart, and it is made again from the ledger file, or remove "
        "it first",
        directory_.string(), status.ToString());
  }
  return fail(ErrorCode::kIo, "{}: {}; check space and permissions of its file system",
              directory_.string(), status.ToString());
}

Result<std::optional<std::string>> AuthorityIndex::get(const std::string& key) const {
  std::string value;
  const rocksdb::Status status = db_->Get(rocksdb::ReadOptions(), key, &value);
  if (status.IsNotFound()) return std::nullopt;
  BW_CHECK(check(status));
  return value;
}

std::unique_ptr<rocksdb::Iterator> AuthorityIndex::iterate() const {
  return std::unique_ptr<rocksdb::Iterator>(db_->NewIterator(rocksdb::ReadOptions()));
}

Result<void> AuthorityIndex::each(
    const std::string& prefix, const std::function<Result<bool>(std::string_view)>& visit) const {
  const auto rows = iterate();
  for (rows->Seek(prefix); rows->Valid() && rows->key().starts_with(prefix); rows->Next()) {
    BW_TRY(const bool more, visit(rows->key().ToStringView()));
    if (!more) return {};
  }
  return check(rows->status());
}

Result<void> AuthorityIndex::write(rocksdb::WriteBatch& batch) {
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  return check(db_->Write(options, &batch));
}

Result<void> AuthorityIndex::flush_soon() {
  rocksdb::FlushOptions options;
  options.wait = false;
  options.allow_write_stall = true;
  return check(db_->Flush(options));
}

Result<void> AuthorityIndex::resume() {
  const rocksdb::Status status = db_->Resume();
  // Busy: it tries by itself already; whether with success, the next write tells.
  return status.IsBusy() ? Result<void>{} : check(status);
}

std::uint64_t AuthorityIndex::bytes_on_disk() const {
  std::uint64_t bytes = 0;
  db_->GetIntProperty(rocksdb::DB::Properties::kTotalSstFilesSize, &bytes);
  return bytes;
}

}  // namespace bw::store
