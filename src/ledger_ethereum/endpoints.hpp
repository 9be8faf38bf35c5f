// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/time.hpp"
#include "ledger_ethereum/endpoint.hpp"
#include "net/cancellation.hpp"
#include "net/task_group.hpp"
#include "telemetry/log.hpp"

namespace bw::ledger_ethereum {

// How an endpoint stands, for people.
struct EndpointStatus {
  std::string name;
  bool answers = false;          // its last answer was one
  std::uint64_t head = 0;        // the latest block that it spoke of
  std::optional<Error> trouble;  // why it does not answer
  std::optional<Error> lie;      // what it was last caught at; kept
  Time lied_at;
  bool avoided = false;                  // not asked now, for either
  std::optional<std::string> disagrees;  // with those that are believed, about which block
};

struct EndpointsOptions {
  Duration retry_first = 500ms;
  Duration retry_most = 60s;
  // How long a liar is avoided: doubles each time.
  Duration avoid_first = 10s;
  Duration avoid_most = 3600s;
  // How long one is waited for alone: before the next is asked too, and once enough others have
  // answered. ask_all() waits for nobody longer than `patience`.
  Duration grace = 1s;
  Duration patience = 10s;
};

// The endpoints of one chain: whom to ask next, who fails and who lies. As a Chain it asks one,
// and the next too when that one fails or keeps it waiting; transactions go to all, so that no
// single one can swallow them. Lives on one io_context thread; status() may be called from any.
class Endpoints final : public Chain {
 public:
  // At most kEndpoints, best first.
  Endpoints(std::vector<std::unique_ptr<Endpoint>> endpoints, telemetry::Log& log,
            const Clock& clock, EndpointsOptions options = {});
  ~Endpoints() override;

  template <class T>
  using Question = std::function<net::Task<Result<T>>(Endpoint&)>;
  template <class T>
  struct Answered {
    Endpoint* endpoint;
    Result<T> answer;
  };

  // Those that are not avoided, best first; behind them those that did not answer last time, show
  // another chain or are late: whoever asks one after the other would wait for them or be misled.
  [[nodiscard]] std::vector<Endpoint*> usable() const;
  [[nodiscard]] std::size_t size() const { return places_.size(); }
  // Ends what is kept open; nothing is asked any more.
  void hang_up();
  // To be told of the head that an endpoint showed, and of each failure of a question that was not
  // asked by this class. failed() sorts by the code: kFork is a lie; kUnavailable, kLimited,
  // kMalformed and kTooLarge are trouble; all else is an answer.
  void answered(Endpoint& endpoint, std::uint64_t head);
  void failed(Endpoint& endpoint, const Error& why);
  // In which block it differs from those that are believed; empty: in none.
  void note_disagreement(Endpoint& endpoint, std::optional<std::string> about);
  [[nodiscard]] std::vector<EndpointStatus> status() const;

  // Asks `whom` at once. Those that did not answer before there were `enough` good answers and the
  // grace was over, or at all, are left out, and in trouble until they answer again.
  template <class T>
  net::Task<std::vector<Answered<T>>> ask_all(std::vector<Endpoint*> whom, std::size_t enough,
                                              Question<T> question);
  // Asks one; the next too whenever one fails or the grace is over; until one has an answer, which
  // may be any of those asked. kConflict and kNotFound are answers. Whoever was outrun although he
  // had the grace is in trouble until he answers again.
  template <class T>
  net::Task<Result<T>> ask(Question<T> question);

  net::Task<Result<std::uint64_t>> chain_id() override;
  net::Task<Result<std::uint64_t>> block_number() override;
  net::Task<Result<std::uint64_t>> nonce(Address account, BlockTag tag) override;
  net::Task<Result<Fees>> fees() override;
  net::Task<Result<Wei>> balance(Address account) override;
  net::Task<Result<std::uint64_t>> estimate_gas(CallRequest request) override;
  net::Task<Result<CallOutcome>> call(CallRequest request) override;
  net::Task<Result<Hash>> send_raw(Bytes transaction) override;
  net::Task<Result<std::optional<Receipt>>> receipt(Hash transaction) override;
  net::Task<Result<Bytes>> code(Address account) override;

 private:
  struct Place;
  struct Open {
    Endpoint* endpoint;
    std::chrono::steady_clock::time_point since;
  };
  template <class T>
  struct Round {
    Round(const net::asio::any_io_executor& executor, std::size_t wanted, bool one_by_one)
        : wake(executor), enough(wanted), in_turn(one_by_one) {}

    net::asio::steady_timer wake;
    std::vector<Answered<T>> answers;
    std::vector<Open> open;
    std::size_t enough;
    bool in_turn;  // ask(): every answer is news, and a refusal can be one
    std::size_t good = 0;
    bool over = false;
  };

