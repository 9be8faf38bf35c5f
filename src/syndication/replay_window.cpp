// SPDX-License-Identifier: Apache-2.0
#include "syndication/replay_window.hpp"

#include <algorithm>

namespace bw::syndication {
namespace {

Result<void> check_time(const BatchHeader& header, Time now) {
  const Duration age = now - header.created;
  if (age > limits::kReplayWindow) {
    return fail(ErrorCode::kExpired, "batch {} of {}: {} old; live messages may be {} old",
                header.sequence, header.origin.brief(), to_text(age),
                to_text(limits::kReplayWindow));
  }
  if (-age > limits::kReplayWindow) {
    return fail(
        ErrorCode::kExpired,
        "batch {} of {}: from {} in the future; set the clock of the sender or of this node",
        header.sequence, header.origin.brief(), to_text(-age));
  }
  return {};
}

tl::unexpected<Error> replayed(const BatchHeader& header) {
  return fail(ErrorCode::kReplayed, "batch {} of {}: this or a later one was here already",
              header.sequence, header.origin.brief());
}

}  // namespace

Result<void> StreamWindow::check(const BatchView& batch, Time now) const {
  const BatchHeader& header = batch.header;
  BW_CHECK(check_time(header, now));
  if (header.sequence < sequence_) return replayed(header);
  if (header.sequence > sequence_) return {};
  const auto seen = [&](std::uint16_t index) { return seen_[index]; };
  if (std::ranges::any_of(batch.indices, seen)) return replayed(header);
  return {};
}

Result<void> StreamWindow::admit(const BatchView& batch, Time now) {
  BW_CHECK(check(batch, now));
  if (batch.header.sequence != sequence_) seen_.reset();
  sequence_ = batch.header.sequence;
  for (const std::uint16_t index : batch.indices) seen_.set(index);
  return {};
}

Result<void> ReplayWindow::check(const BatchView& batch, Time now) const {
  const auto found = streams_.find({batch.header.origin, batch.header.stream});
  if (found != streams_.end()) return found->second.window.check(batch, now);
  if (streams_.size() >= limits::kTrackedStreams) {
    return fail(ErrorCode::kLimited,
                "batch of {}: {} streams are watched for replays already; try again in {}",
                batch.header.origin.brief(), streams_.size(), to_text(limits::kReplayWindow));
  }
  return check_time(batch.header, now);
}

Result<void> ReplayWindow::admit(const BatchView& batch, Time now) {
  BW_CHECK(check(batch, now));
  Tracked& tracked = streams_[{batch.header.origin, batch.header.stream}];
  BW_CHECK(tracked.window.admit(batch, now));
  tracked.last_created = std::max(tracked.last_created, batch.header.created);
  return {};
}

void ReplayWindow::forget_old(Time now) {
  std::erase_if(streams_, [&](const auto& entry) {
    return now - entry.second.last_created > limits::kReplayWindow;
  });
}

}  // namespace bw::syndication
