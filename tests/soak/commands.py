# SPDX-License-Identifier: Apache-2.0
"""The commands of users, each a `bw` of its own, several at once; the model hears when they begin and how they end."""

import concurrent.futures
import threading
import time

import cast
import checks
from checks import Found
from model import Message
from rights import needed

IN_FLIGHT = 8
COMMAND_SECONDS = 40.0
# What commands answer for certain, by exit code; all else may have happened or not.
REFUSED = (2, 3, 4, 6, 7, 8)


class Commands:
    def __init__(self, soak):
        self.soak = soak
        self.world, self.model, self.lock, self.counts = soak.world, soak.model, soak.lock, soak.counts
        self.keys = soak.keys
        self._pool = concurrent.futures.ThreadPoolExecutor(IN_FLIGHT)
        self._flying = threading.Semaphore(IN_FLIGHT)

    def fly(self, work, *arguments):
        """Runs work(...) beside the steps, a bounded number at once."""
        end = time.time() + 2 * COMMAND_SECONDS
        while not self._flying.acquire(timeout=0.1):
            self.soak.tend()
            if time.time() > end:
                raise Found("commands hang: none of those under way ended")
        self.counts["commands"] += 1

        def guarded():
            try:
                work(*arguments)
            except Exception as error:  # a command that crashed or hung, above all
                self.soak.report([f"command failed: {error!r}"])
            finally:
                self._flying.release()
        self._pool.submit(guarded)

    def landed(self):
        taken = 0
        while taken < IN_FLIGHT and self._flying.acquire(blocking=False):
            taken += 1
        for _ in range(taken):
            self._flying.release()
        return taken == IN_FLIGHT

    def send(self, entity, ns, uri, numbers, verb):
        node = self.world.nodes[cast.HOME[entity]]
        arguments, text = [verb, f"{self.keys[ns]}/{uri}"], None
        if verb != "del":
            arguments += ["--lines"] if len(numbers) > 1 else [str(numbers[0])]
            text = "\n".join(map(str, numbers)) if len(numbers) > 1 else None
        with self.lock:
            messages = [self.model.asked(Message(number, ns, uri, entity, verb != "pub", time.time(), verb == "del"))
                        for number in numbers]
        outcome = node.run(*arguments, sign=entity, stdin=text, timeout=COMMAND_SECONDS)
        with self.lock:
            self._sent(messages, outcome, time.time())

    def _sent(self, messages, outcome, now):
        kind = "deleted" if messages[0].deletion else "persisted" if messages[0].persist else "published"
        self.counts[f"exit {outcome.code}: {kind}"] += len(messages)
        wrong = []
        if outcome.code == 0:
            for message in messages:
                self.model.acknowledged(message, now)
            wrong += checks.acknowledgement(self.model, messages[0], now)
            self.counts[kind] += len(messages)
        elif len(messages) == 1 and outcome.code in REFUSED:
            messages[0].refused = True
            first = messages[0]
            if self._granted(first.publisher, first.ns, first.uri, "P", first.started, now):
                wrong.append(f"refused, though granted: {first}: {outcome}")
        self.soak.report(wrong)

    def _granted(self, entity, ns, pattern, right, begin, end):
        parties = (cast.HOME[entity], cast.ROUTER[ns])
        return self.soak.settled({*parties, "ledger"}, begin) and self.model.rights.must(
            entity, ns, pattern, right, begin, end, self.model.knows(parties, begin))

    def query(self, entity, ns, pattern):
        parties = {cast.HOME[entity], cast.ROUTER[ns], "ledger"}
        asked = time.time()
        with self.lock:
            sure = self.soak.settled(parties, asked)
        outcome = self.world.nodes[cast.HOME[entity]].run("query", f"{self.keys[ns]}/{pattern}", sign=entity,
                                                          timeout=COMMAND_SECONDS)
        with self.lock:
            answered = time.time()
            self.counts[f"exit {outcome.code}: queried"] += 1
            if outcome.code == 0:
                query = {"entity": entity, "agent": cast.HOME[entity], "router": cast.ROUTER[ns], "ns": ns,
                         "pattern": pattern, "asked": asked, "answered": answered}
                sure = sure and self.soak.settled(parties, asked)
                rows = [self.soak.row_of(row) for row in outcome.rows]
                self.soak.report(checks.answer(self.model, query, rows, sure))
            elif outcome.code in REFUSED and self._granted(entity, ns, pattern, needed("C", pattern), asked, answered):
                self.soak.report([f"refused, though granted: {outcome}"])
        return outcome.code

    def make_grant(self, grant, rights):
        with self.lock:
            grant.started = time.time()
            self.model.rights.add(grant)
        outcome = self.world.nodes[cast.HOME[grant.granter]].run(
            "grant", self.keys[grant.grantee], f"{self.keys[grant.ns]}/{grant.pattern}", rights,
            "--ttl", str(grant.ttl), "--expires", f"{grant.life}s", "--comment", self.comment(grant),
            sign=grant.granter, timeout=COMMAND_SECONDS)
        with self.lock:
            self.counts[f"exit {outcome.code}: granted"] += 1
            grant.refused = outcome.code in REFUSED
            if outcome.code == 0:
                self.granted_now(grant, outcome.row["id"], outcome.row["position"])

    @staticmethod
    def comment(grant):
        return f"soak-grant-{grant.number:012}"

    def granted_now(self, grant, identity, position):
        grant.id, grant.position, grant.acked = identity, position, time.time()
        self.model.entry(position, identity, str(grant))
        self.counts["granted"] += 1

    def revoke(self, grant):
        with self.lock:
            grant.revoking = min(grant.revoking, time.time())
        outcome = self.world.nodes[cast.HOME[grant.granter]].run("revoke", grant.id, sign=grant.granter,
                                                                 timeout=COMMAND_SECONDS)
        with self.lock:
            self.counts[f"exit {outcome.code}: revoked"] += 1
            if outcome.code in (0, 6):  # 6: it is revoked already, by a command that had no answer
                grant.revoked = time.time()
                self.counts["revoked"] += 1
            if outcome.code == 0:
                self.model.entry(outcome.row["position"], outcome.row["id"], f"revocation of {grant}")

    def end(self):
        self._pool.shutdown(wait=True, cancel_futures=True)
