// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.hpp"
#include "node/config.hpp"

using namespace bw;

namespace {

// A file in memory, under a name that can be opened.
class File {
 public:
  File() : descriptor_(::memfd_create("configuration", MFD_CLOEXEC)) {
    BW_ASSERT(descriptor_ >= 0);
  }
  [[nodiscard]] std::string path() const { return fmt::format("/proc/self/fd/{}", descriptor_); }
  void put(std::string_view text) const {
    BW_ASSERT(::ftruncate(descriptor_, 0) == 0);
    BW_ASSERT(::pwrite(descriptor_, text.data(), text.size(), 0) ==
              static_cast<::ssize_t>(text.size()));
  }

 private:
  int descriptor_;
};

Result<node::Config> load(std::string_view text) {
  static const File kFile;
  kFile.put(text);
  return node::load_config("/", kFile.path(), true);
}

}  // namespace

// A configuration that is taken can be written out and is the same when it is read again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto config = load(as_text({data, size}));
  if (!config) {
    BW_ASSERT(config.error().code == ErrorCode::kInvalidArgument);
    return 0;
  }
  const std::string written = node::to_toml(*config);
  const auto again = load(written);
  BW_ASSERT(again.has_value() && node::to_toml(*again) == written);
  BW_ASSERT(again->router.advertise == config->router.advertise);
  return 0;
}
