# SPDX-License-Identifier: Apache-2.0
"""Nodes of Bosswave whose ledger is a chain (BW_CHAIN names the program that plays it), and endpoints that may lie."""
import base64
import json
import os
import pathlib
import sys

from chain import COIN, ROOT, Account, open_chain
from lying_proxy import LyingProxy

sys.path[:0] = [str(ROOT / "tests" / "system"), str(ROOT / "contracts" / "test")]

from bosswave import BW, SystemTest, free_port, main, run_bw, wait_for  # noqa: E402
from registry import Registry  # noqa: E402

PERIOD = 0.5
# Behind the clock, so that two minutes of blocks of half a second, which count a second each, stay within what nodes
# take for a clock that is wrong.
SKEW = -45


class ChainTest(SystemTest):
    """A chain with the contracts on it, an endpoint that is honest and one that need not be."""

    def setUp(self):
        super().setUp()
        self.chain = self.enterContext(open_chain(os.environ.get("BW_CHAIN", "anvil"), period=PERIOD, skew=SKEW))
        self.honest = self.enterContext(LyingProxy(self.chain.url))
        self.liar = self.enterContext(LyingProxy(self.chain.url))
        self.network = self.deploy(self.honest.url)

    def key_file(self, name, account):
        path = os.path.join(self.root, name)
        self.put_bytes(path, account.key.hex().encode() + b"\n", 0o600)
        return path

    def run_deploy(self, endpoint, out):
        return run_bw("--json", "ledger", "deploy", "--endpoint", endpoint, "--key",
                      self.key_file("deployer.key", self.chain.accounts[0]), "--out", out)

    def deploy(self, endpoint):
        """The network file of contracts that were just put on the chain."""
        out = os.path.join(self.root, "network.json")
        done = self.run_deploy(endpoint, out)
        self.assertEqual(done.code, 0, done)
        return out

    def chained_node(self, name="up", endpoints=None, coins=10, env=None, **ethereum):
        """A node that follows the chain, with a purse of its own that holds so many coins, not started."""
        purse = Account(os.urandom(32))
        if coins:
            self.chain.fund(purse.address, coins * COIN)
        ledger = {"network": self.network, "endpoints": endpoints or [self.honest.url], "confirmations": 1,
                  "funding_key": self.key_file(name + ".purse", purse), **ethereum}
        node = self.node(name, ["up"], ethereum=ledger, router={"listen": f"127.0.0.1:{free_port()}"})
        node.purse = purse
        return node

    def chained(self, *arguments, **how):
        return self.chained_node(*arguments, **how).start()

    def truth(self):
        """Size and root of the ledger, as the chain itself has them."""
        size, root = Registry(self.chain, json.loads(pathlib.Path(self.network).read_text())["registry"]).head()
        return size, base64.urlsafe_b64encode(root).rstrip(b"=").decode()

    def holds_truth(self, node):
        """Waits until the node has all that is on the chain, and only that."""
        def same():
            status = node.status()
            return (status["size"], status["root"]) == self.truth()

        wait_for(lambda: f"{node} to hold what the chain holds: {node.status()}, {self.truth()}", same)

    @staticmethod
    def endpoint(node, url):
        """What `bw ledger status` says of one endpoint."""
        return next(one for one in node.status()["endpoints"] if url.rstrip("/") in one["name"])

    def says(self, node, *words):
        """Waits until the node says that something is wrong, in words that hold one of these."""
        def said():
            trouble = node.status()["trouble"].lower()
            return trouble and any(word in trouble for word in words) and trouble

        return wait_for(lambda: f"{node} to say one of {words}: {node.status()}", said)

    def well(self, node):
        wait_for(lambda: f"{node} to be well again: {node.status()}",
                 lambda: node.status()["connected"] and not node.status()["trouble"])

    def works(self, node, name):
        """That an entry of this node still gets onto the chain and acts."""
        node.ok("entity", "create", name)
        wait_for(lambda: f"{name} to be on the ledger: {node.status()}",
                 lambda: any(row["name"] == name and row["state"] == "registered" for row in node.ok("entity", "list").rows))
        self.holds_truth(node)


__all__ = ["BW", "ChainTest", "main", "run_bw", "wait_for"]
