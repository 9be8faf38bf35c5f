// SPDX-License-Identifier: Apache-2.0
#include "city/site.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "crypto/sealed_key.hpp"

namespace bw::city {
namespace {

namespace api = client::api;

constexpr Duration kPatience = 60s;
constexpr Duration kLook = 5ms;
constexpr std::uint32_t kText = 64U << 24U | 1U << 8U;  // 64.0.1.0

// Of a key file that is not sealed, nothing is random.
class NoRandom final : public Random {
 public:
  void fill(std::span<std::uint8_t> out) override { std::ranges::fill(out, std::uint8_t{0}); }
};

// Already there is as good as done.
template <class T>
Result<void> unless_there(const Result<T>& done) {
  if (done || done.error().code == ErrorCode::kConflict) return {};
  return fail(done.error());
}

}  // namespace

// A subscription on a thread of its own.
class Site::Listener {
 public:
  Listener(client::Client& client, const std::string& as, const std::string& uri)
      : client_(client), thread_([this, as, uri] {
          api::SubscribeRequest request;
          request.set_as(as);
          request.set_uri(uri);
          auto ended = client_.subscribe(
              request, [this](const api::DeliveryFrame& frame) { return take(frame); });
          const std::scoped_lock lock(mutex_);
          ended_ = true;
          if (!ended) error_ = ended.error();
          changed_.notify_all();
        }) {}
  ~Listener() {
    client_.cancel();
    thread_.join();
  }

  // False when it was denied.
  Result<bool> stands() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kPatience, [this] { return standing_ || ended_; })) {
      return fail(ErrorCode::kUnavailable, "a subscription neither stood nor failed within {}",
                  to_text(kPatience));
    }
    if (standing_) return true;
    if (error_ && error_->code == ErrorCode::kDenied) return false;
    return fail(error_.value_or(Error{ErrorCode::kUnavailable, "a subscription ended"}));
  }
  [[nodiscard]] std::string reason() {
    const std::scoped_lock lock(mutex_);
    return error_ ? error_->message : std::string();
  }
  Result<void> await(const std::string& from, const std::string& text) {
    std::unique_lock lock(mutex_);
    const auto arrived = [&] {
      return std::ranges::find(heard_, std::pair(from, text)) != heard_.end();
    };
    if (changed_.wait_for(lock, kPatience, arrived)) return {};
    return fail(ErrorCode::kUnavailable, "a message that was accepted did not arrive within {}",
                to_text(kPatience));
  }

 private:
  bool take(const api::DeliveryFrame& frame) {
    const std::scoped_lock lock(mutex_);
    if (frame.event().starts_with("standing")) standing_ = true;
    for (const api::Delivery& delivery : frame.deliveries()) {
      for (const api::PayloadObject& payload : delivery.payload()) {
        heard_.emplace_back(delivery.from(), payload.content());
      }
    }
    changed_.notify_all();
    return true;
  }

  client::Client& client_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool standing_ = false;
  bool ended_ = false;
  std::optional<Error> error_;
  std::vector<std::pair<std::string, std::string>> heard_;  // who signed it, and the text
  std::jthread thread_;
};

Result<std::unique_ptr<Site>> Site::start(const std::filesystem::path& directory, const Door& door,
                                          std::uint64_t model_seed) {
  std::unique_ptr<Site> out(new Site(model_seed));
  node::Config config;
  config.directory = directory;
  config.metrics.listen = "";
  config.ledger.address = door.address;
  config.ledger.key = door.key;
  config.router.listen = "127.0.0.1:0";
  BW_TRY(out->node_, node::Node::start(std::move(config), {.router = true}, out->log_));
  const std::string socket = "unix:" + out->node_->addresses().socket;
  BW_TRY(out->client_, client::Client::connect({socket, {}}, kPatience));
  BW_TRY(out->listening_, client::Client::connect({socket, {}}, kPatience));
  return out;
}

Site::~Site() {
  client_.reset();
  listening_.reset();
  if (node_) node_->stop();
}

