// SPDX-License-Identifier: Apache-2.0
#include "city/run.hpp"

#include <algorithm>
#include <cmath>

#include "city/resume.hpp"
#include "city/site.hpp"

namespace bw::city {
namespace {

using Timer = std::chrono::steady_clock;
using Hours = std::chrono::duration<double, std::ratio<3600>>;

constexpr std::size_t kProofsKept = 1024;
constexpr std::size_t kKeysKept = 65'536;

double us_since(Timer::time_point began) {
  return std::chrono::duration<double, std::micro>(Timer::now() - began).count();
}

std::string path_text(const std::vector<Who>& path) {
  std::string out;
  for (const Who who : path) {
    if (!out.empty()) out += " > ";
    out += fmt::format("{} {}", kind_name(who.kind), who.index);
  }
  return out;
}

class Runner {
 public:
  Runner(const Model& model, const RunOptions& options, Follower& follower)
      : model_(model),
        options_(options),
        follower_(follower),
        progress_(churn_progress(options.directory, model, options.peak, options.door)),
        churn_(model, model.seed(), options.peak),
        random_(model.seed()) {}

  Result<RunReport> run() {
    BW_TRY(const Event last, resume(model_, progress_, follower_, churn_, options_.on_following));
    const Duration start = last.at;
    random_.seed(model_.seed() + churn_.events());
    const auto began = Timer::now();
    const auto length = std::chrono::duration_cast<Duration>(Hours(24 * options_.days));
    Duration passed{};
    while (passed < length) {
      const Event event = churn_.next();
      BW_CHECK(put(event));
      passed = event.at - start;
      const double part = std::min(1.0, Hours(passed) / Hours(length));
      BW_CHECK(attempt_until(std::llround(part * static_cast<double>(options_.attempts))));
      BW_CHECK(send_until(std::llround(part * static_cast<double>(options_.messages))));
      tell(std::min(passed, length), length);
    }
    report_.city_hours = Hours(passed).count();
    report_.wall_s = us_since(began) / 1e6;
    std::ranges::sort(report_.decide_us);
    std::ranges::sort(report_.change_us);
    for (RunReport::HourOfDay& hour : report_.day) std::ranges::sort(hour.change_us);
    return std::move(report_);
  }

 private:
  static std::size_t hour_of(const Event& event) {
    return static_cast<std::size_t>(std::chrono::floor<std::chrono::hours>(event.at).count() % 24);
  }

  struct Kept {
    Attempt attempt;
    wave::Request request;
    wave::Proof proof;
  };

  Result<void> put(const Event& event) {
    const std::vector<Bytes> objects = objects_of(event, model_.seed());
    const auto began = Timer::now();
    if (auto taken = follower_.put(objects); !taken) {
      return fail(taken.error().code, "event {} of the city ({}): {}", event.number,
                  occasion_name(event.occasion), taken.error().message);
    }
    RunReport::HourOfDay& hour_of_day = report_.day[hour_of(event)];
    report_.change_us.push_back(us_since(began));
    hour_of_day.change_us.push_back(report_.change_us.back());
    hour_of_day.changes += event.changes();
    BW_CHECK(progress_.save(event.number));
    ++report_.events;
    ++report_.occasions[static_cast<std::size_t>(event.occasion)];
    report_.changes += event.changes();
    const auto hour = std::chrono::floor<std::chrono::hours>(event.at);
    if (hour != hour_) in_hour_ = 0;
    hour_ = hour;
    in_hour_ += static_cast<double>(event.changes());
    report_.busiest_hour = std::max(report_.busiest_hour, in_hour_);
    return {};
  }

  Result<void> attempt_until(std::int64_t number) {
    while (std::cmp_less(report_.attempts, number)) {
      ++report_.attempts;
      const auto lot = random_() % 10;
      if (lot == 0 && !kept_.empty()) {
        present_kept();
      } else {
        BW_CHECK(ask(churn_.attempt(random_, lot < 7)));
      }
    }
    return {};
  }

  Result<void> send_until(std::int64_t number) {
    while (std::cmp_less(report_.messages, number)) {
      if (!site_) {
        BW_TRY(site_, Site::start(options_.directory / "site", options_.door, model_.seed()));
      }
      ++report_.messages;
      BW_CHECK(send(churn_.attempt(random_, random_() % 3 != 0)));
    }
    return {};
  }

  // Sets the thermostat, which listens, or reads the meter, which reports.
  Result<void> send(Attempt attempt) {
    attempt.act = random_() % 2 == 0 ? Act::kSetThermostat : Act::kReadMeter;
    const bool sets = attempt.act == Act::kSetThermostat;
    const Who device{sets ? Kind::kThermostat : Kind::kMeter, attempt.home};
    const auto truth = churn_.allowed(attempt);
    const Site::End person{attempt.who, site_->application()};
    const Site::End thing{device, site_->application()};
    BW_TRY(const Site::Outcome outcome,
           site_->exchange(churn_.resource(attempt.home, attempt.act), sets ? person : thing,
                           sets ? thing : person, follower_.replica().size()));
    if (outcome.delivered) ++report_.messages_delivered;
    if (outcome.delivered == truth.has_value()) return {};
    disagree(attempt, truth,
             outcome.delivered ? "done, through the router" : "refused: " + outcome.reason);
    return {};
  }

