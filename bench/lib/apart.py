# SPDX-License-Identifier: Apache-2.0
"""Ledger and router as processes of their own, a namespace `lab` that the router carries, and entities in it."""
import contextlib
import pathlib
import shutil
import tempfile

from bench.lib import build
from bench.lib.nodes import Node, free_port, wait_for

QUIET = {"metrics": {"listen": ""}, "log": {"level": "warning"}}


class Apart:
    def __init__(self, directory: pathlib.Path, router: dict | None = None):
        self.directory = directory
        # No limit that a person would meet stands in the way of loading.
        self.ledger = Node(directory / "ledger", ["ledger", "run"], {
            **QUIET, "ledger": {"listen": f"127.0.0.1:{free_port()}", "entries_per_second": 100_000,
                                "burst": 1_000_000}})
        self.ledger.start()
        info = self.ledger.info()
        self.following = {"address": info["ledger_address"], "key": info["ledger_key"]}
        self.router = Node(directory / "router", ["router", "run"], {
            **QUIET, "ledger": self.following, "router": {"listen": f"127.0.0.1:{free_port()}", **(router or {})}})
        self.nodes = [self.ledger, self.router]

    def start(self) -> "Apart":
        self.router.start()
        wait_for("the router's entities", lambda: all(
            row["state"] == "registered" for row in self.router.ok("entity", "list").rows
            if row["name"] in ("agent", "router")))
        self.ledger.ok("entity", "create", "lab")
        self.ledger.ok("alias", "set", "lab", sign="lab")
        self.router.caught_up(self.entries())
        self.router.ok("router", "offer", self.ledger.key("lab"))
        self.ledger.caught_up(self.router.status()["size"])
        self.ledger.ok("router", "accept", self.router.info()["router_key"], sign="lab")
        self.router.caught_up(self.entries())
        return self

    def entity(self, name: str, pattern: str = "", permissions: str = "") -> None:
        """An entity with its key in the ledger's process, and a grant in the namespace if one is named."""
        self.ledger.ok("entity", "create", name)
        if pattern:
            self.ledger.ok("grant", name, f"lab/{pattern}", permissions, sign="lab")

    def agent(self, name: str) -> Node:
        """An agent daemon, registered."""
        made = Node(self.directory / name, ["agent", "run"], {**QUIET, "ledger": self.following})
        self.nodes.append(made)
        return made.start()

    def entries(self) -> int:
        return self.ledger.status()["size"]

    def program(self, name: str, directory: str) -> list[str]:
        """The command line of a program that follows the ledger with embedded agents."""
        return [str(build.program(name)), "--dir", str(self.directory / directory),
                "--ledger", self.following["address"], "--ledger-key", self.following["key"],
                "--entries", str(self.entries()), "--keystore", self.ledger.path("keys")]

    def stop(self) -> None:
        for node in reversed(self.nodes):
            if node.running():
                node.stop()


@contextlib.contextmanager
def apart(router: dict | None = None):
    """A running Apart in a directory of its own, both gone in the end."""
    # Short, because a socket's path has at most 107 bytes.
    directory = pathlib.Path(tempfile.mkdtemp(prefix="bwbench"))
    try:
        site = Apart(directory, router)
        try:
            yield site.start()
        finally:
            site.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)
