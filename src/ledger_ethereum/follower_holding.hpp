// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ledger_ethereum/follower_scan.hpp"
#include "ledger_ethereum/marks.hpp"
#include "telemetry/log.hpp"

namespace bw::ledger_ethereum {

// A revocation that the chain withdrew acts for so long, unless it comes back: long enough for
// whoever put it to put it again, and one day without the revoked right harms less than one with
// it.
inline constexpr Duration kSuspectedFor = 86'400s;

// What is held of a chain's ledger: the sink with its entries, the marks that say of which blocks
// they are, and the revocations that are suspected. In every crash between two steps the marks and
// suspects on disk are of the entries in the sink, or of fewer.
class Holding {
 public:
  Holding(ledger::RewindableSink& sink, const Clock& clock, telemetry::Log& log,
          std::filesystem::path file, const Address& registry, std::uint64_t deployment_block);

  // To be called once, first. A file that is not to be used is replaced.
  Result<void> load();

  [[nodiscard]] ledger::RewindableSink& sink() const { return sink_; }
  // At least one: that of no entries, before the Registry was deployed, whose hash is not known.
  [[nodiscard]] const std::vector<Mark>& marks() const { return memory_.marks.all(); }
  [[nodiscard]] const Mark& base() const { return marks().back(); }
  // The marks above are not of the chain any more.
  void back_to(std::size_t mark);

  // `fresh` and what was met before give the tree that was proved at `block`. `last`: nothing of
  // what is held and was not met may stay.
  Result<void> commit(const Block& block, const crypto::Frontier& proven, LogScan::Fresh fresh,
                      bool last);
  // The revocations in blocks that may still be withdrawn; older ones stay as long as they may.
  Result<void> saw(const std::vector<Bytes>& revocations);

 private:
  Result<void> withdraw(std::uint64_t from);
  Result<void> append(std::vector<Bytes> entries);
  void add_suspect(const Bytes& revocation);
  void no_suspect(const Bytes& entry);
  Result<void> tell_suspects();
  Result<void> save();

  ledger::RewindableSink& sink_;
  const Clock& clock_;
  telemetry::Log& log_;
  std::filesystem::path file_;
  Address registry_;
  std::uint64_t deployment_block_;
  FollowerMemory memory_;
  std::size_t suspect_bytes_ = 0;
  std::uint64_t saved_block_ = 0;
  bool untold_ = true;  // the sink does not know the suspects, or has changed since it was told
  bool unsaved_ = true;
};

}  // namespace bw::ledger_ethereum
