# SPDX-License-Identifier: Apache-2.0
"""What grants, entities, aliases and messages do from end to end, through the command line alone."""

import os
import unittest

from bosswave import SystemTest, main, run_bw, wait_for


class OneNode(SystemTest):
    def setUp(self):
        super().setUp()
        self.bw = self.up()
        self.bw.ok("namespace", "create", "home")

    def entity(self, *names):
        for name in names:
            self.bw.ok("entity", "create", name)

    def grant(self, *arguments, sign="home"):
        return self.bw.ok("grant", *arguments, sign=sign).row["id"]

    def sub(self, uri, sign, *options):
        return self.subscription(self.bw, uri, sign, *options)

    def ends_refused(self, stream):
        self.assertEqual(stream.wait(), 3, stream)


class Grants(OneNode):
    def test_chain_passes_on_as_far_as_ttl_says(self):
        self.entity("alice", "bob", "carol")
        self.grant("alice", "home/hvac/*", "PC*", "--ttl", "2")
        self.grant("bob", "home/hvac/+", "PC+", sign="alice")
        self.grant("carol", "home/hvac/+", "P", sign="bob")
        self.bw.ok("pub", "home/hvac/a", "1", sign="bob")
        self.bw.refused(3, "pub", "home/hvac/a", "1", sign="carol", says="why")
        self.bw.refused(3, "pub", "home/hvac/a/b", "1", sign="bob")
        self.bw.refused(3, "sub", "home/hvac/*", sign="bob")
        self.assertTrue(self.bw.ok("why", "bob", "home/hvac/a", "P").row["allowed"])
        why = self.bw.refused(3, "why", "carol", "home/hvac/a", "P").row
        self.assertTrue(any("ttl" in miss["reason"] for miss in why["misses"]), why)

    def test_a_grant_may_come_before_the_right_to_give_it(self):
        self.entity("alice", "bob")
        self.grant("bob", "home/x", "P", sign="alice")
        self.bw.refused(3, "pub", "home/x", "1", sign="bob")
        self.grant("alice", "home/x", "P", "--ttl", "1")
        self.bw.ok("pub", "home/x", "1", sign="bob")

    def test_revoking_ends_what_rests_on_it_at_once(self):
        self.entity("alice", "bob")
        first = self.grant("alice", "home/*", "PC*", "--ttl", "1")
        self.grant("bob", "home/*", "PC*", sign="alice")
        stream = self.sub("home/*", "bob")
        self.bw.ok("pub", "home/x", "before", sign="bob")
        stream.wait_texts("before")
        self.bw.refused(3, "revoke", first, sign="bob")
        self.bw.ok("revoke", first, "--comment", "enough", sign="home")
        self.ends_refused(stream)
        self.assertIn("revoked", " ".join(stream.errors))
        self.bw.refused(3, "pub", "home/x", "after", sign="bob")
        self.assertEqual(self.bw.ok("inspect", first).row["state"], "revoked")

    def test_a_delegated_revoker_may_revoke(self):
        self.entity("alice", "guard", "other")
        dot = self.grant("alice", "home/x", "P", "--revoker", "guard")
        self.bw.refused(3, "revoke", dot, sign="other")
        self.bw.ok("revoke", dot, sign="guard")
        self.bw.refused(3, "pub", "home/x", "1", sign="alice")

    def test_renouncing(self):
        self.entity("alice")
        dot = self.grant("alice", "home/x", "PC")
        stream = self.sub("home/x", "alice")
        self.bw.ok("renounce", dot, sign="alice")
        self.ends_refused(stream)
        self.bw.refused(3, "pub", "home/x", "1", sign="alice")

    def test_everyone(self):
        self.entity("stranger")
        dot = self.grant("everyone", "home/public/*", "PC*")
        stream = self.sub("home/public/*", "stranger")
        self.bw.ok("pub", "home/public/x", "hello", sign="stranger")
        stream.wait_texts("hello")
        self.bw.refused(3, "pub", "home/private", "hello", sign="stranger")
        self.assertTrue(any(row["entity"] == "everyone" for row in self.bw.ok("who-can", "home/public/x", "P").rows))
        self.bw.ok("revoke", dot, sign="home")
        self.ends_refused(stream)

    def test_a_grant_begins_and_ends_by_itself(self):
        self.entity("alice")
        self.grant("alice", "home/x", "PC", "--expires", "4s")
        stream = self.sub("home/x", "alice")
        self.ends_refused(stream)
        self.assertIn("expired", " ".join(stream.errors))
        self.bw.refused(3, "pub", "home/x", "1", sign="alice")
        self.grant("alice", "home/y", "P", "--from", "2s", "--expires", "1h")
        self.bw.refused(3, "pub", "home/y", "1", sign="alice")
        wait_for("the grant to begin", lambda: self.bw.run("why", "alice", "home/y", "P").code == 0)
        self.bw.ok("pub", "home/y", "1", sign="alice")

    def test_limits_on_publishing(self):
        self.entity("alice", "bob")
        self.grant("alice", "home/store/*", "PC*", "--store", "600")
        self.bw.ok("persist", "home/store/a", "x" * 100, sign="alice")
        self.bw.refused(7, "persist", "home/store/b", "x" * 700, sign="alice", says="stored bytes")
        self.assertEqual(self.bw.ok("query", "home/store/*", sign="home").rows[0]["payload"][0]["text"], "x" * 100)
        self.bw.ok("del", "home/store/a", sign="alice")
        self.grant("bob", "home/slow/*", "P", "--rate", "1")
        burst = self.bw.run("pub", "home/slow/x", "--lines", sign="bob", stdin="m\n" * 50)
        self.assertNotEqual(burst.code, 0)
        self.assertEqual(burst.row["sent"], 50)
        self.assertGreater(burst.row["failed"], 30)


