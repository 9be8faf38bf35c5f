// SPDX-License-Identifier: Apache-2.0
#include "node/probes.hpp"

#include <algorithm>

namespace bw::node {
namespace {

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

void add_router(telemetry::Metrics& metrics, const router::Router& router) {
  using Stats = syndication::RouterStats;
  const auto counter = [&](const char* name, const char* help, std::uint64_t Stats::* field) {
    metrics.counter(name, help,
                    [&router, field] { return static_cast<double>(router.stats().*field); });
  };
  const auto gauge = [&](const char* name, const char* help, std::uint64_t Stats::* field) {
    metrics.gauge(name, help,
                  [&router, field] { return static_cast<double>(router.stats().*field); });
  };
  gauge("bosswave_router_sessions", "Open sessions with agents", &Stats::sessions);
  metrics.gauge("bosswave_router_background_sessions",
                "Sessions that wait for all others: new, or refused something a moment ago",
                [&router] { return static_cast<double>(router.background_sessions()); });
  gauge("bosswave_router_streams", "Attached entities over all sessions", &Stats::streams);
  gauge("bosswave_router_subscriptions", "Standing subscriptions", &Stats::subscriptions);
  counter("bosswave_router_batches_in_total", "Batches received", &Stats::batches_in);
  counter("bosswave_router_messages_in_total", "Messages received", &Stats::messages_in);
  counter("bosswave_router_messages_out_total", "Messages delivered", &Stats::messages_out);
  counter("bosswave_router_refused_total", "Messages refused: unauthorised, expired, over a limit",
          &Stats::refused);
  counter("bosswave_router_bad_signatures_total", "Batches with a bad signature",
          &Stats::bad_signatures);
  counter("bosswave_router_replayed_total", "Batches replayed or out of the time window",
          &Stats::replayed);
  counter("bosswave_router_persisted_total", "Messages stored", &Stats::persisted);
  counter("bosswave_router_subscriptions_ended_total",
          "Subscriptions ended by revocation or expiry", &Stats::subscriptions_ended);
  counter("bosswave_router_bans_total", "Times that an entity was blacklisted", &Stats::bans);
  counter("bosswave_router_wasted_microseconds_total",
          "Verification that came to nothing, estimated", &Stats::wasted_us);
  metrics.gauge("bosswave_router_blacklisted", "Entities refused for misbehaviour",
                [&router] { return static_cast<double>(router.blacklist().size()); });
}

void add_seals(telemetry::Metrics& metrics, const agent::Agent& agent) {
  using Stats = agent::SealStats;
  const auto counter = [&](const char* name, const char* help, std::uint64_t Stats::* field) {
    metrics.counter(name, help,
                    [&agent, field] { return static_cast<double>(agent.seal_stats().*field); });
  };
  counter("bosswave_agent_sealed_total", "Messages sealed", &Stats::sealed);
  counter("bosswave_agent_opened_total", "Sealed messages opened", &Stats::opened);
  counter("bosswave_agent_unopened_total", "Sealed messages that their receiver could not open",
          &Stats::unopened);
  counter("bosswave_agent_seal_keys_total", "Content keys made", &Stats::keys);
  counter("bosswave_agent_seal_wraps_total", "Content keys wrapped for an entity", &Stats::wraps);
  counter("bosswave_agent_seal_renewed_total", "Persisted values sealed again for new consumers",
          &Stats::renewed);
}

void add_server(telemetry::Metrics& metrics, const ledger_embedded::Server& server) {
  using Stats = ledger_embedded::Server::Stats;
  const auto counter = [&](const char* name, const char* help, std::uint64_t Stats::* field) {
    metrics.counter(name, help,
                    [&server, field] { return static_cast<double>(server.stats().*field); });
  };
  counter("bosswave_ledger_accepted_total", "Entries accepted", &Stats::accepted);
  counter("bosswave_ledger_refused_total", "Entries refused by the rules of admission",
          &Stats::refused);
  counter("bosswave_ledger_limited_total", "Entries refused by the rate limit", &Stats::limited);
  metrics.gauge("bosswave_ledger_followers", "Connected followers and submitters",
                [&server] { return static_cast<double>(server.stats().followers); });
}

// Of a ledger on a chain.
void add_chain(telemetry::Metrics& metrics, const ledger::Ledger& ledger) {
  const auto gauge = [&](const char* name, const char* help, auto read) {
    metrics.gauge(name, help, [&ledger, read] {
      const auto status = ledger.status();
      return status.chain ? static_cast<double>(read(*status.chain)) : 0.0;
    });
  };
  const auto endpoints = [&](const char* name, const char* help, auto is) {
    gauge(name, help, [is](const ledger::ChainStatus& chain) {
      return std::ranges::count_if(chain.endpoints, is);
    });
  };
  using Chain = ledger::ChainStatus;
  gauge("bosswave_chain_block", "Latest block that is believed",
        [](const Chain& chain) { return chain.block; });
  gauge("bosswave_chain_lag_blocks", "Blocks whose entries do not act yet", [](const Chain& chain) {
    return chain.block - std::min(chain.block, chain.confirmed_block);
  });
  gauge("bosswave_chain_balance_coins", "What the account that pays for entries holds",
        [](const Chain& chain) { return chain.coins; });
  gauge("bosswave_chain_waiting_entries", "Submitted entries that are not on the chain yet",
        [](const Chain& chain) { return chain.waiting; });
  endpoints("bosswave_chain_endpoints", "Configured endpoints",
            [](const Chain::Endpoint&) { return true; });
  endpoints("bosswave_chain_endpoints_in_trouble", "Endpoints whose last answer was none",
            [](const Chain::Endpoint& one) { return !one.trouble.empty(); });
  endpoints("bosswave_chain_endpoints_lied", "Endpoints that were caught at a lie",
            [](const Chain::Endpoint& one) { return !one.lie.empty(); });
  endpoints("bosswave_chain_endpoints_disagree", "Endpoints that show another chain",
            [](const Chain::Endpoint& one) { return !one.disagrees.empty(); });
}

}  // namespace

void add_probes(telemetry::Metrics& metrics, Probed parts) {
  metrics.gauge("bosswave_replica_entries", "Ledger entries applied here",
                [&replica = parts.replica] { return static_cast<double>(replica.size()); });
  metrics.gauge("bosswave_replica_age_seconds", "Time since the ledger last spoke",
                [parts] { return seconds(parts.clock.now() - parts.replica.heard_at()); });
  metrics.gauge("bosswave_ledger_connected", "1 while the ledger can be reached",
                [&ledger = parts.ledger] { return ledger.status().connected ? 1.0 : 0.0; });
  using Stats = syndication::ClientSession::Stats;
  const auto agent_counter = [&](const char* name, const char* help, std::uint64_t Stats::* field) {
    metrics.counter(name, help, [&agent = parts.agent, field] {
      return static_cast<double>(agent.stats().*field);
    });
  };
  agent_counter("bosswave_agent_messages_out_total", "Messages signed and sent",
                &Stats::messages_out);
  agent_counter("bosswave_agent_batches_out_total", "Batches signed and sent", &Stats::batches_out);
  agent_counter("bosswave_agent_messages_in_total", "Messages verified and handed on",
                &Stats::messages_in);
  agent_counter("bosswave_agent_dropped_unverified_total", "Messages that failed verification",
                &Stats::dropped_unverified);
  add_seals(metrics, parts.agent);
  metrics.gauge("bosswave_agent_sessions", "Routers in use",
                [&agent = parts.agent] { return static_cast<double>(agent.sessions().size()); });
  if (parts.router != nullptr) add_router(metrics, *parts.router);
  if (parts.server != nullptr) add_server(metrics, *parts.server);
  if (parts.ledger.status().chain) add_chain(metrics, parts.ledger);
}

http::Response health(const ledger::Ledger& ledger, const replica::Replica& replica,
                      const Clock& clock) {
  const Duration age = clock.now() - replica.heard_at();
  if (age <= limits::kDefaultStaleness) return {.body = "ok\n"};
  const auto trouble = ledger.status().trouble;
  return {.status = 503,
          .body = fmt::format("stale: the ledger was last heard {} ago{}\n", to_text(age),
                              trouble ? ": " + trouble->message : std::string())};
}

}  // namespace bw::node
