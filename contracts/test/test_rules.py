# SPDX-License-Identifier: Apache-2.0
"""Every rule that an entry can break, broken on purpose."""
import json
import pathlib
import random
import unittest

import model
from registry import artifact
from harness import ALL_OR_NONE, EACH, FIRST, TIME, Case, abi
from objects import (N, NOW, P, acceptance, address, alias, call, dot, entity, item, key, offer, revocation,
                     hint, signed)

VECTORS = pathlib.Path(__file__).resolve().parents[2] / "tests" / "vectors"


class Canonical(Case):
    def test_the_vectors_are_canonical_and_signed(self):
        for vector in json.loads((VECTORS / "objects.json").read_text())["objects"]:
            with self.subTest(vector["name"]):
                rule = self.chain.rule_of(call(ALL_OR_NONE, item(bytes.fromhex(vector["bytes"]))))
                self.assertIn(rule, (None, "Expired", "NotNewer", "TargetUnknown", "NoOffer", "NotEntitled"))

    def test_each_field(self):
        big = dot(1, 2)
        body = big["bytes"][:-64]
        cases = {
            "BadKind": [signed(b"\x00" + body[1:], 1), signed(b"\x08" + body[1:], 1)],
            "BadVersion": [signed(b"\x02\x02" + body[2:], 1)],
            "TooLong": [signed(body + bytes(4096), 1)],
            "Truncated": [big["bytes"][:65], b"\x02", signed(body[:125], 1),
                          *(signed(o["bytes"][:40], 1)
                            for o in (entity(1), alias(1, "a"), offer(1, 2, 1), acceptance(1, 2, 1))),
                          signed(address(1, 1)["bytes"][:47], 1), signed(body[:-2] + b"\x00\x01", 1)],
            "TrailingBytes": [signed(o["bytes"][:-64] + b"\0", 1)
                              for o in (big, entity(1), revocation(1, "dot", bytes(32)), alias(1, "a"),
                                        offer(1, 2, 1), acceptance(1, 2, 1), address(1, 1))],
            "BadExpires": [entity(1, expires=NOW)["bytes"], dot(1, 2, expires=NOW)["bytes"]],
            "BadNotBefore": [dot(1, 2, not_before=NOW - 1)["bytes"]],
            "BadGrantee": [dot(1, 1)["bytes"]],
            "BadTtl": [dot(1, 0, ttl=1)["bytes"], dot(1, 0, ttl=255)["bytes"]],
            "BadPermissions": [dot(1, 2, permissions=p)["bytes"]
                               for p in (0, 0x100, 0x8002, 4, 8, 0x0a, 0x0c, 0x20, 0x40, 0x50, 0x60)],
            "BadRevokers": [signed(body[:125] + bytes([2]) + key(5) + key(5) + body[126:], 1),
                            signed(body[:125] + bytes([2]) + b"\2" * 32 + b"\1" * 32 + body[126:], 1),
                            signed(body[:125] + bytes([9]) + b"".join(bytes([i] * 32) for i in range(9)) + body[126:], 1),
                            signed(body[:125] + bytes([8]), 1)],
            "BadContact": [entity(1, contact="a\n")["bytes"], entity(1, contact="a" * 129)["bytes"]],
            "BadComment": [entity(1, comment="\x7f")["bytes"], dot(1, 2, comment="x" * 129)["bytes"],
                           revocation(1, "dot", bytes(32), comment="\0")["bytes"],
                           signed(body[:-3] + b"\x05hel", 1)],
            "BadConditions": [dot(1, 2, conditions=bytes(1025))["bytes"], signed(body[:-1], 1)],
            "BadTarget": [signed(b"\3\1" + key(1) + b"\3" + bytes(38), 1), signed(b"\3\1" + key(1) + bytes(39), 1)],
            "BadName": [alias(1, name)["bytes"] for name in ("", "A", "1a", "a/b", "a" * 64, "a b", "ä", ".a")],
            "BadNonce": [offer(1, 2, 0)["bytes"], acceptance(1, 2, 0)["bytes"], address(1, 0)["bytes"]],
            "BadRetracted": [signed(offer(1, 2, 1)["bytes"][:-65] + b"\2", 1),
                             signed(acceptance(1, 2, 1)["bytes"][:79] + b"\2\0\0\0\0", 1)],
            "BadAddress": [address(1, 1, where)["bytes"] for where in (
                "", "a", ":1", "a:", "a:0", "a:65536", "a:080", "a:1x", "a:-1", "a b:1", "[]:1", "[:1", "[abc]:1",
                "[::g]:1", "::1:80", "a:1:1", "a:999999", "[::1]", "]:1", "ü:1", "a:65535 ")],
        }
        for rule, objects in cases.items():
            for n, one in enumerate(objects):
                with self.subTest(rule, n=n):
                    self.assertFalse(model.is_canonical(one))
                    self.refuses(rule, item(one))

    def test_patterns(self):
        good = ["a", "*", "+", "a/b", "a/*", "*/a", "+/+", "!a", "a/!b/+", "$", "(a),b.c_d-e", "a" * 512, "/".join("a" * 32),
                "a" * 31, "a" * 32, "a" * 33, "a" * 31 + "/b", "a" * 30 + "/b", "a" * 30 + "/*", "a" * 31 + "/*/b",
                "a" * 29 + "/!b", "a" * 30 + "/!b", "a" * 31 + "/!b", "+/" * 16 + "*", "a" * 63 + "/+"]
        bad = ["", "/", "a/", "/a", "a//b", "a+", "+a", "a/+b", "**", "*/*", "a/!", "!", "!/a", "a!b", "!!a", "!a/!b", "!+",
               "a" * 513, "/".join("a" * 33), "a b", "a\n", "ä", "#", "a" * 31 + "/", "a" * 32 + "/", "a" * 31 + "//b",
               "a" * 30 + "//b", "a" * 31 + "+", "a" * 32 + "+", "a" * 30 + "/+b", "a" * 29 + "/+b", "a" * 30 + "/!",
               "a" * 30 + "/!/b", "a" * 29 + "/!/b", "a" * 31 + "!", "*/" + "a" * 40 + "/*", "!a/" + "a" * 40 + "/!b", "a" * 63 + "!",
               "+/" * 32 + "a", "a:b", "a;b", "@", "[", "`", "{", "a\x7f"]
        for text in good + bad:
            with self.subTest(text):
                self.assertEqual(model.is_pattern(text.encode()), text in good)
                self.refuses(None if text in good else "BadPattern", item(dot(1, 2, pattern=text)["bytes"]))

    def test_utf8(self):
        texts = [b"caf\xc3\xa9", b"\xe2\x82\xac", b"\xf0\x9f\x98\x80", b"\xc2\x80", b"\xf4\x8f\xbf\xbf", b"\xed\x9f\xbf", b"a" * 128,
                 b"\xc3", b"\xc0\x80", b"\xc1\xbf", b"\xe0\x80\x80", b"\xe0\x9f\xbf", b"\xed\xa0\x80", b"\xf0\x80\x80\x80", b"\xf0\x8f\xbf\xbf",
                 b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xff", b"\x80", b"\xe2\x82", b"\xe2\x28\xa1", b"\xc3\xa9\x1f", b"\xc3\xa9\x7f",
                 b"a" * 40 + b"\xc3", b"a" * 33 + b"\x1f", b"\x1f", b"\x7f"]
        body = entity(8)["bytes"][:-65]
        for text in texts:
            with self.subTest(text):
                one = signed(body + bytes([len(text)]) + text, 8)
                self.refuses(None if model.is_canonical(one) else "BadComment", item(one))


