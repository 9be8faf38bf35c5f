# SPDX-License-Identifier: Apache-2.0
"""`bw ledger copy`: an organisation that began alone carries its entries to a ledger shared with others."""

import os
import shutil
import signal
import subprocess

from bosswave import BW, SystemTest, main, run_bw, wait_for

GRANTS = 40


class LedgerCopies(SystemTest):
    def setUp(self):
        super().setUp()
        old = self.up("old")
        for name in ("home", "alice", "bob", "carol"):
            old.ok("entity", "create", name)
        self.keys = {name: old.key(name) for name in ("home", "alice", "bob", "carol")}
        old.ok("alias", "set", "home", sign="home")
        for room in range(GRANTS):
            old.ok("grant", "alice", f"home/room{room}/*", "C", sign="home")
        old.ok("grant", "bob", "home/hall", "C", sign="home")
        revoked = old.ok("grant", "carol", "home/hall", "C", sign="home").row["id"]
        old.ok("revoke", revoked, sign="home")
        old.ok("entity", "renew", "home")
        self.entries = old.status()["size"]
        old.stop()
        self.file = os.path.join(self.root, "old.log")
        shutil.copy(old.path("authority", "ledger.log"), self.file)

    def copy_arguments(self, node):
        return ["--json", "--dir", node.directory, "ledger", "copy", self.file]

    def assert_all_there(self, node):
        for room in (0, GRANTS - 1):
            self.assertTrue(node.ok("why", self.keys["alice"], f"home/room{room}/x", "C").row["allowed"])
        self.assertTrue(node.ok("why", self.keys["bob"], "home/hall", "C").row["allowed"])
        node.refused(3, "why", self.keys["carol"], "home/hall", "C")

    def test_everything_is_carried_and_again_nothing_changes(self):
        new = self.up("new")
        done = run_bw(*self.copy_arguments(new))
        self.assertEqual(done.code, 0, done)
        self.assertEqual(done.row["carried"] + done.row["without_effect"], self.entries)
        # The grant that was revoked since is carried with its revocation.
        self.assertEqual(done.row["without_effect"], 0, done)
        self.assert_all_there(new)
        size = new.status()["size"]
        again = run_bw(*self.copy_arguments(new))
        self.assertEqual(again.code, 0, again)
        self.assertEqual(new.status()["size"], size)

    def test_a_copy_that_is_killed_goes_on_where_it_ended(self):
        ledger = self.ledger("slow", ledger={"entries_per_second": 12.0, "burst": 8.0})
        agent = self.agent(ledger)
        own = wait_for("the agent's own entity", lambda: agent.status()["size"] >= 2 and agent.status()["size"])
        with subprocess.Popen([BW, *self.copy_arguments(agent)], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as first:
            wait_for("some entries", lambda: agent.status()["size"] > own + 5)
            first.send_signal(signal.SIGKILL)
            first.communicate()
        held = agent.status()["size"]
        self.assertLess(held, own + self.entries)
        done = run_bw(*self.copy_arguments(agent), timeout=90)
        self.assertEqual(done.code, 0, done)
        self.assert_all_there(agent)
        self.assertEqual(agent.status()["size"], own + self.entries)

    def test_what_is_not_a_ledger_is_refused(self):
        new = self.up("new")
        new.refused(4, "ledger", "copy", os.path.join(self.root, "missing"), says="missing")
        with open(self.file, "r+b") as file:
            file.write(b"something else")
        new.refused(8, "ledger", "copy", self.file, says="ledger file")


if __name__ == "__main__":
    main()
