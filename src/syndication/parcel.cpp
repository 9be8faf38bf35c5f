// SPDX-License-Identifier: Apache-2.0
#include "syndication/parcel.hpp"

#include <algorithm>

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
  shared.clear();
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

std::shared_ptr<Incoming> Parcel::take_out_batch() {
  auto taken = std::make_shared<Incoming>(std::move(batches[--used]));
  batches[used] = {};
  return taken;
}

bool Parcel::empty() const {
  return steps.empty() && answers.empty() && strikes.empty() && !breach && counts.batches == 0;
}

bool Parcel::brings_messages() const {
  return !has_faults() && std::ranges::any_of(steps, [](const Step& step) {
    return std::holds_alternative<Part>(step);
  });
}

bool Parcel::has_faults() const {
  return breach || !strikes.empty() || counts.refused > 0 || counts.wasted_us > 0;
}

}  // namespace bw::syndication
