# SPDX-License-Identifier: Apache-2.0
"""Nodes as processes, the commands people give them, and the streams they leave running."""
import json
import os
import re
import subprocess
import threading
import time

DEADLINE = 20.0  # seconds that anything is waited for
PERIOD = 0.1     # seconds between two readings of a sensor


class Failure(Exception):
    pass


def short(text):
    """Keys shortened, so that a command fits on a line."""
    return re.sub(r"[A-Za-z0-9_-]{43}", lambda m: m.group()[:8] + "..", text)


def wait(condition, what, deadline=DEADLINE):
    """Looks every few milliseconds until the condition holds."""
    end = time.monotonic() + deadline
    while not condition():
        if time.monotonic() > end:
            raise Failure(f"{what} did not come within {deadline:.0f} s")
        time.sleep(0.005)


class Answer:
    """What a command printed."""

    def __init__(self, process):
        self.code = process.returncode
        self.lines = process.stdout.splitlines()
        errors = process.stderr.strip().splitlines()
        try:
            self.error = json.loads(errors[-1])["message"] if errors else ""
        except (ValueError, KeyError, TypeError):
            self.error = errors[-1]

    @property
    def json(self):
        return json.loads(self.lines[0])


class Stage:
    """All the processes of the story, and where they live."""

    def __init__(self, bw, directory, ledger):
        self.bw = bw
        self.directory = directory
        self.ledger = ledger
        self.nodes = []
        self.streams = []

    def start(self, name, role):
        node = Node(self, name, role)
        self.nodes.append(node)
        self.ledger.pay_for(node)
        node.start()
        return node

    def offline(self, *command):
        return self.run(["--dir", os.path.join(self.directory, "nobody"), *command])

    def run(self, arguments, show=None):
        began = time.monotonic()
        process = subprocess.run([self.bw, "--json", *arguments], capture_output=True, text=True, timeout=60)
        if show:
            print(f"    {show:10} $ bw {short(' '.join(arguments[2:]))}   [{1e3 * (time.monotonic() - began):.0f} ms]",
                  flush=True)
        return Answer(process)

    def wait_known(self):
        """Until every node that runs knows what any of them knows of the ledger."""
        nodes = [node for node in self.nodes if node.process.poll() is None]
        most = max(node.status()["size"] for node in nodes)
        for node in nodes:
            node.wait_synced(most)

    def stop_all(self):
        for stream in self.streams:
            stream.stop()
        for node in reversed(self.nodes):
            node.stop()

    def last_words(self):
        return "\n".join(f"--- {node.name}\n" + "".join(node.log()[-5:]) for node in self.nodes if node.log())


class Node:
    """One `bw` daemon in a directory of its own."""

    def __init__(self, stage, name, role):
        self.stage = stage
        self.name = name
        self.role = role
        self.directory = os.path.join(stage.directory, name)
        self.process = None
        self.facts = {}
        os.makedirs(self.directory)
        with open(os.path.join(self.directory, "bosswave.toml"), "w") as config:
            config.write('[metrics]\nlisten = ""\n[router]\nlisten = "127.0.0.1:0"\n')
            config.write(stage.ledger.config(self))

    def start(self):
        log = open(os.path.join(self.directory, "log"), "ab")
        self.process = subprocess.Popen([self.stage.bw, "--dir", self.directory, self.role, "run"],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True)
        log.close()
        for line in self.process.stdout:
            if line.strip() == "ready":
                break
        else:
            raise Failure(f"{self.name} did not start")
        self.facts = self.stage.run(["--dir", self.directory, "info"]).json
        if self.role == "ledger":
            print(f"    {self.name:10} ledger at {self.facts['ledger_address']}")
        else:
            where = f"router at {self.router_address}" if self.role == "router" else "agent"
            print(f"    {self.name:10} {where}")

    @property
    def router_key(self):
        return self.facts["router_key"]

    @property
    def router_address(self):
        return self.facts["router_address"]

    def restart(self):
        self.stop()
        self.start()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def log(self):
        try:
            with open(os.path.join(self.directory, "log")) as file:
                return file.readlines()
        except OSError:
            return []

    def bw(self, *command, may_fail=False):
        answer = self.stage.run(["--dir", self.directory, *command], show=self.name)
        if answer.code != 0 and not may_fail:
            raise Failure(f"{self.name}: bw {short(' '.join(command))}: {answer.error} (exit {answer.code})")
        return answer

    def status(self):
        """How the ledger stands, as this node sees it."""
        return self.stage.run(["--dir", self.directory, "ledger", "status"]).json

    def wait_synced(self, size):
        wait(lambda: self.status()["size"] >= size, f"{self.name}'s copy of the ledger")

    def subscribe(self, uri, key):
        print(f"    {self.name:10} $ bw sub {short(uri)} --as {key} &", flush=True)
        stream = Subscription(self, uri, key)
        self.stage.streams.append(stream)
        return stream

    def publish(self, uri, key, read):
        print(f"    {self.name:10} $ bw pub {short(uri)} --as {key} --lines &", flush=True)
        stream = Publisher(self, uri, key, read)
        self.stage.streams.append(stream)
        return stream


class Stream:
    """A `bw` command that keeps running."""

    def __init__(self, node, *command, **pipes):
        self.process = subprocess.Popen([node.stage.bw, "--json", "--dir", node.directory, *command], text=True,
                                        bufsize=1, **pipes)

    def alive(self):
        return self.process.poll() is None

    def stop(self):
        if self.alive():
            self.process.terminate()
        self.process.wait(10)


class Subscription(Stream):
    """What `bw sub` prints, with the time of arrival of each message."""

    def __init__(self, node, uri, key):
        super().__init__(node, "sub", uri, "--as", key, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE)
        self.messages = []
        self.events = []
        self.error = ""
        self.readers = [threading.Thread(target=self.read, daemon=True),
                        threading.Thread(target=self.read_errors, daemon=True)]
        for reader in self.readers:
            reader.start()

    def read(self):
        for line in self.process.stdout:
            item = json.loads(line)
            if "event" in item:
                self.events.append(item["event"])
            elif "uri" in item:
                item["arrived"] = time.time()
                self.messages.append(item)

    def read_errors(self):
        for line in self.process.stderr:
            self.error = json.loads(line).get("message", line) if line.startswith("{") else line.strip()

    @property
    def standing(self):
        return "standing" in self.events

    def wait_for(self, condition, what):
        def held():
            if condition(self):
                return True
            if not self.alive():
                raise Failure(f"{what}: the subscription ended: {self.error}")
            return False
        wait(held, what)

    def wait_end(self, what):
        wait(lambda: not self.alive(), what)
        for reader in self.readers:
            reader.join(5)
        return self.process.returncode


class Publisher(Stream):
    """Feeds readings to `bw pub --lines` until stopped."""

    def __init__(self, node, uri, key, read):
        super().__init__(node, "pub", uri, "--as", key, "--lines", stdin=subprocess.PIPE,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.read = read
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.feed, daemon=True)
        self.thread.start()

    def feed(self):
        try:
            while not self.done.wait(PERIOD):
                self.process.stdin.write(self.read() + "\n")
                self.process.stdin.flush()
        except (BrokenPipeError, ValueError):
            pass

    def stop(self):
        self.done.set()
        self.thread.join()
        super().stop()
