// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iostream>

#include "attack.hpp"
#include "crypto/sha256.hpp"

namespace bw::e2e {
namespace {

using Lines = std::vector<std::string>;
using wire::MessageType;

constexpr std::size_t kSignatureBytes = 64;

// `bytes` with its body signed under a tag of choice, as a signature obtained for another purpose
// would be.
Bytes signed_as(std::string_view tag, const Bytes& bytes, const crypto::SigningKey& key) {
  Bytes out(bytes.begin(), bytes.end() - kSignatureBytes);
  append(out, key.sign(crypto::TaggedHash(tag)({out})));
  return out;
}

Bytes signed_plainly(const Bytes& bytes, const crypto::SigningKey& key) {
  Bytes out(bytes.begin(), bytes.end() - kSignatureBytes);
  append(out, key.sign(crypto::sha256(out)));
  return out;
}

api::WhyRequest why(const std::string& entity, const std::string& uri,
                    const std::string& permissions) {
  api::WhyRequest request;
  request.set_entity(entity);
  request.set_uri(uri);
  request.set_permissions(permissions);
  return request;
}

// Options of the original are conditions here: a DoT that carries what nobody understands.
TEST_F(Attack, B12_UnknownConditionsDenyAndNothingIsMisread) {
  const crypto::SigningKey bob = registered_key(site);
  const crypto::SigningKey ns = registered_key(site);
  const std::string uri = ns.public_key().text() + "/a";
  wave::Dot dot = dot_statement(ns.public_key(), bob.public_key(), ns.public_key(), "a", "P");
  dot.comment = "kept as it is";
  dot.conditions = {7, 4, 0, 0, 0, 9};
  const auto strange = must(wave::sign(dot, ns));
  ASSERT_EQ(submit(site, {strange.bytes}), Lines{""});

  const auto found = must(site.client().lookup(strange.id.text()));
  EXPECT_EQ(to_bytes(as_bytes(found.object())), strange.bytes);
  EXPECT_EQ(must(wave::parse<wave::Dot>(as_bytes(found.object()))).value, dot);
  EXPECT_FALSE(must(site.client().why(why(bob.public_key().text(), uri, "P"))).allowed());

  dot.conditions.clear();
  ASSERT_EQ(submit(site, {must(wave::sign(dot, ns)).bytes}), Lines{""});
  EXPECT_TRUE(must(site.client().why(why(bob.public_key().text(), uri, "P"))).allowed());
}

TEST_F(Attack, B12_ARouterDeniesUnknownConditionsToo) {
  const crypto::SigningKey mallory = registered_key(site);
  WirePeer peer(loop, site.at().router);
  must(peer.open(mallory, *site.at().router_key));
  const std::uint64_t stream = peer.attach(mallory);
  // Mallory may pass on what the namespace gave it, and adds a condition of its own making.
  const wave::Proof good = granted(mallory, "a", "P", 1);
  const crypto::SigningKey friend_key = registered_key(site);
  wave::Dot dot = dot_statement(mallory.public_key(), friend_key.public_key(), site.ns(), "a", "P");
  dot.conditions = {1};
  wave::Proof strange = good;
  strange.dots.push_back(must(wave::sign(dot, mallory)));
  ASSERT_EQ(submit(site, {strange.dots.back().bytes}), Lines{""});

  const std::uint64_t friends = peer.attach(friend_key);
  const auto refused =
      peer.say(friends, friend_key, {site.ns(), "a", "x", MessageType::kPublish, strange});
  EXPECT_EQ(peer.outcome(refused), "unsupported");
  const auto taken = peer.say(stream, mallory, {site.ns(), "a", "x", MessageType::kPublish, good});
  EXPECT_EQ(peer.outcome(taken), "");
}

TEST_F(Attack, B12_UnknownVersionsAndKindsAreRefused) {
  const crypto::SigningKey bob = new_key();
  const Bytes entity = must(wave::sign(entity_statement(bob.public_key()), bob)).bytes;
  Bytes version = entity;
  version[1] = 2;
  Bytes kind = entity;
  kind[0] = 99;
  EXPECT_EQ(submit(site, {signed_as("bosswave/entity", version, bob)}), Lines{"unsupported"});
  const auto strange = submit(site, {signed_as("bosswave/entity", kind, bob)});
  EXPECT_TRUE(strange == Lines{"unsupported"} || strange == Lines{"malformed"}) << strange[0];
  // The control: signed_as() with the right tag is what sign() does.
  EXPECT_EQ(submit(site, {signed_as("bosswave/entity", entity, bob)}), Lines{""});
}

TEST_F(Attack, B13_CyclesOfTrustEndFast) {
  // Two cliques in which everyone trusts everyone to pass everything on: one that the namespace
  // reaches, and one around the victim.
  constexpr std::size_t kClique = 16;
  std::vector<crypto::SigningKey> keys;
  std::vector<Bytes> objects;
  for (std::size_t i = 0; i < 2 * kClique; ++i) {
    keys.push_back(new_key());
    objects.push_back(must(wave::sign(entity_statement(keys[i].public_key()), keys[i])).bytes);
  }
  const auto trust = [&](std::size_t from, std::size_t to) {
    return must(wave::sign(dot_statement(keys[from].public_key(), keys[to].public_key(), site.ns(),
                                         "*", "PC*", 255),
                           keys[from]))
        .bytes;
  };
  for (std::size_t i = 0; i < keys.size(); ++i) {
    for (std::size_t j = 0; j < keys.size(); ++j) {
      if (i != j && i / kClique == j / kClique) objects.push_back(trust(i, j));
    }
  }
  const auto outcomes = submit(site, objects);
  ASSERT_EQ(std::ranges::count(outcomes, ""), static_cast<std::ptrdiff_t>(objects.size()));
  grant(site, "ns", keys[0].public_key().text(), site.uri("*"), "PC*", 255);

  const std::string victim = keys.back().public_key().text();
  const auto request = why(victim, site.uri("a/b"), "P");
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(must(site.client().why(request)).allowed());
  EXPECT_FALSE(site.client().build_proof(request));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 2s);

