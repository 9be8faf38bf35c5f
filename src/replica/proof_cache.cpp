// SPDX-License-Identifier: Apache-2.0
#include "replica/proof_cache.hpp"

namespace bw::replica {

std::string ProofCache::key_of(const wave::Request& request) {
  std::string key;
  key.reserve(2 * EntityKey::kSize + 2 + request.pattern.text().size());
  key.append(as_text(request.origin.view()));
  key.append(as_text(request.ns.view()));
  key.push_back(static_cast<char>(request.permissions.bits() & 0xffU));
  key.push_back(static_cast<char>(request.permissions.bits() >> 8U));
  key.append(request.pattern.text());
  return key;
}

std::optional<ProofCache::Entry> ProofCache::find(const wave::Request& request, Time now) {
  const std::scoped_lock lock(mutex_);
  const auto found = by_key_.find(key_of(request));
  if (found == by_key_.end()) return std::nullopt;
  const auto slot = found->second;
  if (now >= slot->entry.expires || now < slot->entry.not_before) {
    erase(slot);
    return std::nullopt;
  }
  slots_.splice(slots_.begin(), slots_, slot);
  return slot->entry;
}

std::uint64_t ProofCache::changes() const {
  const std::scoped_lock lock(mutex_);
  return changes_;
}

void ProofCache::put(const wave::Request& request, Entry entry, const wave::Grant& rests_on,
                     std::uint64_t changes) {
  const std::scoped_lock lock(mutex_);
  if (changes != changes_) return;
  Slot slot{key_of(request), std::move(entry), {}};
  for (const EntityKey& key : rests_on.entities) slot.rests_on.push_back(key.bytes);
  for (const ObjectId& id : rests_on.dots) slot.rests_on.push_back(id.bytes);
  if (const auto old = by_key_.find(slot.key); old != by_key_.end()) erase(old->second);
  for (const auto& part : slot.rests_on) by_part_[part].insert(slot.key);
  slots_.push_front(std::move(slot));
  by_key_[slots_.front().key] = slots_.begin();
  if (slots_.size() > capacity_) erase(std::prev(slots_.end()));
}

void ProofCache::changed(std::span<const EntityKey> entities, std::span<const ObjectId> dots) {
  const std::scoped_lock lock(mutex_);
  ++changes_;
  for (const EntityKey& key : entities) drop_all_on(key.bytes);
  for (const ObjectId& id : dots) drop_all_on(id.bytes);
}

std::size_t ProofCache::size() const {
  const std::scoped_lock lock(mutex_);
  return slots_.size();
}

void ProofCache::drop_all_on(const ByteArray<32>& id) {
  const auto found = by_part_.find(id);
  if (found == by_part_.end()) return;
  const std::unordered_set<std::string> keys = found->second;  // erase() edits the original
  for (const std::string& key : keys) erase(by_key_.at(key));
}

void ProofCache::erase(Slots::iterator slot) {
  for (const auto& part : slot->rests_on) {
    const auto found = by_part_.find(part);
    if (found == by_part_.end()) continue;
    found->second.erase(slot->key);
    if (found->second.empty()) by_part_.erase(found);
  }
  by_key_.erase(slot->key);
  slots_.erase(slot);
}

}  // namespace bw::replica
