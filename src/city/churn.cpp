// SPDX-License-Identifier: Apache-2.0
#include "city/churn.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"

namespace bw::city {
namespace {

using Hours = std::chrono::duration<double, std::ratio<3600>>;

constexpr std::size_t kMostHousemates = 12;
constexpr std::size_t kLostKept = 256;

// Events of each occasion in a hundred.
constexpr std::array<std::uint64_t, kOccasions> kWeights{42, 10, 3, 15, 15, 15};

double uniform(std::mt19937_64& random) {
  return static_cast<double>((random() >> 11U) + 1) / 9007199254740993.0;
}

std::uint32_t below(std::mt19937_64& random, std::uint64_t end) {
  return static_cast<std::uint32_t>(random() % end);
}

// Whether a granter is there to revoke what it granted; what others granted leads nowhere, because
// nothing leads to them any more.
bool is_in_place(Who granter, const Tenancy& tenancy) {
  return granter.kind == Kind::kUtility || granter == tenancy.owner || granter == tenancy.tenure ||
         granter == tenancy.resident();
}

}  // namespace

double daily_profile(Duration since_midnight) {
  constexpr std::array<double, 24> kByHour{.08, .05, .04, .04, .05, .08, .15, .3, .5, .7,  .8, .85,
                                           .8,  .8,  .85, .9,  .95, 1,   .9,  .7, .5, .35, .2, .12};
  const double hours = std::chrono::duration_cast<Hours>(since_midnight).count();
  return kByHour[static_cast<std::size_t>(std::fmod(hours, 24))];
}

std::string_view occasion_name(Occasion occasion) {
  constexpr std::array<std::string_view, kOccasions> kNames{"new lease",       "house sale",
                                                            "building sale",   "utility change",
                                                            "housemate joins", "housemate leaves"};
  return kNames[static_cast<std::size_t>(occasion)];
}

Time created_of_event(std::uint64_t number) {
  return kCityCreated + std::chrono::seconds(number);
}

std::vector<Bytes> objects_of(const Event& event, std::uint64_t model_seed) {
  const Time created = created_of_event(event.number);
  const auto dot = [&](const Grant& grant, const crypto::SigningKey& granter, Time at) {
    return dot_object(grant, granter, key_of(model_seed, grant.grantee).public_key(),
                      key_of(model_seed, grant.ns).public_key(), at);
  };
  std::vector<Bytes> out;
  for (const Who who : event.newcomers) {
    out.push_back(entity_object(key_of(model_seed, who), created).bytes);
  }
  for (const PutGrant& old : event.revoked) {
    const crypto::SigningKey granter = key_of(model_seed, old.grant.granter);
    const auto put = dot(old.grant, granter, created_of_event(old.since));
    auto revocation = wave::sign(wave::Revocation{.revoker = granter.public_key(),
                                                  .target_kind = wave::Revocation::Target::kDot,
                                                  .target = put.id.bytes,
                                                  .created = created,
                                                  .comment = {}},
                                 granter);
    BW_ASSERT(revocation.has_value());
    out.push_back(std::move(revocation->bytes));
  }
  for (const Grant& grant : event.granted) {
    out.push_back(dot(grant, key_of(model_seed, grant.granter), created).bytes);
  }
  return out;
}

std::string to_text(const Attempt& attempt) {
  return fmt::format("{} {} at home {}, to {}", kind_name(attempt.who.kind), attempt.who.index,
                     attempt.home, act_name(attempt.act));
}

Event Churn::next() {
  Event event;
  event.number = ++events_;
  event.occasion = draw_occasion();
  const auto apartment = static_cast<std::uint32_t>(below(model_.apartments()));
  switch (event.occasion) {
    case Occasion::kNewLease: {
      event.place = apartment;
      Tenancy tenancy = home(event.place).tenancy;
      lose(tenancy.tenure, event.place);
      tenancy.tenure = newcomer(Kind::kLease, event);
      move_in(tenancy, event);
      settle(event.place, tenancy, event);
      break;
    }
    case Occasion::kHouseSale: {
      event.place = model_.apartments() + static_cast<std::uint32_t>(below(model_.houses()));
      Tenancy tenancy = home(event.place).tenancy;
      move_in(tenancy, event);
      settle(event.place, tenancy, event);
      break;
    }
    case Occasion::kBuildingSale:
      event.place = model_.building_of(apartment);
      sell_building(event);
      break;
    case Occasion::kUtilityChange: {
      event.place = static_cast<std::uint32_t>(below(model_.homes()));
      Tenancy tenancy = home(event.place).tenancy;
      const std::uint64_t districts = model_.counts().entities_of(Kind::kUtility) - 1;
      lose({Kind::kUtility, tenancy.district}, event.place);
      tenancy.district = 1 + static_cast<std::uint32_t>(below(districts));
      settle(event.place, tenancy, event);
      break;
    }
    case Occasion::kHousemateJoins:
    case Occasion::kHousemateLeaves:
      change_housemates(static_cast<std::uint32_t>(below(model_.homes())), event);
      break;
  }
  advance(event.changes());
  event.at = now_;
  return event;
}

Occasion Churn::draw_occasion() {
  std::uint64_t lot = below(100);
  std::size_t i = 0;
  while (lot >= kWeights[i]) lot -= kWeights[i++];
  return static_cast<Occasion>(i);
}

// The pause before an event is in proportion to its changes, so that these come at the rate of the
// hour whatever the events are.
void Churn::advance(std::size_t changes) {
  double left = -std::log(uniform(random_)) * static_cast<double>(changes);
  while (true) {
    const double rate = peak_ * daily_profile(now_);
    const double hours = std::chrono::duration_cast<Hours>(now_).count();
    const double to_next_hour = std::floor(hours) + 1 - hours;
    if (left <= rate * to_next_hour) {
      now_ += std::chrono::duration_cast<Duration>(Hours(left / rate));
      return;
    }
    left -= rate * to_next_hour;
    now_ = std::chrono::hours(static_cast<std::int64_t>(hours) + 1);
  }
}

// To be changed from now on.
Churn::Home& Churn::home(std::uint32_t index) {
  const auto found = homes_.find(index);
  if (found != homes_.end()) return found->second;
  Home out{tenancy(index), {}};
  for (Grant& grant : model_.home_grants(index)) out.live.push_back({std::move(grant), 0});
  return homes_.emplace(index, std::move(out)).first->second;
}

// An entity that the model does not have.
Who Churn::newcomer(Kind kind, Event& event) {
  const auto first = static_cast<std::uint32_t>(model_.counts().entities_of(kind));
  const Who who{kind, first + newcomers_[static_cast<std::size_t>(kind)]++};
  event.newcomers.push_back(who);
  return who;
}

// Grants what the tenancy takes, and revokes what it does not.
void Churn::settle(std::uint32_t index, const Tenancy& tenancy, Event& event) {
  Home& changed = home(index);
  std::vector<Grant> wanted = model_.home_grants(index, tenancy);
  std::vector<PutGrant> live;
  for (PutGrant& old : changed.live) {
    const auto same = std::ranges::find(wanted, old.grant);
    if (same != wanted.end()) {
      wanted.erase(same);
      live.push_back(std::move(old));
    } else if (is_in_place(old.grant.granter, tenancy)) {
      event.revoked.push_back(std::move(old));
    }
  }
  for (Grant& grant : wanted) {
    live.push_back({grant, event.number});
    event.granted.push_back(std::move(grant));
  }
  changed.tenancy = tenancy;
  changed.live = std::move(live);
}

void Churn::move_in(Tenancy& tenancy, Event& event) {
  for (const std::uint32_t i : tenancy.occupants) lose({Kind::kOccupant, i}, event.place);
  tenancy.occupants.clear();
  const std::uint64_t people = 1 + std::min(below(4), below(4));
  for (std::uint64_t i = 0; i < people; ++i) {
    tenancy.occupants.push_back(newcomer(Kind::kOccupant, event).index);
  }
}

void Churn::change_housemates(std::uint32_t index, Event& event) {
  event.place = index;
  Tenancy tenancy = home(index).tenancy;
  const std::size_t people = tenancy.occupants.size();
  if (people == 1) event.occasion = Occasion::kHousemateJoins;
  if (people >= kMostHousemates) event.occasion = Occasion::kHousemateLeaves;
  if (event.occasion == Occasion::kHousemateJoins) {
    tenancy.occupants.push_back(newcomer(Kind::kOccupant, event).index);
  } else {
    const auto gone =
        tenancy.occupants.begin() + static_cast<std::ptrdiff_t>(1 + below(people - 1));
    lose({Kind::kOccupant, *gone}, index);
    tenancy.occupants.erase(gone);
  }
  settle(index, tenancy, event);
}

void Churn::sell_building(Event& event) {
  const std::uint32_t index = event.place;
  const Model::Range apartments = model_.apartments_of(index);
  const auto found = buildings_.find(index);
  PutGrant old =
      found == buildings_.end() ? PutGrant{model_.building_grant(index), 0} : found->second;
  lose(old.grant.grantee, apartments.first);
  Grant grant = old.grant;
  event.revoked.push_back(std::move(old));
  // A key of its own for each purchase, so that what a former owner granted stays without effect
  // when they buy the building back.
  grant.grantee = newcomer(Kind::kOwner, event);
  event.granted.push_back(grant);
  for (std::uint32_t i = apartments.first; i < apartments.end; ++i) {
    Tenancy tenancy = home(i).tenancy;
    tenancy.owner = grant.grantee;
    settle(i, tenancy, event);
  }
  buildings_[index] = {grant, event.number};
}

void Churn::lose(Who who, std::uint32_t home) {
  lost_.push_back({who, home});
  if (lost_.size() > kLostKept) lost_.pop_front();
}

Tenancy Churn::tenancy(std::uint32_t home) const {
  const auto found = homes_.find(home);
  return found == homes_.end() ? model_.tenancy_of(home) : found->second.tenancy;
}

Resource Churn::resource(std::uint32_t home, Act act) const {
  return model_.resource(home, act, tenancy(home).district);
}

std::optional<std::vector<Who>> Churn::allowed(const Attempt& attempt) const {
  return model_.allowed(attempt.who, attempt.home, attempt.act, tenancy(attempt.home));
}

Attempt Churn::attempt(std::mt19937_64& random, bool honest) const {
  Attempt out;
  out.home = city::below(random, model_.homes());
  out.act = kActs[city::below(random, kActs.size())];
  if (honest) {
    const Tenancy there = tenancy(out.home);
    const std::uint32_t one = city::below(random, there.occupants.size());
    out.who = {Kind::kOccupant, there.occupants[one]};
    std::vector<Act> acts;
    for (const Act act : kActs) {
      if (allowed({out.who, out.home, act})) acts.push_back(act);
    }
    out.act = acts[city::below(random, acts.size())];
    return out;
  }
  if (!lost_.empty() && random() % 2 == 0) {
    const Lost& lost = lost_[city::below(random, lost_.size())];
    out.who = lost.who;
    out.home = lost.home;
    return out;
  }
  out.who = somebody(random, out.home);
  return out;
}

// Of the home itself or, as often, of another.
Who Churn::somebody(std::mt19937_64& random, std::uint32_t home) const {
  const std::uint32_t other = random() % 2 == 0 ? home : city::below(random, model_.homes());
  const Tenancy there = tenancy(other);
  switch (random() % 6) {
    case 0:
      return {Kind::kThermostat, other};
    case 1:
      return {Kind::kMeter, other};
    case 2:
      return {Kind::kUtility, there.district};
    case 3:
      return there.tenure;
    case 4:
      return there.owner;
    default:
      return {Kind::kOccupant, there.occupants[city::below(random, there.occupants.size())]};
  }
}

}  // namespace bw::city
