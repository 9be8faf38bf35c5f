# SPDX-License-Identifier: Apache-2.0
"""The Registry as a whole: batches, the tree, what it costs to be malicious, what its code cannot do."""
import itertools
import random
import unittest

import tree
from registry import Reverted, artifact
from harness import ALL_OR_NONE, EACH, FIRST, TIME, Case, abi
from objects import alias, call, dot, entity, item, key, revocation, signed


class Batches(Case):
    def test_one_malformed_entry_does_not_sink_the_others(self):
        good = [dot(1, n)["bytes"] for n in (2, 3, 4)]
        rejected = self.put(item(good[0]), item(signed(b"\2\1", 1)), item(good[1]), item(dot(10, 1)["bytes"]),
                            item(good[1][:-1] + bytes([good[1][-1] ^ 1])), item(good[2]), how=EACH)
        self.assertEqual(rejected, {1: "Truncated", 3: "SignerUnknown", 4: "BadSignature"})
        self.assertEqual(self.log, FIRST + good)
        self.holds_head()

    def test_all_or_none(self):
        self.refuses("SignerUnknown", item(dot(1, 2)["bytes"]), item(dot(10, 2)["bytes"]))
        receipt = self.chain.send(call(ALL_OR_NONE, item(dot(1, 2)["bytes"]), item(dot(10, 2)["bytes"])))
        self.assertEqual((receipt["status"], receipt["logs"]), ("0x0", []))
        self.holds_head()

    def test_entries_of_a_call_see_those_before_them(self):
        self.add(entity(8), dot(8, 1), alias(8, "eight"), revocation(8, "entity", key(8)))
        rejected = self.put(item(entity(9)["bytes"]), item(revocation(9, "entity", key(9))["bytes"]),
                            item(dot(9, 1)["bytes"]), item(alias(1, "x")["bytes"]), item(alias(2, "x")["bytes"]), how=EACH)
        self.assertEqual(rejected, {2: "SignerRevoked", 4: "AliasTaken"})
        self.holds_head()

    def test_a_rejected_entry_leaves_nothing_behind(self):
        before = self.chain.head()
        rejected = self.put(item(entity(8)["bytes"][:-1] + b"\0"), item(dot(1, 1)["bytes"]), how=EACH)
        self.assertEqual(set(rejected), {0, 1})
        self.assertEqual(self.chain.head(), before)
        self.assertEqual(self.chain.view("liveUntil", key(8)), abi.word(0))

    def test_a_dot_twice_stands_twice(self):
        self.add(dot(1, 2), dot(1, 2))
        self.holds_head()

    def test_what_is_not_items(self):
        one = item(dot(1, 2)["bytes"])
        for data in (b"", b"\0" + one, b"\3" + one, b"\1\0", b"\1" + one[:-1], b"\2" + one + b"\0", b"\1" + bytes(40),
                     b"\2\xff\xff" + one[2:], b"\2" + item(revocation(1, "dot", bytes(32))["bytes"])[:-1]):
            self.assertEqual(self.chain.rule_of(data), "BadFraming", data[:4])
        self.assertIsNone(self.chain.rule_of(b"\1"))

    def test_anyone_may_pay(self):
        self.chain.account, before = self.chain.chain.accounts[1], self.chain.account
        self.addCleanup(lambda: setattr(self.chain, "account", before))
        self.add(dot(1, 2))


class Trees(Case):
    def test_head_after_random_interleavings(self):
        rng = random.Random(9162)
        number = itertools.count()
        for _ in range(40):
            size = rng.choice([1, 1, 1, 2, 3, 5, 8, 17, 33])
            items = []
            for _ in range(size):
                one = dot(1, 2, pattern=f"d{next(number)}")["bytes"]
                items.append(item(one if rng.random() < 0.8 else one[:-1] + bytes([one[-1] ^ 1])))
            self.put(*items, how=EACH)
            self.holds_head()
        self.assertGreater(len(self.log), 150)
        for index in rng.sample(range(len(self.log)), 40):
            path = self.path(index)
            self.assertTrue(self.includes(self.log[index], index, path))
            self.assertFalse(self.includes(self.log[index] + b"\0", index, path))
            self.assertFalse(self.includes(self.log[index - 1], index, path))
            self.assertFalse(self.includes(self.log[index], index ^ 1, path))
            self.assertFalse(self.includes(self.log[index], index, path + [bytes(32)]))
            self.assertFalse(self.includes(self.log[index], index + 2 ** len(path), path))
            if path:
                self.assertFalse(self.includes(self.log[index], index, path[:-1]))

    def test_a_node_is_not_an_entry(self):
        inner = b"".join(tree._hash(b"\0" + one) for one in self.log[:2])
        self.assertFalse(self.includes(inner, 0, self.path(0)[1:]))

    def test_the_head_is_proved_by_few_slots(self):
        """Size and peaks, which one eth_getProof shows, give the root."""
        size, root = self.chain.head()
        slots = [self.chain.rpc("eth_getStorageAt", self.chain.address, hex(n), "latest") for n in range(1 + size.bit_count())]
        values = [bytes.fromhex(slot[2:].zfill(64)) for slot in slots]
        self.assertEqual(int.from_bytes(values[0], "big"), size)
        node = values.pop()
        while len(values) > 1:
            node = tree._hash(b"\1" + values.pop() + node)
        self.assertEqual(node, root)


