// SPDX-License-Identifier: Apache-2.0
#include "agent/sealing.hpp"

#include <algorithm>

namespace bw::agent {

Sealing::Sealing(const replica::Replica& replica, const Clock& clock, telemetry::Log& log,
                 SealingOptions options, Ports ports)
    : replica_(replica),
      clock_(clock),
      options_(std::move(options)),
      keyring_(crypto::system_random()),
      lists_(replica, clock),
      settings_(replica, clock, log, options_.directory, std::move(ports.subscribe)),
      keeper_(replica, clock, log, options_.directory, lists_, keyring_,
              {std::move(ports.query), std::move(ports.persist),
               [this](const EntityKey& entity) { return key_of(entity); }}),
      namespaces_(keeper_.namespaces()),
      heard_size_(replica.size()) {}

Result<std::optional<syndication::Readers>> Sealing::readers_of(const KeyPtr& key,
                                                                const Value& value,
                                                                std::function<void()> again) {
  const bool all_heard = take_news();
  bool wanted = value.seal && !syndication::is_seal_setting_uri(value.uri);
  if (!wanted) {
    namespaces_.insert(value.ns);
    BW_TRY(const auto answer, settings_.ask(key, value.ns, value.uri, std::move(again)));
    if (answer == SealSettings::Answer::kWait) return std::nullopt;
    wanted = answer == SealSettings::Answer::kSeal;
  }
  if (!wanted) return syndication::Readers{};
  namespaces_.insert(value.ns);
  BW_TRY(const ConsumerLists::List list, lists_.of(value.ns, value.uri, !all_heard));
  if (list.everyone || !list.readers->empty()) return list.readers;
  return fail(ErrorCode::kDenied, "nobody may read {}/{}, so it cannot be sealed for anybody",
              value.ns.text(), value.uri.text());
}

Result<Sealing::SealedPtr> Sealing::seal(const KeyPtr& key, const Value& value,
                                         const syndication::Readers& readers) {
  const Time now = clock_.now();
  const syndication::SealContext context{key->public_key(), value.ns, value.uri.text()};
  BW_TRY(Bytes payload, keyring_.seal({.context = context,
                                       .readers = readers,
                                       .persist = value.persist,
                                       .sealed_at = now,
                                       .now = now},
                                      value.payload));
  return std::make_shared<const Sealed>(Sealed{std::move(payload), readers, now});
}

void Sealing::persisted(const KeyPtr& key, const Value& value, const SealedPtr& sealed) {
  if (!sealed) return keeper_.replaced(key->public_key(), value.ns, value.uri.text());
  keys_[key->public_key()] = key;
  keeper_.stored(*key, value, {sealed->payload, sealed->readers, sealed->sealed_at});
}

void Sealing::heard(const ledger::Effects& effects) {
  const std::scoped_lock lock(mutex_);
  news_.push_back(effects);
  heard_size_ = replica_.size();
}

bool Sealing::take_news() {
  std::vector<ledger::Effects> news;
  std::uint64_t size = 0;
  {
    const std::scoped_lock lock(mutex_);
    news.swap(news_);
    size = heard_size_;
  }
  for (const ledger::Effects& effects : news) {
    for (const EntityKey& ns : namespaces_) {
      if (!concerns(effects, ns)) continue;
      lists_.forget(ns);
      settings_.changed(ns);
      keeper_.changed(ns);
    }
  }
  return replica_.size() == size;
}

bool Sealing::concerns(const ledger::Effects& effects, const EntityKey& ns) const {
  if (std::ranges::count(effects.granted_in, ns) > 0) return true;
  const bool revoked = std::ranges::any_of(effects.revoked_dots, [&](const ObjectId& id) {
    const auto dot = replica_.store().dot_record(id);
    return !dot || !*dot || (*dot)->object.value.ns == ns;
  });
  // An entity that was registered, renewed or revoked matters where it was granted something.
  return revoked || std::ranges::any_of(effects.entities, [&](const EntityKey& entity) {
           wave::Edge edge;
           const auto granted = replica_.store().granted_to(ns, entity)->next(edge);
           return entity == ns || !granted || *granted;
         });
}

KeyPtr Sealing::key_of(const EntityKey& entity) const {
  if (const auto found = keys_.find(entity); found != keys_.end()) {
    if (KeyPtr key = found->second.lock()) return key;
  }
  return options_.key ? options_.key(entity) : nullptr;
}

void Sealing::tick(Time now) {
  take_news();
  keeper_.tick(now);
}

SealStats Sealing::stats() const {
  const auto& made = keyring_.stats();
  return {
      .sealed = made.sealed, .keys = made.keys, .wraps = made.wraps, .renewed = keeper_.renewed()};
}

}  // namespace bw::agent
