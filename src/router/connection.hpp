// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include "net/channel.hpp"
#include "syndication/router_core.hpp"

namespace bw::router {

class Lane;

// What goes along when a session moves from thread to thread.
struct Session {
  syndication::SessionId id;
  EntityKey peer;
  net::ChannelPtr channel;
  syndication::Intake intake;
  // When it last brought something that was refused.
  std::optional<std::chrono::steady_clock::time_point> fault = std::nullopt;
};

// A session on its thread, from its hello or its arrival until the core has let go of it there. The
// core's thread knows it by address only.
struct Connection : Session {
  Lane& lane;
  net::asio::steady_timer changed;  // wakes its task
  bool wants_to_leave = false;      // for a lane that suits it better
  std::size_t under_way = 0;        // parcels at the core
  bool in_line = false;             // for room on its lane
  bool let_go = false;              // nothing will come from the core any more
};

// What sessions tell the core, in order. Between kLeaving and kArrived a session is on its way from
// one thread to another.
struct Inward {
  enum class Kind { kOpened, kParcel, kLost, kLeaving, kArrived, kClosed };
  Kind kind;
  Connection* connection;
  std::unique_ptr<syndication::Parcel> parcel;
  std::uint64_t lost = 0;
};

// What the core tells sessions, in order.
struct Outward {
  struct Send {
    syndication::SharedFrames frames;
    bool droppable;
  };
  struct Ended {
    EntityKey entity;
    std::uint64_t stream;
  };
  struct LetGo {};
  using What = std::variant<Send, Ended, LetGo, Error>;  // an error closes the session
  Connection* connection;
  What what;
};

// All that the core has for one thread at a time.
struct Mail {
  std::vector<Outward> news;
  std::vector<Inward> done;  // parcels, to be used again

  [[nodiscard]] bool empty() const { return news.empty() && done.empty(); }
};

}  // namespace bw::router
