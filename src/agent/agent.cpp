// SPDX-License-Identifier: Apache-2.0
#include "agent/agent.hpp"

#include <map>

#include <boost/asio/post.hpp>

#include "agent/routes.hpp"
#include "agent/sealed_inbox.hpp"
#include "agent/sealing.hpp"
#include "net/repeat_timer.hpp"

namespace bw::agent {
namespace {

using syndication::ClientSession;
using syndication::MessageType;

constexpr std::size_t kGrantsRemembered = 100'000;
constexpr Duration kTick = 1s;
// How long a request waits for a session, or for a router to hear what the ledger said just now.
constexpr Duration kPatience = 10s;
constexpr Duration kRetry = 100ms;

// Refusals that pass by themselves: nodes follow the ledger each at its own pace, so a router may
// not know yet what this agent knows already.
bool may_pass(ErrorCode code) {
  return code == ErrorCode::kNotFound || code == ErrorCode::kUnavailable ||
         code == ErrorCode::kStale;
}

Received received(const syndication::Delivery& delivery, bool raw) {
  return {.id = delivery.id,
          .ns = delivery.topic.ns,
          .uri = delivery.topic.uri.text(),
          .persisted = delivery.type == MessageType::kPersist,
          .stored = delivery.stored,
          .created = delivery.created,
          .expires = delivery.expires,
          .payload = to_bytes(delivery.payload),
          .standing = raw ? syndication::standing_message(delivery).value_or(Bytes{}) : Bytes{},
          .sealed = false};
}

Error shutting_down() {
  return {ErrorCode::kUnavailable, "this agent is shutting down"};
}

MessageType consume_type(bool query, bool tap) {
  if (query) return tap ? MessageType::kTapQuery : MessageType::kQuery;
  return tap ? MessageType::kTap : MessageType::kSubscribe;
}

}  // namespace

struct Agent::Impl final : std::enable_shared_from_this<Agent::Impl> {
  // A subscription or query of an application. Outlives sessions and routers.
  struct Consume {
    ConsumeRequest request;
    ConsumeHandlers handlers;
    bool query = false;
    bool stood = false;      // it was standing once: from then on only the last words end it
    bool told_away = false;  // the application knows that it does not stand now
    Time patience_ends;      // of a first attempt
    Time retry_at;           // kNever: nothing to do
    RouterLink* link = nullptr;
    ClientSession::SubscriptionHandle handle = 0;
    SealedInbox inbox;
  };

  // Values in a row on one URI, for which route, proof and readers are looked up once. Lives only
  // while publish() hands them over: later the ledger may say otherwise.
  struct Run {
    [[nodiscard]] bool fits(const Value& value) const {
      return value.ns == first.ns && value.uri == first.uri && value.persist == first.persist &&
             value.seal == first.seal;
    }

    const Value& first;
    RouterLink& link;
    ClientSession& session;
    syndication::Outgoing message;
    syndication::Readers readers;  // null: in clear
  };

  struct Publication final : syndication::OutcomeListener,
                             std::enable_shared_from_this<Publication> {
    void settled(std::size_t number, Result<void> outcome) override {
      if (outcome && values[number].persist) impl->persisted(*this, number);
      // Sent, and no answer: the router may have delivered it. Sending it once more could make it
      // come twice.
      if (!outcome && !carriers[number]->is_up()) {
        outcome = fail(ErrorCode::kUnavailable,
                       "the session with router {} ended before it answered, so the message was "
                       "taken or not: {}",
                       carriers[number]->router().text(), outcome.error().message);
        return finish(shared_from_this(), number, std::move(outcome));
      }
      impl->finish_or_retry(shared_from_this(), number, std::move(outcome));
    }

    Impl* impl = nullptr;
    KeyPtr key;
    std::vector<Value> values;
    std::vector<const RouterLink*> carriers;  // to whom each value was sent last
    std::vector<Result<void>> outcomes;
    std::size_t open = 0;
    Time patience_ends;
    PublishDone done;
    std::map<std::size_t, Sealing::SealedPtr> sealed;  // persisted values under way
  };
  using PublicationPtr = std::shared_ptr<Publication>;

