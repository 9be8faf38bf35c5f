# SPDX-License-Identifier: Apache-2.0
"""Checkpoints: all is mended, then everything must come back and all that was acknowledged must be there."""

import time

import actions
import cast
import checks
import ledger_file
from bosswave import run_bw
from checks import Found
from commands import COMMAND_SECONDS
from rights import NEVER, needed
from world import PROCESSES

# A cut connection is given up after 45 s of silence, and tried again up to 10 s later.
CALM_SECONDS = 90.0


class Checkpoints:
    def __init__(self, soak):
        self.soak = soak
        self.world, self.model, self.lock, self.counts = soak.world, soak.model, soak.lock, soak.counts
        self.commands = soak.commands
        self._extra = 10 ** 12  # numbers of messages that no step sends

    def reach(self):
        self.soak.note("checkpoint")
        with self.lock:
            self.world.mend()
        self._until("all processes to be up", self.world.all_well)
        self._until("commands under way to end", self.commands.landed)
        self._resolve()
        self._until("all replicas to agree", self._replicas_agree)
        self._until(self._words_of_absent, self._all_sure, between=self._probe)
        self._probe()
        self._until("messages to arrive", lambda: not any(one.missing for one in self.model.subscriptions))
        for ns in cast.NAMESPACES:
            if self.commands.query(ns, ns, "*") != 0:
                self.soak.report([f"query failed: the owner of {ns} got no answer though all is well"])
        self.check_ledger_file()
        self.soak.report(self.world.signs_of_a_crash())
        self.model.rights.forget(time.time() - 120.0)
        self.counts["checkpoints"] += 1
        self.soak.stop_if_wrong()

    def _until(self, what, condition, between=lambda: None):
        end, again = time.time() + CALM_SECONDS, time.time() + 2.0
        while not condition():
            self.soak.tend()
            if time.time() > end:
                words = what() if callable(what) else what
                raise Found(f"does not come back: waited {CALM_SECONDS} s for {words}")
            if time.time() > again:
                between()
                again = time.time() + 2.0
            time.sleep(0.05)

    def _resolve(self):
        """Finds out what became of grants and revocations that had no answer."""
        unknown = [grant for grant in self.model.rights.grants.values() if grant.acked is None and not grant.refused]
        if unknown:
            found = ledger_file.entries(self.world.nodes["ledger"].path("authority", "ledger.log"))
            with self.lock:
                for grant in unknown:
                    for position, entry in enumerate(found):
                        if self.commands.comment(grant).encode() in entry:
                            self.commands.granted_now(grant, ledger_file.identity(entry), position)
        for grant in list(self.model.rights.grants.values()):
            if grant.revoking != NEVER and grant.revoked == NEVER:
                self.commands.revoke(grant)

    def _replicas_agree(self):
        rows = []
        for name in PROCESSES:
            outcome = self.world.nodes[name].run("ledger", "status", timeout=COMMAND_SECONDS)
            if outcome.code != 0:
                return False
            rows.append(outcome.row)
            with self.lock:
                self.model.node_holds(name, outcome.row["size"], time.time())
        newest = max(self.model.entries, default=-1)
        return (all(row["connected"] for name, row in zip(PROCESSES, rows) if name != "ledger")
                and len({(row["size"], row["root"]) for row in rows}) == 1 and rows[0]["size"] > newest)

    def _entitled(self, who):
        now = time.time()
        entity, ns, pattern, tap, _ = who
        parties = (cast.HOME[entity], cast.ROUTER[ns])
        return self.model.rights.must(entity, ns, pattern, needed("T" if tap else "C", pattern), now - 10.0, now + 1.0,
                                      self.model.knows(parties, now))

    def _absent(self):
        with self.lock:
            wanted = [slot for slot in self.soak.slots if slot.who and self._entitled(slot.who)]
            return [f"{slot.who}: {slot.subscription}" for slot in wanted
                    if slot.subscription is None or slot.subscription.sure_since is None]

    def _all_sure(self):
        return not self._absent()

    def _words_of_absent(self):
        return f"subscriptions of those who may to stand and hear: {self._absent()}"

    def _probe(self):
        """One message by each owner on each URI, so that every subscription hears something."""
        for ns in cast.NAMESPACES:
            for uri in actions.URIS:
                self._extra += 1
                self.commands.fly(self.commands.send, ns, ns, uri, [self._extra], "pub")
        self._until("probes to be sent", self.commands.landed)

    def check_ledger_file(self):
        with self.lock:
            acknowledged = dict(self.model.entries)
            entries = ledger_file.entries(self.world.nodes["ledger"].path("authority", "ledger.log"))
            there = [(position, ledger_file.identity(entries[position])) for position in acknowledged
                     if position < len(entries)]
            self.soak.report(checks.ledger(self.model, there))

    def verify_ledger(self):
        """bw ledger verify, on the file of the ledger, stopped."""
        node = self.world.nodes["ledger"]
        with self.lock:
            self.model.disturbed({"ledger"})
            self.world.kill("ledger", 0.0)
        outcome = run_bw("--dir", node.directory, "--json", "ledger", "verify")
        if outcome.code != 0 or outcome.row["entries"] <= max(self.model.entries, default=-1):
            self.soak.report([f"ledger does not verify: {outcome}"])
        self.soak.stop_if_wrong()
