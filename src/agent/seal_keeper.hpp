// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <set>

#include "agent/agent.hpp"
#include "agent/consumer_lists.hpp"
#include "agent/seal_records.hpp"

namespace bw::agent {

// Keeps persisted values readable for whom the ledger says: when somebody new may consume one that
// this agent persisted sealed, it is sealed again for all who may, and persisted in its own place.
//
// That must never undo what somebody else persisted there since. So the agent first looks whether
// its value still stands, and then dates the renewed one back by kBackdated: whatever was
// persisted after that look is newer, and the router keeps it. Where the origin may not look (it
// has neither C nor T), a value is renewed only if nobody but origin and namespace may write there.
//
// For one thread.
class SealKeeper {
 public:
  static constexpr Duration kBackdated = 30s;

  using Query = std::function<void(ConsumeRequest, ConsumeHandlers)>;
  // Persists a value as created then.
  using Persist = std::function<void(const KeyPtr&, const Value&, Time created,
                                     std::function<void(Result<void>)> done)>;
  struct Ports {
    Query query;
    Persist persist;
    std::function<KeyPtr(const EntityKey&)> key;  // null when it is not held here, or locked
  };
  SealKeeper(const replica::Replica& replica, const Clock& clock, telemetry::Log& log,
             std::filesystem::path directory, ConsumerLists& lists,
             syndication::SealKeyring& keyring, Ports ports);

  struct Stored {
    ByteView payload;  // as it was sent
    syndication::Readers readers;
    Time sealed_at;
  };
  // `value`, whose payload is in clear, was persisted sealed.
  void stored(const crypto::SigningKey& origin, const Value& value, const Stored& as);
  // Something in clear, or nothing, took the place of what this origin may have persisted there.
  void replaced(const EntityKey& origin, const EntityKey& ns, const std::string& uri);

  void changed(const EntityKey& ns);
  // Namespaces of which changed() should tell.
  [[nodiscard]] std::set<EntityKey> namespaces() const;
  void tick(Time now);
  [[nodiscard]] std::uint64_t renewed() const { return renewed_; }

 private:
  using Name = SealRecords::Name;
  using Record = SealRecords::Record;
  struct Renewal {
    Name name;
    KeyPtr key;
    wave::Pattern uri;
    ConsumerLists::List list;
    crypto::AeadNonce nonce;  // of what is stored
  };

  void look_at(const Name& name, Time now);
  [[nodiscard]] static bool has_newcomers(Record& record, const ConsumerLists::List& list);
  void check_and_renew(const Renewal& renewal, Time now);
  [[nodiscard]] std::optional<bool> may_look(const Renewal& renewal, Time now) const;  // by tapping
  [[nodiscard]] bool is_only_writer(const Renewal& renewal, Time now) const;
  void look(const Renewal& renewal, bool tap);
  void renew(const Renewal& renewal);
  void renewed(const Renewal& renewal, const Stored& as, const Bytes& plaintext, Time now,
               const Result<void>& outcome);
  void later(const Name& name);

  const replica::Replica& replica_;
  const Clock& clock_;
  telemetry::Log& log_;
  SealRecords records_;
  ConsumerLists& lists_;
  syndication::SealKeyring& keyring_;
  Ports ports_;
  std::set<Name> due_;
  std::set<Name> under_way_;
  std::map<Name, Time> later_;
  Time review_at_{};
  std::uint64_t renewed_ = 0;
};

}  // namespace bw::agent
