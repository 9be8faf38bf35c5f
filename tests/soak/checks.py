# SPDX-License-Identifier: Apache-2.0
"""The invariants. Each function takes the model and one thing that happened, and returns what is wrong
with it, in words; nothing when all is well."""

from rights import COMMAND_SECONDS, matches, needed


class Found(Exception):
    """An invariant does not hold."""


def delivery(model, subscription, row, now):
    """A message that a subscription printed. `row`: number, uri ("NS/cell"), publisher, stored, created,
    deletion (such a one has no content that could tell its number)."""
    message = model.messages.get(row["number"])
    if row["deletion"]:
        message = next((one for one in model.deletions(row) if one.number not in subscription.live), None)
    if message is None:
        return [f"forged: {subscription} got {row}, which nobody sent"]
    wrong = _identity(subscription, message, row)
    wrong += _once(subscription, message, row["stored"], now)
    wrong += _authorised(model, subscription, message, now)
    model.counts["delivered stored" if row["stored"] else "delivered"] += 1
    if not row["stored"]:
        subscription.heard_created = max(subscription.heard_created, row["created"])
    if subscription.missing.pop(message.number, None) is not None:
        model.counts["arrival checked"] += 1
    return wrong


def _identity(subscription, message, row):
    wrong = []
    if (row["uri"], row["publisher"]) != (f"{message.ns}/{message.uri}", message.publisher):
        wrong.append(f"altered: {message} came to {subscription} as {row}")
    if subscription.ns != message.ns or not matches(subscription.pattern, message.uri):
        wrong.append(f"not asked for: {message} came to {subscription}")
    if message.refused:
        wrong.append(f"refused, yet delivered: {message} came to {subscription}")
    if row["stored"] and not (message.persist and subscription.replay):
        wrong.append(f"not asked for: {message} came from the store to {subscription}")
    return wrong


def _once(subscription, message, stored, now):
    wrong = []
    if message.number in subscription.lately or (not stored and message.number in subscription.live):
        wrong.append(f"delivered twice: {message} came to {subscription} again{' from the store' if stored else ''}, "
                     f"first at {subscription.live.get(message.number)}")
    subscription.lately.add(message.number)
    if not stored:
        subscription.live[message.number] = now
    return wrong


def _authorised(model, subscription, message, now):
    wrong = []
    undisturbed = subscription.sure_since is not None and subscription.sure_since <= now - model.prompt
    since = now - (model.prompt if undisturbed else model.allowance)
    right = needed(subscription.letter, subscription.pattern)
    if not model.rights.may(subscription.entity, subscription.ns, subscription.pattern, right, since, now):
        wrong.append(f"unauthorised reader: {message} came to {subscription}, which had no {right} at any time "
                     f"between {since:.3f} and {now:.3f}")
    return wrong + _publisher(model, message, since, now)


def _publisher(model, message, since, now):
    if model.rights.may(message.publisher, message.ns, message.uri, "P", since, now):
        return []
    return [f"unauthorised publisher: {message} was handed on, though {message.publisher} had no P at any time "
            f"between {since:.3f} and {now:.3f}"]


def acknowledgement(model, message, now):
    """A router took a value: somebody must have let its publisher."""
    since = message.started - model.allowance
    if model.rights.may(message.publisher, message.ns, message.uri, "P", since, now):
        return []
    return [f"unauthorised publisher: {message} was acknowledged at {now:.3f}, though {message.publisher} had "
            f"no P at any time since {since:.3f}"]


def arrivals(model, now):
    """Acknowledged messages that should have come by now, and did not."""
    wrong = []
    for subscription in model.subscriptions:
        for number in [number for number, due in subscription.missing.items() if due <= now]:
            del subscription.missing[number]
            message = model.messages[number]
            if subscription.lost > 0:
                subscription.lost -= 1
                model.counts["told lost"] += 1
            elif _had_to_come(model, subscription, message, now):
                wrong.append(f"lost: {message} never came to {subscription}, sure since {subscription.sure_since:.3f}, "
                             f"standing since {subscription.stood_at:.3f}, by {now:.3f}")
            else:
                model.counts["excused"] += 1
    return wrong


def _had_to_come(model, subscription, message, now):
    known = model.knows((subscription.agent, subscription.router), message.started)
    right = needed(subscription.letter, subscription.pattern)
    return (model.rights.must(subscription.entity, subscription.ns, subscription.pattern, right, message.started, now,
                              known) and proof_stands(model, message, message.started, now, known))


def proof_stands(model, message, begin, end, known):
    """Whether the proof that came with a message holds from `begin` to `end`, whichever path it took."""
    if message.publisher == message.ns:
        return True
    asked = (message.publisher, message.ns, message.uri, "P")
    until = message.acked if message.acked is not None else end
    ways = model.rights.ways(*asked, message.started, until)
    return bool(ways) and all(grant.stands(begin, end) and known(grant) for grant in ways)


