// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "wave/consumers.hpp"
#include "wave/search.hpp"
#include "wave/testing/scenario.hpp"

namespace bw::wave {
namespace {

using testing::key_of;
using testing::kNow;
using testing::pattern_of;
using testing::permissions_of;
using testing::Scenario;

constexpr std::array<std::string_view, 8> kNames{"ns",   "alice", "bob",   "carol",
                                                 "dave", "erin",  "frank", "everyone"};
// With repetitions, so that long paths are not too rare.
constexpr std::array<std::string_view, 10> kGranters{"ns",    "ns",   "alice", "alice", "bob",
                                                     "carol", "dave", "erin",  "frank", "everyone"};
constexpr std::array<std::string_view, 7> kPatterns{"*", "*", "a/*", "a/*", "+/b", "a/b", "*/b"};
constexpr std::array<std::string_view, 5> kRequested{"a/b", "a/+", "a/b/c", "a/*", "x/b"};
constexpr std::array<std::string_view, 6> kPermissions{"C*T*PL", "C*T*PL", "PC", "PC+", "P", "C+"};
constexpr std::array<std::string_view, 3> kAsked{"P", "PC", "C+"};
constexpr std::array<int, 8> kTtls{0, 1, 2, 2, 3, 4, 5, 255};

// One random DoT: a byte per choice, so that shrinking tends to the first of each list.
struct Draw {
  std::uint8_t granter, grantee, pattern, permissions, ttl, expiry;
};

template <std::size_t N, class T>
T pick(const std::array<T, N>& list, std::uint8_t byte) {
  return list[byte % N];
}

// Edges with strangers that come first when the namespace's, bob's or everyone's are read, enough
// for the search not to see the others in its first look and to go by probes instead.
void crowd(Scenario& world) {
  for (int i = 0; i < 18; ++i) {
    const std::string stranger = "stranger" + std::to_string(i);
    if (i % 2 == 0) world.graph.add_entity(key_of(stranger));
    world.dot("ns", stranger, {.ttl = 255});
    world.dot(stranger, "bob");
    world.dot(stranger, "everyone");
  }
}

Scenario make(const std::vector<Draw>& draws, std::uint8_t dead, bool crowded) {
  Scenario world{};
  if (crowded) crowd(world);
  for (const std::string_view name : kNames) world.graph.add_entity(key_of(name));
  // Mostly nobody is dead.
  if (dead % 4 == 1) world.graph.revoke_entity(key_of(kNames[1 + dead / 4 % 6]));
  for (const Draw& draw : draws) {
    const std::string_view granter = pick(kGranters, draw.granter);
    const std::string_view grantee = pick(kNames, draw.grantee);
    if (granter == grantee) continue;
    const auto seconds = std::chrono::seconds(draw.expiry % 16 * 10);
    const auto dot = world.dot(granter, grantee,
                               {.on = pick(kPatterns, draw.pattern),
                                .can = pick(kPermissions, draw.permissions),
                                .ttl = pick(kTtls, draw.ttl),
                                .expires = kNow + seconds,
                                .not_before = draw.expiry == 255 ? kNow + 1s : Time{},
                                .conditions = draw.expiry == 254 ? "x" : ""});
    if (draw.expiry == 253) world.graph.revoke_dot(dot.id);
  }
  return world;
}

std::vector<Draw> draw_dots() {
  // Without resize the first worlds would be small and of few choices.
  const auto byte = rc::gen::resize(100, rc::gen::cast<std::uint8_t>(rc::gen::inRange(0, 256)));
  const auto one = rc::gen::map(
      rc::gen::tuple(byte, byte, byte, byte, byte, byte),
      [](const auto& bytes) { return std::apply([](auto... b) { return Draw{b...}; }, bytes); });
  const auto count = *rc::gen::resize(100, rc::gen::inRange<std::size_t>(0, 21));
  return *rc::gen::container<std::vector<Draw>>(count, one);
}

Scenario draw_world() {
  const auto dead = rc::gen::resize(100, rc::gen::cast<std::uint8_t>(rc::gen::inRange(0, 256)));
  return make(draw_dots(), *dead, *rc::gen::arbitrary<bool>());
}

// Every simple path from the namespace, judged by authorize() itself.
class Oracle {
 public:
  Oracle(const Scenario& world, const Request& request) : world_(world), request_(request) {
    if (allowed()) best_ = {0, kNever};
    extend(request.ns);
  }
  // Hops and earliest expiry of the best path.
  std::optional<std::pair<std::size_t, Time>> best() const { return best_; }

 private:
  bool allowed() const { return authorize(request_, Proof{path_}, world_.graph, kNow).has_value(); }
  void extend(const EntityKey& at) {
    if (!visited_.insert(at).second || path_.size() == limits::kProofDots) return;
    for (const auto& [id, dot] : world_.published) {
      if (dot.value.granter != at || visited_.contains(dot.value.grantee)) continue;
      path_.push_back(dot);
      if (allowed()) consider();
      extend(dot.value.grantee);
      path_.pop_back();
    }
    visited_.erase(at);
  }
  void consider() {
    Time expires = kNever;
    for (const auto& dot : path_) expires = std::min(expires, dot.value.expires);
    if (!best_ || path_.size() < best_->first ||
        (path_.size() == best_->first && expires > best_->second)) {
      best_ = {path_.size(), expires};
    }
  }

