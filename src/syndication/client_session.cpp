// SPDX-License-Identifier: Apache-2.0
#include "syndication/client_session.hpp"

#include <type_traits>
#include <utility>

#include "base/check.hpp"
#include "base/limits.hpp"
#include "syndication/client_request.hpp"
#include "syndication/deliveries.hpp"
#include "syndication/outbound.hpp"

namespace bw::syndication {

namespace {

constexpr bool is_consuming(MessageType type) {
  return type == MessageType::kSubscribe || type == MessageType::kTap ||
         type == MessageType::kQuery || type == MessageType::kTapQuery;
}

}  // namespace

struct ClientSession::Impl {
  Impl(const Hash& exporter, GrantCache& grants, Random& random,
       std::shared_ptr<ReplayWindow> heard)
      : outbound(exporter, random), deliveries(grants, std::move(heard)) {}

  [[nodiscard]] Result<void> check(const Outgoing& message, bool type_fits) const;
  Result<ClientRequestPtr> ask(const Outgoing& message, bool type_fits);
  void tell_router(const ClientRequest& unsubscribed);

  Result<void> take(const Frame& frame, Time now);
  void answer(const ResultFrame& frame);
  void stands(const ClientRequestPtr& request);
  void complete(const ClientRequestPtr& request);
  void end_with(const ClientRequestPtr& request, const Error& reason);
  void children(const Children& frame);
  void detach(const Detach& frame);
  void lost(std::uint64_t count);
  void end(const Error& reason);

  // Takes it out of every table; nothing is called for it afterwards but by who holds it.
  void forget(const ClientRequestPtr& request);
  void release_over();

  Outbound outbound;
  Deliveries deliveries;
  ClientRequests requests;
  std::optional<Error> ended;
  // Requests that are over. Their functions may be running: they go when no call is under way.
  std::vector<ClientRequestPtr> over;
  int calls = 0;
};

namespace {

// Marks a call that calls back.
template <class Impl>
class Calling {
 public:
  explicit Calling(Impl& impl) : impl_(impl) { ++impl_.calls; }
  ~Calling() {
    if (--impl_.calls == 0) impl_.release_over();
  }
  Calling(const Calling&) = delete;
  Calling& operator=(const Calling&) = delete;

