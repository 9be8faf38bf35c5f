// SPDX-License-Identifier: Apache-2.0
#include "replica/replica.hpp"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <map>
#include <mutex>

#include "base/text.hpp"
#include "ledger/pending_state.hpp"
#include "replica/proof_cache.hpp"

namespace bw::replica {
namespace {

constexpr std::size_t kProofsRemembered = 100'000;

// An entry that the ledger admitted at some time `t` has created <= t + kClockSkew, and what had
// not expired at `t` had not at any earlier time either. So judging it as of created - kClockSkew
// accepts everything an honest ledger admitted, whenever that was.
Time judged_at(const wave::Object& object) {
  return wave::created_of(object) - limits::kClockSkew;
}

Error blame(std::uint64_t index, const Error& error) {
  return {error.code, fmt::format("the ledger served a bad entry at {}: {}", index, error.message)};
}

using Suspected = store::AuthorityStore::Suspected;

// Adds the revocation's target when it is held and the signer entitled; others act on nothing.
Result<void> add_target(const wave::Revocation& revocation, const store::AuthorityStore& store,
                        Suspected& out) {
  if (revocation.target_kind == wave::Revocation::Target::kDot) {
    BW_TRY(const auto dot, store.dot_record(revocation.dot()));
    if (dot && ledger::entitled(revocation, dot->object.value)) out.dots.insert(revocation.dot());
    return {};
  }
  BW_TRY(const auto entity, store.entity_record(revocation.entity()));
  if (entity && ledger::entitled(revocation, entity->object.value)) {
    out.entities.insert(revocation.entity());
  }
  return {};
}

// What those in `added` and those in `lifted` change for caches and live subscriptions.
Result<ledger::Effects> effects_of(const Suspected& added, const Suspected& lifted,
                                   const store::AuthorityStore& store) {
  ledger::Effects effects;
  effects.entities.assign(added.entities.begin(), added.entities.end());
  effects.entities.insert(effects.entities.end(), lifted.entities.begin(), lifted.entities.end());
  effects.affinity = effects.entities;
  effects.revoked_dots.assign(added.dots.begin(), added.dots.end());
  for (const ObjectId& id : lifted.dots) {
    BW_TRY(const auto dot, store.dot_record(id));
    if (dot) effects.granted_in.push_back(dot->object.value.ns);
  }
  return effects;
}

// Those of `all` that are not in `others`.
Suspected without(const Suspected& all, const Suspected& others) {
  Suspected out;
  std::ranges::set_difference(all.entities, others.entities,
                              std::inserter(out.entities, out.entities.end()));
  std::ranges::set_difference(all.dots, others.dots, std::inserter(out.dots, out.dots.end()));
  return out;
}

}  // namespace

struct Replica::Impl {
  Impl(store::AuthorityStore& authority_store, const Clock& wall_clock, bool ledger_is_local)
      : store(authority_store), clock(wall_clock), local(ledger_is_local) {}

