# SPDX-License-Identifier: Apache-2.0
"""Starts real `bw` processes in directories of their own and talks to them through the command line.

Environment: BW is the path of the binary. Every wait is on a condition and has a deadline.
"""

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

_BUILT_HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../build/release/src/cli/bw")
BW = os.path.abspath(os.environ.get("BW", _BUILT_HERE))

# Generous: the machine may be busy. Nothing waits that long when all is well.
PATIENCE = 40.0

# What the standard library, the kernel or a sanitizer prints when a process dies of its own bug.
SIGNS_OF_A_CRASH = ("terminate called", "Assertion", "assertion failed", "internal error at", "Sanitizer",
                    "core dumped", "munmap_chunk", "double free")


def wait_for(what, condition, patience=PATIENCE):
    """The first true value of condition(); fails with `what` when there is none in time."""
    end = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            shown = what() if callable(what) else what
            raise AssertionError(f"not within {patience} s: {shown}")
        time.sleep(0.02)


def free_port():
    # Below the range that the kernel takes ports of outgoing connections from, so that the port is
    # still free when a node is started again.
    while True:
        port = random.SystemRandom().randrange(15000, 31000)
        with contextlib.closing(socket.socket()) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Outcome:
    """What one command printed and how it ended."""

    def __init__(self, arguments, code, out, err):
        self.arguments, self.code, self.out, self.err = arguments, code, out, err

    @property
    def rows(self):
        return [json.loads(line) for line in self.out.splitlines() if line.startswith("{")]

    @property
    def row(self):
        return self.rows[-1]

    @property
    def error(self):
        """The last JSON error on stderr: {"error", "message"}."""
        errors = [json.loads(line) for line in self.err.splitlines() if line.startswith('{"error"')]
        return errors[-1] if errors else {"error": "", "message": self.err}

    def __str__(self):
        return f"bw {' '.join(self.arguments)}\n  exit {self.code}\n  out: {self.out}\n  err: {self.err}"


def run_bw(*arguments, stdin=None, timeout=PATIENCE, env=None, cwd=None, preexec=None):
    done = subprocess.run([BW, *arguments], input=stdin, capture_output=True, text=True, errors="replace",
                          timeout=timeout, env=env, cwd=cwd, preexec_fn=preexec)
    outcome = Outcome(arguments, done.returncode, done.stdout, done.stderr)
    if done.returncode < 0 or any(sign in done.stderr for sign in SIGNS_OF_A_CRASH):
        raise AssertionError(f"crashed: {outcome}")
    return outcome


