// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <memory>
#include <unordered_map>

#include "base/id.hpp"
#include "wave/proof.hpp"

namespace bw::syndication {

// The proofs that one direction of a session carried last: at most kProofsPerSession of them and
// kProofBytesPerSession bytes, the oldest going first. Both ends keep one by the same rule, so a
// sender knows what its peer has forgotten and sends it again. A sender keeps no proofs, only their
// names.
class RecentProofs {
 public:
  // Nothing happens when it is there already: its age stays that of its first sending.
  void add(const Hash& name, std::size_t bytes, std::shared_ptr<const wave::Proof> proof);
  [[nodiscard]] bool contains(const Hash& name) const { return entries_.contains(name); }
  // nullptr when it was never sent, or too long ago.
  [[nodiscard]] std::shared_ptr<const wave::Proof> find(const Hash& name) const;

 private:
  struct Entry {
    std::size_t bytes;
    std::shared_ptr<const wave::Proof> proof;
  };
  std::unordered_map<Hash, Entry> entries_;
  std::deque<Hash> order_;
  std::size_t bytes_ = 0;
};

}  // namespace bw::syndication