  struct Retry {
    Time at;
    std::function<void()> again;
  };

  Impl(net::asio::io_context& io, replica::Replica& node, KeyPtr own, const Clock& wall_clock,
       telemetry::Log& logger, HeadExchange head_exchange, SealingOptions sealing_options)
      : context(io),
        replica(node),
        self(std::move(own)),
        clock(wall_clock),
        log(logger),
        grants(node, kGrantsRemembered),
        sealing(node, wall_clock, logger, std::move(sealing_options), sealing_ports()),
        routes(
            node,
            {io, wall_clock, logger, self, std::move(head_exchange), grants,
             std::make_shared<syndication::ReplayWindow>()},
            [this](const EntityKey& router) { on_up(router); },
            [this](const EntityKey& router) { on_down(router); }),
        retry_timer(io, kRetry, [this] { return retry(clock.now()); }),
        tasks(io.get_executor()) {}

  Sealing::Ports sealing_ports() {
    Sealing::Ports ports;
    ports.subscribe = [this](ConsumeRequest request, ConsumeHandlers handlers) {
      add(std::move(request), std::move(handlers), false);
    };
    ports.query = [this](ConsumeRequest request, ConsumeHandlers handlers) {
      add(std::move(request), std::move(handlers), true);
    };
    ports.persist = [this](const KeyPtr& key, const Value& value, Time created,
                           std::function<void(Result<void>)> done) {
      persist_dated(key, value, created, std::move(done));
    };
    return ports;
  }

  Result<RouterLink*> route(const EntityKey& ns) { return routes.to(ns); }

  // ---- what to send
  Result<syndication::Outgoing> outgoing(const KeyPtr& key, const EntityKey& ns,
                                         const wave::Pattern& uri, MessageType type) {
    BW_TRY(const wave::Permissions needed, syndication::needed_permissions(type, uri));
    BW_TRY(auto found, replica.find_proof({key->public_key(), ns, uri, needed}, clock.now()));
    syndication::Outgoing message;
    message.key = key;
    message.topic = {ns, found.hash, uri};
    message.proof = std::move(found.proof);
    message.type = type;
    return message;
  }

  // ---- publishing
  void publish(KeyPtr key, std::vector<Value> values, PublishDone done) {
    auto job = std::make_shared<Publication>();
    job->impl = this;
    job->key = std::move(key);
    job->values = std::move(values);
    job->carriers.resize(job->values.size());
    job->outcomes.resize(job->values.size());
    job->open = job->values.size();
    job->patience_ends = clock.now() + kPatience;
    job->done = std::move(done);
    if (job->values.empty()) return job->done({});
    std::optional<Run> run;
    for (std::size_t i = 0; i < job->values.size(); ++i) publish_one(job, i, &run);
  }

  // `run`: null when later than publish().
  void publish_one(const PublicationPtr& job, std::size_t i, std::optional<Run>* run) {
    if (stopping) return finish(job, i, fail(shutting_down()));
    const Value& value = job->values[i];
    if (run != nullptr && *run && (*run)->fits(value)) return send(job, i, **run);
    const auto link = route(value.ns);
    if (!link) return finish_or_retry(job, i, fail(link.error()));
    if ((*link)->is_up()) return publish_on(job, i, **link, run);
    const Duration patience = job->patience_ends - clock.now();
    (*link)->when_up(patience, [this, job, i, to = *link](Result<ClientSession*> session) {
      if (!session) return finish(job, i, fail(session.error()));
      publish_on(job, i, *to, nullptr);
    });
  }

