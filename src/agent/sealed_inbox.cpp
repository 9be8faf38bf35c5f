// SPDX-License-Identifier: Apache-2.0
#include "agent/sealed_inbox.hpp"

#include "base/limits.hpp"

namespace bw::agent {
namespace {

constexpr std::size_t kMissed = 4096;

bool is_renewed(const Received& message) {
  const auto sealed = syndication::parse_sealed_payload(message.payload);
  return sealed && sealed->renewed;
}

}  // namespace

bool SealedInbox::concerns(const Received& message) {
  return message.persisted || syndication::is_sealed(message.payload);
}

void SealedInbox::take(Received message, const crypto::SigningKey& reader,
                       syndication::SealOpener& opener, Time now, const Out& out) {
  if (!syndication::is_sealed(message.payload)) {
    if (message.persisted) missed_.erase(message.uri);
    return out.deliver(std::move(message));
  }
  const auto news = open(message, reader, opener);
  if (news) {
    // What waited for the key that this one may have brought is older.
    if (!held_.empty()) tick(reader, opener, now, out);
    if (*news) out.deliver(std::move(message));
  } else if (news.error().code == ErrorCode::kUnavailable && !message.stored) {
    hold(std::move(message), now, out);
  } else if (message.stored || !is_renewed(message)) {
    give_up(message, news.error(), out);
  }
}

void SealedInbox::tick(const crypto::SigningKey& reader, syndication::SealOpener& opener, Time now,
                       const Out& out) {
  for (Held& held : std::exchange(held_, {})) {
    held_bytes_ -= held.bytes;
    const auto news = open(held.message, reader, opener);
    if (news) {
      if (*news) out.deliver(std::move(held.message));
    } else if (news.error().code == ErrorCode::kUnavailable && now < held.until) {
      held_bytes_ += held.bytes;
      held_.push_back(std::move(held));
    } else {
      give_up(held.message, news.error(), out);
    }
  }
}

Result<bool> SealedInbox::open(Received& message, const crypto::SigningKey& reader,
                               syndication::SealOpener& opener) {
  BW_TRY(auto opened,
         opener.open({message.id.origin, message.ns, message.uri}, message.payload, reader));
  message.payload = std::move(opened.payload);
  message.sealed = true;
  const bool missed = message.persisted && missed_.erase(message.uri) > 0;
  if (opened.renewed) message.created = opened.sealed_at;
  // Who read it before is not told again.
  return !opened.renewed || message.stored || missed;
}

void SealedInbox::hold(Received message, Time now, const Out& out) {
  const std::size_t bytes = message.payload.size() + message.standing.size();
  held_bytes_ += bytes;
  held_.push_back({std::move(message), bytes, now + limits::kSealKeyPatience});
  while (held_.size() > limits::kSealHeldMessages || held_bytes_ > limits::kSealHeldBytes) {
    const Held oldest = std::move(held_.front());
    held_.pop_front();
    held_bytes_ -= oldest.bytes;
    give_up(oldest.message, {ErrorCode::kLimited, "too many sealed messages wait for their key"},
            out);
  }
}

void SealedInbox::give_up(const Received& message, const Error& why, const Out& out) {
  if (message.persisted && missed_.size() < kMissed) missed_.insert(message.uri);
  out.unopened(1, why);
}

}  // namespace bw::agent
