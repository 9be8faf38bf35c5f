# SPDX-License-Identifier: Apache-2.0
"""What the test files share: one chain for each, with entities on it, put back after every test. BW_CHAIN names the program
that plays the chain: anvil, or ethereumjs."""
import atexit
import functools
import os
import unittest

import abi
import tree
from objects import EACH, ALL_OR_NONE, NOW, call, entity, item
from registry import Registry, open_chain

TIME = NOW + 100  # of the chain, in seconds


# 1 to 4 live for ever; 5 has 6 and 7 as revokers; nobody put 8 and above.
FIRST = [entity(n)["bytes"] for n in (1, 2, 3, 4)] + [entity(5, revokers=[6, 7])["bytes"], entity(6)["bytes"],
                                                    entity(7)["bytes"]]


@functools.cache
def registry() -> Registry:
    chain = open_chain(os.environ.get("BW_CHAIN", "anvil"), now=TIME)
    atexit.register(chain.close)
    made = Registry(chain)
    made.send(call(ALL_OR_NONE, *map(item, FIRST)))
    return made


class Case(unittest.TestCase):
    def setUp(self):
        self.chain = registry()
        self.log = list(FIRST)
        self.addCleanup(self.chain.chain.revert, self.chain.chain.snapshot())
        self.chain.set_time(TIME + 10)

    def put(self, *items: bytes, how: int = ALL_OR_NONE) -> dict[int, str]:
        """Sends items; the entries that were added go to the log. Returns the rules that items broke."""
        receipt = self.chain.send(call(how, *items))
        self.assertEqual(receipt["status"], "0x1", self.chain.rule_of(call(how, *items)))
        first, entries = self.chain.entries(receipt)
        if entries:
            self.assertEqual(first, len(self.log))
        self.log += entries
        return self.chain.rejected(receipt)

    def add(self, *objects: dict) -> None:
        self.assertEqual(self.put(*(item(o["bytes"]) for o in objects)), {})

    def refuses(self, rule: str | None, *items: bytes) -> None:
        """That the items together break this rule, if any; with no effect."""
        self.assertEqual(self.chain.rule_of(call(ALL_OR_NONE, *items)), rule)

    def path(self, index: int) -> list[bytes]:
        return tree.whole_path(index, self.log)

    def evidence(self, dot: dict) -> bytes:
        """For a revocation of a DoT that is on the ledger."""
        index = self.log.index(dot["bytes"])
        path = self.path(index)
        return index.to_bytes(5, "big") + bytes([len(path)]) + b"".join(path) + dot["bytes"]

    def holds_head(self) -> None:
        self.assertEqual(self.chain.head(), (len(self.log), tree.root(self.log)))

    def includes(self, entry: bytes, index: int, path: list[bytes]) -> bool:
        return self.chain.view("includes", abi.encode(bytearray(entry), index, path)) == abi.word(1)


__all__ = ["ALL_OR_NONE", "EACH", "FIRST", "Case", "TIME", "abi"]
