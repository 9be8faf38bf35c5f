# SPDX-License-Identifier: Apache-2.0
"""A device whose network lets in nothing but its designated router (paper section 5.3).

Three hosts, each a network namespace, on one switch:

    device 10.78.0.2      runs an agent; its firewall takes packets from and to 10.78.0.1 only
    router 10.78.0.1      runs ledger and router (`bw up`): all that the device ever talks to
    outside 10.78.0.3     an attacker, and an honest agent elsewhere

The device follows the ledger at the router's own address. Where the ledger is another host's, the firewall has to
let in that one too: docs/operations.md, "Devices".

Needs root, network namespaces, ip (iproute2) and nft (nftables). Without them the tests are skipped, which ctest says.
"""

import ctypes
import json
import os
import shutil
import socket
import subprocess
import threading
import uuid

from bosswave import PATIENCE, SystemTest, main

ADDRESS = {"router": "10.78.0.1", "device": "10.78.0.2", "outside": "10.78.0.3"}
LEDGER_PORT, ROUTER_PORT, SPY_PORT = 4516, 4514, 4600

# What an operator gives a device; docs/operations.md shows the same.
DEVICE_FIREWALL = """
table inet bosswave {
  counter from_router { }
  counter refused { }
  counter refused_out { }
  chain input {
    type filter hook input priority filter; policy drop;
    iif "lo" accept
    ip saddr %(router)s counter name from_router accept
    counter name refused drop
  }
  chain output {
    type filter hook output priority filter; policy drop;
    oif "lo" accept
    ip daddr %(router)s accept
    meta nfproto ipv6 drop  # the system's own search for neighbours, which is not counted
    counter name refused_out drop
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
  }
}
""" % ADDRESS


def command(*words, **how):
    return subprocess.run(words, capture_output=True, text=True, **how)


class Hosts:
    """Network namespaces on one bridge, which is in a namespace of its own."""

    def __init__(self):
        self.tag = uuid.uuid4().hex[:6]

    def name(self, host):
        return f"bw-{self.tag}-{host}"

    def do(self, *words):
        done = command(*words)
        if done.returncode != 0:
            raise OSError(f"{' '.join(words)}: {done.stderr.strip()}")

    def make(self):
        switch = self.name("switch")
        self.do("ip", "netns", "add", switch)
        self.do("ip", "-n", switch, "link", "add", "br0", "type", "bridge")
        self.do("ip", "-n", switch, "link", "set", "br0", "up")
        for host, address in ADDRESS.items():
            there = self.name(host)
            self.do("ip", "netns", "add", there)
            self.do("ip", "-n", there, "link", "add", "eth0", "type", "veth", "peer", "name", host, "netns", switch)
            self.do("ip", "-n", switch, "link", "set", host, "master", "br0", "up")
            self.do("ip", "-n", there, "address", "add", f"{address}/24", "dev", "eth0")
            self.do("ip", "-n", there, "link", "set", "lo", "up")
            self.do("ip", "-n", there, "link", "set", "eth0", "up")

    def remove(self):
        for host in [*ADDRESS, "switch"]:
            command("ip", "netns", "delete", self.name(host))

    def inside(self, host, *words):
        return ["ip", "netns", "exec", self.name(host), *words]

    def enter(self, host):
        """For a process about to run, or a thread: takes it to that host."""
        handle = os.open(f"/run/netns/{self.name(host)}", os.O_RDONLY)
        try:
            setns(handle)
        finally:
            os.close(handle)


