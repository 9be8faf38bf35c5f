// SPDX-License-Identifier: Apache-2.0
#include "crypto/sha256_many.hpp"

#include <algorithm>
#include <array>

#include "base/check.hpp"
#include "crypto/sha256_many_lanes.hpp"

namespace bw::crypto {
namespace {

constexpr std::size_t kMost = 16;  // side by side

const bool kSideBySide = cpu_has_sha();
const bool kSixteen = kSideBySide && cpu_has_avx512();

// Blocks from `begun` on.
void finish_alone(Sha256Lane& lane, std::size_t begun) {
  if (lane.blocks() > begun) compress(Sha256Lanes<1>{&lane}, begun, lane.blocks());
}

void finish_pair(Sha256Lane& a, Sha256Lane& b, std::size_t begun) {
  const std::size_t common = std::min(a.blocks(), b.blocks());
  if (common > begun) compress(Sha256Lanes<2>{&a, &b}, begun, common);
  finish_alone(a.blocks() > common ? a : b, common);
}

void finish_pairs(std::span<Sha256Lane> lanes, std::size_t begun) {
  std::size_t i = 0;
  for (; i + 2 <= lanes.size(); i += 2) finish_pair(lanes[i], lanes[i + 1], begun);
  if (i < lanes.size()) finish_alone(lanes[i], begun);
}

void finish(std::span<Sha256Lane> lanes) {
  if (!kSixteen || lanes.size() < kMost) return finish_pairs(lanes, 0);
  Sha256Lanes<kMost> all;
  for (std::size_t i = 0; i < kMost; ++i) all[i] = &lanes[i];
  const std::size_t common = std::ranges::min(lanes, {}, &Sha256Lane::blocks).blocks();
  compress(all, 0, common);
  finish_pairs(lanes, common);
}

// `begin(lane, i)` sets the lane to what out[i] is the hash of.
template <typename Begin>
void hash_all(std::span<Hash> out, const Begin& begin) {
  std::array<Sha256Lane, kMost> lanes;
  for (std::size_t done = 0; done < out.size();) {
    const std::size_t count = std::min(kMost, out.size() - done);
    for (std::size_t i = 0; i < count; ++i) begin(lanes[i], done + i);
    finish(std::span(lanes).first(count));
    for (std::size_t i = 0; i < count; ++i) lanes[i].put(out[done + i]);
    done += count;
  }
}

}  // namespace

// The state that OpenSSL keeps is the standard's: eight words, the length in bits and what does not
// fill a block yet.
struct Sha256Access {
  static const SHA256_CTX& context(const Sha256& hash) {
    return *reinterpret_cast<const SHA256_CTX*>(hash.state_.data());
  }
};

void sha256_many(std::span<const HashJob> jobs, std::span<Hash> out) {
  BW_ASSERT(out.size() == jobs.size());
  if (!kSideBySide) {
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      out[i] = Sha256(*jobs[i].prefix).update(jobs[i].tail).finish();
    }
    return;
  }
  hash_all(out, [&](Sha256Lane& lane, std::size_t i) {
    lane.begin(Sha256Access::context(*jobs[i].prefix), jobs[i].tail);
  });
}

void merkle_level(std::span<const Hash> children, std::span<Hash> parents) {
  BW_ASSERT(children.size() == 2 * parents.size());
  if (!kSideBySide) {
    for (std::size_t i = 0; i < parents.size(); ++i) {
      parents[i] = Sha256()
                       .update({&kNodePrefix, 1})
                       .update(children[2 * i].view())
                       .update(children[2 * i + 1].view())
                       .finish();
    }
    return;
  }
  // In place, too: what is written lies before what is read next.
  hash_all(parents, [&](Sha256Lane& lane, std::size_t i) { lane.begin_node(&children[2 * i]); });
}

}  // namespace bw::crypto
