// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "city/follower.hpp"
#include "city/participants/attackers.hpp"
#include "city/participants/neighbourhood.hpp"
#include "city/participants/watch_report.hpp"

namespace bw::city {

// Some of the participants attack the router and the ledger while the messages of the others are
// watched.
class AttackRounds {
 public:
  struct Where {
    Door router;
    Door ledger;
    int core = -1;  // of the attackers
  };
  // Ten who flood and one who spams, or, of few participants, no more than half of them: the last.
  static Result<AttackRounds> prepare(const Model& model, const link::Network& network,
                                      const Neighbourhood& neighbourhood, const Churn& churn,
                                      Follower& follower, const Where& where);

  // Quiet rounds and attacked ones in turn, `rounds` of each, phases 1, 2, ... of the traffic.
  // Calls `look` after each.
  Result<WatchReport::Attack> carry_out(Traffic& traffic, std::size_t rounds, Duration round,
                                        const std::function<Result<void>(int phase)>& look);

 private:
  AttackRounds(Follower& follower, std::size_t feeds, std::size_t flooders,
               std::unique_ptr<Attackers> attackers)
      : follower_(follower), feeds_(feeds), flooders_(flooders), attackers_(std::move(attackers)) {}

  Follower& follower_;
  std::size_t feeds_;  // of those who do not attack
  std::size_t flooders_;
  std::unique_ptr<Attackers> attackers_;
};

}  // namespace bw::city
