// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <unordered_map>

#include "router/connection.hpp"
#include "router/spare_time.hpp"
#include "telemetry/log.hpp"

namespace bw::router {

// Where the sessions of all threads meet: the core with its thread, the one that `context` runs on.
// Everything is called there, except where noted.
class Desk final : public syndication::RouterOutput, public std::enable_shared_from_this<Desk> {
 public:
  Desk(net::asio::io_context& context, const wave::AuthorityView& authority,
       syndication::RouterCore::Carries carries, syndication::MessageStore& store,
       const Clock& clock, telemetry::Log& log, const syndication::RouterLimits& limits);

  [[nodiscard]] net::asio::io_context& context() { return context_; }
  // Its thread-safe functions may be called on any thread.
  syndication::RouterCore& core() { return core_; }

  // Any thread.
  syndication::SessionId next_session() { return next_session_++; }
  void took_values(std::uint64_t count) { values_.fetch_add(count, std::memory_order_relaxed); }
  [[nodiscard]] const ValuesTaken& values() const { return values_; }

  [[nodiscard]] SpareTime& spare_time() { return spare_time_; }

  // From a session of this thread; the parcel is handed back.
  void take_here(Inward& inward);
  // A lane has something waiting: it is fetched soon. From the lane's thread.
  void fetch_soon(Lane& lane);

  // From now on sessions stay on their threads.
  void close() { closing_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] bool is_closing() const { return closing_.load(std::memory_order_relaxed); }

  void authority_changed(std::span<const EntityKey> entities, std::span<const ObjectId> dots,
                         std::span<const EntityKey> affinity);
  void tick();

 private:
  // Where a session is. While it moves from thread to thread, what it is told waits for it; of
  // deliveries only as much as a slow consumer's queue holds.
  struct Place {
    EntityKey peer;
    Connection* connection = nullptr;
    std::vector<Outward::What> waiting{};
    std::size_t waiting_bytes = 0;
    std::uint64_t lost = 0;
  };

  // RouterOutput
  void send(syndication::SessionId session, syndication::SharedFrames frames,
            bool droppable) override;
  void close(syndication::SessionId session, const Error& reason) override;
  void ended(syndication::SessionId session, const EntityKey& entity,
             std::uint64_t stream) override;

  void fetch(Lane& lane);
  void take(std::span<Inward> inwards);
  void take_parcels();
  void take_step(const Inward& inward);
  void leaves(Connection& connection);
  void arrives(Connection& connection);
  // What can wait is done in between.
  void sweep_soon();
  void tell(syndication::SessionId session, Outward::What what);
  void tell(Connection& connection, Outward::What what);
  static void hold(Place& place, Outward::What what);
  Mail& mail_for(Lane& lane);
  // Sends what was gathered: here at once, to other threads by one post for each.
  void post_mail();

  net::asio::io_context& context_;
  const Clock& clock_;
  telemetry::Log& log_;
  syndication::RouterCore core_;
  std::unordered_map<syndication::SessionId, Place> places_;
  std::vector<syndication::Parcel*> parcels_;  // of the call at hand
  std::vector<Lane*> with_mail_;
  std::vector<net::ChannelPtr> sending_;  // of this thread's sessions, those with something to send
  ValuesTaken values_ = 0;
  SpareTime spare_time_;
  std::optional<SpareTime::Piece> sweep_;
  std::atomic<syndication::SessionId> next_session_ = 1;
  std::atomic<bool> closing_ = false;
};

}  // namespace bw::router
