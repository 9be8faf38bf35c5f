// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/random.hpp"
#include "syndication/batch.hpp"
#include "syndication/client_session.hpp"
#include "syndication/frames.hpp"
#include "syndication/recent_proofs.hpp"

namespace bw::syndication {

struct TopicHash {
  std::size_t operator()(const Topic& topic) const noexcept;
};

// The sending half of a client's session: streams of the entities that sign here, the numbers of
// their topics, the messages that wait to be signed, and the values whose outcome is open. For one
// thread. Every callback may call queue(), flush() and fail_all().
class Outbound {
 public:
  Outbound(const Hash& exporter, Random& random);
  ~Outbound();

  // Adds to the batch that waits on the stream of this entity and topic; attaches the entity and
  // names proof and topic as needed. Returns the name that the message will have. `done` is taken
  // on success only, and called only for values.
  Result<RequestId> queue(const Outgoing& message, Done&& done);
  // Only the latest is answered.
  void queue_pong(std::uint64_t nonce) { pong_ = nonce; }

  // Signs and appends everything that waits.
  void flush(Time now, Bytes& out);
  [[nodiscard]] bool has_waiting() const;

  // kMalformed when the router acknowledges what was never sent. Unknown streams are ignored.
  Result<void> acknowledge(const Ack& ack);
  // Ends one value with an error. Requests and names that are not open are ignored.
  void refuse(const RequestId& id, const Error& error);
  // Forgets the stream: its values fail with the reason. False when it is not one of ours.
  bool detach(const Detach& detach);
  // Every open value fails; nothing waits any more.
  void fail_all(const Error& reason);

  // Whether the stream is attached here (still).
  [[nodiscard]] bool has_stream(std::uint64_t stream) const { return streams_.contains(stream); }

  [[nodiscard]] std::size_t open_values() const { return open_values_; }
  [[nodiscard]] std::uint64_t messages() const { return messages_; }
  [[nodiscard]] std::uint64_t batches() const { return batches_; }

 private:
  // One message of a batch: `done` waits for the outcome while `open`. Requests are never open
  // here.
  struct Slot {
    Done done;
    bool open = false;
  };
  struct Batch {
    BatchBuilder builder;  // given back once signed
    std::vector<Slot> slots;
  };
  // Batches in order: first those sent and not acknowledged, then those that wait. Sequences have
  // no gaps, so a batch is found by subtraction.
  struct Stream {
    std::shared_ptr<const crypto::SigningKey> key;
    std::uint64_t id = 0;
    std::uint64_t first_sequence = 1;  // of batches.front()
    std::size_t sent = 0;              // how many of `batches` are out
    std::uint32_t next_topic = 0;
    bool in_waiting = false;
    std::deque<Batch> batches;
  };
  using StreamPtr = std::shared_ptr<Stream>;
  struct NamedTopic {
    StreamPtr stream;
    std::uint32_t number = 0;
    crypto::Sha256 prefix;
  };
  struct Attached {
    StreamPtr current;  // takes new topics
    std::unordered_map<Topic, NamedTopic, TopicHash> topics;
  };
  // The topic that was queued on last: most messages come in runs. Points into `entities_`.
  struct Latest {
    EntityKey entity;
    const Topic* topic = nullptr;
    NamedTopic* named = nullptr;
  };

  Result<void> check(const Outgoing& message) const;
  Result<NamedTopic*> name_topic(const Outgoing& message);
  Result<void> tell_proof(const Outgoing& message);
  Result<StreamPtr> stream_for(Attached& entity,
                               const std::shared_ptr<const crypto::SigningKey>& key);
  Batch& open_batch(const StreamPtr& stream, std::size_t payload_bytes);
  void seal(Stream& stream, Batch& batch, Time now, Bytes& out);
  void settle(Batch& batch, const Result<void>& outcome);
  void settle(Slot& slot, const Result<void>& outcome);
  void drop_front(Stream& stream);

  Hash exporter_;
  Random& random_;
  std::unordered_map<EntityKey, Attached> entities_;
  Latest latest_;
  std::unordered_map<std::uint64_t, StreamPtr> streams_;
  RecentProofs proofs_;     // told to the router
  std::size_t topics_ = 0;  // of all streams
  Bytes announcements_;     // ATTACH, PROOF and TOPIC frames that wait
  std::optional<std::uint64_t> pong_;
  std::vector<StreamPtr> waiting_;  // streams with unsigned messages
  std::size_t waiting_bytes_ = 0;
  std::size_t open_values_ = 0;
  std::uint64_t messages_ = 0;
  std::uint64_t batches_ = 0;
  // Emptied buffers for the next batches.
  std::vector<BatchBuilder> spare_builders_;
  std::vector<std::vector<Slot>> spare_slots_;
};

}  // namespace bw::syndication
