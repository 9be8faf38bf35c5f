// SPDX-License-Identifier: Apache-2.0
#include "ledger_embedded/client.hpp"

#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <utility>

#include <boost/asio/post.hpp>

#include "ledger_embedded/head_keeper.hpp"
#include "net/task_group.hpp"
#include "session/session.hpp"

namespace bw::ledger_embedded {
namespace {

namespace wire = syndication;

constexpr Duration kConnectDeadline = 5s;
constexpr Duration kSubmitDeadline = 15s;
constexpr Duration kTick = 1s;
// Submissions without an answer.
constexpr std::size_t kMostWaiting = 10'000;
constexpr std::size_t kMostWaitingBytes = 64 * 1024 * 1024;

Error shutting_down() {
  return {ErrorCode::kUnavailable, "this node is shutting down"};
}

std::vector<ledger::Submitted> from_wire(const wire::SubmittedFrame& frame) {
  std::vector<ledger::Submitted> outcomes;
  outcomes.reserve(frame.outcomes.size());
  for (const auto& outcome : frame.outcomes) outcomes.push_back({outcome.index, outcome.refusal});
  return outcomes;
}

}  // namespace

struct Client::Impl final : std::enable_shared_from_this<Client::Impl> {
  struct Waiting {
    std::vector<Bytes> objects;  // kept until sent
    SubmitDone done;
    Time deadline;
    bool sent = false;
  };

  Impl(net::asio::io_context& io, ledger::EntrySink& entries,
       const crypto::SubtreeReader& entry_tree, const Clock& wall_clock, telemetry::Log& logger,
       ClientOptions chosen)
      : context(io),
        sink(entries),
        tree(entry_tree),
        clock(wall_clock),
        log(logger),
        options(std::move(chosen)),
        keeper(options.heads, options.key, entry_tree),
        tasks(io.get_executor()) {}

  // ---- following
  net::Task<void> follow_for_ever() {
    net::Backoff backoff(options.retry_first, options.retry_most, crypto::system_random().u64());
    do {
      const Time began = clock.now();
      const Error ended = co_await follow_once();
      const Error why = std::exchange(unsaved, std::nullopt).value_or(ended);
      channel.reset();
      if (distrust) co_return;
      set_trouble(why);
      if (clock.now() - began > options.retry_most) backoff.reset();
    } while (co_await net::sleep_for(backoff.next()));
  }

  net::Task<Error> follow_once() {
    auto connected = co_await net::connect(options.address, kConnectDeadline);
    if (!connected) co_return connected.error();
    net::ChannelPtr fresh = *connected;
    session::Self self{nullptr, wire::Role::kFollower, {}};
    const auto peer =
        co_await session::open(fresh, std::move(self), options.key, wire::Role::kLedger);
    if (!peer) co_return peer.error();
    // What the entries held so far look like from above, to check the next before they are taken.
    auto restored = crypto::frontier_at(tree, sink.size());
    if (!restored) co_return restored.error();
    frontier = *std::move(restored);
    pending_head.reset();
    channel = fresh;
    send(wire::Follow{sink.size()});
    for (auto& [request, waiting] : submissions) send_submission(request, waiting);
    session::OnFrames on_frames = [this](std::span<const ByteView> frames) -> Result<void> {
      for (const ByteView frame : frames) {
        auto handled = handle(frame);
        // Only what was found out here convicts: anybody on the way can send an ERROR frame.
        if (!handled && handled.error().code == ErrorCode::kFork) stop_trusting(handled.error());
        BW_CHECK(std::move(handled));
      }
      return {};
    };
    co_return co_await session::run(fresh, std::move(on_frames));
  }

  Result<void> handle(ByteView bytes) {
    BW_TRY(const wire::ParsedFrame parsed, wire::parse_frame(bytes));
    if (const auto* head = std::get_if<wire::HeadFrame>(&parsed.frame)) return take_head(*head);
    if (const auto* entries = std::get_if<wire::Entries>(&parsed.frame))
      return take_entries(*entries);
    if (const auto* submitted = std::get_if<wire::SubmittedFrame>(&parsed.frame)) {
      finish(submitted->request, from_wire(*submitted));
      return {};
    }
    return fail(ErrorCode::kMalformed, "the ledger sent a {} frame", wire::frame_name(parsed.type));
  }

  Result<void> take_head(const wire::HeadFrame& frame) {
    BW_TRY(const ledger::SignedHead head, ledger::parse_head(frame.head));
    BW_CHECK(keeper.check(head, sink.size(), frontier.root(), frame.consistency));
    claimed = head.head.size;
    if (head.head.size > sink.size()) {
      pending_head = head;
      return {};
    }
    return spoke(head);
  }