  // `link` is up.
  void publish_on(const PublicationPtr& job, std::size_t i, RouterLink& link,
                  std::optional<Run>* run) {
    const Value& value = job->values[i];
    auto message = outgoing(job->key, value.ns, value.uri,
                            value.persist ? MessageType::kPersist : MessageType::kPublish);
    if (!message) {
      // A node that has just started may not have heard from its ledger yet.
      const bool passes = message.error().code == ErrorCode::kStale;
      return passes ? finish_or_retry(job, i, fail(message.error()))
                    : finish(job, i, fail(message.error()));
    }
    auto readers =
        sealing.readers_of(job->key, value, [this, job, i] { publish_one(job, i, nullptr); });
    if (!readers) return finish_or_retry(job, i, fail(readers.error()));
    if (!*readers) return;  // until it is known whether to seal
    std::optional<Run> alone;
    std::optional<Run>& with = run != nullptr ? *run : alone;
    send(job, i,
         with.emplace(value, link, *link.session(), *std::move(message), **std::move(readers)));
  }

  void send(const PublicationPtr& job, std::size_t i, Run& run) {
    const Value& value = job->values[i];
    run.message.expires = value.expires;
    run.message.consumers = value.consumers;
    const bool deletes = value.persist && value.payload.empty();
    if (run.readers && !deletes) {
      auto sealed = sealing.seal(job->key, value, run.readers);
      if (!sealed) return finish(job, i, fail(sealed.error()));
      run.message.payload = (*sealed)->payload;
      if (value.persist) job->sealed[i] = *std::move(sealed);
    } else {
      run.message.payload = value.payload;
    }
    job->carriers[i] = &run.link;
    run.session.send_value(run.message, {job, i});
  }

  void persisted(const Publication& job, std::size_t i) {
    const auto form = job.sealed.find(i);
    sealing.persisted(job.key, job.values[i], form == job.sealed.end() ? nullptr : form->second);
  }

  // Now or not at all: the session must be up.
  void persist_dated(const KeyPtr& key, const Value& value, Time created,
                     std::function<void(Result<void>)> done) {
    if (stopping) return done(fail(shutting_down()));
    const auto link = route(value.ns);
    if (!link) return done(fail(link.error()));
    auto message = outgoing(key, value.ns, value.uri, MessageType::kPersist);
    if (!message) return done(fail(message.error()));
    message->expires = value.expires;
    message->payload = value.payload;
    (*link)->send_dated(*message, created, std::move(done));
  }

  void finish_or_retry(const PublicationPtr& job, std::size_t i, Result<void> outcome) {
    if (outcome || stopping || !may_pass(outcome.error().code) ||
        clock.now() + kRetry >= job->patience_ends) {
      return finish(job, i, std::move(outcome));
    }
    retries.push_back({clock.now() + kRetry, [this, job, i] { publish_one(job, i, nullptr); }});
    retry_timer.start();
  }

  static void finish(const PublicationPtr& job, std::size_t i, Result<void> outcome) {
    job->outcomes[i] = std::move(outcome);
    if (--job->open == 0) job->done(std::move(job->outcomes));
  }

  // ---- subscriptions and queries
  ConsumeId add(ConsumeRequest request, ConsumeHandlers handlers, bool query) {
    const ConsumeId id = next_consume++;
    Consume& consume = consumes[id];
    consume.request = std::move(request);
    consume.handlers = std::move(handlers);
    consume.query = query;
    consume.patience_ends = clock.now() + kPatience;
    retry_at(consume, clock.now());
    // Not at once: the caller has not got the id yet, and callbacks must not come before it.
    net::asio::post(context, [weak = weak_from_this(), id] {
      if (const auto impl = weak.lock()) impl->attempt(id);
    });
    return id;
  }

