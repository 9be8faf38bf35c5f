# SPDX-License-Identifier: Apache-2.0
"""Endpoints that lie are found out and named, whatever the lie, and the node goes on with an honest one."""
import lies
from chain import open_chain
from nodes import ChainTest, main, run_bw, wait_for


class Liars(ChainTest):
    def setUp(self):
        super().setUp()
        # The liar is asked first.
        self.bw = self.chained(endpoints=[self.liar.url, self.honest.url])
        self.works(self.bw, "home")

    def is_named(self, what, lie):
        """That the lie is told, and that `ledger status` says so of this endpoint and of no other."""
        lie = self.liar.tell(lie)
        self.works(self.bw, "after")
        wait_for(f"{lie} to be told", lambda: lie.told)
        wait_for(lambda: f"{lie} to be named: {self.bw.status()}", lambda: self.endpoint(self.bw, self.liar.url)[what])
        self.assertFalse(self.endpoint(self.bw, self.honest.url)[what])
        self.works(self.bw, "later")
        self.liar.be_honest()

    def test_a_log_that_is_omitted(self):
        self.is_named("lie", lies.OmitLog())

    def test_a_log_that_is_altered(self):
        self.is_named("lie", lies.AlterLog())

    def test_logs_in_another_order(self):
        self.is_named("lie", lies.ReorderLogs())

    def test_a_log_that_is_invented(self):
        self.is_named("lie", lies.InventLog())

    def test_a_proof_that_is_wrong(self):
        self.is_named("lie", lies.WrongProof())

    def test_a_header_that_is_altered(self):
        self.is_named("lie", lies.AlterHeader())

    def test_refusals(self):
        self.is_named("trouble", lies.Refuse())

    def test_connections_that_break(self):
        self.is_named("trouble", lies.Drop())

    def test_garbage(self):
        self.is_named("trouble", lies.Garbage())

    def test_answers_without_end(self):
        self.is_named("trouble", lies.Huge(64 << 20))

    def test_answers_to_something_else(self):
        self.is_named("trouble", lies.UnknownId())

    def test_silence(self):
        self.is_named("trouble", lies.Hang())

    def test_a_head_that_stands_still_holds_nobody_up(self):
        self.liar.tell(lies.StaleHead())
        self.works(self.bw, "after")
        behind = lambda: self.chain.height - self.endpoint(self.bw, self.liar.url)["head"]  # noqa: E731
        wait_for("the endpoint to be behind", lambda: behind() > 5)

    def test_a_swallowed_transaction_gets_there_by_the_other(self):
        lie = self.liar.tell(lies.Swallow())
        self.works(self.bw, "after")
        self.assertTrue(lie.told)

    def test_a_liar_that_has_repented_is_used_again(self):
        self.is_named("lie", lies.AlterLog())
        self.honest.tell(lies.Drop())
        self.works(self.bw, "again")


class Start(ChainTest):
    def test_contracts_that_are_not_there_are_not_followed(self):
        with open_chain("anvil", period=1) as other:
            code, said = self.chained_node(endpoints=[other.url]).start_refused()
            self.assertNotEqual(code, 0)
            self.assertIn(other.url, said)
            self.assertIn("Registry", said)

    def test_an_endpoint_that_shows_no_proof_of_the_code_is_passed_over(self):
        lie = self.liar.tell(lies.WrongProof())
        self.works(self.chained("both", endpoints=[self.liar.url, self.honest.url]), "home")
        self.assertTrue(lie.told)

    def test_wrong_code_is_noticed_when_deploying(self):
        self.liar.tell(lies.WrongCode())
        refused = self.run_deploy(self.liar.url, self.network + ".2")
        self.assertNotEqual(refused.code, 0)
        self.assertIn("not what was deployed", refused.error["message"])

    def test_deploying_needs_money_and_an_endpoint(self):
        key = self.key_file("poor.key", self.chained_node("poor", coins=0).purse)
        arguments = ("ledger", "deploy", "--key", key, "--out", self.network + ".2")
        refused = run_bw("--json", *arguments, "--endpoint", self.honest.url)
        self.assertNotEqual(refused.code, 0)
        self.assertRegex(refused.error["message"], "balance|fund|money|coin")
        refused = run_bw("--json", *arguments, "--endpoint", "http://127.0.0.1:1")
        self.assertEqual(refused.code, 5, refused)


class Forks(ChainTest):
    def fork(self):
        """The liar shows a chain that has the same blocks up to now and others from now on."""
        return lies.OtherFork(self.enterContext(self.chain.twin()).rpc)

    def test_another_fork_is_named_and_not_believed(self):
        node = self.chained(endpoints=[self.honest.url, self.liar.url])
        self.works(node, "home")
        self.liar.tell(self.fork())
        self.works(node, "after")
        wait_for(lambda: f"the fork to be named: {node.status()}",
                 lambda: self.endpoint(node, self.liar.url)["disagrees"] or self.endpoint(node, self.liar.url)["lie"])

    def test_a_checkpoint_overrules_the_order(self):
        block = self.chain.block(1)
        node = self.chained(endpoints=[self.liar.url, self.honest.url], checkpoint=f"1:{block['hash']}")
        self.works(node, "home")
        self.liar.tell(self.fork())
        self.works(node, "after")

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
