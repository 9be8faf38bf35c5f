# SPDX-License-Identifier: Apache-2.0
"""bw city run: a small city that lives, checked against its model's truth, also when it is killed in between."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import unittest

from bosswave import BW, PATIENCE, main, wait_for

SCALE = "0.0005"


class CityRun(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="bwrun")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        code, errors, _ = self.bw("build")
        self.assertEqual(code, 0, errors)

    def words(self, *words):
        return [BW, "--json", "--dir", self.directory, "city", *words, "--scale", SCALE]

    def bw(self, *words):
        done = subprocess.run(self.words(*words), capture_output=True, text=True, timeout=3 * PATIENCE, check=False)
        return done.returncode, done.stderr, json.loads(done.stdout) if done.stdout else None

    @property
    def events_file(self):
        return os.path.join(self.directory, "run", "events")

    def events(self):
        try:
            with open(self.events_file, encoding="utf-8") as file:
                return int(file.read().split()[-1])
        except (OSError, IndexError, ValueError):
            return 0

    def assert_well(self, report, attempts):
        self.assertEqual(report["disagreements"], 0)
        self.assertEqual(report["attempts"], attempts)
        self.assertEqual(report["allowed"] + report["refused"], attempts)
        self.assertGreater(report["allowed"], attempts / 3)
        self.assertGreater(report["refused"], attempts / 20)
        self.assertGreater(report["old_proofs_refused"], 0)
        self.assertEqual(report["messages"], 20)
        self.assertGreater(report["messages_delivered"], 5)
        self.assertLess(report["messages_delivered"], 20)

    def test_lives_for_days(self):
        code, errors, report = self.bw("run", "--rate", "60", "--days", "1", "--attempts", "2000")
        self.assertEqual(code, 0, errors)
        self.assert_well(report, 2000)
        self.assertGreater(report["changes"], 300)
        self.assertGreater(report["changes_per_hour"], 15)
        first = self.events()
        self.assertEqual(report["events"], first)
        # The next day goes on where this one ended.
        code, errors, report = self.bw("run", "--rate", "60", "--days", "0.5", "--attempts", "1000")
        self.assertEqual(code, 0, errors)
        self.assert_well(report, 1000)
        self.assertEqual(self.events(), first + report["events"])
        # At another rate it would be another history.
        code, errors, _ = self.bw("run", "--rate", "61")
        self.assertEqual(code, 6, errors)

    def test_goes_on_after_a_kill(self):
        options = ("run", "--rate", "600", "--days", "1", "--attempts", "500")
        with subprocess.Popen(self.words(*options), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              start_new_session=True) as running:
            wait_for("some events", lambda: self.events() > 5)
            os.killpg(running.pid, signal.SIGKILL)
        # As if it had been killed after the ledger took the last event and before this was noted.
        with open(self.events_file, encoding="utf-8") as file:
            words = file.read().split()
        with open(self.events_file, "w", encoding="utf-8") as file:
            file.write(" ".join([*words[:-1], str(int(words[-1]) - 1)]) + "\n")
        code, errors, report = self.bw(*options)
        self.assertEqual(code, 0, errors)
        self.assert_well(report, 500)

    def test_a_city_that_does_not_do_as_its_model_says_is_named(self):
        # Of another history: this model has not heard of what happened before.
        code, errors, _ = self.bw("run", "--rate", "300", "--days", "1", "--attempts", "10")
        self.assertEqual(code, 0, errors)
        os.remove(self.events_file)
        code, errors, report = self.bw("run", "--rate", "1", "--days", "0.1", "--attempts", "3000")
        self.assertNotEqual(code, 0)
        self.assertGreater(report["disagreements"], 0)
        self.assertIn("refused", " ".join(report["named"]))
        self.assertIn(" > ", " ".join(report["named"]))
        self.assertIn("did not end as they must", errors)

    def test_needs_a_city(self):
        code, errors, _ = self.bw("run", "--seed", "2")
        self.assertNotEqual(code, 0)
        self.assertIn("build it first", errors)
        shutil.rmtree(os.path.join(self.directory, "ledger"))
        code, errors, _ = self.bw("run")
        self.assertNotEqual(code, 0)
        self.assertIn("bw city build", errors)


if __name__ == "__main__":
    main()