  void attempt(ConsumeId id) {
    const auto found = consumes.find(id);
    if (found == consumes.end() || found->second.handle != 0) return;
    if (stopping) return end(id, fail(shutting_down()));
    Consume& consume = found->second;
    consume.retry_at = kNever;
    const auto link = route(consume.request.ns);
    if (!link) return refused(id, link.error());
    consume.link = *link;
    if (!(*link)->is_up()) {
      // on_up() tries again; a first attempt gives up when its patience ends.
      retry_at(consume, consume.stood ? kNever : consume.patience_ends);
      return;
    }
    auto request = outgoing(consume.request.key, consume.request.ns, consume.request.pattern,
                            consume_type(consume.query, consume.request.tap));
    if (!request) return refused(id, request.error());
    request->replay = consume.request.replay && !consume.query;
    const auto handle = (*link)->session()->consume(*request, consumer(id));
    // It may have been refused, and even cancelled, before that returned.
    const auto still = consumes.find(id);
    if (still != consumes.end() && handle != 0 && still->second.retry_at == kNever) {
      still->second.handle = handle;
    }
  }

  syndication::Consumer consumer(ConsumeId id) {
    return {.on_message =
                [this, id](const syndication::Delivery& delivery) {
                  const auto found = consumes.find(id);
                  if (found == consumes.end()) return;
                  take(id, found->second, received(delivery, found->second.request.raw));
                },
            .on_state = [this, id](Result<void> state) { on_state(id, std::move(state)); },
            .on_lost =
                [this, id](std::uint64_t count) {
                  tell(id, {SubscriptionEvent::Kind::kLost, "messages were lost", count});
                }};
  }

  void take(ConsumeId id, Consume& consume, Received message) {
    if (consume.request.keep_sealed || !SealedInbox::concerns(message)) {
      return consume.handlers.on_message(std::move(message));
    }
    consume.inbox.take(std::move(message), *consume.request.key, sealing.opener(), clock.now(),
                       inbox_out(id, consume));
  }

  SealedInbox::Out inbox_out(ConsumeId id, Consume& consume) {
    return {.deliver =
                [this, &consume](Received message) {
                  if (message.sealed) ++opened;
                  consume.handlers.on_message(std::move(message));
                },
            .unopened =
                [this, id](std::size_t count, const Error& why) {
                  unopened += count;
                  tell(id, {SubscriptionEvent::Kind::kUnopened, why.message, count});
                }};
  }

  void on_state(ConsumeId id, Result<void> state) {
    const auto found = consumes.find(id);
    if (found == consumes.end()) return;
    Consume& consume = found->second;
    if (!state) {
      consume.handle = 0;
      return refused(id, state.error());
    }
    if (consume.query) return end(id, {});
    consume.stood = true;
    consume.told_away = false;
    tell(id, {SubscriptionEvent::Kind::kStanding,
              "standing at router " + consume.link->router().text(), 0});
  }

  // Ends it for good, or tries again when the reason may pass.
  void refused(ConsumeId id, const Error& why) {
    Consume& consume = consumes.at(id);
    // Whatever ended a session, its subscriptions did not cause it.
    const bool session_lost = consume.link != nullptr && !consume.link->is_up();
    const bool passes = session_lost ? !consume.query : may_pass(why.code);
    const bool patient = consume.stood || clock.now() + kRetry < consume.patience_ends;
    if (!passes || !patient) return end(id, fail(why));
    retry_at(consume, clock.now() + kRetry);
    if (!consume.stood || std::exchange(consume.told_away, true)) return;
    tell(id, {SubscriptionEvent::Kind::kDisconnected, why.message, 0});
  }

  void end(ConsumeId id, Result<void> outcome) {
    const auto found = consumes.find(id);
    if (found == consumes.end()) return;
    const ConsumeHandlers handlers = std::move(found->second.handlers);
    consumes.erase(found);
    if (handlers.on_end) handlers.on_end(std::move(outcome));
  }

  void tell(ConsumeId id, SubscriptionEvent event) {
    const auto found = consumes.find(id);
    if (found == consumes.end() || !found->second.handlers.on_event) return;
    found->second.handlers.on_event(std::move(event));
  }

  void cancel(ConsumeId id) {
    const auto found = consumes.find(id);
    if (found == consumes.end()) return;
    Consume& consume = found->second;
    if (consume.handle != 0 && consume.link->is_up())
      consume.link->session()->unsubscribe(consume.handle);
    end(id, {});
  }

