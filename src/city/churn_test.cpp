// SPDX-License-Identifier: Apache-2.0
#include "city/churn.hpp"

#include <unordered_map>

#include <gtest/gtest.h>

#include "wave/search.hpp"
#include "wave/testing/memory_graph.hpp"

namespace bw::city {
namespace {

const Time kNow = from_seconds(1'800'000'000);

Model drawn(std::uint64_t seed, double scale) {
  auto model = Model::draw(seed, scale);
  EXPECT_TRUE(model.has_value());
  return *std::move(model);
}

// An authority that knows nothing but the objects that were put.
class Authority {
 public:
  explicit Authority(const Model& model) : seed_(model.seed()) {
    graph_.set_heard_at(kNow);
    for (std::size_t kind = 0; kind < kKinds; ++kind) {
      for (std::uint32_t i = 0; i < model.counts().entities[kind]; ++i) {
        graph_.add_entity(key({static_cast<Kind>(kind), i}), kCityCreated, kNever);
      }
    }
    const auto buildings = static_cast<std::uint32_t>(model.counts().entities_of(Kind::kBuilding));
    for (std::uint32_t i = 0; i < buildings; ++i) put(model.building_grant(i));
    for (const Grant& grant : model.utility_grants()) put(grant);
    for (std::uint32_t home = 0; home < model.homes(); ++home) {
      for (const Grant& grant : model.home_grants(home)) put(grant);
    }
  }

  // As a ledger would: whole objects, each checked.
  void put(const Bytes& bytes) {
    const auto object = wave::parse_object(bytes);
    ASSERT_TRUE(object.has_value());
    ASSERT_TRUE(wave::verify_signature(*object).has_value());
    if (const auto* entity = std::get_if<wave::Signed<wave::Entity>>(&*object)) {
      graph_.add(*entity);
    } else if (const auto* dot = std::get_if<wave::Signed<wave::Dot>>(&*object)) {
      ASSERT_TRUE(dots_.emplace(dot->id, *dot).second) << "the same DoT twice";
      graph_.add(*dot);
    } else {
      const auto& revocation = std::get<wave::Signed<wave::Revocation>>(*object);
      const auto found = dots_.find(revocation.value.dot());
      ASSERT_NE(found, dots_.end()) << "revokes what is not there";
      EXPECT_EQ(found->second.value.granter, revocation.value.revoker);
      const auto status = graph_.dot(revocation.value.dot());
      EXPECT_FALSE((*status)->revoked) << "revokes twice";
      graph_.add(revocation);
    }
  }

  // The path of a proof that is accepted, as keys.
  std::optional<std::vector<EntityKey>> path(const Attempt& attempt, const Resource& resource) {
    const wave::Request request = request_for(resource, key(attempt.who), key(resource.ns));
    const auto found = wave::find_path(request, graph_, graph_, kNow);
    EXPECT_TRUE(found.has_value());
    EXPECT_FALSE(found->exhausted_bounds);
    if (!found->path) return std::nullopt;
    std::vector<EntityKey> out{request.ns};
    wave::Proof proof;
    for (const wave::Edge& edge : found->path->edges) {
      proof.dots.push_back(dots_.at(edge.dot));
      out.push_back(edge.grantee);
    }
    EXPECT_TRUE(wave::authorize(request, proof, graph_, kNow).has_value());
    return out;
  }

  const EntityKey& key(Who who) {
    const auto found = keys_.find(who);
    if (found != keys_.end()) return found->second;
    return keys_.emplace(who, key_of(seed_, who).public_key()).first->second;
  }

 private:
  void put(const Grant& grant) {
    put(dot_object(grant, key_of(seed_, grant.granter), key(grant.grantee), key(grant.ns)).bytes);
  }

  std::uint64_t seed_;
  wave::testing::MemoryGraph graph_;
  std::unordered_map<ObjectId, wave::Signed<wave::Dot>> dots_;
  std::map<Who, EntityKey> keys_;
};

TEST(Churn, TruthAgreesWithTheAuthorityAtEveryMoment) {
  for (const std::uint64_t seed : {1U, 2U}) {
    const Model model = drawn(seed, 0.0002);
    Authority authority(model);
    Churn churn(model, seed, kPeakChangesPerHour);
    std::mt19937_64 random(seed);
    std::size_t allowed = 0;
    std::size_t refused = 0;
    std::array<int, kOccasions> occasions{};
    for (int i = 0; i < 200; ++i) {
      const Event event = churn.next();
      ++occasions[static_cast<std::size_t>(event.occasion)];
      for (const Bytes& object : objects_of(event, model.seed())) authority.put(object);
      for (int j = 0; j < 20; ++j) {
        const Attempt attempt = churn.attempt(random, j % 2 == 0);
        const auto truth = churn.allowed(attempt);
        const auto path = authority.path(attempt, churn.resource(attempt.home, attempt.act));
        ASSERT_EQ(truth.has_value(), path.has_value())
            << to_text(attempt) << " after a " << occasion_name(event.occasion);
        ++(truth ? allowed : refused);
        if (!truth) continue;
        ASSERT_EQ(truth->size(), path->size()) << to_text(attempt);
        for (std::size_t k = 0; k < path->size(); ++k) {
          ASSERT_EQ(authority.key((*truth)[k]), (*path)[k]) << to_text(attempt);
        }
      }
    }
    EXPECT_GT(allowed, 1000U);
    EXPECT_GT(refused, 1000U);
    for (const int number : occasions) EXPECT_GT(number, 0);
  }
}

TEST(Churn, ChangesComeAtTheRateOfTheHour) {
  const Model model = drawn(1, 0.01);
  Churn churn(model, 1, 600);
  std::array<double, 24> by_hour{};
  constexpr int kDays = 40;
  while (true) {
    const Event event = churn.next();
    const auto hour = std::chrono::duration_cast<std::chrono::hours>(event.at).count();
    if (hour >= 24 * kDays) break;
    by_hour[static_cast<std::size_t>(hour % 24)] += static_cast<double>(event.changes()) / kDays;
  }
  for (std::size_t hour = 0; hour < 24; ++hour) {
    const double expected = 600 * daily_profile(std::chrono::hours(hour));
    EXPECT_NEAR(by_hour[hour], expected, 40 + expected / 4) << hour;
  }
}

TEST(Churn, IsAFunctionOfItsSeedAndNotOfWhatIsAsked) {
  const Model model = drawn(1, 0.0005);
  Churn one(model, 3, 150);
  Churn same(model, 3, 150);
  Churn other(model, 4, 150);
  std::mt19937_64 random(1);
  bool differs = false;
  for (int i = 0; i < 30; ++i) {
    static_cast<void>(one.attempt(random, false));
    const auto objects = objects_of(one.next(), 1);
    EXPECT_EQ(objects, objects_of(same.next(), 1));
    differs |= objects != objects_of(other.next(), 1);
  }
  EXPECT_TRUE(differs);
}

}  // namespace
}  // namespace bw::city
