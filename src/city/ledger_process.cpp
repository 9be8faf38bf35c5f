// SPDX-License-Identifier: Apache-2.0
#include "city/ledger_process.hpp"

#include <array>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

namespace bw::city {
namespace {

constexpr int kAttempts = 60;
constexpr Duration kBetween = 500ms;
constexpr int kExitOfConflict = 6;

// Replaces what an earlier run, which may have served others, wrote there.
Result<void> configure(const std::filesystem::path& directory,
                       const LedgerProcess::Public& serving) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  std::ofstream out(directory / "bosswave.toml", std::ios::trunc);
  out << fmt::format(
      "[log]\nlevel = \"warning\"\n\n[metrics]\nlisten = \"\"\n\n[ledger]\nlisten = \"{}\"\n"
      "entries_per_second = {:.3f}\nburst = {:.1f}\n",
      serving.listen, serving.entries_per_second, serving.burst);
  out.close();
  if (out && !error) return {};
  return fail(ErrorCode::kIo, "cannot set up {}; choose another directory with --dir",
              directory.string());
}

// The lines of node::run_until_signal(), up to "ready"; nothing when it ended before.
std::optional<Door> read_door(int output) {
  std::FILE* const lines = ::fdopen(::dup(output), "r");
  std::array<char, 1024> line{};
  std::optional<Door> door;
  bool ready = false;
  while (!ready && std::fgets(line.data(), static_cast<int>(line.size()), lines) != nullptr) {
    std::istringstream words{line.data()};
    std::string what;
    std::string address;
    std::string ignored;
    std::string key;
    words >> what >> address >> ignored >> key;
    ready = what == "ready";
    const auto parsed = what == "ledger" ? EntityKey::parse(key) : tl::unexpected(Error{});
    if (parsed) door = Door{address, *parsed};
  }
  std::fclose(lines);
  return ready ? door : std::nullopt;
}

}  // namespace

Result<std::unique_ptr<LedgerProcess>> LedgerProcess::start(const std::filesystem::path& directory,
                                                            const Public& serving) {
  BW_CHECK(configure(directory, serving));
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    link::Descriptor output;
    BW_TRY(ChildProcess child,
           ChildProcess::start({"--dir", directory.string(), "ledger", "run"}, {}, &output));
    if (auto door = read_door(output.number())) {
      return std::unique_ptr<LedgerProcess>(new LedgerProcess(std::move(child), *std::move(door)));
    }
    if (child.wait() != kExitOfConflict) break;
    std::this_thread::sleep_for(kBetween);
  }
  return fail(ErrorCode::kUnavailable,
              "the ledger of the city did not start; its own message is above");
}

Result<void> LedgerProcess::stop() {
  process_.ask_to_stop();
  if (process_.wait() == 0) return {};
  return fail(ErrorCode::kUnavailable, "the ledger of the city did not stop in order");
}

}  // namespace bw::city
