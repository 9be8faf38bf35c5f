// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <set>
#include <unordered_map>

#include "agent/seal_keeper.hpp"
#include "agent/seal_settings.hpp"
#include "syndication/seal_opener.hpp"

namespace bw::agent {

// Seals what this agent publishes, where it is wanted, for those who may consume it
// (docs/security.md, "Sealed payloads"). heard() comes from any thread, the rest is for the
// agent's.
class Sealing {
 public:
  struct Ports {
    SealSettings::Subscribe subscribe;
    SealKeeper::Query query;
    SealKeeper::Persist persist;
  };
  Sealing(const replica::Replica& replica, const Clock& clock, telemetry::Log& log,
          SealingOptions options, Ports ports);

  // A sealed form of a value; null stands for the value as it is.
  struct Sealed {
    Bytes payload;
    syndication::Readers readers;
    Time sealed_at;
  };
  using SealedPtr = std::shared_ptr<const Sealed>;
  // For whom values like this one are to be sealed now; null: they stay in clear. Nothing: it
  // cannot be said yet; `again` is called once when it can.
  Result<std::optional<syndication::Readers>> readers_of(const KeyPtr& key, const Value& value,
                                                         std::function<void()> again);
  Result<SealedPtr> seal(const KeyPtr& key, const Value& value,
                         const syndication::Readers& readers);
  // The router has stored a persisted value, in this form.
  void persisted(const KeyPtr& key, const Value& value, const SealedPtr& sealed);

  // What entries of the ledger changed; called as soon as they are applied.
  void heard(const ledger::Effects& effects);
  void tick(Time now);

  syndication::SealOpener& opener() { return opener_; }
  [[nodiscard]] SealStats stats() const;

 private:
  // Whether all that the replica has applied was heard of and taken.
  bool take_news();
  [[nodiscard]] bool concerns(const ledger::Effects& effects, const EntityKey& ns) const;
  [[nodiscard]] KeyPtr key_of(const EntityKey& entity) const;

  const replica::Replica& replica_;
  const Clock& clock_;
  SealingOptions options_;
  syndication::SealKeyring keyring_;
  syndication::SealOpener opener_;
  ConsumerLists lists_;
  SealSettings settings_;
  SealKeeper keeper_;
  std::set<EntityKey> namespaces_;  // about which something is remembered here
  std::unordered_map<EntityKey, std::weak_ptr<const crypto::SigningKey>> keys_;

  std::mutex mutex_;
  std::vector<ledger::Effects> news_;
  std::uint64_t heard_size_;  // entries of the ledger that news told of
};

}  // namespace bw::agent
