#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes sealed.json: test vectors for sealed payloads and for the setting that asks for them.

A second implementation of docs/formats.md, by the standard library alone (ChaCha20 and Poly1305 as
in RFC 8439, HChaCha20 and XChaCha20 as in draft-irtf-cfrg-xchacha-03), so that the program is held
against the document and not against itself. Everything is derived from fixed secrets.
"""

import hmac
import json
import pathlib
import struct

from make_syndication import P, hexed, multiply, public_key, tagged, text16, u8, u16, u32, u64

SEALED, SETTING = 96, 97  # payload object numbers 0.0.0.96 and 0.0.0.97
HAS_KEYS, RENEWED = 1, 2

# --- ChaCha20-Poly1305 --------------------------------------------------------------------------

CONSTANTS = (0x61707865, 0x3320646E, 0x79622D32, 0x6B206574)


def rotate(x, n):
    return (x << n | x >> (32 - n)) & 0xFFFFFFFF


def quarter(s, a, b, c, d):
    for sum_, addend, mixed, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        s[sum_] = (s[sum_] + s[addend]) & 0xFFFFFFFF
        s[mixed] = rotate(s[mixed] ^ s[sum_], turn)


def rounds(state):
    s = list(state)
    for _ in range(10):
        for a, b, c, d in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
                           (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
            quarter(s, a, b, c, d)
    return s


def words(data):
    return struct.unpack(f"<{len(data) // 4}I", data)


def chacha_block(key, counter, nonce):
    state = (*CONSTANTS, *words(key), counter, *words(nonce))
    mixed = rounds(state)
    return struct.pack("<16I", *((a + b) & 0xFFFFFFFF for a, b in zip(mixed, state)))


def chacha(key, counter, nonce, data):
    out = bytearray()
    for i in range(0, len(data), 64):
        block = chacha_block(key, counter + i // 64, nonce)
        out += bytes(a ^ b for a, b in zip(data[i:i + 64], block))
    return bytes(out)


def hchacha(key, nonce16):
    s = rounds((*CONSTANTS, *words(key), *words(nonce16)))
    return struct.pack("<8I", *s[:4], *s[12:])


def poly1305(key, data):
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    total = 0
    for i in range(0, len(data), 16):
        total = (total + int.from_bytes(data[i:i + 16] + b"\x01", "little")) * r % (2**130 - 5)
    return ((total + int.from_bytes(key[16:], "little")) % 2**128).to_bytes(16, "little")


def padded(data):
    return data + bytes(-len(data) % 16)


def seal(key, nonce, associated, plaintext):
    subkey, short = hchacha(key, nonce[:16]), bytes(4) + nonce[16:]
    ciphertext = chacha(subkey, 1, short, plaintext)
    mac_data = padded(associated) + padded(ciphertext) + struct.pack("<QQ", len(associated), len(ciphertext))
    return ciphertext + poly1305(chacha_block(subkey, 0, short)[:32], mac_data)


def check_cipher():
    """The vector of draft-irtf-cfrg-xchacha-03, appendix A.3.1."""
    sealed = seal(bytes(range(0x80, 0xA0)), bytes(range(0x40, 0x58)),
                  bytes.fromhex("50515253c0c1c2c3c4c5c6c7"),
                  b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for "
                  b"the future, sunscreen would be it.")
    assert hmac.compare_digest(sealed[-16:], bytes.fromhex("c0875924c1c7987947deafd8780acf49"))


# --- Key agreement on x-only keys ---------------------------------------------------------------


def lift(key):
    x = int.from_bytes(key, "big")
    y = pow(x**3 + 7, (P + 1) // 4, P)
    assert y * y % P == (x**3 + 7) % P
    return x, y if y % 2 == 0 else P - y


def agree(secret, peer):
    return multiply(lift(peer), int.from_bytes(secret, "big"))[0].to_bytes(32, "big")


# --- Formats ------------------------------------------------------------------------------------


def payload(objects):
    return b"".join(u32(number) + u32(len(content)) + content for number, content in objects)


def key_id(v):
    return tagged("bosswave/seal-key", v["content_key"], v["origin"], v["ns"], v["uri"].encode())


def entry(v, recipient):
    """hint 8 || wrapped key 48"""
    wrapper = public_key(v["wrapper_secret"])
    context = agree(v["wrapper_secret"], recipient) + wrapper + recipient + key_id(v)
    wrapping = tagged("bosswave/seal-wrap", context)
    return tagged("bosswave/seal-hint", context)[:8] + seal(wrapping, bytes(24), b"", v["content_key"])


def sealed_object(v):
    associated = (u8(1) + v["origin"] + v["ns"] + key_id(v) + u64(v["sealed_at"]) + v["uri"].encode())
    flags = (HAS_KEYS if v["recipients"] else 0) | (RENEWED if v["renewed"] else 0)
    out = u8(1) + u8(flags) + key_id(v) + u64(v["sealed_at"])
    if v["recipients"]:
        entries = sorted(entry(v, public_key(secret)) for secret in v["recipients"])
        out += public_key(v["wrapper_secret"]) + u16(len(entries)) + b"".join(entries)
    return out + v["nonce"] + seal(v["content_key"], v["nonce"], associated, v["plaintext"])


def sealed_vector(name, /, **changes):
    v = {
        "name": name,
        "origin": public_key(bytes([1] * 32)),
        "ns": public_key(bytes([2] * 32)),
        "uri": "building/floor1/temperature",
        "content_key": bytes(range(32)),
        "wrapper_secret": bytes([9] * 32),
        "nonce": bytes(range(100, 124)),
        "sealed_at": 1_795_000_000_000_000,
        "renewed": False,
        "recipients": [bytes([n] * 32) for n in (2, 3, 4)],
        "plaintext": payload([(64 << 24 | 1 << 8, b"21.5 C")]),
        **changes,
    }
    content = sealed_object(v)
    return {**v, "key_id": key_id(v), "object": content, "payload": payload([(SEALED, content)])}


def setting(patterns):
    return u8(1) + u8(len(patterns)) + b"".join(text16(pattern) for pattern in patterns)


def vectors():
    settings = [[], ["*"], ["private/*", "rooms/+/camera"]]
    return {
        "agreements": [
            {"secret": bytes([n] * 32), "peer": public_key(bytes([m] * 32)),
             "shared": agree(bytes([n] * 32), public_key(bytes([m] * 32)))}
            for n, m in ((1, 2), (2, 1), (3, 7), (7, 3), (5, 9))
        ],
        "sealed": [
            sealed_vector("for three"),
            sealed_vector("without keys", recipients=[]),
            sealed_vector("again, for two", renewed=True, recipients=[bytes([n] * 32) for n in (2, 5)]),
            sealed_vector("nothing inside", plaintext=b"", uri="a"),
            sealed_vector("several objects", content_key=bytes([7] * 32),
                          plaintext=payload([(64 << 24, b"a"), (2 << 24, bytes(200)), (1 << 24, b"")])),
        ],
        "settings": [{"patterns": patterns, "bytes": setting(patterns)} for patterns in settings],
    }


def main():
    check_cipher()
    path = pathlib.Path(__file__).with_name("sealed.json")
    path.write_text(json.dumps(hexed(vectors()), indent=1) + "\n")


if __name__ == "__main__":
    main()