class Signature(Case):
    def test_bip340_vectors(self):
        probe = self.chain.deploy(artifact("Probe")["bytecode"])
        for vector in json.loads((VECTORS / "bip340.json").read_text()):
            message = bytes.fromhex(vector["message"])
            if len(message) != 32:
                continue
            signature = bytes.fromhex(vector["signature"])
            words = [bytes.fromhex(vector["public_key"]), signature[:32], signature[32:], hint(signature), message]
            answer = self.chain.view("verify", b"".join(words), probe, "Probe")
            self.assertEqual(answer == bytes(32), vector["valid"], vector)

    def test_every_byte_counts(self):
        one = dot(1, 2, pattern="building/floor1/room12/sensor")["bytes"]
        broken = [one[:i] + bytes([one[i] ^ 1 << i % 8]) + one[i + 1:] for i in range(len(one))]
        y = hint(one)
        rejected = self.put(*(item(b, y=y) for b in broken), item(one), how=EACH)
        self.assertEqual(sorted(rejected), list(range(len(one))))
        self.assertEqual(self.log[-1], one)
        self.assertEqual(len(self.log), len(FIRST) + 1)
        self.assertTrue({"BadSignature", "BadHint"} <= set(rejected.values()))
        for at in range(len(one) - 64, len(one) - 32):  # R: the hint is of another point now
            self.assertEqual(rejected[at], "BadHint")
        for at in range(len(one) - 32, len(one)):
            self.assertEqual(rejected[at], "BadSignature")

    def test_hint_is_held_to_the_curve_and_even(self):
        one = dot(1, 2)["bytes"]
        y = int.from_bytes(hint(one), "big")
        for wrong in (0, 1, y ^ 2, P - y, 2 ** 256 - 1):
            self.refuses("BadHint", item(one, y=wrong.to_bytes(32, "big")))

    def test_by_whom_it_says(self):
        for one in (dot(1, 3), entity(8), revocation(1, "entity", key(1)), alias(1, "a"), offer(1, 2, 1),
                    acceptance(1, 2, 1), address(1, 1)):
            self.refuses("BadSignature", item(signed(one["bytes"][:-64], 2)))

    def test_s_above_the_order_and_keys_off_the_curve(self):
        one = dot(1, 2)["bytes"]
        s = int.from_bytes(one[-32:], "big") + N
        if s < 2 ** 256:
            self.refuses("BadSignature", item(one[:-32] + s.to_bytes(32, "big")))
        for wrong in (bytes(32), b"\xff" * 32, (5).to_bytes(32, "big")):
            self.refuses("BadSignature", item(one[:2] + wrong + one[34:]))


