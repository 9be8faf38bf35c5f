#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The main job: the paper's Figure 2 and section 3.1, played by real processes of different owners.

A ledger, routers of two organisations, and an agent for each person and service, all on this
machine. The messages are live readings of this machine. Every step prints what happens, the command
that makes it happen, and how long it took; the program ends with 0 only if every expectation held.
"""
import argparse
import os
import shutil
import signal
import sys
import tempfile
import time

from ledgers import LEDGERS
from nodes import Failure, Stage
from readings import SENSORS

FLOOR = "building1/floor1"


class Story:
    def __init__(self, stage):
        self.stage = stage
        self.held = []

    # ---- telling

    def chapter(self, title):
        print(f"\n\033[1m{title}\033[0m" if sys.stdout.isatty() else f"\n== {title}")

    def tell(self, text):
        print(f"\n  {text}")

    def expect(self, what, held, detail=""):
        self.held.append((what, bool(held), detail))
        print(f"  {'ok  ' if held else 'FAIL'} {what}" + (f"  ({detail})" if detail else ""), flush=True)
        if not held:
            raise Failure(f"expected: {what}; {detail}")

    def refused(self, node, why, *command):
        """Runs a command that must be refused for want of a right (exit code 3)."""
        answer = node.bw(*command, may_fail=True)
        self.expect(why, answer.code == 3, answer.error)

    # ---- the cast

    def cast(self):
        self.chapter("The cast: every process has its own directory, keys and owner")
        stage = self.stage
        stage.ledger.open(self)
        self.router_a = stage.start("router-a", "router")
        self.router_b = stage.start("router-b", "router")
        self.company = stage.start("company", "agent")
        self.landlord = stage.start("landlord", "agent")
        self.manager = stage.start("manager", "agent")
        self.hvac = stage.start("hvac", "agent")
        self.boss = stage.start("boss", "agent")
        self.alice = stage.start("alice", "agent")
        self.dashboard = stage.start("dashboard", "agent")
        self.mallory = stage.start("mallory", "agent")
        self.tell("Everybody makes a key. Nobody asks anybody: an entity is a key pair.")
        people = ("company", "landlord", "manager", "hvac", "boss", "alice", "dashboard", "mallory")
        self.keys = {}
        for name in people:
            node = getattr(self, name)
            self.keys[name] = node.bw("entity", "create", name).json["key"]
        self.keys["sensor"] = self.manager.bw("entity", "create", "sensor", "--comment",
                                              "the readings of this machine").json["key"]
        self.keys["meter"] = self.landlord.bw("entity", "create", "meter").json["key"]

    # ---- out of order, and with the grantee away

    def grants_out_of_order(self):
        self.chapter("Grants made out of order, with the grantee away")
        self.tell("Alice's agent goes down. What follows needs neither it nor her.")
        self.alice.stop()
        self.tell("The boss grants Alice a room and the sensors, before holding anything himself.")
        company = self.keys["company"]
        room = f"{company}/{FLOOR}/room12/*"
        sensors = f"{company}/{FLOOR}/sensor/*"
        for uri, rights in ((room, "PC*L"), (sensors, "C*")):
            self.boss.bw("grant", self.keys["alice"], uri, rights, "--as", "boss", "--ttl", "2")
        why = self.boss.bw("why", self.keys["alice"], f"{company}/{FLOOR}/sensor/load", "C", may_fail=True)
        self.expect("Alice holds nothing yet: no path leads from the company to her", why.code == 3,
                    why.json["denial"])

    def namespaces(self):
        self.chapter("Two namespaces, two owners, two routers that are hired hands")
        for owner, node, router in (("company", self.company, self.router_a),
                                    ("landlord", self.landlord, self.router_b)):
            self.tell(f"The {owner} takes {router.name} as designated router: an offer, then its acceptance.")
            router.bw("router", "offer", self.keys[owner])
            made = node.bw("namespace", "create", owner, "--router", router.router_key)
            self.expect(f"the ledger says where {owner}'s messages go",
                        made.json["address"] == router.router_address, made.json["address"])
        self.stage.wait_known()

    def delegate(self):
        self.chapter("The company delegates a building; each hop narrows")
        company = self.keys["company"]
        self.company.bw("grant", self.keys["manager"], f"{company}/building1/*", "PC*T*L", "--as", "company",
                        "--ttl", "4")
        grants = [("sensor", f"{FLOOR}/sensor/+", "P", 0), ("hvac", f"{FLOOR}/*", "PC*", 1),
                  ("boss", f"{FLOOR}/*", "PC*L", 3)]
        for name, pattern, rights, ttl in grants:
            self.manager.bw("grant", self.keys[name], f"company/{pattern}", rights, "--as", "manager",
                            "--ttl", str(ttl))
        self.tell("At her apartment, Alice gets everything from the landlord; the meter may publish.")
        self.landlord.bw("grant", self.keys["alice"], "landlord/apartment7/*", "PC*L", "--as", "landlord",
                         "--ttl", "3")
        self.landlord.bw("grant", self.keys["meter"], "landlord/apartment7/meter/+", "P", "--as", "landlord")
        self.tell("Alice's agent comes back.")
        self.alice.restart()
        self.stage.wait_known()
        why = self.alice.bw("why", "alice", f"company/{FLOOR}/sensor/load", "C")
        self.expect("now a path of three grants leads to her, made by people who never met",
                    why.json["allowed"] and len(why.json["path"]) == 3)
        for hop in why.json["path"]:
            print(f"         {hop['granter'][:8]} -> {hop['grantee'][:8]}  {hop['permissions']} on {hop['pattern']}")

    # ---- live readings

    def live(self):
        self.chapter("Live readings of this machine, signed, proven, verified at both ends")
        self.publishers = [self.manager.publish(f"company/{FLOOR}/sensor/{name}", "sensor", read)
                           for name, read in SENSORS.items()]
        if "temperature" not in SENSORS:
            self.tell("This machine has no temperature sensor that we may read; the others are real.")
        self.publishers.append(self.landlord.publish("landlord/apartment7/meter/load", "meter", SENSORS["load"]))
        self.tell("Alice reads in two administrative domains with one key.")
        self.at_work = self.alice.subscribe(f"company/{FLOOR}/sensor/*", "alice")
        self.at_home = self.alice.subscribe("landlord/apartment7/meter/+", "alice")
        for heard, where in ((self.at_work, "at work"), (self.at_home, "at home")):
            heard.wait_for(lambda h: len(h.messages) >= 8, f"Alice's readings {where}")
            message = heard.messages[-1]
            print(f"         {message['uri'][44:]}  {message['payload'][0]['text']}")
        delays = sorted(m["arrived"] - m["created_us"] / 1e6 for m in self.at_work.messages)
        self.expect("Alice sees live readings of both",
                    self.at_work.messages and self.at_home.messages,
                    f"median {1e3 * delays[len(delays) // 2]:.1f} ms from signature to her program")

    def actuate(self):
        self.tell("She sets her room's temperature; the HVAC service hears it and answers by a stored state.")
        orders = self.hvac.subscribe(f"company/{FLOOR}/room12/setpoint", "hvac")
        orders.wait_for(lambda h: h.standing, "the HVAC service's subscription")
        began = time.time()
        self.alice.bw("pub", f"company/{FLOOR}/room12/setpoint", "21.5", "--as", "alice")
        orders.wait_for(lambda h: h.messages, "Alice's order")
        order = orders.messages[0]
        self.expect("the order came, signed by Alice", order["from"] == self.keys["alice"],
                    f"{1e3 * (order['arrived'] - began):.0f} ms with the command's own start")
        self.hvac.bw("persist", f"company/{FLOOR}/room12/state", f"setpoint {order['payload'][0]['text']}", "--as", "hvac")
        state = self.alice.bw("query", f"company/{FLOOR}/room12/state", "--as", "alice")
        self.expect("and the state is there for her to read",
                    state.json["payload"][0]["text"] == "setpoint 21.5")
        orders.stop()

    # ---- delegation to a program, and its end

    def dashboard_joins(self):
        self.chapter("Alice lets a dashboard see both, without asking anybody")
        grant = self.alice.bw("grant", self.keys["dashboard"], f"company/{FLOOR}/sensor/*", "C*", "--as", "alice")
        self.dashboard_dot = grant.json["id"]
        self.alice.bw("grant", self.keys["dashboard"], "landlord/apartment7/meter/+", "C+", "--as", "alice")
        self.stage.wait_known()
        self.shown = self.dashboard.subscribe(f"company/{FLOOR}/sensor/*", "dashboard")
        home = self.dashboard.subscribe("landlord/apartment7/meter/+", "dashboard")
        for heard in (self.shown, home):
            heard.wait_for(lambda h: len(h.messages) >= 4, "the dashboard's readings")
            for message in heard.messages[-2:]:
                print(f"         {message['uri'][44:]}  {message['payload'][0]['text']}")
        self.expect("the dashboard shows two domains by Alice's grants alone", True)
        home.stop()

    def outsiders(self):
        self.chapter("Attempts without the right")
        self.tell("Their own agents find no proof to send. Who speaks the protocol by hand is refused by the router and by "
                  "every receiver: tests/e2e does so.")
        sensors = f"company/{FLOOR}/sensor/*"
        self.refused(self.mallory, "an outsider may not subscribe", "sub", sensors, "--as", "mallory", "--count", "1")
        self.refused(self.mallory, "nor publish", "pub", f"company/{FLOOR}/room12/setpoint", "35", "--as", "mallory")
        self.refused(self.mallory, "nor read what is stored", "query", f"company/{FLOOR}/room12/+", "--as", "mallory")
        self.refused(self.alice, "Alice may not see the whole building", "sub", "company/building1/*", "--as", "alice", "--count", "1")
        self.refused(self.dashboard, "the dashboard may look, not touch", "pub", f"company/{FLOOR}/sensor/load", "0", "--as", "dashboard")
        self.dashboard.bw("grant", self.keys["mallory"], sensors, "C*", "--as", "dashboard")
        self.refused(self.mallory, "and cannot pass on what Alice gave it without leave to", "sub", sensors, "--as", "mallory", "--count", "1")

    def revoke(self):
        self.chapter("Alice removes the dashboard, mid-stream")
        began = time.time()
        self.alice.bw("revoke", self.dashboard_dot, "--as", "alice", "--comment", "uninstalled")
        accepted = time.time()
        code = self.shown.wait_end("the end of the dashboard's subscription")
        last = self.shown.messages[-1]["arrived"]
        after = [m for m in self.shown.messages if m["arrived"] > accepted]
        heard = len(self.at_work.messages)
        self.at_work.wait_for(lambda h: len(h.messages) >= heard + 8, "Alice's readings to go on")
        self.expect("its subscription ended by itself, refused", code == 3, self.shown.error)
        self.expect("the last message came within 50 ms of the ledger's word", last - accepted < 0.05,
                    f"{1e3 * (last - began):+.0f} ms from the command's start, {1e3 * (last - accepted):+.0f} ms from its "
                    f"end, {len(after)} messages after it")
        self.expect("Alice's own readings went on", True)

    # ---- another router

    def replace_router(self):
        self.chapter("The company replaces its router while everything runs")
        router = self.stage.start("router-c", "router")
        router.bw("router", "offer", self.keys["company"])
        before = len(self.at_work.messages)
        began = time.time()
        self.company.bw("router", "accept", router.router_key, "--as", "company")
        self.at_work.wait_for(lambda h: any(router.router_key in e for e in h.events), "Alice's subscription to move")
        self.at_work.wait_for(lambda h: len(h.messages) >= before + 20, "readings by way of the new router")
        gap = max(b["arrived"] - a["arrived"] for a, b in
                  zip(self.at_work.messages[before - 1:], self.at_work.messages[before:]))
        self.expect("Alice's subscription moved by itself", True,
                    f"longest silence {1e3 * gap:.0f} ms, {time.time() - began:.1f} s in all")
        self.router_a.stop()
        heard = len(self.at_work.messages)
        self.at_work.wait_for(lambda h: len(h.messages) >= heard + 8, "readings after the old router is gone")
        self.expect("the old router is switched off and nobody notices", True)
        self.expect("no publisher was refused", all(p.alive() for p in self.publishers))

    # ---- checks anybody can make

    def audit(self):
        self.chapter("Checks that anybody can make")
        path = os.path.join(self.stage.directory, "alice.proof")
        self.alice.bw("proof", "alice", f"company/{FLOOR}/sensor/load", "C", "--out", path)
        self.expect("Alice's proof verifies from a file, with nobody's help",
                    self.stage.offline("verify", path).code == 0)
        head = self.company.bw("ledger", "status").json
        self.mallory.wait_synced(head["size"])
        theirs = self.mallory.bw("ledger", "status").json
        self.expect("two nodes that do not trust each other hold the same history",
                    (head["size"], head["root"]) == (theirs["size"], theirs["root"]),
                    f"{head['size']} entries, root {head['root'][:8]}")
        edges = self.mallory.bw("graph", self.keys["company"], "--depth", "4").lines
        self.expect("and the delegations are there for all to see", len(edges) >= 8, f"{len(edges)} grants")

    def play(self):
        self.cast()
        self.grants_out_of_order()
        self.namespaces()
        self.delegate()
        self.live()
        self.actuate()
        self.stage.ledger.be_lied_about(self)
        self.dashboard_joins()
        self.stage.ledger.lie_is_found(self)
        self.outsiders()
        self.revoke()
        self.replace_router()
        self.audit()

    def summary(self, seconds):
        self.chapter("Summary")
        for what, held, detail in self.held:
            print(f"  {'ok  ' if held else 'FAIL'} {what}")
        failed = sum(not held for _, held, _ in self.held)
        print(f"\n{len(self.held) - failed} of {len(self.held)} expectations held, {seconds:.1f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bw", required=True, help="the bw program")
    parser.add_argument("--ledger", choices=LEDGERS, default="embedded", help="what the authority stands on")
    parser.add_argument("--keep", action="store_true", help="keep the nodes' directories")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    directory = tempfile.mkdtemp(prefix="bw-figure2-")
    stage = Stage(os.path.abspath(options.bw), directory, LEDGERS[options.ledger]())
    story = Story(stage)
    began = time.time()
    failure = None
    try:
        story.play()
    except Failure as error:
        failure = error
    except KeyboardInterrupt:
        failure = Failure("interrupted")
    finally:
        stage.stop_all()
        stage.ledger.close()
    story.summary(time.time() - began)
    if failure:
        print(f"\nfailed: {failure}\n{stage.last_words()}\nThe nodes' directories are in {directory}", file=sys.stderr)
        return 1
    if options.keep:
        print(f"The nodes' directories are in {directory}")
    else:
        shutil.rmtree(directory)
    return 0


if __name__ == "__main__":
    sys.exit(main())
