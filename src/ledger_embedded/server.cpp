// SPDX-License-Identifier: Apache-2.0
#include "ledger_embedded/server.hpp"

#include <algorithm>
#include <atomic>
#include <unordered_map>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "ledger/head.hpp"
#include "ledger_embedded/admission_line.hpp"
#include "net/address.hpp"
#include "net/cancellation.hpp"
#include "net/origin_allowances.hpp"
#include "net/task_group.hpp"
#include "session/session.hpp"

namespace bw::ledger_embedded {
namespace {

namespace wire = syndication;

constexpr std::size_t kChunkBytes = 512 * 1024;
// A follower that does not read gets no more until it does: of what all may have waiting it has an
// equal share, of which these are the bounds.
constexpr std::size_t kMostQueuedBytes = 8 * 1024 * 1024;
constexpr std::size_t kLeastQueuedBytes = 2 * limits::kObjectBytes;
constexpr std::size_t kAllQueuedBytes = 256 * 1024 * 1024;
// Objects that callers of this process wait to see appended.
constexpr std::size_t kWaitingBytes = 64 * 1024 * 1024;
// Submissions of one session, and bytes of all, that are read and not yet judged: who has some
// there is not read from.
constexpr std::size_t kMostInLine = 4;
constexpr std::size_t kBytesInLine = 32 * 1024 * 1024;
constexpr Duration kDrain = 10ms;
constexpr std::size_t kSlice = 64;  // objects of a submission that pass the rate limit together
constexpr Duration kPump = 100ms;
// Work that is done for one address without anything being accepted from it: one for each frame,
// each object refused and each 4 KiB of entries served, more for a head with its proof and
// signature. Who is above it is not read from, nor served, for a while.
constexpr double kWorkPerSecond = 10'000;
constexpr double kWorkAtOnce = 20'000;
constexpr double kHeadWork = 64;
constexpr double kBytesOfWork = 4096;
constexpr Duration kTooBusy = 1s;

template <class T>
void send(net::Channel& channel, const T& frame) {
  Bytes out;
  wire::encode_frame(frame, out);
  channel.send(std::move(out));
}

wire::SubmittedFrame::Outcome to_wire(const ledger::Submitted& outcome) {
  return {outcome.index, outcome.index ? Error{} : outcome.refusal};
}

}  // namespace

struct Server::Impl final : std::enable_shared_from_this<Server::Impl> {
  struct Follower {
    net::ChannelPtr channel;
    std::uint64_t origin;
    std::optional<std::uint64_t> next;  // first entry it lacks, once it follows
    double owed = 0;                    // of work
    Time last_head;
    std::size_t in_line = 0;                        // submissions
    std::shared_ptr<net::asio::steady_timer> room;  // cancelled when there may be
  };
  using FollowerId = std::uint64_t;

  Impl(net::asio::io_context& io, store::AuthorityStore& authority, const crypto::SigningKey& own,
       const Clock& wall_clock, ServerOptions chosen, OnAppended appended)
      : context(io),
        store(authority),
        key(own),
        clock(wall_clock),
        options(std::move(chosen)),
        on_appended(std::move(appended)),
        admissions(options.entries_per_second, std::max(options.burst, 1.0)),
        work(kWorkPerSecond, kWorkAtOnce),
        tasks(io.get_executor()),
        line(store, clock, options.threads, [this](const auto& effects) { tell(effects); }) {}

  // ---- admission
  // What `objects` became comes on this context's thread, after the news of what they changed.
  // Callers that are gone by then get no answer.
  void admit(std::vector<Bytes> objects, AdmissionLine::Done done) {
    const std::size_t bytes = ledger::submission_bytes(objects);
    const std::size_t count = objects.size();
    bytes_in_line += bytes;
    ++in_line;
    line.submit(std::move(objects), [&io = context, weak = weak_from_this(), bytes, count,
                                     answer = std::move(done)](auto outcomes) mutable {
      net::asio::post(io, [weak, bytes, count, answer = std::move(answer),
                           outcomes = std::move(outcomes)]() mutable {
        if (const auto impl = weak.lock()) impl->admitted(bytes, count, outcomes);
        answer(std::move(outcomes));
      });
    });
  }

