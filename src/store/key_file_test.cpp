// SPDX-License-Identifier: Apache-2.0
#include "store/key_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/limits.hpp"
#include "store/file.hpp"
#include "store/testing/file_size_limit.hpp"
#include "store/testing/temp_directory.hpp"

namespace bw::store {
namespace {

using testing::TempDirectory;

const Bytes kKey = to_bytes("secret");
const Bytes kOther = to_bytes("another, longer secret");

unsigned mode_of(const std::filesystem::path& path) {
  struct stat status{};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  return status.st_mode & 07777U;
}

std::size_t files_in(const TempDirectory& directory) {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator(directory.path()), {}));
}

TEST(KeyFile, IsReadBackAndOnlyItsOwnerMayReadIt) {
  const TempDirectory directory;
  ASSERT_TRUE(write_key_file(directory / "key", kKey));
  EXPECT_EQ(mode_of(directory / "key"), 0600U);
  EXPECT_EQ(read_key_file(directory / "key"), kKey);
  EXPECT_EQ(files_in(directory), 1U);
}

TEST(KeyFile, IsNotReplacedUnlessAsked) {
  const TempDirectory directory;
  ASSERT_TRUE(write_key_file(directory / "key", kKey));
  EXPECT_EQ(write_key_file(directory / "key", kOther).error().code, ErrorCode::kConflict);
  EXPECT_EQ(read_key_file(directory / "key"), kKey);
  ASSERT_TRUE(write_key_file(directory / "key", kOther, true));
  EXPECT_EQ(read_key_file(directory / "key"), kOther);
  EXPECT_EQ(files_in(directory), 1U);
}

TEST(KeyFile, ThatOthersMayReadIsRefused) {
  const TempDirectory directory;
  const auto path = directory / "key";
  ASSERT_TRUE(write_key_file(path, kKey));
  for (const unsigned mode : {0640U, 0604U, 0620U, 0602U, 0644U}) {
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    const auto refused = read_key_file(path);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kDenied);
    EXPECT_NE(refused.error().message.find("chmod 600 " + path.string()), std::string::npos);
  }
  ASSERT_EQ(::chmod(path.c_str(), 0400), 0);
  EXPECT_TRUE(read_key_file(path).has_value());
}

TEST(KeyFile, ThatIsNoneIsRefused) {
  const TempDirectory directory;
  EXPECT_EQ(read_key_file(directory / "none").error().code, ErrorCode::kNotFound);
  ASSERT_EQ(::mkfifo((directory / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(read_key_file(directory / "pipe").error().code, ErrorCode::kInvalidArgument);
  ASSERT_TRUE(write_key_file(directory / "big", Bytes(limits::kKeyFileBytes + 1)));
  EXPECT_EQ(read_key_file(directory / "big").error().code, ErrorCode::kTooLarge);
}

TEST(AtomicWrite, LeavesTheOldContentWhenTheDiskIsFull) {
  const TempDirectory directory;
  ASSERT_TRUE(atomic_write_file(directory / "file", kKey, 0644, true));
  {
    const testing::FileSizeLimit limit(4);
    const auto refused = atomic_write_file(directory / "file", kOther, 0644, true);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kIo);
  }
  EXPECT_EQ(testing::file_bytes(directory / "file"), kKey);
  EXPECT_EQ(files_in(directory), 1U);
  EXPECT_EQ(mode_of(directory / "file"), 0644U);
}

TEST(AtomicWrite, SaysWhatIsWrongWithTheDirectory) {
  const TempDirectory directory;
  const auto refused = atomic_write_file(directory / "none/file", kKey, 0600, true);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kNotFound);
  EXPECT_NE(refused.error().message.find("none/file"), std::string::npos);
}

}  // namespace
}  // namespace bw::store
