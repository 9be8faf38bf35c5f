// SPDX-License-Identifier: Apache-2.0
#include "net/send_queue.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"

namespace bw::net {

void SendQueue::push(SharedBytes frames, bool droppable) {
  const std::size_t more = frames->size();
  const auto over = [&] { return bytes_ + more > limits::kSessionQueueBytes; };
  while (over() && !droppable_.empty()) {
    bytes_ -= droppable_.front()->frames->size();
    entries_.erase(droppable_.front());
    droppable_.pop_front();
    ++lost_;
  }
  if (droppable && over()) {
    ++lost_;
    return;
  }
  bytes_ += more;
  const auto entry = entries_.insert(entries_.end(), Entry{std::move(frames), droppable});
  if (droppable) droppable_.push_back(entry);
}

ByteView SendQueue::front(std::span<std::uint8_t> scratch) const {
  std::size_t skipped = begun_;
  std::size_t filled = 0;
  for (const Entry& entry : entries_) {
    const ByteView rest = ByteView(*entry.frames).subspan(std::exchange(skipped, 0));
    const std::size_t taken = std::min(rest.size(), scratch.size() - filled);
    const bool suffices = taken == scratch.size() || entries_.size() == 1;
    if (filled == 0 && suffices) return rest.first(taken);
    std::copy_n(rest.begin(), taken, scratch.begin() + static_cast<std::ptrdiff_t>(filled));
    filled += taken;
    if (filled == scratch.size()) break;
  }
  return scratch.first(filled);
}

void SendQueue::pop(std::size_t bytes) {
  BW_ASSERT(bytes <= bytes_);
  bytes_ -= bytes;
  while (bytes != 0) {
    Entry& entry = entries_.front();
    if (std::exchange(entry.droppable, false)) droppable_.pop_front();
    const std::size_t rest = entry.frames->size() - begun_;
    const std::size_t gone = std::min(rest, bytes);
    bytes -= gone;
    begun_ += gone;
    if (gone != rest) break;
    entries_.pop_front();
    begun_ = 0;
  }
}

void SendQueue::clear() {
  droppable_.clear();
  entries_.clear();
  begun_ = bytes_ = 0;
}

std::uint64_t SendQueue::take_lost() {
  return std::exchange(lost_, 0);
}

}  // namespace bw::net
