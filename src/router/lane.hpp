// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_set>

#include <boost/asio/executor_work_guard.hpp>

#include "net/task_group.hpp"
#include "router/desk.hpp"
#include "session/session.hpp"

namespace bw::router {

// The sessions of one thread: TLS, framing and verification happen there. The lane of the core's
// own thread hands everything over by plain calls. Another one has a thread, and exchanges with the
// core what it has in bulk: each way one hand-over for as much as has gathered.
//
// A session begins in the background, where strangers shake hands, on a thread that waits for all
// others. It leaves for a lane in the foreground when it has brought a message that holds up, and
// comes back for a while when it brings one that does not: whoever floods a router has what others
// leave over.
//
// Everything is called on the lane's thread, except where noted.
class Lane {
 public:
  enum class Kind {
    kCore,  // no thread of its own: the core's
    kForeground,
    kBackground,  // the listener's, too
  };
  // For a session that is to leave: where to. Any thread.
  using Elsewhere = std::function<Lane&(Kind from)>;
  Lane(Desk& desk, const Clock& clock, telemetry::Log& log, Kind kind, Elsewhere elsewhere);
  ~Lane();

  [[nodiscard]] bool local() const { return kind_ == Kind::kCore; }
  // Any thread.
  [[nodiscard]] net::asio::io_context& context() { return context_; }
  [[nodiscard]] std::weak_ptr<net::asio::io_context> weak_context() const { return owned_; }
  [[nodiscard]] std::size_t sessions() const { return sessions_.load(std::memory_order_relaxed); }
  // Counts a session that is about to come, so that the next one may go elsewhere. Any thread.
  void expect() { ++sessions_; }
  // The thread begins, if there is one. Core's thread, or before it runs.
  void start();

  // A new session, from its peer's hello on.
  net::Task<void> serve(net::ChannelPtr channel, EntityKey peer);
  void spawn(net::Task<void> task) { tasks_.spawn(std::move(task)); }

  // No sessions any more, when it returns. Core's thread, whose loop must go on.
  net::Task<void> stop();

  // For the desk, on the core's thread.
  // What sessions handed over and the core has not dealt with.
  std::deque<Inward>& fetched();
  // Whether the desk is to come again; if not, it is called when there is something.
  bool has_more();
  Mail& mail() { return mail_; }
  void post_mail();
  // Channels with something to send come to `sending`.
  static void take_news(Outward& news, std::vector<net::ChannelPtr>& sending);

 private:
  // A session that was expected, until its end or until it leaves.
  net::Task<void> stay(Session session, Inward::Kind begins);
  // False when it ended instead.
  net::Task<bool> leave(Connection& connection);
  net::Task<bool> take(Connection& connection, std::span<const ByteView> frames);
  void judge(Connection& connection, const syndication::Parcel& parcel);
  net::Task<void> room(Connection& connection);
  // What the session held is given back, a little at a time.
  net::Task<void> clear_up(Connection& connection);
  std::unique_ptr<syndication::Parcel> fresh_parcel();
  void keep(std::unique_ptr<syndication::Parcel> parcel);
  net::Task<void> tell_lost();
  net::Task<void> end_sessions();
  void submit(Inward inward);
  void submit(Inward::Kind kind, Connection& connection);
  void open_mail(Mail& mail);
  [[nodiscard]] bool full() const;

  Desk& desk_;
  const Clock& clock_;
  telemetry::Log& log_;
  const Kind kind_;
  Elsewhere elsewhere_;
  std::shared_ptr<net::asio::io_context> owned_;
  net::asio::io_context& context_;
  std::optional<net::asio::executor_work_guard<net::asio::io_context::executor_type>> work_;
  struct End;
  std::shared_ptr<End> end_;  // of the thread, as the core's thread knows it
  std::thread thread_;
  net::TaskGroup tasks_;
  std::atomic<std::size_t> sessions_{0};
  std::unordered_set<Connection*> connections_;
  std::vector<std::unique_ptr<syndication::Parcel>> spare_;
  // Of a lane with a thread: what the core has of it, and who waits for it to have less.
  std::size_t bytes_under_way_ = 0;
  std::size_t parcels_under_way_ = 0;
  std::deque<Connection*> waiting_for_room_;
  std::vector<net::ChannelPtr> sending_;     // buffer of open_mail()
  std::optional<SpareTime> own_spare_time_;  // of a lane with a thread
  SpareTime& spare_time_;

  // Between the lane's thread and the core's; held for a moment, once for each parcel.
  std::mutex mutex_;
  std::vector<Inward> gathered_;
  bool fetch_coming_ = false;

  // The core's.
  std::deque<Inward> fetched_;
  Mail mail_;
};

}  // namespace bw::router
