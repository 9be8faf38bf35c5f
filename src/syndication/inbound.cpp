// SPDX-License-Identifier: Apache-2.0
#include "syndication/inbound.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <unordered_map>
#include <utility>

#include <boost/unordered/unordered_flat_map.hpp>

#include "base/limits.hpp"
#include "syndication/recent_proofs.hpp"

namespace bw::syndication {
namespace {

constexpr std::size_t kAllQuestions = limits::kBatchMessages;
constexpr std::size_t kFewTopics = 64;  // may go with their stream at once

struct StreamKey {
  EntityKey origin;
  std::uint64_t stream = 0;
  friend auto operator<=>(const StreamKey&, const StreamKey&) = default;
};

using Topics = boost::unordered_flat_map<std::uint32_t, TopicPtr>;

struct InboundStream {
  Topics topics;
  StreamWindow window;  // of a router; an agent's outlive the stream

  [[nodiscard]] const TopicPtr* find(std::uint32_t number) const {
    const auto found = topics.find(number);
    return found == topics.end() ? nullptr : &found->second;
  }
};

wave::Denial refusal(ErrorCode code, std::string reason) {
  return {.code = code, .link = -1, .reason = std::move(reason)};
}

// Whether a no speaks of missing rights, or only of what this node knows or can do now.
bool speaks_of_rights(ErrorCode code) {
  switch (code) {
    case ErrorCode::kDenied:
    case ErrorCode::kRevoked:
    case ErrorCode::kExpired:
    case ErrorCode::kUnsupported:
      return true;
    default:
      return false;
  }
}

// Keeps the pointer that is there when it is the same: no traffic on shared counts.
template <class T>
void assign(std::shared_ptr<T>& to, const std::shared_ptr<T>& from) {
  if (to != from) to = from;
}

const std::shared_ptr<const wave::Proof>& empty_proof() {
  static const auto kProof = std::make_shared<const wave::Proof>();
  return kProof;
}
const Hash& empty_proof_name() {
  static const Hash kName = wave::proof_hash(*empty_proof());
  return kName;
}

}  // namespace

struct Inbound::Impl {
  Impl(Side on, GrantCache& cache, Carries serves, std::shared_ptr<ReplayWindow> window)
      : side(on),
        grants(cache),
        carries(std::move(serves)),
        heard(window ? std::move(window) : std::make_shared<ReplayWindow>()) {}

  TopicPtr make_topic(const EntityKey& origin, std::uint64_t stream, std::uint32_t number,
                      const Topic& topic) const {
    auto state = std::make_shared<TopicState>(TopicState{.origin = origin,
                                                         .stream = stream,
                                                         .number = number,
                                                         .topic = topic,
                                                         .leaf_prefix = nullptr,
                                                         .proof = nullptr,
                                                         .grants = {},
                                                         .route = nullptr});
    state->proof = topic.proof == empty_proof_name() ? empty_proof() : proofs.find(topic.proof);
    return state;
  }

  // The stream of a TOPIC or BATCH frame; an agent hears of streams by their topics.
  Result<InboundStream*> stream_of(const EntityKey& origin, std::uint64_t stream) {
    const auto found = streams.find({origin, stream});
    if (found != streams.end()) return &found->second;
    const auto owner = owners.find(stream);
    if (owner != owners.end()) {
      return fail(ErrorCode::kDenied, "stream {}: belongs to entity {}, not to {}; attach your own",
                  stream, owner->second.text(), origin.text());
    }
    return fail(ErrorCode::kNotFound,
                "stream {} of entity {}: not attached on this session; attach it", stream,
                origin.text());
  }

  // Only what was signed is marked as seen: nobody can use up another's sequence.
  template <class Window>
  Result<bool> verify(VerifiedBatch& out, Window& window, Time now, std::size_t questions) {
    if (out.judged == 0) {
      BW_CHECK(window.check(out.view, now));
      BW_CHECK(find_topics(out));
    }
    if (!judge(out, now, questions)) return false;
    if (!any_accepted(out)) return true;
    BW_CHECK(check_signature(out));
    BW_CHECK(window.admit(out.view, now));
    return true;
  }

  // Without a window: it may be old.
  Result<void> verify_stored(VerifiedBatch& out, Time now) {
    out.judged = 0;
    BW_CHECK(find_topics(out));
    judge(out, now, kAllQuestions);
    return any_accepted(out) ? check_signature(out) : Result<void>{};
  }

