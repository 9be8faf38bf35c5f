// SPDX-License-Identifier: Apache-2.0
#include "base/check.hpp"
#include "syndication/batch.hpp"

using namespace bw;
using syndication::BatchView;

namespace {

struct Opened {
  BatchView view;
  std::vector<Hash> leaves;
};

Opened open_again(ByteView bytes) {
  static const crypto::Sha256 kPrefix = syndication::leaf_prefix(Hash{});
  Opened opened;
  BW_ASSERT(syndication::parse_batch(bytes, opened.view).has_value());
  const auto prefix_of = [](std::uint32_t) { return &kPrefix; };
  BW_ASSERT(syndication::batch_leaves(opened.view, prefix_of, opened.leaves).has_value());
  return opened;
}

Bytes selected(const Opened& batch, std::span<const std::uint16_t> kept) {
  Bytes out;
  BW_ASSERT(syndication::select(batch.view, batch.leaves, kept, out).has_value());
  return out;
}

Hash root_of(const Opened& batch) {
  return crypto::multi_proof_root(batch.view.header.count, batch.view.indices, batch.leaves,
                                  batch.view.hashes)
      .value();
}

}  // namespace

// What parses is canonical, and every selection from it parses, keeps the root and the messages.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  BatchView view;
  if (!syndication::parse_batch(bytes, view)) return 0;
  const Opened batch = open_again(bytes);

  std::vector<std::uint16_t> all;
  std::vector<std::uint16_t> some;
  for (std::size_t i = 0; i < batch.view.messages.size(); ++i) {
    all.push_back(static_cast<std::uint16_t>(i));
    if ((data[i % size] & 1U) != 0) some.push_back(all.back());
  }
  BW_ASSERT(std::ranges::equal(selected(batch, all), bytes));
  if (some.empty()) return 0;

  const Bytes part_bytes = selected(batch, some);
  const Opened part = open_again(part_bytes);
  BW_ASSERT(root_of(part) == root_of(batch));
  for (std::size_t i = 0; i < some.size(); ++i) {
    BW_ASSERT(part.leaves[i] == batch.leaves[some[i]]);
  }
  return 0;
}
