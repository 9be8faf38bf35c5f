// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/endpoints.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"

namespace bw::ledger_ethereum {

namespace {

// Endpoints that keep up differ by a block or two.
constexpr std::uint64_t kBehindBlocks = 3;

}  // namespace

using SteadyTime = std::chrono::steady_clock::time_point;

struct Endpoints::Place {
  Place(std::unique_ptr<Endpoint> asked, const EndpointsOptions& options, std::uint64_t seed)
      : endpoint(std::move(asked)),
        retry(options.retry_first, options.retry_most, seed),
        avoidance(options.avoid_first, options.avoid_most, seed + 1) {}

  std::unique_ptr<Endpoint> endpoint;
  net::Backoff retry;
  net::Backoff avoidance;
  SteadyTime resting_until;
  EndpointStatus status;
};

Endpoints::Endpoints(std::vector<std::unique_ptr<Endpoint>> endpoints, telemetry::Log& log,
                     const Clock& clock, EndpointsOptions options)
    : log_(log), clock_(clock), options_(options) {
  BW_ASSERT(endpoints.size() <= kEndpoints);
  for (auto& endpoint : endpoints) {
    const std::uint64_t seed = to_micros(clock.now()) + 2 * places_.size();
    places_.push_back(std::make_unique<Place>(std::move(endpoint), options, seed));
    places_.back()->status.name = places_.back()->endpoint->name();
  }
}

Endpoints::~Endpoints() = default;

bool Endpoints::is_answer(ErrorCode code) {
  return code != ErrorCode::kUnavailable && code != ErrorCode::kLimited &&
         code != ErrorCode::kMalformed && code != ErrorCode::kTooLarge && code != ErrorCode::kFork;
}

Endpoints::Place& Endpoints::place_of(const Endpoint& endpoint) const {
  const auto found = std::ranges::find_if(
      places_, [&](const auto& place) { return place->endpoint.get() == &endpoint; });
  BW_ASSERT(found != places_.end());
  return **found;
}

std::vector<Endpoint*> Endpoints::usable() const {
  const auto now = std::chrono::steady_clock::now();
  std::vector<const Place*> places;
  std::uint64_t top = 0;
  for (const auto& place : places_) {
    if (place->resting_until > now) continue;
    places.push_back(place.get());
    top = std::max(top, place->status.head);
  }
  const auto is_doubtful = [top](const Place* place) {
    const EndpointStatus& status = place->status;
    return status.trouble || status.disagrees ||
           (status.head != 0 && status.head + kBehindBlocks < top);
  };
  std::vector<Endpoint*> out;
  std::vector<Endpoint*> behind;
  for (const Place* place : places) {
    (is_doubtful(place) ? behind : out).push_back(place->endpoint.get());
  }
  out.insert(out.end(), behind.begin(), behind.end());
  return out;
}

void Endpoints::hang_up() {
  for (const auto& place : places_) place->endpoint->hang_up();
}

void Endpoints::answered(Endpoint& endpoint, std::uint64_t head) {
  Place& place = place_of(endpoint);
  place.retry.reset();
  const std::scoped_lock lock(mutex_);
  place.status.answers = true;
  place.status.head = head;
  place.status.trouble.reset();
}

void Endpoints::failed(Endpoint& endpoint, const Error& why) {
  if (is_answer(why.code)) return;
  Place& place = place_of(endpoint);
  const bool lied = why.code == ErrorCode::kFork;
  const Duration rest = lied ? place.avoidance.next() : place.retry.next();
  place.resting_until = std::chrono::steady_clock::now() + rest;
  log_.limited(telemetry::Level::kWarning, "ledger", why.message,
               {{"endpoint", place.status.name}, {"avoided for", to_text(rest)}});
  const std::scoped_lock lock(mutex_);
  if (lied) {
    place.status.lie = why;
    place.status.lied_at = clock_.now();
  } else {
    place.status.answers = false;
    place.status.trouble = why;
  }
}

void Endpoints::note_outrun(const std::vector<Open>& open) {
  const auto now = std::chrono::steady_clock::now();
  for (const Open& one : open) {
    if (now - one.since < options_.grace) continue;
    Place& place = place_of(*one.endpoint);
    const Error why{
        ErrorCode::kUnavailable,
        fmt::format("{}: has not answered for {}", place.status.name, to_text(options_.grace))};
    log_.limited(telemetry::Level::kWarning, "ledger", why.message,
                 {{"endpoint", place.status.name}});
    const std::scoped_lock lock(mutex_);
    place.status.answers = false;
    place.status.trouble = why;
  }
}

void Endpoints::note_disagreement(Endpoint& endpoint, std::optional<std::string> about) {
  Place& place = place_of(endpoint);
  const std::scoped_lock lock(mutex_);
  place.status.disagrees = std::move(about);
}

std::vector<EndpointStatus> Endpoints::status() const {
  const std::scoped_lock lock(mutex_);
  std::vector<EndpointStatus> out;
  out.reserve(places_.size());
  for (const auto& place : places_) out.push_back(place->status);
  return out;
}

Error Endpoints::nobody() const {
  const std::scoped_lock lock(mutex_);
  std::string why;
  for (const auto& place : places_) {
    const auto& reason = place->status.lie ? place->status.lie : place->status.trouble;
    if (reason) why += (why.empty() ? ": " : "; ") + reason->message;
  }
  return {ErrorCode::kUnavailable, "no endpoint of the chain answers" + why};
}

// The coroutines below take their arguments into lambdas that live in ask()'s frame.
net::Task<Result<std::uint64_t>> Endpoints::chain_id() {
  Question<std::uint64_t> question = [](Endpoint& endpoint) { return endpoint.chain_id(); };
  co_return co_await ask<std::uint64_t>(std::move(question));
}

net::Task<Result<std::uint64_t>> Endpoints::block_number() {
  Question<std::uint64_t> question = [](Endpoint& endpoint) { return endpoint.block_number(); };
  co_return co_await ask<std::uint64_t>(std::move(question));
}

net::Task<Result<std::uint64_t>> Endpoints::nonce(Address account, BlockTag tag) {
  Question<std::uint64_t> question = [account, tag](Endpoint& endpoint) {
    return endpoint.nonce(account, tag);
  };
  co_return co_await ask<std::uint64_t>(std::move(question));
}

net::Task<Result<Fees>> Endpoints::fees() {
  Question<Fees> question = [](Endpoint& endpoint) { return endpoint.fees(); };
  co_return co_await ask<Fees>(std::move(question));
}

net::Task<Result<Wei>> Endpoints::balance(Address account) {
  Question<Wei> question = [account](Endpoint& endpoint) { return endpoint.balance(account); };
  co_return co_await ask<Wei>(std::move(question));
}

net::Task<Result<std::uint64_t>> Endpoints::estimate_gas(CallRequest request) {
  Question<std::uint64_t> question = [request](Endpoint& endpoint) {
    return endpoint.estimate_gas(request);
  };
  co_return co_await ask<std::uint64_t>(std::move(question));
}

net::Task<Result<CallOutcome>> Endpoints::call(CallRequest request) {
  Question<CallOutcome> question = [request](Endpoint& endpoint) { return endpoint.call(request); };
  co_return co_await ask<CallOutcome>(std::move(question));
}

net::Task<Result<Hash>> Endpoints::send_raw(Bytes transaction) {
  Question<Hash> question = [transaction](Endpoint& endpoint) {
    return endpoint.send_raw(transaction);
  };
  auto answers = co_await ask_all<Hash>(usable(), 1, std::move(question));
  std::optional<Error> refusal;
  for (const auto& [endpoint, answer] : answers) {
    if (answer) co_return answer;
    const bool better = !refusal || answer.error().code == ErrorCode::kConflict;
    if (better) refusal = answer.error();
  }
  co_return fail(refusal.value_or(nobody()));
}

net::Task<Result<std::optional<Receipt>>> Endpoints::receipt(Hash transaction) {
  Question<std::optional<Receipt>> question = [transaction](Endpoint& endpoint) {
    return endpoint.receipt(transaction);
  };
  co_return co_await ask<std::optional<Receipt>>(std::move(question));
}

net::Task<Result<Bytes>> Endpoints::code(Address account) {
  Question<Bytes> question = [account](Endpoint& endpoint) { return endpoint.code(account); };
  co_return co_await ask<Bytes>(std::move(question));
}

}  // namespace bw::ledger_ethereum
