// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "ledger_ethereum/chain.hpp"

// Values as Ethereum's JSON-RPC writes them: quantities "0x1f" without leading zeros, data "0x00ff"
// with two digits a byte. Readers say kMalformed with the name of what was read, never throw, and
// take any JSON.
namespace bw::ledger_ethereum {

// The member of an object; null where there is none.
const nlohmann::json& member(const nlohmann::json& object, const char* name);

Result<std::uint64_t> read_u64(const nlohmann::json& object, const char* name);
Result<Wei> read_wei(const nlohmann::json& object, const char* name);
Result<Hash> read_hash(const nlohmann::json& object, const char* name);
Result<Address> read_address(const nlohmann::json& object, const char* name);
Result<Bytes> read_data(const nlohmann::json& object, const char* name);

// The same of a text; `what` names it in errors.
Result<Wei> quantity_of(std::string_view text, std::string_view what);
Result<Bytes> data_of(std::string_view text, std::string_view what);
// Of a value that is a text.
Result<std::uint64_t> u64_of(const nlohmann::json& value, std::string_view what);
Result<Wei> wei_of(const nlohmann::json& value, std::string_view what);
Result<Hash> hash_of(const nlohmann::json& value, std::string_view what);
Result<Bytes> bytes_of(const nlohmann::json& value, std::string_view what);

std::string to_quantity(Wei value);
std::string to_data(ByteView bytes);

}  // namespace bw::ledger_ethereum