Result<Site::Outcome> Site::exchange(const Resource& resource, Who speaker, Who listener,
                                     std::uint64_t ledger_size) {
  BW_CHECK(wait_for("the agent to know the ledger", [&]() -> Result<bool> {
    BW_TRY(const api::LedgerStatusReply status, client_->ledger_status());
    return status.size() >= ledger_size;
  }));
  BW_CHECK(serve(resource.ns));
  BW_TRY(const std::string from, hold(speaker));
  BW_TRY(const std::string to, hold(listener));
  const std::string uri = key_of(seed_, resource.ns).public_key().text() + "/" + resource.uri;
  Listener heard(*listening_, to, uri);
  BW_TRY(const bool stands, heard.stands());
  if (!stands) return Outcome{false, heard.reason()};
  const std::string text = fmt::format("message {}", ++messages_);
  if (auto sent = publish(from, uri, text); !sent) {
    if (sent.error().code == ErrorCode::kDenied) return Outcome{false, sent.error().message};
    return fail(sent.error());
  }
  BW_CHECK(heard.await(from, text));
  return Outcome{true, {}};
}

Result<void> Site::wait_for(const std::string& what,
                            const std::function<Result<bool>()>& condition) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (true) {
    BW_TRY(const bool is, condition());
    if (is) return {};
    if (std::chrono::steady_clock::now() > end) break;
    std::this_thread::sleep_for(kLook);
  }
  return fail(ErrorCode::kUnavailable, "waited {} in vain for {}", to_text(kPatience), what);
}

// Its key, as text.
Result<std::string> Site::hold(Who who) {
  const crypto::SigningKey key = key_of(seed_, who);
  if (held_.insert(who).second) {
    NoRandom random;
    BW_TRY(const Bytes file, crypto::seal_key(key, nullptr, random));
    api::ImportKeyRequest request;
    request.set_name(fmt::format("city-{}-{}", static_cast<int>(who.kind), who.index));
    request.set_key_file(std::string(as_text(file)));
    BW_CHECK(unless_there(client_->import_key(request)));
  }
  return key.public_key().text();
}

// Has the namespace carried by the router here.
Result<void> Site::serve(Who ns) {
  if (!served_.insert(ns).second) return {};
  BW_TRY(const std::string key, hold(ns));
  const node::Node::Addresses addresses = node_->addresses();
  api::AffinityRequest offer;
  offer.set_as(addresses.router_key->text());
  offer.set_other(key);
  api::AffinityRequest acceptance;
  acceptance.set_as(key);
  acceptance.set_other(addresses.router_key->text());
  const auto is_carried = [&]() -> Result<bool> {
    BW_TRY(const api::ResolveReply resolved, client_->resolve(key));
    return resolved.address() == addresses.router;
  };
  // The router's own entity may still be on its way.
  BW_CHECK(wait_for("the router to be on the ledger", [&]() -> Result<bool> {
    BW_TRY(const api::KeyList keys, client_->list_keys());
    return std::ranges::any_of(keys.keys(), [&](const api::Key& held) {
      return held.key() == addresses.router_key->text() && held.registered();
    });
  }));
  BW_CHECK(unless_there(client_->offer_routing(offer)));
  BW_CHECK(unless_there(client_->accept_routing(acceptance)));
  return wait_for("the namespace to be carried", is_carried);
}

Result<void> Site::publish(const std::string& as, const std::string& uri, const std::string& text) {
  const auto stream = client_->publish();
  api::PublishFrame frame;
  frame.set_as(as);
  api::Value* value = frame.add_values();
  value->set_uri(uri);
  api::PayloadObject* payload = value->add_payload();
  payload->set_type(kText);
  payload->set_content(text);
  api::PublishResults results;
  if (!stream->send(frame) || !stream->receive(results)) {
    BW_CHECK(stream->finish());
    return fail(ErrorCode::kUnavailable, "the agent ended the stream without an answer");
  }
  BW_CHECK(stream->finish());
  if (results.errors().empty()) return {};
  const api::ValueError& first = results.errors(0);
  const bool denied = first.error() == error_name(ErrorCode::kDenied);
  return fail(denied ? ErrorCode::kDenied : ErrorCode::kInternal, "{}", first.message());
}

}  // namespace bw::city
