// SPDX-License-Identifier: Apache-2.0
#include "syndication/fair_turns.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace bw::syndication {
namespace {

// Records of entities that do not wait are looked through when there are so many.
constexpr std::size_t kManyRecords = 64;

}  // namespace

FairTurns::Ticket FairTurns::enter(const EntityKey& entity) {
  const Ticket ticket = ++last_ticket_;
  Line& line = lines_[entity];
  if (line.tickets.empty() && serving_ != entity) {
    line.start = std::max(line.start, now_ - kAhead.count());
    order_.emplace(line.start, ticket);
  }
  line.tickets.push_back(ticket);
  entity_of_.emplace(ticket, entity);
  return ticket;
}

void FairTurns::leave(Ticket ticket) {
  const auto entity = entity_of_.find(ticket);
  if (entity == entity_of_.end()) return;
  Line& line = lines_.at(entity->second);
  order_.erase({line.start, line.tickets.front()});
  std::erase(line.tickets, ticket);
  if (!line.tickets.empty() && serving_ != entity->second) {
    order_.emplace(line.start, line.tickets.front());
  }
  entity_of_.erase(entity);
}

std::optional<FairTurns::Ticket> FairTurns::next() {
  BW_ASSERT(!serving_);
  if (order_.empty()) return std::nullopt;
  const auto [start, ticket] = *order_.begin();
  order_.erase(order_.begin());
  now_ = std::max(now_, start);
  const auto entity = entity_of_.find(ticket);
  serving_ = entity->second;
  lines_.at(*serving_).tickets.pop_front();
  entity_of_.erase(entity);
  return ticket;
}

void FairTurns::charge(std::chrono::nanoseconds work) {
  BW_ASSERT(serving_.has_value());
  Line& line = lines_.at(*serving_);
  line.start += work.count();
  if (!line.tickets.empty()) order_.emplace(line.start, line.tickets.front());
  serving_.reset();
  if (lines_.size() > kManyRecords + 2 * order_.size()) forget_settled();
}

void FairTurns::forget_settled() {
  // While nobody waits nobody is served ahead of others.
  const bool idle = order_.empty();
  std::erase_if(lines_, [&](const auto& entry) {
    return entry.second.tickets.empty() && (idle || entry.second.start <= now_ - kAhead.count());
  });
}

}  // namespace bw::syndication
