// SPDX-License-Identifier: Apache-2.0
#include "programs/tally.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <fmt/format.h>
#include <unistd.h>

namespace bw::bench {
namespace {

constexpr Nanos kSilence = 1'000'000'000;
// How often the publisher hears of the window: often enough to keep it open, seldom enough to be
// free.
constexpr std::uint64_t kReportsPerWindow = 8;

}  // namespace

Tally::Tally(const LoadOptions& options)
    : options_(options),
      first_sampled_(static_cast<std::uint64_t>(options.rate * options.warm_up)),
      connections_(options.connections) {}

void Tally::message(std::size_t connection, ByteView payload) {
  if (payload.size() != kPayloadBytes) throw std::runtime_error("a payload of another size came");
  const Stamp stamp = read_stamp(payload);
  Connection& counted = connections_[connection];
  if (stamp.number < counted.next) ++counted.disordered;
  counted.next = std::max(counted.next, stamp.number + 1);
  ++counted.received;
  if (options_.rate > 0 && connection == 0 && stamp.number >= first_sampled_) {
    latencies_.push_back(now_ns() - stamp.time);
  }
}

void Tally::end_of_chunk() {
  last_ = now_ns();
  if (began_ == 0) began_ = last_;
  const auto warm_up = static_cast<Nanos>(options_.warm_up * 1e9);
  if (warm_ == 0 && last_ - began_ >= warm_up) {
    warm_ = last_;
    received_warm_ = received();
  }
  tell_progress();
}

std::uint64_t Tally::received() const {
  std::uint64_t sum = 0;
  for (const Connection& each : connections_) sum += each.received;
  return sum;
}

void Tally::tell_progress() {
  if (options_.progress_fd < 0 || options_.rate > 0) return;
  const auto slowest = std::ranges::min_element(connections_, {}, &Connection::next);
  if (slowest->next - told_ < std::max<std::uint64_t>(options_.window / kReportsPerWindow, 1))
    return;
  told_ = slowest->next;
  // The publisher may have gone already.
  [[maybe_unused]] const ssize_t written = ::write(options_.progress_fd, &told_, sizeof told_);
}

void Tally::sent(std::uint64_t messages) {
  sent_ = messages;
  sent_known_ = now_ns();
}

bool Tally::complete() const {
  if (!sent_) return false;
  if (received() >= *sent_ * connections_.size()) return true;
  return now_ns() - std::max(last_, sent_known_) > kSilence;
}

std::string Tally::report() {
  std::uint64_t disordered = 0;
  for (const Connection& each : connections_) disordered += each.disordered;
  const std::uint64_t all = received();
  const double seconds = static_cast<double>(last_ - warm_) / 1e9;
  const double per_second =
      warm_ == 0 || seconds <= 0 ? 0 : static_cast<double>(all - received_warm_) / seconds;
  std::string out = fmt::format(
      R"({{"received":{},"lost":{},"disordered":{},"seconds":{:.6f},"per_second":{:.1f})", all,
      sent_.value_or(0) * connections_.size() - all, disordered, seconds, per_second);
  if (!latencies_.empty()) {
    out += fmt::format(R"(,"samples":{},"p50_us":{:.2f},"p99_us":{:.2f},"p999_us":{:.2f})",
                       latencies_.size(), percentile_us(0.5), percentile_us(0.99),
                       percentile_us(0.999));
  }
  return out + "}";
}

// Nearest rank.
double Tally::percentile_us(double share) {
  const auto rank = std::ceil(share * static_cast<double>(latencies_.size()));
  const auto place = latencies_.begin() + static_cast<std::ptrdiff_t>(std::max(rank, 1.0)) - 1;
  std::nth_element(latencies_.begin(), place, latencies_.end());
  return static_cast<double>(*place) / 1000;
}

}  // namespace bw::bench
