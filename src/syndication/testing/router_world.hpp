// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "codec/reader.hpp"
#include "codec/writer.hpp"
#include "crypto/sha256.hpp"
#include "syndication/handshake.hpp"
#include "syndication/inbound.hpp"
#include "syndication/testing/memory_message_store.hpp"
#include "syndication/testing/single_router.hpp"
#include "wave/testing/memory_graph.hpp"

// A router core with real signed objects around it and no sockets, for tests.
namespace bw::syndication::testing {

using ProofPtr = std::shared_ptr<const wave::Proof>;

inline wave::Pattern pattern(std::string_view text) {
  auto parsed = wave::Pattern::parse(text);
  BW_ASSERT(parsed.has_value());
  return *std::move(parsed);
}

inline crypto::SigningKey key_of(std::string_view name) {
  const Hash secret = crypto::sha256(as_bytes(name));
  auto key = crypto::SigningKey::from_secret(secret.bytes);
  BW_ASSERT(key.has_value());
  return *std::move(key);
}

// The frames in a buffer, without their lengths.
inline std::vector<ByteView> split_frames(ByteView bytes) {
  std::vector<ByteView> frames;
  codec::Reader reader(bytes);
  while (reader.remaining() > 0) frames.push_back(reader.blob32());
  BW_ASSERT(reader.ok());
  return frames;
}

struct Grantable {
  std::string permissions = "C*T*PL";
  std::string uri = "*";
  std::uint8_t ttl = 0;
  Time expires = kNever;
  std::uint32_t messages_per_second = 0;
  std::uint64_t stored_bytes = 0;
};

// What one router knows and does. Entities are named by words; each is made on first use.
class World : public RouterOutput {
 public:
  struct Sent {
    SessionId session;
    SharedFrames frames;
    bool droppable;
  };

  explicit World(RouterLimits limits = {})
      : core(
            graph, [this](const EntityKey& ns) { return !not_carried.contains(ns); }, store, *this,
            limits) {
    graph.set_heard_at(now);
  }

  const crypto::SigningKey& key(const std::string& name) {
    auto found = keys_.find(name);
    if (found == keys_.end()) {
      found = keys_.emplace(name, key_of(name)).first;
      graph.add_entity(found->second.public_key(), now - 3600s);
    }
    return found->second;
  }
  const EntityKey& id(const std::string& name) { return key(name).public_key(); }

  wave::Signed<wave::Dot> grant(const std::string& from, const std::string& to,
                                Grantable what = {}) {
    wave::Dot dot{.granter = id(from),
                  .grantee = id(to),
                  .ns = id("ns"),
                  .permissions = *wave::Permissions::parse(what.permissions),
                  .ttl = what.ttl,
                  .created = from_seconds(to_seconds(now) - 60),
                  .not_before = from_seconds(to_seconds(now) - 60),
                  .expires = what.expires,
                  .messages_per_second = what.messages_per_second,
                  .stored_bytes = what.stored_bytes,
                  .revokers = {},
                  .pattern = pattern(what.uri),
                  .comment = {},
                  .conditions = {}};
    auto made = wave::sign(std::move(dot), key(from));
    BW_ASSERT(made.has_value());
    graph.add(*made);
    return *std::move(made);
  }
  static ProofPtr proof(std::vector<wave::Signed<wave::Dot>> dots) {
    return std::make_shared<const wave::Proof>(wave::Proof{std::move(dots)});
  }
  // A proof of one link from the namespace "ns".
  ProofPtr granted(const std::string& to, Grantable what = {}) {
    return proof({grant("ns", to, std::move(what))});
  }

  void revoke(const ObjectId& dot) {
    graph.revoke_dot(dot);
    core.authority_changed({}, {&dot, 1}, {}, now);
  }
  void revoke(const EntityKey& entity) {
    graph.revoke_entity(entity);
    core.authority_changed({&entity, 1}, {}, {}, now);
  }
  // Time goes on and the ledger is heard of.
  void pass(Duration time) {
    now += time;
    graph.set_heard_at(now);
  }

  void send(SessionId session, SharedFrames frames, bool droppable) override {
    sent.push_back({session, std::move(frames), droppable});
  }
  void close(SessionId session, const Error& reason) override { closed.emplace(session, reason); }
  void ended(SessionId, const EntityKey&, std::uint64_t) override {}

  SessionId next_session() { return ++last_session_; }

