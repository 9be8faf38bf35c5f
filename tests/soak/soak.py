# SPDX-License-Identifier: Apache-2.0
"""Plays the steps of a plan on a world, and tells model and checks of everything that happens."""

import calendar
import collections
import dataclasses
import threading
import time

import actions
import cast
import checks
from checkpoints import Checkpoints
from checks import Found
from commands import COMMAND_SECONDS, Commands
from feed import Feed
from memory import Memory
from model import Model, Subscription
from rights import NEVER, Grant, permissions
from steps import Steps
from world import AGENTS, PROCESSES, ROUTERS, World

# For whole seconds in the ledger's times, and for a busy machine between what happens and its time here.
SLACK = 3.0
PATIENCE = 10.0            # for an acknowledged message to arrive
STEP_SECONDS = 0.05
CHECKPOINT_STEPS = 400
STANDING_LIFE = 24 * 3600
STEPS_SHOWN = 25


@dataclasses.dataclass
class Slot:
    """A subscription that is asked for again whenever it ended."""
    who: tuple = None                   # entity, namespace, pattern, tap, replay; None: nobody yet
    subscription: Subscription = None
    feed: Feed = None
    retry_at: float = 0.0


class Soak:
    def __init__(self, root, seed, network, kills=True):
        self.root, self.seed, self.kills = root, seed, kills
        self.plan = actions.Plan(seed)
        self.world = World(root, network)
        self.model = Model(cast.STALENESS + SLACK, SLACK, PATIENCE)
        self.memory = Memory(PROCESSES)
        self.lock = threading.RLock()
        self.counts = self.model.counts
        self.kills_of = collections.Counter()
        self.violations, self.last_steps = [], collections.deque(maxlen=STEPS_SHOWN)
        self.keys, self.names = {}, {}                   # entity: key; key: entity
        self.heard_at = collections.defaultdict(float)   # node: when it last heard the ledger, as it says
        self.slots = [Slot(who) for who in cast.FIRST]
        self.slots += [Slot() for _ in range(actions.SUBSCRIPTION_SLOTS - len(cast.FIRST))]
        self.step = None
        self._feeds = 0
        self.commands = Commands(self)
        self.checkpoints = Checkpoints(self)
        self.steps = Steps(self)
        self._ended = threading.Event()
        self._poller = threading.Thread(target=self._poll_for_ever, daemon=True)

    # ---- beginning and end
    def begin(self):
        self.world.begin()
        for entity, home in cast.HOME.items():
            self.keys[entity] = self.world.nodes[home].ok("entity", "create", entity).row["key"]
        self.names.update((key, entity) for entity, key in self.keys.items())
        for ns, router in cast.ROUTER.items():
            node = self.world.nodes[router]
            node.ok("router", "offer", self.keys[ns])
            self.world.nodes[cast.HOME[ns]].ok("router", "accept", node.info()["router_key"], "--max-staleness",
                                               f"{cast.STALENESS}s", sign=ns)
        for number, (ns, granter, grantee, pattern, rights, ttl) in enumerate(cast.STANDING):
            grant = Grant(number, ns, granter, grantee, pattern, permissions(rights), ttl, time.time(), STANDING_LIFE)
            self.commands.make_grant(grant, rights)
            if grant.acked is None:
                raise AssertionError(f"could not be made: {grant}")
        self._poller.start()
        self.checkpoints.reach()

    def end(self):
        self._ended.set()
        for slot in self.slots:
            if slot.feed:
                slot.feed.end(hard=True)
        self.commands.end()
        if self._poller.is_alive():
            self._poller.join(COMMAND_SECONDS)
        self.world.close()

    def run(self, seconds):
        end = time.time() + seconds
        while time.time() < end:
            self.step = self.plan.next()
            self.steps.play(self.step)
            self.steps.rest(STEP_SECONDS)
            if self.step.number % CHECKPOINT_STEPS == 0:
                self.checkpoints.reach()
        self.step = None
        self.checkpoints.reach()
        self.report(self.memory.wrong())
        self.stop_if_wrong()

    # ---- violations
    def report(self, words):
        with self.lock:
            for word in words:
                self.violations.append(f"[{self.step or 'checkpoint'}, {time.time():.3f}] {word}")
                self.write(f"VIOLATION {word}")

    def stop_if_wrong(self):
        if self.violations:
            raise Found(self.violations[0])

    def note(self, text):
        self.last_steps.append(self.write(text))

    def write(self, text):
        line = f"{time.time():.3f} {text}"
        with open(f"{self.root}/steps.log", "a", encoding="utf-8") as file:
            file.write(line + "\n")
        return line

    # ---- what goes on beside the steps
    def tend(self):
        with self.lock:
            self.report(self.world.tick())
            self.memory.look(self.world.resident)
            now = time.time()
            for slot in self.slots:
                self._tend_slot(slot, now)
            for subscription in self.model.subscriptions:
                self._tend_subscription(subscription, now)
            self.report(checks.arrivals(self.model, now))
        self.stop_if_wrong()

    def _tend_slot(self, slot, now):
        if slot.who is None or slot.feed is not None or now < slot.retry_at:
            return
        if not self.world.up(cast.HOME[slot.who[0]]):
            return
        entity, ns, pattern, tap, replay = slot.who
        self._feeds += 1
        subscription = self.model.subscribe(Subscription(
            self._feeds, entity, cast.HOME[entity], cast.ROUTER[ns], ns, pattern, tap, replay, now))
        options = ["--tap"] * tap + ["--replay"] * replay
        node = self.world.nodes[subscription.agent]
        slot.subscription = subscription
        slot.feed = Feed(node.arguments("sub", f"{self.keys[ns]}/{pattern}", *options, sign=entity),
                         lambda row, at: self._came(subscription, row, at),
                         lambda *how: self._feed_ended(slot, subscription, *how))
        self.counts["subscriptions"] += 1

    def _tend_subscription(self, subscription, now):
        if subscription.sure_since is not None or subscription.stood_at is None:
            return
        calm = self.world.calm_since(subscription.parties)
        if self.settled(subscription.parties, now) and max(subscription.stood_at, subscription.heard_created) > calm:
            subscription.sure_since = now

    def settled(self, parties, at):
        """Nothing was wrong with `parties` at the time `at` and since, and each heard the ledger after
        the last trouble between them."""
        calm = self.world.calm_since(parties)
        return calm is not None and calm <= at and all(
            self.heard_at[name] >= self.world.calm_since({name, "ledger"}) for name in parties if name != "ledger")

    def _came(self, subscription, row, now):
        with self.lock:
            if "event" in row:
                self._event(subscription, row["event"], now)
            elif "lost" in row:
                subscription.lost += row["lost"]
                self.counts["lost notices"] += 1
            else:
                self.report(checks.delivery(self.model, subscription, self.row_of(row), now))

    def _event(self, subscription, event, now):
        if event.startswith("standing"):
            self.model.stands(subscription, now)
            return
        self.counts["disconnections"] += 1
        self.report(checks.interruption(self.model, subscription, now, f"said '{event}'"))
        self.model.away(subscription)

    def row_of(self, row):
        ns, uri = row["uri"].split("/", 1)
        texts = [payload.get("text") for payload in row["payload"]]
        number = int(texts[0]) if len(texts) == 1 and (texts[0] or "").isdigit() else None
        return {"number": number, "uri": f"{self.names.get(ns, ns)}/{uri}", "stored": row["stored"],
                "publisher": self.names.get(row["from"], row["from"]), "created": row["created_us"] / 1e6,
                "deletion": row["persisted"] and not texts}

    def _feed_ended(self, slot, subscription, code, said, now, asked):
        with self.lock:
            self.counts[f"exit {'asked' if asked else code}: subscribed"] += 1
            if said.startswith("crashed"):
                self.report([f"command failed: {subscription}: {said}"])
            if not asked:
                self.report(checks.interruption(self.model, subscription, now, f"ended with {code}: {said}"))
            self.model.ended(subscription)
            slot.subscription = slot.feed = None
            slot.retry_at = now + (3.0 if code == 3 else 0.5)

    def _poll_for_ever(self):
        while not self._ended.wait(0.25):
            for name in (*ROUTERS, *AGENTS):
                with self.lock:
                    calm = self.world.calm_since({name, "ledger"})
                    newest = max(self.model.entries, default=0)
                    behind = self.model.known_at(name, newest) == NEVER
                    ask = self.world.up(name) and (behind or calm is None or self.heard_at[name] < calm)
                if not ask or self._ended.is_set():
                    continue
                try:
                    self._poll(name)
                except Exception as error:
                    self.report([f"command failed: {error!r}"])

    def _poll(self, name):
        outcome = self.world.nodes[name].run("ledger", "status", timeout=COMMAND_SECONDS)
        if outcome.code != 0:
            return
        row = outcome.row
        with self.lock:
            self.model.node_holds(name, row["size"], time.time())
            if row["heard_at"] != "-":
                heard = calendar.timegm(time.strptime(row["heard_at"], "%Y-%m-%dT%H:%M:%SZ"))
                self.heard_at[name] = max(self.heard_at[name], float(heard))
