// SPDX-License-Identifier: Apache-2.0
#include "syndication/grant_cache.hpp"

#include <algorithm>
#include <list>
#include <map>
#include <mutex>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <boost/unordered/unordered_flat_set.hpp>

#include "base/limits.hpp"

namespace bw::syndication {
namespace {

bool same(const wave::Grant& a, const wave::Grant& b) {
  return a.expires == b.expires && a.entities == b.entities && a.dots == b.dots;
}

}  // namespace

// Grants unregister themselves when their last holder lets go, so that the indexes know exactly
// those that somebody could still use. That may happen on any thread and takes the lock, so nothing
// that may be the last holder goes while it is held; and what is found may be going just now on
// another thread, which then waits for the lock.
struct GrantCache::Impl : std::enable_shared_from_this<Impl> {
  struct Path;
  // What was asked by a path and got its yes.
  struct Answered {
    std::shared_ptr<Path> path;
    wave::Pattern pattern;
    wave::Permissions permissions;
  };
  using Recent = std::list<Answered>;
  // By pattern, in the text of the answer, and permissions. Ordered: who asks chooses the patterns.
  using Question = std::pair<std::string_view, std::uint16_t>;
  static Question question(const auto& asked) {
    return {asked.pattern.text(), asked.permissions.bits()};
  }

  struct Path : LiveGrant, std::enable_shared_from_this<Path> {
    Path(wave::Grant what, const wave::Request& request, const Hash& by, std::weak_ptr<Impl> cache)
        : LiveGrant{.grant = std::move(what)},
          origin(request.origin),
          ns(request.ns),
          proof(by),
          owner(std::move(cache)) {}
    ~Path() {
      const auto impl = owner.lock();
      if (impl == nullptr) return;
      const std::scoped_lock lock(impl->mutex);
      impl->hide(*this);
      impl->unregister(*this);
    }
    Path(const Path&) = delete;
    Path& operator=(const Path&) = delete;

    const EntityKey origin;
    const EntityKey ns;
    const Hash proof;
    const std::weak_ptr<Impl> owner;
    std::map<Question, Recent::iterator> answered;  // as far as remembered
    bool registered = false;                        // in the indexes
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

  GrantPtr find(const wave::Request& request, const Hash& proof) {
    const std::scoped_lock lock(mutex);
    const auto path = paths.find(PathKey{request.origin, request.ns, proof});
    if (path == paths.end()) return nullptr;
    const auto found = (*path)->answered.find(question(request));
    if (found == (*path)->answered.end()) return nullptr;
    recent.splice(recent.begin(), recent, found->second);
    return found->second->path;
  }

  // Null when the authority has changed since `as_of`.
  GrantPtr add(const wave::Request& request, const Hash& proof, wave::Grant grant,
               Duration max_staleness, std::uint64_t as_of) {
    Recent gone;
    std::shared_ptr<Path> known;
    std::shared_ptr<Path> path;
    const std::scoped_lock lock(mutex);
    if (changes.load(std::memory_order_relaxed) != as_of) return nullptr;
    if (const auto found = paths.find(PathKey{request.origin, request.ns, proof});
        found != paths.end()) {
      known = (*found)->weak_from_this().lock();
      if (known != nullptr && same(known->grant, grant)) {
        path = known;
      } else {
        // Whoever rests on it is still to be told of changes.
        forget(**found, gone);
        hide(**found);
      }
    }
    if (path == nullptr) path = make_path(request, proof, std::move(grant));
    path->max_staleness.store(max_staleness, std::memory_order_relaxed);
    if (!path->answered.contains(question(request))) remember(path, request, gone);
    return path;
  }

  std::shared_ptr<Path> make_path(const wave::Request& request, const Hash& proof,
                                  wave::Grant grant) {
    auto path = std::make_shared<Path>(std::move(grant), request, proof, weak_from_this());
    paths.insert(path.get());
    path->registered = true;
    ++registered;
    for (const EntityKey& entity : path->grant.entities) by_entity[entity].insert(path.get());
    for (const ObjectId& dot : path->grant.dots) by_dot[dot].insert(path.get());
    return path;
  }

  // What has to go for it comes to `gone`, to be let go without the lock.
  void remember(const std::shared_ptr<Path>& path, const wave::Request& request, Recent& gone) {
    recent.push_front({path, request.pattern, request.permissions});
    path->answered.emplace(question(recent.front()), recent.begin());
    if (recent.size() <= capacity) return;
    recent.back().path->answered.erase(question(recent.back()));
    gone.splice(gone.end(), recent, std::prev(recent.end()));
  }

  // All answers by it.
  void forget(Path& path, Recent& gone) {
    for (const auto& [question, place] : path.answered) gone.splice(gone.end(), recent, place);
    path.answered.clear();
  }

  // From who asks anew.
  void hide(Path& path) {
    const auto found = paths.find(&path);
    if (found != paths.end() && *found == &path) paths.erase(found);
  }

  // Nobody rests on it any more who is to be told of changes.
  void unregister(Path& path) {
    if (!std::exchange(path.registered, false)) return;
    --registered;
    for (const EntityKey& entity : path.grant.entities) unregister(by_entity, entity, path);
    for (const ObjectId& dot : path.grant.dots) unregister(by_dot, dot, path);
  }

  template <class Id>
  static void unregister(Index<Id>& index, const Id& id, Path& path) {
    const auto found = index.find(id);
    if (found == index.end()) return;
    found->second.erase(&path);
    if (found->second.empty()) index.erase(found);
  }

  // Invalidates what rests on them, and forgets it.
  template <class Id>
  void invalidate(const Index<Id>& index, std::span<const Id> ids, std::vector<GrantPtr>& out,
                  Recent& gone) {
    for (const Id& id : ids) {
      const auto found = index.find(id);
      if (found == index.end()) continue;
      const std::vector<Path*> broken(found->second.begin(), found->second.end());
      for (Path* path : broken) {
        path->valid.store(false);
        if (auto held = path->weak_from_this().lock()) out.push_back(std::move(held));
        forget(*path, gone);
        hide(*path);
        unregister(*path);
      }
    }
  }

  const wave::AuthorityView& authority;
  const std::size_t capacity;
  std::atomic<std::uint64_t> changes{0};
  mutable std::mutex mutex;  // of everything below, and of what paths have answered
  boost::unordered_flat_set<Path*, PathHash, PathEqual> paths;  // that new questions may rest on
  Index<EntityKey> by_entity;
  Index<ObjectId> by_dot;
  std::size_t registered = 0;
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
    const GrantPtr known = impl_->find(request, proof_hash);
    if (known != nullptr && usable(*known, now)) return known;
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
  Impl::Recent gone;
  const std::scoped_lock lock(impl_->mutex);
  impl_->changes.fetch_add(1);
  impl_->invalidate(impl_->by_entity, entities, invalid, gone);
  impl_->invalidate(impl_->by_dot, dots, invalid, gone);
  return invalid;
}

std::uint64_t GrantCache::changes() const {
  return impl_->changes.load();
}

std::size_t GrantCache::remembered() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->recent.size();
}

std::size_t GrantCache::live() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->registered;
}

}  // namespace bw::syndication
