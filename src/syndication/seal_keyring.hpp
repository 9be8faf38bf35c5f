// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/limits.hpp"
#include "syndication/recent_map.hpp"
#include "syndication/sealed_payload.hpp"

namespace bw::syndication {

// Entities that may read a resource: ascending, each once, not empty. The same pointer means the
// same readers, at no cost.
using Readers = std::shared_ptr<const std::vector<EntityKey>>;

// The content keys of a publisher's resources, one for each (origin, namespace, URI). A key is
// replaced before the next message when somebody who had it may no longer read, and after
// limits::kSealKeyLife; who may read anew gets the present one. For one thread.
class SealKeyring {
 public:
  explicit SealKeyring(Random& random) : random_(random), resources_(limits::kSealResources) {}

  struct Request {
    const SealContext& context;
    Readers readers;
    bool persist = false;  // what is stored stands alone: it always carries its keys
    bool renewed = false;
    Time sealed_at;
    Time now;
  };
  // A message's payload. Published ones carry the keys now and then, so that who subscribes late
  // gets them, and spend at most kAnnouncedBytesPerSecond on it. kTooLarge above kMessageBytes.
  Result<Bytes> seal(const Request& request, ByteView plaintext);

  static constexpr std::size_t kAnnouncedBytesPerSecond = 64 * 1024;

  struct Stats {
    std::uint64_t sealed = 0;
    std::uint64_t keys = 0;   // content keys made
    std::uint64_t wraps = 0;  // of a key for an entity
  };
  [[nodiscard]] const Stats& stats() const { return stats_; }

 private:
  struct Sender {
    std::shared_ptr<KeyWrapper> wrapper;
    Time made;
  };
  struct Resource {
    std::shared_ptr<KeyWrapper> wrapper;
    crypto::Secret<32> key;
    Hash id;
    Time made;
    Readers readers;
    std::vector<Wrap> wraps;  // ascending
    Time announced{};         // when a message carried them last; Time{}: never
  };

  Resource& current(const Request& request);
  void make_key(const Request& request, Resource& resource);
  void wrap_for_newcomers(Resource& resource, const Readers& readers);
  std::shared_ptr<KeyWrapper> sender(const EntityKey& origin, Time now);

  Random& random_;
  RecentMap<EntityKey, Sender> senders_{1024};
  RecentMap<std::string, Resource> resources_;
  std::size_t wrapped_bytes_ = 0;  // made since resources_ was empty
  Stats stats_;
};

}  // namespace bw::syndication
