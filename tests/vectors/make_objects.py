#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes objects.json: test vectors for objects and proofs.

A second implementation of docs/formats.md, by the standard library alone, so that the program is
held against the document and not against itself. The entity of number n has the secret 32 x n.
"""

import json
import pathlib

from make_syndication import hexed, public_key, sign, tagged, text16, u8, u16, u32, u64

TAGS = {
    "entity": (1, "bosswave/entity"),
    "dot": (2, "bosswave/dot"),
    "revocation": (3, "bosswave/revocation"),
    "alias": (4, "bosswave/alias"),
    "router_offer": (5, "bosswave/router-offer"),
    "router_acceptance": (6, "bosswave/router-acceptance"),
    "router_address": (7, "bosswave/router-address"),
}
TARGETS = {"entity": 1, "dot": 2}
NEVER = 2**40 - 1
NOW = 1_795_000_000


def key(number):
    return public_key(bytes([number] * 32)) if number else bytes(32)


def u40(n):
    return n.to_bytes(5, "big")


def text8(text):
    return u8(len(text.encode())) + text.encode()


def keys(numbers):
    return u8(len(numbers)) + b"".join(sorted(key(n) for n in numbers))


ENCODE = {
    "entity": lambda f: key(f["key"])
    + u40(f["created"])
    + u40(f["expires"])
    + keys(f["revokers"])
    + text8(f["contact"])
    + text8(f["comment"]),
    "dot": lambda f: key(f["granter"])
    + key(f["grantee"])
    + key(f["namespace"])
    + u16(f["permissions"])
    + u8(f["ttl"])
    + u40(f["created"])
    + u40(f["not_before"])
    + u40(f["expires"])
    + u32(f["messages_per_second"])
    + u40(f["stored_bytes"])
    + keys(f["revokers"])
    + text16(f["pattern"])
    + text8(f["comment"])
    + text16(f["conditions"]),
    "revocation": lambda f: key(f["revoker"])
    + u8(TARGETS[f["target_kind"]])
    + f["target"]
    + u40(f["created"])
    + text8(f["comment"]),
    "alias": lambda f: key(f["claimer"]) + f["value"] + u40(f["created"]) + text8(f["name"]),
    "router_offer": lambda f: key(f["router"])
    + key(f["namespace"])
    + u64(f["nonce"])
    + u40(f["created"])
    + u8(f["retracted"]),
    "router_acceptance": lambda f: key(f["namespace"])
    + key(f["router"])
    + u64(f["nonce"])
    + u40(f["created"])
    + u8(f["retracted"])
    + u32(f["max_staleness"]),
    "router_address": lambda f: key(f["router"])
    + u64(f["nonce"])
    + u40(f["created"])
    + text8(f["address"]),
}


def vector(name, kind, signer, /, **fields):
    number, tag = TAGS[kind]
    body = u8(number) + u8(1) + ENCODE[kind](fields)
    id_ = tagged(tag, body)
    signature = sign(bytes([signer] * 32), id_)
    return {
        "name": name,
        "kind": kind,
        "signer": signer,
        "fields": fields,
        "id": id_,
        "bytes": body + signature,
    }


def dot(name, granter, grantee, /, **changes):
    fields = dict(
        granter=granter,
        grantee=grantee,
        namespace=1,
        permissions=0x0E,
        ttl=0,
        created=NOW,
        not_before=NOW,
        expires=NOW + 86400,
        messages_per_second=0,
        stored_bytes=0,
        revokers=[],
        pattern="a/+/b",
        comment="",
        conditions=b"",
    )
    return vector(name, "dot", granter, **(fields | changes))


def objects():
    first = dot("DoT", 1, 2, ttl=1, pattern="building/*", comment="floor managers")
    return [
        vector(
            "entity",
            "entity",
            1,
            key=1,
            created=NOW,
            expires=NEVER,
            revokers=[2],
            contact="alice@example.org",
            comment="Größe 1",
        ),
        first,
        vector(
            "revocation",
            "revocation",
            1,
            revoker=1,
            target_kind="dot",
            target=first["id"],
            created=NOW + 60,
            comment="left",
        ),
        vector("alias", "alias", 1, claimer=1, value=key(2), created=NOW, name="building-7.bob_x"),
        vector(
            "router offer",
            "router_offer",
            3,
            router=3,
            namespace=1,
            nonce=1,
            created=NOW,
            retracted=False,
        ),
        vector(
            "router acceptance",
            "router_acceptance",
            1,
            namespace=1,
            router=3,
            nonce=1,
            created=NOW,
            retracted=False,
            max_staleness=3600,
        ),
        vector(
            "router address",
            "router_address",
            3,
            router=3,
            nonce=2,
            created=NOW,
            address="router.example.org:4514",
        ),
        dot("DoT of a whole proof", 2, 3, pattern="building/floor1/+", permissions=0x06),
        dot("DoT to everyone", 1, 0, permissions=0x80, expires=NEVER, pattern="*"),
        dot(
            "DoT with everything",
            1,
            4,
            permissions=0xFF,
            ttl=255,
            not_before=NOW + 1,
            expires=NEVER - 1,
            messages_per_second=2**32 - 1,
            stored_bytes=2**40 - 1,
            revokers=[2, 3, 5, 6, 7, 8, 9, 10],
            pattern="!" + "a" * 511,
            comment="€" * 42 + "xy",
            conditions=bytes(range(256)) * 4,
        ),
        vector(
            "bare entity",
            "entity",
            2,
            key=2,
            created=0,
            expires=1,
            revokers=[],
            contact="",
            comment="",
        ),
        vector(
            "revocation of an entity",
            "revocation",
            2,
            revoker=2,
            target_kind="entity",
            target=key(2),
            created=NOW,
            comment="",
        ),
        vector(
            "retracted offer",
            "router_offer",
            3,
            router=3,
            namespace=1,
            nonce=2**64 - 1,
            created=NOW,
            retracted=True,
        ),
        vector(
            "retracted acceptance",
            "router_acceptance",
            1,
            namespace=1,
            router=3,
            nonce=2,
            created=NOW,
            retracted=True,
            max_staleness=0,
        ),
        vector(
            "router address, v6",
            "router_address",
            3,
            router=3,
            nonce=3,
            created=NOW,
            address="[2001:db8::1]:65535",
        ),
    ]


def proof(name, dots):
    return {
        "name": name,
        "dots": [d["name"] for d in dots],
        "hash": tagged("bosswave/proof", *[d["id"] for d in dots]),
        "bytes": u8(1) + u8(len(dots)) + b"".join(text16(d["bytes"]) for d in dots),
    }


def proofs(made):
    by_name = {o["name"]: o for o in made}
    path = [by_name["DoT"], by_name["DoT of a whole proof"]]
    return [proof("proof", path), proof("proof of one", path[:1]), proof("empty proof", [])]


def main():
    made = objects()
    vectors = {
        "keys": {str(n): key(n) for n in range(1, 11)},
        "objects": made,
        "proofs": proofs(made),
    }
    path = pathlib.Path(__file__).with_name("objects.json")
    path.write_text(json.dumps(hexed(vectors), indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
