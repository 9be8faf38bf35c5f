// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/funding_key.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "crypto/sealed_key.hpp"
#include "store/key_file.hpp"

namespace bw::ledger_ethereum {
namespace {

// The digits, when the file is a text of nothing else.
std::optional<std::string_view> digits_of(ByteView file) {
  std::string_view text = as_text(file);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  if (text.starts_with("0x")) text.remove_prefix(2);
  const bool is_hex = text.size() == 64 &&
                      text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
  return is_hex ? std::optional(text) : std::nullopt;
}

Result<crypto::SigningKey> key_of(ByteView file, const crypto::Passphrase* passphrase) {
  const auto digits = digits_of(file);
  if (!digits) return crypto::open_key(file, passphrase);
  BW_TRY(Bytes bytes, from_hex(*digits));
  crypto::Secret<32> secret;
  std::ranges::copy(bytes, secret.writable().begin());
  crypto::wipe(bytes);
  return crypto::SigningKey::from_secret(secret.view());
}

}  // namespace

Result<crypto::SigningKey> read_funding_key(const std::filesystem::path& file,
                                            const crypto::Passphrase* passphrase) {
  BW_TRY(Bytes bytes, store::read_key_file(file));
  auto key = key_of(bytes, passphrase);
  crypto::wipe(bytes);
  if (key) return key;
  return fail(key.error().code, "funding key {}: {}", file.string(), key.error().message);
}

Result<crypto::SigningKey> make_funding_key(const std::filesystem::path& file,
                                            const crypto::Passphrase* passphrase, Random& random) {
  auto key = crypto::SigningKey::generate(random);
  BW_TRY(Bytes bytes, crypto::seal_key(key, passphrase, random));
  const auto written = store::write_key_file(file, bytes);
  crypto::wipe(bytes);
  if (!written) return fail(written.error());
  return key;
}

}  // namespace bw::ledger_ethereum
