# SPDX-License-Identifier: Apache-2.0
"""Damaged, foreign and misplaced files: refused with words that say what to do, and nothing is lost."""

import os
import random
import shutil

from bosswave import SystemTest, main, run_bw

CORRUPT, DENIED, USAGE = 8, 3, 2


class Damage(SystemTest):
    def setUp(self):
        super().setUp()
        self.bw = self.up()
        self.bw.ok("namespace", "create", "home")
        for number in range(20):
            self.bw.ok("grant", "everyone", f"home/{number}", "PC", sign="home")
        self.bw.ok("persist", "home/1", "kept", sign="home")
        self.before = self.bw.status()
        self.log = self.bw.path("authority", "ledger.log")
        self.assertEqual(self.bw.stop(), 0)

    def refused_unchanged(self, path, code, *words):
        """The node does not start, says why, and leaves the file as it is."""
        content = self.bytes_of(path)
        ended, said = self.bw.start_refused()
        for word in words:
            self.assertIn(word, said)
        self.assertEqual(ended, code, said)
        self.assertEqual(self.bytes_of(path), content)

    def whole(self):
        """Everything from before is there, and the node takes more."""
        self.bw.start()
        now = self.bw.status()
        for field in ("size", "root", "entities", "dots", "aliases"):
            self.assertEqual(now[field], self.before[field])
        self.assertEqual(self.bw.ok("query", "home/1", sign="home").row["payload"][0]["text"], "kept")
        self.bw.ok("pub", "home/7", "1", sign="home")
        self.bw.ok("entity", "create", "later")
        self.assertEqual(self.bw.status()["size"], self.before["size"] + 1)


