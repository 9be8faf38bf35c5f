// SPDX-License-Identifier: Apache-2.0
#include "wave/object_io.hpp"

#include <algorithm>
#include <charconv>

namespace bw::wave {
namespace {

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  return error == std::errc{} && stop == end && text.front() != '0';
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

}  // namespace

bool is_router_address(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdefABCDEF";
  constexpr std::string_view kName =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-.";
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || !is_port(text.substr(colon + 1))) return false;
  std::string_view host = text.substr(0, colon);
  if (!host.starts_with('[')) {
    return !host.empty() && host.find_first_not_of(kName) == std::string_view::npos;
  }
  if (!host.ends_with(']')) return false;
  host = host.substr(1, host.size() - 2);
  return host.contains(':') && std::ranges::all_of(host, [&](char c) {
           return c == ':' || c == '.' || kHex.contains(c);
         });
}

bool BodyWriter::fits(std::string_view field, bool fit) {
  if (!fit && unfit_.empty()) unfit_ = field;
  return fit;
}

void BodyWriter::u40(std::string_view field, std::uint64_t value) {
  if (fits(field, value >> 40U == 0)) out_.u40(value);
}

// A time before 1970 is above every limit here, because to_seconds() is unsigned.
void BodyWriter::seconds(std::string_view field, Time value) {
  if (fits(field, to_seconds(value) <= kNeverSeconds)) out_.seconds(value);
}

void BodyWriter::target(std::string_view, Revocation::Target value) {
  out_.u8(static_cast<std::uint8_t>(value));
}

void BodyWriter::keys(std::string_view field, const std::vector<EntityKey>& value) {
  if (!fits(field, value.size() <= 0xff)) return;
  out_.u8(static_cast<std::uint8_t>(value.size()));
  for (const EntityKey& key : value) out_.id(key);
}

void BodyWriter::text(std::string_view field, const std::string& value, std::size_t) {
  if (fits(field, value.size() <= 0xff)) out_.text8(value);
}

void BodyWriter::name(std::string_view field, const std::string& value, TextRule,
                      std::string_view) {
  if (fits(field, value.size() <= 0xff)) out_.text8(value);
}

void BodyWriter::blob(std::string_view field, const Bytes& value, std::size_t) {
  if (fits(field, value.size() <= 0xffff)) out_.text16(as_text(value));
}

Result<void> BodyWriter::finish() const {
  if (unfit_.empty()) return {};
  return fail(ErrorCode::kInvalidArgument, "{} {}: out of range", kind_, unfit_);
}

void BodyReader::fail_with(ErrorCode code, std::string_view field, std::string_view what) {
  if (!error_) error_ = Error{code, fmt::format("{} {}: {}", kind_, field, what)};
}

// False once anything failed.
bool BodyReader::complete(std::string_view field) {
  if (!in_.ok()) fail_with(ErrorCode::kMalformed, field, "the bytes end too early");
  return !error_;
}

void BodyReader::limit(std::string_view field, std::size_t size, std::size_t most,
                       std::string_view unit) {
  if (size <= most) return;
  fail_with(ErrorCode::kTooLarge, field, fmt::format("{} {}, at most {}", size, unit, most));
}

void BodyReader::rule(bool holds, std::string_view field, std::string_view broken) {
  if (!holds) fail_with(ErrorCode::kMalformed, field, broken);
}

void BodyReader::key(std::string_view field, EntityKey& value) {
  value = in_.id<EntityKey>();
  complete(field);
}

void BodyReader::bytes32(std::string_view field, ByteArray<32>& value) {
  value = in_.array<32>();
  complete(field);
}

void BodyReader::u8(std::string_view field, std::uint8_t& value) {
  value = in_.u8();
  complete(field);
}

void BodyReader::u32(std::string_view field, std::uint32_t& value) {
  value = in_.u32();
  complete(field);
}

void BodyReader::u40(std::string_view field, std::uint64_t& value) {
  value = in_.u40();
  complete(field);
}

void BodyReader::nonce(std::string_view field, std::uint64_t& value) {
  value = in_.u64();
  if (complete(field)) rule(value >= 1, field, "nonces start at 1");
}

void BodyReader::flag(std::string_view field, bool& value) {
  const std::uint8_t byte = in_.u8();
  if (complete(field)) rule(byte <= 1, field, "neither 0 nor 1");
  value = byte == 1;
}

void BodyReader::seconds(std::string_view field, Time& value) {
  value = in_.seconds();
  complete(field);
}

void BodyReader::permissions(std::string_view field, Permissions& value) {
  const std::uint16_t bits = in_.u16();
  if (!complete(field)) return;
  auto permissions = Permissions::from_wire(bits);
  if (!permissions) return fail_with(permissions.error().code, field, permissions.error().message);
  value = *permissions;
}

void BodyReader::target(std::string_view field, Revocation::Target& value) {
  using Target = Revocation::Target;
  value = static_cast<Target>(in_.u8());
  if (!complete(field)) return;
  rule(value == Target::kEntity || value == Target::kDot, field, "neither 1 (entity) nor 2 (DoT)");
}

void BodyReader::keys(std::string_view field, std::vector<EntityKey>& value) {
  const std::uint8_t count = in_.u8();
  limit(field, count, limits::kRevokers, "keys");
  value.clear();
  for (std::uint8_t i = 0; i < count && complete(field); ++i) value.push_back(in_.id<EntityKey>());
  if (!complete(field)) return;
  const auto unsorted = std::ranges::adjacent_find(value, std::ranges::greater_equal{});
  rule(unsorted == value.end(), field, "not strictly ascending");
}

void BodyReader::text(std::string_view field, std::string& value, std::size_t most) {
  value = in_.text8();
  if (!complete(field)) return;
  limit(field, value.size(), most, "bytes");
  rule(is_utf8(as_bytes(value)), field, "not UTF-8");
  rule(std::ranges::none_of(value, is_control), field, "has a control character");
}

void BodyReader::name(std::string_view field, std::string& value, TextRule rule_of_text,
                      std::string_view form) {
  value = in_.text8();
  if (!complete(field) || rule_of_text(value)) return;
  fail_with(ErrorCode::kMalformed, field,
            fmt::format("'{}' is not {}", printable(value, 80), form));
}

void BodyReader::pattern(std::string_view field, Pattern& value) {
  const std::string_view text = in_.text16();
  if (!complete(field)) return;
  auto pattern = Pattern::parse(text);
  if (!pattern) return fail_with(pattern.error().code, field, pattern.error().message);
  value = *std::move(pattern);
}

void BodyReader::blob(std::string_view field, Bytes& value, std::size_t most) {
  const std::string_view bytes = in_.text16();
  if (!complete(field)) return;
  limit(field, bytes.size(), most, "bytes");
  value = to_bytes(bytes);
}

Result<void> BodyReader::finish() const {
  if (error_) return fail(*error_);
  return in_.finish(kind_);
}

}  // namespace bw::wave
