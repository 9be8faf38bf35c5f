// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace bw::telemetry {

// What /metrics shows. Rooms count in plain structs of their own; whoever wires a daemon says here how
// to read them. Readers run inside render(), on its thread.
class Metrics {
 public:
  using Read = std::function<double()>;
  // Names as in Prometheus: bosswave_router_messages_in_total, ..._bytes, ..._seconds.
  void counter(std::string name, std::string help, Read read);
  void gauge(std::string name, std::string help, Read read);

  // The text exposition format.
  [[nodiscard]] std::string render() const;

 private:
  struct Entry {
    std::string name;
    std::string help;
    bool is_counter;
    Read read;
  };
  std::vector<Entry> entries_;
};

}  // namespace bw::telemetry
