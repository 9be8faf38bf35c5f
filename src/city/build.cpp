// SPDX-License-Identifier: Apache-2.0
#include "city/build.hpp"

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include "city/progress_file.hpp"
#include "ledger/ledger.hpp"
#include "net/task_group.hpp"
#include "session/session.hpp"

namespace bw::city {
namespace {

namespace wire = syndication;
using Clock = std::chrono::steady_clock;

constexpr Duration kConnectDeadline = 5s;
constexpr std::size_t kUnderWay = 8;      // submissions without an answer
constexpr std::uint64_t kJobsAhead = 32;  // signed and not yet acknowledged
constexpr Duration kTick = 100ms;
constexpr std::size_t kTicksPerSave = 10;
constexpr Duration kRetry = 500ms;   // before what was limited is sent again
constexpr Duration kPatience = 60s;  // without any object taken
constexpr std::size_t kBytesInFrame = limits::kSubmissionBytes / 2;

class Builder {
 public:
  Builder(const Plan& plan, const BuildOptions& options, ProgressFile file, std::uint64_t done)
      : plan_(plan), options_(options), file_(std::move(file)), done_(done) {
    const auto& jobs = plan.jobs();
    while (first_job_ < jobs.size() && jobs[first_job_].end_object <= done) ++first_job_;
    next_job_ = next_to_send_ = first_job_;
    built_.objects = plan.objects();
    built_.resumed = done;
  }

  Result<Built> run() {
    const auto began = Clock::now();
    std::vector<std::jthread> signers;
    std::size_t threads = options_.threads;
    if (threads == 0) threads = std::max(1U, std::thread::hardware_concurrency());
    for (std::size_t i = 0; i < threads; ++i) signers.emplace_back([this] { sign_jobs(); });
    tasks_.spawn(talk());
    tasks_.spawn(tick());
    io_.run();
    stop_signing();
    signers.clear();
    BW_CHECK(file_.save(done_));
    if (error_) return fail(*error_);
    built_.seconds = std::chrono::duration<double>(Clock::now() - began).count();
    return built_;
  }

 private:
  struct Submission {
    std::uint64_t first_object;
    std::vector<Bytes> objects;
  };

  // ---- signers' threads
  void sign_jobs() {
    while (const auto job = claim()) {
      std::vector<Bytes> objects = plan_.make(plan_.jobs()[*job]);
      net::asio::post(io_, [this, job = *job, made = std::move(objects)]() mutable {
        signed_.emplace(job, std::move(made));
        send_more();
      });
    }
  }

  std::optional<std::size_t> claim() {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [this] {
      return stopped_ || next_job_ >= plan_.jobs().size() || next_job_ < acknowledged_ + kJobsAhead;
    });
    if (stopped_ || next_job_ >= plan_.jobs().size()) return std::nullopt;
    return next_job_++;
  }

  void stop_signing() {
    const std::scoped_lock lock(mutex_);
    stopped_ = true;
    room_.notify_all();
  }

  // ---- the session's thread
  net::Task<void> talk() {
    auto connected = co_await net::connect(options_.door.address, kConnectDeadline);
    if (!connected) co_return finish(connected.error());
    const auto peer = co_await session::open(*connected, {nullptr, wire::Role::kFollower, {}},
                                             options_.door.key, wire::Role::kLedger);
    if (!peer) co_return finish(peer.error());
    channel_ = *connected;
    send_more();
    session::OnFrames on_frames = [this](std::span<const ByteView> frames) -> Result<void> {
      for (const ByteView frame : frames) BW_CHECK(take(frame));
      return {};
    };
    const Error ended = co_await session::run(channel_, std::move(on_frames));
    finish(ended);
  }

  void finish(const Error& why) {
    if (!finished_ && !error_) error_ = why;
    finished_ = true;
    tasks_.cancel();
  }

  void send_more() {
    if (!channel_ || finished_) return;
    while (under_way_.size() < kUnderWay && again_.empty()) {
      if (cut_.empty() && !cut_next_job()) return;
      Submission submission = std::move(cut_.front());
      cut_.erase(cut_.begin());
      send(std::move(submission));
    }
  }

  // Into submissions, leaving out what an earlier run has put.
  bool cut_next_job() {
    const auto found = signed_.find(next_to_send_);
    if (found == signed_.end()) return false;
    std::uint64_t number = plan_.jobs()[next_to_send_].first_object;
    std::size_t bytes = kBytesInFrame;
    for (Bytes& object : found->second) {
      if (number++ < built_.resumed) continue;
      if (bytes + object.size() > kBytesInFrame ||
          cut_.back().objects.size() == limits::kLedgerBatchEntries) {
        cut_.push_back({number - 1, {}});
        bytes = 0;
      }
      bytes += object.size();
      cut_.back().objects.push_back(std::move(object));
    }
    signed_.erase(found);
    ++next_to_send_;
    return !cut_.empty();
  }

  void send(Submission submission) {
    wire::Submit frame{++request_, {submission.objects.begin(), submission.objects.end()}};
    Bytes out;
    wire::encode_frame(frame, out);
    channel_->send(std::move(out));
    under_way_.emplace(request_, std::move(submission));
  }

