# SPDX-License-Identifier: Apache-2.0
"""The ledger's clients of endpoints where one of them lies or does not answer."""
import os
import unittest

import lies
from chain import Account, wait_for
from probe import EndpointTest, Probe, entries_of, tree


class Lies(EndpointTest):
    def test_a_swallowed_transaction_gets_there_by_the_other(self):
        lie = self.liar.tell(lies.Swallow())
        someone = Account(os.urandom(32)).address
        self.both().ok("send", raw=self.transfer(someone))
        self.chain.mine()
        self.assertEqual((self.chain.balance(someone), lie.told), (7, 1))

    def test_lies_about_logs_are_seen_by_the_tree_alone(self):
        """Their form is good, so that whoever follows must hold them against the head that is proved."""
        size, root = self.registry.head()
        probe = self.both()
        for lie in (lies.Lie(), lies.OmitLog(), lies.AlterLog(), lies.ReorderLogs(), lies.InventLog()):
            with self.subTest(type(lie).__name__):
                self.liar.tell(lie)
                logs = probe.ok("logs", address=self.registry.address, to=self.chain.height)
                entries = [entry for log in logs for entry in entries_of(bytes.fromhex(log["data"][2:]))[1]]
                self.assertEqual((len(entries), tree.root(entries)) == (size, root), lie.told == 0)
                self.assertEqual(probe.status(self.liar.url)["lie"], "")

    def test_what_cannot_be_is_a_lie(self):
        for lie in (lies.AlterHeader(), lies.WrongProof()):
            with self.subTest(type(lie).__name__):
                self.liar.tell(lie)
                probe = self.both()
                self.shows_the_truth(probe)
                self.assertTrue(lie.told)
                self.assertTrue(probe.status(self.liar.url)["lie"])
                self.assertEqual(probe.status(self.honest.url)["lie"], "")

    def test_what_is_no_answer_is_trouble(self):
        for lie in (lies.Refuse(), lies.Drop(), lies.Garbage(), lies.Huge(8 << 20), lies.UnknownId(), lies.Slow(60),
                    lies.Hang()):
            with self.subTest(type(lie).__name__):
                self.liar.tell(lie)
                probe = self.both()
                self.shows_the_truth(probe)
                self.assertTrue(lie.told)
                wait_for(f"{lie} to be noticed", lambda probe=probe: probe.ok("latest") and
                         probe.status(self.liar.url)["trouble"])
                self.assertEqual(probe.status(self.honest.url)["trouble"], "")
                self.liar.be_honest()

                def recovered(probe=probe):
                    self.shows_the_truth(probe)
                    return probe.status(self.liar.url)["answers"]

                wait_for("the endpoint to be used again", recovered)

    def test_garbage_of_every_kind(self):
        self.liar.tell(lies.Garbage())
        probe = self.enterContext(Probe(self.liar.url))
        for _ in range(9):
            wait_for("an attempt", lambda: "no endpoint of the chain answers" not in probe.ask("latest")["message"] or
                     self.liar.current.told >= 9)
        wait_for("all of them", lambda: probe.ask("latest") and self.liar.current.told >= 9)
        self.liar.be_honest()
        wait_for("the truth", lambda: "ok" in probe.ask("latest"))

    def test_a_head_that_stands_still_holds_nobody_up(self):
        probe = self.both()
        self.shows_the_truth(probe)
        self.liar.tell(lies.StaleHead())
        probe.ok("latest")
        self.chain.mine(2)
        self.shows_the_truth(probe)
        self.assertEqual(probe.status(self.liar.url)["head"], self.chain.height - 2)

    def test_two_must_agree(self):
        probe = self.both(agree=2)
        self.shows_the_truth(probe)
        self.liar.tell(lies.Drop())
        self.assertEqual(probe.ask("latest")["error"], "unavailable")
        self.liar.be_honest()
        wait_for("both to answer", lambda: "ok" in probe.ask("latest"))


class Forks(EndpointTest):
    def setUp(self):
        super().setUp()
        self.fork = lies.OtherFork(self.enterContext(self.chain.twin()).rpc)
        self.fork.rpc("evm_mine")
        self.fork.rpc("evm_mine")
        self.chain.mine(2)

    def test_the_first_is_believed_and_the_other_named(self):
        probe = self.enterContext(Probe(self.honest.url, self.liar.url))
        self.liar.tell(self.fork)
        self.assertEqual(probe.ok("latest")["agreeing"], [self.honest.url])
        self.assertRegex(probe.status(self.liar.url)["disagrees"], f"its block {self.chain.height} is 0x")
        self.assertEqual(probe.status(self.honest.url)["disagrees"], "")

    def test_a_checkpoint_overrules_the_order(self):
        block = self.chain.block()
        probe = self.both(checkpoint=f"{int(block['number'], 16)}:{block['hash']}")
        self.liar.tell(self.fork)
        wait_for("the head of the honest endpoint", lambda: probe.ask("latest").get("ok", {}).get("hash") == block["hash"])
        self.assertIn("does not descend from the checkpoint", probe.status(self.liar.url)["lie"])
        self.assertEqual(probe.status(self.honest.url)["lie"], "")

    def test_where_two_must_agree_neither_is_believed(self):
        probe = self.both(agree=2)
        self.chain.mine(4)
        for _ in range(4):
            self.fork.rpc("evm_mine")
        self.liar.tell(self.fork)
        self.assertEqual(probe.ask("latest")["error"], "fork")
        self.liar.be_honest()
        self.shows_the_truth(probe)


if __name__ == "__main__":
    unittest.main()
