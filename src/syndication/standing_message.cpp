// SPDX-License-Identifier: Apache-2.0
#include "syndication/standing_message.hpp"

#include <algorithm>

#include "codec/reader.hpp"
#include "codec/writer.hpp"
#include "wave/authorize.hpp"

namespace bw::syndication {
namespace {

constexpr std::string_view kMagic = "BWMSG";
constexpr std::uint8_t kVersion = 1;

// A ledger on which everything stands: leaves authorize() to judge the path itself.
class EverythingStands final : public wave::AuthorityView {
 public:
  explicit EverythingStands(Time now) : now_(now) {}
  Result<std::optional<wave::EntityStatus>> entity(const EntityKey&) const override {
    return wave::EntityStatus{Time{}, kNever, false};
  }
  Result<std::optional<wave::DotStatus>> dot(const ObjectId&) const override {
    return wave::DotStatus{};
  }
  Time heard_at() const override { return now_; }
  Duration max_staleness(const EntityKey&) const override { return limits::kDefaultStaleness; }

 private:
  Time now_;
};

}  // namespace

Bytes encode(const StandingMessage& message) {
  Bytes bytes;
  codec::Writer out(bytes);
  out.bytes(as_bytes(kMagic)).u8(kVersion).id(message.topic.ns).text16(message.topic.uri.text());
  out.blob32(wave::encode(message.proof)).blob32(message.batch);
  return bytes;
}

bool is_standing_message(ByteView bytes) {
  return bytes.size() >= kMagic.size() && as_text(bytes.first(kMagic.size())) == kMagic;
}

Result<StandingMessage> parse_standing_message(ByteView bytes) {
  if (!is_standing_message(bytes)) return fail(ErrorCode::kMalformed, "not a message file");
  codec::Reader in(bytes.subspan(kMagic.size()));
  const std::uint8_t version = in.u8();
  if (in.ok() && version != kVersion) {
    return fail(ErrorCode::kUnsupported, "message file: version {} is not supported", version);
  }
  StandingMessage message;
  message.topic.ns = in.id<EntityKey>();
  const std::string_view uri = in.text16();
  const ByteView proof = in.blob32();
  message.batch = to_bytes(in.blob32());
  BW_CHECK(in.finish("message file"));
  BW_TRY(message.topic.uri, wave::Pattern::parse(uri));
  BW_TRY(message.proof, wave::parse_proof(proof));
  message.topic.proof = wave::proof_hash(message.proof);
  return message;
}

Result<void> forget_topic_number(Bytes& batch) {
  BatchView view;
  BW_CHECK(parse_batch(batch, view));
  const auto at = view.messages.front().raw.data() - batch.data();
  std::fill_n(batch.begin() + at, kTopicNumberBytes, std::uint8_t{0});
  return {};
}

Result<StandingVerdict> verify_offline(const StandingMessage& message) {
  BatchView batch;
  BW_CHECK(parse_batch(message.batch, batch));
  if (batch.messages.size() != 1) {
    return fail(ErrorCode::kMalformed, "message file: {} messages, expected one",
                batch.messages.size());
  }
  const Message& content = batch.messages[0].message;
  if (content.topic != 0) {
    return fail(ErrorCode::kMalformed, "message file: its topic has number {} in place of 0",
                content.topic);
  }
  const crypto::Sha256 prefix = leaf_prefix(topic_hash(message.topic));
  std::vector<Hash> leaves;
  BW_CHECK(batch_leaves(batch, [&](std::uint32_t) { return &prefix; }, leaves));
  BW_CHECK(verify_batch(batch, leaves, crypto::VerifyingKey(batch.header.origin)));
  for (const auto& dot : message.proof.dots) BW_CHECK(wave::verify_signature(dot));
  BW_TRY(const wave::Permissions needed, needed_permissions(content.type, message.topic.uri));
  const wave::Request request{batch.header.origin, message.topic.ns, message.topic.uri, needed};
  const Time then = batch.header.created;
  const auto granted = wave::authorize(request, message.proof, EverythingStands(then), then);
  if (!granted) return fail(granted.error().to_error());
  return StandingVerdict{batch.header, content};
}

}  // namespace bw::syndication
