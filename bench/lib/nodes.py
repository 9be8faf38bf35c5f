# SPDX-License-Identifier: Apache-2.0
"""Bosswave as the load benches run it: one `bw up` process that is ledger and designated router, entities with
grants in one namespace, and agents either within the load programs or as daemons beside them."""
import os
import pathlib

from bench.lib import build

os.environ.setdefault("BW", str(build.bw()))

from tests.system.bosswave import Node, free_port, wait_for  # noqa: E402

SUBSCRIBERS = 10
URI = "bench/value"


class Site:
    """Ledger and router, started; a namespace `lab`; `pub`, who may publish and
    query, and `sub0`, `sub1`, ..., who may consume."""

    def __init__(self, directory: pathlib.Path):
        self.directory = directory
        self.up = Node(directory / "up", ["up"], {
            "metrics": {"listen": ""}, "log": {"level": "warning"},
            "ledger": {"listen": f"127.0.0.1:{free_port()}"}, "router": {"listen": f"127.0.0.1:{free_port()}"}})
        self.agents = []

    def start(self):
        self.up.start()
        self.up.ok("namespace", "create", "lab")
        self._entity("pub", "PC")
        for i in range(SUBSCRIBERS):
            self._entity(f"sub{i}", "C")
        info = self.up.info()
        self.ledger = {"address": info["ledger_address"], "key": info["ledger_key"]}
        self.entries = self.up.status()["size"]
        return self

    def _entity(self, name: str, permissions: str):
        self.up.ok("entity", "create", name)
        self.up.ok("grant", name, f"lab/{URI}", permissions, sign="lab")

    def agent(self, name: str, keys: list[str]) -> Node:
        """An agent daemon that holds these keys of the site."""
        made = Node(self.directory / name, ["agent", "run"], {
            "metrics": {"listen": ""}, "log": {"level": "warning"}, "ledger": self.ledger})
        self.agents.append(made)
        made.start()
        for key in keys:
            made.ok("entity", "import", key, self.up.path("keys", f"{key}.key"))
        made.caught_up(self.entries)
        return made

    def stop(self):
        for node in [*self.agents, self.up]:
            if node.running():
                node.stop()


def as_names(subscribers: int) -> list[str]:
    return [word for i in range(subscribers) for word in ("--as", f"sub{i}")]


class Embedded:
    """The application in the process of its agent."""

    def __init__(self, site: Site):
        self.site = site

    def pids(self) -> list[int]:
        return [self.site.up.process.pid]

    def _client(self, role: str) -> list[str]:
        return [str(build.program("bench_agent")), role, "--dir", str(self.site.directory / f"embedded-{role}"),
                "--ledger", self.site.ledger["address"], "--ledger-key", self.site.ledger["key"],
                "--entries", str(self.site.entries), "--keystore", self.site.up.path("keys"), "--namespace", "lab"]

    def publisher(self) -> list[str]:
        return [*self._client("publish"), "--as", "pub"]

    def subscriber(self, connections: int) -> list[str]:
        return [*self._client("subscribe"), *as_names(connections)]


class Api:
    """Applications that are processes of their own, each beside an agent daemon; ten subscribers are ten entities at
    one daemon."""

    def __init__(self, site: Site):
        self.site = site
        self.pub_agent = site.agent("pub", ["pub"])
        self.sub_agent = site.agent("sub", [f"sub{i}" for i in range(SUBSCRIBERS)])

    def pids(self) -> list[int]:
        return [self.pub_agent.process.pid, self.site.up.process.pid, self.sub_agent.process.pid]

    def _client(self, role: str, agent: Node) -> list[str]:
        return [str(build.program("bench_api")), role, "--agent", f"unix:{agent.path('agent.sock')}",
                "--uri", f"lab/{URI}"]

    def publisher(self) -> list[str]:
        return [*self._client("publish", self.pub_agent), "--as", "pub"]

    def subscriber(self, connections: int) -> list[str]:
        return [*self._client("subscribe", self.sub_agent), *as_names(connections)]
