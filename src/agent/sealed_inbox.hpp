// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <set>
#include <string>

#include "agent/agent.hpp"
#include "syndication/seal_opener.hpp"

namespace bw::agent {

// Opens what one subscription or query receives. A live message whose key has not come yet waits
// for it, for limits::kSealKeyPatience; the others go on. For one thread.
class SealedInbox {
 public:
  // `deliver`: in clear, or opened. `unopened`: so many messages stay sealed, and why.
  struct Out {
    std::function<void(Received)> deliver;
    std::function<void(std::size_t, const Error&)> unopened;
  };
  // Others may be handed on at once.
  [[nodiscard]] static bool concerns(const Received& message);
  // Neither may destroy this inbox; it is called with what outlives the call.
  void take(Received message, const crypto::SigningKey& reader, syndication::SealOpener& opener,
            Time now, const Out& out);
  // Tries what waits again, and gives up what waited too long.
  void tick(const crypto::SigningKey& reader, syndication::SealOpener& opener, Time now,
            const Out& out);
  [[nodiscard]] bool waits() const { return !held_.empty(); }

 private:
  struct Held {
    Received message;
    std::size_t bytes;
    Time until;
  };

  // Whether the opened message is news to the application.
  Result<bool> open(Received& message, const crypto::SigningKey& reader,
                    syndication::SealOpener& opener);
  void hold(Received message, Time now, const Out& out);
  void give_up(const Received& message, const Error& why, const Out& out);

  std::deque<Held> held_;
  std::size_t held_bytes_ = 0;
  // Where a persisted value came that could not be opened: when it comes renewed, it is news here.
  std::set<std::string> missed_;
};

}  // namespace bw::agent
