# SPDX-License-Identifier: Apache-2.0
"""Bad configuration and bad arguments: exit code 2, and words that name the place and what would be right."""

import os

from bosswave import SystemTest, free_port, main, run_bw, wait_for

KEY = "A" * 42 + "E"  # has the form of a key

BAD_FILES = {
    "unknown section": ("[rooter]\nlisten = ''\n", ("'rooter' is not a section", "router")),
    "key outside of sections": ("listen = 'x'\n", ("'listen' is not a section",)),
    "section that is a value": ("ledger = 5\n", ("'ledger' is not a section",)),
    "unknown setting": ("[ledger]\nlisten = '127.0.0.1:1'\nadress = 'x'\n", (":3:", "no setting 'adress'", "address")),
    "number for text": ("[ledger]\nlisten = 5\n", (":2:", "ledger.listen", "text in quotes")),
    "text for number": ("[ledger]\nburst = 'many'\n", ("ledger.burst", "above 0")),
    "negative number": ("[ledger]\nentries_per_second = -1\n", ("ledger.entries_per_second", "0 or above")),
    "no number": ("[ledger]\nentries_per_second = nan\n", ("ledger.entries_per_second", "0 or above")),
    "text for truth": ("[log]\njson = 'yes'\n", ("log.json", "true or false")),
    "unknown level": ("[log]\nlevel = 'loud'\n", ("log.level", "loud")),
    "level of a wrong type": ("[log]\nlevel = 3\n", ("log.level",)),
    "bad key": ("[ledger]\nkey = 'abc'\n", ("ledger.key",)),
    "key of a wrong type": ("[ledger]\nkey = 1\n", ("ledger.key",)),
    "list for text": ("[router]\nlisten = ['a']\n", ("router.listen", "text in quotes")),
    "table for text": ("[router.listen]\nport = 1\n", ("router.listen", "text in quotes")),
    "no TOML": ("[ledger\nlisten\n", (":1:",)),
    "twice the same": ("[log]\njson = true\njson = false\n", (":3:",)),
    "no UTF-8": (b"[log]\nlevel = '\xff\xfe'\n", (":2:",)),
    "an executable": (b"\x7fELF\x00\x01\x02" * 50, (":1:",)),
}

BAD_ADDRESSES = ("nonsense", "127.0.0.1", ":", "127.0.0.1:99999", "127.0.0.1:-1", "127.0.0.1:port", "[::1:80",
                 "no.such.host.invalid:80", "203.0.113.77:4514")


