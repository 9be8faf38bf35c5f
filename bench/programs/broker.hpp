// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "programs/stream.hpp"
#include "programs/tally.hpp"

namespace bw::bench {

struct BrokerOptions {
  std::string protocol;  // nats or mqtt
  std::string address;
  bool tls = false;
};

// One connection of a load client with a broker of another kind: whole buffers in, whole buffers
// out, nothing allocated per message, so that the broker is measured and not its client.
class Broker {
 public:
  virtual ~Broker() = default;

  // Returns when the subscription stands.
  virtual void subscribe() = 0;
  // Appends one message, its payload still to be written; returns where that begins.
  virtual std::uint8_t* append(Bytes& out) const = 0;
  // Returns when the broker has taken all that was written.
  virtual void finish() = 0;

  void write(ByteView bytes) { stream_.write(bytes); }
  // Takes all that has come, answers pings, counts messages as those of `connection`; true when
  // there were any bytes.
  bool read(Tally* tally, std::size_t connection);
  [[nodiscard]] int fd() const { return stream_.fd(); }

 protected:
  explicit Broker(const std::string& address);

  // Consumes the whole packets of `in` and returns their length.
  virtual std::size_t take(ByteView in, Tally* tally, std::size_t connection) = 0;
  // Until an answer to the last request came.
  void wait_for_answer();

  Stream stream_;
  bool answered_ = false;

 private:
  Bytes incoming_;
  std::size_t filled_ = 0;
};

}  // namespace bw::bench
