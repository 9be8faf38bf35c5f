// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <optional>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "syndication/testing/exchange.hpp"

namespace bw::syndication {
namespace {

using testing::Exchange;
using ::testing::IsEmpty;
using testing::ProofPtr;

// A path of DoTs, and the oracle's own idea of what it allows.
struct Path {
  std::vector<wave::Signed<wave::Dot>> dots;
  ProofPtr proof;
};

// What one subscription or query should get, and what it got.
struct Listener {
  std::string entity;
  std::string agent;
  wave::Pattern pattern;
  MessageType type;
  const Path* path = nullptr;
  std::uint64_t burst = 0;  // in which it was asked for
  ClientSession::SubscriptionHandle handle = 0;
  bool stands = false;               // in the model, as of what the router has handled
  bool left = false;                 // unsubscribed, or ended
  std::set<std::string> due{};       // must come
  std::set<std::string> possible{};  // may come: sent here for another subscription's sake
  std::multiset<std::string> got{};
  std::vector<std::string> states{};  // "ok" or "error"
  std::vector<std::string> due_states{};
  std::uint64_t lost = 0;
  std::uint64_t due_lost = 0;
};

struct Value {
  std::string payload;
  wave::Pattern uri;
  const Path* path;
  std::string entity;
};

// A message for at most `most` of these.
struct Limited {
  std::string payload;
  std::size_t most;
  std::vector<Listener*> candidates;
};

struct Sent {
  bool settled = false;
  bool allowed = false;
};

// Four entities on two agents do random things; a model that knows nothing of frames, trees or
// caches says who must hear what.
class Simulation {
 public:
  explicit Simulation(std::uint64_t seed) : net_(seed), random_(seed) {
    for (const char* name : {"alice", "bob", "carol", "dave"}) entities_.emplace_back(name);
    for (int i = 0; i < 24; ++i) add_path();
  }

  // Returns how many messages were heard.
  std::size_t run(int steps) {
    for (int i = 0; i < steps; ++i) {
      step();
      if (one_in(3)) net_.hear_all();
      if (one_in(10)) check();
    }
    check();
    std::size_t heard = 0;
    for (const auto& listener : listeners_) heard += listener->got.size();
    return heard;
  }

 private:
  std::size_t pick(std::size_t below) { return random_() % below; }
  bool one_in(std::size_t n) { return pick(n) == 0; }
  template <class T>
  const T& any(const std::vector<T>& of) {
    return of[pick(of.size())];
  }
  std::string agent_of(const std::string& entity) const {
    return entity == "alice" || entity == "bob" ? "one" : "two";
  }
  ClientSession& session_of(const std::string& entity) {
    return *net_.agent(agent_of(entity)).session;
  }

  wave::Pattern uri() {
    std::string text = any(cells_);
    for (std::size_t more = pick(3); more > 0; --more) text += "/" + any(cells_);
    return testing::pattern_of(text);
  }
  wave::Pattern pattern() {
    std::string text;
    bool star = false;
    for (std::size_t cells = 1 + pick(3); cells > 0; --cells) {
      std::string cell = any(cells_);
      if (one_in(3)) cell = "+";
      if (!star && one_in(4)) {
        cell = "*";
        star = true;
      }
      text += (text.empty() ? "" : "/") + cell;
    }
    return testing::pattern_of(text);
  }

  // From the namespace to an entity, sometimes through another. Not all that is made is worth
  // anything.
  void add_path() {
    const std::string to = any(entities_);
    auto path = std::make_unique<Path>();
    const std::string on = one_in(3) ? pattern().text() : "*";
    const std::string can = any(rights_);
    if (one_in(3)) {
      std::string by = any(entities_);
      while (by == to) by = any(entities_);
      path->dots.push_back(net_.cast.grant("home", by, "home", "*", "C*T*PL", one_in(4) ? 0 : 1));
      path->dots.push_back(net_.cast.grant(by, to, "home", on, can));
    } else {
      path->dots.push_back(net_.cast.grant("home", to, "home", on, can));
    }
    path->proof = testing::Cast::proof(path->dots);
    paths_.push_back(std::move(path));
  }
  const Path& path_of(const std::string& entity) {
    std::vector<const Path*> own;
    for (const auto& path : paths_) {
      if (path->dots.back().value.grantee == net_.cast.entity(entity)) own.push_back(path.get());
    }
    return own.empty() || one_in(8) ? *any(paths_) : *any(own);
  }

  bool allowed(const std::string& entity, const Path& path, MessageType type,
               const wave::Pattern& on) {
    if (dead_.contains(net_.cast.entity(entity))) return false;
    EntityKey holder = net_.cast.entity("home");
    for (std::size_t i = 0; i < path.dots.size(); ++i) {
      const wave::Dot& dot = path.dots[i].value;
      if (dot.granter != holder || revoked_.contains(path.dots[i].id)) return false;
      if (dead_.contains(dot.granter) || dot.ttl < path.dots.size() - 1 - i) return false;
      if (!wave::covers(dot.pattern, on)) return false;
      if (!dot.permissions.contains(*needed_permissions(type, on))) return false;
      holder = dot.grantee;
    }
    return holder == net_.cast.entity(entity);
  }

