// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <map>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <nlohmann/json.hpp>

#include "evm/account.hpp"
#include "ledger_ethereum/head_source.hpp"
#include "ledger_ethereum/json_values.hpp"

// chain_probe AGREE CHECKPOINT URL...: what the ledger's clients make of real endpoints. CHECKPOINT
// is NUMBER:0xHASH or -. Reads questions from standard input, one JSON object a line with the
// member "do", and answers each with a line: {"ok": ...} or {"error": name, "message": ...}.
namespace bw::ledger_ethereum {
namespace {

using nlohmann::json;
template <class T>
using Task = net::Task<T>;
using Answer = Task<Result<json>>;

class WallClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override {
    return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  }
};

json to_json(const Block& block) {
  return {{"number", block.number}, {"hash", to_data(block.hash.bytes)}};
}

json to_json(const std::vector<LogEntry>& logs) {
  json out = json::array();
  for (const LogEntry& log : logs) {
    out.push_back({{"data", to_data(log.data)}, {"block", log.block}, {"index", log.index}});
  }
  return out;
}

json to_json(const EndpointStatus& status) {
  const auto said = [](const auto& error) { return error ? error->message : std::string(); };
  return {{"name", status.name},     {"answers", status.answers},
          {"head", status.head},     {"trouble", said(status.trouble)},
          {"lie", said(status.lie)}, {"disagrees", status.disagrees.value_or("")}};
}

class Probe {
 public:
  Probe(std::size_t agree, std::optional<Checkpoint> checkpoint,
        std::vector<std::unique_ptr<Endpoint>> endpoints)
      : endpoints_(std::move(endpoints), log_, clock_,
                   {.retry_first = 50ms,
                    .retry_most = 200ms,
                    .avoid_first = 200ms,
                    .avoid_most = 500ms,
                    .grace = 500ms,
                    .patience = 3s}),
        heads_(endpoints_, clock_, {.agree = agree, .checkpoint = checkpoint}) {}

  Answer answer(json asked) {
    const auto name = asked.value("do", "");
    if (name == "status") co_return status();
    if (name == "latest") co_return co_await latest();
    if (name == "finalized") co_return co_await finalized();
    if (name == "logs") co_return co_await logs(std::move(asked));
    if (name == "state") co_return co_await state(std::move(asked));
    if (name == "account") co_return co_await account(std::move(asked));
    if (name == "send") co_return co_await send(std::move(asked));
    if (name == "receipt") co_return co_await receipt(std::move(asked));
    if (name == "call") co_return co_await call(std::move(asked));
    co_return fail(ErrorCode::kInvalidArgument, "nobody asks for '{}'", name);
  }

 private:
  json status() {
    json out = json::array();
    for (const EndpointStatus& one : endpoints_.status()) out.push_back(to_json(one));
    return out;
  }

  Answer latest() {
    const auto head = co_await heads_.latest();
    if (!head) co_return fail(head.error());
    json out = to_json(head->block);
    for (const Endpoint* one : head->agreeing) out["agreeing"].push_back(one->name());
    co_return out;
  }

  Answer finalized() {
    const auto head = co_await heads_.latest();
    if (!head) co_return fail(head.error());
    const auto block = co_await heads_.finalized(head->block);
    if (!block) co_return fail(block.error());
    co_return to_json(*block);
  }

  Answer logs(json asked) {
    const auto of = read_address(asked, "address");
    if (!of) co_return fail(of.error());
    const auto from = asked.value("from", std::uint64_t{0});
    const auto to = asked.value("to", std::uint64_t{0});
    Endpoints::Question<LogPage> question = [=](Endpoint& one) { return one.logs(*of, from, to); };
    const auto page = co_await endpoints_.ask<LogPage>(std::move(question));
    if (!page) co_return fail(page.error());
    co_return to_json(page->logs);
  }

  // The hash of an account's code and one slot of its storage, proved for the head that is
  // believed.
  Answer state(json asked) {
    const auto of = read_address(asked, "address");
    const auto slot = read_hash(asked, "slot");
    if (!of || !slot) co_return fail(of ? slot.error() : of.error());
    const auto head = co_await heads_.latest();
    if (!head) co_return fail(head.error());
    const Block block = head->block;
    Endpoints::Question<json> question = [=](Endpoint& one) {
      return proved(one, *of, *slot, block);
    };
    co_return co_await endpoints_.ask<json>(std::move(question));
  }

  static Answer proved(Endpoint& endpoint, Address of, Hash slot, Block block) {
    const auto proof = co_await endpoint.proof(of, {slot}, block.number);
    if (!proof) co_return fail(proof.error());
    const auto account = evm::prove_account(block.state_root, of, proof->account);
    if (!account) co_return fail(ErrorCode::kFork, "{}", account.error().message);
    if (!*account) co_return json();
    const auto value =
        evm::prove_storage((*account)->storage_root, slot.bytes, proof->slots.front().nodes);
    if (!value) co_return fail(ErrorCode::kFork, "{}", value.error().message);
    co_return json{{"code_hash", to_data((*account)->code_hash.bytes)}, {"value", to_data(*value)}};
  }

