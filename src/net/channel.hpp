// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "base/bytes.hpp"
#include "base/id.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

// A TLS 1.3 channel that carries length-prefixed frames. Knows nothing of entities or messages: the
// handshake above it binds the exporter value to keys.
namespace bw::net {

namespace asio = boost::asio;

template <class T>
using Task = asio::awaitable<T>;

// Immutable bytes shared by every channel that sends them (a fan-out has one copy).
using SharedBytes = std::shared_ptr<const Bytes>;

// Lives on one io_context thread: every call is made there. Closed channels ignore sends.
class Channel : public std::enable_shared_from_this<Channel> {
 public:
  virtual ~Channel() = default;

  // 32 bytes that only the two ends of this TLS connection know (RFC 9266).
  [[nodiscard]] virtual Hash exporter() const = 0;
  [[nodiscard]] virtual std::string peer_address() const = 0;

  // Every whole frame that has arrived (type and body, without length), at least one; the views
  // hold until the next call. kUnavailable when the peer closed or was silent for `deadline`,
  // kTooLarge for a frame above the limit, kMalformed for an empty frame or bytes that are not TLS,
  // kLimited for abuse of TLS: then the channel is closed. Until peer_is_trusted() a whole frame
  // must come within `deadline`; after it, any bytes end the silence. One reader at a time.
  // kUnavailable, too, when the calling task is cancelled: then the channel stays open.
  virtual Task<Result<std::span<const ByteView>>> read(Duration deadline) = 0;

  // Frames are limited to kHelloFrameBytes until this is called.
  virtual void peer_is_trusted() = 0;

  // How much of what has arrived is taken in before others on the thread have their turn: as much
  // as makes the system calls cheap, or little, which costs a peer that sends much some speed.
  enum class Appetite : std::uint8_t { kMuch, kLittle };
  virtual void set_appetite(Appetite appetite) = 0;  // kMuch at first

  // Queues bytes that hold whole frames with their lengths. What is queued while a write is under
  // way goes out together with the next.
  //
  // `droppable` entries are those a slow peer may lose: above kSessionQueueBytes the oldest of them
  // goes for each new one.
  virtual void send(SharedBytes frames, bool droppable) = 0;
  void send(Bytes frames) { send(std::make_shared<const Bytes>(std::move(frames)), false); }
  // Writes what is queued at once, not when all that is ready has had its turn: for whoever knows
  // that nothing more will be sent now.
  virtual void send_now() = 0;
  // How many droppable entries were lost since the last call.
  virtual std::uint64_t take_lost() = 0;
  // Bytes queued and not yet handed to the system: the measure of a slow consumer.
  [[nodiscard]] virtual std::size_t queued_bytes() const = 0;

  // Sends what is queued (for a second at most), then closes. A reader is woken at once. Goes on
  // when the channel is dropped. Idempotent.
  virtual void close() = 0;
  // Closes at once, as dropping the channel does.
  virtual void abort() = 0;
  // The same connection on another context, whose thread it then belongs to: to be called on this
  // one's thread, with a trusted peer, while nobody reads. This one ends. What stands for the
  // connection at its listener is given back on the listener's context, `home` (of the first move),
  // or anywhere once that is gone.
  virtual std::shared_ptr<Channel> move_to(asio::io_context& context,
                                           std::weak_ptr<asio::io_context> home) = 0;
  [[nodiscard]] virtual bool is_open() const = 0;
};

using ChannelPtr = std::shared_ptr<Channel>;

// "host:port" or "[v6]:port". kUnavailable names the address and what failed.
Task<Result<ChannelPtr>> connect(std::string address, Duration deadline);

// A connection is a stranger until its peer is trusted: TLS, then the hello. An address (one
// source) is an IPv4 address or an IPv6 /64.
struct ListenerLimits {
  std::size_t connections = 20'000;
  std::size_t per_address = 10'000;
  std::size_t strangers = 256;
  std::size_t strangers_per_address = 64;
  double arrivals_per_second = 200;  // new connections from one address
  double arrivals_burst = 1000;
  Duration handshake_deadline = limits::kHandshakeDeadline;  // for TLS; the hello has its own
};

// Accepts connections and shakes hands with each apart from the others, under a deadline, so that a
// silent client delays nobody. The certificate is thrown away with the process: trust comes from
// the exporter, not from it.
//
// Nobody waits for a place: where strangers have taken all of them, the newcomer gets that of the
// one who has been a stranger longest among those of the address with most strangers. Connections
// above arrivals_per_second, or above what trusted peers leave, are closed at once.
class Listener {
 public:
  // Binds at once; kIo names the address and the reason. Port 0 picks a free one.
  static Result<std::unique_ptr<Listener>> bind(asio::io_context& context,
                                                const std::string& address,
                                                ListenerLimits limits = {});
  virtual ~Listener() = default;
  // As bound, with the real port.
  [[nodiscard]] virtual std::string address() const = 0;
  // Runs until stop() or cancellation, and must have returned before the listener goes: calls
  // `on_channel` on the context's thread for each channel. Channels given out live on.
  virtual Task<void> run(std::function<void(ChannelPtr)> on_channel) = 0;
  virtual void stop() = 0;
  // Accepted and not yet closed, strangers included. Any thread.
  [[nodiscard]] virtual std::size_t open_connections() const = 0;

  struct Stats {
    std::uint64_t accepted = 0;
    std::uint64_t refused = 0;    // over a limit, closed at once
    std::uint64_t displaced = 0;  // strangers that had to make room
  };
  // Any thread; each number by itself.
  [[nodiscard]] virtual Stats stats() const = 0;
};

}  // namespace bw::net
