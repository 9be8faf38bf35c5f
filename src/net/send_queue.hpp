// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <span>

#include "base/bytes.hpp"
#include "net/channel.hpp"

namespace bw::net {

// What waits to be sent: entries shared with other channels, read as one stream. Above
// kSessionQueueBytes a new entry pushes out the oldest droppable ones, and is lost itself when it
// is droppable and there are none. Entries that may not be dropped are always taken. An entry of
// which something was sent is never dropped: the peer would lose count of its frames.
class SendQueue {
 public:
  // `frames` is not empty.
  void push(SharedBytes frames, bool droppable);

  // The next bytes, at most `scratch.size()`, and as many unless there are no more. Several small
  // entries are copied into `scratch`; a large one is shown in place. Holds until pop() or push().
  [[nodiscard]] ByteView front(std::span<std::uint8_t> scratch) const;
  // Forgets that many bytes.
  void pop(std::size_t bytes);
  void clear();

  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  // Entries lost since the last call.
  std::uint64_t take_lost();

 private:
  struct Entry {
    SharedBytes frames;
    bool droppable;
  };

  std::list<Entry> entries_;
  std::deque<std::list<Entry>::iterator> droppable_;  // oldest first
  std::size_t begun_ = 0;                             // bytes gone of the first entry
  std::size_t bytes_ = 0;
  std::uint64_t lost_ = 0;
};

}  // namespace bw::net
