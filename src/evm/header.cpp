// SPDX-License-Identifier: Apache-2.0
#include "evm/header.hpp"

#include "codec/rlp.hpp"
#include "crypto/keccak.hpp"

namespace bw::evm {
namespace {

// Places of the fields in the list.
constexpr std::size_t kParent = 0;
constexpr std::size_t kStateRoot = 3;
constexpr std::size_t kBloom = 6;
constexpr std::size_t kNumber = 8;
constexpr std::size_t kGasLimit = 9;
constexpr std::size_t kTime = 11;
constexpr std::size_t kBaseFee = 15;
constexpr std::size_t kMostFields = 32;

}  // namespace

Result<Header> parse_header(ByteView rlp) {
  BW_TRY(const auto whole, codec::parse_rlp(rlp));
  BW_TRY(const auto fields, codec::rlp_items(whole, kMostFields));
  if (fields.size() <= kBaseFee) {
    return fail(ErrorCode::kMalformed, "block header: has {} fields, too few since EIP-1559",
                fields.size());
  }
  if (fields[kBloom].content.size() != 256) {
    return fail(ErrorCode::kMalformed, "block header: the bloom filter has not 256 bytes");
  }
  Header header;
  header.hash = crypto::keccak256(rlp);
  BW_TRY(header.parent.bytes, codec::rlp_bytes<32>(fields[kParent]));
  BW_TRY(header.state_root.bytes, codec::rlp_bytes<32>(fields[kStateRoot]));
  BW_TRY(header.number, codec::rlp_u64(fields[kNumber]));
  BW_TRY(header.gas_limit, codec::rlp_u64(fields[kGasLimit]));
  BW_TRY(header.base_fee, codec::rlp_u64(fields[kBaseFee]));
  BW_TRY(const std::uint64_t seconds, codec::rlp_u64(fields[kTime]));
  if (seconds > to_seconds(kNever)) {
    return fail(ErrorCode::kMalformed, "block header: its time is out of range");
  }
  header.time = from_seconds(seconds);
  return header;
}

}  // namespace bw::evm
