// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "wave/authorize.hpp"

namespace bw::replica {

// Proofs that were found, by request, until something on that very path changes (paper
// section 5.2). Bounded: the least recently used goes. Thread-safe.
class ProofCache {
 public:
  explicit ProofCache(std::size_t capacity) : capacity_(capacity) {}

  struct Entry {
    std::shared_ptr<const wave::Proof> proof;
    Hash hash;
    Time not_before;  // the latest not_before on the path
    Time expires;
  };
  [[nodiscard]] std::optional<Entry> find(const wave::Request& request, Time now);
  // How often changed() was called. A search notes it before it begins.
  [[nodiscard]] std::uint64_t changes() const;
  // `rests_on`: the entities and DoTs of the path. Does nothing when changes() has moved on, since
  // the proof may rest on what is no more.
  void put(const wave::Request& request, Entry entry, const wave::Grant& rests_on,
           std::uint64_t changes);
  void changed(std::span<const EntityKey> entities, std::span<const ObjectId> dots);
  [[nodiscard]] std::size_t size() const;

 private:
  struct Slot {
    std::string key;
    Entry entry;
    std::vector<ByteArray<32>> rests_on;
  };
  using Slots = std::list<Slot>;  // most recently used first

  static std::string key_of(const wave::Request& request);
  void erase(Slots::iterator slot);
  void drop_all_on(const ByteArray<32>& id);

  struct RawHash {
    std::size_t operator()(const ByteArray<32>& raw) const noexcept {
      return std::hash<ObjectId>{}(ObjectId{raw});
    }
  };

  mutable std::mutex mutex_;
  std::size_t capacity_;
  std::uint64_t changes_ = 0;
  Slots slots_;
  std::unordered_map<std::string, Slots::iterator> by_key_;
  std::unordered_map<ByteArray<32>, std::unordered_set<std::string>, RawHash> by_part_;
};

}  // namespace bw::replica
