# SPDX-License-Identifier: Apache-2.0
"""`bw ledger copy`: an organisation that began alone, with a ledger of its own, carries it to a chain."""
import os
import shutil
import signal
import subprocess

from nodes import BW, ChainTest, main, run_bw, wait_for

GRANTS = 40


class Copy(ChainTest):
    def setUp(self):
        super().setUp()
        old = self.up("old")
        for name in ("home", "alice", "carol"):
            old.ok("entity", "create", name)
        self.keys = {name: old.key(name) for name in ("home", "alice", "carol")}
        old.ok("alias", "set", "home", sign="home")
        for room in range(GRANTS):
            old.ok("grant", "alice", f"home/room{room}/*", "C", sign="home")
        revoked = old.ok("grant", "carol", "home/hall", "C", sign="home").row["id"]
        old.ok("revoke", revoked, sign="home")
        self.entries = old.status()["size"]
        old.stop()
        self.file = os.path.join(self.root, "old.log")
        shutil.copy(old.path("authority", "ledger.log"), self.file)

    def arguments(self, node):
        return ["--json", "--dir", node.directory, "ledger", "copy", self.file]

    def all_there(self, node):
        self.holds_truth(node)
        for room in (0, GRANTS - 1):
            self.assertTrue(node.ok("why", self.keys["alice"], f"home/room{room}/x", "C").row["allowed"])
        node.refused(3, "why", self.keys["carol"], "home/hall", "C")

    def test_everything_is_carried(self):
        new = self.chained("new")
        done = run_bw(*self.arguments(new), timeout=120)
        self.assertEqual(done.code, 0, done)
        self.assertEqual(done.row["carried"] + done.row["without_effect"], self.entries)
        self.assertEqual(done.row["ledger"], "ethereum")
        self.all_there(new)
        size = self.truth()[0]
        self.assertEqual(run_bw(*self.arguments(new), timeout=120).code, 0)
        self.assertEqual(self.truth()[0], size)
        # Another who joins sees the same.
        self.all_there(self.chained("other"))

    def test_a_copy_that_is_killed_goes_on(self):
        new = self.registered(self.chained("new"))
        own = self.truth()[0]
        with subprocess.Popen([BW, *self.arguments(new)], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as first:
            wait_for("some entries", lambda: self.truth()[0] > own)
            first.send_signal(signal.SIGKILL)
            first.communicate()
        done = run_bw(*self.arguments(new), timeout=120)
        self.assertEqual(done.code, 0, done)
        self.all_there(new)
        self.assertEqual(self.truth()[0], own + self.entries)


if __name__ == "__main__":
    main()
