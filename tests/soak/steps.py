# SPDX-License-Identifier: Apache-2.0
"""Plays the steps of a plan. A method for each kind; False: it makes no sense at the moment, nothing was done."""

import dataclasses
import time

import cast
from rights import NEVER, Grant, permissions


class Steps:
    def __init__(self, soak):
        self.soak = soak
        self.world, self.model, self.lock, self.counts = soak.world, soak.model, soak.lock, soak.counts
        self.commands = soak.commands
        self._grants = {}  # slot: Grant

    def play(self, step):
        done = getattr(self, "_do_" + step.kind)(step, *step.arguments)
        self.counts["steps"] += 1
        self.counts["passed over"] += done is False
        self.soak.note(f"{step}{' (passed over)' if done is False else ''}")

    def _do_publish(self, step, entity, ns, uri, count):
        if not self.world.up(cast.HOME[entity]):
            return False
        self.commands.fly(self.commands.send, entity, ns, uri, [step.number * 1000 + i for i in range(count)], "pub")
        return True

    _do_burst = _do_publish

    def _do_persist(self, step, entity, ns, uri):
        if not self.world.up(cast.HOME[entity]):
            return False
        self.commands.fly(self.commands.send, entity, ns, uri, [step.number * 1000], "persist")
        return True

    def _do_delete(self, step, entity, ns, uri):
        if not self.world.up(cast.HOME[entity]):
            return False
        self.commands.fly(self.commands.send, entity, ns, uri, [step.number * 1000], "del")
        return True

    def _do_query(self, _, entity, ns, pattern):
        if not self.world.up(cast.HOME[entity]):
            return False
        self.commands.fly(self.commands.query, entity, ns, pattern)
        return True

    def _do_grant(self, step, slot, ns, granter, grantee, pattern, rights, ttl, life):
        if not self.world.up(cast.HOME[granter]):
            return False
        grant = Grant(step.number * 1000, ns, granter, grantee, pattern, permissions(rights), ttl, time.time(), life)
        self._grants[slot] = grant
        self.commands.fly(self.commands.make_grant, grant, rights)
        return True

    def _do_revoke(self, _, slot):
        grant = self._grants.get(slot)
        if grant is None or grant.acked is None or grant.revoking != NEVER:
            return False
        if not self.world.up(cast.HOME[grant.granter]):
            return False
        self.commands.fly(self.commands.revoke, grant)
        return True

    def _do_subscribe(self, _, slot, *who_hard):
        *who, hard = who_hard
        found = self.soak.slots[slot]
        with self.lock:
            if found.feed:
                found.feed.end(hard)
            found.who = tuple(who)
        return True

    def _do_rest(self, _, seconds):
        self.rest(seconds)

    def rest(self, seconds):
        end = time.time() + seconds
        self.soak.tend()
        while time.time() < end:
            time.sleep(max(0.0, min(0.05, end - time.time())))
            self.soak.tend()

    def _do_kill(self, _, name, down):
        if not self.soak.kills:
            return False
        with self.lock:
            self.model.disturbed({name})
            done = self.world.kill(name, down)
        self.soak.kills_of[name] += done
        if done and name == "ledger":
            self.soak.checkpoints.check_ledger_file()
        return done

    def _do_strike(self, step, ns, uri, count, victim, delay, seconds):
        home, router = cast.HOME[ns], cast.ROUTER[ns]
        if victim == "answers":
            self._do_cut(step, home, router, seconds, True)
        self._do_publish(step, ns, ns, uri, count)
        self._do_persist(dataclasses.replace(step, number=step.number + 10 ** 6), ns, ns, uri)
        time.sleep(delay)
        if victim == "way":
            return self._do_cut(step, home, router, seconds, False)
        return self._do_kill(step, router if victim == "answers" else victim, seconds / 2)

    def _do_restart(self, _, name):
        if not self.soak.kills:
            return False
        with self.lock:
            self.model.disturbed({name})
            done = self.world.stop(name)
        self.counts["restarts"] += done
        return done

    def _do_cut(self, _, one, other, seconds, one_way):
        with self.lock:
            self.model.disturbed({one, other})
            done = self.world.cut(one, other, seconds, one_way)
        self.counts["partitions"] += done
        return done

    def _do_unplug(self, _, name, seconds):
        with self.lock:
            self.model.disturbed({name})
            done = self.world.unplug(name, seconds)
        self.counts["partitions"] += done
        return done
