// SPDX-License-Identifier: Apache-2.0
#include "wave/object.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "wave/object_body.hpp"

namespace bw::wave {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kSignatureBytes = 64;

// Both directions hold a value to the same rules: sign() reads back what it wrote.
template <class T>
Result<T> read_value(ByteView body) {
  codec::Reader in(body);
  const std::uint8_t kind = in.u8();
  const std::uint8_t version = in.u8();
  if (!in.ok() || kind != static_cast<std::uint8_t>(T::kKind)) {
    return fail(ErrorCode::kMalformed, "{}: expected kind {}, got {}", kind_name(T::kKind),
                static_cast<unsigned>(T::kKind), kind);
  }
  if (version != kVersion) {
    return fail(ErrorCode::kUnsupported, "{}: version {} is not supported", kind_name(T::kKind), version);
  }
  T value;
  BW_CHECK(read_body(in, value));
  BW_CHECK(in.finish(kind_name(T::kKind)));
  return value;
}

crypto::Signature signature_of(ByteView object) {
  crypto::Signature signature;
  std::ranges::copy(object.last(kSignatureBytes), signature.begin());
  return signature;
}

template <class T>
Result<Object> parse_as(ByteView bytes) {
  BW_TRY(Signed<T> object, parse<T>(bytes));
  return Object(std::move(object));
}

// What codec::Writer takes for granted.
bool lengths_fit(const Entity& e) { return e.contact.size() <= 0xff && e.comment.size() <= 0xff; }
bool lengths_fit(const Dot& d) { return d.comment.size() <= 0xff; }
bool lengths_fit(const Revocation& r) { return r.comment.size() <= 0xff; }
bool lengths_fit(const Alias& a) { return a.name.size() <= 0xff; }
bool lengths_fit(const RouterOffer&) { return true; }
bool lengths_fit(const RouterAcceptance&) { return true; }
bool lengths_fit(const RouterAddress& a) { return a.address.size() <= 0xff; }

}  // namespace

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

template <class T>
Result<Signed<T>> sign(T value, const crypto::SigningKey& key) {
  BW_ASSERT(value.signer() == key.public_key());
  if (!lengths_fit(value)) {
    return fail(ErrorCode::kInvalidArgument, "{}: a text is longer than 255 bytes", kind_name(T::kKind));
  }
  Bytes bytes;
  codec::Writer out(bytes);
  out.u8(static_cast<std::uint8_t>(T::kKind)).u8(kVersion);
  write_body(value, out);
  auto back = read_value<T>(bytes);
  if (!back) return fail(ErrorCode::kInvalidArgument, "{}", back.error().message);
  const ObjectId id{tag_of(T::kKind)({bytes}).bytes};
  const crypto::Signature signature = key.sign(id);
  append(bytes, signature);
  return Signed<T>{*std::move(back), id, std::move(bytes)};
}

template <class T>
Result<Signed<T>> parse(ByteView bytes) {
  if (bytes.size() > limits::kObjectBytes) {
    return fail(ErrorCode::kTooLarge, "{}: {} bytes, at most {}", kind_name(T::kKind), bytes.size(),
                limits::kObjectBytes);
  }
  if (bytes.size() <= kSignatureBytes) {
    return fail(ErrorCode::kMalformed, "{}: too short", kind_name(T::kKind));
  }
  const ByteView body = bytes.first(bytes.size() - kSignatureBytes);
  BW_TRY(T value, read_value<T>(body));
  return Signed<T>{std::move(value), ObjectId{tag_of(T::kKind)({body}).bytes}, to_bytes(bytes)};
}

Result<Object> parse_object(ByteView bytes) {
  if (bytes.empty()) return fail(ErrorCode::kMalformed, "object: empty");
  switch (static_cast<Kind>(bytes[0])) {
    case Kind::kEntity: return parse_as<Entity>(bytes);
    case Kind::kDot: return parse_as<Dot>(bytes);
    case Kind::kRevocation: return parse_as<Revocation>(bytes);
    case Kind::kAlias: return parse_as<Alias>(bytes);
    case Kind::kRouterOffer: return parse_as<RouterOffer>(bytes);
    case Kind::kRouterAcceptance: return parse_as<RouterAcceptance>(bytes);
    case Kind::kRouterAddress: return parse_as<RouterAddress>(bytes);
  }
  return fail(ErrorCode::kUnsupported, "object: kind {} is unknown", bytes[0]);
}

template <class T>
Result<void> verify_signature(const Signed<T>& object) {
  if (crypto::verify(object.value.signer(), object.id, signature_of(object.bytes))) return {};
  return fail(ErrorCode::kBadSignature, "{} {}: not signed by {}", kind_name(T::kKind),
              object.id.brief(), object.value.signer().text());
}

Result<void> verify_signature(const Object& object) {
  return std::visit([](const auto& o) { return verify_signature(o); }, object);
}

#define BW_INSTANTIATE(T)                                                 \
  template Result<Signed<T>> sign<T>(T, const crypto::SigningKey&);       \
  template Result<Signed<T>> parse<T>(ByteView);                          \
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