def setns(handle):
    if ctypes.CDLL(None, use_errno=True).setns(handle, 0) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class DeviceNetwork(SystemTest):
    def setUp(self):
        super().setUp()
        for tool in ("ip", "nft"):
            if shutil.which(tool) is None:
                self.skipTest(f"{tool} is not installed (tools/setup)")
        self.hosts = Hosts()
        self.addCleanup(self.hosts.remove)
        try:
            self.hosts.make()
        except OSError as error:
            self.skipTest(f"this system lets nobody make network namespaces: {error}")

    # ---- hosts
    def node_at(self, host, name, verb, **sections):
        made = self.node(name, verb, **sections)
        return made.start(preexec=lambda: self.hosts.enter(host))

    def firewall(self, host, rules):
        done = command(*self.hosts.inside(host, "nft", "-f", "-"), input=rules)
        self.assertEqual(done.returncode, 0, done.stderr)

    def packets(self, name):
        listed = json.loads(command(*self.hosts.inside("device", "nft", "-j", "list", "counters")).stdout)
        return next(row["counter"]["packets"] for row in listed["nftables"]
                    if row.get("counter", {}).get("name") == name)

    def connects(self, host, to, port, patience=0.5):
        """Whether a TCP connection from `host` comes about."""
        outcome = []

        def try_it():
            self.hosts.enter(host)
            with socket.socket() as client:
                client.settimeout(patience)
                outcome.append(client.connect_ex((to, port)) == 0)

        # setns() moves one thread, which ends here.
        thread = threading.Thread(target=try_it)
        thread.start()
        thread.join(PATIENCE)
        return outcome[0]

    def listen_at(self, host, port):
        """Something on the host that would answer whoever gets through to it."""
        made = []

        def listen():
            self.hosts.enter(host)
            made.append(socket.create_server(("0.0.0.0", port)))

        thread = threading.Thread(target=listen)
        thread.start()
        thread.join(PATIENCE)
        self.addCleanup(made[0].close)

    # ---- the site
    def site(self):
        """Everything runs, the firewall is up, and `home` has a thermostat on the device and a user outside."""
        self.up = self.node_at("router", "up", ["up"],
                               ledger={"listen": f"{ADDRESS['router']}:{LEDGER_PORT}"},
                               router={"listen": f"{ADDRESS['router']}:{ROUTER_PORT}"})
        follow = {"address": f"{ADDRESS['router']}:{LEDGER_PORT}", "key": self.up.info()["ledger_key"]}
        self.firewall("device", DEVICE_FIREWALL)
        self.device = self.node_at("device", "device", ["agent", "run"], ledger=follow)
        self.user = self.node_at("outside", "user", ["agent", "run"], ledger=follow)
        self.up.ok("namespace", "create", "home")
        self.device.ok("entity", "create", "thermostat")
        self.user.ok("entity", "create", "anna")
        self.up.caught_up(self.user.status()["size"])
        for who in (self.device.key("thermostat"), self.user.key("anna")):
            self.up.ok("grant", who, "home/room/*", "PC*L", sign="home")
        for node in (self.device, self.user):
            node.caught_up(self.up.status()["size"])

    def test_everything_works_through_the_router_alone(self):
        self.site()
        set_points = self.subscription(self.device, "home/room/set", "thermostat")
        readings = self.subscription(self.user, "home/room/reading", "anna")
        self.user.ok("pub", "home/room/set", "21", sign="anna")
        set_points.wait_texts("21")
        self.device.ok("pub", "home/room/reading", "19.5", sign="thermostat")
        readings.wait_texts("19.5")
        self.device.ok("persist", "home/room/last", "19.5", sign="thermostat")
        self.user.ok("persist", "home/room/wanted", "21", sign="anna")
        self.assertEqual([row["payload"][0]["text"] for row in
                          self.user.ok("query", "home/room/last", sign="anna").rows], ["19.5"])
        self.assertEqual([row["payload"][0]["text"] for row in
                          self.device.ok("query", "home/room/wanted", sign="thermostat").rows], ["21"])
        # The device hears of the ledger too: what is revoked there, it no longer takes.
        before = self.device.status()["size"]
        self.up.ok("entity", "create", "late")
        self.device.caught_up(before + 1)
        self.assertGreater(self.packets("from_router"), 0)
        self.assertEqual(self.packets("refused_out"), 0, "the device never wanted to talk to anybody else")

    def test_nobody_else_reaches_the_device(self):
        self.site()
        self.listen_at("device", SPY_PORT)
        self.listen_at("outside", SPY_PORT)
        # The control: the way is there, and the firewall is what closes it.
        self.assertTrue(self.connects("router", ADDRESS["device"], SPY_PORT))
        self.assertTrue(self.connects("router", ADDRESS["outside"], SPY_PORT))
        refused = self.packets("refused")
        self.assertFalse(self.connects("outside", ADDRESS["device"], SPY_PORT))
        self.assertFalse(self.connects("outside", ADDRESS["device"], ROUTER_PORT))
        self.assertGreater(self.packets("refused"), refused, "the packets came, and went no further")
        self.assertFalse(self.connects("device", ADDRESS["outside"], SPY_PORT))
        self.assertGreater(self.packets("refused_out"), 0)
        # And while the attacker goes on, the device is served.
        readings = self.subscription(self.user, "home/room/reading", "anna")
        stop = threading.Event()

        def hammer():
            while not stop.is_set():
                self.connects("outside", ADDRESS["device"], SPY_PORT, patience=0.05)

        hammering = threading.Thread(target=hammer)
        hammering.start()
        try:
            for number in range(20):
                self.device.ok("pub", "home/room/reading", str(number), sign="thermostat")
            readings.wait_texts(*[str(number) for number in range(20)])
        finally:
            stop.set()
            hammering.join(PATIENCE)
        # Without the firewall the same attacker gets through.
        self.assertEqual(command(*self.hosts.inside("device", "nft", "delete", "table", "inet", "bosswave")).returncode, 0)
        self.assertTrue(self.connects("outside", ADDRESS["device"], SPY_PORT))


if __name__ == "__main__":
    main()