  template <class T>
  net::Task<void> ask_one(Endpoint* endpoint, Question<T> question,
                          std::shared_ptr<Round<T>> round);
  template <class T>
  void start(Endpoint* endpoint, const Question<T>& question,
             const std::shared_ptr<Round<T>>& round, net::TaskGroup& tasks);
  template <class T>
  [[nodiscard]] static bool settles(const Result<T>& answer) {
    return answer || answer.error().code == ErrorCode::kConflict ||
           answer.error().code == ErrorCode::kNotFound;
  }
  // Those who had the grace and did not answer. They are asked after the others then, but do not
  // rest: slow is better than nobody.
  void note_outrun(const std::vector<Open>& open);
  [[nodiscard]] static bool is_answer(ErrorCode code);
  Place& place_of(const Endpoint& endpoint) const;
  [[nodiscard]] Error nobody() const;

  std::vector<std::unique_ptr<Place>> places_;
  telemetry::Log& log_;
  const Clock& clock_;
  EndpointsOptions options_;
  mutable std::mutex mutex_;  // guards what status() reads
};

inline constexpr std::size_t kEndpoints = 16;

template <class T>
net::Task<void> Endpoints::ask_one(Endpoint* endpoint, Question<T> question,
                                   std::shared_ptr<Round<T>> round) {
  auto answer = co_await question(*endpoint);
  if (round->over) co_return;
  if (!answer) failed(*endpoint, answer.error());
  std::erase_if(round->open, [&](const Open& one) { return one.endpoint == endpoint; });
  if (round->in_turn ? settles(answer) : answer.has_value()) ++round->good;
  round->answers.push_back({endpoint, std::move(answer)});
  const bool news = round->in_turn || round->open.empty() || round->good == round->enough;
  if (news) round->wake.cancel();
}

template <class T>
void Endpoints::start(Endpoint* endpoint, const Question<T>& question,
                      const std::shared_ptr<Round<T>>& round, net::TaskGroup& tasks) {
  round->open.push_back({endpoint, std::chrono::steady_clock::now()});
  tasks.spawn(ask_one<T>(endpoint, question, round));
}

template <class T>
net::Task<std::vector<Endpoints::Answered<T>>> Endpoints::ask_all(std::vector<Endpoint*> whom,
                                                                  std::size_t enough,
                                                                  Question<T> question) {
  constexpr auto kAwait = net::asio::as_tuple(net::asio::use_awaitable);
  const auto executor = co_await net::asio::this_coro::executor;
  const auto round = std::make_shared<Round<T>>(executor, enough, false);
  net::TaskGroup tasks(executor);
  for (Endpoint* endpoint : whom) start<T>(endpoint, question, round, tasks);
  if (!round->open.empty() && round->good < enough) {
    round->wake.expires_after(options_.patience);
    co_await round->wake.async_wait(kAwait);
  }
  if (!round->open.empty() && round->good >= enough && !co_await net::is_cancelled()) {
    round->enough = 0;
    round->wake.expires_after(options_.grace);
    co_await round->wake.async_wait(kAwait);
  }
  round->over = true;
  if (!co_await net::is_cancelled()) note_outrun(round->open);
  co_await tasks.join();
  co_return std::move(round->answers);
}

template <class T>
net::Task<Result<T>> Endpoints::ask(Question<T> question) {
  constexpr auto kAwait = net::asio::as_tuple(net::asio::use_awaitable);
  const auto executor = co_await net::asio::this_coro::executor;
  const auto round = std::make_shared<Round<T>>(executor, 1, true);
  net::TaskGroup tasks(executor);
  const std::vector<Endpoint*> whom = usable();
  std::size_t asked = 0;
  while (round->good == 0 && !co_await net::is_cancelled()) {
    const std::size_t known = round->answers.size();
    if (asked < whom.size()) start<T>(whom[asked++], question, round, tasks);
    if (round->answers.size() != known) continue;
    if (round->open.empty()) break;
    if (asked < whom.size()) {
      round->wake.expires_after(options_.grace);
    } else {
      round->wake.expires_at(std::chrono::steady_clock::time_point::max());
    }
    co_await round->wake.async_wait(kAwait);
  }
  round->over = true;
  if (round->good > 0) note_outrun(round->open);
  co_await tasks.join();
  for (auto& one : round->answers) {
    if (settles(one.answer)) co_return std::move(one.answer);
  }
  co_return fail(round->answers.empty() ? nobody() : round->answers.back().answer.error());
}

}  // namespace bw::ledger_ethereum
