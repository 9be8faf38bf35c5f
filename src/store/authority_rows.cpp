// SPDX-License-Identifier: Apache-2.0
#include "store/authority_rows.hpp"

#include "codec/reader.hpp"
#include "codec/writer.hpp"

namespace bw::store {
namespace {

constexpr std::size_t kShortBytes = 8;
constexpr std::size_t kOffsetBytes = 5;

class Key {
 public:
  explicit Key(char table) : key_(1, table) {}
  explicit Key(std::string prefix) : key_(std::move(prefix)) {}
  Key& text(std::string_view text) {
    key_ += text;
    return *this;
  }
  Key& bytes(ByteView bytes) { return text(as_text(bytes)); }
  template <class Tag>
  Key& whole(const Id<Tag>& id) {
    return bytes(id.view());
  }
  template <class Tag>
  Key& brief(const Id<Tag>& id) {
    return bytes(id.view().first(kShortBytes));
  }
  Key& offset(std::uint64_t offset) {
    for (unsigned shift = 8 * kOffsetBytes; shift > 0; shift -= 8) {
      key_ += static_cast<char>(offset >> (shift - 8));
    }
    return *this;
  }
  std::string done() { return std::move(key_); }

 private:
  std::string key_;
};

template <class Fill>
std::string value_of(Fill fill) {
  Bytes out;
  codec::Writer writer(out);
  fill(writer);
  return std::string(as_text(out));
}

bool read_flag(codec::Reader& reader) {
  const std::uint8_t flag = reader.u8();
  if (flag > 1) reader.reject();
  return flag == 1;
}

void read(codec::Reader& reader, EntityRow& row) {
  row.offset = reader.u40();
  row.created = reader.seconds();
  row.expires = reader.seconds();
  row.revoked = read_flag(reader);
}
void read(codec::Reader& reader, DotRow& row) {
  row.offset = reader.u40();
  row.revoked = read_flag(reader);
}
void read(codec::Reader& reader, OfferRow& row) {
  row.retracted = read_flag(reader);
}
void read(codec::Reader& reader, AcceptanceRow& row) {
  row.router = reader.id<EntityKey>();
  row.nonce = reader.u64();
  row.retracted = read_flag(reader);
  row.max_staleness_s = reader.u32();
}
void read(codec::Reader& reader, TextRow& row) {
  row.text = reader.text8();
}
void read(codec::Reader& reader, NumberRow& row) {
  row.number = reader.u64();
}
void read(codec::Reader& reader, MetaRow& row) {
  row.version = reader.u32();
  row.applied = reader.u64();
  row.root = reader.id<Hash>();
  row.entities = reader.u64();
  row.dots = reader.u64();
  row.revocations = reader.u64();
  row.aliases = reader.u64();
}

}  // namespace

std::string meta_key() {
  return Key(table::kMeta).done();
}
std::string entity_key(const EntityKey& key) {
  return Key(table::kEntity).whole(key).done();
}
std::string dot_key(const ObjectId& id) {
  return Key(table::kDot).whole(id).done();
}
std::string object_prefix(const ObjectId& id) {
  return Key(table::kObject).brief(id).done();
}
std::string object_key(const ObjectId& id, std::uint64_t offset) {
  return Key(table::kObject).brief(id).offset(offset).done();
}

std::string forward_prefix(const EntityKey& granter) {
  return Key(table::kForward).brief(granter).done();
}
std::string forward_prefix(const EntityKey& granter, const EntityKey& ns) {
  return Key(table::kForward).brief(granter).brief(ns).done();
}
// No cell contains a zero byte, so it ends the group of exactly this literal prefix.
std::string forward_prefix(const EntityKey& granter, const EntityKey& ns,
                           std::string_view literal) {
  constexpr std::string_view kEnd("\0", 1);
  return Key(table::kForward).brief(granter).brief(ns).text(literal).text(kEnd).done();
}
std::string forward_key(const wave::Dot& dot, std::uint64_t offset) {
  return Key(forward_prefix(dot.granter, dot.ns, dot.pattern.literal_prefix()))
      .offset(offset)
      .done();
}

std::string backward_prefix(const EntityKey& grantee) {
  return Key(table::kBackward).brief(grantee).done();
}
std::string backward_prefix(const EntityKey& grantee, const EntityKey& ns) {
  return Key(table::kBackward).brief(grantee).brief(ns).done();
}
std::string backward_prefix(const EntityKey& grantee, const EntityKey& ns,
                            const EntityKey& granter) {
  return Key(table::kBackward).brief(grantee).brief(ns).brief(granter).done();
}
std::string backward_key(const wave::Dot& dot, std::uint64_t offset) {
  return Key(backward_prefix(dot.grantee, dot.ns, dot.granter)).offset(offset).done();
}

std::string alias_key(std::string_view name) {
  return Key(table::kAlias).text(name).done();
}
std::string alias_value_key(const ByteArray<32>& value) {
  return Key(table::kAliasValue).bytes(value).done();
}
std::string offer_prefix(const EntityKey& ns) {
  return Key(table::kOffer).whole(ns).done();
}
std::string offer_key(const EntityKey& ns, const EntityKey& router) {
  return Key(table::kOffer).whole(ns).whole(router).done();
}
std::string acceptance_key(const EntityKey& ns) {
  return Key(table::kAcceptance).whole(ns).done();
}
std::string accepted_prefix(const EntityKey& router) {
  return Key(table::kAccepted).whole(router).done();
}
std::string accepted_key(const EntityKey& router, const EntityKey& ns) {
  return Key(table::kAccepted).whole(router).whole(ns).done();
}
std::string address_key(const EntityKey& router) {
  return Key(table::kAddress).whole(router).done();
}
std::string nonce_key(const EntityKey& router) {
  return Key(table::kNonce).whole(router).done();
}

std::uint64_t offset_at_end(std::string_view key) {
  return codec::Reader(as_bytes(key.substr(key.size() - kOffsetBytes))).u40();
}
EntityKey id_at_end(std::string_view key) {
  return EntityKey::from(as_bytes(key.substr(key.size() - EntityKey::kSize)));
}

std::string encode(const EntityRow& row) {
  return value_of([&](codec::Writer& out) {
    out.u40(row.offset).seconds(row.created).seconds(row.expires).u8(row.revoked ? 1 : 0);
  });
}
std::string encode(const DotRow& row) {
  return value_of([&](codec::Writer& out) { out.u40(row.offset).u8(row.revoked ? 1 : 0); });
}
std::string encode(const OfferRow& row) {
  return value_of([&](codec::Writer& out) { out.u8(row.retracted ? 1 : 0); });
}
std::string encode(const AcceptanceRow& row) {
  return value_of([&](codec::Writer& out) {
    out.id(row.router).u64(row.nonce).u8(row.retracted ? 1 : 0).u32(row.max_staleness_s);
  });
}
std::string encode(const TextRow& row) {
  return value_of([&](codec::Writer& out) { out.text8(row.text); });
}
std::string encode(const NumberRow& row) {
  return value_of([&](codec::Writer& out) { out.u64(row.number); });
}
std::string encode(const MetaRow& row) {
  return value_of([&](codec::Writer& out) {
    out.u32(row.version).u64(row.applied).id(row.root);
    out.u64(row.entities).u64(row.dots).u64(row.revocations).u64(row.aliases);
  });
}

template <class Row>
Result<Row> decode_row(std::string_view value) {
  codec::Reader reader(as_bytes(value));
  Row row;
  read(reader, row);
  if (auto whole = reader.finish("row"); !whole) {
    return fail(ErrorCode::kCorrupt,
                "ledger index: a row is damaged; remove the index directory and restart");
  }
  return row;
}

template Result<EntityRow> decode_row(std::string_view);
template Result<DotRow> decode_row(std::string_view);
template Result<OfferRow> decode_row(std::string_view);
template Result<AcceptanceRow> decode_row(std::string_view);
template Result<TextRow> decode_row(std::string_view);
template Result<NumberRow> decode_row(std::string_view);
template Result<MetaRow> decode_row(std::string_view);

}  // namespace bw::store
