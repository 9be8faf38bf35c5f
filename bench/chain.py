# SPDX-License-Identifier: Apache-2.0
"""What a ledger on a chain does through real nodes."""
import contextlib
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

from bench import gas
from bench.idle import cpu_ns
from bench.lib import build, contracts
from bench.lib.load import Failed, line_of
from bench.lib.nodes import Node
from bench.lib.relay import Relay
from bench.lib.stats import percentile

TARGETS = ["bw", "bench_chain"]
FOLLOWERS = 3
COINS = 1000
BATCH = 512        # entries in one submission, when many are put
FEW = 8            # when it is measured when they act
PATIENCE = 600.0


def options(parser) -> None:
    parser.add_argument("--block-time", type=float, default=2.0, help="seconds between blocks")
    parser.add_argument("--confirmations", type=int, default=1, help="of followers: blocks above an entry's until it acts")
    parser.add_argument("--entries", type=int, default=40_960, help="put as fast as possible")
    parser.add_argument("--submissions", type=int, default=100, help=f"of {FEW} entries, whose effect is waited for")
    parser.add_argument("--rest", type=float, default=20.0, help="seconds at rest")


def quiet_anvil():
    """Anvil that does not write its state to disk all the time."""
    from anvil import Anvil

    class Quiet(Anvil):
        def _arguments(self):
            words = super()._arguments()
            at = words.index("--state")
            return [*words[:at], "--quiet"]

    return Quiet


