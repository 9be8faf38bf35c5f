// SPDX-License-Identifier: Apache-2.0
#include "agent/seal_settings.hpp"

#include "codec/reader.hpp"
#include "codec/writer.hpp"
#include "store/file.hpp"
#include "syndication/sealed_payload.hpp"
#include "wave/link.hpp"

namespace bw::agent {
namespace {

using syndication::SealSetting;

constexpr Duration kReview = 30s;        // grants may begin and end by themselves
constexpr Duration kTryAgain = 5s;       // to read a setting that could not be read
constexpr std::size_t kGrants = 10'000;  // of a namespace to everyone, looked at
constexpr std::string_view kMagic = "BWSET";
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kMostBytes = 64 * 1024;

std::optional<SealSetting> setting_in(ByteView payload) {
  const auto objects = syndication::parse_payload(payload);
  if (!objects || objects->size() != 1 || objects->front().type != syndication::kSealSettingType) {
    return std::nullopt;
  }
  auto setting = syndication::parse_seal_setting(objects->front().content);
  return setting ? std::optional(*std::move(setting)) : std::nullopt;
}

}  // namespace

SealSettings::SealSettings(const replica::Replica& replica, const Clock& clock, telemetry::Log& log,
                           std::filesystem::path directory, Subscribe subscribe)
    : replica_(replica),
      clock_(clock),
      log_(log),
      directory_(std::move(directory)),
      subscribe_(std::move(subscribe)) {}

SealSettings::State& SealSettings::state_of(const EntityKey& ns) {
  const auto [place, is_new] = states_.try_emplace(ns);
  if (is_new) load(ns, place->second);
  return place->second;
}

Result<SealSettings::Answer> SealSettings::ask(const KeyPtr& key, const EntityKey& ns,
                                               const wave::Pattern& uri,
                                               std::function<void()> again) {
  if (syndication::is_seal_setting_uri(uri)) return Answer::kClear;
  State& state = state_of(ns);
  const Time now = clock_.now();
  if (now >= state.checked_until) {
    BW_TRY(state.announced, is_announced(ns));
    state.checked_until = now + kReview;
  }
  if (!state.announced) return Answer::kClear;
  if (!state.read && now >= state.try_again) {
    state.waiting.push_back(std::move(again));
    if (!state.following) follow(key, ns, state);
    return Answer::kWait;
  }
  const bool sealed = !state.setting || state.setting->covers(uri);
  return sealed ? Answer::kSeal : Answer::kClear;
}

void SealSettings::changed(const EntityKey& ns) {
  if (const auto found = states_.find(ns); found != states_.end()) {
    found->second.checked_until = Time{};
  }
}

Result<bool> SealSettings::is_announced(const EntityKey& ns) const {
  const wave::Pattern uri = *wave::Pattern::parse(syndication::kSealUri);
  const auto grants = replica_.store().between(ns, ns, kEveryone);
  wave::Edge edge;
  for (std::size_t i = 0; i < kGrants; ++i) {
    BW_TRY(const bool more, grants->next(edge));
    if (!more) return false;
    // A grant on everything, say, is none that speaks of sealing.
    if (edge.pattern.literal_prefix() == syndication::kSealUri &&
        wave::matches(edge.pattern, uri) &&
        edge.permissions.contains(wave::consume_permission(uri)) &&
        !wave::validity_obstacle(wave::Link(edge), 0, clock_.now())) {
      return true;
    }
  }
  return false;
}

void SealSettings::follow(const KeyPtr& key, const EntityKey& ns, State& state) {
  ConsumeRequest request{
      .key = key, .ns = ns, .pattern = *wave::Pattern::parse(syndication::kSealUri)};
  request.replay = true;
  ConsumeHandlers handlers;
  handlers.on_message = [this, ns](const Received& message) { take(ns, message); };
  handlers.on_event = [this, ns](const SubscriptionEvent& event) {
    if (event.kind != SubscriptionEvent::Kind::kStanding) return;
    State& now_read = state_of(ns);
    now_read.read = true;
    answer_waiting(now_read);
  };
  handlers.on_end = [this, ns](const Result<void>& outcome) {
    State& ended = state_of(ns);
    ended.following = false;
    ended.read = false;
    ended.try_again = clock_.now() + kTryAgain;
    if (!outcome) {
      log_.limited(telemetry::Level::kWarning, "agent", "cannot read where a namespace wants seals",
                   {{"namespace", ns.text()}, {"reason", outcome.error().message}});
    }
    answer_waiting(ended);
  };
  state.following = true;
  subscribe_(std::move(request), std::move(handlers));
}

void SealSettings::take(const EntityKey& ns, const Received& message) {
  State& state = state_of(ns);
  if (!message.persisted || message.created <= state.created) return;
  state.created = message.created;
  state.setting = setting_in(message.payload);
  save(ns, message.created, message.payload);
}

void SealSettings::answer_waiting(State& state) {
  for (const auto& again : std::exchange(state.waiting, {})) again();
}

// ---- on disk: magic | version | created u64 us | payload

std::filesystem::path SealSettings::file_of(const EntityKey& ns) const {
  return directory_ / (ns.text() + ".setting");
}

void SealSettings::save(const EntityKey& ns, Time created, ByteView payload) {
  if (directory_.empty()) return;
  Bytes bytes;
  codec::Writer(bytes).bytes(as_bytes(kMagic)).u8(kVersion).micros(created).bytes(payload);
  const auto saved = store::atomic_write_file(file_of(ns), bytes, 0600, true);
  if (saved) return;
  log_.limited(telemetry::Level::kWarning, "agent", "cannot keep a namespace's seal setting",
               {{"namespace", ns.text()}, {"reason", saved.error().message}});
}

void SealSettings::load(const EntityKey& ns, State& state) const {
  if (directory_.empty()) return;
  const auto file = store::File::open(file_of(ns), 0);
  if (!file) return;
  const auto bytes = store::read_whole(*file, kMostBytes);
  if (!bytes) return;
  codec::Reader reader(*bytes);
  const bool ours = as_text(reader.bytes(kMagic.size())) == kMagic && reader.u8() == kVersion;
  const Time created = reader.micros();
  if (!ours || !reader.ok()) return;
  state.created = created;
  state.setting = setting_in(reader.rest());
}

}  // namespace bw::agent