  // With whatever proof there is.
  Result<void> ask(const Attempt& attempt) {
    const auto truth = churn_.allowed(attempt);
    const wave::Request request = request_of(attempt);
    const auto began = Timer::now();
    BW_TRY(auto decided, decide(request));
    report_.decide_us.push_back(us_since(began));
    if (!decided.proof) {
      ++report_.refused;
      if (truth) disagree(attempt, truth, "refused: " + decided.reason);
      return {};
    }
    ++report_.allowed;
    if (!truth) {
      disagree(attempt, truth, "allowed by a path of " + keys_text(*decided.proof));
    } else if (!goes(*decided.proof, *truth)) {
      disagree(attempt, truth, "allowed by another path, of " + keys_text(*decided.proof));
    }
    keep({attempt, request, *std::move(decided.proof)});
    return {};
  }

  // Of somebody whom nothing allows this any more, or never did.
  void present_kept() {
    const Kept& kept = kept_[random_() % kept_.size()];
    Attempt attempt = kept.attempt;
    wave::Request request = kept.request;
    if (random_() % 2 == 0) {
      attempt.who = churn_.attempt(random_, true).who;
      request.origin = key(attempt.who);
    }
    const bool same = churn_.resource(attempt.home, attempt.act).uri == request.pattern.text();
    const bool allowed =
        wave::authorize(request, kept.proof, follower_.replica(), follower_.clock().now())
            .has_value();
    ++(allowed ? report_.allowed : report_.refused);
    if (!allowed) ++report_.old_proofs_refused;
    const auto truth = same ? churn_.allowed(attempt) : std::nullopt;
    if (allowed && !truth) {
      disagree(attempt, truth, "allowed by an old proof of " + keys_text(kept.proof));
    }
  }

  struct Decision {
    std::optional<wave::Proof> proof;  // set when allowed
    std::string reason;
  };

  // As one that asks and one that is asked: the first finds a proof, the second takes only bytes.
  Result<Decision> decide(const wave::Request& request) {
    const Time now = follower_.clock().now();
    const auto found = follower_.replica().find_proof(request, now);
    if (!found) {
      if (found.error().code != ErrorCode::kDenied) return fail(found.error());
      return Decision{std::nullopt, found.error().message};
    }
    BW_TRY(wave::Proof proof, wave::parse_proof(wave::encode(*found->proof)));
    for (const auto& dot : proof.dots) BW_CHECK(wave::verify_signature(dot));
    if (auto grant = wave::authorize(request, proof, follower_.replica(), now); !grant) {
      return Decision{std::nullopt, grant.error().reason};
    }
    return Decision{std::move(proof), {}};
  }

  void disagree(const Attempt& attempt, const std::optional<std::vector<Who>>& truth,
                const std::string& outcome) {
    ++report_.disagreements;
    if (report_.named.size() == RunReport::kNamed) return;
    report_.named.push_back(fmt::format(
        "after event {}: {}: {}; the model {}", churn_.events(), to_text(attempt), outcome,
        truth ? "allows it by " + path_text(*truth) : std::string("forbids it")));
  }

  [[nodiscard]] bool goes(const wave::Proof& proof, const std::vector<Who>& path) {
    if (proof.dots.size() + 1 != path.size()) return false;
    for (std::size_t i = 0; i < proof.dots.size(); ++i) {
      const wave::Dot& dot = proof.dots[i].value;
      if (dot.granter != key(path[i]) || dot.grantee != key(path[i + 1])) return false;
    }
    return true;
  }

  static std::string keys_text(const wave::Proof& proof) {
    std::string out;
    for (const auto& dot : proof.dots) {
      out += fmt::format("{} -> {} ({}); ", dot.value.granter.text(), dot.value.grantee.text(),
                         dot.value.pattern.text());
    }
    return out.empty() ? "the namespace itself" : out.substr(0, out.size() - 2);
  }

  void keep(Kept kept) {
    if (kept_.size() < kProofsKept) return kept_.push_back(std::move(kept));
    kept_[random_() % kProofsKept] = std::move(kept);
  }

  [[nodiscard]] wave::Request request_of(const Attempt& attempt) {
    const Resource resource = churn_.resource(attempt.home, attempt.act);
    return request_for(resource, key(attempt.who), key(resource.ns));
  }

  EntityKey key(Who who) {
    const auto found = keys_.find(who);
    if (found != keys_.end()) return found->second;
    if (keys_.size() == kKeysKept) keys_.clear();
    return keys_.emplace(who, key_of(model_.seed(), who).public_key()).first->second;
  }

  void tell(Duration passed, Duration length) const {
    if (!options_.on_progress) return;
    const auto minutes = [](Duration time) {
      return static_cast<std::uint64_t>(std::chrono::floor<std::chrono::minutes>(time).count());
    };
    options_.on_progress(minutes(passed), minutes(length));
  }

  const Model& model_;
  const RunOptions& options_;
  Follower& follower_;
  ProgressFile progress_;
  Churn churn_;
  std::mt19937_64 random_;
  std::map<Who, EntityKey> keys_;
  std::vector<Kept> kept_;
  std::unique_ptr<Site> site_;
  std::chrono::hours hour_{-1};
  double in_hour_ = 0;
  RunReport report_;
};

}  // namespace

Result<RunReport> run(const Model& model, const RunOptions& options) {
  if (!(options.peak > 0 && options.days > 0)) {
    return fail(ErrorCode::kInvalidArgument, "days {} and rate {}: must be above 0", options.days,
                options.peak);
  }
  BW_TRY(const auto follower, Follower::start(options.directory, options.door));
  return Runner(model, options, *follower).run();
}

}  // namespace bw::city
