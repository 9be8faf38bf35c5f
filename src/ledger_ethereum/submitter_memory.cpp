// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/submitter_memory.hpp"

namespace bw::ledger_ethereum {
namespace {

Time created_of(const std::optional<Bytes>& entity) {
  const auto parsed =
      entity ? wave::parse<wave::Entity>(*entity) : fail(ErrorCode::kNotFound, "no entity");
  return parsed ? parsed->value.created : Time::min();
}

}  // namespace

std::optional<Bytes> later_entity(std::optional<Bytes> a, std::optional<Bytes> b) {
  return created_of(b) > created_of(a) ? std::move(b) : std::move(a);
}

void SubmitterMemory::remember(const wave::Object& object) {
  Mark mark{.is_dot = wave::kind_of(object) == wave::Kind::kDot,
            .name = {},
            .bytes = wave::bytes_of(object).size(),
            .number = ++count_};
  const Entry entry{.bytes = to_bytes(wave::bytes_of(object)), .number = mark.number};
  if (mark.is_dot) {
    mark.name = wave::id_of(object).bytes;
    dots_[ObjectId{mark.name}] = entry;
  } else if (wave::kind_of(object) == wave::Kind::kEntity) {
    mark.name = wave::signer_of(object).bytes;
    entities_[EntityKey{mark.name}] = entry;
  } else {
    return;
  }
  marks_.push_back(mark);
  bytes_ += mark.bytes;
  trim();
}

void SubmitterMemory::trim() {
  const auto forget = [](auto& entries, const auto& name, std::uint64_t number) {
    const auto found = entries.find(name);
    if (found != entries.end() && found->second.number == number) entries.erase(found);
  };
  while (bytes_ > kRememberedBytes) {
    const Mark& oldest = marks_.front();
    if (oldest.is_dot) {
      forget(dots_, ObjectId{oldest.name}, oldest.number);
    } else {
      forget(entities_, EntityKey{oldest.name}, oldest.number);
    }
    bytes_ -= oldest.bytes;
    marks_.pop_front();
  }
}

std::optional<Bytes> SubmitterMemory::dot(const ObjectId& id) {
  const auto found = dots_.find(id);
  return found == dots_.end() ? known_.dot(id) : std::optional(found->second.bytes);
}

std::optional<Bytes> SubmitterMemory::entity(const EntityKey& key) {
  const auto found = entities_.find(key);
  if (found == entities_.end()) return known_.entity(key);
  return later_entity(found->second.bytes, known_.entity(key));
}

}  // namespace bw::ledger_ethereum
