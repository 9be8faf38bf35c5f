// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>

#include "base/limits.hpp"
#include "syndication/message_store.hpp"

namespace bw::syndication::testing {

// Persisted messages in memory, for tests: the same rules as the store on disk.
class MemoryMessageStore final : public MessageStore {
 public:
  Result<std::vector<Result<void>>> put(const std::vector<StoredMessage>& messages) override {
    if (broken_) return fail(*broken_);
    ++puts_;
    std::vector<Result<void>> outcomes;
    for (const StoredMessage& message : messages) outcomes.push_back(put_one(message));
    return outcomes;
  }

  Result<void> query(const EntityKey& ns, const wave::Pattern& pattern, Time now,
                     const std::function<bool(const StoredMessage&)>& visit) const override {
    if (broken_) return fail(*broken_);
    for (const auto& [key, message] : messages_) {
      if (key.first != ns || !is_value(message, now)) continue;
      if (wave::matches(pattern, message.topic.uri) && !visit(message)) break;
    }
    return {};
  }

  Result<std::vector<std::string>> children(const EntityKey& ns, const wave::Pattern& pattern,
                                            Time now, std::size_t most) const override {
    if (broken_) return fail(*broken_);
    std::set<std::string> names;
    for (const auto& [key, message] : messages_) {
      if (key.first != ns || !is_value(message, now)) continue;
      if (auto name = child(pattern, message.topic.uri)) names.insert(*std::move(name));
    }
    std::vector<std::string> all(names.begin(), names.end());
    if (all.size() > most) all.resize(most);
    return all;
  }

  Result<std::uint64_t> used_bytes(const ObjectId& dot) const override {
    const auto found = used_.find(dot);
    return found == used_.end() ? 0 : found->second;
  }

  Result<std::size_t> purge(Time now) override {
    if (broken_) return fail(*broken_);
    return std::erase_if(messages_, [&](const auto& entry) {
      const StoredMessage& message = entry.second;
      const bool old_mark = message.deletion && message.created + 2 * limits::kReplayWindow < now;
      const bool expired = message.expires && *message.expires <= now;
      if (expired) account(message, false);
      return old_mark || expired;
    });
  }

  // From now on everything fails with `error`; nothing mends it.
  void break_with(std::optional<Error> error) { broken_ = std::move(error); }
  [[nodiscard]] std::size_t puts() const { return puts_; }
  // Values and deletion marks.
  [[nodiscard]] std::size_t size() const { return messages_.size(); }

 private:
  using Key = std::pair<EntityKey, std::string>;

  static bool is_value(const StoredMessage& message, Time now) {
    return !message.deletion && !(message.expires && *message.expires <= now);
  }

  Result<void> put_one(const StoredMessage& message) {
    const Key key{message.topic.ns, cell_order(message.topic.uri.text())};
    const auto found = messages_.find(key);
    const StoredMessage* old = found == messages_.end() ? nullptr : &found->second;
    if (old != nullptr &&
        std::tie(old->created, old->id) >= std::tie(message.created, message.id)) {
      return fail(ErrorCode::kConflict, "'{}' holds a newer value",
                  message.topic.uri.text());
    }
    if (old != nullptr) account(*old, false);
    if (const auto* limit = exceeded(message)) {
      if (old != nullptr) account(*old, true);
      return fail(ErrorCode::kLimited, "DoT {} allows {} stored bytes; delete some",
                  limit->dot.text(), limit->stored_bytes);
    }
    account(message, true);
    messages_[key] = message;
    return {};
  }

  const wave::PublishLimit* exceeded(const StoredMessage& message) {
    if (message.deletion) return nullptr;
    for (const wave::PublishLimit& limit : message.limits) {
      if (limit.stored_bytes == 0) continue;
      if (used_[limit.dot] + message.accounted_bytes > limit.stored_bytes) return &limit;
    }
    return nullptr;
  }

  void account(const StoredMessage& message, bool add) {
    if (message.deletion) return;
    for (const wave::PublishLimit& limit : message.limits) {
      std::uint64_t& used = used_[limit.dot];
      used = add ? used + message.accounted_bytes : used - message.accounted_bytes;
    }
  }

  // The cell of `uri` that the last "+" of `pattern` stands for.
  static std::optional<std::string> child(const wave::Pattern& pattern, const wave::Pattern& uri) {
    const auto cells = uri.cells();
    const std::size_t count = pattern.cell_count();
    if (cells.size() < count) return std::nullopt;
    std::string head(cells[0]);
    for (std::size_t i = 1; i < count; ++i) head.append("/").append(cells[i]);
    if (!wave::matches(pattern, *wave::Pattern::parse(head))) return std::nullopt;
    return std::string(cells[count - 1]);
  }

  std::map<Key, StoredMessage> messages_;
  std::unordered_map<ObjectId, std::uint64_t> used_;
  std::optional<Error> broken_;
  std::size_t puts_ = 0;
};

}  // namespace bw::syndication::testing