  // Bytes of everything sent to a session since `from`, in order.
  [[nodiscard]] Bytes sent_to(SessionId session, std::size_t from = 0) const {
    Bytes bytes;
    for (std::size_t i = from; i < sent.size(); ++i) {
      if (sent[i].session == session) append(bytes, *sent[i].frames);
    }
    return bytes;
  }

  Time now = *parse_time("2026-01-01T00:00:00Z");
  wave::testing::MemoryGraph graph;
  MemoryMessageStore store;
  std::set<EntityKey> not_carried;
  std::vector<Sent> sent;
  std::map<SessionId, Error> closed;
  SingleRouter core;

 private:
  std::map<std::string, crypto::SigningKey> keys_;
  SessionId last_session_ = 0;
};

// One message to say.
struct Say {
  std::string uri;
  std::string payload = "x";
  MessageType type = MessageType::kPublish;
  ProofPtr proof = nullptr;  // of the stream's entity in "ns"
  std::uint16_t consumers = 0;
  std::optional<Time> expires = std::nullopt;
  bool replay = false;
  Bytes raw{};  // payload in place of the text above
};

// The other end of a session: signs as any entity, verifies what comes as an agent does.
class Peer {
 public:
  Peer(World& world, const std::string& agent)
      : world_(world),
        id_(world.next_session()),
        grants_(world.graph, 1000),
        inbound_(Inbound::Side::kAgent, grants_) {
    world.core.open(id_, world.id(agent), exporter(), world.now);
  }

  std::uint64_t attach(const std::string& entity) {
    const std::uint64_t stream = id_ * 1000 + streams_.size() + 1;
    attach_as(entity, stream);
    return stream;
  }
  void attach_as(const std::string& entity, std::uint64_t stream) {
    streams_[stream].entity = entity;
    Bytes frames;
    encode_frame(syndication::attach(exporter(), world_.key(entity), stream), frames);
    deliver(frames);
  }

  // One batch of these; returns its name, with index 0.
  RequestId say(std::uint64_t stream, const std::vector<Say>& messages) {
    Bytes frames;
    const RequestId id = compose(stream, messages, frames);
    deliver(frames);
    return id;
  }
  RequestId say(std::uint64_t stream, Say message) {
    return say(stream, std::vector{std::move(message)});
  }

  // Appends what say() would send: PROOF and TOPIC frames as needed, then the BATCH.
  RequestId compose(std::uint64_t stream, const std::vector<Say>& messages, Bytes& frames) {
    Outgoing& out = streams_[stream];
    BatchBuilder builder;
    for (const Say& say : messages) {
      const auto& [number, prefix] = topic(stream, say, frames);
      builder.add({.topic = number,
                   .type = say.type,
                   .expires = say.expires,
                   .consumers = say.consumers,
                   .replay = say.replay,
                   .payload = say.raw.empty() ? as_bytes(say.payload) : ByteView(say.raw)},
                  prefix);
    }
    const std::string& signer = signer_.empty() ? out.entity : signer_;
    const BatchHeader header{.origin = world_.id(signer),
                             .stream = stream,
                             .sequence = ++out.sequence,
                             .created = created_.value_or(world_.now)};
    const std::size_t begin = begin_frame(FrameType::kBatch, frames);
    builder.seal(header, world_.key(signer), frames);
    finish_frame(begin, frames);
    return {stream, header.sequence, 0};
  }

  // Hands frames with lengths to the router in one call.
  void deliver(ByteView frames) {
    const auto views = split_frames(frames);
    world_.core.receive(id_, views, world_.now);
  }

  // Reads what the router sent since the last time.
  Peer& read() {
    const Bytes bytes = world_.sent_to(id_, read_);
    read_ = world_.sent.size();
    for (const ByteView frame : split_frames(bytes)) {
      const auto parsed = parse_frame(frame);
      BW_ASSERT(parsed.has_value());
      order.push_back(parsed->type);
      std::visit([&](const auto& body) { take(body); }, parsed->frame);
    }
    return *this;
  }

  // Messages that came, as "uri=payload", since the last call.
  std::vector<std::string> heard() {
    read();
    return std::exchange(heard_, {});
  }
  std::vector<std::string> heard_directly() {
    read();
    return std::exchange(direct_, {});
  }
  std::vector<std::string> heard_stored() {
    read();
    return std::exchange(stored_, {});
  }
  // The error of the last answer to a message; kInternal when there was none, nothing for success.
  std::optional<ErrorCode> answer(RequestId id, std::uint16_t index = 0) {
    read();
    id.index = index;
    const auto found = answers.find(id);
    if (found == answers.end()) return ErrorCode::kInternal;
    if (!found->second) return std::nullopt;
    return found->second->code;
  }
  [[nodiscard]] bool answered(RequestId id, std::uint16_t index = 0) {
    read();
    id.index = index;
    return answers.contains(id);
  }

