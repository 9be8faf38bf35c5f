// SPDX-License-Identifier: Apache-2.0
#include "crypto/sha256_many.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include <openssl/sha.h>

#include "base/check.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace bw::crypto {
namespace {

constexpr std::size_t kBlock = 64;
constexpr std::uint8_t kNodePrefix = 0x01;

void store_big_endian(std::uint64_t value, std::uint8_t* out) {
  value = std::byteswap(value);
  std::memcpy(out, &value, sizeof value);
}

// One message cut into blocks: a first one that may begin with bytes a prefix left over, whole
// blocks that stay where they are, and the padded end (FIPS 180-4 section 5.1.1).
class Lane {
 public:
  Lane(const SHA256_CTX& prefix, ByteView tail) {
    std::ranges::copy(prefix.h, state.begin());
    std::uint64_t bits = (std::uint64_t{prefix.Nh} << 32U) + prefix.Nl + tail.size() * 8;
    std::size_t left_over = prefix.num;
    if (left_over + tail.size() >= kBlock && left_over > 0) {
      std::memcpy(head_.data(), prefix.data, left_over);
      std::memcpy(head_.data() + left_over, tail.data(), kBlock - left_over);
      tail = tail.subspan(kBlock - left_over);
      left_over = 0;
      has_head_ = 1;
    }
    body_ = tail.data();
    body_blocks_ = (left_over + tail.size()) / kBlock;  // 0 when something is left over
    tail = tail.subspan(body_blocks_ * kBlock);
    if (left_over > 0) std::memcpy(end_.data(), prefix.data, left_over);
    if (!tail.empty()) std::memcpy(end_.data() + left_over, tail.data(), tail.size());
    pad(left_over + tail.size(), bits);
  }
  // 0x01 || left || right.
  explicit Lane(const Hash* pair) : state(kInitial) {
    static_assert(sizeof(Hash) == 32);
    head_[0] = kNodePrefix;
    std::memcpy(head_.data() + 1, pair, kBlock - 1);
    has_head_ = 1;
    end_[0] = pair[1].bytes[31];
    pad(1, 65 * 8);
  }

  std::size_t blocks() const { return has_head_ + body_blocks_ + end_blocks_; }
  const std::uint8_t* block(std::size_t index) const {
    if (index < has_head_) return head_.data();
    index -= has_head_;
    if (index < body_blocks_) return body_ + index * kBlock;
    return end_.data() + (index - body_blocks_) * kBlock;
  }
  void put(Hash& out) const {
    for (std::size_t i = 0; i < state.size(); ++i) {
      const std::uint32_t word = std::byteswap(state[i]);
      std::memcpy(out.bytes.data() + 4 * i, &word, sizeof word);
    }
  }

  alignas(16) std::array<std::uint32_t, 8> state;

 private:
  static constexpr std::array<std::uint32_t, 8> kInitial = {0x6a09e667, 0xbb67ae85, 0x3c6ef372,
                                                            0xa54ff53a, 0x510e527f, 0x9b05688c,
                                                            0x1f83d9ab, 0x5be0cd19};

  void pad(std::size_t used, std::uint64_t bits) {
    end_blocks_ = used + 1 + 8 <= kBlock ? 1 : 2;
    const std::size_t size = end_blocks_ * kBlock;
    end_[used] = 0x80;
    std::memset(end_.data() + used + 1, 0, size - 8 - used - 1);
    store_big_endian(bits, end_.data() + size - 8);
  }

  std::array<std::uint8_t, kBlock> head_;
  std::array<std::uint8_t, 2 * kBlock> end_;
  const std::uint8_t* body_ = nullptr;
  std::size_t has_head_ = 0;
  std::size_t body_blocks_ = 0;
  std::size_t end_blocks_ = 0;
};

#if defined(__x86_64__)

bool cpu_has_sha() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_SSE4_1) == 0) return false;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_SHA) != 0;
}

alignas(16) constexpr std::array<std::uint32_t, 64> kRound = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

