// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/submitter.hpp"

#include <mutex>
#include <ranges>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "ledger_ethereum/submitter_flight.hpp"
#include "ledger_ethereum/submitter_memory.hpp"
#include "ledger_ethereum/submitter_queue.hpp"
#include "net/cancellation.hpp"

namespace bw::ledger_ethereum {
namespace {

using ledger::Submitted;
using telemetry::Level;

constexpr std::string_view kComponent = "submitter";
constexpr std::size_t kMostFailures = 3;
constexpr Duration kRest = 86'400s;  // until somebody wakes it

// What the calls under way put, though the ledger may not show it yet; else what is remembered.
class Sight final : public KnownObjects {
 public:
  Sight(const Flight& flight, KnownObjects& memory) : flight_(flight), memory_(memory) {}

  bool holds(const ObjectId& id) override { return memory_.holds(id); }
  std::optional<Bytes> dot(const ObjectId& id) override {
    for (const Sent& sent : std::views::reverse(flight_.all())) {
      if (!sent.call) continue;
      if (auto dot = sent.call->dot(id)) return dot;
    }
    return memory_.dot(id);
  }
  std::optional<Bytes> entity(const EntityKey& key) override {
    std::optional<Bytes> latest = memory_.entity(key);
    for (const Sent& sent : flight_.all()) {
      if (sent.call) latest = later_entity(std::move(latest), sent.call->entity(key));
    }
    return latest;
  }

 private:
  const Flight& flight_;
  KnownObjects& memory_;
};

struct Batch {
  std::unique_ptr<RegistryCall> call;
  std::vector<Carried> carried;
  std::uint64_t gas = 0;
};

}  // namespace

struct Submitter::Impl {
  Impl(Chain& chain, KnownObjects& known, crypto::SigningKey key, const Clock& the_clock,
       telemetry::Log& the_log, SubmitterOptions the_options)
      : options(the_options),
        clock(the_clock),
        log(the_log),
        memory(known),
        flight(chain, Wallet(std::move(key), options.chain_id), options),
        sight(flight, memory) {
    publish();
  }

  [[nodiscard]] SubmissionQueue::Judged judge(const Bytes& bytes);
  void add(const std::vector<Bytes>& objects, ledger::Ledger::SubmitDone done);
  void wake();
  net::Task<void> wait();

  net::Task<void> step();
  net::Task<Progress> advance();
  Progress watch_blocks();
  net::Task<Progress> send_waiting();
  Batch fill_call(std::uint64_t gas);
  [[nodiscard]] tl::unexpected<Trouble> too_poor(const Price& price) const;

  void settle(Flight::Landed landed);
  void settle(const Carried& one, const std::vector<Submitted>& outcomes);
  void call_failed(const Sent& sent);
  void give_back(const std::vector<Carried>& carried);

  [[nodiscard]] bool has_work() const { return !queue.idle() || !flight.all().empty(); }
  [[nodiscard]] std::string why_late() const;
  void note(const Progress& progress);
  void publish();

  const SubmitterOptions options;
  const Clock& clock;
  telemetry::Log& log;
  SubmitterMemory memory;
  Flight flight;
  Sight sight;
  SubmissionQueue queue;

  std::optional<Trouble> trouble;
  std::uint64_t head = 0;
  Time head_at;  // when it was first seen, or when there was something to do again
  bool resting = true;

  std::optional<net::asio::steady_timer> timer;  // while run() runs
  bool woken = false;

