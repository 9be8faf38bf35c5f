// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <random>

#include "base/check.hpp"
#include "wave/authorize.hpp"
#include "wave/testing/memory_graph.hpp"

namespace bw::wave::testing {

inline const Time kNow = from_seconds(1'800'000'000);

// Keys of entities known by name. Nobody holds their secrets; authorisation never asks for them.
inline EntityKey key_of(std::string_view name) {
  if (name == "everyone") return kEveryone;
  EntityKey key;
  std::minstd_rand random(static_cast<std::uint32_t>(std::hash<std::string_view>{}(name)));
  for (std::uint8_t& byte : key.bytes) byte = static_cast<std::uint8_t>(random() >> 8U);
  return key;
}

inline Pattern pattern_of(std::string_view text) {
  auto pattern = Pattern::parse(text);
  BW_ASSERT(pattern.has_value());
  return *pattern;
}

inline Permissions permissions_of(std::string_view text) {
  auto permissions = Permissions::parse(text);
  BW_ASSERT(permissions.has_value());
  return *permissions;
}

struct DotTerms {
  std::string_view on = "*";
  std::string_view can = "C*T*PL";
  int ttl = 0;
  Time expires = kNever;
  Time not_before{};
  std::string_view ns = "ns";
  std::uint32_t messages_per_second = 0;
  std::uint64_t stored_bytes = 0;
  std::string_view conditions = {};
};

// A small world around the namespace "ns", heard of just now. DoTs have made-up ids and no bytes.
struct Scenario {
  explicit Scenario(std::initializer_list<std::string_view> entities) {
    graph.set_heard_at(kNow);
    for (const std::string_view name : entities) graph.add_entity(key_of(name));
  }

  Signed<Dot> unpublished(std::string_view granter, std::string_view grantee,
                          const DotTerms& terms = {}) {
    Signed<Dot> dot;
    dot.value.granter = key_of(granter);
    dot.value.grantee = key_of(grantee);
    dot.value.ns = key_of(terms.ns);
    dot.value.permissions = permissions_of(terms.can);
    dot.value.ttl = static_cast<std::uint8_t>(terms.ttl);
    dot.value.not_before = terms.not_before;
    dot.value.expires = terms.expires;
    dot.value.messages_per_second = terms.messages_per_second;
    dot.value.stored_bytes = terms.stored_bytes;
    dot.value.pattern = pattern_of(terms.on);
    dot.value.conditions = to_bytes(terms.conditions);
    ++dots_made;
    std::memcpy(dot.id.bytes.data() + 8, &dots_made, sizeof dots_made);
    return dot;
  }

  Signed<Dot> dot(std::string_view granter, std::string_view grantee, const DotTerms& terms = {}) {
    Signed<Dot> dot = unpublished(granter, grantee, terms);
    graph.add(dot);
    published.emplace(dot.id, dot);
    return dot;
  }

  static Request request(std::string_view origin, std::string_view on, std::string_view can,
                         std::string_view ns = "ns") {
    return {.origin = key_of(origin),
            .ns = key_of(ns),
            .pattern = pattern_of(on),
            .permissions = permissions_of(can)};
  }

  // The proof a path stands for. Precondition: its DoTs were made by dot().
  [[nodiscard]] Proof proof(const std::vector<Edge>& path) const {
    Proof proof;
    for (const Edge& edge : path) proof.dots.push_back(published.at(edge.dot));
    return proof;
  }

  MemoryGraph graph;
  std::unordered_map<ObjectId, Signed<Dot>> published;
  std::uint64_t dots_made = 0;
};

}  // namespace bw::wave::testing
