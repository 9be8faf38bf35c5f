// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "agent/agent.hpp"
#include "net/task_group.hpp"
#include "session/session.hpp"

namespace bw::agent {

// One session with one router, kept up: connects, proves the agent, and comes back with growing and
// random delays when it is lost. Lives on the agent's thread.
class RouterLink {
 public:
  struct Context {
    net::asio::io_context& io;
    const Clock& clock;
    telemetry::Log& log;
    KeyPtr self;
    HeadExchange heads;
    syndication::GrantCache& grants;
    std::shared_ptr<syndication::ReplayWindow> heard;
  };
  // `on_up`: a fresh session stands; `on_down`: it is gone, and what it held has ended.
  struct Events {
    std::function<void()> on_up;
    std::function<void()> on_down;
  };

  RouterLink(Context context, EntityKey router, std::string address, Events events);
  void start();
  net::Task<void> stop();

  [[nodiscard]] const EntityKey& router() const { return router_; }
  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] bool is_up() const { return session_ != nullptr; }
  [[nodiscard]] std::string trouble() const { return trouble_ ? trouble_->message : ""; }
  // The router moved: reconnect there.
  void move_to(std::string address);

  // Calls `use` with the session, at once when it is up, or when it comes up before `patience` is
  // over, or else with why it did not.
  using Use = std::function<void(Result<syndication::ClientSession*>)>;
  void when_up(Duration patience, Use use);
  // The session when it is up; what is queued on it leaves with the next turn of the event loop,
  // and everything queued until then leaves in the same batch.
  syndication::ClientSession* session();

  // Sends a value in a batch of its own, as created then: within limits::kReplayWindow of now.
  // kUnavailable when the session is not up.
  void send_dated(const syndication::Outgoing& message, Time created, syndication::Done done);

  void tick(Time now);
  [[nodiscard]] syndication::ClientSession::Stats stats() const;

 private:
  net::Task<void> run();
  net::Task<Error> run_once();
  // Waits, but no longer than the router is still where it was tried. False when cancelled.
  net::Task<bool> pause(Duration delay, std::string tried);
  void flush_soon();
  void flush();
  void give_up_waiting(Time now, bool all);

  struct Waiter {
    Time deadline;
    Use use;
  };

  Context context_;
  EntityKey router_;
  std::string address_;
  Events events_;
  net::ChannelPtr channel_;
  std::unique_ptr<syndication::ClientSession> session_;
  syndication::ClientSession::Stats past_;  // of sessions that are over
  std::deque<Waiter> waiting_;
  std::optional<Error> trouble_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  bool flush_coming_ = false;
  bool stopping_ = false;
  session::KeepAlive keep_alive_;
  net::TaskGroup tasks_;
};

}  // namespace bw::agent
