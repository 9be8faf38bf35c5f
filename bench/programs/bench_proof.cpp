// SPDX-License-Identifier: Apache-2.0
// bench_proof build DIRECTORY small|large: fills a store with a permission graph.
// bench_proof measure DIRECTORY small|large SAMPLES: times the replica over it; one JSON object of
// lists of nanoseconds.
#include <algorithm>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>
#include <sys/resource.h>

#include "programs/city_graph.hpp"
#include "replica/replica.hpp"
#include "syndication/grant_cache.hpp"

namespace bw::bench {
namespace {

using Who = CityGraph::Who;
using Nanoseconds = std::vector<std::int64_t>;

constexpr std::size_t kGrantsRemembered = 100'000;  // as a node does

class SystemClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override {
    return std::chrono::floor<Duration>(std::chrono::system_clock::now());
  }
};

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Waits until the store's threads have no compaction left to do.
void settle() {
  for (int quiet = 0; quiet < 4;) {
    const double before = cpu_seconds();
    std::this_thread::sleep_for(std::chrono::milliseconds{250});
    quiet = cpu_seconds() - before < 0.005 ? quiet + 1 : 0;
  }
}

// One store with a replica over it, both as a node has them; block cache and proof cache are empty.
struct Node {
  explicit Node(const std::string& directory)
      : store(must(store::AuthorityStore::open(directory))), replica(*store, clock, true) {
    settle();
  }
  template <class T>
  static T must(Result<T> result) {
    if (!result) {
      fmt::print(stderr, "{}\n", result.error().message);
      std::exit(1);
    }
    return *std::move(result);
  }

  SystemClock clock;
  std::unique_ptr<store::AuthorityStore> store;
  replica::Replica replica;
};

// Requests that are allowed, each with a pair of entity and URI that no other has.
class Samples {
 public:
  explicit Samples(const CityGraph& graph) : graph_(graph) {}

  // Five links.
  wave::Request room(std::uint32_t n) const {
    const std::uint32_t room = spread(n, graph_.shape().all_rooms());
    const std::uint32_t person = graph_.person_of_room(room, n % graph_.shape().keepers);
    return graph_.request(graph_.key(Who::kPerson, person),
                          fmt::format("{}/s{}", graph_.room_uri(room), n));
  }
  // Two links, through a hub with one pattern per grant.
  wave::Request meter(std::uint32_t n) const {
    const std::uint32_t meter = spread(n, graph_.shape().granted);
    return graph_.request(graph_.key(Who::kPerson, graph_.owner_of_meter(meter)),
                          fmt::format("meters/m{}/s{}", meter, n));
  }
  // Two links, through a hub with one pattern for all.
  wave::Request notice(std::uint32_t n) const {
    const std::uint32_t person = spread(n, std::min(graph_.shape().people, graph_.shape().granted));
    return graph_.request(graph_.key(Who::kPerson, person), fmt::format("notices/n{}", n));
  }
  // By the prover or her twin, in turn over her five-link and two-link grants.
  wave::Request errand(const EntityKey& who, std::uint32_t n) const {
    if (n % 2 == 1) return graph_.request(who, fmt::format("notices/n{}", n));
    const std::uint32_t room = graph_.room_of_errand(spread(n, graph_.shape().errands));
    return graph_.request(who, fmt::format("{}/s{}", graph_.room_uri(room), n));
  }

