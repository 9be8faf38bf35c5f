// SPDX-License-Identifier: Apache-2.0
#include "agent/api_streams.hpp"

#include <deque>
#include <mutex>

#include <boost/asio/post.hpp>

namespace bw::agent {
namespace {

using PublishReactor = grpc::ServerBidiReactor<api::PublishFrame, api::PublishResults>;
using ConsumeReactor = grpc::ServerWriteReactor<api::DeliveryFrame>;

// Frames of one application on their way to routers; beyond it the stream is not read.
constexpr std::size_t kFramesUnderWay = 64;
constexpr std::size_t kMostPerFrame = 512;
constexpr std::size_t kDefaultBuffer = 4096;
constexpr std::size_t kMostBuffer = 1'000'000;

// Ends as soon as it exists.
template <class Reactor>
class Refusal final : public Reactor {
 public:
  Refusal(Context& context, const Error& error) { this->Finish(to_status(error, context)); }
  void OnDone() override { delete this; }
};

// Keeps a reactor alive while callbacks of the agent's thread may still come: gRPC owns one
// reference until OnDone, each callback another.
template <class Derived>
class Owned : public std::enable_shared_from_this<Derived> {
 public:
  void hold() { self_ = this->shared_from_this(); }

 protected:
  void release() { self_.reset(); }

 private:
  std::shared_ptr<Derived> self_;
};

class Publishing final : public PublishReactor, public Owned<Publishing> {
 public:
  Publishing(Context& context, std::shared_ptr<ApiCalls> calls)
      : context_(context), calls_(std::move(calls)) {}
  void begin() { StartRead(&incoming_); }

  void OnReadDone(bool ok) override {
    const std::scoped_lock lock(mutex_);
    if (!ok) {
      reading_done_ = true;
      return finish_if_idle();
    }
    if (!key_) {
      auto key = calls_->key_for(incoming_.as());
      if (!key) return finish(to_status(key.error(), context_));
      key_ = *std::move(key);
    }
    ++under_way_;
    take(incoming_);
    if (under_way_ < kFramesUnderWay) {
      StartRead(&incoming_);
    } else {
      read_paused_ = true;
    }
  }

  void OnWriteDone(bool ok) override {
    const std::scoped_lock lock(mutex_);
    writing_ = false;
    if (!ok) return finish(grpc::Status::CANCELLED);
    write_next();
  }

  void OnDone() override { release(); }

 private:
  // Values whose names do not resolve fail here; the others go to the agent, and the answer to the
  // frame waits for all of them.
  void take(const api::PublishFrame& frame) {
    api::PublishResults results;
    results.set_tag(frame.tag());
    std::vector<Value> values;
    std::vector<std::uint32_t> places;
    std::optional<ApiCalls::LatestTarget> latest;
    for (int i = 0; i < frame.values_size(); ++i) {
      auto value = calls_->value(frame.values(i), latest);
      if (value) {
        values.push_back(*std::move(value));
        places.push_back(static_cast<std::uint32_t>(i));
      } else {
        add_error(results, static_cast<std::uint32_t>(i), value.error());
      }
    }
    net::asio::post(calls_->context().io,
                    [self = shared_from_this(), values = std::move(values),
                     places = std::move(places), results = std::move(results)]() mutable {
                      self->publish(std::move(values), std::move(places), std::move(results));
                    });
  }

  // On the agent's thread.
  void publish(std::vector<Value> values, std::vector<std::uint32_t> places,
               api::PublishResults results) {
    calls_->context().agent.publish(
        key_, std::move(values),
        [self = shared_from_this(), places = std::move(places),
         results = std::move(results)](std::vector<Result<void>> outcomes) mutable {
          for (std::size_t i = 0; i < outcomes.size(); ++i) {
            if (!outcomes[i]) add_error(results, places[i], outcomes[i].error());
          }
          self->answer(std::move(results));
        });
  }

  void answer(api::PublishResults results) {
    const std::scoped_lock lock(mutex_);
    --under_way_;
    answers_.push_back(std::move(results));
    if (read_paused_ && !finished_) {
      read_paused_ = false;
      StartRead(&incoming_);
    }
    write_next();
  }

  void write_next() {
    if (writing_ || finished_) return;
    if (answers_.empty()) return finish_if_idle();
    outgoing_ = std::move(answers_.front());
    answers_.pop_front();
    writing_ = true;
    StartWrite(&outgoing_);
  }

