// SPDX-License-Identifier: Apache-2.0
#include "syndication/handshake.hpp"

#include <gtest/gtest.h>

#include "syndication/testing/vectors.hpp"

namespace bw::syndication {
namespace {

class Handshake : public ::testing::Test {
 protected:
  Hello client() {
    return client_hello(exporter, Role::kAgent, &alice, router.public_key(), Role::kRouter, {});
  }
  Hello server() { return server_hello(exporter, Role::kRouter, router, client(), {}); }

  Result<void> as_router(const Hello& hello) {
    return check_client(hello, exporter, router.public_key(), Role::kRouter);
  }
  Result<void> as_ledger(const Hello& hello) {
    return check_client(hello, exporter, router.public_key(), Role::kLedger);
  }
  Result<void> as_agent(const Hello& hello) {
    return check_server(hello, exporter, router.public_key(), Role::kRouter, alice.public_key(),
                        Role::kAgent);
  }

  static ErrorCode code(const Result<void>& result) {
    EXPECT_FALSE(result);
    return result ? ErrorCode::kInternal : result.error().code;
  }

  crypto::SigningKey alice = testing::alice();
  crypto::SigningKey router = testing::router();
  Hash exporter = testing::id_of<Hash>(testing::vectors().at("session").at("exporter"));
};

TEST_F(Handshake, SignaturesAreAsInTheVectors) {
  const auto& session = testing::vectors().at("session");
  const auto hex = [&](const char* name) { return session.at(name).get<std::string>(); };
  EXPECT_EQ(to_hex(client().signature), hex("client_signature"));
  EXPECT_EQ(to_hex(server().signature), hex("server_signature"));
  const Attach attached = attach(exporter, alice, session.at("attach_stream").get<std::uint64_t>());
  EXPECT_EQ(to_hex(attached.signature), hex("attach_signature"));
}

TEST_F(Handshake, BothSidesAccept) {
  EXPECT_TRUE(as_router(client()));
  EXPECT_TRUE(as_agent(server()));
}

TEST_F(Handshake, AnotherChannelIsRefused) {
  const Hello to_router = client();
  const Hello to_agent = server();
  exporter.bytes[31] ^= 1;
  EXPECT_EQ(code(as_router(to_router)), ErrorCode::kBadSignature);
  EXPECT_EQ(code(as_agent(to_agent)), ErrorCode::kBadSignature);
}

TEST_F(Handshake, AHelloForAnotherPeerIsRefused) {
  const EntityKey other = alice.public_key();
  EXPECT_EQ(code(check_client(client(), exporter, other, Role::kRouter)), ErrorCode::kDenied);
  EXPECT_EQ(code(check_server(server(), exporter, router.public_key(), Role::kRouter,
                              router.public_key(), Role::kAgent)),
            ErrorCode::kDenied);
  Hello redirected = client();
  redirected.peer = other;
  EXPECT_EQ(code(check_client(redirected, exporter, other, Role::kRouter)),
            ErrorCode::kBadSignature);
}

TEST_F(Handshake, AnotherServerThanExpectedIsRefused) {
  EXPECT_EQ(code(check_server(server(), exporter, alice.public_key(), Role::kRouter,
                              alice.public_key(), Role::kAgent)),
            ErrorCode::kDenied);
  Hello pretender = server();
  pretender.self = alice.public_key();
  EXPECT_EQ(code(check_server(pretender, exporter, alice.public_key(), Role::kRouter,
                              alice.public_key(), Role::kAgent)),
            ErrorCode::kBadSignature);
}

TEST_F(Handshake, AnotherEntityThanTheSignerIsRefused) {
  Hello stolen = client();
  stolen.self = router.public_key();
  EXPECT_EQ(code(as_router(stolen)), ErrorCode::kBadSignature);
}

TEST_F(Handshake, RolesMustFitAndAreSigned) {
  Hello follower =
      client_hello(exporter, Role::kFollower, &alice, router.public_key(), Role::kLedger, {});
  EXPECT_TRUE(as_ledger(follower));
  EXPECT_EQ(code(as_router(follower)), ErrorCode::kDenied);
  EXPECT_EQ(code(as_ledger(client())), ErrorCode::kDenied);
  follower.role = Role::kAgent;
  EXPECT_EQ(code(as_router(follower)), ErrorCode::kBadSignature);
  EXPECT_EQ(code(check_server(server(), exporter, router.public_key(), Role::kLedger,
                              alice.public_key(), Role::kFollower)),
            ErrorCode::kDenied);
  Hello as_another = server();
  as_another.role = Role::kLedger;
  EXPECT_EQ(code(check_server(as_another, exporter, router.public_key(), Role::kLedger,
                              alice.public_key(), Role::kAgent)),
            ErrorCode::kBadSignature);
}

// The client signed that it talks to a router; a ledger with the same key cannot use that.
TEST_F(Handshake, ThePeersRoleIsSigned) {
  const Hello hello =
      client_hello(exporter, Role::kFollower, &alice, router.public_key(), Role::kRouter, {});
  EXPECT_EQ(code(as_ledger(hello)), ErrorCode::kBadSignature);
}

// A hello sent back to where it came from proves nothing, even between equal keys.
TEST_F(Handshake, SwappedSidesAreRefused) {
  const EntityKey self = alice.public_key();
  Hello reflected = client_hello(exporter, Role::kRouter, &alice, self, Role::kAgent, {});
  EXPECT_EQ(code(check_server(reflected, exporter, self, Role::kRouter, self, Role::kAgent)),
            ErrorCode::kBadSignature);
  const Hello asked = client_hello(exporter, Role::kRouter, &alice, self, Role::kRouter, {});
  reflected = server_hello(exporter, Role::kAgent, alice, asked, {});
  EXPECT_EQ(code(check_client(reflected, exporter, self, Role::kRouter)), ErrorCode::kBadSignature);
}

TEST_F(Handshake, SignaturesOfAnotherPurposeAreRefused) {
  Hello hello = client();
  hello.signature = attach(exporter, alice, 77).signature;
  EXPECT_EQ(code(as_router(hello)), ErrorCode::kBadSignature);
  Attach attached = attach(exporter, alice, 77);
  attached.signature = client().signature;
  EXPECT_EQ(code(check_attach(attached, exporter)), ErrorCode::kBadSignature);
}

TEST_F(Handshake, OnlyFollowersMayBeAnonymous) {
  Hello nobody =
      client_hello(exporter, Role::kFollower, nullptr, router.public_key(), Role::kLedger, {});
  EXPECT_TRUE(as_ledger(nobody));
  EXPECT_EQ(code(as_router(nobody)), ErrorCode::kDenied);
  nobody.role = Role::kAgent;
  EXPECT_EQ(code(as_router(nobody)), ErrorCode::kBadSignature);

  const Hello answer = server_hello(exporter, Role::kLedger, router, nobody, {});
  EXPECT_EQ(answer.peer, EntityKey{});
}

TEST_F(Handshake, HalfAnonymousIsRefused) {
  Hello hello =
      client_hello(exporter, Role::kFollower, &alice, router.public_key(), Role::kLedger, {});
  Hello no_key = hello;
  no_key.self = {};
  EXPECT_EQ(code(as_ledger(no_key)), ErrorCode::kBadSignature);
  Hello no_signature = hello;
  no_signature.signature = {};
  EXPECT_EQ(code(as_ledger(no_signature)), ErrorCode::kBadSignature);
}

TEST_F(Handshake, AnAttachmentHoldsForItsChannelEntityAndStream) {
  const Attach attached = attach(exporter, alice, 77);
  EXPECT_TRUE(check_attach(attached, exporter));
  Hash other = exporter;
  other.bytes[0] ^= 1;
  EXPECT_EQ(code(check_attach(attached, other)), ErrorCode::kBadSignature);
  Attach changed = attached;
  changed.stream = 78;
  EXPECT_EQ(code(check_attach(changed, exporter)), ErrorCode::kBadSignature);
  changed = attached;
  changed.entity = router.public_key();
  EXPECT_EQ(code(check_attach(changed, exporter)), ErrorCode::kBadSignature);
}

}  // namespace
}  // namespace bw::syndication
