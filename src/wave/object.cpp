// SPDX-License-Identifier: Apache-2.0
#include "wave/object.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "crypto/sha256.hpp"
#include "wave/object_body.hpp"

namespace bw::wave {
namespace {

constexpr std::size_t kSignatureBytes = 64;

struct KindRow {
  std::string_view name;
  std::string_view tag;  // of the hash that is the id
  Result<Object> (*parse)(ByteView);
};

template <class T>
Result<Object> parse_as(ByteView bytes) {
  return parse<T>(bytes);
}

// By the number of the kind, from 1.
constexpr std::array<KindRow, 7> kKinds{{
    {"entity", "bosswave/entity", parse_as<Entity>},
    {"DoT", "bosswave/dot", parse_as<Dot>},
    {"revocation", "bosswave/revocation", parse_as<Revocation>},
    {"alias", "bosswave/alias", parse_as<Alias>},
    {"router offer", "bosswave/router-offer", parse_as<RouterOffer>},
    {"router acceptance", "bosswave/router-acceptance", parse_as<RouterAcceptance>},
    {"router address", "bosswave/router-address", parse_as<RouterAddress>},
}};

// Null for a number that is no kind.
const KindRow* row_of(Kind kind) {
  const auto number = static_cast<std::size_t>(kind);
  return number >= 1 && number <= kKinds.size() ? &kKinds[number - 1] : nullptr;
}

template <class T>
ObjectId id_of_body(ByteView body) {
  static const crypto::TaggedHash kTag(row_of(T::kKind)->tag);
  return ObjectId{kTag({body}).bytes};
}

}  // namespace

std::string_view kind_name(Kind kind) {
  const KindRow* row = row_of(kind);
  return row == nullptr ? "unknown" : row->name;
}

Kind kind_of(const Object& object) {
  return std::visit([](const auto& o) { return o.value.kKind; }, object);
}

const ObjectId& id_of(const Object& object) {
  return std::visit([](const auto& o) -> const ObjectId& { return o.id; }, object);
}

ByteView bytes_of(const Object& object) {
  return std::visit([](const auto& o) -> ByteView { return o.bytes; }, object);
}

EntityKey signer_of(const Object& object) {
  return std::visit([](const auto& o) { return o.value.signer(); }, object);
}

Time created_of(const Object& object) {
  return std::visit([](const auto& o) { return o.value.created; }, object);
}

// Reads back what it wrote, so that there is one copy of each rule.
template <class T>
Result<Signed<T>> sign(T value, const crypto::SigningKey& key) {
  BW_ASSERT(value.signer() == key.public_key());
  BW_TRY(Bytes bytes, encode_body(value));
  auto back = decode_body<T>(bytes);
  if (!back) return fail(ErrorCode::kInvalidArgument, "{}", back.error().message);
  const ObjectId id = id_of_body<T>(bytes);
  append(bytes, key.sign(id));
  BW_ASSERT(bytes.size() <= limits::kObjectBytes);
  return Signed<T>{*std::move(back), id, std::move(bytes)};
}

template <class T>
Result<Signed<T>> parse(ByteView bytes) {
  if (bytes.size() > limits::kObjectBytes) {
    return fail(ErrorCode::kTooLarge, "{}: {} bytes, at most {}", kind_name(T::kKind), bytes.size(),
                limits::kObjectBytes);
  }
  if (bytes.size() < kSignatureBytes) {
    return fail(ErrorCode::kMalformed, "{} signature: the bytes end too early",
                kind_name(T::kKind));
  }
  const ByteView body = bytes.first(bytes.size() - kSignatureBytes);
  BW_TRY(T value, decode_body<T>(body));
  return Signed<T>{std::move(value), id_of_body<T>(body), to_bytes(bytes)};
}

Result<Object> parse_object(ByteView bytes) {
  if (bytes.empty()) return fail(ErrorCode::kMalformed, "object: empty");
  const KindRow* row = row_of(static_cast<Kind>(bytes[0]));
  if (row == nullptr) {
    return fail(ErrorCode::kUnsupported, "object: kind {} is unknown; a newer version is needed",
                bytes[0]);
  }
  return row->parse(bytes);
}

template <class T>
Result<void> verify_signature(const Signed<T>& object) {
  crypto::Signature signature;
  std::ranges::copy(ByteView(object.bytes).last(kSignatureBytes), signature.begin());
  if (crypto::verify(object.value.signer(), object.id, signature)) return {};
  return fail(ErrorCode::kBadSignature, "{} {}: not signed by {}", kind_name(T::kKind),
              object.id.brief(), object.value.signer().text());
}

Result<void> verify_signature(const Object& object) {
  return std::visit([](const auto& o) { return verify_signature(o); }, object);
}

#define BW_INSTANTIATE(T)                                           \
  template Result<Signed<T>> sign<T>(T, const crypto::SigningKey&); \
  template Result<Signed<T>> parse<T>(ByteView);                    \
  template Result<void> verify_signature<T>(const Signed<T>&)
BW_INSTANTIATE(Entity);
BW_INSTANTIATE(Dot);
BW_INSTANTIATE(Revocation);
BW_INSTANTIATE(Alias);
BW_INSTANTIATE(RouterOffer);
BW_INSTANTIATE(RouterAcceptance);
BW_INSTANTIATE(RouterAddress);
#undef BW_INSTANTIATE

}  // namespace bw::wave
