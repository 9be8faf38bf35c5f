// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unordered_map>

#include "base/check.hpp"
#include "net/task_group.hpp"
#include "replica/replica.hpp"
#include "session/session.hpp"
#include "syndication/testing/memory_message_store.hpp"
#include "syndication/testing/single_router.hpp"

namespace bw::agent::testing {

// A router that keeps a log of all it handles: every frame that comes out of TLS, every frame that
// it sends, and everything that it stores. Otherwise an honest one, over real sockets.
class LoggingRouter final : public syndication::RouterOutput {
 public:
  LoggingRouter(net::asio::io_context& io, replica::Replica& node, const crypto::SigningKey& own,
                const Clock& wall_clock)
      : key_(own),
        clock_(wall_clock),
        tasks_(io.get_executor()),
        store_(log),
        core_(node, [](const EntityKey&) { return true; }, store_, *this, {}) {
    auto bound = net::Listener::bind(io, "127.0.0.1:0");
    BW_ASSERT(bound.has_value());
    listener_ = *std::move(bound);
    tasks_.spawn(listener_->run(
        [this](net::ChannelPtr channel) { tasks_.spawn(serve(std::move(channel))); }));
  }

  net::Task<void> stop() {
    listener_->stop();
    for (const auto& [id, channel] : channels_) channel->close();
    tasks_.cancel();
    co_await tasks_.join();
  }

  [[nodiscard]] std::string address() const { return listener_->address(); }
  [[nodiscard]] bool has_handled(std::string_view text) const {
    return as_text(log).find(text) != std::string_view::npos;
  }
  // Forgets all that it stored but the first so many messages.
  void go_back_to(std::size_t messages) { store_.go_back_to(messages); }
  // Called before it answers a question for what is stored.
  void on_query(std::function<void()> action) { store_.on_query = std::move(action); }

  Bytes log;

 private:
  class LoggingStore final : public syndication::MessageStore {
   public:
    explicit LoggingStore(Bytes& log) : log_(log) {}
    Result<std::vector<Result<void>>> put(
        const std::vector<syndication::StoredMessage>& messages) override {
      for (const auto& message : messages) {
        append(log_, message.batch);
        all_.push_back(message);
      }
      return under_.put(messages);
    }
    Result<void> query(
        const EntityKey& ns, const wave::Pattern& pattern, Time now,
        const std::function<bool(const syndication::StoredMessage&)>& visit) const override {
      if (on_query) on_query();
      return under_.query(ns, pattern, now, visit);
    }
    Result<std::vector<std::string>> children(const EntityKey& ns, const wave::Pattern& pattern,
                                              Time now, std::size_t most) const override {
      return under_.children(ns, pattern, now, most);
    }
    Result<std::uint64_t> used_bytes(const ObjectId& dot) const override {
      return under_.used_bytes(dot);
    }
    Result<std::size_t> purge(Time now) override { return under_.purge(now); }

    void go_back_to(std::size_t messages) {
      all_.resize(messages);
      under_ = {};
      BW_ASSERT(under_.put(all_).has_value());
    }
    std::function<void()> on_query;

   private:
    Bytes& log_;
    std::vector<syndication::StoredMessage> all_;
    syndication::testing::MemoryMessageStore under_;
  };

  void send(syndication::SessionId session, syndication::SharedFrames frames,
            bool droppable) override {
    append(log, *frames);
    const auto found = channels_.find(session);
    if (found != channels_.end()) found->second->send(std::move(frames), droppable);
  }
  void close(syndication::SessionId session, const Error& reason) override {
    const auto found = channels_.find(session);
    if (found != channels_.end()) session::close_with(*found->second, reason);
  }
  void ended(syndication::SessionId, const EntityKey&, std::uint64_t) override {}

  net::Task<void> serve(net::ChannelPtr channel) {
    session::Self self{&key_, syndication::Role::kRouter, {}};
    const auto peer = co_await session::accept(
        channel, std::move(self), [](const session::Peer&) -> Result<void> { return {}; });
    if (!peer) co_return;
    const syndication::SessionId id = ++sessions_;
    channels_.emplace(id, channel);
    core_.open(id, peer->key, channel->exporter(), clock_.now());
    session::OnFrames on_frames = [this, id](std::span<const ByteView> frames) -> Result<void> {
      for (const ByteView frame : frames) append(log, frame);
      core_.receive(id, frames, clock_.now());
      return {};
    };
    static_cast<void>(co_await session::run(channel, std::move(on_frames)));
    core_.closed(id);
    channels_.erase(id);
  }

  const crypto::SigningKey& key_;
  const Clock& clock_;
  std::unordered_map<syndication::SessionId, net::ChannelPtr> channels_;
  syndication::SessionId sessions_ = 0;
  net::TaskGroup tasks_;
  LoggingStore store_;
  syndication::testing::SingleRouter core_;
  std::unique_ptr<net::Listener> listener_;
};

}  // namespace bw::agent::testing
