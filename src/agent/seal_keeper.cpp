// SPDX-License-Identifier: Apache-2.0
#include "agent/seal_keeper.hpp"

#include <algorithm>

#include "wave/search.hpp"

namespace bw::agent {
namespace {

constexpr std::size_t kAtOnce = 16;
constexpr Duration kReview = 300s;  // grants may begin by themselves
constexpr Duration kTryAgain = 5s;

std::optional<crypto::AeadNonce> nonce_of(ByteView payload) {
  if (!syndication::is_sealed(payload)) return std::nullopt;
  const auto sealed = syndication::parse_sealed_payload(payload);
  return sealed ? std::optional(sealed->nonce) : std::nullopt;
}

// Refusals that pass by themselves.
bool may_pass(ErrorCode code) {
  return code == ErrorCode::kNotFound || code == ErrorCode::kUnavailable ||
         code == ErrorCode::kStale || code == ErrorCode::kLimited ||
         code == ErrorCode::kBlacklisted;
}

}  // namespace

SealKeeper::SealKeeper(const replica::Replica& replica, const Clock& clock, telemetry::Log& log,
                       std::filesystem::path directory, ConsumerLists& lists,
                       syndication::SealKeyring& keyring, Ports ports)
    : replica_(replica),
      clock_(clock),
      log_(log),
      records_(std::move(directory)),
      lists_(lists),
      keyring_(keyring),
      ports_(std::move(ports)) {}

void SealKeeper::stored(const crypto::SigningKey& origin, const Value& value, const Stored& as) {
  const Name name{origin.public_key(), value.ns, value.uri.text()};
  Record record;
  record.expires = value.expires;
  record.sealed_at = as.sealed_at;
  record.stored_before = clock_.now();
  record.nonce = nonce_of(as.payload).value_or(crypto::AeadNonce{});
  record.readers_hash = SealRecords::hash_of(*as.readers);
  record.readers = as.readers;
  const auto kept = records_.put(name, std::move(record), value.payload, origin);
  if (kept) {
    due_.insert(name);  // somebody may have come while it was on its way
    return;
  }
  log_.limited(telemetry::Level::kWarning, "agent", "a sealed value cannot be renewed for others",
               {{"uri", name.ns.text() + "/" + name.uri}, {"reason", kept.error().message}});
}

void SealKeeper::replaced(const EntityKey& origin, const EntityKey& ns, const std::string& uri) {
  if (!records_.all().empty()) records_.erase({origin, ns, uri});
}

void SealKeeper::changed(const EntityKey& ns) {
  for (const auto& [name, record] : records_.all()) {
    if (name.ns == ns) due_.insert(name);
  }
}

std::set<EntityKey> SealKeeper::namespaces() const {
  std::set<EntityKey> found;
  for (const auto& [name, record] : records_.all()) found.insert(name.ns);
  return found;
}

void SealKeeper::tick(Time now) {
  if (now >= review_at_) {
    review_at_ = now + kReview;
    for (const auto& [name, record] : records_.all()) due_.insert(name);
  }
  std::erase_if(later_, [&](const auto& entry) {
    if (now < entry.second) return false;
    due_.insert(entry.first);
    return true;
  });
  for (auto it = due_.begin(); it != due_.end() && under_way_.size() < kAtOnce;) {
    if (under_way_.contains(*it)) {
      ++it;  // looked at again when that is over
      continue;
    }
    const Name name = *it;
    it = due_.erase(it);
    look_at(name, now);
  }
}

void SealKeeper::look_at(const Name& name, Time now) {
  Record* record = records_.find(name);
  if (record == nullptr) return;
  if (record->expires && *record->expires <= now) return records_.erase(name);
  KeyPtr key = ports_.key(name.origin);
  auto uri = wave::Pattern::parse(name.uri);
  if (!key || !uri) return;
  auto list = lists_.of(name.ns, *uri, false);
  if (!list) return later(name);
  if (!list->everyone && (list->readers->empty() || !has_newcomers(*record, *list))) return;
  check_and_renew({name, std::move(key), *std::move(uri), *std::move(list), record->nonce}, now);
}

bool SealKeeper::has_newcomers(Record& record, const ConsumerLists::List& list) {
  if (!record.readers) {
    if (SealRecords::hash_of(*list.readers) != record.readers_hash) return true;
    record.readers = list.readers;
  }
  return !std::ranges::includes(*record.readers, *list.readers);
}

void SealKeeper::check_and_renew(const Renewal& renewal, Time now) {
  if (const auto tap = may_look(renewal, now)) return look(renewal, *tap);
  if (is_only_writer(renewal, now)) return renew(renewal);
  log_.limited(telemetry::Level::kWarning, "agent",
               "a persisted value is not sealed for new consumers until its next change: its "
               "publisher may not read it and others write there; grant it C or T",
               {{"uri", renewal.name.ns.text() + "/" + renewal.name.uri},
                {"publisher", renewal.name.origin.text()}});
}

std::optional<bool> SealKeeper::may_look(const Renewal& renewal, Time now) const {
  for (const bool tap : {false, true}) {
    const auto needed =
        tap ? wave::tap_permission(renewal.uri) : wave::consume_permission(renewal.uri);
    const auto path = wave::find_path({renewal.name.origin, renewal.name.ns, renewal.uri, needed},
                                      replica_.store(), replica_, now);
    if (path && path->path) return tap;
  }
  return std::nullopt;
}

bool SealKeeper::is_only_writer(const Renewal& renewal, Time now) const {
  const auto writers = wave::who_can(renewal.name.ns, renewal.uri,
                                     wave::Permissions::of(wave::Permissions::kPublish),
                                     replica_.store(), replica_, now);
  return writers && !writers->exhausted_bounds &&
         std::ranges::all_of(writers->list, [&](const wave::Holder& holder) {
           return holder.entity == renewal.name.ns || holder.entity == renewal.name.origin;
         });
}

void SealKeeper::look(const Renewal& renewal, bool tap) {
  under_way_.insert(renewal.name);
  ConsumeRequest request{.key = renewal.key, .ns = renewal.name.ns, .pattern = renewal.uri};
  request.tap = tap;
  request.keep_sealed = true;
  const auto stands = std::make_shared<bool>(false);
  ConsumeHandlers handlers;
  handlers.on_message = [renewal, stands](const Received& message) {
    *stands = message.id.origin == renewal.name.origin &&
              nonce_of(message.payload) == std::optional(renewal.nonce);
  };
  handlers.on_end = [this, renewal, stands](const Result<void>& outcome) {
    under_way_.erase(renewal.name);
    Record* record = records_.find(renewal.name);
    if (record == nullptr || record->nonce != renewal.nonce) return;  // replaced meanwhile
    if (!outcome) return later(renewal.name);
    if (*stands) return renew(renewal);
    records_.erase(renewal.name);
  };
  ports_.query(std::move(request), std::move(handlers));
}

void SealKeeper::renew(const Renewal& renewal) {
  const Record* record = records_.find(renewal.name);
  auto plaintext = records_.plaintext(renewal.name, *renewal.key);
  if (record == nullptr || !plaintext) return records_.erase(renewal.name);
  const Time now = clock_.now();
  Value value;
  value.ns = renewal.name.ns;
  value.uri = renewal.uri;
  value.persist = true;
  value.expires = record->expires;
  value.payload = *plaintext;
  if (!renewal.list.everyone) {
    const syndication::SealContext context{renewal.name.origin, renewal.name.ns, renewal.name.uri};
    auto sealed = keyring_.seal({.context = context,
                                 .readers = renewal.list.readers,
                                 .persist = true,
                                 .renewed = true,
                                 .sealed_at = record->sealed_at,
                                 .now = now},
                                *plaintext);
    if (!sealed) return later(renewal.name);
    value.payload = *std::move(sealed);
  }
  const Time created = std::max(now - kBackdated, record->stored_before + Duration{1});
  under_way_.insert(renewal.name);
  ports_.persist(renewal.key, value, created,
                 [this, renewal, payload = value.payload, plaintext = *std::move(plaintext),
                  sealed_at = record->sealed_at](const Result<void>& outcome) {
                   under_way_.erase(renewal.name);
                   renewed(renewal, {payload, renewal.list.readers, sealed_at}, plaintext,
                           clock_.now(), outcome);
                 });
}

void SealKeeper::renewed(const Renewal& renewal, const Stored& as, const Bytes& plaintext, Time now,
                         const Result<void>& outcome) {
  Record* record = records_.find(renewal.name);
  if (record == nullptr || record->nonce != renewal.nonce) return;  // replaced meanwhile
  if (!outcome) {
    if (may_pass(outcome.error().code)) return later(renewal.name);
    // Something newer stands; or it may not be written any more.
    return records_.erase(renewal.name);
  }
  ++renewed_;
  if (renewal.list.everyone) return records_.erase(renewal.name);
  Record fresh = *record;
  fresh.stored_before = now;
  fresh.nonce = nonce_of(as.payload).value_or(crypto::AeadNonce{});
  fresh.readers = as.readers;
  fresh.readers_hash = SealRecords::hash_of(*as.readers);
  // Fails like stored(): then it stays as it is.
  if (records_.put(renewal.name, std::move(fresh), plaintext, *renewal.key)) return;
  records_.erase(renewal.name);
}

void SealKeeper::later(const Name& name) {
  later_[name] = clock_.now() + kTryAgain;
}

}  // namespace bw::agent
