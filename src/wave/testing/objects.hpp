// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/check.hpp"
#include "wave/object.hpp"
#include "wave/proof.hpp"

// RapidCheck generators of valid, signed objects of every kind, up to the limits of each field.
namespace bw::wave::testing {

// The entity whose secret is 32 times `byte`, as in tests/vectors/objects.json.
// Precondition: 1..0xfe.
inline crypto::SigningKey numbered_key(std::uint8_t byte) {
  ByteArray<32> secret;
  secret.fill(byte);
  auto key = crypto::SigningKey::from_secret(secret);
  BW_ASSERT(key.has_value());
  return *std::move(key);
}

// rc::gen::inRange shrinks its range with the size of a case; these reach both ends at any size.
template <class T>
rc::Gen<T> between(T least, T most) {
  if (least == most) return rc::gen::just(least);
  return rc::gen::resize(
      rc::kNominalSize,
      rc::gen::weightedOneOf<T>(
          {{1, rc::gen::just(least)},
           {1, rc::gen::just(most)},
           {6, rc::gen::cast<T>(rc::gen::inRange<std::uint64_t>(
                   static_cast<std::uint64_t>(least), static_cast<std::uint64_t>(most)))}}));
}

inline void append_utf8(std::string& text, std::uint32_t point) {
  const auto put = [&](std::uint32_t byte) { text.push_back(static_cast<char>(byte)); };
  const auto put_rest = [&](int bytes) {
    while (bytes-- > 0) put(0x80U | (point >> 6U * static_cast<unsigned>(bytes) & 0x3fU));
  };
  if (point < 0x80) return put(point);
  if (point < 0x800) return put(0xc0U | point >> 6U), put_rest(1);
  if (point < 0x10000) return put(0xe0U | point >> 12U), put_rest(2);
  put(0xf0U | point >> 18U), put_rest(3);
}

// UTF-8 of at most `most` bytes without C0 and DEL.
inline rc::Gen<std::string> texts(std::size_t most) {
  const auto point =
      rc::gen::oneOf(between<std::uint32_t>(0x20, 0x7e), between<std::uint32_t>(0x80, 0xd7ff),
                     between<std::uint32_t>(0xe000, 0x10ffff));
  return rc::gen::map(rc::gen::container<std::vector<std::uint32_t>>(point),
                      [most](const std::vector<std::uint32_t>& points) {
                        std::string text;
                        for (const std::uint32_t p : points) {
                          if (text.size() + 4 <= most) append_utf8(text, p);
                        }
                        return text;
                      });
}

// Between `least` and `most` characters of `alphabet`.
inline rc::Gen<std::string> words(std::string alphabet, std::size_t least, std::size_t most) {
  return rc::gen::mapcat(between(least, most), [alphabet](std::size_t size) {
    return rc::gen::container<std::string>(size, rc::gen::elementOf(alphabet));
  });
}

inline rc::Gen<Bytes> blobs(std::size_t most) {
  return rc::gen::mapcat(between<std::size_t>(0, most), [](std::size_t size) {
    return rc::gen::container<Bytes>(size, rc::gen::arbitrary<std::uint8_t>());
  });
}

inline rc::Gen<EntityKey> any_keys() {
  return rc::gen::map(rc::gen::container<ByteArray<32>>(rc::gen::arbitrary<std::uint8_t>()),
                      [](const ByteArray<32>& bytes) { return EntityKey{bytes}; });
}

inline rc::Gen<std::vector<EntityKey>> revoker_lists() {
  return rc::gen::mapcat(between<std::size_t>(0, limits::kRevokers), [](std::size_t count) {
    return rc::gen::map(rc::gen::container<std::vector<EntityKey>>(count, any_keys()),
                        [](std::vector<EntityKey> keys) {
                          std::ranges::sort(keys);
                          keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
                          return keys;
                        });
  });
}

inline rc::Gen<Time> times_between(std::uint64_t least, std::uint64_t most) {
  return rc::gen::map(between(least, most), from_seconds);
}

inline rc::Gen<Pattern> patterns() {
  const auto cell = rc::gen::oneOf(rc::gen::just(std::string("+")), words("abzAZ09-_,().$", 1, 12));
  return rc::gen::exec([cell] {
    auto cells = *rc::gen::container<std::vector<std::string>>(
        *between<std::size_t>(1, limits::kUriCells), cell);
    if (*rc::gen::arbitrary<bool>()) cells[*between<std::size_t>(0, cells.size() - 1)] = "*";
    std::string text = cells[0];
    for (std::size_t i = 1; i < cells.size(); ++i) text.append("/").append(cells[i]);
    auto pattern = Pattern::parse(text);
    BW_ASSERT(pattern.has_value());
    return *std::move(pattern);
  });
}

inline rc::Gen<Permissions> permission_sets() {
  return rc::gen::map(between<std::uint16_t>(1, 0xff), Permissions::of);
}

// Each fills the fields besides the signer, inside rc::gen::exec.
inline void fill(Entity& entity) {
  entity.created = *times_between(0, kNeverSeconds - 1);
  entity.expires = *times_between(to_seconds(entity.created) + 1, kNeverSeconds);
  entity.revokers = *revoker_lists();
  entity.contact = *texts(limits::kContactBytes);
  entity.comment = *texts(limits::kCommentBytes);
}

inline void fill(Dot& dot) {
  dot.grantee = *rc::gen::oneOf(rc::gen::just(kEveryone), any_keys());
  dot.ns = *any_keys();
  dot.permissions = *permission_sets();
  dot.ttl = dot.grantee == kEveryone ? std::uint8_t{0} : *between<std::uint8_t>(0, 0xff);
  dot.created = *times_between(0, kNeverSeconds - 1);
  dot.not_before = *times_between(to_seconds(dot.created), kNeverSeconds - 1);
  dot.expires = *times_between(to_seconds(dot.not_before) + 1, kNeverSeconds);
  dot.messages_per_second = *between<std::uint32_t>(0, 0xffffffff);
  dot.stored_bytes = *between<std::uint64_t>(0, (std::uint64_t{1} << 40U) - 1);
  dot.revokers = *revoker_lists();
  dot.pattern = *patterns();
  dot.comment = *texts(limits::kCommentBytes);
  dot.conditions = *rc::gen::oneOf(rc::gen::just(Bytes()), blobs(limits::kConditionBytes));
}

inline void fill(Revocation& revocation) {
  revocation.target_kind = *rc::gen::element(Revocation::Target::kEntity, Revocation::Target::kDot);
  revocation.target = (*any_keys()).bytes;
  revocation.created = *times_between(0, kNeverSeconds);
  revocation.comment = *texts(limits::kCommentBytes);
}

inline void fill(Alias& alias) {
  alias.value = (*any_keys()).bytes;
  alias.created = *times_between(0, kNeverSeconds);
  alias.name = *rc::gen::map(words("abz09-._", 0, limits::kAliasBytes - 1),
                             [](const std::string& rest) { return "n" + rest; });
}

inline void fill(RouterOffer& offer) {
  offer.ns = *any_keys();
  offer.nonce = *between<std::uint64_t>(1, ~std::uint64_t{0});
  offer.created = *times_between(0, kNeverSeconds);
  offer.retracted = *rc::gen::arbitrary<bool>();
}

inline void fill(RouterAcceptance& acceptance) {
  acceptance.router = *any_keys();
  acceptance.nonce = *between<std::uint64_t>(1, ~std::uint64_t{0});
  acceptance.created = *times_between(0, kNeverSeconds);
  acceptance.retracted = *rc::gen::arbitrary<bool>();
  acceptance.max_staleness_s = *between<std::uint32_t>(0, 0xffffffff);
}

inline void fill(RouterAddress& address) {
  address.nonce = *between<std::uint64_t>(1, ~std::uint64_t{0});
  address.created = *times_between(0, kNeverSeconds);
  const std::string host =
      *rc::gen::oneOf(words("azAZ09-.", 1, 200), rc::gen::just(std::string("[::1]")),
                      rc::gen::just(std::string("[::ffff:1.2.3.4]")));
  address.address = host + ":" + std::to_string(*between<std::uint16_t>(1, 65535));
}

inline EntityKey& signer_field(Entity& value) {
  return value.key;
}
inline EntityKey& signer_field(Dot& value) {
  return value.granter;
}
inline EntityKey& signer_field(Revocation& value) {
  return value.revoker;
}
inline EntityKey& signer_field(Alias& value) {
  return value.claimer;
}
inline EntityKey& signer_field(RouterOffer& value) {
  return value.router;
}
inline EntityKey& signer_field(RouterAcceptance& value) {
  return value.ns;
}
inline EntityKey& signer_field(RouterAddress& value) {
  return value.router;
}

// Valid values of one kind whose signer is the holder of `key`.
template <class T>
rc::Gen<T> values(const EntityKey& signer) {
  return rc::gen::exec([signer] {
    T value;
    signer_field(value) = signer;
    fill(value);
    return value;
  });
}

template <class T>
rc::Gen<Signed<T>> objects() {
  return rc::gen::exec([] {
    const crypto::SigningKey key = numbered_key(*between<std::uint8_t>(1, 0xfe));
    auto made = sign(*values<T>(key.public_key()), key);
    BW_ASSERT(made.has_value());
    return *std::move(made);
  });
}

template <class T>
rc::Gen<Object> as_objects() {
  return rc::gen::map(objects<T>(), [](const Signed<T>& object) { return Object(object); });
}

// Of any kind.
inline rc::Gen<Object> any_objects() {
  return rc::gen::oneOf(as_objects<Entity>(), as_objects<Dot>(), as_objects<Revocation>(),
                        as_objects<Alias>(), as_objects<RouterOffer>(),
                        as_objects<RouterAcceptance>(), as_objects<RouterAddress>());
}

// DoTs in a row; they need not join into a path.
inline rc::Gen<Proof> proofs(std::size_t most = limits::kProofDots) {
  return rc::gen::mapcat(between<std::size_t>(0, most), [](std::size_t count) {
    return rc::gen::map(rc::gen::container<std::vector<Signed<Dot>>>(count, objects<Dot>()),
                        [](std::vector<Signed<Dot>> dots) { return Proof{std::move(dots)}; });
  });
}

}  // namespace bw::wave::testing
