// SPDX-License-Identifier: Apache-2.0
#include "city/participants/watch.hpp"

#include <algorithm>
#include <thread>

#include "city/ledger_process.hpp"
#include "city/participants/agents.hpp"
#include "city/participants/attack_rounds.hpp"
#include "city/participants/cores.hpp"
#include "city/participants/live_churn.hpp"
#include "city/participants/neighbourhood.hpp"
#include "city/participants/summary.hpp"
#include "city/participants/time_series.hpp"
#include "city/participants/traffic.hpp"
#include "city/resume.hpp"
#include "city/site.hpp"

namespace bw::city {
namespace {

using Timer = std::chrono::steady_clock;

// What the city makes, two hundred at once and one a second from one address, is far below; and
// what one takes beyond it costs every agent.
constexpr double kEntriesPerSecond = 1;
constexpr double kEntriesAtOnce = 200;
constexpr int kLedgerPort = 4516;
constexpr Duration kBetweenSamples = 1s;
constexpr Duration kBetweenMessages = 10s;  // of each feed, in the watch
constexpr Duration kWarmUp = 4s;
constexpr Duration kBetweenFirst = 2s;
constexpr int kWarmUpPhase = -1;
constexpr int kWatchPhase = 0;

// The calling thread at another place, until this goes.
class Stay {
 public:
  static Result<Stay> at(const link::NetSpace& there) {
    BW_TRY(link::NetSpace home, link::NetSpace::current());
    BW_CHECK(there.enter());
    return Stay(std::move(home));
  }
  Stay(Stay&&) = default;
  ~Stay() {
    if (home_) [[maybe_unused]]
      const bool back = home_->enter_raw();
  }

 private:
  explicit Stay(link::NetSpace home) : home_(std::make_unique<link::NetSpace>(std::move(home))) {}
  std::unique_ptr<link::NetSpace> home_;
};

class Watch {
 public:
  Watch(const Model& model, const link::Network& network, const WatchOptions& options,
        const Cores& cores)
      : model_(model),
        network_(network),
        options_(options),
        cores_(cores),
        churn_(model, model.seed(), options.peak),
        random_(model.seed()),
        neighbourhood_(model, network.accesses().size() / 2, random_()) {}

  Result<WatchReport> run() {
    BW_CHECK(start());
    BW_CHECK(hold_against_truth());
    BW_CHECK(settle_in());
    BW_CHECK(watch());
    summarise_watch();
    if (options_.rounds > 0) BW_CHECK(attack());
    BW_CHECK(end());
    return std::move(report_);
  }

 private:
  Result<void> end() {
    traffic_.reset();
    agents_.reset();
    site_.reset();
    live_.reset();
    follower_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(options_.directory / "participants", ignored);
    BW_CHECK(series_->commit());
    return ledger_->stop();
  }

  void say(const std::string& what) const {
    if (options_.on_phase) options_.on_phase(what);
  }
  [[nodiscard]] double now_s() const {
    return std::chrono::duration<double>(Timer::now() - began_).count();
  }

  // ---- beginning
  Result<void> start() {
    say("copying the ledger's entries for the participants");
    const auto home = options_.directory / "participants";
    std::error_code ignored;
    std::filesystem::remove_all(home, ignored);
    std::filesystem::create_directories(home, ignored);
    // The ledger is about to write its own.
    BW_TRY(const Cloner original, Cloner::of(options_.ledger / "authority", home, 1));
    BW_CHECK(original.copy_to(home / "entries"));
    BW_TRY(const Cloner entries, Cloner::of(home / "entries", home, network_.accesses().size()));
    const LedgerProcess::Public serving{
        .listen = fmt::format("{}:{}", link::Network::hub_address(), kLedgerPort),
        .entries_per_second = kEntriesPerSecond,
        .burst = kEntriesAtOnce};
    BW_TRY(ledger_, LedgerProcess::start(options_.ledger, serving));
    say("following the ledger");
    BW_TRY(follower_, Follower::start(options_.directory, ledger_->door()));
    const ProgressFile progress =
        churn_progress(options_.directory, model_, options_.peak, ledger_->door());
    BW_CHECK(resume(model_, progress, *follower_, churn_, nullptr));
    live_ = std::make_unique<LiveChurn>(churn_, model_.seed(), *follower_, progress, options_.rate);
    BW_TRY(site_, Site::start(options_.directory / "site", ledger_->door(), model_.seed(),
                              link::Network::hub_address() + ":0"));
    say("starting the participants' agents");
    BW_TRY(agents_,
           Agents::start(home / "agents", network_, ledger_->door(), entries, model_.seed()));
    BW_TRY(series_, TimeSeries::create(options_.directory / "participants.sqlite"));
    for (std::size_t i = 0; i < agents_->size(); ++i) {
      BW_CHECK(series_->participant(i, i % 2 == 0 ? "devices" : "resident",
                                    neighbourhood_.homes()[i / 2], network_.accesses()[i]));
    }
    return series_->commit();
  }

