// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "link/access.hpp"

// Participants of a city that lives: agents on access links as poor as real ones.
//
// What `bw city run --participants N` finds, in real time, kept as DIR/results/participants.json:
//   seed, scale, participants, seconds        of the watch
//   changes, changes_per_hour                 permission changes in it, in real time
//   agent_cpu_percent, agent_bytes_per_s, agent_rss_bytes    of one core, in the whole watch; of IP
//     packets, both ways, at the agent's end of its link; at the end. The median of the agents;
//     agent_cpu_percent_max, ... of the one with the most
//   messages, messages_denied, messages_lost, messages_failed    accepted in the watch; refused
//     because somebody moved; accepted and not arrived; refused for another reason
//   message_p50_us, message_p99_us            from an application's call until another has it
//   by_access: [{access, participants, down_mbit_s, up_mbit_s, delay_ms (one way, least),
//     jitter_ms, loss_percent, cpu_percent, bytes_per_s, message_p50_us, message_p99_us (to
//     those)}]
//   over_time: [{s, cpu_percent, rss_bytes, bytes_per_s}]    means over the agents
//   tried, delivered, disagreements           messages held against the model's truth before
// With --attack, besides, DIR/results/attacked.json:
//   seed, scale, participants, flooders, spammers, round_s
//   quiet_message_p50_us, quiet_message_p99_us, attacked_message_p50_us, attacked_message_p99_us
//     medians over the rounds, of those who do not attack
//   standard_error_us, standard_error_p99_us  of the quiet rounds' p50 and p99
//   messages_lost                             under attack
//   flood_messages_per_s, flood_sessions_per_s, spam_dots_per_s    sent by the attackers
//   spam_taken                                entries that the ledger let in
//   rounds: [{attacked, messages, p50_us, p99_us}]
// And, of both, DIR/run/participants.sqlite:
//   participant(id, role, home, access, up_bits_per_s, down_bits_per_s, up_delay_us, down_delay_us,
//     up_jitter_us, down_jitter_us, up_loss, down_loss)      role: devices, resident
//   sample(s, phase, participant, cpu_s, rss_bytes, up_bytes, down_bytes)    each second of the
//     watch and after each round; sums since the agent's start
//   message(s, phase, sender, receiver, latency_us)          those that arrived
//     phase: 0 the watch; then 1, 2, ... the rounds, the odd ones quiet
namespace bw::city {

// Sorted values of all agents or messages, in percent, bytes a second, bytes, microseconds.
struct WatchReport {
  double seconds = 0;
  std::uint64_t changes = 0;
  std::vector<double> cpu_percent;
  std::vector<double> bytes_per_s;
  std::vector<double> rss_bytes;
  std::uint64_t messages = 0;
  std::uint64_t messages_denied = 0;
  std::uint64_t messages_lost = 0;
  std::uint64_t messages_failed = 0;
  std::vector<double> message_us;

  struct OfAccess {
    link::Access access;
    std::size_t participants = 0;
    std::vector<double> cpu_percent;
    std::vector<double> bytes_per_s;
    std::vector<double> message_us;
  };
  std::vector<OfAccess> by_access;
  struct Moment {
    double s = 0;
    double cpu_percent = 0;
    double rss_bytes = 0;
    double bytes_per_s = 0;
  };
  std::vector<Moment> over_time;

  std::uint64_t tried = 0;
  std::uint64_t delivered = 0;
  std::uint64_t disagreements = 0;
  std::vector<std::string> named;

  struct Round {
    bool attacked = false;
    std::uint64_t messages = 0;
    std::vector<double> message_us;
  };
  struct Attack {
    std::size_t flooders = 0;
    std::size_t spammers = 0;
    std::vector<Round> rounds;
    std::uint64_t messages_lost = 0;
    double flood_messages_per_s = 0;
    double flood_sessions_per_s = 0;
    double spam_dots_per_s = 0;
    std::uint64_t spam_taken = 0;
  };
  std::optional<Attack> attack;
};

}  // namespace bw::city
