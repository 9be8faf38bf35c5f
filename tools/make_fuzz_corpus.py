#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seeds of the fuzz targets, fuzz/corpus/TARGET/*, from the test vectors.

Each target has a function that yields (name, bytes); add yours to TARGETS. Inputs that once broke a
target are among them, under names that say what was wrong. With --check nothing is written, and the
seeds that are missing or differ are named.
"""

import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "vectors"))

from make_objects import key  # noqa: E402
from make_syndication import root, sha256, sign, tagged, text16, u8, u16, u32, u64  # noqa: E402

MICROS = 1_795_000_000_000_000


def vectors(name):
    return json.loads((ROOT / "tests" / "vectors" / f"{name}.json").read_text())


def file_name(text):
    return text.replace(" ", "_").replace(",", "")


def frame():
    for name, text in vectors("syndication")["frames"].items():
        yield name.replace(" ", "_"), bytes.fromhex(text)[4:]  # without the length
    reason = b"a control of two bytes: \xc2\x81"
    yield "error_that_gets_shorter", u8(3) + u16(9) + u16(len(reason)) + reason


def batch():
    for number, whole in enumerate(vectors("syndication")["batches"]):
        yield f"whole_{number}", bytes.fromhex(whole["bytes"])
        for part in whole["selections"]:
            kept = "_".join(str(position) for position in part["kept"])
            yield f"part_{number}_{kept}", bytes.fromhex(part["bytes"])


def objects():
    for vector in vectors("objects")["objects"]:
        yield file_name(vector["name"]), bytes.fromhex(vector["bytes"])


def proofs():
    for vector in vectors("objects")["proofs"]:
        yield file_name(vector["name"]), bytes.fromhex(vector["bytes"])


def patterns():
    pairs = ["a/b a/b", "a/* */a", "+/b a/+", "a/+/* a/*/+"]
    pairs += ["a/*/b/c a/b/*/c", "!a/* +/x", "a b", "* *"]
    for number, pair in enumerate(pairs):
        yield f"pair_{number}", pair.replace(" ", "\n").encode()
    yield "widest", "\n".join(["/".join(["+"] * 31 + ["*"]), "/".join(["*"] + ["a"] * 31)]).encode()
    yield "longest", b"a" * 512


def blob32(data):
    return u32(len(data)) + data


def payloads():
    for number, vector in enumerate(vectors("syndication")["messages"]):
        yield f"payload_{number}", bytes.fromhex(vector["payload"])


def heads():
    body = key(1) + u64(7) + sha256(b"root") + u64(MICROS)
    yield "signed", body + sign(bytes([1] * 32), tagged("bosswave/head", body))
    yield "unsigned", body + bytes(64)


def key_files():
    start = b"BWKEY" + u8(1)
    yield "clear", start + u8(0) + key(1) + bytes([1] * 32)
    parameters = bytes(range(16)) + u32(3) + u32(65536) + bytes(range(24))
    yield "sealed", start + u8(1) + key(1) + parameters + bytes(48)


# A persisted value of entity 1 on a namespace of its own.
def self_standing():
    made = vectors("syndication")
    ns, uri = key(1), "a/b"
    topic = tagged("bosswave/topic", ns, tagged("bosswave/proof"), uri.encode())
    message = u32(0) + bytes.fromhex(made["messages"][0]["bytes"])[4:]
    leaf = sha256(b"\x00" + topic + message[4:])
    header = ns + u64(5) + u64(1) + u64(MICROS) + u16(1)
    signature = sign(bytes([1] * 32), tagged("bosswave/batch", header, leaf))
    return ns, uri, header + u16(1) + signature + message


def message_files():
    ns, uri, batch = self_standing()
    start = b"BWMSG" + u8(1) + ns + text16(uri)
    yield "own_namespace", start + blob32(u8(1) + u8(0)) + blob32(batch)
    proof = bytes.fromhex(vectors("objects")["proofs"][0]["bytes"])
    yield "with_proof", start + blob32(proof) + blob32(batch)


def stored_messages():
    ns, uri, batch = self_standing()
    row = text16(b"m" + ns + b"".join(cell.encode() + b"\0" for cell in uri.split("/")))
    ids = ns + u64(5) + u64(1) + u16(0)
    limit = sha256(b"dot") + u32(10) + u64(4096)
    proof = blob32(u8(1) + u8(0))
    tail = tagged("bosswave/proof") + proof + blob32(batch)
    yield "value", row + u8(1) + u8(0) + u64(MICROS) + u64(0) + ids + u32(99) + u16(0) + tail
    yield "limited", (
        row + u8(1) + u8(0) + u64(MICROS) + u64(MICROS + 1) + ids + u32(99) + u16(1) + limit + tail
    )
    yield "deletion", row + u8(1) + u8(1) + u64(MICROS) + u64(0) + ids + u32(0) + u16(0) + tail
    rest = u64(MICROS) + u64(0) + ids + u32(99) + u16(0) + tail
    yield "unknown_flag", row + u8(1) + u8(2) + rest
    yield "time_out_of_range", row + u8(1) + u8(0) + u64(MICROS) + u64(2**63) + rest[16:]
    for name, cells in (("slash", b"a/b\0"), ("wildcard", b"a\0*\0"), ("no_end", b"a\0bc")):
        yield f"key_with_{name}", text16(b"m" + ns + cells) + u8(1) + u8(0) + rest


def authority_rows():
    offset, seconds = u64(16)[3:], u64(1_795_000_000)[3:]
    yield "entity", offset + seconds + seconds + u8(0)
    yield "dot", offset + u8(1)
    yield "offer", u8(0)
    yield "flag_of_two", u8(2)
    yield "acceptance", key(1) + u64(3) + u8(0) + u32(3600)
    yield "text", u8(5) + b"alice"
    yield "number", u64(16)
    yield "meta", u32(1) + u64(9) + sha256(b"root") + u64(4) + u64(3) + u64(1) + u64(1)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def records(entries):
    whole = [u32(len(entry)) + entry for entry in entries]
    return b"".join(entry[:4] + u32(crc32c(entry)) + entry[4:] for entry in whole)


def tree_file(entries):
    out, offset = b"BWLTREE1" + u64(16 + len(records(entries))), 16
    for first in range(0, len(entries) // 64 * 64, 64):
        group = entries[first : first + 64]
        row = u64(offset) + root([sha256(b"\x00" + entry) for entry in group])
        out += row + u32(crc32c(row))
        offset += len(records(group))
    return out


# The inputs of the target: what to mend, tree file, ledger file.
def ledger_files():
    header = b"BWLEDGER" + u32(1) + u32(0)
    some = [b"entry", b"x", b"a longer entry"]
    many = [u8(number) for number in range(70)]
    file = header + records(some)
    yield "new", u8(4) + text16("")
    yield "some", u8(0) + text16(tree_file(some)) + file
    yield "mended", u8(7) + text16("") + file
    yield "torn", u8(0) + text16(tree_file(some)) + file + records([b"torn"])[:-1]
    yield "torn_without_a_tree", u8(4) + text16("") + file[:-1]
    yield "damaged", u8(0) + text16(tree_file(some)) + file[:-1] + b"?"
    yield "grouped", u8(0) + text16(tree_file(many)) + header + records(many)
    yield "grouped_mended", u8(3) + text16(tree_file(many)) + header + records(many)
    yield "half_a_header", u8(4) + text16("") + header[:9]
    yield "another_file", u8(4) + text16("") + b"#!/bin/sh and more than a header"


# Exporter value and frame.
def handshakes():
    made = vectors("syndication")
    exporter = bytes.fromhex(made["session"]["exporter"])
    for name in ("client hello", "server hello", "anonymous hello", "attach"):
        yield name.replace(" ", "_"), exporter + bytes.fromhex(made["frames"][name])[4:]


# A kind, two sizes, then numbers of honest hashes.
def tree_proofs():
    for kind, name in enumerate(("growth", "presence")):
        for first, second in ((0, 7), (3, 7), (4, 8), (6, 6), (31, 64), (9, 3)):
            yield f"{name}_{first}_{second}", bytes([kind, first, second, *range(8)])
    yield "any", u8(2) + u64(1) + u64(2**64 - 1) + bytes(64) + u8(0) + u8(1) + u8(255) + bytes(32)


# Limit of a frame, size of the first piece, then the stream.
def streams():
    frames = blob32(b"ping") + blob32(b"x") + blob32(bytes(100)) + blob32(b"pong")
    yield "whole", u8(255) + u8(255) + frames
    yield "byte_by_byte", u8(255) + u8(0) + frames
    yield "cut_short", u8(255) + u8(6) + frames[:-1]
    yield "too_large", u8(99) + u8(6) + frames
    yield "huge", u8(255) + u8(3) + b"\xff\xff\xff\xff" + frames
    yield "empty_frame", u8(255) + u8(3) + frames + u32(0) + frames


# Steps: what u8 (1 home, 0 guest; then an action), and what the action takes.
def exchanges():
    publish, persist, subscribe, flush, hear, to_router, to_agent, wait = range(0, 16, 2)
    home, guest = 1, 0
    carry = bytes([flush | home, hear | guest, hear | home])
    yield "carried", bytes([publish, persist]) + carry + bytes([wait, 5, subscribe, flush]) + carry
    steps = bytes([publish, flush | home])
    yield "altered_for_the_guest", steps + bytes([to_agent, 1, 0, 200, 1, 1, 0, 9, 1]) + carry
    yield "altered_for_the_router", bytes([publish, to_router | home, 1, 0, 60, 1]) + carry
    yield "repeated", bytes([publish, to_router | home, 3, 3, 3]) + carry + bytes([to_agent, 3, 3])
    yield "dropped", bytes([publish, to_router | home, 2, 0]) + carry + bytes([publish]) + carry
    yield "invented", bytes([publish, to_router | home, 4, 2, 4, 0]) + carry
    yield "late", bytes([publish, to_router | home, 0, 0, wait, 90, to_agent, 0, 0])


def texts():
    yield "key", b"G4TFVnsSZECZXT7VqroFZdceGDRgSBn_nBf51elN0I8"
    yield "hex", b"00ff10Ab"
    yield "time", b"2026-12-31T23:59:59Z"
    yield "time_with_signs", b"2026-+1- 2T3:4:5Z"
    yield "never", b"never"
    yield "duration", b"1h30m2.5s250ms"
    yield "long_duration", b"1y2w3d4h5m6s7ms8us"
    yield "address", b"router.example.org:4514"
    yield "address_v6", b"[2001:db8::1]:4514"
    yield "address_in_two_brackets", b"[[::1]]:80"
    yield "permissions", b"PC*T+L"
    yield "permission_words", b"publish, consume tap,list"
    yield "payload_type", b"64.0.1.0"
    yield "level", b"warning"
    yield "utf8", "Größe ≥ 1 🙂".encode()
    yield "broken_utf8", b"\xc0\x80 \xed\xa0\x80 \xf4\x90\x80\x80 \x1b[0m"


def configs():
    yield "empty", b""
    yield "everything", b"""# A node