  ASSERT_EQ(submit(site, {trust(kClique - 1, kClique)}), Lines{""});
  const auto found = must(site.client().why(request));
  EXPECT_TRUE(found.allowed());
  EXPECT_EQ(found.path_size(), 4);  // in, across, out: the shortest
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 4s);
}

TEST_F(Attack, B14_RevocationEndsALiveSubscription) {
  // One subscriber at an agent that follows the ledger from afar, one that is no agent of ours.
  RunningNode far({}, &site);
  const std::string alice = make_entity(far, "alice");
  const std::string bob = make_entity(site, "bob");
  const std::string dot = grant(site, "ns", alice, site.uri("a"), "C");
  grant(site, "ns", bob, site.uri("a"), "PC");
  const crypto::SigningKey key = registered_key(site);
  const std::string wired = grant(site, "ns", key.public_key().text(), site.uri("a"), "C");
  WirePeer peer(loop, site.at().router);
  must(peer.open(key, *site.at().router_key));
  const std::uint64_t stream = peer.attach(key);
  const auto standing = peer.say(stream, key,
                                 {site.ns(), "a", "", MessageType::kSubscribe,
                                  proof_of(site, key.public_key().text(), site.uri("a"), "C")});
  ASSERT_EQ(peer.answer(standing), "");
  const auto knows_grant = [&] { return far.client().lookup(dot).has_value(); };
  ASSERT_TRUE(eventually(knows_grant));
  Subscription ears(far, "alice", site.uri("a"));
  Subscription keeper(site, "bob", site.uri("a"));
  ASSERT_EQ(publish(site, "bob", site.uri("a"), "before"), "");
  ASSERT_TRUE(ears.waits_for("a=before"));
  ASSERT_TRUE(peer.waits_for("a=before"));

  const auto begin = std::chrono::steady_clock::now();
  revoke(site, "ns", dot);
  ASSERT_TRUE(ears.waits_for_end());
  revoke(site, "ns", wired);
  ASSERT_TRUE(eventually([&] { return peer.answer(standing) == "revoked"; }));
  const auto took = std::chrono::steady_clock::now() - begin;
  std::cout << "both subscriptions ended "
            << std::chrono::duration_cast<std::chrono::milliseconds>(took).count() << " ms after\n";
  EXPECT_LT(took, 2s);
  ASSERT_TRUE(ears.ended().has_value());
  EXPECT_EQ(ears.ended()->code, ErrorCode::kRevoked);

  ASSERT_EQ(publish(site, "bob", site.uri("a"), "after"), "");
  ASSERT_TRUE(keeper.waits_for("a=after"));  // whose grant stands
  EXPECT_TRUE(peer.is_alive());
  EXPECT_EQ(peer.heard(), Lines{"a=before"});
  EXPECT_EQ(ears.heard(), Lines{"a=before"});
  // And it cannot be begun anew.
  Subscription again(far, "alice", site.uri("a"));
  EXPECT_TRUE(again.waits_for_end());
  EXPECT_EQ(again.stood(), 0);
}

