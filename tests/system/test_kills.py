# SPDX-License-Identifier: Apache-2.0
"""kill -9 in the middle of work: what was acknowledged is there afterwards, and everything goes on."""

import threading

from bosswave import SystemTest, main, run_bw, wait_for

ROUNDS = 3
ACKNOWLEDGED_BEFORE_KILL = 8
ACKNOWLEDGED_AFTER_START = 4


class Writer:
    """Calls work(number) again and again in a thread; keeps the numbers that it acknowledged."""

    def __init__(self, work):
        self.work, self.acknowledged, self.failures = work, {}, []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        number = 0
        while not self._stopped.is_set():
            try:
                outcome = self.work(number)
            except AssertionError as error:
                self.failures.append(str(error))
                return
            if outcome.code == 0:
                self.acknowledged[number] = outcome.row
            number += 1

    def more(self, count):
        """Waits for `count` more acknowledgements."""
        before = len(self.acknowledged)
        wait_for(lambda: f"{count} more acknowledgements; failures: {self.failures}",
                 lambda: self.failures or len(self.acknowledged) >= before + count)

    def stop(self):
        self._stopped.set()
        self._thread.join(60)
        if self.failures:
            raise AssertionError(self.failures[0])
        return self.acknowledged


class Site(SystemTest):
    """A ledger, a router and two agents, each a process of its own; namespace `home` belongs to `near`."""

    def setUp(self):
        super().setUp()
        self.ledger_node = self.ledger()
        self.router_node = self.router(self.ledger_node)
        self.near = self.agent(self.ledger_node, "near")
        self.far = self.agent(self.ledger_node, "far")
        for node in (self.router_node, self.near, self.far):
            self.registered(node)
        self.near.ok("entity", "create", "home")
        self.router_node.ok("router", "offer", self.near.key("home"))
        self.near.ok("namespace", "create", "home", "--router", self.router_node.info()["router_key"])
        self.far.ok("entity", "create", "watcher")
        self.near.ok("grant", self.far.key("watcher"), "home/*", "PC*L", sign="home")
        self.far.caught_up(self.near.status()["size"])
        self.subscription_far = self.subscription(self.far, "home/*", "watcher")

    def persister(self):
        return Writer(lambda number: self.near.run("persist", f"home/v/{number}", f"value {number}", sign="home"))

    def granter(self, node=None, namespace=None):
        node = node or self.near
        namespace = namespace or "home"
        return Writer(lambda number: node.run("grant", "everyone", f"{namespace}/g/{number}", "P", sign=namespace))

    def values_are_there(self, acknowledged):
        rows = self.near.ok("query", "home/v/+", sign="home").rows
        there = {row["uri"].rsplit("/", 1)[1]: row["payload"][0]["text"] for row in rows}
        for number in acknowledged:
            self.assertEqual(there.get(str(number)), f"value {number}")

    def entries_are_there(self, acknowledged):
        self.assertTrue(acknowledged)
        for row in acknowledged.values():
            self.assertEqual(self.ledger_node.ok("inspect", row["id"]).row["state"], "live")

    def ledger_is_whole(self, entries):
        """The ledger's file on its own, with its node stopped, verifies from end to end."""
        self.ledger_node.kill()
        verdict = run_bw("--dir", self.ledger_node.directory, "--json", "ledger", "verify")
        self.assertEqual(verdict.code, 0, verdict)
        self.assertGreaterEqual(verdict.row["entries"], entries)
        self.ledger_node.start()

    def news_arrives(self, text):
        self.near.ok("pub", "home/news", text, sign="home")
        self.subscription_far.wait_texts(text)


class Ledger(Site):
    def test_what_the_ledger_acknowledged_survives(self):
        # One writer at another node, one in the ledger's own process: two ways into the log.
        self.ledger_node.ok("entity", "create", "own")
        writers = [self.granter(), self.granter(self.ledger_node, "own")]
        persister = self.persister()
        for number in range(ROUNDS):
            for writer in writers:
                writer.more(ACKNOWLEDGED_BEFORE_KILL)
            self.ledger_node.kill()
            # Messages need no ledger while it was heard of lately.
            persister.more(ACKNOWLEDGED_AFTER_START)
            self.news_arrives(f"without a ledger {number}")
            self.ledger_node.start()
            for writer in writers:
                writer.more(ACKNOWLEDGED_AFTER_START)
        acknowledged = [writer.stop() for writer in writers]
        values = persister.stop()
        for entries in acknowledged:
            self.entries_are_there(entries)
        positions = [row["position"] for entries in acknowledged for row in entries.values()]
        self.assertEqual(len(positions), len(set(positions)))
        self.values_are_there(values)
        self.ledger_is_whole(max(positions) + 1)
        size, root = (self.ledger_node.status()[field] for field in ("size", "root"))
        for node in (self.near, self.far, self.router_node):
            node.caught_up(size)
            wait_for(f"{node} to have the ledger's root", lambda node=node: node.status()["root"] == root)
            wait_for(f"{node} to follow again", lambda node=node: node.status()["connected"])


