// SPDX-License-Identifier: Apache-2.0
// Three processes for the time that a revocation takes to bite; bench/revoke.py drives them by
// lines.
//   bench_revoke submit      grants the rooms to the subscriber first and says "granted ENTRIES";
//                            "revoke ROOM" is answered, as soon as the ledger has accepted it, by
//                            "accepted ROOM NANOSECONDS".
//   bench_revoke publish     publishes at a steady rate: half to one room, half to all in turn.
//                            "target ROOM" chooses the one.
//   bench_revoke subscribe   subscribes to every room as one entity; says "ready", and for each
//                            subscription that ends "ended ROOM NANOSECONDS"; "last ROOM" is
//                            answered by "last ROOM NANOSECONDS", when its newest message came
//                            (0: never).
#include <exception>
#include <iostream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/streambuf.hpp>
#include <unistd.h>

#include "programs/embedded_agent.hpp"
#include "programs/load.hpp"
#include "syndication/message.hpp"

namespace bw::bench {
namespace {

namespace asio = net::asio;

constexpr std::uint32_t kPayloadType = 0x40000100;
constexpr std::chrono::milliseconds kTurn{1};
constexpr std::size_t kGrantsInOneGo = 512;

struct RevokeOptions {
  AgentOptions agents;
  std::string ns;          // keystore name of the namespace
  std::string subscriber;  // and of the entity that subscribes
  std::size_t rooms = 0;
};

wave::Pattern room(std::size_t number) {
  return wave::Pattern::parse(fmt::format("room/{}", number)).value();
}

// Standard input by lines, "WORD NUMBER"; the end of it stops the process.
class Commands {
 public:
  using Handler = std::function<void(const std::string& word, std::size_t number)>;
  Commands(asio::io_context& context, Handler handler)
      : context_(context), input_(context, ::dup(STDIN_FILENO)), handler_(std::move(handler)) {
    read();
  }

 private:
  void read() {
    asio::async_read_until(input_, buffer_, '\n',
                           [this](const boost::system::error_code& error, std::size_t) {
                             if (error) return context_.stop();
                             std::istream lines(&buffer_);
                             std::string word;
                             std::size_t number = 0;
                             lines >> word >> number;
                             lines.ignore();
                             handler_(word, number);
                             read();
                           });
  }

  asio::io_context& context_;
  asio::posix::stream_descriptor input_;
  asio::streambuf buffer_;
  Handler handler_;
};

class Subscriber {
 public:
  Subscriber(EmbeddedAgents& agents, const RevokeOptions& options)
      : agents_(agents), last_(options.rooms) {
    const EntityKey ns = agents.resolve(options.ns);
    for (std::size_t i = 0; i < last_.size(); ++i) {
      agents_.at(0).subscribe(
          {.key = agents_.key(0), .ns = ns, .pattern = room(i)},
          {.on_message = [this, i](const agent::Received&) { last_[i] = now_ns(); },
           .on_event = [this](const agent::SubscriptionEvent& event) { told(event); },
           .on_end =
               [i](const Result<void>&) {
                 std::cout << "ended " << i << " " << now_ns() << std::endl;
               }});
    }
  }

  void command(const std::string& word, std::size_t number) {
    if (word == "last") std::cout << "last " << number << " " << last_.at(number) << std::endl;
  }

 private:
  void told(const agent::SubscriptionEvent& event) {
    if (event.kind != agent::SubscriptionEvent::Kind::kStanding) {
      std::cerr << event.text << std::endl;
    } else if (++standing_ == last_.size()) {
      std::cout << "ready" << std::endl;
    }
  }

  EmbeddedAgents& agents_;
  std::vector<Nanos> last_;
  std::size_t standing_ = 0;
};

class Publisher {
 public:
  Publisher(EmbeddedAgents& agents, const RevokeOptions& options)
      : agents_(agents), timer_(agents.context()), rooms_(options.rooms) {
    value_.ns = agents.resolve(options.ns);
    value_.payload = syndication::encode_payload({{kPayloadType, Bytes(kPayloadBytes)}});
    timer_.expires_after(kTurn);
    turn();
  }

  void command(const std::string& word, std::size_t number) {
    if (word == "target") target_ = number;
  }

 private:
  void turn() {
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (error) return;
      std::vector<agent::Value> values(2, value_);
      values[0].uri = room(target_);
      values[1].uri = room(next_++ % rooms_);
      agents_.at(0).publish(agents_.key(0), std::move(values),
                            [](const std::vector<Result<void>>& outcomes) {
                              for (const auto& outcome : outcomes) {
                                if (!outcome) std::cerr << outcome.error().message << std::endl;
                              }
                            });
      timer_.expires_at(timer_.expiry() + kTurn);
      turn();
    });
  }