  // ---- messages by anybody, allowed and forbidden, through the participants' agents
  Result<void> hold_against_truth() {
    say("messages that the model allows and forbids");
    while (report_.tried < options_.messages) {
      ++report_.tried;
      Attempt attempt = churn_.attempt(random_, random_() % 3 != 0);
      const bool sets = random_() % 2 == 0;
      attempt.act = sets ? Act::kSetThermostat : Act::kReadMeter;
      const Site::End person{attempt.who, agents_->application(2 * below(agents_->size() / 2) + 1)};
      const Site::End device{{sets ? Kind::kThermostat : Kind::kMeter, attempt.home},
                             agents_->application(2 * below(agents_->size() / 2))};
      const auto truth = churn_.allowed(attempt);
      BW_TRY(const Site::Outcome outcome,
             site_->exchange(churn_.resource(attempt.home, attempt.act), sets ? person : device,
                             sets ? device : person, follower_->replica().size()));
      if (outcome.delivered) ++report_.delivered;
      if (outcome.delivered == truth.has_value()) continue;
      ++report_.disagreements;
      report_.named.push_back(fmt::format(
          "after event {}: {}: {}; the model {}", churn_.events(), to_text(attempt),
          outcome.delivered ? "done, through participants" : "refused: " + outcome.reason,
          truth ? "allows it" : "forbids it"));
    }
    return {};
  }
  std::size_t below(std::size_t end) { return random_() % end; }

  // ---- messages that keep going
  Result<void> settle_in() {
    say("subscribing");
    BW_TRY(auto feeds, neighbourhood_.feeds(churn_, *site_, *agents_));
    BW_TRY(traffic_, Traffic::start(std::move(feeds)));
    traffic_->begin(kWarmUpPhase, traffic_->feeds().size(), kBetweenFirst);
    std::this_thread::sleep_for(kWarmUp);
    traffic_->end();
    traffic_->take_arrivals();
    began_ = Timer::now();
    return {};
  }

  Result<void> watch() {
    say("watching");
    first_ = uses();
    last_ = first_;
    traffic_->begin(kWatchPhase, traffic_->feeds().size(), kBetweenMessages);
    const auto end = began_ + options_.watching;
    for (auto next = began_ + kBetweenSamples; Timer::now() < end; next += kBetweenSamples) {
      std::this_thread::sleep_until(std::min(next, end));
      BW_CHECK(sample(kWatchPhase));
      BW_CHECK(live_->live_until(now_s()));
    }
    report_.seconds = now_s();
    report_.changes = live_->changes();
    traffic_->end();
    BW_CHECK(live_->finish());
    return keep_arrivals();
  }

  [[nodiscard]] std::vector<AgentUse> uses() const {
    std::vector<AgentUse> out;
    for (std::size_t i = 0; i < agents_->size(); ++i) out.push_back(agents_->use(i));
    return out;
  }

