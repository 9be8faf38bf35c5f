// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <future>
#include <string>
#include <vector>

#include "client/client.hpp"
#include "store/entry_log.hpp"

namespace bw::cli {

// Carries the entries of a ledger file to the ledger that an agent's node follows. They are signed,
// so they stay valid wherever they stand. What is there already counts as carried, which makes a
// copy that was cut off go on where it ended when it is started again.
class LedgerCopy {
 public:
  // Both must outlive the copy.
  LedgerCopy(const store::EntryLog& from, client::Client& to) : from_(from), to_(to) {}

  struct Summary {
    std::uint64_t carried = 0;  // and looked up afterwards
    // Expired since, or overtaken by an entry that is there: a renewal, a revocation, another's
    // name.
    std::uint64_t without_effect = 0;
  };
  // Submits, again where one entry has to wait for another, until all are answered for; then looks
  // each one up. Fails with the first entry that could not be carried, or that is missing after
  // all.
  Result<Summary> run();

 private:
  struct Run {
    std::vector<std::uint64_t> indexes;
    std::vector<Bytes> entries;
    std::future<Result<client::api::SubmitReply>> reply;
  };
  // One pass over `left`; returns what has to be tried again.
  Result<std::vector<std::uint64_t>> pass(const std::vector<std::uint64_t>& left);
  Result<Run> next_run(const std::vector<std::uint64_t>& left, std::size_t& at) const;
  Result<void> settle(Run run, std::vector<std::uint64_t>& again);
  Result<void> look_up() const;

  const store::EntryLog& from_;
  client::Client& to_;
  Summary summary_;
  std::vector<bool> gone_;  // without effect, by index
  std::string refusal_;     // of the latest entry that is tried again
};

}  // namespace bw::cli
