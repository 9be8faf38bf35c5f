// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "syndication/batch.hpp"
#include "syndication/topic.hpp"
#include "wave/authorize.hpp"

namespace bw::syndication {

// One persisted message, self-standing: with its proof and its own path to the signed root.
struct StoredMessage {
  Topic topic;
  Bytes proof;  // wave::encode(Proof)
  Bytes batch;  // a batch with only this message present
  MessageId id;
  Time created;
  std::optional<Time> expires;
  std::uint32_t accounted_bytes = 0;       // what quotas count
  bool deletion = false;                   // an empty persist
  std::vector<wave::PublishLimit> limits;  // DoTs whose stored_bytes it counts against
};

// What URIs are ordered by, in stores and in answers: their cells one by one, so that "a/c" comes
// before "a-b" and everything below a cell stands together.
inline std::string cell_order(std::string_view uri) {
  std::string key(uri);
  std::ranges::replace(key, '/', '\0');
  return key;
}

// Persisted messages by namespace and URI: the newest only, ordered by (created, origin, stream,
// sequence, index). Implemented over RocksDB by `store`. Calls come from one thread at a time.
class MessageStore {
 public:
  virtual ~MessageStore() = default;

  // Durable when it returns. One outcome each: success; kConflict when something newer stands;
  // kLimited when a quota would be exceeded. A deletion removes the value and leaves a mark of its
  // time so that an older value cannot come back; the mark goes after the replay window.
  virtual Result<std::vector<Result<void>>> put(const std::vector<StoredMessage>& messages) = 0;

  // Calls `visit` for each stored message whose URI matches, in ascending cell_order, each once,
  // skipping expired ones; stops early when it returns false.
  virtual Result<void> query(const EntityKey& ns, const wave::Pattern& pattern, Time now,
                             const std::function<bool(const StoredMessage&)>& visit) const = 0;

  // Last cells of the URIs that match `pattern` ("a/b/+") or lead to stored messages below one that
  // does; ascending, each once, at most `most`.
  virtual Result<std::vector<std::string>> children(const EntityKey& ns,
                                                    const wave::Pattern& pattern, Time now,
                                                    std::size_t most) const = 0;

  [[nodiscard]] virtual Result<std::uint64_t> used_bytes(const ObjectId& dot) const = 0;
  // Removes expired messages and old deletion marks; call now and then.
  virtual Result<std::size_t> purge(Time now) = 0;
};

}  // namespace bw::syndication
