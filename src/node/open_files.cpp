// SPDX-License-Identifier: Apache-2.0
#include "node/open_files.hpp"

#include <algorithm>

#include <sys/resource.h>

namespace bw::node {
namespace {

// For the stores, the API's clients, metrics and sessions to the outside; or half, if there is
// less.
constexpr std::uint64_t kOtherFiles = 1024;

}  // namespace

std::uint64_t raise_open_files() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return kOtherFiles;
  const rlim_t before = files.rlim_cur;
  files.rlim_cur = files.rlim_max;
  return ::setrlimit(RLIMIT_NOFILE, &files) == 0 ? files.rlim_cur : before;
}

net::ListenerLimits fit(net::ListenerLimits limits, std::uint64_t files, unsigned listeners) {
  const std::uint64_t spare = files - std::min(kOtherFiles, files / 2);
  const auto most = static_cast<std::size_t>(std::max<std::uint64_t>(spare / listeners, 1));
  if (limits.connections <= most) return limits;
  const double share = static_cast<double>(most) / static_cast<double>(limits.connections);
  const auto scaled = static_cast<std::size_t>(static_cast<double>(limits.per_address) * share);
  limits.connections = most;
  limits.per_address = std::max<std::size_t>(scaled, 1);
  return limits;
}

}  // namespace bw::node
