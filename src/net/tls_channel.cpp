// SPDX-License-Identifier: Apache-2.0
#include "net/tls_channel.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/check.hpp"
#include "net/address.hpp"
#include "net/cancellation.hpp"

namespace bw::net {
namespace {

using boost::system::error_code;

// One recv() and one send() move this much at most: enough that their cost disappears beside that
// of the cipher, small enough to stay in the second-level cache.
constexpr std::size_t kReceiveBytes = 128 * 1024;
// Of a peer that is worth little attention: one record of TLS.
constexpr std::size_t kReceiveLittleBytes = TlsEngine::kRecordBytes;
constexpr std::size_t kSealBytes = 256 * 1024;
constexpr Duration kCloseDeadline = 1s;
constexpr std::size_t kIdleViews = 64;
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

// Used between two suspensions only, so all channels of a thread share them.
struct ThreadBuffers {
  Bytes received = Bytes(kReceiveBytes);
  Bytes sealed;
  ByteArray<TlsEngine::kRecordBytes> record;
};

ThreadBuffers& thread_buffers() {
  thread_local const auto buffers = std::make_unique<ThreadBuffers>();
  return *buffers;
}

bool would_block(const error_code& error) {
  return error == asio::error::would_block || error == asio::error::try_again ||
         error == asio::error::interrupted;
}

// True while it lives; a coroutine's frame may be destroyed at any await.
class Raised {
 public:
  explicit Raised(bool& flag) : flag_(flag) { flag_ = true; }
  ~Raised() { flag_ = false; }
  Raised(const Raised&) = delete;
  Raised& operator=(const Raised&) = delete;

 private:
  bool& flag_;
};

// Of a channel that moved to another thread: given back on that of its listener.
class LeaseElsewhere final : public Lease {
 public:
  LeaseElsewhere(std::unique_ptr<Lease> held, std::weak_ptr<asio::io_context> home)
      : held_(std::move(held)), home_(std::move(home)) {}
  ~LeaseElsewhere() override {
    if (const auto there = home_.lock()) asio::post(*there, [given_back = std::move(held_)] {});
  }
  LeaseElsewhere(const LeaseElsewhere&) = delete;
  LeaseElsewhere& operator=(const LeaseElsewhere&) = delete;
  void peer_is_trusted() override {}  // it was before the channel moved
  bool is_anywhere() const override { return true; }

