// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <openssl/ssl.h>

#include "base/result.hpp"

namespace bw::net {

enum class TlsSide { kClient, kServer };

// The settings of every connection of this process: TLS 1.3 only, no resumption, no client
// certificates. The server's key and certificate are made in memory at the first call and thrown
// away with the process. Thread-safe; lives as long as the process. kInternal when OpenSSL cannot
// do it.
Result<SSL_CTX*> tls_context(TlsSide side);

// The last thing OpenSSL complained about on this thread, which is then forgotten.
std::string take_tls_error();

}  // namespace bw::net
