# SPDX-License-Identifier: Apache-2.0
"""Objects for tests by the second implementation (tests/vectors), and how they are handed to the contracts."""
import functools
import pathlib
import sys

TESTS = pathlib.Path(__file__).resolve().parents[2] / "tests"
sys.path[:0] = [str(TESTS / "vectors"), str(TESTS / "ethereum")]

import make_objects  # noqa: E402
import make_syndication  # noqa: E402
import secp256k1  # noqa: E402
from make_syndication import G, N, P, tagged  # noqa: E402

NOW, NEVER = make_objects.NOW, make_objects.NEVER
ALL_OR_NONE, EACH = 1, 2


def multiply(point, factor):
    """In place of the vectors' own, which is slower by an order of magnitude."""
    assert point == G
    return secp256k1.multiply(factor)


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