class Entities(OneNode):
    def test_revoking_an_entity_ends_all_it_could_do_and_gave(self):
        self.entity("alice", "bob", "guard")
        self.bw.ok("entity", "create", "eve", "--revoker", "guard", "--contact", "eve@example.org")
        self.grant("eve", "home/*", "PC*", "--ttl", "1")
        self.grant("bob", "home/*", "PC*", sign="eve")
        streams = [self.sub("home/*", "eve"), self.sub("home/*", "bob")]
        self.bw.refused(3, "entity", "revoke", "eve", sign="alice")
        self.bw.ok("entity", "revoke", "eve", sign="guard")
        for stream in streams:
            self.ends_refused(stream)
        self.bw.refused(3, "pub", "home/x", "1", sign="eve")
        self.bw.refused(3, "pub", "home/x", "1", sign="bob")
        self.assertEqual(self.bw.ok("entity", "show", "eve").row["state"], "revoked")
        # For ever: it cannot be renewed back into life.
        self.assertNotEqual(self.bw.run("entity", "renew", "eve", "--expires", "10y").code, 0)
        self.bw.refused(3, "pub", "home/x", "1", sign="eve")

    def test_renewal(self):
        self.bw.ok("entity", "create", "brief", "--expires", "3s")
        self.bw.ok("entity", "create", "lasting", "--expires", "3s")
        for name in ("brief", "lasting"):
            self.grant(name, "home/*", "P")
        self.bw.ok("entity", "renew", "lasting", "--expires", "1d")
        wait_for("brief to expire", lambda: self.bw.ok("entity", "show", "brief").row["state"] == "expired")
        self.bw.refused(3, "pub", "home/x", "1", sign="brief", says="why")
        self.bw.ok("pub", "home/x", "1", sign="lasting")
        # An entity that has expired may come back, and what it was given with it.
        self.bw.ok("entity", "renew", "brief", "--expires", "1d")
        self.bw.ok("pub", "home/x", "1", sign="brief")

    def test_aliases_are_first_come_and_for_ever(self):
        self.entity("alice", "bob")
        self.bw.ok("alias", "set", "shop", sign="alice")
        self.bw.refused(6, "alias", "set", "shop", sign="bob", says="shop")
        self.bw.refused(6, "alias", "set", "shop", "bob", sign="alice", says="shop")
        alice = self.bw.key("alice")
        self.assertEqual(self.bw.ok("alias", "resolve", "shop").row["key"], alice)
        self.bw.ok("grant", "shop", "home/x", "P", sign="home")
        self.bw.ok("pub", "home/x", "1", sign="alice")
        self.bw.refused(4, "alias", "resolve", "nobody-has-this", says="nobody-has-this")

    def test_an_entity_without_registration_can_do_nothing_yet(self):
        self.bw.ok("entity", "create", "ghost", "--no-register")
        self.grant("ghost", "home/x", "P")
        self.assertNotEqual(self.bw.run("pub", "home/x", "1", sign="ghost").code, 0)
        self.bw.ok("entity", "renew", "ghost", "--expires", "1d")
        self.bw.ok("pub", "home/x", "1", sign="ghost")

    def test_sealed_key_needs_its_passphrase(self):
        passphrase = os.path.join(self.root, "passphrase")
        self.put_bytes(passphrase, b"correct horse\n", 0o600)
        key = self.bw.ok("entity", "create", "vault", "--passphrase-file", passphrase).row["key"]
        sealed = self.bw.path("keys", "vault.key")
        self.assertTrue(run_bw("--json", "inspect", sealed).row["sealed"])
        other = self.up("other")
        wrong = os.path.join(self.root, "wrong")
        self.put_bytes(wrong, b"battery staple\n", 0o600)
        self.assertNotEqual(other.run("entity", "import", "vault", sealed).code, 0)
        self.assertNotEqual(other.run("entity", "import", "vault", sealed, "--passphrase-file", wrong).code, 0)
        imported = other.ok("entity", "import", "vault", sealed, "--passphrase-file", passphrase)
        self.assertEqual(imported.row["key"], key)


