// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <unordered_map>

#include "syndication/accounts.hpp"
#include "syndication/blacklist.hpp"
#include "syndication/parcel.hpp"
#include "syndication/router_limits.hpp"
#include "wave/authority.hpp"

namespace bw::syndication {

// What the intakes of one router share. Every part of it is thread-safe.
struct IntakeShared {
  const wave::AuthorityView& authority;
  Inbound::Carries carries;  // called on every thread
  RouterLimits limits;
  GrantCache grants;
  Blacklist blacklist;
  Accounts accounts;

  // Why the entity may not take part now: banned, unknown, revoked or expired. Its expiry
  // otherwise.
  [[nodiscard]] Result<Time> admit(const EntityKey& key, Time now) const;
};

// The reason why an entity is not served.
Error banned_words(const EntityKey& entity, Time until);

// The first half of a router, one for each session: takes the session's frames, verifies them and
// leaves the rest to the core. All that costs much is here, so that sessions on different threads
// pay at the same time. Cheapest check first: ban, form, stream, rate, sequence and time, rights,
// and only then a signature. Without sockets or clock; for one thread.
class Intake {
 public:
  Intake(IntakeShared& shared, SessionId session, const EntityKey& peer, const Hash& exporter,
         Time now);

  // Whether parcels outlive the frames they are made of; false at first.
  void keep_bytes(bool keep) { keep_bytes_ = keep; }

  // Values on topics in use are worth more than whatever else an agent may send, which can be made
  // to cost as much as one likes: new topics, proofs, streams, rights that were not asked for
  // before, and requests. All of that is done in spare time only, and a little at a time.
  struct Taken {
    // That many from the front: as much as one session may ask for before others have their turn.
    std::size_t frames = 0;
    // Do not read from the session for so long: it wasted too much.
    Duration pause{};
    // What comes next waits for spare time.
    bool wants_spare_time = false;
  };
  // `spare_time`: so much of it as a little work takes (kSpareWork). Views need hold until `out`
  // was dealt with, unless bytes are kept; those of a batch that is unfinished until it is not any
  // more.
  Taken take(std::span<const ByteView> frames, Time now, Parcel& out, bool spare_time);
  // A batch of those that were taken is to be gone on with, before any other frame.
  [[nodiscard]] bool unfinished() const { return unfinished_.has_value(); }
  // The core ended a stream.
  void ended(const EntityKey& entity, std::uint64_t stream);
  // The session is over: nothing but forget_some() is called from now on.
  void over();
  // Frees what is not needed any more, a little at a time; false when that was all.
  bool forget_some();

 private:
  // A batch in the course of being verified, or handed on in parts.
  struct Unfinished {
    std::shared_ptr<Incoming> incoming;
    bool verified = false;
    std::size_t next = 0;  // position of the first message to hand on
  };

  // An error is a breach of the protocol.
  Result<void> take_one(ByteView frame);
  Result<void> go_on();
  [[nodiscard]] bool wants_spare_time(std::span<const ByteView> frames) const;
  void attach(const Attach& frame);
  Result<Time> try_attach(const Attach& frame);
  void detach(const Detach& frame);
  Result<void> topic(const TopicFrame& frame);
  Result<void> batch(ByteView bytes);
  void postpone(bool verified);
  // What the answers of a batch that was verified say of its sender.
  void judged(const VerifiedBatch& batch, std::size_t bytes);
  void hand_on(Unfinished& unfinished);
  Result<void> within_rate(const BatchView& batch);
  // A batch that is refused as a whole; the error again when it is a breach of the protocol.
  Result<void> misfit(const BatchView& batch, const Error& error);
  void refuse_all(const BatchView& batch, const Error& reason);
  void refuse(const BatchView& batch, std::size_t position, const Error& reason);
  void strike(const EntityKey& entity, double count);
  // Work that came to nothing, for which `stream`'s entity is to blame as well as the peer.
  void waste(std::chrono::nanoseconds work, std::uint64_t stream = 0);

  IntakeShared& shared_;
  SessionId session_;
  EntityKey peer_;
  Hash exporter_;
  bool keep_bytes_ = false;
  Inbound inbound_;
  TokenBucket messages_;
  std::shared_ptr<Account> account_;  // the peer's
  std::unordered_map<std::uint64_t, std::shared_ptr<Account>> streams_;
  std::optional<Unfinished> unfinished_;

  // Of the call at hand.
  Parcel* out_ = nullptr;
  Time now_;
  std::chrono::nanoseconds work_{};
  std::chrono::nanoseconds spare_work_{};  // of it, in spare time
  bool spare_time_ = false;
  Duration pause_{};
};

}  // namespace bw::syndication
