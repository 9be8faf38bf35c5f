// SPDX-License-Identifier: Apache-2.0
#include "programs/broker.hpp"

#include <cstring>

namespace bw::bench {
namespace {

constexpr std::size_t kBuffer = 256 * 1024;

}  // namespace

Broker::Broker(const std::string& address) : stream_(address), incoming_(kBuffer) {}

bool Broker::read(Tally* tally, std::size_t connection) {
  bool any = false;
  for (;;) {
    const std::size_t got = stream_.read(std::span(incoming_).subspan(filled_));
    if (got == 0) return any;
    any = true;
    filled_ += got;
    const std::size_t taken = take(ByteView(incoming_).first(filled_), tally, connection);
    std::memmove(incoming_.data(), incoming_.data() + taken, filled_ - taken);
    filled_ -= taken;
  }
}

void Broker::wait_for_answer() {
  while (!answered_) {
    stream_.wait_readable();
    read(nullptr, 0);
  }
  answered_ = false;
}

}  // namespace bw::bench
