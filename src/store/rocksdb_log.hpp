// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdarg>

#include <rocksdb/env.h>

namespace bw::store {

// RocksDB's own log file must not be: when the disk is full, the next line to it fails an assertion
// that ends the process (7.8, EnvLogger). What matters comes back as a status.
class NoRocksDbLog final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

}  // namespace bw::store