  void finish_if_idle() {
    if (reading_done_ && under_way_ == 0 && answers_.empty() && !writing_) finish(grpc::Status::OK);
  }

  void finish(const grpc::Status& status) {
    if (std::exchange(finished_, true)) return;
    Finish(status);
  }

  static void add_error(api::PublishResults& results, std::uint32_t index, const Error& error) {
    api::ValueError* out = results.add_errors();
    out->set_index(index);
    out->set_error(std::string(error_name(error.code)));
    out->set_message(error.message);
  }

  Context& context_;
  std::shared_ptr<ApiCalls> calls_;
  KeyPtr key_;
  std::mutex mutex_;
  api::PublishFrame incoming_;
  api::PublishResults outgoing_;
  std::deque<api::PublishResults> answers_;
  std::size_t under_way_ = 0;
  bool read_paused_ = false;
  bool reading_done_ = false;
  bool writing_ = false;
  bool finished_ = false;
};

class Consuming final : public ConsumeReactor, public Owned<Consuming> {
 public:
  Consuming(Context& context, std::shared_ptr<ApiCalls> calls, std::size_t buffer, ConsumeKind kind)
      : context_(context), calls_(std::move(calls)), buffer_(buffer), kind_(kind) {}

  // On the agent's thread. The parts of one `permitted` subscription share the stream.
  void begin(std::vector<ConsumeRequest> parts) {
    {
      const std::scoped_lock lock(mutex_);
      open_ = parts.size();
      if (finished_) return;
    }
    for (ConsumeRequest& part : parts) {
      ConsumeHandlers handlers{
          .on_message =
              [self = shared_from_this()](Received message) { self->message(std::move(message)); },
          .on_event = [self = shared_from_this()](SubscriptionEvent event) { self->event(event); },
          .on_end = [self = shared_from_this()](
                        Result<void> outcome) { self->ended(std::move(outcome)); }};
      Agent& agent = calls_->context().agent;
      ids_.push_back(kind_ == ConsumeKind::kQuery
                         ? agent.query(std::move(part), std::move(handlers))
                         : agent.subscribe(std::move(part), std::move(handlers)));
    }
  }

  void OnWriteDone(bool ok) override {
    const std::scoped_lock lock(mutex_);
    writing_ = false;
    if (!ok) return finish(grpc::Status::CANCELLED);
    write_next();
  }

  // The application hung up.
  void OnCancel() override {
    net::asio::post(calls_->context().io, [self = shared_from_this()] {
      for (const Agent::ConsumeId id : std::exchange(self->ids_, {}))
        self->calls_->context().agent.cancel(id);
    });
    const std::scoped_lock lock(mutex_);
    if (!writing_) finish(grpc::Status::CANCELLED);
  }

  void OnDone() override { release(); }

 private:
  void message(Received message) {
    const std::scoped_lock lock(mutex_);
    if (finished_) return;
    // A query's answer is wanted whole; the router bounds it.
    if (waiting_.size() >= buffer_ && kind_ == ConsumeKind::kSubscribe) {
      waiting_.pop_front();
      ++lost_;
    }
    waiting_.push_back(std::move(message));
    write_next();
  }

  void event(const SubscriptionEvent& event) {
    const std::scoped_lock lock(mutex_);
    switch (event.kind) {
      case SubscriptionEvent::Kind::kStanding:
        events_.push_back("standing");
        break;
      case SubscriptionEvent::Kind::kDisconnected:
        events_.push_back("disconnected: " + event.text);
        break;
      case SubscriptionEvent::Kind::kMoved:
        events_.push_back(event.text);
        break;
      case SubscriptionEvent::Kind::kLost:
        lost_ += event.lost;
        break;
      case SubscriptionEvent::Kind::kUnopened:
        unopened_ += event.lost;
        unopened_reason_ = event.text;
        break;
    }
    write_next();
  }

  void ended(Result<void> outcome) {
    const std::scoped_lock lock(mutex_);
    if (!outcome && !finished_ && status_.ok()) status_ = to_status(outcome.error(), context_);
    if (--open_ == 0) complete_ = true;
    // One refused part of a subscription ends all: half of what was asked for would pass for all.
    if (!outcome) complete_ = true;
    write_next();
  }

