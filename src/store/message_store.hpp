// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>

#include "syndication/message_store.hpp"

namespace bw::store {

// syndication::MessageStore in a RocksDB of its own. kConflict while another process has it open.
Result<std::unique_ptr<syndication::MessageStore>> open_message_store(
    const std::filesystem::path& directory);

}  // namespace bw::store
