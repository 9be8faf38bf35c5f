// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ledger/ledger.hpp"

namespace bw::ledger_ethereum::testing {

// A sink that holds entries of any form and keeps a record of what was done to it.
class MemorySink final : public ledger::RewindableSink {
 public:
  std::uint64_t size() const override { return entries.size(); }
  Result<void> append(const std::vector<Bytes>& more) override {
    if (fails_to_append) return fail(ErrorCode::kIo, "the disk is full");
    largest_append = std::max(largest_append, more.size());
    entries.insert(entries.end(), more.begin(), more.end());
    record.push_back("append");
    return {};
  }
  void heard(Time at) override { heard_at = at; }
  Result<void> rewind(std::uint64_t size) override {
    entries.resize(size);
    record.push_back("rewind");
    return {};
  }
  Result<void> suspect(const std::vector<Bytes>& revocations) override {
    suspected = revocations;
    record.push_back("suspect");
    return {};
  }
  Result<std::vector<Bytes>> read(std::uint64_t index, std::size_t most_bytes) const override {
    std::vector<Bytes> out;
    std::size_t bytes = 0;
    for (; index < entries.size() && (out.empty() || bytes < most_bytes); ++index) {
      out.push_back(entries[index]);
      bytes += out.back().size();
    }
    return out;
  }
  Result<crypto::Frontier> tree(std::uint64_t size) const override {
    crypto::Frontier tree;
    for (std::uint64_t i = 0; i < size; ++i) tree.add(crypto::leaf_hash(entries[i]));
    return tree;
  }

  std::vector<Bytes> entries;
  std::vector<Bytes> suspected;
  std::vector<std::string> record;
  Time heard_at;
  std::size_t largest_append = 0;
  bool fails_to_append = false;
};

}  // namespace bw::ledger_ethereum::testing