 private:
  std::unique_ptr<Lease> held_;
  std::weak_ptr<asio::io_context> home_;
};

}  // namespace

Result<std::shared_ptr<TlsChannel>> TlsChannel::make(asio::ip::tcp::socket socket, TlsSide side,
                                                     std::unique_ptr<Lease> lease) {
  BW_TRY(auto engine, TlsEngine::make(side));
  return std::shared_ptr<TlsChannel>(
      new TlsChannel(std::move(socket), std::move(engine), std::move(lease)));
}

TlsChannel::TlsChannel(asio::ip::tcp::socket socket, std::unique_ptr<TlsEngine> engine,
                       std::unique_ptr<Lease> lease)
    : socket_(std::move(socket)),
      engine_(std::move(engine)),
      lease_(std::move(lease)),
      watch_(socket_.get_executor()),
      closing_timer_(socket_.get_executor()) {}

TlsChannel::~TlsChannel() = default;

// A handler that does nothing when the channel is gone.
template <class Then>
auto TlsChannel::weakly(Then then) {
  return [weak = weak_from_this(), then](const error_code& error = {}) {
    const auto self = std::static_pointer_cast<TlsChannel>(weak.lock());
    if (self) then(*self, error);
  };
}

Task<Result<void>> TlsChannel::open(asio::ip::tcp::endpoint endpoint, SteadyTime until) {
  const auto self = shared_from_this();
  watch(until);
  {
    const Raised waiting(waiting_);
    const auto [error] = co_await socket_.async_connect(endpoint, kAwait);
    if (timed_out_) co_return fail(ErrorCode::kUnavailable, "no answer in time");
    if (error) co_return fail(ErrorCode::kUnavailable, "{}", to_text(error));
  }
  co_return co_await shake_hands(until);
}

Task<Result<void>> TlsChannel::shake_hands(SteadyTime until) {
  const auto self = shared_from_this();
  error_code error;
  const auto endpoint = socket_.remote_endpoint(error);
  if (!error) socket_.non_blocking(true, error);
  if (!error) socket_.set_option(asio::ip::tcp::no_delay(true), error);
  if (error) co_return fail(ErrorCode::kUnavailable, "{}", to_text(error));
  peer_ = to_text(endpoint);

  deadline_ = until;
  if (auto begun = absorb({}); !begun) end(begun.error());
  while (!shaken_ && !ended_) {
    if (co_await is_cancelled()) end(Error{ErrorCode::kUnavailable, "cancelled"});
    if (receive() == Received::kNothing && !ended_) co_await wait_readable();
  }
  if (!shaken_) co_return tl::unexpected(*ended_);
  co_return Result<void>{};
}

Task<Result<std::span<const ByteView>>> TlsChannel::read(Duration deadline) {
  const auto self = shared_from_this();
  BW_ASSERT(shaken_ && !reading_);
  const Raised reading(reading_);
  frames_.clear();
  deadline_ = std::chrono::steady_clock::now() + deadline;
  bool others_had_a_turn = false;
  for (;;) {
    if (closing_) co_return fail(ErrorCode::kUnavailable, "{}: closed here", peer_);
    if (co_await is_cancelled()) co_return fail(ErrorCode::kUnavailable, "{}: cancelled", peer_);
    if (auto cut = received_.split(frame_limit_, frames_); !cut) end(cut.error());
    if (!frames_.empty()) co_return std::span<const ByteView>(frames_);
    if (ended_) co_return ended();
    if (receive() == Received::kNothing) {
      if (!ended_) co_await wait_readable();
      others_had_a_turn = true;
      continue;
    }
    // A peer that always has more must not keep the thread to itself.
    if (!others_had_a_turn) co_await asio::post(kAwait);
    others_had_a_turn = false;
    // A stranger has the deadline for a whole frame, however it drips.
    const bool trusted = frame_limit_ == limits::kFrameBytes;
    if (trusted) deadline_ = std::chrono::steady_clock::now() + deadline;
  }
}

TlsChannel::Received TlsChannel::receive() {
  Bytes& buffer = thread_buffers().received;
  const std::size_t most = appetite_ == Appetite::kMuch ? kReceiveBytes : kReceiveLittleBytes;
  error_code error;
  const std::size_t bytes = socket_.read_some(asio::buffer(buffer, most), error);
  if (would_block(error)) return Received::kNothing;
  if (error) {
    receive_failed(error);
    return Received::kNothing;
  }
  if (auto absorbed = absorb(ByteView(buffer).first(bytes)); !absorbed) end(absorbed.error());
  return Received::kSomething;
}

void TlsChannel::receive_failed(const error_code& error) {
  std::string_view where;
  if (received_.held() != 0) where = " in the middle of a frame";
  if (!shaken_) where = " during the TLS handshake";
  // A clean end is announced inside TLS; a bare TCP end may come from anybody on the way.
  const std::string what = error == asio::error::eof ? "connection cut" : to_text(error);
  end(Error{ErrorCode::kUnavailable, fmt::format("{}{}", what, where)});
}

// Takes all of `ciphertext`: the handshake first, then plaintext into received_. What TLS itself
// answers goes through sealed_.
Result<void> TlsChannel::absorb(ByteView ciphertext) {
  engine_->feed(ciphertext);
  if (!shaken_) {
    BW_TRY(shaken_, engine_->shake(sealed_));
    if (shaken_) {
      BW_TRY(exporter_, engine_->exporter());
    }
  }
  auto room = received_.room(std::max<std::size_t>(ciphertext.size(), 1));
  while (shaken_) {
    BW_TRY(const std::size_t bytes, engine_->open(room, sealed_));
    if (bytes == 0) break;
    received_.commit(bytes);
    room = room.subspan(bytes);
    // Only when a record that began earlier comes on top of what arrived now.
    if (room.empty()) room = received_.room(TlsEngine::kRecordBytes);
  }
  if (!sealed_.empty()) flush();
  if (engine_->peer_ended()) {
    end(Error{ErrorCode::kUnavailable, "the peer closed the connection"});
  }
  return {};
}

// Until there is something to receive, or a reason to look at the other flags.
Task<void> TlsChannel::wait_readable() {
  received_.shrink();
  if (frames_.capacity() > kIdleViews) std::vector<ByteView>().swap(frames_);
  const Raised waiting(waiting_);
  watch(deadline_);
  co_await socket_.async_wait(asio::socket_base::wait_read, kAwait);
  if (timed_out_) {
    end(Error{ErrorCode::kUnavailable,
              shaken_ ? "silent for too long" : "no TLS handshake in time"});
  }
}

void TlsChannel::watch(SteadyTime deadline) {
  deadline_ = deadline;
  if (watching_ && watch_.expiry() <= deadline) return;
  watching_ = true;
  watch_.expires_at(deadline);
  watch_.async_wait(weakly([](TlsChannel& self, const error_code& error) {
    if (!error) self.on_watch();
  }));
}

void TlsChannel::on_watch() {
  watching_ = false;
  if (!waiting_) return;
  if (std::chrono::steady_clock::now() < deadline_) return watch(deadline_);
  timed_out_ = true;
  error_code ignored;
  socket_.cancel(ignored);
}

ChannelPtr TlsChannel::move_to(asio::io_context& context, std::weak_ptr<asio::io_context> home) {
  BW_ASSERT(shaken_ && !reading_);
  error_code error;
  const auto protocol = socket_.local_endpoint(error).protocol();
  asio::ip::tcp::socket socket(context);
  // A connection that broke just now ends at its first read.
  if (!error && socket_.is_open()) socket.assign(protocol, socket_.release(error), error);
  if (!error) socket.non_blocking(true, error);
  if (lease_ && !lease_->is_anywhere()) {
    lease_ = std::make_unique<LeaseElsewhere>(std::move(lease_), std::move(home));
  }
  const std::shared_ptr<TlsChannel> moved(
      new TlsChannel(std::move(socket), std::move(engine_), std::move(lease_)));
  moved->peer_ = peer_;
  moved->exporter_ = exporter_;
  moved->shaken_ = true;
  moved->received_ = std::move(received_);
  moved->frame_limit_ = frame_limit_;
  moved->appetite_ = appetite_;
  moved->queue_ = std::exchange(queue_, {});
  moved->closing_ = closing_;
  moved->write_failed_ = write_failed_;
  moved->sealed_ = std::exchange(sealed_, {});
  moved->sealed_front_ = std::exchange(sealed_front_, 0);
  moved->ended_ = ended_;
  if (!moved->sealed_.empty() || !moved->queue_.empty()) moved->schedule_flush();
  end(Error{ErrorCode::kUnavailable, "moved to another thread"});
  return moved;
}

void TlsChannel::peer_is_trusted() {
  frame_limit_ = limits::kFrameBytes;
  if (lease_) lease_->peer_is_trusted();
}

void TlsChannel::send(SharedBytes frames, bool droppable) {
  if (!is_open() || frames->empty()) return;
  queue_.push(std::move(frames), droppable);
  schedule_flush();
}

std::size_t TlsChannel::queued_bytes() const {
  return queue_.bytes() + sealed_.size() - sealed_front_;
}

bool TlsChannel::is_open() const {
  return socket_.is_open() && !closing_ && !write_failed_;
}

// Not at once: what is sent in the same turn goes out together.
void TlsChannel::schedule_flush() {
  if (writable_awaited_ || std::exchange(flush_coming_, true)) return;
  asio::post(socket_.get_executor(), weakly([](TlsChannel& self, const error_code&) {
               self.flush_coming_ = false;
               self.flush();
             }));
}

void TlsChannel::flush() {
  if (writable_awaited_ || write_failed_ || ended_) return;
  if (!sealed_.empty()) {
    if (!write(ByteView(sealed_).subspan(sealed_front_))) return;
    Bytes().swap(sealed_);
    sealed_front_ = 0;
  }
  if (!queue_.empty()) {
    Bytes& out = thread_buffers().sealed;
    out.clear();
    if (auto done = seal_queue(out); !done) return end(done.error());
    if (!write(out)) return;
    if (!queue_.empty()) return schedule_flush();
  }
  if (closing_ && !end_said_) say_end();
}

// True when the system took everything. Else the rest is in sealed_ and goes on when it can.
bool TlsChannel::write(ByteView ciphertext) {
  error_code error;
  const std::size_t bytes =
      socket_.write_some(asio::buffer(ciphertext.data(), ciphertext.size()), error);
  if (error && !would_block(error)) {
    // The peer may have said why before it went: the reader will find out.
    write_failed_ = true;
    drop_queue();
    if (closing_) abort();
    return false;
  }
  if (bytes == ciphertext.size()) return true;
  if (sealed_.empty()) {
    sealed_.assign(ciphertext.begin() + static_cast<std::ptrdiff_t>(bytes), ciphertext.end());
  } else {
    sealed_front_ += bytes;
  }
  writable_awaited_ = true;
  socket_.async_wait(asio::socket_base::wait_write, weakly([](TlsChannel& self, const error_code&) {
                       self.writable_awaited_ = false;
                       self.flush();
                     }));
  return false;
}

Result<void> TlsChannel::seal_queue(Bytes& out) {
  while (!queue_.empty() && out.size() < kSealBytes) {
    const ByteView plaintext = queue_.front(thread_buffers().record);
    BW_CHECK(engine_->seal(plaintext, out));
    queue_.pop(plaintext.size());
  }
  return {};
}

void TlsChannel::drop_queue() {
  queue_.clear();
  Bytes().swap(sealed_);
  sealed_front_ = 0;
}

void TlsChannel::close() {
  if (closing_) return;
  if (!is_open() || !shaken_) return abort();
  closing_ = true;
  closing_timer_.expires_after(kCloseDeadline);
  // Holds the channel: it is to finish even when its owner has dropped it.
  closing_timer_.async_wait([self = shared_from_this()](const error_code& error) {
    if (!error) self->abort();
  });
  error_code ignored;
  socket_.cancel(ignored);  // wakes the reader; a waiting write looks again
  flush();
}

// Says that this was all, then reads on until the peer has closed too: a socket closed with unread
// bytes resets the connection, and the peer might lose our last frames.
void TlsChannel::say_end() {
  end_said_ = true;
  error_code ignored;
  Bytes notice;
  engine_->seal_end(notice);
  socket_.write_some(asio::buffer(notice), ignored);  // the end of TCP follows in any case
  socket_.shutdown(asio::socket_base::shutdown_send, ignored);
  discard();
}

void TlsChannel::discard() {
  socket_.async_wait(asio::socket_base::wait_read, weakly([](TlsChannel& self, const error_code&) {
                       if (self.ended_) return;
                       error_code error;
                       self.socket_.read_some(asio::buffer(thread_buffers().received), error);
                       if (error && !would_block(error)) return self.abort();
                       self.discard();
                     }));
}

void TlsChannel::abort() {
  closing_ = true;
  end(Error{ErrorCode::kUnavailable, "closed here"});
}

void TlsChannel::end(Error why) {
  if (ended_) return;
  ended_ = std::move(why);
  error_code ignored;
  // An alert of TLS, if one is ready.
  if (!sealed_.empty()) {
    const auto rest = ByteView(sealed_).subspan(sealed_front_);
    socket_.write_some(asio::buffer(rest.data(), rest.size()), ignored);
  }
  socket_.close(ignored);
  drop_queue();
  watch_.cancel();
  closing_timer_.cancel();
  lease_.reset();
}

tl::unexpected<Error> TlsChannel::ended() const {
  return fail(ended_->code, "{}: {}", peer_, ended_->message);
}

}  // namespace bw::net