  void write_next() {
    if (writing_ || finished_) return;
    if (waiting_.empty() && events_.empty() && lost_ == 0 && unopened_ == 0) {
      if (complete_) finish(status_);
      return;
    }
    outgoing_.Clear();
    outgoing_.set_lost(std::exchange(lost_, 0));
    outgoing_.set_unopened(std::exchange(unopened_, 0));
    outgoing_.set_unopened_reason(std::exchange(unopened_reason_, {}));
    if (!events_.empty()) {
      outgoing_.set_event(std::move(events_.front()));
      events_.pop_front();
    }
    for (std::size_t i = 0; i < kMostPerFrame && !waiting_.empty(); ++i) {
      to_api(waiting_.front(), *outgoing_.add_deliveries());
      waiting_.pop_front();
    }
    writing_ = true;
    StartWrite(&outgoing_);
  }

  void finish(const grpc::Status& status) {
    if (std::exchange(finished_, true)) return;
    Finish(status);
  }

  Context& context_;
  std::shared_ptr<ApiCalls> calls_;
  const std::size_t buffer_;
  const ConsumeKind kind_;
  std::vector<Agent::ConsumeId> ids_;  // agent's thread

  std::mutex mutex_;
  std::deque<Received> waiting_;
  std::deque<std::string> events_;
  std::uint64_t lost_ = 0;
  std::uint64_t unopened_ = 0;
  std::string unopened_reason_;
  std::size_t open_ = 0;
  grpc::Status status_ = grpc::Status::OK;
  api::DeliveryFrame outgoing_;
  bool writing_ = false;
  bool complete_ = false;
  bool finished_ = false;
};

// Open until the application hangs up; then the key is forgotten.
class Lending final : public grpc::ServerWriteReactor<api::LentKey> {
 public:
  Lending(Context& context, std::shared_ptr<ApiCalls> calls, const api::LendKeyRequest& request)
      : calls_(std::move(calls)) {
    auto lent = calls_->lend_key(request);
    if (!lent) {
      Finish(to_status(lent.error(), context));
      return;
    }
    lent_ = *std::move(lent);
    StartWrite(&lent_);
  }
  void OnCancel() override { Finish(grpc::Status::CANCELLED); }
  void OnDone() override {
    calls_->take_back(lent_.handle());
    delete this;
  }

 private:
  std::shared_ptr<ApiCalls> calls_;
  api::LentKey lent_;
};

}  // namespace

PublishReactor* refuse_publish(Context& context, const Error& error) {
  return new Refusal<PublishReactor>(context, error);
}
ConsumeReactor* refuse_consume(Context& context, const Error& error) {
  return new Refusal<ConsumeReactor>(context, error);
}
grpc::ServerWriteReactor<api::LentKey>* refuse_lending(Context& context, const Error& error) {
  return new Refusal<grpc::ServerWriteReactor<api::LentKey>>(context, error);
}

PublishReactor* publish_stream(Context& context, std::shared_ptr<ApiCalls> calls) {
  const auto reactor = std::make_shared<Publishing>(context, std::move(calls));
  reactor->hold();
  reactor->begin();
  return reactor.get();
}

ConsumeReactor* consume_stream(Context& context, std::shared_ptr<ApiCalls> calls,
                               const api::SubscribeRequest& request, ConsumeKind kind) {
  auto parts = request.permitted() ? calls->permitted(request)
                                   : calls->consume_request(request).map([](ConsumeRequest one) {
                                       return std::vector{std::move(one)};
                                     });
  if (!parts) return refuse_consume(context, parts.error());
  const std::size_t buffer =
      request.buffer() == 0 ? kDefaultBuffer : std::min<std::size_t>(request.buffer(), kMostBuffer);
  const auto reactor = std::make_shared<Consuming>(context, calls, buffer, kind);
  reactor->hold();
  net::asio::post(calls->context().io, [reactor, parts = *std::move(parts)]() mutable {
    reactor->begin(std::move(parts));
  });
  return reactor.get();
}

grpc::ServerWriteReactor<api::LentKey>* lend_stream(Context& context,
                                                    std::shared_ptr<ApiCalls> calls,
                                                    const api::LendKeyRequest& request) {
  return new Lending(context, std::move(calls), request);
}

}  // namespace bw::agent
