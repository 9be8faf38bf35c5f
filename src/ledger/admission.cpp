// SPDX-License-Identifier: Apache-2.0
#include "ledger/admission.hpp"

#include <algorithm>

#include "wave/link.hpp"

namespace bw::ledger {
namespace {

using wave::Signed;

bool among(const std::vector<EntityKey>& keys, const EntityKey& key) {
  return std::ranges::find(keys, key) != keys.end();
}

Result<void> live(const EntityKey& key, const StateView& state, Time now) {
  BW_TRY(const auto status, state.entity_status(key));
  if (const auto obstacle = wave::entity_obstacle(status, now)) {
    return fail(Error{*obstacle, wave::entity_words(*obstacle, key)});
  }
  return {};
}

Result<void> not_expired(std::string_view what, Time expires, Time now) {
  if (now < expires) return {};
  return fail(ErrorCode::kExpired, "{}: expired {}; sign one with a later expiry", what,
              to_text(expires));
}

Result<void> nonce_rises(std::string_view what, const EntityKey& signer, std::uint64_t nonce,
                         std::uint64_t highest) {
  if (nonce > highest) return {};
  return fail(ErrorCode::kConflict,
              "{}: nonce {} of {} is not above {}, the highest seen; sign with a higher one", what,
              nonce, signer.brief(), highest);
}

// The rules of each kind, all but those about creation time, which are the same for all.
struct Rules {
  const StateView& state;
  Time now;

  Result<void> operator()(const Signed<wave::Entity>& entity) const;
  Result<void> operator()(const Signed<wave::Dot>& dot) const;
  Result<void> operator()(const Signed<wave::Revocation>& revocation) const;
  Result<void> operator()(const Signed<wave::Alias>& alias) const;
  Result<void> operator()(const Signed<wave::RouterOffer>& offer) const;
  Result<void> operator()(const Signed<wave::RouterAcceptance>& acceptance) const;
  Result<void> operator()(const Signed<wave::RouterAddress>& address) const;

