# SPDX-License-Identifier: Apache-2.0
"""What the test files share: one chain for each, with entities on it, put back after every test."""
import unittest

import abi
import tree
from chain import Chain
from objects import EACH, ALL_OR_NONE, NOW, call, entity, item

TIME = NOW + 100  # of the chain, in seconds


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.chain = Chain(TIME)
        cls.addClassCleanup(cls.chain.close)
        # 1 to 4 live for ever; 5 has 6 and 7 as revokers; nobody put 8 and above.
        cls.first = [entity(n)["bytes"] for n in (1, 2, 3, 4)] + [entity(5, revokers=[6, 7])["bytes"],
                                                                entity(6)["bytes"], entity(7)["bytes"]]
        cls.chain.send(call(ALL_OR_NONE, *map(item, cls.first)))

    def setUp(self):
        self.log = list(self.first)
        self.snapshot = self.chain.rpc("evm_snapshot")
        self.addCleanup(lambda: self.chain.rpc("evm_revert", self.snapshot))
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


__all__ = ["ALL_OR_NONE", "EACH", "Case", "TIME", "abi"]
