// SPDX-License-Identifier: Apache-2.0
#include "agent/ledger_writer.hpp"

#include <algorithm>
#include <list>
#include <utility>

#include <boost/asio/post.hpp>

#include "net/repeat_timer.hpp"

namespace bw::agent {
namespace {

constexpr Duration kPatience = 20s;
constexpr Duration kTick = 200ms;

Error shutting_down() {
  return {ErrorCode::kUnavailable, "this agent is shutting down"};
}

}  // namespace

struct LedgerWriter::Impl : std::enable_shared_from_this<LedgerWriter::Impl> {
  struct Waiting {
    std::uint64_t size;  // the replica must hold so many entries
    Time deadline;
    std::vector<ledger::Submitted> outcomes;
    Done done;
  };

  Impl(net::asio::io_context& context, ledger::Ledger& to, replica::Replica& node,
       const Clock& wall_clock)
      : io(context), ledger(to), replica(node), clock(wall_clock), timer(context, kTick, [this] {
          check();
          return !waiting.empty();
        }) {}

  void submitted(Result<std::vector<ledger::Submitted>> outcomes, const std::vector<Bytes>& objects,
                 Done done) {
    if (!outcomes) return done(std::move(outcomes));
    if (stopped) return done(fail(shutting_down()));
    std::uint64_t size = 0;
    for (std::size_t i = 0; i < outcomes->size(); ++i) {
      ledger::Submitted& outcome = (*outcomes)[i];
      if (!outcome.index && outcome.refusal.code == ErrorCode::kConflict)
        accept_repeat(objects[i], outcome);
      if (outcome.index) size = std::max(size, *outcome.index + 1);
    }
    waiting.push_back({size, clock.now() + kPatience, *std::move(outcomes), std::move(done)});
    check();
    if (!waiting.empty()) timer.start();
  }

  // The very same object was put before, perhaps by a try whose answer was lost.
  void accept_repeat(const Bytes& bytes, ledger::Submitted& outcome) const {
    const auto object = wave::parse_object(bytes);
    if (!object) return;
    const auto dot = replica.dot(wave::id_of(*object));
    if (dot && *dot && (*dot)->revoked) return;  // is there, but to no effect
    const auto known = replica.store().object(wave::id_of(*object));
    if (known && *known) outcome.index = (*known)->index;
  }

  void check() {
    std::list<Waiting> ready;
    for (auto it = waiting.begin(); it != waiting.end();) {
      const auto next = std::next(it);
      if (replica.size() >= it->size || clock.now() >= it->deadline)
        ready.splice(ready.end(), waiting, it);
      it = next;
    }
    for (Waiting& entry : ready) {
      if (replica.size() >= entry.size) {
        entry.done(std::move(entry.outcomes));
      } else {
        entry.done(fail(ErrorCode::kUnavailable,
                        "the ledger took it at position {}, but this node has "
                        "not heard of it for {}; it holds {} entries",
                        entry.size - 1, to_text(kPatience), replica.size()));
      }
    }
  }

  net::asio::io_context& io;
  ledger::Ledger& ledger;
  replica::Replica& replica;
  const Clock& clock;
  std::list<Waiting> waiting;
  net::RepeatTimer timer;  // for the deadlines
  replica::Replica::ListenerId news = 0;
  bool stopped = false;
};

LedgerWriter::LedgerWriter(net::asio::io_context& io, ledger::Ledger& ledger,
                           replica::Replica& replica, const Clock& clock)
    : impl_(std::make_shared<Impl>(io, ledger, replica, clock)) {
  impl_->news = replica.listen([weak = std::weak_ptr(impl_)](const ledger::Effects&) {
    const auto impl = weak.lock();
    if (impl) net::asio::post(impl->io, [impl] { impl->check(); });
  });
}

LedgerWriter::~LedgerWriter() {
  impl_->replica.forget(impl_->news);
}

void LedgerWriter::submit(std::vector<Bytes> objects, Done done) {
  // The ledger gets a copy; the original is needed to recognise a repeat.
  auto sent = objects;
  impl_->ledger.submit(std::move(sent), [impl = impl_, objects = std::move(objects),
                                         done = std::move(done)](auto outcomes) mutable {
    net::asio::post(impl->io, [impl, objects = std::move(objects), done = std::move(done),
                               outcomes = std::move(outcomes)]() mutable {
      impl->submitted(std::move(outcomes), objects, std::move(done));
    });
  });
}

void LedgerWriter::stop() {
  impl_->stopped = true;
  impl_->timer.stop();
  for (auto& entry : std::exchange(impl_->waiting, {})) {
    entry.done(fail(shutting_down()));
  }
}

}  // namespace bw::agent
