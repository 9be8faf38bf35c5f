// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/testing/objects.hpp"

namespace bw::store::testing {

inline constexpr std::array<std::string_view, 5> kPeople{"ann", "ben", "cat", "dan", "eve"};
inline constexpr std::array<std::string_view, 10> kPatterns{"*",   "a",     "a/*",   "a/b", "a/b/*",
                                                            "+/b", "a/+/c", "a/b/c", "ab",  "ab/*"};
inline constexpr std::array<std::string_view, 3> kNames{"hall", "lobby", "roof"};

// Draws objects of every kind about a few people, so that repeats, conflicts and revocations of
// what is there are common.
class SmallWorld {
 public:
  explicit SmallWorld(std::uint64_t seed) : random_(seed) {}

  wave::Object any_object() {
    const std::string_view by = person();
    switch (pick(12)) {
      case 0:
      case 1:
        return ledger::testing::entity(by, random_entity());
      case 2:
        return random_revocation(by);
      case 3:
        return ledger::testing::alias(by, std::string(kNames[pick(3)]),
                                      ledger::testing::id(person()).bytes);
      case 4:
        return ledger::testing::offer(by, person(), ++nonce_ - pick(2), pick(3) == 0);
      case 5:
        return ledger::testing::acceptance(by, person(), ++nonce_ - pick(2), pick(3) == 0);
      case 6:
        return ledger::testing::address(by, ++nonce_ - pick(2), fmt::format("h:{}", nonce_));
      default:
        return random_dot(by);
    }
  }
  // A DoT that is there from now on, so that it is repeated and revoked.
  void learn(const wave::Signed<wave::Dot>& dot) { dots_.push_back(dot); }
  [[nodiscard]] const std::vector<wave::Signed<wave::Dot>>& dots() const { return dots_; }

 private:
  std::size_t pick(std::size_t below) { return random_() % below; }
  std::string_view person() { return kPeople[pick(kPeople.size())]; }

  ledger::testing::EntityTerms random_entity() {
    return {.created = ledger::testing::kEarlier + std::chrono::seconds(pick(50)),
            .revokers = {person()}};
  }
  wave::Object random_dot(std::string_view by) {
    if (!dots_.empty() && pick(10) == 0) return dots_[pick(dots_.size())];
    const std::size_t to = pick(kPeople.size() + 1);
    const std::string_view grantee = to < kPeople.size() ? kPeople[to] : "everyone";
    if (grantee == by) return random_dot(by);
    return ledger::testing::dot(by, grantee,
                                {.ns = person(),
                                 .on = kPatterns[pick(kPatterns.size())],
                                 .ttl = grantee == "everyone" ? 0 : static_cast<int>(pick(4)),
                                 .comment = std::to_string(random_())});
  }
  wave::Object random_revocation(std::string_view by) {
    if (pick(12) == 0) return ledger::testing::revoke_entity(by, person());
    if (dots_.empty()) return ledger::testing::revoke_dot(by, {});
    return ledger::testing::revoke_dot(by, dots_[pick(dots_.size())].id);
  }

  std::mt19937_64 random_;
  std::uint64_t nonce_ = 1;
  std::vector<wave::Signed<wave::Dot>> dots_;
};

}  // namespace bw::store::testing