  [[nodiscard]] SessionId id() const { return id_; }
  [[nodiscard]] bool closed() const { return world_.closed.contains(id_); }
  [[nodiscard]] Hash exporter() const { return crypto::sha256(as_bytes(std::to_string(id_))); }
  // Messages are signed by, and come from, another entity than the stream's.
  void forge_as(const std::string& entity) { signer_ = entity; }
  void set_created(std::optional<Time> created) { created_ = created; }

  std::map<RequestId, std::optional<Error>> answers;
  std::map<std::uint64_t, std::uint64_t> acks;
  std::map<std::uint64_t, Error> detached;
  std::vector<std::string> names;
  std::vector<FrameType> order;
  std::vector<Error> dropped;
  std::uint64_t lost = 0;

 private:
  using Named = std::pair<std::uint32_t, crypto::Sha256>;
  struct Outgoing {
    std::string entity;
    std::uint64_t sequence = 0;
    std::map<std::pair<std::string, Hash>, Named> topics;
  };

  const Named& topic(std::uint64_t stream, const Say& say, Bytes& frames) {
    Outgoing& out = streams_[stream];
    const wave::Proof empty;
    const wave::Proof& proof = say.proof == nullptr ? empty : *say.proof;
    const Hash name = wave::proof_hash(proof);
    const auto known = out.topics.find({say.uri, name});
    if (known != out.topics.end()) return known->second;
    if (say.proof != nullptr && proofs_.insert(name).second) {
      const Bytes encoded = wave::encode(proof);
      encode_frame(ProofFrame{encoded}, frames);
    }
    const Topic topic{world_.id("ns"), name, pattern(say.uri)};
    // Any numbers will do.
    const auto number = static_cast<std::uint32_t>(7 + 13 * out.topics.size());
    encode_frame(TopicFrame{world_.id(out.entity), stream, number, topic}, frames);
    return out.topics
        .emplace(std::pair(say.uri, name), Named{number, leaf_prefix(topic_hash(topic))})
        .first->second;
  }

  void take(const ProofFrame& frame) { BW_ASSERT(inbound_.proof(frame.proof).has_value()); }
  void take(const TopicFrame& frame) { BW_ASSERT(inbound_.topic(frame).has_value()); }
  void take(const BatchFrame& frame) {
    collect(inbound_.batch(frame.batch, world_.now, verified_), heard_);
  }
  void take(const Direct& frame) {
    collect(inbound_.direct(frame.batch, direct_seen_[frame.subscription], world_.now, verified_),
            direct_, fmt::format("{}.{}:", frame.subscription.sequence, frame.subscription.index));
  }
  void take(const Stored& frame) {
    collect(inbound_.stored(frame, world_.now, verified_), stored_);
  }
  void take(const Ack& frame) { acks[frame.stream] = frame.sequence; }
  void take(const ResultFrame& frame) { answers[frame.request] = frame.error; }
  void take(const Detach& frame) {
    detached[frame.stream] = frame.reason;
    inbound_.detach(frame.origin, frame.stream);
  }
  void take(const Children& frame) {
    names.insert(names.end(), frame.names.begin(), frame.names.end());
  }
  void take(const Lost& frame) { lost += frame.count; }
  void take(const auto&) {}

  void collect(const Result<void>& verified, std::vector<std::string>& out,
               const std::string& prefix = {}) {
    if (!verified) return dropped.push_back(verified.error());
    for (std::size_t i = 0; i < verified_.accepted.size(); ++i) {
      if (!verified_.accepted[i]) {
        dropped.push_back(verified_.refusals[i].to_error());
        continue;
      }
      out.push_back(prefix + verified_.topics[i]->topic.uri.text() + "=" +
                    std::string(as_text(verified_.view.messages[i].message.payload)));
    }
  }

  World& world_;
  SessionId id_;
  GrantCache grants_;
  Inbound inbound_;
  VerifiedBatch verified_;
  std::map<RequestId, ReplayWindow> direct_seen_;
  std::map<std::uint64_t, Outgoing> streams_;
  std::set<Hash> proofs_;
  std::size_t read_ = 0;
  std::vector<std::string> heard_;
  std::vector<std::string> direct_;
  std::vector<std::string> stored_;
  std::string signer_;
  std::optional<Time> created_;
};

}  // namespace bw::syndication::testing
