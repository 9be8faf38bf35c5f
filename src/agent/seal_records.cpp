// SPDX-License-Identifier: Apache-2.0
#include "agent/seal_records.hpp"

#include <fcntl.h>

#include "codec/reader.hpp"
#include "codec/writer.hpp"
#include "crypto/sha256.hpp"
#include "store/file.hpp"

namespace bw::agent {
namespace {

constexpr std::string_view kMagic = "BWSEAL";
constexpr std::uint8_t kVersion = 1;
constexpr std::string_view kSuffix = ".sealed";
constexpr std::string_view kKeyTag = "bosswave/seal-record";
constexpr std::size_t kMostBytes = limits::kMessageBytes + 1024;

Bytes encode_header(const SealRecords::Name& name, const SealRecords::Record& record) {
  Bytes bytes;
  codec::Writer writer(bytes);
  writer.bytes(as_bytes(kMagic)).u8(kVersion).id(name.origin).id(name.ns).text16(name.uri);
  writer.u64(record.expires ? to_micros(*record.expires) : 0);
  writer.micros(record.sealed_at).micros(record.stored_before);
  writer.bytes(record.nonce).id(record.readers_hash);
  return bytes;
}

struct Parsed {
  SealRecords::Name name;
  SealRecords::Record record;
  ByteView header;  // associated with the ciphertext
  crypto::AeadNonce nonce;
  ByteView ciphertext;
};

Result<Parsed> parse(ByteView bytes) {
  codec::Reader reader(bytes);
  const bool ours = as_text(reader.bytes(kMagic.size())) == kMagic && reader.u8() == kVersion;
  Parsed parsed;
  parsed.name = {reader.id<EntityKey>(), reader.id<EntityKey>(), std::string(reader.text16())};
  const Time expires = reader.micros();
  if (expires != Time{}) parsed.record.expires = expires;
  parsed.record.sealed_at = reader.micros();
  parsed.record.stored_before = reader.micros();
  parsed.record.nonce = reader.array<crypto::kAeadNonceBytes>();
  parsed.record.readers_hash = reader.id<Hash>();
  parsed.header = bytes.first(bytes.size() - reader.remaining());
  parsed.nonce = reader.array<crypto::kAeadNonceBytes>();
  parsed.ciphertext = reader.rest();
  if (!ours || !reader.ok()) return fail(ErrorCode::kCorrupt, "not a seal record");
  return parsed;
}

Result<Bytes> read_record(const std::filesystem::path& path) {
  BW_TRY(const store::File file, store::File::open(path, O_RDONLY));
  return store::read_whole(file, kMostBytes);
}

// Not synced: a record that a power failure takes costs no more than that its value is not sealed
// again for others, and a torn one does not open.
Result<void> write_record(const std::filesystem::path& path, ByteView bytes) {
  BW_TRY(store::File temporary, store::File::create_beside(path));
  BW_CHECK(temporary.write_at(0, bytes));
  std::error_code error;
  std::filesystem::rename(temporary.path(), path, error);
  if (!error) return {};
  return fail(ErrorCode::kIo, "cannot write {}: {}", path.string(), error.message());
}

}  // namespace

SealRecords::SealRecords(std::filesystem::path directory) : directory_(std::move(directory)) {
  if (directory_.empty()) return;
  std::error_code ignored;
  std::filesystem::create_directories(directory_, ignored);
  std::filesystem::permissions(directory_, std::filesystem::perms::owner_all, ignored);
  for (const auto& entry : std::filesystem::directory_iterator(directory_, ignored)) {
    if (entry.path().extension() == kSuffix) load(entry.path());
  }
}

void SealRecords::load(const std::filesystem::path& path) {
  const auto bytes = read_record(path);
  if (!bytes) return;
  auto parsed = parse(*bytes);
  if (parsed && file_of(parsed->name) == path) {
    records_.emplace(std::move(parsed->name), std::move(parsed->record));
  }
}

std::filesystem::path SealRecords::file_of(const Name& name) const {
  static const crypto::TaggedHash kTag("bosswave/seal-record-name");
  const Hash hash = kTag({name.origin.view(), name.ns.view(), as_bytes(name.uri)});
  return directory_ / (hash.text() + std::string(kSuffix));
}

Hash SealRecords::hash_of(const std::vector<EntityKey>& readers) {
  crypto::Sha256 state;
  for (const EntityKey& reader : readers) state.update(reader.view());
  return state.finish();
}

Result<void> SealRecords::put(const Name& name, Record record, ByteView plaintext,
                              const crypto::SigningKey& origin) {
  if (!records_.contains(name) && records_.size() >= limits::kSealRecords) {
    return fail(ErrorCode::kLimited, "this agent keeps {} sealed values already",
                limits::kSealRecords);
  }
  if (directory_.empty()) {
    in_memory_[name] = to_bytes(plaintext);
  } else {
    Bytes bytes = encode_header(name, record);
    const Bytes header = bytes;
    crypto::AeadNonce nonce;
    crypto::system_random().fill(nonce);
    append(bytes, nonce);
    crypto::aead_seal(origin.derived(kKeyTag), nonce, header, plaintext, bytes);
    BW_CHECK(write_record(file_of(name), bytes));
  }
  records_.insert_or_assign(name, std::move(record));
  return {};
}

void SealRecords::erase(const Name& name) {
  if (records_.erase(name) == 0) return;
  in_memory_.erase(name);
  if (directory_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove(file_of(name), ignored);
}

Result<Bytes> SealRecords::plaintext(const Name& name, const crypto::SigningKey& origin) const {
  if (directory_.empty()) {
    const auto found = in_memory_.find(name);
    if (found == in_memory_.end()) return fail(ErrorCode::kNotFound, "no such seal record");
    return found->second;
  }
  BW_TRY(const Bytes bytes, read_record(file_of(name)));
  BW_TRY(const Parsed parsed, parse(bytes));
  return crypto::aead_open(origin.derived(kKeyTag), parsed.nonce, parsed.header, parsed.ciphertext);
}

SealRecords::Record* SealRecords::find(const Name& name) {
  const auto found = records_.find(name);
  return found == records_.end() ? nullptr : &found->second;
}

}  // namespace bw::agent
