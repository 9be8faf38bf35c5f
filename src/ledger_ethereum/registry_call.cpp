// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/registry_call.hpp"

#include "base/check.hpp"
#include "codec/writer.hpp"
#include "crypto/ecdsa.hpp"
#include "ledger/admission.hpp"

namespace bw::ledger_ethereum {
namespace {

constexpr std::uint8_t kEachForItself = 2;
constexpr std::size_t kFrameBytes = 34;  // of an item, beside the object
constexpr std::size_t kUsualDotBytes = 300;
constexpr std::uint64_t kGasPerByte = 45;  // calldata alone is up to 40 (EIP-7623)

template <class T>
const wave::Signed<T>* get(const wave::Object& object) {
  return std::get_if<wave::Signed<T>>(&object);
}

// As it stands in the entity's body.
Bytes revokers_field(const wave::Entity& entity) {
  Bytes field;
  codec::Writer out(field);
  out.u8(static_cast<std::uint8_t>(entity.revokers.size()));
  for (const EntityKey& key : entity.revokers) out.id(key);
  return field;
}

tl::unexpected<Error> not_on_ledger(std::string_view what, const std::string& name) {
  return fail(ErrorCode::kNotFound,
              "revocation: this node knows no {} {} on the ledger; put it first, or try again when "
              "this node has caught up",
              what, name);
}

tl::unexpected<Error> not_entitled(const EntityKey& revoker, std::string_view what) {
  return fail(ErrorCode::kDenied, "revocation: {} is not among those who may revoke this {}",
              revoker.text(), what);
}

}  // namespace

Result<Bytes> encode_item(const wave::Object& object, ByteView evidence) {
  const ByteView bytes = wave::bytes_of(object);
  BW_ASSERT(bytes.size() > 64 && bytes.size() <= limits::kObjectBytes && evidence.size() <= 0xffff);
  const auto x = bytes.last(64).first<32>();
  const auto y = crypto::even_y(x);
  if (!y) {
    return fail(ErrorCode::kBadSignature, "{}: its signature has no point on the curve",
                wave::kind_name(wave::kind_of(object)));
  }
  Bytes item;
  codec::Writer out(item);
  out.u16(static_cast<std::uint16_t>(bytes.size()));
  out.bytes(bytes);
  out.bytes(*y);
  if (wave::kind_of(object) == wave::Kind::kRevocation) {
    out.u16(static_cast<std::uint16_t>(evidence.size()));
    out.bytes(evidence);
  }
  return item;
}

std::uint64_t item_gas(wave::Kind kind, std::size_t item_bytes) {
  const auto stored = [&]() -> std::uint64_t {
    switch (kind) {
      case wave::Kind::kEntity:
        return 35'000;
      case wave::Kind::kDot:
        return 8'000;
      case wave::Kind::kRevocation:
        return 40'000;
      case wave::Kind::kAlias:
        return 60'000;
      case wave::Kind::kRouterOffer:
        return 60'000;
      case wave::Kind::kRouterAcceptance:
        return 60'000;
      case wave::Kind::kRouterAddress:
        return 45'000;
    }
    return kCallGas;
  };
  return stored() + kGasPerByte * item_bytes;
}

RegistryCall::RegistryCall(KnownObjects& known, std::uint64_t most_gas)
    : known_(known), most_gas_(most_gas), input_{kEachForItself} {}

Result<RegistryCall::Made> RegistryCall::make(const wave::Object& object, ByteView evidence) {
  BW_TRY(Bytes item, encode_item(object, evidence));
  return Made{.kind = wave::kind_of(object),
              .item = std::move(item),
              .object = to_bytes(wave::bytes_of(object))};
}

bool RegistryCall::append(std::span<const Made> items) {
  std::size_t bytes = input_.size();
  std::uint64_t gas = gas_;
  for (const Made& made : items) {
    bytes += made.item.size();
    gas += item_gas(made.kind, made.item.size());
  }
  if (bytes > kCallBytes || gas > most_gas_) return false;
  gas_ = gas;
  for (const Made& made : items) {
    bw::append(input_, made.item);
    objects_.push_back(made.object);
  }
  return true;
}

Result<std::optional<RegistryCall::Place>> RegistryCall::add(const wave::Object& object) {
  if (const auto* dot = get<wave::Dot>(object)) return add_dot(*dot);
  if (const auto* revocation = get<wave::Revocation>(object)) return add_revocation(*revocation);
  BW_TRY(const Made made, make(object, {}));
  if (!append({&made, 1})) return std::nullopt;
  const std::size_t item = objects_.size() - 1;
  if (const auto* entity = get<wave::Entity>(object)) {
    const auto known = find_entity(entity->value.key);
    if (!known || known->created < entity->value.created) entities_[entity->value.key] = item;
  }
  return Place{.item = item, .relies_on = std::nullopt};
}

Result<std::optional<RegistryCall::Place>> RegistryCall::add_dot(
    const wave::Signed<wave::Dot>& dot) {
  BW_TRY(const Made made, make(dot, {}));
  if (!append({&made, 1})) return std::nullopt;
  const std::size_t item = objects_.size() - 1;
  dots_[dot.id] = item;
  last_dot_ = dot.id;
  return Place{.item = item, .relies_on = std::nullopt};
}

Result<std::optional<RegistryCall::Place>> RegistryCall::add_revocation(
    const wave::Signed<wave::Revocation>& revocation) {
  if (revocation.value.target_kind == wave::Revocation::Target::kDot) return revoke_dot(revocation);
  BW_TRY(const Bytes evidence, evidence_against_entity(revocation.value));
  BW_TRY(const Made made, make(revocation, evidence));
  if (!append({&made, 1})) return std::nullopt;
  return Place{.item = objects_.size() - 1, .relies_on = std::nullopt};
}

Result<std::optional<RegistryCall::Place>> RegistryCall::revoke_dot(
    const wave::Signed<wave::Revocation>& revocation) {
  const ObjectId target = revocation.value.dot();
  const auto dot = find_dot(target);
  if (!dot) return not_on_ledger("DoT", target.text());
  if (!ledger::entitled(revocation.value, dot->value)) {
    return not_entitled(revocation.value.revoker, "DoT");
  }
  std::vector<Made> items;
  if (last_dot_ != target) {
    BW_TRY(Made once_more, make(*dot, {}));
    items.push_back(std::move(once_more));
  }
  BW_TRY(Made made, make(revocation, {}));
  items.push_back(std::move(made));
  if (!append(items)) return std::nullopt;
  if (items.size() == 2) dots_[target] = objects_.size() - 2;
  last_dot_ = target;
  return Place{.item = objects_.size() - 1, .relies_on = dots_.at(target)};
}

Result<Bytes> RegistryCall::evidence_against_entity(const wave::Revocation& revocation) const {
  const EntityKey target = revocation.entity();
  if (revocation.revoker == target) return Bytes{};
  const auto entity = find_entity(target);
  if (!entity) return not_on_ledger("entity", target.text());
  if (!ledger::entitled(revocation, *entity)) {
    return not_entitled(revocation.revoker, "entity");
  }
  return revokers_field(*entity);
}

std::uint64_t RegistryCall::gas_alone(const wave::Object& object) {
  const wave::Kind kind = wave::kind_of(object);
  const std::uint64_t gas =
      kBareCallGas + item_gas(kind, wave::bytes_of(object).size() + kFrameBytes);
  return kind == wave::Kind::kRevocation ? gas + item_gas(wave::Kind::kDot, kUsualDotBytes) : gas;
}

std::optional<Bytes> RegistryCall::dot(const ObjectId& id) const {
  const auto found = dots_.find(id);
  if (found == dots_.end()) return std::nullopt;
  return objects_[found->second];
}

std::optional<Bytes> RegistryCall::entity(const EntityKey& key) const {
  const auto found = entities_.find(key);
  if (found == entities_.end()) return std::nullopt;
  return objects_[found->second];
}

std::optional<wave::Signed<wave::Dot>> RegistryCall::find_dot(const ObjectId& id) const {
  auto bytes = dot(id);
  if (!bytes) bytes = known_.dot(id);
  if (!bytes) return std::nullopt;
  auto dot = wave::parse<wave::Dot>(*bytes);
  if (!dot || dot->id != id) return std::nullopt;
  return *std::move(dot);
}

std::optional<wave::Entity> RegistryCall::find_entity(const EntityKey& key) const {
  auto bytes = entity(key);
  if (!bytes) bytes = known_.entity(key);
  if (!bytes) return std::nullopt;
  const auto entity = wave::parse<wave::Entity>(*bytes);
  if (!entity || entity->value.key != key) return std::nullopt;
  return entity->value;
}

}  // namespace bw::ledger_ethereum
