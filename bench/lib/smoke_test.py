# SPDX-License-Identifier: Apache-2.0
"""A short round of `route`, `latency` and `chain` through real processes: every system carries every message, and every
key is there. Needs the programs built, BW_BUILD names where."""
import argparse
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from bench import chain, latency, route  # noqa: E402
from bench.lib import build, load  # noqa: E402


def measured(bench, *arguments: str) -> dict:
    parser = argparse.ArgumentParser()
    bench.options(parser)
    return bench.run(parser.parse_args(["--rounds", "1", "--seconds", "0.2", "--warm-up", "0", *arguments]))


class Smoke(unittest.TestCase):
    def test_route_carries_messages_through_every_system(self):
        out = measured(route)
        self.assertEqual(set(out), {key + end for key in route.VARIANTS for end in ("", "_min", "_max")})
        for key, rate in out.items():
            self.assertGreater(rate, 0, key)
        self.assertGreater(out["bosswave_1"], 3 * out["bosswave_unbatched_1"])

    def test_latency_is_positive_and_its_percentiles_ascend(self):
        names = ["bosswave", "nats", "mosquitto"]
        out = measured(latency, "--only", *names)
        self.assertEqual(set(out), {f"{name}_{percentile}_{rate}{end}" for name in names
                                    for percentile in latency.PERCENTILES for rate in latency.RATES
                                    for end in ("", "_min", "_max")})
        for name in names:
            for rate in latency.RATES:
                p50, p99, p999 = (out[f"{name}_{percentile}_{rate}"] for percentile in latency.PERCENTILES)
                self.assertTrue(0 < p50 <= p99 <= p999, name)

    def test_entries_get_onto_a_chain_and_to_all_followers(self):
        parser = argparse.ArgumentParser()
        chain.options(parser)
        out = chain.run(parser.parse_args(["--block-time", "1", "--entries", "200", "--submissions", "4", "--rest", "3"]))
        self.assertEqual(set(out), {
            "entries_per_s", "entries_per_block", "changes_per_hour_by_gas", "share_of_gas", "effect_p50_ms",
            "effect_p99_ms", "answered_p50_ms", "answered_p99_ms", "follower_bytes_per_head", "follower_us_per_head",
            "follower_bytes_per_entry", "follower_us_per_entry", "block_s", "confirmations", "entries"})
        for key, value in out.items():
            self.assertGreater(value, 0, key)
        self.assertLess(out["share_of_gas"], 1)
        # An entry has 200 bytes at least, in hexadecimal digits.
        self.assertGreater(out["follower_bytes_per_entry"], 400)

    def test_figures_that_are_not_what_they_seem_are_refused(self):
        good = {"disordered": 0, "publisher": {"sent": 9, "refused": 0, "signed": 10, "batches": 10}}
        route.check("bosswave_unbatched_1", good)
        for wrong in ({"refused": 1}, {"batches": 9}):
            with self.assertRaises(load.Failed):
                route.check("bosswave_unbatched_1", {**good, "publisher": {**good["publisher"], **wrong}})
        with self.assertRaises(load.Failed):
            route.check("nats_1", {**good, "disordered": 1})


if __name__ == "__main__":
    build.say(f"programs of {build.BUILD}")
    unittest.main(verbosity=2)