  // Entries are taken only when they give the root of the head announced just before them.
  Result<void> take_entries(const wire::Entries& frame) {
    const bool expected = pending_head && frame.first == sink.size() &&
                          frame.first + frame.entries.size() == pending_head->head.size;
    if (!expected) return fail(ErrorCode::kMalformed, "the ledger sent entries without their head");
    crypto::Frontier grown = frontier;
    std::vector<Bytes> entries;
    entries.reserve(frame.entries.size());
    for (const ByteView entry : frame.entries) {
      grown.add(crypto::leaf_hash(entry));
      entries.push_back(to_bytes(entry));
    }
    if (grown.root() != pending_head->head.root) {
      return fail(ErrorCode::kFork, "ledger {}: the entries it served are not those it signed",
                  options.key.text());
    }
    BW_CHECK(sink.append(entries));
    frontier = std::move(grown);
    return spoke(*std::exchange(pending_head, std::nullopt));
  }

  Result<void> spoke(const ledger::SignedHead& head) {
    BW_CHECK(keeper.advance(head, sink.size()));
    save_soon();
    // What is behind the highest head heard is no news, however late it was signed.
    if (keeper.latest()->head.size > sink.size()) return {};
    // A head's own time counts, so that an old one cannot be passed off as news; a clock ahead of
    // ours does not make us fresher than now.
    const Time now = clock.now();
    const bool recent = head.head.time + limits::kDefaultStaleness > now;
    if (!recent) {
      log.limited(telemetry::Level::kWarning, "ledger", "head is old: is a clock wrong?",
                  {{"signed", to_text(head.head.time)}, {"now", to_text(now)}});
    }
    const Time heard = std::min(now, head.head.time + limits::kClockSkew);
    sink.heard(heard);
    const std::scoped_lock lock(mutex);
    heard_at = heard;
    trouble.reset();
    return {};
  }

  // After the news that the entries brought, which are posted already: a revocation bites before
  // the disk has the head.
  void save_soon() {
    if (std::exchange(save_coming, true)) return;
    net::asio::post(context, [weak = weak_from_this()] {
      const auto impl = weak.lock();
      if (!impl) return;
      impl->save_coming = false;
      const auto saved = impl->keeper.save();
      if (saved || !impl->channel) return;
      impl->unsaved = saved.error();
      session::close_with(*impl->channel, saved.error());
    });
  }

  // For good: what is held here counts as stale from now on.
  void stop_trusting(const Error& why) {
    distrust = why;
    set_trouble(why);
    sink.heard(Time{});
    log.write(telemetry::Level::kError, "ledger", why.message);
    fail_submissions(why);
  }

  // ---- submitting
  void take_submission(std::vector<Bytes> objects, SubmitDone done) {
    if (distrust) return done(fail(*distrust));
    if (stopping) return done(fail(shutting_down()));
    if (objects.empty()) return done({});
    if (auto good = ledger::check_submission(objects); !good) {
      return done(fail(std::move(good).error()));
    }
    const std::size_t bytes = ledger::submission_bytes(objects);
    if (submissions.size() >= kMostWaiting || waiting_bytes + bytes > kMostWaitingBytes) {
      return done(fail(ErrorCode::kLimited,
                       "{} submissions of {} bytes wait for the ledger at {} already; is it there?",
                       submissions.size(), waiting_bytes, options.address));
    }
    waiting_bytes += bytes;
    const std::uint32_t request = next_request++;
    auto& waiting = submissions[request];
    waiting = {std::move(objects), std::move(done), clock.now() + kSubmitDeadline, false};
    if (channel) send_submission(request, waiting);
  }

  // Once on each connection: after a lost one it is unknown whether the ledger took it, and putting
  // an object twice is harmless, so it is sent again on the next.
  void send_submission(std::uint32_t request, Waiting& waiting) {
    send(wire::Submit{request, {waiting.objects.begin(), waiting.objects.end()}});
    waiting.sent = true;
  }

  void finish(std::uint32_t request, Result<std::vector<ledger::Submitted>> outcomes) {
    const auto found = submissions.find(request);
    if (found == submissions.end()) return;
    const Waiting waiting = std::move(found->second);
    submissions.erase(found);
    waiting_bytes -= ledger::submission_bytes(waiting.objects);
    if (outcomes && outcomes->size() != waiting.objects.size()) {
      outcomes = fail(ErrorCode::kMalformed, "the ledger answered {} outcomes for {} objects",
                      outcomes->size(), waiting.objects.size());
    }
    waiting.done(std::move(outcomes));
  }