  void admitted(std::size_t bytes, std::size_t count,
                const Result<std::vector<ledger::Submitted>>& outcomes) {
    bytes_in_line -= bytes;
    --in_line;
    if (!outcomes) return;
    const auto taken = std::ranges::count_if(
        *outcomes, [](const ledger::Submitted& outcome) { return outcome.index.has_value(); });
    accepted += static_cast<std::uint64_t>(taken);
    refused += count - static_cast<std::uint64_t>(taken);
  }

  // From the line's writer.
  void tell(const ledger::Effects& effects) {
    if (!on_appended) return;
    net::asio::post(context, [weak = weak_from_this(), effects] {
      if (const auto impl = weak.lock()) impl->on_appended(effects);
    });
  }

  // ---- sessions
  net::Task<void> serve(net::ChannelPtr channel) {
    session::Self self{&key, wire::Role::kLedger, {}};
    session::Welcome anybody = [](const session::Peer&) { return Result<void>{}; };
    const auto peer = co_await session::accept(channel, std::move(self), std::move(anybody));
    if (!peer) co_return;
    const FollowerId id = next_follower++;
    const std::uint64_t origin = net::origin_of(channel->peer_address());
    auto room = std::make_shared<net::asio::steady_timer>(context);
    followers.emplace(id, Follower{channel, origin, std::nullopt, 0, {}, 0, std::move(room)});
    session::TakeFrames take = [this, id](std::span<const ByteView> frames) {
      return take_frames(id, frames);
    };
    co_await session::serve(channel, std::move(take));
    followers.erase(id);
  }

  net::Task<bool> take_frames(FollowerId id, std::span<const ByteView> frames) {
    Follower& follower = followers.at(id);
    for (const ByteView frame : frames) {
      ++follower.owed;
      while (!paid(follower)) {
        if (!co_await net::sleep_for(kTooBusy) || !follower.channel->is_open()) co_return true;
      }
      while (is_full_for(follower)) {
        follower.room->expires_at(std::chrono::steady_clock::time_point::max());
        co_await follower.room->async_wait(net::asio::as_tuple(net::asio::use_awaitable));
        if (co_await net::is_cancelled() || !follower.channel->is_open()) co_return true;
      }
      if (auto handled = handle(id, follower, frame); !handled) {
        session::close_with(*follower.channel, handled.error());
        break;
      }
    }
    co_return true;
  }

  // Who has nothing in line may always add a submission.
  bool is_full_for(const Follower& follower) const {
    return follower.in_line >= kMostInLine ||
           (follower.in_line > 0 && bytes_in_line > kBytesInLine);
  }

  bool paid(Follower& follower) {
    if (!work.take(follower.origin, follower.owed, steady_now())) return false;
    follower.owed = 0;
    return true;
  }

  static Time steady_now() {
    return Time{
        std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch())};
  }

  Result<void> handle(FollowerId id, Follower& follower, ByteView bytes) {
    BW_TRY(const wire::ParsedFrame parsed, wire::parse_frame(bytes));
    if (const auto* submit = std::get_if<wire::Submit>(&parsed.frame)) {
      take_submission(id, follower, *submit);
      return {};
    }
    if (const auto* follow = std::get_if<wire::Follow>(&parsed.frame)) {
      follower.next = follow->size;
      follower.owed += kHeadWork;
      return first_head(follower);
    }
    if (const auto* ping = std::get_if<wire::Ping>(&parsed.frame)) {
      send(*follower.channel, wire::Pong{ping->nonce});
      return {};
    }
    if (parsed.type == wire::FrameType::kPong) return {};
    if (const auto* error = std::get_if<wire::ErrorFrame>(&parsed.frame)) return fail(error->error);
    return fail(ErrorCode::kMalformed, "ledger: a {} frame has no business here",
                wire::frame_name(parsed.type));
  }

  // How many of `objects` the rate lets pass now. In slices, so that a submission larger than the
  // burst gets through in parts, and not one by one, since each part costs a disk flush.
  std::ptrdiff_t allowed(const Follower& follower, std::size_t objects) {
    if (options.entries_per_second == 0) return static_cast<std::ptrdiff_t>(objects);
    const auto burst = static_cast<std::size_t>(std::max(options.burst, 1.0));
    std::size_t count = 0;
    while (count < objects) {
      const std::size_t slice = std::min({objects - count, burst, kSlice});
      if (!admissions.take(follower.origin, static_cast<double>(slice), clock.now())) break;
      count += slice;
    }
    return static_cast<std::ptrdiff_t>(count);
  }

