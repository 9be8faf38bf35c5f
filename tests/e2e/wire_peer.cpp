// SPDX-License-Identifier: Apache-2.0
#include "wire_peer.hpp"

#include <algorithm>

#include "crypto/keys.hpp"

namespace bw::e2e {
namespace {

Time whole_seconds(Time time) {
  return std::chrono::floor<std::chrono::seconds>(time);
}

std::string name_of(const std::optional<Error>& error) {
  return error ? std::string(error_name(error->code)) : "";
}

std::string text_of(ByteView payload) {
  const auto objects = wire::parse_payload(payload);
  if (!objects || objects->empty()) return std::string(as_text(payload));
  return std::string(as_text(objects->front().content));
}

}  // namespace

Loop::Loop() = default;
Loop::~Loop() {
  work_.reset();
  io_.stop();
  thread_.join();
}

crypto::SigningKey new_key() {
  return crypto::SigningKey::generate(crypto::system_random());
}

wave::Entity entity_statement(const EntityKey& key) {
  const Time created = whole_seconds(now());
  return {.key = key,
          .created = created,
          .expires = created + std::chrono::hours(24),
          .revokers = {},
          .contact = {},
          .comment = {}};
}

crypto::SigningKey registered_key(RunningNode& node) {
  crypto::SigningKey key = new_key();
  const auto put = submit(node, {must(wave::sign(entity_statement(key.public_key()), key)).bytes});
  if (!put.at(0).empty()) throw std::runtime_error("entity refused: " + put.at(0));
  return key;
}

wave::Dot dot_statement(const EntityKey& granter, const EntityKey& grantee, const EntityKey& ns,
                        const std::string& pattern, const std::string& permissions,
                        std::uint8_t ttl) {
  const Time created = whole_seconds(now());
  return {.granter = granter,
          .grantee = grantee,
          .ns = ns,
          .permissions = must(wave::Permissions::parse(permissions)),
          .ttl = ttl,
          .created = created,
          .not_before = created,
          .expires = created + std::chrono::hours(24),
          .messages_per_second = 0,
          .stored_bytes = 0,
          .revokers = {},
          .pattern = must(wave::Pattern::parse(pattern)),
          .comment = {},
          .conditions = {}};
}

WirePeer::WirePeer(Loop& loop, const std::string& address) : loop_(loop) {
  channel_ = must(loop_.run(net::connect(address, kPatience)));
  tasks_ = loop_.on([this] { return std::make_unique<net::TaskGroup>(loop_.io().get_executor()); });
}

WirePeer::~WirePeer() {
  loop_.run(tasks_->join());
  loop_.on([this] {
    channel_.reset();
    tasks_.reset();
  });
}

Result<session::Peer> WirePeer::open(const crypto::SigningKey& key, const EntityKey& router) {
  session::Self self{&key, wire::Role::kAgent, {}};
  auto peer = loop_.run(session::open(channel_, std::move(self), router, wire::Role::kRouter));
  if (peer) listen();
  return peer;
}

void WirePeer::listen() {
  loop_.on([this] { tasks_->spawn(collect()); });
}

Hash WirePeer::exporter() {
  return loop_.on([this] { return channel_->exporter(); });
}

void WirePeer::send(Bytes bytes) {
  loop_.on([this, &bytes] { channel_->send(std::move(bytes)); });
}

void WirePeer::send_hello(const wire::Hello& hello) {
  Bytes bytes;
  wire::encode_hello(wire::FrameType::kClientHello, hello, bytes);
  listen();
  send(std::move(bytes));
}

std::optional<wire::Hello> WirePeer::server_hello() {
  const auto over = [this] {
    return loop_.on([this] { return server_hello_.has_value() || ended_.has_value(); });
  };
  (void)eventually(over);
  return loop_.on([this] { return server_hello_; });
}

std::uint64_t WirePeer::attach(const crypto::SigningKey& key, std::optional<std::uint64_t> id) {
  const std::uint64_t stream = id.value_or(crypto::system_random().u64());
  send_frame(wire::attach(exporter(), key, stream));
  return stream;
}

wire::RequestId WirePeer::say(std::uint64_t stream, const crypto::SigningKey& signer,
                              const Say& message) {
  send(batch_frame(stream, signer, message));
  return {stream, sequences_[stream], 0};
}

Bytes WirePeer::batch_frame(std::uint64_t stream, const crypto::SigningKey& signer,
                            const Say& message, const wire::BatchHeader* given) {
  const wire::BatchHeader header = given != nullptr
                                       ? *given
                                       : wire::BatchHeader{.origin = signer.public_key(),
                                                           .stream = stream,
                                                           .sequence = ++sequences_[stream],
                                                           .created = now()};
  const std::uint32_t number = topics_[stream]++;
  send(opening_frames(message, header.origin, stream, number));
  return e2e::batch_frame(message, header, number, signer);
}

std::string WirePeer::answer(const wire::RequestId& id) {
  std::string name = "no answer";
  (void)eventually([&] {
    return loop_.on([&] {
      if (const auto found = answers_.find(id); found != answers_.end()) {
        name = name_of(found->second);
        return true;
      }
      return ended_.has_value();
    });
  });
  return name;
}

std::string WirePeer::outcome(const wire::RequestId& id) {
  const bool settled = eventually([&] {
    return loop_.on(
        [&] { return answers_.contains(id) || acks_[id.stream] >= id.sequence || ended_; });
  });
  if (!settled) return "no answer";
  return loop_.on([&]() -> std::string {
    if (const auto found = answers_.find(id); found != answers_.end()) {
      return name_of(found->second);
    }
    return ended_ ? "no answer" : "";
  });
}

std::optional<Error> WirePeer::ended() {
  return loop_.on([this] { return ended_; });
}

std::string WirePeer::waits_for_end(Duration patience) {
  if (!eventually([this] { return ended().has_value(); }, patience)) return "open";
  return name_of(ended());
}

std::optional<Error> WirePeer::detached(std::uint64_t stream) {
  return loop_.on([&]() -> std::optional<Error> {
    const auto found = detached_.find(stream);
    if (found == detached_.end()) return std::nullopt;
    return found->second;
  });
}

std::vector<std::string> WirePeer::heard() {
  return loop_.on([this] { return heard_; });
}
bool WirePeer::waits_for(const std::string& line, Duration patience) {
  return eventually(
      [&] {
        const auto all = heard();
        return std::ranges::find(all, line) != all.end();
      },
      patience);
}
std::vector<std::string> WirePeer::names() {
  return loop_.on([this] { return names_; });
}
std::vector<wire::BatchHeader> WirePeer::headers() {
  return loop_.on([this] { return headers_; });
}

bool WirePeer::is_alive() {
  const std::uint64_t nonce = ++pings_;
  send_frame(wire::Ping{nonce});
  const bool told =
      eventually([&] { return loop_.on([&] { return ponged_ >= nonce || ended_.has_value(); }); });
  return told && !ended();
}

net::Task<void> WirePeer::collect() {
  for (;;) {
    const auto frames = co_await channel_->read(kPatience);
    if (!frames) {
      if (!ended_) ended_ = frames.error();
      co_return;
    }
    for (const ByteView frame : *frames) {
      if (const auto parsed = wire::parse_frame(frame)) take(*parsed);
    }
  }
}

void WirePeer::take(const wire::ParsedFrame& parsed) {
  const auto& any = parsed.frame;
  if (const auto* hello = std::get_if<wire::Hello>(&any)) {
    server_hello_ = *hello;
  } else if (const auto* error = std::get_if<wire::ErrorFrame>(&any)) {
    if (!ended_) ended_ = error->error;
  } else if (const auto* result = std::get_if<wire::ResultFrame>(&any)) {
    answers_[result->request] = result->error;
  } else if (const auto* ack = std::get_if<wire::Ack>(&any)) {
    acks_[ack->stream] = ack->sequence;
  } else if (const auto* detach = std::get_if<wire::Detach>(&any)) {
    detached_[detach->stream] = detach->reason;
  } else if (const auto* topic = std::get_if<wire::TopicFrame>(&any)) {
    uris_[{topic->stream, topic->number}] = topic->topic.uri.text();
  } else if (const auto* batch = std::get_if<wire::BatchFrame>(&any)) {
    take_batch(batch->batch, nullptr);
  } else if (const auto* direct = std::get_if<wire::Direct>(&any)) {
    take_batch(direct->batch, nullptr);
  } else if (const auto* stored = std::get_if<wire::Stored>(&any)) {
    take_batch(stored->batch, &stored->topic.uri.text());
  } else if (const auto* children = std::get_if<wire::Children>(&any)) {
    names_.insert(names_.end(), children->names.begin(), children->names.end());
  } else if (const auto* pong = std::get_if<wire::Pong>(&any)) {
    ponged_ = pong->nonce;
  }
}

void WirePeer::take_batch(ByteView bytes, const std::string* uri) {
  wire::BatchView view;
  if (!wire::parse_batch(bytes, view)) return;
  headers_.push_back(view.header);
  for (const wire::ParsedMessage& parsed : view.messages) {
    const std::string& where =
        uri != nullptr ? *uri : uris_[{view.header.stream, parsed.message.topic}];
    heard_.push_back(where + "=" + text_of(parsed.message.payload));
  }
}

}  // namespace bw::e2e
