// SPDX-License-Identifier: Apache-2.0
#include "city/check.hpp"

#include <algorithm>
#include <random>

#include "city/follower.hpp"
#include "city/oracle.hpp"
#include "city/quantile.hpp"
#include "replica/replica.hpp"

namespace bw::city {
namespace {

using Timer = std::chrono::steady_clock;

struct Attempt {
  Who who;
  std::uint32_t home;
  Act act;
};

class Attempts {
 public:
  Attempts(const Model& model) : model_(model), random_(model.seed()) {}

  Attempt next() {
    Attempt attempt{{Kind::kOccupant, 0}, below(model_.homes()), kActs[below(kActs.size())]};
    const auto lot = below(100);
    if (lot < 60) {
      const Model::Range there = model_.occupants_of(attempt.home);
      attempt.who.index = there.first + below(there.size());
    } else if (lot < 75) {
      attempt.who.index = below(model_.counts().entities_of(Kind::kOccupant));
    } else {
      attempt.who = somebody_else(attempt.home);
    }
    return attempt;
  }

 private:
  // Devices, utilities, leases, owners; half of them those of the home.
  Who somebody_else(std::uint32_t home) {
    const std::uint32_t other = below(2) == 0 ? home : below(model_.homes());
    switch (below(5)) {
      case 0:
        return {Kind::kThermostat, other};
      case 1:
        return {Kind::kMeter, other};
      case 2:
        return {Kind::kUtility, model_.district_of(other)};
      case 3:
        return model_.tenure_of(other);
      default:
        break;
    }
    if (!model_.is_apartment(other)) return model_.namespace_of(other);
    return {Kind::kOwner, model_.owner_of(model_.building_of(other))};
  }

  std::uint32_t below(std::uint64_t end) { return static_cast<std::uint32_t>(random_() % end); }

  const Model& model_;
  std::mt19937_64 random_;
};

class Checker {
 public:
  Checker(const Model& model, store::AuthorityStore& store)
      : model_(model), store_(store), replica_(store, clock_, true) {}

  Result<void> attempt(const Attempt& attempt, CheckReport& report) {
    const Resource resource = model_.resource(attempt.home, attempt.act);
    const wave::Request request = request_for(resource, key(attempt.who), key(resource.ns));
    const auto began = Timer::now();
    const auto found = replica_.find_proof(request, clock_.now());
    const double us = std::chrono::duration<double, std::micro>(Timer::now() - began).count();
    if (!found && found.error().code != ErrorCode::kDenied) return fail(found.error());
    const auto truth = model_.allowed(attempt.who, attempt.home, attempt.act);
    BW_TRY(const bool oracle, oracle_allows(store_, request));
    ++report.pairs;
    if (found) ++report.allowed;
    if (found && attempt.who.kind == Kind::kOccupant) {
      CheckReport::Times& times = report.by_links[found->proof->dots.size()];
      times.build.push_back(us);
      BW_TRY(const double verify_us, verify(request, *found->proof));
      times.verify.push_back(verify_us);
    }
    const bool same_path = !found || !truth || goes(*found->proof, *truth);
    if (found.has_value() == truth.has_value() && found.has_value() == oracle && same_path) {
      return {};
    }
    ++report.disagreements;
    if (report.named.size() < CheckReport::kNamed) {
      report.named.push_back(fmt::format(
          "{} {} at home {}, to {}: proof search says {}, the model {}, the oracle {}{}",
          kind_name(attempt.who.kind), attempt.who.index, attempt.home, act_name(attempt.act),
          found ? "yes" : "no", truth ? "yes" : "no", oracle ? "yes" : "no",
          same_path ? "" : ", by another path"));
    }
    return {};
  }

 private:
  // Microseconds. As one to whom the proof is new.
  [[nodiscard]] Result<double> verify(const wave::Request& request,
                                      const wave::Proof& found) const {
    const Bytes bytes = wave::encode(found);
    const auto began = Timer::now();
    BW_TRY(const wave::Proof proof, wave::parse_proof(bytes));
    for (const auto& dot : proof.dots) BW_CHECK(wave::verify_signature(dot));
    const auto grant = wave::authorize(request, proof, replica_, clock_.now());
    const double us = std::chrono::duration<double, std::micro>(Timer::now() - began).count();
    if (grant) return us;
    return fail(ErrorCode::kInternal, "a proof that was found does not hold: {}",
                grant.error().reason);
  }

  [[nodiscard]] EntityKey key(Who who) const { return key_of(model_.seed(), who).public_key(); }

  [[nodiscard]] bool goes(const wave::Proof& proof, const std::vector<Who>& path) const {
    if (proof.dots.size() + 1 != path.size()) return false;
    for (std::size_t i = 0; i < proof.dots.size(); ++i) {
      const wave::Dot& dot = proof.dots[i].value;
      if (dot.granter != key(path[i]) || dot.grantee != key(path[i + 1])) return false;
    }
    return true;
  }

  const Model& model_;
  store::AuthorityStore& store_;
  SystemClock clock_;
  replica::Replica replica_;
};

}  // namespace

double CheckReport::cold(double part) const {
  std::vector<double> all;
  for (const auto& [links, times] : by_links) {
    all.insert(all.end(), times.build.begin(), times.build.end());
  }
  std::ranges::sort(all);
  return quantile(all, part);
}

Result<CheckReport> check(const Model& model, const std::filesystem::path& authority,
                          std::uint64_t pairs) {
  CheckReport report;
  const auto began = Timer::now();
  BW_TRY(const auto store, store::AuthorityStore::open(authority));
  BW_TRY(const auto first,
         store->entity_status(key_of(model.seed(), {Kind::kOccupant, 0}).public_key()));
  report.reopen_s = std::chrono::duration<double>(Timer::now() - began).count();
  if (!first) {
    return fail(
        ErrorCode::kNotFound,
        "{}: holds no city of seed {} and scale {}; build it first, or name the same --seed "
        "and --scale",
        authority.string(), model.seed(), model.scale());
  }
  Checker checker(model, *store);
  Attempts attempts(model);
  for (std::uint64_t i = 0; i < pairs; ++i) BW_CHECK(checker.attempt(attempts.next(), report));
  for (auto& [links, times] : report.by_links) {
    std::ranges::sort(times.build);
    std::ranges::sort(times.verify);
  }
  return report;
}

}  // namespace bw::city
