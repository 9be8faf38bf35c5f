// SPDX-License-Identifier: Apache-2.0
#include "store/message_store.hpp"

#include <map>
#include <unordered_map>

#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include "base/limits.hpp"
#include "store/message_record.hpp"
#include "store/rocksdb_log.hpp"

namespace bw::store {
namespace {

using syndication::StoredMessage;

// Until then an older value could still arrive and would come back to life.
constexpr Duration kKeepDeletions = 2 * limits::kReplayWindow;

constexpr std::size_t kWriteBufferBytes = 16 * 1024 * 1024;

Error io_error(std::string_view action, const rocksdb::Status& status) {
  return {ErrorCode::kIo,
          fmt::format("message store: cannot {}: {}; is the disk full or read-only?", action,
                      status.ToString())};
}

rocksdb::Slice slice(std::string_view text) {
  return {text.data(), text.size()};
}

rocksdb::Options options() {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.compression = rocksdb::kLZ4Compression;
  options.write_buffer_size = kWriteBufferBytes;
  options.max_open_files = 256;
  options.info_log = std::make_shared<NoRocksDbLog>();
  rocksdb::BlockBasedTableOptions table;
  table.block_cache =
      rocksdb::NewLRUCache(32 * 1024 * 1024, 4);  // shards that a filter block fits into
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

using Database = std::unique_ptr<rocksdb::DB>;

Result<Database> open_database(const std::filesystem::path& directory) {
  rocksdb::DB* opened = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(options(), directory.string(), &opened);
  if (status.ok()) return Database(opened);
  if (status.ToString().find("lock") != std::string::npos) {
    return fail(ErrorCode::kConflict, "the message store {} is in use by another process",
                directory.string());
  }
  const ErrorCode code = status.IsCorruption() ? ErrorCode::kCorrupt : ErrorCode::kIo;
  return fail(code, "cannot open the message store {}: {}", directory.string(), status.ToString());
}

class RocksMessageStore final : public syndication::MessageStore {
 public:
  RocksMessageStore(std::filesystem::path directory, Database database)
      : directory_(std::move(directory)), open_(std::move(database)) {}

  Result<std::vector<Result<void>>> put(const std::vector<StoredMessage>& messages) override {
    Pending pending;
    std::vector<Result<void>> outcomes;
    outcomes.reserve(messages.size());
    for (const StoredMessage& message : messages) {
      auto outcome = stage(message, pending);
      if (!outcome && outcome.error().code == ErrorCode::kIo)
        return fail(std::move(outcome).error());
      outcomes.push_back(std::move(outcome));
    }
    BW_CHECK(commit(pending));
    return outcomes;
  }

  Result<void> query(const EntityKey& ns, const wave::Pattern& pattern, Time now,
                     const std::function<bool(const StoredMessage&)>& visit) const override {
    const std::string prefix = message_prefix(ns, pattern.literal_prefix());
    BW_TRY(const auto rows, scan(prefix));
    for (; rows->Valid() && rows->key().starts_with(slice(prefix)); rows->Next()) {
      const std::string_view key(rows->key().data(), rows->key().size());
      const auto uri = wave::Pattern::parse(uri_of_key(key));
      if (!uri || !wave::matches(pattern, *uri)) continue;
      BW_TRY(const StoredMessage message, parse_record(key, rows->value().ToStringView()));
      if (is_shown(message, now) && !visit(message)) return {};
    }
    return finished(*rows);
  }

  // `pattern` is plain cells and a final "+": the children sit right below its literal prefix.
  Result<std::vector<std::string>> children(const EntityKey& ns, const wave::Pattern& pattern,
                                            Time now, std::size_t most) const override {
    const std::string prefix = message_prefix(ns, pattern.literal_prefix());
    std::vector<std::string> names;
    BW_TRY(const auto rows, scan(prefix));
    while (names.size() < most && rows->Valid() && rows->key().starts_with(slice(prefix))) {
      const std::string_view key(rows->key().data(), rows->key().size());
      if (key.size() == prefix.size()) {  // the parent's own value
        rows->Next();
        continue;
      }
      const std::string_view name =
          key.substr(prefix.size(), key.find('\0', prefix.size()) - prefix.size());
      BW_TRY(const StoredMessage message, parse_record(key, rows->value().ToStringView()));
      if (!is_shown(message, now)) {
        rows->Next();
        continue;
      }
      names.emplace_back(name);
      // 0x01 sorts after the 0x00 that ends the name, so this is past everything below the child.
      rows->Seek(slice(prefix + names.back() + '\x01'));
    }
    BW_CHECK(finished(*rows));
    return names;
  }

  Result<std::uint64_t> used_bytes(const ObjectId& dot) const override {
    std::string value;
    BW_TRY(rocksdb::DB* const db, database());
    const rocksdb::Status status = db->Get({}, slice(usage_key(dot)), &value);
    if (status.IsNotFound()) return 0;
    if (!status.ok()) return fail(io_error("read", status));
    std::uint64_t used = 0;
    for (const char byte : value) used = used << 8U | static_cast<std::uint8_t>(byte);
    return used;
  }

  Result<std::size_t> purge(Time now) override {
    Pending pending;
    BW_TRY(auto rows, scan("m"));
    for (; rows->Valid() && rows->key().starts_with("m"); rows->Next()) {
      const std::string key = rows->key().ToString();
      BW_TRY(const StoredMessage message, parse_record(key, rows->value().ToStringView()));
      const bool old_mark = message.deletion && message.created + kKeepDeletions < now;
      const bool expired = !message.deletion && message.expires && *message.expires <= now;
      if (!old_mark && !expired) continue;
      BW_CHECK(charge(message, pending, -1));
      pending.rows[key] = std::nullopt;
    }
    BW_CHECK(finished(*rows));
    rows.reset();  // commit() may have to open the database again
    const std::size_t removed = pending.rows.size();
    BW_CHECK(commit(pending));
    return removed;
  }

 private:
  // What one call will write, seen by its own later messages.
  struct Pending {
    std::map<std::string, std::optional<StoredMessage>> rows;  // nothing: remove
    std::unordered_map<ObjectId, std::uint64_t> used;
  };

  static bool is_shown(const StoredMessage& message, Time now) {
    return !message.deletion && (!message.expires || *message.expires > now);
  }

  Result<void> stage(const StoredMessage& message, Pending& pending) {
    const std::string key = message_key(message.topic.ns, message.topic.uri);
    BW_TRY(const auto old, standing(key, pending));
    if (old && !is_newer(message, *old)) {
      return fail(ErrorCode::kConflict, "{}: a newer message stands already",
                  message.topic.uri.text());
    }
    const auto before = pending.used;
    if (old) BW_CHECK(charge(*old, pending, -1));
    if (auto charged = charge(message, pending, +1); !charged) {
      pending.used = before;
      return charged;
    }
    pending.rows[key] = message;
    return {};
  }

  Result<std::optional<StoredMessage>> standing(const std::string& key,
                                                const Pending& pending) const {
    if (const auto staged = pending.rows.find(key); staged != pending.rows.end())
      return staged->second;
    std::string value;
    BW_TRY(rocksdb::DB* const db, database());
    const rocksdb::Status status = db->Get({}, slice(key), &value);
    if (status.IsNotFound()) return std::nullopt;
    if (!status.ok()) return fail(io_error("read", status));
    BW_TRY(StoredMessage message, parse_record(key, value));
    return message;
  }

  // Adds a message to, or takes it off, the account of each DoT that limits it.
  Result<void> charge(const StoredMessage& message, Pending& pending, int direction) const {
    if (message.deletion) return {};
    for (const wave::PublishLimit& limit : message.limits) {
      if (limit.stored_bytes == 0) continue;
      auto entry = pending.used.find(limit.dot);
      if (entry == pending.used.end()) {
        BW_TRY(const std::uint64_t used, used_bytes(limit.dot));
        entry = pending.used.emplace(limit.dot, used).first;
      }
      if (direction < 0) {
        entry->second -= std::min<std::uint64_t>(entry->second, message.accounted_bytes);
        continue;
      }
      if (entry->second + message.accounted_bytes > limit.stored_bytes) {
        return fail(ErrorCode::kLimited,
                    "{}: DoT {} allows {} stored bytes, {} are used and this needs {}",
                    message.topic.uri.text(), limit.dot.brief(), limit.stored_bytes, entry->second,
                    message.accounted_bytes);
      }
      entry->second += message.accounted_bytes;
    }
    return {};
  }

  Result<void> commit(const Pending& pending) {
    if (pending.rows.empty()) return {};
    rocksdb::WriteBatch batch;
    for (const auto& [key, message] : pending.rows) {
      if (message) {
        batch.Put(slice(key), slice(encode_record(*message)));
      } else {
        batch.Delete(slice(key));
      }
    }
    for (const auto& [dot, used] : pending.used) {
      std::string value;
      for (int shift = 56; shift >= 0; shift -= 8)
        value.push_back(static_cast<char>(used >> shift & 0xffU));
      batch.Put(slice(usage_key(dot)), slice(value));
    }
    BW_TRY(rocksdb::DB * db, database());
    rocksdb::Status status = write(*db, batch);
    // After a failed write RocksDB refuses all others, even when there is room again.
    if (!status.ok() && may_reopen()) {
      open_.reset();
      BW_TRY(db, database());
      status = write(*db, batch);
    }
    return status.ok() ? Result<void>{} : fail(io_error("write", status));
  }

  static rocksdb::Status write(rocksdb::DB& db, rocksdb::WriteBatch& batch) {
    rocksdb::WriteOptions durable;
    durable.sync = true;
    return db.Write(durable, &batch);
  }

  // Opening takes room for what is in the write-ahead log; without it the database, which can
  // still be read, would be gone.
  bool may_reopen() const {
    std::error_code error;
    const auto space = std::filesystem::space(directory_, error);
    return !error && space.available >= 2 * kWriteBufferBytes;
  }

  Result<rocksdb::DB*> database() const {
    if (!open_) {
      BW_TRY(open_, open_database(directory_));
    }
    return open_.get();
  }

  Result<std::unique_ptr<rocksdb::Iterator>> scan(const std::string& from) const {
    BW_TRY(rocksdb::DB* const db, database());
    std::unique_ptr<rocksdb::Iterator> rows(db->NewIterator({}));
    rows->Seek(slice(from));
    return rows;
  }

  static Result<void> finished(const rocksdb::Iterator& rows) {
    return rows.status().ok() ? Result<void>{} : fail(io_error("read", rows.status()));
  }

  std::filesystem::path directory_;
  mutable Database open_;  // null when it could not be opened again
};

}  // namespace

Result<std::unique_ptr<syndication::MessageStore>> open_message_store(
    const std::filesystem::path& directory) {
  BW_TRY(Database database, open_database(directory));
  return std::make_unique<RocksMessageStore>(directory, std::move(database));
}

}  // namespace bw::store