// Blocks [from, to) of N messages side by side. The instructions want the eight words of a state as
// ABEF and CDGH.
template <std::size_t N>
[[gnu::target("sha,sse4.1,ssse3")]] void compress(const std::array<Lane*, N>& lanes,
                                                  std::size_t from, std::size_t to) {
  const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  __m128i abef[N];
  __m128i cdgh[N];
  for (std::size_t n = 0; n < N; ++n) {
    const auto* words = reinterpret_cast<const __m128i*>(lanes[n]->state.data());
    const __m128i cdab = _mm_shuffle_epi32(_mm_load_si128(words), 0xb1);
    const __m128i efgh = _mm_shuffle_epi32(_mm_load_si128(words + 1), 0x1b);
    abef[n] = _mm_alignr_epi8(cdab, efgh, 8);
    cdgh[n] = _mm_blend_epi16(efgh, cdab, 0xf0);
  }
  for (std::size_t index = from; index < to; ++index) {
    const __m128i* input[N];
    __m128i before[N][2];
    __m128i w[N][4];
    for (std::size_t n = 0; n < N; ++n) {
      input[n] = reinterpret_cast<const __m128i*>(lanes[n]->block(index));
      before[n][0] = abef[n];
      before[n][1] = cdgh[n];
    }
#pragma unroll
    for (int group = 0; group < 16; ++group) {
      const int now = group % 4;
#pragma unroll
      for (std::size_t n = 0; n < N; ++n) {
        if (group < 4) {
          w[n][now] = _mm_shuffle_epi8(_mm_loadu_si128(input[n] + group), swap);
        } else {
          const __m128i older = _mm_sha256msg1_epu32(w[n][now], w[n][(group + 1) % 4]);
          const __m128i newest = w[n][(group + 3) % 4];
          const __m128i shifted = _mm_alignr_epi8(newest, w[n][(group + 2) % 4], 4);
          w[n][now] = _mm_sha256msg2_epu32(_mm_add_epi32(older, shifted), newest);
        }
        const auto* k = reinterpret_cast<const __m128i*>(kRound.data()) + group;
        const __m128i sum = _mm_add_epi32(w[n][now], _mm_load_si128(k));
        cdgh[n] = _mm_sha256rnds2_epu32(cdgh[n], abef[n], sum);
        abef[n] = _mm_sha256rnds2_epu32(abef[n], cdgh[n], _mm_shuffle_epi32(sum, 0x0e));
      }
    }
    for (std::size_t n = 0; n < N; ++n) {
      abef[n] = _mm_add_epi32(abef[n], before[n][0]);
      cdgh[n] = _mm_add_epi32(cdgh[n], before[n][1]);
    }
  }
  for (std::size_t n = 0; n < N; ++n) {
    const __m128i feba = _mm_shuffle_epi32(abef[n], 0x1b);
    const __m128i dchg = _mm_shuffle_epi32(cdgh[n], 0xb1);
    auto* words = reinterpret_cast<__m128i*>(lanes[n]->state.data());
    _mm_store_si128(words, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_store_si128(words + 1, _mm_alignr_epi8(dchg, feba, 8));
  }
}

#else

bool cpu_has_sha() {
  return false;
}
template <std::size_t N>
void compress(const std::array<Lane*, N>&, std::size_t, std::size_t) {}

#endif

const bool kSideBySide = cpu_has_sha();

void hash_alone(Lane& lane, Hash& out) {
  compress<1>({&lane}, 0, lane.blocks());
  lane.put(out);
}

void hash_pair(Lane& a, Lane& b, Hash& out_a, Hash& out_b) {
  const std::size_t common = std::min(a.blocks(), b.blocks());
  compress<2>({&a, &b}, 0, common);
  Lane& longer = a.blocks() > common ? a : b;
  if (longer.blocks() > common) compress<1>({&longer}, common, longer.blocks());
  a.put(out_a);
  b.put(out_b);
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
  const auto lane = [&](std::size_t i) {
    return Lane(Sha256Access::context(*jobs[i].prefix), jobs[i].tail);
  };
  std::size_t i = 0;
  for (; i + 2 <= jobs.size(); i += 2) {
    Lane first = lane(i);
    Lane second = lane(i + 1);
    hash_pair(first, second, out[i], out[i + 1]);
  }
  if (i < jobs.size()) {
    Lane last = lane(i);
    hash_alone(last, out[i]);
  }
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
  std::size_t i = 0;
  for (; i + 2 <= parents.size(); i += 2) {
    Lane first(&children[2 * i]);
    Lane second(&children[2 * i + 2]);
    hash_pair(first, second, parents[i], parents[i + 1]);
  }
  if (i < parents.size()) {
    Lane last(&children[2 * i]);
    hash_alone(last, parents[i]);
  }
}

}  // namespace bw::crypto
