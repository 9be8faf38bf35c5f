# SPDX-License-Identifier: Apache-2.0
"""A clock that is wrong or is set back: told as such, nothing lost, and all is well once it is right again.

Needs libfaketime (Debian: faketime); without it the tests are skipped. So they are under sanitizers, whose
allocators ask for the time before libfaketime is ready.
"""

import glob
import os
import unittest

from bosswave import SystemTest, main, wait_for

FAKETIME = next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), None)


@unittest.skipUnless(FAKETIME, "libfaketime is not installed")
@unittest.skipIf(os.environ.get("BW_SANITIZED"), "libfaketime does not work with sanitizers")
class Clock(SystemTest):
    def start(self, node):
        """Starts a node whose wall clock set() moves while it runs; its monotonic clock stays true."""
        self.offsets = getattr(self, "offsets", {})
        self.offsets[node] = node.directory + ".clock"
        if not os.path.exists(self.offsets[node]):
            self.set(node, "+0")
        return node.start(env={"LD_PRELOAD": FAKETIME, "FAKETIME_TIMESTAMP_FILE": self.offsets[node],
                               "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                               "FAKETIME_DONT_RESET": "1"})

    def set(self, node, offset):
        # At once, so that no half of it is read.
        with open(self.offsets[node] + ".new", "w", encoding="ascii") as file:
            file.write(offset + "\n")
        os.rename(self.offsets[node] + ".new", self.offsets[node])


class OneClock(Clock):
    def setUp(self):
        super().setUp()
        self.bw = self.start(self.up_node())
        self.bw.ok("namespace", "create", "home")

    def test_set_back_while_it_runs(self):
        self.bw.ok("persist", "home/v", "newer", sign="home")
        stream = self.subscription(self.bw, "home/*", "home")
        before = self.bw.status()
        for offset in ("-1h", "-30d"):
            self.set(self.bw, offset)
            # The older of two values never replaces the newer, and that is said.
            refused = self.bw.run("persist", "home/v", "older", sign="home")
            self.assertIn(refused.code, (3, 6), refused)
            self.assertTrue(refused.error["message"], refused)
            self.assertEqual(self.bw.run("info").code, 0)
            self.assertEqual(self.bw.status()["root"], before["root"])
        self.set(self.bw, "+0")
        self.assertEqual(self.bw.ok("query", "home/v", sign="home").row["payload"][0]["text"], "newer")
        wait_for("messages to pass again", lambda: self.bw.run("pub", "home/x", "again", sign="home").code == 0)
        stream.wait_texts("again")
        self.bw.ok("persist", "home/v", "newest", sign="home")
        self.bw.ok("entity", "create", "later")

    def test_set_back_while_it_is_down(self):
        self.bw.ok("persist", "home/v", "kept", sign="home")
        before = self.bw.status()
        self.bw.kill()
        self.set(self.bw, "-1h")
        self.start(self.bw)
        self.assertEqual(self.bw.status()["root"], before["root"])
        self.bw.kill()
        self.set(self.bw, "+0")
        self.start(self.bw)
        self.assertEqual(self.bw.status()["root"], before["root"])
        self.assertEqual(self.bw.ok("query", "home/v", sign="home").row["payload"][0]["text"], "kept")
        self.bw.ok("persist", "home/v", "newer", sign="home")

    def test_a_revoked_grant_stays_revoked_whatever_the_clock_says(self):
        self.bw.ok("entity", "create", "alice")
        dot = self.bw.ok("grant", "alice", "home/x", "P", sign="home").row["id"]
        self.bw.ok("pub", "home/x", "1", sign="alice")
        self.bw.ok("revoke", dot, sign="home")
        for offset in ("-1h", "+1h", "+0"):
            self.set(self.bw, offset)
            self.bw.refused(3, "pub", "home/x", "1", sign="alice")


class TwoClocks(Clock):
    def setUp(self):
        super().setUp()
        self.ledger_node = self.up()
        self.follower = self.node("follower", ["agent", "run"], ledger=self.following(self.ledger_node))
        self.registered(self.start(self.follower))
        self.follower.ok("entity", "create", "home")
        self.ledger_node.ok("router", "offer", self.follower.key("home"))
        self.follower.ok("namespace", "create", "home", "--router", self.ledger_node.info()["router_key"])
        self.follower.ok("pub", "home/x", "1", sign="home")

    def goes_on(self):
        self.set(self.follower, "+0")
        wait_for("the follower to go on", lambda: self.follower.run("pub", "home/x", "1", sign="home").code == 0)

    def test_a_follower_ahead_of_its_ledger_finds_it_stale(self):
        self.set(self.follower, "+1h")
        wait_for("the follower to stop deciding",
                 lambda: self.follower.run("why", "home", "home/x", "P").code == 3)
        self.assertIn("ledger", self.follower.run("why", "home", "home/x", "P").row["denial"])
        wait_for("the log to ask about the clock", lambda: "is a clock wrong?" in self.follower.log())
        self.goes_on()

    def test_a_publisher_whose_clock_is_behind_is_told(self):
        self.set(self.follower, "-10m")
        refused = self.follower.run("pub", "home/x", "1", sign="home")
        self.assertNotEqual(refused.code, 0, refused)
        self.assertRegex(refused.error["message"], "10 m old|clock")
        self.goes_on()


if __name__ == "__main__":
    main()
