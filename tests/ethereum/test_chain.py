# SPDX-License-Identifier: Apache-2.0
"""That chains do what is asked of them, whichever program plays them (BW_CHAIN)."""
import os
import threading
import unittest
from unittest import mock

import chain
from chain import COIN, GWEI, NotStarted, open_chain, wait_for
from rpc import Rpc
from transactions import Account, keccak256, rlp

PROGRAM = os.environ.get("BW_CHAIN", "anvil")


class Pure(unittest.TestCase):
    def test_keccak(self):
        """The empty string and "abc" as the Keccak team gives them; 136 bytes fill a block."""
        self.assertEqual(keccak256(b"").hex(), "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")
        self.assertEqual(keccak256(b"abc").hex(), "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45")
        self.assertEqual(keccak256(b"a" * 136).hex(), "a6c4d403279fe3e0af03729caada8374b5ca54d8065329a3ebcaeb4b60aa386e")

    def test_rlp(self):
        """Examples of the yellow paper's wiki."""
        self.assertEqual(rlp([b"cat", b"dog"]), b"\xc8\x83cat\x83dog")
        self.assertEqual(rlp([[], [[]], b"", b"\x0f"]), b"\xc5\xc0\xc1\xc0\x80\x0f")
        self.assertEqual(rlp(b"a" * 56), b"\xb8\x38" + b"a" * 56)

    def test_address(self):
        account = Account(bytes.fromhex(chain.KEYS[0]))
        self.assertEqual(account.address, "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266")

    def test_what_is_missing_is_named(self):
        with mock.patch.object(chain, "BUILD", chain.pathlib.Path("/nowhere")):
            with self.assertRaisesRegex(NotStarted, "is missing; run .*contracts/install"):
                open_chain(PROGRAM)
        with self.assertRaisesRegex(NotStarted, "no node program 'geth'; there are anvil, ethereumjs"):
            open_chain("geth")


class OneChain(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.chain = cls.enterClassContext(open_chain(PROGRAM))

    def hashes(self, first, last):
        return [self.chain.block(number)["hash"] for number in range(first, last + 1)]

    def number(self, tag):
        return int(self.chain.block(tag)["number"], 16)

    def test_blocks_are_made_when_asked_for_and_tagged(self):
        self.chain.mine(10)
        height = self.chain.height
        self.assertEqual((self.number("latest"), self.number("safe"), self.number("finalized")), (height, height - 4, height - 8))
        time = int(self.chain.block()["timestamp"], 16)
        self.chain.mine(at=time + 100)
        self.assertEqual(int(self.chain.block()["timestamp"], 16), time + 100)

    def test_reorganisation(self):
        self.chain.mine(5)
        someone = Account(os.urandom(32))
        self.chain.fund(someone.address, 7)
        self.chain.mine(2)
        height = self.chain.height
        before = self.hashes(height - 6, height)
        self.chain.reorg(5)
        after = self.hashes(height - 6, height)
        self.assertEqual([a == b for a, b in zip(before, after)], [True] * 2 + [False] * 5)
        self.assertEqual(self.chain.height, height + 1)
        self.assertEqual(self.chain.balance(someone.address), 0)
        for number, parent in zip(range(height - 5, height + 2), after):
            self.assertEqual(self.chain.block(number)["parentHash"], parent)

    def test_snapshot(self):
        someone = Account(os.urandom(32))
        snapshot, height = self.chain.snapshot(), self.chain.height
        self.chain.fund(someone.address, 7)
        self.chain.mine(20)
        self.chain.revert(snapshot)
        self.chain.mine()
        self.assertEqual((self.chain.height, self.chain.balance(someone.address)), (height + 1, 0))

    def test_an_account_is_emptied(self):
        someone = Account(os.urandom(32))
        self.chain.fund(someone.address, COIN)
        self.assertEqual(self.chain.balance(someone.address), COIN)
        self.chain.drain(someone)
        self.assertEqual(self.chain.balance(someone.address), 0)

    def test_fees_rise_and_fall(self):
        fee = lambda: int(self.chain.block()["baseFeePerGas"], 16)  # noqa: E731
        goal = 2 * (fee() // GWEI + 1)
        self.chain.spike(goal)
        self.assertGreaterEqual(fee(), goal * GWEI)
        self.chain.mine(10)
        self.assertLess(fee(), goal * GWEI)

    def test_killed_and_started_again(self):
        someone = Account(os.urandom(32))
        self.chain.fund(someone.address, COIN)
        self.chain.keep()
        height, head = self.chain.height, self.chain.block()["hash"]
        self.chain.kill()
        with self.assertRaises(OSError):
            self.chain.height
        self.chain.start()
        self.assertEqual((self.chain.height, self.chain.block()["hash"]), (height, head))
        self.chain.mine(3)
        self.assertEqual((self.chain.height, self.chain.balance(someone.address)), (height + 3, COIN))

    @unittest.skipIf(PROGRAM != "anvil", "anvil alone can be doubled while it runs")
    def test_a_twin(self):
        self.chain.mine(2)
        height = self.chain.height
        with self.chain.twin() as twin:
            self.assertEqual([twin.block(n)["hash"] for n in range(height + 1)], self.hashes(0, height))
            twin.mine()
            self.chain.mine()
            self.assertNotEqual(twin.block(height + 1)["hash"], self.chain.block(height + 1)["hash"])

    def test_blocks_come_by_themselves_but_when_halted_or_paused(self):
        self.chain.period = 0.05
        self.addCleanup(setattr, self.chain, "period", None)
        self.addCleanup(self.chain.halt)
        self.chain.go_on()
        height = self.chain.height
        wait_for("blocks", lambda: self.chain.height > height + 2)
        self.chain.fund(self.chain.accounts[1].address, 1)
        self.chain.halt()
        self.assertFalse([one for one in threading.enumerate() if "_produce" in one.name])
        height = self.chain.height
        self.chain.jump(3600)
        time = int(self.chain.block()["timestamp"], 16)
        self.assertEqual(self.chain.height, height)
        self.chain.go_on()
        wait_for("blocks", lambda: self.chain.height > height)
        self.assertGreaterEqual(int(self.chain.block()["timestamp"], 16), time + 3600)
        self.chain.pause()
        with self.assertRaises(TimeoutError):
            Rpc(self.chain.url, timeout=0.2)("eth_chainId")
        self.chain.resume()
        height = self.chain.height
        wait_for("blocks", lambda: self.chain.height > height)


if __name__ == "__main__":
    unittest.main()