class Messages(OneNode):
    def stored(self, uri, sign="home"):
        return {row["uri"].split("/", 1)[1]: row["payload"][0]["text"]
                for row in self.bw.ok("query", uri, sign=sign).rows}

    def test_persist_query_list_replay_delete(self):
        for cell, text in (("a/1", "one"), ("a/2", "two"), ("b", "three")):
            self.bw.ok("persist", f"home/{cell}", text, sign="home")
        self.bw.ok("persist", "home/a/1", "uno", sign="home")
        self.bw.ok("pub", "home/a/3", "passing", sign="home")
        self.assertEqual(self.stored("home/*"), {"a/1": "uno", "a/2": "two", "b": "three"})
        self.assertEqual(self.stored("home/+/+"), {"a/1": "uno", "a/2": "two"})
        self.assertEqual(self.bw.ok("ls", "home", sign="home").row["names"], ["a", "b"])
        self.assertEqual(self.bw.ok("ls", "home/a", sign="home").row["names"], ["1", "2"])
        replay = self.sub("home/a/*", "home", "--replay")
        replay.wait_texts("uno", "two")
        self.assertTrue(all(row["stored"] and row["persisted"] for row in replay.rows if "payload" in row))
        self.bw.ok("persist", "home/a/1", "ichi", sign="home")
        replay.wait_texts("ichi")
        self.assertFalse([row for row in replay.rows if row.get("payload")][-1]["stored"])
        self.bw.ok("del", "home/a/1", sign="home")
        self.assertEqual(self.stored("home/*"), {"a/2": "two", "b": "three"})
        self.assertEqual(self.bw.ok("ls", "home/a", sign="home").row["names"], ["2"])
        # Gone is gone: a fresh replay does not bring it back.
        fresh = self.sub("home/a/*", "home", "--replay")
        fresh.wait_texts("two")
        self.assertNotIn("ichi", fresh.texts)

    def test_rights_on_reading_what_is_persisted(self):
        self.entity("alice")
        self.bw.ok("persist", "home/a/1", "one", sign="home")
        self.grant("alice", "home/a/1", "C")
        self.assertEqual(self.stored("home/a/1", "alice"), {"a/1": "one"})
        self.bw.refused(3, "query", "home/a/+", sign="alice")
        self.bw.refused(3, "ls", "home/a", sign="alice")
        self.bw.refused(3, "query", "home/a/1", "--tap", sign="alice")
        self.bw.refused(3, "del", "home/a/1", sign="alice")
        self.assertEqual(self.stored("home/a/1"), {"a/1": "one"})

    def test_a_persisted_message_ends_when_it_expires(self):
        self.bw.ok("persist", "home/lasting", "L", sign="home")
        self.bw.ok("persist", "home/brief", "B", "--expires", "3s", sign="home")
        self.assertEqual(self.stored("home/*"), {"lasting": "L", "brief": "B"})
        wait_for("it to expire", lambda: self.stored("home/*") == {"lasting": "L"})
        self.assertEqual(self.bw.ok("ls", "home", sign="home").row["names"], ["lasting"])
        replayed = self.bw.ok("sub", "home/*", "--replay", "--count", "1", sign="home")
        self.assertEqual([row["payload"][0]["text"] for row in replayed.rows if "payload" in row], ["L"])

    def test_consumers_limit_and_taps(self):
        consumers = [self.sub("home/job/+", "home") for _ in range(3)]
        tap = self.sub("home/job/+", "home", "--tap")
        for number in range(6):
            self.bw.ok("pub", "home/job/x", f"job {number}", "--consumers", "1", sign="home")
        self.bw.ok("pub", "home/job/x", "end", sign="home")
        for stream in [*consumers, tap]:
            stream.wait_texts("end")
        taken = sorted(text for stream in consumers for text in stream.texts if text != "end")
        self.assertEqual(taken, [f"job {number}" for number in range(6)])
        self.assertEqual(sorted(tap.texts), ["end", *taken])

    def test_permitted_subscription_is_the_union_of_what_is_allowed(self):
        self.entity("alice")
        self.grant("alice", "home/a/*", "C*")
        self.grant("alice", "home/b/x", "C")
        self.bw.refused(3, "sub", "home/*", sign="alice")
        stream = self.sub("home/*", "alice", "--permitted")
        for cell in ("c/x", "b/y", "a/deep/x", "b/x", "a/y"):
            self.bw.ok("pub", f"home/{cell}", cell, sign="home")
        stream.wait_texts("a/deep/x", "b/x", "a/y")
        self.assertEqual(sorted(stream.texts), ["a/deep/x", "a/y", "b/x"])
        self.entity("nobody")
        self.bw.refused(3, "sub", "home/*", "--permitted", sign="nobody")

    def test_payload_forms(self):
        stream = self.sub("home/*", "home")
        blob = os.path.join(self.root, "blob")
        self.put_bytes(blob, b"\x00\xff\x10")
        self.bw.ok("pub", "home/blob", "--file", blob, "--type", "0.0.0.7", sign="home")
        self.bw.ok("pub", "home/text", "--file", "-", sign="home", stdin="from stdin: naïve ☃\n\tend")
        self.bw.ok("pub", "home/empty", "", sign="home")
        lines = self.bw.ok("pub", "home/lines", "--lines", sign="home", stdin="".join(f"{n}\n" for n in range(300)))
        self.assertEqual(lines.row, {"sent": 300, "failed": 0})
        wait_for(lambda: f"300 lines: {len(stream.lines)}", lambda: "299" in [row["payload"][0].get("text") for row in stream.rows if row.get("payload")])
        rows = [row for row in stream.rows if row.get("payload")]
        self.assertEqual(rows[0]["payload"], [{"type": "0.0.0.7", "hex": "00ff10"}])
        self.assertEqual(rows[1]["payload"][0]["text"], "from stdin: naïve ☃\n\tend")
        self.assertEqual(rows[2]["payload"][0]["text"], "")
        self.assertEqual([row["payload"][0]["text"] for row in rows[3:]], [str(n) for n in range(300)])

    def test_count_and_timeout_of_a_subscription(self):
        self.bw.refused(5, "sub", "home/x", "--count", "1", "--timeout", "300ms", sign="home", says="0 of 1")
        self.bw.ok("sub", "home/x", "--timeout", "300ms", sign="home")
        stream = self.sub("home/x", "home", "--count", "2")
        for text in ("1", "2", "3"):
            self.bw.ok("pub", "home/x", text, sign="home")
        self.assertEqual(stream.wait(), 0)
        self.assertEqual(stream.texts, ["1", "2"])


