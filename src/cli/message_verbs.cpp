// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <iostream>
#include <mutex>
#include <optional>
#include <thread>

#include <unistd.h>

#include "base/limits.hpp"
#include "base/text.hpp"
#include "cli/app.hpp"
#include "cli/output.hpp"
#include "cli/send.hpp"
#include "store/file.hpp"
#include "syndication/message.hpp"

namespace bw::cli {
namespace {

constexpr std::uint32_t kTextClass = 64U << 24U;  // 64.0.0.0/4: readable by people
constexpr std::size_t kFramesAhead = 32;

// ---- sending

struct SendOptions {
  std::string uri;
  std::string text;
  std::string file;
  std::string type = "64.0.1.0";
  std::string expires;
  std::uint32_t consumers = 0;
  bool lines = false;
  bool seal = false;
};

Result<std::string> content_of(const SendOptions& options) {
  if (options.file.empty()) return options.text;
  if (options.file == "-") {
    return std::string(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
  }
  BW_TRY(const store::File file, store::File::open(options.file, 0));
  BW_TRY(const Bytes bytes, store::read_whole(file, limits::kMessageBytes));
  return std::string(as_text(bytes));
}

Result<api::Value> value_for(const SendOptions& options, bool persist) {
  api::Value value;
  value.set_uri(options.uri);
  value.set_persist(persist);
  value.set_consumers(options.consumers);
  value.set_seal(options.seal);
  BW_TRY(const std::int64_t expires, when(options.expires));
  value.set_expires_us(expires);
  return value;
}

// Sends frames a bounded number ahead of their answers. A stream has one reader at a time: the
// thread here while answers are due, whoever calls the publisher's finish() after end().
class AheadSender {
 public:
  AheadSender(const App& app, client::Publisher& stream)
      : app_(app), stream_(stream), reader_([this] { read_answers(); }) {}
  ~AheadSender() { end(); }

  // False when the agent has gone.
  bool send(const api::PublishFrame& frame) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return due_ < kFramesAhead || gone_; });
      if (gone_) return false;
      ++due_;
      ++sent_;
    }
    changed_.notify_all();
    return stream_.send(frame);
  }

  // Waits for the answers that are due. Nothing may be sent afterwards.
  void end() {
    {
      const std::scoped_lock lock(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
    if (reader_.joinable()) reader_.join();
  }

  // After end().
  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  [[nodiscard]] std::uint64_t failed() const { return failed_; }
  [[nodiscard]] const std::optional<Error>& first_error() const { return first_error_; }

 private:
  void read_answers() {
    api::PublishResults results;
    while (answer_is_due() && stream_.receive(results)) take(results);
    const std::scoped_lock lock(mutex_);
    gone_ = true;
    changed_.notify_all();
  }

  bool answer_is_due() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return due_ > 0 || ended_; });
    return due_ > 0;
  }

  void take(const api::PublishResults& results) {
    const auto good = error_of(results);
    if (!good) print_error(app_, good.error());
    const std::scoped_lock lock(mutex_);
    --due_;
    failed_ += static_cast<std::uint64_t>(results.errors_size());
    if (!good && !first_error_) first_error_ = good.error();
    changed_.notify_all();
  }

  const App& app_;
  client::Publisher& stream_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t due_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t failed_ = 0;
  std::optional<Error> first_error_;
  bool ended_ = false;
  bool gone_ = false;
  std::thread reader_;
};

Result<api::PublishFrame> line_frame(const App& app, const SendOptions& options,
                                     const api::Value& pattern, std::uint32_t type,
                                     const std::string& line) {
  api::PublishFrame frame;
  frame.set_as(app.as);
  api::Value* value = frame.add_values();
  *value = pattern;
  // --expires 10s counts from the moment of each line.
  BW_TRY(const std::int64_t expires, when(options.expires));
  value->set_expires_us(expires);
  api::PayloadObject* payload = value->add_payload();
  payload->set_type(type);
  payload->set_content(line);
  return frame;
}

