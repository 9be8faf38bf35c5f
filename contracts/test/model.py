# SPDX-License-Identifier: Apache-2.0
"""docs/formats.md read once more: which objects are canonical. For comparing with what the contracts say."""
import re

CELL = r"(?:!?[A-Za-z0-9_,().$-]+|\+|\*)"
PATTERN = re.compile(rf"{CELL}(?:/{CELL})*".encode())
NAME = re.compile(rb"[a-z][a-z0-9._-]{0,62}")
ADDRESS = re.compile(rb"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f.:]*:[0-9A-Fa-f.:]*\]):([1-9][0-9]{0,4})")
IMPLIED = {8: 4, 4: 2, 64: 32, 32: 16}


class Broken(Exception):
    pass


class Reader:
    def __init__(self, data: bytes):
        self.data = data

    def take(self, size: int) -> bytes:
        if size > len(self.data):
            raise Broken("ends too early")
        head, self.data = self.data[:size], self.data[size:]
        return head

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def keys(self) -> None:
        keys = [self.take(32) for _ in range(self.number(1))]
        hold(len(keys) <= 8 and keys == sorted(set(keys)), "revokers")

    def text(self) -> None:
        data = self.take(self.number(1))
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            raise Broken("not UTF-8") from None
        hold(len(data) <= 128 and not any(ord(c) < 32 or ord(c) == 127 for c in text), "text")


def hold(holds: bool, what: str) -> None:
    if not holds:
        raise Broken(what)


def is_pattern(text: bytes) -> bool:
    cells = text.split(b"/")
    return (len(text) <= 512 and len(cells) <= 32 and PATTERN.fullmatch(text) is not None
            and cells.count(b"*") <= 1 and sum(cell[:1] == b"!" for cell in cells) <= 1)


def is_address(text: bytes) -> bool:
    found = ADDRESS.fullmatch(text)
    return found is not None and int(found[1]) <= 65535


def entity(r: Reader) -> None:
    r.take(32)
    hold(r.number(5) < r.number(5), "expires")
    r.keys()
    r.text()
    r.text()


def dot(r: Reader) -> None:
    granter, grantee, _ = r.take(32), r.take(32), r.take(32)
    permissions, ttl = r.number(2), r.number(1)
    hold(granter != grantee and (grantee != bytes(32) or ttl == 0), "grantee")
    hold(0 < permissions < 256, "permissions")
    hold(all(permissions & below for bit, below in IMPLIED.items() if permissions & bit), "closed")
    created, not_before, expires = r.number(5), r.number(5), r.number(5)
    hold(created <= not_before < expires, "times")
    r.take(9)
    r.keys()
    hold(is_pattern(r.take(r.number(2))), "pattern")
    r.text()
    conditions = r.number(2)
    hold(conditions <= 1024, "conditions")
    r.take(conditions)


def revocation(r: Reader) -> None:
    r.take(32)
    hold(r.number(1) in (1, 2), "target")
    r.take(37)
    r.text()


def alias(r: Reader) -> None:
    r.take(69)
    hold(NAME.fullmatch(r.take(r.number(1))) is not None, "name")


def offer(r: Reader) -> None:
    r.take(64)
    hold(r.number(8) > 0, "nonce")
    r.take(5)
    hold(r.number(1) < 2, "retracted")


def acceptance(r: Reader) -> None:
    offer(r)
    r.take(4)


def address(r: Reader) -> None:
    r.take(32)
    hold(r.number(8) > 0, "nonce")
    r.take(5)
    hold(is_address(r.take(r.number(1))), "address")


KINDS = {1: entity, 2: dot, 3: revocation, 4: alias, 5: offer, 6: acceptance, 7: address}


def is_canonical(object_: bytes) -> bool:
    try:
        hold(66 <= len(object_) <= 4096, "length")
        body = Reader(object_[:-64])
        kind = body.number(1)
        hold(kind in KINDS and body.number(1) == 1, "kind or version")
        KINDS[kind](body)
        hold(not body.data, "trailing bytes")
    except Broken:
        return False
    return True
