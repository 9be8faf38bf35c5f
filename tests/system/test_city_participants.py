# SPDX-License-Identifier: Apache-2.0
"""bw city run --participants: agents on poor access links, measured while a small city lives, then attacked.

Needs root and network namespaces; without them the tests that need these are skipped, which ctest says.
"""

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import unittest

from bosswave import BW, PATIENCE, main, wait_for

SCALE = "0.002"
PARTICIPANTS = 6
FEEDS = PARTICIPANTS  # two a home, which has two participants


def why_not():
    """Why this system lets nobody emulate a network; nothing when it does."""
    if not os.path.exists("/dev/net/tun"):
        return "there is no /dev/net/tun"
    done = subprocess.run(["unshare", "--net", "true"], capture_output=True, text=True, check=False)
    return done.stderr.strip()


class Participants(unittest.TestCase):
    def setUp(self):
        # Short, because a socket's path has at most 107 bytes.
        self.directory = tempfile.mkdtemp(prefix="bwpart")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def words(self, *words):
        return [BW, "--json", "--dir", self.directory, "city", *words]

    def bw(self, *words):
        done = subprocess.run(self.words(*words), capture_output=True, text=True, timeout=3 * PATIENCE, check=False)
        return done.returncode, done.stderr, json.loads(done.stdout) if done.stdout else None

    def found(self, *words):
        code, errors, report = self.bw(*words)
        self.assertEqual(code, 0, errors)
        return report

    def build(self):
        self.found("build", "--scale", SCALE)

    def run_words(self, *words):
        return ("run", "--scale", SCALE, "--days", "0.01", "--attempts", "50", "--messages", "10",
                "--participants", str(PARTICIPANTS), *words)

    def result(self, name):
        with open(os.path.join(self.directory, "results", name + ".json"), encoding="utf-8") as file:
            return json.load(file)

    def rows(self, query):
        with contextlib.closing(sqlite3.connect(os.path.join(self.directory, "run", "participants.sqlite"))) as file:
            return file.execute(query).fetchall()

    def needs_namespaces(self):
        reason = why_not()
        if reason:
            self.skipTest(f"this system lets nobody emulate a network: {reason}")

    def test_are_measured_and_attacked(self):
        self.needs_namespaces()
        self.build()
        # The rate is that of the real time too: a change in 1.2 s.
        found = self.found(*self.run_words("--rate", "3000", "--watch", "11", "--attack", "--rounds", "2",
                                           "--round", "2"))
        self.assertEqual(found["disagreements"], 0)
        self.assertEqual(self.result("participants"), found["participants"])
        self.assertEqual(self.result("attacked"), found["attacked"])
        self.assert_measured(found["participants"])
        self.assert_in_series(found["participants"])
        self.assert_attacked(found["attacked"])
        self.assert_reported(found)
        self.assertFalse(os.path.exists(os.path.join(self.directory, "run", "participants")))

    def assert_measured(self, found):
        self.assertEqual(found["participants"], PARTICIPANTS)
        self.assertEqual(sum(kind["participants"] for kind in found["by_access"]), PARTICIPANTS)
        self.assertEqual(found["changes"], int(found["seconds"] * 3000 / 3600 + 0.5))
        for name in ("agent_cpu_percent", "agent_bytes_per_s", "agent_rss_bytes"):
            self.assertGreater(found[name + "_max"], 0, name)
            self.assertLessEqual(found[name], found[name + "_max"], name)
        # A message or two of each in 11 s, and nine changes.
        self.assertGreater(found["agent_bytes_per_s"], 50)
        self.assertGreater(found["messages"], FEEDS / 2)
        self.assertEqual((found["messages_lost"], found["messages_failed"]), (0, 0))
        self.assertEqual(found["tried"], 10)
        self.assertEqual(found["disagreements"], 0)
        # A message crosses two links, and cannot be quicker than they are.
        quickest = min(kind["delay_ms"] for kind in found["by_access"])
        self.assertGreater(found["message_p50_us"], 2000 * quickest)

    def assert_in_series(self, found):
        drawn = self.rows("SELECT access, count(*) FROM participant GROUP BY access")
        self.assertEqual(dict(drawn), {kind["access"]: kind["participants"] for kind in found["by_access"]})
        looks = len(found["over_time"])
        self.assertGreaterEqual(looks, 10)
        self.assertEqual(self.rows("SELECT participant, count(*) FROM sample WHERE phase = 0 GROUP BY participant"),
                         [(i, looks) for i in range(PARTICIPANTS)])
        self.assertEqual(self.rows("SELECT DISTINCT phase FROM sample ORDER BY phase"), [(i,) for i in range(5)])
        self.assertEqual(self.rows("SELECT count(*) FROM message WHERE phase = 0"), [(found["messages"],)])
        # What the whole watch took is what the sums say, but for what was before the first look.
        grown = self.rows("SELECT participant, (max(up_bytes + down_bytes) - min(up_bytes + down_bytes)) / "
                          "(max(s) - min(s)) FROM sample WHERE phase = 0 GROUP BY participant")
        self.assertAlmostEqual(max(rate for _, rate in grown), found["agent_bytes_per_s_max"],
                               delta=0.5 * found["agent_bytes_per_s_max"])

    def assert_attacked(self, found):
        # Of few participants half attack, a whole home less: its devices would have nobody to talk to.
        self.assertEqual((found["flooders"], found["spammers"]), (1, 1))
        self.assertEqual([one["attacked"] for one in found["rounds"]], [False, True, False, True])
        for one in found["rounds"]:
            self.assertGreater(one["messages"], 2)
        self.assertEqual(found["messages_lost"], 0)
        self.assertGreater(found["flood_messages_per_s"], 50)
        self.assertGreater(found["spam_dots_per_s"], 50)
        # The ledger takes what its limits allow, and no more.
        self.assertLess(found["spam_taken"], 100)
        for name in ("quiet_message_p50_us", "attacked_message_p50_us", "standard_error_us"):
            self.assertGreater(found[name], 0, name)

    def assert_reported(self, found):
        report = self.found("report")
        missing = [gap["finding"] for gap in report["not_measured"]]
        self.assertNotIn("participants", missing)
        self.assertNotIn("attacked", missing)
        for name in ("agent_cpu_percent", "agent_bytes_per_s", "agent_cpu_percent_max", "agent_bytes_per_s_max"):
            self.assertEqual(report["figures"][name], found["participants"][name])
        with open(os.path.join(self.directory, "report.html"), encoding="utf-8") as file:
            page = file.read()
        for words in ("CPU of an agent", "by access link", "Under attack", "messages lost"):
            self.assertIn(words, page)

    def test_go_with_the_run_that_is_killed(self):
        self.needs_namespaces()
        self.build()
        agents = os.path.join(self.directory, "run", "participants", "agents")

        def processes():
            found = subprocess.run(["pgrep", "-f", f"--dir {self.directory}/"], capture_output=True, text=True,
                                   check=False)
            return found.stdout.split()

        with subprocess.Popen(self.words(*self.run_words("--watch", "60")), stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as running:
            last = os.path.join(agents, str(PARTICIPANTS - 1), "agent.sock")
            wait_for("all agents", lambda: os.path.exists(last))
            running.send_signal(signal.SIGKILL)
        wait_for("all agents and the ledger to end", lambda: not processes())
        found = self.found(*self.run_words("--watch", "2"))
        self.assertEqual(found["participants"]["disagreements"], 0)

    def test_need_rights(self):
        if os.geteuid() != 0:
            self.skipTest("only root can give its rights up")
        self.build()
        done = subprocess.run(["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all", "--",
                               *self.words(*self.run_words())], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("network namespaces need root", done.stderr)
        self.assertIn("unshare --map-root-user", done.stderr)
        self.assertFalse(os.path.exists(os.path.join(self.directory, "results", "run.json")))

    def test_have_homes(self):
        self.needs_namespaces()
        self.build()
        code, errors, _ = self.bw("run", "--scale", SCALE, "--days", "0.01", "--attempts", "1", "--messages", "0",
                                  "--participants", "3")
        self.assertEqual(code, 2, errors)
        self.assertIn("an even number", errors)
        code, errors, _ = self.bw("run", "--scale", SCALE, "--attack")
        self.assertNotEqual(code, 0)
        self.assertIn("--participants", errors)


if __name__ == "__main__":
    main()
