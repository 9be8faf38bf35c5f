// SPDX-License-Identifier: Apache-2.0
#include "syndication/parcel.hpp"

namespace bw::syndication {
namespace {

// Buffers kept from call to call.
constexpr std::size_t kSpareBatches = 64;
constexpr std::size_t kSpareBytes = 256 * 1024;

}  // namespace

void Parcel::begin(SessionId whose) {
  session = whose;
  steps.clear();
  answers.clear();
  strikes.clear();
  breach.reset();
  counts = {};
  used = 0;
  if (batches.size() > kSpareBatches) batches.resize(kSpareBatches);
  if (held_bytes > kSpareBytes) {
    for (Incoming& batch : batches) Bytes().swap(batch.kept);
  }
  held_bytes = 0;
}

Incoming& Parcel::add_batch() {
  if (used == batches.size()) batches.emplace_back();
  Incoming& incoming = batches[used++];
  incoming.stream = nullptr;
  return incoming;
}

}  // namespace bw::syndication