// Each line of standard input is a message, sent as it comes.
Result<void> send_lines(App& app, const SendOptions& options, const api::Value& pattern,
                        std::uint32_t type) {
  BW_TRY(client::Client * agent, app.connect());
  const auto stream = agent->publish();
  AheadSender sender(app, *stream);
  std::string line;
  bool alive = true;
  while (alive && std::getline(std::cin, line)) {
    BW_TRY(const api::PublishFrame frame, line_frame(app, options, pattern, type, line));
    alive = sender.send(frame);
  }
  sender.end();
  auto finished = stream->finish();
  if (app.json) {
    print_json({{"sent", sender.sent()}, {"failed", sender.failed()}});
  } else {
    print_line(fmt::format("{} sent, {} refused", sender.sent(), sender.failed()));
  }
  if (!finished) return finished;
  if (!alive)
    return fail(ErrorCode::kUnavailable, "the agent ended the stream before the last line");
  if (const auto& first = sender.first_error()) {
    return fail(first->code, "{} of {} messages were refused, the first because: {}",
                sender.failed(), sender.sent(), first->message);
  }
  return {};
}

std::function<Verb(CLI::App&)> send_verb(bool persist) {
  return [persist](CLI::App& command) -> Verb {
    const auto o = std::make_shared<SendOptions>();
    command.add_option("uri", o->uri, "NAMESPACE/cell/cell")->required();
    command.add_option("text", o->text, "The content");
    command.add_option("--file", o->file, "Take the content from a file, or - for standard input");
    command.add_flag("--lines", o->lines,
                     "Each line of standard input is a message, sent as it comes");
    command.add_option("--type", o->type, "Payload object number (default 64.0.1.0, a string)");
    command.add_option("--expires", o->expires, "When it is no longer of use: 10s, or a time");
    command.add_option("--consumers", o->consumers,
                       "Deliver to at most so many subscribers (default: all)");
    command.add_flag("--seal", o->seal,
                     "So that only who may consume it can read it, whatever the namespace says");
    return [o, persist](App& app) -> Result<void> {
      BW_TRY(const std::uint32_t type, syndication::parse_payload_type(o->type));
      BW_TRY(api::Value value, value_for(*o, persist));
      if (o->lines) return send_lines(app, *o, value, type);
      BW_TRY(const std::string content, content_of(*o));
      api::PayloadObject* payload = value.add_payload();
      payload->set_type(type);
      payload->set_content(content);
      BW_CHECK(send_one(app, value));
      if (app.json) {
        print_json({{"sent", 1}, {"failed", 0}});
      } else {
        print_line(persist ? "stored" : "sent");
      }
      return {};
    };
  };
}

Verb delete_verb(CLI::App& command) {
  const auto uri = std::make_shared<std::string>();
  command.add_option("uri", *uri, "NAMESPACE/cell/cell")->required();
  return [uri](App& app) -> Result<void> {
    api::Value value;
    value.set_uri(*uri);
    value.set_persist(true);
    BW_CHECK(send_one(app, value));
    if (app.json) {
      print_json({{"deleted", *uri}});
    } else {
      print_line("deleted");
    }
    return {};
  };
}

// ---- receiving

bool is_text(const api::PayloadObject& payload) {
  return (payload.type() & 0xf0000000U) == kTextClass && is_utf8(as_bytes(payload.content()));
}

Json json_of(const api::Delivery& delivery) {
  Json payloads = Json::array();
  for (const api::PayloadObject& payload : delivery.payload()) {
    Json out{{"type", syndication::payload_type_text(payload.type())}};
    if (is_text(payload)) {
      out["text"] = payload.content();
    } else {
      out["hex"] = to_hex(as_bytes(payload.content()));
    }
    payloads.push_back(std::move(out));
  }
  return {{"uri", delivery.uri()},
          {"from", delivery.from()},
          {"created_us", delivery.created_us()},
          {"persisted", delivery.persisted()},
          {"stored", delivery.stored()},
          {"sealed", delivery.sealed()},
          {"id", delivery.id()},
          {"payload", std::move(payloads)}};
}