  EmbeddedAgents& agents_;
  asio::steady_timer timer_;
  std::size_t rooms_;
  agent::Value value_;
  std::size_t target_ = 0;
  std::size_t next_ = 0;
};

class Submitter {
 public:
  Submitter(EmbeddedAgents& agents, const RevokeOptions& options)
      : agents_(agents), dots_(options.rooms) {
    const auto keys = agent::Keystore::open(options.agents.keystore).value();
    granter_ = keys->find(options.ns).value();
    grantee_ = keys->find(options.subscriber).value()->public_key();
    grant(0, 0);
  }

  void command(const std::string& word, std::size_t number) {
    if (word == "revoke") revoke(number);
  }

 private:
  // All rooms from `first` on, some at a time; the ledger has `entries` so far.
  void grant(std::size_t first, std::uint64_t entries) {
    if (first >= dots_.size()) {
      std::cout << "granted " << entries << std::endl;
      return;
    }
    std::vector<Bytes> objects;
    const std::size_t end = std::min(first + kGrantsInOneGo, dots_.size());
    for (std::size_t i = first; i < end; ++i) {
      const auto dot = grant_of(i);
      dots_[i] = dot.id;
      objects.push_back(dot.bytes);
    }
    submit(std::move(objects), [this, end](std::uint64_t size) { grant(end, size); });
  }

  [[nodiscard]] wave::Signed<wave::Dot> grant_of(std::size_t number) const {
    const Time now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    return wave::sign(wave::Dot{.granter = granter_->public_key(),
                                .grantee = grantee_,
                                .ns = granter_->public_key(),
                                .permissions = wave::Permissions::of(wave::Permissions::kConsume),
                                .created = now,
                                .not_before = now,
                                .expires = kNever,
                                .revokers = {},
                                .pattern = room(number),
                                .comment = {},
                                .conditions = {}},
                      *granter_)
        .value();
  }

  void revoke(std::size_t number) {
    const Time now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    const auto revocation = wave::sign(wave::Revocation{.revoker = granter_->public_key(),
                                                        .target = dots_.at(number).bytes,
                                                        .created = now,
                                                        .comment = {}},
                                       *granter_)
                                .value();
    submit({revocation.bytes}, [number](std::uint64_t) {
      std::cout << "accepted " << number << " " << now_ns() << std::endl;
    });
  }

  // `done` gets the size of the ledger after the last of `objects`, on the agents' thread.
  void submit(std::vector<Bytes> objects, std::function<void(std::uint64_t)> done) {
    agents_.ledger().submit(
        std::move(objects),
        [done = std::move(done)](Result<std::vector<ledger::Submitted>> outcomes) {
          if (!outcomes) throw std::runtime_error(outcomes.error().message);
          for (const ledger::Submitted& outcome : *outcomes) {
            if (!outcome.index) throw std::runtime_error(outcome.refusal.message);
          }
          done(*outcomes->back().index + 1);
        });
  }

  EmbeddedAgents& agents_;
  agent::KeyPtr granter_;
  EntityKey grantee_;
  std::vector<ObjectId> dots_;
};

template <class Role>
void run(RevokeOptions options) {
  EmbeddedAgents agents(options.agents);
  agents.start();
  Role role(agents, options);
  const Commands commands(agents.context(), [&](const std::string& word, std::size_t number) {
    role.command(word, number);
  });
  agents.context().run();
}

}  // namespace
}  // namespace bw::bench

int main(int argc, char** argv) try {
  using namespace bw::bench;
  RevokeOptions options;
  CLI::App app("Subscribes to rooms, publishes on them, or grants and revokes them");
  app.require_subcommand(1);
  app.fallthrough();
  const auto* subscribe = app.add_subcommand("subscribe");
  const auto* publish = app.add_subcommand("publish");
  app.add_subcommand("submit");
  app.add_option("--dir", options.agents.directory)->required();
  app.add_option("--ledger", options.agents.ledger)->required();
  app.add_option("--ledger-key", options.agents.ledger_key)->required();
  app.add_option("--entries", options.agents.entries)->required();
  app.add_option("--keystore", options.agents.keystore)->required();
  app.add_option("--as", options.agents.names)->required();
  app.add_option("--namespace", options.ns)->required();
  app.add_option("--subscriber", options.subscriber)->required();
  app.add_option("--rooms", options.rooms)->required();
  CLI11_PARSE(app, argc, argv);
  if (subscribe->parsed()) {
    run<Subscriber>(std::move(options));
  } else if (publish->parsed()) {
    run<Publisher>(std::move(options));
  } else {
    run<Submitter>(std::move(options));
  }
  return 0;
} catch (const std::exception& error) {
  std::cerr << "bench_revoke: " << error.what() << std::endl;
  return 1;
}
