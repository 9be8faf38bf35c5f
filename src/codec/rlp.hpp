// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

// RLP, Ethereum's encoding of nested lists of byte strings (Yellow Paper, appendix B). One value
// has one encoding; readers take no other.
namespace bw::codec {

void rlp_string(Bytes& out, ByteView content);
// Big-endian without leading zeros; 0 is the empty string.
void rlp_integer(Bytes& out, std::uint64_t value);
// The same of a number given in big-endian bytes, leading zeros or not.
void rlp_integer(Bytes& out, ByteView big_endian);
// `items`: the encodings of the list's items, one after the other.
void rlp_list(Bytes& out, ByteView items);

struct RlpItem {
  bool is_list = false;
  ByteView content;  // of a list: its items' encodings
  ByteView whole;    // with its header
};

// One item that fills `bytes` exactly; kMalformed otherwise.
Result<RlpItem> parse_rlp(ByteView bytes);
// The items of a list, at most `most`; kMalformed when `list` is not one or has more.
Result<std::vector<RlpItem>> rlp_items(const RlpItem& list, std::size_t most);
// A string as an integer without leading zeros that fits; kMalformed otherwise.
Result<std::uint64_t> rlp_u64(const RlpItem& item);
// The same, left-padded to 32 bytes.
Result<ByteArray<32>> rlp_word(const RlpItem& item);
// A string of exactly N bytes.
template <std::size_t N>
Result<ByteArray<N>> rlp_bytes(const RlpItem& item) {
  if (item.is_list || item.content.size() != N) {
    return fail(ErrorCode::kMalformed, "RLP: expected a string of {} bytes", N);
  }
  ByteArray<N> out{};
  std::copy(item.content.begin(), item.content.end(), out.begin());
  return out;
}

}  // namespace bw::codec