[log]
level = "debug"
json = true
[metrics]
listen = "127.0.0.1:1"
[ledger]
address = "ledger:2"
key = "G4TFVnsSZECZXT7VqroFZdceGDRgSBn_nBf51elN0I8"
listen = ""
entries_per_second = 4.5
burst = 1e3
connections = 61
[router]
listen = "[::1]:7"
advertise = 'a "name"\\'
arrivals_per_second = 8
[agent]
socket = "/run/bw\\u00e4.sock"
api_tcp = "10.0.0.0:10"
api_token = "hush"
default_entity = \"\"\"twelve\"\"\"
"""
    yield "inline", b'log = { level = "info" }\nrouter.strangers = 0x10\n'
    yield "unknown", b"[ledger]\nkye = 1\n"
    yield "foreign_letter", "log = ä\n".encode()
    yield "quote_in_a_word", "log = 999'ä'\n".encode()
    yield "foreign_letters_where_they_may_be", (
        "# ä\n[agent]\nsocket = 'ä' # ä\napi_tcp = \"\"\"ä\"ä\"\"\"\"\n".encode()
    )
    yield "header_without_a_key", b"[=]\n"
    yield "line_break_in_text", b'[agent]\nsocket = "a\\nb"\n'


def tagged_field(number, data):
    return u8(number << 3 | 2) + u8(len(data)) + data


# A PublishFrame of proto/bosswave.proto.
def api_frames():
    payload = tagged_field(3, b"\x08\x80\x82\x80\x80\x04" + tagged_field(2, b"21.5"))
    value = tagged_field(1, b"alice/a/b") + payload + payload + b"\x20\x80\xe1\xeb\x17"
    yield "value", tagged_field(1, b"alice") + tagged_field(2, value) + b"\x18\x07"
    yield "deletion", tagged_field(2, tagged_field(1, b"alice/a/b") + b"\x10\x01")
    yield "never", tagged_field(2, b"\x20" + b"\xff" * 8 + b"\x7f")


def sealed_payloads():
    for vector in vectors("sealed")["sealed"]:
        yield file_name(vector["name"]), bytes.fromhex(vector["object"])


def seal_settings():
    for number, vector in enumerate(vectors("sealed")["settings"]):
        yield f"setting_{number}", bytes.fromhex(vector["bytes"])


def rlp_values():
    yield "empty_string", b"\x80"
    yield "small", b"\x7f"
    yield "dog", b"\x83dog"
    yield "long_string", b"\xb8\x38" + bytes(56)
    yield "sets_of_sets", bytes.fromhex("c7c0c1c0c3c0c1c0")
    yield "number", b"\xc4\x82\x04\x00\x01"
    yield "padded_number", b"\x82\x00\x04"
    yield "long_form_of_a_short_one", b"\xb8\x01\x80"
    for chain in vectors("chain"):
        yield f"header_of_{chain['program']}", bytes.fromhex(chain["header"])


def headers():
    for chain in vectors("chain"):
        header = bytes.fromhex(chain["header"])
        yield f"whole_of_{chain['program']}", header
        yield f"cut_short_of_{chain['program']}", header[:-1]


# A root (0 the true one), a key, then numbers of honest nodes or 255 and a string.
def trie_proofs():
    for number in (0, 3, 7, 47, 48, 200):
        yield f"key_{number}", u8(0) + u8(number) + bytes(range(60))
    leaf = bytes.fromhex("c22001")
    yield "own_leaf", u8(1) + u8(0) + u8(255) + u8(len(leaf)) + leaf
    yield "own_empty", u8(1) + u8(0) + u8(255) + u8(1) + b"\x80"


TARGETS = {
    "api": api_frames,
    "authority_row": authority_rows,
    "batch": batch,
    "config": configs,
    "exchange": exchanges,
    "frame": frame,
    "frame_buffer": streams,
    "handshake": handshakes,
    "head": heads,
    "header": headers,
    "key_file": key_files,
    "ledger_file": ledger_files,
    "message_file": message_files,
    "object": objects,
    "pattern": patterns,
    "payload": payloads,
    "proof": proofs,
    "rlp": rlp_values,
    "seal_setting": seal_settings,
    "sealed_payload": sealed_payloads,
    "stored_message": stored_messages,
    "text": texts,
    "tree_proof": tree_proofs,
    "trie_proof": trie_proofs,
}


def seeds():
    for target, seeds_of in TARGETS.items():
        for name, content in seeds_of():
            yield ROOT / "fuzz" / "corpus" / target / name, content


def write():
    for path, content in seeds():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def check():
    stale = [path for path, content in seeds() if not path.is_file() or path.read_bytes() != content]
    for path in stale:
        print(f"{path.relative_to(ROOT)}: not what its vectors say; run tools/make_fuzz_corpus.py")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(check() if "--check" in sys.argv[1:] else write())
