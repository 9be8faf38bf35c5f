// SPDX-License-Identifier: Apache-2.0
#include "syndication/recent_proofs.hpp"

#include "base/limits.hpp"

namespace bw::syndication {

void RecentProofs::add(const Hash& name, std::size_t bytes,
                       std::shared_ptr<const wave::Proof> proof) {
  if (!entries_.try_emplace(name, Entry{bytes, std::move(proof)}).second) return;
  order_.push_back(name);
  bytes_ += bytes;
  while (order_.size() > limits::kProofsPerSession || bytes_ > limits::kProofBytesPerSession) {
    const auto oldest = entries_.find(order_.front());
    bytes_ -= oldest->second.bytes;
    entries_.erase(oldest);
    order_.pop_front();
  }
}

std::shared_ptr<const wave::Proof> RecentProofs::find(const Hash& name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : found->second.proof;
}

}  // namespace bw::syndication
