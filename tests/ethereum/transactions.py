# SPDX-License-Identifier: Apache-2.0
"""Accounts that sign transactions (EIP-1559), written apart from the product's own code."""
import hashlib

import secp256k1

_ROTATIONS = ((0, 36, 3, 41, 18), (1, 44, 10, 45, 2), (62, 6, 43, 15, 61), (28, 55, 25, 21, 56), (27, 20, 39, 8, 14))
_MASK = 2**64 - 1


def _round_constants() -> list[int]:
    """FIPS 202, 3.2.5."""
    constants, state = [], 1
    for _ in range(24):
        constant = 0
        for j in range(7):
            constant |= (state & 1) << (2**j - 1)
            state = state << 1 ^ (0x171 if state & 0x80 else 0)
        constants.append(constant)
    return constants


_CONSTANTS = _round_constants()


def _rotate(lane: int, by: int) -> int:
    return (lane << by | lane >> 64 - by) & _MASK


def _permute(a: list[list[int]]) -> list[list[int]]:
    """Keccak-f[1600] on a[x][y]."""
    for constant in _CONSTANTS:
        c = [a[x][0] ^ a[x][1] ^ a[x][2] ^ a[x][3] ^ a[x][4] for x in range(5)]
        d = [c[x - 1] ^ _rotate(c[(x + 1) % 5], 1) for x in range(5)]
        b = [[0] * 5 for _ in range(5)]
        for x in range(5):
            for y in range(5):
                b[y][(2 * x + 3 * y) % 5] = _rotate(a[x][y] ^ d[x], _ROTATIONS[x][y])
        a = [[b[x][y] ^ (~b[(x + 1) % 5][y] & b[(x + 2) % 5][y]) for y in range(5)] for x in range(5)]
        a[0][0] ^= constant
    return a


def keccak256(data: bytes) -> bytes:
    """As Ethereum uses it: padded as before FIPS 202."""
    rate = 136
    padded = bytearray(data) + bytes(rate - len(data) % rate)
    padded[len(data)] |= 0x01
    padded[-1] |= 0x80
    a = [[0] * 5 for _ in range(5)]
    for start in range(0, len(padded), rate):
        for i in range(rate // 8):
            a[i % 5][i // 5] ^= int.from_bytes(padded[start + 8 * i:start + 8 * i + 8], "little")
        a = _permute(a)
    return b"".join(a[i][0].to_bytes(8, "little") for i in range(4))


def rlp(value: bytes | list) -> bytes:
    def header(short, content):
        if len(content) <= 55:
            return bytes([short + len(content)])
        length = number(len(content))
        return bytes([short + 55 + len(length)]) + length

    if isinstance(value, list):
        content = b"".join(map(rlp, value))
        return header(0xC0, content) + content
    if len(value) == 1 and value[0] < 0x80:
        return value
    return header(0x80, value) + value


def number(value: int) -> bytes:
    """Big-endian without leading zeros."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


class Account:
    """A key and its address."""

    def __init__(self, key: bytes):
        self.key = key
        x, y = secp256k1.multiply(int.from_bytes(key, "big"))
        self.address = "0x" + keccak256(x.to_bytes(32, "big") + y.to_bytes(32, "big"))[12:].hex()

    def _sign(self, digest: bytes) -> list[bytes]:
        secret, n = int.from_bytes(self.key, "big"), secp256k1.N
        k = int.from_bytes(hashlib.sha256(self.key + digest).digest(), "big") % n
        x, y = secp256k1.multiply(k)
        r = x % n
        s = pow(k, -1, n) * (int.from_bytes(digest, "big") + r * secret) % n
        odd = y & 1
        if s > n // 2:  # EIP-2
            s, odd = n - s, 1 - odd
        return [number(odd), number(r), number(s)]

    def transaction(self, chain_id: int, nonce: int, tip: int, max_fee: int, gas: int, to: str | None, value: int,
                    data: bytes) -> bytes:
        """Signed. Fees in wei for a unit of gas; without `to` it makes a contract."""
        fields = [*map(number, (chain_id, nonce, tip, max_fee, gas)), bytes.fromhex(to[2:]) if to else b"", number(value),
                  data, []]
        return b"\2" + rlp(fields + self._sign(keccak256(b"\2" + rlp(fields))))
