// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "agent/api_calls.hpp"

// Calls that sign something and put it on the ledger.
namespace bw::agent {
namespace {

constexpr Duration kEntityLife = std::chrono::hours{24 * 365 * 10};
// What is submitted together travels in one frame.
constexpr std::size_t kMostSubmitBytes = limits::kFrameBytes / 2;
constexpr Duration kGrantLife = std::chrono::hours{24 * 90};

api::ObjectReply reply_for(const ObjectId& id, std::uint64_t position) {
  api::ObjectReply reply;
  reply.set_id(id.text());
  reply.set_position(position);
  return reply;
}

// An entity is renewed only by one created later, and times have whole seconds: two in the same
// second differ all the same.
Result<Time> created_after_last(const store::AuthorityStore& store, const EntityKey& key,
                                Time now) {
  BW_TRY(const auto last, store.object(ObjectId{key.bytes}));
  return last ? std::max(now, wave::created_of(last->object) + std::chrono::seconds{1}) : now;
}

}  // namespace

ApiCalls::ApiCalls(ApiContext context, std::string default_entity)
    : context_(std::move(context)),
      default_entity_(std::move(default_entity)),
      writer_(context_.io, context_.ledger, context_.replica, context_.clock) {}

// Objects carry whole seconds.
Time ApiCalls::now_in_seconds() const {
  return std::chrono::floor<std::chrono::seconds>(context_.clock.now());
}

// Submits one object and answers with its id and position.
template <class T>
void ApiCalls::put(Result<wave::Signed<T>> object, ObjectDone done) {
  if (!object) return done(fail(object.error()));
  const ObjectId id = object->id;
  std::vector<Bytes> objects;
  objects.push_back(std::move(object->bytes));
  writer_.submit(std::move(objects), [id, done = std::move(done)](auto outcomes) {
    if (!outcomes) return done(fail(std::move(outcomes).error()));
    const ledger::Submitted& outcome = outcomes->front();
    if (!outcome.index) return done(fail(outcome.refusal));
    done(reply_for(id, *outcome.index));
  });
}

void ApiCalls::create_entity(const api::CreateEntityRequest& request, bool renew, EntityDone done) {
  const std::unique_ptr<crypto::Passphrase> passphrase =
      request.passphrase().empty() ? nullptr
                                   : std::make_unique<crypto::Passphrase>(request.passphrase());
  auto key =
      renew ? key_for(request.name()) : context_.keystore.create(request.name(), passphrase.get());
  if (!key) return done(fail(key.error()));
  api::EntityReply reply;
  reply.set_name(request.name());
  reply.set_key((*key)->public_key().text());
  if (!renew && !request.register_()) return done(reply);

  auto revoker_keys = revokers(request.revokers());
  if (!revoker_keys) return done(fail(revoker_keys.error()));
  wave::Entity entity;
  entity.key = (*key)->public_key();
  const auto created = created_after_last(context_.replica.store(), entity.key, now_in_seconds());
  if (!created) return done(fail(created.error()));
  entity.created = *created;
  entity.expires = optional_time(request.expires_us()).value_or(entity.created + kEntityLife);
  entity.revokers = *std::move(revoker_keys);
  entity.contact = request.contact();
  entity.comment = request.comment();
  put(wave::sign(std::move(entity), **key),
      [reply, renew, done = std::move(done)](Result<api::ObjectReply> put_done) {
        if (put_done) return done(reply);
        Error error = std::move(put_done).error();
        if (!renew) {
          error.message +=
              fmt::format("; the key is kept: 'bw entity renew {}' registers it", reply.name());
        }
        done(fail(std::move(error)));
      });
}

Result<api::EntityReply> ApiCalls::import_key(const api::ImportKeyRequest& request) {
  const crypto::Passphrase passphrase(request.passphrase());
  BW_TRY(const KeyPtr key,
         context_.keystore.import(request.name(), as_bytes(request.key_file()),
                                  request.passphrase().empty() ? nullptr : &passphrase));
  api::EntityReply reply;
  reply.set_name(request.name());
  reply.set_key(key->public_key().text());
  return reply;
}

Result<api::KeyList> ApiCalls::list_keys() {
  api::KeyList list;
  for (const Keystore::Listed& held : context_.keystore.list()) {
    BW_TRY(const auto status, context_.replica.entity(held.key));
    api::Key* key = list.add_keys();
    key->set_name(held.name);
    key->set_key(held.key.text());
    key->set_registered(status.has_value());
    key->set_revoked(status && status->revoked);
    if (status) key->set_expires_us(to_api(status->expires));
  }
  return list;
}

Result<api::LentKey> ApiCalls::lend_key(const api::LendKeyRequest& request) {
  if (request.secret().size() != 32) {
    return fail(ErrorCode::kInvalidArgument, "a secret key has 32 bytes, not {}",
                request.secret().size());
  }
  crypto::Secret<32> secret;
  std::ranges::copy(as_bytes(request.secret()), secret.writable().begin());
  BW_TRY(crypto::SigningKey key, crypto::SigningKey::from_secret(secret.view()));
  api::LentKey lent;
  lent.set_key(key.public_key().text());
  lent.set_handle(context_.keystore.lend(std::move(key)));
  return lent;
}

void ApiCalls::grant(const api::GrantRequest& request, ObjectDone done) {
  const auto make = [&]() -> Result<wave::Signed<wave::Dot>> {
    BW_TRY(const KeyPtr key, key_for(request.as()));
    wave::Dot dot;
    dot.granter = key->public_key();
    BW_TRY(dot.grantee, entity(request.grantee()));
    BW_TRY(const Target where, target(request.uri()));
    dot.ns = where.ns;
    dot.pattern = where.pattern;
    BW_TRY(dot.permissions, wave::Permissions::parse(request.permissions()));
    if (request.ttl() > 255) {
      return fail(ErrorCode::kInvalidArgument, "ttl {} is above 255", request.ttl());
    }
    dot.ttl = static_cast<std::uint8_t>(request.ttl());
    dot.created = now_in_seconds();
    const auto start = optional_time(request.not_before_us());
    dot.not_before = start ? std::chrono::floor<std::chrono::seconds>(*start) : dot.created;
    dot.expires = optional_time(request.expires_us()).value_or(dot.not_before + kGrantLife);
    dot.messages_per_second = request.messages_per_second();
    dot.stored_bytes = request.stored_bytes();
    BW_TRY(dot.revokers, revokers(request.revokers()));
    dot.comment = request.comment();
    return wave::sign(std::move(dot), *key);
  };
  put(make(), std::move(done));
}

void ApiCalls::revoke(const api::RevokeRequest& request, ObjectDone done) {
  const auto make = [&]() -> Result<wave::Signed<wave::Revocation>> {
    BW_TRY(const KeyPtr key, key_for(request.as()));
    wave::Revocation revocation;
    revocation.revoker = key->public_key();
    revocation.created = now_in_seconds();
    revocation.comment = request.comment();
    // An id of a DoT and an entity's key look alike: the ledger knows which it is.
    const auto as_dot = ObjectId::parse(request.target());
    if (as_dot) {
      BW_TRY(const auto known, context_.replica.dot(*as_dot));
      if (known) {
        revocation.target_kind = wave::Revocation::Target::kDot;
        revocation.target = as_dot->bytes;
        return wave::sign(std::move(revocation), *key);
      }
    }
    BW_TRY(const EntityKey target_key, entity(request.target()));
    revocation.target_kind = wave::Revocation::Target::kEntity;
    revocation.target = target_key.bytes;
    return wave::sign(std::move(revocation), *key);
  };
  put(make(), std::move(done));
}

void ApiCalls::set_alias(const api::SetAliasRequest& request, ObjectDone done) {
  const auto make = [&]() -> Result<wave::Signed<wave::Alias>> {
    BW_TRY(const KeyPtr key, key_for(request.as()));
    wave::Alias alias;
    alias.claimer = key->public_key();
    alias.created = now_in_seconds();
    alias.name = request.name();
    alias.value = key->public_key().bytes;
    if (!request.value().empty()) {
      BW_TRY(const EntityKey value, entity(request.value()));
      alias.value = value.bytes;
    }
    return wave::sign(std::move(alias), *key);
  };
  put(make(), std::move(done));
}

void ApiCalls::offer_routing(const api::AffinityRequest& request, ObjectDone done) {
  const auto make = [&]() -> Result<wave::Signed<wave::RouterOffer>> {
    BW_TRY(const KeyPtr key, key_for(request.as()));
    wave::RouterOffer offer;
    offer.router = key->public_key();
    BW_TRY(offer.ns, entity(request.other()));
    BW_TRY(const std::uint64_t nonce, context_.replica.store().router_nonce(offer.router));
    offer.nonce = wave::next_nonce(nonce, context_.clock.now());
    offer.created = now_in_seconds();
    offer.retracted = request.retract();
    return wave::sign(std::move(offer), *key);
  };
  put(make(), std::move(done));
}

void ApiCalls::accept_routing(const api::AffinityRequest& request, ObjectDone done) {
  const auto make = [&]() -> Result<wave::Signed<wave::RouterAcceptance>> {
    BW_TRY(const KeyPtr key, key_for(request.as()));
    wave::RouterAcceptance acceptance;
    acceptance.ns = key->public_key();
    BW_TRY(acceptance.router, entity(request.other()));
    BW_TRY(const std::uint64_t nonce, context_.replica.store().namespace_nonce(acceptance.ns));
    acceptance.nonce = wave::next_nonce(nonce, context_.clock.now());
    acceptance.created = now_in_seconds();
    acceptance.retracted = request.retract();
    acceptance.max_staleness_s = request.max_staleness_s();
    return wave::sign(std::move(acceptance), *key);
  };
  put(make(), std::move(done));
}

void ApiCalls::set_router_address(const api::RouterAddressRequest& request, ObjectDone done) {
  const auto make = [&]() -> Result<wave::Signed<wave::RouterAddress>> {
    BW_TRY(const KeyPtr key, key_for(request.as()));
    wave::RouterAddress address;
    address.router = key->public_key();
    BW_TRY(const std::uint64_t nonce, context_.replica.store().router_nonce(address.router));
    address.nonce = wave::next_nonce(nonce, context_.clock.now());
    address.created = now_in_seconds();
    address.address = request.address();
    return wave::sign(std::move(address), *key);
  };
  put(make(), std::move(done));
}

void ApiCalls::submit(const api::SubmitRequest& request,
                      std::function<void(Result<api::SubmitReply>)> done) {
  std::vector<Bytes> objects;
  std::vector<std::string> ids;
  if (request.ByteSizeLong() > kMostSubmitBytes) {
    return done(fail(ErrorCode::kTooLarge, "{} bytes of objects; at most {} go in one call",
                     request.ByteSizeLong(), kMostSubmitBytes));
  }
  for (const std::string& bytes : request.objects()) {
    const auto object = wave::parse_object(as_bytes(bytes));
    ids.push_back(object ? wave::id_of(*object).text() : "");
    objects.push_back(to_bytes(bytes));
  }
  if (objects.empty() || objects.size() > limits::kLedgerBatchEntries) {
    return done(fail(ErrorCode::kInvalidArgument, "{} objects; between 1 and {} go in one call",
                     objects.size(), limits::kLedgerBatchEntries));
  }
  writer_.submit(std::move(objects), [ids = std::move(ids), done = std::move(done)](auto outcomes) {
    if (!outcomes) return done(fail(std::move(outcomes).error()));
    api::SubmitReply reply;
    for (std::size_t i = 0; i < outcomes->size(); ++i) {
      const ledger::Submitted& from = (*outcomes)[i];
      api::SubmitOutcome* outcome = reply.add_outcomes();
      outcome->set_id(ids[i]);
      outcome->set_accepted(from.index.has_value());
      outcome->set_position(from.index.value_or(0));
      if (from.index) continue;
      outcome->set_error(std::string(error_name(from.refusal.code)));
      outcome->set_message(from.refusal.message);
    }
    done(std::move(reply));
  });
}

namespace {

api::ChainStatus to_api(const ledger::ChainStatus& chain) {
  api::ChainStatus out;
  out.set_chain_id(chain.chain_id);
  out.set_block(chain.block);
  out.set_confirmed_block(chain.confirmed_block);
  out.set_account(chain.account);
  out.set_balance(chain.balance);
  out.set_waiting(chain.waiting);
  out.set_finality(chain.finality);
  for (const auto& endpoint : chain.endpoints) {
    api::ChainEndpoint* one = out.add_endpoints();
    one->set_name(endpoint.name);
    one->set_answers(endpoint.answers);
    one->set_avoided(endpoint.avoided);
    one->set_head(endpoint.head);
    one->set_trouble(endpoint.trouble);
    one->set_lie(endpoint.lie);
    one->set_disagrees(endpoint.disagrees);
  }
  return out;
}

}  // namespace

Result<api::LedgerStatusReply> ApiCalls::ledger_status() {
  const ledger::Status status = context_.ledger.status();
  const auto counts = context_.replica.store().counts();
  api::LedgerStatusReply reply;
  reply.set_kind(status.kind);
  reply.set_where(status.where);
  reply.set_size(status.size);
  reply.set_head(status.head);
  reply.set_root(status.root.text());
  reply.set_heard_at_us(to_api(status.heard_at));
  reply.set_connected(status.connected);
  if (status.trouble) reply.set_trouble(status.trouble->message);
  if (context_.ledger_key) reply.set_ledger_key(context_.ledger_key->text());
  reply.set_entities(counts.entities);
  reply.set_dots(counts.dots);
  reply.set_revocations(counts.revocations);
  reply.set_aliases(counts.aliases);
  reply.set_bytes_on_disk(counts.bytes_on_disk);
  if (status.chain) *reply.mutable_chain() = to_api(*status.chain);
  return reply;
}

Result<std::vector<EntityKey>> ApiCalls::revokers(
    const google::protobuf::RepeatedPtrField<std::string>& names) const {
  std::vector<EntityKey> keys;
  for (const std::string& name : names) {
    BW_TRY(const EntityKey key, entity(name));
    keys.push_back(key);
  }
  std::ranges::sort(keys);
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

}  // namespace bw::agent
