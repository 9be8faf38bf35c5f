// SPDX-License-Identifier: Apache-2.0
#include "city/objects.hpp"

#include "base/check.hpp"
#include "codec/writer.hpp"
#include "crypto/sha256.hpp"

namespace bw::city {
namespace {

// What the model says always has a valid form.
template <class T>
T must(Result<T> result) {
  BW_ASSERT(result.has_value());
  return *std::move(result);
}

}  // namespace

crypto::SigningKey key_of(std::uint64_t seed, Who who) {
  static const crypto::TaggedHash kTag("bosswave/city-simulation");
  Bytes name;
  codec::Writer(name).u64(seed).u8(static_cast<std::uint8_t>(who.kind)).u32(who.index);
  return must(crypto::SigningKey::from_secret(kTag({name}).bytes));
}

wave::Signed<wave::Entity> entity_object(const crypto::SigningKey& key, Time created) {
  return must(wave::sign(wave::Entity{.key = key.public_key(),
                                      .created = created,
                                      .expires = kNever,
                                      .revokers = {},
                                      .contact = {},
                                      .comment = {}},
                         key));
}

wave::Signed<wave::Dot> dot_object(const Grant& grant, const crypto::SigningKey& granter,
                                   const EntityKey& grantee, const EntityKey& ns, Time created) {
  return must(wave::sign(wave::Dot{.granter = granter.public_key(),
                                   .grantee = grantee,
                                   .ns = ns,
                                   .permissions = grant.permissions,
                                   .ttl = grant.ttl,
                                   .created = created,
                                   .not_before = created,
                                   .expires = kNever,
                                   .revokers = {},
                                   .pattern = must(wave::Pattern::parse(grant.pattern)),
                                   .comment = {},
                                   .conditions = {}},
                         granter));
}

wave::Request request_for(const Resource& resource, const EntityKey& origin, const EntityKey& ns) {
  return {.origin = origin,
          .ns = ns,
          .pattern = must(wave::Pattern::parse(resource.uri)),
          .permissions = resource.permissions};
}

}  // namespace bw::city
