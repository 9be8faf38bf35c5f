// SPDX-License-Identifier: Apache-2.0
#include "store/entry_log.hpp"

#include <atomic>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "store/file.hpp"
#include "store/log_record.hpp"
#include "store/testing/file_size_limit.hpp"
#include "store/testing/temp_directory.hpp"

namespace bw::store {
namespace {

using testing::file_bytes;
using testing::overwrite_file;
using testing::TempDirectory;

// The i-th entry of every log in this file; lengths from 1 to 240, some larger.
Bytes entry(std::uint64_t i) {
  std::mt19937_64 random(i);
  Bytes out(i % 97 == 5 ? 3000 : 1 + i * 7 % 240);
  for (auto& byte : out) byte = static_cast<std::uint8_t>(random());
  return out;
}

std::vector<Hash> leaves(std::uint64_t from, std::uint64_t to) {
  std::vector<Hash> out;
  for (std::uint64_t i = from; i < to; ++i) out.push_back(crypto::leaf_hash(entry(i)));
  return out;
}

Result<std::vector<std::uint64_t>> append(EntryLog& log, std::uint64_t count) {
  std::vector<Bytes> entries;
  for (std::uint64_t i = 0; i < count; ++i) entries.push_back(entry(log.size() + i));
  return log.append({entries.begin(), entries.end()});
}

std::unique_ptr<EntryLog> opened(const std::filesystem::path& path) {
  auto log = EntryLog::open(path);
  EXPECT_TRUE(log.has_value()) << log.error().message;
  return log ? *std::move(log) : nullptr;
}

void expect_entries(const EntryLog& log, std::uint64_t count) {
  ASSERT_EQ(log.size(), count);
  EXPECT_EQ(log.root(), crypto::merkle_root(leaves(0, count)));
  const auto read = log.read(0, count + 1, SIZE_MAX);
  ASSERT_TRUE(read.has_value()) << read.error().message;
  ASSERT_EQ(read->size(), count);
  for (std::uint64_t i = 0; i < count; ++i) ASSERT_EQ((*read)[i], entry(i)) << i;
}

void expect_tree(const EntryLog& log) {
  const std::uint64_t size = log.size();
  std::mt19937_64 random(size);
  for (unsigned level = 0; (size >> level) > 0; ++level) {
    const std::uint64_t index = random() % (size >> level);
    const auto hash = log.subtree(level, index);
    ASSERT_TRUE(hash.has_value());
    EXPECT_EQ(*hash, crypto::merkle_root(leaves(index << level, (index + 1) << level)));
    EXPECT_EQ(log.subtree(level, size >> level).error().code, ErrorCode::kNotFound);
  }
  for (int round = 0; round < 8 && size > 0; ++round) {
    const std::uint64_t index = random() % size;
    const auto path = crypto::inclusion_proof(log, index, size);
    ASSERT_TRUE(path.has_value());
    EXPECT_TRUE(
        crypto::verify_inclusion(crypto::leaf_hash(entry(index)), index, size, *path, log.root()));
    const std::uint64_t old_size = 1 + random() % size;
    const auto proof = crypto::consistency_proof(log, old_size, size);
    ASSERT_TRUE(proof.has_value());
    EXPECT_TRUE(crypto::verify_consistency(old_size, crypto::merkle_root(leaves(0, old_size)), size,
                                           log.root(), *proof));
  }
}

TEST(Crc32c, MatchesThePublishedValues) {
  // RFC 3720, section B.4.
  EXPECT_EQ(crc32c({Bytes(32, 0x00)}), 0x8a9136aaU);
  EXPECT_EQ(crc32c({Bytes(32, 0xff)}), 0x62a8ab43U);
  EXPECT_EQ(crc32c({as_bytes("1234"), as_bytes("56789")}), 0xe3069283U);
}

class EntryLogOfSize : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(EntryLogOfSize, IsTheSameTreeHoweverItIsOpened) {
  const TempDirectory directory;
  const auto path = directory / "log";
  const std::uint64_t size = GetParam();
  {
    const auto log = opened(path);
    while (log->size() < size) {
      ASSERT_TRUE(append(*log, std::min<std::uint64_t>(size - log->size(), 1 + size % 50)));
    }
    expect_entries(*log, size);
    expect_tree(*log);
  }
  {
    const auto log = opened(path);
    EXPECT_EQ(log->recovery().scanned_entries, size % 64);
    expect_entries(*log, size);
    expect_tree(*log);
  }
  std::filesystem::remove(directory / "log.tree");
  const auto log = opened(path);
  EXPECT_EQ(log->recovery().scanned_entries, size);
  expect_tree(*log);
  ASSERT_TRUE(append(*log, 70));
  expect_entries(*log, size + 70);
  expect_tree(*log);
}

INSTANTIATE_TEST_SUITE_P(Sizes, EntryLogOfSize,
                         ::testing::Values(0, 1, 2, 63, 64, 65, 127, 128, 129, 191, 192, 4095, 4096,
                                           4097));

TEST(EntryLog, ReadsByOffsetAndPosition) {
  const TempDirectory directory;
  const auto log = opened(directory / "log");
  std::vector<std::uint64_t> offsets;
  for (int i = 0; i < 15; ++i) {
    const auto some = append(*log, 20);
    ASSERT_TRUE(some.has_value());
    offsets.insert(offsets.end(), some->begin(), some->end());
  }
  for (std::uint64_t i = 0; i < 300; ++i) {
    EXPECT_EQ(log->read_at(offsets[i]), entry(i));
    EXPECT_EQ(log->index_of(offsets[i]), i);
    EXPECT_EQ(log->index_of(offsets[i] + 1).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(log->read_at(offsets[i] + 1).error().code, ErrorCode::kCorrupt);
    EXPECT_EQ(log->read(i, 1, 1)->at(0), entry(i));
  }
  EXPECT_EQ(log->index_of(log->end_offset()).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(log->read_at(log->end_offset()).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(log->read_at(UINT64_MAX).error().code, ErrorCode::kCorrupt);
  EXPECT_TRUE(log->read(300, 10, 10)->empty());

  std::uint64_t next = 100;
  ASSERT_TRUE(log->scan(100, [&](std::uint64_t i, std::uint64_t offset, ByteView bytes) {
    EXPECT_EQ(i, next++);
    EXPECT_EQ(offset, offsets[i]);
    EXPECT_EQ(to_bytes(bytes), entry(i));
    return Result<void>{};
  }));
  EXPECT_EQ(next, 300U);
}

TEST(EntryLog, ReadKeepsToItsLimits) {
  const TempDirectory directory;
  const auto log = opened(directory / "log");
  ASSERT_TRUE(append(*log, 100));
  EXPECT_EQ(log->read(10, 7, SIZE_MAX)->size(), 7U);
  const std::size_t three = entry(10).size() + entry(11).size() + entry(12).size();
  EXPECT_EQ(log->read(10, 50, three)->size(), 3U);
  EXPECT_EQ(log->read(10, 50, three - 1)->size(), 2U);
  EXPECT_EQ(log->read(10, 50, 0)->size(), 1U);
}

TEST(EntryLog, RefusesEntriesThatNoLedgerHolds) {
  const TempDirectory directory;
  const auto log = opened(directory / "log");
  const Bytes good(limits::kObjectBytes);
  const Bytes large(limits::kObjectBytes + 1);
  EXPECT_EQ(log->append({good, Bytes{}}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(log->append({good, large}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(log->size(), 0U);
  ASSERT_TRUE(log->append({good}));
  EXPECT_EQ(log->read(0, 1, 1)->at(0), good);
}

TEST(EntryLog, IsOpenedByOneAtATime) {
  const TempDirectory directory;
  auto first = opened(directory / "log");
  const auto second = EntryLog::open(directory / "log");
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::kConflict);
  EXPECT_NE(second.error().message.find("in use by another process"), std::string::npos);
  first.reset();
  EXPECT_TRUE(EntryLog::open(directory / "log").has_value());
}

TEST(EntryLog, DoesNotTakeOtherFilesForItsOwn) {
  const TempDirectory directory;
  overwrite_file(directory / "text", as_bytes("this is some text and nothing else"));
  EXPECT_EQ(EntryLog::open(directory / "text").error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(EntryLog::open(directory / "none/log").error().code, ErrorCode::kNotFound);
  // Creating it was interrupted.
  overwrite_file(directory / "torn", as_bytes("BWLED"));
  expect_entries(*opened(directory / "torn"), 0);
}

// A crash may leave any part of what was being appended.
TEST(EntryLogAfterACrash, KeepsExactlyTheWholeEntries) {
  const TempDirectory directory;
  const auto path = directory / "log";
  constexpr std::uint64_t kEntries = 67;
  std::vector<std::uint64_t> ends;
  {
    const auto log = opened(path);
    for (std::uint64_t i = 0; i < kEntries; ++i) {
      ASSERT_TRUE(append(*log, 1));
      ends.push_back(log->end_offset());
    }
  }
  const Bytes whole = file_bytes(path);
  const Bytes tree = file_bytes(directory / "log.tree");
  for (std::uint64_t length = ends[kEntries - 6]; length <= whole.size(); ++length) {
    overwrite_file(path, ByteView(whole).first(length));
    overwrite_file(directory / "log.tree", tree);
    const auto log = opened(path);
    const auto kept =
        static_cast<std::uint64_t>(std::ranges::upper_bound(ends, length) - ends.begin());
    expect_entries(*log, kept);
    EXPECT_EQ(log->recovery().cut_bytes, length - ends[kept - 1]);
    ASSERT_TRUE(append(*log, kEntries - kept));
    EXPECT_EQ(file_bytes(path), whole);
  }
}

TEST(EntryLogAfterACrash, CutsWhatWasNeverDurable) {
  const TempDirectory directory;
  const auto path = directory / "log";
  {
    ASSERT_TRUE(append(*opened(path), 10));
  }
  const Bytes whole = file_bytes(path);
  Bytes later;
  append_record(later, entry(11));
  // Pages may reach the disk in any order: here the first record of an append is missing.
  for (Bytes tail : {Bytes(500, 0), to_bytes("x"), Bytes(5000, 0xff), later}) {
    Bytes torn = whole;
    torn.insert(torn.end(), 40, 0);
    bw::append(torn, tail);
    overwrite_file(path, torn);
    const auto log = opened(path);
    expect_entries(*log, 10);
    EXPECT_EQ(log->recovery().cut_bytes, 40 + tail.size());
    EXPECT_EQ(file_bytes(path), whole);
  }
}

// Whatever byte of a durable entry is damaged, it is seen and nothing is thrown away.
TEST(EntryLogDamaged, IsReportedAndLeftAsItIs) {
  const TempDirectory directory;
  const auto path = directory / "log";
  std::vector<std::uint64_t> offsets;
  {
    offsets = *append(*opened(path), 4);
  }
  const Bytes whole = file_bytes(path);
  const Bytes tree = file_bytes(directory / "log.tree");
  for (const bool with_tree : {true, false}) {
    // Without the tree file nobody knows whether the last entry was durable.
    const std::uint64_t end = with_tree ? whole.size() : offsets[3];
    for (std::uint64_t i = kLogHeaderBytes; i < end; ++i) {
      Bytes damaged = whole;
      damaged[i] ^= 0x10U;
      overwrite_file(path, damaged);
      if (with_tree) {
        overwrite_file(directory / "log.tree", tree);
      } else {
        std::filesystem::remove(directory / "log.tree");
      }
      const auto log = EntryLog::open(path);
      ASSERT_FALSE(log.has_value()) << i;
      EXPECT_EQ(log.error().code, ErrorCode::kCorrupt);
      const std::uint64_t record = *std::prev(std::ranges::upper_bound(offsets, i));
      EXPECT_NE(log.error().message.find(path.string()), std::string::npos);
      EXPECT_NE(log.error().message.find(fmt::format("byte {} ", record)), std::string::npos);
      EXPECT_EQ(file_bytes(path), damaged);
    }
  }
}

TEST(EntryLogDamaged, EarlyEntriesAreSeenWhenRead) {
  const TempDirectory directory;
  const auto path = directory / "log";
  std::vector<std::uint64_t> offsets;
  {
    offsets = *append(*opened(path), 300);
  }
  Bytes damaged = file_bytes(path);
  damaged[offsets[20] + 9] ^= 1U;
  overwrite_file(path, damaged);
  const auto log = opened(path);
  EXPECT_EQ(log->root(), crypto::merkle_root(leaves(0, 300)));
  EXPECT_EQ(log->read_at(offsets[20]).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(log->read(15, 10, SIZE_MAX).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(log->subtree(0, 20).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(log->read(64, 1, 1)->at(0), entry(64));
}

// The length of a record may claim more than there is left to read.
TEST(EntryLogDamaged, ALengthBeyondTheEndIsDamage) {
  const TempDirectory directory;
  const auto path = directory / "log";
  const auto log = opened(path);
  const auto offsets = append(*log, 3);
  Bytes damaged = file_bytes(path);
  damaged[offsets->back() + 2] = 0x02;
  overwrite_file(path, damaged);
  EXPECT_EQ(log->read_at(offsets->back()).error().code, ErrorCode::kCorrupt);
}

class EntryLogTreeFile : public ::testing::Test {
 protected:
  EntryLogTreeFile() { EXPECT_TRUE(append(*opened(path_), kEntries)); }
  std::uint64_t scanned_when_opened() {
    const auto log = opened(path_);
    expect_entries(*log, kEntries);
    expect_tree(*log);
    return log->recovery().scanned_entries;
  }

  static constexpr std::uint64_t kEntries = 64 * 5 + 3;
  TempDirectory directory_;
  std::filesystem::path path_ = directory_ / "log";
  std::filesystem::path tree_ = directory_ / "log.tree";
};

TEST_F(EntryLogTreeFile, MayBeShort) {
  const Bytes whole = file_bytes(tree_);
  for (std::size_t length = 0; length < whole.size(); length += 11) {
    overwrite_file(tree_, ByteView(whole).first(length));
    const std::uint64_t groups = length < 16 ? 0 : (length - 16) / 44;
    EXPECT_EQ(scanned_when_opened(), kEntries - 64 * groups);
    EXPECT_EQ(file_bytes(tree_), whole);
  }
}

TEST_F(EntryLogTreeFile, MayBeDamagedAnywhere) {
  const Bytes whole = file_bytes(tree_);
  for (std::size_t i = 0; i < whole.size(); i += 3) {
    Bytes damaged = whole;
    damaged[i] ^= 0x40U;
    overwrite_file(tree_, damaged);
    EXPECT_LE(scanned_when_opened(), kEntries);
    EXPECT_EQ(file_bytes(tree_), whole) << i;
  }
}

TEST_F(EntryLogTreeFile, MayBelongToAnotherLog) {
  {
    const auto other = opened(directory_ / "other");
    std::vector<Bytes> entries;
    for (std::uint64_t i = 0; i < kEntries; ++i) entries.push_back(entry(i + 1));
    ASSERT_TRUE(other->append({entries.begin(), entries.end()}));
  }
  std::filesystem::copy_file(directory_ / "other.tree", tree_,
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_EQ(scanned_when_opened(), kEntries);
}

TEST_F(EntryLogTreeFile, MayBeAheadOfALogFromABackUp) {
  const Bytes backed_up = file_bytes(path_);
  {
    ASSERT_TRUE(append(*opened(path_), 200));
  }
  overwrite_file(path_, backed_up);
  EXPECT_EQ(scanned_when_opened(), 3U);
}

TEST(EntryLogOnAFullDisk, LosesNothingAndGoesOn) {
  const TempDirectory directory;
  const auto path = directory / "log";
  const auto log = opened(path);
  ASSERT_TRUE(append(*log, 100));
  const Bytes before = file_bytes(path);
  for (const unsigned room : {0U, 1U, 7U, 8U, 100U, 3000U}) {
    const testing::FileSizeLimit limit(before.size() + room);
    const auto refused = append(*log, 64);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kIo);
    EXPECT_NE(refused.error().message.find(path.string()), std::string::npos);
    EXPECT_EQ(file_bytes(path), before);
    expect_entries(*log, 100);
  }
  ASSERT_TRUE(append(*log, 64));
  expect_entries(*log, 164);
}

TEST(EntryLogOnAFullDisk, ATreeFileThatCouldNotBeWrittenIsMadeAgain) {
  const TempDirectory directory;
  const auto path = directory / "log";
  {
    const auto log = opened(path);
    ASSERT_TRUE(append(*log, 640));
    // As when the writes of the groups in between had failed.
    const Bytes whole = file_bytes(directory / "log.tree");
    overwrite_file(directory / "log.tree", ByteView(whole).first(100));
    ASSERT_TRUE(append(*log, 640));
  }
  const auto log = opened(path);
  EXPECT_GT(log->recovery().scanned_entries, 64U);
  expect_entries(*log, 1280);
  expect_tree(*log);
}

TEST(EntryLog, ReadersSeeWholeEntriesWhileItGrows) {
  const TempDirectory directory;
  const auto log = opened(directory / "log");
  constexpr std::uint64_t kEntries = 3000;
  std::atomic<bool> done = false;
  std::atomic<std::uint64_t> checked = 0;
  const auto reader = [&](std::uint64_t seed) {
    std::mt19937_64 random(seed);
    while (!done || checked == 0) {
      const std::uint64_t size = log->size();
      if (size == 0) continue;
      const std::uint64_t index = random() % size;
      const auto read = log->read(index, 3, SIZE_MAX);
      ASSERT_TRUE(read.has_value()) << read.error().message;
      ASSERT_FALSE(read->empty());
      for (std::size_t i = 0; i < read->size(); ++i) ASSERT_EQ((*read)[i], entry(index + i));
      ASSERT_TRUE(crypto::root_at(*log, size).has_value());
      ++checked;
    }
  };
  std::thread first(reader, 1);
  std::thread second(reader, 2);
  while (log->size() < kEntries) ASSERT_TRUE(append(*log, 1 + log->size() % 40));
  done = true;
  first.join();
  second.join();
  expect_entries(*log, log->size());
}

}  // namespace
}  // namespace bw::store
