// SPDX-License-Identifier: Apache-2.0
#include "cli/city_participants.hpp"

#include <algorithm>
#include <cmath>

#include "city/quantile.hpp"

namespace bw::cli {
namespace {

using city::quantile;

double ms(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

// Of the rounds that were attacked, or not: the given quantile of each.
std::vector<double> of_rounds(const city::WatchReport::Attack& attack, bool attacked, double part) {
  std::vector<double> out;
  for (const auto& round : attack.rounds) {
    if (round.attacked == attacked) out.push_back(quantile(round.message_us, part));
  }
  std::ranges::sort(out);
  return out;
}

double median(const std::vector<double>& sorted) {
  if (sorted.empty()) return 0;
  return (sorted[(sorted.size() - 1) / 2] + sorted[sorted.size() / 2]) / 2;
}

// Of the mean of the values; 0 of fewer than two.
double standard_error(const std::vector<double>& values) {
  const auto count = static_cast<double>(values.size());
  if (count < 2) return 0;
  double mean = 0;
  for (const double value : values) mean += value / count;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / (count - 1) / count);
}

Json access_json(const city::WatchReport::OfAccess& those) {
  const link::Access& access = those.access;
  return {{"access", access.name},
          {"participants", those.participants},
          {"down_mbit_s", access.down.bits_per_s / 1e6},
          {"up_mbit_s", access.up.bits_per_s / 1e6},
          {"delay_ms", ms(access.down.delay)},
          {"jitter_ms", ms(access.down.jitter)},
          {"loss_percent", 100 * access.down.loss},
          {"cpu_percent", quantile(those.cpu_percent, 0.5)},
          {"bytes_per_s", quantile(those.bytes_per_s, 0.5)},
          {"message_p50_us", quantile(those.message_us, 0.5)},
          {"message_p99_us", quantile(those.message_us, 0.99)}};
}

}  // namespace

Json participants_json(const CityName& name, const city::WatchReport& report) {
  Json by_access = Json::array();
  for (const auto& those : report.by_access) by_access.push_back(access_json(those));
  Json over_time = Json::array();
  for (const auto& moment : report.over_time) {
    over_time.push_back({{"s", moment.s},
                         {"cpu_percent", moment.cpu_percent},
                         {"rss_bytes", moment.rss_bytes},
                         {"bytes_per_s", moment.bytes_per_s}});
  }
  return {{"seed", name.seed},
          {"scale", name.scale},
          {"participants", report.cpu_percent.size()},
          {"seconds", report.seconds},
          {"changes", report.changes},
          {"changes_per_hour", static_cast<double>(report.changes) * 3600 / report.seconds},
          {"agent_cpu_percent", quantile(report.cpu_percent, 0.5)},
          {"agent_cpu_percent_max", quantile(report.cpu_percent, 1)},
          {"agent_bytes_per_s", quantile(report.bytes_per_s, 0.5)},
          {"agent_bytes_per_s_max", quantile(report.bytes_per_s, 1)},
          {"agent_rss_bytes", quantile(report.rss_bytes, 0.5)},
          {"agent_rss_bytes_max", quantile(report.rss_bytes, 1)},
          {"messages", report.messages},
          {"messages_denied", report.messages_denied},
          {"messages_lost", report.messages_lost},
          {"messages_failed", report.messages_failed},
          {"message_p50_us", quantile(report.message_us, 0.5)},
          {"message_p99_us", quantile(report.message_us, 0.99)},
          {"by_access", by_access},
          {"over_time", over_time},
          {"tried", report.tried},
          {"delivered", report.delivered},
          {"disagreements", report.disagreements},
          {"named", report.named}};
}

Json attacked_json(const CityName& name, const city::WatchReport& report, double round_s) {
  const city::WatchReport::Attack& attack = *report.attack;
  Json rounds = Json::array();
  for (const auto& round : attack.rounds) {
    rounds.push_back({{"attacked", round.attacked},
                      {"messages", round.messages},
                      {"p50_us", quantile(round.message_us, 0.5)},
                      {"p99_us", quantile(round.message_us, 0.99)}});
  }
  return {{"seed", name.seed},
          {"scale", name.scale},
          {"participants", report.cpu_percent.size()},
          {"flooders", attack.flooders},
          {"spammers", attack.spammers},
          {"round_s", round_s},
          {"quiet_message_p50_us", median(of_rounds(attack, false, 0.5))},
          {"quiet_message_p99_us", median(of_rounds(attack, false, 0.99))},
          {"attacked_message_p50_us", median(of_rounds(attack, true, 0.5))},
          {"attacked_message_p99_us", median(of_rounds(attack, true, 0.99))},
          {"standard_error_us", standard_error(of_rounds(attack, false, 0.5))},
          {"standard_error_p99_us", standard_error(of_rounds(attack, false, 0.99))},
          {"messages_lost", attack.messages_lost},
          {"flood_messages_per_s", attack.flood_messages_per_s},
          {"flood_sessions_per_s", attack.flood_sessions_per_s},
          {"spam_dots_per_s", attack.spam_dots_per_s},
          {"spam_taken", attack.spam_taken},
          {"rounds", rounds}};
}

void print_participants(const city::WatchReport& report) {
  Table table({"ACCESS", "AGENTS", "DOWN Mbit/s", "UP", "DELAY ms", "LOSS %", "CPU %", "BYTES/s",
               "MESSAGE p50 ms", "p99"});
  for (const auto& those : report.by_access) {
    const link::Access& access = those.access;
    table.row({std::string(access.name), std::to_string(those.participants),
               fmt::format("{:g}", access.down.bits_per_s / 1e6),
               fmt::format("{:g}", access.up.bits_per_s / 1e6),
               fmt::format("{:.1f}", ms(access.down.delay)),
               fmt::format("{:g}", 100 * access.down.loss),
               fmt::format("{:.3f}", quantile(those.cpu_percent, 0.5)),
               fmt::format("{:.0f}", quantile(those.bytes_per_s, 0.5)),
               fmt::format("{:.1f}", quantile(those.message_us, 0.5) / 1000),
               fmt::format("{:.1f}", quantile(those.message_us, 0.99) / 1000)});
  }
  table.print();
  print_line(fmt::format("{} messages that the model judges, {} delivered, {} disagreements",
                         report.tried, report.delivered, report.disagreements));
  print_line(fmt::format(
      "in {:.0f} s with {} permission changes, the median agent (the one with the most): "
      "{:.3f} ({:.3f}) % of a core, {:.0f} ({:.0f}) bytes/s, {:.0f} ({:.0f}) MiB resident",
      report.seconds, report.changes, quantile(report.cpu_percent, 0.5),
      quantile(report.cpu_percent, 1), quantile(report.bytes_per_s, 0.5),
      quantile(report.bytes_per_s, 1), quantile(report.rss_bytes, 0.5) / (1 << 20),
      quantile(report.rss_bytes, 1) / (1 << 20)));
  print_line(fmt::format(
      "{} messages, {} denied, {} lost, {} failed: median {:.1f} ms, 99 % "
      "within {:.1f} ms",
      report.messages, report.messages_denied, report.messages_lost, report.messages_failed,
      quantile(report.message_us, 0.5) / 1000, quantile(report.message_us, 0.99) / 1000));
  for (const std::string& line : report.named) print_line(line);
  if (!report.attack) return;
  const auto& attack = *report.attack;
  print_line(fmt::format(
      "{} flooders, {:.0f} messages/s; {} spammer, {:.0f} DoTs/s, {} taken; {} messages lost",
      attack.flooders, attack.flood_messages_per_s, attack.spammers, attack.spam_dots_per_s,
      attack.spam_taken, attack.messages_lost));
  const std::vector<double> quiet = of_rounds(attack, false, 0.5);
  print_line(
      fmt::format("a message, median: quiet {:.2f} ms, attacked {:.2f} ms, standard error "
                  "{:.2f} ms",
                  median(quiet) / 1000, median(of_rounds(attack, true, 0.5)) / 1000,
                  standard_error(quiet) / 1000));
}

}  // namespace bw::cli
