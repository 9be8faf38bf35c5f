# SPDX-License-Identifier: Apache-2.0
"""Arithmetic of the curve secp256k1 (SEC 2), fast enough for tests. Not in constant time: for keys of tests only."""
import functools

P = 2**256 - 2**32 - 977
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
G = (0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
     0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8)


def _double(point):
    x, y, z = point
    s = 4 * x * y * y % P
    m = 3 * x * x % P
    x2 = (m * m - 2 * s) % P
    return x2, (m * (s - x2) - 8 * y ** 4) % P, 2 * y * z % P


def _add(a, b):
    """Jacobian a plus affine b, which are never equal here."""
    if a is None:
        return b[0], b[1], 1
    x, y, z = a
    zz = z * z % P
    h = (b[0] * zz - x) % P
    r = (b[1] * zz * z - y) % P
    hh = h * h % P
    v = x * hh % P
    x3 = (r * r - hh * h - 2 * v) % P
    return x3, (r * (v - x3) - y * hh * h) % P, z * h % P


@functools.cache
def multiply(factor: int) -> tuple[int, int]:
    """factor x G, for a factor from 1 to N - 1."""
    result = None
    for bit in bin(factor)[2:]:
        result = result and _double(result)
        if bit == "1":
            result = _add(result, G)
    inverse = pow(result[2], -1, P)
    return result[0] * inverse ** 2 % P, result[1] * inverse ** 3 % P
