// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <unordered_map>

#include "ledger_ethereum/registry_call.hpp"

namespace bw::ledger_ethereum {

// What was put lately, before whoever follows the ledger has come to it; and else what that one
// knows. Keeps the last kRememberedBytes of DoTs and entities.
class SubmitterMemory final : public KnownObjects {
 public:
  static constexpr std::size_t kRememberedBytes = 16 * 1024 * 1024;

  // `known` must outlive this.
  explicit SubmitterMemory(KnownObjects& known) : known_(known) {}

  // It was put on the ledger.
  void remember(const wave::Object& object);

  bool holds(const ObjectId& id) override { return dots_.contains(id) || known_.holds(id); }
  std::optional<Bytes> dot(const ObjectId& id) override;
  // The one created last.
  std::optional<Bytes> entity(const EntityKey& key) override;

 private:
  struct Entry {
    Bytes bytes;
    std::uint64_t number = 0;  // counted from the first that was remembered
  };
  struct Mark {
    bool is_dot = false;
    ByteArray<32> name{};
    std::size_t bytes = 0;
    std::uint64_t number = 0;
  };
  void trim();

  KnownObjects& known_;
  std::unordered_map<ObjectId, Entry> dots_;
  std::unordered_map<EntityKey, Entry> entities_;
  std::deque<Mark> marks_;  // one for each time that something was remembered
  std::size_t bytes_ = 0;   // of all marks
  std::uint64_t count_ = 0;
};

// Of two puts of one entity that which was created later; nothing, or what is no entity, is older
// than any.
std::optional<Bytes> later_entity(std::optional<Bytes> a, std::optional<Bytes> b);

}  // namespace bw::ledger_ethereum
