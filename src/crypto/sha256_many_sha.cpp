// SPDX-License-Identifier: Apache-2.0
#include "crypto/sha256_many_lanes.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace bw::crypto {

#if defined(__x86_64__)

namespace {

// Blocks [from, to) of N messages side by side. The instructions want the eight words of a state as
// ABEF and CDGH.
template <std::size_t N>
[[gnu::target("sha,sse4.1,ssse3")]] void side_by_side(const Sha256Lanes<N>& lanes, std::size_t from,
                                                      std::size_t to) {
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
        const auto* k = reinterpret_cast<const __m128i*>(kSha256Rounds.data()) + group;
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

}  // namespace

bool cpu_has_sha() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_SSE4_1) == 0) return false;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_SHA) != 0;
}

void compress(const Sha256Lanes<1>& lanes, std::size_t from, std::size_t to) {
  side_by_side<1>(lanes, from, to);
}
void compress(const Sha256Lanes<2>& lanes, std::size_t from, std::size_t to) {
  side_by_side<2>(lanes, from, to);
}

#else

bool cpu_has_sha() {
  return false;
}
void compress(const Sha256Lanes<1>&, std::size_t, std::size_t) {}
void compress(const Sha256Lanes<2>&, std::size_t, std::size_t) {}

#endif

}  // namespace bw::crypto
