// SPDX-License-Identifier: Apache-2.0
#include "agent/keystore.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "ledger/testing/objects.hpp"
#include "store/testing/temp_directory.hpp"

namespace bw::agent {
namespace {

namespace fs = std::filesystem;

unsigned mode_of(const fs::path& path) {
  struct stat status{};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  return status.st_mode & 0777U;
}

class KeystoreTest : public ::testing::Test {
 protected:
  std::unique_ptr<Keystore> opened() {
    auto keystore = Keystore::open(keys);
    EXPECT_TRUE(keystore.has_value()) << keystore.error().message;
    return keystore ? *std::move(keystore) : nullptr;
  }
  static ErrorCode code(const auto& result) {
    EXPECT_FALSE(result.has_value());
    return result ? ErrorCode::kInternal : result.error().code;
  }

  store::testing::TempDirectory directory;
  fs::path keys = directory / "deep/keys";
};

TEST_F(KeystoreTest, KeepsKeysToItself) {
  const auto keystore = opened();
  ASSERT_TRUE(keystore->create("alice", nullptr).has_value());
  EXPECT_EQ(mode_of(keys), 0700U);
  EXPECT_EQ(mode_of(keys / "alice.key"), 0600U);
  fs::permissions(keys, fs::perms(0755));
  opened();
  EXPECT_EQ(mode_of(keys), 0700U);
}

TEST_F(KeystoreTest, FindsKeysByNameAndByKeyAlsoAfterReopening) {
  auto keystore = opened();
  const auto made = keystore->create("a.b-c_1", nullptr);
  ASSERT_TRUE(made.has_value());
  const EntityKey key = (*made)->public_key();
  keystore = opened();
  EXPECT_EQ((*keystore->find("a.b-c_1"))->public_key(), key);
  EXPECT_EQ((*keystore->find(key.text()))->public_key(), key);
  EXPECT_EQ(keystore->name_of(key), "a.b-c_1");
  EXPECT_EQ(keystore->key_named("a.b-c_1"), key);
  ASSERT_EQ(keystore->list().size(), 1U);
  EXPECT_FALSE(keystore->list()[0].locked);
}

TEST_F(KeystoreTest, SaysWhatItHoldsWhenAskedForAnother) {
  const auto keystore = opened();
  EXPECT_NE(keystore->find("bob").error().message.find("none"), std::string::npos);
  ASSERT_TRUE(keystore->create("alice", nullptr).has_value());
  const auto missing = keystore->find("bob\x1b");
  EXPECT_EQ(code(missing), ErrorCode::kNotFound);
  EXPECT_NE(missing.error().message.find("alice"), std::string::npos);
  EXPECT_EQ(missing.error().message.find('\x1b'), std::string::npos);
  EXPECT_EQ(keystore->key_named("bob"), std::nullopt);
}

TEST_F(KeystoreTest, ANameIsNeverAPath) {
  const auto keystore = opened();
  for (const char* name : {"", "../x", "a/b", "A", ".x", "1x", "a b"}) {
    EXPECT_EQ(code(keystore->create(name, nullptr)), ErrorCode::kInvalidArgument) << name;
    EXPECT_EQ(code(keystore->unlock(name, crypto::Passphrase("x"))), ErrorCode::kInvalidArgument);
  }
  EXPECT_TRUE(fs::is_empty(keys));
}

TEST_F(KeystoreTest, ATakenNameIsAConflictAndKeepsItsKey) {
  const auto keystore = opened();
  const auto made = keystore->create("alice", nullptr);
  EXPECT_EQ(code(keystore->create("alice", nullptr)), ErrorCode::kConflict);
  EXPECT_EQ((*keystore->find("alice"))->public_key(), (*made)->public_key());
  // A file that came in since it was opened is not overwritten either.
  fs::copy_file(keys / "alice.key", keys / "bob.key");
  EXPECT_EQ(code(keystore->create("bob", nullptr)), ErrorCode::kConflict);
}

TEST_F(KeystoreTest, SealedKeysStayLockedUntilTheirPassphrase) {
  const crypto::Passphrase secret("secret");
  auto keystore = opened();
  const auto made = keystore->create("alice", &secret);
  ASSERT_TRUE(made.has_value());
  EXPECT_TRUE(keystore->find("alice").has_value()) << "who made it may use it";
  keystore = opened();
  EXPECT_EQ(code(keystore->find("alice")), ErrorCode::kDenied);
  EXPECT_EQ(keystore->key_named("alice"), (*made)->public_key());
  EXPECT_TRUE(keystore->list()[0].locked);
  EXPECT_EQ(code(keystore->unlock("alice", crypto::Passphrase("wrong"))), ErrorCode::kDenied);
  EXPECT_EQ(code(keystore->find("alice")), ErrorCode::kDenied);
  ASSERT_TRUE(keystore->unlock("alice", secret).has_value());
  EXPECT_EQ((*keystore->find("alice"))->public_key(), (*made)->public_key());
  EXPECT_EQ(code(keystore->unlock("nobody", secret)), ErrorCode::kNotFound);
}

TEST_F(KeystoreTest, ImportsKeyFilesAsTheyAre) {
  const auto keystore = opened();
  const auto file =
      crypto::seal_key(ledger::testing::key("alice"), nullptr, crypto::system_random());
  ASSERT_TRUE(file.has_value());
  ASSERT_TRUE(keystore->import("alice", *file, nullptr).has_value());
  EXPECT_EQ(store::testing::file_bytes(keys / "alice.key"), *file);
  EXPECT_FALSE(keystore->import("rubbish", to_bytes("no key"), nullptr).has_value());
  EXPECT_FALSE(fs::exists(keys / "rubbish.key"));
}

TEST_F(KeystoreTest, ADamagedFileIsNamed) {
  ASSERT_TRUE(opened()->create("alice", nullptr).has_value());
  const Bytes good = store::testing::file_bytes(keys / "alice.key");
  for (const Bytes& bad : {Bytes{}, Bytes(good.begin(), good.end() - 1), to_bytes("rubbish")}) {
    store::testing::overwrite_file(keys / "alice.key", bad);
    const auto refused = Keystore::open(keys);
    ASSERT_FALSE(refused.has_value());
    EXPECT_NE(refused.error().message.find("alice.key"), std::string::npos)
        << refused.error().message;
  }
}

TEST_F(KeystoreTest, OtherFilesAreNoneOfItsBusiness) {
  fs::create_directories(keys);
  store::testing::overwrite_file(keys / "README", to_bytes("x"));
  store::testing::overwrite_file(keys / "Not A Name.key", to_bytes("x"));
  EXPECT_TRUE(opened()->list().empty());
}

TEST_F(KeystoreTest, LentKeysLiveUntilTheyAreTakenBack) {
  const auto keystore = opened();
  const auto lend = [&] {
    return keystore->lend(crypto::SigningKey::generate(crypto::system_random()));
  };
  const std::string one = lend();
  const std::string two = lend();
  EXPECT_NE(one, two);
  EXPECT_TRUE(keystore->find(one).has_value());
  const EntityKey lent = (*keystore->find(one))->public_key();
  EXPECT_EQ(code(keystore->find(lent.text())), ErrorCode::kNotFound)
      << "who does not hold the handle cannot use it";
  keystore->take_back(one);
  EXPECT_EQ(code(keystore->find(one)), ErrorCode::kNotFound);
  EXPECT_TRUE(keystore->find(two).has_value());
  EXPECT_TRUE(keystore->list().empty());
  EXPECT_TRUE(fs::is_empty(keys));
}

}  // namespace
}  // namespace bw::agent
