// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/agent.hpp"
#include "http/server.hpp"
#include "ledger_embedded/server.hpp"
#include "router/router.hpp"
#include "telemetry/metrics.hpp"

namespace bw::node {

struct Probed {
  const Clock& clock;
  const replica::Replica& replica;
  const ledger::Ledger& ledger;
  const agent::Agent& agent;
  const router::Router* router;           // null: no router here
  const ledger_embedded::Server* server;  // null: no ledger here
};

// What /metrics shows (docs/operations.md, "Metrics"). The probed parts must outlive `metrics`.
void add_probes(telemetry::Metrics& metrics, Probed parts);

// /healthz: 200 while this node may decide, 503 with the reason while it may not.
http::Response health(const ledger::Ledger& ledger, const replica::Replica& replica,
                      const Clock& clock);

}  // namespace bw::node
