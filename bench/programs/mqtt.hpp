// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "programs/broker.hpp"

namespace bw::bench {

// MQTT 3.1.1 with quality of service 0 (OASIS mqtt-v3.1.1, chapters 2 and 3).
class Mqtt final : public Broker {
 public:
  explicit Mqtt(const BrokerOptions& options);
  void subscribe() override;
  std::uint8_t* append(Bytes& out) const override;
  void finish() override;

 private:
  std::size_t take(ByteView in, Tally* tally, std::size_t connection) override;
};

}  // namespace bw::bench
