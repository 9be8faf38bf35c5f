// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/head_source.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include "base/limits.hpp"

namespace bw::ledger_ethereum {
namespace {

// Endpoints may differ about the newest blocks for a moment: so far below them agreement is sought.
constexpr std::uint64_t kTipBlocks = 3;
// Of those joined to a checkpoint, that are remembered.
constexpr std::size_t kJoined = 64;

std::string brief(const Hash& hash) {
  return fmt::format("0x{:02x}{:02x}{:02x}{:02x}", hash.bytes[0], hash.bytes[1], hash.bytes[2],
                     hash.bytes[3]);
}

}  // namespace

HeadSource::HeadSource(Endpoints& endpoints, const Clock& clock, TrustPolicy policy)
    : endpoints_(endpoints), clock_(clock), policy_(policy) {
  if (policy_.checkpoint) joined_.push_back(*policy_.checkpoint);
}

net::Task<Result<BelievedHead>> HeadSource::latest() {
  Endpoints::Question<Block> question = [](Endpoint& endpoint) {
    return endpoint.block(BlockTag::kLatest);
  };
  auto heads =
      co_await endpoints_.ask_all<Block>(endpoints_.usable(), policy_.agree, std::move(question));
  std::erase_if(heads, [](const auto& one) { return !one.answer; });
  const Time horizon = clock_.now() + limits::kClockSkew;
  for (const auto& [endpoint, block] : heads) {
    endpoints_.answered(*endpoint, block->number);
    if (block->time <= horizon) continue;
    endpoints_.failed(*endpoint, {ErrorCode::kFork,
                                  fmt::format("{}: its head, block {}, is of {}", endpoint->name(),
                                              block->number, to_text(block->time))});
  }
  std::erase_if(heads, [&](const auto& one) { return one.answer->time > horizon; });
  if (heads.size() < policy_.agree) {
    co_return fail(ErrorCode::kUnavailable,
                   "{} of {} endpoints of the chain answer, and {} must agree", heads.size(),
                   endpoints_.size(), policy_.agree);
  }
  std::vector<std::uint64_t> numbers;
  for (const auto& one : heads) numbers.push_back(one.answer->number);
  std::ranges::sort(numbers, std::greater{});
  const std::uint64_t top = numbers[policy_.agree - 1];
  Result<BelievedHead> believed = fail(ErrorCode::kFork, "no endpoints agree");
  for (std::uint64_t below = 0; below <= std::min(kTipBlocks, top) && !believed; ++below) {
    believed = co_await agreed_at(top - below, heads);
  }
  if (!believed) co_return believed;
  const auto joins = co_await join(*believed);
  if (!joins) co_return fail(joins.error());
  co_await compare(*believed, std::move(heads));
  co_return believed;
}

// Who ends below the head may be late, or on a fork that is shorter.
net::Task<void> HeadSource::compare(BelievedHead head, Shown shown) {
  for (const auto& [endpoint, block] : shown) {
    if (block->number >= head.block.number) continue;
    const auto true_block = co_await head.agreeing.front()->block(block->number);
    if (!true_block) continue;
    std::optional<std::string> about;
    if (true_block->hash != block->hash) {
      about = fmt::format("its block {} is {}, not {}", block->number, brief(block->hash),
                          brief(true_block->hash));
    }
    endpoints_.note_disagreement(*endpoint, std::move(about));
  }
}

net::Task<Result<BelievedHead>> HeadSource::agreed_at(std::uint64_t number, Shown heads) {
  std::vector<Endpoint*> ahead;
  for (const auto& one : heads) {
    if (one.answer->number > number) ahead.push_back(one.endpoint);
  }
  Endpoints::Question<Block> question = [number](Endpoint& endpoint) {
    return endpoint.block(number);
  };
  auto shown = co_await endpoints_.ask_all<Block>(ahead, ahead.size(), std::move(question));
  std::erase_if(shown, [](const auto& one) { return !one.answer; });
  std::erase_if(heads, [&](const auto& one) { return one.answer->number != number; });
  heads.insert(heads.end(), shown.begin(), shown.end());
  std::map<Hash, std::size_t> votes;
  for (const auto& one : heads) ++votes[one.answer->hash];
  // Where as many show one block as another, the operator's order decides.
  const auto order = endpoints_.usable();
  std::ranges::sort(heads, {}, [&](const auto& one) {
    return std::ranges::find(order, one.endpoint) - order.begin();
  });
  Hash most;
  for (const auto& one : heads) {
    const Hash& hash = one.answer->hash;
    if (votes[hash] > votes[most]) most = hash;
  }
  if (votes[most] < policy_.agree) {
    co_return fail(ErrorCode::kFork,
                   "the endpoints do not agree on block {}: {} must show the same", number,
                   policy_.agree);
  }
  BelievedHead believed;
  for (const auto& [endpoint, block] : heads) {
    const bool agrees = block->hash == most;
    if (agrees) {
      believed.block = *block;
      believed.agreeing.push_back(endpoint);
      endpoints_.note_disagreement(*endpoint, std::nullopt);
      continue;
    }
    endpoints_.note_disagreement(*endpoint, fmt::format("its block {} is {}, not {}", number,
                                                        brief(block->hash), brief(most)));
  }
  co_return believed;
}

net::Task<Result<Block>> HeadSource::finalized(Block head) {
  Endpoints::Question<Block> question = [](Endpoint& endpoint) {
    return endpoint.block(BlockTag::kFinalized);
  };
  auto shown =
      co_await endpoints_.ask_all<Block>(endpoints_.usable(), policy_.agree, std::move(question));
  std::erase_if(shown, [](const auto& one) { return !one.answer; });
  if (shown.size() < policy_.agree) {
    co_return fail(ErrorCode::kUnavailable, "{} endpoints say what is final, {} must", shown.size(),
                   policy_.agree);
  }
  std::vector<std::uint64_t> numbers;
  for (const auto& one : shown) numbers.push_back(one.answer->number);
  std::ranges::sort(numbers, std::greater{});
  // What enough of them hold for final; on the chain that is believed.
  co_return co_await at(std::min(numbers[policy_.agree - 1], head.number), head);
}

net::Task<Result<Block>> HeadSource::at(std::uint64_t number, Block head) {
  if (number == head.number) co_return head;
  if (number > head.number) {
    co_return fail(ErrorCode::kNotFound, "block {} is not there yet", number);
  }
  if (head.number - number <= kRpcBatch) {
    Error last{ErrorCode::kUnavailable, "no endpoint of the chain answers"};
    for (Endpoint* endpoint : endpoints_.usable()) {
      auto block = co_await linked(*endpoint, number, head);
      if (block) co_return block;
      last = block.error();
      endpoints_.failed(*endpoint, last);
    }
    co_return fail(last);
  }
  Endpoints::Question<Block> question = [number](Endpoint& endpoint) {
    return endpoint.block(number);
  };
  auto shown =
      co_await endpoints_.ask_all<Block>(endpoints_.usable(), policy_.agree, std::move(question));
  std::map<Hash, std::size_t> votes;
  for (const auto& [endpoint, block] : shown) {
    if (block && ++votes[block->hash] >= policy_.agree) co_return *block;
  }
  co_return fail(ErrorCode::kUnavailable, "too few endpoints show the same block {}", number);
}

// Anybody may serve headers that join up to one that is believed.
net::Task<Result<Block>> HeadSource::linked(Endpoint& endpoint, std::uint64_t number, Block head) {
  const auto count = static_cast<std::size_t>(head.number - number);
  const auto blocks = co_await endpoint.blocks(number, count);
  if (!blocks) co_return fail(blocks.error());
  if (blocks->back().hash != head.parent) {
    co_return fail(ErrorCode::kUnavailable, "{}: is on another chain than block {}",
                   endpoint.name(), head.number);
  }
  co_return blocks->front();
}

// Any endpoint may serve the headers that show it. A head that does not descend from the checkpoint
// is a lie of those who show it, and of nobody else.
net::Task<Result<void>> HeadSource::join(BelievedHead head) {
  if (joined_.empty()) co_return Result<void>{};
  Error last{ErrorCode::kUnavailable, "no endpoint of the chain answers"};
  for (Endpoint* endpoint : endpoints_.usable()) {
    const auto joins = co_await join_through(*endpoint, head.block);
    if (joins && *joins) co_return Result<void>{};
    if (!joins) {
      last = joins.error();
      endpoints_.failed(*endpoint, last);
      continue;
    }
    last = strays(*head.agreeing.front(), head.block);
    const bool shows_it = std::ranges::find(head.agreeing, endpoint) != head.agreeing.end();
    if (shows_it) endpoints_.failed(*endpoint, strays(*endpoint, head.block));
  }
  co_return fail(last);
}

Error HeadSource::strays(const Endpoint& endpoint, const Block& head) const {
  return {ErrorCode::kFork,
          fmt::format("{}: block {} ({}) does not descend from the checkpoint {}", endpoint.name(),
                      head.number, brief(head.hash), policy_.checkpoint->number)};
}

net::Task<Result<bool>> HeadSource::join_through(Endpoint& endpoint, Block head) {
  std::vector<Checkpoint> chain = joined_;
  while (chain.size() > 1 && chain.back().number >= head.number) {
    if (chain.back() == Checkpoint{head.number, head.hash}) co_return true;
    chain.pop_back();
  }
  while (chain.back().number < head.number) {
    const std::uint64_t next = chain.back().number + 1;
    const auto count = std::min<std::uint64_t>(head.number - chain.back().number, kRpcBatch);
    const auto blocks = co_await endpoint.blocks(next, static_cast<std::size_t>(count));
    if (!blocks) co_return fail(blocks.error());
    if (blocks->front().parent == chain.back().hash) {
      chain.push_back({blocks->back().number, blocks->back().hash});
      // The first is the operator's.
      if (chain.size() > kJoined) chain.erase(chain.begin() + 1);
      joined_ = chain;  // kept should the way be cut short
      continue;
    }
    if (chain.size() == 1) break;
    chain.pop_back();
  }
  if (chain.back() != Checkpoint{head.number, head.hash}) co_return false;
  joined_ = std::move(chain);
  co_return true;
}

}  // namespace bw::ledger_ethereum
