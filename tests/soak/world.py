# SPDX-License-Identifier: Apache-2.0
"""The processes: a ledger, two routers, three agents, what is done to them, and when each was last left
in peace. Commands go through the agents' Unix sockets, which no partition cuts."""

import ctypes
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../system"))
from bosswave import SIGNS_OF_A_CRASH, Node, free_port, wait_for  # noqa: E402

from network import Network  # noqa: E402

ROUTERS = ("router-a", "router-b")
AGENTS = ("agent-1", "agent-2", "agent-3")
PROCESSES = ("ledger", *ROUTERS, *AGENTS)
START_SECONDS = 60.0
STOP_SECONDS = 30.0
LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


def entered(into):
    """For a child process, between fork and exec: it shall not outlive this program."""
    def enter():
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if into:
            into()
    return enter


class World:
    def __init__(self, root, network):
        self.root = root
        self.network = Network() if network else None
        self.nodes = {}
        self._enter = {}         # process: what it calls before it runs
        self.up_since = {}       # process: since when it says that it is ready; absent: it does not
        self._launched = {}      # process: when it was started, and is not ready yet
        self._due = {}           # process: when to start it again
        self._cuts = {}          # (one, other): when to heal
        self._unplugged = {}     # process: when to plug in again
        self._healed = {}        # frozenset of parties: when they were last separated
        self._stopping = {}      # process: when it was told to stop

    # ---- making them
    def _node(self, name, verb, **sections):
        address = self.network.add(name) if self.network else "127.0.0.1"
        if verb[0] != "agent":
            port = 4516 if self.network else free_port()
            sections.setdefault(verb[0], {})["listen"] = f"{address}:{port}"
        node = Node(os.path.join(self.root, name), verb, {"metrics": {"listen": ""}, **sections})
        self.nodes[name] = node
        self._enter[name] = entered(self.network.entering(name) if self.network else None)
        node.start(preexec=self._enter[name])
        self.up_since[name] = time.time()
        return node

    def begin(self):
        ledger = self._node("ledger", ["ledger", "run"])
        info = ledger.info()
        follow = {"address": info["ledger_address"], "key": info["ledger_key"]}
        for name in (*ROUTERS, *AGENTS):
            self._node(name, [name.split("-")[0], "run"], ledger=follow)
        for node in self.nodes.values():
            wait_for(f"{node} to be registered", lambda node=node: all(
                row["state"] == "registered" for row in node.ok("entity", "list").rows
                if row["name"] in ("agent", "router")))

    # ---- how they are
    def up(self, name):
        return name in self.up_since

    def calm_since(self, parties):
        """Since when nothing is wrong with any of `parties` and between them; None: something is."""
        if any(name not in self.up_since or name in self._unplugged for name in parties):
            return None
        if any({one, other} <= set(parties) for one, other in self._cuts):
            return None
        healed = [at for those, at in self._healed.items() if those <= set(parties)]
        return max([self.up_since[name] for name in parties] + healed)

    def all_well(self):
        return self.calm_since(PROCESSES) is not None

    def resident(self, name):
        """Resident memory in KiB and the process's id; None when it does not run."""
        node = self.nodes[name]
        if name not in self.up_since or not node.running():
            return None
        try:
            with open(f"/proc/{node.process.pid}/status", encoding="ascii") as file:
                sizes = [line.split()[1] for line in file if line.startswith("VmRSS:")]
        except (FileNotFoundError, ProcessLookupError):
            return None
        return (int(sizes[0]), node.process.pid) if sizes else None

    # ---- what is done to them
    def kill(self, name, down):
        """kill -9; started again after `down` seconds. False: it does not run now."""
        if not self.nodes[name].running():
            return False
        self._forget(name)
        self.nodes[name].kill()
        self._due[name] = time.time() + down
        return True

    def stop(self, name):
        """SIGTERM; started again once it has ended."""
        if not self.up(name):
            return False
        self._forget(name)
        self.nodes[name].process.terminate()
        self._stopping[name] = time.time()
        return True

    def _forget(self, name):
        self.up_since.pop(name, None)
        self._launched.pop(name, None)
        self._stopping.pop(name, None)

    def cut(self, one, other, seconds, one_way):
        if self.network is None or (one, other) in self._cuts:
            return False
        self._cuts[one, other] = time.time() + seconds
        self.network.cut(one, other, one_way)
        return True

    def unplug(self, name, seconds):
        if self.network is None or name in self._unplugged:
            return False
        self._unplugged[name] = time.time() + seconds
        self.network.unplug(name)
        return True

    def _heal(self, one, other):
        self.network.heal(one, other)
        del self._cuts[one, other]
        self._healed[frozenset((one, other))] = time.time()

    def _plug(self, name):
        self.network.plug(name)
        del self._unplugged[name]
        self._healed[frozenset((name,))] = time.time()

    def mend(self):
        """Ends all partitions and downtimes now."""
        for pair in list(self._cuts):
            self._heal(*pair)
        for name in list(self._unplugged):
            self._plug(name)
        for name in self._due:
            self._due[name] = 0.0

    def tick(self):
        """Does what is due. Returns what went wrong by itself, in words."""
        now = time.time()
        for pair in [pair for pair, at in self._cuts.items() if at <= now]:
            self._heal(*pair)
        for name in [name for name, at in self._unplugged.items() if at <= now]:
            self._plug(name)
        for name in [name for name, at in self._due.items() if at <= now]:
            del self._due[name]
            self.nodes[name].launch(preexec=self._enter[name])
            self._launched[name] = now
        return [wrong for name in PROCESSES for wrong in self._look(name, now)]

    def _look(self, name, now):
        node = self.nodes[name]
        if name in self._stopping:
            return self._stopped(name, now)
        if name in self._due:
            return []
        if not node.running():
            self._forget(name)
            self._due[name] = now + 1.0
            return [f"died: {node} ended by itself with {node.process.returncode}: {node.log()[-500:]}"]
        if name not in self._launched:
            return []
        if "ready" in node.out():
            del self._launched[name]
            self.up_since[name] = now
        elif now - self._launched[name] > START_SECONDS:
            self._launched[name] = now
            return [f"does not start: {node} was not ready within {START_SECONDS} s"]
        return []

    def _stopped(self, name, now):
        node = self.nodes[name]
        if node.running():
            if now - self._stopping[name] < STOP_SECONDS:
                return []
            del self._stopping[name]
            self.kill(name, 0.0)
            return [f"does not stop: {node} did not end within {STOP_SECONDS} s of SIGTERM"]
        del self._stopping[name]
        self._due[name] = now
        code = node.process.returncode
        return [] if code == 0 else [f"died: {node} ended with {code} on SIGTERM: {node.log()[-500:]}"]

    def signs_of_a_crash(self):
        logs = {node: node.log() for node in self.nodes.values()}
        return [f"crashed: {node} printed '{sign}'" for node, log in logs.items() for sign in SIGNS_OF_A_CRASH
                if sign in log]

    def close(self):
        for node in self.nodes.values():
            if node.running():
                node.kill()
        if self.network:
            self.network.close()
