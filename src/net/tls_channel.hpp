// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "net/channel.hpp"
#include "net/frame_buffer.hpp"
#include "net/send_queue.hpp"
#include "net/tls_engine.hpp"

namespace bw::net {

using SteadyTime = std::chrono::steady_clock::time_point;

// What a listener counts a connection by: goes when the socket closes.
class Lease {
 public:
  virtual ~Lease() = default;
  virtual void peer_is_trusted() = 0;
  // Whether it may go on any thread, not on its listener's only.
  [[nodiscard]] virtual bool is_anywhere() const { return false; }
};

// The Channel over TCP. Socket and TLS meet in buffers of the thread, not of the channel: many
// records go through one system call, and an idle channel holds next to nothing.
//
// Whatever waits for the socket or a timer holds the channel weakly, so that dropping the last
// owner closes it; only close() keeps it alive, until its second is over.
class TlsChannel final : public Channel {
 public:
  // `lease` goes when the socket closes.
  static Result<std::shared_ptr<TlsChannel>> make(asio::ip::tcp::socket socket, TlsSide side,
                                                  std::unique_ptr<Lease> lease = nullptr);
  ~TlsChannel() override;

  // TCP, then TLS. Errors do not name the peer.
  Task<Result<void>> open(asio::ip::tcp::endpoint endpoint, SteadyTime until);
  Task<Result<void>> shake_hands(SteadyTime until);

  Hash exporter() const override { return exporter_; }
  std::string peer_address() const override { return peer_; }
  Task<Result<std::span<const ByteView>>> read(Duration deadline) override;
  void peer_is_trusted() override;
  void set_appetite(Appetite appetite) override { appetite_ = appetite; }
  void send(SharedBytes frames, bool droppable) override;
  void send_now() override { flush(); }
  std::uint64_t take_lost() override { return queue_.take_lost(); }
  std::size_t queued_bytes() const override;
  void close() override;
  void abort() override;
  bool is_open() const override;
  ChannelPtr move_to(asio::io_context& context, std::weak_ptr<asio::io_context> home) override;

 private:
  TlsChannel(asio::ip::tcp::socket socket, std::unique_ptr<TlsEngine> engine,
             std::unique_ptr<Lease> lease);

  // Receiving.
  enum class Received { kNothing, kSomething };
  Received receive();
  Result<void> absorb(ByteView ciphertext);
  void receive_failed(const boost::system::error_code& error);
  Task<void> wait_readable();

  // Sending.
  void schedule_flush();
  void flush();
  bool write(ByteView ciphertext);
  Result<void> seal_queue(Bytes& out);
  void drop_queue();

  // Deadline of the reader's wait: one timer, set again only when it has fired or is too late.
  void watch(SteadyTime deadline);
  void on_watch();

  // Ending.
  void end(Error why);
  tl::unexpected<Error> ended() const;
  void say_end();
  void discard();

  template <class Then>
  auto weakly(Then then);

  asio::ip::tcp::socket socket_;
  std::unique_ptr<TlsEngine> engine_;
  std::unique_ptr<Lease> lease_;
  std::string peer_;
  Hash exporter_;
  bool shaken_ = false;

  FrameBuffer received_;
  std::vector<ByteView> frames_;
  std::size_t frame_limit_ = limits::kHelloFrameBytes;
  bool reading_ = false;
  Appetite appetite_ = Appetite::kMuch;

  SendQueue queue_;
  Bytes sealed_;  // ciphertext that the system did not take yet
  std::size_t sealed_front_ = 0;
  bool flush_coming_ = false;
  bool writable_awaited_ = false;
  bool write_failed_ = false;

  asio::steady_timer watch_;
  SteadyTime deadline_;
  bool watching_ = false;
  bool waiting_ = false;  // in wait_readable() or connecting
  bool timed_out_ = false;

  asio::steady_timer closing_timer_;
  bool closing_ = false;        // close() was called
  bool end_said_ = false;       // everything is out, and the notice that it was all
  std::optional<Error> ended_;  // why nothing more will arrive; without the peer's name
};

}  // namespace bw::net