 private:
  Impl& impl_;
};

}  // namespace

ClientSession::ClientSession(const Hash& exporter, GrantCache& grants, Random& random,
                             std::shared_ptr<ReplayWindow> heard)
    : impl_(std::make_unique<Impl>(exporter, grants, random, std::move(heard))) {}
ClientSession::~ClientSession() = default;

Result<void> ClientSession::Impl::check(const Outgoing& message, bool type_fits) const {
  if (ended) return fail(*ended);
  if (!type_fits) {
    return fail(ErrorCode::kInvalidArgument, "a {} on '{}' cannot be sent this way",
                type_name(message.type), message.topic.uri.text());
  }
  BW_CHECK(needed_permissions(message.type, message.topic.uri));
  const bool may_limit = is_value(message.type);
  const bool may_replay =
      message.type == MessageType::kSubscribe || message.type == MessageType::kTap;
  if ((message.consumers > 0 && !may_limit) || (message.replay && !may_replay) ||
      (message.expires && (*message.expires <= Time{} || *message.expires > kNever))) {
    return fail(ErrorCode::kInvalidArgument,
                "{} on '{}': a consumers limit is for values, replay for subscriptions, and an "
                "expiry is between 1970 and never",
                type_name(message.type), message.topic.uri.text());
  }
  return {};
}

void ClientSession::send_value(const Outgoing& message, Done done) {
  auto queued = impl_->check(message, is_value(message.type)).and_then([&] {
    return impl_->outbound.queue(message, std::move(done));
  });
  if (!queued && done) done(tl::unexpected(std::move(queued).error()));
}

ClientSession::SubscriptionHandle ClientSession::consume(const Outgoing& request,
                                                         Consumer consumer) {
  auto asked = impl_->ask(request, is_consuming(request.type));
  if (asked) {
    (*asked)->consumer = std::move(consumer);
    return (*asked)->handle;
  }
  if (consumer.on_state) consumer.on_state(tl::unexpected(std::move(asked).error()));
  return 0;
}

void ClientSession::list(const Outgoing& request, ListDone done) {
  auto asked = impl_->ask(request, request.type == MessageType::kList);
  if (asked) {
    (*asked)->list_done = std::move(done);
  } else if (done) {
    done(tl::unexpected(std::move(asked).error()));
  }
}

Result<ClientRequestPtr> ClientSession::Impl::ask(const Outgoing& message, bool type_fits) {
  BW_CHECK(check(message, type_fits));
  if (requests.size() >= limits::kSubscriptionsPerSession) {
    return fail(ErrorCode::kLimited, "{} on '{}': this session has {} subscriptions already",
                type_name(message.type), message.topic.uri.text(), requests.size());
  }
  auto request = std::make_shared<ClientRequest>();
  BW_TRY(request->id, outbound.queue(message, {}));
  request->key = message.key;
  request->topic = message.topic;
  request->type = message.type;
  request->replay = message.replay;
  requests.add(request);
  return request;
}

void ClientSession::unsubscribe(SubscriptionHandle handle) {
  const ClientRequestPtr request = impl_->requests.find(handle);
  if (request == nullptr) return;
  impl_->forget(request);
  impl_->tell_router(*request);
}

void ClientSession::Impl::tell_router(const ClientRequest& unsubscribed) {
  // Queries and streams that are gone have nothing left to end.
  if (!unsubscribed.is_subscription() || !outbound.has_stream(unsubscribed.id.stream)) return;
  Outgoing message;
  message.key = unsubscribed.key;
  message.topic = unsubscribed.topic;
  message.type = MessageType::kUnsubscribe;
  message.payload = encode_request_id(unsubscribed.id);
  const auto queued = outbound.queue(message, {});
  BW_ASSERT(queued);  // its topic is named and no limit counts it
}

void ClientSession::flush(Time now, Bytes& out) {
  impl_->outbound.flush(now, out);
}
bool ClientSession::has_waiting() const {
  return impl_->outbound.has_waiting();
}
std::size_t ClientSession::unacknowledged() const {
  return impl_->outbound.open_values();
}

Result<void> ClientSession::receive(std::span<const ByteView> frames, Time now) {
  BW_ASSERT(impl_->calls == 0);
  const Calling calling(*impl_);
  for (const ByteView bytes : frames) {
    if (impl_->ended) return fail(*impl_->ended);
    BW_TRY(const ParsedFrame parsed, parse_frame(bytes));
    BW_CHECK(impl_->take(parsed.frame, now));
  }
  return {};
}

Result<void> ClientSession::Impl::take(const Frame& any, Time now) {
  const auto taker = [&]<class T>(const T& frame) -> Result<void> {
    if constexpr (std::is_same_v<T, BatchFrame>) {
      deliveries.batch(frame, now);
    } else if constexpr (std::is_same_v<T, TopicFrame>) {
      deliveries.topic(frame);
    } else if constexpr (std::is_same_v<T, ProofFrame>) {
      deliveries.proof(frame);
    } else if constexpr (std::is_same_v<T, Direct>) {
      deliveries.direct(frame, requests.find(frame.subscription).get(), now);
    } else if constexpr (std::is_same_v<T, Stored>) {
      deliveries.stored(frame, requests.find(frame.request).get(), now);
    } else if constexpr (std::is_same_v<T, Ack>) {
      return outbound.acknowledge(frame);
    } else if constexpr (std::is_same_v<T, ResultFrame>) {
      answer(frame);
    } else if constexpr (std::is_same_v<T, Children>) {
      children(frame);
    } else if constexpr (std::is_same_v<T, Detach>) {
      detach(frame);
    } else if constexpr (std::is_same_v<T, Lost>) {
      lost(frame.count);
    } else if constexpr (std::is_same_v<T, Ping>) {
      outbound.queue_pong(frame.nonce);
    } else if constexpr (std::is_same_v<T, ErrorFrame>) {
      return fail(frame.error);
    } else if constexpr (!std::is_same_v<T, Pong>) {
      return fail(ErrorCode::kMalformed, "router sent a frame that has no place in a session");
    }
    return {};
  };
  return std::visit(taker, any);
}

void ClientSession::Impl::answer(const ResultFrame& frame) {
  const ClientRequestPtr request = requests.find(frame.request);
  if (request == nullptr) {
    if (frame.error) outbound.refuse(frame.request, *frame.error);
  } else if (frame.error) {
    end_with(request, *frame.error);
  } else if (request->is_subscription()) {
    stands(request);
  } else {
    complete(request);
  }
}

void ClientSession::Impl::stands(const ClientRequestPtr& request) {
  if (request->state != ClientRequest::State::kAsked) return;
  request->state = ClientRequest::State::kStanding;
  deliveries.add(request);
  if (request->consumer.on_state) request->consumer.on_state({});
}

void ClientSession::Impl::complete(const ClientRequestPtr& request) {
  forget(request);
  if (request->list_done) request->list_done(std::move(request->names));
  if (request->consumer.on_state) request->consumer.on_state({});
}

void ClientSession::Impl::end_with(const ClientRequestPtr& request, const Error& reason) {
  forget(request);
  if (request->list_done) request->list_done(tl::unexpected(reason));
  if (request->consumer.on_state) request->consumer.on_state(tl::unexpected(reason));
}

void ClientSession::Impl::forget(const ClientRequestPtr& request) {
  if (request->state == ClientRequest::State::kStanding) deliveries.remove(*request);
  request->state = ClientRequest::State::kOver;
  requests.remove(*request);
  over.push_back(request);
  if (calls == 0) release_over();
}

void ClientSession::Impl::release_over() {
  // What the functions own may call back in as it goes.
  for (const ClientRequestPtr& request : std::exchange(over, {})) {
    request->consumer = {};
    request->list_done = {};
  }
}

void ClientSession::Impl::children(const Children& frame) {
  const ClientRequestPtr request = requests.find(frame.request);
  if (request == nullptr || request->type != MessageType::kList) {
    return deliveries.drop_unasked("children");
  }
  std::vector<std::string>& names = request->names;
  for (const std::string& name : frame.names) {
    // They ascend from frame to frame as they do within one.
    const bool rises = names.empty() || names.back() < name;
    if (rises && names.size() < limits::kQueryResults) {
      names.push_back(name);
    } else {
      deliveries.drop_unasked("child");
    }
  }
}

void ClientSession::Impl::detach(const Detach& frame) {
  // Streams of others end this way too, and so does what was heard of one of ours.
  deliveries.detach(frame);
  const std::vector<ClientRequestPtr> affected = requests.of_stream(frame.stream);
  if (!outbound.detach(frame)) return;
  for (const ClientRequestPtr& request : affected) {
    if (request->state != ClientRequest::State::kOver) end_with(request, frame.reason);
  }
}

void ClientSession::Impl::lost(std::uint64_t count) {
  for (const ClientRequestPtr& request : requests.all()) {
    const bool concerned =
        request->is_subscription() && request->state != ClientRequest::State::kOver;
    if (concerned && request->consumer.on_lost) request->consumer.on_lost(count);
  }
}

void ClientSession::end(const Error& reason) {
  if (impl_->ended) return;
  const Calling calling(*impl_);
  impl_->end(reason);
}

void ClientSession::Impl::end(const Error& reason) {
  ended = reason;
  outbound.fail_all(reason);
  for (const ClientRequestPtr& request : requests.all()) {
    if (request->state != ClientRequest::State::kOver) end_with(request, reason);
  }
}

ClientSession::Stats ClientSession::stats() const {
  return {impl_->outbound.messages(), impl_->outbound.batches(), impl_->deliveries.delivered(),
          impl_->deliveries.dropped_unverified(), impl_->deliveries.dropped_unasked()};
}

const std::optional<Error>& ClientSession::last_drop() const {
  return impl_->deliveries.last_drop();
}

void ClientSession::tick(Time now) {
  BW_ASSERT(impl_->calls == 0);
  impl_->deliveries.tick(now);
}

}  // namespace bw::syndication