  Result<void> check_signature(VerifiedBatch& out) {
    hash_leaves(out);
    return verify_batch(out.view, out.leaves);
  }
  static bool any_accepted(const VerifiedBatch& out) {
    return std::ranges::find(out.accepted, true) != out.accepted.end();
  }

  void hash_leaves(VerifiedBatch& out) {
    jobs.clear();
    prefixes.clear();
    for (std::size_t i = 0; i < out.topics.size(); ++i) {
      const ParsedMessage& parsed = out.view.messages[i];
      jobs.push_back({prefix_of(*out.topics[i], parsed.message.type), parsed.signed_tail()});
    }
    out.leaves.resize(jobs.size());
    crypto::sha256_many(jobs, out.leaves);
  }

  const crypto::Sha256* prefix_of(TopicState& topic, MessageType type) {
    if (topic.leaf_prefix != nullptr) return topic.leaf_prefix.get();
    const crypto::Sha256 prefix = leaf_prefix(topic_hash(topic.topic));
    if (!is_value(type)) return &prefixes.emplace_back(prefix);
    topic.leaf_prefix = std::make_unique<const crypto::Sha256>(prefix);
    return topic.leaf_prefix.get();
  }

  Result<void> find_topics(VerifiedBatch& out) const {
    const std::size_t count = out.view.messages.size();
    out.topics.resize(count);
    const TopicPtr* topic = nullptr;
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint32_t number = out.view.messages[i].message.topic;
      if (topic == nullptr || (*topic)->number != number) topic = opened->find(number);
      if (topic == nullptr) {
        return fail(ErrorCode::kMalformed, "batch {}: topic {} was not named on stream {}",
                    out.view.header.sequence, number, out.view.header.stream);
      }
      assign(out.topics[i], *topic);
    }
    return {};
  }

  // Fills accepted, grants and refusals from where it stopped; false when it stopped before a
  // question too many.
  bool judge(VerifiedBatch& out, Time now, std::size_t questions) {
    const std::size_t count = out.view.messages.size();
    if (out.judged == 0) {
      out.accepted.assign(count, false);
      out.grants.resize(count);
      out.refusals.resize(count);
      out.unauthorised = 0;
    }
    for (std::size_t& i = out.judged; i < count; ++i) {
      if (i > 0 && same_question(out, i)) {
        out.accepted[i] = true;
        assign(out.grants[i], out.grants[i - 1]);
        continue;
      }
      const Message& message = out.view.messages[i].message;
      const GrantPtr* known = remembered(message, *out.topics[i], now);
      if (known == nullptr && questions-- == 0) return false;
      auto granted = grant_for(message, *out.topics[i], now, known);
      out.accepted[i] = granted.has_value();
      if (granted) {
        assign(out.grants[i], **granted);
      } else {
        out.grants[i].reset();
        if (std::exchange(refused_a_right, false)) ++out.unauthorised;
        out.refusals[i] = std::move(granted).error();
      }
    }
    return true;
  }

  // The yes that costs next to nothing; a null one for messages that need none.
  const GrantPtr* remembered(const Message& message, TopicState& topic, Time now) const {
    if (message.type == MessageType::kUnsubscribe) return &no_grant;
    const GrantPtr& memo = topic.grant_for(message.type);
    return memo != nullptr && grants.usable(*memo, now) ? &memo : nullptr;
  }

  // Whether the message before was accepted and what this one asks is the same.
  static bool same_question(const VerifiedBatch& out, std::size_t i) {
    const Message& before = out.view.messages[i - 1].message;
    const Message& message = out.view.messages[i].message;
    return out.accepted[i - 1] && message.topic == before.topic && message.type == before.type &&
           !message.expires;
  }

  // The yes that a message rests on.
  Result<const GrantPtr*, wave::Denial> grant_for(const Message& message, TopicState& topic,
                                                  Time now, const GrantPtr* known) {
    if (side == Side::kAgent && !is_value(message.type)) {
      return tl::unexpected(
          refusal(ErrorCode::kInvalidArgument,
                  fmt::format("a {} is not for agents", type_name(message.type))));
    }
    if (message.expires && *message.expires <= now) {
      return tl::unexpected(
          refusal(ErrorCode::kExpired, "the message expired " + to_text(*message.expires)));
    }
    if (known != nullptr) return known;
    GrantPtr& memo = topic.grant_for(message.type);
    auto asked = ask(message.type, topic, now);
    if (!asked) {
      // Whoever lost a right could not know while messages were on their way; a proof of what
      // was granted once and is revoked or over is late, not made up.
      if (memo != nullptr || asked.error().code != ErrorCode::kDenied) refused_a_right = false;
      return tl::unexpected(std::move(asked).error());
    }
    memo = *std::move(asked);
    return &memo;
  }

