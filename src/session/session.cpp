// SPDX-License-Identifier: Apache-2.0
#include "session/session.hpp"

#include <vector>

#include "base/limits.hpp"
#include "net/task_group.hpp"
#include "syndication/handshake.hpp"

namespace bw::session {
namespace {

namespace wire = syndication;

// A peer that asks on without taking the answers is not read from any more. Deliveries, which it
// may lose, keep below kSessionQueueBytes by themselves.
constexpr std::size_t kMostUntaken = limits::kSessionQueueBytes + 16 * 1024 * 1024;
constexpr Duration kLookAgain = 5ms;

bool is_control(ByteView frame) {
  const wire::FrameType type = wire::frame_type(frame);
  return type == wire::FrameType::kPing || type == wire::FrameType::kPong ||
         type == wire::FrameType::kError;
}

void send_hello(net::Channel& channel, wire::FrameType type, const wire::Hello& hello) {
  Bytes out;
  wire::encode_hello(type, hello, out);
  channel.send(std::move(out));
}

// The peer's hello: the only frame that may come before trust. Copied, since the views go with the
// next read.
net::Task<Result<wire::Hello>> read_hello(net::Channel& channel, wire::FrameType expected) {
  const auto frames = co_await channel.read(limits::kHandshakeDeadline);
  if (!frames) co_return fail(frames.error());
  auto parsed = wire::parse_frame(frames->front());
  if (!parsed) co_return fail(std::move(parsed).error());
  if (parsed->type == wire::FrameType::kError) {
    co_return fail(std::get<wire::ErrorFrame>(parsed->frame).error);
  }
  if (parsed->type == expected && frames->size() > 1) {
    // Let in, and sent away at once.
    const auto next = wire::parse_frame((*frames)[1]);
    const auto* error = next ? std::get_if<wire::ErrorFrame>(&next->frame) : nullptr;
    if (error != nullptr) co_return fail(error->error);
  }
  if (parsed->type != expected || frames->size() != 1) {
    co_return fail(ErrorCode::kMalformed, "session: expected a hello first and alone, got {}",
                   wire::frame_name(parsed->type));
  }
  co_return std::get<wire::Hello>(std::move(parsed->frame));
}

// Success to go on, or the reason why the peer ends the session.
Result<void> handle_control(net::Channel& channel, ByteView frame) {
  BW_TRY(const auto parsed, wire::parse_frame(frame));
  if (const auto* error = std::get_if<wire::ErrorFrame>(&parsed.frame)) return fail(error->error);
  if (const auto* ping = std::get_if<wire::Ping>(&parsed.frame)) {
    Bytes out;
    wire::encode_frame(wire::Pong{ping->nonce}, out);
    channel.send(std::move(out));
  }
  return {};
}

// Hands the frames on in runs between control frames, so that order is kept.
Result<void> dispatch(net::Channel& channel, std::span<const ByteView> frames,
                      const OnFrames& on_frames) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    if (!is_control(frames[i])) continue;
    if (i > begin) BW_CHECK(on_frames(frames.subspan(begin, i - begin)));
    BW_CHECK(handle_control(channel, frames[i]));
    begin = i + 1;
  }
  return begin < frames.size() ? on_frames(frames.subspan(begin)) : Result<void>{};
}

// False when the peer took nothing for so long that it must be dead, or the task was cancelled.
net::Task<bool> answers_taken(net::Channel& channel) {
  Duration waited{};
  while (channel.is_open() && channel.queued_bytes() > kMostUntaken) {
    if (waited >= limits::kPeerSilence || !co_await net::sleep_for(kLookAgain)) co_return false;
    waited += kLookAgain;
  }
  co_return true;
}

net::Task<Result<std::span<const ByteView>>> next_frames(net::Channel& channel) {
  if (channel.queued_bytes() > kMostUntaken && !co_await answers_taken(channel)) {
    channel.abort();
    co_return fail(ErrorCode::kUnavailable, "session: the peer takes no answers");
  }
  co_return co_await channel.read(limits::kPeerSilence);
}

}  // namespace

void close_with(net::Channel& channel, const Error& reason) {
  Bytes out;
  wire::encode_frame(wire::ErrorFrame{reason}, out);
  channel.send(std::move(out));
  channel.close();
}

net::Task<Result<Peer>> open(net::ChannelPtr channel, Self self, EntityKey server,
                             wire::Role server_role) {
  const Hash exporter = channel->exporter();
  send_hello(*channel, wire::FrameType::kClientHello,
             wire::client_hello(exporter, self.role, self.key, server, server_role, self.head));
  auto hello = co_await read_hello(*channel, wire::FrameType::kServerHello);
  const EntityKey self_key = self.key == nullptr ? EntityKey{} : self.key->public_key();
  auto checked =
      hello ? wire::check_server(*hello, exporter, server, server_role, self_key, self.role)
            : Result<void>(fail(hello.error()));
  if (!checked) {
    channel->abort();
    co_return fail(std::move(checked).error());
  }
  channel->peer_is_trusted();
  co_return Peer{hello->self, hello->role, std::move(hello->head)};
}

net::Task<Result<Peer>> accept(net::ChannelPtr channel, Self self, Welcome welcome) {
  const Hash exporter = channel->exporter();
  auto hello = co_await read_hello(*channel, wire::FrameType::kClientHello);
  auto checked = hello ? wire::check_client(*hello, exporter, self.key->public_key(), self.role)
                       : Result<void>(fail(hello.error()));
  if (checked) checked = welcome(Peer{hello->self, hello->role, hello->head});
  if (!checked) {
    close_with(*channel, checked.error());
    co_return fail(std::move(checked).error());
  }
  send_hello(*channel, wire::FrameType::kServerHello,
             wire::server_hello(exporter, self.role, *self.key, *hello, self.head));
  channel->peer_is_trusted();
  co_return Peer{hello->self, hello->role, std::move(hello->head)};
}

net::Task<Error> run(net::ChannelPtr channel, OnFrames on_frames) {
  for (;;) {
    const auto frames = co_await next_frames(*channel);
    if (!frames) co_return frames.error();
    const auto handled = dispatch(*channel, *frames, on_frames);
    if (!handled) {
      close_with(*channel, handled.error());
      co_return handled.error();
    }
  }
}

net::Task<std::optional<Error>> serve(net::ChannelPtr channel, TakeFrames take_frames) {
  for (;;) {
    const auto frames = co_await next_frames(*channel);
    if (!frames) co_return frames.error();
    if (!co_await take_frames(*frames)) co_return std::nullopt;
  }
}

void KeepAlive::tick(net::Channel& channel, Time now) {
  const bool clock_went_back = now < last_ping_;
  if (!clock_went_back && now - last_ping_ < limits::kPingInterval) return;
  last_ping_ = now;
  Bytes out;
  wire::encode_frame(wire::Ping{++nonce_}, out);
  channel.send(std::move(out));
}

}  // namespace bw::session
