# SPDX-License-Identifier: Apache-2.0
"""Reads a ledger's file by docs/formats.md alone, so that the soak need not ask a node what it has."""

import base64
import hashlib

HEADER = b"BWLEDGER\x00\x00\x00\x01\x00\x00\x00\x00"
SIGNATURE = 64
TAGS = {1: "entity", 2: "dot", 3: "revocation", 4: "alias", 5: "router-offer", 6: "router-acceptance",
        7: "router-address"}


def identity(entry):
    """The id of a signed object, as text."""
    tag = hashlib.sha256(f"bosswave/{TAGS[entry[0]]}".encode()).digest()
    digest = hashlib.sha256(tag + tag + entry[:-SIGNATURE]).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def entries(path):
    """The whole entries of the file, in order; a record that is still being written ends them."""
    with open(path, "rb") as file:
        content = file.read()
    if content[:16] != HEADER:
        raise ValueError(f"{path}: no ledger file")
    found, at = [], 16
    while at + 8 <= len(content):
        size = int.from_bytes(content[at:at + 4], "big")
        if at + 8 + size > len(content):
            break
        found.append(content[at + 8:at + 8 + size])
        at += 8 + size
    return found
