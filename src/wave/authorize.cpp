// SPDX-License-Identifier: Apache-2.0
#include "wave/authorize.hpp"

#include <algorithm>

#include "wave/link.hpp"

namespace bw::wave {
namespace {

using Verdict = std::optional<Denial>;

Verdict deny(ErrorCode code, std::string reason, int link = -1) {
  return Denial{.code = code, .link = link, .reason = std::move(reason)};
}

// One decision. First what the proof itself shows, then what the node knows of the ledger: each
// look-up costs more than all checks of a link.
class Authorization {
 public:
  Authorization(const Request& request, const Proof& proof, const AuthorityView& authority,
                Time now)
      : request_(request), dots_(proof.dots), authority_(authority), now_(now) {}

  Result<Grant, Denial> run() {
    if (auto no = ends()) return tl::unexpected(*std::move(no));
    if (auto no = freshness()) return tl::unexpected(*std::move(no));
    for (std::size_t i = 0; i < dots_.size(); ++i) {
      if (auto no = link_itself(i)) return tl::unexpected(*std::move(no));
    }
    for (std::size_t i = 0; i < dots_.size(); ++i) {
      if (auto no = link_on_ledger(i)) return tl::unexpected(*std::move(no));
    }
    if (auto no = entities()) return tl::unexpected(*std::move(no));
    return std::move(grant_);
  }

 private:
  Verdict ends() const {
    if (request_.origin == kEveryone) {
      return deny(ErrorCode::kDenied, "nobody can act as everyone: name the entity that asks");
    }
    if (asks_for_nothing(request_)) {
      return deny(ErrorCode::kDenied, "the request names no permission or no URI; name both");
    }
    if (dots_.size() > limits::kProofDots) {
      return deny(ErrorCode::kDenied,
                  fmt::format("the proof has {} links, more than {}; ask for a more direct grant",
                              dots_.size(), limits::kProofDots));
    }
    if (dots_.empty()) return namespace_itself();
    const Dot& first = dots_.front().value;
    if (first.granter != request_.ns) {
      return deny(
          ErrorCode::kDenied,
          name(0) + fmt::format(" starts the proof, but its granter is not namespace {}; use "
                                "a path that starts there",
                                brief(request_.ns)),
          0);
    }
    const EntityKey& last = dots_.back().value.grantee;
    if (last != request_.origin && last != kEveryone) {
      return deny(ErrorCode::kDenied,
                  name(dots_.size() - 1) +
                      fmt::format(" ends the proof at {}, not at {}, who asks; "
                                  "use a path to {}",
                                  brief(last), brief(request_.origin), brief(request_.origin)),
                  static_cast<int>(dots_.size()) - 1);
    }
    return std::nullopt;
  }

  Verdict namespace_itself() const {
    if (request_.origin == request_.ns) return std::nullopt;
    return deny(
        ErrorCode::kDenied,
        fmt::format("there is no proof, and {} is not namespace {} itself; ask somebody who "
                    "holds {} on {} there for a grant",
                    brief(request_.origin), brief(request_.ns), request_.permissions.text(),
                    request_.pattern.text()));
  }

  Verdict freshness() const {
    const Duration age = now_ - authority_.heard_at();
    if (age < -limits::kClockSkew) {
      return deny(ErrorCode::kStale,
                  fmt::format("this node heard from its ledger {} in the future: its clock went "
                              "back; set the clock",
                              to_text(-age)));
    }
    const Duration most = authority_.max_staleness(request_.ns);
    if (age <= most) return std::nullopt;
    return deny(
        ErrorCode::kStale,
        fmt::format("this node last heard from its ledger {} ago, and namespace {} allows {}; "
                    "restore the connection to the ledger",
                    to_text(age), brief(request_.ns), to_text(most)));
  }

  Verdict link_itself(std::size_t i) const {
    const Link link(dots_[i].value);
    const std::size_t after = dots_.size() - 1 - i;
    if (i > 0 && dots_[i - 1].value.grantee != link.granter) {
      return deny(
          ErrorCode::kDenied,
          name(i) + fmt::format(" does not start at {}, where the link before it ends; use an "
                                "unbroken path",
                                brief(dots_[i - 1].value.grantee)),
          static_cast<int>(i));
    }
    const auto obstacle = first_obstacle(link, request_, after, now_);
    if (!obstacle) return std::nullopt;
    return deny(code_of(*obstacle), name(i) + " " + words(*obstacle, link, request_, after),
                static_cast<int>(i));
  }

  Verdict link_on_ledger(std::size_t i) {
    const Signed<Dot>& dot = dots_[i];
    const int index = static_cast<int>(i);
    const auto status = authority_.dot(dot.id);
    if (!status) {
      return deny(status.error().code,
                  name(i) + " could not be looked up: " + status.error().message, index);
    }
    if (!*status) {
      return deny(ErrorCode::kNotFound,
                  name(i) +
                      " is not on the ledger as far as this node knows; publish it, or wait "
                      "until this node has caught up",
                  index);
    }
    if ((*status)->revoked) {
      return deny(
          ErrorCode::kRevoked,
          name(i) + fmt::format(" is revoked; ask {} for a new grant", brief(dot.value.granter)),
          index);
    }
    rest_on(dot);
    return std::nullopt;
  }

  void rest_on(const Signed<Dot>& dot) {
    grant_.dots.push_back(dot.id);
    grant_.expires = std::min(grant_.expires, dot.value.expires);
    if (dot.value.messages_per_second != 0 || dot.value.stored_bytes != 0) {
      grant_.limits.push_back({.dot = dot.id,
                               .messages_per_second = dot.value.messages_per_second,
                               .stored_bytes = dot.value.stored_bytes});
    }
  }

  Verdict entities() {
    if (auto no = entity(request_.ns, -1)) return no;
    for (std::size_t i = 1; i < dots_.size(); ++i) {
      if (auto no = entity(dots_[i].value.granter, static_cast<int>(i))) return no;
    }
    return entity(request_.origin, -1);
  }

  Verdict entity(const EntityKey& key, int link) {
    auto& seen = grant_.entities;
    if (std::find(seen.begin(), seen.end(), key) != seen.end()) return std::nullopt;
    const auto status = authority_.entity(key);
    if (!status) {
      return deny(status.error().code,
                  granter_of(link) + fmt::format("entity {} could not be looked up: {}", brief(key),
                                                 status.error().message),
                  link);
    }
    if (const auto code = entity_obstacle(*status, now_)) {
      return deny(*code, granter_of(link) + entity_words(*code, key), link);
    }
    seen.push_back(key);
    grant_.expires = std::min(grant_.expires, (*status)->expires);
    return std::nullopt;
  }

  std::string granter_of(int link) const {
    return link < 0 ? "" : name(static_cast<std::size_t>(link)) + " has a granter that fails: ";
  }

  std::string name(std::size_t i) const {
    return fmt::format("link {} of {} ({})", i + 1, dots_.size(),
                       describe(dots_[i].id, Link(dots_[i].value)));
  }

  const Request& request_;
  const std::vector<Signed<Dot>>& dots_;
  const AuthorityView& authority_;
  Time now_;
  Grant grant_{.expires = kNever, .entities = {}, .dots = {}, .limits = {}};
};

}  // namespace

Result<Grant, Denial> authorize(const Request& request, const Proof& proof,
                                const AuthorityView& authority, Time now) {
  return Authorization(request, proof, authority, now).run();
}

}  // namespace bw::wave
