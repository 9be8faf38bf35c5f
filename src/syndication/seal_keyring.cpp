// SPDX-License-Identifier: Apache-2.0
#include "syndication/seal_keyring.hpp"

#include <algorithm>
#include <iterator>

#include "base/check.hpp"

namespace bw::syndication {
namespace {

static_assert(sizeof(Wrap) == kWrapBytes);

ByteView bytes_of(const std::vector<Wrap>& wraps) {
  return {wraps.data()->data(), wraps.size() * kWrapBytes};
}

std::string name_of(const SealContext& context) {
  std::string name(as_text(context.origin.view()));
  name.append(as_text(context.ns.view())).append(context.uri);
  return name;
}

bool includes_all(const Readers& readers, const Readers& earlier) {
  return readers == earlier || std::ranges::includes(*readers, *earlier);
}

}  // namespace

Result<Bytes> SealKeyring::seal(const Request& request, ByteView plaintext) {
  BW_ASSERT(request.readers && !request.readers->empty());
  if (request.readers->size() > limits::kSealRecipients) {
    return fail(ErrorCode::kLimited, "{} may be read by {} entities; it can be sealed for {}",
                request.context.uri, request.readers->size(), limits::kSealRecipients);
  }
  Resource& resource = current(request);
  if (resource.wraps.empty()) {
    return fail(ErrorCode::kDenied, "nobody who holds a key may read {}", request.context.uri);
  }
  const ByteView wraps = bytes_of(resource.wraps);
  const Duration pause{
      static_cast<std::int64_t>(wraps.size() * 1'000'000 / kAnnouncedBytesPerSecond)};
  const bool with_keys =
      request.persist || resource.announced == Time{} || request.now >= resource.announced + pause;
  const std::size_t bytes =
      kSealedOverhead + plaintext.size() + (with_keys ? wraps.size() : std::size_t{0});
  if (bytes > limits::kMessageBytes) {
    return fail(ErrorCode::kTooLarge,
                "{} sealed for {} entities takes {} bytes; at most {} are allowed",
                request.context.uri, resource.wraps.size(), bytes, limits::kMessageBytes);
  }
  std::optional<KeyEnvelope> keys;
  if (with_keys) {
    keys = KeyEnvelope{resource.wrapper->public_key(), wraps};
    resource.announced = request.now;
  }
  crypto::AeadNonce nonce;
  random_.fill(nonce);
  ++stats_.sealed;
  return seal_payload(resource.key,
                      {request.context, resource.id, request.sealed_at, request.renewed}, keys,
                      nonce, plaintext);
}

SealKeyring::Resource& SealKeyring::current(const Request& request) {
  // Nothing that is kept was made before this count began.
  if (wrapped_bytes_ > limits::kSealEnvelopeBytes) {
    resources_.clear();
    wrapped_bytes_ = 0;
  }
  Resource& resource = resources_.put(name_of(request.context), {});
  const auto wrapper = sender(request.context.origin, request.now);
  const bool good = resource.readers && resource.wrapper == wrapper &&
                    request.now < resource.made + limits::kSealKeyLife &&
                    includes_all(request.readers, resource.readers);
  if (!good) {
    resource.wrapper = wrapper;
    make_key(request, resource);
  } else if (resource.readers != request.readers) {
    wrap_for_newcomers(resource, request.readers);
  }
  return resource;
}

void SealKeyring::make_key(const Request& request, Resource& resource) {
  random_.fill(resource.key.writable());
  resource.id = content_key_id(resource.key, request.context);
  resource.made = request.now;
  resource.readers = std::make_shared<const std::vector<EntityKey>>();
  resource.wraps.clear();
  ++stats_.keys;
  wrap_for_newcomers(resource, request.readers);
}

void SealKeyring::wrap_for_newcomers(Resource& resource, const Readers& readers) {
  std::vector<EntityKey> newcomers;
  std::ranges::set_difference(*readers, *resource.readers, std::back_inserter(newcomers));
  resource.readers = readers;
  if (newcomers.empty()) return;
  std::vector<Wrap> fresh;
  for (const EntityKey& newcomer : newcomers) {
    // Fails for a key that nobody can hold the secret of, and which no ledger registers.
    const auto wrap = resource.wrapper->wrap(resource.key, resource.id, newcomer);
    if (wrap) fresh.push_back(*wrap);
  }
  std::ranges::sort(fresh);
  std::vector<Wrap> all;
  all.reserve(resource.wraps.size() + fresh.size());
  std::ranges::merge(resource.wraps, fresh, std::back_inserter(all));
  resource.wraps = std::move(all);
  resource.announced = Time{};
  stats_.wraps += newcomers.size();
  wrapped_bytes_ += newcomers.size() * kWrapBytes;
}

std::shared_ptr<KeyWrapper> SealKeyring::sender(const EntityKey& origin, Time now) {
  const auto fresh = [&] { return Sender{std::make_shared<KeyWrapper>(random_), now}; };
  Sender* sender = senders_.find(origin);
  if (sender == nullptr) return senders_.put(origin, fresh()).wrapper;
  if (now >= sender->made + limits::kSealSenderLife) *sender = fresh();
  return sender->wrapper;
}

}  // namespace bw::syndication