class Site:
    """A chain with the contracts, a node that pays, and nodes that follow, each through a relay of its own."""

    def __init__(self, directory: pathlib.Path, stack: contextlib.ExitStack, args):
        import chain
        self.directory, self.args = directory, args
        # Blocks count a second at least: quicker ones begin behind the clock.
        skew = 0 if args.block_time >= 1 else -45
        self.chain = stack.enter_context(quiet_anvil()(period=args.block_time, skew=skew))
        self.coin = chain.COIN
        self._deploy()
        self.payer = self._node(stack, "payer", self.chain.port, self._purse())
        self.relays = [stack.enter_context(Relay(self.chain.port)) for _ in range(FOLLOWERS)]
        self.followers = [self._node(stack, f"follower{i}", relay.port, "") for i, relay in enumerate(self.relays)]

    def _key(self, name: str, account) -> str:
        path = self.directory / name
        path.touch(0o600)
        path.write_text(account.key.hex() + "\n")
        return str(path)

    def _deploy(self) -> None:
        self.network = self.directory / "network.json"
        subprocess.run([build.bw(), "--json", "ledger", "deploy", "--endpoint", self.chain.url, "--key",
                        self._key("deployer.key", self.chain.accounts[0]), "--out", self.network],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def _purse(self) -> str:
        from transactions import Account
        account = Account(os.urandom(32))
        self.chain.fund(account.address, COINS * self.coin)
        return self._key("purse.key", account)

    def _node(self, stack, name: str, port: int, funding_key: str) -> Node:
        made = Node(self.directory / name, ["agent", "run"], {
            "metrics": {"listen": ""}, "log": {"level": "warning"},
            "ethereum": {"network": str(self.network), "endpoints": [f"ws://127.0.0.1:{port}"],
                         "confirmations": self.args.confirmations, "funding_key": funding_key}})
        stack.callback(lambda: made.running() and made.stop())
        return made.start()

    def size(self, block: str = "latest") -> int:
        """Entries of the ledger, as the chain has them."""
        registry = json.loads(self.network.read_text())["registry"]
        return int(self.chain.rpc("eth_getStorageAt", registry, "0x0", block), 16)

    def caught_up(self) -> None:
        """Followers act on all there is."""
        size, end = self.size(), time.monotonic() + PATIENCE
        for node in self.followers:
            while node.status()["size"] < size:
                if time.monotonic() > end:
                    raise Failed(f"{node} does not follow: {node.status()}")
                time.sleep(0.2)

    def spent(self) -> tuple[int, int, int]:
        """So far: heads, bytes between followers and chain, nanoseconds of their CPU."""
        return (self.chain.height, sum(relay.bytes for relay in self.relays),
                sum(cpu_ns(node.process.pid) for node in self.followers))


class Load:
    """bench_chain, ready to begin."""

    def __init__(self, site: Site, stack: contextlib.ExitStack, *words: object):
        self.process = subprocess.Popen([build.program("bench_chain"), *map(str, words), "--agent",
                                         "unix:" + site.payer.path("agent.sock")],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        stack.callback(self._end)
        if line_of(self.process, "bench_chain").strip() != "ready":
            raise Failed("the entries are not ready")

    def _end(self) -> None:
        self.process.stdin.close()
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def run(self) -> dict:
        self.process.stdin.write(b"go\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise Failed(f"bench_chain ended with {self.process.wait()}")
        return json.loads(line)


def at_rest(site: Site, seconds: float) -> dict:
    """What a head costs one follower."""
    build.say(f"chain: at rest for {seconds} s")
    before = site.spent()
    time.sleep(seconds)
    heads, sent, cpu = (after - begin for after, begin in zip(site.spent(), before))
    return {"follower_bytes_per_head": round(sent / FOLLOWERS / heads),
            "follower_us_per_head": round(cpu / 1000 / FOLLOWERS / heads)}


def rate(site: Site, stack: contextlib.ExitStack, head: dict) -> dict:
    entries = site.args.entries
    load = Load(site, stack, "rate", "--entries", entries, "--batch", min(BATCH, entries))
    site.caught_up()
    build.say(f"chain: {entries} entries as fast as they are taken")
    before = site.spent()
    done = load.run()
    site.caught_up()
    heads, sent, cpu = (after - begin for after, begin in zip(site.spent(), before))
    sizes = [site.size(hex(before[0] + i)) for i in range(heads + 1)]
    grown = [b - a for a, b in zip(sizes, sizes[1:]) if b > a]
    per_follower = FOLLOWERS * entries
    return {"entries_per_s": round(entries / done["seconds"], 1),
            "entries_per_block": round(statistics.median(grown)),
            "follower_bytes_per_entry": round(sent / per_follower - head["follower_bytes_per_head"] * heads / entries, 1),
            "follower_us_per_entry": round(cpu / 1000 / per_follower - head["follower_us_per_head"] * heads / entries, 1)}


def effect(site: Site, stack: contextlib.ExitStack) -> dict:
    args = site.args
    # At no fixed distance from the blocks.
    every = args.block_time * 0.1937
    watch = [word for node in site.followers for word in ("--watch", "unix:" + node.path("agent.sock"))]
    load = Load(site, stack, "effect", "--entries", args.submissions * FEW, "--batch", FEW, "--every", every, *watch)
    build.say(f"chain: {args.submissions} submissions, one each {every:.2f} s")
    done = load.run()
    return {f"{name}_p{share}_ms": round(percentile(done[f"{name}_ms"], share / 100))
            for name in ("effect", "answered") for share in (50, 99)}


def run(args) -> dict:
    """A ledger on a chain of this machine (anvil, blocks of 60 million gas), with processes for the chain, a node that
    pays for entries, three nodes that follow, and an application that submits signed grants by 64 granters through the
    API of the first. Patterns have 30 characters. News of blocks comes over WebSocket.

    entries_per_s             from the first submission to the last answer, which comes when the entries stand under the
                              confirmations and the paying node acts on them; submissions of 512, 64 of them at once
    entries_per_block         the median of the blocks that had any
    changes_per_hour_by_gas   what `bench/run gas` says would fit blocks of this time, had they nothing but batches
                              of 64 in them
    share_of_gas              entries_per_s, as a share of that
    effect_p50_ms, effect_p99_ms      from submission until the last of the followers acts on the entries, which is
                              looked at each 5 ms; 8 at a time, several times a block
    answered_p50_ms, answered_p99_ms  from submission to its answer, of the same
    follower_bytes_per_head, follower_us_per_head    at rest, for each block: bytes of RPC, both ways, without headers
                              of TCP/IP, and CPU of the process
    follower_bytes_per_entry, follower_us_per_entry  what comes to that with each entry while many are put
    block_s, confirmations, entries   as given: seconds between blocks; blocks above an entry's until it acts"""
    contracts.use()
    by_gas = gas.run(args)["changes_per_hour"] * gas.BLOCK_SECONDS / args.block_time
    # Short, because a socket's path has at most 107 bytes.
    directory = pathlib.Path(tempfile.mkdtemp(prefix="bwchain"))
    try:
        with contextlib.ExitStack() as stack:
            build.say(f"chain: blocks each {args.block_time} s, {args.confirmations} confirmations")
            site = Site(directory, stack, args)
            site.caught_up()
            head = at_rest(site, args.rest)
            found = {**rate(site, stack, head), **effect(site, stack), **head}
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return {**found, "changes_per_hour_by_gas": round(by_gas), "share_of_gas": round(found["entries_per_s"] * 3600 / by_gas, 3),
            "block_s": args.block_time, "confirmations": args.confirmations, "entries": args.entries}