  void step() {
    switch (pick(24)) {
      case 0:
        return add_path();
      case 1:
        return revoke_dot();
      case 2:
        return one_in(6) ? revoke_entity() : lose();
      case 3:
        return one_in(3) ? reopen() : pass();
      default:
        return burst();
    }
  }

  // Some things an entity does at once: they leave in one flush, and the router takes them in
  // order.
  void burst() {
    const std::string entity = any(entities_);
    if (one_in(4)) net_.hear_all();  // so that there is something standing to unsubscribe from
    net_.now += 1ms;
    net_.cast.ledger.set_heard_at(net_.now);
    said_.clear();
    ++burst_;
    for (std::size_t i = 1 + pick(4); i > 0; --i) {
      switch (pick(8)) {
        case 0:
        case 1:
          subscribe(entity);
          break;
        case 2:
          query(entity);
          break;
        case 3:
          unsubscribe(entity);
          break;
        default:
          say(entity);
      }
    }
    net_.flush(net_.agent(agent_of(entity)));
  }

  void say(const std::string& entity) {
    const Value value{"m" + std::to_string(++messages_), uri(), &path_of(entity), entity};
    const bool persist = one_in(2);
    Outgoing message =
        net_.cast.message(entity, persist ? MessageType::kPersist : MessageType::kPublish, "home",
                          value.uri.text(), value.path->proof, value.payload);
    if (one_in(4)) message.consumers = static_cast<std::uint16_t>(1 + pick(2));
    const bool yes = allowed(entity, *value.path, message.type, value.uri);
    sent_[value.payload].allowed = yes;
    session_of(entity).send_value(message, [this, id = value.payload](const Result<void>& result) {
      EXPECT_FALSE(std::exchange(sent_[id].settled, true)) << id;
      const bool gone = !result && result.error().code == ErrorCode::kUnavailable;
      if (!gone) EXPECT_EQ(result.has_value(), sent_[id].allowed) << id;
    });
    if (!yes) return;
    expect_live(value, message.consumers);
    if (persist) stored_.insert_or_assign(value.uri, value);
    said_.push_back(value);
  }

  void expect_live(const Value& value, std::uint16_t most) {
    Limited limited{value.payload, most, {}};
    for (const auto& listener : listeners_) {
      if (!listener->stands || listener->left || !wave::matches(listener->pattern, value.uri)) {
        continue;
      }
      if (most > 0 && listener->type != MessageType::kTap) {
        limited.candidates.push_back(listener.get());
        listener->possible.insert(value.payload);
      } else {
        listener->due.insert(value.payload);
      }
    }
    if (!limited.candidates.empty()) limited_.push_back(std::move(limited));
  }

  Listener& ask(const std::string& entity, MessageType type, const wave::Pattern& on,
                const Path& path, bool replay) {
    Listener& listener = *listeners_.emplace_back(
        std::make_unique<Listener>(Listener{entity, agent_of(entity), on, type, &path, burst_}));
    Outgoing request = net_.cast.message(entity, type, "home", on.text(), path.proof);
    request.replay = replay;
    const auto state = [&listener](const Result<void>& result) {
      listener.states.push_back(result ? "ok" : "error");
    };
    const auto heard = [&listener](const Delivery& delivery) {
      listener.got.emplace(as_text(delivery.payload));
    };
    listener.handle = session_of(entity).consume(
        request, {heard, state, [&listener](std::uint64_t count) { listener.lost += count; }});
    const bool yes = allowed(entity, path, type, on);
    listener.due_states.push_back(yes ? "ok" : "error");
    const bool reads = yes && (replay || type == MessageType::kQuery);
    if (reads) {
      for (const auto& [at, value] : stored_) {
        const bool holds = allowed(value.entity, *value.path, MessageType::kPersist, at);
        if (holds && wave::matches(on, at)) listener.due.insert(value.payload);
      }
    }
    listener.stands = yes;
    return listener;
  }

  void subscribe(const std::string& entity) {
    const MessageType type = one_in(2) ? MessageType::kSubscribe : MessageType::kTap;
    Listener& listener =
        ask(entity, type, one_in(3) ? uri() : pattern(), path_of(entity), one_in(3));
    // What was said before in the same breath may come for the sake of another subscription.
    for (const Value& value : said_) {
      if (wave::matches(listener.pattern, value.uri)) listener.possible.insert(value.payload);
    }
  }

  void query(const std::string& entity) {
    Listener& listener = ask(entity, MessageType::kQuery, pattern(), path_of(entity), false);
    listener.stands = false;
  }

