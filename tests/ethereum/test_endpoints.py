# SPDX-License-Identifier: Apache-2.0
"""The ledger's clients of endpoints against real nodes (BW_CHAIN)."""
import contextlib
import os
import unittest

from chain import CHAIN_ID, GWEI, Account, wait_for
from probe import EndpointTest, Probe, artifact, grant, objects


class Endpoints(EndpointTest):
    def test_what_an_honest_endpoint_says(self):
        probe = self.enterContext(Probe(self.chain.url))
        self.shows_the_truth(probe)
        self.assertEqual(probe.ok("finalized")["number"], self.chain.height - 8)
        account = self.chain.accounts[0]
        said = probe.ok("account", address=account.address)
        nonce = int(self.chain.rpc("eth_getTransactionCount", account.address, "latest"), 16)
        self.assertEqual((said["nonce"], said["pending"], said["code"], said["chain"]), (nonce, nonce, "0x", CHAIN_ID))
        self.assertEqual(int(said["balance"], 16), self.chain.balance(account.address))
        self.assertGreater(int(said["base_fee"], 16), 0)
        code = probe.ok("account", address=self.registry.address)["code"]
        self.assertEqual(code, artifact("Registry")["deployedBytecode"])
        receipt = probe.ok("receipt", transaction=self.receipt["transactionHash"])
        self.assertEqual((receipt["succeeded"], receipt["gas_used"]), (True, int(self.receipt["gasUsed"], 16)))
        self.assertEqual([log["data"][16:] for log in receipt["logs"]], [self.entries[-1].hex()])
        self.assertIsNone(probe.ok("receipt", transaction="0x" + bytes(32).hex()))

    def test_logs_of_one_block_come_in_order(self):
        for number, account in enumerate(self.chain.accounts):
            nonce = int(self.chain.rpc("eth_getTransactionCount", account.address, "latest"), 16)
            call = objects.call(objects.EACH, objects.item(grant(1, 5 + number)))
            self.chain.rpc("eth_sendRawTransaction", "0x" + account.transaction(
                CHAIN_ID, nonce, GWEI, 10 * GWEI, 1_000_000, self.registry.address, 0, call).hex())
        self.chain.mine()
        logs = self.enterContext(Probe(self.chain.url)).ok("logs", address=self.registry.address, to=self.chain.height)
        places = [(log["block"], log["index"]) for log in logs]
        self.assertEqual(places, sorted(set(places)))
        self.assertEqual(places[-2:], [(self.chain.height, 0), (self.chain.height, 1)])
        size = self.registry.head()[0]
        self.assertEqual([int(log["data"][2:12], 16) for log in logs][-2:], [size - 2, size - 1])

    def test_calls_that_revert_say_why(self):
        probe = self.enterContext(Probe(self.chain.url))
        good = objects.call(objects.ALL_OR_NONE, objects.item(grant(1, 4)))
        said = probe.ok("call", to=self.registry.address, data="0x" + good.hex())
        self.assertEqual(said["reverted"], False)
        used = int(self.registry.send(good)["gasUsed"], 16)
        self.assertLessEqual(used, said["gas"] * 1.02)
        bad = objects.call(objects.ALL_OR_NONE, objects.item(grant(9, 4)))
        said = probe.ok("call", to=self.registry.address, data="0x" + bad.hex())
        self.assertEqual((said["reverted"], said["output"]), (True, artifact("Registry")["errors"]["SignerUnknown"]))

    def test_transactions(self):
        probe = self.enterContext(Probe(self.chain.url))
        someone = Account(os.urandom(32)).address
        raw = self.transfer(someone)
        sent = probe.ok("send", raw=raw)
        self.assertEqual(probe.ok("account", address=self.chain.accounts[1].address)["pending"],
                         probe.ok("account", address=self.chain.accounts[1].address)["nonce"] + 1)
        self.assertEqual(probe.ask("send", raw=raw)["error"], "conflict")
        self.assertIsNone(probe.ok("receipt", transaction=sent))
        self.chain.mine()
        wait_for("the receipt", lambda: probe.ok("receipt", transaction=sent))
        self.assertEqual(self.chain.balance(someone), 7)
        self.assertEqual(probe.ask("send", raw=self.transfer(someone, -1))["error"], "conflict")
        poor = Account(os.urandom(32)).transaction(CHAIN_ID, 0, 1, 10**11, 21_000, someone, 7, b"")
        self.assertEqual(probe.ask("send", raw="0x" + poor.hex())["error"], "denied")

    def test_a_reorganisation_is_followed(self):
        self.chain.mine(6)
        block = self.chain.block(1)
        with contextlib.ExitStack() as stack:
            probes = [stack.enter_context(Probe(self.honest.url)),
                      stack.enter_context(Probe(self.honest.url, checkpoint=f"1:{block['hash']}"))]
            for probe in probes:
                self.shows_the_truth(probe)
            self.chain.reorg(5)
            for probe in probes:
                self.shows_the_truth(probe)


if __name__ == "__main__":
    unittest.main()
