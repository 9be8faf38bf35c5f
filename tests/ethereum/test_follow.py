# SPDX-License-Identifier: Apache-2.0
"""Endpoints that lie are found out and named, whatever the lie, and the node goes on with an honest one."""
import lies
from chain import open_chain
from lying_proxy import LyingProxy
from nodes import ChainTest, main, run_bw, wait_for


class Liars(ChainTest):
    """Each liar is an endpoint of its own, and all are asked before the honest one."""

    def follows(self, name, proxies):
        node = self.chained(name, endpoints=[*(proxy.url for proxy in proxies), self.honest.url])
        self.works(node, name + ".first")
        return node

    def liars(self, count):
        return [self.enterContext(LyingProxy(self.chain.url)) for _ in range(count)]

    def are_named(self, node, proxies, what):
        """That each lie is told and `ledger status` says so of that endpoint; and that the honest one is not blamed."""
        for proxy in proxies:
            lie = proxy.current
            kind = type(lie).__name__
            wait_for(f"{kind} to be told", lambda lie=lie: lie.told)
            wait_for(lambda kind=kind: f"{kind} to be named: {node.status()}",
                     lambda url=proxy.url: self.endpoint(node, url)[what])
        honest = self.endpoint(node, self.honest.url)
        self.assertEqual((honest["answers"], honest["lie"], honest["trouble"]), (True, "", ""))

    def while_told(self, kinds, what):
        """Lies that begin while a node follows."""
        proxies = self.liars(len(kinds))
        node = self.follows("node", proxies)
        for proxy, kind in zip(proxies, kinds):
            proxy.tell(kind)
        self.works(node, "later")
        self.are_named(node, proxies, what)
        self.works(node, "last")

    def test_lies(self):
        self.while_told([lies.OmitLog(), lies.AlterLog(), lies.InventLog(), lies.AlterHeader()], "lie")

    def test_what_is_no_answer(self):
        # A proof that does not fit may be of a block that was withdrawn meanwhile: no lie as such.
        self.while_told([lies.WrongProof(), lies.Refuse(), lies.Drop(), lies.Garbage(), lies.Huge(64 << 20),
                         lies.UnknownId(), lies.Hang()], "trouble")

    def test_lies_to_who_comes_later(self):
        early = self.follows("early", [])
        for name in ("second", "third"):
            self.works(early, name)
        self.chain.mine(2)
        kinds = [lies.ReorderLogs(), lies.OmitLog(), lies.AlterLog(), lies.InventLog()]
        proxies = self.liars(len(kinds))
        for proxy, kind in zip(proxies, kinds):
            proxy.tell(kind)
        late = self.follows("late", proxies)
        self.are_named(late, proxies, "lie")

    def test_a_head_that_stands_still_and_swallowed_transactions_hold_nobody_up(self):
        stale, swallowing = proxies = self.liars(2)
        node = self.follows("node", proxies)
        stale.tell(lies.StaleHead())
        lie = swallowing.tell(lies.Swallow())
        self.works(node, "later")
        self.assertTrue(lie.told)
        wait_for("the endpoint to be seen behind",
                 lambda: self.endpoint(node, self.honest.url)["head"] - self.endpoint(node, stale.url)["head"] > 3)

    def test_a_liar_that_has_repented_is_used_again(self):
        proxies = self.liars(1)
        node = self.follows("node", proxies)
        proxies[0].tell(lies.AlterHeader())
        self.are_named(node, proxies, "lie")
        proxies[0].be_honest()
        self.honest.tell(lies.Drop())
        self.works(node, "later")


class Start(ChainTest):
    def test_contracts_that_are_not_there_are_not_followed(self):
        with open_chain("anvil", period=1) as other:
            code, said = self.chained_node(endpoints=[other.url]).start_refused()
            self.assertNotEqual(code, 0)
            self.assertIn(other.url, said)
            self.assertIn("Registry", said)

    def test_deploying(self):
        self.liar.tell(lies.WrongCode())
        refused = self.run_deploy(self.liar.url, self.network + ".2")
        self.assertNotEqual(refused.code, 0)
        self.assertIn("not what was deployed", refused.error["message"])
        key = self.key_file("poor.key", self.chained_node("poor", coins=0).purse)
        arguments = ("ledger", "deploy", "--key", key, "--out", self.network + ".3")
        refused = run_bw("--json", *arguments, "--endpoint", self.honest.url)
        self.assertNotEqual(refused.code, 0)
        self.assertRegex(refused.error["message"], "balance|fund|money|coin")
        refused = run_bw("--json", *arguments, "--endpoint", "http://127.0.0.1:1")
        self.assertEqual(refused.code, 5, refused)


class Forks(ChainTest):
    def setUp(self):
        super().setUp()
        if self.chain.name != "anvil":
            self.skipTest("only anvil can be doubled while it runs")

    def fork(self):
        """The liar shows a chain that has the same blocks up to now and others from now on."""
        return lies.OtherFork(self.enterContext(self.chain.twin()).rpc)

    def test_another_fork_is_named_and_not_believed(self):
        node = self.chained(endpoints=[self.honest.url, self.liar.url])
        self.liar.tell(self.fork())
        self.works(node, "home")
        wait_for(lambda: f"the fork to be named: {node.status()}",
                 lambda: self.endpoint(node, self.liar.url)["disagrees"])
        self.assertEqual(self.endpoint(node, self.honest.url)["disagrees"], "")

    def test_a_checkpoint_overrules_the_order(self):
        self.chain.mine()
        self.liar.tell(self.fork())
        self.chain.mine(2)
        block = self.chain.block()
        node = self.chained(endpoints=[self.liar.url, self.honest.url],
                            checkpoint=f"{int(block['number'], 16)}:{block['hash']}")
        self.works(node, "home")
        liar = self.endpoint(node, self.liar.url)
        self.assertTrue(liar["lie"] or liar["disagrees"], liar)
        self.assertEqual(self.endpoint(node, self.honest.url)["lie"], "")

    def test_where_two_must_agree_a_fork_stops_decisions(self):
        node = self.chained(endpoints=[self.honest.url, self.liar.url], agree=2)
        self.works(node, "home")
        self.liar.tell(self.fork())
        self.says(node, "agree")
        self.liar.be_honest()
        self.well(node)
        self.works(node, "after")


if __name__ == "__main__":
    main()
