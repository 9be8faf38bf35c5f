// SPDX-License-Identifier: Apache-2.0
#include "city/child_process.hpp"

#include <array>
#include <fstream>
#include <sstream>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bw::city {
namespace {

constexpr int kFailedStart = 127;

// What the child needs, made before the fork: after it nothing may allocate.
struct Start {
  const link::NetSpace* space;
  int output;  // -1: none
  int log;     // -1: the parent's
  int if_orphaned;
  std::vector<char*> arguments;
};

[[noreturn]] void become(const Start& start, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, start.if_orphaned);
  const bool in_place = start.space == nullptr || start.space->enter_raw();
  if (::getppid() != parent || !in_place) ::_exit(kFailedStart);
  ::dup2(start.output, STDOUT_FILENO);
  if (start.log >= 0) ::dup2(start.log, STDERR_FILENO);
  ::execv("/proc/self/exe", start.arguments.data());
  ::_exit(kFailedStart);
}

std::uint64_t status_bytes(int pid, const char* name) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  std::string word;
  while (status >> word) {
    std::uint64_t kib = 0;
    if (word == name && status >> kib) return kib * 1024;
  }
  return 0;
}

}  // namespace

Result<ChildProcess> ChildProcess::start(const std::vector<std::string>& words, const Place& place,
                                         link::Descriptor* output) {
  std::array<int, 2> ends{-1, -1};
  if (output != nullptr) {
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail(ErrorCode::kIo, "cannot make a pipe");
    *output = link::Descriptor(ends[0]);
  } else {
    ends[1] = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  }
  const link::Descriptor theirs(ends[1]);
  const link::Descriptor log(
      place.log.empty()
          ? -1
          : ::open(place.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  std::vector<std::string> copies{"bw"};
  copies.insert(copies.end(), words.begin(), words.end());
  Start start{place.space, theirs.number(), log.number(), place.if_orphaned, {}};
  for (std::string& word : copies) start.arguments.push_back(word.data());
  start.arguments.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) become(start, parent);
  if (pid < 0) return fail(ErrorCode::kIo, "cannot start a process for bw {}", words.back());
  return ChildProcess(pid);
}

ChildProcess::~ChildProcess() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  wait();
}

void ChildProcess::ask_to_stop() const {
  ::kill(pid_, SIGTERM);
}

int ChildProcess::wait() {
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::uint64_t peak_rss_bytes(int pid) {
  return status_bytes(pid, "VmHWM:");
}
std::uint64_t rss_bytes(int pid) {
  return status_bytes(pid, "VmRSS:");
}

double cpu_seconds(int pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(stat, line);
  // After the name, which may hold anything: state, ten fields, utime, stime.
  const auto name_end = line.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::istringstream fields(line.substr(name_end + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace bw::city