class Admission(Case):
    def test_times(self):
        self.chain.set_time(TIME + 50)
        soon, late = TIME + 50 + 60, TIME + 50 + 61
        self.refuses(None, item(dot(1, 2, created=soon, not_before=soon)["bytes"]))
        for one in (dot(1, 2, created=late, not_before=late), entity(8, created=late), alias(1, "a", created=late),
                    revocation(1, "entity", key(1), created=late), offer(1, 2, 1, created=late),
                    acceptance(1, 2, 1, created=late), address(1, 1, created=late)):
            self.refuses("CreatedInFuture", item(one["bytes"]))
        self.refuses(None, item(dot(1, 2, expires=TIME + 51)["bytes"]))
        for one in (dot(1, 2, expires=TIME + 50), entity(8, expires=TIME + 50)):
            self.refuses("Expired", item(one["bytes"]))

    def test_signers_are_live(self):
        self.add(entity(8, expires=TIME + 60), entity(9))
        self.add(revocation(9, "entity", key(9)))
        self.chain.set_time(TIME + 60)
        for number, rule in ((10, "SignerUnknown"), (9, "SignerRevoked"), (8, "SignerExpired")):
            for one in (dot(number, 2), revocation(number, "entity", key(1)), alias(number, "a"), offer(number, 2, 1),
                        acceptance(number, 2, 1), address(number, 1)):
                self.refuses(rule, item(one["bytes"]))

    def test_entities(self):
        self.refuses("NotNewer", item(entity(1)["bytes"]))
        self.refuses("NotNewer", item(entity(1, created=NOW - 1)["bytes"]))
        self.add(entity(1, created=NOW + 1, expires=TIME + 500))
        answer = self.chain.view("entity", key(1))
        self.assertEqual(answer, abi.encode(NOW + 1, TIME + 500, 0))
        self.assertEqual(self.chain.view("liveUntil", key(1)), abi.word(TIME + 500))
        self.add(revocation(1, "entity", key(1)))
        self.assertEqual(self.chain.view("entity", key(1)), abi.encode(NOW + 1, TIME + 500, 1))
        self.assertEqual(self.chain.view("liveUntil", key(1)), abi.word(0))
        self.refuses("EntityRevoked", item(entity(1, created=NOW + 2)["bytes"]))
        self.holds_head()

    def test_entities_are_revoked_by_themselves_and_their_revokers(self):
        keys = sorted([key(6), key(7)])
        listed = bytes([2]) + b"".join(keys)
        one = lambda by: revocation(by, "entity", key(5))["bytes"]  # noqa: E731
        self.refuses("TargetUnknown", item(revocation(1, "entity", key(20))["bytes"]))
        self.refuses(None, item(one(5)))
        self.refuses(None, item(one(6), listed))
        self.refuses("NotEntitled", item(one(6)))
        self.refuses("NotEntitled", item(one(1), listed))
        for wrong in (bytes([1]) + key(1), bytes([3]) + b"".join(sorted([*keys, key(1)])), listed + b"\0", listed[:-1],
                      bytes([0]), bytes([255]) * 300):
            self.refuses("BadEvidence", item(one(1 if wrong[0] < 4 else 6), wrong))
        # Of the latest put only.
        self.add(entity(5, created=NOW + 1, revokers=[1]))
        self.refuses("BadEvidence", item(one(6), listed))
        self.put(item(one(1), bytes([1]) + key(1)))
        self.refuses("TargetRevoked", item(one(1), bytes([1]) + key(1)))

    def test_dots_are_revoked_by_granter_grantee_and_revokers(self):
        target = dot(1, 2, revokers=[3, 4])
        self.add(dot(2, 3), target, dot(2, 4))
        for by in (1, 2, 3, 4):
            self.refuses(None, item(revocation(by, "dot", target["id"])["bytes"], self.evidence(target)))
        self.refuses("NotEntitled", item(revocation(5, "dot", target["id"])["bytes"], self.evidence(target)))
        self.put(item(revocation(3, "dot", target["id"])["bytes"], self.evidence(target)))
        self.assertEqual(self.chain.view("isDotRevoked", target["id"]), abi.word(1))
        self.refuses("TargetRevoked", item(revocation(1, "dot", target["id"])["bytes"], self.evidence(target)))
        self.holds_head()

    def test_revocation_right_behind_its_dot(self):
        target, other = dot(1, 2), dot(1, 3)
        last = item(revocation(2, "dot", target["id"])["bytes"])
        self.refuses("TargetUnknown", last)
        self.refuses("TargetUnknown", item(target["bytes"]), item(other["bytes"]), last)
        self.refuses("NotEntitled", item(target["bytes"]), item(revocation(3, "dot", target["id"])["bytes"]))
        self.assertEqual(self.put(item(other["bytes"][:-1] + b"\0"), last, how=EACH), {0: "BadSignature", 1: "TargetUnknown"})
        self.put(item(other["bytes"]), item(target["bytes"]), item(entity(8)["bytes"]), last)
        self.assertEqual(self.chain.view("isDotRevoked", target["id"]), abi.word(1))
        self.holds_head()

    def test_evidence_that_shows_something_else(self):
        target, mine = dot(1, 2), dot(3, 4)
        self.add(target, mine, dot(1, 4), entity(8))
        good = self.evidence(target)
        say = lambda one: item(revocation(1, "dot", target["id"])["bytes"], one)  # noqa: E731
        self.refuses(None, say(good))
        path_end = 6 + 32 * good[5]
        swapped = self.evidence(mine)
        self.refuses("BadEvidence", item(revocation(3, "dot", target["id"])["bytes"], swapped))
        # The granter replaced: it is another DoT then.
        forged = good[:path_end] + mine["bytes"][:34] + good[path_end + 34:]
        self.refuses("BadEvidence", item(revocation(3, "dot", target["id"])["bytes"], forged))
        # Its id, but not the bytes on the ledger.
        self.refuses("TargetUnknown", say(good[:-1] + bytes([good[-1] ^ 1])))
        for at in [4, *range(6, path_end)]:
            self.refuses("TargetUnknown", say(good[:at] + bytes([good[at] ^ 1]) + good[at + 1:]))
        for depth in (0, good[5] - 1, good[5] + 1, 39, 40, 255):
            self.assertIn(self.chain.rule_of(call(ALL_OR_NONE, say(good[:5] + bytes([depth]) + good[6:]))),
                          ("TargetUnknown", "BadEvidence"))
        for cut in (1, 6, path_end, path_end + 100):
            self.refuses("BadEvidence", say(good[:cut]))
        absent = dot(1, 7)
        self.refuses("TargetUnknown", item(revocation(1, "dot", absent["id"])["bytes"],
                                           good[:path_end] + absent["bytes"]))

    def test_aliases(self):
        self.add(alias(1, "building-7", value=key(2)))
        view = lambda name: self.chain.view("lookup", abi.encode(name), self.child("aliases"), "Alias")  # noqa: E731
        self.assertEqual(view("building-7"), key(2) + key(1))
        self.assertEqual(view("building-8"), bytes(64))
        self.refuses("AliasTaken", item(alias(2, "building-7")["bytes"]))
        self.refuses("AliasTaken", item(alias(1, "building-7", value=key(3))["bytes"]))
        self.add(alias(2, "zero", value=bytes(32)))
        self.assertEqual(view("zero"), bytes(32) + key(2))
        self.refuses("AliasTaken", item(alias(1, "zero")["bytes"]))
        self.refuses("AliasTaken", item(alias(1, "a" * 63)["bytes"]), item(alias(2, "a" * 63)["bytes"]))

    def child(self, name):
        return "0x" + self.chain.view(name)[12:].hex()

    def test_only_the_registry_writes_its_children(self):
        for name, of, methods in (("aliases", "Alias", ["claim"]), ("affinity", "Affinity", ["offer", "address_", "accept"])):
            for method in methods:
                with self.assertRaises(Exception) as caught:
                    self.chain.view(method, bytes(6 * 32), self.child(name), of)
                self.assertEqual(len(caught.exception.data), 4)  # OnlyTheRegistry()

    def test_affinity(self):
        designated = lambda: self.chain.view("designated", key(1))  # noqa: E731
        self.refuses("NoOffer", item(acceptance(1, 3, 1)["bytes"]))
        self.add(offer(3, 1, 5))
        self.refuses("NoOffer", item(acceptance(1, 4, 1)["bytes"]))
        self.refuses("NoOffer", item(acceptance(2, 3, 1)["bytes"]))
        self.add(acceptance(1, 3, 2, max_staleness=77))
        self.assertEqual(designated(), key(3) + abi.word(77))
        for nonce in (1, 4, 5):
            self.refuses("NonceNotAbove", item(offer(3, 2, nonce)["bytes"]))
            self.refuses("NonceNotAbove", item(address(3, nonce)["bytes"]))
        self.refuses("NonceNotAbove", item(acceptance(1, 3, 2)["bytes"]))
        self.add(address(3, 6))
        self.refuses("NonceNotAbove", item(offer(3, 1, 6)["bytes"]))
        self.add(offer(3, 1, 2 ** 64 - 1, retracted=True))
        self.assertEqual(designated(), bytes(64))
        self.refuses("NonceNotAbove", item(address(3, 2 ** 64 - 1)["bytes"]))
        self.refuses("NoOffer", item(acceptance(1, 3, 3)["bytes"]))
        self.add(acceptance(1, 3, 3, retracted=True))
        self.assertEqual(designated(), bytes(64))
        self.holds_head()

    def test_routers_are_live(self):
        self.add(entity(8, expires=TIME + 60), entity(9), offer(8, 1, 1), offer(9, 1, 1), acceptance(1, 8, 1))
        self.assertEqual(self.chain.view("designated", key(1))[:32], key(8))
        self.add(revocation(9, "entity", key(9)))
        self.chain.set_time(TIME + 60)
        self.assertEqual(self.chain.view("designated", key(1)), bytes(64))
        self.refuses("RouterExpired", item(acceptance(1, 8, 2)["bytes"]))
        self.refuses("RouterRevoked", item(acceptance(1, 9, 2)["bytes"]))
        self.refuses(None, item(acceptance(1, 9, 2, retracted=True)["bytes"]))


