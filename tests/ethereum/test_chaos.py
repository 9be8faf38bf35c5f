# SPDX-License-Identifier: Apache-2.0
"""What can befall a chain: each ends in a degraded mode that is said, and in recovery without anybody's help."""
import glob
import os
import unittest

import lies
from chain import COIN, GWEI
from nodes import ChainTest, main, wait_for

FAKETIME = next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), None)


class Chaos(ChainTest):
    def grants(self, node, name):
        """A grant that is on its way to the ledger, however long that takes."""
        stream = self.lines(node, "grant", name, "home/*", "C", sign="home")
        return stream

    def prepared(self, **ethereum):
        node = self.chained(**ethereum)
        for name in ("home", "alice", "bob"):
            self.works(node, name)
        return node

    def may(self, node, name):
        return node.run("why", name, "home/x", "C").code == 0

    def arrives(self, node, stream, name):
        self.assertEqual(stream.wait(), 0, stream)
        wait_for(lambda: f"the grant to {name} to act: {node.status()}", lambda: self.may(node, name))
        self.well(node)
        self.holds_truth(node)

    def test_the_node_of_the_chain_is_killed(self):
        node = self.prepared()
        self.chain.keep()
        self.chain.kill()
        self.says(node, "unavailable", "answer", "connect")
        pending = self.grants(node, "alice")
        self.assertFalse(self.may(node, "alice"))
        self.chain.start()
        self.arrives(node, pending, "alice")

    def test_the_only_endpoint_is_slow(self):
        node = self.prepared()
        self.honest.tell(lies.Slow(20))
        self.says(node, "answer", "deadline", "slow")
        pending = self.grants(node, "alice")
        self.honest.be_honest()
        self.arrives(node, pending, "alice")

    def test_five_blocks_are_replaced(self):
        self.chain.period = 0.15  # or it takes long until eight blocks stand above an entry
        node = self.prepared(confirmations=8)
        size = self.truth()[0]
        pending = self.grants(node, "alice")
        wait_for("the grant to be in a block", lambda: self.truth()[0] > size)
        self.chain.halt()
        self.chain.reorg(5)
        # Withdrawn by the chain, and put there again by the node that wants it there.
        self.assertEqual(self.truth()[0], size)
        self.chain.go_on()
        self.arrives(node, pending, "alice")

    def test_a_revocation_that_is_withdrawn_still_counts(self):
        node = self.prepared(confirmations=0)
        watcher = self.chained("watcher", confirmations=0)
        home, alice = node.key("home"), node.key("alice")
        dot = node.ok("grant", "alice", "home/*", "C", sign="home").row["id"]
        allowed = lambda: watcher.run("why", alice, f"{home}/x", "C").code == 0  # noqa: E731
        wait_for("the grant to act", allowed)
        self.chain.mine(10)  # the grant is out of reach
        node.ok("revoke", dot, sign="home")
        wait_for("the revocation to act", lambda: not allowed())
        node.kill()  # nobody puts it there again
        self.chain.halt()
        self.chain.reorg(3)
        self.holds_truth(watcher)
        self.assertFalse(allowed())

    def test_fees_rise_above_what_the_node_pays(self):
        node = self.prepared(max_fee_gwei=20.0)
        self.chain.spike(60)
        pending = self.grants(node, "alice")
        self.says(node, "fee", "gwei")
        self.arrives(node, pending, "alice")
        self.assertLess(int(self.chain.block()["baseFeePerGas"], 16), 20 * GWEI)

    def test_the_purse_is_empty(self):
        node = self.prepared()
        self.chain.drain(node.purse)
        pending = self.grants(node, "alice")
        self.says(node, "balance", "fund", "money")
        self.assertEqual(self.chain.balance(node.purse.address), 0)
        self.chain.fund(node.purse.address, COIN)
        self.arrives(node, pending, "alice")

    @unittest.skipUnless(FAKETIME, "libfaketime is not installed")
    @unittest.skipIf(os.environ.get("BW_SANITIZED"), "libfaketime does not work with sanitizers")
    def test_the_chain_halts_for_an_hour(self):
        clock = os.path.join(self.root, "clock")
        self.put_bytes(clock, b"+0\n")
        node = self.chained_node().start(env={
            "LD_PRELOAD": FAKETIME, "FAKETIME_TIMESTAMP_FILE": clock, "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_RESET": "1"})
        for name in ("home", "alice"):
            self.works(node, name)
        node.ok("grant", "alice", "home/*", "C", sign="home")
        wait_for("the grant to act", lambda: self.may(node, "alice"))
        self.chain.halt()
        self.put_bytes(clock + ".new", b"+1h\n")
        os.rename(clock + ".new", clock)
        self.says(node, "block", "stale", "halt")
        wait_for("the node to stop deciding", lambda: not self.may(node, "alice"))
        self.assertIn("ledger", node.run("why", "alice", "home/x", "C").row["denial"])
        self.chain.jump(3600)
        self.chain.go_on()
        wait_for("the node to decide again", lambda: self.may(node, "alice"))
        self.well(node)


if __name__ == "__main__":
    main()
