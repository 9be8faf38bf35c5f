#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plays random things on real processes, kills them, cuts them off, and checks what they do against a model.

A ledger, two routers of two owners and three agents, each in a network namespace of its own (as root); people
publish, subscribe, query, grant and revoke. Exit code 0: every invariant held (checks.py has them).
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback

sys.dont_write_bytecode = True
VIOLATIONS_SHOWN = 8


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, help="repeats the steps of a run (not the timing of its processes)")
    parser.add_argument("--bw", help="the executable (default: $BW, or the release build)")
    parser.add_argument("--no-kills", action="store_true", help="nobody is killed or restarted: to watch memory")
    parser.add_argument("--no-partitions", action="store_true")
    parser.add_argument("--keep", action="store_true", help="keep directories and logs of a good run too")
    return parser.parse_args()


def summary(soak, options, obstacle, began):
    counts = soak.counts
    kills = ", ".join(f"{name} {count}" for name, count in sorted(soak.kills_of.items())) or "none"
    yield f"soak: seed {soak.seed}, {time.time() - began:.0f} s" + (f"; NO PARTITIONS: {obstacle}" if obstacle else "")
    yield f"  steps      {counts['steps']} ({counts['passed over']} passed over), {counts['commands']} commands"
    yield (f"  kill -9    {sum(soak.kills_of.values())}: {kills}; {counts['restarts']} restarts; "
           f"{counts['partitions']} partitions")
    yield (f"  messages   {counts['published']} published, {counts['delivered']} delivered, "
           f"{counts['delivered stored']} from the store, to {counts['subscriptions']} subscriptions, "
           f"{counts['disconnections']} disconnections")
    yield (f"  arrival    {counts['arrival checked']} had to arrive after their acknowledgement and did, "
           f"{counts['excused']} excused by a disturbance, {counts['told lost']} told lost")
    yield (f"  stored     {counts['persisted']} persisted, {counts['deleted']} deleted, {counts['exit 0: queried']} "
           f"queries, {counts['stored checked']} values checked")
    yield (f"  ledger     {counts['granted']} grants, {counts['revoked']} revocations, {counts['entries checked']} "
           f"look-ups of acknowledged entries")
    outcomes = [f"{name} {count}" for name, count in sorted(counts.items()) if name.startswith("exit")]
    yield "  outcomes   " + ", ".join(outcomes)
    for line in soak.memory.lines():
        yield f"  memory     {line}"
    yield f"  checkpoints {counts['checkpoints']}; violations {len(soak.violations)}"
    if options.no_kills:
        yield "  NOBODY WAS KILLED (--no-kills)"


def failure(soak, error, root):
    yield f"\nsoak: FAILED, seed {soak.seed}, {soak.step or 'at a checkpoint'}"
    for violation in soak.violations[:VIOLATIONS_SHOWN] or [f"{type(error).__name__}: {error}"]:
        yield f"  violated: {violation}"
    if len(soak.violations) > VIOLATIONS_SHOWN:
        yield f"  and {len(soak.violations) - VIOLATIONS_SHOWN} more, in steps.log"
    yield "  last:"
    for line in soak.last_steps:
        yield f"    {line}"
    yield f"  logs of all processes, all steps (steps.log): {root}"


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if options.bw:
        os.environ["BW"] = os.path.abspath(options.bw)
    import network
    from checks import Found
    from soak import Soak
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10 ** 6)
    obstacle = "--no-partitions" if options.no_partitions else network.obstacle()
    # Short, because a socket's path has at most 107 bytes.
    root = tempfile.mkdtemp(prefix="bwsoak")
    print(f"soak: {options.minutes:g} minutes, seed {seed}, in {root}"
          + (f"; NO PARTITIONS: {obstacle}" if obstacle else ""), flush=True)
    began = time.time()
    soak = Soak(root, seed, not obstacle, kills=not options.no_kills)
    wrong = None
    try:
        soak.begin()
        soak.run(60.0 * options.minutes)
        soak.checkpoints.verify_ledger()
    except (Found, AssertionError) as error:
        wrong = error
    except Exception as error:  # of the soak itself: worth as much of an explanation
        traceback.print_exc()
        wrong = error
    finally:
        soak.end()
    for line in summary(soak, options, obstacle, began):
        print(line)
    if wrong is not None:
        for line in failure(soak, wrong, root):
            print(line)
        return 1
    if not options.keep:
        shutil.rmtree(root)
    return 0


if __name__ == "__main__":
    sys.exit(main())
