// SPDX-License-Identifier: Apache-2.0
#include "syndication/grant_cache.hpp"

#include <algorithm>
#include <list>
#include <mutex>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <boost/unordered/unordered_flat_set.hpp>

#include "base/limits.hpp"

namespace bw::syndication {
namespace {

// What a remembered yes is found by, borrowed from a request or from the grant itself.
struct Key {
  const wave::Request& request;
  const Hash& proof;
};

bool same(const wave::Grant& a, const wave::Grant& b) {
  return a.expires == b.expires && a.entities == b.entities && a.dots == b.dots;
}

}  // namespace

// Grants unregister themselves when their last holder lets go, so that the indexes know exactly
// those that somebody could still use. That may happen on any thread and takes the lock, so nothing
// that may be the last holder goes while it is held; and what is found may be going just now on
// another thread, which then waits for the lock.
struct GrantCache::Impl : std::enable_shared_from_this<Impl> {
  struct Cached;
  using Recent = std::list<std::shared_ptr<Cached>>;

  // What all grants by one proof to one entity rest on, held by them.
  struct Path {
    Path(wave::Grant what, const wave::Request& request, const Hash& proof_hash,
         std::weak_ptr<Impl> cache)
        : grant(std::move(what)),
          origin(request.origin),
          ns(request.ns),
          proof(proof_hash),
          owner(std::move(cache)) {}
    ~Path() {
      const auto impl = owner.lock();
      if (impl == nullptr) return;
      const std::scoped_lock lock(impl->mutex);
      impl->drop(*this);
    }
    Path(const Path&) = delete;
    Path& operator=(const Path&) = delete;

    const wave::Grant grant;
    const EntityKey origin;
    const EntityKey ns;
    const Hash proof;
    const std::weak_ptr<Impl> owner;
    Cached* first = nullptr;  // of the grants that rest on it
    bool current = true;      // in the indexes: nothing on it changed
  };

  struct Cached : LiveGrant, std::enable_shared_from_this<Cached> {
    Cached(const wave::Request& request, Duration staleness, std::shared_ptr<Path> on)
        : LiveGrant{request, on->grant, staleness, true}, path(std::move(on)) {
      next = std::exchange(path->first, this);
      if (next != nullptr) next->previous = this;
    }
    ~Cached() {
      const auto impl = path->owner.lock();
      const auto lock = impl ? std::unique_lock(impl->mutex) : std::unique_lock<std::mutex>();
      if (impl) impl->forget(*this);
      (previous == nullptr ? path->first : previous->next) = next;
      if (next != nullptr) next->previous = previous;
    }
    Cached(const Cached&) = delete;
    Cached& operator=(const Cached&) = delete;

    std::shared_ptr<Path> path;
    Cached* previous = nullptr;  // on the same path
    Cached* next = nullptr;
    Recent::iterator recent{};
    bool known = true;        // may be found
    bool remembered = false;  // `recent` is its place
  };

  static Key key_of(const Key& key) { return key; }
  static Key key_of(const Cached* grant) { return {grant->request, grant->path->proof}; }

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
  struct PathKey {
    const EntityKey& origin;
    const EntityKey& ns;
    const Hash& proof;
    friend bool operator==(const PathKey& a, const PathKey& b) {
      return a.proof == b.proof && a.origin == b.origin && a.ns == b.ns;
    }
  };
  static PathKey path_key(const PathKey& key) { return key; }
  static PathKey path_key(const Path* path) { return {path->origin, path->ns, path->proof}; }
  struct PathHash {
    using is_transparent = void;
    std::size_t operator()(const auto& path) const noexcept {
      const PathKey key = path_key(path);
      return std::hash<EntityKey>{}(key.origin) ^ std::hash<EntityKey>{}(key.ns) * 3 ^
             std::hash<Hash>{}(key.proof) * 31;
    }
  };
  struct PathEqual {
    using is_transparent = void;
    bool operator()(const auto& a, const auto& b) const noexcept {
      return path_key(a) == path_key(b);
    }
  };
  template <class Id>
  using Index = std::unordered_map<Id, std::unordered_set<Path*>>;

  Impl(const wave::AuthorityView& view, std::size_t most) : authority(view), capacity(most) {}

  std::shared_ptr<Cached> find(const Key& key) {
    std::shared_ptr<Cached> evicted;
    const std::scoped_lock lock(mutex);
    const auto found = places.find(key);
    if (found == places.end()) return nullptr;
    std::shared_ptr<Cached> grant = (*found)->weak_from_this().lock();
    if (grant == nullptr) return nullptr;
    if (grant->remembered) {
      recent.splice(recent.begin(), recent, grant->recent);
    } else {
      evicted = remember(grant);
    }
    return grant;
  }

