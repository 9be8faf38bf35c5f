# SPDX-License-Identifier: Apache-2.0
"""The tree of RFC 9162, section 2.1, word by word."""
import hashlib


def _hash(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def root(entries: list[bytes]) -> bytes:
    if not entries:
        return _hash(b"")
    if len(entries) == 1:
        return _hash(b"\0" + entries[0])
    split = 1 << ((len(entries) - 1).bit_length() - 1)
    return _hash(b"\1" + root(entries[:split]) + root(entries[split:]))


def path(index: int, entries: list[bytes]) -> list[bytes]:
    """The inclusion proof, from below."""
    if len(entries) == 1:
        return []
    split = 1 << ((len(entries) - 1).bit_length() - 1)
    if index < split:
        return path(index, entries[:split]) + [root(entries[split:])]
    return path(index - split, entries[split:]) + [root(entries[:split])]


def whole_path(index: int, entries: list[bytes]) -> list[bytes]:
    """As much of it as lies in the largest whole subtree that the entry is in."""
    levels, begin = 0, 0
    for level in reversed(range(len(entries).bit_length())):
        if len(entries) >> level & 1:
            if index < begin + (1 << level):
                levels = level
                break
            begin += 1 << level
    return path(index, entries)[:levels]