void print_delivery(const App& app, const api::Delivery& delivery) {
  if (app.json) return print_json(json_of(delivery));
  std::string content;
  for (const api::PayloadObject& payload : delivery.payload()) {
    if (!content.empty()) content += "  ";
    content += is_text(payload)
                   ? printable(payload.content(), 2000)
                   : fmt::format("[{}, {} bytes]", syndication::payload_type_text(payload.type()),
                                 payload.content().size());
  }
  print_line(fmt::format("{}  {}  {}", time_text(delivery.created_us()), delivery.uri(), content));
}

void print_news(const App& app, const api::DeliveryFrame& frame) {
  if (app.json) {
    if (!frame.event().empty()) print_json({{"event", frame.event()}});
    if (frame.lost() > 0) print_json({{"lost", frame.lost()}});
    if (frame.unopened() > 0) {
      print_json({{"unopened", frame.unopened()}, {"reason", frame.unopened_reason()}});
    }
    return;
  }
  if (!frame.event().empty())
    std::fprintf(stderr, "-- %s\n", printable(frame.event(), 500).c_str());
  if (frame.lost() > 0) {
    std::fprintf(stderr, "-- %llu messages lost\n", static_cast<unsigned long long>(frame.lost()));
  }
  if (frame.unopened() > 0) {
    std::fprintf(stderr, "-- %llu sealed messages could not be opened: %s\n",
                 static_cast<unsigned long long>(frame.unopened()),
                 printable(frame.unopened_reason(), 500).c_str());
  }
}

struct ReceiveOptions {
  std::string uri;
  bool tap = false;
  bool replay = false;
  bool permitted = false;
  std::uint64_t count = 0;
  std::string timeout;
  std::string save;
};

api::SubscribeRequest request_of(const App& app, const ReceiveOptions& options) {
  api::SubscribeRequest request;
  request.set_as(app.as);
  request.set_uri(options.uri);
  request.set_tap(options.tap);
  request.set_replay(options.replay);
  request.set_permitted(options.permitted);
  request.set_raw(!options.save.empty());
  return request;
}

