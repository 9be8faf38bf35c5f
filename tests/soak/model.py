# SPDX-License-Identifier: Apache-2.0
"""What was asked, what was acknowledged, what came: the record that checks.py judges. Pure: every time
is given in, in seconds since 1970."""

import bisect
import collections
import dataclasses

from rights import COMMAND_SECONDS, NEVER, Rights, matches


@dataclasses.dataclass(eq=False)
class Message:
    number: int              # its payload, unique in a run
    ns: str
    uri: str
    publisher: str
    persist: bool
    started: float           # when the command that sends it was given
    deletion: bool = False
    acked: float = None
    refused: bool = False    # with certainty: not merely unanswered

    def __str__(self):
        what = "deletion" if self.deletion else "persist" if self.persist else "publish"
        end = "refused" if self.refused else f"acknowledged {self.acked}"
        return f"{what} {self.number} on {self.ns}/{self.uri} by {self.publisher}, asked {self.started:.3f}, {end}"


@dataclasses.dataclass(eq=False)
class Subscription:
    number: int
    entity: str
    agent: str
    router: str
    ns: str
    pattern: str
    tap: bool
    replay: bool
    started: float
    sure_since: float = None     # from then on what is acknowledged must arrive
    stood_at: float = None       # last said to stand; None: never, or away since
    heard_created: float = 0.0   # creation of the newest live message that came
    live: dict = dataclasses.field(default_factory=dict)     # number: time of arrival
    lately: set = dataclasses.field(default_factory=set)     # numbers since it stands, live and stored
    missing: dict = dataclasses.field(default_factory=dict)  # number: when it must have come
    lost: int = 0                # told to be lost, not yet set off against a missing one
    ended: bool = False

    @property
    def letter(self):
        return "T" if self.tap else "C"

    @property
    def parties(self):
        return {self.agent, self.router, "ledger"}

    def __str__(self):
        return (f"subscription {self.number} of {self.entity} at {self.agent} to {self.ns}/{self.pattern}"
                f"{' tap' if self.tap else ''}{' replay' if self.replay else ''}")


class Model:
    def __init__(self, allowance, prompt, patience):
        self.allowance = allowance  # seconds that a node may go on by what it knew
        self.prompt = prompt        # seconds in which a node hears what is new, when nothing is disturbed
        self.patience = patience    # seconds within which an acknowledged message must have come
        self.rights = Rights()
        self.messages = {}
        self.stored = collections.defaultdict(list)  # (ns, uri): persists and deletions, as they were asked
        self.subscriptions = []
        self.entries = {}           # ledger position: (id, what it is), as acknowledged
        self.counts = collections.Counter()
        self._heard = collections.defaultdict(lambda: ([], []))  # node: sizes, times

    # ---- messages
    def asked(self, message):
        self.messages[message.number] = message
        if message.persist:
            self.stored[message.ns, message.uri].append(message)
        return message

    def acknowledged(self, message, now):
        message.acked = now
        for subscription in self.subscriptions:
            if (subscription.sure_since is not None and subscription.sure_since < message.started
                    and not message.deletion and subscription.ns == message.ns
                    and matches(subscription.pattern, message.uri)):
                if message.number in subscription.live:
                    self.counts["arrival checked"] += 1
                else:
                    subscription.missing[message.number] = now + self.patience

    def deletions(self, row):
        """Those that a delivered deletion can be."""
        ns, uri = row["uri"].split("/", 1)
        return [one for one in self.stored[ns, uri] if one.deletion and not one.refused
                and one.publisher == row["publisher"]
                and one.started <= row["created"] <= (one.acked or one.started + COMMAND_SECONDS)]

    # ---- subscriptions
    def subscribe(self, subscription):
        self.subscriptions.append(subscription)
        return subscription

    def stands(self, subscription, now):
        subscription.stood_at = now

    def away(self, subscription):
        """It does not stand; when it stands again the store may be replayed to it again."""
        subscription.stood_at = None
        subscription.lately.clear()
        self.unsure(subscription)

    def unsure(self, subscription):
        self.counts["excused"] += len(subscription.missing)
        subscription.sure_since = None
        subscription.missing.clear()

    def ended(self, subscription):
        self.away(subscription)
        subscription.ended = True
        self.subscriptions.remove(subscription)

    def disturbed(self, parties):
        """Something happened to all of `parties` (one process, or the way between two)."""
        for subscription in self.subscriptions:
            if parties <= subscription.parties:
                self.unsure(subscription)

    # ---- the ledger
    def entry(self, position, identity, what):
        self.entries[position] = (identity, what)

    def node_holds(self, node, size, now):
        """Seen: `node` has applied `size` entries. It never forgets any."""
        sizes, times = self._heard[node]
        if not sizes or size > sizes[-1]:
            sizes.append(size)
            times.append(now)

    def known_at(self, node, position):
        """When it was first seen that `node` has the entry at `position`."""
        sizes, times = self._heard[node]
        at = bisect.bisect_right(sizes, position)
        return times[at] if at < len(times) else NEVER

    def knows(self, nodes, by):
        """For Rights.must: a grant that each of `nodes` had at the time `by`."""
        return lambda grant: all(self.known_at(node, grant.position) <= by for node in nodes)
