// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "client/client.hpp"
#include "must.hpp"
#include "node/node.hpp"
#include "wave/proof.hpp"

// Real nodes in this process, each with its own directory and sockets, and honest users of them.
namespace bw::e2e {

namespace api = bosswave::v1;

inline constexpr Duration kPatience = 20s;

// Asks until it is so; false when that takes longer than `patience`.
[[nodiscard]] bool eventually(const std::function<bool()>& is_so, Duration patience = kPatience);

Time now();

class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

using Tweak = std::function<void(node::Config&)>;

// One node that can be stopped and started again in its directory and at its addresses.
class RunningNode {
 public:
  // Follows `ledger` unless it is one itself.
  explicit RunningNode(node::Roles roles, const RunningNode* ledger = nullptr,
                       const Tweak& tweak = {});
  ~RunningNode();
  RunningNode(const RunningNode&) = delete;
  RunningNode& operator=(const RunningNode&) = delete;

  void stop();
  void start();

  [[nodiscard]] const node::Node::Addresses& at() const { return addresses_; }
  client::Client& client() { return *client_; }
  // Another connection to this node's agent.
  [[nodiscard]] std::unique_ptr<client::Client> connect() const;

 private:
  TempDir directory_;
  telemetry::Log log_;
  node::Roles roles_;
  node::Config config_;
  node::Node::Addresses addresses_;
  std::unique_ptr<node::Node> node_;
  std::unique_ptr<client::Client> client_;
};

// A subscription of an application through its agent, which collects what comes.
class Subscription {
 public:
  // Returns when it stands, or has ended already.
  Subscription(RunningNode& node, const std::string& as, const std::string& uri, bool tap = false);
  ~Subscription();

  // "cell/cell=payload" of everything that came so far.
  [[nodiscard]] std::vector<std::string> heard() const;
  [[nodiscard]] bool waits_for(const std::string& text, Duration patience = kPatience) const;
  [[nodiscard]] std::vector<std::string> ids() const;  // of the messages, origin's stream first
  // How often it stood: once, and once more after each loss of the router.
  [[nodiscard]] int stood() const;
  [[nodiscard]] bool waits_to_stand(int times, Duration patience = kPatience) const;
  // The error with which it ended, if it has.
  [[nodiscard]] std::optional<Error> ended() const;
  [[nodiscard]] bool waits_for_end(Duration patience = kPatience) const;

 private:
  bool wait(const std::function<bool()>& is_so, Duration patience) const;

  std::unique_ptr<client::Client> client_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<std::string> heard_;
  std::vector<std::string> ids_;
  int stood_ = 0;
  bool over_ = false;
  std::optional<Error> error_;
  std::thread thread_;
};

// What a user does through an agent. Keys are named as in its keystore.
std::string make_entity(RunningNode& node, const std::string& name, Time expires = {});
std::string grant(RunningNode& node, const std::string& as, const std::string& grantee,
                  const std::string& uri, const std::string& permissions, unsigned ttl = 0);
void revoke(RunningNode& node, const std::string& as, const std::string& target);
wave::Proof proof_of(RunningNode& node, const std::string& entity, const std::string& uri,
                     const std::string& permissions);
// The stable name of the error, empty for success.
std::string publish(RunningNode& node, const std::string& as, const std::string& uri,
                    const std::string& text, bool persist = false);
// "cell/cell=payload" of what is stored, in order of URI.
Result<std::vector<std::string>> query(RunningNode& node, const std::string& as,
                                       const std::string& uri);
// The stable names of the errors, one per object, empty for those accepted.
std::vector<std::string> submit(RunningNode& node, const std::vector<Bytes>& objects);
// The router offers, the namespace accepts; returns when the designation is known.
void designate(RunningNode& ns_holder, const std::string& ns, RunningNode& router);

// A node that is agent, router and ledger, with the namespace "ns" carried by it.
class Site : public RunningNode {
 public:
  Site();
  [[nodiscard]] EntityKey ns() const { return ns_; }
  [[nodiscard]] std::string uri(const std::string& rest) const { return ns_.text() + "/" + rest; }

 private:
  EntityKey ns_;
};

}  // namespace bw::e2e
