// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/submitter_receipt.hpp"

#include <map>
#include <optional>

#include "ledger_ethereum/registry_log.hpp"

namespace bw::ledger_ethereum {
namespace {

struct Told {
  std::optional<EntriesLog> entries;
  std::map<std::uint64_t, Selector> rejected;  // rules by items
};

tl::unexpected<Error> contradiction(std::string_view what) {
  return fail(ErrorCode::kFork, "receipt: it is not of the call that was sent: {}", what);
}

Result<Told> read(const Address& registry, const Receipt& receipt) {
  Told told;
  for (const LogEntry& log : receipt.logs) {
    if (log.address != registry) continue;
    if (log.topics.empty()) {
      if (told.entries) return contradiction("it logs entries twice");
      BW_TRY(told.entries, parse_entries(log.data));
      continue;
    }
    BW_TRY(const auto rejection, parse_rejected(log));
    if (rejection) told.rejected[rejection->item] = rejection->rule;
  }
  return told;
}

}  // namespace

Result<std::vector<ledger::Submitted>> read_outcomes(std::span<const Bytes> objects,
                                                     const Address& registry,
                                                     const Receipt& receipt) {
  BW_TRY(const Told told, read(registry, receipt));
  const std::size_t added = told.entries ? told.entries->entries.size() : 0;
  if (added + told.rejected.size() != objects.size()) return contradiction("items are missing");
  std::vector<ledger::Submitted> outcomes;
  std::size_t entry = 0;
  for (std::size_t item = 0; item < objects.size(); ++item) {
    ledger::Submitted& outcome = outcomes.emplace_back();
    if (const auto rule = told.rejected.find(item); rule != told.rejected.end()) {
      outcome.refusal = broken_rule(rule->second);
      continue;
    }
    if (entry == added || told.entries->entries[entry] != objects[item]) {
      return contradiction("it logs other entries");
    }
    outcome.index = told.entries->first + entry++;
  }
  return outcomes;
}

}  // namespace bw::ledger_ethereum
