// SPDX-License-Identifier: Apache-2.0
#include "node/node.hpp"

#include <gtest/gtest.h>

#include "store/testing/temp_directory.hpp"

namespace bw::node {
namespace {

class NodeTest : public ::testing::Test {
 protected:
  Config config(std::string_view name) const {
    Config out;
    out.directory = directory / name;
    out.metrics.listen = "127.0.0.1:0";
    out.ledger.listen = "127.0.0.1:0";
    out.router.listen = "127.0.0.1:0";
    return out;
  }
  void expect_no_start(const Config& bad, Roles roles, std::string_view reason) {
    const auto node = Node::start(bad, roles, log);
    ASSERT_FALSE(node.has_value());
    EXPECT_NE(node.error().message.find(reason), std::string::npos) << node.error().message;
  }

  store::testing::TempDirectory directory;
  telemetry::Log log{{.level = telemetry::Level::kError}};
};

TEST_F(NodeTest, KeepsItsKeysAcrossRestarts) {
  Node::Addresses before;
  {
    const auto node = Node::start(config("one"), {.ledger = true, .router = true}, log);
    ASSERT_TRUE(node.has_value()) << node.error().message;
    before = (*node)->addresses();
    (*node)->stop();
  }
  const auto node = Node::start(config("one"), {.ledger = true, .router = true}, log);
  ASSERT_TRUE(node.has_value()) << node.error().message;
  const Node::Addresses after = (*node)->addresses();
  EXPECT_EQ(after.agent_key, before.agent_key);
  EXPECT_EQ(after.ledger_key, before.ledger_key);
  EXPECT_EQ(after.router_key, before.router_key);
  EXPECT_FALSE(after.ledger.empty() || after.router.empty() || after.metrics.empty());
  (*node)->stop();
}

// Whatever part cannot start, those that did end in order and the reason is told.
TEST_F(NodeTest, APartThatCannotStartIsAnErrorNotACrash) {
  const auto node = Node::start(config("one"), {.ledger = true, .router = true}, log);
  ASSERT_TRUE(node.has_value()) << node.error().message;
  const Node::Addresses taken = (*node)->addresses();
  Config bad = config("two");
  bad.ledger.listen = taken.ledger;
  expect_no_start(bad, {.ledger = true, .router = true}, taken.ledger);
  bad = config("three");
  bad.router.listen = taken.router;
  expect_no_start(bad, {.ledger = true, .router = true}, taken.router);
  bad = config("four");
  bad.metrics.listen = taken.metrics;
  expect_no_start(bad, {.ledger = true, .router = true}, taken.metrics);
  bad = config("five");
  bad.agent.socket = (directory / "no/such/agent.sock").string();
  expect_no_start(bad, {.ledger = true, .router = true}, "agent.sock");
  expect_no_start(config("six"), {}, "ledger.address");
  expect_no_start(config("one"), {.ledger = true}, "in use");
  (*node)->stop();
}

}  // namespace
}  // namespace bw::node
