# SPDX-License-Identifier: Apache-2.0
"""What sealed payloads cost."""
import json
import subprocess

from bench.lib import build
from bench.lib.stats import summary

TARGETS = ["seal_cost"]
CONSUMERS = (10, 1_000, 10_000)
# Name in the result, name in the program's, and how many of its nanoseconds make one.
KEYS = (("seal_ns", "seal", 1), ("open_ns", "open", 1), ("persist_us", "persist", 1e3),
        ("open_first_us", "open_first", 1e3), ("wrap_us_per_consumer", "wrap", 1e3),
        ("new_consumer_us", "new_consumer", 1e3), ("rotate_ms", "rotate", 1e6), ("list_ms", "list", 1e6))


def options(parser) -> None:
    parser.add_argument("--rounds", type=int, default=5)


def measure(consumers: int) -> dict[str, float]:
    done = subprocess.run([build.program("seal_cost"), str(consumers)], check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def run(args) -> dict:
    """For 10, 1,000 and 10,000 consumers of one resource (_10, _1000, _10000), payloads of 128 bytes; medians of
the rounds, the lowest and highest under _min and _max:

  seal_ns               publishing a message, besides signing; the ones that carry keys counted in
  open_ns               opening one whose key is known
  persist_us            persisting a value: it always carries the keys
  open_first_us         opening one that carries the keys, none being known
  wrap_us_per_consumer  a first content key, for each consumer it is wrapped for
  new_consumer_us       the message after one more consumer came
  rotate_ms             the message after one consumer went: a new content key for all others
  list_ms               finding who may consume in the permission graph on disk, when it changed
  persisted_bytes       size of a persisted message's payload
"""
    rounds = {count: [] for count in CONSUMERS}
    for number in range(args.rounds):
        for count in CONSUMERS:
            build.say(f"seal: round {number + 1} of {args.rounds}, {count} consumers")
            rounds[count].append(measure(count))
    result = {}
    for count, measured in rounds.items():
        for key, name, unit in KEYS:
            digits = 0 if unit == 1 else 3
            result |= summary(f"{key}_{count}", [one[name] / unit for one in measured], digits)
        result[f"persisted_bytes_{count}"] = int(measured[0]["persisted_bytes"])
    return result