  // What another thread was faster to add, if so. Null when the authority has changed since
  // `as_of`.
  GrantPtr add(const wave::Request& request, const Hash& proof, wave::Grant grant,
               Duration max_staleness, std::uint64_t as_of) {
    std::shared_ptr<Cached> evicted;
    const std::scoped_lock lock(mutex);
    if (changes.load(std::memory_order_relaxed) != as_of) return nullptr;
    if (const auto found = places.find(Key{request, proof}); found != places.end()) {
      if (auto known = (*found)->weak_from_this().lock()) {
        known->max_staleness.store(max_staleness, std::memory_order_relaxed);
        return known;
      }
      forget(**found);
    }
    auto cached =
        std::make_shared<Cached>(request, max_staleness, path_of(request, proof, std::move(grant)));
    places.insert(cached.get());
    evicted = remember(cached);
    return cached;
  }

  // One that others rest on already, if it says the same.
  std::shared_ptr<Path> path_of(const wave::Request& request, const Hash& proof,
                                wave::Grant grant) {
    const auto known = paths.find(PathKey{request.origin, request.ns, proof});
    if (known != paths.end()) {
      Cached* const one = (*known)->first;
      if (one != nullptr && same((*known)->grant, grant)) return one->path;
      drop(**known);
    }
    auto path = std::make_shared<Path>(std::move(grant), request, proof, weak_from_this());
    paths.insert(path.get());
    for (const EntityKey& entity : path->grant.entities) by_entity[entity].insert(path.get());
    for (const ObjectId& dot : path->grant.dots) by_dot[dot].insert(path.get());
    return path;
  }

  // What had to go for it, to be let go without the lock.
  [[nodiscard]] std::shared_ptr<Cached> remember(const std::shared_ptr<Cached>& grant) {
    grant->recent = recent.insert(recent.begin(), grant);
    grant->remembered = true;
    if (recent.size() <= capacity) return nullptr;
    std::shared_ptr<Cached> oldest = std::move(recent.back());
    recent.pop_back();
    oldest->remembered = false;
    return oldest;
  }

  void forget_expired(Cached& grant) {
    const std::scoped_lock lock(mutex);
    forget(grant);
  }

  // Somebody else holds it, or it is not among the recent ones.
  void forget(Cached& grant) {
    if (!std::exchange(grant.known, false)) return;
    places.erase(&grant);
    if (std::exchange(grant.remembered, false)) recent.erase(grant.recent);
  }

  void drop(Path& path) {
    if (!std::exchange(path.current, false)) return;
    paths.erase(&path);
    for (const EntityKey& entity : path.grant.entities) drop(by_entity, entity, path);
    for (const ObjectId& dot : path.grant.dots) drop(by_dot, dot, path);
  }

  template <class Id>
  static void drop(Index<Id>& index, const Id& id, Path& path) {
    const auto found = index.find(id);
    if (found == index.end()) return;
    found->second.erase(&path);
    if (found->second.empty()) index.erase(found);
  }

  // Invalidates what rests on them, and forgets it.
  template <class Id>
  void invalidate(const Index<Id>& index, std::span<const Id> ids, std::vector<GrantPtr>& out) {
    for (const Id& id : ids) {
      const auto found = index.find(id);
      if (found == index.end()) continue;
      const std::vector<Path*> broken(found->second.begin(), found->second.end());
      for (Path* path : broken) {
        for (Cached* grant = path->first; grant != nullptr; grant = grant->next) {
          if (!grant->valid.exchange(false)) continue;
          if (auto held = grant->weak_from_this().lock()) out.push_back(std::move(held));
        }
        drop(*path);
      }
    }
  }

  const wave::AuthorityView& authority;
  const std::size_t capacity;
  std::atomic<std::uint64_t> changes{0};
  mutable std::mutex mutex;  // of everything below, and of the links of grants and paths
  boost::unordered_flat_set<Cached*, KeyHash, KeyEqual> places;
  boost::unordered_flat_set<Path*, PathHash, PathEqual> paths;
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
    if (const auto known = impl_->find({request, proof_hash})) {
      if (usable(*known, now)) return known;
      // Kept when only the node is stale, which authorize() finds first; gone when it has expired.
      if (now >= known->grant.expires) impl_->forget_expired(*known);
    }
    auto grant = wave::authorize(request, proof, impl_->authority, now);
    if (!grant) return tl::unexpected(std::move(grant).error());
    const Duration max_staleness = impl_->authority.max_staleness(request.ns);
    auto kept = impl_->add(request, proof_hash, *std::move(grant), max_staleness, as_of);
    if (kept != nullptr) return kept;
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
  impl_->invalidate(impl_->by_entity, entities, invalid);
  impl_->invalidate(impl_->by_dot, dots, invalid);
  for (const GrantPtr& grant : invalid) impl_->forget(static_cast<Impl::Cached&>(*grant));
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
