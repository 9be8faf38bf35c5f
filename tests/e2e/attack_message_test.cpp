// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "attack.hpp"

namespace bw::e2e {
namespace {

using wire::MessageType;
using Lines = std::vector<std::string>;

const Bytes kJunk{1, 2, 3, 4};

void set_length(Bytes& frame) {
  const std::size_t length = frame.size() - 4;
  for (std::size_t i = 0; i < 4; ++i) {
    frame[i] = static_cast<std::uint8_t>(length >> (8 * (3 - i)));
  }
}

TEST_F(Attack, B01_OriginMustMatchTheProof) {
  Subscription ears(site, "ns", site.uri("a/b/c"));
  Session bob(*this, registered_key(site));
  Session mallory(*this, registered_key(site));
  const wave::Proof bobs = granted(bob.key, "a/b/c", "P");

  const auto forged = mallory.say({site.ns(), "a/b/c", "forged", MessageType::kPublish, bobs});
  EXPECT_EQ(mallory.peer.outcome(forged), "denied");
  // In bob's name, on a stream that only mallory attached: the origin follows length and type.
  Bytes in_bobs_name = mallory.peer.batch_frame(
      mallory.stream, mallory.key, {site.ns(), "a/b/c", "forged", MessageType::kPublish, bobs});
  std::ranges::copy(bob.key.public_key().bytes, in_bobs_name.begin() + 5);
  mallory.peer.send(in_bobs_name);
  EXPECT_EQ(mallory.peer.waits_for_end(), "denied");

  const auto honest = bob.say({site.ns(), "a/b/c", "honest", MessageType::kPublish, bobs});
  EXPECT_EQ(bob.peer.outcome(honest), "");
  EXPECT_TRUE(ears.waits_for("a/b/c=honest"));
  EXPECT_EQ(ears.heard(), Lines{"a/b/c=honest"});
}

TEST_F(Attack, B01_AttachingInAnothersNameNeedsItsKey) {
  Subscription ears(site, "ns", site.uri("a/b/c"));
  Session mallory(*this, registered_key(site));
  const crypto::SigningKey bob = registered_key(site);
  const wave::Proof bobs = granted(bob, "a/b/c", "P");

  wire::Attach attach = wire::attach(mallory.peer.exporter(), mallory.key, 77);
  attach.entity = bob.public_key();
  mallory.peer.send_frame(attach);
  EXPECT_TRUE(eventually([&] { return mallory.peer.detached(77).has_value(); }));
  EXPECT_EQ(mallory.peer.detached(77)->code, ErrorCode::kBadSignature);

  // An agent that does hold bob's key may serve him too.
  const std::uint64_t bobs_stream = mallory.peer.attach(bob);
  const auto said =
      mallory.peer.say(bobs_stream, bob, {site.ns(), "a/b/c", "bob", MessageType::kPublish, bobs});
  EXPECT_EQ(mallory.peer.outcome(said), "");
  EXPECT_TRUE(ears.waits_for("a/b/c=bob"));
}

TEST_F(Attack, B02_WhatIsConsumedIsWhatWasProven) {
  Session bob(*this, registered_key(site));
  const wave::Proof narrow = granted(bob.key, "a/b/c", "C*");
  ASSERT_EQ(publish(site, "ns", site.uri("secret/other"), "old", true), "");
  for (const MessageType type :
       {MessageType::kSubscribe, MessageType::kQuery, MessageType::kTap, MessageType::kTapQuery}) {
    EXPECT_EQ(bob.peer.answer(bob.say({site.ns(), "*", "", type, narrow})), "denied")
        << wire::type_name(type);
  }
  const auto standing =
      bob.peer.answer(bob.say({site.ns(), "a/b/c", "", MessageType::kSubscribe, narrow}));
  EXPECT_EQ(standing, "");
  ASSERT_EQ(publish(site, "ns", site.uri("secret/other"), "new"), "");
  ASSERT_EQ(publish(site, "ns", site.uri("a/b/c"), "mine"), "");
  EXPECT_TRUE(bob.peer.waits_for("a/b/c=mine"));
  EXPECT_EQ(bob.peer.heard(), Lines{"a/b/c=mine"});
}

TEST_F(Attack, B04_ListAndQueryKeepToWholeCells) {
  ASSERT_EQ(publish(site, "ns", site.uri("labsecret/x"), "hidden", true), "");
  ASSERT_EQ(publish(site, "ns", site.uri("lab/y"), "shown", true), "");
  make_entity(site, "bob");
  grant(site, "ns", "bob", site.uri("lab/+"), "C+L");

  api::ListRequest list;
  list.set_as("bob");
  list.set_uri(site.uri("lab"));
  const auto names = must(site.client().list(list)).names();
  EXPECT_EQ(Lines(names.begin(), names.end()), Lines{"y"});
  EXPECT_EQ(must(query(site, "bob", site.uri("lab/+"))), Lines{"lab/y=shown"});
  // Nor is the neighbour shown to a client that asks the router for it, agent or no agent.
  Session eve(*this, registered_key(site));
  const wave::Proof proof = granted(eve.key, "lab/+", "C+L");
  EXPECT_EQ(eve.peer.answer(eve.say({site.ns(), "+", "", MessageType::kList, proof})), "denied");
  EXPECT_EQ(eve.peer.answer(eve.say({site.ns(), "labsecret/+", "", MessageType::kQuery, proof})),
            "denied");
  EXPECT_EQ(eve.peer.answer(eve.say({site.ns(), "lab/+", "", MessageType::kList, proof})), "");
  EXPECT_EQ(eve.peer.names(), Lines{"y"});
}

TEST_F(Attack, B05_TheSameBytesCountOnce) {
  Subscription ears(site, "ns", site.uri("a"));
  Session bob(*this, registered_key(site));
  const wave::Proof proof = granted(bob.key, "a", "P");
  const Bytes once = bob.peer.batch_frame(bob.stream, bob.key,
                                          {site.ns(), "a", "once", MessageType::kPublish, proof});
  for (int i = 0; i < 3; ++i) bob.peer.send(once);
  // Nor on another session of the same entity, with a stream of the same number.
  WirePeer again(loop, site.at().router);
  must(again.open(bob.key, *site.at().router_key));
  again.send(once);
  EXPECT_TRUE(eventually([&] { return again.detached(bob.stream).has_value(); }));

  const auto next = bob.say({site.ns(), "a", "next", MessageType::kPublish, proof});
  EXPECT_EQ(bob.peer.outcome(next), "");
  EXPECT_TRUE(ears.waits_for("a=next"));
  EXPECT_EQ(ears.heard(), (Lines{"a=once", "a=next"}));
}

TEST_F(Attack, B05_AnOldMessageIsNoLiveOne) {
  Session bob(*this, registered_key(site));
  const wave::Proof proof = granted(bob.key, "a", "P");
  const auto said_at = [&](Time created, std::uint64_t sequence) {
    const wire::BatchHeader header{.origin = bob.key.public_key(),
                                   .stream = bob.stream,
                                   .sequence = sequence,
                                   .created = created};
    bob.peer.send(bob.peer.batch_frame(
        bob.stream, bob.key, {site.ns(), "a", "x", MessageType::kPublish, proof}, &header));
    return bob.peer.outcome({bob.stream, sequence, 0});
  };
  EXPECT_EQ(said_at(now() - limits::kReplayWindow - 10s, 1), "expired");
  EXPECT_EQ(said_at(now() + limits::kReplayWindow + 10s, 2), "expired");
  EXPECT_EQ(said_at(now(), 3), "");
}

TEST_F(Attack, B06_JunkAfterAMessageIsRefused) {
  Subscription ears(site, "ns", site.uri("a"));
  const crypto::SigningKey bob = registered_key(site);
  const wave::Proof proof = granted(bob, "a", "P");
  const Say message{site.ns(), "a", "good", MessageType::kPublish, proof};
  WirePeer junk(loop, site.at().router);
  must(junk.open(bob, *site.at().router_key));
  const std::uint64_t stream = junk.attach(bob);
  Bytes frame = junk.batch_frame(stream, bob, {site.ns(), "a", "junk", message.type, proof});
  append(frame, kJunk);
  set_length(frame);
  junk.send(frame);
  EXPECT_EQ(junk.waits_for_end(), "malformed");

  Session good(*this, must(crypto::SigningKey::from_secret(bob.secret().view())));
  EXPECT_EQ(good.peer.outcome(good.say(message)), "");
  EXPECT_TRUE(ears.waits_for("a=good"));
  EXPECT_EQ(ears.heard(), Lines{"a=good"});
}

TEST_F(Attack, B07_OnlyItsOwnerEndsASubscription) {
  Session alice(*this, registered_key(site));
  const wave::Proof proof = granted(alice.key, "a", "C");
  const auto subscribed = alice.say({site.ns(), "a", "", MessageType::kSubscribe, proof});
  ASSERT_EQ(alice.peer.answer(subscribed), "");

  // An unrelated entity on the very session that the subscription came from.
  const crypto::SigningKey mallory = registered_key(site);
  const std::uint64_t stream = alice.peer.attach(mallory);
  Say end{site.ns(), "a", "", MessageType::kUnsubscribe, proof};
  end.raw = wire::encode_request_id(subscribed);
  EXPECT_EQ(alice.peer.answer(alice.peer.say(stream, mallory, end)), "denied");
  ASSERT_EQ(publish(site, "ns", site.uri("a"), "still"), "");
  EXPECT_TRUE(alice.peer.waits_for("a=still"));

  EXPECT_EQ(alice.peer.answer(alice.say(end)), "");
  ASSERT_EQ(publish(site, "ns", site.uri("a"), "gone"), "");
  EXPECT_TRUE(alice.peer.is_alive());
  EXPECT_EQ(alice.peer.heard(), Lines{"a=still"});
}

TEST_F(Attack, S13_KnowingASubscriptionsNameEndsNothing) {
  Session alice(*this, registered_key(site));
  const wave::Proof proof = granted(alice.key, "a", "C");
  const auto subscribed = alice.say({site.ns(), "a", "", MessageType::kSubscribe, proof});
  ASSERT_EQ(alice.peer.answer(subscribed), "");

  // From another session, also with a stream of the same number.
  Session mallory(*this, registered_key(site));
  Say end{site.ns(), "a", "", MessageType::kUnsubscribe, {}};
  end.raw = wire::encode_request_id(subscribed);
  EXPECT_EQ(mallory.peer.answer(mallory.say(end)), "not_found");
  mallory.peer.attach(mallory.key, alice.stream);
  EXPECT_EQ(mallory.peer.answer(mallory.peer.say(alice.stream, mallory.key, end)), "not_found");

  ASSERT_EQ(publish(site, "ns", site.uri("a"), "still"), "");
  EXPECT_TRUE(alice.peer.waits_for("a=still"));
}

TEST_F(Attack, B08_AProofThatNobodyHasIsRefusedAndNoMore) {
  Session mallory(*this, registered_key(site));
  // A proof that was never sent: its name is in the topic alone.
  const wire::Topic topic{site.ns(), Hash{}, must(wave::Pattern::parse("a"))};
  mallory.peer.send_frame(wire::TopicFrame{mallory.key.public_key(), mallory.stream, 5, topic});
  wire::BatchBuilder builder;
  wire::Message publication;
  publication.topic = 5;
  publication.payload = kJunk;
  const crypto::Sha256 prefix = wire::leaf_prefix(wire::topic_hash(topic));
  builder.add(publication, prefix);
  Bytes frame;
  const std::size_t begin = wire::begin_frame(wire::FrameType::kBatch, frame);
  builder.seal({.origin = mallory.key.public_key(),
                .stream = mallory.stream,
                .sequence = 1,
                .created = now()},
               mallory.key, frame);
  wire::finish_frame(begin, frame);
  mallory.peer.send(frame);
  EXPECT_EQ(mallory.peer.outcome({mallory.stream, 1, 0}), "not_found");

  // A proof of a DoT that is not on the ledger.
  wave::Proof unheard_of;
  unheard_of.dots.push_back(must(wave::sign(
      dot_statement(mallory.key.public_key(), new_key().public_key(), site.ns(), "a", "P"),
      mallory.key)));
  const auto said =
      mallory.say({site.ns(), "a", "x", MessageType::kPublish, std::move(unheard_of)});
  EXPECT_NE(mallory.peer.outcome({said.stream, said.sequence, 0}), "");

  // 32 zero bytes where a proof should be.
  const Bytes zeros(32, 0);
  mallory.peer.send_frame(wire::ProofFrame{zeros});
  EXPECT_EQ(mallory.peer.waits_for_end(), "unsupported");  // version 0
  EXPECT_EQ(publish(site, "ns", site.uri("a"), "the router is well"), "");
}

TEST_F(Attack, S12_JunkAfterAnySignedThingIsRefused) {
  const crypto::SigningKey bob = new_key();
  Bytes entity = must(wave::sign(entity_statement(bob.public_key()), bob)).bytes;
  Bytes padded = entity;
  append(padded, kJunk);
  EXPECT_EQ(submit(site, {padded}), Lines{"malformed"});
  EXPECT_EQ(submit(site, {entity}), Lines{""});

  const wave::Proof proof = granted(bob, "a", "P");
  Session session(*this, must(crypto::SigningKey::from_secret(bob.secret().view())));
  Bytes bytes = wave::encode(proof);
  append(bytes, kJunk);
  session.peer.send_frame(wire::ProofFrame{bytes});
  EXPECT_EQ(session.peer.waits_for_end(), "malformed");

  // And in a hello.
  WirePeer padder(loop, site.at().router);
  Bytes hello;
  wire::encode_hello(wire::FrameType::kClientHello,
                     wire::client_hello(padder.exporter(), wire::Role::kAgent, &bob,
                                        *site.at().router_key, wire::Role::kRouter, {}),
                     hello);
  append(hello, kJunk);
  set_length(hello);
  padder.listen();
  padder.send(hello);
  EXPECT_EQ(padder.waits_for_end(), "malformed");
}

TEST_F(Attack, S15_StreamIdsCannotBeGuessed) {
  grant(site, "ns", "everyone", site.uri("a"), "PC");
  Session ears(*this, registered_key(site));
  const wave::Proof proof = proof_of(site, ears.key.public_key().text(), site.uri("a"), "C");
  ASSERT_EQ(ears.peer.answer(ears.say({site.ns(), "a", "", MessageType::kSubscribe, proof})), "");

  // Three lives of one agent, each with a new session: a generator without a seed repeats itself.
  RunningNode other({}, &site);
  make_entity(other, "bob");
  make_entity(other, "carol");
  std::vector<std::uint64_t> streams;
  for (int life = 0; life < 3; ++life) {
    if (life > 0) {
      other.stop();
      other.start();
    }
    for (const std::string& name : {"bob", "carol"}) {
      const std::string line = fmt::format("{} {}", name, life);
      // A node decides nothing until it has heard from its ledger.
      ASSERT_TRUE(eventually([&] { return publish(other, name, site.uri("a"), line).empty(); }));
      ASSERT_TRUE(ears.peer.waits_for("a=" + line));
      streams.push_back(ears.peer.headers().back().stream);
    }
  }
  std::ranges::sort(streams);
  std::uint64_t closest = ~std::uint64_t{0};
  for (std::size_t i = 1; i < streams.size(); ++i) {
    closest = std::min(closest, streams[i] - streams[i - 1]);
  }
  // Six ids drawn from 2^64 are this close to each other once in 2^26 runs.
  EXPECT_GT(closest, std::uint64_t{1} << 34U);
}

}  // namespace
}  // namespace bw::e2e
