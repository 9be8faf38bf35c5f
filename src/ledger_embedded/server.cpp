// SPDX-License-Identifier: Apache-2.0
#include "ledger_embedded/server.hpp"

#include <atomic>
#include <mutex>
#include <unordered_map>

#include <boost/asio/post.hpp>

#include "ledger/head.hpp"
#include "ledger/pending_state.hpp"
#include "net/task_group.hpp"
#include "session/session.hpp"
#include "syndication/token_bucket.hpp"

namespace bw::ledger_embedded {
namespace {

namespace wire = syndication;

constexpr std::size_t kChunkBytes = 512 * 1024;
// A follower that does not read gets no more until it does.
constexpr std::size_t kMostQueuedBytes = 8 * 1024 * 1024;
constexpr Duration kPump = 100ms;

wire::SubmittedFrame::Outcome to_wire(const ledger::Submitted& outcome) {
  return {outcome.index, outcome.index ? Error{} : outcome.refusal};
}

}  // namespace

struct Server::Impl final : std::enable_shared_from_this<Server::Impl> {
  struct Follower {
    net::ChannelPtr channel;
    syndication::TokenBucket allowance;
    std::optional<std::uint64_t> next;  // first entry it lacks, once it follows
    Time last_head;
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
        tasks(io.get_executor()) {}

  // ---- admission
  // Judges entries one after the other, then appends all that passed at once: one disk flush a
  // call.
  Result<std::vector<ledger::Submitted>> admit(const std::vector<ByteView>& entries) {
    const std::scoped_lock lock(writing);
    ledger::PendingState state(store);
    std::vector<ledger::Submitted> outcomes;
    std::vector<wave::Object> passed;
    const std::uint64_t first = store.log().size();
    for (const ByteView entry : entries) {
      auto object = judge(entry, state);
      if (object) {
        outcomes.push_back({first + passed.size(), {}});
        passed.push_back(*std::move(object));
      } else {
        outcomes.push_back({std::nullopt, std::move(object).error()});
      }
    }
    refused += entries.size() - passed.size();
    if (passed.empty()) return outcomes;
    BW_TRY(const ledger::Effects effects, store.append(passed));
    accepted += passed.size();
    if (on_appended) on_appended(effects);
    return outcomes;
  }

  Result<wave::Object> judge(ByteView entry, ledger::PendingState& state) {
    BW_TRY(wave::Object object, wave::parse_object(entry));
    BW_CHECK(ledger::admissible(object, state, clock.now()));
    BW_CHECK(wave::verify_signature(object));
    BW_CHECK(state.add(object));
    return object;
  }

  // ---- sessions
  net::Task<void> serve(net::ChannelPtr channel) {
    session::Self self{&key, wire::Role::kLedger, {}};
    session::Welcome anybody = [](const session::Peer&) { return Result<void>{}; };
    const auto peer = co_await session::accept(channel, std::move(self), std::move(anybody));
    if (!peer) co_return;
    const FollowerId id = next_follower++;
    followers.emplace(
        id,
        Follower{
            channel, {options.entries_per_second, options.burst, clock.now()}, std::nullopt, {}});
    session::OnFrames on_frames = [this, id](std::span<const ByteView> frames) -> Result<void> {
      for (const ByteView frame : frames) BW_CHECK(handle(followers.at(id), frame));
      return {};
    };
    co_await session::run(channel, std::move(on_frames));
    followers.erase(id);
  }

  Result<void> handle(Follower& follower, ByteView bytes) {
    BW_TRY(const wire::ParsedFrame parsed, wire::parse_frame(bytes));
    if (const auto* submit = std::get_if<wire::Submit>(&parsed.frame)) {
      return answer(follower, *submit);
    }
    if (const auto* follow = std::get_if<wire::Follow>(&parsed.frame)) {
      follower.next = follow->size;
      return first_head(follower);
    }
    return fail(ErrorCode::kMalformed, "ledger: a {} frame has no business here",
                wire::frame_name(parsed.type));
  }

  Result<void> answer(Follower& follower, const wire::Submit& submit) {
    wire::SubmittedFrame reply{submit.request, {}};
    if (follower.allowance.take(static_cast<double>(submit.objects.size()), clock.now())) {
      auto outcomes = admit(submit.objects);
      for (std::size_t i = 0; i < submit.objects.size(); ++i) {
        reply.outcomes.push_back(outcomes ? to_wire((*outcomes)[i])
                                          : wire::SubmittedFrame::Outcome{{}, outcomes.error()});
      }
    } else {
      limited += submit.objects.size();
      const Error slow{ErrorCode::kLimited,
                       fmt::format("this ledger takes {} entries a second from one connection; "
                                   "send more slowly",
                                   options.entries_per_second)};
      reply.outcomes.assign(submit.objects.size(), {std::nullopt, slow});
    }
    Bytes out;
    wire::encode_frame(reply, out);
    follower.channel->send(std::move(out));
    pump_all();
    return {};
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
    Bytes out;
    wire::encode_frame(wire::HeadFrame{head, std::move(consistency)}, out);
    follower.channel->send(std::move(out));
    follower.last_head = clock.now();
    return {};
  }

  // Sends chunks while the follower reads them: a head for the end of each chunk, then its entries.
  Result<void> pump(Follower& follower) {
    const std::uint64_t size = store.log().size();
    if (*follower.next == size && head_is_due(follower)) return send_head(follower, size, size);
    while (*follower.next < size && follower.channel->queued_bytes() < kMostQueuedBytes) {
      BW_TRY(const auto entries,
             store.log().read(*follower.next, limits::kLedgerBatchEntries, kChunkBytes));
      const std::uint64_t end = *follower.next + entries.size();
      BW_CHECK(send_head(follower, *follower.next, end));
      Bytes out;
      wire::encode_frame(wire::Entries{*follower.next, {entries.begin(), entries.end()}}, out);
      follower.channel->send(std::move(out));
      follower.next = end;
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
  std::mutex writing;  // one admission at a time; never held by readers
  std::unordered_map<FollowerId, Follower> followers;
  FollowerId next_follower = 1;
  net::TaskGroup tasks;
  std::unique_ptr<net::Listener> listener;
  std::atomic<std::uint64_t> accepted{0};
  std::atomic<std::uint64_t> refused{0};
  std::atomic<std::uint64_t> limited{0};
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
}

std::string Server::address() const {
  return impl_->listener ? impl_->listener->address() : "";
}
const EntityKey& Server::key() const {
  return impl_->key.public_key();
}

void Server::submit(std::vector<Bytes> objects, SubmitDone done) {
  net::asio::post(impl_->context, [weak = std::weak_ptr(impl_), objects = std::move(objects),
                                   done = std::move(done)] {
    const auto impl = weak.lock();
    if (!impl) return done(fail(ErrorCode::kUnavailable, "the ledger is shutting down"));
    if (auto good = ledger::check_submission(objects); !good) {
      return done(fail(std::move(good).error()));
    }
    done(impl->admit({objects.begin(), objects.end()}));
    impl->pump_all();
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
