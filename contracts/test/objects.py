# SPDX-License-Identifier: Apache-2.0
"""Objects for tests by the second implementation (tests/vectors), and how they are handed to the contracts."""
import functools
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "vectors"))

import make_objects  # noqa: E402
import make_syndication  # noqa: E402
from make_syndication import G, N, P, tagged  # noqa: E402

NOW, NEVER = make_objects.NOW, make_objects.NEVER
ALL_OR_NONE, EACH = 1, 2


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
def _multiply(factor):
    """factor x G; the vectors' own is slower by an order of magnitude."""
    result = None
    for bit in bin(factor)[2:]:
        result = result and _double(result)
        if bit == "1":
            result = _add(result, G)
    inverse = pow(result[2], -1, P)
    return result[0] * inverse ** 2 % P, result[1] * inverse ** 3 % P


def multiply(point, factor):
    assert point == G
    return _multiply(factor)


make_syndication.multiply = multiply
make_objects.key = key = functools.cache(make_objects.key)


def hint(entry: bytes) -> bytes:
    """The even y of the signature's R, or zeros when it has none."""
    x = int.from_bytes(entry[-64:-32], "big")
    square = (pow(x, 3, P) + 7) % P
    y = pow(square, (P + 1) // 4, P)
    if y * y % P != square:
        return bytes(32)
    return (y if y % 2 == 0 else P - y).to_bytes(32, "big")


def item(entry: bytes, evidence: bytes = b"", y: bytes | None = None) -> bytes:
    data = len(entry).to_bytes(2, "big") + entry + (hint(entry) if y is None else y)
    return data + (len(evidence).to_bytes(2, "big") + evidence if entry[:1] == b"\x03" else b"")


def call(how: int, *items: bytes) -> bytes:
    return bytes([how]) + b"".join(items)


def signed(body: bytes, signer: int) -> bytes:
    """A body of any content, signed as its kind asks for."""
    tag = next((tag for number, tag in make_objects.TAGS.values() if number == body[0]), "bosswave/dot")
    return body + make_syndication.sign(bytes([signer] * 32), tagged(tag, body))


def make(kind: str, signer: int, **fields) -> dict:
    """An object with its "id", "bytes" and "fields"."""
    return make_objects.vector("", kind, signer, **fields)


def entity(number: int, **changes) -> dict:
    fields = dict(key=number, created=NOW, expires=NEVER, revokers=[], contact="", comment="")
    return make("entity", number, **(fields | changes))


def dot(granter: int, grantee: int, **changes) -> dict:
    return make_objects.dot("", granter, grantee, **changes)


def revocation(revoker: int, target_kind: str, target: bytes, **changes) -> dict:
    fields = dict(revoker=revoker, target_kind=target_kind, target=target, created=NOW, comment="")
    return make("revocation", revoker, **(fields | changes))


def alias(claimer: int, name: str, **changes) -> dict:
    return make("alias", claimer, **(dict(claimer=claimer, value=key(2), created=NOW, name=name) | changes))


def offer(router: int, namespace: int, nonce: int, **changes) -> dict:
    fields = dict(router=router, namespace=namespace, nonce=nonce, created=NOW, retracted=False)
    return make("router_offer", router, **(fields | changes))


def acceptance(namespace: int, router: int, nonce: int, **changes) -> dict:
    fields = dict(namespace=namespace, router=router, nonce=nonce, created=NOW, retracted=False, max_staleness=60)
    return make("router_acceptance", namespace, **(fields | changes))


def address(router: int, nonce: int, where: str = "router.example.org:4514", **changes) -> dict:
    return make("router_address", router, **(dict(router=router, nonce=nonce, created=NOW, address=where) | changes))
