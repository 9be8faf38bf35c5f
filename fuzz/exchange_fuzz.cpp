// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "base/check.hpp"
#include "codec/reader.hpp"
#include "syndication/testing/exchange.hpp"

using namespace bw;
using namespace bw::syndication;
using syndication::testing::Exchange;

namespace {

// An agent that publishes and one that subscribes, over a router; whoever sits between them and
// the router alters, drops, repeats and invents frames. Sessions that end are opened again.
class Tampered {
 public:
  explicit Tampered(codec::Reader& script) : script_(script) {
    for (const char* name : {"home", "guest"}) exchange_.agent(name);
    subscribe();
    exchange_.settle();
  }

  void step() {
    const unsigned what = script_.u8();
    const std::string name = (what & 1U) != 0 ? "home" : "guest";
    Exchange::Agent& agent = exchange_.agent(name);
    const auto said = agent.errors.size();
    switch (what >> 1U & 7U) {
      case 0:
        publish(MessageType::kPublish);
        break;
      case 1:
        publish(MessageType::kPersist);
        break;
      case 2:
        subscribe();
        break;
      case 3:
        exchange_.flush(agent);
        break;
      case 4:
        exchange_.hear(agent);
        break;
      case 5:
        to_router(agent);
        break;
      case 6:
        to_agent(agent);
        break;
      default:
        exchange_.pass(std::chrono::seconds(script_.u8()));
    }
    if (agent.errors.size() > said) exchange_.reopen(name);
  }

 private:
  Outgoing from_home(MessageType type, std::string_view uri, std::string_view payload) {
    return exchange_.cast.message("home", type, "home", uri, testing::Cast::proof(), payload);
  }
  void publish(MessageType type) {
    const std::string payload = std::to_string(++published_);
    exchange_.agent("home").session->send_value(from_home(type, "a/b", payload), {});
  }
  void subscribe() {
    Outgoing request = from_home(MessageType::kSubscribe, "a/+", {});
    request.replay = true;
    const auto handle = ++consumers_;
    exchange_.agent("guest").session->consume(
        request, {.on_message = [this, handle](const Delivery& d) { check(handle, d); },
                  .on_state = {},
                  .on_lost = {}});
  }
  // Whatever was done on the way: only what was published, where it was, once to each subscription.
  void check(unsigned handle, const Delivery& delivery) {
    BW_ASSERT(delivery.id.origin == exchange_.cast.entity("home"));
    BW_ASSERT(delivery.topic.uri.text() == "a/b");
    unsigned long number = 0;
    for (const std::uint8_t digit : delivery.payload) number = number * 10 + digit - '0';
    BW_ASSERT(number >= 1 && number <= published_);
    BW_ASSERT(heard_.insert({handle, number, delivery.stored}).second);
  }

  // `frames` as they arrive: each as it is, or by the script altered, dropped, repeated, replaced.
  std::vector<Bytes> tamper(ByteView frames) {
    std::vector<Bytes> out;
    for (const ByteView frame : testing::split_frames(frames)) {
      Bytes bytes = to_bytes(frame);
      switch (script_.u8() % 5U) {
        case 1:
          bytes[script_.u16() % bytes.size()] ^= script_.u8();
          break;
        case 2:
          bytes.clear();
          break;
        case 3:
          out.push_back(bytes);
          break;
        case 4:
          bytes = to_bytes(script_.bytes(script_.u8()));
          break;
        default:
          break;
      }
      if (!bytes.empty()) out.push_back(std::move(bytes));
    }
    return out;
  }
  void to_router(Exchange::Agent& agent) {
    Bytes out;
    agent.session->flush(exchange_.now, out);
    const std::vector<Bytes> frames = tamper(out);
    exchange_.core.receive(agent.id, std::vector<ByteView>(frames.begin(), frames.end()),
                           exchange_.now);
  }
  void to_agent(Exchange::Agent& agent) {
    if (agent.inbox.empty()) return;
    const auto arrived = std::move(agent.inbox.front());
    agent.inbox.pop_front();
    const std::vector<Bytes> frames = tamper(*arrived.frames);
    const auto taken =
        agent.session->receive(std::vector<ByteView>(frames.begin(), frames.end()), exchange_.now);
    if (!taken) agent.errors.push_back(taken.error());
  }

  codec::Reader& script_;
  Exchange exchange_;
  unsigned long published_ = 0;
  unsigned consumers_ = 0;
  std::set<std::tuple<unsigned, unsigned long, bool>> heard_;
};

}  // namespace

// A script for Tampered.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  codec::Reader script({data, size});
  Tampered tampered(script);
  for (int steps = 0; steps < 200 && script.ok() && script.remaining() > 0; ++steps) {
    tampered.step();
  }
  return 0;
}
