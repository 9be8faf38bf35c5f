// SPDX-License-Identifier: Apache-2.0
#include "city/ledger_process.hpp"

#include <array>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bw::city {
namespace {

constexpr int kAttempts = 60;
constexpr Duration kBetween = 500ms;
constexpr const char* kConfiguration =
    "[log]\nlevel = \"warning\"\n\n[metrics]\nlisten = \"\"\n\n"
    "[ledger]\nlisten = \"127.0.0.1:0\"\nentries_per_second = 0\n";

Result<void> configure(const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  const auto file = directory / "bosswave.toml";
  if (!error && !std::filesystem::exists(file)) {
    std::ofstream out(file);
    out << kConfiguration;
    out.close();
    if (!out) error = std::make_error_code(std::errc::io_error);
  }
  if (!error) return {};
  return fail(ErrorCode::kIo, "cannot set up {}: {}; choose another directory with --dir",
              directory.string(), error.message());
}

// In the child: its output is the pipe, and it ends with its parent.
[[noreturn]] void become_ledger(const std::string& directory, int output, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(1);
  ::dup2(output, STDOUT_FILENO);
  const char* arguments[] = {"bw", "--dir", directory.c_str(), "ledger", "run", nullptr};
  ::execv("/proc/self/exe", const_cast<char* const*>(arguments));
  ::_exit(127);
}

}  // namespace

Result<std::unique_ptr<LedgerProcess>> LedgerProcess::start(
    const std::filesystem::path& directory) {
  BW_CHECK(configure(directory));
  Error last;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) return fail(ErrorCode::kIo, "cannot make a pipe");
    const pid_t parent = ::getpid();
    const std::string path = directory.string();
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::close(ends[0]);
      become_ledger(path, ends[1], parent);
    }
    ::close(ends[1]);
    if (pid < 0) {
      ::close(ends[0]);
      return fail(ErrorCode::kIo, "cannot start a process for the ledger");
    }
    std::unique_ptr<LedgerProcess> process(new LedgerProcess(pid));
    auto ready = process->await_ready(ends[0]);
    if (ready) return process;
    last = ready.error();
    if (last.code != ErrorCode::kConflict) break;
    std::this_thread::sleep_for(kBetween);
  }
  return fail(last);
}

// The lines of node::run_until_signal().
Result<void> LedgerProcess::await_ready(int output) {
  constexpr int kExitOfConflict = 6;
  std::FILE* const lines = ::fdopen(output, "r");
  std::array<char, 1024> line{};
  bool ready = false;
  while (!ready && std::fgets(line.data(), static_cast<int>(line.size()), lines) != nullptr) {
    std::istringstream words{line.data()};
    std::string what;
    std::string address;
    std::string ignored;
    std::string key;
    words >> what >> address >> ignored >> key;
    ready = what == "ready";
    if (what != "ledger") continue;
    BW_TRY(door_.key, EntityKey::parse(key));
    door_.address = address;
  }
  // Nothing more is written there.
  std::fclose(lines);
  if (ready) return {};
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  const bool held = WIFEXITED(status) && WEXITSTATUS(status) == kExitOfConflict;
  return fail(held ? ErrorCode::kConflict : ErrorCode::kUnavailable,
              "the ledger of the city did not start; its own message is above");
}

LedgerProcess::~LedgerProcess() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

std::uint64_t peak_rss_bytes(int pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  std::string word;
  while (status >> word) {
    std::uint64_t kib = 0;
    if (word == "VmHWM:" && status >> kib) return kib * 1024;
  }
  return 0;
}

Result<void> LedgerProcess::stop() {
  ::kill(pid_, SIGTERM);
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return fail(ErrorCode::kUnavailable, "the ledger of the city did not stop in order");
}

}  // namespace bw::city
