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
constexpr Nanos kSignatureWork{35'000};
constexpr Nanos kMessageWork{300};
constexpr Nanos kRequestWork{10'000};  // a subscription or query, in the core
constexpr Nanos kRefusalWork{5'000};  // the question whether it is allowed, and the words of the no
constexpr std::size_t kBytesHashedPerNano = 1;

Nanos work_of(const BatchView& batch, std::size_t bytes) {
  return kSignatureWork + kMessageWork * batch.messages.size() + Nanos(bytes / kBytesHashedPerNano);
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
               bool keep_bytes, Time now)
    : shared_(shared),
      session_(session),
      peer_(peer),
      exporter_(exporter),
      keep_bytes_(keep_bytes),
      inbound_(Inbound::Side::kRouter, shared.grants, shared.carries),
      messages_(shared.limits.messages_per_second_per_session,
                shared.limits.messages_per_second_per_session, now),
      account_(shared.accounts.of(peer, now)) {}

Intake::Taken Intake::take(std::span<const ByteView> frames, Time now, Parcel& out) {
  out.begin(session_);
  out_ = &out;
  now_ = now;
  work_ = {};
  pause_ = {};
  Taken taken;
  while (taken.frames < frames.size() && work_ < shared_.limits.turn && pause_ == Duration{}) {
    work_ += kFrameWork;
    if (auto done = take_one(frames[taken.frames++]); !done) {
      out.breach = std::move(done).error();
      taken.frames = frames.size();
    }
  }
  taken.pause = pause_;
  return taken;
}

Result<void> Intake::take_one(ByteView frame) {
  BW_TRY(const ParsedFrame parsed, parse_frame(frame));
  switch (parsed.type) {
    case FrameType::kBatch:
      return batch(std::get<BatchFrame>(parsed.frame).batch);
    case FrameType::kTopic:
      return topic(std::get<TopicFrame>(parsed.frame));
    case FrameType::kProof:
      work_ += kRequestWork;
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
  work_ += kSignatureWork;
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

Result<void> Intake::topic(const TopicFrame& frame) {
  work_ += kTopicWork;
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
  if (auto verified = inbound_.verify(batch, now_); !verified) {
    return misfit(batch.view, verified.error());
  }
  work_ += work_of(batch.view, bytes.size());
  std::size_t refused = 0;
  std::size_t requests = 0;
  for (std::size_t i = 0; i < batch.accepted.size(); ++i) {
    if (batch.accepted[i]) {
      if (!is_value(batch.view.messages[i].message.type)) ++requests;
      continue;
    }
    refuse(batch.view, i, batch.refusals[i].to_error());
    ++refused;
  }
  if (requests > 0) charge_requests(requests, batch.view.header.stream);
  if (batch.unauthorised > 0) {
    strike(batch.view.header.origin, static_cast<double>(batch.unauthorised));
  }
  if (refused > 0) waste(kRefusalWork * refused, batch.view.header.stream);
  out_->steps.emplace_back(&incoming);
  return {};
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

void Intake::charge_requests(std::size_t count, std::uint64_t stream) {
  const Nanos work = kRequestWork * count;
  work_ += work;
  const auto charged = std::chrono::ceil<Duration>(work);
  pause_ = std::max(pause_, streams_.at(stream)->charge_requests(charged, now_));
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