  Result<void> take(ByteView bytes) {
    BW_TRY(const wire::ParsedFrame parsed, wire::parse_frame(bytes));
    const auto* answer = std::get_if<wire::SubmittedFrame>(&parsed.frame);
    const auto found = answer == nullptr ? under_way_.end() : under_way_.find(answer->request);
    if (found == under_way_.end() || found->second.objects.size() != answer->outcomes.size()) {
      return fail(ErrorCode::kMalformed, "the ledger sent a {} frame that answers nothing",
                  wire::frame_name(parsed.type));
    }
    Submission submission = std::move(found->second);
    under_way_.erase(found);
    if (auto judged = judge(std::move(submission), answer->outcomes); !judged) {
      finish(judged.error());
      return judged;
    }
    note_done();
    send_more();
    return {};
  }

  Result<void> judge(Submission submission,
                     const std::vector<wire::SubmittedFrame::Outcome>& outcomes) {
    std::optional<Submission> again;
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      const auto& outcome = outcomes[i];
      const ErrorCode code = outcome.refusal.code;
      if (outcome.index || code == ErrorCode::kConflict) {
        if (!outcome.index) ++built_.repeated;
        last_taken_ = Clock::now();
        continue;
      }
      // Not found: its granter was limited, and waits too.
      if (code != ErrorCode::kLimited && code != ErrorCode::kNotFound) {
        return fail(code, "the ledger refused object {} of the city: {}",
                    submission.first_object + i, outcome.refusal.message);
      }
      refusal_ = outcome.refusal;
      if (!again) again = Submission{submission.first_object + i, {}};
      again->objects.push_back(std::move(submission.objects[i]));
    }
    if (again) again_.emplace(again->first_object, *std::move(again));
    return {};
  }

  // All objects before the first that still waits somewhere.
  void note_done() {
    std::uint64_t first = next_to_send_ < plan_.jobs().size()
                              ? plan_.jobs()[next_to_send_].first_object
                              : plan_.objects();
    if (!cut_.empty()) first = std::min(first, cut_.front().first_object);
    for (const auto& [id, submission] : under_way_)
      first = std::min(first, submission.first_object);
    if (!again_.empty()) first = std::min(first, again_.begin()->first);
    done_ = std::max(done_, first);
    {
      const std::scoped_lock lock(mutex_);
      while (acknowledged_ < plan_.jobs().size() &&
             plan_.jobs()[acknowledged_].end_object <= done_) {
        ++acknowledged_;
      }
      room_.notify_all();
    }
    if (done_ < plan_.objects()) return;
    finished_ = true;
    channel_->close();
    tasks_.cancel();
  }

  net::Task<void> tick() {
    if (done_ == plan_.objects()) finished_ = true, tasks_.cancel();
    auto retry_at = Clock::now();
    for (std::size_t ticks = 1; co_await net::sleep_for(kTick); ++ticks) {
      if (options_.on_progress) options_.on_progress(done_, plan_.objects());
      if (ticks % kTicksPerSave == 0) {
        if (auto saved = file_.save(done_); !saved) co_return finish(saved.error());
      }
      if (again_.empty() || !under_way_.empty()) {
        retry_at = Clock::now() + kRetry;
        continue;
      }
      if (Clock::now() - last_taken_ > kPatience) co_return finish(refusal_);
      if (Clock::now() < retry_at || finished_) continue;
      send_again();
    }
  }

  // In order, as many as may be under way.
  void send_again() {
    auto waiting = std::exchange(again_, {});
    while (!waiting.empty() && under_way_.size() < kUnderWay) {
      send(std::move(waiting.extract(waiting.begin()).mapped()));
    }
    again_.merge(waiting);
  }

  const Plan& plan_;
  const BuildOptions& options_;
  ProgressFile file_;
  net::asio::io_context io_{1};
  net::TaskGroup tasks_{io_.get_executor()};
  net::ChannelPtr channel_;
  std::size_t first_job_ = 0;
  std::size_t next_to_send_ = 0;
  std::map<std::size_t, std::vector<Bytes>> signed_;  // by job, not yet cut
  std::vector<Submission> cut_;                       // of one job, not yet sent
  std::map<std::uint32_t, Submission> under_way_;     // by request
  std::map<std::uint64_t, Submission> again_;         // limited, to be sent again
  std::uint32_t request_ = 0;
  std::uint64_t done_;
  Clock::time_point last_taken_ = Clock::now();
  Error refusal_;
  std::optional<Error> error_;
  bool finished_ = false;
  Built built_;

  std::mutex mutex_;
  std::condition_variable room_;
  std::size_t next_job_ = 0;      // guarded by mutex_, as the rest
  std::size_t acknowledged_ = 0;  // jobs of which all objects are on the ledger
  bool stopped_ = false;
};

}  // namespace

Result<Built> build(const Plan& plan, const Model& model, const BuildOptions& options) {
  ProgressFile file(options.progress_file,
                    fmt::format("seed {} scale {} ledger {} objects", model.seed(), model.scale(),
                                options.door.key.text()));
  BW_TRY(const std::uint64_t done, file.load());
  return Builder(plan, options, std::move(file), std::min(done, plan.objects())).run();
}

}  // namespace bw::city
