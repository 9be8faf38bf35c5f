# SPDX-License-Identifier: Apache-2.0
"""Asks chain_probe, which is the ledger's clients of endpoints (src/ledger_ethereum) as a program."""
import json
import os
import pathlib
import subprocess
import sys
import unittest

from chain import CHAIN_ID, ROOT, open_chain
from lying_proxy import LyingProxy

sys.path.insert(0, str(ROOT / "contracts" / "test"))

import objects  # noqa: E402
import tree  # noqa: E402
from registry import Registry, artifact, entries_of  # noqa: E402

PROGRAM = os.environ.get("BW_CHAIN", "anvil")
PROBE = pathlib.Path(os.environ.get("BW_CHAIN_PROBE", ROOT / "build/release/tests/ethereum/chain_probe"))


def grant(granter: int, grantee: int) -> bytes:
    return objects.dot(granter, grantee, expires=objects.NEVER)["bytes"]


class Probe:
    """The clients of some endpoints, best first."""

    def __init__(self, *urls, agree=1, checkpoint="-"):
        self.process = subprocess.Popen([PROBE, str(agree), checkpoint, *urls], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        code = self.process.wait(20)
        self.process.stdout.close()
        assert code == 0, f"the probe ended with {code}"

    def ask(self, do, **members):
        """The whole answer: {"ok"} or {"error", "message"}."""
        self.process.stdin.write(json.dumps({"do": do, **members}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def ok(self, do, **members):
        answer = self.ask(do, **members)
        if "ok" not in answer:
            raise AssertionError(f"{do}: {answer}")
        return answer["ok"]

    def status(self, url):
        return next(one for one in self.ok("status") if one["name"] == url)


class EndpointTest(unittest.TestCase):
    """A chain with entries on it, and two endpoints of it."""

    @classmethod
    def setUpClass(cls):
        cls.chain = cls.enterClassContext(open_chain(PROGRAM, skew=-45))
        cls.registry = Registry(cls.chain)
        cls.registry.send(objects.call(objects.EACH, *(objects.item(objects.entity(n)["bytes"]) for n in (1, 2, 3))))
        cls.entries = [grant(1, 2), grant(2, 3)]
        for entry in cls.entries:
            cls.receipt = cls.registry.send(objects.call(objects.EACH, objects.item(entry)))
        cls.chain.mine(12)
        cls.honest = cls.enterClassContext(LyingProxy(cls.chain.url))
        cls.liar = cls.enterClassContext(LyingProxy(cls.chain.url))

    def setUp(self):
        self.addCleanup(self.liar.be_honest)

    def both(self, **how):
        """Both endpoints, the liar first."""
        return self.enterContext(Probe(self.liar.url, self.honest.url, **how))

    def head(self):
        block = self.chain.block()
        return {"number": int(block["number"], 16), "hash": block["hash"]}

    def shows_the_truth(self, probe):
        said = probe.ok("latest")
        self.assertEqual({name: said[name] for name in ("number", "hash")}, self.head())
        truth = self.chain.rpc("eth_getLogs", {"address": self.registry.address, "fromBlock": "0x0", "toBlock": "latest"})
        self.assertEqual([log["data"] for log in probe.ok("logs", address=self.registry.address, to=self.chain.height)],
                         [log["data"] for log in truth])
        state = probe.ok("state", address=self.registry.address, slot="0x" + bytes(32).hex())
        self.assertEqual(state["code_hash"], artifact("Registry")["codeHash"])
        self.assertEqual(int(state["value"], 16), self.registry.head()[0])

    def transfer(self, to, nonce_above=0):
        account = self.chain.accounts[1]
        nonce = int(self.chain.rpc("eth_getTransactionCount", account.address, "latest"), 16) + nonce_above
        return "0x" + account.transaction(CHAIN_ID, nonce, 1, 10**11, 21_000, to, 7, b"").hex()


__all__ = ["EndpointTest", "Probe", "artifact", "entries_of", "grant", "objects", "tree"]
