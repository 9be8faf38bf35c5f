// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.hpp"
#include "base/id.hpp"
#include "base/result.hpp"
#include "wave/object.hpp"

// How the Registry is called (contracts/README.md).
namespace bw::ledger_ethereum {

// Nodes take transactions of at most 128 KiB, and of 2^24 gas (EIP-7825).
inline constexpr std::size_t kCallBytes = 100'000;
inline constexpr std::uint64_t kCallGas = 16'000'000;

// What is known of the ledger's entries: whole signed objects.
class KnownObjects {
 public:
  virtual ~KnownObjects() = default;
  // Whether this very object is on the ledger.
  virtual bool holds(const ObjectId& id) = 0;
  // A DoT that is on the ledger.
  virtual std::optional<Bytes> dot(const ObjectId& id) = 0;
  // The latest put of an entity.
  virtual std::optional<Bytes> entity(const EntityKey& key) = 0;
};

// length u16 || object || y 32, and for a revocation || length u16 || evidence. kBadSignature when
// the signature has no point, so that nobody can have made it.
Result<Bytes> encode_item(const wave::Object& object, ByteView evidence);

// More than any call of these items takes: docs/performance.md, "Gas", and
// tests/vectors/calls.json.
inline constexpr std::uint64_t kBareCallGas = 101'000;
std::uint64_t item_gas(wave::Kind kind, std::size_t item_bytes);

// One call of each for itself (putBatch), of objects in the order in which they are added.
class RegistryCall {
 public:
  // `known` must outlive the call's making.
  explicit RegistryCall(KnownObjects& known, std::uint64_t most_gas = kCallGas);

  // Where an object stands in the call.
  struct Place {
    std::size_t item = 0;
    // The DoT whose put in this call is a revocation's evidence: when that was rejected, the
    // revocation was, too.
    std::optional<std::size_t> relies_on;
  };
  // Nothing when the call has no room for it any more; any object fits into an empty one of
  // kCallGas. A
  // revocation whose target is not known is refused with kNotFound, one that its target's signed
  // words do not allow with kDenied. The object's signature must have been verified.
  //
  // A DoT that is revoked is put once more before its revocation, unless it is the last DoT before
  // it anyway: what comes in first cannot make that evidence false, as it does an inclusion path,
  // and it costs less.
  Result<std::optional<Place>> add(const wave::Object& object);

  // What a call of nothing but this object asks for, with the DoT that a revocation is put after.
  static std::uint64_t gas_alone(const wave::Object& object);

  // how u8 || item...
  [[nodiscard]] const Bytes& input() const { return input_; }
  [[nodiscard]] std::uint64_t gas() const { return gas_; }
  // The object of each item.
  [[nodiscard]] const std::vector<Bytes>& objects() const { return objects_; }
  [[nodiscard]] bool empty() const { return objects_.empty(); }
  // What it puts.
  [[nodiscard]] std::optional<Bytes> dot(const ObjectId& id) const;
  [[nodiscard]] std::optional<Bytes> entity(const EntityKey& key) const;

 private:
  struct Made {
    wave::Kind kind;
    Bytes item;
    Bytes object;
  };
  static Result<Made> make(const wave::Object& object, ByteView evidence);
  // Appends all or none.
  bool append(std::span<const Made> items);
  Result<std::optional<Place>> add_dot(const wave::Signed<wave::Dot>& dot);
  Result<std::optional<Place>> add_revocation(const wave::Signed<wave::Revocation>& revocation);
  Result<std::optional<Place>> revoke_dot(const wave::Signed<wave::Revocation>& revocation);
  [[nodiscard]] Result<Bytes> evidence_against_entity(const wave::Revocation& revocation) const;
  [[nodiscard]] std::optional<wave::Signed<wave::Dot>> find_dot(const ObjectId& id) const;
  [[nodiscard]] std::optional<wave::Entity> find_entity(const EntityKey& key) const;

  KnownObjects& known_;
  std::uint64_t most_gas_;
  Bytes input_;
  std::uint64_t gas_ = kBareCallGas;
  std::vector<Bytes> objects_;
  std::map<ObjectId, std::size_t> dots_;       // items; the last of each
  std::map<EntityKey, std::size_t> entities_;  // items; the one created last of each
  std::optional<ObjectId> last_dot_;
};

}  // namespace bw::ledger_ethereum
