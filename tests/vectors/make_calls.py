#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes calls.json: calls of the Registry, and what became of them on a chain.

Made by contracts/test/objects.py, a second implementation of contracts/README.md, and played to the contracts on
anvil, so that receipts and gas are real. Needs what contracts/install OUT left: BW_CONTRACTS_BUILD=OUT make_calls.py
"""

import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "contracts" / "test"))

import chain as chains  # noqa: E402
import objects as o  # noqa: E402

NOW = o.NOW
SIZE = 1_000_000  # entries that the ledger seems to hold where only gas matters


def get(one):
    return one["bytes"]


def revokers(entity):
    """The field of that name."""
    entry = get(entity)
    return entry[44:45 + 32 * entry[44]]


class Recorder:
    def __init__(self, chain):
        self.chain = chain
        self.cases = []

    def play(self, name, submitted, items, known=()):
        """`known` and `submitted` are objects; `items` what the call must be made of."""
        call = o.call(o.EACH, *items)
        receipt = self.chain.send(call)
        assert receipt["status"] == "0x1", name
        told = [] if name.startswith("gas_") else receipt["logs"]
        self.cases.append({
            "name": name,
            "known": [get(one).hex() for one in known],
            "submitted": [get(one).hex() for one in submitted],
            "call": call.hex(),
            "gas_used": int(receipt["gasUsed"], 16),
            "logs": [{"topics": log["topics"], "data": log["data"][2:]} for log in told],
            "rejected": {str(item): rule for item, rule in self.chain.rejected(receipt).items()},
        })

    def plain(self, name, *submitted, known=()):
        self.play(name, submitted, [o.item(get(one)) for one in submitted], known)


def revocations(record):
    first, second, third = (o.dot(1, 2, pattern=f"a/{n}") for n in range(3))
    take_first = o.revocation(1, "dot", first["id"])
    record.plain("two_dots", first, second)
    record.play("dot_on_the_ledger_is_put_once_more", [take_first], [o.item(get(first)), o.item(get(take_first))],
                [first, second])
    take_third = o.revocation(2, "dot", third["id"])
    record.plain("dot_just_before_is_evidence_enough", third, take_third)
    fourth, fifth = (o.dot(1, 2, pattern=f"b/{n}") for n in range(2))
    take_fourth = o.revocation(1, "dot", fourth["id"])
    record.play("another_dot_between", [fourth, fifth, take_fourth],
                [o.item(get(one)) for one in (fourth, fifth, fourth, take_fourth)])
    again = o.revocation(1, "dot", fourth["id"], created=NOW + 1)
    record.play("revoked_already", [again], [o.item(get(fourth)), o.item(get(again))], [fourth])

    five, eight = o.entity(5, revokers=[6, 7]), o.entity(8)
    record.plain("entities", five, o.entity(6), eight)
    record.plain("entity_by_itself", o.revocation(8, "entity", o.key(8)), known=[eight])
    by_six = o.revocation(6, "entity", o.key(5))
    record.play("entity_by_a_revoker", [by_six], [o.item(get(by_six), revokers(five))], [five])
    ten = o.entity(10, revokers=[6])
    newer = o.entity(10, revokers=[1, 6], created=NOW + 5)
    takes_ten = o.revocation(6, "entity", o.key(10))
    record.plain("entity_with_a_revoker", ten)
    record.play("entity_renewed_before", [newer, takes_ten], [o.item(get(newer)), o.item(get(takes_ten), revokers(newer))],
                [ten])
    short = o.dot(1, 2, expires=NOW + 500)
    take_short = o.revocation(1, "dot", short["id"])
    record.plain("dot_that_will_expire", short)
    record.chain.set_time(NOW + 1000)
    record.play("dot_that_has_expired", [take_short], [o.item(get(short)), o.item(get(take_short))], [short])


def gas(record):
    record.chain.pretend_size(SIZE)
    numbers = iter(range(1000))

    def dots(count, granters=1):
        return [o.dot(1 + n % granters, 100, pattern=f"building/f{next(numbers):04}/room12/sensor/+", expires=o.NEVER)
                for n in range(count)]

    for n in range(4):
        record.plain(f"gas_dot_{n}", *dots(1))
    record.plain("gas_dots_64_of_4_granters", *dots(64, 4))
    many = list(range(101, 109))
    widest = dict(revokers=many, comment="c" * 128)
    record.plain("gas_widest_dot", o.dot(1, 2, pattern="/".join(["a" * 15] * 31) + "/" + "a" * 16,
                                         conditions=bytes(range(1, 256)) * 4, **widest))
    record.plain("gas_dot_of_many_cells", o.dot(1, 2, pattern="/".join("+" * 32)))
    record.plain("gas_widest_entity", o.entity(20, contact="c" * 128, **widest))
    record.plain("gas_entities_16", *(o.entity(n, contact="alice@example.org") for n in range(30, 46)))
    record.plain("gas_aliases_16", *(o.alias(1, f"building-{n}", value=bytes([n] * 32)) for n in range(1, 17)))
    record.plain("gas_offers_8", *(o.offer(n, 1, 1) for n in range(30, 38)))
    record.plain("gas_acceptances_8", *(o.acceptance(1, n, n) for n in range(30, 38)))
    record.plain("gas_addresses_8", *(o.address(n, 2) for n in range(30, 38)))
    pairs = [(one, o.revocation(1, "dot", one["id"], comment="c" * 128)) for one in dots(8)]
    record.plain("gas_revocations_8", *(one for pair in pairs for one in pair))
    eights = o.entity(50, **widest)
    record.plain("gas_entity_with_revokers", eights, *(o.entity(n) for n in many))
    by_last = o.revocation(108, "entity", o.key(50))
    record.play("gas_revocation_by_a_revoker", [by_last], [o.item(get(by_last), revokers(eights))], [eights])


def main():
    chain = chains.Chain(NOW + 100)
    try:
        record = Recorder(chain)
        record.plain("first_entries", *(o.entity(n) for n in (1, 2, 3, 4)), o.alias(1, "hall", value=o.key(2)),
                     o.offer(3, 1, 1), o.acceptance(1, 3, 1), o.address(3, 2))
        record.plain("refused", o.dot(9, 1), o.alias(2, "hall", value=o.key(3)), o.dot(1, 3))
        record.plain("nothing_taken", o.dot(9, 1))
        revocations(record)
        gas(record)
    finally:
        chain.close()
    out = pathlib.Path(__file__).with_name("calls.json")
    out.write_text(json.dumps({"registry": chain.address, "calls": record.cases}, indent=1) + "\n")


if __name__ == "__main__":
    main()
