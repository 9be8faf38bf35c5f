// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "base/check.hpp"
#include "crypto/sha256.hpp"
#include "ledger/admission.hpp"
#include "wave/object.hpp"

// Signed objects of people known by name; a name always has the same key.
namespace bw::ledger::testing {

inline const Time kNow = from_seconds(1'800'000'000);
inline const Time kEarlier = kNow - 3600s;

inline const crypto::SigningKey& key(std::string_view name) {
  static std::map<std::string, crypto::SigningKey, std::less<>> keys;
  const auto known = keys.find(name);
  if (known != keys.end()) return known->second;
  const Hash secret = crypto::sha256(as_bytes(name));
  auto made = crypto::SigningKey::from_secret(secret.bytes);
  BW_ASSERT(made.has_value());
  return keys.emplace(std::string(name), *std::move(made)).first->second;
}

inline EntityKey id(std::string_view name) {
  return name == "everyone" ? kEveryone : key(name).public_key();
}

inline std::vector<EntityKey> ids(std::vector<std::string_view> names) {
  std::vector<EntityKey> out;
  for (const std::string_view name : names) out.push_back(id(name));
  std::ranges::sort(out);
  return out;
}

template <class T>
wave::Signed<T> signed_by(std::string_view name, T value) {
  auto made = wave::sign(std::move(value), key(name));
  BW_ASSERT(made.has_value());
  return *std::move(made);
}

struct EntityTerms {
  Time created = kEarlier;
  Time expires = kNever;
  std::vector<std::string_view> revokers = {};
};
inline wave::Signed<wave::Entity> entity(std::string_view name, const EntityTerms& terms = {}) {
  wave::Entity value;
  value.key = id(name);
  value.created = terms.created;
  value.expires = terms.expires;
  value.revokers = ids(terms.revokers);
  value.contact = std::string(name);
  return signed_by(name, std::move(value));
}

struct DotTerms {
  std::string_view ns = "ns";
  std::string_view on = "*";
  std::string_view can = "PC*L";
  int ttl = 0;
  Time created = kEarlier;
  Time expires = kNever;
  std::vector<std::string_view> revokers = {};
  std::string comment = {};
};
inline wave::Dot unsigned_dot(std::string_view granter, std::string_view grantee,
                              const DotTerms& terms = {}) {
  wave::Dot value;
  value.granter = id(granter);
  value.grantee = id(grantee);
  value.ns = id(terms.ns);
  value.permissions = *wave::Permissions::parse(terms.can);
  value.ttl = static_cast<std::uint8_t>(terms.ttl);
  value.created = terms.created;
  value.not_before = terms.created;
  value.expires = terms.expires;
  value.revokers = ids(terms.revokers);
  value.pattern = *wave::Pattern::parse(terms.on);
  value.comment = terms.comment;
  return value;
}
inline wave::Signed<wave::Dot> dot(std::string_view granter, std::string_view grantee,
                                   const DotTerms& terms = {}) {
  return signed_by(granter, unsigned_dot(granter, grantee, terms));
}

inline wave::Signed<wave::Revocation> revoke_dot(std::string_view revoker, const ObjectId& target,
                                                 Time created = kEarlier) {
  wave::Revocation value;
  value.revoker = id(revoker);
  value.target_kind = wave::Revocation::Target::kDot;
  value.target = target.bytes;
  value.created = created;
  return signed_by(revoker, std::move(value));
}
inline wave::Signed<wave::Revocation> revoke_entity(std::string_view revoker,
                                                    std::string_view target,
                                                    Time created = kEarlier) {
  wave::Revocation value;
  value.revoker = id(revoker);
  value.target_kind = wave::Revocation::Target::kEntity;
  value.target = id(target).bytes;
  value.created = created;
  return signed_by(revoker, std::move(value));
}

inline wave::Signed<wave::Alias> alias(std::string_view claimer, std::string name,
                                       const ByteArray<32>& value, Time created = kEarlier) {
  wave::Alias out;
  out.claimer = id(claimer);
  out.value = value;
  out.created = created;
  out.name = std::move(name);
  return signed_by(claimer, std::move(out));
}

inline wave::Signed<wave::RouterOffer> offer(std::string_view router, std::string_view ns,
                                             std::uint64_t nonce, bool retracted = false,
                                             Time created = kEarlier) {
  wave::RouterOffer value;
  value.router = id(router);
  value.ns = id(ns);
  value.nonce = nonce;
  value.created = created;
  value.retracted = retracted;
  return signed_by(router, std::move(value));
}

inline wave::Signed<wave::RouterAcceptance> acceptance(std::string_view ns, std::string_view router,
                                                       std::uint64_t nonce, bool retracted = false,
                                                       std::uint32_t max_staleness_s = 0,
                                                       Time created = kEarlier) {
  wave::RouterAcceptance value;
  value.ns = id(ns);
  value.router = id(router);
  value.nonce = nonce;
  value.created = created;
  value.retracted = retracted;
  value.max_staleness_s = max_staleness_s;
  return signed_by(ns, std::move(value));
}

inline wave::Signed<wave::RouterAddress> address(std::string_view router, std::uint64_t nonce,
                                                 std::string text, Time created = kEarlier) {
  wave::RouterAddress value;
  value.router = id(router);
  value.nonce = nonce;
  value.created = created;
  value.address = std::move(text);
  return signed_by(router, std::move(value));
}

inline std::vector<Bytes> all_bytes(const std::vector<wave::Object>& objects) {
  std::vector<Bytes> out;
  for (const wave::Object& object : objects) out.push_back(to_bytes(wave::bytes_of(object)));
  return out;
}

// A ledger without entries.
class EmptyState final : public StateView {
 public:
  Result<std::optional<EntityRecord>> entity_record(const EntityKey&) const override {
    return std::nullopt;
  }
  Result<std::optional<DotRecord>> dot_record(const ObjectId&) const override {
    return std::nullopt;
  }
  Result<std::optional<wave::Signed<wave::Alias>>> alias(std::string_view) const override {
    return std::nullopt;
  }
  Result<std::uint64_t> router_nonce(const EntityKey&) const override { return 0U; }
  Result<std::uint64_t> namespace_nonce(const EntityKey&) const override { return 0U; }
  Result<bool> has_offer(const EntityKey&, const EntityKey&) const override { return false; }
};

}  // namespace bw::ledger::testing
