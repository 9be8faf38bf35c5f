// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "crypto/keys.hpp"
#include "ledger/ledger.hpp"
#include "net/channel.hpp"
#include "store/authority_store.hpp"

namespace bw::ledger_embedded {

struct ServerOptions {
  std::string listen = "127.0.0.1:4516";
  // From one address (base/crowd.hpp), over all its connections: there are no fees. 0 a second: no
  // limit, for a ledger that only its owner can reach.
  double entries_per_second = 200;
  double burst = 2000;
  std::size_t threads = 0;       // that verify what is submitted; 0: one for each core
  Duration head_interval = 15s;  // a fresh signed head at least so often
  net::ListenerLimits limits;
};

// The embedded ledger: judges and appends what is submitted, signs heads, serves entries to
// followers. Lives on one io_context thread; submit() may be called from any.
//
// The ledger's process is also a node: `on_appended` tells its replica, after the entries are
// durable.
class Server : public ledger::Ledger {
 public:
  using OnAppended = std::function<void(const ledger::Effects&)>;
  Server(net::asio::io_context& context, store::AuthorityStore& store,
         const crypto::SigningKey& key, const Clock& clock, ServerOptions options,
         OnAppended on_appended);
  ~Server() override;

  // Binds; an error says which address and why.
  Result<void> start();
  // Stops accepting and ends sessions; join by running the context until it returns.
  net::Task<void> stop();
  [[nodiscard]] std::string address() const;
  [[nodiscard]] const EntityKey& key() const;

  // ledger::Ledger: submissions of this very process are not rate-limited.
  void submit(std::vector<Bytes> objects, SubmitDone done) override;
  [[nodiscard]] ledger::Status status() const override;

  struct Stats {
    std::uint64_t accepted = 0;
    std::uint64_t refused = 0;
    std::uint64_t limited = 0;
    std::uint64_t followers = 0;
  };
  [[nodiscard]] Stats stats() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace bw::ledger_embedded
