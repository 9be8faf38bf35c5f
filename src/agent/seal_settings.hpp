// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <unordered_map>

#include "agent/agent.hpp"
#include "syndication/seal_setting.hpp"

namespace bw::agent {

// Where namespaces want payloads sealed. That a namespace has a setting at all its ledger says: it
// lets everyone consume "!seal" (docs/formats.md, "Seal setting"). The setting itself is a
// persisted message there, which is followed from the first publication on; the newest that was
// seen is kept in a file, so that no router can pass off an older one. While it cannot be read,
// everything is sealed. For one thread.
class SealSettings {
 public:
  using Subscribe = std::function<void(ConsumeRequest, ConsumeHandlers)>;
  // `directory`: empty keeps nothing.
  SealSettings(const replica::Replica& replica, const Clock& clock, telemetry::Log& log,
               std::filesystem::path directory, Subscribe subscribe);

  enum class Answer { kClear, kSeal, kWait };
  // Whether the namespace wants what is said at `uri` sealed; `key` is for reading the setting. On
  // kWait `again` is called once, later.
  Result<Answer> ask(const KeyPtr& key, const EntityKey& ns, const wave::Pattern& uri,
                     std::function<void()> again);
  // Grants in `ns` may have changed.
  void changed(const EntityKey& ns);

 private:
  struct State {
    Time checked_until{};  // until when `announced` holds
    bool announced = false;
    bool following = false;  // a subscription is asked for, or stands
    bool read = false;       // the subscription stands: what there is has come
    Time try_again{};        // after the setting could not be read
    // The newest seen: nothing when it was deleted, or says what this program does not understand.
    std::optional<syndication::SealSetting> setting;
    Time created{};
    std::vector<std::function<void()>> waiting;
  };

  Result<bool> is_announced(const EntityKey& ns) const;
  void follow(const KeyPtr& key, const EntityKey& ns, State& state);
  void take(const EntityKey& ns, const Received& message);
  void answer_waiting(State& state);
  State& state_of(const EntityKey& ns);
  [[nodiscard]] std::filesystem::path file_of(const EntityKey& ns) const;
  void save(const EntityKey& ns, Time created, ByteView payload);
  void load(const EntityKey& ns, State& state) const;

  const replica::Replica& replica_;
  const Clock& clock_;
  telemetry::Log& log_;
  std::filesystem::path directory_;
  Subscribe subscribe_;
  std::unordered_map<EntityKey, State> states_;
};

}  // namespace bw::agent
