// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/check.hpp"
#include "replica/replica.hpp"
#include "syndication/seal_keyring.hpp"
#include "syndication/seal_opener.hpp"
#include "wave/consumers.hpp"

// What sealing costs for a resource that N entities may consume: a program for one N and one round,
// which prints {"name": nanoseconds, ...}. The permission graph is a store on disk with one grant
// to each consumer.
using namespace bw;
using syndication::Readers;

namespace {

constexpr std::size_t kPayloadBytes = 128;
constexpr std::size_t kMessages = 20'000;
constexpr std::size_t kChanges = 50;

class SystemClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override {
    return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  }
};

// Nanoseconds of one `action`, of `times` in a row.
template <class Action>
double measured(std::size_t times, const Action& action) {
  const auto began = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < times; ++i) action(i);
  const auto took = std::chrono::steady_clock::now() - began;
  return static_cast<double>(std::chrono::nanoseconds(took).count()) / static_cast<double>(times);
}

class TempDirectory {
 public:
  TempDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "bw-seal-XXXXXX").string();
    BW_ASSERT(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~TempDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

std::vector<crypto::SigningKey> make_keys(std::size_t count) {
  std::vector<crypto::SigningKey> keys;
  keys.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    keys.push_back(crypto::SigningKey::generate(crypto::system_random()));
  }
  return keys;
}

// keys[0] is the namespace; all others may consume everything in it.
void fill_ledger(const std::vector<crypto::SigningKey>& keys, Time now, replica::Replica& replica) {
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  std::vector<Bytes> entries;
  for (const crypto::SigningKey& key : keys) {
    wave::Entity entity;
    entity.key = key.public_key();
    entity.created = second;
    entity.expires = second + std::chrono::hours(24);
    entries.push_back(wave::sign(std::move(entity), key)->bytes);
  }
  for (std::size_t i = 1; i < keys.size(); ++i) {
    wave::Dot dot;
    dot.granter = dot.ns = keys[0].public_key();
    dot.grantee = keys[i].public_key();
    dot.permissions = wave::Permissions::of(wave::Permissions::kConsume);
    dot.created = dot.not_before = second;
    dot.expires = second + std::chrono::hours(24);
    dot.pattern = *wave::Pattern::parse("*");
    entries.push_back(wave::sign(std::move(dot), keys[0])->bytes);
  }
  for (std::size_t at = 0; at < entries.size(); at += 1000) {
    const auto begin = entries.begin() + static_cast<std::ptrdiff_t>(at);
    const auto end =
        begin + static_cast<std::ptrdiff_t>(std::min<std::size_t>(1000, entries.size() - at));
    BW_ASSERT(replica.append({std::make_move_iterator(begin), std::make_move_iterator(end)}));
  }
}

class Costs {
 public:
  explicit Costs(std::size_t consumers) : keys_(make_keys(consumers)) {}

  std::string measure() {
    find_readers();
    first_key();
    messages();
    changes();
    std::string out;
    for (const auto& [name, ns] : results_) {
      out += fmt::format("{}\"{}\": {:.1f}", out.empty() ? "" : ", ", name, ns);
    }
    return "{" + out + "}";
  }

 private:
  void note(const char* name, double value) { results_.emplace_back(name, value); }

  Bytes seal(const Readers& readers, bool persist) {
    const Time now = clock_.now();
    return keyring_
        .seal({.context = context_,
               .readers = readers,
               .persist = persist,
               .sealed_at = now,
               .now = now},
              plaintext_)
        .value();
  }

  void find_readers() {
    const TempDirectory directory;
    const auto store = store::AuthorityStore::open(directory.path());
    BW_ASSERT(store);
    replica::Replica replica(**store, clock_, true);
    fill_ledger(keys_, clock_.now(), replica);
    wave::Consumers found;
    note("list", measured(3, [&](std::size_t) {
           found = wave::consumers_of(keys_[0].public_key(), uri_, **store, replica, clock_.now(),
                                      limits::kSealRecipients, {.edges = limits::kSealSearchEdges})
                       .value();
         }));
    BW_ASSERT(found.entities.size() == keys_.size());
    readers_ = std::make_shared<const std::vector<EntityKey>>(std::move(found.entities));
  }

  void first_key() {
    Bytes sealed;
    const double took = measured(1, [&](std::size_t) { sealed = seal(readers_, true); });
    note("wrap", took / static_cast<double>(readers_->size()));
    note("persisted_bytes", static_cast<double>(sealed.size()));
  }

  void messages() {
    // What carries keys comes in between, as often as it does at this rate.
    std::vector<Bytes> sealed(kMessages);
    note("seal", measured(kMessages, [&](std::size_t i) { sealed[i] = seal(readers_, false); }));
    const std::size_t persisted = std::max<std::size_t>(20, kMessages / readers_->size());
    Bytes stored;
    note("persist", measured(persisted, [&](std::size_t) { stored = seal(readers_, true); }));
    const crypto::SigningKey& reader = keys_.back();
    syndication::SealOpener opener;
    BW_ASSERT(opener.open(context_, stored, reader));
    note("open", measured(kMessages, [&](std::size_t i) {
           BW_ASSERT(opener.open(context_, sealed[i], reader));
         }));
    note("open_first", measured(50, [&](std::size_t) {
           BW_ASSERT(syndication::SealOpener().open(context_, stored, reader));
         }));
  }

  // One consumer goes, and comes back: with the others' agreements at hand, and then anew.
  void changes() {
    std::vector<EntityKey> fewer = *readers_;
    fewer.pop_back();
    const auto without = std::make_shared<const std::vector<EntityKey>>(std::move(fewer));
    note("rotate",
         measured(3, [&](std::size_t i) { seal(i % 2 == 0 ? without : others_of(i), true); }));
    seal(without, true);
    std::vector<Readers> growing{without};
    for (std::size_t i = 0; i < kChanges; ++i) {
      std::vector<EntityKey> more = *growing.back();
      more.push_back(crypto::SigningKey::generate(crypto::system_random()).public_key());
      std::ranges::sort(more);
      growing.push_back(std::make_shared<const std::vector<EntityKey>>(std::move(more)));
    }
    note("new_consumer", measured(kChanges, [&](std::size_t i) { seal(growing[i + 1], false); }));
  }

  // All but one, each time another.
  Readers others_of(std::size_t i) {
    std::vector<EntityKey> others = *readers_;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(i % others.size()));
    return std::make_shared<const std::vector<EntityKey>>(std::move(others));
  }

  SystemClock clock_;
  std::vector<crypto::SigningKey> keys_;
  crypto::SigningKey publisher_ = crypto::SigningKey::generate(crypto::system_random());
  wave::Pattern uri_ = *wave::Pattern::parse("building/floor1/temperature");
  syndication::SealContext context_{publisher_.public_key(), keys_[0].public_key(), uri_.text()};
  Bytes plaintext_ = syndication::encode_payload({{64U << 24U, Bytes(kPayloadBytes)}});
  Readers readers_;
  syndication::SealKeyring keyring_{crypto::system_random()};
  std::vector<std::pair<const char*, double>> results_;
};

}  // namespace

int main(int count, char** arguments) {
  std::size_t consumers = 0;
  if (count == 2) {
    const std::string_view text(arguments[1]);
    std::from_chars(text.data(), text.data() + text.size(), consumers);
  }
  if (consumers < 2) {
    fmt::print(stderr, "usage: seal_cost CONSUMERS\n");
    return 2;
  }
  fmt::print("{}\n", Costs(consumers).measure());
  return 0;
}
