// SPDX-License-Identifier: Apache-2.0
// Idle load for a router, to see what it holds for it: sessions without anything on them, or
// sessions with many subscriptions, each to a URI of its own. Says "ready" when all stand and ends
// with its standard input. Sessions without an agent above them: they would need its memory too.
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <unistd.h>

#include "agent/keystore.hpp"
#include "net/task_group.hpp"
#include "session/session.hpp"
#include "syndication/client_session.hpp"

namespace bw::bench {
namespace {

using syndication::ClientSession;

constexpr std::size_t kOpenedAtOnce = 32;
constexpr std::size_t kAskedAtOnce = 1000;

struct ScaleOptions {
  std::string router;  // host:port
  std::string router_key;
  std::string keystore;
  std::vector<std::string> names;   // of the keys that sessions show, in turn
  std::vector<std::string> proofs;  // files, one for each name
  std::string ns;
  std::size_t sessions = 1;
  std::size_t subscriptions = 0;  // all sessions together
};

Time now() {
  return std::chrono::floor<Duration>(std::chrono::system_clock::now());
}

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return *std::move(result);
}

// For the verification of deliveries, of which there are none.
class NoAuthority final : public wave::AuthorityView {
 public:
  [[nodiscard]] Result<std::optional<wave::EntityStatus>> entity(const EntityKey&) const override {
    return std::nullopt;
  }
  [[nodiscard]] Result<std::optional<wave::DotStatus>> dot(const ObjectId&) const override {
    return std::nullopt;
  }
  [[nodiscard]] Time heard_at() const override { return now(); }
  [[nodiscard]] Duration max_staleness(const EntityKey&) const override { return kPatient; }

 private:
  static constexpr Duration kPatient = limits::kDefaultStaleness;
};

// The n-th of a million: four cells, 32 bytes or so.
std::string uri(std::size_t n) {
  return fmt::format("building{}/floor{}/room{}/sensor{}", n / 10'000, n / 1000 % 10, n / 10 % 100,
                     n % 10);
}

class Scale {
 public:
  explicit Scale(ScaleOptions options)
      : options_(std::move(options)),
        router_(must(EntityKey::parse(options_.router_key))),
        tasks_(context_.get_executor()),
        input_(context_, ::dup(STDIN_FILENO)) {
    const auto keys = must(agent::Keystore::open(options_.keystore));
    for (const std::string& name : options_.names) keys_.push_back(must(keys->find(name)));
    for (const std::string& file : options_.proofs) proofs_.push_back(read_proof(file));
  }

  void run() {
    for (std::size_t i = 0; i < kOpenedAtOnce; ++i) tasks_.spawn(open_some());
    input_.async_wait(net::asio::posix::stream_descriptor::wait_read,
                      [this](const boost::system::error_code&) { context_.stop(); });
    context_.run();
    // Nobody is owed an orderly end, least of all ten thousand.
    std::cout.flush();
    std::_Exit(failed_ ? 1 : 0);
  }

 private:
  static std::shared_ptr<const wave::Proof> read_proof(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    return std::make_shared<const wave::Proof>(must(wave::parse_proof(as_bytes(bytes))));
  }

  net::Task<void> open_some() {
    while (opened_ < options_.sessions) {
      const std::size_t number = opened_++;
      const auto& key = keys_[number % keys_.size()];
      auto channel = co_await net::connect(options_.router, std::chrono::seconds(10));
      if (!channel) co_return give_up(channel.error());
      session::Self self{key.get(), syndication::Role::kAgent, {}};
      const auto peer =
          co_await session::open(*channel, std::move(self), router_, syndication::Role::kRouter);
      if (!peer) co_return give_up(peer.error());
      tasks_.spawn(serve(*channel, number));
      tasks_.spawn(keep_alive(*channel));
    }
  }

