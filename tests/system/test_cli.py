# SPDX-License-Identifier: Apache-2.0
"""The command line as a contract: exit codes, JSON, help, completion, files that verify."""

import json
import os
import re
import shutil
import subprocess
import unittest

from bosswave import BW, SystemTest, main, run_bw

KEY = re.compile(r"[A-Za-z0-9_-]{43}")


def verbs_below(*path):
    """Every command there is, as help tells it."""
    lines = run_bw(*path, "--help").out.splitlines()
    if not any(line.startswith("Subcommands:") for line in lines):
        return [path]
    start = next(number for number, line in enumerate(lines) if line.startswith("Subcommands:"))
    names = [line.split()[0] for line in lines[start + 1:] if line.startswith("  ") and not line.startswith("   ")]
    return [path, *(deeper for name in names for deeper in verbs_below(*path, name))]


class WithoutNode(SystemTest):
    def test_help_of_every_verb(self):
        verbs = verbs_below()
        self.assertGreater(len(verbs), 40)
        for verb in verbs:
            for flag in ("--help", "-h"):
                shown = run_bw(*verb, flag)
                self.assertEqual(shown.code, 0, shown)
                self.assertIn("Usage:", shown.out)
                self.assertEqual(shown.err, "")

    def test_version(self):
        self.assertRegex(run_bw("--version").out, r"^bw \d+\.\d+\.\d+")

    def test_completion(self):
        for shell in ("bash", "zsh"):
            script = run_bw("completion", shell)
            self.assertEqual(script.code, 0)
            checked = subprocess.run(["bash", "-n"], input=script.out, text=True, capture_output=True, timeout=30)
            self.assertEqual((checked.returncode, checked.stderr), (0, ""))
        asked = run_bw("completion", "bash").out + """
            complete_for() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _bw; echo "${COMPREPLY[@]}"; }
            complete_for bw gra; complete_for bw entity re; complete_for bw pub --cons; complete_for bw ''"""
        lines = subprocess.run(["bash"], input=asked, text=True, capture_output=True, timeout=30).stdout.splitlines()
        self.assertEqual(lines[0].split(), ["grant", "graph"])
        self.assertEqual(lines[1].split(), ["renew", "revoke"])
        self.assertEqual(lines[2].split(), ["--consumers"])
        for name in ("up", "namespace", "completion", "--json"):
            self.assertIn(name, lines[3].split())

    def test_files_that_are_nothing(self):
        for content in (b"", b"x", b"rubbish" * 1000, bytes(range(256)) * 20):
            path = os.path.join(self.root, "file")
            self.put_bytes(path, content)
            for verb in ("verify", "inspect"):
                refused = run_bw("--json", verb, path)
                self.assertEqual(refused.code, 8, refused)
                self.assertIn(path, refused.error["message"])
        self.assertEqual(run_bw("verify", os.path.join(self.root, "missing")).code, 4)