class File(SystemTest):
    def config(self, content, name="bosswave.toml"):
        directory = os.path.join(self.root, "node")
        os.makedirs(directory, exist_ok=True)
        path = os.path.join(directory, name)
        self.put_bytes(path, content if isinstance(content, bytes) else content.encode())
        return directory, path

    def test_every_mistake_is_told_by_every_daemon_and_by_config(self):
        for what, (content, words) in BAD_FILES.items():
            directory, path = self.config(content)
            verbs = [["config"], ["up"]]
            if what == "unknown setting":
                verbs += [["ledger", "run"], ["router", "run"], ["agent", "run"]]
            for verb in verbs:
                with self.subTest(what=what, verb=verb):
                    refused = run_bw("--dir", directory, *verb)
                    self.assertEqual(refused.code, 2, refused)
                    for word in (path, *words):
                        self.assertIn(word, refused.err)
                    # Nothing was made before the file was understood.
                    self.assertEqual(os.listdir(directory), ["bosswave.toml"])

    def test_errors_as_json(self):
        directory, path = self.config("[ledger]\nlisten = 5\n")
        refused = run_bw("--dir", directory, "--json", "up")
        self.assertEqual(refused.error["error"], "invalid_argument")
        self.assertIn(path, refused.error["message"])

    def test_a_named_file_must_be_there(self):
        missing = os.path.join(self.root, "missing.toml")
        refused = run_bw("--dir", self.root, "up", "--config", missing)
        self.assertEqual(refused.code, 4, refused)
        self.assertIn(missing, refused.err)
        self.assertEqual(run_bw("--dir", os.path.join(self.root, "nothing"), "config").code, 0)
        self.assertFalse(os.path.exists(os.path.join(self.root, "nothing")))

    def test_a_directory_for_a_file(self):
        os.makedirs(os.path.join(self.root, "node", "bosswave.toml"))
        refused = run_bw("--dir", os.path.join(self.root, "node"), "config")
        self.assertNotEqual(refused.code, 0, refused)
        self.assertIn("bosswave.toml", refused.err)

    def test_what_config_prints_is_understood_again(self):
        directory, _ = self.config('[log]\nlevel = "warning"\n[ledger]\naddress = "ledger.example:4516"\n'
                                   f'key = "{KEY}"\nburst = 7.5\n[agent]\ndefault_entity = "a\\\\b\\"c"\n')
        printed = run_bw("--dir", directory, "config")
        self.assertEqual(printed.code, 0, printed)
        for word in ('level = "warning"', f'key = "{KEY}"', "burst = 7.5", 'address = "ledger.example:4516"'):
            self.assertIn(word, printed.out)
        self.config(printed.out)
        again = run_bw("--dir", directory, "config")
        self.assertEqual((again.code, again.out), (0, printed.out))

    def test_bad_addresses_are_named(self):
        for section, setting in (("ledger", "listen"), ("router", "listen"), ("metrics", "listen")):
            for address in BAD_ADDRESSES:
                sections = {"ledger": {"listen": f"127.0.0.1:{free_port()}"},
                            "router": {"listen": f"127.0.0.1:{free_port()}"}, "metrics": {"listen": ""}}
                sections[section][setting] = address
                node = self.node(f"{section}{BAD_ADDRESSES.index(address)}", ["up"])
                node.sections = sections
                with self.subTest(section=section, address=address):
                    code, said = node.start_refused()
                    self.assertIn(code, (1, 2, 4, 5), said)
                    # A name that does not resolve is told without its port.
                    self.assertIn(address.removesuffix(":80"), said)

    def test_followers_need_a_ledger(self):
        for verb in (["router", "run"], ["agent", "run"]):
            for ledger in ({}, {"address": "127.0.0.1:4516"}, {"key": KEY}):
                node = self.node("-".join(verb + sorted(ledger)), verb, ledger=ledger)
                with self.subTest(verb=verb, ledger=ledger):
                    code, said = node.start_refused()
                    self.assertEqual(code, 2, said)
                    for word in ("ledger.address", "ledger.key", "bosswave.toml", "bw up"):
                        self.assertIn(word, said)

    def test_a_ledger_that_is_not_there_or_another_is_waited_for_and_told(self):
        real = self.ledger()
        key = real.info()["ledger_key"]
        another = real.key("agent")
        gone = f"127.0.0.1:{free_port()}"
        cases = {"gone": (gone, key, gone), "nowhere": ("no.such.host.invalid:4516", key, "no.such.host.invalid"),
                 "another": (real.info()["ledger_address"], another, f"meant for {another}")}
        grants = []
        for name, (address, expected, words) in cases.items():
            node = self.node(name, ["agent", "run"], ledger={"address": address, "key": expected}).start()
            trouble = wait_for("the trouble to be told", lambda node=node: node.status()["trouble"])
            with self.subTest(name=name):
                self.assertIn(words, trouble)
                self.assertFalse(node.status()["connected"])
            # Waits for the ledger for a while, then says why it gave up.
            grants.append((words, self.lines(node, "grant", "everyone", f"{key}/x", "P", sign="agent")))
        for words, grant in grants:
            self.assertEqual(grant.wait(), 5, grant)
            self.assertIn(words, " ".join(grant.errors))


