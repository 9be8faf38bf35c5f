# SPDX-License-Identifier: Apache-2.0
"""What the authority of the story stands on: a ledger that one of the processes serves, or a chain that nobody owns."""
import contextlib
import os
import pathlib
import sys

from nodes import Failure, wait

ROOT = pathlib.Path(__file__).resolve().parents[2]


class EmbeddedLedger:
    """One process is the ledger; the others follow it."""

    def __init__(self):
        self.server = None

    def open(self, story):
        self.server = story.stage.start("ledger", "ledger")

    def config(self, _node):
        if not self.server:
            return '[ledger]\nlisten = "127.0.0.1:0"\n'
        return (f'[ledger]\naddress = "{self.server.facts["ledger_address"]}"\n'
                f'key = "{self.server.facts["ledger_key"]}"\n')

    def pay_for(self, node):
        """Nobody pays here."""

    def be_lied_about(self, _story):
        """The liars of this ledger are in tests/."""

    def lie_is_found(self, _story):
        pass

    def close(self):
        pass


class ChainLedger:
    """A chain of this machine, and two endpoints of it: one will lie."""

    PERIOD = 0.5  # seconds between blocks
    # Blocks count a second each at least: the chain begins behind the clock, so that it does not run ahead of it.
    SKEW = -45
    CONFIRMATIONS = 1

    def __init__(self):
        sys.path[:0] = [str(ROOT / "tests" / "ethereum")]
        from chain import open_chain
        from lying_proxy import LyingProxy
        self.parts = contextlib.ExitStack()
        self.chain = self.parts.enter_context(open_chain("anvil", period=self.PERIOD, skew=self.SKEW))
        self.liar = self.parts.enter_context(LyingProxy(self.chain.url))
        self.honest = self.parts.enter_context(LyingProxy(self.chain.url))
        self.lie = None

    def open(self, story):
        stage = story.stage
        story.tell(f"The ledger is a few contracts on a chain, and nobody owns them: here one of this machine, with a block each "
                   f"{self.PERIOD} s. Two servers answer for it; neither is trusted.")
        self.purse = os.path.join(stage.directory, "purse.key")
        with open(os.open(self.purse, os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
            file.write(self.chain.accounts[0].key.hex() + "\n")
        self.network = os.path.join(stage.directory, "network.json")
        command = ["ledger", "deploy", "--endpoint", self.honest.url, "--key", self.purse, "--out", self.network]
        answer = stage.run(["--dir", stage.directory, *command], show="somebody")
        if answer.code != 0:
            raise Failure(f"bw ledger deploy: {answer.error}")
        block = self.chain.block(answer.json["deployment_block"])
        print(f"               contracts at {answer.json['registry']}, for {int(block['gasUsed'], 16):,} gas")

    def config(self, _node):
        # The second says when there is a block: without that, nodes look once a second.
        return (f'[ethereum]\nnetwork = "{self.network}"\nendpoints = ["{self.liar.url}", "{self.honest.ws_url}"]\n'
                f'confirmations = {self.CONFIRMATIONS}\n')

    def pay_for(self, node):
        """Each pays for its own entries."""
        node.bw("ledger", "fund", "--from", self.purse, "--amount", "1")

    def be_lied_about(self, story):
        import lies
        story.tell("From now on one of the two servers leaves out the latest entry whenever it is asked.")
        self.lie = self.liar.tell(lies.OmitLog())

    def lie_is_found(self, story):
        def found():
            return self.lie.told and any(one["lie"] for one in self.endpoints(story.alice))
        wait(found, "the lie to be found out")
        named = next(one for one in self.endpoints(story.alice) if one["lie"])
        story.expect("Alice's node found the lie out, says whose it is, and did not miss a grant",
                     self.liar.url in named["name"], named["lie"])
        self.liar.be_honest()

    @staticmethod
    def endpoints(node):
        return node.status()["endpoints"]

    def close(self):
        self.parts.close()


LEDGERS = {"embedded": EmbeddedLedger, "ethereum": ChainLedger}
