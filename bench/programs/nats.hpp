// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "programs/broker.hpp"

namespace bw::bench {

// The NATS client protocol (docs.nats.io, "Client Protocol").
class Nats final : public Broker {
 public:
  explicit Nats(const BrokerOptions& options);
  void subscribe() override;
  std::uint8_t* append(Bytes& out) const override;
  void finish() override;

 private:
  std::size_t take(ByteView in, Tally* tally, std::size_t connection) override;
  void control(std::string_view line);
  void say(std::string_view text);
};

}  // namespace bw::bench
