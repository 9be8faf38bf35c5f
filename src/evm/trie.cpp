// SPDX-License-Identifier: Apache-2.0
#include "evm/trie.hpp"

#include <algorithm>

#include "codec/rlp.hpp"
#include "crypto/keccak.hpp"

namespace bw::evm {
namespace {

using codec::RlpItem;

constexpr std::size_t kBranch = 17;  // 16 children and a value
constexpr std::size_t kShort = 2;    // a path, and a value or a child

tl::unexpected<Error> bad(std::string_view why) {
  return fail(ErrorCode::kMalformed, "trie proof: {}", why);
}

std::vector<std::uint8_t> nibbles_of(ByteView bytes) {
  std::vector<std::uint8_t> nibbles;
  for (const std::uint8_t byte : bytes) {
    nibbles.push_back(byte >> 4U);
    nibbles.push_back(byte & 0xfU);
  }
  return nibbles;
}

// The path of a leaf or extension: hex-prefix encoding (Yellow Paper, appendix C).
struct Path {
  std::vector<std::uint8_t> nibbles;
  bool is_leaf = false;
};
Result<Path> parse_path(const RlpItem& item) {
  if (item.is_list || item.content.empty()) return bad("a node has no path");
  const unsigned flags = item.content[0] >> 4U;
  const bool odd = (flags & 1U) != 0;
  if (flags > 3 || (!odd && (item.content[0] & 0xfU) != 0)) return bad("a path has bad flags");
  std::vector<std::uint8_t> nibbles = nibbles_of(item.content);
  nibbles.erase(nibbles.begin(), nibbles.begin() + (odd ? 1 : 2));
  return Path{std::move(nibbles), (flags & 2U) != 0};
}

Result<std::optional<Bytes>> value_of(const RlpItem& item) {
  if (item.is_list) return bad("a value is a list");
  if (item.content.empty()) return std::nullopt;
  return to_bytes(item.content);
}

// Goes down from node to node; each is named by its hash, or stands whole in its parent when it is
// shorter than one.
class Walk {
 public:
  Walk(ByteView key, std::span<const Bytes> proof) : path_(nibbles_of(key)), proof_(proof) {}

  Result<std::optional<Bytes>> from(const Hash& root) {
    BW_TRY(RlpItem node, take(root));
    for (;;) {
      BW_TRY(const auto items, codec::rlp_items(node, kBranch));
      if (items.size() != kBranch && items.size() != kShort) return bad("a node has no known form");
      BW_TRY(const Step step, items.size() == kBranch ? branch(items) : short_node(items));
      if (step.ended) return step.value;
      BW_TRY(node, child(*step.child));
    }
  }

 private:
  struct Step {
    bool ended = false;
    std::optional<Bytes> value;
    std::optional<RlpItem> child;
  };

  Result<Step> branch(const std::vector<RlpItem>& items) {
    if (at_ == path_.size()) {
      BW_TRY(auto value, value_of(items[16]));
      return Step{.ended = true, .value = std::move(value), .child = {}};
    }
    const RlpItem& below = items[path_[at_++]];
    const bool nobody = !below.is_list && below.content.empty();
    return Step{.ended = nobody, .value = {}, .child = below};
  }

  Result<Step> short_node(const std::vector<RlpItem>& items) {
    BW_TRY(const Path path, parse_path(items[0]));
    const std::span rest = std::span(path_).subspan(at_);
    const bool on_the_way = rest.size() >= path.nibbles.size() &&
                            std::ranges::equal(rest.first(path.nibbles.size()), path.nibbles);
    const bool there = on_the_way && rest.size() == path.nibbles.size();
    if (path.is_leaf) {
      if (!there) return Step{.ended = true, .value = {}, .child = {}};
      BW_TRY(auto value, value_of(items[1]));
      if (!value) return bad("a leaf has no value");
      return Step{.ended = true, .value = std::move(value), .child = {}};
    }
    if (path.nibbles.empty()) return bad("an extension leads nowhere");
    if (!on_the_way) return Step{.ended = true, .value = {}, .child = {}};
    at_ += path.nibbles.size();
    return Step{.ended = false, .value = {}, .child = items[1]};
  }

  Result<RlpItem> child(const RlpItem& reference) {
    if (reference.is_list) return reference;
    BW_TRY(const auto hash, codec::rlp_bytes<Hash::kSize>(reference));
    return take(Hash{hash});
  }

  Result<RlpItem> take(const Hash& hash) {
    if (next_ == proof_.size()) return bad("ends before the key is reached");
    const Bytes& node = proof_[next_++];
    if (crypto::keccak256(node) != hash) return bad("a node is not the one that its parent names");
    return codec::parse_rlp(node);
  }

  std::vector<std::uint8_t> path_;
  std::span<const Bytes> proof_;
  std::size_t at_ = 0;
  std::size_t next_ = 0;
};

}  // namespace

Result<std::optional<Bytes>> prove_value(const Hash& root, ByteView key,
                                         std::span<const Bytes> proof) {
  static const Hash kEmptyTrie = crypto::keccak256(ByteArray<1>{0x80});
  if (root == kEmptyTrie) return std::nullopt;
  return Walk(key, proof).from(root);
}

}  // namespace bw::evm
