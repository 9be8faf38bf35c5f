// SPDX-License-Identifier: Apache-2.0
#include "syndication/blacklist.hpp"

#include <algorithm>

#include "base/limits.hpp"

namespace bw::syndication {
namespace {

constexpr unsigned kMostDoublings = 10;

}  // namespace

Blacklist::Blacklist(double strikes_to_ban, Duration first_ban)
    : strikes_to_ban_(strikes_to_ban), first_ban_(first_ban) {}

Duration Blacklist::length(unsigned bans) const {
  return first_ban_ * (1 << std::min(bans - 1, kMostDoublings));
}

Blacklist::Record Blacklist::faded(Record record, Time now) const {
  Duration calm = now - std::max(record.at, record.until);
  if (calm <= Duration::zero()) return record;
  const double fading = static_cast<double>(calm.count()) / static_cast<double>(first_ban_.count());
  record.strikes = std::max(0.0, record.strikes - fading * strikes_to_ban_);
  while (record.bans > 0 && calm >= length(record.bans)) calm -= length(record.bans--);
  return record;
}

bool Blacklist::strike(const EntityKey& entity, double count, Time now) {
  const std::scoped_lock lock(mutex_);
  if (records_.size() >= limits::kStrikeRecords && !records_.contains(entity)) forget_settled(now);
  // Whoever fills the table paid for as many entities; what is lost is one of their records.
  if (records_.size() >= limits::kStrikeRecords && !records_.contains(entity)) {
    records_.erase(records_.begin());
  }
  Record& record = records_.try_emplace(entity, Record{.at = now}).first->second;
  record = faded(record, now);
  record.at = now;
  record.total += static_cast<std::uint64_t>(count);
  if (now < record.until) return false;
  record.strikes += count;
  if (record.strikes < strikes_to_ban_) return false;
  record.strikes = 0;
  record.until = now + length(++record.bans);
  return true;
}

std::optional<Time> Blacklist::banned_until(const EntityKey& entity, Time now) const {
  const std::scoped_lock lock(mutex_);
  const auto found = records_.find(entity);
  if (found == records_.end() || now >= found->second.until) return std::nullopt;
  return found->second.until;
}

std::vector<BlacklistEntry> Blacklist::entries(Time now) const {
  std::vector<BlacklistEntry> banned;
  const std::scoped_lock lock(mutex_);
  for (const auto& [entity, record] : records_) {
    if (now < record.until) banned.push_back({entity, record.until, record.total});
  }
  std::ranges::sort(banned, {}, &BlacklistEntry::entity);
  return banned;
}

std::size_t Blacklist::remembered() const {
  const std::scoped_lock lock(mutex_);
  return records_.size();
}

void Blacklist::tick(Time now) {
  const std::scoped_lock lock(mutex_);
  forget_settled(now);
}

void Blacklist::forget_settled(Time now) {
  std::erase_if(records_, [&](const auto& entry) {
    const Record record = faded(entry.second, now);
    return record.strikes <= 0 && record.bans == 0 && now >= record.until;
  });
}

}  // namespace bw::syndication
