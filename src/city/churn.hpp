// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <map>
#include <random>

#include "city/model.hpp"
#include "city/objects.hpp"

// A city that lives: people move, buildings and houses are sold, homes change their utility. Pure:
// the same seed gives the same events.
namespace bw::city {

// The paper's busiest hour: permission changes at the size of San Francisco.
inline constexpr double kPeakChangesPerHour = 150;

// Of the peak, at a time of day: little at night, all of it in the late afternoon.
double daily_profile(Duration since_midnight);

enum class Occasion : std::uint8_t {
  kNewLease,        // an apartment's owner revokes the lease and makes one with a new household
  kHouseSale,       // the title drops its resident for a new one
  kBuildingSale,    // a building drops its owner for a new one, who confirms every lease
  kUtilityChange,   // a home is served by another district from now on
  kHousemateJoins,  // the resident lets somebody in
  kHousemateLeaves,
};
inline constexpr std::size_t kOccasions = 6;
std::string_view occasion_name(Occasion occasion);

// A DoT that was put with event `since` (0: when the city was built).
struct PutGrant {
  Grant grant;
  std::uint64_t since = 0;
};

struct Event {
  std::uint64_t number = 0;  // 1 and up
  Duration at{};             // since midnight of the first day
  Occasion occasion = Occasion::kNewLease;
  std::uint32_t place = 0;        // the building of a building's sale, else the home
  std::vector<Who> newcomers;     // entities to register, before the rest
  std::vector<PutGrant> revoked;  // each by its granter
  std::vector<Grant> granted;

  // Permission changes.
  [[nodiscard]] std::size_t changes() const { return revoked.size() + granted.size(); }
};

// When the objects of an event say that they were made. It is not the event's time in the city, but
// rises with every event, so that no two DoTs are the same, and is in the past.
Time created_of_event(std::uint64_t number);
// The event as signed objects, in the order in which they are put.
std::vector<Bytes> objects_of(const Event& event, std::uint64_t model_seed);

struct Attempt {
  Who who;
  std::uint32_t home = 0;
  Act act = Act::kReadMeter;
};
std::string to_text(const Attempt& attempt);

class Churn {
 public:
  // `model` must outlive it. `peak`: permission changes in the busiest hour, above 0.
  Churn(const Model& model, std::uint64_t seed, double peak)
      : model_(model), peak_(peak), random_(seed) {}

  // The next event; all that is said below holds after it.
  Event next();
  [[nodiscard]] std::uint64_t events() const { return events_; }

  // The truth.
  [[nodiscard]] Tenancy tenancy(std::uint32_t home) const;
  [[nodiscard]] Resource resource(std::uint32_t home, Act act) const;
  [[nodiscard]] std::optional<std::vector<Who>> allowed(const Attempt& attempt) const;

  // Somebody and something at a home. Of an honest one: people at their own home. Else anybody,
  // and often those who lost their place not long ago. Either may turn out allowed or not.
  [[nodiscard]] Attempt attempt(std::mt19937_64& random, bool honest) const;

 private:
  struct Home {
    Tenancy tenancy;
    std::vector<PutGrant> live;
  };
  struct Lost {
    Who who;
    std::uint32_t home;
  };

  std::uint64_t below(std::uint64_t end) { return random_() % end; }
  [[nodiscard]] Occasion draw_occasion();
  void advance(std::size_t changes);
  Home& home(std::uint32_t index);
  Who newcomer(Kind kind, Event& event);
  void settle(std::uint32_t index, const Tenancy& tenancy, Event& event);
  void move_in(Tenancy& tenancy, Event& event);
  void change_housemates(std::uint32_t index, Event& event);
  void sell_building(Event& event);
  void lose(Who who, std::uint32_t home);
  [[nodiscard]] Who somebody(std::mt19937_64& random, std::uint32_t home) const;

  const Model& model_;
  const double peak_;
  std::mt19937_64 random_;
  std::uint64_t events_ = 0;
  Duration now_{};
  std::map<std::uint32_t, Home> homes_;          // that differ from the model
  std::map<std::uint32_t, PutGrant> buildings_;  // to their owners, of those sold
  std::array<std::uint32_t, kKinds> newcomers_{};
  std::deque<Lost> lost_;  // latest last
};

}  // namespace bw::city
