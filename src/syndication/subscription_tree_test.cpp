// SPDX-License-Identifier: Apache-2.0
#include "syndication/subscription_tree.hpp"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/limits.hpp"

namespace bw::syndication {
namespace {

using Handle = SubscriptionTree::Handle;
using Handles = std::vector<Handle>;

wave::Pattern pattern(std::string_view text) {
  return wave::Pattern::parse(text).value();
}

EntityKey ns_of(std::uint8_t number) {
  EntityKey ns;
  ns.bytes[9] = number;
  return ns;
}
const EntityKey kNs = ns_of(1);

Handles matching(const SubscriptionTree& tree, std::string_view uri, const EntityKey& ns = kNs) {
  Handles out;
  tree.match(ns, pattern(uri), out);
  std::ranges::sort(out);
  return out;
}

TEST(SubscriptionTree, MatchesLiteralsPlusAndStar) {
  SubscriptionTree tree;
  tree.add(kNs, pattern("a/b"), 1);
  tree.add(kNs, pattern("a/+"), 2);
  tree.add(kNs, pattern("a/*"), 3);
  tree.add(kNs, pattern("*"), 4);
  tree.add(kNs, pattern("+"), 5);
  EXPECT_EQ(matching(tree, "a/b"), (Handles{1, 2, 3, 4}));
  EXPECT_EQ(matching(tree, "a/c"), (Handles{2, 3, 4}));
  EXPECT_EQ(matching(tree, "a"), (Handles{3, 4, 5}));
  EXPECT_EQ(matching(tree, "b/b"), (Handles{4}));
  EXPECT_EQ(matching(tree, "a/b/c"), (Handles{3, 4}));
}

TEST(SubscriptionTree, AStarInTheMiddleTakesZeroOrMoreCells) {
  SubscriptionTree tree;
  tree.add(kNs, pattern("a/*/b"), 1);
  tree.add(kNs, pattern("*/b"), 2);
  tree.add(kNs, pattern("a/*/+/b"), 3);
  EXPECT_EQ(matching(tree, "a/b"), (Handles{1, 2}));
  EXPECT_EQ(matching(tree, "b"), (Handles{2}));
  EXPECT_EQ(matching(tree, "a/x/b"), (Handles{1, 2, 3}));
  EXPECT_EQ(matching(tree, "a/b/b"), (Handles{1, 2, 3}));
  EXPECT_EQ(matching(tree, "a/x/y/b/b"), (Handles{1, 2, 3}));
  EXPECT_EQ(matching(tree, "a/x/y/b/c"), (Handles{}));
}

TEST(SubscriptionTree, NamespacesAreApart) {
  SubscriptionTree tree;
  tree.add(ns_of(1), pattern("a"), 1);
  tree.add(ns_of(2), pattern("a"), 2);
  EXPECT_EQ(matching(tree, "a", ns_of(1)), (Handles{1}));
  EXPECT_EQ(matching(tree, "a", ns_of(2)), (Handles{2}));
  EXPECT_EQ(matching(tree, "a", ns_of(3)), (Handles{}));
}

TEST(SubscriptionTree, AUriWithWildcardsMatchesNothing) {
  SubscriptionTree tree;
  tree.add(kNs, pattern("a/+"), 1);
  tree.add(kNs, pattern("*"), 2);
  EXPECT_EQ(matching(tree, "a/+"), (Handles{}));
  EXPECT_EQ(matching(tree, "*"), (Handles{}));
}

TEST(SubscriptionTree, AppendsToWhatIsThere) {
  SubscriptionTree tree;
  tree.add(kNs, pattern("a"), 1);
  Handles out{9};
  tree.match(kNs, pattern("a"), out);
  EXPECT_EQ(out, (Handles{9, 1}));
}

TEST(SubscriptionTree, NodesGoWithTheirLastSubscription) {
  SubscriptionTree tree;
  tree.add(kNs, pattern("a/b/c"), 1);
  tree.add(kNs, pattern("a/b"), 2);
  tree.add(kNs, pattern("a/+/*"), 3);
  EXPECT_EQ(tree.nodes(), 5U);
  tree.remove(kNs, pattern("a/b/c"), 1);
  EXPECT_EQ(tree.nodes(), 4U);
  EXPECT_EQ(matching(tree, "a/b"), (Handles{2, 3}));
  tree.remove(kNs, pattern("a/+/*"), 3);
  EXPECT_EQ(tree.nodes(), 2U);
  tree.remove(kNs, pattern("a/b"), 2);
  EXPECT_EQ(tree.nodes(), 0U);
  EXPECT_EQ(tree.size(), 0U);
}

TEST(SubscriptionTree, OnePatternMayHaveManySubscribers) {
  SubscriptionTree tree;
  constexpr Handle kMany = 10'000;
  for (Handle handle = 0; handle < kMany; ++handle) tree.add(kNs, pattern("a/*"), handle);
  EXPECT_EQ(matching(tree, "a/b").size(), kMany);
  for (Handle handle = 0; handle < kMany; handle += 2) tree.remove(kNs, pattern("a/*"), handle);
  const Handles left = matching(tree, "a/b");
  EXPECT_EQ(left.size(), kMany / 2);
  EXPECT_TRUE(std::ranges::all_of(left, [](Handle handle) { return handle % 2 == 1; }));
  for (Handle handle = 1; handle < kMany; handle += 2) tree.remove(kNs, pattern("a/*"), handle);
  EXPECT_EQ(tree.nodes(), 0U);
}

TEST(SubscriptionTree, TheDeepestPatternsWork) {
  std::string deep = "a";
  for (std::size_t i = 1; i < limits::kUriCells; ++i) deep += "/a";
  SubscriptionTree tree;
  tree.add(kNs, pattern(deep), 1);
  tree.add(kNs, pattern(deep.substr(2) + "/*"), 2);
  EXPECT_EQ(matching(tree, deep), (Handles{1, 2}));
  EXPECT_EQ(tree.nodes(), limits::kUriCells + 1);
}

// --- Against wave::matches -----------------------------------------------------------------------

rc::Gen<wave::Pattern> any_pattern(bool wildcards) {
  const auto cell = wildcards ? rc::gen::elementOf(std::string("abb!++*"))
                              : rc::gen::elementOf(std::string("aabb!"));
  const auto cells = rc::gen::scale(0.08, rc::gen::nonEmpty(rc::gen::container<std::string>(cell)));
  const auto parsed = rc::gen::map(cells, [](const std::string& letters) {
    std::string text;
    for (const char letter : letters) {
      text += text.empty() ? "" : "/";
      text += letter == '!' ? std::string("!a") : std::string(1, letter);
    }
    return wave::Pattern::parse(text);
  });
  const auto valid = rc::gen::suchThat(parsed, [](const auto& p) { return p.has_value(); });
  return rc::gen::map(valid, [](const auto& p) { return *p; });
}

RC_GTEST_PROP(SubscriptionTreeProperty, AgreesWithMatches, ()) {
  const auto patterns = *rc::gen::container<std::vector<wave::Pattern>>(any_pattern(true));
  SubscriptionTree tree;
  std::set<Handle> live;
  for (Handle handle = 0; handle < patterns.size(); ++handle) {
    tree.add(kNs, patterns[handle], handle);
    live.insert(handle);
  }
  for (Handle handle = 0; handle < patterns.size(); ++handle) {
    if (*rc::gen::inRange(0, 3) != 0) continue;
    tree.remove(kNs, patterns[handle], handle);
    live.erase(handle);
  }
  RC_ASSERT(tree.size() == live.size());

  for (int i = 0; i < 20; ++i) {
    const auto uri = *any_pattern(false);
    Handles expected;
    for (const Handle handle : live) {
      if (wave::matches(patterns[handle], uri)) expected.push_back(handle);
    }
    RC_ASSERT(matching(tree, uri.text()) == expected);
  }
  for (const Handle handle : live) tree.remove(kNs, patterns[handle], handle);
  RC_ASSERT(tree.nodes() == 0U);
}

}  // namespace
}  // namespace bw::syndication
