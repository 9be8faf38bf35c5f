// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "wave/object.hpp"

namespace bw::wave {

// A path of DoTs from a namespace to an entity, namespace first. Self-standing: it carries the signed
// DoTs whole. The empty path is the namespace's own authority. Bytes: docs/formats.md, "Proofs".
struct Proof {
  std::vector<Signed<Dot>> dots;
};

// The name of a proof: tagged hash of the concatenated DoT ids, so it is known before the DoTs are
// read. The empty proof has a name too.
Hash proof_hash(const Proof& proof);

Bytes encode(const Proof& proof);
// Strict; at most kProofDots DoTs and kProofBytes. Does not check signatures.
Result<Proof> parse_proof(ByteView bytes);

}  // namespace bw::wave