  Result<void> revokes_dot(const wave::Revocation& revocation) const;
  Result<void> revokes_entity(const wave::Revocation& revocation) const;
};

Result<void> Rules::operator()(const Signed<wave::Entity>& entity) const {
  const wave::Entity& value = entity.value;
  BW_CHECK(not_expired("entity", value.expires, now));
  BW_TRY(const auto known, state.entity_status(value.key));
  if (!known) return {};
  if (known->revoked) {
    return fail(ErrorCode::kRevoked, "entity {}: was revoked, for good; make a new entity",
                value.key.brief());
  }
  const Time previous = known->created;
  if (value.created > previous) return {};
  return fail(ErrorCode::kConflict,
              "entity {}: one created {} is on the ledger; renew it with a later creation time",
              value.key.brief(), to_text(previous));
}

Result<void> Rules::operator()(const Signed<wave::Dot>& dot) const {
  BW_CHECK(not_expired("DoT", dot.value.expires, now));
  BW_TRY(const auto known, state.dot_status(dot.id));
  if (known) {
    return fail(ErrorCode::kConflict, "DoT {}: is on the ledger already{}", dot.id.brief(),
                known->revoked ? ", and revoked; sign a new one" : "; nothing needs doing");
  }
  return live(dot.value.granter, state, now);
}

Result<void> Rules::operator()(const Signed<wave::Revocation>& revocation) const {
  BW_CHECK(live(revocation.value.revoker, state, now));
  return revocation.value.target_kind == wave::Revocation::Target::kDot
             ? revokes_dot(revocation.value)
             : revokes_entity(revocation.value);
}

Result<void> Rules::revokes_dot(const wave::Revocation& revocation) const {
  const std::string name = revocation.dot().brief();
  BW_TRY(const auto target, state.dot_record(revocation.dot()));
  if (!target) {
    return fail(ErrorCode::kNotFound, "revocation: DoT {} is not on the ledger; put it first",
                name);
  }
  if (target->revoked) {
    return fail(ErrorCode::kConflict, "revocation: DoT {} is revoked already", name);
  }
  if (entitled(revocation, target->object.value)) return {};
  return fail(ErrorCode::kDenied,
              "revocation: {} may not revoke DoT {}; its granter, grantee or a revoker must sign",
              revocation.revoker.brief(), name);
}

Result<void> Rules::revokes_entity(const wave::Revocation& revocation) const {
  const std::string name = revocation.entity().brief();
  BW_TRY(const auto target, state.entity_record(revocation.entity()));
  if (!target) {
    return fail(ErrorCode::kNotFound, "revocation: entity {} is not on the ledger; put it first",
                name);
  }
  if (target->revoked) {
    return fail(ErrorCode::kConflict, "revocation: entity {} is revoked already", name);
  }
  if (entitled(revocation, target->object.value)) return {};
  return fail(ErrorCode::kDenied,
              "revocation: {} may not revoke entity {}; it or one of its revokers must sign",
              revocation.revoker.brief(), name);
}

Result<void> Rules::operator()(const Signed<wave::Alias>& alias) const {
  BW_CHECK(live(alias.value.claimer, state, now));
  BW_TRY(const auto taken, state.alias(alias.value.name));
  if (!taken) return {};
  return fail(ErrorCode::kConflict, "alias '{}': is taken, by {}; choose another name",
              alias.value.name, taken->value.claimer.brief());
}

Result<void> Rules::operator()(const Signed<wave::RouterOffer>& offer) const {
  const wave::RouterOffer& value = offer.value;
  BW_CHECK(live(value.router, state, now));
  BW_TRY(const std::uint64_t highest, state.router_nonce(value.router));
  return nonce_rises("router offer", value.router, value.nonce, highest);
}

Result<void> Rules::operator()(const Signed<wave::RouterAcceptance>& acceptance) const {
  const wave::RouterAcceptance& value = acceptance.value;
  BW_CHECK(live(value.ns, state, now));
  BW_TRY(const std::uint64_t highest, state.namespace_nonce(value.ns));
  BW_CHECK(nonce_rises("router acceptance", value.ns, value.nonce, highest));
  if (value.retracted) return {};
  BW_TRY(const bool offered, state.has_offer(value.router, value.ns));
  if (!offered) {
    return fail(ErrorCode::kNotFound,
                "router acceptance: router {} makes no offer to namespace {}; it must offer first",
                value.router.brief(), value.ns.brief());
  }
  return live(value.router, state, now);
}

Result<void> Rules::operator()(const Signed<wave::RouterAddress>& address) const {
  const wave::RouterAddress& value = address.value;
  BW_CHECK(live(value.router, state, now));
  BW_TRY(const std::uint64_t highest, state.router_nonce(value.router));
  return nonce_rises("router address", value.router, value.nonce, highest);
}

}  // namespace

Result<std::optional<wave::EntityStatus>> StateView::entity_status(const EntityKey& key) const {
  BW_TRY(const auto record, entity_record(key));
  if (!record) return std::nullopt;
  return status_of(*record);
}

wave::EntityStatus StateView::status_of(const EntityRecord& record) {
  const wave::Entity& entity = record.object.value;
  return {.created = entity.created, .expires = entity.expires, .revoked = record.revoked};
}

Result<std::optional<wave::DotStatus>> StateView::dot_status(const ObjectId& id) const {
  BW_TRY(const auto record, dot_record(id));
  if (!record) return std::nullopt;
  return wave::DotStatus{.revoked = record->revoked};
}

bool entitled(const wave::Revocation& revocation, const wave::Dot& target) {
  const EntityKey& revoker = revocation.revoker;
  return revoker == target.granter || revoker == target.grantee || among(target.revokers, revoker);
}

bool entitled(const wave::Revocation& revocation, const wave::Entity& target) {
  return revocation.revoker == target.key || among(target.revokers, revocation.revoker);
}

Result<void> admissible(const wave::Object& object, const StateView& state, Time now) {
  const Time created = wave::created_of(object);
  if (created > now + limits::kClockSkew) {
    return fail(ErrorCode::kExpired, "{}: created {}, which is in the future; check the clocks",
                wave::kind_name(wave::kind_of(object)), to_text(created));
  }
  return std::visit(Rules{.state = state, .now = now}, object);
}

}  // namespace bw::ledger
