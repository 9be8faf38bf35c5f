# SPDX-License-Identifier: Apache-2.0
"""What entries cost on a chain, in gas."""
import os
import pathlib
import statistics
import subprocess
import sys

TARGETS = []
ROOT = pathlib.Path(__file__).resolve().parents[1]
OUT = ROOT / "build" / "contracts"
SIZE = 1_000_000  # entries that the ledger holds already
BLOCK_GAS, BLOCK_SECONDS = 60_000_000, 12
GRANTERS = 64


def pattern(number: int) -> str:
    text = f"building/f{number:04}/room12/sensor/+"
    assert len(text) == 30
    return text


def measure(chain, o) -> dict:
    """`chain` is the Registry on one, `o` the module that makes objects."""
    numbers = iter(range(1_000_000))

    def dots(count, granters=1):
        return [o.dot(1 + n % granters, 100, pattern=pattern(next(numbers)), expires=o.NEVER) for n in range(count)]

    def gas(objects, evidence=b""):
        receipt = chain.send(o.call(o.EACH, *(o.item(one["bytes"], evidence) for one in objects)))
        assert receipt["status"] == "0x1" and not chain.rejected(receipt)
        return int(receipt["gasUsed"], 16)

    def each(objects):
        return [gas([one]) for one in objects]

    chain.send(o.call(o.ALL_OR_NONE, *(o.item(o.entity(n)["bytes"]) for n in range(1, GRANTERS + 1))))
    chain.pretend_size(SIZE)
    alone = each(dots(64))
    result = {"dot_1": round(statistics.mean(alone)), "dot_1_median": round(statistics.median(alone)), "dot_1_least": min(alone),
              "dot_1_most": max(alone)}
    for count in (16, 64, 256):
        result[f"dot_{count}"] = round(gas(dots(count)) / count)
    result["dot_64_of_64_granters"] = round(gas(dots(64, GRANTERS)) / 64)
    entities = each(o.entity(n, contact="alice@example.org") for n in range(101, 109))
    result["entity_1"] = round(statistics.mean(entities))
    revoked = [(one, o.revocation(1, "dot", one["id"])) for one in dots(8)]
    result["revocation_1"] = round(statistics.mean(gas(pair) for pair in revoked))
    result["revocation_of_entity_1"] = gas([o.revocation(101, "entity", o.key(101))])
    result["alias_1"] = round(statistics.mean(each(o.alias(1, f"building-{n}") for n in range(8))))
    result["offer_1"] = round(statistics.mean(each(o.offer(n, 1, 1) for n in range(2, 10))))
    result["acceptance_1"] = round(statistics.mean(each([o.acceptance(1, n, n) for n in range(2, 10)])))
    result["address_1"] = round(statistics.mean(each(o.address(n, 2) for n in range(2, 10))))
    blocks = 3600 // BLOCK_SECONDS
    result["changes_per_hour"] = BLOCK_GAS // (result["dot_64"] * 64) * 64 * blocks
    result["size"] = SIZE
    return result


def run(_args) -> dict:
    """Gas of a whole transaction, divided by the entries in it, on anvil by the rules of Osaka, in a ledger that
    holds a million entries. DoTs have a pattern of 30 characters, no comment and, unless said otherwise, one granter.
    KIND_1 is the mean over entries alone, since what they cost depends on how many subtrees they complete (dot_1_median,
    dot_1_least, dot_1_most: the same for DoTs); dot_N in batches of N. revocation_1 is of a DoT, put once more in
    the same call, which is what the revoker's evidence is; first acceptances and offers write new slots.
    changes_per_hour: DoTs in batches of 64 that fit into blocks of 60 million gas each 12 s."""
    subprocess.run([ROOT / "contracts" / "install", OUT], check=True, stdout=sys.stderr)
    os.environ["BW_CONTRACTS_BUILD"] = str(OUT)
    sys.path.insert(0, str(ROOT / "contracts" / "test"))
    import objects
    import registry
    with registry.open_chain("anvil", now=objects.NOW + 100) as chain:
        return measure(registry.Registry(chain), objects)
