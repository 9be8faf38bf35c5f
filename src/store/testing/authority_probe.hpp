// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>

#include <gtest/gtest.h>

#include "ledger/testing/objects.hpp"
#include "store/authority_store.hpp"
#include "store/testing/temp_directory.hpp"

namespace bw::store::testing {

inline std::unique_ptr<AuthorityStore> opened_store(const std::filesystem::path& directory) {
  auto store = AuthorityStore::open(directory);
  EXPECT_TRUE(store.has_value()) << store.error().message;
  return store ? *std::move(store) : nullptr;
}

inline ledger::Effects put(AuthorityStore& store, const std::vector<wave::Object>& objects) {
  auto effects = store.append(objects);
  EXPECT_TRUE(effects.has_value()) << effects.error().message;
  return effects ? *std::move(effects) : ledger::Effects{};
}

// What a cursor yields, by DoT; a DoT that comes twice is a failure.
inline std::map<ObjectId, wave::Edge> drain(std::unique_ptr<wave::EdgeCursor> cursor) {
  std::map<ObjectId, wave::Edge> edges;
  wave::Edge edge;
  while (true) {
    const auto more = cursor->next(edge);
    EXPECT_TRUE(more.has_value()) << more.error().message;
    if (!more || !*more) return edges;
    EXPECT_TRUE(edges.emplace(edge.dot, edge).second);
  }
}

inline std::vector<ObjectId> dots_of(std::unique_ptr<wave::EdgeCursor> cursor) {
  std::vector<ObjectId> out;
  for (const auto& [dot, edge] : drain(std::move(cursor))) out.push_back(dot);
  return out;
}

template <class... Dots>
std::vector<ObjectId> ids_of(const Dots&... dots) {
  std::vector<ObjectId> out{dots.id...};
  std::ranges::sort(out);
  return out;
}

}  // namespace bw::store::testing
