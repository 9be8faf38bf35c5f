// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/block_json.hpp"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "codec/rlp.hpp"
#include "crypto/keccak.hpp"
#include "ledger_ethereum/json_values.hpp"

namespace bw::ledger_ethereum {
namespace {

using nlohmann::json;

constexpr std::size_t kExtraBytes = 1024;  // chains with signers in it use a few hundred
// Block times of any chain fit; so no sum with them overflows.
constexpr std::uint64_t kMostSeconds = kNeverSeconds;

constexpr std::size_t kNumber = 0;  // a quantity
constexpr std::size_t kAny = ~std::size_t{0};
struct Field {
  const char* name;
  std::size_t bytes;
};
constexpr std::array kFields{
    Field{"parentHash", 32},    Field{"sha3Uncles", 32},       Field{"miner", 20},
    Field{"stateRoot", 32},     Field{"transactionsRoot", 32}, Field{"receiptsRoot", 32},
    Field{"logsBloom", 256},    Field{"difficulty", kNumber},  Field{"number", kNumber},
    Field{"gasLimit", kNumber}, Field{"gasUsed", kNumber},     Field{"timestamp", kNumber},
    Field{"extraData", kAny},   Field{"mixHash", 32},          Field{"nonce", 8}};
// Each fork added some; a header has them up to its own.
constexpr std::array kLaterFields{
    Field{"baseFeePerGas", kNumber},    Field{"withdrawalsRoot", 32},
    Field{"blobGasUsed", kNumber},      Field{"excessBlobGas", kNumber},
    Field{"parentBeaconBlockRoot", 32}, Field{"requestsHash", 32}};

Bytes big_endian(Wei value) {
  Bytes out;
  for (; value != 0; value >>= 8U) out.push_back(static_cast<std::uint8_t>(value & 0xffU));
  std::ranges::reverse(out);
  return out;
}

Result<void> add_field(Bytes& out, const json& answer, const Field& field) {
  if (field.bytes == kNumber) {
    BW_TRY(const Wei value, read_wei(answer, field.name));
    codec::rlp_integer(out, big_endian(value));
    return {};
  }
  BW_TRY(const Bytes bytes, read_data(answer, field.name));
  const bool fits = field.bytes == kAny ? bytes.size() <= kExtraBytes : bytes.size() == field.bytes;
  if (!fits) return fail(ErrorCode::kMalformed, "{}: {} bytes", field.name, bytes.size());
  codec::rlp_string(out, bytes);
  return {};
}

}  // namespace

Result<Hash> header_hash(const json& answer) {
  Bytes fields;
  for (const Field& field : kFields) BW_CHECK(add_field(fields, answer, field));
  for (const Field& field : kLaterFields) {
    if (member(answer, field.name).is_null()) break;
    BW_CHECK(add_field(fields, answer, field));
  }
  Bytes list;
  codec::rlp_list(list, fields);
  return crypto::keccak256(list);
}

Result<Block> read_block(const json& answer) {
  Block block;
  BW_TRY(block.number, read_u64(answer, "number"));
  BW_TRY(block.hash, read_hash(answer, "hash"));
  BW_TRY(block.parent, read_hash(answer, "parentHash"));
  BW_TRY(block.state_root, read_hash(answer, "stateRoot"));
  BW_TRY(const std::uint64_t seconds, read_u64(answer, "timestamp"));
  if (seconds > kMostSeconds) return fail(ErrorCode::kMalformed, "timestamp: {} s", seconds);
  block.time = from_seconds(seconds);
  BW_TRY(const Hash computed, header_hash(answer));
  if (computed != block.hash) {
    return fail(ErrorCode::kFork, "the header of block {} does not have the hash said of it",
                block.number);
  }
  return block;
}

}  // namespace bw::ledger_ethereum
