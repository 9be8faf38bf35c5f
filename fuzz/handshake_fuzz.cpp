// SPDX-License-Identifier: Apache-2.0
#include "base/check.hpp"
#include "codec/reader.hpp"
#include "syndication/handshake.hpp"

using namespace bw;
using namespace bw::syndication;

namespace {

Hash altered(Hash exporter) {
  exporter.bytes[exporter.bytes[0] % Hash::kSize] ^= 1U;
  return exporter;
}

Role server_of(Role client) {
  return client == Role::kAgent ? Role::kRouter : Role::kLedger;
}

void check(FrameType type, const Hello& hello, const Hash& exporter) {
  const auto accepted = [&](const Hash& channel) {
    return type == FrameType::kClientHello
               ? check_client(hello, channel, hello.peer, server_of(hello.role)).has_value()
               : check_server(hello, channel, hello.self, hello.role, hello.peer, Role::kAgent)
                         .has_value() ||
                     check_server(hello, channel, hello.self, hello.role, hello.peer,
                                  Role::kFollower)
                         .has_value();
  };
  if (!accepted(exporter)) return;
  const bool anonymous = type == FrameType::kClientHello && hello.self.is_zero();
  BW_ASSERT(accepted(altered(exporter)) == anonymous);
  BW_ASSERT(!anonymous || hello.role == Role::kFollower);
}

}  // namespace

// An exporter value and the frame that came on that channel. Whatever it convinces of a key does
// not hold on another channel.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  codec::Reader input({data, size});
  const Hash exporter = input.id<Hash>();
  const auto parsed = parse_frame(input.rest());
  if (!input.ok() || !parsed) return 0;
  if (const auto* hello = std::get_if<Hello>(&parsed->frame)) {
    check(parsed->type, *hello, exporter);
  } else if (const auto* attach = std::get_if<Attach>(&parsed->frame)) {
    if (check_attach(*attach, exporter)) BW_ASSERT(!check_attach(*attach, altered(exporter)));
  }
  return 0;
}
