// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "syndication/client_session.hpp"
#include "syndication/testing/cast.hpp"
#include "syndication/testing/memory_message_store.hpp"
#include "syndication/testing/single_router.hpp"

namespace bw::syndication::testing {

// A router and the agents of several sessions, wired in memory: frames move when told to.
class Exchange : public RouterOutput {
 public:
  struct Agent {
    explicit Agent(const wave::AuthorityView& ledger) : grants(ledger, 1000) {}

    struct Arrived {
      SharedFrames frames;
      bool droppable;
    };
    SessionId id = 0;
    GrantCache grants;
    std::unique_ptr<ClientSession> session;
    std::deque<Arrived> inbox;
    std::vector<Error> errors;  // why sessions ended, as told by the router or found by the agent
  };

  explicit Exchange(std::uint64_t seed = 1)
      : cast(seed),
        core(cast.ledger, [](const EntityKey&) { return true; }, store, *this, limits()) {}

  Agent& agent(const std::string& name) {
    auto& place = agents_[name];
    if (place == nullptr) {
      place = std::make_unique<Agent>(cast.ledger);
      open(*place, cast.entity("agent of " + name));
    }
    return *place;
  }

  // The channel breaks, and another one is opened.
  void reopen(const std::string& name) {
    Agent& broken = agent(name);
    core.closed(broken.id);
    broken.inbox.clear();
    broken.session->end({ErrorCode::kUnavailable, "the channel broke"});
    open(broken, cast.entity("agent of " + name));
  }

  // What waits at the agent goes to the router.
  bool flush(Agent& from) {
    Bytes out;
    from.session->flush(now, out);
    if (out.empty()) return false;
    core.receive(from.id, split_frames(out), now);
    return true;
  }
  // What the router sent is taken by the agent.
  bool hear(Agent& to) {
    if (to.inbox.empty()) return false;
    while (!to.inbox.empty()) {
      const Agent::Arrived arrived = std::move(to.inbox.front());
      to.inbox.pop_front();
      const auto received = to.session->receive(split_frames(*arrived.frames), now);
      if (!received) to.errors.push_back(received.error());
    }
    return true;
  }
  void hear_all() {
    for (auto& [name, to] : agents_) hear(*to);
  }
  // Until nobody has anything to say.
  void settle() {
    for (bool moved = true; std::exchange(moved, false);) {
      for (auto& [name, one] : agents_) {
        moved |= flush(*one);
        moved |= hear(*one);
      }
    }
  }

  void pass(Duration time) {
    now += time;
    cast.ledger.set_heard_at(now);
    core.tick(now);
    for (auto& [name, one] : agents_) one->session->tick(now);
  }
  void revoke(const ObjectId& dot) {
    cast.ledger.revoke_dot(dot);
    for (auto& [name, one] : agents_) one->grants.changed({}, {&dot, 1});
    core.authority_changed({}, {&dot, 1}, {}, now);
  }
  void revoke(const EntityKey& entity) {
    cast.ledger.revoke_entity(entity);
    for (auto& [name, one] : agents_) one->grants.changed({&entity, 1}, {});
    core.authority_changed({&entity, 1}, {}, {}, now);
  }

  void send(SessionId session, SharedFrames frames, bool droppable) override {
    for (auto& [name, to] : agents_) {
      if (to->id == session) to->inbox.push_back({std::move(frames), droppable});
    }
  }
  void close(SessionId session, const Error& reason) override {
    for (auto& [name, to] : agents_) {
      if (to->id == session) to->errors.push_back(reason);
    }
  }
  void ended(SessionId, const EntityKey&, std::uint64_t) override {}

  Cast cast;
  MemoryMessageStore store;
  SingleRouter core;
  Time now = kNow;

 private:
  // Nobody is blacklisted for trying what is not allowed.
  static RouterLimits limits() {
    RouterLimits out;
    out.strikes_to_blacklist = 1e9;
    return out;
  }
  void open(Agent& agent, const EntityKey& peer) {
    agent.id = ++last_session_;
    Hash exporter;
    cast.random.fill(exporter.bytes);
    agent.session = std::make_unique<ClientSession>(exporter, agent.grants, cast.random);
    core.open(agent.id, peer, exporter, now);
  }

  std::map<std::string, std::unique_ptr<Agent>> agents_;
  SessionId last_session_ = 0;
};

}  // namespace bw::syndication::testing
