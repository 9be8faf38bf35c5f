#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The soak's own judgement: that good histories pass, and that each invariant catches a violation that is
planted. Without processes."""

import base64
import hashlib
import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
import actions  # noqa: E402
import checks  # noqa: E402
import ledger_file  # noqa: E402
from model import Message, Model, Subscription  # noqa: E402
from rights import Grant, Rights, covers, matches, needed, permissions  # noqa: E402

ALLOWANCE, PROMPT, PATIENCE = 8.0, 3.0, 10.0


def grant(number, granter, grantee, pattern, rights, ttl=0, at=0.0, life=1000.0):
    return Grant(number, "ns", granter, grantee, pattern, permissions(rights), ttl, at, life,
                 acked=at + 0.1, id=f"id{number}", position=number)


class Patterns(unittest.TestCase):
    def test_matching(self):
        for pattern, uri, expected in (("r1/temp", "r1/temp", True), ("r1/+", "r1/temp", True), ("+", "r1/temp", False),
                                       ("*", "r1/temp", True), ("r1/*", "r1", True), ("*/temp", "r1/temp", True),
                                       ("*/temp", "temp", True), ("r1/*/temp", "r1/temp", True), ("r1/*", "r2/temp", False),
                                       ("r1/+/temp", "r1/temp", False), ("temp/*/temp", "temp", False)):
            self.assertEqual(matches(pattern, uri), expected, (pattern, uri))

    def test_covering_and_needs(self):
        for wide, narrow, expected in (("*", "+/temp", True), ("r1/*", "r1/+", True), ("r1/+", "r1/*", False),
                                       ("+/temp", "*/temp", False), ("*/temp", "+/temp", True), ("r1/+", "r1/temp", True)):
            self.assertEqual(covers(wide, narrow), expected, (wide, narrow))
        self.assertEqual([needed("C", pattern) for pattern in ("a", "a/+", "+/*")], ["C", "C+", "C*"])
        self.assertEqual(permissions("PC+T*"), {"P", "C", "C+", "T", "T+", "T*"})


class RightsOverTime(unittest.TestCase):
    def setUp(self):
        self.rights = Rights()
        self.first = self.rights.add(grant(1, "ns", "ann", "*", "PC*", ttl=1))
        self.second = self.rights.add(grant(2, "ann", "cat", "r1/*", "PC*", at=5.0))

    def may(self, *who, begin=10.0, end=11.0):
        return self.rights.may(*who, begin, end)

    def test_paths(self):
        self.assertTrue(self.may("ns", "ns", "anything", "P"))
        self.assertTrue(self.may("ann", "ns", "r2/temp", "P"))
        self.assertTrue(self.may("cat", "ns", "r1/+", "C+"))
        self.assertFalse(self.may("cat", "ns", "r2/temp", "P"))
        self.assertFalse(self.may("cat", "ns", "*", "C*"))
        self.assertFalse(self.may("cat", "ns", "r1/temp", "T"))
        self.assertFalse(self.may("eve", "ns", "r1/temp", "C"))

    def test_ttl_bounds_the_path(self):
        self.rights.add(grant(3, "cat", "dan", "r1/*", "C*", ttl=5))
        self.assertFalse(self.may("dan", "ns", "r1/temp", "C"))
        self.first.ttl, self.second.ttl = 2, 1
        self.assertTrue(self.may("dan", "ns", "r1/temp", "C"))

    def test_both_intervals(self):
        must = lambda begin, end: self.rights.must("cat", "ns", "r1/temp", "P", begin, end)  # noqa: E731
        self.assertTrue(must(6.0, 20.0))
        self.assertFalse(must(4.0, 20.0), "not before it was acknowledged")
        self.assertFalse(self.may("cat", "ns", "r1/temp", "P", begin=0.0, end=3.9), "not before it was asked for")
        self.first.revoking = 30.0
        self.assertFalse(must(6.0, 31.0), "not once somebody revokes it")
        self.assertTrue(self.may("cat", "ns", "r1/temp", "P", begin=40.0, end=41.0), "the revocation has no answer")
        self.first.revoked = 35.0
        self.assertFalse(self.may("cat", "ns", "r1/temp", "P", begin=40.0, end=41.0))

    def test_no_instant_at_which_all_stand(self):
        self.first.revoked = self.first.revoking = 6.0
        self.second.started = self.second.acked = 7.0 + 1.0
        self.assertFalse(self.may("cat", "ns", "r1/temp", "P", begin=0.0, end=50.0))

    def test_expiry_and_unknown_outcomes(self):
        third = self.rights.add(grant(3, "ns", "dan", "*", "P", at=10.0, life=20.0))
        self.assertTrue(self.may("dan", "ns", "x", "P", begin=30.0, end=30.5))
        self.assertFalse(self.may("dan", "ns", "x", "P", begin=32.0, end=33.0))
        third.acked = None
        self.assertTrue(self.may("dan", "ns", "x", "P", begin=50.0, end=51.0), "it may have been made late")
        self.assertFalse(self.rights.must("dan", "ns", "x", "P", 15.0, 16.0))
        third.refused = True
        self.assertFalse(self.may("dan", "ns", "x", "P", begin=15.0, end=16.0))


class World(unittest.TestCase):
    """ann may do everything; cat reads r1/* and may publish there."""

    def setUp(self):
        self.model = Model(ALLOWANCE, PROMPT, PATIENCE)
        self.ann = self.model.rights.add(grant(0, "ns", "ann", "*", "PC*", ttl=1))
        self.cat = self.model.rights.add(grant(1, "ann", "cat", "r1/*", "PC*"))
        for node in ("agent", "router"):
            self.model.node_holds(node, 2, 1.0)
        self.subscription = self.subscribe("cat", "r1/*")
        self._numbers = iter(range(100, 1000))

    def subscribe(self, entity, pattern, **how):
        options = {"tap": False, "replay": False, **how}
        made = self.model.subscribe(Subscription(1, entity, "agent", "router", "ns", pattern, started=2.0, **options))
        self.model.stands(made, 3.0)
        made.sure_since = 4.0
        return made

    def send(self, publisher="ann", uri="r1/temp", at=100.0, acked=True, **how):
        options = {"persist": False, **how}
        message = self.model.asked(Message(next(self._numbers), "ns", uri, publisher, started=at, **options))
        if acked:
            self.model.acknowledged(message, at + 0.1)
        return message

    def come(self, message, at=100.2, to=None, **changes):
        row = {"number": None if message.deletion else message.number, "uri": f"ns/{message.uri}", "stored": False,
               "publisher": message.publisher, "created": message.started + 0.05, "deletion": message.deletion, **changes}
        return checks.delivery(self.model, to or self.subscription, row, at)

    def caught(self, wrong, word):
        self.assertEqual(len(wrong), 1, wrong)
        self.assertTrue(wrong[0].startswith(word), wrong)


class Deliveries(World):
    def test_a_good_one_passes(self):
        message = self.send()
        self.assertEqual(self.come(message), [])
        self.assertEqual(checks.arrivals(self.model, 1000.0), [])
        self.assertEqual(self.model.counts["arrival checked"], 1)

    def test_forged(self):
        self.caught(self.come(Message(7, "ns", "r1/temp", "ann", False, 0.0)), "forged")

    def test_altered(self):
        self.caught(self.come(self.send(), publisher="eve"), "altered")
        self.caught(self.come(self.send(), uri="ns/r1/door"), "altered")

    def test_not_asked_for(self):
        self.caught(self.come(self.send(uri="r2/temp")), "not asked for")

    def test_refused(self):
        message = self.send(acked=False)
        message.refused = True
        self.caught(self.come(message), "refused, yet delivered")

    def test_twice(self):
        message = self.send()
        self.come(message)
        self.caught(self.come(message), "delivered twice")

    def test_twice_across_a_reconnection(self):
        message = self.send()
        self.come(message)
        self.model.away(self.subscription)
        self.model.stands(self.subscription, 101.0)
        self.caught(self.come(message, at=101.5), "delivered twice")

    def test_replay_brings_what_is_stored_once_each_time_it_stands(self):
        subscription = self.subscribe("cat", "r1/*", replay=True)
        message = self.send(persist=True)
        self.assertEqual(self.come(message, to=subscription, stored=True), [])
        self.caught(self.come(message, to=subscription), "delivered twice")
        self.model.away(subscription)
        self.assertEqual(self.come(message, to=subscription, stored=True), [])
        self.caught(self.come(message, stored=True), "not asked for")

    def test_a_reader_whose_right_is_revoked(self):
        self.cat.revoking = self.cat.revoked = 90.0
        self.assertEqual(self.come(self.send(at=92.0), at=92.5), [], "it is told promptly, not at once")
        self.caught(self.come(self.send(), at=94.0), "unauthorised reader")
        self.model.unsure(self.subscription)
        self.assertEqual(self.come(self.send(at=96.0), at=97.0), [], "a node cut off may go on for a while")
        self.caught(self.come(self.send(), at=100.2), "unauthorised reader")

    def test_a_reader_whose_granter_lost_it(self):
        self.ann.revoking = self.ann.revoked = 90.0
        self.caught(self.come(self.send(publisher="ns")), "unauthorised reader")

    def test_a_publisher_without_right(self):
        self.caught(self.come(self.send(publisher="eve")), "unauthorised publisher")
        self.caught(checks.acknowledgement(self.model, self.send(publisher="eve"), 100.1), "unauthorised publisher")
        self.assertEqual(checks.acknowledgement(self.model, self.send(), 100.1), [])

    def test_deletions(self):
        message = self.send(persist=True, deletion=True)
        self.assertEqual(self.come(message), [])
        self.caught(self.come(message), "forged")


class Arrivals(World):
    def lost(self):
        return checks.arrivals(self.model, 100.1 + PATIENCE)

    def test_lost(self):
        self.send()
        self.assertEqual(checks.arrivals(self.model, 100.0 + PATIENCE), [], "there is time yet")
        self.caught(self.lost(), "lost")
        self.assertEqual(self.lost(), [], "told once")

    def test_not_expected(self):
        self.send(acked=False)
        self.send(at=3.5)  # before it was sure
        self.send(uri="r2/temp")
        self.assertEqual(self.lost(), [])

    def test_disturbances_excuse(self):
        for what in ({"agent"}, {"router"}, {"ledger"}, {"agent", "router"}):
            self.subscription.sure_since = 4.0
            self.send()
            self.model.disturbed({"another"})
            self.model.disturbed({"agent", "another"})
            self.assertTrue(self.subscription.missing)
            self.model.disturbed(what)
            self.assertEqual(self.lost(), [])

    def test_told_lost(self):
        self.send()
        self.send()
        self.subscription.lost = 1
        self.caught(self.lost(), "lost")

    def test_rights_that_end_excuse(self):
        self.send()
        self.cat.revoking = 100.3
        self.assertEqual(self.lost(), [])

    def test_a_publisher_of_whom_the_agent_does_not_know_yet(self):
        fresh = self.model.rights.add(grant(2, "ns", "bob", "*", "P", at=90.0))
        self.send(publisher="bob")
        self.assertEqual(self.lost(), [])
        for node in ("agent", "router"):
            self.model.node_holds(node, 3, 99.0)
        self.send(publisher="bob")
        self.caught(self.lost(), "lost")
        self.send(publisher="bob")
        fresh.revoking = 105.0
        self.assertEqual(self.lost(), [])

    def test_interruptions(self):
        self.caught(checks.interruption(self.model, self.subscription, 50.0, "ended"), "interrupted")
        self.cat.revoking = 49.0
        self.assertEqual(checks.interruption(self.model, self.subscription, 50.0, "ended"), [])
        self.subscription.sure_since = None
        self.assertEqual(checks.interruption(self.model, self.subscription, 50.0, "ended"), [])


class Answers(World):
    def ask(self, *came, at=200.0, sure=True, entity="ann", pattern="*"):
        query = {"entity": entity, "agent": "agent", "router": "router", "ns": "ns", "pattern": pattern,
                 "asked": at, "answered": at + 0.1}
        rows = [{"number": one.number, "uri": f"ns/{one.uri}", "publisher": one.publisher} for one in came]
        return checks.answer(self.model, query, rows, sure)

    def persist(self, at, **how):
        return self.send(at=at, persist=True, **how)

    def test_newest(self):
        old, new = self.persist(100.0), self.persist(101.0)
        self.assertEqual(self.ask(new), [])
        self.caught(self.ask(old), "older value")
        self.caught(self.ask(), "acknowledged value lost")
        self.assertEqual(self.ask(sure=False), [])
        self.caught(self.ask(new, new), "delivered twice")

    def test_overlapping_and_unanswered_ones_may_both_stand(self):
        one, other = self.persist(100.0), self.persist(100.05)
        unanswered = self.persist(99.0, acked=False)
        for came in (one, other, unanswered):
            self.assertEqual(self.ask(came), [])
        self.caught(self.ask(), "acknowledged value lost")

    def test_deletions(self):
        old = self.persist(100.0)
        self.persist(101.0, deletion=True)
        self.assertEqual(self.ask(), [])
        self.caught(self.ask(old), "older value")

    def test_a_value_whose_publisher_lost_its_right(self):
        value = self.persist(100.0, publisher="cat")
        self.caught(self.ask(), "acknowledged value lost")
        self.cat.revoking = self.cat.revoked = 150.0
        self.assertEqual(self.ask(), [])
        self.caught(self.ask(value), "unauthorised publisher")

    def test_forged_refused_unasked_unauthorised(self):
        value = self.persist(100.0)
        self.caught(self.ask(Message(7, "ns", "r3/temp", "ann", True, 0.0), value), "forged")
        self.caught(self.ask(value, pattern="r2/*"), "not asked for")
        self.caught(self.ask(value, entity="cat"), "unauthorised reader")


class LedgerAndMemory(World):
    def test_entries(self):
        self.model.entry(3, "three", "a grant")
        self.model.entry(4, "four", "a revocation")
        self.assertEqual(checks.ledger(self.model, [(3, "three"), (4, "four")]), [])
        self.caught(checks.ledger(self.model, [(3, "three")]), "acknowledged entry lost")
        self.caught(checks.ledger(self.model, [(3, "three"), (4, "another")]), "acknowledged entry lost")

    def test_the_ledger_s_file(self):
        body = bytes([2, 1]) + b"anything"
        tag = hashlib.sha256(b"bosswave/dot").digest()
        expected = base64.urlsafe_b64encode(hashlib.sha256(tag + tag + body).digest()).decode().rstrip("=")
        entry = body + bytes(64)
        record = len(entry).to_bytes(4, "big") + bytes(4) + entry
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "ledger.log")
            with open(path, "wb") as file:
                file.write(ledger_file.HEADER + record + record[:-1])
            self.assertEqual([ledger_file.identity(one) for one in ledger_file.entries(path)], [expected])

    def test_memory(self):
        flat = [(float(at), 40_000 + 500 * (at % 3)) for at in range(300)]
        self.assertEqual(checks.memory(flat, 10_000, 20.0), [])
        self.caught(checks.memory([(at, size + 60 * at) for at, size in flat], 10_000, 20.0), "memory grows")
        once = [(at, size + (8_000 if at > 150 else 0)) for at, size in flat]
        self.assertEqual(checks.memory(once, 10_000, 20.0), [], "a step within the bound is no leak")


class Plans(unittest.TestCase):
    def test_a_seed_repeats_its_steps(self):
        one, same, other = actions.Plan(5), actions.Plan(5), actions.Plan(6)
        steps = [one.next() for _ in range(2000)]
        self.assertEqual(steps, [same.next() for _ in range(2000)])
        self.assertNotEqual(steps, [other.next() for _ in range(2000)])
        self.assertEqual({step.kind for step in steps}, set(actions.WEIGHTS))


if __name__ == "__main__":
    unittest.main(verbosity=1)
