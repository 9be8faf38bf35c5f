# SPDX-License-Identifier: Apache-2.0
"""bw city build and check: a small city through a real ledger, also when everything is killed in between."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import unittest

from bosswave import BW, PATIENCE, main, wait_for

SCALE = "0.002"


class City(unittest.TestCase):
    def setUp(self):
        # Short, because a socket's path has at most 107 bytes.
        self.directory = tempfile.mkdtemp(prefix="bwcity")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def bw(self, *words, scale=SCALE):
        done = subprocess.run([BW, "--json", "--dir", self.directory, "city", *words, "--scale", scale],
                              capture_output=True, text=True, timeout=3 * PATIENCE, check=False)
        return done.returncode, done.stderr, json.loads(done.stdout) if done.returncode == 0 else None

    def done(self):
        try:
            with open(os.path.join(self.directory, "progress"), encoding="utf-8") as file:
                return int(file.read().split()[-1])
        except (OSError, IndexError, ValueError):
            return 0

    def assert_is_whole(self, scale=SCALE):
        code, errors, report = self.bw("check", "--pairs", "2000", scale=scale)
        self.assertEqual(code, 0, errors)
        self.assertEqual(report["oracle_disagreements"], 0)
        self.assertEqual(report["pairs"], 2000)
        self.assertGreater(report["allowed"], 500)

    def test_is_built_by_one_command(self):
        code, errors, report = self.bw("build")
        self.assertEqual(code, 0, errors)
        self.assertEqual((report["resumed"], report["repeated"]), (0, 0))
        self.assertGreater(report["disk_bytes"], 100 * (report["entities"] + report["dots"]))
        self.assert_is_whole()
        # Once more: nothing to do.
        code, errors, again = self.bw("build")
        self.assertEqual(code, 0, errors)
        self.assertEqual(again["resumed"], report["entities"] + report["dots"])
        # Another city does not go on top of it.
        code, errors, _ = self.bw("build", "--seed", "2")
        self.assertEqual(code, 6, errors)
        self.assertIn("another city", errors)

    def killed(self, whole_group):
        scale = "0.02"
        running = subprocess.Popen([BW, "--dir", self.directory, "city", "build", "--scale", scale],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            wait_for("some progress", lambda: self.done() > 0)
            self.assertIsNone(running.poll(), "it was done before it could be killed")
        finally:
            if whole_group:
                os.killpg(running.pid, signal.SIGKILL)
            else:
                running.kill()
            running.wait()
        before = self.done()
        code, errors, report = self.bw("build", scale=scale)
        self.assertEqual(code, 0, errors)
        self.assertEqual(report["resumed"], before)
        self.assertLess(before, report["entities"] + report["dots"])
        self.assert_is_whole(scale)

    def test_continues_after_a_kill_of_the_builder(self):
        self.killed(whole_group=False)

    def test_continues_after_a_kill_of_builder_and_ledger(self):
        self.killed(whole_group=True)


if __name__ == "__main__":
    main()
