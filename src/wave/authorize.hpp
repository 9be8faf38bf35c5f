// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "wave/authority.hpp"
#include "wave/proof.hpp"

namespace bw::wave {

struct Request {
  EntityKey origin;         // who asks
  EntityKey ns;             // in which namespace
  Pattern pattern;          // for what: all of it must be proven
  Permissions permissions;  // which rights, all of them
};

// A limit that a DoT on the path puts on publishing. It counts everything that flows under that
// DoT's authority, so re-delegating does not multiply it.
struct PublishLimit {
  ObjectId dot;
  std::uint32_t messages_per_second = 0;  // 0 = none
  std::uint64_t stored_bytes = 0;         // 0 = none
};

// A yes, and what it rests on. It holds until `expires`, or until one of `entities` or `dots` is
// revoked, or the node's view of the ledger becomes stale.
struct Grant {
  Time expires;
  std::vector<EntityKey> entities;  // namespace, every granter, the origin
  std::vector<ObjectId> dots;       // in path order
  std::vector<PublishLimit> limits;
};

// A no, and why, so that a person can act on it.
struct Denial {
  ErrorCode code = ErrorCode::kDenied;
  // Index of the failing DoT in the path, or -1 when it is not about one link.
  int link = -1;
  // "link 2 of 3 (Kk3..: boss -> alice, P on floor1/*) is revoked; ask boss for a new grant"
  std::string reason;

  [[nodiscard]] Error to_error() const { return {code, reason}; }
};

// The only place in the program that decides whether something is allowed (design, section 2).
//
// Allowed when: the view is fresh enough for the namespace; namespace, every granter and the origin
// are registered, unexpired and unrevoked; the path starts at the namespace and each link starts
// where the previous ended; it ends at the origin or at everyone; every DoT is on the ledger, not
// revoked, within not_before and expires, of this namespace, without conditions, covers the
// requested pattern and permissions, and has ttl >= the number of links after it. The empty path
// proves only the namespace's own authority.
//
// Signatures of DoTs need not be checked here: a DoT that is on the ledger (by id, which is the
// hash of its body) was checked when it was taken in. Checks run cheapest first.
Result<Grant, Denial> authorize(const Request& request, const Proof& proof,
                                const AuthorityView& authority, Time now);

}  // namespace bw::wave
