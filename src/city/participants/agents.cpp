// SPDX-License-Identifier: Apache-2.0
#include "city/participants/agents.hpp"

#include <fstream>

namespace bw::city {
namespace {

std::filesystem::path home_of(const std::filesystem::path& directory, std::size_t participant) {
  return directory / std::to_string(participant);
}

Result<void> configure(const std::filesystem::path& directory, const Door& door) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  std::ofstream out(directory / "bosswave.toml");
  out << fmt::format(
      "[log]\nlevel = \"warning\"\n\n[metrics]\nlisten = \"\"\n\n[ledger]\naddress = \"{}\"\n"
      "key = \"{}\"\n",
      door.address, door.key.text());
  out.close();
  if (out && !error) return {};
  return fail(ErrorCode::kIo, "cannot set up {}; check space and permissions", directory.string());
}

std::string last_line(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string last;
  for (std::string line; std::getline(in, line);) last = line;
  return last;
}

}  // namespace

Result<std::unique_ptr<Agents>> Agents::start(const std::filesystem::path& directory,
                                              const link::Network& network, const Door& door,
                                              const Cloner& entries, std::uint64_t model_seed) {
  std::error_code ignored;
  std::filesystem::remove_all(directory, ignored);
  std::unique_ptr<Agents> out(new Agents(directory, network));
  for (std::size_t i = 0; i < network.accesses().size(); ++i) {
    BW_CHECK(out->launch(i, door, entries));
  }
  for (std::size_t i = 0; i < out->size(); ++i) {
    const std::string socket = (home_of(directory, i) / "agent.sock").string();
    auto application = Application::at(socket, model_seed);
    if (!application) {
      return fail(application.error().code, "participant {}: {}; it said: {}", i,
                  application.error().message, last_line(home_of(directory, i) / "log"));
    }
    out->agents_[i].application = *std::move(application);
  }
  return out;
}

Result<void> Agents::launch(std::size_t participant, const Door& door, const Cloner& entries) {
  const std::filesystem::path home = home_of(directory_, participant);
  BW_CHECK(configure(home, door));
  BW_CHECK(entries.copy_to(home / "authority"));
  const ChildProcess::Place place{
      .space = &network_.at(participant), .log = home / "log", .if_orphaned = SIGKILL};
  BW_TRY(ChildProcess process,
         ChildProcess::start({"--dir", home.string(), "agent", "run"}, place, nullptr));
  agents_.push_back({std::move(process), nullptr});
  return {};
}

Agents::~Agents() {
  for (Agent& agent : agents_) agent.application.reset();
  for (const Agent& agent : agents_) agent.process.ask_to_stop();
  for (Agent& agent : agents_) agent.process.wait();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

AgentUse Agents::use(std::size_t participant) const {
  const int pid = agents_[participant].process.pid();
  const link::Network::Traffic traffic = network_.traffic(participant);
  return {cpu_seconds(pid), bw::city::rss_bytes(pid), traffic.up_bytes, traffic.down_bytes};
}

}  // namespace bw::city
