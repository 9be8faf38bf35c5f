// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/follower_round.hpp"

#include <algorithm>
#include <utility>

namespace bw::ledger_ethereum {
namespace {

bool same(const crypto::Frontier& a, const crypto::Frontier& b) {
  return a.size() == b.size() && a.root() == b.root();
}

}  // namespace

net::Task<Result<void>> Round::run() {
  const auto latest = co_await heads_.latest();
  if (!latest) co_return fail(latest.error());
  found_.latest = latest->block;
  auto done = co_await find_base();
  if (done) done = co_await find_confirmed();
  if (done) done = co_await prove_heads();
  if (done) done = co_await read();
  if (done) done = holding_.saw(revocations_);
  co_return done;
}

// The newest mark that is of the chain still: all below are, too.
net::Task<Result<void>> Round::find_base() {
  const auto& marks = holding_.marks();
  const auto above = std::ranges::upper_bound(marks, found_.latest.number, {}, &Mark::block);
  const auto reached = static_cast<std::size_t>(above - marks.begin());
  std::size_t good = 0;
  std::size_t bad = reached;
  for (std::size_t next = reached == 0 ? 0 : reached - 1; good + 1 < bad;
       next = good + (bad - good) / 2) {
    const auto canonical = co_await is_canonical(next);
    if (!canonical) co_return fail(canonical.error());
    (*canonical ? good : bad) = next;
  }
  // Another chain may be shorter; the same one is not, so whoever shows it is behind.
  if (reached < marks.size() && good + 1 >= reached) {
    co_return fail(ErrorCode::kUnavailable,
                   "the chain's latest block is {}, and {} was there already; waiting for it",
                   found_.latest.number, marks.back().block);
  }
  holding_.back_to(good);
  co_return Result<void>{};
}

net::Task<Result<bool>> Round::is_canonical(std::size_t mark) {
  if (mark == 0) co_return true;
  const Mark wanted = holding_.marks()[mark];
  const auto block = co_await heads_.at(wanted.block, found_.latest);
  if (!block) co_return fail(block.error());
  co_return block->hash == wanted.hash;
}

net::Task<Result<void>> Round::find_confirmed() {
  const std::uint64_t top = found_.latest.number;
  const std::uint64_t number = top - std::min(options_.confirmations, top);
  Result<Block> confirmed;
  if (options_.finalized) {
    confirmed = co_await heads_.finalized(found_.latest);
  } else {
    confirmed = co_await heads_.at(number, found_.latest);
  }
  if (!confirmed) co_return fail(confirmed.error());
  found_.confirmed = *confirmed;
  // What was confirmed once stays so while it is of the chain.
  const Mark& base = holding_.base();
  if (confirmed->number <= base.block) {
    found_.confirmed =
        Block{.number = base.block, .hash = base.hash, .parent = {}, .state_root = {}, .time = {}};
  }
  co_return Result<void>{};
}

net::Task<Result<void>> Round::prove_heads() {
  const std::uint64_t top = found_.latest.number;
  const Mark base = holding_.base();
  auto confirmed = found_.confirmed.number == base.block
                       ? holding_.sink().tree(base.size)
                       : co_await prover_.prove(found_.confirmed, top, base.size);
  if (!confirmed) co_return fail(confirmed.error());
  confirmed_tree_ = *std::move(confirmed);
  latest_tree_ = confirmed_tree_;
  if (top != found_.confirmed.number) {
    auto latest = co_await prover_.prove(found_.latest, top, confirmed_tree_.size());
    if (!latest) co_return fail(latest.error());
    latest_tree_ = *std::move(latest);
  }
  found_.head = latest_tree_.size();
  co_return Result<void>{};
}

// Whether all that is held is what was confirmed, so that no logs are needed for that.
bool Round::is_settled() const {
  const Mark& base = holding_.base();
  return base.size == confirmed_tree_.size() && base.root == confirmed_tree_.root() &&
         holding_.sink().size() == base.size;
}

net::Task<Result<void>> Round::read() {
  targets_ = {{found_.confirmed, confirmed_tree_}};
  if (is_settled()) {
    auto marked =
        holding_.commit(found_.confirmed, confirmed_tree_,
                        {.met = confirmed_tree_.size(), .differs = false, .entries = {}}, true);
    if (!marked || same(confirmed_tree_, latest_tree_)) co_return marked;
  }
  Error last{ErrorCode::kUnavailable, "no endpoint of the chain answers"};
  for (Endpoint* endpoint : endpoints_.usable()) {
    // Twice, since one machine behind an address may know less than the next.
    for (int time = 1; time <= 2; ++time) {
      auto done = co_await read_through(*endpoint);
      if (done) co_return Result<void>{};
      last = done.error().error;
      if (!done.error().of_endpoint || co_await net::is_cancelled()) co_return fail(last);
      if (last.code != ErrorCode::kFork) {
        if (last.code == ErrorCode::kDenied || last.code == ErrorCode::kNotFound) {
          last.code = ErrorCode::kUnavailable;
        }
        endpoints_.failed(*endpoint, last);
        break;
      }
      const auto there = co_await still_there();
      if (!there) co_return fail(there.error());
      if (time == 2) endpoints_.failed(*endpoint, last);
    }
  }
  co_return fail(last);
}

// Names the endpoint where logs are at fault, and not what is held here.
tl::unexpected<Round::Fault> Round::accuse(const Endpoint& endpoint, Error error) {
  const bool lied = error.code == ErrorCode::kFork;
  if (lied) error.message = fmt::format("{}: {}", endpoint.name(), error.message);
  return tl::unexpected(Fault{std::move(error), lied});
}

net::Task<Round::Read> Round::read_through(Endpoint& endpoint) {
  const auto shown = co_await endpoint.block(found_.latest.number);
  if (!shown) co_return tl::unexpected(Fault{shown.error()});
  if (shown->hash != found_.latest.hash) {
    co_return tl::unexpected(
        Fault{{ErrorCode::kUnavailable,
               fmt::format("{}: its block {} is another", endpoint.name(), found_.latest.number)}});
  }
  if (!is_settled()) {
    auto done = co_await read_confirmed(endpoint);
    if (!done) co_return done;
  }
  if (same(confirmed_tree_, latest_tree_)) co_return Read{};
  co_return co_await read_latest(endpoint);
}

net::Task<Round::Read> Round::read_confirmed(Endpoint& endpoint) {
  for (;;) {
    while (targets_.size() > 1 && targets_.front().block.number <= holding_.base().block) {
      targets_.pop_front();
    }
    const bool last = targets_.size() == 1;
    auto done = co_await read_up_to(endpoint, targets_.front(), last);
    if (!done || (last && targets_.size() == 1)) co_return done;
  }
}

net::Task<Round::Read> Round::read_up_to(Endpoint& endpoint, Target target, bool last) {
  const Mark base = holding_.base();
  auto tree = holding_.sink().tree(base.size);
  if (!tree) co_return tl::unexpected(Fault{tree.error(), false});
  LogScan scan(*std::move(tree), holding_.sink(), LogScan::Keep::kAll);
  const std::uint64_t end = target.block.number;
  for (std::uint64_t from = base.block + 1; from <= end;) {
    const auto page = co_await endpoint.logs(options_.registry, from, end);
    if (!page) co_return tl::unexpected(Fault{page.error()});
    if (auto taken = scan.take(page->logs); !taken) co_return accuse(endpoint, taken.error());
    from = page->last + 1;
    if (scan.kept_bytes() <= options_.waiting_bytes || from > end) continue;
    const auto proven = co_await prove_on_the_way(endpoint, page->last, scan, target);
    if (!proven) co_return tl::unexpected(proven.error());
    if (auto good = scan.check(proven->tree, page->last); !good) {
      co_return accuse(endpoint, good.error());
    }
    auto done = holding_.commit(proven->block, proven->tree, scan.release(), false);
    if (!done) co_return tl::unexpected(Fault{done.error(), false});
    if (targets_.front().block.number < end) co_return Read{};
  }
  if (auto good = scan.check(target.tree, end); !good) co_return accuse(endpoint, good.error());
  auto done = holding_.commit(target.block, target.tree, scan.release(), last);
  if (!done) co_return tl::unexpected(Fault{done.error(), false});
  co_return Read{};
}

// So that memory is bounded however much there is to read. Where nobody knows the states of old
// blocks, what was read so far is proved by what comes behind it: all of it gives a proven root,
// and so does every part of it.
net::Task<Result<Round::Target, Round::Fault>> Round::prove_on_the_way(Endpoint& endpoint,
                                                                       std::uint64_t number,
                                                                       const LogScan& scan,
                                                                       Target target) {
  const auto block = co_await heads_.at(number, found_.latest);
  if (!block) co_return tl::unexpected(Fault{block.error(), false});
  auto proven = co_await prover_.prove(*block, found_.latest.number, scan.tree().size());
  if (proven) co_return Target{*block, *std::move(proven)};
  if (co_await net::is_cancelled()) co_return tl::unexpected(Fault{proven.error(), false});
  Target here{*block, scan.tree()};
  auto surveyed = co_await survey(endpoint, here, std::move(target));
  if (!surveyed) co_return tl::unexpected(surveyed.error());
  co_return here;
}

net::Task<Round::Read> Round::survey(Endpoint& endpoint, Target from, Target to) {
  LogScan scan(from.tree, holding_.sink(), LogScan::Keep::kNothing);
  std::vector<Target> way{from};
  const std::uint64_t end = to.block.number;
  for (std::uint64_t next = from.block.number + 1; next <= end;) {
    const auto page = co_await endpoint.logs(options_.registry, next, end);
    if (!page) co_return tl::unexpected(Fault{page.error()});
    if (auto taken = scan.take(page->logs); !taken) co_return accuse(endpoint, taken.error());
    next = page->last + 1;
    if (scan.kept_bytes() <= options_.waiting_bytes || next > end) continue;
    const auto block = co_await heads_.at(page->last, found_.latest);
    if (!block) co_return tl::unexpected(Fault{block.error(), false});
    way.push_back({*block, scan.tree()});
    scan.release();
  }
  if (auto good = scan.check(to.tree, end); !good) co_return accuse(endpoint, good.error());
  targets_.insert(targets_.begin(), way.begin(), way.end());
  co_return Read{};
}

net::Task<Round::Read> Round::read_latest(Endpoint& endpoint) {
  LogScan scan(confirmed_tree_, holding_.sink(), LogScan::Keep::kRevocations);
  const std::uint64_t end = found_.latest.number;
  Result<void> good;
  for (std::uint64_t from = found_.confirmed.number + 1; from <= end && good;) {
    const auto page = co_await endpoint.logs(options_.registry, from, end);
    if (!page) co_return tl::unexpected(Fault{page.error()});
    good = scan.take(page->logs);
    from = page->last + 1;
  }
  if (good) good = scan.check(latest_tree_, end);
  if (!good) {
    co_return tl::unexpected(
        Fault{{good.error().code, fmt::format("{}: {}", endpoint.name(), good.error().message)}});
  }
  revocations_ = scan.release().entries;
  co_return Read{};
}

// Logs that do not fit what was proved prove nothing against who served them once the blocks are
// not the chain's any more.
net::Task<Result<void>> Round::still_there() {
  const auto now = co_await heads_.latest();
  if (!now) co_return fail(now.error());
  const auto block = co_await heads_.at(found_.latest.number, now->block);
  if (!block) co_return fail(block.error());
  if (block->hash == found_.latest.hash) co_return Result<void>{};
  co_return fail(ErrorCode::kUnavailable, "the chain was reorganised while its logs were read");
}

}  // namespace bw::ledger_ethereum
