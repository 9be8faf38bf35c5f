// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/id.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "ledger/effects.hpp"
#include "wave/object.hpp"

// The rows of the authority index: their keys and values as bytes. The first byte of a key is its
// table; a "short" is the first 8 bytes of an id, which attackers can make collide, so that rows
// with shorts only point at candidates. Offsets are those of records in the ledger file (u40).
namespace bw::store {

inline constexpr std::uint32_t kIndexVersion = 1;

namespace table {
inline constexpr char kMeta = 'M';    // -> MetaRow
inline constexpr char kEntity = 'E';  // key -> EntityRow
inline constexpr char kDot = 'D';     // id -> DotRow
inline constexpr char kObject = 'O';  // id short, offset -> nothing; all objects but DoTs
inline constexpr char kForward =
    'F';  // granter short, ns short, literal prefix, 0, offset -> nothing
inline constexpr char kBackward = 'B';  // grantee short, ns short, granter short, offset -> nothing
inline constexpr char kAlias = 'L';     // name -> offset (NumberRow)
inline constexpr char kAliasValue = 'V';  // value -> the first name it got (TextRow)
inline constexpr char kOffer = 'o';       // namespace, router -> OfferRow
inline constexpr char kAcceptance = 'A';  // namespace -> AcceptanceRow
inline constexpr char kAccepted = 'r';    // router, namespace that accepts it -> nothing
inline constexpr char kAddress = 'a';     // router -> "host:port" (TextRow)
inline constexpr char kNonce = 'N';  // router -> highest nonce of offers and addresses (NumberRow)
inline constexpr char kUndo = 'U';   // position of an entry -> UndoRecord (authority_undo.hpp)
}  // namespace table

// Keys. The ones whose names end in "_prefix" start all keys of a group.
std::string meta_key();
std::string entity_key(const EntityKey& key);
std::string dot_key(const ObjectId& id);
std::string object_prefix(const ObjectId& id);
std::string object_key(const ObjectId& id, std::uint64_t offset);
std::string forward_prefix(const EntityKey& granter);
std::string forward_prefix(const EntityKey& granter, const EntityKey& ns);
std::string forward_prefix(const EntityKey& granter, const EntityKey& ns, std::string_view literal);
std::string forward_key(const wave::Dot& dot, std::uint64_t offset);
std::string backward_prefix(const EntityKey& grantee);
std::string backward_prefix(const EntityKey& grantee, const EntityKey& ns);
std::string backward_prefix(const EntityKey& grantee, const EntityKey& ns,
                            const EntityKey& granter);
std::string backward_key(const wave::Dot& dot, std::uint64_t offset);
std::string alias_key(std::string_view name);
std::string alias_value_key(const ByteArray<32>& value);
std::string offer_prefix(const EntityKey& ns);
std::string offer_key(const EntityKey& ns, const EntityKey& router);
std::string acceptance_key(const EntityKey& ns);
std::string accepted_prefix(const EntityKey& router);
std::string accepted_key(const EntityKey& router, const EntityKey& ns);
std::string address_key(const EntityKey& router);
std::string nonce_key(const EntityKey& router);

// The last 5 or 32 bytes of a key. Precondition: it has them.
std::uint64_t offset_at_end(std::string_view key);
EntityKey id_at_end(std::string_view key);

// Values. kCorrupt when the bytes are not of that row.
struct EntityRow {
  std::uint64_t offset = 0;
  Time created;
  Time expires;
  bool revoked = false;
};
struct DotRow {
  std::uint64_t offset = 0;
  bool revoked = false;
};
struct OfferRow {
  bool retracted = false;
};
struct AcceptanceRow {
  EntityKey router;
  std::uint64_t nonce = 0;
  bool retracted = false;
  std::uint32_t max_staleness_s = 0;  // as last accepted
};
// An alias or an address.
struct TextRow {
  std::string text;
};
// One number: an offset or a nonce.
struct NumberRow {
  std::uint64_t number = 0;
};
struct MetaRow {
  std::uint32_t version = kIndexVersion;
  std::uint64_t applied = 0;  // entries of the ledger file that the index knows
  Hash root;                  // over these: tells another ledger's index
  std::uint64_t entities = 0;
  std::uint64_t dots = 0;
  std::uint64_t revocations = 0;
  std::uint64_t aliases = 0;
};

std::string encode(const EntityRow& row);
std::string encode(const DotRow& row);
std::string encode(const OfferRow& row);
std::string encode(const AcceptanceRow& row);
std::string encode(const TextRow& row);
std::string encode(const NumberRow& row);
std::string encode(const MetaRow& row);

template <class Row>
Result<Row> decode_row(std::string_view value);

}  // namespace bw::store
