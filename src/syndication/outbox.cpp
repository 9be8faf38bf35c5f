// SPDX-License-Identifier: Apache-2.0
#include "syndication/outbox.hpp"

#include <utility>

namespace bw::syndication {
namespace {

constexpr std::size_t kFrameOverhead = 5;  // length and type

}  // namespace

void Outbox::wait(Session& session) {
  if (!std::exchange(session.waiting, true)) waiting_.push_back(&session);
}

Bytes& Outbox::answers(Session& session) {
  wait(session);
  return session.answers;
}

Outbox::Piece Outbox::share(ByteView batch) {
  pieces_.push_back({.batch = batch, .frames = {}});
  return static_cast<Piece>(pieces_.size() - 1);
}

Outbox::Piece Outbox::keep(Bytes frames) {
  pieces_.push_back({.batch = {}, .frames = std::move(frames)});
  return static_cast<Piece>(pieces_.size() - 1);
}

void Outbox::deliver(Session& session, Piece piece) {
  wait(session);
  session.deliveries.push_back(piece);
}

SharedFrames Outbox::bundle(const std::vector<Piece>& pieces) {
  SharedFrames& known = bundles_[pieces];
  if (known != nullptr) return known;
  std::size_t size = 0;
  for (const Piece piece : pieces) {
    size += pieces_[piece].batch.size() + pieces_[piece].frames.size() + kFrameOverhead;
  }
  Bytes frames;
  frames.reserve(size);
  for (const Piece piece : pieces) {
    const Content& content = pieces_[piece];
    if (content.frames.empty()) {
      const std::size_t begin = begin_frame(FrameType::kBatch, frames);
      append(frames, content.batch);
      finish_frame(begin, frames);
    } else {
      append(frames, content.frames);
    }
  }
  known = std::make_shared<const Bytes>(std::move(frames));
  return known;
}

void Outbox::send(Session& session) {
  session.waiting = false;
  if (!session.answers.empty()) {
    auto answers = std::make_shared<const Bytes>(std::exchange(session.answers, {}));
    output_.send(session.id, std::move(answers), false);
  }
  if (!session.deliveries.empty()) {
    output_.send(session.id, bundle(session.deliveries), true);
    session.deliveries.clear();
  }
}

void Outbox::flush() {
  for (Session* session : waiting_) send(*session);
  waiting_.clear();
  bundles_.clear();
  pieces_.clear();
}

void Outbox::forget(Session& session) {
  if (std::exchange(session.waiting, false)) std::erase(waiting_, &session);
}

void Outbox::close(Session& session, const Error& reason) {
  if (session.waiting) {
    send(session);
    std::erase(waiting_, &session);
  }
  output_.close(session.id, reason);
}

}  // namespace bw::syndication
