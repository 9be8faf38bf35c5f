// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "cli/app.hpp"
#include "cli/ledger_copy.hpp"
#include "cli/output.hpp"
#include "cli/show.hpp"
#include "store/entry_log.hpp"

namespace bw::cli {
namespace {

Json chain_fields(const api::ChainStatus& chain) {
  Json fields{{"chain_id", chain.chain_id()},
              {"block", chain.block()},
              {"confirmed_block", chain.confirmed_block()},
              {"lag_blocks", chain.block() - std::min(chain.block(), chain.confirmed_block())},
              {"finality", chain.finality()},
              {"account", chain.account()},
              {"balance", chain.balance()},
              {"waiting", chain.waiting()},
              {"endpoints", Json::array()}};
  for (const api::ChainEndpoint& endpoint : chain.endpoints()) {
    fields["endpoints"].push_back({{"name", endpoint.name()},
                                   {"answers", endpoint.answers()},
                                   {"avoided", endpoint.avoided()},
                                   {"head", endpoint.head()},
                                   {"trouble", endpoint.trouble()},
                                   {"lie", endpoint.lie()},
                                   {"disagrees", endpoint.disagrees()}});
  }
  return fields;
}

void print_endpoints(const Json& endpoints) {
  Table table({"endpoint", "head", "state", "what is wrong"});
  for (const Json& one : endpoints) {
    const std::string lie = one["lie"];
    const std::string trouble = one["trouble"];
    const std::string disagrees = one["disagrees"];
    table.row({one["name"], std::to_string(one["head"].get<std::uint64_t>()),
               one["avoided"].get<bool>()   ? "avoided"
               : one["answers"].get<bool>() ? "answers"
                                            : "silent",
               !lie.empty()       ? "lied: " + lie
               : !trouble.empty() ? trouble
                                  : disagrees});
  }
  table.print();
}

Verb status_verb(CLI::App&) {
  return [](App& app) -> Result<void> {
    BW_TRY(client::Client * agent, app.connect());
    BW_TRY(const api::LedgerStatusReply status, agent->ledger_status());
    Json fields{{"kind", status.kind()},
                {"where", status.where()},
                {"ledger_key", status.ledger_key()},
                {"size", status.size()},
                {"head", status.head()},
                {"root", status.root()},
                {"heard_at", time_text(status.heard_at_us())},
                {"connected", status.connected()},
                {"trouble", status.trouble()},
                {"entities", status.entities()},
                {"dots", status.dots()},
                {"revocations", status.revocations()},
                {"aliases", status.aliases()},
                {"bytes_on_disk", status.bytes_on_disk()}};
    if (status.has_chain()) fields.update(chain_fields(status.chain()));
    if (app.json) {
      print_json(fields);
      return {};
    }
    const Json endpoints = fields.value("endpoints", Json::array());
    fields.erase("endpoints");
    print_fields(fields);
    if (!endpoints.empty()) print_endpoints(endpoints);
    return {};
  };
}

// Reads the ledger file from end to end: form and signature of each entry, and the root over all.
Verb verify_verb(CLI::App& command) {
  const auto file = std::make_shared<std::string>();
  command.add_option("file", *file,
                     "Ledger file (default: this node's; stop the node, or give a copy)");
  return [file](App& app) -> Result<void> {
    const auto path =
        file->empty() ? app.path() / "authority" / "ledger.log" : std::filesystem::path(*file);
    if (!std::filesystem::exists(path)) {
      return fail(ErrorCode::kNotFound, "there is no ledger file {}", path.string());
    }
    BW_TRY(const auto log, store::EntryLog::open(path));
    Progress progress("verifying", log->size());
    crypto::Frontier frontier;
    BW_CHECK(log->scan(0, [&](std::uint64_t index, std::uint64_t, ByteView entry) -> Result<void> {
      const auto object = wave::parse_object(entry);
      const auto good =
          object ? wave::verify_signature(*object) : Result<void>(fail(object.error()));
      if (!good) return fail(good.error().code, "entry {}: {}", index, good.error().message);
      frontier.add(crypto::leaf_hash(entry));
      progress.at(index);
      return {};
    }));
    const Json fields{{"file", path.string()},
                      {"entries", log->size()},
                      {"root", frontier.root().text()},
                      {"verdict", "every entry is well formed and signed"}};
    if (app.json) {
      print_json(fields);
    } else {
      print_fields(fields);
    }
    return {};
  };
}

Verb copy_verb(CLI::App& command) {
  const auto file = std::make_shared<std::string>();
  command.add_option("file", *file, "Ledger file to carry over: a copy, or that of a stopped node")
      ->required();
  return [file](App& app) -> Result<void> {
    if (!std::filesystem::exists(*file)) {
      return fail(ErrorCode::kNotFound, "there is no ledger file {}", *file);
    }
    BW_TRY(const auto log, store::EntryLog::open(*file));
    BW_TRY(client::Client * agent, app.connect());
    BW_TRY(const LedgerCopy::Summary summary, LedgerCopy(*log, *agent).run());
    BW_TRY(const api::LedgerStatusReply status, agent->ledger_status());
    const Json fields{{"file", *file},
                      {"entries", log->size()},
                      {"carried", summary.carried},
                      {"without_effect", summary.without_effect},
                      {"ledger", status.kind()},
                      {"where", status.where()},
                      {"verdict", "every entry carried was looked up on the ledger"}};
    if (app.json) {
      print_json(fields);
    } else {
      print_fields(fields);
    }
    return {};
  };
}

}  // namespace

void add_ledger_verbs(Verbs& verbs, CLI::App* ledger) {
  verbs.add(ledger, "status", "How the ledger stands, as this node sees it", status_verb);
  verbs.add(ledger, "copy", "Carry a ledger file's entries to the ledger that this node follows",
            copy_verb);
  verbs.add(ledger, "verify", "Check a ledger file from end to end", verify_verb);
}

}  // namespace bw::cli
