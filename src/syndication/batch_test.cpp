// SPDX-License-Identifier: Apache-2.0
#include "syndication/batch.hpp"

#include <numeric>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/limits.hpp"
#include "syndication/testing/vectors.hpp"

namespace bw::syndication {
namespace {

using Positions = std::vector<std::uint16_t>;

// Topics 0..2 of the vectors, as a receiver of Alice's stream knows them.
std::vector<crypto::Sha256> topic_table() {
  std::vector<crypto::Sha256> table;
  for (const auto& json : testing::vectors().at("topics")) {
    table.push_back(leaf_prefix(topic_hash(testing::topic_from(json))));
  }
  return table;
}

const crypto::Sha256* prefix_of(std::uint32_t topic) {
  static const std::vector<crypto::Sha256> kTable = topic_table();
  return topic < kTable.size() ? &kTable[topic] : nullptr;
}

// A batch that was parsed and whose leaves are known; owns the bytes that the view points into.
struct Opened {
  Bytes bytes;
  BatchView view;
  std::vector<Hash> leaves;
};

Result<Opened> open_batch(Bytes bytes) {
  Opened opened;
  opened.bytes = std::move(bytes);
  BW_CHECK(parse_batch(opened.bytes, opened.view));
  BW_CHECK(batch_leaves(opened.view, prefix_of, opened.leaves));
  return opened;
}

Result<Opened> verified(Bytes bytes) {
  BW_TRY(Opened opened, open_batch(std::move(bytes)));
  BW_CHECK(
      verify_batch(opened.view, opened.leaves, crypto::VerifyingKey(opened.view.header.origin)));
  return opened;
}

BatchHeader header_of(const crypto::SigningKey& key, std::uint64_t sequence = 1) {
  return {key.public_key(), 42, sequence, from_micros(1'795'000'000'000'000), 0};
}

// `count` messages on the three topics, each with a payload of its own.
Bytes sealed(std::size_t count, std::size_t payload_bytes = 3) {
  static const crypto::SigningKey kAlice = testing::alice();
  BatchBuilder builder;
  Bytes payload(payload_bytes);
  for (std::size_t i = 0; i < count; ++i) {
    Message message;
    message.topic = static_cast<std::uint32_t>(i / 2 % 3);
    if (payload_bytes > 0) payload[0] = static_cast<std::uint8_t>(i);
    if (payload_bytes > 1) payload[1] = static_cast<std::uint8_t>(i >> 8U);
    message.payload = payload;
    EXPECT_EQ(builder.add(message, *prefix_of(message.topic)), i);
  }
  Bytes out;
  builder.seal(header_of(kAlice), kAlice, out);
  EXPECT_TRUE(builder.empty());
  return out;
}

Bytes selected(const Opened& batch, const Positions& kept) {
  Bytes out;
  const auto done = select(batch.view, batch.leaves, kept, out);
  EXPECT_TRUE(done) << done.error().message;
  return out;
}

// The messages of `part` are those of `batch` at `kept`, under the same header and signature.
bool is_part(const Opened& part, const Opened& batch, const Positions& kept) {
  bool same = part.view.header == batch.view.header &&
              part.view.signature == batch.view.signature &&
              part.view.messages.size() == kept.size();
  for (std::size_t i = 0; same && i < kept.size(); ++i) {
    same = part.view.indices[i] == batch.view.indices[kept[i]] &&
           std::ranges::equal(part.view.messages[i].raw, batch.view.messages[kept[i]].raw) &&
           part.leaves[i] == batch.leaves[kept[i]];
  }
  return same;
}

Positions subset_of_bits(std::size_t count, std::uint32_t bits) {
  Positions kept;
  for (std::uint16_t i = 0; i < count; ++i) {
    if ((bits >> i & 1U) != 0) kept.push_back(i);
  }
  return kept;
}

Positions random_subset(std::size_t count) {
  Positions kept;
  const int density = *rc::gen::inRange(1, 101);
  for (std::uint16_t i = 0; i < count; ++i) {
    if (*rc::gen::inRange(0, 100) < density) kept.push_back(i);
  }
  if (kept.empty())
    kept.push_back(static_cast<std::uint16_t>(*rc::gen::inRange<std::size_t>(0, count)));
  return kept;
}

ErrorCode refusal(Bytes bytes) {
  BatchView view;
  const auto parsed = parse_batch(bytes, view);
  EXPECT_FALSE(parsed);
  return parsed ? ErrorCode::kInternal : parsed.error().code;
}

// --- Vectors -------------------------------------------------------------------------------------

TEST(Batch, BytesAreAsInTheVectors) {
  const auto& vectors = testing::vectors();
  const crypto::SigningKey alice = testing::alice();
  for (const auto& json : vectors.at("batches")) {
    BatchBuilder builder;
    for (const auto& place : json.at("messages")) {
      const auto& message = vectors.at("messages").at(place.get<std::size_t>());
      const Bytes payload = testing::bytes_of(message.at("payload"));
      const Message fields = testing::message_from(message, payload);
      builder.add(fields, *prefix_of(fields.topic));
    }
    Bytes bytes;
    builder.seal({alice.public_key(), json.at("stream").get<std::uint64_t>(),
                  json.at("sequence").get<std::uint64_t>(),
                  from_micros(json.at("created").get<std::uint64_t>()), 0},
                 alice, bytes);
    EXPECT_EQ(to_hex(bytes), json.at("bytes").get<std::string>());

    const auto batch = verified(bytes);
    ASSERT_TRUE(batch) << batch.error().message;
    for (const auto& selection : json.at("selections")) {
      const Bytes part = selected(*batch, selection.at("kept").get<Positions>());
      EXPECT_EQ(to_hex(part), selection.at("bytes").get<std::string>());
    }
  }
}

// --- Selection -----------------------------------------------------------------------------------

TEST(Batch, EverySubsetOfASmallBatchVerifiesAlone) {
  for (std::size_t count = 1; count <= 7; ++count) {
    const Opened whole = verified(sealed(count)).value();
    for (std::uint32_t bits = 1; bits < 1U << count; ++bits) {
      const Positions kept = subset_of_bits(count, bits);
      const auto part = verified(selected(whole, kept));
      ASSERT_TRUE(part) << count << " " << bits << ": " << part.error().message;
      EXPECT_TRUE(is_part(*part, whole, kept));
    }
  }
}

TEST(Batch, SelectingFromASelectionEqualsSelectingAtOnce) {
  constexpr std::size_t kCount = 6;
  const Opened whole = open_batch(sealed(kCount)).value();
  for (std::uint32_t first = 1; first < 1U << kCount; ++first) {
    const Positions outer = subset_of_bits(kCount, first);
    const Opened part = open_batch(selected(whole, outer)).value();
    for (std::uint32_t second = 1; second < 1U << outer.size(); ++second) {
      const Positions inner = subset_of_bits(outer.size(), second);
      Positions direct;
      for (const std::uint16_t position : inner) direct.push_back(outer[position]);
      EXPECT_EQ(to_hex(selected(part, inner)), to_hex(selected(whole, direct)));
    }
  }
}

RC_GTEST_PROP(BatchProperty, SelectionsOfLargeBatchesVerify, ()) {
  const auto count = *rc::gen::inRange<std::size_t>(8, limits::kBatchMessages + 1);
  const Opened whole = open_batch(sealed(count, *rc::gen::inRange<std::size_t>(0, 20))).value();
  const Positions outer = random_subset(count);
  const auto part = verified(selected(whole, outer));
  RC_ASSERT(part.has_value());
  RC_ASSERT(is_part(*part, whole, outer));

  const Positions inner = random_subset(outer.size());
  const auto smaller = verified(selected(*part, inner));
  RC_ASSERT(smaller.has_value());
  RC_ASSERT(is_part(*smaller, *part, inner));
}

TEST(Batch, KeepingEverythingGivesTheSameBytes) {
  const Opened whole = open_batch(sealed(5)).value();
  EXPECT_EQ(selected(whole, {0, 1, 2, 3, 4}), whole.bytes);
  const Opened part = open_batch(selected(whole, {1, 3})).value();
  EXPECT_EQ(selected(part, {0, 1}), part.bytes);
}

TEST(Batch, WhatIsNoSelectionIsRefused) {
  const Opened whole = open_batch(sealed(3)).value();
  for (const Positions& kept : {Positions{}, {3}, {1, 1}, {2, 0}, {0, 1, 2, 3}}) {
    Bytes out;
    const auto done = select(whole.view, whole.leaves, kept, out);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::kInvalidArgument);
    EXPECT_TRUE(out.empty());
  }
}

// --- Forgery -------------------------------------------------------------------------------------

void expect_no_flip_passes(const Bytes& bytes) {
  ASSERT_TRUE(verified(bytes));
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    Bytes forged = bytes;
    forged[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    const auto passed = verified(forged);
    EXPECT_FALSE(passed) << "bit " << bit << " of " << to_hex(bytes);
  }
}

TEST(Batch, NoSingleBitCanBeChanged) {
  expect_no_flip_passes(sealed(1));
  expect_no_flip_passes(sealed(2));
  const Opened whole = open_batch(sealed(7)).value();
  expect_no_flip_passes(whole.bytes);
  expect_no_flip_passes(selected(whole, {3}));
  expect_no_flip_passes(selected(whole, {0, 4, 6}));
}

TEST(Batch, AnotherTopicUnderTheSameNumberFails) {
  Opened batch = open_batch(sealed(1)).value();
  ASSERT_TRUE(
      verify_batch(batch.view, batch.leaves, crypto::VerifyingKey(batch.view.header.origin)));
  const auto other = [](std::uint32_t) { return prefix_of(1); };
  ASSERT_TRUE(batch_leaves(batch.view, other, batch.leaves));
  const auto passed =
      verify_batch(batch.view, batch.leaves, crypto::VerifyingKey(batch.view.header.origin));
  ASSERT_FALSE(passed);
  EXPECT_EQ(passed.error().code, ErrorCode::kBadSignature);
}

// The number means something only to one stream, so a receiver may be given another.
TEST(Batch, TheSameTopicUnderAnotherNumberPasses) {
  Opened batch = open_batch(sealed(1)).value();
  constexpr std::size_t kFirstMessage = 32 + 3 * 8 + 2 + 2 + 64;
  batch.bytes[kFirstMessage] = 9;
  ASSERT_TRUE(parse_batch(batch.bytes, batch.view));
  const auto renamed = [](std::uint32_t number) {
    return number == 9U << 24U ? prefix_of(0) : nullptr;
  };
  ASSERT_TRUE(batch_leaves(batch.view, renamed, batch.leaves));
  EXPECT_TRUE(
      verify_batch(batch.view, batch.leaves, crypto::VerifyingKey(batch.view.header.origin)));
}

TEST(Batch, AnUnnamedTopicIsMalformed) {
  Opened batch = open_batch(sealed(3)).value();
  const auto knows_first = [](std::uint32_t topic) { return topic == 0 ? prefix_of(0) : nullptr; };
  const auto leaves = batch_leaves(batch.view, knows_first, batch.leaves);
  ASSERT_FALSE(leaves);
  EXPECT_EQ(leaves.error().code, ErrorCode::kMalformed);
}

TEST(Batch, MessagesOfOneBatchDoNotFitAnother) {
  const Opened one = open_batch(sealed(2)).value();
  const crypto::SigningKey alice = testing::alice();
  BatchBuilder builder;
  Message message;
  builder.add(message, *prefix_of(0));
  builder.add(message, *prefix_of(0));
  Bytes other;
  builder.seal(header_of(alice, 2), alice, other);
  Opened two = open_batch(other).value();
  EXPECT_FALSE(verify_batch(two.view, one.leaves, crypto::VerifyingKey(two.view.header.origin)));
}

// --- Form ----------------------------------------------------------------------------------------

TEST(Batch, EveryTruncationAndATrailingByteAreRefused) {
  const Opened whole = open_batch(sealed(5)).value();
  for (const Bytes& bytes : {whole.bytes, selected(whole, {2}), selected(whole, {0, 3})}) {
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      EXPECT_EQ(refusal(to_bytes(ByteView(bytes).first(length))), ErrorCode::kMalformed);
    }
    Bytes longer = bytes;
    longer.push_back(0);
    EXPECT_EQ(refusal(longer), ErrorCode::kMalformed);
    longer.resize(bytes.size() + 32);
    EXPECT_EQ(refusal(longer), ErrorCode::kMalformed);
  }
}

void put16(Bytes& bytes, std::size_t at, unsigned value) {
  bytes[at] = static_cast<std::uint8_t>(value >> 8U);
  bytes[at + 1] = static_cast<std::uint8_t>(value);
}

TEST(Batch, OnlyTheCanonicalFormIsTaken) {
  constexpr std::size_t kSequence = 40;
  constexpr std::size_t kCreated = 48;
  constexpr std::size_t kCount = 56;
  constexpr std::size_t kPresent = 58;
  constexpr std::size_t kIndices = 60;
  const Opened whole = open_batch(sealed(4)).value();
  const Bytes part = selected(whole, {1, 2});
  const auto changed = [](Bytes bytes, std::size_t at, unsigned value) {
    put16(bytes, at, value);
    return refusal(std::move(bytes));
  };
  EXPECT_EQ(changed(whole.bytes, kSequence + 6, 0), ErrorCode::kMalformed);
  EXPECT_EQ(changed(whole.bytes, kCreated, 0xffff), ErrorCode::kMalformed);
  EXPECT_EQ(changed(whole.bytes, kCount, 0), ErrorCode::kMalformed);
  EXPECT_EQ(changed(whole.bytes, kCount, 3), ErrorCode::kMalformed);
  EXPECT_EQ(changed(whole.bytes, kCount, 1025), ErrorCode::kTooLarge);
  EXPECT_EQ(changed(whole.bytes, kPresent, 0), ErrorCode::kMalformed);
  EXPECT_EQ(changed(part, kPresent, 0), ErrorCode::kMalformed);
  EXPECT_NE(changed(part, kPresent, 4), ErrorCode::kInternal);   // then no index list
  EXPECT_EQ(changed(part, kIndices, 2), ErrorCode::kMalformed);  // 2, 2
  EXPECT_EQ(changed(part, kIndices, 3), ErrorCode::kMalformed);  // 3, 2
  EXPECT_EQ(changed(part, kIndices + 2, 4), ErrorCode::kMalformed);
  // Two messages of two groups need more hashes than two of one group.
  const Opened groups = open_batch(sealed(17)).value();
  EXPECT_EQ(changed(selected(groups, {0, 1}), kIndices + 2, 8), ErrorCode::kMalformed);
}

TEST(Batch, SizeLimitsLeaveRoomForAFrame) {
  BatchBuilder builder;
  const Bytes payload(limits::kMessageBytes, 1);
  Message message;
  message.payload = payload;
  while (!builder.full(payload.size())) builder.add(message, *prefix_of(0));
  EXPECT_EQ(builder.count(), 3U);
  while (!builder.full(0)) builder.add(Message{}, *prefix_of(0));
  EXPECT_EQ(builder.count(), limits::kBatchMessages);
  Bytes bytes;
  const crypto::SigningKey alice = testing::alice();
  builder.seal(header_of(alice), alice, bytes);
  EXPECT_LE(bytes.size(), limits::kBatchBytes);
  EXPECT_TRUE(open_batch(bytes));
}

TEST(Batch, ABatchAboveItsLimitIsRefused) {
  Bytes bytes = sealed(1);
  bytes.resize(limits::kBatchBytes + 1);
  EXPECT_EQ(refusal(bytes), ErrorCode::kTooLarge);
}

// One message of each group of eight tiny ones: as much as a part can be larger than its whole.
TEST(Batch, APartOfTheLargestWholeIsWithinItsLimit) {
  const Opened whole = open_batch(sealed(limits::kBatchMessages, 0)).value();
  Positions one_of_eight;
  for (std::uint16_t i = 1; i < limits::kBatchMessages; i += 8) one_of_eight.push_back(i);
  const Bytes part = selected(whole, one_of_eight);
  EXPECT_GT(part.size(), whole.bytes.size());
  EXPECT_LE(part.size(), whole.bytes.size() + limits::kPartialBatchBytes - limits::kBatchBytes);
  EXPECT_TRUE(verified(part));
}

}  // namespace
}  // namespace bw::syndication