  void take_submission(FollowerId id, Follower& follower, const wire::Submit& submit) {
    const auto end = submit.objects.begin() + allowed(follower, submit.objects.size());
    const auto too_many = static_cast<std::size_t>(submit.objects.end() - end);
    limited += too_many;
    follower.owed += static_cast<double>(too_many);
    std::vector<Bytes> objects;
    objects.reserve(static_cast<std::size_t>(end - submit.objects.begin()));
    for (auto it = submit.objects.begin(); it != end; ++it) objects.push_back(to_bytes(*it));
    // Nothing, when all came too fast, keeps its place too: a session is answered in order.
    ++follower.in_line;
    const std::size_t count = objects.size();
    admit(std::move(objects), [weak = weak_from_this(), id, request = submit.request, count,
                               too_many](const auto& outcomes) {
      if (const auto impl = weak.lock()) impl->answer(id, request, outcomes, count, too_many);
    });
  }

  // `outcomes` are of the first `count` objects; `too_many` came too fast.
  void answer(FollowerId id, std::uint32_t request,
              const Result<std::vector<ledger::Submitted>>& outcomes, std::size_t count,
              std::size_t too_many) {
    wire::SubmittedFrame reply{request, {}};
    for (std::size_t i = 0; i < count; ++i) {
      reply.outcomes.push_back(outcomes ? to_wire((*outcomes)[i])
                                        : wire::SubmittedFrame::Outcome{{}, outcomes.error()});
    }
    if (too_many > 0) reply.outcomes.resize(count + too_many, {std::nullopt, too_fast()});
    if (const auto found = followers.find(id); found != followers.end()) {
      --found->second.in_line;
      found->second.room->cancel();
      send(*found->second.channel, reply);
    }
    if (count > 0) pump_all();
  }

  Error too_fast() const {
    return {ErrorCode::kLimited,
            fmt::format("this ledger takes {} entries a second, {} at once, from one address; "
                        "send this one again later",
                        options.entries_per_second, options.burst)};
  }

  // ---- following
  // What a follower claims to hold may be more than there is (this log was put back): it gets the
  // head as it is, and will refuse it.
  Result<void> first_head(Follower& follower) {
    if (*follower.next <= store.log().size()) return pump(follower);
    return send_head(follower, store.log().size(), store.log().size());
  }

  Result<void> send_head(Follower& follower, std::uint64_t from, std::uint64_t size) {
    BW_TRY(const Hash root, crypto::root_at(store.log(), size));
    BW_TRY(auto consistency, crypto::consistency_proof(store.log(), from, size));
    const Bytes head = ledger::encode(ledger::sign_head({size, root, clock.now()}, key));
    send(*follower.channel, wire::HeadFrame{head, std::move(consistency)});
    follower.last_head = clock.now();
    return {};
  }

  // Sends chunks while the follower reads them: a head for the end of each chunk, then its entries.
  Result<void> pump(Follower& follower) {
    const std::uint64_t size = store.log().size();
    if (*follower.next == size && head_is_due(follower)) return send_head(follower, size, size);
    const std::size_t share =
        std::clamp(kAllQueuedBytes / followers.size(), kLeastQueuedBytes, kMostQueuedBytes);
    while (*follower.next < size && follower.channel->queued_bytes() < share) {
      if (follower.owed >= 1 && !paid(follower)) break;
      BW_TRY(const auto entries, store.log().read(*follower.next, limits::kLedgerBatchEntries,
                                                  std::min(kChunkBytes, share)));
      const std::uint64_t end = *follower.next + entries.size();
      BW_CHECK(send_head(follower, *follower.next, end));
      send(*follower.channel, wire::Entries{*follower.next, {entries.begin(), entries.end()}});
      follower.next = end;
      for (const Bytes& entry : entries) {
        follower.owed += static_cast<double>(entry.size()) / kBytesOfWork;
      }
    }
    return {};
  }

  bool head_is_due(const Follower& follower) const {
    const Time now = clock.now();
    return now - follower.last_head >= options.head_interval || now < follower.last_head;
  }

