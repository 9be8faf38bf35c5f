// SPDX-License-Identifier: Apache-2.0
#include "city/application.hpp"

#include <algorithm>

#include "city/objects.hpp"
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

}  // namespace

Result<std::unique_ptr<Application>> Application::at(const std::string& socket,
                                                     std::uint64_t model_seed) {
  std::unique_ptr<Application> out(new Application(model_seed));
  const client::Address address{"unix:" + socket, {}};
  BW_TRY(out->calls_, client::Client::connect(address, kPatience));
  BW_TRY(out->listening_, client::Client::connect(address, kPatience));
  return out;
}

Result<std::string> Application::hold(Who who) {
  const crypto::SigningKey key = key_of(seed_, who);
  if (held_.insert(who).second) {
    NoRandom random;
    BW_TRY(const Bytes file, crypto::seal_key(key, nullptr, random));
    api::ImportKeyRequest request;
    request.set_name(fmt::format("city-{}-{}", static_cast<int>(who.kind), who.index));
    request.set_key_file(std::string(as_text(file)));
    // One that is there from an earlier run is as good.
    const auto imported = calls_->import_key(request);
    if (!imported && imported.error().code != ErrorCode::kConflict) return fail(imported.error());
  }
  return key.public_key().text();
}

Result<void> Application::await_ledger(std::uint64_t size) {
  // As long as it comes on: a node that is new has the whole city before it.
  std::uint64_t known = 0;
  while (known < size) {
    BW_CHECK(wait_for("an agent to know the ledger", [&, before = known]() -> Result<bool> {
      BW_TRY(const api::LedgerStatusReply status, calls_->ledger_status());
      known = status.size();
      return known >= size || known > before;
    }));
  }
  return {};
}

Result<void> Application::publish(const std::string& as, const std::string& uri,
                                  const std::string& text) {
  const auto stream = calls_->publish();
  api::PublishResults results;
  if (!stream->send(text_frame(as, uri, text)) || !stream->receive(results)) {
    BW_CHECK(stream->finish());
    return fail(ErrorCode::kUnavailable, "the agent ended the stream without an answer");
  }
  BW_CHECK(stream->finish());
  return outcome_of(results);
}

Subscription::Subscription(client::Client& listening, const std::string& as, const std::string& uri,
                           OnHeard on_heard)
    : on_heard_(std::move(on_heard)), client_(listening), thread_([this, as, uri] {
        api::SubscribeRequest request;
        request.set_as(as);
        request.set_uri(uri);
        auto over = client_.subscribe(
            request, [this](const api::DeliveryFrame& frame) { return take(frame); });
        const std::scoped_lock lock(mutex_);
        ended_ = true;
        if (!over) error_ = over.error();
        changed_.notify_all();
      }) {}

Subscription::~Subscription() {
  client_.cancel();
  thread_.join();
}

Result<bool> Subscription::stands() {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, kPatience, [this] { return standing_ || ended_; })) {
    return fail(ErrorCode::kUnavailable, "a subscription neither stood nor failed within {}",
                to_text(kPatience));
  }
  if (standing_) return true;
  if (error_ && error_->code == ErrorCode::kDenied) return false;
  return fail(error_.value_or(Error{ErrorCode::kUnavailable, "a subscription ended"}));
}

std::string Subscription::reason() {
  const std::scoped_lock lock(mutex_);
  return error_ ? error_->message : std::string();
}

bool Subscription::ended() {
  const std::scoped_lock lock(mutex_);
  return ended_;
}

bool Subscription::take(const api::DeliveryFrame& frame) {
  for (const api::Delivery& delivery : frame.deliveries()) {
    for (const api::PayloadObject& payload : delivery.payload()) {
      on_heard_({delivery.from(), payload.content()});
    }
  }
  if (frame.event().starts_with("standing")) {
    const std::scoped_lock lock(mutex_);
    standing_ = true;
    changed_.notify_all();
  }
  return true;
}

api::PublishFrame text_frame(const std::string& as, const std::string& uri,
                             const std::string& text) {
  api::PublishFrame frame;
  frame.set_as(as);
  api::Value* value = frame.add_values();
  value->set_uri(uri);
  api::PayloadObject* payload = value->add_payload();
  payload->set_type(kText);
  payload->set_content(text);
  return frame;
}

Result<void> outcome_of(const api::PublishResults& results) {
  if (results.errors().empty()) return {};
  const api::ValueError& first = results.errors(0);
  const bool denied = first.error() == error_name(ErrorCode::kDenied);
  return fail(denied ? ErrorCode::kDenied : ErrorCode::kInternal, "{}", first.message());
}

Result<void> wait_for(const std::string& what, const std::function<Result<bool>()>& condition) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (true) {
    BW_TRY(const bool is, condition());
    if (is) return {};
    if (std::chrono::steady_clock::now() > end) break;
    std::this_thread::sleep_for(kLook);
  }
  return fail(ErrorCode::kUnavailable, "waited {} in vain for {}", to_text(kPatience), what);
}

}  // namespace bw::city