class WithNode(SystemTest):
    @classmethod
    def setUpClass(cls):
        cls.shared = WithNode("run")
        SystemTest.setUp(cls.shared)
        cls.shared._shown = []
        cls.bw = cls.shared.up()
        cls.bw.ok("namespace", "create", "home")
        for name in ("alice", "bob"):
            cls.bw.ok("entity", "create", name)
        cls.dots = [cls.bw.ok("grant", *arguments, sign=sign).row["id"] for arguments, sign in (
            (("alice", "home/hvac/*", "PC*L", "--ttl", "2", "--comment", 'say "hi" \\ there'), "home"),
            (("bob", "home/hvac/+", "PC+", "--rate", "100", "--store", "100000"), "alice"),
            (("everyone", "home/public/*", "C*"), "home"))]
        cls.bw.ok("persist", "home/hvac/t", "21.5", sign="bob")

    @classmethod
    def tearDownClass(cls):
        cls.shared.doCleanups()

    def test_exit_codes(self):
        cases = {
            0: (("info",), ("ledger", "status"), ("why", "bob", "home/hvac/t", "P")),
            2: (("grant", "bob", "home/x", "P", "--ttl", "256", "--as", "home"), ("sub",), ("entity", "create", "No Name")),
            3: (("pub", "home/other", "x", "--as", "bob"), ("sub", "home/*", "--as", "bob"), ("query", "home/*", "--as", "bob"),
                ("ls", "home", "--as", "bob"), ("why", "bob", "home/other", "P"), ("revoke", self.dots[0], "--as", "bob"),
                ("proof", "bob", "home/other", "P", "--out", os.path.join(self.root, "p"))),
            4: (("alias", "resolve", "nothing"), ("inspect", "nothing"), ("pub", "bob/x", "1", "--as", "bob")),
            5: (("sub", "home/hvac/t", "--as", "bob", "--count", "1", "--timeout", "100ms"),),
            6: (("alias", "set", "home", "--as", "bob"), ("entity", "create", "bob")),
        }
        for code, commands in cases.items():
            for command in commands:
                with self.subTest(command=command):
                    outcome = self.bw.run(*command)
                    self.assertEqual(outcome.code, code, outcome)
                    if code not in (0, 2):
                        self.assertRegex(outcome.error["error"], r"^[a-z_]+$")
                        self.assertGreater(len(outcome.error["message"]), 10)

    def test_every_json_line_parses_and_has_its_fields(self):
        out = os.path.join(self.root, "proof")
        fields = {
            ("info",): {"version", "directory", "roles", "sessions", "router_key", "ledger_key", "ledger_address"},
            ("ledger", "status"): {"kind", "size", "head", "root", "heard_at", "connected", "trouble", "entities"},
            ("entity", "list"): {"name", "key", "state", "expires_us"},
            ("entity", "show", "alice"): {"kind", "id", "key", "expires", "created", "state"},
            ("inspect", self.dots[0]): {"kind", "id", "granter", "grantee", "namespace", "pattern", "permissions", "ttl", "state"},
            ("alias", "resolve", "home"): {"key", "alias", "name", "router", "address"},
            ("why", "bob", "home/hvac/t", "P"): {"allowed", "path", "expires_us"},
            ("who-can", "home/hvac/t", "P"): {"entity", "path"},
            ("what-can", "bob"): {"namespace", "pattern", "permissions", "ttl", "expires_us", "path"},
            ("graph", "alice"): {"dot", "granter", "grantee", "namespace", "permissions", "pattern", "state"},
            ("proof", "bob", "home/hvac/t", "P", "--out", out): {"file", "hash", "bytes"},
            ("query", "home/hvac/t", "--as", "bob"): {"uri", "from", "created_us", "persisted", "stored", "id", "payload"},
            ("ls", "home/hvac", "--as", "alice"): {"names"},
            ("pub", "home/hvac/x", "1", "--as", "bob"): {"sent", "failed"},
        }
        for command, expected in fields.items():
            with self.subTest(command=command):
                outcome = self.bw.ok(*command)
                rows = [json.loads(line) for line in outcome.out.splitlines()]
                self.assertTrue(rows)
                for row in rows:
                    self.assertLessEqual(expected, set(row), row)
                self.assertEqual(outcome.err, "")
                plain = run_bw("--dir", self.bw.directory, *command)
                self.assertEqual(plain.code, 0, plain)
                self.assertTrue(plain.out.strip())

    def test_options_stand_before_or_after_the_verb(self):
        for arguments in (("--dir", self.bw.directory, "--json", "--as", "bob", "query", "home/hvac/t"),
                          ("query", "home/hvac/t", "--as", "bob", "--json", "--dir", self.bw.directory),
                          ("query", "--as=bob", "home/hvac/t", "--json", "--agent", "unix:" + self.bw.path("agent.sock"))):
            outcome = run_bw(*arguments)
            self.assertEqual(outcome.code, 0, outcome)
            self.assertEqual(outcome.row["payload"][0]["text"], "21.5")
        outcome = run_bw("info", env={**os.environ, "BW_DIR": self.bw.directory})
        self.assertEqual(outcome.code, 0, outcome)
        relative = run_bw("--dir", os.path.basename(self.bw.directory), "info", cwd=os.path.dirname(self.bw.directory))
        self.assertEqual(relative.code, 0, relative)

    def test_text_of_strangers_cannot_drive_the_terminal(self):
        self.bw.ok("persist", "home/hvac/esc", "\x1b[31mred\x07\r\nnext", sign="bob")
        shown = run_bw("--dir", self.bw.directory, "query", "home/hvac/esc", "--as", "bob")
        self.assertEqual(len(shown.out.splitlines()), 1, shown)
        self.assertFalse(any(ord(char) < 32 for char in shown.out.rstrip("\n")), shown)

    def test_proof_verifies_and_a_tampered_one_does_not(self):
        out = os.path.join(self.root, "proof")
        self.bw.ok("proof", "bob", "home/hvac/t", "P", "--out", out)
        verdict = run_bw("--json", "verify", out)
        self.assertEqual(verdict.code, 0, verdict)
        self.assertEqual([dot["id"] for dot in verdict.row["dots"]], self.dots[:2])
        good = self.bytes_of(out)
        for place in range(0, len(good), 7):
            bad = bytearray(good)
            bad[place] ^= 0x10
            self.put_bytes(out, bytes(bad))
            refused = run_bw("--json", "verify", out)
            self.assertIn(refused.code, (3, 8), f"byte {place}: {refused}")
        for length in (0, 1, len(good) // 2, len(good) - 1):
            self.put_bytes(out, good[:length])
            self.assertIn(run_bw("--json", "verify", out).code, (3, 8), length)
        self.put_bytes(out, good + b"\x00")
        self.assertEqual(run_bw("--json", "verify", out).code, 8)

    def test_a_saved_message_verifies_and_a_tampered_one_does_not(self):
        out = os.path.join(self.root, "message")
        self.bw.ok("query", "home/hvac/t", "--save", out, sign="home")
        verdict = run_bw("--json", "verify", out)
        self.assertEqual(verdict.code, 0, verdict)
        self.assertEqual(verdict.row["origin"], self.bw.key("bob"))
        self.assertEqual(run_bw("--json", "inspect", out).row["kind"], "message")
        good = self.bytes_of(out)
        for place in range(0, len(good), 11):
            bad = bytearray(good)
            bad[place] ^= 1
            self.put_bytes(out, bytes(bad))
            again = run_bw("--json", "verify", out)
            # The number that a session gave to the topic means nothing in a file and is not signed:
            # whatever it is, the file says the same.
            self.assertTrue(again.code in (3, 8) or again.out == verdict.out, f"byte {place}: {again}")

    def test_inspect_of_files(self):
        key = run_bw("--json", "inspect", self.bw.path("keys", "bob.key")).row
        self.assertEqual((key["kind"], key["key"], key["sealed"]), ("key file", self.bw.key("bob"), False))
        # Never the secret itself.
        shown = run_bw("inspect", self.bw.path("keys", "bob.key")).out
        self.assertEqual(set(KEY.findall(shown)), {key["key"]})

    def test_graph_is_graphviz(self):
        for around in ("home", "alice", "home/hvac/*", "home/public/x"):
            drawn = run_bw("--dir", self.bw.directory, "graph", around)
            self.assertEqual(drawn.code, 0, drawn)
            self.assertRegex(drawn.out, r"^digraph \w+ \{\n")
            self.assertTrue(drawn.out.rstrip().endswith("}"))
            self.assertIn("->", drawn.out)
            dot = shutil.which("dot")
            if dot:
                done = subprocess.run([dot, "-Tcanon"], input=drawn.out, text=True, capture_output=True, timeout=60)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
        cut = run_bw("--dir", self.bw.directory, "graph", "home", "--most", "1")
        self.assertIn("--most", cut.err)

    def test_ledger_verify_of_a_copy(self):
        copy = os.path.join(self.root, "ledger.log")
        shutil.copy(self.bw.path("authority", "ledger.log"), copy)
        verdict = run_bw("--json", "ledger", "verify", copy)
        self.assertEqual(verdict.code, 0, verdict)
        status = self.bw.status()
        self.assertEqual((verdict.row["entries"], verdict.row["root"]), (status["size"], status["root"]))
        # The node's own file is in use, and says so.
        self.bw.refused(6, "ledger", "verify", says="in use")

    def test_a_reader_that_goes_away(self):
        """bw graph | head must not end in a crash."""
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run([BW, "--dir", self.bw.directory, "graph", "home"], stdout=writer, timeout=60)
        os.close(writer)
        self.assertIn(done.returncode, (0, 1, -13))


if __name__ == "__main__":
    main()