  const Scenario& world_;
  const Request& request_;
  std::vector<Signed<Dot>> path_;
  std::set<EntityKey> visited_;
  std::optional<std::pair<std::size_t, Time>> best_;
};

// Calls `check` with everything that could be asked in the namespace "ns".
void for_each_request(const auto& check) {
  for (const std::string_view origin : kNames) {
    for (const std::string_view on : kRequested) {
      for (const std::string_view can : kAsked) check(Scenario::request(origin, on, can));
    }
  }
}

RC_GTEST_PROP(SearchProperty, FindPathAgreesWithTryingEveryPath, ()) {
  const Scenario world = draw_world();
  std::size_t longest = 0;
  for_each_request([&](const Request& request) {
    const auto expected = Oracle(world, request).best();
    const SearchOutcome outcome = find_path(request, world.graph, world.graph, kNow).value();
    RC_ASSERT(!outcome.exhausted_bounds);
    RC_ASSERT(outcome.path.has_value() == expected.has_value());
    if (!expected) return;
    RC_ASSERT(outcome.path->edges.size() == expected->first);
    RC_ASSERT(outcome.path->expires == expected->second);
    const Proof proof = world.proof(outcome.path->edges);
    RC_ASSERT(authorize(request, proof, world.graph, kNow).has_value());
    longest = std::max(longest, expected->first);
  });
  RC_TAG(longest);
}

RC_GTEST_PROP(SearchProperty, WhoCanAgreesWithFindPath, ()) {
  const Scenario world = draw_world();
  Request request =
      Scenario::request("ns", *rc::gen::elementOf(kRequested), *rc::gen::elementOf(kAsked));
  const auto holders =
      who_can(request.ns, request.pattern, request.permissions, world.graph, world.graph, kNow)
          .value()
          .list;
  const auto holds = [&](const EntityKey& key) {
    return std::any_of(holders.begin(), holders.end(),
                       [&](const Holder& holder) { return holder.entity == key; });
  };
  for (const std::string_view name : kNames) {
    if (name == "everyone") continue;
    request.origin = key_of(name);
    const auto path = find_path(request, world.graph, world.graph, kNow).value().path;
    const bool live = !world.graph.entity(request.origin).value()->revoked;
    RC_ASSERT(path.has_value() == (live && (holds(request.origin) || holds(kEveryone))));
  }
  for (const Holder& holder : holders) {
    request.origin = holder.entity == kEveryone ? request.ns : holder.entity;
    RC_ASSERT(authorize(request, world.proof(holder.path.edges), world.graph, kNow).has_value());
  }
}

RC_GTEST_PROP(SearchProperty, ConsumersAreThoseWhoFindAPathToConsumeOrTap, ()) {
  const Scenario world = draw_world();
  for (const std::string_view on : {"a/b", "a/b/c", "x/b", "zz"}) {
    const auto found =
        consumers_of(key_of("ns"), pattern_of(on), world.graph, world.graph, kNow, 1000, {})
            .value();
    for (const std::string_view name : kNames) {
      if (name == "everyone") continue;
      bool may = false;
      for (const std::string_view can : {"C", "T"}) {
        const Request request = Scenario::request(name, on, can);
        may = may || find_path(request, world.graph, world.graph, kNow).value().path.has_value();
      }
      const bool live = !world.graph.entity(key_of(name)).value()->revoked;
      const bool listed = std::ranges::binary_search(found.entities, key_of(name));
      RC_ASSERT(may == (live && (listed || found.everyone)));
    }
  }
}

RC_GTEST_PROP(SearchProperty, WhatCanAgreesWithFindPath, ()) {
  const Scenario world = draw_world();
  const EntityKey entity = key_of(kNames[*rc::gen::inRange<std::size_t>(0, 7)]);
  const auto capabilities = what_can(entity, world.graph, world.graph, kNow).value().list;
  for (const std::string_view on : {"a", "a/b", "x/b", "a/b/c", "a/b/b", "zz"}) {
    for (const std::string_view can : {"P", "C", "C+", "C*", "T", "L", "PC"}) {
      const Request request{.origin = entity,
                            .ns = key_of("ns"),
                            .pattern = pattern_of(on),
                            .permissions = permissions_of(can)};
      const bool found =
          std::any_of(capabilities.begin(), capabilities.end(), [&](const Capability& capability) {
            return capability.ns == request.ns && covers(capability.pattern, request.pattern) &&
                   capability.permissions.contains(request.permissions);
          });
      const auto path = find_path(request, world.graph, world.graph, kNow).value().path;
      RC_ASSERT(path.has_value() == found);
    }
  }
  for (const Capability& capability : capabilities) {
    const Request request{.origin = entity,
                          .ns = capability.ns,
                          .pattern = capability.pattern,
                          .permissions = capability.permissions};
    RC_ASSERT(
        authorize(request, world.proof(capability.path.edges), world.graph, kNow).has_value());
  }
}

RC_GTEST_PROP(SearchProperty, ExplainIsRightAboutTheOneBadLink, ()) {
  const Scenario world = draw_world();
  std::size_t bad_links = 0;
  for_each_request([&](const Request& request) {
    const auto explanation = explain(request, world.graph, world.graph, kNow).value();
    const auto found = find_path(request, world.graph, world.graph, kNow).value();
    RC_ASSERT(explanation.path.has_value() == found.path.has_value());
    RC_ASSERT(explanation.path.has_value() == explanation.misses.empty());
    for (const NearMiss& miss : explanation.misses) {
      RC_ASSERT(!miss.reason.empty());
      if (miss.link < 0 || miss.link == static_cast<int>(miss.path.edges.size())) continue;
      ++bad_links;
      const Proof proof = world.proof(miss.path.edges);
      const auto verdict = authorize(request, proof, world.graph, kNow);
      RC_ASSERT(!verdict.has_value());
      RC_ASSERT(verdict.error().link == miss.link);
    }
  });
  RC_CLASSIFY(bad_links > 0);
}

}  // namespace
}  // namespace bw::wave
