// SPDX-License-Identifier: Apache-2.0
#include "wave/object_body.hpp"

#include <algorithm>
#include <charconv>

namespace bw::wave {
namespace {

template <class... Args>
tl::unexpected<Error> bad(fmt::format_string<Args...> format, Args&&... args) {
  return fail(ErrorCode::kMalformed, format, std::forward<Args>(args)...);
}

void write_keys(const std::vector<EntityKey>& keys, codec::Writer& out) {
  out.u8(static_cast<std::uint8_t>(std::min<std::size_t>(keys.size(), 0xff)));
  for (const EntityKey& key : keys) out.id(key);
}

// Strictly ascending, so that a set has one encoding.
Result<std::vector<EntityKey>> read_keys(codec::Reader& in, std::string_view what) {
  const std::uint8_t count = in.u8();
  if (count > limits::kRevokers) {
    return fail(ErrorCode::kTooLarge, "{}: {} revokers, at most {}", what, count, limits::kRevokers);
  }
  std::vector<EntityKey> keys;
  for (std::uint8_t i = 0; i < count; ++i) {
    keys.push_back(in.id<EntityKey>());
    if (i > 0 && keys[i - 1] >= keys[i]) return bad("{}: revokers are not strictly ascending", what);
  }
  return keys;
}

Result<std::string> read_text(codec::Reader& in, std::size_t most, std::string_view what) {
  const std::string_view text = in.text8();
  if (text.size() > most) {
    return fail(ErrorCode::kTooLarge, "{}: {} bytes, at most {}", what, text.size(), most);
  }
  const bool control = std::ranges::any_of(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (control || !is_utf8(as_bytes(text))) return bad("{}: not UTF-8 without control characters", what);
  return std::string(text);
}

Result<bool> read_flag(codec::Reader& in, std::string_view what) {
  const std::uint8_t value = in.u8();
  if (value > 1) return bad("{}: {} is neither 0 nor 1", what, value);
  return value == 1;
}

Result<std::uint64_t> read_nonce(codec::Reader& in, std::string_view what) {
  const std::uint64_t nonce = in.u64();
  if (in.ok() && nonce == 0) return bad("{}: nonces start at 1", what);
  return nonce;
}

bool is_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() && port >= 1 && port <= 65535 &&
         text.front() != '0';
}

// Form only: whether the host exists is for those who connect to find out.
bool is_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size()) return false;
  if (!is_port(text.substr(colon + 1))) return false;
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  return std::ranges::all_of(host, [bracketed](char c) {
    const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return bracketed ? hex || c == ':' || c == '.' : hex || letter || c == '.' || c == '-';
  });
}

}  // namespace

std::string_view kind_name(Kind kind) {
  switch (kind) {
    case Kind::kEntity: return "entity";
    case Kind::kDot: return "DoT";
    case Kind::kRevocation: return "revocation";
    case Kind::kAlias: return "alias";
    case Kind::kRouterOffer: return "router offer";
    case Kind::kRouterAcceptance: return "router acceptance";
    case Kind::kRouterAddress: return "router address";
  }
  return "unknown";
}

const crypto::TaggedHash& tag_of(Kind kind) {
  static const crypto::TaggedHash kTags[] = {
      crypto::TaggedHash("bosswave/entity"),       crypto::TaggedHash("bosswave/dot"),
      crypto::TaggedHash("bosswave/revocation"),   crypto::TaggedHash("bosswave/alias"),
      crypto::TaggedHash("bosswave/router-offer"), crypto::TaggedHash("bosswave/router-acceptance"),
      crypto::TaggedHash("bosswave/router-address")};
  return kTags[static_cast<std::size_t>(kind) - 1];
}

