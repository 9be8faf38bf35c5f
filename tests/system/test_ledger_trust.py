# SPDX-License-Identifier: Apache-2.0
"""A ledger that shows two histories or goes back is found out, and nobody decides on its word any more."""

import os
import shutil

from bosswave import SystemTest, free_port, main, wait_for


class Trust(SystemTest):
    def setUp(self):
        super().setUp()
        self.book = self.ledger()
        self.book_key = self.book.info()["ledger_key"]
        self.follower = self.registered(self.agent(self.book, "follower"))
        self.follower.ok("entity", "create", "home")
        self.home = self.follower.key("home")
        self.granted = self.follower.key("agent")
        self.follower.ok("grant", self.granted, "home/*", "P", sign="home")
        self.assertTrue(self.may())
        self.log = self.book.path("authority", "ledger.log")

    def why(self, node=None):
        return (node or self.follower).run("why", self.granted, f"{self.home}/x", "P")

    def may(self, node=None):
        return self.why(node).code == 0

    def twin(self, address=None):
        """A ledger with the same key and, so far, the same history, from a copy of the stopped one."""
        copy = self.node("twin", ["ledger", "run"],
                         ledger={"listen": address or self.book.sections["ledger"]["listen"]})
        shutil.copytree(self.book.directory, copy.directory)
        copy.configure()
        return copy

    def found_out(self, node, *words):
        trouble = wait_for(lambda: f"{node} to find out: {node.status()}",
                           lambda: "ledger" in node.status()["trouble"] and any(
                               word in node.status()["trouble"] for word in words) and node.status()["trouble"])
        self.assertIn(self.book_key, trouble)
        self.assertFalse(node.status()["connected"])
        # It decides nothing any more.
        wait_for("the node to stop deciding", lambda: not self.may(node))
        self.assertIn("ledger", self.why(node).row["denial"])

    def evidence(self, node):
        """Two heads that the ledger signed and that cannot both be true; the node does not start again."""
        path = node.path("heads.fork")
        self.assertTrue(os.path.exists(path))
        self.assertGreater(os.path.getsize(path), 200)
        before = self.bytes_of(node.path("authority", "ledger.log"))
        node.stop()
        code, said = node.start_refused()
        self.assertEqual(code, 8, said)
        for word in (path, self.book_key, "two histories", "another ledger"):
            self.assertIn(word, said)
        self.assertEqual(self.bytes_of(node.path("authority", "ledger.log")), before)

    def grow(self, node, name):
        node.ok("entity", "create", name)


