#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes syndication.json: test vectors for topics, messages, batches, frames and sessions.

A second implementation of docs/formats.md, by the standard library alone, so that the program is
held against the document and not against itself. Everything is derived from fixed secrets.
"""

import hashlib
import json
import pathlib
import struct

# --- BIP-340 (auxiliary randomness: 32 zero bytes) ---------------------------------------------

P = 2**256 - 2**32 - 977
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
G = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)


def sha256(data):
    return hashlib.sha256(data).digest()


def tagged(tag, *parts):
    prefix = sha256(tag.encode())
    return sha256(prefix + prefix + b"".join(parts))


def add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0] and a[1] != b[1]:
        return None
    if a == b:
        slope = 3 * a[0] * a[0] * pow(2 * a[1], -1, P) % P
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P) % P
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def multiply(point, factor):
    result = None
    while factor:
        if factor & 1:
            result = add(result, point)
        point = add(point, point)
        factor >>= 1
    return result


def public_key(secret):
    return multiply(G, int.from_bytes(secret, "big"))[0].to_bytes(32, "big")


def sign(secret, message):
    d = int.from_bytes(secret, "big")
    point = multiply(G, d)
    if point[1] % 2:
        d = N - d
    key = point[0].to_bytes(32, "big")
    masked = bytes(a ^ b for a, b in zip(d.to_bytes(32, "big"), tagged("BIP0340/aux", bytes(32))))
    k = int.from_bytes(tagged("BIP0340/nonce", masked, key, message), "big") % N
    nonce = multiply(G, k)
    if nonce[1] % 2:
        k = N - k
    r = nonce[0].to_bytes(32, "big")
    e = int.from_bytes(tagged("BIP0340/challenge", r, key, message), "big") % N
    return r + ((k + e * d) % N).to_bytes(32, "big")


# --- Merkle trees (RFC 9162, section 2.1) -------------------------------------------------------


def split_of(count):
    return 1 << ((count - 1).bit_length() - 1)


def root(leaves):
    if len(leaves) == 1:
        return leaves[0]
    split = split_of(len(leaves))
    return sha256(b"\x01" + root(leaves[:split]) + root(leaves[split:]))


# --- The tree over a batch: groups of eight leaves below, RFC 9162 above ------------------------


def batch_root(leaves):
    groups = [leaves[i:i + 8] for i in range(0, len(leaves), 8)]
    return root([g[0] if len(g) == 1 else sha256(b"\x02" + b"".join(g)) for g in groups])


def multi_proof(leaves, present):
    if not present:
        return [batch_root(leaves)]
    if len(leaves) <= 8:
        return [leaf for i, leaf in enumerate(leaves) if i not in present]
    split = split_of(len(leaves))
    return multi_proof(leaves[:split], [i for i in present if i < split]) + multi_proof(
        leaves[split:], [i - split for i in present if i >= split]
    )


# --- Formats ------------------------------------------------------------------------------------


def u8(n):
    return struct.pack(">B", n)


def u16(n):
    return struct.pack(">H", n)


def u32(n):
    return struct.pack(">I", n)


def u64(n):
    return struct.pack(">Q", n)


def text16(text):
    data = text if isinstance(text, bytes) else text.encode()
    return u16(len(data)) + data


TYPES = "publish persist subscribe tap query tap-query list unsubscribe".split()


def topic_bytes(topic):
    return topic["ns"] + topic["proof"] + topic["uri"].encode()


def message_bytes(m):
    flags = (1 if m["expires"] else 0) | (2 if m["consumers"] else 0) | (4 if m["replay"] else 0)
    out = u32(m["topic"]) + u8(TYPES.index(m["type"]) + 1) + u8(flags)
    if m["expires"]:
        out += u64(m["expires"])
    if m["consumers"]:
        out += u16(m["consumers"])
    return out + u32(len(m["payload"])) + m["payload"]


def batch_bytes(header, signature, messages, leaves, present):
    out = header + u16(len(present))
    if len(present) != len(messages):
        out += b"".join(u16(i) for i in present)
    out += signature + b"".join(messages[i] for i in present)
    return out + b"".join(multi_proof(leaves, present))


def frame(number, *body):
    content = u8(number) + b"".join(body)
    return u32(len(content)) + content


def error(code, text):
    return u16(code) + text16(text)


# --- The vectors --------------------------------------------------------------------------------

ALICE = bytes(range(1, 33))
ROUTER = bytes(range(101, 133))
EXPORTER = sha256(b"exporter")


def topics():
    ns = sha256(b"namespace")
    return [
        {"ns": ns, "proof": sha256(b"proof 0"), "uri": "building/floor1/temperature"},
        {"ns": ns, "proof": sha256(b"proof 1"), "uri": "building/+/*"},
        {"ns": sha256(b"other"), "proof": sha256(b"proof 1"), "uri": "!meta"},
    ]


def message(type, topic=0, expires=0, consumers=0, replay=False, payload=b""):
    return dict(
        type=type, topic=topic, expires=expires, consumers=consumers, replay=replay, payload=payload
    )


def messages():
    some = u32(0x40000100) + u32(5) + b"hello" + u32(0x02000000) + u32(1) + b"\xc0"
    return [
        message("publish", payload=some),
        message("publish", expires=1_800_000_000_000_000, consumers=7, payload=b"\x00" * 128),
        message("persist", topic=2, expires=1),
        message("persist", consumers=65535, payload=b"x"),
        message("subscribe", topic=1, replay=True),
        message("tap", topic=1, expires=1_800_000_000_000_001),
        message("query", topic=1),
        message("tap-query", topic=1),
        message("list", topic=1),
        message("unsubscribe", topic=1, payload=u64(9) + u64(3) + u16(4)),
    ]


def leaf(m):
    topic_hash = tagged("bosswave/topic", topic_bytes(topics()[m["topic"]]))
    return sha256(b"\x00" + topic_hash + message_bytes(m)[4:])


def batch_vector(picked, sequence, selections):
    listed = messages()
    encoded = [message_bytes(listed[i]) for i in picked]
    leaves = [leaf(listed[i]) for i in picked]
    stream, created = 0x0123456789ABCDEF, 1_795_000_000_123_456
    header = public_key(ALICE) + u64(stream) + u64(sequence) + u64(created) + u16(len(picked))
    signed = tagged("bosswave/batch", header, batch_root(leaves))
    signature = sign(ALICE, signed)

    def part(present):
        return batch_bytes(header, signature, encoded, leaves, present)

    return {
        "messages": picked,
        "stream": stream,
        "sequence": sequence,
        "created": created,
        "root": batch_root(leaves),
        "signed": signed,
        "signature": signature,
        "bytes": part(list(range(len(picked)))),
        "selections": [{"kept": kept, "bytes": part(kept)} for kept in selections],
    }


def batches():
    return [
        batch_vector([0], 1, [[0]]),
        batch_vector([0, 1], 2, [[0], [1]]),
        batch_vector([0, 1, 2, 3, 4, 5, 6], 3, [[0], [6], [2, 3], [0, 2, 4, 6], [1, 5]]),
        batch_vector([i % 10 for i in range(17)], 4, [[0], [16], [7, 8], [0, 15, 16]]),
        batch_vector([i % 10 for i in range(27)], 5, [[3], [26], list(range(8)), [8, 9, 24]]),
    ]


def session():
    agent, router = public_key(ALICE), public_key(ROUTER)
    client = tagged("bosswave/session", EXPORTER, b"C", u8(1), agent, router, u8(3))
    server = tagged("bosswave/session", EXPORTER, b"S", u8(3), router, agent, u8(1))
    attach = tagged("bosswave/attach", EXPORTER, agent, u64(77))
    return {
        "exporter": EXPORTER,
        "client_transcript": client,
        "client_signature": sign(ALICE, client),
        "server_transcript": server,
        "server_signature": sign(ROUTER, server),
        "attach_stream": 77,
        "attach_transcript": attach,
        "attach_signature": sign(ALICE, attach),
    }


def frames():
    agent, router = public_key(ALICE), public_key(ROUTER)
    proven = session()
    topic = topics()[1]
    topic_body = topic["ns"] + topic["proof"] + text16(topic["uri"])
    batch = batches()[1]["bytes"]
    request = u64(9) + u64(3) + u16(4)
    hashes = [sha256(b"a"), sha256(b"b")]
    return {
        "client hello": frame(1, u16(1), u8(1), agent, router, text16(b"head"), proven["client_signature"]),
        "server hello": frame(2, u16(1), u8(3), router, agent, text16(b""), proven["server_signature"]),
        "anonymous hello": frame(1, u16(1), u8(2), bytes(32), router, text16(b""), bytes(64)),
        "error": frame(3, error(40, "entity: too fast; wait")),
        "ping": frame(4, u64(0x0102030405060708)),
        "pong": frame(5, u64(2**64 - 1)),
        "attach": frame(16, agent, u64(77), proven["attach_signature"]),
        "detach": frame(17, agent, u64(77), error(31, "entity: revoked")),
        "proof": frame(18, b"\x01\x00"),
        "topic": frame(19, agent, u64(77), u32(5), topic_body),
        "batch": frame(20, batch),
        "stored": frame(21, request, topic_body, batch),
        "ack": frame(22, u64(77), u64(12)),
        "result": frame(23, request, u8(0)),
        "refusal": frame(23, request, u8(1), error(30, "link 1: not granted")),
        "children": frame(24, request, u32(2), text16("floor1"), text16("floor2")),
        "direct": frame(25, request, batch),
        "lost": frame(26, u64(1000)),
        "submit": frame(48, u32(6), u16(2), text16(b"object 1"), text16(b"object 2")),
        "submitted": frame(49, u32(6), u16(2), u8(0), u64(41), u8(1), error(21, "dot: there already")),
        "follow": frame(50, u64(41)),
        "entries": frame(51, u64(41), u16(1), text16(b"object 1")),
        "head": frame(52, text16(b"head"), u8(2), *hashes),
    }


def hexed(value):
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {key: hexed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [hexed(item) for item in value]
    return value


def main():
    vectors = {
        "alice": {"secret": ALICE, "public": public_key(ALICE)},
        "router": {"secret": ROUTER, "public": public_key(ROUTER)},
        "topics": [t | {"hash": tagged("bosswave/topic", topic_bytes(t))} for t in topics()],
        "messages": [m | {"bytes": message_bytes(m), "leaf": leaf(m)} for m in messages()],
        "batches": batches(),
        "session": session(),
        "frames": frames(),
    }
    path = pathlib.Path(__file__).with_name("syndication.json")
    path.write_text(json.dumps(hexed(vectors), indent=1) + "\n")


if __name__ == "__main__":
    main()