class Lines:
    """A running command whose lines of output are collected as they come."""

    def __init__(self, arguments, stdin=False, env=None):
        self.arguments = arguments
        self.process = subprocess.Popen([BW, *arguments], stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        errors="replace", env=env)
        self.lines, self.errors = [], []
        self._threads = [threading.Thread(target=self._read, args=pair, daemon=True)
                         for pair in ((self.process.stdout, self.lines), (self.process.stderr, self.errors))]
        for thread in self._threads:
            thread.start()

    @staticmethod
    def _read(stream, into):
        for line in stream:
            into.append(line.rstrip("\n"))

    def write(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    @property
    def rows(self):
        return [json.loads(line) for line in list(self.lines)]

    @property
    def texts(self):
        return [row["payload"][0]["text"] for row in self.rows if row.get("payload")]

    @property
    def events(self):
        return [row["event"] for row in self.rows if "event" in row]

    def wait_event(self, word, after=0, patience=PATIENCE):
        """Waits until an event that holds `word` came, not counting the first `after` events."""
        wait_for(lambda: f"event '{word}' from {self}",
                 lambda: any(word in event for event in self.events[after:]), patience)

    def wait_texts(self, *texts, patience=PATIENCE):
        wait_for(lambda: f"{texts} from {self}", lambda: set(texts) <= set(self.texts), patience)

    def end(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.wait()

    def wait(self, patience=PATIENCE):
        code = self.process.wait(patience)
        for thread in self._threads:
            thread.join(patience)
        return code

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()

    def __str__(self):
        return f"bw {' '.join(self.arguments)}: lines {self.lines} errors {self.errors}"


def toml(sections):
    out = ""
    for section, values in sections.items():
        out += f"[{section}]\n"
        for key, value in values.items():
            out += f"{key} = {json.dumps(value)}\n"
    return out


class Node:
    """One `bw` daemon and its directory. `verb`: ["up"], ["ledger", "run"], ["router", "run"], ["agent", "run"]."""

    def __init__(self, directory, verb, sections):
        self.directory, self.verb = str(directory), verb
        self.sections = sections
        self.process = None
        self.log_path = self.directory.rstrip("/") + ".log"
        self.out_path = self.directory.rstrip("/") + ".out"
        self._expected_dead = True

    def path(self, *parts):
        return os.path.join(self.directory, *parts)

    def configure(self):
        os.makedirs(self.directory, exist_ok=True)
        with open(self.path("bosswave.toml"), "w", encoding="utf-8") as file:
            file.write(toml(self.sections))

    def launch(self, preexec=None, env=None):
        """Starts the process; does not wait."""
        if not os.path.exists(self.path("bosswave.toml")):
            self.configure()
        with open(self.log_path, "ab") as log, open(self.out_path, "wb") as out:
            self.process = subprocess.Popen([BW, "--dir", self.directory, *self.verb], stdin=subprocess.DEVNULL,
                                            stdout=out, stderr=log, preexec_fn=preexec,
                                            env={**os.environ, **(env or {})})
        self._expected_dead = False
        return self

    def start(self, preexec=None, env=None):
        """Starts the process and waits until it says that it is up."""
        self.launch(preexec, env)

        def up():
            if self.process.poll() is not None:
                raise AssertionError(f"{self} ended with {self.process.returncode} at its start:\n{self.log()}")
            return "ready" in self.out()

        wait_for(lambda: f"{self} to be ready:\n{self.log()}", up)
        return self

    def out(self):
        with open(self.out_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def log(self):
        if not os.path.exists(self.log_path):
            return ""
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def start_refused(self, **how):
        """Starts a node that is expected to give up. Returns its exit code and what it said in this run."""
        before = len(self.log())
        self.launch(**how)
        self._expected_dead = True
        code = self.process.wait(PATIENCE)
        said = self.log()[before:]
        if code < 0 or any(sign in said for sign in SIGNS_OF_A_CRASH):
            raise AssertionError(f"{self} crashed ({code}): {said}")
        return code, said

    def kill(self):
        self._expected_dead = True
        self.process.kill()
        self.process.wait(PATIENCE)

    def stop(self):
        self._expected_dead = True
        self.process.terminate()
        return self.process.wait(PATIENCE)

    def running(self):
        return self.process is not None and self.process.poll() is None

    def trouble(self):
        """What must not be, whatever a test is about; empty when all is well."""
        if not self._expected_dead and not self.running():
            return f"{self} died by itself with {self.process.returncode}"
        said = self.log()
        return next((f"{self} printed '{sign}'" for sign in SIGNS_OF_A_CRASH if sign in said), "")

    def arguments(self, *arguments, sign=None):
        return ["--dir", self.directory, "--json", *(["--as", sign] if sign else []), *arguments]

    def run(self, *arguments, sign=None, stdin=None, timeout=PATIENCE):
        """Runs one command against this node, whatever comes of it."""
        return run_bw(*self.arguments(*arguments, sign=sign), stdin=stdin, timeout=timeout)

    def ok(self, *arguments, **how):
        outcome = self.run(*arguments, **how)
        if outcome.code != 0:
            raise AssertionError(f"expected success: {outcome}")
        return outcome

    def refused(self, code, *arguments, says=(), **how):
        """Runs a command that must end with `code` and an error that holds all of `says`."""
        outcome = self.run(*arguments, **how)
        words = (says,) if isinstance(says, str) else says
        missing = [word for word in words if word.lower() not in outcome.error["message"].lower()]
        if outcome.code != code or missing:
            raise AssertionError(f"expected exit {code} and {words}: {outcome}")
        return outcome

    def lines(self, *arguments, sign=None, stdin=False):
        return Lines(self.arguments(*arguments, sign=sign), stdin=stdin)

    def status(self):
        return self.ok("ledger", "status").row

    def info(self):
        return self.ok("info").row

    def key(self, what):
        return self.ok("alias", "resolve", what).row["key"]

    def caught_up(self, size):
        wait_for(lambda: f"{self} to hold {size} entries: {self.status()}", lambda: self.status()["size"] >= size)

    def __str__(self):
        return f"node {os.path.basename(self.directory)} ({' '.join(self.verb)})"


class SystemTest(unittest.TestCase):
    """Gives each test a directory, and at its end stops what it started; shows the logs of a failure."""

    def setUp(self):
        # Short, because a socket's path has at most 107 bytes.
        self.root = tempfile.mkdtemp(prefix="bw")
        self.nodes, self.streams = [], []
        self.addCleanup(self._clean_up)

    def run(self, result=None):
        before = len(result.errors) + len(result.failures) if result else 0
        self._failed = lambda: len(result.errors) + len(result.failures) > before if result else False
        self._shown = []
        outcome = super().run(result)
        if self._failed():
            for name, log in self._shown:
                print(f"---- log of {name}\n{log[-6000:]}", flush=True)
        return outcome

    def _clean_up(self):
        for stream in self.streams:
            stream.close()
        troubles = [trouble for trouble in (node.trouble() for node in self.nodes) if trouble]
        for node in self.nodes:
            if node.running():
                node.kill()
            self._shown.append((str(node), node.log()))
        shutil.rmtree(self.root, ignore_errors=True)
        if troubles:
            raise AssertionError("; ".join(troubles))

    # ---- nodes
    def node(self, name, verb, **sections):
        """A node of this test, not started. Ports are its own; its metrics are off unless asked for."""
        made = Node(os.path.join(self.root, name), verb, {"metrics": {"listen": ""}, **sections})
        self.nodes.append(made)
        return made

    def up(self, name="up", **sections):
        """Ledger, router and agent in one process, started."""
        made = self.up_node(name, **sections)
        return made.start()

    def up_node(self, name="up", **sections):
        ledger = {"listen": f"127.0.0.1:{free_port()}", **sections.pop("ledger", {})}
        router = {"listen": f"127.0.0.1:{free_port()}", **sections.pop("router", {})}
        return self.node(name, ["up"], ledger=ledger, router=router, **sections)

    def ledger(self, name="ledger", **sections):
        ledger = {"listen": f"127.0.0.1:{free_port()}", **sections.pop("ledger", {})}
        return self.node(name, ["ledger", "run"], ledger=ledger, **sections).start()

    @staticmethod
    def following(ledger):
        """The [ledger] section of a node that follows `ledger`, which runs."""
        info = ledger.info()
        return {"address": info["ledger_address"], "key": info["ledger_key"]}

    def router(self, ledger, name="router", **sections):
        return self.node(name, ["router", "run"], ledger=self.following(ledger),
                         router={"listen": f"127.0.0.1:{free_port()}"}, **sections).start()

    def agent(self, ledger, name="agent", **sections):
        return self.node(name, ["agent", "run"], ledger=self.following(ledger), **sections).start()

    def lines(self, node, *arguments, **how):
        stream = node.lines(*arguments, **how)
        self.streams.append(stream)
        return stream

    def subscription(self, node, uri, sign, *options):
        """A running `bw sub`, already standing."""
        stream = self.lines(node, "sub", uri, *options, sign=sign)
        stream.wait_event("standing")
        return stream

    @staticmethod
    def registered(node):
        """Waits until the node's own entities are on the ledger as it sees it."""
        def all_there():
            return all(row["state"] == "registered" for row in node.ok("entity", "list").rows
                       if row["name"] in ("agent", "router"))
        wait_for(f"{node} to be registered", all_there)
        return node

    # ---- files
    @staticmethod
    def bytes_of(path):
        with open(path, "rb") as file:
            return file.read()

    @staticmethod
    def put_bytes(path, content, mode=None):
        with open(path, "wb") as file:
            file.write(content)
        if mode is not None:
            os.chmod(path, mode)


# Tells ctest that a file passed but for cases that say themselves why they were skipped.
EXIT_SKIPPED = 77


def main():
    result = unittest.main(verbosity=2, exit=False).result
    if not result.wasSuccessful():
        sys.exit(1)
    sys.exit(EXIT_SKIPPED if result.skipped else 0)