  // ---- listing
  void list(KeyPtr key, EntityKey ns, wave::Pattern uri,
            std::function<void(Result<std::vector<std::string>>)> done) {
    if (stopping) return done(fail(shutting_down()));
    const auto link = route(ns);
    if (!link) return done(fail(link.error()));
    (*link)->when_up(kPatience, [this, key = std::move(key), ns, uri = std::move(uri),
                                 done = std::move(done)](Result<ClientSession*> session) mutable {
      if (!session) return done(fail(session.error()));
      const auto request = outgoing(key, ns, uri, MessageType::kList);
      if (!request) return done(fail(request.error()));
      (*session)->list(*request, std::move(done));
    });
  }

  // ---- news
  void on_up(const EntityKey& router) {
    for (const ConsumeId id : consumes_at(router)) attempt(id);
  }

  // The session told each of its subscriptions already; they wait for on_up().
  void on_down(const EntityKey& router) {
    for (const ConsumeId id : consumes_at(router)) {
      Consume& consume = consumes.at(id);
      consume.handle = 0;
      retry_at(consume, consume.stood ? kNever : consume.patience_ends);
    }
  }

  std::vector<ConsumeId> consumes_at(const EntityKey& router) const {
    std::vector<ConsumeId> ids;
    for (const auto& [id, consume] : consumes) {
      if (consume.link != nullptr && consume.link->router() == router) ids.push_back(id);
    }
    return ids;
  }

  void authority_changed(const ledger::Effects& effects) {
    grants.changed(effects.entities, effects.revoked_dots);
    for (const EntityKey& ns : effects.affinity) move_namespace(ns);
  }

  // The designated router of `ns`, or its address, changed: subscriptions follow.
  void move_namespace(const EntityKey& ns) {
    RouterLink* const before = routes.forget(ns);
    std::vector<ConsumeId> ids;
    for (const auto& [id, consume] : consumes) {
      if (consume.request.ns == ns) ids.push_back(id);
    }
    if (ids.empty()) return;
    const auto now = route(ns);
    RouterLink* const after = now ? *now : nullptr;
    if (before == after) return;
    for (const ConsumeId id : ids) move(id, after);
  }

  void move(ConsumeId id, RouterLink* to) {
    Consume& consume = consumes.at(id);
    if (consume.handle != 0 && consume.link->is_up())
      consume.link->session()->unsubscribe(consume.handle);
    consume.handle = 0;
    consume.link = to;
    retry_at(consume, clock.now());
    if (!consume.stood) return;
    tell(id, {SubscriptionEvent::Kind::kMoved,
              to == nullptr ? "the namespace has no router now"
                            : "moved to router " + to->router().text(),
              0});
  }

  // ---- time
  net::Task<void> tick_for_ever() {
    while (co_await net::sleep_for(kTick)) tick(clock.now());
  }

  void tick(Time now) {
    for (const auto& [router, link] : routes.links()) link->tick(now);
    sealing.tick(now);
    for (auto& [id, consume] : consumes) {
      if (!consume.inbox.waits()) continue;
      consume.inbox.tick(*consume.request.key, sealing.opener(), now, inbox_out(id, consume));
    }
  }

  void retry_at(Consume& consume, Time at) {
    consume.retry_at = at;
    if (at != kNever && !stopping) retry_timer.start();
  }

  // Whether some still wait for their time.
  bool retry(Time now) {
    for (Retry& retry : std::exchange(retries, {})) {
      now < retry.at ? retries.push_back(std::move(retry)) : retry.again();
    }
    std::vector<ConsumeId> due;
    bool waits = false;
    for (const auto& [id, consume] : consumes) {
      if (consume.handle != 0 || consume.retry_at == kNever) continue;
      waits = true;
      if (now >= consume.retry_at) due.push_back(id);
    }
    for (const ConsumeId id : due) attempt_or_give_up(id, now);
    return waits || !retries.empty();
  }

