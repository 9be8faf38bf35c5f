// SPDX-License-Identifier: Apache-2.0
#include "cli/ledger_copy.hpp"

#include <algorithm>
#include <numeric>
#include <string_view>
#include <thread>

#include "base/limits.hpp"
#include "cli/output.hpp"
#include "wave/object.hpp"

namespace bw::cli {
namespace {

// Submissions under way at once: a chain answers when a block is deep enough, and takes more
// meanwhile.
constexpr std::size_t kUnderWay = 8;
constexpr auto kPause = std::chrono::seconds{1};

bool is_without_effect(std::string_view error) {
  return error == error_name(ErrorCode::kExpired) || error == error_name(ErrorCode::kConflict) ||
         error == error_name(ErrorCode::kRevoked);
}

// What it rests on is perhaps still to come, or the ledger has too much to do.
bool is_worth_another_try(std::string_view error) {
  return error == error_name(ErrorCode::kNotFound) || error == error_name(ErrorCode::kLimited) ||
         error == error_name(ErrorCode::kUnavailable);
}

// A ledger that is busy takes some entries sooner or later.
constexpr int kMostFruitlessPasses = 30;

}  // namespace

Result<LedgerCopy::Summary> LedgerCopy::run() {
  gone_.assign(from_.size(), false);
  std::vector<std::uint64_t> left(from_.size());
  std::iota(left.begin(), left.end(), 0);
  int fruitless = 0;
  for (bool first = true; !left.empty(); first = false) {
    if (!first) std::this_thread::sleep_for(kPause);
    BW_TRY(auto again, pass(left));
    fruitless = again.size() == left.size() ? fruitless + 1 : 0;
    if (fruitless == kMostFruitlessPasses) {
      return fail(ErrorCode::kUnavailable,
                  "{} of {} entries were not taken, the first is entry {}: {}; "
                  "mend that and start the same command again, it goes on from here",
                  again.size(), from_.size(), again.front(), refusal_);
    }
    left = std::move(again);
  }
  BW_CHECK(look_up());
  return summary_;
}

Result<std::vector<std::uint64_t>> LedgerCopy::pass(const std::vector<std::uint64_t>& left) {
  std::vector<std::uint64_t> again;
  std::deque<Run> under_way;
  Progress progress("copying", from_.size());
  std::size_t at = 0;
  while (at < left.size() || !under_way.empty()) {
    if (at < left.size() && under_way.size() < kUnderWay) {
      BW_TRY(under_way.emplace_back(), next_run(left, at));
      continue;
    }
    Run oldest = std::move(under_way.front());
    under_way.pop_front();
    BW_CHECK(settle(std::move(oldest), again));
    progress.at(summary_.carried + summary_.without_effect);
  }
  return again;
}

Result<LedgerCopy::Run> LedgerCopy::next_run(const std::vector<std::uint64_t>& left,
                                             std::size_t& at) const {
  Run run;
  client::api::SubmitRequest request;
  std::size_t bytes = 0;
  for (; at < left.size() && run.entries.size() < limits::kLedgerBatchEntries; ++at) {
    BW_TRY(auto entry, from_.read(left[at], 1, limits::kObjectBytes));
    bytes += entry.front().size();
    if (bytes > limits::kSubmissionBytes / 2) break;
    request.add_objects(std::string(as_text(entry.front())));
    run.indexes.push_back(left[at]);
    run.entries.push_back(std::move(entry.front()));
  }
  run.reply = std::async(std::launch::async,
                         [this, request = std::move(request)] { return to_.submit(request); });
  return run;
}

Result<void> LedgerCopy::settle(Run run, std::vector<std::uint64_t>& again) {
  BW_TRY(const auto reply, run.reply.get());
  for (std::size_t i = 0; i < run.indexes.size(); ++i) {
    const client::api::SubmitOutcome& outcome = reply.outcomes(static_cast<int>(i));
    if (outcome.accepted()) {
      ++summary_.carried;
    } else if (is_without_effect(outcome.error())) {
      ++summary_.without_effect;
      gone_[run.indexes[i]] = true;
    } else if (is_worth_another_try(outcome.error())) {
      again.push_back(run.indexes[i]);
      refusal_ = outcome.error() + ": " + outcome.message();
    } else {
      return fail(ErrorCode::kInvalidArgument, "entry {}: {}: {}", run.indexes[i], outcome.error(),
                  outcome.message());
    }
  }
  return {};
}

Result<void> LedgerCopy::look_up() const {
  Progress progress("looking up", from_.size());
  return from_.scan(0, [&](std::uint64_t index, std::uint64_t, ByteView entry) -> Result<void> {
    progress.at(index);
    if (gone_[index]) return {};
    BW_TRY(const wave::Object object, wave::parse_object(entry));
    const auto found = to_.lookup(wave::id_of(object).text());
    if (found && std::ranges::equal(as_bytes(found->object()), entry)) return {};
    return fail(ErrorCode::kCorrupt, "entry {} was taken and is not on the ledger: {}", index,
                found ? "another object stands there" : found.error().message);
  });
}

}  // namespace bw::cli
