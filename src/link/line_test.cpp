// SPDX-License-Identifier: Apache-2.0
#include "link/line.hpp"

#include <cmath>
#include <map>
#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace bw::link {
namespace {

using Instant = Line::Instant;

Quality any_quality() {
  return {.bits_per_s = static_cast<double>(*rc::gen::inRange(50'000, 500'000'000)),
          .delay = Duration(*rc::gen::inRange(0, 400'000)),
          .jitter = Duration(*rc::gen::inRange(0, 60'000)),
          .loss = *rc::gen::inRange(0, 50) / 100.0,
          .queue = Duration(*rc::gen::inRange(1'000, 500'000))};
}

struct Packet {
  Instant sent;
  std::size_t bytes;
};

std::vector<Packet> any_packets() {
  std::vector<Packet> out;
  Instant now{};
  const auto count = *rc::gen::inRange<std::size_t>(1, 200);
  for (std::size_t i = 0; i < count; ++i) {
    now += Instant(*rc::gen::inRange(0, 5'000'000));
    out.push_back({now, *rc::gen::inRange<std::size_t>(20, 1500)});
  }
  return out;
}

Instant sending(const Quality& quality, std::size_t bytes) {
  return std::chrono::round<Instant>(
      std::chrono::duration<double>(static_cast<double>(bytes) * 8 / quality.bits_per_s));
}

RC_GTEST_PROP(Line, KeepsOrderAndItsBounds, ()) {
  const Quality quality = any_quality();
  Line line(quality, *rc::gen::arbitrary<std::uint64_t>());
  Instant last{};
  for (const Packet& packet : any_packets()) {
    const auto out = line.pass(packet.sent, packet.bytes);
    if (!out) continue;
    RC_ASSERT(*out >= last);
    last = *out;
    RC_ASSERT(*out >= packet.sent + quality.delay + sending(quality, packet.bytes));
    // A packet before it may have had all of the jitter, and it waited no longer than the queue.
    RC_ASSERT(*out <= packet.sent + quality.queue + quality.delay + quality.jitter +
                          sending(quality, packet.bytes));
  }
}

// However it is pressed, no more comes out in a time than the rate allows.
RC_GTEST_PROP(Line, NeverGivesMoreThanItsRate, ()) {
  Quality quality = any_quality();
  quality.jitter = {};
  Line line(quality, 1);
  std::vector<std::pair<Instant, std::size_t>> out;
  for (const Packet& packet : any_packets()) {
    if (const auto at = line.pass(packet.sent, packet.bytes)) out.emplace_back(*at, packet.bytes);
  }
  for (std::size_t first = 0; first < out.size(); ++first) {
    double bits = 0;
    for (std::size_t i = first + 1; i < out.size(); ++i) {
      bits += static_cast<double>(out[i].second) * 8;
      const double seconds = std::chrono::duration<double>(out[i].first - out[first].first).count();
      const double rounding = 1e-9 * static_cast<double>(i - first + 1);
      RC_ASSERT(bits <= (seconds + rounding) * quality.bits_per_s);
    }
  }
}

RC_GTEST_PROP(Line, TheSameSeedGivesTheSame, ()) {
  const Quality quality = any_quality();
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  Line one(quality, seed);
  Line other(quality, seed);
  for (const Packet& packet : any_packets()) {
    RC_ASSERT(one.pass(packet.sent, packet.bytes) == other.pass(packet.sent, packet.bytes));
  }
}

// A queue that is never empty: the line is in use all the time, and what does not fit is dropped.
TEST(Line, GivesItsWholeRateUnderLoad) {
  const Quality quality{.bits_per_s = 8e6, .delay = 30ms, .jitter = {}, .loss = 0, .queue = 50ms};
  Line line(quality, 1);
  std::size_t bytes = 0;
  Instant last{};
  for (Instant now{}; now < 1s; now += 500us) {  // three times the rate
    if (const auto out = line.pass(now, 1500)) {
      bytes += 1500;
      last = *out;
    }
  }
  EXPECT_NEAR(static_cast<double>(bytes) * 8 / std::chrono::duration<double>(last - 30ms).count(),
              8e6, 1);
  EXPECT_LE(last, 1s + 50ms + 30ms + 2ms);
}

TEST(Line, LosesAndWandersAsTold) {
  constexpr int kPackets = 100'000;
  const Quality quality{.bits_per_s = 1e9, .delay = 20ms, .jitter = 10ms, .loss = 0.02};
  Line line(quality, 7);
  int lost = 0;
  double delay_ms = 0;
  for (int i = 0; i < kPackets; ++i) {
    const Instant now = i * Instant(20ms);
    const auto out = line.pass(now, 100);
    if (!out) {
      ++lost;
      continue;
    }
    delay_ms += std::chrono::duration<double, std::milli>(*out - now).count();
  }
  EXPECT_NEAR(lost, kPackets * 0.02, 5 * std::sqrt(kPackets * 0.02 * 0.98));
  EXPECT_NEAR(delay_ms / (kPackets - lost), 25, 0.05);
}

TEST(Access, AHundredHaveEveryKindByItsWeight) {
  std::map<std::string_view, unsigned> count;
  for (const Access& access : draw_accesses(100, 3)) ++count[access.name];
  unsigned all = 0;
  for (const AccessKind& kind : access_kinds()) {
    EXPECT_EQ(count[kind.name], kind.weight) << kind.name;
    all += kind.weight;
  }
  EXPECT_EQ(all, 100U);
  EXPECT_EQ(draw_accesses(7, 3).size(), 7U);
  EXPECT_EQ(draw_accesses(230, 3).size(), 230U);
}

TEST(Access, TheSeedDecides) {
  const auto names = [](std::uint64_t seed) {
    std::vector<std::string_view> out;
    for (const Access& access : draw_accesses(100, seed)) out.push_back(access.name);
    return out;
  };
  EXPECT_EQ(names(5), names(5));
  EXPECT_NE(names(5), names(6));
}

TEST(Access, HalfOfTheRoundTripIsTheMeanOfEachWay) {
  for (const AccessKind& kind : access_kinds()) {
    const Access access = access_of(kind);
    for (const Quality& way : {access.up, access.down}) {
      const double mean =
          std::chrono::duration<double, std::milli>(way.delay + way.jitter / 2).count();
      EXPECT_NEAR(2 * mean, kind.rtt_ms, 0.01) << kind.name;
      EXPECT_GT(way.bits_per_s, 0);
      EXPECT_LT(way.loss, 0.05);
    }
  }
}

}  // namespace
}  // namespace bw::link
