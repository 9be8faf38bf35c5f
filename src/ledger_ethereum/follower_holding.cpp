// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/follower_holding.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "base/limits.hpp"

namespace bw::ledger_ethereum {
namespace {

constexpr std::size_t kReadBytes = 1024 * 1024;
// While nothing is new a mark is written this often only: it saves reading again.
constexpr std::uint64_t kBlocksUnsaved = 32;

}  // namespace

Holding::Holding(ledger::RewindableSink& sink, const Clock& clock, telemetry::Log& log,
                 std::filesystem::path file, const Address& registry,
                 std::uint64_t deployment_block)
    : sink_(sink),
      clock_(clock),
      log_(log),
      file_(std::move(file)),
      registry_(registry),
      deployment_block_(std::max<std::uint64_t>(deployment_block, 1)) {}

Result<void> Holding::load() {
  auto loaded = load_memory(file_, registry_);
  if (!loaded && loaded.error().code == ErrorCode::kIo) return fail(loaded.error());
  if (loaded) {
    memory_ = *std::move(loaded);
  } else {
    log_.write(telemetry::Level::kWarning, "ledger",
               "the chain's log is read again from its first block",
               {{"why", loaded.error().message}});
  }
  suspect_bytes_ = 0;
  for (const auto& [revocation, seen] : memory_.suspects) suspect_bytes_ += revocation.size();
  const Mark first{
      .size = 0, .root = crypto::Frontier().root(), .block = deployment_block_ - 1, .hash = Hash{}};
  if (marks().empty() || marks().front() != first) {
    memory_.marks = {};
    memory_.marks.add(first);
  }
  for (;;) {
    const Mark& newest = base();
    if (newest.size <= sink_.size()) {
      BW_TRY(const crypto::Frontier tree, sink_.tree(newest.size));
      if (tree.root() == newest.root) break;
    }
    back_to(marks().size() - 2);
  }
  return tell_suspects();
}

void Holding::back_to(std::size_t mark) {
  if (mark + 1 == marks().size()) return;
  memory_.marks.keep_first(mark + 1);
  unsaved_ = true;
}

Result<void> Holding::commit(const Block& block, const crypto::Frontier& proven,
                             LogScan::Fresh fresh, bool last) {
  BW_ASSERT(fresh.met + fresh.entries.size() == proven.size());
  const bool more_is_held = sink_.size() > fresh.met;
  if (more_is_held && (fresh.differs || last)) BW_CHECK(withdraw(fresh.met));
  if (!fresh.entries.empty()) BW_CHECK(append(std::move(fresh.entries)));
  if (block.number > base().block) {
    memory_.marks.add({proven.size(), proven.root(), block.number, block.hash});
  }
  if (unsaved_ || block.number >= saved_block_ + kBlocksUnsaved) return save();
  return {};
}

// Suspected first, then withdrawn: whatever was revoked is so all the while, after a crash too.
Result<void> Holding::withdraw(std::uint64_t from) {
  log_.write(telemetry::Level::kWarning, "ledger", "the chain withdrew entries",
             {{"from", std::to_string(from)}, {"held", std::to_string(sink_.size())}});
  for (std::uint64_t next = from; next < sink_.size();) {
    BW_TRY(const auto entries, sink_.read(next, kReadBytes));
    if (entries.empty()) return fail(ErrorCode::kCorrupt, "entry {} cannot be read back", next);
    for (const Bytes& entry : entries) {
      if (is_revocation(entry)) add_suspect(entry);
    }
    next += entries.size();
  }
  untold_ = true;
  BW_CHECK(save());
  BW_CHECK(tell_suspects());
  untold_ = true;
  return sink_.rewind(from);
}

Result<void> Holding::append(std::vector<Bytes> entries) {
  unsaved_ = true;
  for (std::size_t next = 0; next < entries.size();) {
    const std::size_t count = std::min(entries.size() - next, limits::kLedgerBatchEntries);
    const auto first = entries.begin() + static_cast<std::ptrdiff_t>(next);
    const std::vector<Bytes> batch(
        std::make_move_iterator(first),
        std::make_move_iterator(first + static_cast<std::ptrdiff_t>(count)));
    BW_CHECK(sink_.append(batch));
    for (const Bytes& entry : batch) no_suspect(entry);
    // A grant that comes in is revoked at once where its revocation was seen before.
    untold_ = true;
    BW_CHECK(tell_suspects());
    next += count;
  }
  return {};
}

void Holding::no_suspect(const Bytes& entry) {
  const auto known = memory_.suspects.find(entry);
  if (known == memory_.suspects.end()) return;
  suspect_bytes_ -= entry.size();
  memory_.suspects.erase(known);
}

Result<void> Holding::saw(const std::vector<Bytes>& revocations) {
  for (const Bytes& revocation : revocations) add_suspect(revocation);
  const Time horizon = clock_.now() - kSuspectedFor;
  const std::size_t gone = std::erase_if(memory_.suspects, [&](const auto& suspect) {
    if (suspect.second >= horizon) return false;
    suspect_bytes_ -= suspect.first.size();
    return true;
  });
  if (gone > 0) unsaved_ = untold_ = true;
  if (unsaved_) BW_CHECK(save());
  return tell_suspects();
}

void Holding::add_suspect(const Bytes& revocation) {
  const auto known = memory_.suspects.find(revocation);
  if (known != memory_.suspects.end()) {
    known->second = clock_.now();
    return;
  }
  if (suspect_bytes_ + revocation.size() > kSuspectBytes) {
    log_.limited(telemetry::Level::kWarning, "ledger",
                 "too many revocations are not final yet: some act only when they are");
    return;
  }
  memory_.suspects.emplace(revocation, clock_.now());
  suspect_bytes_ += revocation.size();
  unsaved_ = untold_ = true;
}

Result<void> Holding::tell_suspects() {
  if (!untold_) return {};
  std::vector<Bytes> all;
  all.reserve(memory_.suspects.size());
  for (const auto& [revocation, seen] : memory_.suspects) all.push_back(revocation);
  BW_CHECK(sink_.suspect(all));
  untold_ = false;
  return {};
}

Result<void> Holding::save() {
  BW_CHECK(save_memory(file_, memory_, registry_));
  saved_block_ = base().block;
  unsaved_ = false;
  return {};
}

}  // namespace bw::ledger_ethereum
