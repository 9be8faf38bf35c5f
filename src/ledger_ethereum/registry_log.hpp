// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "ledger_ethereum/chain.hpp"

// What the Registry writes into a chain's log, and the errors it refuses with (contracts/README.md,
// "Events" and "Rules and errors").
namespace bw::ledger_ethereum {

// The entries that one call added: numbers `first` and on.
struct EntriesLog {
  std::uint64_t first = 0;
  std::vector<Bytes> entries;
};
// Of the data of a log without topics. kMalformed for what the Registry cannot have written;
// whether the entries are objects is not looked at.
Result<EntriesLog> parse_entries(ByteView data);

// Names an error or an event: the first bytes of Keccak-256 of its signature.
using Selector = ByteArray<4>;
Selector selector_of(std::string_view signature);

// An item of a call of each for itself that broke a rule.
struct Rejection {
  std::uint64_t item = 0;
  Selector rule{};
};
// Nothing for a log of another kind; kMalformed for what the Registry cannot have written.
Result<std::optional<Rejection>> parse_rejected(const LogEntry& log);

// What a broken rule means to the submitter; kDenied for a rule that is not known.
Error broken_rule(const Selector& rule);
// The same of the data of a revert.
Error broken_rule(ByteView revert);

}  // namespace bw::ledger_ethereum