class Differential(Case):
    """Random objects, mutated without and with a fresh signature, against the model."""

    def random_object(self, rng):
        some = lambda: rng.randrange(1, 8)  # noqa: E731
        kinds = [
            lambda: entity(some(), revokers=rng.sample(range(1, 9), rng.randrange(9)), contact=rng.choice(["", "é", "a" * 128])),
            lambda: dot(1, rng.choice([0, 2, 3]), permissions=rng.choice([1, 2, 6, 14, 0x70, 0xff]),
                        revokers=rng.sample(range(1, 9), rng.randrange(9)), comment=rng.choice(["", "x€", "y" * 70]),
                        pattern="/".join(rng.choice(["a", "+", "*", "bb", "!c", "floor7", "+", "x" * 20])
                                         for _ in range(rng.randrange(1, 9))),
                        conditions=rng.randbytes(rng.choice([0, 0, 3, 1024]))),
            lambda: revocation(some(), "dot", rng.randbytes(32), comment=rng.choice(["", "gone"])),
            lambda: alias(some(), rng.choice(["a", "b.c-d_e", "z" * 63, "A"])),
            lambda: offer(some(), some(), rng.randrange(3), retracted=rng.random() < 0.5),
            lambda: acceptance(some(), some(), rng.randrange(3), retracted=rng.random() < 0.5),
            lambda: address(some(), rng.randrange(3), rng.choice(["a:1", "[::1]:65535", "1.2.3.4:80", "a:0"])),
        ]
        return rng.choice(kinds)()

    def mutated(self, rng, body):
        body = bytearray(body)
        for _ in range(rng.choice([0, 1, 1, 2])):
            # Half of them behind the keys, where most rules are.
            at = rng.randrange(98 if len(body) > 98 and rng.random() < 0.5 else 0, len(body))
            choice = rng.randrange(4)
            if choice == 0:
                body[at] ^= 1 << rng.randrange(8)
            elif choice == 1:
                body[at] = rng.choice(b"\x00\x01/+*!a\x7f\x80\xc3\xff")
            elif choice == 2:
                del body[at]
            else:
                body.insert(at, rng.choice(b"\x00/+*!a\xa9\x1f"))
        return bytes(body)

    def test_canonical_by_the_contract_and_by_the_model(self):
        seed = 20261123
        rng = random.Random(seed)
        objects = []
        for _ in range(600):
            made = self.random_object(rng)
            body = self.mutated(rng, made["bytes"][:-64])
            objects.append(body + made["bytes"][-64:])
        wrong = 0
        for begin in range(0, len(objects), 100):
            part = objects[begin:begin + 100]
            rejected = self.put(*(item(one) for one in part), how=EACH)
            for n, one in enumerate(part):
                rule = rejected.get(n)
                says_canonical = rule is None or not (rule.startswith("Bad") and rule not in ("BadSignature", "BadHint")
                                                      or rule in ("TooLong", "Truncated", "TrailingBytes"))
                self.assertEqual(says_canonical, model.is_canonical(one), (seed, rule, one.hex()))
                wrong += not says_canonical
        self.assertTrue(100 < wrong < 550, wrong)  # both happen
        self.holds_head()


if __name__ == "__main__":
    unittest.main()
