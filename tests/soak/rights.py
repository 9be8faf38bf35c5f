# SPDX-License-Identifier: Apache-2.0
"""Who may do what, as far as commands and their answers say: pure, no clock, no processes.

Nobody outside knows at what instant a grant came into force. So each grant has two intervals: in
`may` it possibly stands (from the start of the command that made it until its revocation was
acknowledged), in `must` it certainly does (from the acknowledgement until somebody began to revoke it).
Times are seconds since 1970.
"""

import dataclasses
import functools
import itertools

NEVER = float("inf")
# A command ends within this time, so what it did lies no later.
COMMAND_SECONDS = 45.0
# The ledger's times are whole seconds.
ROUNDING = 1.0
LONGEST_PATH = 4

# Every cell that patterns here name, and one that none does: patterns of at most two cells and a star
# differ on no longer URIs unless they differ on these.
CELLS = ("r1", "r2", "r3", "temp", "door", "elsewhere")
UNIVERSE = tuple("/".join(cells) for length in (1, 2, 3)
                 for cells in itertools.product(CELLS, repeat=length))


def _same(pattern, cells):
    return all(wanted in ("+", cell) for wanted, cell in zip(pattern, cells))


@functools.lru_cache(maxsize=None)
def matches(pattern, uri):
    wanted, cells = pattern.split("/"), uri.split("/")
    if "*" not in wanted:
        return len(wanted) == len(cells) and _same(wanted, cells)
    star = wanted.index("*")
    before, after = wanted[:star], wanted[star + 1:]
    return (len(cells) >= len(before) + len(after) and _same(before, cells)
            and _same(after, cells[len(cells) - len(after):]))


@functools.lru_cache(maxsize=None)
def covers(wide, narrow):
    return all(matches(wide, uri) for uri in UNIVERSE if matches(narrow, uri))


def permissions(text):
    """The closed set that a text such as PC*T+ stands for."""
    found = set()
    for at, letter in enumerate(text):
        if letter in "PL":
            found.add(letter)
        elif letter in "CT":
            reach = {"+": 1, "*": 2}.get(text[at + 1:at + 2], 0)
            found |= {letter + more for more in ("", "+", "*")[:reach + 1]}
    return frozenset(found)


def needed(letter, pattern):
    """What consuming (C) or tapping (T) `pattern` takes."""
    return letter + ("*" if "*" in pattern else "+" if "+" in pattern else "")


@dataclasses.dataclass(eq=False)
class Grant:
    number: int
    ns: str
    granter: str
    grantee: str
    pattern: str
    permissions: frozenset
    ttl: int
    started: float
    life: float               # seconds
    acked: float = None
    refused: bool = False
    id: str = None
    position: int = None
    revoking: float = NEVER   # when the first command to revoke it was given
    revoked: float = NEVER    # when a revocation was acknowledged

    def may(self):
        if self.refused:
            return NEVER, -NEVER
        made = self.started + COMMAND_SECONDS if self.acked is None else self.acked
        return self.started - ROUNDING, min(made + self.life + ROUNDING, self.revoked)

    def must(self):
        if self.acked is None:
            return NEVER, -NEVER
        return self.acked, min(self.started + self.life - ROUNDING, self.revoking)

    def stands(self, begin, end):
        """Whether it certainly stands all the time from `begin` to `end`."""
        first, last = self.must()
        return first <= begin and end <= last

    def __str__(self):
        return (f"grant {self.number} {self.granter} -> {self.grantee} {''.join(sorted(self.permissions))} "
                f"on {self.ns}/{self.pattern} ttl {self.ttl}, asked {self.started:.3f}, acknowledged "
                f"{self.acked}, revoking {self.revoking}, revoked {self.revoked}, id {self.id}")


class Rights:
    def __init__(self):
        self.grants = {}
        self._by_grantee = {}

    def add(self, grant):
        self.grants[grant.number] = grant
        self._by_grantee.setdefault((grant.grantee, grant.ns), []).append(grant)
        return grant

    def forget(self, before):
        """Drops grants from the search that stood at no time since `before`."""
        for place, grants in self._by_grantee.items():
            self._by_grantee[place] = [grant for grant in grants if grant.may()[1] >= before]

    def _paths(self, entity, ns, pattern, permission, begin, end, below=()):
        """Paths (namespace first) on which all grants may stand at one instant of [begin, end]."""
        for grant in self._by_grantee.get((entity, ns), ()):
            if grant.ttl < len(below) or grant in below or permission not in grant.permissions:
                continue
            first, last = grant.may()
            later, sooner = max(begin, first), min(end, last)
            if later > sooner or not covers(grant.pattern, pattern):
                continue
            path = (grant, *below)
            if grant.granter == ns:
                yield path
            elif len(path) < LONGEST_PATH:
                yield from self._paths(grant.granter, ns, pattern, permission, later, sooner, path)

    def may(self, entity, ns, pattern, permission, begin, end):
        """Whether `entity` possibly has the right at some instant of [begin, end]."""
        return entity == ns or any(self._paths(entity, ns, pattern, permission, begin, end))

    def ways(self, entity, ns, pattern, permission, begin, end):
        """Every grant on any path that a proof made in [begin, end] can have used."""
        return {grant for path in self._paths(entity, ns, pattern, permission, begin, end) for grant in path}

    def must(self, entity, ns, pattern, permission, begin, end, known=lambda grant: True):
        """Whether `entity` certainly has the right all the time, by grants that are `known`."""
        return entity == ns or any(all(grant.stands(begin, end) and known(grant) for grant in path)
                                   for path in self._paths(entity, ns, pattern, permission, begin, end))
