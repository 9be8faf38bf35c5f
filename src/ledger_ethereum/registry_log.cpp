// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/registry_log.hpp"

#include <algorithm>
#include <map>

#include "base/limits.hpp"
#include "base/text.hpp"
#include "codec/reader.hpp"
#include "crypto/keccak.hpp"

namespace bw::ledger_ethereum {
namespace {

struct Rule {
  std::string_view name;
  ErrorCode code;
  std::string_view words;
};

constexpr Rule kRules[] = {
    {"BadKind", ErrorCode::kMalformed, "object: is of no kind that the contract knows"},
    {"BadVersion", ErrorCode::kUnsupported,
     "object: has a version that the contract does not know"},
    {"TooLong", ErrorCode::kTooLarge, "object: is longer than 4096 bytes"},
    {"Truncated", ErrorCode::kMalformed, "object: ends too early"},
    {"TrailingBytes", ErrorCode::kMalformed, "object: has bytes left over"},
    {"BadExpires", ErrorCode::kMalformed, "object: expires before it begins"},
    {"BadNotBefore", ErrorCode::kMalformed, "DoT: begins before it was created"},
    {"BadRevokers", ErrorCode::kMalformed, "object: revokers are too many or not ascending"},
    {"BadContact", ErrorCode::kMalformed, "entity: contact is too long or no UTF-8"},
    {"BadComment", ErrorCode::kMalformed, "object: comment is too long or no UTF-8"},
    {"BadGrantee", ErrorCode::kMalformed, "DoT: everyone cannot pass a grant on"},
    {"BadPermissions", ErrorCode::kMalformed, "DoT: permissions are none or unknown ones"},
    {"BadTtl", ErrorCode::kMalformed, "DoT: ttl is out of range"},
    {"BadPattern", ErrorCode::kMalformed, "DoT: the pattern is none"},
    {"BadConditions", ErrorCode::kMalformed, "DoT: conditions are too long"},
    {"BadTarget", ErrorCode::kMalformed, "revocation: the target is neither entity nor DoT"},
    {"BadName", ErrorCode::kMalformed, "alias: the name is none"},
    {"BadNonce", ErrorCode::kMalformed, "object: the nonce is out of range"},
    {"BadRetracted", ErrorCode::kMalformed, "object: retracted is neither yes nor no"},
    {"BadAddress", ErrorCode::kMalformed, "router address: is none"},
    {"BadSignature", ErrorCode::kBadSignature, "object: is not signed by whom it says"},
    {"BadHint", ErrorCode::kMalformed,
     "item: the y beside the object is not that of its signature"},
    {"CreatedInFuture", ErrorCode::kExpired, "object: was created in the future; check the clocks"},
    {"Expired", ErrorCode::kExpired, "object: has expired; sign one with a later expiry"},
    {"EntityRevoked", ErrorCode::kRevoked, "entity: was revoked, for good; make a new entity"},
    {"NotNewer", ErrorCode::kConflict,
     "entity: one at least as new is on the ledger; renew it with a later creation time"},
    {"SignerUnknown", ErrorCode::kNotFound, "signer: is not on the ledger; put its entity first"},
    {"SignerRevoked", ErrorCode::kRevoked, "signer: was revoked"},
    {"SignerExpired", ErrorCode::kExpired, "signer: has expired; renew its entity first"},
    {"TargetUnknown", ErrorCode::kNotFound,
     "revocation: the evidence does not show its target on the ledger; try again"},
    {"TargetRevoked", ErrorCode::kConflict, "revocation: its target is revoked already"},
    {"NotEntitled", ErrorCode::kDenied, "revocation: the signer may not revoke its target"},
    {"BadEvidence", ErrorCode::kMalformed, "revocation: the evidence is not of its target"},
    {"AliasTaken", ErrorCode::kConflict, "alias: is taken; choose another name"},
    {"NonceNotAbove", ErrorCode::kConflict,
     "object: its nonce is not above the highest seen; sign with a higher one"},
    {"NoOffer", ErrorCode::kNotFound,
     "router acceptance: the router makes no offer to the namespace; it must offer first"},
    {"RouterUnknown", ErrorCode::kNotFound, "router acceptance: the router is not on the ledger"},
    {"RouterRevoked", ErrorCode::kRevoked, "router acceptance: the router was revoked"},
    {"RouterExpired", ErrorCode::kExpired, "router acceptance: the router has expired"},
    {"BadFraming", ErrorCode::kMalformed, "call: is not items"},
    {"TreeFull", ErrorCode::kLimited, "contract: can take no more entries"},
};

const Rule* find_rule(const Selector& selector) {
  static const auto kBySelector = [] {
    std::map<Selector, const Rule*> all;
    for (const Rule& rule : kRules) all[selector_of(std::string(rule.name) + "()")] = &rule;
    return all;
  }();
  const auto found = kBySelector.find(selector);
  return found == kBySelector.end() ? nullptr : found->second;
}

bool all_zero(ByteView bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

}  // namespace

Result<EntriesLog> parse_entries(ByteView data) {
  codec::Reader reader(data);
  EntriesLog log;
  log.first = reader.u40();
  do {
    const std::size_t length = reader.u16();
    if (length == 0 || length > limits::kObjectBytes) reader.reject();
    const ByteView entry = reader.bytes(length);
    if (!reader.ok()) break;
    log.entries.push_back(to_bytes(entry));
  } while (reader.remaining() > 0);
  BW_CHECK(reader.finish("log of entries"));
  return log;
}

Selector selector_of(std::string_view signature) {
  const Hash hash = crypto::keccak256(as_bytes(signature));
  Selector selector{};
  std::copy_n(hash.bytes.begin(), selector.size(), selector.begin());
  return selector;
}

Result<std::optional<Rejection>> parse_rejected(const LogEntry& log) {
  static const Hash kTopic = crypto::keccak256(as_bytes("Rejected(uint256,bytes4)"));
  if (log.topics.empty() || log.topics[0] != kTopic) return std::nullopt;
  const bool framed = log.topics.size() == 2 && log.data.size() == 32 &&
                      all_zero(ByteView(log.topics[1].bytes).first(24)) &&
                      all_zero(ByteView(log.data).subspan(4));
  if (!framed) return fail(ErrorCode::kMalformed, "log of a rejected item: is none");
  Rejection rejection;
  rejection.item = codec::Reader(ByteView(log.topics[1].bytes).subspan(24)).u64();
  std::copy_n(log.data.begin(), rejection.rule.size(), rejection.rule.begin());
  return rejection;
}

Error broken_rule(const Selector& rule) {
  if (const Rule* known = find_rule(rule)) return {known->code, std::string(known->words)};
  return {
      ErrorCode::kDenied,
      fmt::format("the contract refuses it by a rule that is not known here, 0x{}", to_hex(rule))};
}

Error broken_rule(ByteView revert) {
  Selector rule{};
  if (revert.size() != rule.size()) {
    return {ErrorCode::kDenied, "the contract refuses the call without saying why"};
  }
  std::ranges::copy(revert, rule.begin());
  return broken_rule(rule);
}

}  // namespace bw::ledger_ethereum