class Malice(Case):
    def test_the_dearest_entry_that_is_refused_is_bounded(self):
        """A relay that batches strangers' entries pays no more than so much for each."""
        text = "\u00e9" * 64
        dear = [dot(1, 2, pattern="/".join(["ab"] * 31) + "/" + "a" * 400, comment=text, conditions=b"x" * 1024,
                    revokers=list(range(11, 19)))["bytes"]] + [entity(10, contact=text, comment=text)["bytes"]]
        dear = [one[:-1] + bytes([one[-1] ^ 1]) for one in dear]
        base = int(self.chain.send(call(EACH, item(dot(1, 2)["bytes"])))["gasUsed"], 16)
        for one in dear:
            receipt = self.chain.send(call(EACH, item(one), item(dot(1, 2)["bytes"])))
            self.assertEqual(self.chain.rejected(receipt), {0: "BadSignature"})
            calldata = 40 * len(item(one))
            self.assertLess(int(receipt["gasUsed"], 16) - base, calldata + 80_000)

    def test_a_call_that_runs_out_of_gas_changes_nothing(self):
        before = self.chain.head()
        data = call(EACH, *(item(dot(1, 2, pattern=f"x{n}")["bytes"]) for n in range(8)))
        full = int(self.chain.send(data)["gasUsed"], 16)
        self.log += [dot(1, 2, pattern=f"x{n}")["bytes"] for n in range(8)]
        self.holds_head()
        after = self.chain.head()
        self.assertNotEqual(before, after)
        for gas in range(full * 6 // 10, full - 30_000, 9973):
            try:
                receipt = self.chain.send(data, gas)
            except RuntimeError:
                continue  # below the floor for its calldata
            self.assertEqual((receipt["status"], self.chain.head()), ("0x0", after))

    def test_no_money_and_no_way_to_change_the_code(self):
        for name in ("Registry", "Alias", "Affinity"):
            code = bytes.fromhex(artifact(name)["deployedBytecode"][2:])
            at, found = 0, set()
            while at < len(code):
                found.add(code[at])
                at += 1 + (code[at] - 0x5f if 0x60 <= code[at] <= 0x7f else 0)
            # CALLCODE, DELEGATECALL, SELFDESTRUCT, CREATE, CREATE2; who called (ORIGIN) decides nothing either.
            self.assertFalse(found & {0xf2, 0xf4, 0xff, 0xf0, 0xf5, 0x32}, name)
        children = ["0x" + self.chain.view(name)[12:].hex() for name in ("aliases", "affinity")]
        for to in [self.chain.address, *children]:
            for data in (b"", b"\1"):
                with self.assertRaises(Reverted):
                    self.chain.call(data, to, value=1)


class Authorization(Case):
    def setUp(self):
        super().setUp()
        self.path_dots = [dot(1, 2, ttl=2, pattern="b/*", permissions=0x0f), dot(2, 3, ttl=1, pattern="b/+/t", permissions=0x07),
                          dot(3, 4, pattern="b/r1/*", permissions=0x03, expires=TIME + 1000)]
        self.add(*self.path_dots)

    def ask(self, dots, origin=4, namespace=1, permissions=1, pattern="b/r1/t", links=None):
        """(denial or None, link, expires)"""
        links = links or [(bytearray(d["bytes"]), self.log.index(d["bytes"]), self.path(self.log.index(d["bytes"]))) for d in dots]
        answer = self.chain.view("authorize", abi.encode((key(origin), key(namespace), permissions, pattern), links))
        denial = self.chain.errors[answer[:4]] if any(answer[:4]) else None
        return denial, int.from_bytes(answer[32:64], "big", signed=True), int.from_bytes(answer[64:], "big")

    def test_yes(self):
        dots = self.path_dots
        self.assertEqual(self.ask(dots), (None, -1, TIME + 1000))
        self.assertEqual(self.ask(dots, permissions=3), (None, -1, TIME + 1000))
        self.assertEqual(self.ask(dots[:1], origin=2, pattern="b/+/x/*", permissions=0x0e)[0], None)
        self.assertEqual(self.ask([], origin=1, pattern="*", permissions=0xff), (None, -1, 2 ** 40 - 1))
        everyone = dot(1, 0, pattern="pub/*")
        self.add(everyone)
        self.assertEqual(self.ask([everyone], origin=5, permissions=2, pattern="pub/a")[0], None)

    def test_no(self):
        a, b, c = self.path_dots
        self.add(more := dot(1, 2, pattern="c/*", conditions=b"x", ttl=1), late := dot(1, 2, not_before=TIME + 500),
                 other := dot(2, 4, namespace=2), brief := dot(1, 2, expires=TIME + 30), entity(8), eight := dot(1, 8, ttl=3),
                 end := dot(8, 4))
        ask = self.ask
        self.assertEqual(ask([a, b, c], origin=0)[:2], ("NobodyActsAsEveryone", -1))
        self.assertEqual(ask([a, b, c], permissions=0)[:2], ("AsksForNothing", -1))
        self.assertEqual(ask([a, b, c], pattern="b//t")[:2], ("BadPattern", -1))
        self.assertEqual(ask([a] * 17)[:2], ("TooManyLinks", -1))
        self.assertEqual(ask([], origin=2)[:2], ("WrongStart", -1))
        self.assertEqual(ask([b, c])[:2], ("WrongStart", 0))
        self.assertEqual(ask([a, b])[:2], ("WrongEnd", 1))
        self.assertEqual(ask([a, c])[:2], ("BrokenPath", 1))
        self.assertEqual(ask([late, b, c])[:2], ("TtlSpent", 0))
        self.assertEqual(ask([more], origin=2)[:2], ("HasConditions", 0))
        self.assertEqual(ask([late], origin=2)[:2], ("NotYetValid", 0))
        self.assertEqual(ask([a, other])[:2], ("WrongNamespace", 1))
        self.assertEqual(ask([a, b, c], permissions=4)[:2], ("PermissionsMissing", 2))
        self.assertEqual(ask([a, b, c], pattern="b/r2/t")[:2], ("PatternNotCovered", 2))
        self.assertEqual(ask([a, b, c], pattern="b/r1/+")[:2], ("PatternNotCovered", 1))
        self.chain.set_time(TIME + 30)
        self.assertEqual(ask([brief], origin=2)[:2], ("LinkExpired", 0))
        self.add(revocation(8, "entity", key(8)))
        self.assertEqual(ask([eight, end], pattern="a/x/b", permissions=2)[:2], ("SignerRevoked", 1))
        # Not on the ledger; on it, but elsewhere; not at all a DoT.
        absent = dot(1, 4)
        place = (self.log.index(a["bytes"]), self.path(self.log.index(a["bytes"])))
        request = dict(pattern="a/x/b", permissions=2)
        self.assertEqual(ask(None, links=[(bytearray(absent["bytes"]), *place)], **request)[:2], ("NotOnLedger", 0))
        self.assertEqual(ask(None, links=[(bytearray(c["bytes"][:100]), *place)])[:2], ("NotOnLedger", 0))
        self.put(item(revocation(3, "dot", c["id"])["bytes"], self.evidence(c)))
        self.assertEqual(ask([a, b, c])[:2], ("LinkRevoked", 2))
        self.add(revocation(4, "entity", key(4)))
        unrevoked = dot(3, 4, pattern="b/*", permissions=3)
        self.add(unrevoked)
        self.assertEqual(ask([a, b, unrevoked])[:2], ("SignerRevoked", -1))

    def test_covers_is_exact(self):
        """Against all URIs of up to four cells over three letters, which tell these patterns apart."""
        probe = self.chain.deploy(artifact("Probe")["bytecode"])
        uris = {n: list(itertools.product("abc", repeat=n)) for n in range(1, 6)}

        def matches(pattern, uri):
            cells = pattern.split("/")
            if "*" in cells:
                star = cells.index("*")
                if len(uri) < len(cells) - 1:
                    return False
                cells[star:star + 1] = ["+"] * (len(uri) - len(cells) + 1)
            return len(cells) == len(uri) and all(c in ("+", u) for c, u in zip(cells, uri))

        rng = random.Random(4)
        every = [u for n in uris for u in uris[n]]
        patterns = {"/".join(cells) for n in (1, 2, 3) for cells in itertools.product(["a", "b", "+", "*"], repeat=n)
                    if cells.count("*") < 2}
        pairs = rng.sample(list(itertools.product(sorted(patterns), repeat=2)), 250) + [("+/*", "*"), ("*", "+"), ("*/+", "+/*")]
        language = {p: {u for u in every if matches(p, u)} for p in patterns}
        seen = set()
        for wide, narrow in pairs:
            answer = self.chain.view("covers", abi.encode(wide, narrow), probe, "Probe") == abi.word(1)
            self.assertEqual(answer, language[narrow] <= language[wide], (wide, narrow))
            seen.add(answer)
        self.assertEqual(seen, {True, False})


if __name__ == "__main__":
    unittest.main()
