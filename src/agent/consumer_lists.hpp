// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <unordered_map>

#include "replica/replica.hpp"
#include "syndication/seal_keyring.hpp"

namespace bw::agent {

// Who may read a resource, as the replica says, remembered until told that it may have changed.
// For one thread.
class ConsumerLists {
 public:
  ConsumerLists(const replica::Replica& replica, const Clock& clock)
      : replica_(replica), clock_(clock) {}

  struct List {
    bool everyone = false;
    syndication::Readers readers;  // null when everyone; the same pointer while they are the same
  };
  // `look_again`: not to rely on what is remembered. kLimited when they are too many to seal for.
  Result<List> of(const EntityKey& ns, const wave::Pattern& uri, bool look_again);
  void forget(const EntityKey& ns);

 private:
  struct Known {
    List list;
    Time until;
  };

  const replica::Replica& replica_;
  const Clock& clock_;
  std::unordered_map<EntityKey, std::unordered_map<std::string, Known>> known_;
  std::size_t weight_ = 0;  // lists and the entities in them
};

}  // namespace bw::agent
