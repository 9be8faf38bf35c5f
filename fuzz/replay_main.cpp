// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include "base/bytes.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

bool replay(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string content(std::istreambuf_iterator<char>(file), {});
  if (!file) return false;
  // A copy of exactly this size, so that a sanitizer sees the first byte read beyond it.
  const bw::Bytes input = bw::to_bytes(content);
  LLVMFuzzerTestOneInput(input.data(), input.size());
  return true;
}

}  // namespace

// Runs the fuzz target once over every file of the directories given. Fails when there is none: a
// corpus that went missing must not look like a pass.
int main(int count, char** arguments) {
  std::size_t files = 0;
  for (int i = 1; i < count; ++i) {
    for (const auto& entry : std::filesystem::directory_iterator(arguments[i])) {
      if (!entry.is_regular_file()) continue;
      if (!replay(entry.path())) {
        fmt::print(stderr, "{}: cannot be read\n", entry.path().string());
        return 1;
      }
      ++files;
    }
  }
  fmt::print("{} inputs replayed\n", files);
  return files == 0 ? 1 : 0;
}
