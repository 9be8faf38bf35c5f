# SPDX-License-Identifier: Apache-2.0
"""How long a revocation takes to bite."""
import random
import subprocess
import time

from bench.lib import build
from bench.lib.apart import apart
from bench.lib.load import Failed, line_of
from bench.lib.stats import percentile

TARGETS = ["bw", "bench_revoke"]
SUBSCRIPTIONS = 1000
SETTLE_S = 0.15  # messages flow to the next subscription before it is revoked
LATE_S = 0.15    # and after the subscription has ended, whatever was still under way comes in


def options(parser) -> None:
    parser.add_argument("--revocations", type=int, default=200)


class Program:
    """One of the processes that are driven by lines."""

    def __init__(self, arguments: list[str]):
        self.process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)

    def say(self, line: str) -> None:
        self.process.stdin.write(line.encode() + b"\n")

    def hear(self, word: str) -> list[int]:
        """The numbers of the next line, which starts with `word`."""
        heard, *numbers = line_of(self.process, word).split()
        if heard != word:
            raise Failed(f"expected '{word}', heard '{heard} {numbers}'")
        return [int(number) for number in numbers]

    def stop(self) -> None:
        self.process.stdin.close()
        self.process.wait(30)


def revoke(room: int, submitter: Program, publisher: Program, subscriber: Program) -> tuple[float, float]:
    """Milliseconds from acceptance to the last message (0 when none came after it), and to the end of the
    subscription."""
    publisher.say(f"target {room}")
    time.sleep(SETTLE_S + random.random() * 0.02)
    subscriber.say(f"last {room}")
    if subscriber.hear("last")[1] == 0:
        raise Failed(f"room {room}: no messages before it was revoked")
    submitter.say(f"revoke {room}")
    _, accepted = submitter.hear("accepted")
    ended_room, ended = subscriber.hear("ended")
    if ended_room != room:
        raise Failed(f"the subscription to room {ended_room} ended instead of that to {room}")
    time.sleep(LATE_S)
    subscriber.say(f"last {room}")
    _, last = subscriber.hear("last")
    return max(0.0, (last - accepted) / 1e6), max(0.0, (ended - accepted) / 1e6)


def measure(site, rooms: int, count: int) -> list[tuple[float, float]]:
    common = ["--namespace", "lab", "--subscriber", "sub", "--rooms", str(rooms)]
    programs = []

    def start(role: str, entity: str) -> Program:
        programs.append(Program([*site.program("bench_revoke", role), "--as", entity, *common, role]))
        return programs[-1]

    try:
        submitter = start("submit", "lab")
        submitter.hear("granted")
        subscriber = start("subscribe", "sub")
        subscriber.hear("ready")
        build.say(f"revoke: {rooms} subscriptions stand")
        publisher = start("publish", "pub")
        time.sleep(1)
        waits = []
        for room in range(count):
            waits.append(revoke(room, submitter, publisher, subscriber))
            if room % 50 == 49:
                build.say(f"revoke: {room + 1} of {count}")
        return waits
    finally:
        for program in programs:
            program.stop()


def run(args) -> dict:
    """Milliseconds from a revocation's acceptance by the ledger (its answer reaches the submitter) to the last
    message that the revoked subscriber's application gets. Five processes: ledger, router, and three with an agent
    and its application, one that revokes, one that publishes, one that holds 1,000 live subscriptions, each by a
    grant of its own. 2,000 messages a second flow all the time, half of them to the subscription that is revoked
    next, so that the figure is exact to a millisecond.

    p50_ms, p99_ms              over all revocations; 0 when no message came after the acceptance
    max_ms                      the longest
    ended_p50_ms, ended_p99_ms  from acceptance to the application's hearing that its subscription has ended,
                                after which nothing can come
    revocations, subscriptions  how many, one after the other; how many subscriptions live at any time"""
    with apart() as site:
        site.entity("pub", "room/+", "P")
        site.entity("sub")
        waits = measure(site, SUBSCRIPTIONS + args.revocations, args.revocations)
    last, ended = ([wait[i] for wait in waits] for i in range(2))
    return {"p50_ms": round(percentile(last, 0.5), 2), "p99_ms": round(percentile(last, 0.99), 2),
            "max_ms": round(max(last), 2), "ended_p50_ms": round(percentile(ended, 0.5), 2),
            "ended_p99_ms": round(percentile(ended, 0.99), 2), "revocations": len(waits),
            "subscriptions": SUBSCRIPTIONS}
