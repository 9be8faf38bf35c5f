// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "syndication/message_store.hpp"

// Rows of the message store (docs/formats.md, "Stored messages").
//   'm' | namespace 32 | { cell | 0x00 }*   -> message record
//   'u' | DoT id 32                         -> bytes stored on its account, u64
namespace bw::store {

std::string message_key(const EntityKey& ns, const wave::Pattern& uri);
// The common start of the keys of everything that may match: the namespace and the literal cells.
std::string message_prefix(const EntityKey& ns, std::string_view literal_prefix);
// The cells of a message key, joined by "/".
std::string uri_of_key(std::string_view key);
std::string usage_key(const ObjectId& dot);

// All of a StoredMessage but its namespace and URI, which are the key.
std::string encode_record(const syndication::StoredMessage& message);
// kCorrupt names the key.
Result<syndication::StoredMessage> parse_record(std::string_view key, std::string_view record);

// Which of two messages for one URI stands: the one created later; of equal times the greater id.
bool is_newer(const syndication::StoredMessage& a, const syndication::StoredMessage& b);

}  // namespace bw::store