class Fork(Trust):
    def test_two_roots_for_one_size(self):
        self.book.stop()
        twin = self.twin(f"127.0.0.1:{free_port()}")
        self.book.start()
        self.grow(self.book, "told-to-one")
        self.follower.caught_up(self.book.status()["size"])
        self.book.stop()
        # The twin grows in secret, by as much.
        twin.start()
        self.grow(twin, "told-to-another")
        self.assertEqual(twin.status()["size"], self.follower.status()["size"])
        twin.stop()
        twin.sections["ledger"]["listen"] = self.book.sections["ledger"]["listen"]
        twin.configure()
        twin.start()
        self.found_out(self.follower, "two roots", "another history")
        self.evidence(self.follower)

    def test_another_history_that_is_longer(self):
        self.book.stop()
        twin = self.twin(f"127.0.0.1:{free_port()}")
        twin.start()
        for number in range(4):
            self.grow(twin, f"secret-{number}")
        twin.stop()
        self.book.start()
        self.grow(self.book, "told-to-one")
        self.follower.caught_up(self.book.status()["size"])
        size = self.follower.status()["size"]
        self.book.stop()
        twin.sections["ledger"]["listen"] = self.book.sections["ledger"]["listen"]
        twin.configure()
        twin.start()
        self.found_out(self.follower, "does not extend", "another history", "two roots")
        # Nothing of the other history was taken in.
        self.assertEqual(self.follower.status()["size"], size)
        self.assertEqual(self.follower.run("entity", "show", twin.key("secret-0")).code, 4)

    def test_going_back(self):
        older = self.bytes_of(self.log)
        self.grow(self.book, "to-be-forgotten")
        self.follower.caught_up(self.book.status()["size"])
        self.book.stop()
        self.put_bytes(self.log, older)
        os.unlink(self.log + ".tree")
        self.book.start()
        self.found_out(self.follower, "went back")
        self.evidence(self.follower)

    def with_a_router(self):
        """A router that carries `home`; all stand on the same history."""
        router = self.registered(self.router(self.book))
        router.ok("router", "offer", self.home)
        self.follower.caught_up(router.status()["size"])
        self.follower.ok("router", "accept", router.info()["router_key"], sign="home")
        router.caught_up(self.follower.status()["size"])
        return router

    def diverge(self, first, second):
        """The ledger stops; its twin tells `second`, and then the ledger `first`."""
        self.book.stop()
        twin = self.twin(f"127.0.0.1:{free_port()}")
        twin.start()
        for name in second:
            self.grow(twin, name)
        self.book.start()
        for name in first:
            self.grow(self.book, name)
        return twin

    def test_peers_that_meet_compare_what_they_were_shown(self):
        router = self.with_a_router()
        misled = self.registered(self.agent(self.book, "misled"))
        misled.stop()
        twin = self.diverge(["open"], ["secret", "secret-too"])
        router.caught_up(self.book.status()["size"])
        misled.sections["ledger"]["address"] = twin.sections["ledger"]["listen"]
        misled.configure()
        misled.start()
        misled.caught_up(twin.status()["size"])
        # It seeks a session with the router, and there the two heads meet.
        self.assertNotEqual(misled.run("ls", self.home, sign="agent").code, 0)
        self.found_out(misled, "another history")
        self.evidence(misled)

    def test_a_router_learns_of_it_even_from_a_stranger(self):
        router = self.with_a_router()
        twin = self.diverge(["open"], ["secret"])
        # Registered in the other history only, so that the router refuses the session.
        misled = self.registered(self.agent(twin, "misled"))
        size = misled.status()["size"]
        self.assertNotEqual(misled.run("ls", self.home, sign="agent").code, 0)
        self.assertFalse(os.path.exists(router.path("heads.fork")))
        # What the stranger showed is longer than what the router holds: it is judged when that has grown.
        while self.book.status()["size"] < size:
            self.grow(self.book, f"open-{self.book.status()['size']}")
        self.found_out(router, "another history")
        self.evidence(router)


class BackUp(Trust):
    def test_the_ledger_s_file_alone_and_its_keys_restore_it(self):
        for number in range(10):
            self.grow(self.follower, f"entity-{number}")
        size, root = (self.book.status()[field] for field in ("size", "root"))
        saved = self.bytes_of(self.log)  # while it runs
        self.book.kill()
        keys = self.book.path("keys")
        restored = self.node("restored", ["ledger", "run"], ledger=self.book.sections["ledger"])
        os.makedirs(restored.path("authority"))
        restored.configure()
        shutil.copytree(keys, restored.path("keys"))
        self.put_bytes(restored.path("authority", "ledger.log"), saved)
        restored.start()
        status = restored.status()
        self.assertEqual((status["size"], status["root"]), (size, root))
        self.assertEqual(restored.info()["ledger_key"], self.book_key)
        # Followers go on as if nothing had been.
        self.grow(self.follower, "afterwards")
        self.assertEqual(self.follower.status()["root"], restored.status()["root"])
        self.assertTrue(self.may())

    def test_a_follower_that_lost_its_copy_fetches_it_again(self):
        size = self.follower.status()["size"]
        self.follower.stop()
        shutil.rmtree(self.follower.path("authority"))
        self.follower.start()
        # It may have put its own entity anew before it had heard that it is there.
        wait_for("the ledger's root", lambda: self.follower.status()["root"] == self.book.status()["root"])
        self.assertGreaterEqual(self.follower.status()["size"], size)
        self.assertTrue(self.may())

    def test_a_follower_in_the_directory_of_another_ledger_is_told(self):
        other = self.ledger("other")
        self.follower.stop()
        self.follower.sections["ledger"] = self.following(other)
        self.follower.configure()
        before = self.bytes_of(self.follower.path("authority", "ledger.log"))
        code, said = self.follower.start_refused()
        self.assertEqual(code, 8, said)
        self.assertIn("new directory", said)
        self.assertEqual(self.bytes_of(self.follower.path("authority", "ledger.log")), before)


if __name__ == "__main__":
    main()
