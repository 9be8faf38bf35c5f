// SPDX-License-Identifier: Apache-2.0
#include "city/capacity.hpp"

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "city/follower.hpp"
#include "city/quantile.hpp"
#include "city/resume.hpp"

namespace bw::city {
namespace {

using Timer = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr std::size_t kRefinements = 3;
constexpr Seconds kTick{0.001};
constexpr double kPatienceS = 60;  // for what a step has left waiting
constexpr double kSecondsInHour = 3600;

struct Due {
  double at_s = 0;
  std::vector<Bytes> objects;
};

// Of one event: the ledger's position of its last object.
struct Taken {
  double due_s = 0;
  std::uint64_t index = 0;
};

// One step, seen from three sides: the thread that sends, the ledger's answers and the follower's
// progress, both on the follower's thread.
class Step : public std::enable_shared_from_this<Step> {
 public:
  explicit Step(Follower& follower) : follower_(follower) {
    listener_ = follower_.replica().listen([this](const ledger::Effects&) {
      const std::scoped_lock lock(mutex_);
      progress_.emplace_back(passed(), follower_.replica().size());
      changed_.notify_all();
    });
  }
  ~Step() { follower_.replica().forget(listener_); }
  Step(const Step&) = delete;
  Step& operator=(const Step&) = delete;

  // In order and at the times when they are due; returns when all are in effect.
  Result<std::vector<Delay>> offer(std::vector<Due> events) {
    for (std::size_t i = 0; i < events.size();) {
      const double now = passed();
      std::vector<Bytes> objects;
      std::vector<Last> lasts;
      std::size_t bytes = 0;
      while (i < events.size() && events[i].at_s <= now) {
        append(std::move(events[i++]), objects, lasts, bytes);
      }
      send(std::move(objects), std::move(lasts));
      if (i < events.size()) std::this_thread::sleep_for(kTick);
    }
    return await();
  }
  [[nodiscard]] double passed() const { return Seconds(Timer::now() - began_).count(); }

 private:
  struct Last {
    std::size_t object;  // of a submission
    double due_s;
  };

  // What does not fit into one submission goes ahead. An event may change nothing.
  void append(Due event, std::vector<Bytes>& objects, std::vector<Last>& lasts,
              std::size_t& bytes) {
    if (event.objects.empty()) return;
    for (Bytes& object : event.objects) {
      if (objects.size() == limits::kLedgerBatchEntries ||
          bytes + object.size() > limits::kSubmissionBytes) {
        send(std::exchange(objects, {}), std::exchange(lasts, {}));
        bytes = 0;
      }
      bytes += object.size();
      objects.push_back(std::move(object));
    }
    lasts.push_back({objects.size() - 1, event.at_s});
  }

  void send(std::vector<Bytes> objects, std::vector<Last> lasts) {
    if (objects.empty()) return;
    const std::scoped_lock lock(mutex_);
    ++unanswered_;
    follower_.submit(std::move(objects),
                     [self = shared_from_this(), ends = std::move(lasts)](auto outcome) {
                       self->take(std::move(outcome), ends);
                     });
  }

  void take(Result<std::vector<ledger::Submitted>> outcome, const std::vector<Last>& lasts) {
    const std::scoped_lock lock(mutex_);
    --unanswered_;
    changed_.notify_all();
    if (!outcome) {
      error_ = outcome.error();
      return;
    }
    for (const ledger::Submitted& one : *outcome) {
      if (!one.index && one.refusal.code != ErrorCode::kConflict) error_ = one.refusal;
    }
    for (const Last& last : lasts) {
      // One that was there already, of a run that was killed, says nothing.
      const auto& index = (*outcome)[last.object].index;
      if (index) taken_.push_back({last.due_s, *index});
    }
  }

