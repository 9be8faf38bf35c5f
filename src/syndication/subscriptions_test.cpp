// SPDX-License-Identifier: Apache-2.0
#include "syndication/subscriptions.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "syndication/testing/router_world.hpp"

namespace bw::syndication {
namespace {

using testing::World;

std::vector<std::uint64_t> handles(const std::vector<Subscription*>& subscriptions) {
  std::vector<std::uint64_t> out;
  for (const Subscription* one : subscriptions) out.push_back(one->handle);
  return out;
}

// A few grants, each with its own expiry, on which any number of subscriptions rest.
class Holdings {
 public:
  Holdings() : cache(world.graph, 10) {
    for (const int seconds : {10, 20, 30}) {
      const std::string who = fmt::format("reader{}", seconds);
      const auto proof = world.granted(who, {.expires = world.now + std::chrono::seconds(seconds)});
      grants.push_back(*cache.authorize(
          {world.id(who), world.id("ns"), testing::pattern("a"), *wave::Permissions::parse("P")},
          wave::proof_hash(*proof), *proof, world.now));
    }
  }

  Subscription& add(const std::string& uri, const GrantPtr& grant) {
    auto topic = std::make_shared<TopicState>();
    topic->topic = {world.id("ns"), {}, testing::pattern(uri)};
    return all.add({.session = &session,
                    .entity = &entity,
                    .request = {},
                    .topic = std::move(topic),
                    .grant = grant});
  }

  World world;
  GrantCache cache;
  Entity entity{.key = {}, .expires = kNever};
  Session session;
  Subscriptions all;
  std::vector<GrantPtr> grants;
};

// What the indexes should say, by looking at every subscription.
struct Model {
  struct One {
    Subscription* subscription;
    GrantPtr grant;
    Time recheck_at;
  };
  std::map<std::uint64_t, One> all;

  std::vector<std::uint64_t> resting_on(const GrantPtr& grant) const {
    std::vector<std::uint64_t> out;
    for (const auto& [handle, one] : all) {
      if (one.grant == grant) out.push_back(handle);
    }
    return out;
  }
  std::vector<std::uint64_t> due(Time now) const {
    std::vector<std::pair<Time, std::uint64_t>> found;
    for (const auto& [handle, one] : all) {
      if (one.recheck_at <= now) found.emplace_back(one.recheck_at, handle);
    }
    std::ranges::sort(found);
    std::vector<std::uint64_t> out;
    for (const auto& [at, handle] : found) out.push_back(handle);
    return out;
  }
};

RC_GTEST_PROP(SubscriptionsProperty, IndexesSayWhatEverySubscriptionSays, ()) {
  Holdings held;
  Model model;
  const auto some = [&]() -> Model::One& {
    const auto n = *rc::gen::inRange<std::size_t>(0, model.all.size());
    return std::next(model.all.begin(), static_cast<std::ptrdiff_t>(n))->second;
  };
  const auto grant = [&] { return *rc::gen::elementOf(held.grants); };
  for (int step = *rc::gen::inRange(0, 60); step > 0; --step) {
    const int action = model.all.empty() ? 0 : *rc::gen::inRange(0, 5);
    if (action <= 1) {
      const GrantPtr on = grant();
      Subscription& added = held.add(*rc::gen::element<std::string>("a", "a/+", "*"), on);
      model.all[added.handle] = {&added, on, on->grant.expires};
    } else if (action == 2) {
      Subscription& gone = *some().subscription;
      model.all.erase(gone.handle);
      held.all.remove(gone);
    } else if (action == 3) {
      Model::One& one = some();
      one.grant = grant();
      one.recheck_at = one.grant->grant.expires;
      held.all.renew(*one.subscription, one.grant);
    } else {
      Model::One& one = some();
      one.recheck_at = Time{};
      held.all.doubt(*one.subscription);
    }
    for (const GrantPtr& each : held.grants) {
      RC_ASSERT(handles(held.all.resting_on(*each)) == model.resting_on(each));
    }
    for (const auto wait : {0s, 10s, 20s, 30s}) {
      const Time now = held.world.now + wait;
      RC_ASSERT(handles(held.all.due(now)) == model.due(now));
    }
    RC_ASSERT(held.all.size() == model.all.size());
    RC_ASSERT(held.session.subscriptions == model.all.size());
    RC_ASSERT(held.entity.subscriptions == model.all.size());
  }
}

TEST(Subscriptions, MatchInOrderOfSubscribing) {
  Holdings held;
  const std::uint64_t wide = held.add("*", held.grants[0]).handle;
  const std::uint64_t exact = held.add("a", held.grants[1]).handle;
  const std::uint64_t other = held.add("b", held.grants[1]).handle;
  const std::uint64_t again = held.add("a", held.grants[2]).handle;
  std::vector<Subscription*> found;
  held.all.match({held.world.id("ns"), {}, testing::pattern("a")}, found);
  EXPECT_EQ(handles(found), (std::vector{wide, exact, again}));
  found.clear();
  held.all.match({held.world.id("ns"), {}, testing::pattern("b")}, found);
  EXPECT_EQ(handles(found), (std::vector{wide, other}));
}

}  // namespace
}  // namespace bw::syndication