  store::AuthorityStore& store;
  const Clock& clock;
  bool local;
  std::atomic<std::int64_t> heard_us{0};
  ProofCache proofs{kProofsRemembered};
  Suspected suspected;  // the ledger's thread only
  std::mutex mutex;
  ListenerId next_listener = 1;
  std::map<ListenerId, Listener> listeners;
};

Replica::Replica(store::AuthorityStore& store, const Clock& clock, bool local)
    : impl_(std::make_unique<Impl>(store, clock, local)) {}
Replica::~Replica() = default;

store::AuthorityStore& Replica::store() const {
  return impl_->store;
}

Replica::ListenerId Replica::listen(Listener listener) {
  const std::scoped_lock lock(impl_->mutex);
  impl_->listeners.emplace(impl_->next_listener, std::move(listener));
  return impl_->next_listener++;
}

void Replica::forget(ListenerId id) {
  const std::scoped_lock lock(impl_->mutex);
  impl_->listeners.erase(id);
}

void Replica::applied(const ledger::Effects& effects) {
  impl_->proofs.changed(effects.entities, effects.revoked_dots);
  const std::scoped_lock lock(impl_->mutex);
  for (const auto& [id, listener] : impl_->listeners) listener(effects);
}

Result<Replica::Found> Replica::find_proof(const wave::Request& request, Time now) {
  if (auto known = impl_->proofs.find(request, now)) return Found{known->proof, known->hash};
  if (request.origin == request.ns) {
    auto empty = std::make_shared<const wave::Proof>();
    return Found{empty, wave::proof_hash(*empty)};
  }
  const std::uint64_t changes = impl_->proofs.changes();
  BW_TRY(const wave::SearchOutcome outcome, wave::find_path(request, impl_->store, *this, now));
  if (!outcome.path) {
    return fail(ErrorCode::kDenied,
                "no path of grants gives {} {} on {}/{}{}; ask 'bw why' who could",
                request.origin.brief(), request.permissions.text(), request.ns.brief(),
                request.pattern.text(),
                outcome.exhausted_bounds ? " (the search gave up at its bounds)" : "");
  }
  BW_TRY(wave::Proof proof, load(*outcome.path));
  const auto grant = wave::authorize(request, proof, *this, now);
  if (!grant) return fail(grant.error().to_error());
  Found found{std::make_shared<const wave::Proof>(std::move(proof)), {}};
  found.hash = wave::proof_hash(*found.proof);
  Time not_before{};
  for (const auto& dot : found.proof->dots) not_before = std::max(not_before, dot.value.not_before);
  impl_->proofs.put(request, {found.proof, found.hash, not_before, grant->expires}, *grant,
                    changes);
  return found;
}

Result<wave::Proof> Replica::load(const wave::Path& path) const {
  wave::Proof proof;
  for (const wave::Edge& edge : path.edges) {
    BW_TRY(auto record, impl_->store.dot_record(edge.dot));
    if (!record) {
      return fail(ErrorCode::kCorrupt,
                  "DoT {} is in the index but not in the ledger file; delete the "
                  "index directory to rebuild it",
                  edge.dot.text());
    }
    proof.dots.push_back(std::move(record->object));
  }
  return proof;
}

Result<EntityKey> Replica::resolve(std::string_view text) const {
  if (const auto key = EntityKey::parse(text)) return *key;
  if (wave::is_alias_name(text)) {
    BW_TRY(const auto alias, impl_->store.alias(text));
    if (alias) return EntityKey{alias->value.value};
  }
  return fail(ErrorCode::kNotFound,
              "'{}' is neither an entity's key (43 characters) nor an alias on "
              "the ledger",
              printable(text, 80));
}

Result<std::optional<wave::EntityStatus>> Replica::entity(const EntityKey& key) const {
  return impl_->store.entity_status(key);
}

Result<std::optional<wave::DotStatus>> Replica::dot(const ObjectId& id) const {
  return impl_->store.dot_status(id);
}

Time Replica::heard_at() const {
  if (impl_->local) return impl_->clock.now();
  return Time{Duration{impl_->heard_us.load(std::memory_order_relaxed)}};
}

Duration Replica::max_staleness(const EntityKey& ns) const {
  const auto chosen = impl_->store.max_staleness_s(ns);
  if (!chosen || *chosen == 0) return limits::kDefaultStaleness;
  return std::chrono::seconds{*chosen};
}

std::uint64_t Replica::size() const {
  return impl_->store.log().size();
}

Result<void> Replica::append(const std::vector<Bytes>& entries) {
  ledger::PendingState state(impl_->store);
  std::vector<wave::Object> objects;
  objects.reserve(entries.size());
  for (const Bytes& entry : entries) {
    const std::uint64_t index = size() + objects.size();
    auto object = wave::parse_object(entry);
    if (!object) return fail(blame(index, object.error()));
    if (const auto good = wave::verify_signature(*object); !good)
      return fail(blame(index, good.error()));
    const auto admitted = ledger::admissible(*object, state, judged_at(*object));
    const bool repeated_dot = !admitted && admitted.error().code == ErrorCode::kConflict &&
                              wave::kind_of(*object) == wave::Kind::kDot;
    // A DoT that stands twice is harmless: the store ignores the repeat.
    if (!admitted && !repeated_dot) return fail(blame(index, admitted.error()));
    if (admitted) BW_CHECK(state.add(*object));
    objects.push_back(*std::move(object));
  }
  BW_TRY(const ledger::Effects effects, impl_->store.append(objects));
  applied(effects);
  return {};
}

Result<void> Replica::rewind(std::uint64_t size) {
  BW_TRY(const ledger::Effects effects, impl_->store.rewind(size));
  applied(effects);
  return {};
}

Result<void> Replica::suspect(const std::vector<Bytes>& revocations) {
  Suspected now;
  for (const Bytes& bytes : revocations) {
    BW_TRY(const auto revocation, wave::parse<wave::Revocation>(bytes));
    BW_CHECK(wave::verify_signature(revocation));
    BW_CHECK(add_target(revocation.value, impl_->store, now));
  }
  BW_TRY(const ledger::Effects effects,
         effects_of(without(now, impl_->suspected), without(impl_->suspected, now), impl_->store));
  impl_->suspected = now;
  impl_->store.suspect(std::move(now));
  applied(effects);
  return {};
}

Result<std::vector<Bytes>> Replica::read(std::uint64_t index, std::size_t most_bytes) const {
  return impl_->store.log().read(index, limits::kLedgerBatchEntries, most_bytes);
}

Result<crypto::Frontier> Replica::tree(std::uint64_t size) const {
  return crypto::frontier_at(impl_->store.log(), size);
}

void Replica::heard(Time at) {
  impl_->heard_us.store(at.time_since_epoch().count(), std::memory_order_relaxed);
}

}  // namespace bw::replica
