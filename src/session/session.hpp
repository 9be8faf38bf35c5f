// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <span>

#include "crypto/keys.hpp"
#include "net/channel.hpp"
#include "syndication/frames.hpp"

// What every session has in common, whoever its ends are: the hello that binds a channel to entity
// keys, pings, errors. Everything here runs on the channel's thread.
namespace bw::session {

// The other end, once it has proved its key.
struct Peer {
  EntityKey key;  // zero: an anonymous follower
  syndication::Role role{};
  Bytes head;  // the latest ledger head it knows, unchecked; may be empty
};

struct Self {
  const crypto::SigningKey* key = nullptr;  // null: anonymous (followers of a ledger only)
  syndication::Role role{};
  Bytes head;
};

// Client: proves itself and accepts none but `server`, or fails with kDenied. Closes on failure.
net::Task<Result<Peer>> open(net::ChannelPtr channel, Self self, EntityKey server,
                             syndication::Role server_role);
// Server: accepts the clients that prove the key they name and are welcome. Closes on failure, with
// an ERROR frame.
using Welcome = std::function<Result<void>(const Peer&)>;
net::Task<Result<Peer>> accept(net::ChannelPtr channel, Self self, Welcome welcome);

// Reads until the session ends, and says why it did. Answers pings; an ERROR frame ends it with the
// peer's reason; all other frames go to `on_frames` as they came together. An error from
// `on_frames` is told to the peer and ends the session.
using OnFrames = std::function<Result<void>(std::span<const ByteView>)>;
net::Task<Error> run(net::ChannelPtr channel, OnFrames on_frames);

// The same for servers that are fair to many: gets every frame, pings and errors too, and may take
// its time, in which nothing is read. The frames hold until its task is over. Once it returns false
// nothing is read any more: then, and only then, there is no reason why the session ended.
using TakeFrames = std::function<net::Task<bool>(std::span<const ByteView>)>;
net::Task<std::optional<Error>> serve(net::ChannelPtr channel, TakeFrames take_frames);

// Keeps an idle session from being taken for dead: call about once a second.
class KeepAlive {
 public:
  void tick(net::Channel& channel, Time now);

 private:
  Time last_ping_;
  std::uint64_t nonce_ = 0;
};

// Tells the peer why, then closes.
void close_with(net::Channel& channel, const Error& reason);

}  // namespace bw::session
