// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <vector>

#include "base/time.hpp"
#include "ledger_ethereum/chain.hpp"

// What a follower must know after a restart beside the entries (docs/formats.md, "Marks file").
namespace bw::ledger_ethereum {

// That the ledger had these entries, as was proved, when this block was the chain's.
struct Mark {
  std::uint64_t size = 0;
  Hash root;  // over `size` entries
  std::uint64_t block = 0;
  Hash hash;  // the block's

  friend bool operator==(const Mark&, const Mark&) = default;
};

// Rising by block. A mark is kept while its neighbours are further apart than 1/32 of the way from
// them to the newest, so that a reorganisation of any depth finds one not much deeper, and there
// are never more than about a thousand. The first always stays.
class Marks {
 public:
  // Precondition: newer than the newest.
  void add(const Mark& mark);
  [[nodiscard]] const std::vector<Mark>& all() const { return marks_; }
  // Those from position `count` on go.
  void keep_first(std::size_t count) { marks_.resize(count); }

  friend bool operator==(const Marks&, const Marks&) = default;

 private:
  std::vector<Mark> marks_;
};

// Revocations (whole signed objects) that were seen, and when last.
using Suspects = std::map<Bytes, Time>;

struct FollowerMemory {
  Marks marks;
  Suspects suspects;

  friend bool operator==(const FollowerMemory&, const FollowerMemory&) = default;
};

inline constexpr std::size_t kSuspectBytes = 16 * 1024 * 1024;

Bytes encode(const FollowerMemory& memory, const Address& registry);
// kMalformed for what is none, kConflict for that of another contract.
Result<FollowerMemory> parse_memory(ByteView bytes, const Address& registry);

// Nothing in it when there is no such file; kIo, or as parse_memory().
Result<FollowerMemory> load_memory(const std::filesystem::path& file, const Address& registry);
// Durable when it returns.
Result<void> save_memory(const std::filesystem::path& file, const FollowerMemory& memory,
                         const Address& registry);

}  // namespace bw::ledger_ethereum
