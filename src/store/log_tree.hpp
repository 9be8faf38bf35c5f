// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "crypto/merkle.hpp"
#include "store/file.hpp"
#include "store/published_vector.hpp"

namespace bw::store {

// The Merkle tree over a ledger file, by groups of 64 entries: where each group starts, and the
// subtree hashes from the group upwards (72 bytes of memory per group). Lower levels are read from
// the ledger file. The side file is a cache that saves reading the whole ledger at start; whatever
// is wrong with it, the tree is made again from the ledger.
//
// The writer's thread only, except subtree() and group_offset(), which any thread may call for what
// it knows to have been published.
class LogTree {
 public:
  static constexpr unsigned kGroupLevel = 6;
  static constexpr std::uint64_t kGroup = 1U << kGroupLevel;
  // Size of the side file for so many whole groups.
  static constexpr std::uint64_t side_bytes(std::uint64_t groups) { return 16 + groups * 44; }

  // Takes over as many groups as the side file has right. The last is checked against the ledger
  // file, of `log_bytes` bytes; add() continues after it.
  static Result<std::unique_ptr<LogTree>> open(const std::filesystem::path& side_file,
                                               const File& log, std::uint64_t log_bytes);

  // The entry whose record starts at `offset` and ends before `next_offset`.
  void add(std::uint64_t offset, std::uint64_t next_offset, const Hash& leaf);
  // Brings the side file up to date: the next open takes everything added so far to be durable.
  void save();

  [[nodiscard]] std::uint64_t size() const { return frontier_.size(); }
  [[nodiscard]] std::uint64_t end_offset() const { return end_offset_; }
  [[nodiscard]] Hash root() const { return frontier_.root(); }
  [[nodiscard]] std::uint64_t saved_groups() const { return saved_groups_; }
  // Where the ledger file ended, as far as the side file knows, when all of it was durable.
  [[nodiscard]] std::optional<std::uint64_t> durable_end() const { return durable_end_; }

  // Root of a complete subtree of 2^level entries. Precondition: level >= kGroupLevel.
  [[nodiscard]] const Hash& subtree(unsigned level, std::uint64_t index) const {
    return levels_[level - kGroupLevel][index];
  }
  [[nodiscard]] std::uint64_t group_offset(std::uint64_t group) const { return offsets_[group]; }

 private:
  struct Group {
    std::uint64_t offset;
    Hash hash;
  };
  explicit LogTree(File side) : side_(std::move(side)) {}
  static std::vector<Group> parse_groups(ByteView side, std::uint64_t log_bytes);
  Result<void> load(const File& log, std::uint64_t log_bytes);
  // Restores the tree over whole groups, of which the last ends before `end`.
  Result<void> restore(const std::vector<Group>& groups, std::uint64_t end);
  void push_group(const Hash& hash);

  File side_;
  std::uint64_t saved_groups_ = 0;
  std::optional<std::uint64_t> durable_end_;
  PublishedVector<std::uint64_t> offsets_;  // first record of each group, also of an unfinished one
  std::array<PublishedVector<Hash>, 32>
      levels_;                    // from kGroupLevel upwards; 2^38 entries are enough
  std::vector<Hash> unfinished_;  // leaves of the last group
  crypto::Frontier frontier_;
  std::uint64_t end_offset_ = 0;
};

}  // namespace bw::store
