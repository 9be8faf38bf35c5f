// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "codec/reader.hpp"
#include "codec/writer.hpp"
#include "wave/object.hpp"

// The two directions in which the field list of an object's body is walked (object_body.cpp): both
// have one member per type of field, so that a layout is written down once. Private to this room.
namespace bw::wave {

// Whether a text is "host:port" in form: host of A-Z a-z 0-9 - . or a v6 address in brackets, port
// 1 to 65535 without leading zeros. Whether the host exists is for those who connect to find out.
bool is_router_address(std::string_view text);

// Appends fields to a body. Judges only whether a value fits the width of its field: sign() reads
// back what was written, and the reader knows the rules.
class BodyWriter {
 public:
  template <class T>
  using Value = const T;
  using TextRule = bool (*)(std::string_view);

  // `out` must outlive the writer; `kind` is the name that errors start with.
  BodyWriter(Bytes& out, std::string_view kind) : out_(out), kind_(kind) {}

  void key(std::string_view, const EntityKey& value) { out_.id(value); }
  void bytes32(std::string_view, const ByteArray<32>& value) { out_.bytes(value); }
  void u8(std::string_view, std::uint8_t value) { out_.u8(value); }
  void u32(std::string_view, std::uint32_t value) { out_.u32(value); }
  void u40(std::string_view field, std::uint64_t value);
  void nonce(std::string_view, std::uint64_t value) { out_.u64(value); }
  void flag(std::string_view, bool value) { out_.u8(value ? 1 : 0); }
  // Cut to whole seconds.
  void seconds(std::string_view field, Time value);
  void permissions(std::string_view, Permissions value) { out_.u16(value.bits()); }
  void target(std::string_view, Revocation::Target value);
  void keys(std::string_view field, const std::vector<EntityKey>& value);
  void text(std::string_view field, const std::string& value, std::size_t most);
  void name(std::string_view field, const std::string& value, TextRule rule, std::string_view form);
  void pattern(std::string_view, const Pattern& value) { out_.text16(value.text()); }
  void blob(std::string_view field, const Bytes& value, std::size_t most);
  void rule(bool, std::string_view, std::string_view) {}

  // kInvalidArgument when a value did not fit; the bytes are then of no use.
  [[nodiscard]] Result<void> finish() const;

 private:
  [[nodiscard]] bool fits(std::string_view field, bool fit);

  codec::Writer out_;
  std::string_view kind_;
  std::string_view unfit_;  // the first field whose value was too large
};

// Reads fields from a body and holds each to its rule. The first failure sticks and names its
// field; what is read after it means nothing.
class BodyReader {
 public:
  template <class T>
  using Value = T;
  using TextRule = bool (*)(std::string_view);

  BodyReader(ByteView body, std::string_view kind) : in_(body), kind_(kind) {}

  void key(std::string_view field, EntityKey& value);
  void bytes32(std::string_view field, ByteArray<32>& value);
  void u8(std::string_view field, std::uint8_t& value);
  void u32(std::string_view field, std::uint32_t& value);
  void u40(std::string_view field, std::uint64_t& value);
  void nonce(std::string_view field, std::uint64_t& value);
  void flag(std::string_view field, bool& value);
  void seconds(std::string_view field, Time& value);
  void permissions(std::string_view field, Permissions& value);
  void target(std::string_view field, Revocation::Target& value);
  // Strictly ascending, so that a set has one encoding.
  void keys(std::string_view field, std::vector<EntityKey>& value);
  // UTF-8 without control characters (C0, DEL).
  void text(std::string_view field, std::string& value, std::size_t most);
  void name(std::string_view field, std::string& value, TextRule rule, std::string_view form);
  void pattern(std::string_view field, Pattern& value);
  void blob(std::string_view field, Bytes& value, std::size_t most);
  void rule(bool holds, std::string_view field, std::string_view broken);

  void fail_with(ErrorCode code, std::string_view field, std::string_view what);
  // The first failure, or else kMalformed when bytes are left over.
  [[nodiscard]] Result<void> finish() const;

 private:
  bool complete(std::string_view field);
  void limit(std::string_view field, std::size_t size, std::size_t most, std::string_view unit);

  codec::Reader in_;
  std::string_view kind_;
  std::optional<Error> error_;
};

}  // namespace bw::wave
