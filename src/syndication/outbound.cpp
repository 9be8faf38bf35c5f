// SPDX-License-Identifier: Apache-2.0
#include "syndication/outbound.hpp"

#include <utility>

#include "base/check.hpp"
#include "base/limits.hpp"
#include "syndication/handshake.hpp"

namespace bw::syndication {

namespace {

// Enough to keep a busy session from allocating, little enough to forget about.
constexpr std::size_t kSpareBuffers = 4;

template <class T>
T take_spare(std::vector<T>& spares) {
  if (spares.empty()) return T{};
  T spare = std::move(spares.back());
  spares.pop_back();
  return spare;
}

template <class T>
void give_back(std::vector<T>& spares, T&& buffer) {
  if (spares.size() < kSpareBuffers) spares.push_back(std::move(buffer));
}

}  // namespace

std::size_t TopicHash::operator()(const Topic& topic) const noexcept {
  const std::size_t ids = std::hash<EntityKey>{}(topic.ns) ^ std::hash<Hash>{}(topic.proof);
  return ids ^ std::hash<std::string>{}(topic.uri.text());
}

Outbound::Outbound(const Hash& exporter, Random& random) : exporter_(exporter), random_(random) {}
Outbound::~Outbound() = default;

Result<RequestId> Outbound::queue(const Outgoing& message, Done&& done) {
  BW_CHECK(check(message));
  BW_TRY(NamedTopic* const topic, name_topic(message));
  Stream& stream = *topic->stream;
  Batch& batch = open_batch(topic->stream, message.payload.size());
  const std::size_t bytes_before = batch.builder.bytes();
  const std::uint16_t index =
      batch.builder.add(Message{topic->number, message.type, message.expires, message.consumers,
                                message.replay, message.payload},
                        topic->prefix);
  const bool value = is_value(message.type);
  batch.slots.push_back({value ? std::move(done) : Done{}, value});
  if (value) ++open_values_;
  waiting_bytes_ += batch.builder.bytes() - bytes_before;
  return RequestId{stream.id, stream.first_sequence + stream.batches.size() - 1, index};
}

Result<void> Outbound::check(const Outgoing& message) const {
  BW_ASSERT(message.key != nullptr);
  const std::size_t size = message.payload.size();
  if (size > limits::kMessageBytes) {
    return fail(ErrorCode::kTooLarge, "message on '{}': payload of {} bytes is above {}; split it",
                message.topic.uri.text(), size, limits::kMessageBytes);
  }
  const bool backed_up = waiting_bytes_ + size > limits::kSessionQueueBytes ||
                         open_values_ >= limits::kUnacknowledgedMessages;
  // Unsubscribing is never refused: it takes load away.
  if (backed_up && message.type != MessageType::kUnsubscribe) {
    return fail(
        ErrorCode::kLimited,
        "message on '{}': {} bytes wait to be sent and {} messages are unacknowledged; wait "
        "for acknowledgements",
        message.topic.uri.text(), waiting_bytes_, open_values_);
  }
  return {};
}

Result<Outbound::NamedTopic*> Outbound::name_topic(const Outgoing& message) {
  const EntityKey& key = message.key->public_key();
  if (latest_.named != nullptr && latest_.entity == key && *latest_.topic == message.topic) {
    return latest_.named;
  }
  Attached& entity = entities_[key];
  if (const auto found = entity.topics.find(message.topic); found != entity.topics.end()) {
    latest_ = {key, &found->first, &found->second};
    return &found->second;
  }
  if (topics_ >= limits::kTopicsPerSession) {
    return fail(ErrorCode::kLimited,
                "message on '{}': this session names {} topics already; open another session",
                message.topic.uri.text(), topics_);
  }
  BW_CHECK(tell_proof(message));
  BW_TRY(StreamPtr stream, stream_for(entity, message.key));
  const std::uint32_t number = stream->next_topic++;
  ++topics_;
  encode_frame(TopicFrame{message.key->public_key(), stream->id, number, message.topic},
               announcements_);
  NamedTopic named{std::move(stream), number, leaf_prefix(topic_hash(message.topic))};
  return &entity.topics.emplace(message.topic, std::move(named)).first->second;
}

Result<void> Outbound::tell_proof(const Outgoing& message) {
  if (proofs_.contains(message.topic.proof)) return {};
  if (message.proof == nullptr || wave::proof_hash(*message.proof) != message.topic.proof) {
    return fail(ErrorCode::kInvalidArgument, "message on '{}': comes without the proof it names",
                message.topic.uri.text());
  }
  const Bytes encoded = wave::encode(*message.proof);
  encode_frame(ProofFrame{encoded}, announcements_);
  proofs_.add(message.topic.proof, encoded.size(), nullptr);
  return {};
}

Result<Outbound::StreamPtr> Outbound::stream_for(
    Attached& entity, const std::shared_ptr<const crypto::SigningKey>& key) {
  if (entity.current != nullptr && entity.current->next_topic < limits::kTopicsPerStream) {
    return entity.current;
  }
  if (streams_.size() >= limits::kStreamsPerSession) {
    return fail(ErrorCode::kLimited,
                "entity {}: this session carries {} streams already; open another session",
                key->public_key().brief(), streams_.size());
  }
  auto stream = std::make_shared<Stream>();
  stream->key = key;
  while (stream->id == 0 || streams_.contains(stream->id)) stream->id = random_.u64();
  encode_frame(attach(exporter_, *key, stream->id), announcements_);
  streams_.emplace(stream->id, stream);
  entity.current = stream;
  return stream;
}

// Signing waits for flush(), which knows the time: a full batch is only set aside here.
Outbound::Batch& Outbound::open_batch(const StreamPtr& stream, std::size_t payload_bytes) {
  const bool none_waits = stream->batches.size() == stream->sent;
  if (none_waits || stream->batches.back().builder.full(payload_bytes)) {
    stream->batches.push_back({take_spare(spare_builders_), take_spare(spare_slots_)});
  }
  if (!stream->in_waiting) {
    stream->in_waiting = true;
    waiting_.push_back(stream);
  }
  return stream->batches.back();
}

void Outbound::flush(Time now, Bytes& out) {
  append(out, announcements_);
  announcements_.clear();
  if (pong_) encode_frame(Pong{*pong_}, out);
  pong_.reset();
  for (const StreamPtr& stream : waiting_) {
    stream->in_waiting = false;
    for (; stream->sent < stream->batches.size(); ++stream->sent) {
      seal(*stream, stream->batches[stream->sent], now, out);
    }
  }
  waiting_.clear();
  waiting_bytes_ = 0;
}

void Outbound::seal(Stream& stream, Batch& batch, Time now, Bytes& out) {
  BatchHeader header;
  header.origin = stream.key->public_key();
  header.stream = stream.id;
  header.sequence = stream.first_sequence + stream.sent;
  header.created = now;
  messages_ += batch.builder.count();
  ++batches_;
  const std::size_t begin = begin_frame(FrameType::kBatch, out);
  batch.builder.seal(header, *stream.key, out);
  finish_frame(begin, out);
  give_back(spare_builders_, std::move(batch.builder));
}

bool Outbound::has_waiting() const {
  return !announcements_.empty() || !waiting_.empty() || pong_;
}

Result<void> Outbound::acknowledge(const Ack& ack) {
  const auto found = streams_.find(ack.stream);
  if (found == streams_.end()) return {};
  const StreamPtr stream = found->second;  // a callback may end everything
  const std::uint64_t next = stream->first_sequence + stream->sent;
  if (ack.sequence >= next) {
    return fail(ErrorCode::kMalformed,
                "router acknowledged batch {} of stream {:x}, of which {} were sent", ack.sequence,
                ack.stream, next - 1);
  }
  while (stream->sent > 0 && stream->first_sequence <= ack.sequence) {
    settle(stream->batches.front(), {});
    drop_front(*stream);
  }
  return {};
}

void Outbound::drop_front(Stream& stream) {
  std::vector<Slot> slots = std::move(stream.batches.front().slots);
  stream.batches.pop_front();
  ++stream.first_sequence;
  --stream.sent;
  slots.clear();
  give_back(spare_slots_, std::move(slots));
}

void Outbound::refuse(const RequestId& id, const Error& error) {
  const auto found = streams_.find(id.stream);
  if (found == streams_.end()) return;
  const StreamPtr stream = found->second;
  if (id.sequence < stream->first_sequence) return;
  const std::uint64_t place = id.sequence - stream->first_sequence;
  if (place >= stream->sent) return;
  Batch& batch = stream->batches[place];
  if (id.index < batch.slots.size()) settle(batch.slots[id.index], tl::unexpected(error));
}

bool Outbound::detach(const Detach& detach) {
  const auto found = streams_.find(detach.stream);
  if (found == streams_.end() || found->second->key->public_key() != detach.origin) return false;
  const StreamPtr stream = found->second;
  streams_.erase(found);
  latest_ = {};
  topics_ -= stream->next_topic;
  std::erase(waiting_, stream);
  // The next message of this entity finds no topic and no stream, and so attaches anew.
  Attached& entity = entities_[detach.origin];
  std::erase_if(entity.topics, [&](const auto& named) { return named.second.stream == stream; });
  if (entity.current == stream) entity.current = nullptr;
  for (std::size_t i = stream->sent; i < stream->batches.size(); ++i) {
    waiting_bytes_ -= stream->batches[i].builder.bytes();
  }
  for (Batch& batch : stream->batches) settle(batch, tl::unexpected(detach.reason));
  return true;
}

void Outbound::fail_all(const Error& reason) {
  announcements_.clear();
  waiting_.clear();
  waiting_bytes_ = 0;
  latest_ = {};
  entities_.clear();
  topics_ = 0;
  const auto streams = std::exchange(streams_, {});
  for (const auto& [id, stream] : streams) {
    for (Batch& batch : stream->batches) settle(batch, tl::unexpected(reason));
  }
}

void Outbound::settle(Batch& batch, const Result<void>& outcome) {
  for (Slot& slot : batch.slots) settle(slot, outcome);
}

void Outbound::settle(Slot& slot, const Result<void>& outcome) {
  if (!slot.open) return;
  slot.open = false;
  --open_values_;
  if (const Done done = std::exchange(slot.done, {})) done(outcome);
}

}  // namespace bw::syndication