  // Asked again when the ledger changed meanwhile: the two answers must be of one state.
  Result<GrantPtr, wave::Denial> ask(MessageType type, const TopicState& topic, Time now) {
    for (;;) {
      const std::uint64_t as_of = grants.changes();
      auto asked = ask_once(type, topic, now);
      if (grants.changes() == as_of) return asked;
      refused_a_right = false;
    }
  }

  Result<GrantPtr, wave::Denial> ask_once(MessageType type, const TopicState& topic, Time now) {
    const auto needed = needed_permissions(type, topic.topic.uri);
    if (!needed) return tl::unexpected(refusal(needed.error().code, needed.error().message));
    if (carries && !carries(topic.topic.ns)) {
      return tl::unexpected(refusal(
          ErrorCode::kUnavailable,
          fmt::format("namespace {} is not carried by this router; look up its designated router",
                      topic.topic.ns.text())));
    }
    if (topic.proof == nullptr) {
      refused_a_right = true;
      return tl::unexpected(refusal(
          ErrorCode::kNotFound, fmt::format("proof {} was not sent on this session; send it first",
                                            topic.topic.proof.text())));
    }
    const wave::Request request{topic.origin, topic.topic.ns, topic.topic.uri, *needed};
    auto grant = grants.authorize(request, topic.topic.proof, *topic.proof, now);
    if (!grant) refused_a_right = speaks_of_rights(grant.error().code);
    return grant;
  }

  Side side;
  GrantCache& grants;
  Carries carries;
  RecentProofs proofs;
  // Ordered, because origins choose their stream ids and could make hashes collide.
  std::map<StreamKey, InboundStream> streams;
  std::unordered_map<std::uint64_t, EntityKey> owners;  // of attached streams (router)
  std::size_t topics = 0;
  std::vector<Topics> gone;             // of streams that are no more (router)
  std::shared_ptr<ReplayWindow> heard;  // of an agent
  InboundStream* opened = nullptr;      // of the batch at hand
  std::vector<crypto::HashJob> jobs;    // of the batch at hand
  std::deque<crypto::Sha256> prefixes;  // of its requests
  bool refused_a_right = false;         // by the ask() at hand
  GrantPtr no_grant;
};

Inbound::Inbound(Side side, GrantCache& grants, Carries carries,
                 std::shared_ptr<ReplayWindow> heard)
    : impl_(std::make_unique<Impl>(side, grants, std::move(carries), std::move(heard))) {}
Inbound::~Inbound() = default;
Inbound::Inbound(Inbound&&) noexcept = default;

Result<void> Inbound::attach(const Attach& attach) {
  if (impl_->owners.contains(attach.stream)) {
    return fail(ErrorCode::kConflict,
                "stream {}: attached on this session already; choose another id", attach.stream);
  }
  if (impl_->owners.size() >= limits::kStreamsPerSession) {
    return fail(ErrorCode::kLimited, "stream {}: this session has {} streams; open another session",
                attach.stream, impl_->owners.size());
  }
  impl_->owners.emplace(attach.stream, attach.entity);
  impl_->streams.try_emplace({attach.entity, attach.stream});
  return {};
}

void Inbound::detach(const EntityKey& origin, std::uint64_t stream) {
  const auto found = impl_->streams.find({origin, stream});
  if (found == impl_->streams.end()) return;
  Topics& topics = found->second.topics;
  impl_->topics -= topics.size();
  if (impl_->side == Side::kRouter && topics.size() > kFewTopics) {
    impl_->gone.push_back(std::move(topics));
  }
  impl_->streams.erase(found);
  impl_->owners.erase(stream);
}

void Inbound::detach_all() {
  for (auto& [key, stream] : impl_->streams) impl_->gone.push_back(std::move(stream.topics));
  impl_->streams.clear();
  impl_->owners.clear();
  impl_->topics = 0;
}

