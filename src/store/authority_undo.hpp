// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "store/authority_rows.hpp"

namespace bw::store {

// What brings the index back to before one entry: the rows as they stood before the entry changed
// them. Kept beside the rows for the latest entries of a ledger that can withdraw them.
struct UndoRecord {
  MetaRow meta;  // its root is not that before the entry
  // By key; nothing where there was no row.
  std::map<std::string, std::optional<std::string>> rows;
};

// Key of the record for the entry at `index`.
std::string undo_key(std::uint64_t index);

std::string encode(const UndoRecord& record);
// kCorrupt when the bytes are no record.
Result<UndoRecord> decode_undo(std::string_view value);

}  // namespace bw::store