def interruption(model, subscription, now, what):
    """A subscription that was sure went away or ended, though nobody disturbed it."""
    if subscription.sure_since is None:
        return []
    right = needed(subscription.letter, subscription.pattern)
    known = model.knows((subscription.agent, subscription.router), subscription.sure_since)
    ways = model.rights.ways(subscription.entity, subscription.ns, subscription.pattern, right,
                             subscription.started, now)
    if any(not grant.stands(subscription.sure_since, now) or not known(grant) for grant in ways):
        return []
    return [f"interrupted: {subscription} {what}, though nothing was disturbed since {subscription.sure_since:.3f} "
            f"and no grant that it can rest on ended"]


def answer(model, query, rows, sure):
    """A query's whole answer. `query`: entity, agent, router, ns, pattern, asked, answered; `rows`: as in
    delivery(); `sure`: nothing was disturbed meanwhile, so that what is stored must come."""
    wrong = []
    came = {}
    since = query["asked"] - model.allowance
    right = needed("C", query["pattern"])
    who = (f"query of {query['entity']} at {query['agent']} for {query['ns']}/{query['pattern']}, "
           f"asked {query['asked']:.3f}")
    if not model.rights.may(query["entity"], query["ns"], query["pattern"], right, since, query["answered"]):
        wrong.append(f"unauthorised reader: {who} was answered, with no {right} at any time since {since:.3f}")
    for row in rows:
        message = model.messages.get(row["number"])
        if message is None or (row["uri"], row["publisher"]) != (f"{message.ns}/{message.uri}", message.publisher):
            wrong.append(f"forged: {who} brought {row}, which nobody persisted like that: {message}")
            continue
        if message.uri in came:
            wrong.append(f"delivered twice: {who} brought {message.ns}/{message.uri} twice: {message}")
        if not matches(query["pattern"], message.uri) or message.ns != query["ns"] or message.refused:
            wrong.append(f"not asked for, or refused before: {who} brought {message}")
        wrong += _publisher(model, message, since, query["answered"])
        came[message.uri] = message
    for (ns, uri), history in model.stored.items():
        if ns == query["ns"] and matches(query["pattern"], uri):
            wrong += _newest(model, query, who, history, came.get(uri), sure)
    return wrong


def _newest(model, query, who, history, came, sure):
    standing = possible_values(history, query["asked"], query["answered"])
    if came is not None:
        model.counts["stored checked"] += 1
        if came in standing:
            return []
        return [f"older value: {who} brought {came}, after {standing[-1]}"]
    if not sure or not any(one.acked is not None and one.acked <= query["asked"] for one in standing):
        return []
    known = model.knows((query["agent"], query["router"]), query["asked"])
    for one in standing:
        if one.deletion or not proof_stands(model, one, query["asked"], query["answered"], known):
            return []
    return [f"acknowledged value lost: {who} brought nothing in place of {standing[-1]} (one of {len(standing)})"]


def possible_values(history, asked, answered):
    """The values of one URI that may be the newest for a query asked and answered then. A value without
    an answer may still have been on its way for as long as a command takes."""
    begun = [one for one in history if not one.refused and one.started <= answered]
    last = max((one.started for one in begun if one.acked is not None and one.acked <= asked), default=None)
    if last is None:
        return begun
    return [one for one in begun
            if (one.acked if one.acked is not None else one.started + COMMAND_SECONDS) >= last]


def ledger(model, entries):
    """Acknowledged entries against those of the ledger's file: [(position, id)]."""
    there = dict(entries)
    wrong = [f"acknowledged entry lost: {what} at {position} is {identity}, the ledger's file has {there.get(position)}"
             for position, (identity, what) in model.entries.items() if there.get(position) != identity]
    model.counts["entries checked"] += len(model.entries)
    return wrong


def memory(samples, growth, slope):
    """Resident memory of one process, [(seconds of its age, KiB)], after it is warm: `growth` KiB at most
    above its level at the beginning, and at most `slope` KiB/s along the least-squares line."""
    if len(samples) < 8:
        return []
    quarter = len(samples) // 4
    began = sorted(size for _, size in samples[:quarter])[quarter // 2]
    ended = sorted(size for _, size in samples[-quarter:])[quarter // 2]
    ages, sizes = [age for age, _ in samples], [size for _, size in samples]
    middle, level = sum(ages) / len(ages), sum(sizes) / len(sizes)
    spread = sum((age - middle) ** 2 for age in ages)
    rise = sum((age - middle) * (size - level) for age, size in samples) / spread if spread else 0.0
    if ended - began <= growth or rise <= slope:
        return []
    return [f"memory grows: from {began} KiB to {ended} KiB in {ages[-1] - ages[0]:.0f} s, {rise:.1f} KiB/s"]
