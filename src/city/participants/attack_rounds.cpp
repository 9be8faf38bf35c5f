// SPDX-License-Identifier: Apache-2.0
#include "city/participants/attack_rounds.hpp"

#include <algorithm>
#include <set>
#include <thread>

#include <unistd.h>

namespace bw::city {
namespace {

using Timer = std::chrono::steady_clock;

constexpr std::size_t kFlooders = 10;
constexpr std::size_t kSpammers = 1;
constexpr std::size_t kKeysOfFlooder = 8;
constexpr Duration kBetweenMessages = 1s;
constexpr Duration kComing = 500ms;  // until an attack is at its height
// What the limits let pass at once is gone after so long.
constexpr Duration kFirst = 3s;
// Between rounds: until this process, in which the router is, has used no more than a tenth of a
// core in each of two looks.
constexpr Duration kLook = 150ms;
constexpr int kMostLooks = 40;

void settle() {
  int calm = 0;
  for (int look = 0; look < kMostLooks && calm < 2; ++look) {
    const double used = cpu_seconds(::getpid());
    std::this_thread::sleep_for(kLook);
    calm = cpu_seconds(::getpid()) - used < 0.015 ? calm + 1 : 0;
  }
}

// Occupants who are nobody's resident among the neighbours.
class Strangers {
 public:
  Strangers(const Model& model, const Neighbourhood& neighbourhood, const Churn& churn)
      : model_(model), random_(model.seed()) {
    for (const std::uint32_t home : neighbourhood.homes()) {
      const Tenancy tenancy = churn.tenancy(home);
      taken_.insert(tenancy.occupants.begin(), tenancy.occupants.end());
    }
  }
  crypto::SigningKey next() {
    const auto all = static_cast<std::uint32_t>(model_.counts().entities_of(Kind::kOccupant));
    std::uint32_t one = 0;
    do {
      one = static_cast<std::uint32_t>(random_() % all);
    } while (taken_.contains(one));
    return key_of(model_.seed(), {Kind::kOccupant, one});
  }

 private:
  const Model& model_;
  std::mt19937_64 random_;
  std::set<std::uint32_t> taken_;
};

}  // namespace

Result<AttackRounds> AttackRounds::prepare(const Model& model, const link::Network& network,
                                           const Neighbourhood& neighbourhood, const Churn& churn,
                                           Follower& follower, const Where& where) {
  const std::size_t homes = neighbourhood.homes().size();
  // Whole homes, since the devices of an attacker's home would talk to nobody.
  const std::size_t taken = std::min((kFlooders + kSpammers + 1) / 2, homes / 2);
  const std::size_t attackers = std::min(kFlooders + kSpammers, 2 * taken);
  const std::uint32_t home = neighbourhood.homes().front();
  const Resource resource = churn.resource(home, Act::kSetThermostat);
  const auto key = [&](Who who) { return key_of(model.seed(), who).public_key(); };
  Target target{.router = where.router,
                .ledger = where.ledger,
                .ns = key(resource.ns),
                .uri = resource.uri,
                .proof = {},
                .victims = {}};
  const auto request = request_for(resource, key(churn.tenancy(home).resident()), target.ns);
  BW_TRY(const auto found, follower.replica().find_proof(request, follower.clock().now()));
  target.proof = *found.proof;
  for (std::size_t i = 0; i < homes - taken; ++i) {
    target.victims.push_back(key(churn.tenancy(neighbourhood.homes()[i]).resident()));
  }
  Strangers strangers(model, neighbourhood, churn);
  const std::size_t first = 2 * (homes - taken);
  std::vector<Attackers::Flooder> flooders(attackers - kSpammers);
  for (std::size_t i = 0; i < flooders.size(); ++i) {
    flooders[i].participant = first + i;
    for (std::size_t k = 0; k < kKeysOfFlooder; ++k) flooders[i].keys.push_back(strangers.next());
  }
  std::vector<Attackers::Spammer> spammers;
  spammers.push_back({first + flooders.size(), strangers.next()});
  const std::size_t flooding = flooders.size();
  return AttackRounds(follower, first, flooding,
                      std::make_unique<Attackers>(network, std::move(target), std::move(flooders),
                                                  std::move(spammers), where.core));
}

Result<WatchReport::Attack> AttackRounds::carry_out(
    Traffic& traffic, std::size_t rounds, Duration round,
    const std::function<Result<void>(int phase)>& look) {
  WatchReport::Attack out;
  out.flooders = flooders_;
  out.spammers = kSpammers;
  attackers_->go();
  std::this_thread::sleep_for(kFirst);
  attackers_->rest();
  settle();
  const auto dots = [this] { return follower_.replica().store().counts().dots; };
  const std::uint64_t dots_before = dots();
  const Attackers::Counts before = attackers_->counts();
  double attacked_s = 0;
  for (int phase = 1; std::cmp_less_equal(phase, 2 * rounds); ++phase) {
    WatchReport::Round& of_round = out.rounds.emplace_back();
    of_round.attacked = phase % 2 == 0;
    const auto went = Timer::now();
    if (of_round.attacked) {
      attackers_->go();
      std::this_thread::sleep_for(kComing);
    }
    traffic.begin(phase, feeds_, kBetweenMessages);
    std::this_thread::sleep_for(round);
    traffic.end();
    if (of_round.attacked) {
      attackers_->rest();
      attacked_s += std::chrono::duration<double>(Timer::now() - went).count();
    }
    const Traffic::Counts counts = traffic.counts(phase);
    of_round.messages = counts.accepted;
    if (of_round.attacked) {
      out.messages_lost +=
          counts.accepted - std::min(counts.accepted, counts.arrived) + counts.failed;
    }
    settle();
    BW_CHECK(look(phase));
  }
  const Attackers::Counts after = attackers_->counts();
  const auto rate = [attacked_s](std::uint64_t from, std::uint64_t to) {
    return static_cast<double>(to - from) / attacked_s;
  };
  out.flood_messages_per_s = rate(before.messages, after.messages);
  out.flood_sessions_per_s = rate(before.sessions, after.sessions);
  out.spam_dots_per_s = rate(before.dots, after.dots);
  out.spam_taken = dots() - dots_before;
  return out;
}

}  // namespace bw::city