  Result<std::vector<Delay>> await() {
    std::unique_lock lock(mutex_);
    const auto end =
        Timer::now() + std::chrono::duration_cast<Timer::duration>(Seconds(kPatienceS));
    const bool over = changed_.wait_until(lock, end, [this] {
      if (unanswered_ != 0) return false;
      if (error_ || taken_.empty()) return true;
      std::uint64_t last = 0;
      for (const Taken& one : taken_) last = std::max(last, one.index);
      return !progress_.empty() && progress_.back().second > last;
    });
    if (error_) return fail(*error_);
    if (!over) {
      return fail(ErrorCode::kUnavailable,
                  "the ledger left changes without effect for {} s; see that it runs", kPatienceS);
    }
    return delays();
  }

  std::vector<Delay> delays() {
    std::ranges::sort(taken_, {}, &Taken::index);
    std::vector<Delay> out;
    std::size_t at = 0;
    for (const Taken& one : taken_) {
      while (progress_[at].second <= one.index) ++at;
      out.push_back({one.due_s, progress_[at].first - one.due_s});
    }
    return out;
  }

  Follower& follower_;
  const Timer::time_point began_ = Timer::now();
  replica::Replica::ListenerId listener_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::pair<double, std::uint64_t>> progress_;  // seconds, entries in effect
  std::vector<Taken> taken_;
  std::size_t unanswered_ = 0;
  std::optional<Error> error_;
};

class Taker {
 public:
  Taker(const Model& model, const CapacityOptions& options, Follower& follower)
      : model_(model),
        options_(options),
        follower_(follower),
        progress_(churn_progress(options.directory, model, options.peak, options.door)),
        churn_(model, model.seed(), options.peak) {}

  Result<CapacityReport> run() {
    BW_CHECK(resume(model_, progress_, follower_, churn_, options_.on_following));
    return search_capacity(options_.first, kRefinements,
                           [this](double offered) { return take(offered); });
  }

 private:
  Result<CapacityStep> take(double offered) {
    CapacityStep out;
    out.offered = offered;
    std::vector<Due> due = prepare(offered, out);
    BW_TRY(const std::vector<Delay> delays,
           std::make_shared<Step>(follower_)->offer(std::move(due)));
    BW_CHECK(progress_.save(churn_.events()));
    if (delays.empty()) return out;
    out.grew = queue_grows(delays);
    std::vector<double> ms;
    for (const Delay& delay : delays) ms.push_back(delay.seconds * 1000);
    std::ranges::sort(ms);
    out.p50_ms = quantile(ms, 0.5);
    out.p99_ms = quantile(ms, 0.99);
    const double until = delays.back().due_s + delays.back().seconds;
    out.done = static_cast<double>(out.changes) / until * kSecondsInHour;
    return out;
  }

  // Drawn and signed before the clock runs, on all cores.
  std::vector<Due> prepare(double offered, CapacityStep& step) {
    std::vector<Event> events;
    std::vector<Due> due;
    while (true) {
      const double at_s = static_cast<double>(step.changes) / offered * kSecondsInHour;
      if (at_s >= options_.step_s) break;
      events.push_back(churn_.next());
      due.push_back({at_s, {}});
      step.changes += events.back().changes();
      ++step.events;
    }
    const std::size_t threads = std::max(1U, std::thread::hardware_concurrency());
    std::vector<std::jthread> signers;
    for (std::size_t first = 0; first < threads; ++first) {
      signers.emplace_back([&, first] {
        for (std::size_t i = first; i < events.size(); i += threads) {
          due[i].objects = objects_of(events[i], model_.seed());
        }
      });
    }
    signers.clear();
    return due;
  }

  const Model& model_;
  const CapacityOptions& options_;
  Follower& follower_;
  ProgressFile progress_;
  Churn churn_;
};

}  // namespace

Result<CapacityReport> capacity(const Model& model, const CapacityOptions& options) {
  if (!(options.peak > 0 && options.step_s > 0 && options.first > 0)) {
    return fail(ErrorCode::kInvalidArgument, "rate {}, step {} and first {}: must be above 0",
                options.peak, options.step_s, options.first);
  }
  BW_TRY(const auto follower, Follower::start(options.directory, options.door));
  return Taker(model, options, *follower).run();
}

}  // namespace bw::city
