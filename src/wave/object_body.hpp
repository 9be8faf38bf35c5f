// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wave/object.hpp"

// Bodies of objects, which is what is signed (docs/formats.md, "Objects"). Private to this room.
namespace bw::wave {

// Kind, version and fields. Fails (kInvalidArgument) only when a value does not fit the width of
// its field; decode_body knows the rules.
template <class T>
Result<Bytes> encode_body(const T& value);

// Strict: every rule of the kind, and nothing left over.
template <class T>
Result<T> decode_body(ByteView body);

}  // namespace bw::wave
