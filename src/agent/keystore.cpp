// SPDX-License-Identifier: Apache-2.0
#include "agent/keystore.hpp"

#include <cerrno>

#include <sys/stat.h>

#include "base/text.hpp"
#include "store/file.hpp"
#include "store/key_file.hpp"
#include "wave/object.hpp"

namespace bw::agent {
namespace {

constexpr std::string_view kSuffix = ".key";
constexpr std::string_view kHandlePrefix = "lent:";

// A key file's bytes, which may hold the secret in clear.
struct WipedBytes {
  WipedBytes(Bytes&& content) : bytes(std::move(content)) {}  // NOLINT: a Bytes taken over
  ~WipedBytes() { crypto::wipe(bytes); }
  WipedBytes(const WipedBytes&) = delete;
  WipedBytes& operator=(const WipedBytes&) = delete;
  Bytes bytes;
};

Result<void> private_directory(const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) {
    return fail(ErrorCode::kIo, "cannot make the keystore {}: {}", directory.string(),
                error.message());
  }
  struct stat status{};
  if (::stat(directory.c_str(), &status) != 0) {
    return fail(store::system_error("examine", directory, errno));
  }
  if ((status.st_mode & 0777) == 0700 || ::chmod(directory.c_str(), 0700) == 0) return {};
  return fail(store::system_error("make private (chmod 700)", directory, errno));
}

// Names follow the rule of aliases, so that a file name is never a path.
Result<void> check_name(std::string_view name) {
  if (wave::is_alias_name(name)) return {};
  return fail(ErrorCode::kInvalidArgument,
              "'{}' is not a key name: 1 to 63 of a-z 0-9 - . _, starting "
              "with a letter",
              printable(name, 80));
}

}  // namespace

Result<std::unique_ptr<Keystore>> Keystore::open(const std::filesystem::path& directory) {
  BW_CHECK(private_directory(directory));
  std::unique_ptr<Keystore> keystore(new Keystore);
  keystore->directory_ = directory;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    const std::string name = entry.path().stem().string();
    if (entry.path().extension() != kSuffix || !wave::is_alias_name(name)) continue;
    BW_TRY(const WipedBytes file, store::read_key_file(entry.path()));
    const auto info = crypto::inspect_key_file(file.bytes);
    if (!info)
      return fail(info.error().code, "{}: {}", entry.path().string(), info.error().message);
    KeyPtr pair;
    if (!info->sealed) {
      auto opened = crypto::open_key(file.bytes, nullptr);
      if (!opened)
        return fail(opened.error().code, "{}: {}", entry.path().string(), opened.error().message);
      pair = std::make_shared<const crypto::SigningKey>(*std::move(opened));
    }
    keystore->named_.emplace(name, Held{info->key, std::move(pair)});
  }
  return keystore;
}

Result<KeyPtr> Keystore::create(const std::string& name, const crypto::Passphrase* passphrase) {
  auto key = crypto::SigningKey::generate(crypto::system_random());
  BW_TRY(const WipedBytes file, crypto::seal_key(key, passphrase, crypto::system_random()));
  return import(name, file.bytes, passphrase);
}

Result<KeyPtr> Keystore::import(const std::string& name, ByteView key_file,
                                const crypto::Passphrase* passphrase) {
  BW_CHECK(check_name(name));
  BW_TRY(crypto::SigningKey key, crypto::open_key(key_file, passphrase));
  const std::scoped_lock lock(mutex_);
  if (named_.contains(name)) {
    return fail(ErrorCode::kConflict, "there is a key named '{}' already; choose another name",
                name);
  }
  BW_CHECK(store::write_key_file(directory_ / (name + std::string(kSuffix)), key_file));
  KeyPtr pair = std::make_shared<const crypto::SigningKey>(std::move(key));
  named_.emplace(name, Held{pair->public_key(), pair});
  return pair;
}

Result<void> Keystore::unlock(const std::string& name, const crypto::Passphrase& passphrase) {
  BW_CHECK(check_name(name));
  BW_TRY(const WipedBytes file, store::read_key_file(directory_ / (name + std::string(kSuffix))));
  BW_TRY(crypto::SigningKey key, crypto::open_key(file.bytes, &passphrase));
  const std::scoped_lock lock(mutex_);
  named_.insert_or_assign(
      name, Held{key.public_key(), std::make_shared<const crypto::SigningKey>(std::move(key))});
  return {};
}

Result<KeyPtr> Keystore::find(std::string_view what) const {
  const std::scoped_lock lock(mutex_);
  if (const auto lent = lent_.find(what); lent != lent_.end()) return lent->second;
  const auto key = EntityKey::parse(what);
  for (const auto& [name, held] : named_) {
    if (name != what && !(key && held.key == *key)) continue;
    if (held.pair) return held.pair;
    return fail(ErrorCode::kDenied,
                "key '{}' is sealed and locked; start the agent with its passphrase", name);
  }
  std::string known;
  for (const auto& [name, held] : named_) known += (known.empty() ? "" : ", ") + name;
  return fail(ErrorCode::kNotFound,
              "this agent holds no key '{}'; it holds {}; make one with "
              "'bw entity create'",
              printable(what, 80), known.empty() ? "none" : known);
}

std::optional<std::string> Keystore::name_of(const EntityKey& key) const {
  const std::scoped_lock lock(mutex_);
  for (const auto& [name, held] : named_) {
    if (held.key == key) return name;
  }
  return std::nullopt;
}

std::optional<EntityKey> Keystore::key_named(std::string_view name) const {
  const std::scoped_lock lock(mutex_);
  const auto found = named_.find(name);
  if (found == named_.end()) return std::nullopt;
  return found->second.key;
}

std::vector<Keystore::Listed> Keystore::list() const {
  const std::scoped_lock lock(mutex_);
  std::vector<Listed> out;
  out.reserve(named_.size());
  for (const auto& [name, held] : named_) out.push_back({name, held.key, held.pair == nullptr});
  return out;
}

std::string Keystore::lend(crypto::SigningKey key) {
  ByteArray<16> random;
  crypto::system_random().fill(random);
  const std::string handle = std::string(kHandlePrefix) + to_base64url(random);
  const std::scoped_lock lock(mutex_);
  lent_.emplace(handle, std::make_shared<const crypto::SigningKey>(std::move(key)));
  return handle;
}

void Keystore::take_back(const std::string& handle) {
  const std::scoped_lock lock(mutex_);
  lent_.erase(handle);
}

}  // namespace bw::agent
