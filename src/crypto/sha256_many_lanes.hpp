// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include <openssl/sha.h>

#include "base/bytes.hpp"
#include "base/id.hpp"

// What sha256_many.cpp hashes side by side, and the ways to do so. Only for files of that name.
namespace bw::crypto {

inline constexpr std::uint8_t kNodePrefix = 0x01;

// One message cut into blocks: a first one that may begin with bytes a prefix left over, whole
// blocks that stay where they are, and the padded end (FIPS 180-4 section 5.1.1).
class Sha256Lane {
 public:
  static constexpr std::size_t kBytes = 64;  // of a block

  // What `prefix` took in, followed by `tail`, which must stay where it is.
  void begin(const SHA256_CTX& prefix, ByteView tail) {
    std::ranges::copy(prefix.h, state.begin());
    has_head_ = 0;
    std::uint64_t bits = (std::uint64_t{prefix.Nh} << 32U) + prefix.Nl + tail.size() * 8;
    std::size_t left_over = prefix.num;
    if (left_over + tail.size() >= kBytes && left_over > 0) {
      std::memcpy(head_.data(), prefix.data, left_over);
      std::memcpy(head_.data() + left_over, tail.data(), kBytes - left_over);
      tail = tail.subspan(kBytes - left_over);
      left_over = 0;
      has_head_ = 1;
    }
    body_ = tail.data();
    body_blocks_ = (left_over + tail.size()) / kBytes;  // 0 when something is left over
    tail = tail.subspan(body_blocks_ * kBytes);
    if (left_over > 0) std::memcpy(end_.data(), prefix.data, left_over);
    if (!tail.empty()) std::memcpy(end_.data() + left_over, tail.data(), tail.size());
    pad(left_over + tail.size(), bits);
  }
  // 0x01 || left || right.
  void begin_node(const Hash* pair) {
    static_assert(sizeof(Hash) == 32);
    state = kInitial;
    head_[0] = kNodePrefix;
    std::memcpy(head_.data() + 1, pair, kBytes - 1);
    has_head_ = 1;
    body_blocks_ = 0;
    end_[0] = pair[1].bytes[31];
    pad(1, 65 * 8);
  }

  [[nodiscard]] std::size_t blocks() const { return has_head_ + body_blocks_ + end_blocks_; }
  [[nodiscard]] const std::uint8_t* block(std::size_t index) const {
    if (index < has_head_) return head_.data();
    index -= has_head_;
    if (index < body_blocks_) return body_ + index * kBytes;
    return end_.data() + (index - body_blocks_) * kBytes;
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
    end_blocks_ = used + 1 + 8 <= kBytes ? 1 : 2;
    const std::size_t size = end_blocks_ * kBytes;
    end_[used] = 0x80;
    std::memset(end_.data() + used + 1, 0, size - 8 - used - 1);
    bits = std::byteswap(bits);
    std::memcpy(end_.data() + size - 8, &bits, sizeof bits);
  }

  std::array<std::uint8_t, kBytes> head_;
  std::array<std::uint8_t, 2 * kBytes> end_;
  const std::uint8_t* body_ = nullptr;
  std::size_t has_head_ = 0;
  std::size_t body_blocks_ = 0;
  std::size_t end_blocks_ = 0;
};

alignas(16) inline constexpr std::array<std::uint32_t, 64> kSha256Rounds = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

template <std::size_t N>
using Sha256Lanes = std::array<Sha256Lane*, N>;

// compress() takes blocks [from, to) of each lane into its state; one or two lanes with the CPU's
// SHA instructions.
[[nodiscard]] bool cpu_has_sha();
void compress(const Sha256Lanes<1>& lanes, std::size_t from, std::size_t to);
void compress(const Sha256Lanes<2>& lanes, std::size_t from, std::size_t to);

// Sixteen with AVX-512, each in a column of the registers.
[[nodiscard]] bool cpu_has_avx512();
void compress(const Sha256Lanes<16>& lanes, std::size_t from, std::size_t to);

}  // namespace bw::crypto