  // Of an account, and of the chain as a whole, what a sender of transactions asks.
  Answer account(json asked) {
    const auto of = read_address(asked, "address");
    if (!of) co_return fail(of.error());
    const auto nonce = co_await endpoints_.nonce(*of, BlockTag::kLatest);
    if (!nonce) co_return fail(nonce.error());
    const auto pending = co_await endpoints_.nonce(*of, BlockTag::kPending);
    if (!pending) co_return fail(pending.error());
    const auto balance = co_await endpoints_.balance(*of);
    if (!balance) co_return fail(balance.error());
    const auto code = co_await endpoints_.code(*of);
    if (!code) co_return fail(code.error());
    const auto fees = co_await endpoints_.fees();
    if (!fees) co_return fail(fees.error());
    const auto chain = co_await endpoints_.chain_id();
    if (!chain) co_return fail(chain.error());
    co_return json{{"nonce", *nonce},
                   {"pending", *pending},
                   {"balance", to_quantity(*balance)},
                   {"code", to_data(*code)},
                   {"base_fee", to_quantity(fees->base_fee)},
                   {"chain", *chain}};
  }

  Answer send(json asked) {
    auto raw = read_data(asked, "raw");
    if (!raw) co_return fail(raw.error());
    const auto sent = co_await endpoints_.send_raw(*std::move(raw));
    if (!sent) co_return fail(sent.error());
    co_return to_data(sent->bytes);
  }

  Answer receipt(json asked) {
    const auto of = read_hash(asked, "transaction");
    if (!of) co_return fail(of.error());
    const auto receipt = co_await endpoints_.receipt(*of);
    if (!receipt) co_return fail(receipt.error());
    if (!*receipt) co_return json();
    co_return json{{"succeeded", (*receipt)->succeeded},
                   {"block", (*receipt)->block},
                   {"gas_used", (*receipt)->gas_used},
                   {"gas_price", to_quantity((*receipt)->gas_price)},
                   {"logs", to_json((*receipt)->logs)}};
  }

  Answer call(json asked) {
    const auto to = read_address(asked, "to");
    auto input = read_data(asked, "data");
    if (!to || !input) co_return fail(to ? input.error() : to.error());
    const CallRequest request{.from = Address{1}, .to = *to, .input = *std::move(input)};
    const auto outcome = co_await endpoints_.call(request);
    if (!outcome) co_return fail(outcome.error());
    const auto gas = co_await endpoints_.estimate_gas(request);
    if (!gas && gas.error().code != ErrorCode::kDenied) co_return fail(gas.error());
    co_return json{{"reverted", outcome->reverted},
                   {"output", to_data(outcome->output)},
                   {"gas", gas ? *gas : 0}};
  }

  WallClock clock_;
  telemetry::Log log_{{.level = telemetry::Level::kError}};
  Endpoints endpoints_;
  HeadSource heads_;
};

Result<std::optional<Checkpoint>> checkpoint_of(const std::string& text) {
  if (text == "-") return std::nullopt;
  const auto colon = text.find(':');
  BW_TRY(const Hash hash, hash_of(text.substr(colon + 1), "checkpoint"));
  return Checkpoint{std::stoull(text.substr(0, colon)), hash};
}

Result<void> serve(std::vector<std::string> arguments) {
  BW_TRY(const auto checkpoint, checkpoint_of(arguments.at(1)));
  std::vector<std::unique_ptr<Endpoint>> endpoints;
  for (std::size_t i = 2; i < arguments.size(); ++i) {
    BW_TRY(auto rpc, make_rpc({.url = arguments[i], .deadline = 1500ms, .answer_bytes = 1 << 20}));
    endpoints.push_back(std::make_unique<Endpoint>(std::move(rpc)));
  }
  net::asio::io_context context(1);
  Probe probe(std::stoul(arguments.at(0)), checkpoint, std::move(endpoints));
  for (std::string line; std::getline(std::cin, line);) {
    auto done =
        net::asio::co_spawn(context, probe.answer(json::parse(line)), net::asio::use_future);
    context.restart();
    context.run();
    const auto answer = done.get();
    const json said = answer ? json{{"ok", *answer}}
                             : json{{"error", std::string(error_name(answer.error().code))},
                                    {"message", answer.error().message}};
    std::cout << said.dump() << std::endl;
  }
  return {};
}

}  // namespace
}  // namespace bw::ledger_ethereum

int main(int count, char** values) {
  const auto done = bw::ledger_ethereum::serve({values + 1, values + count});
  if (!done) std::cerr << done.error().message << '\n';
  return done ? 0 : 1;
}