  std::uint64_t entries = 0;
  std::uint64_t refused = 0;
  mutable std::mutex mutex;  // guards `shown`
  SubmitterStatus shown;
};

Submitter::Submitter(Chain& chain, KnownObjects& known, crypto::SigningKey key, const Clock& clock,
                     telemetry::Log& log, SubmitterOptions options)
    : impl_(std::make_unique<Impl>(chain, known, std::move(key), clock, log, options)) {}

Submitter::~Submitter() = default;

// --- Taking -----------------------------------------------------------------------------------

void Submitter::submit(std::vector<Bytes> objects, ledger::Ledger::SubmitDone done) {
  if (auto good = ledger::check_submission(objects); !good) {
    done(fail(good.error()));
    return;
  }
  impl_->add(objects, std::move(done));
}

// What need not be paid for to be known.
SubmissionQueue::Judged Submitter::Impl::judge(const Bytes& bytes) {
  BW_TRY(wave::Object object, wave::parse_object(bytes));
  BW_CHECK(wave::verify_signature(object));
  if (memory.holds(wave::id_of(object))) {
    return fail(ErrorCode::kConflict, "{}: it is on the ledger already",
                wave::kind_name(wave::kind_of(object)));
  }
  return object;
}

void Submitter::Impl::add(const std::vector<Bytes>& objects, ledger::Ledger::SubmitDone done) {
  std::vector<SubmissionQueue::Judged> judged;
  for (const Bytes& bytes : objects) judged.push_back(judge(bytes));
  queue.add(std::move(judged), clock.now() + options.deadline, std::move(done));
  queue.deliver();
  publish();
  // Where nothing more can be sent now, the next look at the chain will come to it.
  if (resting || (flight.has_room() && !trouble)) wake();
}

// --- The loop ---------------------------------------------------------------------------------

void Submitter::wake() {
  impl_->wake();
}

void Submitter::Impl::wake() {
  woken = true;
  if (timer) timer->cancel();
}

net::Task<void> Submitter::Impl::wait() {
  resting = !has_work();
  if (woken || co_await net::is_cancelled()) co_return;
  timer->expires_after(resting ? kRest : options.poll);
  co_await timer->async_wait(net::asio::as_tuple(net::asio::use_awaitable));
}

net::Task<void> Submitter::run() {
  co_await net::asio::this_coro::throw_if_cancelled(false);
  impl_->timer.emplace(co_await net::asio::this_coro::executor);
  while (!co_await net::is_cancelled()) {
    impl_->woken = false;
    if (impl_->has_work()) co_await impl_->step();
    impl_->queue.deliver();
    impl_->publish();
    co_await impl_->wait();
  }
  impl_->timer.reset();
  impl_->queue.close("this node is shutting down; what was sent may come to the ledger yet");
  impl_->queue.deliver();
  impl_->publish();
}

net::Task<void> Submitter::Impl::step() {
  if (resting) head_at = clock.now();
  resting = false;
  note(co_await advance());
  queue.expire(clock.now(), why_late());
}

net::Task<Progress> Submitter::Impl::advance() {
  auto looked = co_await flight.look();
  if (!looked) co_return looked;
  Progress halted = watch_blocks();
  auto followed = co_await flight.follow();
  for (auto& landed : followed.landed) settle(std::move(landed));
  for (const Sent& lost : std::views::reverse(followed.lost)) {
    log.limited(Level::kWarning, kComponent,
                "a nonce was used by something else: is the funding key used elsewhere?",
                {{"nonce", std::to_string(lost.nonce)}});
    give_back(lost.carried);
  }
  if (!followed.progress) co_return followed.progress;
  if (auto given_up = flight.take_refused()) give_back(given_up->carried);
  auto kept = co_await flight.keep_going();
  auto sent = kept ? co_await send_waiting() : std::move(kept);
  co_return halted ? sent : halted;
}

Progress Submitter::Impl::watch_blocks() {
  const Time now = clock.now();
  if (flight.head() != head) {
    head = flight.head();
    head_at = now;
  }
  if (now - head_at < options.halted_after) return {};
  return tl::unexpected(
      Trouble{.kind = TroubleKind::kHalted,
              .error = {ErrorCode::kStale, fmt::format("chain: no block after {} for {}; waiting",
                                                       head, to_text(options.halted_after))}});
}

// --- Sending ----------------------------------------------------------------------------------

net::Task<Progress> Submitter::Impl::send_waiting() {
  while (flight.has_room() && !queue.empty()) {
    const auto price = flight.price();
    if (!price) {
      co_return tl::unexpected(Trouble{.kind = TroubleKind::kFees, .error = price.error()});
    }
    Batch batch = fill_call(flight.affordable_gas(*price));
    if (batch.carried.empty()) {
      if (queue.empty()) break;
      co_return too_poor(*price);
    }
    auto sent =
        co_await flight.send(std::move(batch.call), std::move(batch.carried), batch.gas, *price);
    if (!sent) co_return sent;
  }
  co_return Progress{};
}

// As much of what waits as one call takes. One that failed as a whole is tried again object by
// object, with all the gas there is.
Batch Submitter::Impl::fill_call(std::uint64_t gas) {
  Batch batch{.call = std::make_unique<RegistryCall>(sight, gas), .carried = {}, .gas = 0};
  while (!queue.empty()) {
    const bool alone = queue.front()->failures != 0;
    if (alone && !batch.carried.empty()) break;
    const auto place = batch.call->add(queue.front()->object);
    if (!place) {
      queue.settle(queue.take(), Submitted{.index = std::nullopt, .refusal = place.error()});
      continue;
    }
    if (!*place) break;
    batch.carried.push_back({.item = queue.take(), .place = **place});
    batch.gas = alone ? gas : batch.call->gas();
    if (alone) break;
  }
  return batch;
}

tl::unexpected<Trouble> Submitter::Impl::too_poor(const Price& price) const {
  const std::uint64_t gas = RegistryCall::gas_alone(queue.front()->object);
  return tl::unexpected(Trouble{
      .kind = TroubleKind::kBalance,
      .error = {ErrorCode::kLimited,
                fmt::format("balance: {} has {}, and the next call needs {} beside what is under "
                            "way; fund the account",
                            evm::to_text(flight.account()), in_coins(flight.balance()),
                            in_coins(price.max_fee * gas))}});
}

// --- Answering --------------------------------------------------------------------------------

void Submitter::Impl::settle(Flight::Landed landed) {
  if (!landed.succeeded) return call_failed(landed.sent);
  for (const Carried& one : landed.sent.carried) settle(one, landed.outcomes);
}

void Submitter::Impl::settle(const Carried& one, const std::vector<Submitted>& outcomes) {
  Submitted outcome = outcomes.at(one.place.item);
  if (outcome.index) {
    ++entries;
    memory.remember(one.item->object);
  } else {
    ++refused;
    const auto shown_by = one.place.relies_on;
    if (shown_by && !outcomes.at(*shown_by).index) {
      const Error& why = outcomes.at(*shown_by).refusal;
      outcome.refusal = {why.code,
                         "revocation: there is nothing to revoke, the DoT itself is no "
                         "longer admitted: " +
                             why.message};
    }
  }
  queue.settle(one.item, std::move(outcome));
}

// All that a call of this kind can fail for is gas.
void Submitter::Impl::call_failed(const Sent& sent) {
  std::vector<SubmissionQueue::ItemPtr> again;
  for (const Carried& one : sent.carried) {
    if (++one.item->failures < kMostFailures) {
      again.push_back(one.item);
      continue;
    }
    queue.settle(one.item, {.index = std::nullopt,
                            .refusal = {ErrorCode::kUnavailable,
                                        "ledger: calls with this object fail on the chain, "
                                        "though they have all the gas that it allows"}});
  }
  if (!sent.carried.empty()) {
    log.limited(Level::kWarning, kComponent, "a call failed on the chain",
                {{"nonce", std::to_string(sent.nonce)}, {"gas", std::to_string(sent.gas)}});
  }
  queue.put_back(again);
}

void Submitter::Impl::give_back(const std::vector<Carried>& carried) {
  std::vector<SubmissionQueue::ItemPtr> items;
  for (const Carried& one : carried) items.push_back(one.item);
  queue.put_back(items);
}

// --- Telling ----------------------------------------------------------------------------------

std::string Submitter::Impl::why_late() const {
  const std::string waits =
      trouble ? trouble->error.message
              : fmt::format("{} calls wait for a block, {} for confirmations", flight.unmined(),
                            flight.all().size() - flight.unmined());
  return fmt::format("not settled within {} ({}); it may come to the ledger yet",
                     to_text(options.deadline), waits);
}

void Submitter::Impl::note(const Progress& progress) {
  const bool same = progress ? !trouble : trouble && trouble->kind == progress.error().kind;
  if (!same && !progress) {
    log.limited(Level::kWarning, kComponent, progress.error().error.message);
  }
  if (!same && progress) {
    log.limited(Level::kInfo, kComponent, "it goes on", {{"after", trouble->error.message}});
  }
  trouble = progress ? std::nullopt : std::optional(progress.error());
}

void Submitter::Impl::publish() {
  SubmitterStatus now;
  now.account = flight.account();
  if (trouble) now.trouble = trouble->error;
  now.waiting_entries = queue.entries();
  now.waiting_bytes = queue.bytes();
  now.unmined = flight.unmined();
  now.unconfirmed = flight.all().size() - now.unmined;
  now.head = flight.head();
  now.balance = flight.balance();
  now.entries = entries;
  now.refused = refused;
  const Flight::Counts& counts = flight.counts();
  now.calls = counts.calls;
  now.replaced = counts.replaced;
  now.resent = counts.resent;
  now.withdrawn = counts.withdrawn;
  now.lost = counts.lost;
  const std::scoped_lock lock(mutex);
  shown = std::move(now);
}

SubmitterStatus Submitter::status() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->shown;
}

}  // namespace bw::ledger_ethereum
