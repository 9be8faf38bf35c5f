// SPDX-License-Identifier: Apache-2.0
#include "attack.hpp"

// A designation is void while its router or namespace is not live.
namespace bw::e2e {
namespace {

using Lines = std::vector<std::string>;
using wire::MessageType;

bool is_routed(RunningNode& node, const std::string& ns) {
  return !must(node.client().resolve(ns)).router().empty();
}

TEST_F(Attack, S05_ARevokedNamespaceIsNotRouted) {
  make_entity(site, "other");
  const std::string other = must(site.client().resolve("other")).key();
  designate(site, "other", site);
  Subscription ears(site, "other", "other/a");
  ASSERT_EQ(publish(site, "other", "other/a", "live"), "");
  ASSERT_TRUE(ears.waits_for("a=live"));

  revoke(site, "other", other);
  EXPECT_TRUE(eventually([&] { return !is_routed(site, other); }));
  EXPECT_TRUE(ears.waits_for_end());
  EXPECT_EQ(publish(site, "other", other + "/a", "dead"), "revoked");
  EXPECT_EQ(ears.heard(), Lines{"a=live"});
  EXPECT_TRUE(is_routed(site, "ns"));
  EXPECT_EQ(publish(site, "ns", site.uri("a"), "live"), "");
}

TEST_F(Attack, S05_AnExpiredNamespaceIsNotRouted) {
  // Objects keep whole seconds: at least one second of life is left when it has been designated.
  make_entity(site, "brief", std::chrono::ceil<std::chrono::seconds>(now()) + 3s);
  const std::string brief = must(site.client().resolve("brief")).key();
  designate(site, "brief", site);
  Subscription ears(site, "brief", "brief/a");
  ASSERT_EQ(publish(site, "brief", "brief/a", "live"), "");
  ASSERT_TRUE(ears.waits_for("a=live"));

  EXPECT_TRUE(eventually([&] { return !is_routed(site, brief); }));
  EXPECT_TRUE(ears.waits_for_end());
  EXPECT_EQ(publish(site, "brief", brief + "/a", "dead"), "expired");
  EXPECT_EQ(publish(site, "ns", site.uri("a"), "live"), "");
}

TEST_F(Attack, S05_ARevokedRouterRoutesNothing) {
  Session bob(*this, registered_key(site));
  const Say message{site.ns(), "a", "x", MessageType::kPublish, granted(bob.key, "a", "P")};
  ASSERT_EQ(bob.peer.outcome(bob.say(message)), "");
  ASSERT_EQ(publish(site, "ns", site.uri("a"), "live"), "");
  Subscription ears(site, "ns", site.uri("a"));
  ASSERT_EQ(ears.stood(), 1);

  revoke(site, "router", site.at().router_key->text());
  EXPECT_TRUE(eventually([&] { return !is_routed(site, "ns"); }));
  EXPECT_NE(publish(site, "ns", site.uri("a"), "dead"), "");
  // Nor for those who keep to the session they have.
  EXPECT_EQ(bob.peer.outcome(bob.say(message)), "unavailable");
  EXPECT_TRUE(ears.heard().empty());

  RunningNode heir({.ledger = false, .router = true}, &site);
  designate(site, "ns", heir);
  EXPECT_TRUE(ears.waits_to_stand(2));  // at the new router
  EXPECT_EQ(publish(site, "ns", site.uri("a"), "again"), "");
  EXPECT_TRUE(ears.waits_for("a=again"));
}

}  // namespace
}  // namespace bw::e2e
