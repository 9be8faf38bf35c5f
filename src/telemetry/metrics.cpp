// SPDX-License-Identifier: Apache-2.0
#include "telemetry/metrics.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

namespace bw::telemetry {

void Metrics::counter(std::string name, std::string help, Read read) {
  entries_.push_back({std::move(name), std::move(help), true, std::move(read)});
}

void Metrics::gauge(std::string name, std::string help, Read read) {
  entries_.push_back({std::move(name), std::move(help), false, std::move(read)});
}

std::string Metrics::render() const {
  std::vector<prometheus::MetricFamily> families;
  families.reserve(entries_.size());
  for (const Entry& entry : entries_) {
    prometheus::MetricFamily family;
    family.name = entry.name;
    family.help = entry.help;
    family.type =
        entry.is_counter ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge;
    prometheus::ClientMetric metric;
    (entry.is_counter ? metric.counter.value : metric.gauge.value) = entry.read();
    family.metric.push_back(std::move(metric));
    families.push_back(std::move(family));
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace bw::telemetry