class Routing(OneNode):
    def test_namespace_without_a_router_is_told(self):
        self.entity("lonely")
        self.bw.refused(4, "pub", "lonely/x", "1", sign="lonely", says=("router offer", "router accept"))

    def test_retracted_routing_stops_and_comes_back(self):
        router = self.bw.info()["router_key"]
        stream = self.sub("home/x", "home")
        self.bw.ok("router", "retract", router, "--acceptance", sign="home")
        stream.wait_event("no router")
        self.assertEqual(self.bw.ok("alias", "resolve", "home").row["router"], "")
        self.bw.ok("router", "accept", router, sign="home")
        stream.wait_event("standing", after=1)
        self.bw.ok("pub", "home/x", "back", sign="home")
        stream.wait_texts("back")

    def test_subscription_follows_to_another_router(self):
        other = self.registered(self.router(self.bw, "other"))
        second = other.info()["router_key"]
        other.ok("router", "offer", self.bw.key("home"))
        stream = self.sub("home/x", "home")
        self.bw.ok("router", "accept", second, sign="home")
        stream.wait_event("moved to router " + second)
        stream.wait_event("standing", after=1)
        self.bw.ok("persist", "home/x", "over there", sign="home")
        stream.wait_texts("over there")
        self.assertTrue(any(session["router"] == second and session["connected"]
                            for session in self.bw.info()["sessions"]))


if __name__ == "__main__":
    main()
