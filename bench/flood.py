# SPDX-License-Identifier: Apache-2.0
"""Authorised traffic while others attack: bench/run flood."""
import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

from bench.lib import build, load, nodes, stats

TARGETS = ["bw", "bench_agent", "bench_attack"]

# name: more options of the attackers
ATTACKS = {
    "unauthorised": (),
    "bad_signatures": (),
    "replays": (),
    "garbage": (),
    "half_open": ("--connections", "64"),
    "huge_frames": (),
    "subscriptions": ("--entities", "8", "--connections", "8"),
    "spammed_graph": ("--connections", "8"),
    "slow_consumer": ("--connections", "9", "--entities", "9"),
}
# Between rounds: until the router has used no more than a hundredth of a second in each of two looks.
LOOK, MOST_LOOKS = 0.15, 30


def options(parser):
    parser.add_argument("--rounds", type=int, default=5, help="quiet ones, and as many under attack")
    parser.add_argument("--seconds", type=float, default=1.3, help="counted in each round")
    parser.add_argument("--warm-up", type=float, default=0.3, help="seconds in each round that do not count")
    parser.add_argument("--rate", type=float, default=1000, help="authorised messages a second")
    parser.add_argument("--only", nargs="+", choices=ATTACKS, default=list(ATTACKS), metavar="NAME",
                        help=f"these only: {' '.join(ATTACKS)}")


class Cores:
    """One core for the router, the publisher and the subscriber, another for the attackers, so that what is measured
    is what an attack costs the router and not who gets the CPU. With one core, all share it."""

    def __init__(self):
        self.before = os.sched_getaffinity(0)
        cores = sorted(self.before)
        self.ours, self.theirs = {cores[0]}, {cores[-1]}
        self.split = len(cores) > 1

    def __enter__(self):
        os.sched_setaffinity(0, self.ours)
        return self

    def __exit__(self, *_):
        os.sched_setaffinity(0, self.before)


class Attackers:
    """A process with entities of its own, which attacks on demand."""

    def __init__(self, name: str, site: nodes.Site, cores: Cores):
        info = site.up.info()
        command = [build.program("bench_attack"), "--kind", name, "--agent", f"unix:{site.up.path('agent.sock')}",
                   "--router", info["router_address"], "--router-key", info["router_key"],
                   "--ledger", info["ledger_address"], "--ledger-key", info["ledger_key"],
                   "--keystore", site.up.path("keys"), "--namespace", "lab", "--victim", "pub", "--victim", "sub0",
                   *ATTACKS[name]]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        preexec_fn=lambda: os.sched_setaffinity(0, cores.theirs))
        if load.line_of(self.process, "attackers").strip() != "ready":
            raise load.Failed("the attackers are not ready")

    def _say(self, word: str):
        self.process.stdin.write(f"{word}\n".encode())
        self.process.stdin.flush()

    def go(self):
        self._say("go")

    def stop(self) -> dict:
        self._say("stop")
        return json.loads(load.line_of(self.process, "attackers"))

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(load.PATIENCE)


def rss_mib(pid: int) -> float:
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    kib = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
    return kib / 1024


def settle(pid: int) -> None:
    """Until the router is done with what the attackers left, so that it does not count as quiet."""
    calm = 0
    for _ in range(MOST_LOOKS):
        used = load.cpu_seconds(pid)
        time.sleep(LOOK)
        calm = calm + 1 if load.cpu_seconds(pid) - used < 0.015 else 0
        if calm == 2:
            return
    build.say(f"    the router is still busy {LOOK * MOST_LOOKS:.1f} s after the attack")


