// SPDX-License-Identifier: Apache-2.0
#include "node/chain_ledger.hpp"

#include <charconv>
#include <cmath>

#include <fcntl.h>

#include "base/text.hpp"
#include "crypto/secret.hpp"
#include "ledger_ethereum/funding_key.hpp"
#include "store/file.hpp"

namespace bw::node {
namespace {

constexpr std::size_t kMostFileBytes = 64 * 1024;

Result<Bytes> content_of(const std::filesystem::path& path) {
  BW_TRY(const store::File file, store::File::open(path, O_RDONLY));
  return store::read_whole(file, kMostFileBytes);
}

// "NUMBER:0xHASH"
Result<ledger_ethereum::Checkpoint> checkpoint_of(const std::string& text) {
  ledger_ethereum::Checkpoint checkpoint;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), checkpoint.number);
  const std::string_view rest(end, text.data() + text.size());
  const auto hash = rest.starts_with(":0x") ? from_hex(rest.substr(3))
                                            : Result<Bytes>(fail(ErrorCode::kMalformed, ""));
  if (error != std::errc{} || !hash || hash->size() != Hash::kSize) {
    return fail(ErrorCode::kInvalidArgument,
                "ethereum.checkpoint: '{}' is not a block's NUMBER:0xHASH with 64 hex digits",
                printable(text, 100));
  }
  checkpoint.hash = Hash::from(*hash);
  return checkpoint;
}

Result<std::optional<crypto::SigningKey>> funding_of(const Config& config) {
  const std::filesystem::path file = funding_key_file(config);
  if (config.ethereum.funding_key.empty() && !std::filesystem::exists(file)) return std::nullopt;
  std::optional<crypto::Passphrase> passphrase;
  if (!config.ethereum.funding_passphrase_file.empty()) {
    BW_TRY(passphrase, read_passphrase(config.ethereum.funding_passphrase_file));
  }
  return ledger_ethereum::read_funding_key(file, passphrase ? &*passphrase : nullptr);
}

}  // namespace

std::filesystem::path funding_key_file(const Config& config) {
  return config.ethereum.funding_key.empty() ? config.directory / "funding.key"
                                             : std::filesystem::path(config.ethereum.funding_key);
}

ledger_ethereum::Wei from_gwei(double gwei) {
  constexpr double kWeiInGwei = 1e9;
  return static_cast<ledger_ethereum::Wei>(std::llround(gwei * kWeiInGwei));
}

Result<crypto::Passphrase> read_passphrase(const std::filesystem::path& file) {
  BW_TRY(Bytes bytes, content_of(file));
  const std::string_view text = as_text(bytes);
  crypto::Passphrase passphrase{std::string(text.substr(0, text.find('\n')))};
  crypto::wipe(bytes);
  return passphrase;
}

Result<ledger_ethereum::EthereumOptions> chain_options(const Config& config) {
  const Config::EthereumPart& chosen = config.ethereum;
  if (chosen.endpoints.size() < chosen.agree || chosen.endpoints.empty()) {
    return fail(ErrorCode::kInvalidArgument,
                "ethereum.endpoints names {} servers of the chain and ethereum.agree asks for {}",
                chosen.endpoints.size(), chosen.agree);
  }
  ledger_ethereum::EthereumOptions options;
  BW_TRY(options.network, ledger_ethereum::read_network(chosen.network));
  options.endpoints = chosen.endpoints;
  options.trust.agree = chosen.agree;
  if (!chosen.checkpoint.empty()) {
    BW_TRY(options.trust.checkpoint, checkpoint_of(chosen.checkpoint));
  }
  options.confirmations = chosen.confirmations;
  options.finalized = chosen.finalized;
  options.marks = config.directory / "marks";
  BW_TRY(options.funding, funding_of(config));
  options.max_fee = from_gwei(chosen.max_fee_gwei);
  return options;
}

}  // namespace bw::node