  // The session until its end, with its share of the subscriptions.
  net::Task<void> serve(net::ChannelPtr channel, std::size_t number) {
    std::optional<ClientSession> client;
    const std::size_t share = options_.subscriptions / options_.sessions;
    Share asking{channel, number, number * share, (number + 1) * share, 0};
    if (share > 0) {
      client.emplace(channel->exporter(), grants_, crypto::system_random());
      ask(*client, asking);
    } else {
      stands(1, options_.sessions);
    }
    session::OnFrames on_frames = [&](std::span<const ByteView> frames) -> Result<void> {
      if (!client) return {};
      BW_CHECK(client->receive(frames, now()));
      if (asking.open == 0) ask(*client, asking);
      return {};
    };
    give_up(co_await session::run(channel, std::move(on_frames)));
    if (client) client->end({ErrorCode::kUnavailable, "over"});
  }

  struct Share {
    net::ChannelPtr channel;
    std::size_t session;
    std::size_t next;
    std::size_t end;
    std::size_t open;  // not answered yet
  };

  void ask(ClientSession& client, Share& share) {
    syndication::Outgoing request;
    request.key = keys_[share.session % keys_.size()];
    request.proof = proofs_[share.session % proofs_.size()];
    request.topic = {must(EntityKey::parse(options_.ns)), wave::proof_hash(*request.proof), {}};
    request.type = syndication::MessageType::kSubscribe;
    for (; share.open < kAskedAtOnce && share.next < share.end; ++share.next) {
      request.topic.uri = must(wave::Pattern::parse(uri(share.next)));
      ++share.open;
      client.consume(request, {.on_message = nullptr,
                               .on_state =
                                   [this, &share](const Result<void>& state) {
                                     if (!state) return give_up(state.error());
                                     --share.open;
                                     stands(1, options_.subscriptions);
                                   },
                               .on_lost = nullptr});
    }
    Bytes out;
    client.flush(now(), out);
    if (!out.empty()) share.channel->send(std::move(out));
  }

  net::Task<void> keep_alive(net::ChannelPtr channel) {
    session::KeepAlive keep_alive;
    while (co_await net::sleep_for(limits::kPingInterval)) keep_alive.tick(*channel, now());
  }

  void stands(std::size_t more, std::size_t wanted) {
    standing_ += more;
    if (standing_ % (wanted / 5) == 0) std::cerr << "scale: " << standing_ << " stand" << std::endl;
    if (standing_ == wanted) std::cout << "ready" << std::endl;
  }

  void give_up(const Error& why) {
    std::cerr << "bench_scale: " << why.message << std::endl;
    failed_ = true;
    context_.stop();
  }

  ScaleOptions options_;
  EntityKey router_;
  NoAuthority authority_;
  syndication::GrantCache grants_{authority_, 1};
  net::asio::io_context context_{1};
  net::TaskGroup tasks_;
  net::asio::posix::stream_descriptor input_;
  std::vector<agent::KeyPtr> keys_;
  std::vector<std::shared_ptr<const wave::Proof>> proofs_;
  std::size_t opened_ = 0;
  std::size_t standing_ = 0;
  bool failed_ = false;
};

}  // namespace
}  // namespace bw::bench

int main(int argc, char** argv) try {
  using namespace bw::bench;
  ScaleOptions options;
  CLI::App app("Opens sessions with a router, and subscriptions on them, and leaves them idle");
  app.add_option("--router", options.router)->required();
  app.add_option("--router-key", options.router_key)->required();
  app.add_option("--keystore", options.keystore)->required();
  app.add_option("--as", options.names)->required();
  app.add_option("--proof", options.proofs);
  app.add_option("--namespace", options.ns);
  app.add_option("--sessions", options.sessions);
  app.add_option("--subscriptions", options.subscriptions);
  CLI11_PARSE(app, argc, argv);
  Scale(std::move(options)).run();
  return 0;
} catch (const std::exception& error) {
  std::cerr << "bench_scale: " << error.what() << std::endl;
  return 1;
}