class Arguments(SystemTest):
    def test_usage(self):
        for arguments in ((), ("nonsense",), ("--nonsense",), ("up", "extra"), ("entity",), ("entity", "nonsense"),
                          ("entity", "create"), ("grant",), ("grant", "a"), ("grant", "a", "b/c"), ("pub",),
                          ("grant", "a", "b/c", "P", "--ttl", "many"), ("sub", "a/b", "--count", "-1"),
                          ("completion", "fish"), ("verify",), ("alias", "set"), ("router", "offer"),
                          ("pub", "a/b", "c", "--consumers", "x"), ("--dir",), ("up", "--config")):
            with self.subTest(arguments=arguments):
                refused = run_bw("--dir", self.root, *arguments)
                self.assertEqual(refused.code, 2, refused)
                self.assertTrue(refused.err or refused.out)

    def test_no_agent(self):
        for arguments in (("info",), ("pub", "a/b", "c", "--as", "d"), ("sub", "a/b", "--as", "d"), ("ledger", "status")):
            refused = run_bw("--dir", self.root, "--json", *arguments)
            self.assertEqual(refused.code, 5, refused)
            self.assertIn("bw up", refused.error["message"])

    def test_bad_values(self):
        bw = self.up()
        bw.ok("namespace", "create", "home")
        size = bw.status()["size"]
        bad = {
            ("grant", "agent", "home/x", "Q"): (2, 8),
            ("grant", "agent", "home/x", ""): (2, 8),
            ("grant", "agent", "home/*/*", "C*"): (2, 8),
            ("grant", "agent", "home//x", "C"): (2, 8),
            ("grant", "agent", "home/x", "P", "--ttl", "256"): (2,),
            ("grant", "agent", "home/x", "P", "--expires", "soon"): (2,),
            ("grant", "agent", "home/x", "P", "--from", "2026-13-45T00:00:00Z"): (2,),
            ("grant", "agent", "home/x", "P", "--comment", "c" * 129): (2, 7, 8),
            ("grant", "agent", "home/x", "P", "--from", "2d", "--expires", "1d"): (2, 8),
            ("grant", "no-such-name", "home/x", "P"): (4,),
            ("grant", "agent", "no-such-name/x", "P"): (4,),
            ("pub", "home/+", "x"): (2, 8),
            ("pub", "home/a/*", "x"): (2, 8),
            ("pub", "home", "x"): (2, 8),
            ("pub", "home/" + "x" * 600, "x"): (2, 7, 8),
            ("pub", "home/" + "/".join("x" * 40), "x"): (2, 7, 8),
            ("pub", "home/x\x01y", "x"): (2, 8),
            ("pub", "home/x", "x", "--type", "1.2.3"): (2, 8),
            ("pub", "home/x", "x", "--type", "1.2.3.256"): (2, 8),
            ("pub", "home/x", "x", "--expires", "-5s"): (2,),
            ("sub", "home/*/*",): (2, 8),
            ("sub", "home/x", "--timeout", "never"): (2, 8),
            ("ls", "home/+"): (2, 8),
            ("revoke", "rubbish"): (4,),
            ("revoke", KEY): (4,),
            ("alias", "set", "Not An Alias"): (2, 8),
            ("alias", "set", "x" * 64): (2, 7, 8),
            ("alias", "set", KEY): (2, 8),
            ("entity", "create", "Up/Per"): (2,),
            ("entity", "create", "tagged", "--contact", "c" * 129): (2, 7, 8),
            ("entity", "create", "revoked", *(["--revoker", "agent"] * 1), "--revoker", "nobody-knows"): (4,),
            ("entity", "show", "no-such-name"): (4,),
            ("router", "address", "not an address"): (2, 8),
            ("router", "accept", "no-such-router"): (4,),
            ("inspect", "no-such-thing"): (4,),
        }
        for arguments, codes in bad.items():
            with self.subTest(arguments=arguments):
                sign = None if arguments[:2] == ("router", "address") else "home"
                refused = bw.run(*arguments, sign=sign)
                self.assertIn(refused.code, codes, refused)
                self.assertTrue(refused.error["message"], refused)
        self.assertEqual(bw.status()["size"], size)
        for arguments, sign in ((("pub", "home/x", "1"), "no-such-key"), (("pub", "home/x", "1"), None)):
            refused = bw.run(*arguments, sign=sign)
            self.assertIn(refused.code, (2, 4), refused)
        big = os.path.join(self.root, "big")
        self.put_bytes(big, b"x" * (2 * 1024 * 1024))
        bw.refused(7, "pub", "home/x", "--file", big, sign="home", says="bytes")
        bw.refused(7, "pub", "home/x", "--file", "-", sign="home", stdin="x" * (2 * 1024 * 1024), says="bytes")
        bw.ok("pub", "home/x", "still well", sign="home")


if __name__ == "__main__":
    main()