  void fail_submissions(const Error& why) {
    while (!submissions.empty()) finish(submissions.begin()->first, fail(why));
  }

  net::Task<void> tick_for_ever() {
    session::KeepAlive keep_alive;
    while (co_await net::sleep_for(kTick)) {
      if (channel) keep_alive.tick(*channel, clock.now());
      std::vector<std::uint32_t> late;
      for (const auto& [request, waiting] : submissions) {
        if (clock.now() >= waiting.deadline) late.push_back(request);
      }
      for (const std::uint32_t request : late) {
        finish(request, fail(ErrorCode::kUnavailable, "the ledger at {} did not answer: {}",
                             options.address, trouble_text()));
      }
    }
  }

  template <class T>
  void send(const T& frame) {
    Bytes out;
    wire::encode_frame(frame, out);
    channel->send(std::move(out));
  }

  void set_trouble(const Error& why) {
    const std::scoped_lock lock(mutex);
    trouble = why;
  }
  std::string trouble_text() const {
    const std::scoped_lock lock(mutex);
    return trouble ? trouble->message : "it is connected, but silent";
  }

  net::asio::io_context& context;
  ledger::EntrySink& sink;
  const crypto::SubtreeReader& tree;
  const Clock& clock;
  telemetry::Log& log;
  ClientOptions options;
  HeadKeeper keeper;
  crypto::Frontier frontier;
  std::optional<ledger::SignedHead> pending_head;
  net::ChannelPtr channel;
  std::map<std::uint32_t, Waiting> submissions;
  std::size_t waiting_bytes = 0;  // of the objects of all submissions
  std::uint32_t next_request = 1;
  std::optional<Error> distrust;  // why this ledger is not followed any more
  bool stopping = false;
  bool save_coming = false;
  std::optional<Error> unsaved;  // why the highest head is not on disk, which ended the connection
  net::TaskGroup tasks;

  mutable std::mutex mutex;  // guards what status() reads
  Time heard_at;
  std::optional<Error> trouble;
  std::atomic<std::uint64_t> claimed{0};
};

Client::Client(net::asio::io_context& context, ledger::EntrySink& sink,
               const crypto::SubtreeReader& tree, const Clock& clock, telemetry::Log& log,
               ClientOptions options)
    : impl_(std::make_shared<Impl>(context, sink, tree, clock, log, std::move(options))) {}
Client::~Client() = default;

Result<void> Client::start() {
  BW_CHECK(impl_->keeper.load(impl_->sink.size()));
  impl_->tasks.spawn(impl_->follow_for_ever());
  impl_->tasks.spawn(impl_->tick_for_ever());
  return {};
}

net::Task<void> Client::stop() {
  impl_->stopping = true;
  if (impl_->channel) impl_->channel->close();
  impl_->tasks.cancel();
  co_await impl_->tasks.join();
  if (const auto saved = impl_->keeper.save(); !saved) {
    impl_->log.write(telemetry::Level::kWarning, "ledger", saved.error().message);
  }
  impl_->fail_submissions(shutting_down());
}

void Client::submit(std::vector<Bytes> objects, SubmitDone done) {
  net::asio::post(impl_->context, [weak = std::weak_ptr(impl_), objects = std::move(objects),
                                   done = std::move(done)]() mutable {
    const auto impl = weak.lock();
    if (!impl) return done(fail(shutting_down()));
    impl->take_submission(std::move(objects), std::move(done));
  });
}

ledger::Status Client::status() const {
  const std::scoped_lock lock(impl_->mutex);
  ledger::Status status;
  status.kind = "embedded";
  status.where = impl_->options.address;
  status.size = impl_->sink.size();
  status.head = std::max(status.size, impl_->claimed.load());
  status.root = crypto::root_at(impl_->tree, status.size).value_or(Hash{});
  status.heard_at = impl_->heard_at;
  status.connected = !impl_->trouble && impl_->heard_at != Time{};
  status.trouble = impl_->trouble;
  return status;
}

Bytes Client::latest_head() const {
  const auto latest = impl_->keeper.latest();
  return latest ? ledger::encode(*latest) : Bytes{};
}

Result<void> Client::compare(ByteView head) {
  auto compared = impl_->keeper.compare(head, impl_->sink.size());
  if (!compared && compared.error().code == ErrorCode::kFork) {
    net::asio::post(impl_->context, [weak = std::weak_ptr(impl_), why = compared.error()] {
      const auto impl = weak.lock();
      if (!impl) return;
      impl->stop_trusting(why);
      if (impl->channel) impl->channel->abort();
    });
  }
  return compared;
}

}  // namespace bw::ledger_embedded
