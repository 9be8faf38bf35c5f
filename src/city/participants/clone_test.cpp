// SPDX-License-Identifier: Apache-2.0
#include "city/participants/clone.hpp"

#include <fstream>

#include <gtest/gtest.h>
#include <stdlib.h>

namespace bw::city {
namespace {

namespace fs = std::filesystem;

class Clone : public testing::Test {
 protected:
  Clone() {
    std::string name = (fs::temp_directory_path() / "bwcloneXXXXXX").string();
    home_ = ::mkdtemp(name.data());
    fs::create_directories(home_ / "store/index");
    write("store/ledger.log", "entries");
    write("store/index/1.sst", "rows");
    write("store/index/CURRENT", "MANIFEST-1");
  }
  ~Clone() override { fs::remove_all(home_); }

  void write(const char* file, const std::string& text) const {
    std::ofstream(home_ / file) << text;
  }
  [[nodiscard]] std::string read(const char* file) const {
    std::ifstream in(home_ / file);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  fs::path home_;
};

TEST_F(Clone, IsAWholeCopyThatSharesOnlyWhatNeverChanges) {
  const auto cloner = Cloner::of(home_ / "store", home_, 2);
  ASSERT_TRUE(cloner) << cloner.error().message;
  ASSERT_TRUE(cloner->copy_to(home_ / "copy"));
  EXPECT_EQ(read("copy/ledger.log"), "entries");
  EXPECT_EQ(read("copy/index/1.sst"), "rows");
  EXPECT_EQ(read("copy/index/CURRENT"), "MANIFEST-1");
  EXPECT_TRUE(fs::equivalent(home_ / "store/index/1.sst", home_ / "copy/index/1.sst"));
  write("copy/ledger.log", "entries and more");
  write("copy/index/CURRENT", "MANIFEST-2");
  EXPECT_EQ(read("store/ledger.log"), "entries");
  EXPECT_EQ(read("store/index/CURRENT"), "MANIFEST-1");
}

TEST_F(Clone, WhatWouldNotFitIsRefusedBeforeAnythingIsCopied) {
  fs::resize_file(home_ / "store/ledger.log", std::uintmax_t{1} << 40U);
  const auto cloner = Cloner::of(home_ / "store", home_, 1'000'000);
  // A file system that shares blocks takes them all.
  if (cloner) GTEST_SKIP() << home_ << " is on a file system that shares blocks";
  EXPECT_EQ(cloner.error().code, ErrorCode::kIo);
  EXPECT_NE(cloner.error().message.find("shares blocks"), std::string::npos);
  EXPECT_FALSE(fs::exists(home_ / "share"));
}

TEST_F(Clone, WhatIsNotThereIsAnError) {
  EXPECT_FALSE(Cloner::of(home_ / "nothing", home_, 1));
}

}  // namespace
}  // namespace bw::city
