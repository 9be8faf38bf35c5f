// SPDX-License-Identifier: Apache-2.0
#include "agent/api_calls.hpp"

// Names in message calls, resolved.
namespace bw::agent {

Result<KeyPtr> ApiCalls::key_for(std::string_view as) const {
  if (!as.empty()) return context_.keystore.find(as);
  if (!default_entity_.empty()) return context_.keystore.find(default_entity_);
  return fail(ErrorCode::kInvalidArgument,
              "say which key to use (--as NAME), or set "
              "agent.default_entity in the configuration");
}

Result<ApiCalls::Target> ApiCalls::target(std::string_view uri) const {
  BW_TRY(const UriText parts, split_uri(uri));
  BW_TRY(const EntityKey ns, entity(parts.ns));
  BW_TRY(wave::Pattern pattern, wave::Pattern::parse(parts.pattern));
  return Target{ns, std::move(pattern)};
}

Result<Value> ApiCalls::value(const api::Value& from, std::optional<LatestTarget>& latest) const {
  if (!latest || latest->uri != from.uri()) {
    BW_TRY(Target where, target(from.uri()));
    latest = {from.uri(), std::move(where)};
  }
  BW_TRY(const auto objects, payload_of(from));
  if (from.consumers() > 0xffff) {
    return fail(ErrorCode::kInvalidArgument, "consumers {} is above 65535", from.consumers());
  }
  return Value{.ns = latest->target.ns,
               .uri = latest->target.pattern,
               .persist = from.persist(),
               .expires = optional_time(from.expires_us()),
               .consumers = static_cast<std::uint16_t>(from.consumers()),
               .payload = syndication::encode_payload(objects),
               .seal = from.seal()};
}

Result<ConsumeRequest> ApiCalls::consume_request(const api::SubscribeRequest& request) const {
  BW_TRY(KeyPtr key, key_for(request.as()));
  BW_TRY(Target where, target(request.uri()));
  return ConsumeRequest{std::move(key), where.ns,         std::move(where.pattern),
                        request.tap(),  request.replay(), request.raw()};
}

Result<std::vector<ConsumeRequest>> ApiCalls::permitted(
    const api::SubscribeRequest& request) const {
  BW_TRY(const ConsumeRequest whole, consume_request(request));
  const EntityKey who = whole.key->public_key();
  if (who == whole.ns) return std::vector{whole};
  BW_TRY(const auto capabilities,
         wave::what_can(who, context_.replica.store(), context_.replica, context_.clock.now()));
  std::vector<ConsumeRequest> parts;
  for (const wave::Capability& capability : capabilities.list) {
    if (capability.ns != whole.ns) continue;
    for (wave::Pattern& pattern : wave::intersect(capability.pattern, whole.pattern)) {
      const wave::Permissions needed =
          whole.tap ? wave::tap_permission(pattern) : wave::consume_permission(pattern);
      const bool known = std::ranges::any_of(
          parts, [&](const ConsumeRequest& part) { return wave::covers(part.pattern, pattern); });
      if (known || !capability.permissions.contains(needed)) continue;
      parts.push_back(
          {whole.key, whole.ns, std::move(pattern), whole.tap, whole.replay, whole.raw});
    }
  }
  if (parts.empty()) {
    return fail(ErrorCode::kDenied, "{} may consume nothing within {}", who.text(), request.uri());
  }
  return parts;
}

Result<std::pair<KeyPtr, ApiCalls::Target>> ApiCalls::list_target(
    const api::ListRequest& request) const {
  BW_TRY(KeyPtr key, key_for(request.as()));
  const bool root = request.uri().find('/') == std::string::npos;
  std::string uri = request.uri();
  while (uri.ends_with('/')) uri.pop_back();
  BW_TRY(Target where, target(uri + "/+"));
  if (root) {
    BW_TRY(where.pattern, wave::Pattern::parse("+"));
  }
  return std::pair{std::move(key), std::move(where)};
}

}  // namespace bw::agent
