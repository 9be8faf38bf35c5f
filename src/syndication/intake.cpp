// SPDX-License-Identifier: Apache-2.0
#include "syndication/intake.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "syndication/handshake.hpp"
#include "wave/link.hpp"

namespace bw::syndication {
namespace {

using Nanos = std::chrono::nanoseconds;

constexpr double kStrikesForBadSignature = 5;
constexpr double kStrikesForReplay = 1;
constexpr Duration kLongestPause = 1s;

// What things cost, as measured on one machine (docs/performance.md): a measure of fairness, not of
// time.
constexpr Nanos kFrameWork{150};
constexpr Nanos kTopicWork{1'000};
constexpr Nanos kProofWork{10'000};
constexpr Nanos kSignatureWork{35'000};
constexpr Nanos kMessageWork{300};
constexpr Nanos kQuestionWork{5'000};  // whether a right is there
constexpr Nanos kRefusalWork{5'000};  // the question whether it is allowed, and the words of the no
constexpr std::size_t kBytesHashedPerNano = 1;

// What is done in spare time at once: a message that comes meanwhile waits for it.
constexpr Nanos kSpareWork{50'000};
constexpr std::size_t kQuestionsAtOnce = 8;
constexpr std::size_t kRequestsAtOnce = 16;
constexpr std::size_t kTopicsForgottenAtOnce = 64;

Nanos work_of(const BatchView& batch, std::size_t bytes) {
  return kSignatureWork + kMessageWork * batch.messages.size() + Nanos(bytes / kBytesHashedPerNano);
}

bool is_request(const ParsedMessage& parsed) {
  return !is_value(parsed.message.type);
}

}  // namespace

Error banned_words(const EntityKey& entity, Time until) {
  return {ErrorCode::kBlacklisted,
          fmt::format("entity {} is refused until {} for earlier misbehaviour", entity.text(),
                      to_text(until))};
}

Result<Time> IntakeShared::admit(const EntityKey& key, Time now) const {
  if (const auto until = blacklist.banned_until(key, now)) return fail(banned_words(key, *until));
  BW_TRY(const std::optional<wave::EntityStatus> status, authority.entity(key));
  if (const auto obstacle = wave::entity_obstacle(status, now)) {
    return fail(*obstacle, "{}", wave::entity_words(*obstacle, key));
  }
  return status->expires;
}

Intake::Intake(IntakeShared& shared, SessionId session, const EntityKey& peer, const Hash& exporter,
               Time now)
    : shared_(shared),
      session_(session),
      peer_(peer),
      exporter_(exporter),
      inbound_(Inbound::Side::kRouter, shared.grants, shared.carries),
      messages_(shared.limits.messages_per_second_per_session,
                shared.limits.messages_per_second_per_session, now),
      account_(shared.accounts.of(peer, now)) {}

Intake::Taken Intake::take(std::span<const ByteView> frames, Time now, Parcel& out,
                           bool spare_time) {
  out.begin(session_);
  out_ = &out;
  now_ = now;
  work_ = {};
  spare_work_ = {};
  spare_time_ = spare_time;
  pause_ = {};
  std::size_t taken = 0;
  while (spare_time && spare_work_ < kSpareWork && forget_some()) {
    spare_work_ += kTopicWork / 2 * kTopicsForgottenAtOnce;
  }
  while (pause_ == Duration{} && work_ < shared_.limits.turn && spare_work_ < kSpareWork) {
    const bool more = unfinished_ || taken < frames.size();
    if (!more || (!spare_time && wants_spare_time(frames.subspan(taken)))) break;
    work_ += kFrameWork;
    if (auto done = unfinished_ ? go_on() : take_one(frames[taken++]); !done) {
      out.breach = std::move(done).error();
      unfinished_.reset();
      taken = frames.size();
    }
  }
  return {.frames = taken,
          .pause = pause_,
          .wants_spare_time = wants_spare_time(frames.subspan(taken))};
}

bool Intake::wants_spare_time(std::span<const ByteView> frames) const {
  if (unfinished_) return true;
  if (frames.empty()) return false;
  const FrameType type = frame_type(frames.front());
  return type == FrameType::kTopic || type == FrameType::kProof || type == FrameType::kAttach;
}

Result<void> Intake::take_one(ByteView frame) {
  BW_TRY(const ParsedFrame parsed, parse_frame(frame));
  switch (parsed.type) {
    case FrameType::kBatch:
      return batch(std::get<BatchFrame>(parsed.frame).batch);
    case FrameType::kTopic:
      return topic(std::get<TopicFrame>(parsed.frame));
    case FrameType::kProof:
      spare_work_ += kProofWork;
      return inbound_.proof(std::get<ProofFrame>(parsed.frame).proof);
    case FrameType::kAttach:
      if (inbound_.entity_of(std::get<Attach>(parsed.frame).stream) != nullptr) {
        return fail(ErrorCode::kConflict, "stream {}: attached on this session already",
                    std::get<Attach>(parsed.frame).stream);
      }
      attach(std::get<Attach>(parsed.frame));
      return {};
    case FrameType::kDetach:
      detach(std::get<Detach>(parsed.frame));
      return {};
    case FrameType::kPing:
      out_->steps.emplace_back(std::get<Ping>(parsed.frame));
      return {};
    case FrameType::kPong:
      return {};
    case FrameType::kError:
      return fail(std::get<ErrorFrame>(parsed.frame).error);
    default:
      return fail(ErrorCode::kMalformed, "frame type {}: not from an agent to a router",
                  static_cast<int>(parsed.type));
  }
}

void Intake::attach(const Attach& frame) {
  spare_work_ += kSignatureWork;
  const auto expires = try_attach(frame);
  if (!expires) {
    encode_frame(Detach{frame.entity, frame.stream, expires.error()}, out_->answers);
    return waste(kRefusalWork);
  }
  streams_.emplace(frame.stream, shared_.accounts.of(frame.entity, now_));
  out_->steps.emplace_back(Parcel::Attached{frame.entity, frame.stream, *expires});
}

Result<Time> Intake::try_attach(const Attach& frame) {
  BW_TRY(const Time expires, shared_.admit(frame.entity, now_));
  if (auto proven = check_attach(frame, exporter_); !proven) {
    // The entity has nothing to do with it.
    strike(peer_, kStrikesForBadSignature);
    waste(kSignatureWork);
    return fail(std::move(proven).error());
  }
  BW_CHECK(inbound_.attach(frame));
  return expires;
}

void Intake::detach(const Detach& frame) {
  const EntityKey* owner = inbound_.entity_of(frame.stream);
  if (owner == nullptr || *owner != frame.origin) return;
  ended(frame.origin, frame.stream);
  out_->steps.emplace_back(frame);
}

void Intake::ended(const EntityKey& entity, std::uint64_t stream) {
  const EntityKey* owner = inbound_.entity_of(stream);
  if (owner == nullptr || *owner != entity) return;
  inbound_.detach(entity, stream);
  streams_.erase(stream);
}

void Intake::over() {
  unfinished_.reset();
  inbound_.detach_all();
}

bool Intake::forget_some() {
  return inbound_.forget_some(kTopicsForgottenAtOnce);
}

Result<void> Intake::topic(const TopicFrame& frame) {
  spare_work_ += kTopicWork;
  auto named = inbound_.topic(frame);
  // On its way while the stream was refused or ended: the DETACH says so.
  if (!named && named.error().code == ErrorCode::kNotFound) return {};
  return named;
}

Result<void> Intake::batch(ByteView bytes) {
  Incoming& incoming = out_->add_batch();
  incoming.bytes = bytes;
  if (keep_bytes_) {
    incoming.kept.assign(bytes.begin(), bytes.end());
    incoming.bytes = incoming.kept;
    out_->held_bytes += bytes.size();
  }
  ++out_->counts.batches;
  VerifiedBatch& batch = incoming.batch;
  if (auto opened = inbound_.open(incoming.bytes, batch); !opened) {
    return misfit(batch.view, opened.error());
  }
  out_->counts.messages += batch.view.messages.size();
  if (auto within = within_rate(batch.view); !within) {
    refuse_all(batch.view, within.error());
    return {};
  }
  const auto requests = std::ranges::count_if(batch.view.messages, is_request);
  if (requests == 0) out_->counts.values += batch.view.messages.size();
  if (requests > 0 && !spare_time_) {
    postpone(false);
    return {};
  }
  const auto verified = inbound_.verify_some(batch, now_, spare_time_ ? kQuestionsAtOnce : 0);
  if (!verified) return misfit(batch.view, verified.error());
  if (!*verified || static_cast<std::size_t>(requests) > kRequestsAtOnce) {
    postpone(*verified);
    return {};
  }
  if (spare_time_) spare_work_ += kSpareWork / kRequestsAtOnce * (1 + requests);
  judged(batch, bytes.size());
  out_->steps.emplace_back(Parcel::Part{&incoming, 0, batch.view.messages.size()});
  return {};
}

// The batch that was added last.
void Intake::postpone(bool verified) {
  out_->held_bytes -= std::min(out_->held_bytes, out_->batches[out_->used - 1].kept.size());
  unfinished_ = Unfinished{.incoming = out_->take_out_batch()};
  spare_work_ += kQuestionWork * kQuestionsAtOnce;
  if (!verified) return;
  const Incoming& incoming = *unfinished_->incoming;
  unfinished_->verified = true;
  judged(incoming.batch, incoming.bytes.size());
}

Result<void> Intake::go_on() {
  Incoming& incoming = *unfinished_->incoming;
  if (unfinished_->verified) {
    hand_on(*unfinished_);
    if (unfinished_->next == incoming.batch.view.messages.size()) unfinished_.reset();
    return {};
  }
  spare_work_ += kQuestionWork * kQuestionsAtOnce;
  const auto verified = inbound_.verify_some(incoming.batch, now_, kQuestionsAtOnce);
  if (!verified) {
    const auto ended = std::exchange(unfinished_, std::nullopt);
    return misfit(ended->incoming->batch.view, verified.error());
  }
  if (*verified) {
    unfinished_->verified = true;
    judged(incoming.batch, incoming.bytes.size());
  }
  return {};
}

// As many messages as the core may be given at once.
void Intake::hand_on(Unfinished& unfinished) {
  const auto& messages = unfinished.incoming->batch.view.messages;
  const std::size_t from = unfinished.next;
  for (std::size_t requests = 0; unfinished.next < messages.size(); ++unfinished.next) {
    if (is_request(messages[unfinished.next]) && ++requests > kRequestsAtOnce) break;
  }
  spare_work_ += kSpareWork;
  out_->shared.push_back(unfinished.incoming);
  out_->held_bytes += unfinished.incoming->kept.size();
  out_->steps.emplace_back(Parcel::Part{unfinished.incoming.get(), from, unfinished.next});
}

void Intake::judged(const VerifiedBatch& batch, std::size_t bytes) {
  work_ += work_of(batch.view, bytes);
  std::size_t refused = 0;
  for (std::size_t i = 0; i < batch.accepted.size(); ++i) {
    if (batch.accepted[i]) continue;
    refuse(batch.view, i, batch.refusals[i].to_error());
    ++refused;
  }
  if (batch.unauthorised > 0) {
    strike(batch.view.header.origin, static_cast<double>(batch.unauthorised));
  }
  if (refused > 0) waste(kRefusalWork * refused, batch.view.header.stream);
}

Result<void> Intake::within_rate(const BatchView& batch) {
  const auto messages = static_cast<double>(batch.messages.size());
  if (!messages_.take(messages, now_)) {
    return fail(ErrorCode::kLimited, "a session may send {:.0f} messages a second; send fewer",
                shared_.limits.messages_per_second_per_session);
  }
  if (!streams_.at(batch.header.stream)->take(messages, now_)) {
    return fail(ErrorCode::kLimited, "entity {} may send {:.0f} messages a second; send fewer",
                batch.header.origin.text(), shared_.limits.messages_per_second_per_entity);
  }
  return {};
}

Result<void> Intake::misfit(const BatchView& batch, const Error& error) {
  const BatchHeader& header = batch.header;
  switch (error.code) {
    case ErrorCode::kNotFound:
      encode_frame(Detach{header.origin, header.stream, error}, out_->answers);
      waste(kRefusalWork);
      return {};
    case ErrorCode::kReplayed:
      // No answer: the outcome of these messages was told, or will be.
      ++out_->counts.replayed;
      strike(header.origin, kStrikesForReplay);
      waste(kRefusalWork, header.stream);
      return {};
    case ErrorCode::kBadSignature:
      ++out_->counts.bad_signatures;
      strike(header.origin, kStrikesForBadSignature);
      // The agent signs for those it serves.
      if (peer_ != header.origin) strike(peer_, kStrikesForBadSignature);
      waste(work_of(batch, 0), header.stream);
      refuse_all(batch, error);
      return {};
    case ErrorCode::kExpired:
      refuse_all(batch, error);
      return {};
    default:
      return fail(error);
  }
}

void Intake::refuse_all(const BatchView& batch, const Error& reason) {
  for (std::size_t i = 0; i < batch.messages.size(); ++i) refuse(batch, i, reason);
  waste(kRefusalWork + kMessageWork * batch.messages.size(), batch.header.stream);
  out_->steps.emplace_back(
      Parcel::Refused{batch.header.origin, batch.header.stream, batch.header.sequence});
}

void Intake::refuse(const BatchView& batch, std::size_t position, const Error& reason) {
  ++out_->counts.refused;
  encode_frame(
      ResultFrame{{batch.header.stream, batch.header.sequence, batch.indices[position]}, reason},
      out_->answers);
}

void Intake::strike(const EntityKey& entity, double count) {
  out_->strikes.push_back({entity, count});
  const auto counted = std::min(count, shared_.limits.strikes_to_blacklist);
  const Duration slower{static_cast<Duration::rep>(
      counted * static_cast<double>(shared_.limits.pause_per_strike.count()))};
  pause_ = std::min(pause_ + slower, kLongestPause);
}

void Intake::waste(std::chrono::nanoseconds work, std::uint64_t stream) {
  work_ += work;
  const auto charged = std::chrono::ceil<Duration>(work);
  out_->counts.wasted_us += static_cast<std::uint64_t>(charged.count());
  pause_ = std::max(pause_, account_->charge_waste(charged, now_));
  const auto origin = streams_.find(stream);
  if (origin == streams_.end() || origin->second == account_) return;
  pause_ = std::max(pause_, origin->second->charge_waste(charged, now_));
}

}  // namespace bw::syndication
