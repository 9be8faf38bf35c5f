# SPDX-License-Identifier: Apache-2.0
"""Sealed payloads with real nodes: publisher, consumers and router each in a process of their own."""

import os
import re

from bosswave import SystemTest, main, run_bw, wait_for

MOST_MAPPED = 1 << 34


def memory_holds(pid, words):
    """Which of the byte strings are in the writable memory of a process now: whatever it handles, and
    whatever it would log, is in there at some time."""
    found = set()
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            begin, end, mode, path = re.match(r"(\w+)-(\w+) (\S+) \S+ \S+ \S+\s*(.*)", line).groups()
            begin, end = int(begin, 16), int(end, 16)
            # Terabytes are a sanitizer's notes about memory, not memory that a program uses.
            notes = end - begin > MOST_MAPPED
            if not mode.startswith("rw") or notes or path in ("[vvar]", "[vsyscall]"):
                continue
            try:
                memory.seek(begin)
                content = memory.read(end - begin)
            except (OSError, ValueError, OverflowError):
                continue
            found |= {word for word in words if word in content}
    return found


class Seals(SystemTest):
    def setUp(self):
        super().setUp()
        self.ledger_node = self.ledger()
        self.router_node = self.registered(self.router(self.ledger_node))
        self.ours = self.agent(self.ledger_node, "ours")
        self.theirs = self.agent(self.ledger_node, "theirs")
        self.ours.ok("entity", "create", "home")
        self.ours.ok("alias", "set", "home", sign="home")
        for node, name in ((self.ours, "alice"), (self.theirs, "bob"), (self.theirs, "carol")):
            node.ok("entity", "create", name)
        self.keys = {name: node.key(name) for node, name in
                     ((self.ours, "home"), (self.ours, "alice"), (self.theirs, "bob"), (self.theirs, "carol"))}
        router_key = self.router_node.info()["router_key"]
        wait_for("the router to know the namespace",
                 lambda: self.router_node.run("router", "offer", self.keys["home"]).code == 0)
        wait_for("the offer to be known", lambda: self.ours.run("router", "accept", router_key, sign="home").code == 0)
        self.grant("alice", "*", "PC*")
        self.all_caught_up()

    def all_caught_up(self):
        size = self.ledger_node.status()["size"]
        for node in (self.router_node, self.ours, self.theirs):
            node.caught_up(size)

    def grant(self, grantee, uri, permissions):
        grantee = self.keys.get(grantee, grantee)
        return self.ours.ok("grant", grantee, f"home/{uri}", permissions, sign="home").row["id"]

    def read(self, uri, who="bob"):
        """What `who` reads at a URI: {URI: (text, came sealed)}."""
        rows = [row for row in self.theirs.run("query", f"{self.keys['home']}/{uri}", sign=who).rows if "payload" in row]
        return {row["uri"].split("/", 1)[1]: (row["payload"][0]["text"], row["sealed"]) for row in rows}

    def comes_to_read(self, uri, text, sealed=True, who="bob"):
        wait_for(lambda: f"{who} to read {text} at {uri}: {self.read(uri, who)}",
                 lambda: self.read(uri, who) == {uri: (text, sealed)})

    def router_files(self):
        for folder, _, names in os.walk(self.router_node.path("messages")):
            for name in names:
                yield self.bytes_of(os.path.join(folder, name))

    def test_a_router_has_no_plaintext_in_memory_or_on_disk(self):
        self.grant("bob", "*", "C*")
        self.all_caught_up()
        stream = self.subscription(self.theirs, f"{self.keys['home']}/*", "bob")
        clear = [f"clear words number {number:04}" for number in range(20)]
        sealed = [f"sealed words number {number:04}" for number in range(20)]
        for number in range(20):
            verb = ("pub", "persist")[number % 2]
            self.ours.ok(verb, f"home/clear/{number}", clear[number], sign="alice")
            self.ours.ok(verb, f"home/shut/{number}", sealed[number], "--seal", sign="alice")
        stream.wait_texts(*clear, *sealed)
        rows = {row["payload"][0]["text"]: row["sealed"] for row in stream.rows if "payload" in row}
        self.assertEqual(rows, {text: text.startswith("sealed") for text in clear + sealed})
        process = self.router_node.process.pid
        found = memory_holds(process, [text.encode() for text in clear + sealed])
        self.assertTrue(found, "the search finds nothing, not even what is in clear")
        self.assertEqual({word for word in found if b"sealed" in word}, set())
        on_disk = b"".join(self.router_files())
        self.assertIn(b"clear words number 0001", on_disk)
        self.assertNotIn(b"sealed words", on_disk)

    def test_new_consumers_read_what_was_persisted_before(self):
        self.ours.ok("persist", "home/a", "from before", "--seal", sign="alice")
        self.assertEqual(self.read("a"), {})
        self.grant("bob", "a", "C")
        self.comes_to_read("a", "from before")
        # And when the publisher's agent was started again in the meantime.
        self.ours.stop()
        self.ours.start()
        self.grant("carol", "a", "C")
        self.comes_to_read("a", "from before", who="carol")
        self.comes_to_read("a", "from before")

    def test_a_revoked_consumer_does_not_get_the_next_key(self):
        dot = self.grant("bob", "a", "C")
        self.grant("carol", "a", "C")
        self.all_caught_up()
        files = []
        for number in (1, 2):
            if number == 2:
                self.ours.ok("revoke", dot, sign="home")
                self.all_caught_up()
            self.ours.ok("persist", "home/a", f"text {number}", "--seal", sign="alice")
            self.comes_to_read("a", f"text {number}", who="carol")
            files.append(os.path.join(self.root, f"message{number}"))
            self.theirs.ok("query", f"{self.keys['home']}/a", "--save", files[-1], sign="carol")
        self.theirs.refused(3, "query", f"{self.keys['home']}/a", sign="bob")
        seen = [run_bw("--json", "inspect", name).row["payload"] for name in files]
        self.assertTrue(all(one["sealed"] for one in seen), seen)
        self.assertNotEqual(seen[0]["key"], seen[1]["key"])
        # Namespace, alice, bob and carol; then without bob.
        self.assertEqual([one["wrapped_for"] for one in seen], [4, 3])
        self.assertNotIn(b"text 2", self.bytes_of(files[1]))

    def test_the_namespace_says_where_by_default(self):
        self.grant("bob", "*", "C*")
        shown = self.ours.ok("seal", "on", "home", "private/*").row
        self.assertEqual(shown, {"namespace": "home", "sealed": ["private/*"]})
        self.all_caught_up()
        self.assertEqual(self.theirs.ok("seal", "show", self.keys["home"], sign="carol").row["sealed"], ["private/*"])
        for uri in ("private/a", "public/a"):
            self.ours.ok("persist", f"home/{uri}", "x", sign="alice")
            self.comes_to_read(uri, "x", sealed=uri.startswith("private"))
        self.ours.ok("seal", "on", "home")
        wait_for("the setting to be followed", lambda: [
            self.ours.ok("persist", "home/public/a", "y", sign="alice"), self.read("public/a")][1]
            == {"public/a": ("y", True)})
        self.ours.ok("seal", "off", "home")
        wait_for("the setting to be followed", lambda: [
            self.ours.ok("persist", "home/public/a", "z", sign="alice"), self.read("public/a")][1]
            == {"public/a": ("z", False)})
        self.ours.ok("persist", "home/public/a", "per call", "--seal", sign="alice")
        self.comes_to_read("public/a", "per call")

    def test_everyone_reads_in_clear(self):
        self.ours.ok("seal", "on", "home")
        self.grant("everyone", "news", "C")
        self.all_caught_up()
        self.ours.ok("persist", "home/news", "for all", sign="alice")
        self.comes_to_read("news", "for all", sealed=False, who="carol")

    def test_what_cannot_be_opened_is_told(self):
        # carol may read; alice's agent, which is cut off from the ledger, has not heard of it.
        self.ours.ok("persist", "home/a", "not for carol", "--seal", sign="alice")
        self.ours.stop()
        wait_for("the key file", lambda: os.path.exists(self.ours.path("keys", "home.key")))
        self.theirs.ok("entity", "import", "home", self.ours.path("keys", "home.key"))
        self.theirs.ok("grant", "carol", f"{self.keys['home']}/a", "C", sign="home")
        outcome = self.theirs.refused(3, "query", f"{self.keys['home']}/a", sign="carol", says="sealed for others")
        self.assertEqual(outcome.rows[0]["unopened"], 1)
        self.ours.start()
        self.comes_to_read("a", "not for carol", who="carol")


if __name__ == "__main__":
    main()
