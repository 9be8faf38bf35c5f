// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "city/build.hpp"
#include "crypto/keys.hpp"
#include "link/network.hpp"
#include "wave/proof.hpp"

namespace bw::city {

// What the attackers know.
struct Target {
  Door router;
  Door ledger;
  EntityKey ns;                    // that the router carries
  std::string uri;                 // there
  wave::Proof proof;               // of one who may publish there, overheard
  std::vector<EntityKey> victims;  // of spam
};

// Participants who attack from their own places in the network, as fast as their links and keys let
// them: they speak the protocol, and keep to no rule of an agent.
//   flooder   unauthorised messages to the router: every other one with a proof that is somebody
//             else's, until it is banned, the others for a namespace that the router does not
//             carry, for which nobody is banned. When a session ends the next begins at once, with
//             the next key.
//   spammer   DoTs to the victims, to the ledger
class Attackers {
 public:
  struct Flooder {
    std::size_t participant = 0;
    std::vector<crypto::SigningKey> keys;  // of registered entities; taken in turn
  };
  struct Spammer {
    std::size_t participant = 0;
    crypto::SigningKey key;  // registered
  };
  // On threads that are bound to `core`, unless it is negative. They wait for go().
  Attackers(const link::Network& network, Target target, std::vector<Flooder> flooders,
            std::vector<Spammer> spammers, int core);
  ~Attackers();
  Attackers(const Attackers&) = delete;
  Attackers& operator=(const Attackers&) = delete;

  void go();
  void rest();
  // Since the beginning.
  struct Counts {
    std::uint64_t messages = 0;  // by flooders, handed to the system
    std::uint64_t sessions = 0;
    std::uint64_t turned_away = 0;  // connections refused before a session stood
    std::uint64_t dots = 0;         // by spammers
  };
  [[nodiscard]] Counts counts() const;

 private:
  class Attacker;
  class Flood;
  class Spam;
  const Target target_;
  std::vector<std::unique_ptr<Attacker>> attackers_;
};

}  // namespace bw::city
