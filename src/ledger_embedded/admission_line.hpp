// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "ledger/ledger.hpp"
#include "store/authority_store.hpp"

namespace bw::ledger_embedded {

// The way from submissions to the ledger file. Many threads parse entries and verify signatures;
// one thread, the only writer of the store, then judges entry after entry in the order of the
// submissions, and appends what passed of all submissions that are ready at once, so that they
// share a disk flush.
class AdmissionLine {
 public:
  // What became of one submission, in order: an error when the store failed, and then none of its
  // entries is acknowledged. Before it come the effects of the entries, which are durable.
  using Done = std::function<void(Result<std::vector<ledger::Submitted>>)>;
  using OnAppended = std::function<void(const ledger::Effects&)>;

  // `threads`: that verify; 0 for one a core. Both callbacks come on threads of the line.
  AdmissionLine(store::AuthorityStore& store, const Clock& clock, std::size_t threads,
                OnAppended on_appended);
  // Drops what waits, without an answer.
  ~AdmissionLine();
  AdmissionLine(const AdmissionLine&) = delete;
  AdmissionLine& operator=(const AdmissionLine&) = delete;

  // From one thread. Bounding what waits is the caller's business.
  void submit(std::vector<Bytes> entries, Done done);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bw::ledger_embedded