  void attempt_or_give_up(ConsumeId id, Time now) {
    const auto found = consumes.find(id);
    if (found == consumes.end()) return;
    Consume& consume = found->second;
    if (consume.stood || now < consume.patience_ends) return attempt(id);
    const std::string trouble = consume.link == nullptr ? "" : consume.link->trouble();
    end(id, fail(ErrorCode::kUnavailable, "no session with the router of namespace {}: {}",
                 consume.request.ns.text(), trouble));
  }

  net::asio::io_context& context;
  replica::Replica& replica;
  KeyPtr self;
  const Clock& clock;
  telemetry::Log& log;
  syndication::GrantCache grants;
  Sealing sealing;
  std::uint64_t opened = 0;
  std::uint64_t unopened = 0;
  Routes routes;
  std::map<ConsumeId, Consume> consumes;
  ConsumeId next_consume = 1;
  std::vector<Retry> retries;
  net::RepeatTimer retry_timer;  // an idle agent is not woken
  bool stopping = false;
  net::TaskGroup tasks;
  replica::Replica::ListenerId news = 0;
};

Agent::Agent(net::asio::io_context& context, replica::Replica& replica, KeyPtr self,
             const Clock& clock, telemetry::Log& log, HeadExchange heads, SealingOptions sealing)
    : impl_(std::make_shared<Impl>(context, replica, std::move(self), clock, log, std::move(heads),
                                   std::move(sealing))) {}
Agent::~Agent() = default;

void Agent::start() {
  impl_->tasks.spawn(impl_->tick_for_ever());
  impl_->news =
      impl_->replica.listen([weak = std::weak_ptr(impl_)](const ledger::Effects& effects) {
        const auto impl = weak.lock();
        if (!impl) return;
        impl->sealing.heard(effects);
        net::asio::post(impl->context, [impl, effects] { impl->authority_changed(effects); });
      });
}

net::Task<void> Agent::stop() {
  impl_->stopping = true;
  impl_->retry_timer.stop();
  impl_->replica.forget(impl_->news);
  while (!impl_->consumes.empty()) {
    impl_->end(impl_->consumes.begin()->first, fail(shutting_down()));
  }
  impl_->tasks.cancel();
  co_await impl_->tasks.join();
  for (const auto& [router, link] : impl_->routes.links()) co_await link->stop();
  for (const auto& retry : std::exchange(impl_->retries, {})) retry.again();
}

void Agent::publish(KeyPtr key, std::vector<Value> values, PublishDone done) {
  impl_->publish(std::move(key), std::move(values), std::move(done));
}
Agent::ConsumeId Agent::subscribe(ConsumeRequest request, ConsumeHandlers handlers) {
  return impl_->add(std::move(request), std::move(handlers), false);
}
Agent::ConsumeId Agent::query(ConsumeRequest request, ConsumeHandlers handlers) {
  return impl_->add(std::move(request), std::move(handlers), true);
}
void Agent::cancel(ConsumeId id) {
  impl_->cancel(id);
}
void Agent::list(KeyPtr key, EntityKey ns, wave::Pattern uri_plus,
                 std::function<void(Result<std::vector<std::string>>)> done) {
  impl_->list(std::move(key), ns, std::move(uri_plus), std::move(done));
}

std::vector<Agent::SessionInfo> Agent::sessions() const {
  std::vector<SessionInfo> out;
  for (const auto& [router, link] : impl_->routes.links()) {
    out.push_back({router, link->address(), link->is_up(), link->trouble(),
                   impl_->consumes_at(router).size()});
  }
  return out;
}

SealStats Agent::seal_stats() const {
  SealStats stats = impl_->sealing.stats();
  stats.opened = impl_->opened;
  stats.unopened = impl_->unopened;
  return stats;
}

ClientSession::Stats Agent::stats() const {
  return impl_->routes.stats();
}

}  // namespace bw::agent
