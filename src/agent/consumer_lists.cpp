// SPDX-License-Identifier: Apache-2.0
#include "agent/consumer_lists.hpp"

#include "wave/consumers.hpp"

namespace bw::agent {
namespace {

// Grants may begin by themselves, which no news tells of.
constexpr Duration kReview = 30s;
// About 32 MiB of keys.
constexpr std::size_t kMostWeight = 1'000'000;

}  // namespace

Result<ConsumerLists::List> ConsumerLists::of(const EntityKey& ns, const wave::Pattern& uri,
                                              bool look_again) {
  const Time now = clock_.now();
  if (weight_ > kMostWeight) {
    known_.clear();
    weight_ = 0;
  }
  Known& known = known_[ns][uri.text()];
  if (!look_again && now < known.until) return known.list;
  BW_TRY(auto found,
         wave::consumers_of(ns, uri, replica_.store(), replica_, now, limits::kSealRecipients,
                            {.edges = limits::kSealSearchEdges}));
  known.until = std::min(found.until, now + kReview);
  weight_ += 1 + found.entities.size();
  if (found.everyone) {
    known.list = {true, nullptr};
  } else if (!known.list.readers || *known.list.readers != found.entities) {
    known.list = {false, std::make_shared<const std::vector<EntityKey>>(std::move(found.entities))};
  } else {
    known.list.everyone = false;
  }
  return known.list;
}

void ConsumerLists::forget(const EntityKey& ns) {
  const auto found = known_.find(ns);
  if (found == known_.end()) return;
  // The lists stay, so that those which have not changed are seen to be the same.
  for (auto& [uri, known] : found->second) known.until = Time{};
}

}  // namespace bw::agent
