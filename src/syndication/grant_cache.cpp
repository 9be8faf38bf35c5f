// SPDX-License-Identifier: Apache-2.0
#include "syndication/grant_cache.hpp"

#include <algorithm>
#include <list>
#include <mutex>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/limits.hpp"

namespace bw::syndication {
namespace {

// What a remembered yes is found by, borrowed from a request or from the grant itself.
struct Key {
  const wave::Request& request;
  const Hash& proof;
};

Key key_of(const Key& key) {
  return key;
}
Key key_of(const LiveGrant* grant) {
  return {grant->request, grant->proof_hash};
}

struct KeyHash {
  using is_transparent = void;
  std::size_t operator()(const auto& grant) const noexcept {
    const Key key = key_of(grant);
    const std::size_t ids = std::hash<EntityKey>{}(key.request.origin) ^
                            std::hash<EntityKey>{}(key.request.ns) * 3 ^
                            std::hash<Hash>{}(key.proof);
    return ids * 31 + std::hash<std::string>{}(key.request.pattern.text()) +
           key.request.permissions.bits();
  }
};

struct KeyEqual {
  using is_transparent = void;
  bool operator()(const auto& left, const auto& right) const noexcept {
    const Key a = key_of(left);
    const Key b = key_of(right);
    return a.proof == b.proof && a.request.origin == b.request.origin &&
           a.request.ns == b.request.ns && a.request.permissions == b.request.permissions &&
           a.request.pattern == b.request.pattern;
  }
};

}  // namespace

// Grants unregister themselves when their last holder lets go, so that the indexes know exactly
// those that somebody could still use. That may happen on any thread, and takes the lock: nothing
// that may be the last holder goes while it is held.
struct GrantCache::Impl : std::enable_shared_from_this<Impl> {
  using Recent = std::list<GrantPtr>;
  struct Place {
    std::weak_ptr<LiveGrant> grant;
    Recent::iterator recent;  // end() when evicted
  };
  template <class Id>
  using Index = std::unordered_map<Id, std::unordered_set<LiveGrant*>>;

  Impl(const wave::AuthorityView& view, std::size_t most) : authority(view), capacity(most) {}

  GrantPtr find(const Key& key) {
    GrantPtr evicted;
    const std::scoped_lock lock(mutex);
    const auto found = places.find(key);
    if (found == places.end()) return nullptr;
    GrantPtr grant = found->second.grant.lock();
    if (grant == nullptr) return nullptr;  // going just now on another thread
    Recent::iterator& place = found->second.recent;
    if (place != recent.end()) {
      recent.splice(recent.begin(), recent, place);
    } else {
      evicted = remember(grant, place);
    }
    return grant;
  }

  // Null when the authority has changed since `as_of`.
  GrantPtr add(const GrantPtr& grant, std::uint64_t as_of) {
    GrantPtr evicted;
    const std::scoped_lock lock(mutex);
    if (changes.load(std::memory_order_relaxed) != as_of) return nullptr;
    const auto [found, is_new] = places.try_emplace(grant.get(), Place{grant, recent.end()});
    Place* place = &found->second;
    if (!is_new) {
      // Another thread was faster, unless what is there is going just now.
      if (GrantPtr known = place->grant.lock()) return known;
      places.erase(found);
      place = &places.try_emplace(grant.get(), Place{grant, recent.end()}).first->second;
    }
    for (const EntityKey& entity : grant->grant.entities) by_entity[entity].insert(grant.get());
    for (const ObjectId& dot : grant->grant.dots) by_dot[dot].insert(grant.get());
    evicted = remember(grant, place->recent);
    return grant;
  }

  GrantPtr make(const wave::Request& request, const Hash& proof, wave::Grant yes) {
    const auto release = [weak = weak_from_this()](LiveGrant* grant) {
      if (const auto impl = weak.lock()) {
        const std::scoped_lock lock(impl->mutex);
        impl->forget(grant);
      }
      delete grant;
    };
    return {new LiveGrant{.request = request, .proof_hash = proof, .grant = std::move(yes)},
            release};
  }

  // What had to go for it, to be let go without the lock.
  [[nodiscard]] GrantPtr remember(const GrantPtr& grant, Recent::iterator& place) {
    place = recent.insert(recent.begin(), grant);
    if (recent.size() <= capacity) return nullptr;
    GrantPtr oldest = std::move(recent.back());
    recent.pop_back();
    places.find(key_of(oldest.get()))->second.recent = recent.end();
    return oldest;
  }

