// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "crypto/sha256.hpp"

// Many short SHA-256 hashes at once. The CPU's SHA instructions (Intel SHA extensions) have twice
// the latency of their throughput, so two independent hashes side by side take little more time
// than one; sixteen with AVX-512 take two thirds of the time of eight such pairs. Elsewhere one
// after the other, by OpenSSL.
namespace bw::crypto {

// A hash to compute: what `prefix` has taken in, followed by `tail`.
struct HashJob {
  const Sha256* prefix;
  ByteView tail;
};

// out[i] is the hash of jobs[i]. Precondition: out.size() == jobs.size(). `out` may not overlap the
// tails.
void sha256_many(std::span<const HashJob> jobs, std::span<Hash> out);

// parents[i] = SHA256(0x01 || children[2i] || children[2i + 1]), a level of a Merkle tree (RFC 9162
// section 2.1.1). Precondition: children.size() == 2 * parents.size(). May work in place: parents
// may begin where the children do.
void merkle_level(std::span<const Hash> children, std::span<Hash> parents);

}  // namespace bw::crypto