TEST_F(Attack, S01_ASignatureForOneThingIsNoneForAnother) {
  const crypto::SigningKey bob = registered_key(site);
  const EntityKey& self = bob.public_key();
  const Time created = std::chrono::floor<std::chrono::seconds>(now());
  wave::Revocation revocation;
  revocation.revoker = self;
  revocation.target_kind = wave::Revocation::Target::kEntity;
  revocation.target = self.bytes;
  revocation.created = created;
  wave::Alias alias;
  alias.claimer = self;
  alias.created = created;
  alias.name = "stolen";
  const auto offered = must(wave::sign(wave::RouterOffer{self, self, 1, created, false}, bob));
  ASSERT_EQ(submit(site, {offered.bytes}), Lines{""});
  const std::vector<Bytes> objects{
      must(wave::sign(dot_statement(self, new_key().public_key(), self, "*", "PC*"), bob)).bytes,
      must(wave::sign(alias, bob)).bytes,
      must(wave::sign(wave::RouterOffer{self, site.ns(), 2, created, false}, bob)).bytes,
      must(wave::sign(wave::RouterAcceptance{self, self, 1, created, false, 0}, bob)).bytes,
      must(wave::sign(wave::RouterAddress{self, 3, created, "127.0.0.1:1"}, bob)).bytes,
      must(wave::sign(revocation, bob)).bytes,
  };
  const std::vector<std::string> own{"bosswave/dot",
                                     "bosswave/alias",
                                     "bosswave/router-offer",
                                     "bosswave/router-acceptance",
                                     "bosswave/router-address",
                                     "bosswave/revocation"};
  std::vector<std::string> tags = own;
  for (const char* more : {"bosswave/entity", "bosswave/batch", "bosswave/session",
                           "bosswave/attach", "bosswave/topic", "bosswave/proof", "bosswave/head"})
    tags.emplace_back(more);
  for (std::size_t i = 0; i < objects.size(); ++i) {
    EXPECT_EQ(submit(site, {signed_plainly(objects[i], bob)}), Lines{"bad_signature"}) << own[i];
    for (const std::string& tag : tags) {
      if (tag == own[i]) continue;
      EXPECT_EQ(submit(site, {signed_as(tag, objects[i], bob)}), Lines{"bad_signature"})
          << own[i] << " signed as " << tag;
    }
  }
  for (const Bytes& object : objects) EXPECT_EQ(submit(site, {object}), Lines{""});
}

TEST_F(Attack, S01_ABatchSignedAsSomethingElseIsRefused) {
  Session bob(*this, registered_key(site));
  const Say message{site.ns(), "a", "x", MessageType::kPublish, granted(bob.key, "a", "P")};
  const wire::Topic topic{site.ns(), wave::proof_hash(message.proof),
                          must(wave::Pattern::parse("a"))};
  // The batch follows length and type; its first 58 bytes are signed together with the root.
  constexpr std::size_t kBatchAt = 5;
  constexpr std::size_t kSigned = 58;
  constexpr std::size_t kSignatureAt = kBatchAt + kSigned + 2;
  const auto outcome_as = [&](std::string_view tag) {
    Bytes frame = bob.peer.batch_frame(bob.stream, bob.key, message);
    wire::BatchView view;
    must(wire::parse_batch(ByteView(frame).subspan(kBatchAt), view));
    const Hash root = wire::message_leaf(wire::leaf_prefix(wire::topic_hash(topic)),
                                         view.messages[0].signed_tail());
    const ByteView head = ByteView(frame).subspan(kBatchAt, kSigned);
    const auto signature = bob.key.sign(crypto::TaggedHash(tag)({head, root.view()}));
    std::ranges::copy(signature, frame.begin() + kSignatureAt);
    bob.peer.send(frame);
    return bob.peer.outcome({bob.stream, bob.peer.last_sequence(bob.stream), 0});
  };
  EXPECT_EQ(outcome_as("bosswave/dot"), "bad_signature");
  EXPECT_EQ(outcome_as("bosswave/session"), "bad_signature");
  EXPECT_EQ(outcome_as("bosswave/batch"), "");
}

}  // namespace
}  // namespace bw::e2e
