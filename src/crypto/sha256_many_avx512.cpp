// SPDX-License-Identifier: Apache-2.0
#include "crypto/sha256_many_lanes.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace bw::crypto {

#if defined(__x86_64__)

namespace {

#define BW_AVX512 [[gnu::target("avx512f,avx512bw"), gnu::always_inline]] inline

// The functions of FIPS 180-4 section 4.1.2, of 16 words at once.
template <int A, int B, int C>
BW_AVX512 __m512i large_sigma(__m512i x) {
  return _mm512_ternarylogic_epi32(_mm512_ror_epi32(x, A), _mm512_ror_epi32(x, B),
                                   _mm512_ror_epi32(x, C), 0x96);
}
template <int A, int B, int C>
BW_AVX512 __m512i small_sigma(__m512i x) {
  return _mm512_ternarylogic_epi32(_mm512_ror_epi32(x, A), _mm512_ror_epi32(x, B),
                                   _mm512_srli_epi32(x, C), 0x96);
}
BW_AVX512 __m512i choose(__m512i x, __m512i y, __m512i z) {
  return _mm512_ternarylogic_epi32(x, y, z, 0xca);
}
BW_AVX512 __m512i majority(__m512i x, __m512i y, __m512i z) {
  return _mm512_ternarylogic_epi32(x, y, z, 0xe8);
}

// 16 rows of 16 words become its columns.
BW_AVX512 void transpose(__m512i (&rows)[16]) {
  __m512i fours[16];  // 4 x 4 words of each quarter of four rows
  for (std::size_t i = 0; i < 16; i += 4) {
    const __m512i low = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
    const __m512i high = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
    const __m512i next_low = _mm512_unpacklo_epi32(rows[i + 2], rows[i + 3]);
    const __m512i next_high = _mm512_unpackhi_epi32(rows[i + 2], rows[i + 3]);
    fours[i] = _mm512_unpacklo_epi64(low, next_low);
    fours[i + 1] = _mm512_unpackhi_epi64(low, next_low);
    fours[i + 2] = _mm512_unpacklo_epi64(high, next_high);
    fours[i + 3] = _mm512_unpackhi_epi64(high, next_high);
  }
  for (std::size_t i = 0; i < 4; ++i) {
    const __m512i even = _mm512_shuffle_i32x4(fours[i], fours[4 + i], 0x88);
    const __m512i odd = _mm512_shuffle_i32x4(fours[i], fours[4 + i], 0xdd);
    const __m512i next_even = _mm512_shuffle_i32x4(fours[8 + i], fours[12 + i], 0x88);
    const __m512i next_odd = _mm512_shuffle_i32x4(fours[8 + i], fours[12 + i], 0xdd);
    rows[i] = _mm512_shuffle_i32x4(even, next_even, 0x88);
    rows[4 + i] = _mm512_shuffle_i32x4(odd, next_odd, 0x88);
    rows[8 + i] = _mm512_shuffle_i32x4(even, next_even, 0xdd);
    rows[12 + i] = _mm512_shuffle_i32x4(odd, next_odd, 0xdd);
  }
}

// Section 6.2.2, on a block of 16 lanes: w[i] has word i of each.
BW_AVX512 void rounds(__m512i (&state)[8], __m512i (&w)[16]) {
  __m512i v[8];  // a to h, which turn by one register a round in place of being moved
  for (std::size_t i = 0; i < 8; ++i) v[i] = state[i];
#pragma unroll
  for (std::size_t t = 0; t < 64; ++t) {
    __m512i& word = w[t % 16];
    if (t >= 16) {
      const __m512i near = small_sigma<17, 19, 10>(w[(t + 14) % 16]);
      const __m512i far = small_sigma<7, 18, 3>(w[(t + 1) % 16]);
      word = _mm512_add_epi32(_mm512_add_epi32(word, far), _mm512_add_epi32(w[(t + 9) % 16], near));
    }
    const auto& a = v[(64 - t) % 8];
    const auto& e = v[(68 - t) % 8];
    auto& d = v[(67 - t) % 8];
    auto& h = v[(71 - t) % 8];
    const __m512i constant = _mm512_set1_epi32(static_cast<int>(kSha256Rounds[t]));
    const __m512i sum = _mm512_add_epi32(
        _mm512_add_epi32(h, _mm512_add_epi32(word, constant)),
        _mm512_add_epi32(large_sigma<6, 11, 25>(e), choose(e, v[(69 - t) % 8], v[(70 - t) % 8])));
    d = _mm512_add_epi32(d, sum);
    h = _mm512_add_epi32(sum, _mm512_add_epi32(large_sigma<2, 13, 22>(a),
                                               majority(a, v[(65 - t) % 8], v[(66 - t) % 8])));
  }
  for (std::size_t i = 0; i < 8; ++i) state[i] = _mm512_add_epi32(state[i], v[i]);
}

[[gnu::target("avx512f,avx512bw")]] void sixteen(const Sha256Lanes<16>& lanes, std::size_t from,
                                                 std::size_t to) {
  const __m512i swap =
      _mm512_broadcast_i32x4(_mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
  __m512i words[16];
  __m512i state[8];
  for (std::size_t i = 0; i < 16; ++i)
    words[i] = _mm512_maskz_loadu_epi32(0xff, lanes[i]->state.data());
  transpose(words);
  for (std::size_t i = 0; i < 8; ++i) state[i] = words[i];
  for (std::size_t index = from; index < to; ++index) {
    for (std::size_t i = 0; i < 16; ++i) {
      words[i] = _mm512_shuffle_epi8(_mm512_loadu_si512(lanes[i]->block(index)), swap);
    }
    transpose(words);
    rounds(state, words);
  }
  for (std::size_t i = 0; i < 16; ++i) words[i] = i < 8 ? state[i] : _mm512_setzero_si512();
  transpose(words);
  for (std::size_t i = 0; i < 16; ++i)
    _mm512_mask_storeu_epi32(lanes[i]->state.data(), 0xff, words[i]);
}

}  // namespace

bool cpu_has_avx512() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0;
}

void compress(const Sha256Lanes<16>& lanes, std::size_t from, std::size_t to) {
  sixteen(lanes, from, to);
}

#else

bool cpu_has_avx512() {
  return false;
}
void compress(const Sha256Lanes<16>&, std::size_t, std::size_t) {}

#endif

}  // namespace bw::crypto