 private:
  static std::uint32_t spread(std::uint32_t n, std::uint32_t size) {
    return static_cast<std::uint32_t>(std::uint64_t{n} * 2'654'435'761U % size);
  }
  const CityGraph& graph_;
};

// What `work` took, appended to `to`.
void timed(Nanoseconds& to, const auto& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  const auto spent = std::chrono::steady_clock::now() - start;
  to.push_back(std::chrono::nanoseconds(spent).count());
}

struct Known {
  wave::Request request;
  Bytes proof;
};

std::vector<wave::Request> mixture(const CityGraph& graph, std::uint32_t count) {
  const Samples samples(graph);
  std::vector<wave::Request> requests;
  for (std::uint32_t n = 0; n < count; ++n) {
    requests.push_back(n % 4 < 2    ? samples.room(n)
                       : n % 4 == 2 ? samples.meter(n)
                                    : samples.notice(n));
  }
  return requests;
}

// Each request for the first time, then each again; and one spammed prover against her twin.
// Returns the five-link proofs that were built.
std::vector<Known> measure_building(const CityGraph& graph, const std::string& directory,
                                    std::uint32_t count, nlohmann::json& out) {
  Node node(directory);
  std::vector<Known> five;
  Nanoseconds cold[3];
  Nanoseconds cached;
  Nanoseconds spammed;
  Nanoseconds quiet;
  const auto find = [&](const wave::Request& request) {
    return Node::must(node.replica.find_proof(request, node.clock.now()));
  };
  const auto requests = mixture(graph, count);
  for (std::size_t n = 0; n < requests.size(); ++n) {
    replica::Replica::Found found;
    timed(cold[n % 4 < 2 ? 0 : n % 4 - 1], [&] { found = find(requests[n]); });
    if (found.proof->dots.size() == 5) five.push_back({requests[n], encode(*found.proof)});
  }
  for (const auto& request : requests) timed(cached, [&] { (void)find(request); });

  const Samples samples(graph);
  const EntityKey prover = CityGraph::key(Who::kProver);
  const EntityKey twin = CityGraph::key(Who::kTwin);
  for (std::uint32_t n = 0; n < count; ++n) {
    const auto hers = samples.errand(prover, n);
    const auto twins = samples.errand(twin, n);
    timed(spammed, [&] { (void)find(hers); });
    timed(quiet, [&] { (void)find(twins); });
  }
  out["cold_rooms"] = cold[0];
  out["cold_meters"] = cold[1];
  out["cold_notices"] = cold[2];
  out["cached"] = cached;
  out["spammed"] = spammed;
  out["quiet"] = quiet;
  return five;
}

// From the bytes of a proof to a yes: what a router does with a proof on a session.
void measure_verifying(const std::string& directory, const std::vector<Known>& proofs,
                       nlohmann::json& out) {
  Node node(directory);
  syndication::GrantCache grants(node.replica, kGrantsRemembered);
  const auto verify = [&](const Known& known) {
    const wave::Proof proof = Node::must(wave::parse_proof(known.proof));
    const auto grant =
        grants.authorize(known.request, wave::proof_hash(proof), proof, node.clock.now());
    if (!grant) Node::must(Result<int>(fail(grant.error().to_error())));
  };
  Nanoseconds unknown;
  Nanoseconds again;
  Nanoseconds signatures;
  for (const Known& known : proofs) timed(unknown, [&] { verify(known); });
  for (const Known& known : proofs) timed(again, [&] { verify(known); });
  for (const Known& known : proofs) {
    timed(signatures, [&] {
      const wave::Proof proof = Node::must(wave::parse_proof(known.proof));
      for (const auto& dot : proof.dots) {
        if (!wave::verify_signature(dot)) std::exit(1);
      }
    });
  }
  out["verify_unknown"] = unknown;
  out["verify_known"] = again;
  out["verify_signatures"] = signatures;
}

int run(const std::vector<std::string>& args) {
  if (args.size() < 3 || (args[0] == "measure" && args.size() < 4)) {
    fmt::print(stderr, "usage: bench_proof build|measure DIRECTORY small|large [SAMPLES]\n");
    return 2;
  }
  const CityGraph graph(args[2] == "large" ? large_city() : small_city());
  if (args[0] == "build") {
    Node node(args[1]);
    if (const auto built = graph.build(*node.store); !built) {
      fmt::print(stderr, "{}\n", built.error().message);
      return 1;
    }
    settle();
    return 0;
  }
  nlohmann::json out{{"dots", graph.shape().dots()}};
  const auto count = static_cast<std::uint32_t>(std::stoul(args[3]));
  measure_verifying(args[1], measure_building(graph, args[1], count, out), out);
  fmt::print("{}\n", out.dump());
  return 0;
}

}  // namespace
}  // namespace bw::bench

int main(int count, char** values) {
  return bw::bench::run({values + 1, values + count});
}