// Ends the calls under way when time is up.
class Deadline {
 public:
  Deadline(client::Client& agent, Duration after) {
    if (after == Duration::zero()) return;
    thread_ = std::thread([this, &agent, after] {
      std::unique_lock lock(mutex_);
      if (changed_.wait_for(lock, after, [this] { return done_; })) return;
      passed_ = true;
      agent.cancel();
    });
  }
  ~Deadline() {
    if (!thread_.joinable()) return;
    {
      const std::scoped_lock lock(mutex_);
      done_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  [[nodiscard]] bool passed() const { return passed_; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
  std::atomic<bool> passed_{false};
  std::thread thread_;
};

// Takes frames until `count` messages came (0: no end).
class Receiver {
 public:
  Receiver(const App& app, const ReceiveOptions& options) : app_(app), options_(options) {}

  bool take(const api::DeliveryFrame& frame) {
    print_news(app_, frame);
    unopened_ += frame.unopened();
    if (frame.unopened() > 0) why_unopened_ = frame.unopened_reason();
    for (const api::Delivery& delivery : frame.deliveries()) {
      print_delivery(app_, delivery);
      if (!options_.save.empty()) save(delivery);
      if (++seen_ == options_.count) return false;
    }
    return true;
  }
  [[nodiscard]] bool enough() const { return options_.count != 0 && seen_ >= options_.count; }
  [[nodiscard]] std::uint64_t seen() const { return seen_; }
  [[nodiscard]] const Result<void>& saved() const { return saved_; }
  // An error when all that came stayed sealed.
  [[nodiscard]] Result<void> opened() const {
    if (seen_ > 0 || unopened_ == 0) return {};
    return fail(ErrorCode::kDenied, "{} sealed messages could not be opened: {}", unopened_,
                why_unopened_);
  }

 private:
  void save(const api::Delivery& delivery) {
    saved_ = store::atomic_write_file(options_.save, as_bytes(delivery.message()), 0644, true);
  }

  const App& app_;
  const ReceiveOptions& options_;
  std::uint64_t seen_ = 0;
  std::uint64_t unopened_ = 0;
  std::string why_unopened_;
  Result<void> saved_;
};

Verb subscribe_verb(CLI::App& command) {
  const auto o = std::make_shared<ReceiveOptions>();
  command.add_option("uri", o->uri, "NAMESPACE/pattern; + is one cell, * any number")->required();
  command.add_flag("--tap", o->tap, "Do not count as a consumer (needs T rights)");
  command.add_flag("--replay", o->replay, "First the persisted messages that match");
  command.add_flag("--permitted", o->permitted,
                   "Everything under the pattern that I may see, not all or nothing");
  command.add_option("--count", o->count, "Stop after so many messages")
      ->check(CLI::NonNegativeNumber);
  command.add_option("--timeout", o->timeout,
                     "Stop after this long; exit code 5 when --count was not reached");
  command.add_option("--save", o->save, "Keep the last message in this file, for 'bw verify'");
  return [o](App& app) -> Result<void> {
    app.stop_on_signals();
    BW_TRY(client::Client * agent, app.connect());
    Duration timeout{};
    if (!o->timeout.empty()) {
      BW_TRY(timeout, parse_duration(o->timeout));
    }
    Receiver receiver(app, *o);
    const Deadline deadline(*agent, timeout);
    BW_CHECK(agent->subscribe(request_of(app, *o),
                              [&](const auto& frame) { return receiver.take(frame); }));
    BW_CHECK(receiver.saved());
    if (!deadline.passed() || receiver.enough() || o->count == 0) return {};
    return fail(ErrorCode::kUnavailable, "{} of {} messages came within {}", receiver.seen(),
                o->count, o->timeout);
  };
}

Verb query_verb(CLI::App& command) {
  const auto o = std::make_shared<ReceiveOptions>();
  command.add_option("uri", o->uri, "NAMESPACE/pattern; + is one cell, * any number")->required();
  command.add_flag("--tap", o->tap, "With T rights in place of C rights");
  command.add_option("--save", o->save, "Keep the last message in this file, for 'bw verify'");
  return [o](App& app) -> Result<void> {
    app.stop_on_signals();
    BW_TRY(client::Client * agent, app.connect());
    Receiver receiver(app, *o);
    BW_CHECK(
        agent->query(request_of(app, *o), [&](const auto& frame) { return receiver.take(frame); }));
    BW_CHECK(receiver.saved());
    return receiver.opened();
  };
}

Verb list_verb(CLI::App& command) {
  const auto uri = std::make_shared<std::string>();
  command.add_option("uri", *uri, "NAMESPACE or NAMESPACE/cell/...; its children are listed")
      ->required();
  return [uri](App& app) -> Result<void> {
    BW_TRY(client::Client * agent, app.connect());
    api::ListRequest request;
    request.set_as(app.as);
    request.set_uri(*uri);
    BW_TRY(const api::ListReply reply, agent->list(request));
    if (app.json) {
      Json names = Json::array();
      for (const std::string& name : reply.names()) names.push_back(name);
      print_json({{"names", std::move(names)}});
      return {};
    }
    for (const std::string& name : reply.names()) print_line(name);
    return {};
  };
}

}  // namespace

void add_message_verbs(Verbs& verbs) {
  verbs.add("pub", "Publish a message", send_verb(false));
  verbs.add("persist", "Publish a message that stays, until a newer one", send_verb(true));
  verbs.add("del", "Remove what is persisted at a URI", delete_verb);
  verbs.add("sub", "Receive messages as they come", subscribe_verb);
  verbs.add("query", "Read what is persisted", query_verb);
  verbs.add("ls", "Names of the children that are, or lead to, something persisted", list_verb);
}

}  // namespace bw::cli
