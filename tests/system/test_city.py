# SPDX-License-Identifier: Apache-2.0
"""bw city: a small city built, asked, lived in, pressed and reported, also when everything is killed in between."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree

from bosswave import BW, PATIENCE, main, wait_for

SCALE = "0.002"


class City(unittest.TestCase):
    def setUp(self):
        # Short, because a socket's path has at most 107 bytes.
        self.directory = tempfile.mkdtemp(prefix="bwcity")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def bw(self, *words, scale=SCALE):
        named = ("--scale", scale) if scale else ()
        done = subprocess.run([BW, "--json", "--dir", self.directory, "city", *words, *named],
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

    def found(self, *words, scale=SCALE):
        code, errors, report = self.bw(*words, scale=scale)
        self.assertEqual(code, 0, errors)
        return report

    def page(self):
        """The text of the report, which has to be well-formed and need nothing from elsewhere."""
        with open(os.path.join(self.directory, "report.html"), encoding="utf-8") as file:
            text = file.read()
        root = xml.etree.ElementTree.fromstring(text)
        for element in root.iter():
            self.assertNotIn(element.tag.split("}")[-1], ("script", "link", "img", "iframe"))
            self.assertFalse({"src", "href"} & set(element.keys()))
        self.assertNotIn("url(", text)
        return root, " ".join(root.itertext())

    def test_the_whole_chain(self):
        report = self.found("report", scale=None)
        self.assertEqual([gap["finding"] for gap in report["not_measured"]],
                         ["build", "check", "run", "capacity", "participants", "attacked"])
        built = self.found("build")
        self.assertEqual((built["resumed"], built["repeated"]), (0, 0))
        objects = built["entities"] + built["dots"]
        self.assertGreater(built["disk_bytes"], 100 * objects)
        self.assert_is_whole()
        # Once more: nothing to do, and the figures of the building stay.
        self.assertEqual(self.found("build")["resumed"], objects)
        # Another city does not go on top of it.
        code, errors, _ = self.bw("build", "--seed", "2")
        self.assertEqual(code, 6, errors)
        self.assertIn("another city", errors)
        lived = self.found("run", "--days", "1", "--attempts", "1000", "--rate", "60")
        self.assertEqual(lived["disagreements"], 0)
        self.assertGreater(lived["refused"], 50)
        taken = self.found("capacity", "--rate", "60", "--step", "0.5")
        self.assert_is_a_capacity(taken)
        # The city goes on living as its model says, after all those changes.
        lived = self.found("run", "--days", "0.2", "--attempts", "1000", "--rate", "60", "--messages", "0")
        self.assertEqual(lived["disagreements"], 0)
        self.assert_is_reported(built, taken)

    def assert_is_a_capacity(self, taken):
        steps = taken["steps"]
        held = [min(step["offered_per_hour"], step["done_per_hour"]) for step in steps if not step["queue_grew"]]
        self.assertEqual(taken["churn_per_hour"], max(held))
        self.assertGreater(taken["churn_per_hour"], 4000)
        self.assertEqual(steps[0]["offered_per_hour"], 250_000)
        for step in steps:
            self.assertGreater(step["p50_ms"], 0)
            self.assertGreaterEqual(step["p99_ms"], step["p50_ms"])
        # It did not end for want of trying.
        self.assertTrue(any(step["queue_grew"] for step in steps))

    def assert_is_reported(self, built, taken):
        report = self.found("report", scale=None)
        self.assertEqual([gap["finding"] for gap in report["not_measured"]], ["participants", "attacked"])
        self.assertEqual(report["figures"]["build_s"], built["build_s"])
        self.assertEqual(report["figures"]["churn_per_hour"], taken["churn_per_hour"])
        with open(os.path.join(self.directory, "report.json"), encoding="utf-8") as file:
            self.assertEqual(json.load(file), report)
        total = report["table_1"][-1]
        self.assertEqual((total["entities"], total["dots"]), (built["entities"], built["dots"]))
        self.assertLess(abs(total["dots_difference"]), 0.01 * total["dots"])
        root, text = self.page()
        plots = [element for element in root.iter() if element.tag.endswith("}svg")]
        self.assertEqual(len(plots), 7)
        empty = [plot.get("aria-label") for plot in plots if "nothing to show" in "".join(plot.itertext())]
        self.assertEqual(empty, [])
        for words in (f"{total['dots']:,}", f"{int(taken['churn_per_hour']):,}", "links in the proof",
                      "hour of the day", "bw city run --participants 100"):
            self.assertIn(words, text)

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
