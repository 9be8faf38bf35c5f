// SPDX-License-Identifier: Apache-2.0
#include "city/site.hpp"

#include <algorithm>

namespace bw::city {
namespace {

namespace api = client::api;

constexpr Duration kPatience = 60s;

// Whether another try may do better. Nonces rise across all that a router or namespace puts, so
// that two of a router's statements at once (its address, an offer) are one too many.
template <class T>
Result<void> unless_passing(const Result<T>& done) {
  if (done) return {};
  switch (done.error().code) {
    case ErrorCode::kConflict:
    case ErrorCode::kNotFound:
    case ErrorCode::kLimited:
      return {};
    default:
      return fail(done.error());
  }
}

// Waits for one message.
class Ear {
 public:
  void hear(const Subscription::Heard& heard) {
    const std::scoped_lock lock(mutex_);
    heard_.emplace_back(heard.from, heard.text);
    changed_.notify_all();
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
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::pair<std::string, std::string>> heard_;
};

}  // namespace

Result<std::unique_ptr<Site>> Site::start(const std::filesystem::path& directory, const Door& door,
                                          std::uint64_t model_seed, const std::string& listen) {
  std::unique_ptr<Site> out(new Site(model_seed));
  node::Config config;
  config.directory = directory;
  config.metrics.listen = "";
  config.ledger.address = door.address;
  config.ledger.key = door.key;
  config.router.listen = listen;
  BW_TRY(out->node_, node::Node::start(std::move(config), {.router = true}, out->log_));
  BW_TRY(out->application_, Application::at(out->node_->addresses().socket, model_seed));
  return out;
}

Site::~Site() {
  application_.reset();
  if (node_) node_->stop();
}

Result<Site::Outcome> Site::exchange(const Resource& resource, const End& speaker,
                                     const End& listener, std::uint64_t ledger_size) {
  BW_CHECK(application_->await_ledger(ledger_size));
  BW_CHECK(serve(resource.ns));
  BW_TRY(const api::LedgerStatusReply status, application_->calls().ledger_status());
  BW_CHECK(speaker.at.await_ledger(status.size()));
  BW_CHECK(listener.at.await_ledger(status.size()));
  BW_TRY(const std::string from, speaker.at.hold(speaker.who));
  BW_TRY(const std::string to, listener.at.hold(listener.who));
  const std::string uri = key_of(seed_, resource.ns).public_key().text() + "/" + resource.uri;
  Ear ear;
  Subscription subscription(listener.at.listening(), to, uri,
                            [&ear](const Subscription::Heard& heard) { ear.hear(heard); });
  BW_TRY(const bool stands, subscription.stands());
  if (!stands) return Outcome{false, subscription.reason()};
  const std::string text = fmt::format("message {}", ++messages_);
  if (auto sent = speaker.at.publish(from, uri, text); !sent) {
    if (sent.error().code == ErrorCode::kDenied) return Outcome{false, sent.error().message};
    return fail(sent.error());
  }
  BW_CHECK(ear.await(from, text));
  return Outcome{true, {}};
}

Result<void> Site::serve(Who ns) {
  if (!served_.insert(ns).second) return {};
  BW_TRY(const std::string key, application_->hold(ns));
  client::Client& agent = application_->calls();
  const node::Node::Addresses addresses = node_->addresses();
  api::AffinityRequest offer;
  offer.set_as(addresses.router_key->text());
  offer.set_other(key);
  api::AffinityRequest acceptance;
  acceptance.set_as(key);
  acceptance.set_other(addresses.router_key->text());
  // The router's own entity may still be on its way.
  BW_CHECK(wait_for("the router to be on the ledger", [&]() -> Result<bool> {
    BW_TRY(const api::KeyList keys, agent.list_keys());
    return std::ranges::any_of(keys.keys(), [&](const api::Key& held) {
      return held.key() == addresses.router_key->text() && held.registered();
    });
  }));
  return wait_for("the namespace to be carried", [&]() -> Result<bool> {
    BW_TRY(const api::ResolveReply resolved, agent.resolve(key));
    if (resolved.address() == addresses.router) return true;
    BW_CHECK(unless_passing(agent.offer_routing(offer)));
    BW_CHECK(unless_passing(agent.accept_routing(acceptance)));
    return false;
  });
}

}  // namespace bw::city
