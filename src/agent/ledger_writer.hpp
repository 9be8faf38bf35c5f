// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "ledger/ledger.hpp"
#include "net/channel.hpp"
#include "replica/replica.hpp"

namespace bw::agent {

// Puts objects on the ledger and answers when this node's own replica knows them too, so that what
// a caller asks next already counts with them. An object that is on the ledger already counts as
// put. submit() may be called from any thread; `done` comes on the io_context's, exactly once.
class LedgerWriter {
 public:
  LedgerWriter(net::asio::io_context& io, ledger::Ledger& ledger, replica::Replica& replica,
               const Clock& clock);
  ~LedgerWriter();

  using Done = std::function<void(Result<std::vector<ledger::Submitted>>)>;
  void submit(std::vector<Bytes> objects, Done done);
  // Answers everything that still waits with kUnavailable.
  void stop();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace bw::agent
