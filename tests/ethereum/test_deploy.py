# SPDX-License-Identifier: Apache-2.0
"""From an empty chain to a city of two: deploy, fund, and two nodes that grant, publish and revoke on it."""
import json
import os
import pathlib
import stat
import urllib.request

import lies
from chain import COIN
from nodes import ChainTest
from bosswave import free_port, main, run_bw, wait_for


class Deploy(ChainTest):
    def test_a_file_that_exists_is_kept(self):
        before = pathlib.Path(self.network).read_bytes()
        count = self.chain.rpc("eth_getTransactionCount", self.chain.accounts[0].address, "latest")
        refused = self.run_deploy(self.honest.url, self.network)
        self.assertEqual(refused.code, 6, refused)
        self.assertEqual(pathlib.Path(self.network).read_bytes(), before)
        self.assertEqual(self.chain.rpc("eth_getTransactionCount", self.chain.accounts[0].address, "latest"), count)

    def test_an_altered_network_file_is_refused_at_the_start(self):
        network = json.loads(pathlib.Path(self.network).read_text())
        for change, says in (({"chain_id": 5}, "chain"), ({"code_hashes": {**network["code_hashes"], "alias": "0x" + "00" * 32}}, "contracts"),
                             ({"owner": "me"}, "owner"), ({"alias": network["affinity"]}, "alias")):
            with self.subTest(change):
                altered = os.path.join(self.root, "altered.json")
                self.put_bytes(altered, json.dumps({**network, **change}).encode())
                code, said = self.chained_node("n" + says, network=altered).start_refused()
                self.assertNotEqual(code, 0)
                self.assertIn(says, said)


class Fund(ChainTest):
    def fund(self, *arguments):
        return run_bw("--json", "--dir", self.root, "ledger", "fund", "--endpoint", self.honest.url, *arguments)

    def test_a_key_is_made_filled_and_kept(self):
        made = self.fund()
        self.assertEqual(made.code, 0, made)
        key = os.path.join(self.root, "funding.key")
        self.assertEqual(made.row["key"], key)
        self.assertEqual(stat.S_IMODE(os.stat(key).st_mode), 0o600)
        rich = self.key_file("rich.key", self.chain.accounts[1])
        filled = self.fund("--from", rich, "--amount", "1.5")
        self.assertEqual(filled.code, 0, filled)
        self.assertEqual(filled.row["account"], made.row["account"])
        self.assertEqual(self.chain.balance(made.row["account"]), 3 * COIN // 2)
        self.assertEqual(self.fund().row["balance"], "1.5 ETH")

    def test_a_key_that_others_may_read_pays_for_nothing(self):
        rich = self.key_file("rich.key", self.chain.accounts[1])
        os.chmod(rich, 0o644)
        self.assertEqual(self.fund("--from", rich, "--amount", "1").code, 3)


class TwoNodes(ChainTest):
    def test_grant_publish_and_revoke(self):
        one = self.chained("one")
        # News over WebSocket, and calls too.
        two = self.chained("two", endpoints=[self.chain.url.replace("http", "ws"), self.honest.url])
        for node, name in ((one, "home"), (two, "alice")):
            self.works(node, name)
        one.ok("namespace", "create", "house")
        house, alice = one.key("house"), two.key("alice")
        may = lambda node: node.run("why", alice, f"{house}/x", "P").code == 0  # noqa: E731
        dot = one.ok("grant", alice, "house/*", "P", sign="house").row["id"]
        wait_for(lambda: f"the grant to act: {two.status()}", lambda: may(two) and may(one))
        wait_for("alice to publish", lambda: two.run("pub", f"{house}/x", "on", sign="alice").code == 0)
        one.ok("revoke", dot, sign="house")
        wait_for("the revocation to act", lambda: not may(two) and not may(one))
        two.refused(3, "pub", f"{house}/x", "off", sign="alice")
        self.holds_truth(one)
        self.holds_truth(two)

    def test_without_a_key_it_follows_and_says_how_to_pay(self):
        node = self.chained("poor", funding_key="")
        wait_for("it to follow", lambda: node.status()["connected"])
        refused = node.refused(5, "entity", "create", "alice", says="fund")
        self.assertIn("funding_key", refused.error["message"])
        self.assertEqual(node.status()["account"], "")

    def test_metrics_tell_how_the_chain_stands(self):
        node = self.chained_node("metered")
        node.sections["metrics"] = {"listen": f"127.0.0.1:{free_port()}"}
        node.configure()
        node.start()

        def metric(name):
            with urllib.request.urlopen(f"http://{node.sections['metrics']['listen']}/metrics", timeout=10) as reply:
                lines = [line.split(" ") for line in reply.read().decode().splitlines()]
            return next(float(line[1]) for line in lines if line[0] == "bosswave_chain_" + name)

        self.assertEqual(metric("endpoints"), 1)
        wait_for("a block", lambda: metric("block") > 0)
        wait_for("a balance", lambda: 0 < metric("balance_coins") <= 10)
        self.assertEqual(metric("endpoints_lied"), 0)
        self.honest.tell(lies.Drop())
        wait_for("trouble", lambda: metric("endpoints_in_trouble") == 1)


if __name__ == "__main__":
    main()