class Router(Site):
    def test_persisted_values_survive_and_subscriptions_resume(self):
        persister, granter = self.persister(), self.granter()
        feed = self.lines(self.near, "pub", "home/feed", "--lines", sign="home", stdin=True)
        for number in range(ROUNDS):
            feed.write(f"feed {number}")
            self.subscription_far.wait_texts(f"feed {number}")
            persister.more(ACKNOWLEDGED_BEFORE_KILL)
            before = len(self.subscription_far.events)
            self.router_node.kill()
            self.router_node.start()
            self.subscription_far.wait_event("standing", after=before)
            persister.more(ACKNOWLEDGED_AFTER_START)
            self.news_arrives(f"after the router's restart {number}")
        self.values_are_there(persister.stop())
        self.entries_are_there(granter.stop())
        self.assertIsNone(self.subscription_far.process.poll())
        self.assertIsNone(feed.process.poll())

    def test_several_writers_one_uri_never_goes_back(self):
        writers = [Writer(lambda number, name=name: self.near.run("persist", f"home/one/{name}", str(number), sign="home"))
                   for name in ("a", "b")]
        for _ in range(ROUNDS):
            for writer in writers:
                writer.more(ACKNOWLEDGED_BEFORE_KILL)
            self.router_node.kill()
            self.router_node.start()
        for name, writer in zip("ab", writers):
            last = max(writer.stop())
            stored = self.near.ok("query", f"home/one/{name}", sign="home").row["payload"][0]["text"]
            self.assertGreaterEqual(int(stored), last)


class Agent(Site):
    def test_the_publisher_s_agent(self):
        persister, granter = self.persister(), self.granter()
        for number in range(ROUNDS):
            persister.more(ACKNOWLEDGED_BEFORE_KILL)
            granter.more(ACKNOWLEDGED_AFTER_START)
            self.near.kill()
            self.near.start()
            persister.more(ACKNOWLEDGED_AFTER_START)
            self.news_arrives(f"after the agent's restart {number}")
        self.values_are_there(persister.stop())
        self.entries_are_there(granter.stop())
        self.assertEqual(self.subscription_far.events, self.subscription_far.events[:1])

    def test_the_subscriber_s_agent(self):
        for number in range(ROUNDS):
            self.news_arrives(f"before {number}")
            self.near.ok("persist", "home/kept", f"kept {number}", sign="home")
            self.far.kill()
            self.assertEqual(self.subscription_far.wait(), 5, self.subscription_far)
            self.far.start()
            self.subscription_far = self.subscription(self.far, "home/*", "watcher", "--replay")
            self.subscription_far.wait_texts(f"kept {number}")


class AllInOne(SystemTest):
    def test_everything_at_once(self):
        bw = self.up()
        bw.ok("namespace", "create", "home")
        persister = Writer(lambda number: bw.run("persist", f"home/v/{number}", f"value {number}", sign="home"))
        creator = Writer(lambda number: bw.run("entity", "create", f"e{number}"))
        for _ in range(ROUNDS + 1):
            persister.more(ACKNOWLEDGED_BEFORE_KILL)
            creator.more(ACKNOWLEDGED_BEFORE_KILL)
            bw.kill()
            bw.start()
        values, entities = persister.stop(), creator.stop()
        there = {row["uri"].rsplit("/", 1)[1] for row in bw.ok("query", "home/v/+", sign="home").rows}
        self.assertLessEqual({str(number) for number in values}, there)
        keys = {row["name"]: row["state"] for row in bw.ok("entity", "list").rows}
        for number in entities:
            self.assertEqual(keys.get(f"e{number}"), "registered")


if __name__ == "__main__":
    main()
