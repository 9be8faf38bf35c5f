// SPDX-License-Identifier: Apache-2.0
#include "base/text.hpp"

#include <array>

namespace bw {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array<std::int8_t, 256> reverse_of(std::string_view alphabet) {
  std::array<std::int8_t, 256> table{};
  table.fill(-1);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::int8_t>(i);
  }
  return table;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Length of the UTF-8 sequence at the start of `bytes`, or 0 when there is no valid one.
std::size_t utf8_sequence(ByteView bytes) {
  const std::uint8_t first = bytes[0];
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || bytes.size() < length) return 0;
  std::uint32_t point = first & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((bytes[i] & 0xc0U) != 0x80U) return 0;
    point = point << 6U | (bytes[i] & 0x3fU);
  }
  constexpr std::array<std::uint32_t, 5> kLeast{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = point >= 0xd800 && point <= 0xdfff;
  return point < kLeast[length] || point > 0x10ffff || surrogate ? 0 : length;
}

}  // namespace

std::string to_hex(ByteView bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    out.push_back(kHexDigits[byte >> 4U]);
    out.push_back(kHexDigits[byte & 15U]);
  }
  return out;
}

Result<Bytes> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return fail(ErrorCode::kMalformed, "hex text has an odd length");
  Bytes out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_digit(text[i]);
    const int low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return fail(ErrorCode::kMalformed, "not a hex digit at {}", i);
    out.push_back(static_cast<std::uint8_t>(high << 4 | low));
  }
  return out;
}

std::string to_base64url(ByteView bytes) {
  std::string out;
  out.reserve((bytes.size() * 4 + 2) / 3);
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const std::uint8_t byte : bytes) {
    bits = (bits << 8U | byte) & 0xffffU;
    held += 8;
    while (held >= 6) {
      held -= 6;
      out.push_back(kBase64[bits >> held & 63U]);
    }
  }
  if (held > 0) out.push_back(kBase64[bits << (6 - held) & 63U]);
  return out;
}

Result<Bytes> from_base64url(std::string_view text) {
  static constexpr auto kReverse = reverse_of(kBase64);
  if (text.size() % 4 == 1) return fail(ErrorCode::kMalformed, "base64url text has a bad length");
  Bytes out;
  out.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : text) {
    const std::int8_t value = kReverse[static_cast<std::uint8_t>(c)];
    if (value < 0)
      return fail(ErrorCode::kMalformed, "not a base64url character: '{}'", printable({&c, 1}));
    bits = (bits << 6U | static_cast<std::uint32_t>(value)) & 0xffffU;
    held += 6;
    if (held >= 8) {
      held -= 8;
      out.push_back(static_cast<std::uint8_t>(bits >> held & 0xffU));
    }
  }
  if ((bits & ((1U << held) - 1U)) != 0) {
    return fail(ErrorCode::kMalformed, "base64url text ends in stray bits");
  }
  return out;
}

bool is_utf8(ByteView bytes) {
  while (!bytes.empty()) {
    const std::size_t length = utf8_sequence(bytes);
    if (length == 0) return false;
    bytes = bytes.subspan(length);
  }
  return true;
}

std::string printable(std::string_view text, std::size_t most) {
  std::string out;
  ByteView rest = as_bytes(text);
  while (!rest.empty() && out.size() < most) {
    const std::size_t length = utf8_sequence(rest);
    // C0, DEL and C1, of which terminals take U+009B for the start of a command.
    const bool control = (length == 1 && (rest[0] < 0x20 || rest[0] == 0x7f)) ||
                         (length == 2 && rest[0] == 0xc2 && rest[1] < 0xa0);
    if (length == 0 || control) {
      out.push_back('?');
    } else {
      out.append(as_text(rest.first(length)));
    }
    rest = rest.subspan(length == 0 ? 1 : length);
  }
  if (!rest.empty()) out.append("...");
  return out;
}

}  // namespace bw