class LedgerFile(Damage):
    def test_damage_in_the_middle_is_refused_and_a_back_up_mends_it(self):
        good = self.bytes_of(self.log)
        for place in (100, len(good) // 2, len(good) - 5):
            with self.subTest(place=place):
                bad = bytearray(good)
                bad[place] ^= 0x40
                self.put_bytes(self.log, bytes(bad))
                self.refused_unchanged(self.log, CORRUPT, self.log, "damaged", "back-up")
                verdict = run_bw("--json", "ledger", "verify", self.log)
                self.assertEqual(verdict.code, CORRUPT, verdict)
                self.assertEqual(self.bytes_of(self.log), bytes(bad))
        self.put_bytes(self.log, good)
        self.whole()

    def test_damage_is_found_without_the_side_file_too(self):
        good = self.bytes_of(self.log)
        os.unlink(self.log + ".tree")
        bad = bytearray(good)
        bad[len(good) // 2] ^= 1
        self.put_bytes(self.log, bytes(bad))
        self.refused_unchanged(self.log, CORRUPT, self.log, "damaged")
        self.put_bytes(self.log, good)
        self.whole()

    def test_a_torn_tail_is_cut(self):
        good = self.bytes_of(self.log)
        torn = random.Random(1)
        for tail in (b"\x00\x00\x00\x40" + torn.randbytes(30), b"\x00" * 4096, torn.randbytes(3)):
            with self.subTest(bytes=len(tail)):
                self.put_bytes(self.log, good + tail)
                self.bw.start()
                self.assertIn(f"cut_bytes={len(tail)}", self.bw.log())
                self.assertEqual(self.bw.status()["root"], self.before["root"])
                self.bw.stop()
                self.assertEqual(self.bytes_of(self.log), good)
        self.whole()

    def test_damaged_side_file_is_made_again(self):
        side = self.log + ".tree"
        for content in (b"", b"rubbish" * 100, self.bytes_of(side)[:-3] + b"abc"):
            with self.subTest(bytes=len(content)):
                self.put_bytes(side, content)
                self.bw.start()
                self.assertEqual(self.bw.status()["root"], self.before["root"])
                self.bw.stop()
        self.whole()

    def test_a_file_that_is_no_ledger_is_left_alone(self):
        good = self.bytes_of(self.log)
        for content in (b"#!/bin/sh\necho hello, I am somebody's script\n", b"BWLEDGER\x00\x00\x00\x09" + good[12:]):
            self.put_bytes(self.log, content)
            self.refused_unchanged(self.log, CORRUPT, self.log, "not a ledger file")
        self.put_bytes(self.log, good)
        self.whole()

    def test_another_ledger_s_file_makes_the_index_again(self):
        other = self.up("other")
        other.ok("namespace", "create", "elsewhere")
        other.stop()
        shutil.copy(other.path("authority", "ledger.log"), self.log)
        os.unlink(self.log + ".tree")
        self.bw.start()
        self.bw.ok("alias", "resolve", "elsewhere")
        self.assertEqual(self.bw.ok("alias", "resolve", "home").row["alias"], "")


class Index(Damage):
    def files(self):
        directory = self.bw.path("authority", "index")
        return [os.path.join(directory, name) for name in sorted(os.listdir(directory))]

    def test_rubbish_in_the_index_is_made_again(self):
        for suffix in (".sst", "CURRENT", ""):
            with self.subTest(files=suffix or "all"):
                for path in self.files():
                    if path.endswith(suffix) and os.path.isfile(path) and os.path.getsize(path):
                        self.put_bytes(path, b"rubbish" * 200)
                before = self.bytes_of(self.log)
                self.bw.start()
                now = self.bw.status()
                self.assertEqual({field: now[field] for field in ("size", "root", "dots", "entities")},
                                 {field: self.before[field] for field in ("size", "root", "dots", "entities")})
                self.assertTrue(self.bw.ok("why", "agent", "home/7", "P").row["allowed"])
                self.bw.stop()
                self.assertEqual(self.bytes_of(self.log), before)
        self.whole()

    def test_missing_index_is_made_again(self):
        for path in self.files():
            if path.endswith(".sst"):
                os.unlink(path)
        self.whole()
        self.bw.stop()
        self.before["size"] += 1
        shutil.rmtree(self.bw.path("authority", "index"))
        self.bw.start()
        self.assertEqual(self.bw.status()["size"], self.before["size"])

    def test_damaged_message_store_is_told(self):
        directory = self.bw.path("messages")
        log = self.bytes_of(self.log)
        kept = os.path.join(self.root, "messages")
        shutil.copytree(directory, kept)
        for name in os.listdir(directory):
            path = os.path.join(directory, name)
            if os.path.isfile(path) and os.path.getsize(path):
                self.put_bytes(path, b"rubbish" * 200)
        code, said = self.bw.start_refused()
        self.assertEqual(code, CORRUPT, said)
        self.assertIn(directory, said)
        self.assertEqual(self.bytes_of(self.log), log)
        shutil.rmtree(directory)
        shutil.copytree(kept, directory)
        self.whole()


class Keys(Damage):
    def test_a_key_that_others_may_read_is_refused(self):
        for name in ("agent", "router", "ledger", "home"):
            path = self.bw.path("keys", name + ".key")
            for mode in (0o644, 0o660, 0o604):
                os.chmod(path, mode)
                self.refused_unchanged(path, DENIED, path, f"chmod 600 {path}")
            os.chmod(path, 0o600)
        self.whole()

    def test_a_damaged_or_cut_key_is_named(self):
        path = self.bw.path("keys", "home.key")
        good = self.bytes_of(path)
        damaged = [b"", good[:10], good[:-5], b"\x00" * len(good), b"not a key\n", good.replace(good[40:44], b"AAAA", 1)]
        for content in damaged:
            with self.subTest(content=content):
                self.put_bytes(path, content)
                self.refused_unchanged(path, CORRUPT, path)
        self.put_bytes(path, good)
        self.whole()

    def test_things_that_are_no_files(self):
        os.mkdir(self.bw.path("keys", "folder.key"))
        path = self.bw.path("keys", "folder.key")
        code, said = self.bw.start_refused()
        self.assertEqual(code, USAGE, said)
        self.assertIn(path, said)
        os.rmdir(path)
        os.mkfifo(path)
        code, said = self.bw.start_refused()
        self.assertEqual(code, USAGE, said)
        self.assertIn("not a regular file", said)
        os.unlink(path)
        self.put_bytes(self.bw.path("keys", "README"), b"what others leave here is ignored\n")
        self.put_bytes(self.bw.path("keys", "home.key~"), b"so is this\n")
        self.whole()

    def test_importing_rubbish(self):
        self.bw.start()
        rubbish = os.path.join(self.root, "rubbish")
        self.put_bytes(rubbish, b"rubbish")
        self.bw.refused(CORRUPT, "entity", "import", "thing", rubbish)
        self.bw.refused(4, "entity", "import", "thing", rubbish + "-which-is-not", says="which-is-not")
        big = os.path.join(self.root, "big")
        self.put_bytes(big, b"x" * 100_000)
        self.bw.refused(7, "entity", "import", "thing", big, says="bytes")
        self.bw.refused(6, "entity", "import", "home", self.bw.path("keys", "home.key"), says="another name")
        self.bw.refused(2, "entity", "import", "../evil", self.bw.path("keys", "home.key"), says="not a key name")
        self.bw.refused(2, "entity", "create", "../evil", says="not a key name")
        self.assertFalse(os.path.exists(self.bw.path("evil.key")))


class Directories(SystemTest):
    def test_a_file_where_the_directory_should_be(self):
        node = self.up_node()
        node.sections = {}
        os.makedirs(os.path.dirname(node.directory), exist_ok=True)
        path = os.path.join(self.root, "a-file")
        self.put_bytes(path, b"precious\n")
        refused = run_bw("--dir", path, "up")
        self.assertNotEqual(refused.code, 0, refused)
        self.assertIn(path, refused.err)
        self.assertEqual(self.bytes_of(path), b"precious\n")

    def test_somebody_else_s_directory_keeps_what_it_has(self):
        node = self.up_node()
        node.configure()
        self.put_bytes(node.path("letter.txt"), b"dear all\n")
        os.mkdir(node.path("authority"))
        self.put_bytes(node.path("authority", "notes.txt"), b"mine\n")
        node.start()
        node.ok("namespace", "create", "home")
        node.stop()
        self.assertEqual(self.bytes_of(node.path("letter.txt")), b"dear all\n")
        self.assertEqual(self.bytes_of(node.path("authority", "notes.txt")), b"mine\n")

    def test_a_path_that_is_too_long_for_a_socket(self):
        node = self.up_node("x" * 120)
        code, said = node.start_refused()
        self.assertEqual(code, USAGE, said)
        self.assertIn("agent.socket", said)
        socket = os.path.join(self.root, "short.sock")
        node.sections["agent"] = {"socket": socket}
        node.configure()
        node.start()
        self.assertEqual(run_bw("--agent", "unix:" + socket, "info").code, 0)


if __name__ == "__main__":
    main()
