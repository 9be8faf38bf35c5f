// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/follower_scan.hpp"

#include <algorithm>
#include <utility>

#include "ledger_ethereum/marks.hpp"
#include "ledger_ethereum/registry_log.hpp"
#include "wave/object.hpp"

namespace bw::ledger_ethereum {
namespace {

constexpr std::size_t kChunkBytes = 256 * 1024;

// The position of the first object that nobody signed.
std::optional<std::size_t> first_unsigned(const std::vector<Bytes>& objects) {
  const auto found = std::ranges::find_if(objects, [](const Bytes& bytes) {
    const auto object = wave::parse_object(bytes);
    return !object || !wave::verify_signature(*object);
  });
  if (found == objects.end()) return std::nullopt;
  return static_cast<std::size_t>(found - objects.begin());
}

}  // namespace

bool is_revocation(ByteView object) {
  return !object.empty() && object[0] == static_cast<std::uint8_t>(wave::Kind::kRevocation);
}

Result<void> LogScan::take(const std::vector<LogEntry>& logs) {
  for (std::size_t i = 0; i < logs.size(); ++i) {
    if (!logs[i].topics.empty()) continue;  // of items that were rejected
    const auto log = parse_entries(logs[i].data);
    if (!log) {
      return fail(ErrorCode::kFork,
                  "it altered entry {}: its log in block {} is none of the Registry", tree_.size(),
                  logs[i].block);
    }
    if (log->first != tree_.size()) return fail(gap(logs, i, log->first));
    for (const Bytes& entry : log->entries) BW_CHECK(take_entry(entry));
  }
  return {};
}

Error LogScan::gap(const std::vector<LogEntry>& logs, std::size_t at, std::uint64_t first) const {
  const std::uint64_t next = tree_.size();
  const std::uint64_t block = logs[at].block;
  if (first < next) {
    return {ErrorCode::kFork,
            fmt::format("it invented an entry {} in block {}, or shows it twice", first, block)};
  }
  const bool comes_later = std::any_of(logs.begin() + static_cast<std::ptrdiff_t>(at), logs.end(),
                                       [next](const LogEntry& later) {
                                         const auto log = parse_entries(later.data);
                                         return later.topics.empty() && log && log->first == next;
                                       });
  if (comes_later) {
    return {ErrorCode::kFork, fmt::format("it reordered entries: {} comes before {} in block {}",
                                          first, next, block)};
  }
  return {ErrorCode::kFork,
          fmt::format("it omitted entries {} to {}, before block {}", next, first - 1, block)};
}

Result<void> LogScan::take_entry(const Bytes& entry) {
  BW_TRY(const bool held, is_held(entry));
  tree_.add(crypto::leaf_hash(entry));
  if (held) return {};
  const bool keep =
      keep_ != Keep::kRevocations || (is_revocation(entry) && kept_bytes_ < kSuspectBytes);
  if (!keep) return {};
  kept_bytes_ += entry.size() + sizeof(Bytes);
  if (keep_ != Keep::kNothing) kept_.push_back(entry);
  return {};
}

Result<bool> LogScan::is_held(const Bytes& entry) {
  const std::uint64_t index = tree_.size();
  if (keep_ == Keep::kNothing || differs_at_ || index >= held_.size()) return false;
  if (index - chunk_first_ >= chunk_.size()) {
    BW_TRY(chunk_, held_.read(index, kChunkBytes));
    chunk_first_ = index;
    if (chunk_.empty()) return fail(ErrorCode::kCorrupt, "entry {} cannot be read back", index);
  }
  if (chunk_[index - chunk_first_] == entry) return true;
  differs_at_ = index;
  return false;
}

Result<void> LogScan::check(const crypto::Frontier& proven, std::uint64_t block) const {
  if (tree_.size() < proven.size()) {
    return fail(ErrorCode::kFork, "it omitted entries {} to {}, up to block {}", tree_.size(),
                proven.size() - 1, block);
  }
  if (tree_.size() > proven.size()) {
    return fail(ErrorCode::kFork,
                "it invented entries: it shows {} up to block {}, and there are {}", tree_.size(),
                block, proven.size());
  }
  if (tree_.root() == proven.root()) return {};
  if (keep_ != Keep::kAll) {
    return fail(ErrorCode::kFork, "it altered or reordered entries before {}, up to block {}",
                tree_.size(), block);
  }
  if (const auto bad = first_unsigned(kept_)) {
    return fail(ErrorCode::kFork, "it altered entry {}, up to block {}",
                tree_.size() - kept_.size() + *bad, block);
  }
  return fail(ErrorCode::kFork, "it reordered or exchanged entries before {}, up to block {}",
              tree_.size(), block);
}

LogScan::Fresh LogScan::release() {
  Fresh fresh{.met = differs_at_.value_or(std::min(tree_.size(), held_.size())),
              .differs = differs_at_.has_value(),
              .entries = std::exchange(kept_, {})};
  kept_bytes_ = 0;
  differs_at_.reset();
  chunk_.clear();
  return fresh;
}

}  // namespace bw::ledger_ethereum
