// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ledger_ethereum/ethereum.hpp"
#include "node/config.hpp"

namespace bw::node {

// What [ethereum] says, with the files that it names read. Errors name the setting or the file. The
// funding key may be missing when its setting is: then nobody pays here.
Result<ledger_ethereum::EthereumOptions> chain_options(const Config& config);

// As a setting of so many gwei for a unit of gas.
ledger_ethereum::Wei from_gwei(double gwei);

// The passphrase in the first line of a file.
Result<crypto::Passphrase> read_passphrase(const std::filesystem::path& file);

// Where the key that pays for entries is.
std::filesystem::path funding_key_file(const Config& config);

}  // namespace bw::node
