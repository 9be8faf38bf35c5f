// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "city/model.hpp"
#include "crypto/keys.hpp"
#include "wave/authorize.hpp"
#include "wave/object.hpp"

// The model's entities and DoTs as signed objects. Pure.
namespace bw::city {

// A simulation's key: whoever knows the seed has it, so that no private keys need be stored. Never
// for anything real.
crypto::SigningKey key_of(std::uint64_t seed, Who who);

// All objects of one city were made at this time and never expire, so that the same city has the
// same bytes.
inline constexpr Time kCityCreated = from_seconds(1'735'689'600);  // 2025-01-01

wave::Signed<wave::Entity> entity_object(const crypto::SigningKey& key,
                                         Time created = kCityCreated);
// Precondition: `granter` is the key of grant.granter.
wave::Signed<wave::Dot> dot_object(const Grant& grant, const crypto::SigningKey& granter,
                                   const EntityKey& grantee, const EntityKey& ns,
                                   Time created = kCityCreated);
// The request for an act at a home.
wave::Request request_for(const Resource& resource, const EntityKey& origin, const EntityKey& ns);

}  // namespace bw::city
