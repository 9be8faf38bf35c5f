# SPDX-License-Identifier: Apache-2.0
"""Network namespaces: one for each process, all on one bridge that has a namespace of its own, so that
nothing of the machine's own network is touched. A partition is an nftables rule or a link that is down."""

import ctypes
import os
import re
import shutil
import subprocess

CLONE_NEWNET = 0x40000000
PREFIX = "bwsoak"
LIBC = ctypes.CDLL(None, use_errno=True)


def run(*command, text=None):
    subprocess.run(command, input=text, text=True, check=True, capture_output=True, timeout=20)


def obstacle():
    """Why there can be no namespaces here; empty when there can."""
    missing = [tool for tool in ("ip", "nft") if shutil.which(tool, path="/usr/sbin:/sbin:/usr/bin") is None]
    if missing:
        return f"{' and '.join(missing)} not installed"
    if os.geteuid() != 0:
        return "not root"
    probe = f"{PREFIX}{os.getpid()}probe"
    try:
        run("ip", "netns", "add", probe)
        run("ip", "netns", "exec", probe, "nft", "add", "table", "inet", "probe")
    except subprocess.CalledProcessError as error:
        return error.stderr.strip() or "no right to make network namespaces"
    finally:
        subprocess.run(["ip", "netns", "del", probe], capture_output=True, check=False)
    return ""


def sweep():
    """Removes namespaces of runs that were killed themselves."""
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=False).stdout
    for name, pid in re.findall(rf"^({PREFIX}(\d+)\S+)", listed, re.MULTILINE):
        if not os.path.exists(f"/proc/{pid}"):
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


class Network:
    def __init__(self):
        sweep()
        self._prefix = f"{PREFIX}{os.getpid()}"
        self._addresses, self._files, self._cuts = {}, {}, {}
        self._made = []
        self._namespace("hub")
        self._inside("hub", "ip", "link", "add", "br0", "type", "bridge")
        self._inside("hub", "ip", "link", "set", "br0", "up")

    def _name(self, who):
        return f"{self._prefix}{who}"

    def _namespace(self, who):
        run("ip", "netns", "add", self._name(who))
        self._made.append(who)
        self._inside(who, "ip", "link", "set", "lo", "up")

    def _inside(self, who, *command, text=None):
        run("ip", "netns", "exec", self._name(who), *command, text=text)

    def add(self, who):
        """A namespace for one process; its address."""
        number = len(self._addresses) + 1
        address = f"10.77.0.{number}"
        self._namespace(who)
        self._inside("hub", "ip", "link", "add", f"port{number}", "type", "veth", "peer", "name", "eth0",
                     "netns", self._name(who))
        self._inside("hub", "ip", "link", "set", f"port{number}", "master", "br0", "up")
        self._inside(who, "ip", "addr", "add", f"{address}/24", "dev", "eth0")
        self._inside(who, "ip", "link", "set", "eth0", "up")
        self._addresses[who] = address
        self._files[who] = os.open(f"/run/netns/{self._name(who)}", os.O_RDONLY | os.O_CLOEXEC)
        return address

    def entering(self, who):
        """For a child process, to be called between fork and exec."""
        file = self._files[who]

        def enter():
            if LIBC.setns(file, CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
        return enter

    def cut(self, one, other, one_way):
        """`one` hears nothing from `other` any more, and unless `one_way` is not heard by it either."""
        self._cuts[one, other] = one_way
        self._apply(one)

    def heal(self, one, other):
        self._cuts.pop((one, other), None)
        self._apply(one)

    def unplug(self, who):
        self._inside(who, "ip", "link", "set", "eth0", "down")

    def plug(self, who):
        self._inside(who, "ip", "link", "set", "eth0", "up")

    def _apply(self, who):
        """Drops packets without a word."""
        cuts = [(self._addresses[other], one_way) for (one, other), one_way in self._cuts.items() if one == who]
        rules = [f"add rule inet soak in ip saddr {address} drop" for address, _ in cuts]
        rules += [f"add rule inet soak out ip daddr {address} drop" for address, one_way in cuts if not one_way]
        self._inside(who, "nft", "-f", "-", text="\n".join((
            "add table inet soak", "delete table inet soak", "add table inet soak",
            "add chain inet soak in { type filter hook input priority 0 ; }",
            "add chain inet soak out { type filter hook output priority 0 ; }", *rules, "")))

    def close(self):
        for file in self._files.values():
            os.close(file)
        for who in reversed(self._made):
            subprocess.run(["ip", "netns", "del", self._name(who)], capture_output=True, check=False, timeout=20)
