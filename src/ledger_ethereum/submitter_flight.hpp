// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "ledger/ledger.hpp"
#include "ledger_ethereum/registry_call.hpp"
#include "ledger_ethereum/submitter_options.hpp"
#include "ledger_ethereum/submitter_queue.hpp"
#include "ledger_ethereum/wallet.hpp"

namespace bw::ledger_ethereum {

// Calls that no block has yet, and calls that wait for confirmations.
inline constexpr std::size_t kUnminedCalls = 4;
inline constexpr std::size_t kUnconfirmedCalls = 128;

// Why nothing goes on.
enum class TroubleKind : std::uint8_t {
  kUnreachable,  // no endpoint gives an answer that can be used
  kHalted,       // there are no new blocks
  kRefused,      // endpoints answer, and do not take the transaction
  kBalance,      // the account cannot pay
  kFees,         // gas costs more than max_fee
};
struct Trouble {
  TroubleKind kind;
  Error error;
};
using Progress = Result<void, Trouble>;

// An object in a call.
struct Carried {
  SubmissionQueue::ItemPtr item;
  RegistryCall::Place place;
};

// One nonce of the account and what was sent under it: one or more versions of one transaction, of
// which the chain takes at most one.
struct Sent {
  std::uint64_t nonce = 0;
  std::unique_ptr<RegistryCall> call;  // none: only fills the nonce
  std::vector<Carried> carried;
  std::uint64_t gas = 0;
  Price price;
  Bytes bytes;                         // of the latest version
  std::vector<Hash> hashes;            // of all versions
  bool accepted = false;               // by some endpoint
  std::uint64_t sent_at = 0;           // the latest block then
  std::optional<std::uint64_t> block;  // that has it
  // The latest block when the nonce was first seen to be used up by no version of this.
  std::optional<std::uint64_t> missing_since;
};

// The transactions of one account that are under way: nonces in order, resent when dropped or taken
// out of the chain, replaced when stuck, until confirmed. Holds calls and does not look into what
// they carry. Lives on one io_context thread; one coroutine at a time.
class Flight {
 public:
  Flight(Chain& chain, Wallet wallet, const SubmitterOptions& options);

  // Asks how the chain stands; what follows goes by it.
  net::Task<Progress> look();

  struct Landed {
    Sent sent;
    bool succeeded = false;
    std::vector<ledger::Submitted> outcomes;  // of each item, where it succeeded
  };
  struct Followed {
    std::vector<Landed> landed;  // under so many confirmations
    std::vector<Sent> lost;      // their nonces were used for something else
    Progress progress;
  };
  net::Task<Followed> follow();
  // Sends again what was dropped, replaces what is stuck.
  net::Task<Progress> keep_going();

  // Whether one more call may be sent now.
  [[nodiscard]] bool has_room() const;
  [[nodiscard]] Result<Price> price() const;
  // What the balance pays for beside all that is under way.
  [[nodiscard]] std::uint64_t affordable_gas(const Price& price) const;
  // It is under way from now on, also when no endpoint takes it yet.
  net::Task<Progress> send(std::unique_ptr<RegistryCall> call, std::vector<Carried> carried,
                           std::uint64_t gas, Price price);
  // Gives up the call that no endpoint takes and nobody waits for any more, if there is one.
  std::optional<Sent> take_refused();

  [[nodiscard]] const std::list<Sent>& all() const { return sent_; }
  [[nodiscard]] std::size_t unmined() const;
  [[nodiscard]] const Address& account() const { return wallet_.account(); }
  [[nodiscard]] std::uint64_t head() const { return head_; }
  [[nodiscard]] Wei balance() const { return balance_; }

  struct Counts {
    std::uint64_t calls = 0;     // nonces taken
    std::uint64_t replaced = 0;  // versions after the first
    std::uint64_t resent = 0;
    std::uint64_t withdrawn = 0;  // by a reorganisation
    std::uint64_t lost = 0;
  };
  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  using Place = std::list<Sent>::iterator;

  // Where it is, if in a block.
  net::Task<Result<std::optional<Receipt>>> find(const Sent& sent);
  net::Task<Progress> follow_used(Place place, Followed& followed);
  net::Task<Progress> hand_in(Sent& sent);
  net::Task<Progress> push(Sent& sent, bool is_next);
  // What the sent transaction may be replaced with.
  [[nodiscard]] Result<Price, Trouble> better_price(const Sent& sent) const;
  void try_to_raise(Sent& sent);
  net::Task<Progress> fill_gap();
  [[nodiscard]] std::uint64_t next_nonce() const;
  void sign(Sent& sent, const Price& price);
  [[nodiscard]] Wei reserved() const;

  Chain& chain_;
  Wallet wallet_;
  const SubmitterOptions& options_;
  std::list<Sent> sent_;  // by nonce

  std::uint64_t head_ = 0;
  std::uint64_t mined_ = 0;    // nonces below are used up
  std::uint64_t pending_ = 0;  // and below this they are taken, as far as the endpoint knows
  Fees fees_{};
  Wei balance_ = 0;
  struct Gap {
    std::uint64_t nonce;
    std::uint64_t since;  // block
  };
  std::optional<Gap> gap_;  // a nonce that others follow and nobody fills
  Counts counts_;
};

}  // namespace bw::ledger_ethereum