def measure(name: str, args, directory: pathlib.Path, cores: Cores) -> dict:
    rounds = {"quiet": [], "attacked": []}
    attacks, rss, cpu = [], [], []
    with contextlib.ExitStack() as stack:
        site = nodes.Site(directory / name)
        stack.callback(site.stop)
        system = nodes.Embedded(site.start())
        attackers = Attackers(name, site, cores)
        stack.callback(attackers.close)
        router = site.up.process.pid
        how = ("--rate", str(args.rate), "--seconds", str(args.seconds), "--warm-up", str(args.warm_up))
        site.entries = site.up.status()["size"]
        load.run(system, 1, *how)  # fetches the ledger; not counted
        for _ in range(args.rounds):
            site.entries = site.up.status()["size"]  # what an attack left is known before a quiet round
            rounds["quiet"].append(load.run(system, 1, *how))
            attackers.go()
            try:
                began, used = time.monotonic(), load.cpu_seconds(router)
                rounds["attacked"].append(load.run(system, 1, *how))
                cpu.append((load.cpu_seconds(router) - used) / (time.monotonic() - began))
                rss.append(rss_mib(router))
            finally:
                attacks.append(attackers.stop())
            settle(router)
    return summary(name, rounds, attacks, rss, cpu)


def summary(name: str, rounds: dict, attacks: list[dict], rss: list[float], cpu: list[float]) -> dict:
    out = {"attack_per_s": round(statistics.median(each["attacks"] / each["seconds"] for each in attacks))}
    for kind, reports in rounds.items():
        for share in ("p50", "p99"):
            out[f"{kind}_{share}_us"] = round(statistics.median(each[f"{share}_us"] for each in reports), 1)
    out["standard_error_us"] = round(stats.standard_error([each["p50_us"] for each in rounds["quiet"]]), 1)
    out["standard_error_p99_us"] = round(stats.standard_error([each["p99_us"] for each in rounds["quiet"]]), 1)
    out["lost"] = sum(each["lost"] for each in rounds["attacked"])
    out["rss_mib"] = round(max(rss))
    for what in ("sessions", "turned_away"):
        out[f"{what}_per_s"] = round(statistics.median(each[what] / each["seconds"] for each in attacks), 1)
    out["router_cpu_percent"] = round(100 * statistics.median(cpu), 1)
    build.say(f"  {name:16} {json.dumps(out)}")
    return out


def run(args) -> dict:
    """One-way latency of authorised messages of 128 bytes, 1,000 a second, from a publisher's agent through the router
    to a subscriber's agent (three processes), in quiet rounds and, interleaved with them, in rounds under attack. Each
    kind of attack has a site of its own. Where there are two cores or more, publisher, router and subscriber share
    one, in quiet rounds too, and the attackers have another to themselves. They hold registered entities, attack over
    many connections as fast as they can, and come back when they were refused, with the next entity.

    unauthorised    well-formed messages: half with somebody else's proof, half for a namespace not carried here
    bad_signatures  of entities that may publish
    replays         of one valid batch, by an entity that may publish
    garbage         in place of TLS, of a hello, and of a session's frames
    half_open       connections that say nothing, or begin TLS and stop
    huge_frames     of nearly 4 MiB, unauthorised; announced and withheld; announced beyond what is allowed
    subscriptions   61,440 of each session of an entity that may subscribe, then the next session
    spammed_graph   grants to publisher and subscriber, submitted to the ledger
    slow_consumer   eight subscribers that take nothing of 6 MB a second

    Of each:
    attack_per_s                       what was sent: messages, frames, connections, subscriptions, grants
    quiet_p50_us .. attacked_p99_us    medians over the rounds
    standard_error_us                  of the quiet rounds' p50 (standard_error_p99_us: of their p99)
    lost                               authorised messages that did not come, under attack
    rss_mib                            of the router's process, the most after any attacked round
    sessions_per_s, turned_away_per_s  sessions that attackers opened, and connections refused before
    router_cpu_percent                 of one core, under attack"""
    with Cores() as cores, tempfile.TemporaryDirectory(prefix="bwflood") as directory:
        if not cores.split:
            build.say("flood: one core only; the attackers share it with those they attack")
        return {name: measure(name, args, pathlib.Path(directory), cores) for name in args.only}
