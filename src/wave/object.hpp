// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <variant>
#include <vector>

#include "base/id.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "crypto/keys.hpp"
#include "wave/pattern.hpp"
#include "wave/permissions.hpp"

// The signed statements that ledgers hold (paper section 3.1; bytes in docs/formats.md, "Objects").
// An object on the wire or on disk is body || signature (64 bytes). Its id is the tagged hash of
// the body; the signature signs the id. All times are whole seconds.
namespace bw::wave {

enum class Kind : std::uint8_t {
  kEntity = 1,
  kDot = 2,
  kRevocation = 3,
  kAlias = 4,
  kRouterOffer = 5,
  kRouterAcceptance = 6,
  kRouterAddress = 7,
};
std::string_view kind_name(Kind kind);

// The public statement of a key pair's holder about itself. Putting one with a later `created`
// renews it: expiry may be extended, revokers and texts replaced.
struct Entity {
  static constexpr Kind kKind = Kind::kEntity;
  EntityKey key;
  Time created;
  Time expires;
  std::vector<EntityKey> revokers;  // may revoke this entity; strictly ascending, at most kRevokers
  std::string contact;
  std::string comment;

  [[nodiscard]] const EntityKey& signer() const { return key; }
  friend bool operator==(const Entity&, const Entity&) = default;
};

// Delegation of trust: granter lets grantee use `permissions` on the URIs of `ns` that match
// `pattern`, and pass that on `ttl` more times.
struct Dot {
  static constexpr Kind kKind = Kind::kDot;
  EntityKey granter;
  EntityKey grantee;  // kEveryone: anybody, and then nobody can pass it on
  EntityKey ns;
  Permissions permissions;
  std::uint8_t ttl = 0;
  Time created;
  Time not_before;                        // >= created
  Time expires;                           // > not_before
  std::uint32_t messages_per_second = 0;  // publish limit enforced by routers; 0 = none
  std::uint64_t stored_bytes = 0;         // limit on persisted bytes, 40 bits; 0 = none
  std::vector<EntityKey> revokers;        // besides granter and grantee
  Pattern pattern;
  std::string comment;
  // Opaque to ledgers; a verifier that does not understand them must deny. None is defined yet.
  Bytes conditions;

  [[nodiscard]] const EntityKey& signer() const { return granter; }
  friend bool operator==(const Dot&, const Dot&) = default;
};

// Final. Of a DoT by its granter, one of its revokers, or its grantee (renouncing); of an entity by
// itself or one of its revokers.
struct Revocation {
  static constexpr Kind kKind = Kind::kRevocation;
  enum class Target : std::uint8_t { kEntity = 1, kDot = 2 };
  EntityKey revoker;
  Target target_kind = Target::kDot;
  ByteArray<32> target{};  // an entity's key or a DoT's id
  Time created;
  std::string comment;

  [[nodiscard]] const EntityKey& signer() const { return revoker; }
  [[nodiscard]] ObjectId dot() const { return ObjectId{target}; }
  [[nodiscard]] EntityKey entity() const { return EntityKey{target}; }
  friend bool operator==(const Revocation&, const Revocation&) = default;
};

// A name for 32 bytes, first come, immutable. Names: 1 to 63 of a-z 0-9 - . _, starting with a
// letter.
struct Alias {
  static constexpr Kind kKind = Kind::kAlias;
  EntityKey claimer;
  ByteArray<32> value{};
  Time created;
  std::string name;

  [[nodiscard]] const EntityKey& signer() const { return claimer; }
  friend bool operator==(const Alias&, const Alias&) = default;
};
[[nodiscard]] bool is_alias_name(std::string_view text);

// For the next statement about routing of one signer, of which the ledger shows `highest`: above
// that, and above those made before `now` that the ledger does not show yet.
[[nodiscard]] inline std::uint64_t next_nonce(std::uint64_t highest, Time now) {
  return std::max(highest + 1, to_micros(now));
}

// A router's readiness to carry a namespace, or the end of it. `nonce` rises strictly over all of
// this router's offers and addresses.
struct RouterOffer {
  static constexpr Kind kKind = Kind::kRouterOffer;
  EntityKey router;
  EntityKey ns;
  std::uint64_t nonce = 0;
  Time created;
  bool retracted = false;

  [[nodiscard]] const EntityKey& signer() const { return router; }
  friend bool operator==(const RouterOffer&, const RouterOffer&) = default;
};

// A namespace's choice of designated router, or the end of it. `nonce` rises strictly over the
// namespace's acceptances.
struct RouterAcceptance {
  static constexpr Kind kKind = Kind::kRouterAcceptance;
  EntityKey ns;
  EntityKey router;
  std::uint64_t nonce = 0;
  Time created;
  bool retracted = false;
  // How long nodes may go on authorising in this namespace while cut off from the ledger, in
  // seconds; 0 leaves it to limits::kDefaultStaleness.
  std::uint32_t max_staleness_s = 0;

  [[nodiscard]] const EntityKey& signer() const { return ns; }
  friend bool operator==(const RouterAcceptance&, const RouterAcceptance&) = default;
};

// Where a router listens: "host:port", "1.2.3.4:port" or "[v6]:port".
struct RouterAddress {
  static constexpr Kind kKind = Kind::kRouterAddress;
  EntityKey router;
  std::uint64_t nonce = 0;
  Time created;
  std::string address;

  [[nodiscard]] const EntityKey& signer() const { return router; }
  friend bool operator==(const RouterAddress&, const RouterAddress&) = default;
};

// A statement with the very bytes that were signed. Never re-encoded: `bytes` is what was parsed or
// what sign() made.
template <class T>
struct Signed {
  T value;
  ObjectId id;
  Bytes bytes;  // body || signature

  [[nodiscard]] ByteView body() const { return ByteView(bytes).first(bytes.size() - 64); }
};

using Object = std::variant<Signed<Entity>, Signed<Dot>, Signed<Revocation>, Signed<Alias>,
                            Signed<RouterOffer>, Signed<RouterAcceptance>, Signed<RouterAddress>>;

Kind kind_of(const Object& object);
const ObjectId& id_of(const Object& object);
ByteView bytes_of(const Object& object);
EntityKey signer_of(const Object& object);
Time created_of(const Object& object);

// Encodes and signs. Precondition: `key` belongs to value.signer(). Fails (kInvalidArgument, naming
// the field) when a field breaks its rules; what it returns always passes parse_object.
template <class T>
Result<Signed<T>> sign(T value, const crypto::SigningKey& key);

// Strict: the one canonical encoding or kMalformed / kUnsupported / kTooLarge, naming the field.
// Does not check the signature.
Result<Object> parse_object(ByteView bytes);
// parse_object for one kind.
template <class T>
Result<Signed<T>> parse(ByteView bytes);

[[nodiscard]] Result<void> verify_signature(const Object& object);
template <class T>
[[nodiscard]] Result<void> verify_signature(const Signed<T>& object);

}  // namespace bw::wave
