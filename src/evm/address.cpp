// SPDX-License-Identifier: Apache-2.0
#include "evm/address.hpp"

#include <algorithm>
#include <cctype>

#include "base/text.hpp"
#include "crypto/keccak.hpp"

namespace bw::evm {

std::string to_text(const Address& address) {
  std::string digits = to_hex(address);
  const Hash hash = crypto::keccak256(as_bytes(digits));
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const unsigned nibble = hash.bytes[i / 2] >> (i % 2 == 0 ? 4U : 0U) & 0xfU;
    if (nibble >= 8) {
      digits[i] = static_cast<char>(std::toupper(static_cast<unsigned char>(digits[i])));
    }
  }
  return "0x" + digits;
}

Result<Address> parse_address(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return fail(ErrorCode::kMalformed, "'{}' is not an Ethereum address: {}", printable(text, 60),
                why);
  };
  if (!text.starts_with("0x") || text.size() != 42) return bad("expected 0x and 40 digits");
  std::string lower(text.substr(2));
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto bytes = from_hex(lower);
  if (!bytes) return bad("expected digits 0 to 9 and a to f");
  Address address{};
  std::ranges::copy(*bytes, address.begin());
  const bool mixed =
      std::ranges::any_of(text.substr(2), [](unsigned char c) { return std::isupper(c) != 0; }) &&
      std::ranges::any_of(text.substr(2), [](unsigned char c) { return std::islower(c) != 0; });
  if (mixed && to_text(address) != text) return bad("its checksum is wrong, so a digit is");
  return address;
}

}  // namespace bw::evm
