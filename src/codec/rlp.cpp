// SPDX-License-Identifier: Apache-2.0
#include "codec/rlp.hpp"

#include <algorithm>

namespace bw::codec {
namespace {

constexpr std::uint8_t kString = 0x80;
constexpr std::uint8_t kList = 0xc0;
constexpr std::size_t kShort = 55;  // bytes of content whose length is in the first byte

ByteView without_leading_zeros(ByteView big_endian) {
  const auto first = std::ranges::find_if(big_endian, [](std::uint8_t byte) { return byte != 0; });
  return big_endian.subspan(static_cast<std::size_t>(first - big_endian.begin()));
}

ByteArray<8> big_endian(std::uint64_t value) {
  ByteArray<8> out;
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<std::uint8_t>(value >> 8U * (out.size() - 1 - i));
  }
  return out;
}

void header(Bytes& out, std::uint8_t kind, std::size_t length) {
  if (length <= kShort) {
    out.push_back(static_cast<std::uint8_t>(kind + length));
    return;
  }
  const ByteArray<8> whole = big_endian(length);
  const ByteView digits = without_leading_zeros(whole);
  out.push_back(static_cast<std::uint8_t>(kind + kShort + digits.size()));
  append(out, digits);
}

tl::unexpected<Error> malformed(std::string_view why) {
  return fail(ErrorCode::kMalformed, "RLP: {}", why);
}

// The item at the start of `bytes`.
Result<RlpItem> first_item(ByteView bytes) {
  if (bytes.empty()) return malformed("ends too early");
  const std::uint8_t first = bytes[0];
  if (first < kString) return RlpItem{false, bytes.first(1), bytes.first(1)};
  const bool is_list = first >= kList;
  const std::size_t tag = first - (is_list ? kList : kString);
  std::size_t start = 1;
  std::uint64_t length = tag;
  if (tag > kShort) {
    const std::size_t digits = tag - kShort;
    if (bytes.size() < 1 + digits) return malformed("ends within a length");
    if (bytes[1] == 0) return malformed("a length starts with a zero");
    length = 0;
    for (const std::uint8_t byte : bytes.subspan(1, digits)) length = length << 8U | byte;
    if (length <= kShort) return malformed("a short length is written long");
    start += digits;
  }
  if (length > bytes.size() - start) return malformed("is longer than its bytes");
  const ByteView content = bytes.subspan(start, static_cast<std::size_t>(length));
  if (!is_list && content.size() == 1 && content[0] < kString) {
    return malformed("a single byte is written with a length");
  }
  return RlpItem{is_list, content, bytes.first(start + content.size())};
}

}  // namespace

void rlp_string(Bytes& out, ByteView content) {
  if (content.size() != 1 || content[0] >= kString) header(out, kString, content.size());
  append(out, content);
}

void rlp_integer(Bytes& out, std::uint64_t value) {
  rlp_integer(out, big_endian(value));
}

void rlp_integer(Bytes& out, ByteView big_endian) {
  rlp_string(out, without_leading_zeros(big_endian));
}

void rlp_list(Bytes& out, ByteView items) {
  header(out, kList, items.size());
  append(out, items);
}

Result<RlpItem> parse_rlp(ByteView bytes) {
  BW_TRY(const RlpItem item, first_item(bytes));
  if (item.whole.size() != bytes.size()) return malformed("has bytes left over");
  return item;
}

Result<std::vector<RlpItem>> rlp_items(const RlpItem& list, std::size_t most) {
  if (!list.is_list) return malformed("expected a list");
  std::vector<RlpItem> items;
  for (ByteView rest = list.content; !rest.empty();) {
    if (items.size() == most) return malformed("a list has too many items");
    BW_TRY(const RlpItem item, first_item(rest));
    items.push_back(item);
    rest = rest.subspan(item.whole.size());
  }
  return items;
}

Result<ByteArray<32>> rlp_word(const RlpItem& item) {
  ByteArray<32> out{};
  if (item.is_list || item.content.size() > out.size()) return malformed("expected an integer");
  if (!item.content.empty() && item.content[0] == 0) {
    return malformed("an integer starts with a zero");
  }
  std::copy_backward(item.content.begin(), item.content.end(), out.end());
  return out;
}

Result<std::uint64_t> rlp_u64(const RlpItem& item) {
  BW_TRY(const ByteArray<32> word, rlp_word(item));
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (i < 24 && word[i] != 0) return malformed("an integer is above 2^64");
    value = value << 8U | word[i];
  }
  return value;
}

}  // namespace bw::codec
