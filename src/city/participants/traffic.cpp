// SPDX-License-Identifier: Apache-2.0
#include "city/participants/traffic.hpp"

#include <algorithm>
#include <charconv>

namespace bw::city {
namespace {

using Timer = std::chrono::steady_clock;

constexpr Duration kStraggling = 5s;

std::string text_of(int phase) {
  return fmt::format("{} {}", phase, Timer::now().time_since_epoch().count());
}

// What text_of() wrote.
bool parse_text(const std::string& text, int& phase, Timer::time_point& sent) {
  Timer::rep count = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, bad] = std::from_chars(text.data(), end, phase);
  if (bad != std::errc{} || rest == end) return false;
  const auto parsed = std::from_chars(rest + 1, end, count);
  sent = Timer::time_point(Timer::duration(count));
  return parsed.ec == std::errc{} && parsed.ptr == end;
}

}  // namespace

Result<std::unique_ptr<Traffic>> Traffic::start(std::vector<Feed> feeds) {
  std::unique_ptr<Traffic> out(new Traffic(std::move(feeds)));
  for (std::size_t i = 0; i < out->feeds_.size(); ++i) {
    const Feed& feed = out->feeds_[i];
    out->subscriptions_.push_back(std::make_unique<Subscription>(
        feed.to->listening(), feed.listener, feed.uri,
        [traffic = out.get(), i](const Subscription::Heard& heard) { traffic->hear(i, heard); }));
  }
  for (std::size_t i = 0; i < out->feeds_.size(); ++i) {
    BW_TRY(const bool stands, out->subscriptions_[i]->stands());
    if (!stands) {
      return fail(ErrorCode::kInternal, "participant {} may not hear {}: {}",
                  out->feeds_[i].receiver, out->feeds_[i].uri, out->subscriptions_[i]->reason());
    }
  }
  for (std::size_t i = 0; i < out->feeds_.size(); ++i) {
    out->threads_.emplace_back([traffic = out.get(), i] { traffic->feed(i); });
  }
  return out;
}

Traffic::~Traffic() {
  {
    const std::scoped_lock lock(mutex_);
    over_ = true;
    changed_.notify_all();
  }
  threads_.clear();
  // All at once, not one after another.
  for (const Feed& feed : feeds_) feed.to->listening().cancel();
  subscriptions_.clear();
}

void Traffic::hear(std::size_t feed, const Subscription::Heard& heard) {
  const Timer::time_point now = Timer::now();
  int phase = 0;
  Timer::time_point sent;
  if (heard.from != feeds_[feed].speaker || !parse_text(heard.text, phase, sent)) return;
  const std::scoped_lock lock(mutex_);
  ++counts_[phase].arrived;
  arrivals_.push_back({feed, phase, std::chrono::duration<double, std::micro>(now - sent).count()});
  changed_.notify_all();
}

void Traffic::feed(std::size_t number) {
  std::unique_ptr<client::Publisher> stream;
  std::unique_lock lock(mutex_);
  std::uint64_t version = 0;
  Timer::time_point next;
  while (!over_) {
    const auto told = [&] { return over_ || version != version_; };
    const bool idle = number >= active_;
    if (idle ? (changed_.wait(lock, told), true) : changed_.wait_until(lock, next, told)) {
      version = version_;
      // Its own moment: spread over the interval.
      next = Timer::now() + interval_ * (2 * number + 1) / (2 * feeds_.size());
      continue;
    }
    const int phase = phase_;
    ++under_way_;
    lock.unlock();
    const auto said = say(feeds_[number], stream, text_of(phase));
    lock.lock();
    --under_way_;
    Counts& counts = counts_[phase];
    if (said) {
      ++counts.accepted;
    } else {
      ++(said.error().code == ErrorCode::kDenied ? counts.denied : counts.failed);
      if (said.error().code != ErrorCode::kDenied && trouble_.empty()) {
        trouble_ = fmt::format("participant {}: {}", feeds_[number].sender, said.error().message);
      }
    }
    changed_.notify_all();
    next = std::max(next + interval_, Timer::now());
  }
  lock.unlock();
  if (stream) [[maybe_unused]]
    const auto ended = stream->finish();
}

Result<void> Traffic::say(const Feed& feed, std::unique_ptr<client::Publisher>& stream,
                          const std::string& text) {
  if (!stream) stream = feed.from->calls().publish();
  client::api::PublishResults results;
  if (stream->send(text_frame(feed.speaker, feed.uri, text)) && stream->receive(results)) {
    return outcome_of(results);
  }
  auto why = stream->finish();
  stream.reset();
  if (!why) return why;
  return fail(ErrorCode::kUnavailable, "the agent ended the stream without an answer");
}

void Traffic::begin(int phase, std::size_t feeds, Duration interval) {
  const std::scoped_lock lock(mutex_);
  phase_ = phase;
  active_ = feeds;
  interval_ = interval;
  ++version_;
  changed_.notify_all();
}

bool Traffic::all_in() const {
  const auto found = counts_.find(phase_);
  return under_way_ == 0 &&
         (found == counts_.end() || found->second.arrived >= found->second.accepted);
}

void Traffic::end() {
  std::unique_lock lock(mutex_);
  active_ = 0;
  ++version_;
  changed_.notify_all();
  changed_.wait_for(lock, kStraggling, [this] { return all_in(); });
}

std::vector<Traffic::Arrival> Traffic::take_arrivals() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(arrivals_, {});
}

Traffic::Counts Traffic::counts(int phase) {
  const std::scoped_lock lock(mutex_);
  return counts_[phase];
}

std::string Traffic::trouble() {
  const std::scoped_lock lock(mutex_);
  return trouble_;
}

}  // namespace bw::city
