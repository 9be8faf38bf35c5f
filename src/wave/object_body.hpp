// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "codec/reader.hpp"
#include "codec/writer.hpp"
#include "crypto/sha256.hpp"
#include "wave/object.hpp"

// How each kind's body is written, read and judged (docs/formats.md, "Objects"). Private to this room.
namespace bw::wave {

// The tag of a kind's id, with its hash state ready.
const crypto::TaggedHash& tag_of(Kind kind);

// Fields after kind and version.
void write_body(const Entity& entity, codec::Writer& out);
void write_body(const Dot& dot, codec::Writer& out);
void write_body(const Revocation& revocation, codec::Writer& out);
void write_body(const Alias& alias, codec::Writer& out);
void write_body(const RouterOffer& offer, codec::Writer& out);
void write_body(const RouterAcceptance& acceptance, codec::Writer& out);
void write_body(const RouterAddress& address, codec::Writer& out);

// Reads the fields and holds each to its rule. What is missing or left over is the caller's to check.
Result<void> read_body(codec::Reader& in, Entity& entity);
Result<void> read_body(codec::Reader& in, Dot& dot);
Result<void> read_body(codec::Reader& in, Revocation& revocation);
Result<void> read_body(codec::Reader& in, Alias& alias);
Result<void> read_body(codec::Reader& in, RouterOffer& offer);
Result<void> read_body(codec::Reader& in, RouterAcceptance& acceptance);
Result<void> read_body(codec::Reader& in, RouterAddress& address);

}  // namespace bw::wave