  Result<void> sample(int phase) {
    const double s = now_s();
    std::vector<AgentUse> now = uses();
    for (std::size_t i = 0; i < now.size(); ++i) {
      BW_CHECK(series_->sample({s, phase, i, now[i]}));
    }
    if (phase == kWatchPhase) {
      report_.over_time.push_back(moment_of(last_, now, s - sampled_at_, s));
    }
    last_ = std::move(now);
    sampled_at_ = s;
    return series_->commit();
  }

  Result<void> keep_arrivals() {
    const double s = now_s();
    for (const Traffic::Arrival& arrival : traffic_->take_arrivals()) {
      const Traffic::Feed& feed = traffic_->feeds()[arrival.feed];
      BW_CHECK(series_->message(s, arrival.phase, feed.sender, feed.receiver, arrival.latency_us));
      arrivals_.push_back(arrival);
    }
    return series_->commit();
  }

  // ---- the report of the watch
  void summarise_watch() {
    const Traffic::Counts counts = traffic_->counts(kWatchPhase);
    report_.messages = counts.accepted;
    report_.messages_denied = counts.denied;
    report_.messages_failed = counts.failed;
    report_.messages_lost = counts.accepted - std::min(counts.accepted, counts.arrived);
    if (counts.failed > 0) report_.named.push_back(traffic_->trouble());
    std::vector<Arrived> arrived;
    for (const Traffic::Arrival& arrival : arrivals_) {
      if (arrival.phase != kWatchPhase) continue;
      arrived.push_back({traffic_->feeds()[arrival.feed].receiver, arrival.latency_us});
    }
    summarise(network_.accesses(), first_, last_, arrived, report_);
  }

  // ---- the attack
  Result<void> attack() {
    say("attacking");
    BW_TRY(AttackRounds rounds,
           AttackRounds::prepare(model_, network_, neighbourhood_, churn_, *follower_,
                                 {.router = {site_->address(), site_->key()},
                                  .ledger = ledger_->door(),
                                  .core = cores_.of_attackers()}));
    const auto look = [this](int phase) -> Result<void> {
      BW_CHECK(sample(phase));
      return keep_arrivals();
    };
    BW_TRY(report_.attack, rounds.carry_out(*traffic_, options_.rounds, options_.round, look));
    for (const Traffic::Arrival& arrival : arrivals_) {
      if (arrival.phase < 1) continue;
      report_.attack->rounds[static_cast<std::size_t>(arrival.phase - 1)].message_us.push_back(
          arrival.latency_us);
    }
    for (WatchReport::Round& round : report_.attack->rounds) std::ranges::sort(round.message_us);
    return {};
  }

  const Model& model_;
  const link::Network& network_;
  const WatchOptions& options_;
  const Cores& cores_;
  Churn churn_;
  std::mt19937_64 random_;
  Neighbourhood neighbourhood_;
  std::unique_ptr<LedgerProcess> ledger_;
  std::unique_ptr<Follower> follower_;
  std::unique_ptr<LiveChurn> live_;
  std::unique_ptr<Site> site_;
  std::unique_ptr<Agents> agents_;
  std::unique_ptr<TimeSeries> series_;
  std::unique_ptr<Traffic> traffic_;
  Timer::time_point began_;
  double sampled_at_ = 0;
  std::vector<AgentUse> first_;
  std::vector<AgentUse> last_;
  std::vector<Traffic::Arrival> arrivals_;
  WatchReport report_;
};

}  // namespace

Result<void> check_participants(const Model& model, std::size_t participants, bool attack) {
  const std::size_t least = attack ? 4 : 2;
  if (participants >= least && participants % 2 == 0 && participants / 2 <= model.homes()) {
    return {};
  }
  return fail(ErrorCode::kInvalidArgument,
              "{} participants: an even number, at least {} and at most two for each of the "
              "city's {} homes",
              participants, least, model.homes());
}

Result<WatchReport> watch(const Model& model, link::Network& network, const WatchOptions& options) {
  BW_TRY(const Stay stay, Stay::at(network.hub()));
  const Cores cores(network, options.rounds > 0);
  return Watch(model, network, options, cores).run();
}

}  // namespace bw::city