bool Inbound::forget_some(std::size_t topics) {
  for (; !impl_->gone.empty(); impl_->gone.pop_back()) {
    auto& some = impl_->gone.back();
    for (auto next = some.begin(); next != some.end(); --topics) {
      if (topics == 0) return true;
      some.erase(next++);
    }
  }
  return false;
}

std::size_t Inbound::attached() const {
  return impl_->owners.size();
}

const EntityKey* Inbound::entity_of(std::uint64_t stream) const {
  const auto found = impl_->owners.find(stream);
  return found == impl_->owners.end() ? nullptr : &found->second;
}

Result<void> Inbound::proof(ByteView bytes) {
  BW_TRY(wave::Proof proof, wave::parse_proof(bytes));
  const Hash name = wave::proof_hash(proof);
  impl_->proofs.add(name, bytes.size(), std::make_shared<const wave::Proof>(std::move(proof)));
  return {};
}

Result<void> Inbound::topic(const TopicFrame& frame) {
  const bool router = impl_->side == Side::kRouter;
  if (!router && impl_->streams.size() < limits::kTrackedStreams) {
    impl_->streams.try_emplace({frame.origin, frame.stream});
  }
  BW_TRY(InboundStream * stream, impl_->stream_of(frame.origin, frame.stream));
  if (stream->topics.contains(frame.number)) {
    return fail(ErrorCode::kConflict, "topic {} of stream {}: named already; take the next number",
                frame.number, frame.stream);
  }
  const std::size_t most = router ? limits::kTopicsPerSession : limits::kTopicsHeard;
  if (stream->topics.size() >= limits::kTopicsPerStream || impl_->topics >= most) {
    return fail(ErrorCode::kTooLarge,
                "topic {} of stream {}: at most {} topics a stream and {} a session", frame.number,
                frame.stream, limits::kTopicsPerStream, most);
  }
  stream->topics.emplace(frame.number,
                         impl_->make_topic(frame.origin, frame.stream, frame.number, frame.topic));
  ++impl_->topics;
  return {};
}

Result<void> Inbound::open(ByteView bytes, VerifiedBatch& out) {
  impl_->opened = nullptr;
  out.judged = 0;
  BW_CHECK(parse_batch(bytes, out.view));
  BW_TRY(impl_->opened, impl_->stream_of(out.view.header.origin, out.view.header.stream));
  return {};
}

Result<void> Inbound::verify(VerifiedBatch& out, Time now) {
  if (impl_->side == Side::kAgent) {
    BW_CHECK(impl_->verify(out, *impl_->heard, now, kAllQuestions));
  } else {
    BW_CHECK(impl_->verify(out, impl_->opened->window, now, kAllQuestions));
  }
  return {};
}

Result<bool> Inbound::verify_some(VerifiedBatch& out, Time now, std::size_t questions) {
  BW_TRY(impl_->opened, impl_->stream_of(out.view.header.origin, out.view.header.stream));
  return impl_->verify(out, impl_->opened->window, now, questions);
}

Result<void> Inbound::batch(ByteView bytes, Time now, VerifiedBatch& out) {
  BW_CHECK(open(bytes, out));
  return verify(out, now);
}

Result<void> Inbound::direct(ByteView bytes, ReplayWindow& seen, Time now, VerifiedBatch& out) {
  BW_CHECK(open(bytes, out));
  BW_CHECK(impl_->verify(out, seen, now, kAllQuestions));
  return {};
}

Result<void> Inbound::stored(const Stored& frame, Time now, VerifiedBatch& out) {
  BW_CHECK(parse_batch(frame.batch, out.view));
  const BatchHeader& header = out.view.header;
  if (out.view.messages.size() != 1) {
    return fail(ErrorCode::kMalformed, "stored message: {} messages in place of one",
                out.view.messages.size());
  }
  if (header.created > now + limits::kReplayWindow) {
    return fail(ErrorCode::kExpired, "stored message: created {}, which is in the future",
                to_text(header.created));
  }
  const std::uint32_t number = out.view.messages[0].message.topic;
  InboundStream alone;
  alone.topics.emplace(number,
                       impl_->make_topic(header.origin, header.stream, number, frame.topic));
  impl_->opened = &alone;
  const auto verified = impl_->verify_stored(out, now);
  impl_->opened = nullptr;
  return verified;
}

void Inbound::tick(Time now) {
  impl_->heard->forget_old(now);
}

}  // namespace bw::syndication