  void pump_all() {
    for (auto& [id, follower] : followers) {
      if (!follower.next || *follower.next > store.log().size()) continue;
      if (const auto sent = pump(follower); !sent)
        session::close_with(*follower.channel, sent.error());
    }
  }

  net::Task<void> pump_for_ever() {
    while (co_await net::sleep_for(kPump)) pump_all();
  }

  net::asio::io_context& context;
  store::AuthorityStore& store;
  const crypto::SigningKey& key;
  const Clock& clock;
  ServerOptions options;
  OnAppended on_appended;
  std::unordered_map<FollowerId, Follower> followers;
  FollowerId next_follower = 1;
  net::OriginAllowances admissions;
  net::OriginAllowances work;
  std::atomic<std::size_t> waiting_bytes{0};  // in submit()
  net::TaskGroup tasks;
  std::unique_ptr<net::Listener> listener;
  std::atomic<std::uint64_t> accepted{0};
  std::atomic<std::uint64_t> refused{0};
  std::atomic<std::uint64_t> limited{0};
  std::size_t in_line = 0;  // submissions
  std::size_t bytes_in_line = 0;
  AdmissionLine line;
};

Server::Server(net::asio::io_context& context, store::AuthorityStore& store,
               const crypto::SigningKey& key, const Clock& clock, ServerOptions options,
               OnAppended on_appended)
    : impl_(std::make_shared<Impl>(context, store, key, clock, std::move(options),
                                   std::move(on_appended))) {}
Server::~Server() = default;

Result<void> Server::start() {
  BW_TRY(impl_->listener,
         net::Listener::bind(impl_->context, impl_->options.listen, impl_->options.limits));
  impl_->tasks.spawn(impl_->listener->run(
      [this](net::ChannelPtr channel) { impl_->tasks.spawn(impl_->serve(std::move(channel))); }));
  impl_->tasks.spawn(impl_->pump_for_ever());
  return {};
}

net::Task<void> Server::stop() {
  if (impl_->listener) impl_->listener->stop();
  const Error leaving{ErrorCode::kUnavailable, "the ledger is shutting down"};
  for (const auto& [id, follower] : impl_->followers)
    session::close_with(*follower.channel, leaving);
  impl_->tasks.cancel();
  co_await impl_->tasks.join();
  // What was taken gets its answer.
  while (impl_->in_line > 0) co_await net::sleep_for(kDrain);
}

std::string Server::address() const {
  return impl_->listener ? impl_->listener->address() : "";
}
const EntityKey& Server::key() const {
  return impl_->key.public_key();
}

void Server::submit(std::vector<Bytes> objects, SubmitDone done) {
  const std::size_t bytes = ledger::submission_bytes(objects);
  if (impl_->waiting_bytes.fetch_add(bytes) + bytes > kWaitingBytes) {
    impl_->waiting_bytes -= bytes;
    return done(fail(ErrorCode::kLimited,
                     "{} bytes of entries wait for the ledger already; send more slowly",
                     kWaitingBytes));
  }
  net::asio::post(impl_->context, [weak = std::weak_ptr(impl_), bytes, objects = std::move(objects),
                                   done = std::move(done)]() mutable {
    const auto impl = weak.lock();
    if (!impl) return done(fail(ErrorCode::kUnavailable, "the ledger is shutting down"));
    if (auto good = ledger::check_submission(objects); !good) {
      impl->waiting_bytes -= bytes;
      return done(fail(std::move(good).error()));
    }
    impl->admit(std::move(objects), [weak, bytes, done](auto outcomes) {
      const auto alive = weak.lock();
      if (alive) alive->waiting_bytes -= bytes;
      done(std::move(outcomes));
      if (alive) alive->pump_all();
    });
  });
}

ledger::Status Server::status() const {
  ledger::Status status;
  status.kind = "embedded";
  status.where = "this process";
  status.size = impl_->store.log().size();
  status.head = status.size;
  status.root = crypto::root_at(impl_->store.log(), status.size).value_or(Hash{});
  status.heard_at = impl_->clock.now();
  status.connected = true;
  return status;
}

Server::Stats Server::stats() const {
  return {impl_->accepted, impl_->refused, impl_->limited, impl_->followers.size()};
}

}  // namespace bw::ledger_embedded