  // Somebody else holds it, or it is not among the recent ones.
  void forget(LiveGrant* grant) {
    const auto found = places.find(grant);
    if (found != places.end() && found->first == grant) {
      if (found->second.recent != recent.end()) recent.erase(found->second.recent);
      places.erase(found);
    }
    for (const EntityKey& entity : grant->grant.entities) drop(by_entity, entity, grant);
    for (const ObjectId& dot : grant->grant.dots) drop(by_dot, dot, grant);
  }

  void forget_expired(LiveGrant& grant) {
    const std::scoped_lock lock(mutex);
    forget(&grant);
  }

  template <class Id>
  static void drop(Index<Id>& index, const Id& id, LiveGrant* grant) {
    const auto found = index.find(id);
    if (found == index.end()) return;
    found->second.erase(grant);
    if (found->second.empty()) index.erase(found);
  }

  template <class Id>
  void collect(const Index<Id>& index, std::span<const Id> ids, std::vector<GrantPtr>& out) const {
    for (const Id& id : ids) {
      const auto found = index.find(id);
      if (found == index.end()) continue;
      for (LiveGrant* grant : found->second) {
        if (!grant->valid.exchange(false)) continue;
        // One that is going just now on another thread is nobody's any more.
        const auto place = places.find(grant);
        if (place == places.end() || place->first != grant) continue;
        if (GrantPtr held = place->second.grant.lock()) out.push_back(std::move(held));
      }
    }
  }

  const wave::AuthorityView& authority;
  const std::size_t capacity;
  std::atomic<std::uint64_t> changes{0};
  mutable std::mutex mutex;  // of everything below
  std::unordered_map<LiveGrant*, Place, KeyHash, KeyEqual> places;
  Index<EntityKey> by_entity;
  Index<ObjectId> by_dot;
  Recent recent;  // newest first
};

GrantCache::GrantCache(const wave::AuthorityView& authority, std::size_t capacity)
    : impl_(std::make_shared<Impl>(authority, std::max<std::size_t>(capacity, 1))) {}
GrantCache::~GrantCache() = default;

Result<GrantPtr, wave::Denial> GrantCache::authorize(const wave::Request& request,
                                                     const Hash& proof_hash,
                                                     const wave::Proof& proof, Time now) {
  for (;;) {
    const std::uint64_t as_of = changes();
    if (const GrantPtr known = impl_->find({request, proof_hash})) {
      if (usable(*known, now)) return known;
      // Kept when only the node is stale, which authorize() finds first; gone when it has expired.
      if (now >= known->grant.expires) impl_->forget_expired(*known);
    }
    auto grant = wave::authorize(request, proof, impl_->authority, now);
    if (!grant) return tl::unexpected(std::move(grant).error());
    const Duration max_staleness = impl_->authority.max_staleness(request.ns);
    const GrantPtr made = impl_->make(request, proof_hash, *std::move(grant));
    const GrantPtr kept = impl_->add(made, as_of);
    if (kept == nullptr) continue;
    kept->max_staleness.store(max_staleness, std::memory_order_relaxed);
    return kept;
  }
}

bool GrantCache::usable(const LiveGrant& grant, Time now) const {
  if (!grant.valid.load(std::memory_order_acquire) || now >= grant.grant.expires) return false;
  const Duration age = now - impl_->authority.heard_at();
  return age <= grant.max_staleness.load(std::memory_order_relaxed) && age >= -limits::kClockSkew;
}

std::vector<GrantPtr> GrantCache::changed(std::span<const EntityKey> entities,
                                          std::span<const ObjectId> dots) {
  std::vector<GrantPtr> invalid;
  const std::scoped_lock lock(impl_->mutex);
  impl_->changes.fetch_add(1);
  impl_->collect(impl_->by_entity, entities, invalid);
  impl_->collect(impl_->by_dot, dots, invalid);
  for (const GrantPtr& grant : invalid) impl_->forget(grant.get());
  return invalid;
}

std::uint64_t GrantCache::changes() const {
  return impl_->changes.load();
}

std::size_t GrantCache::size() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->places.size();
}

}  // namespace bw::syndication
