// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "base/id.hpp"
#include "city/plan.hpp"

namespace bw::city {

// Where a city is put: a ledger's public door.
struct Door {
  std::string address;  // host:port
  EntityKey key;
};

struct BuildOptions {
  Door door;
  // How far the building has come, for the next start after a kill: made when missing. It names
  // seed, scale and ledger; another city's is kConflict.
  std::filesystem::path progress_file;
  std::size_t threads = 0;  // that sign; 0: one for each core
  // Called about ten times a second, on one thread: objects that the ledger has, of all.
  std::function<void(std::uint64_t done, std::uint64_t all)> on_progress;
};

struct Built {
  std::uint64_t objects = 0;   // of the whole city
  std::uint64_t resumed = 0;   // of these that an earlier run had put
  std::uint64_t repeated = 0;  // that the ledger had although the progress file did not tell
  double seconds = 0;          // of this run
};

// Signs every object of the city and submits it, like any other submitter, over one anonymous
// session with several submissions under way, in the order of the plan. Every object is on the
// ledger, durable, when it returns. Waits and sends again what the ledger limits; fails, naming the
// object, when it refuses one for another reason, and with kUnavailable when it goes away: the next
// call continues.
Result<Built> build(const Plan& plan, const Model& model, const BuildOptions& options);

}  // namespace bw::city
