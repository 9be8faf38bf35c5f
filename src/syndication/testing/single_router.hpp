// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "syndication/router_core.hpp"

namespace bw::syndication::testing {

// A core and the intakes of its sessions in one thread: what is taken in is routed at once, or,
// when told to hold, waits as it does between threads.
class SingleRouter : private RouterOutput {
 public:
  SingleRouter(const wave::AuthorityView& authority, RouterCore::Carries carries,
               MessageStore& store, RouterOutput& output, RouterLimits limits)
      : output_(output), core_(authority, std::move(carries), store, *this, limits) {}

  void open(SessionId session, const EntityKey& peer, const Hash& exporter, Time now) {
    intakes_.emplace(session, core_.intake(session, peer, exporter, now));
    core_.open(session, peer, now);
  }
  void receive(SessionId session, std::span<const ByteView> frames, Time now) {
    if (holding_) return take_in(session, frames, now);
    Intake& intake = intakes_.at(session);
    Parcel* const parcel = &parcel_;
    while (!frames.empty() || intake.unfinished()) {
      frames = frames.subspan(intake.take(frames, now, parcel_, true).frames);
      core_.take({&parcel, 1}, now);
    }
  }
  void take_parcel(Parcel& parcel, Time now) {
    Parcel* const one = &parcel;
    core_.take({&one, 1}, now);
  }
  void closed(SessionId session) { core_.closed(session); }

  // From now on what is taken in waits, and so does what the core tells intakes.
  void hold() { holding_ = true; }
  [[nodiscard]] std::size_t held() const { return held_.size(); }
  // The next `most` parcels go to the core together.
  void route(Time now, std::size_t most = static_cast<std::size_t>(-1)) {
    std::vector<std::unique_ptr<Held>> chunk;
    std::vector<Parcel*> parcels;
    while (!held_.empty() && chunk.size() < most) {
      chunk.push_back(std::move(held_.front()));
      held_.pop_front();
      parcels.push_back(&chunk.back()->parcel);
    }
    core_.take(parcels, now);
  }
  // What the core told intakes arrives.
  void tell_intakes() {
    for (const auto& [session, entity, stream] : std::exchange(news_, {})) {
      intakes_.at(session).ended(entity, stream);
    }
  }
  Intake& intake(SessionId session) { return intakes_.at(session); }

  void authority_changed(std::span<const EntityKey> entities, std::span<const ObjectId> dots,
                         std::span<const EntityKey> affinity, Time now) {
    core_.authority_changed(entities, dots, affinity, now);
  }
  void tick(Time now) { core_.tick(now); }
  bool sweep() { return core_.sweep(); }
  void lost(SessionId session, std::uint64_t count) { core_.lost(session, count); }
  [[nodiscard]] RouterStats stats() const { return core_.stats(); }
  [[nodiscard]] std::vector<BlacklistEntry> blacklist(Time now) const {
    return core_.blacklist(now);
  }

 private:
  void send(SessionId session, SharedFrames frames, bool droppable) override {
    output_.send(session, std::move(frames), droppable);
  }
  void close(SessionId session, const Error& reason) override { output_.close(session, reason); }
  void ended(SessionId session, const EntityKey& entity, std::uint64_t stream) override {
    news_.push_back({session, entity, stream});
    if (!holding_) tell_intakes();
  }

  struct Held {
    std::shared_ptr<const std::vector<Bytes>> frames;
    Parcel parcel;
  };
  struct News {
    SessionId session;
    EntityKey entity;
    std::uint64_t stream;
  };

  void take_in(SessionId session, std::span<const ByteView> frames, Time now) {
    auto copies = std::make_shared<std::vector<Bytes>>();
    for (const ByteView frame : frames) copies->push_back(to_bytes(frame));
    const std::vector<ByteView> views(copies->begin(), copies->end());
    std::span<const ByteView> left = views;
    Intake& intake = intakes_.at(session);
    while (!left.empty() || intake.unfinished()) {
      Held& held = *held_.emplace_back(std::make_unique<Held>());
      held.frames = copies;
      left = left.subspan(intake.take(left, now, held.parcel, true).frames);
    }
  }

  RouterOutput& output_;
  RouterCore core_;
  std::map<SessionId, Intake> intakes_;
  Parcel parcel_;
  bool holding_ = false;
  std::deque<std::unique_ptr<Held>> held_;
  std::vector<News> news_;
};

}  // namespace bw::syndication::testing
