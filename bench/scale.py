# SPDX-License-Identifier: Apache-2.0
"""What a router's threads bring, and what it holds for idle peers."""
import os
import pathlib
import resource
import select
import statistics
import subprocess
import tempfile
import time

from bench.lib import build, load
from bench.lib.apart import apart
from bench.lib.nodes import Embedded, Site

TARGETS = ["bw", "bench_agent", "bench_scale"]
THREADS = (1, 2)
ENTITIES = 16        # that hold the subscriptions: a router takes at most 100,000 from one
SUBSCRIBERS = 10
SETTLE_S = 3.0
PATIENCE_S = 900.0  # until a million stand
# A router of the default configuration would let them in too, but not as fast.
ROOM = {"connections_per_address": 20_000, "arrivals_per_second": 100_000, "arrivals_burst": 100_000,
        "strangers_per_address": 256}


def options(parser) -> None:
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of throughput counted in each round")
    parser.add_argument("--subscriptions", type=int, default=1_000_000)
    parser.add_argument("--connections", type=int, default=10_000)


def allow_open_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 20_000 if hard == resource.RLIM_INFINITY else min(20_000, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def router_settings(site) -> str:
    """Every setting that this build's router has, as `bw config` prints them."""
    return site.up.run("config").out


def throughput(rounds: int, seconds: float) -> dict[str, float]:
    """One publisher to ten subscribers, with each number of router threads in turn in every round."""
    with tempfile.TemporaryDirectory(prefix="bwscale") as directory:
        sites = {}
        for threads in THREADS:
            site = Site(pathlib.Path(directory) / f"t{threads}")
            # A build without the setting has one thread, and nothing to compare it with.
            if "\nthreads = " in router_settings(site):
                site.up.sections["router"]["threads"] = threads
            elif threads > 1:
                build.say(f"scale: this build has no setting router.threads; threads_{threads} is left out")
                continue
            sites[threads] = site.start()
        try:
            rates = {threads: [] for threads in sites}
            for _ in range(rounds):
                for threads, site in sites.items():
                    report = load.run(Embedded(site), SUBSCRIBERS, "--seconds", str(seconds))
                    rates[threads].append(report["per_second"])
                    build.say(f"scale: {threads} threads: {report['per_second']:,.0f}/s, {report['lost']} lost")
        finally:
            for site in sites.values():
                site.stop()
    return {f"threads_{threads}": round(statistics.median(each)) for threads, each in rates.items()}


def resident(pid: int) -> int:
    pages = int(pathlib.Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def held_for(site, *arguments: str) -> int:
    """Bytes by which the router grows while the program's sessions and subscriptions stand."""
    pid = site.router.process.pid
    info = site.router.info()
    command = [build.program("bench_scale"), "--router", info["router_address"], "--router-key", info["router_key"],
               "--keystore", site.ledger.path("keys"), *arguments]
    before = resident(pid)
    program = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        ready, _, _ = select.select([program.stdout], [], [], PATIENCE_S)
        if not ready or program.stdout.readline() != b"ready\n":
            raise load.Failed("not all of them stand")
        time.sleep(SETTLE_S)
        return resident(pid) - before
    finally:
        program.stdin.close()
        program.wait(60)


def per_connection(count: int) -> float:
    with apart(router=ROOM) as site:
        site.entity("many")
        site.router.caught_up(site.entries())
        held_for(site, "--as", "many", "--sessions", "10")  # what the first few bring is for all
        build.say(f"scale: {count} connections")
        return held_for(site, "--as", "many", "--sessions", str(count)) / count


def per_subscription(count: int) -> float:
    with apart(router=ROOM) as site:
        arguments = ["--namespace", site.ledger.key("lab")]
        for i in range(ENTITIES):
            site.entity(f"many{i}", "*", "C")
            proof = str(site.directory / f"many{i}.proof")
            site.ledger.ok("proof", f"many{i}", "lab/building0/floor0/room0/sensor0", "C", "--out", proof)
            arguments += ["--as", f"many{i}", "--proof", proof]
        site.router.caught_up(site.entries())
        count -= count % ENTITIES
        held_for(site, *arguments, "--sessions", str(ENTITIES), "--subscriptions", str(ENTITIES * 10))
        build.say(f"scale: {count} subscriptions")
        return held_for(site, *arguments, "--sessions", str(ENTITIES), "--subscriptions", str(count)) / count


def run(args) -> dict:
    """What a router's threads bring, and the memory it holds for peers that say nothing.

    threads_1, threads_2     messages of 128 bytes delivered per second from one publisher to ten subscribers, each
                             with a session of its own, by a router with one thread and with two (setting
                             router.threads; a build without it has threads_1 only); medians of interleaved rounds
    bytes_per_subscription   growth of the router's resident memory with 1,000,000 idle subscriptions, each to a URI
                             of its own of some 32 bytes, held by 16 entities on a session each
    bytes_per_connection     the same with 10,000 idle sessions
    subscriptions, connections  how many there were"""
    allow_open_files()
    return {**throughput(args.rounds, args.seconds),
            "bytes_per_subscription": round(per_subscription(args.subscriptions)),
            "bytes_per_connection": round(per_connection(args.connections)),
            "subscriptions": args.subscriptions, "connections": args.connections}
