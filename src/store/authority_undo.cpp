// SPDX-License-Identifier: Apache-2.0
#include "store/authority_undo.hpp"

#include "codec/reader.hpp"
#include "codec/writer.hpp"

namespace bw::store {

std::string undo_key(std::uint64_t index) {
  Bytes key{static_cast<std::uint8_t>(table::kUndo)};
  codec::Writer(key).u64(index);
  return std::string(as_text(key));
}

std::string encode(const UndoRecord& record) {
  Bytes out;
  codec::Writer writer(out);
  writer.text16(encode(record.meta));
  for (const auto& [key, value] : record.rows) {
    writer.text16(key).u8(value ? 1 : 0);
    if (value) writer.text16(*value);
  }
  return std::string(as_text(out));
}

Result<UndoRecord> decode_undo(std::string_view value) {
  codec::Reader reader(as_bytes(value));
  UndoRecord record;
  BW_TRY(record.meta, decode_row<MetaRow>(reader.text16()));
  while (reader.ok() && reader.remaining() > 0) {
    std::string key(reader.text16());
    auto& row = record.rows[std::move(key)];
    if (reader.u8() == 1) row = std::string(reader.text16());
  }
  if (reader.finish("undo record")) return record;
  return fail(ErrorCode::kCorrupt,
              "ledger index: an undo record is damaged; remove the index directory and restart");
}

}  // namespace bw::store