bool is_alias_name(std::string_view text) {
  const auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto other = [](char c) { return (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-'; };
  return !text.empty() && text.size() <= limits::kAliasBytes && letter(text.front()) &&
         std::ranges::all_of(text, [&](char c) { return letter(c) || other(c); });
}

void write_body(const Entity& entity, codec::Writer& out) {
  out.id(entity.key).seconds(entity.created).seconds(entity.expires);
  write_keys(entity.revokers, out);
  out.text8(entity.contact).text8(entity.comment);
}

Result<void> read_body(codec::Reader& in, Entity& entity) {
  entity.key = in.id<EntityKey>();
  entity.created = in.seconds();
  entity.expires = in.seconds();
  if (in.ok() && entity.expires <= entity.created) return bad("entity: expires before it was created");
  BW_TRY(entity.revokers, read_keys(in, "entity"));
  BW_TRY(entity.contact, read_text(in, limits::kContactBytes, "entity contact"));
  BW_TRY(entity.comment, read_text(in, limits::kCommentBytes, "entity comment"));
  return {};
}

void write_body(const Dot& dot, codec::Writer& out) {
  out.id(dot.granter).id(dot.grantee).id(dot.ns);
  out.u16(dot.permissions.bits()).u8(dot.ttl);
  out.seconds(dot.created).seconds(dot.not_before).seconds(dot.expires);
  out.u32(dot.messages_per_second).u40(dot.stored_bytes);
  write_keys(dot.revokers, out);
  out.text16(dot.pattern.text()).text8(dot.comment);
  out.u16(static_cast<std::uint16_t>(std::min<std::size_t>(dot.conditions.size(), 0xffff)));
  out.bytes(dot.conditions);
}

Result<void> read_body(codec::Reader& in, Dot& dot) {
  dot.granter = in.id<EntityKey>();
  dot.grantee = in.id<EntityKey>();
  dot.ns = in.id<EntityKey>();
  const std::uint16_t permissions = in.u16();
  dot.ttl = in.u8();
  dot.created = in.seconds();
  dot.not_before = in.seconds();
  dot.expires = in.seconds();
  dot.messages_per_second = in.u32();
  dot.stored_bytes = in.u40();
  if (!in.ok()) return bad("DoT: too short");
  if (dot.granter == dot.grantee) return bad("DoT: granter and grantee are the same");
  if (dot.grantee == kEveryone && dot.ttl != 0) return bad("DoT: a grant to everyone cannot be passed on, so its ttl is 0");
  if (dot.not_before < dot.created) return bad("DoT: starts before it was created");
  if (dot.expires <= dot.not_before) return bad("DoT: expires before it starts");
  BW_TRY(dot.permissions, Permissions::from_wire(permissions));
  BW_TRY(dot.revokers, read_keys(in, "DoT"));
  BW_TRY(dot.pattern, Pattern::parse(in.text16()));
  BW_TRY(dot.comment, read_text(in, limits::kCommentBytes, "DoT comment"));
  const std::uint16_t condition_bytes = in.u16();
  if (condition_bytes > limits::kConditionBytes) {
    return fail(ErrorCode::kTooLarge, "DoT conditions: {} bytes, at most {}", condition_bytes,
                limits::kConditionBytes);
  }
  dot.conditions = to_bytes(in.bytes(condition_bytes));
  return {};
}

void write_body(const Revocation& revocation, codec::Writer& out) {
  out.id(revocation.revoker).u8(static_cast<std::uint8_t>(revocation.target_kind));
  out.bytes(revocation.target).seconds(revocation.created).text8(revocation.comment);
}

Result<void> read_body(codec::Reader& in, Revocation& revocation) {
  revocation.revoker = in.id<EntityKey>();
  const std::uint8_t target = in.u8();
  if (in.ok() && target != 1 && target != 2) return bad("revocation: target kind {} is unknown", target);
  revocation.target_kind = static_cast<Revocation::Target>(target);
  revocation.target = in.array<32>();
  revocation.created = in.seconds();
  BW_TRY(revocation.comment, read_text(in, limits::kCommentBytes, "revocation comment"));
  return {};
}

void write_body(const Alias& alias, codec::Writer& out) {
  out.id(alias.claimer).bytes(alias.value).seconds(alias.created).text8(alias.name);
}

Result<void> read_body(codec::Reader& in, Alias& alias) {
  alias.claimer = in.id<EntityKey>();
  alias.value = in.array<32>();
  alias.created = in.seconds();
  alias.name = in.text8();
  if (in.ok() && !is_alias_name(alias.name)) {
    return bad("alias: '{}' is not a name: 1 to 63 of a-z 0-9 - . _, starting with a letter",
               printable(alias.name, 80));
  }
  return {};
}

void write_body(const RouterOffer& offer, codec::Writer& out) {
  out.id(offer.router).id(offer.ns).u64(offer.nonce).seconds(offer.created);
  out.u8(offer.retracted ? 1 : 0);
}

Result<void> read_body(codec::Reader& in, RouterOffer& offer) {
  offer.router = in.id<EntityKey>();
  offer.ns = in.id<EntityKey>();
  BW_TRY(offer.nonce, read_nonce(in, "router offer"));
  offer.created = in.seconds();
  BW_TRY(offer.retracted, read_flag(in, "router offer"));
  return {};
}

void write_body(const RouterAcceptance& acceptance, codec::Writer& out) {
  out.id(acceptance.ns).id(acceptance.router).u64(acceptance.nonce).seconds(acceptance.created);
  out.u8(acceptance.retracted ? 1 : 0).u32(acceptance.max_staleness_s);
}

Result<void> read_body(codec::Reader& in, RouterAcceptance& acceptance) {
  acceptance.ns = in.id<EntityKey>();
  acceptance.router = in.id<EntityKey>();
  BW_TRY(acceptance.nonce, read_nonce(in, "router acceptance"));
  acceptance.created = in.seconds();
  BW_TRY(acceptance.retracted, read_flag(in, "router acceptance"));
  acceptance.max_staleness_s = in.u32();
  return {};
}

void write_body(const RouterAddress& address, codec::Writer& out) {
  out.id(address.router).u64(address.nonce).seconds(address.created).text8(address.address);
}

Result<void> read_body(codec::Reader& in, RouterAddress& address) {
  address.router = in.id<EntityKey>();
  BW_TRY(address.nonce, read_nonce(in, "router address"));
  address.created = in.seconds();
  address.address = in.text8();
  if (in.ok() && !is_address(address.address)) {
    return bad("router address: '{}' is not host:port", printable(address.address, 80));
  }
  return {};
}

}  // namespace bw::wave
