// SPDX-License-Identifier: Apache-2.0
#include "wave/object_body.hpp"

#include <algorithm>

#include "wave/object_io.hpp"

namespace bw::wave {
namespace {

constexpr std::uint8_t kVersion = 1;

// The field list of each kind, in the order of the bytes, and the rules between its fields. `Io` is
// BodyWriter or BodyReader; Value<T> is const for the one and not for the other.

template <class Io>
void fields(Io& io, typename Io::template Value<Entity>& entity) {
  io.key("key", entity.key);
  io.seconds("created", entity.created);
  io.seconds("expires", entity.expires);
  io.rule(entity.expires > entity.created, "expires", "not after it was created");
  io.keys("revokers", entity.revokers);
  io.text("contact", entity.contact, limits::kContactBytes);
  io.text("comment", entity.comment, limits::kCommentBytes);
}

template <class Io>
void fields(Io& io, typename Io::template Value<Dot>& dot) {
  io.key("granter", dot.granter);
  io.key("grantee", dot.grantee);
  io.rule(dot.grantee != dot.granter, "grantee", "the same as the granter");
  io.key("namespace", dot.ns);
  io.permissions("permissions", dot.permissions);
  io.u8("ttl", dot.ttl);
  io.rule(dot.grantee != kEveryone || dot.ttl == 0, "ttl",
          "a grant to everyone cannot be passed on, so it must be 0");
  io.seconds("created", dot.created);
  io.seconds("not_before", dot.not_before);
  io.rule(dot.not_before >= dot.created, "not_before", "before it was created");
  io.seconds("expires", dot.expires);
  io.rule(dot.expires > dot.not_before, "expires", "not after not_before");
  io.u32("messages_per_second", dot.messages_per_second);
  io.u40("stored_bytes", dot.stored_bytes);
  io.keys("revokers", dot.revokers);
  io.pattern("pattern", dot.pattern);
  io.text("comment", dot.comment, limits::kCommentBytes);
  io.blob("conditions", dot.conditions, limits::kConditionBytes);
}

template <class Io>
void fields(Io& io, typename Io::template Value<Revocation>& revocation) {
  io.key("revoker", revocation.revoker);
  io.target("target_kind", revocation.target_kind);
  io.bytes32("target", revocation.target);
  io.seconds("created", revocation.created);
  io.text("comment", revocation.comment, limits::kCommentBytes);
}

template <class Io>
void fields(Io& io, typename Io::template Value<Alias>& alias) {
  io.key("claimer", alias.claimer);
  io.bytes32("value", alias.value);
  io.seconds("created", alias.created);
  io.name("name", alias.name, is_alias_name,
          "a name: 1 to 63 of a-z 0-9 - . _, starting with a letter");
}

template <class Io>
void fields(Io& io, typename Io::template Value<RouterOffer>& offer) {
  io.key("router", offer.router);
  io.key("namespace", offer.ns);
  io.nonce("nonce", offer.nonce);
  io.seconds("created", offer.created);
  io.flag("retracted", offer.retracted);
}

template <class Io>
void fields(Io& io, typename Io::template Value<RouterAcceptance>& acceptance) {
  io.key("namespace", acceptance.ns);
  io.key("router", acceptance.router);
  io.nonce("nonce", acceptance.nonce);
  io.seconds("created", acceptance.created);
  io.flag("retracted", acceptance.retracted);
  io.u32("max_staleness", acceptance.max_staleness_s);
}

template <class Io>
void fields(Io& io, typename Io::template Value<RouterAddress>& address) {
  io.key("router", address.router);
  io.nonce("nonce", address.nonce);
  io.seconds("created", address.created);
  io.name("address", address.address, is_router_address,
          "host:port, 1.2.3.4:port or [v6]:port with a port from 1 to 65535");
}

}  // namespace

bool is_alias_name(std::string_view text) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz";
  constexpr std::string_view kCharacters = "abcdefghijklmnopqrstuvwxyz0123456789-._";
  return !text.empty() && text.size() <= limits::kAliasBytes && kLetters.contains(text.front()) &&
         text.find_first_not_of(kCharacters) == std::string_view::npos;
}

template <class T>
Result<Bytes> encode_body(const T& value) {
  Bytes body{static_cast<std::uint8_t>(T::kKind), kVersion};
  BodyWriter out(body, kind_name(T::kKind));
  fields(out, value);
  BW_CHECK(out.finish());
  return body;
}

template <class T>
Result<T> decode_body(ByteView body) {
  BodyReader in(body, kind_name(T::kKind));
  std::uint8_t kind = 0;
  std::uint8_t version = 0;
  in.u8("kind", kind);
  in.rule(kind == static_cast<std::uint8_t>(T::kKind), "kind", "another kind of object");
  in.u8("version", version);
  if (version != kVersion) {
    in.fail_with(ErrorCode::kUnsupported, "version",
                 fmt::format("{} is not supported, only {}", version, kVersion));
  }
  T value;
  fields(in, value);
  BW_CHECK(in.finish());
  return value;
}

#define BW_INSTANTIATE(T)                       \
  template Result<Bytes> encode_body(const T&); \
  template Result<T> decode_body(ByteView)
BW_INSTANTIATE(Entity);
BW_INSTANTIATE(Dot);
BW_INSTANTIATE(Revocation);
BW_INSTANTIATE(Alias);
BW_INSTANTIATE(RouterOffer);
BW_INSTANTIATE(RouterAcceptance);
BW_INSTANTIATE(RouterAddress);
#undef BW_INSTANTIATE

}  // namespace bw::wave
