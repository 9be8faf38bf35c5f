// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/json_values.hpp"

#include <algorithm>
#include <limits>

#include <nlohmann/json.hpp>

#include "base/text.hpp"

namespace bw::ledger_ethereum {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";
constexpr std::size_t kShown = 40;

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

tl::unexpected<Error> malformed(std::string_view what, std::string_view text) {
  return fail(ErrorCode::kMalformed, "{}: '{}' is not what it should be", what,
              printable(text, kShown));
}

Result<std::string_view> text_of(const nlohmann::json& value, std::string_view what) {
  if (!value.is_string()) return malformed(what, value.is_null() ? "null" : value.type_name());
  return std::string_view(value.get_ref<const std::string&>());
}

template <std::size_t N>
Result<ByteArray<N>> fixed_of(const nlohmann::json& value, std::string_view what) {
  BW_TRY(const Bytes bytes, bytes_of(value, what));
  if (bytes.size() != N) {
    return fail(ErrorCode::kMalformed, "{}: {} bytes instead of {}", what, bytes.size(), N);
  }
  ByteArray<N> out;
  std::ranges::copy(bytes, out.begin());
  return out;
}

}  // namespace

const nlohmann::json& member(const nlohmann::json& object, const char* name) {
  static const nlohmann::json kNothing;
  if (!object.is_object()) return kNothing;
  const auto found = object.find(name);
  return found == object.end() ? kNothing : *found;
}

Result<Wei> quantity_of(std::string_view text, std::string_view what) {
  constexpr std::size_t kMostDigits = 32;
  const bool formed = text.starts_with("0x") && text.size() > 2 && text.size() <= 2 + kMostDigits &&
                      (text[2] != '0' || text.size() == 3);
  if (!formed) return malformed(what, text);
  Wei value = 0;
  for (const char c : text.substr(2)) {
    const int digit = digit_of(c);
    if (digit < 0) return malformed(what, text);
    value = value << 4U | static_cast<unsigned>(digit);
  }
  return value;
}

Result<Bytes> data_of(std::string_view text, std::string_view what) {
  if (!text.starts_with("0x") || text.size() % 2 != 0) return malformed(what, text);
  Bytes out;
  out.reserve(text.size() / 2 - 1);
  for (std::size_t i = 2; i < text.size(); i += 2) {
    const int high = digit_of(text[i]);
    const int low = digit_of(text[i + 1]);
    if (high < 0 || low < 0) return malformed(what, text);
    out.push_back(static_cast<std::uint8_t>(high << 4 | low));
  }
  return out;
}

Result<Wei> wei_of(const nlohmann::json& value, std::string_view what) {
  BW_TRY(const std::string_view text, text_of(value, what));
  return quantity_of(text, what);
}

Result<std::uint64_t> u64_of(const nlohmann::json& value, std::string_view what) {
  BW_TRY(const Wei wide, wei_of(value, what));
  if (wide > std::numeric_limits<std::uint64_t>::max()) {
    return fail(ErrorCode::kMalformed, "{}: above 64 bits", what);
  }
  return static_cast<std::uint64_t>(wide);
}

Result<Bytes> bytes_of(const nlohmann::json& value, std::string_view what) {
  BW_TRY(const std::string_view text, text_of(value, what));
  return data_of(text, what);
}

Result<Hash> hash_of(const nlohmann::json& value, std::string_view what) {
  BW_TRY(const auto bytes, fixed_of<32>(value, what));
  return Hash{bytes};
}

Result<std::uint64_t> read_u64(const nlohmann::json& object, const char* name) {
  return u64_of(member(object, name), name);
}
Result<Wei> read_wei(const nlohmann::json& object, const char* name) {
  return wei_of(member(object, name), name);
}
Result<Hash> read_hash(const nlohmann::json& object, const char* name) {
  return hash_of(member(object, name), name);
}
Result<Address> read_address(const nlohmann::json& object, const char* name) {
  return fixed_of<20>(member(object, name), name);
}
Result<Bytes> read_data(const nlohmann::json& object, const char* name) {
  return bytes_of(member(object, name), name);
}

std::string to_quantity(Wei value) {
  return fmt::format("{:#x}", value);
}

std::string to_data(ByteView bytes) {
  std::string out = "0x";
  out.reserve(2 + 2 * bytes.size());
  for (const std::uint8_t byte : bytes) {
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
  }
  return out;
}

}  // namespace bw::ledger_ethereum
