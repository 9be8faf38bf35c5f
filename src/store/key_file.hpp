// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace bw::store {

// Files with secret keys (their bytes: crypto/sealed_key.hpp). Mode 0600, written atomically; never
// replaced unless `overwrite`, because a lost key cannot be had again (kConflict).
Result<void> write_key_file(const std::filesystem::path& path, ByteView bytes,
                            bool overwrite = false);

// kDenied when group or others may read or write the file; kTooLarge above limits::kKeyFileBytes.
Result<Bytes> read_key_file(const std::filesystem::path& path);

}  // namespace bw::store
