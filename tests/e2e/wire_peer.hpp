// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>

#include "net/channel.hpp"
#include "net/task_group.hpp"
#include "say.hpp"
#include "session/session.hpp"
#include "site.hpp"
#include "syndication/handshake.hpp"

// Those who speak the wire protocol themselves, with the keys they hold, and keep to no rule but
// what a test says.
namespace bw::e2e {

// An event loop with a thread of its own.
class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Does it on the loop's thread and waits for it.
  template <class Action>
  auto on(Action action) {
    using T = std::invoke_result_t<Action>;
    std::packaged_task<T()> task(std::move(action));
    auto done = task.get_future();
    net::asio::post(io_, [&task] { task(); });
    return done.get();
  }
  template <class T>
  T run(net::Task<T> task) {
    return net::asio::co_spawn(io_, std::move(task), net::asio::use_future).get();
  }
  net::asio::io_context& io() { return io_; }

 private:
  net::asio::io_context io_{1};
  net::asio::executor_work_guard<net::asio::io_context::executor_type> work_{io_.get_executor()};
  std::thread thread_{[this] { io_.run(); }};
};

crypto::SigningKey new_key();
// A key that this test holds, its entity registered.
crypto::SigningKey registered_key(RunningNode& node);
wave::Entity entity_statement(const EntityKey& key);
// A DoT that is good in form; `ns` grants to `grantee` by default.
wave::Dot dot_statement(const EntityKey& granter, const EntityKey& grantee, const EntityKey& ns,
                        const std::string& pattern, const std::string& permissions,
                        std::uint8_t ttl = 0);

// A channel to some server: TLS, and no more until it is told.
class WirePeer {
 public:
  WirePeer(Loop& loop, const std::string& address);
  ~WirePeer();
  WirePeer(const WirePeer&) = delete;
  WirePeer& operator=(const WirePeer&) = delete;

  // The hello, as an agent, to a router; the peer's frames are collected from then on.
  Result<session::Peer> open(const crypto::SigningKey& key, const EntityKey& router);
  // Collects frames without any hello.
  void listen();

  [[nodiscard]] Hash exporter();
  // A hello of one's own making; what answers it is server_hello() or the end.
  void send_hello(const wire::Hello& hello);
  std::optional<wire::Hello> server_hello();
  // Bytes as they are.
  void send(Bytes bytes);
  template <class T>
  void send_frame(const T& frame) {
    Bytes bytes;
    wire::encode_frame(frame, bytes);
    send(std::move(bytes));
  }

  // ---- as an agent
  std::uint64_t attach(const crypto::SigningKey& key, std::optional<std::uint64_t> id = {});
  // One batch with this message; PROOF and TOPIC frames go before it as needed.
  wire::RequestId say(std::uint64_t stream, const crypto::SigningKey& signer, const Say& message);
  // The frame of such a batch, and what must go before it has been sent.
  Bytes batch_frame(std::uint64_t stream, const crypto::SigningKey& signer, const Say& message,
                    const wire::BatchHeader* header = nullptr);
  [[nodiscard]] std::uint64_t last_sequence(std::uint64_t stream) const {
    return sequences_.at(stream);
  }

  // ---- what came
  // The stable name of the error in the answer to a request; empty for success; "no answer".
  std::string answer(const wire::RequestId& id);
  // The same for a value, which is only acknowledged when all is well.
  std::string outcome(const wire::RequestId& id);
  std::optional<Error> ended();
  // The stable name of the reason why the session ended; "open" when it does not end.
  std::string waits_for_end(Duration patience = kPatience);
  std::optional<Error> detached(std::uint64_t stream);
  // "cell/cell=payload" of values that came, live or stored.
  std::vector<std::string> heard();
  bool waits_for(const std::string& line, Duration patience = kPatience);
  std::vector<std::string> names();  // answers to lists
  std::vector<wire::BatchHeader> headers();
  // True once the peer has answered a ping sent now: it has seen all that went before.
  bool is_alive();

 private:
  net::Task<void> collect();
  void take(const wire::ParsedFrame& parsed);
  void take_batch(ByteView bytes, const std::string* uri);

  Loop& loop_;
  net::ChannelPtr channel_;
  std::unique_ptr<net::TaskGroup> tasks_;
  std::map<std::uint64_t, std::uint64_t> sequences_;
  std::map<std::uint64_t, std::uint32_t> topics_;
  std::uint64_t pings_ = 0;

  // On the loop's thread.
  std::map<wire::RequestId, std::optional<Error>> answers_;
  std::map<std::uint64_t, std::uint64_t> acks_;
  std::map<std::uint64_t, Error> detached_;
  std::map<std::pair<std::uint64_t, std::uint32_t>, std::string> uris_;
  std::vector<std::string> heard_;
  std::vector<std::string> names_;
  std::vector<wire::BatchHeader> headers_;
  std::optional<Error> ended_;
  std::uint64_t ponged_ = 0;
  std::optional<wire::Hello> server_hello_;
};

}  // namespace bw::e2e
