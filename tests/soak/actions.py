# SPDX-License-Identifier: Apache-2.0
"""The random steps. A plan depends on its seed alone, never on what happened: the same seed gives the same
steps, and a step that makes no sense at its moment (the process is down already) is passed over."""

import dataclasses
import random

import cast
from world import PROCESSES

URIS = tuple(f"{room}/{kind}" for room in ("r1", "r2", "r3") for kind in ("temp", "door"))
PATTERNS = (*URIS, "*", "r1/*", "r2/*", "r1/+", "r2/+", "r3/+", "+/temp", "+/door", "*/temp")
RIGHTS = ("P", "C*", "PC*", "C+", "PC+", "T*", "PC*T*", "C")
GRANT_SLOTS = 24
SUBSCRIPTION_SLOTS = len(cast.FIRST) + 5
LONGEST_BURST = 40
LONGEST_UNDER_FIRE = 400

WEIGHTS = {
    "publish": 30, "burst": 12, "persist": 18, "delete": 2, "query": 10, "subscribe": 4,
    "grant": 9, "revoke": 5, "rest": 4, "kill": 2.4, "strike": 1.4, "restart": 0.4, "cut": 1.0, "unplug": 0.3,
}


@dataclasses.dataclass(frozen=True)
class Step:
    number: int
    kind: str
    arguments: tuple

    def __str__(self):
        return f"step {self.number}: {self.kind} {' '.join(map(str, self.arguments))}"


class Plan:
    def __init__(self, seed):
        self._random = random.Random(seed)
        self._number = 0

    def next(self):
        self._number += 1
        kind, = self._random.choices(tuple(WEIGHTS), tuple(WEIGHTS.values()))
        return Step(self._number, kind, getattr(self, "_" + kind)())

    def _seconds(self, least, most):
        return round(self._random.uniform(least, most), 2)

    def _somebody(self):
        """An entity and a namespace. Mostly somebody who may do things there."""
        ns = self._random.choice(cast.NAMESPACES)
        able = (ns, *(grantee for where, _, grantee, *_ in cast.STANDING if where == ns))
        people = able if self._random.random() < 0.7 else tuple(cast.HOME)
        return self._random.choice(people), ns

    def _publish(self):
        return *self._somebody(), self._random.choice(URIS), 1

    def _burst(self):
        return *self._somebody(), self._random.choice(URIS), self._random.randint(2, LONGEST_BURST)

    def _persist(self):
        return *self._somebody(), self._random.choice(URIS)

    _delete = _persist

    def _query(self):
        return *self._somebody(), self._random.choice(PATTERNS)

    def _subscribe(self):
        slot = self._random.randrange(SUBSCRIPTION_SLOTS)
        if slot < len(cast.FIRST):
            who = cast.FIRST[slot]
        else:
            who = (*self._somebody(), self._random.choice(PATTERNS), self._random.random() < 0.2,
                   self._random.random() < 0.4)
        return slot, *who, self._random.random() < 0.5

    def _grant(self):
        ns = self._random.choice(cast.NAMESPACES)
        granter = self._random.choice(cast.GRANTERS[ns])
        grantee = self._random.choice([one for one in cast.PEOPLE if one != granter])
        return (self._random.randrange(GRANT_SLOTS), ns, granter, grantee, self._random.choice(PATTERNS),
                self._random.choice(RIGHTS), self._random.randrange(3), self._random.randint(20, 200))

    def _revoke(self):
        return (self._random.randrange(GRANT_SLOTS),)

    def _rest(self):
        return (self._seconds(0.1, 0.6),)

    def _kill(self):
        return self._random.choice(PROCESSES), self._seconds(0.0, 2.0)

    def _strike(self):
        """A burst, and a blow in the middle of it: a kill, or a cut between the two that it needs most; or
        "answers": those of the router do not come through any more, and then it is killed."""
        ns = self._random.choice(cast.NAMESPACES)
        victim = self._random.choice((cast.ROUTER[ns], cast.ROUTER[ns], cast.HOME[ns], "ledger", "way", "answers"))
        return (ns, self._random.choice(URIS), self._random.randint(100, LONGEST_UNDER_FIRE), victim,
                self._seconds(0.0, 0.12), self._seconds(0.0, 4.0))

    def _restart(self):
        return (self._random.choice(PROCESSES),)

    def _cut(self):
        longest = 45.0 if self._random.random() < 0.15 else 12.0
        return *self._random.sample(PROCESSES, 2), self._seconds(0.5, longest), self._random.random() < 0.3

    def _unplug(self):
        return self._random.choice(PROCESSES), self._seconds(0.5, 10.0)
