// SPDX-License-Identifier: Apache-2.0
#include <random>

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <sys/stat.h>

#include "attack.hpp"
#include "raw_socket.hpp"

// Attacks on an agent by programs of its machine, and by those who would be.
namespace bw::e2e {
namespace {

// Calls methods with whatever bytes, as any client can.
class RawApi {
 public:
  explicit RawApi(const std::string& target)
      : stub_(grpc::CreateChannel(target, grpc::InsecureChannelCredentials())) {}

  grpc::Status call(const std::string& method, const std::string& body,
                    const std::string& token = {}) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
    grpc::CompletionQueue queue;
    const grpc::Slice slice(body);
    const grpc::ByteBuffer request(&slice, 1);
    const auto call =
        stub_.PrepareUnaryCall(&context, "/bosswave.v1.Agent/" + method, request, &queue);
    call->StartCall();
    grpc::ByteBuffer reply;
    grpc::Status status;
    call->Finish(&reply, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    return status;
  }

 private:
  grpc::GenericStub stub_;
};

std::vector<std::string> methods(bool streams) {
  std::vector<std::string> names;
  const auto* service = api::Empty::descriptor()->file()->service(0);
  for (int i = 0; i < service->method_count(); ++i) {
    const auto* method = service->method(i);
    if (streams || (!method->client_streaming() && !method->server_streaming())) {
      names.push_back(method->name());
    }
  }
  return names;
}

std::string free_address() {
  net::asio::io_context io;
  return must(net::Listener::bind(io, "127.0.0.1:0"))->address();
}

// Frames of the original's API were text with numbers; here garbage comes as bytes, as protobuf
// and as values.
TEST_F(Attack, B11_GarbageOnTheSocketIsNoTrouble) {
  std::mt19937 random(11);
  for (int i = 0; i < 20; ++i) {
    RawSocket socket = RawSocket::unix_domain(site.at().socket);
    Bytes garbage(1 + random() % 5000);
    for (std::uint8_t& byte : garbage) byte = static_cast<std::uint8_t>(random());
    if (i % 2 == 0) {  // past the preface of HTTP/2
      const std::string_view preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
      garbage.insert(garbage.begin(), preface.begin(), preface.end());
    }
    socket.send(garbage);
    if (i % 3 == 0) continue;  // hangs up at once
    (void)socket.waits_for_end(50ms);
  }
  RawSocket original = RawSocket::unix_domain(site.at().socket);
  original.send(as_bytes("ro 49 3\nabc\n"));
  (void)original.waits_for_end(50ms);
  EXPECT_TRUE(site.client().info());
  EXPECT_EQ(publish(site, "ns", site.uri("a"), "well"), "");
}

TEST_F(Attack, B11_GarbageInCallsIsAnsweredWithErrors) {
  RawApi raw("unix:" + site.at().socket);
  std::mt19937 random(12);
  const std::string truncated(
      "\x0a\x7f"
      "abc");
  const std::string wrong_type("\x08\x01", 2);      // a number where a text is due
  const std::string unknown("\xfa\x3e\x03xyz", 6);  // field 1007
  const std::string bad_utf8("\x0a\x02\xff\xfe", 4);
  const std::string huge_length("\x0a\xff\xff\xff\xff\x07", 6);
  for (const std::string& method : methods(false)) {
    EXPECT_FALSE(raw.call(method, truncated).ok()) << method;
    EXPECT_FALSE(raw.call(method, huge_length).ok()) << method;
    for (const std::string& body : {wrong_type, unknown, bad_utf8}) {
      const auto code = raw.call(method, body).error_code();
      EXPECT_NE(code, grpc::StatusCode::DEADLINE_EXCEEDED) << method;
      EXPECT_NE(code, grpc::StatusCode::UNAVAILABLE) << method;
    }
    for (int i = 0; i < 10; ++i) {
      std::string body(random() % 200, 0);
      for (char& byte : body) byte = static_cast<char>(random());
      const auto code = raw.call(method, body).error_code();
      EXPECT_NE(code, grpc::StatusCode::DEADLINE_EXCEEDED) << method;
      EXPECT_NE(code, grpc::StatusCode::UNAVAILABLE) << method;
    }
  }
  EXPECT_EQ(raw.call("Submit", std::string(40 << 20, 'x')).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(raw.call("NoSuchMethod", "").error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(raw.call("Info", unknown).error_code(), grpc::StatusCode::OK);  // ignored, as it should
  EXPECT_EQ(publish(site, "ns", site.uri("a"), "well"), "");
}

TEST_F(Attack, B11_AbsurdValuesAreAnsweredWithErrors) {
  const std::string megabyte(1 << 20, 'x');
  for (const std::string& uri :
       {std::string("x"), std::string("/"), std::string("ns/"), "ns/" + megabyte,
        std::string("ns/a//b"), std::string("ns/*/*"), std::string("nobody/a"),
        std::string("ns/\x01"), std::string("ns/+")}) {
    EXPECT_NE(publish(site, "ns", uri, "x"), "") << uri.substr(0, 40);
  }
  EXPECT_NE(publish(site, "nobody", "ns/a", "x"), "");
  EXPECT_NE(publish(site, "ns", "ns/a", megabyte), "");

  api::PublishFrame frame;
  frame.set_as("ns");
  for (int i = 0; i < 65; ++i) {
    api::Value* value = frame.add_values();
    value->set_uri("ns/a");
    value->set_consumers(0xffffffff);
    for (int j = 0; j < i; ++j) value->add_payload()->set_type(0xffffffff);
    value->set_expires_us(-1);
  }
  const auto publisher = site.client().publish();
  api::PublishResults results;
  ASSERT_TRUE(publisher->send(frame) && publisher->receive(results));
  EXPECT_EQ(results.errors_size(), 65);
  EXPECT_TRUE(publisher->finish());

  api::GrantRequest good;
  good.set_as("ns");
  good.set_grantee("everyone");
  good.set_uri("ns/a");
  good.set_permissions("P");
  const auto refused = [&](const std::function<void(api::GrantRequest&)>& spoil) {
    api::GrantRequest bad = good;
    spoil(bad);
    return !site.client().grant(bad);
  };
  EXPECT_TRUE(refused([](auto& bad) { bad.set_ttl(0xffffffff); }));
  EXPECT_TRUE(refused([](auto& bad) { bad.set_permissions("everything"); }));
  EXPECT_TRUE(refused([&](auto& bad) { bad.set_comment(megabyte); }));
  EXPECT_TRUE(refused([](auto& bad) { bad.set_stored_bytes(~0ULL); }));
  EXPECT_TRUE(refused([](auto& bad) { bad.set_expires_us(1); }));
  EXPECT_TRUE(refused([](auto& bad) { bad.set_expires_us(INT64_MAX); }));
  EXPECT_TRUE(refused([](auto& bad) { bad.set_not_before_us(INT64_MAX); }));
  EXPECT_TRUE(refused([](auto& bad) {
    for (int i = 0; i < 1000; ++i) bad.add_revokers("ns" + std::to_string(i));
  }));
  EXPECT_TRUE(site.client().grant(good));

  api::SubmitRequest many;
  for (int i = 0; i < 5000; ++i) many.add_objects("x");
  EXPECT_FALSE(site.client().submit(many));
  EXPECT_FALSE(site.client().submit({}));
  api::CreateEntityRequest entity;
  for (const std::string& name : {std::string(), std::string("../../x"), std::string("a/b"),
                                  std::string(64, 'a'), std::string("A"), megabyte}) {
    entity.set_name(name);
    EXPECT_FALSE(site.client().create_entity(entity)) << name.substr(0, 40);
  }
  Subscription endless(site, "ns", "ns/*/*");
  EXPECT_TRUE(endless.waits_for_end());
  EXPECT_EQ(publish(site, "ns", site.uri("a"), "well"), "");
}

TEST_F(Attack, S06_TheHostOfTheRouterHasNoPrivileges) {
  // This process holds router and ledger, and still its own users need rights.
  make_entity(site, "bob");
  EXPECT_EQ(publish(site, "bob", site.uri("a"), "x"), "denied");
  EXPECT_FALSE(query(site, "bob", site.uri("*")));
  Subscription ears(site, "bob", site.uri("*"));
  EXPECT_TRUE(ears.waits_for_end());
  EXPECT_EQ(ears.stood(), 0);
  // The roles' own keys give no rights in the namespace either.
  for (const char* role : {"agent", "router"}) {
    EXPECT_EQ(publish(site, role, site.uri("a"), "x"), "denied") << role;
  }
  // Nor does the key of the agent, to one that speaks to the router directly.
  Session agent(*this, registered_key(site));
  EXPECT_EQ(agent.peer.outcome(agent.say({site.ns(), "a", "x", wire::MessageType::kPublish, {}})),
            "denied");
  grant(site, "ns", "bob", site.uri("a"), "P");
  EXPECT_EQ(publish(site, "bob", site.uri("a"), "x"), "");
}

TEST_F(Attack, S06_TheSocketIsItsOwnersAlone) {
  struct stat status{};
  ASSERT_EQ(::stat(site.at().socket.c_str(), &status), 0);
  EXPECT_TRUE(S_ISSOCK(status.st_mode));
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(Attack, S06_TheApiOverTcpNeedsItsToken) {
  const std::string address = free_address();
  RunningNode node({}, &site, [&](node::Config& config) {
    config.agent.api_tcp = address;
    config.agent.api_token = "correct horse";
  });
  RawApi raw(address);
  for (const std::string& method : methods(true)) {
    for (const char* token : {"", "wrong horse", "correct hors", "correct horse "}) {
      EXPECT_EQ(raw.call(method, "", token).error_code(), grpc::StatusCode::PERMISSION_DENIED)
          << method << " '" << token << "'";
    }
  }
  EXPECT_TRUE(raw.call("Info", "", "correct horse").ok());
  const auto client = must(client::Client::connect({address, "correct horse"}, kPatience));
  EXPECT_EQ(must(client->info()).roles_size(), 1);
  const auto stranger = must(client::Client::connect({address, ""}, kPatience));
  api::SubscribeRequest request;
  request.set_as("agent");
  request.set_uri(site.uri("*"));
  const auto refused = stranger->subscribe(request, [](const auto&) { return true; });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kDenied);

  // Without a token there is no such door.
  EXPECT_THROW(
      RunningNode({}, &site, [](node::Config& config) { config.agent.api_tcp = "127.0.0.1:0"; }),
      std::runtime_error);
}

}  // namespace
}  // namespace bw::e2e
