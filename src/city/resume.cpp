// SPDX-License-Identifier: Apache-2.0
#include "city/resume.hpp"

namespace bw::city {
namespace {

// All of the city is there when its last DoT is.
Result<void> await_city(const Model& model, Follower& follower,
                        const Follower::OnProgress& on_following) {
  const auto key = [&](Who who) { return key_of(model.seed(), who); };
  const Grant grant = model.home_grants(model.homes() - 1).back();
  const auto last = dot_object(grant, key(grant.granter), key(grant.grantee).public_key(),
                               key(grant.ns).public_key());
  const std::uint64_t all = model.counts().all_entities() + model.counts().all_dots();
  auto there = follower.catch_up(last.bytes, all, on_following);
  if (there || there.error().code != ErrorCode::kNotFound) return there;
  return fail(ErrorCode::kNotFound,
              "no whole city of seed {} and scale {}: {}; build it first, or name the same "
              "--seed and --scale",
              model.seed(), model.scale(), there.error().message);
}

}  // namespace

ProgressFile churn_progress(const std::filesystem::path& directory, const Model& model, double peak,
                            const Door& door) {
  return {directory / "events", fmt::format("seed {} scale {} peak {} ledger {} events",
                                            model.seed(), model.scale(), peak, door.key.text())};
}

Result<Event> resume(const Model& model, const ProgressFile& progress, Follower& follower,
                     Churn& churn, const Follower::OnProgress& on_following) {
  BW_CHECK(await_city(model, follower, on_following));
  BW_TRY(const std::uint64_t done, progress.load());
  Event last;
  while (churn.events() < done) last = churn.next();
  // Once more, so that this follower is known to have heard of all before it, too.
  BW_CHECK(follower.put(objects_of(last, model.seed())));
  return last;
}

}  // namespace bw::city