  void unsubscribe(const std::string& entity) {
    net_.hear_all();
    for (const auto& listener : listeners_) {
      if (listener->entity != entity || listener->left || listener->handle == 0) continue;
      session_of(entity).unsubscribe(listener->handle);
      leave(*listener);
      if (listener->burst == burst_) listener->due.clear();
      // What this burst would bring it does not come any more, nor an answer.
      for (const Value& value : said_) {
        listener->due.erase(value.payload);
        listener->possible.erase(value.payload);
      }
      return;
    }
  }
  static void leave(Listener& listener) {
    listener.left = true;
    listener.stands = false;
  }

  // The end of subscriptions: everything under way arrives first.
  template <class Ends>
  void end_those(Ends&& ends) {
    for (const auto& listener : listeners_) {
      if (listener->left || !listener->stands || !ends(*listener)) continue;
      listener->due_states.emplace_back("error");
      leave(*listener);
    }
  }
  void revoke_dot() {
    net_.settle();
    const Path& path = *any(paths_);
    const ObjectId id = any(path.dots).id;
    if (!revoked_.insert(id).second) return;
    net_.revoke(id);
    end_those([&](const Listener& listener) { return !still_allowed(listener); });
    net_.settle();
  }
  void revoke_entity() {
    net_.settle();
    const EntityKey& key = net_.cast.entity(any(entities_));
    if (dead_.size() == 2 || !dead_.insert(key).second) return;
    net_.revoke(key);
    end_those([&](const Listener& listener) { return !still_allowed(listener); });
    net_.settle();
  }
  bool still_allowed(const Listener& listener) {
    return allowed(listener.entity, *listener.path, listener.type, listener.pattern);
  }
  void reopen() {
    net_.settle();
    const std::string agent = one_in(2) ? "one" : "two";
    net_.reopen(agent);
    end_those([&](const Listener& listener) { return listener.agent == agent; });
    for (const auto& listener : listeners_) {
      if (listener->agent == agent) leave(*listener);  // handles mean nothing to the next session
    }
  }
  void lose() {
    const std::string agent = one_in(2) ? "one" : "two";
    net_.settle();
    net_.core.lost(net_.agent(agent).id, 3);
    net_.settle();
    for (const auto& listener : listeners_) {
      if (listener->stands && listener->agent == agent) listener->due_lost += 3;
    }
  }
  void pass() {
    net_.settle();
    net_.pass(std::chrono::seconds(pick(90)));
  }

  void check() {
    net_.settle();
    for (const auto& listener : listeners_) check(*listener);
    for (const Limited& limited : limited_) check(limited);
    for (const auto& [id, sent] : sent_) EXPECT_TRUE(sent.settled) << id;
    for (const char* agent : {"one", "two"}) {
      EXPECT_THAT(net_.agent(agent).errors, IsEmpty());
      EXPECT_EQ(net_.agent(agent).session->unacknowledged(), 0U);
    }
  }
  void check(const Listener& listener) {
    const std::string name = std::string(type_name(listener.type)) + " of " + listener.entity +
                             " on " + listener.pattern.text();
    for (const std::string& id : listener.due) {
      EXPECT_EQ(listener.got.count(id), 1U) << name << " misses or repeats " << id;
    }
    for (const std::string& id : listener.got) {
      EXPECT_TRUE(listener.due.contains(id) || listener.possible.contains(id))
          << name << " got " << id;
      EXPECT_EQ(listener.got.count(id), 1U) << name << " got again " << id;
    }
    // Who unsubscribes before the answer gets none.
    if (!listener.left || !listener.states.empty()) {
      EXPECT_EQ(listener.states, listener.due_states) << name;
    }
    EXPECT_EQ(listener.lost, listener.due_lost) << name;
  }
  void check(const Limited& limited) {
    std::size_t got = 0;
    bool gone = false;
    for (const Listener* listener : limited.candidates) {
      got += listener->got.count(limited.payload);
      gone |= !listener->possible.contains(limited.payload);
    }
    const std::size_t most = std::min(limited.most, limited.candidates.size());
    if (gone) {
      EXPECT_LE(got, most) << limited.payload;
    } else {
      EXPECT_EQ(got, most) << limited.payload;
    }
  }

  Exchange net_;
  std::mt19937_64 random_;
  const std::vector<std::string> cells_{"a", "b", "c"};
  const std::vector<std::string> rights_{"PC*T*", "PC*T*L", "P", "C*T*", "C+P", "T*", "CT"};
  std::vector<std::string> entities_;
  std::vector<std::unique_ptr<Path>> paths_;
  std::set<ObjectId> revoked_;
  std::set<EntityKey> dead_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<Limited> limited_;
  std::map<wave::Pattern, Value> stored_;
  std::map<std::string, Sent> sent_;
  std::vector<Value> said_;  // in the burst at hand
  std::uint64_t messages_ = 0;
  std::uint64_t burst_ = 0;
};

TEST(ExchangeSimulation, ExactlyWhatIsAllowedIsDeliveredOnce) {
  std::size_t heard = 0;
  for (std::uint64_t seed = 1; seed <= 60 && !HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    heard += Simulation(seed).run(200);
  }
  EXPECT_GT(heard, 5'000U);
}

}  // namespace
}  // namespace bw::syndication
