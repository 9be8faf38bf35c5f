// SPDX-License-Identifier: Apache-2.0
#include "programs/nats.hpp"

#include <cstring>
#include <stdexcept>

namespace bw::bench {
namespace {

constexpr std::string_view kPublish = "PUB bench.value 128\r\n";
constexpr std::string_view kEnd = "\r\n";

// The last number of "MSG bench.value 1 128".
std::size_t payload_size(std::string_view line) {
  std::size_t size = 0;
  for (const char digit : line.substr(line.rfind(' ') + 1)) {
    size = size * 10 + static_cast<std::size_t>(digit - '0');
  }
  return size;
}

}  // namespace

Nats::Nats(const BrokerOptions& options) : Broker(options.address) {
  wait_for_answer();  // INFO
  if (options.tls) stream_.start_tls();
  say(options.tls ? R"(CONNECT {"verbose":false,"pedantic":false,"tls_required":true})"
                  : R"(CONNECT {"verbose":false,"pedantic":false})");
}

void Nats::say(std::string_view text) {
  stream_.write(as_bytes(std::string(text) + "\r\n"));
}

void Nats::subscribe() {
  say("SUB bench.value 1");
  finish();
}

void Nats::finish() {
  answered_ = false;
  say("PING");
  wait_for_answer();
}

std::uint8_t* Nats::append(Bytes& out) const {
  const std::size_t begin = out.size();
  out.resize(begin + kPublish.size() + kPayloadBytes + kEnd.size());
  std::memcpy(out.data() + begin, kPublish.data(), kPublish.size());
  std::memcpy(out.data() + out.size() - kEnd.size(), kEnd.data(), kEnd.size());
  return out.data() + begin + kPublish.size();
}

std::size_t Nats::take(ByteView in, Tally* tally, std::size_t connection) {
  const auto* const begin = reinterpret_cast<const char*>(in.data());
  std::size_t at = 0;
  for (;;) {
    const void* const newline = std::memchr(begin + at, '\n', in.size() - at);
    if (newline == nullptr) break;
    const auto length = static_cast<std::size_t>(static_cast<const char*>(newline) - (begin + at));
    const std::string_view line(begin + at, length - 1);
    if (!line.starts_with("MSG ")) {
      control(line);
      at += length + 1;
      continue;
    }
    const std::size_t size = payload_size(line);
    const std::size_t whole = length + 1 + size + kEnd.size();
    if (in.size() - at < whole) break;
    if (tally != nullptr) tally->message(connection, in.subspan(at + length + 1, size));
    at += whole;
  }
  if (tally != nullptr && at > 0) tally->end_of_chunk();
  return at;
}

void Nats::control(std::string_view line) {
  if (line == "PING") return say("PONG");
  if (line.starts_with("-ERR")) throw std::runtime_error("nats-server: " + std::string(line));
  // INFO comes by itself once and answers the connection; PONG answers PING.
  answered_ = true;
}

}  // namespace bw::bench
