# SPDX-License-Identifier: Apache-2.0
"""Messages per second through the whole path: bench/run route."""
import contextlib
import pathlib
import tempfile

from bench.lib import build, load, stats, systems

TARGETS = ["bw", "bench_broker", "bench_agent", "bench_api"]

# key: (system, subscribers, more options of the load clients)
VARIANTS = {
    "bosswave_1": ("bosswave", 1, ()),
    "nats_1": ("nats", 1, ()),
    "nats_tls_1": ("nats_tls", 1, ()),
    "mosquitto_1": ("mosquitto", 1, ()),
    "mosquitto_tls_1": ("mosquitto_tls", 1, ()),
    "bosswave_10": ("bosswave", 10, ()),
    "nats_10": ("nats", 10, ()),
    "nats_tls_10": ("nats_tls", 10, ()),
    "mosquitto_10": ("mosquitto", 10, ()),
    "mosquitto_tls_10": ("mosquitto_tls", 10, ()),
    "bosswave_api_1": ("bosswave_api", 1, ()),
    "bosswave_api_10": ("bosswave_api", 10, ()),
    # The embedded agent signs once for each turn of its loop: one message for each turn.
    "bosswave_unbatched_1": ("bosswave", 1, ("--chunk", "1")),
}


def options(parser):
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="counted in each round")
    parser.add_argument("--warm-up", type=float, default=0.3, help="seconds in each round that do not count")
    parser.add_argument("--window", type=int, default=32768, help="messages on their way at most")
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=list(VARIANTS), metavar="KEY",
                        help=f"measure these only: {' '.join(VARIANTS)}")


def check(key: str, report: dict) -> None:
    """Refuses a report that does not say what it seems to."""
    if report["disordered"]:
        raise load.Failed(f"{key}: {report['disordered']} messages came twice or out of order")
    sent = report["publisher"]
    if sent.get("refused"):
        raise load.Failed(f"{key}: {sent['refused']} messages were refused")
    if key.startswith("bosswave_unbatched") and sent["batches"] != sent["signed"]:
        raise load.Failed(f"{key}: {sent['signed']} messages left in {sent['batches']} batches")


def say(key: str, report: dict) -> None:
    delivered = max(report["received"], 1)
    shares = " + ".join(f"{cpu / delivered * 1e6:.2f}" for cpu in report["cpu"])
    lost = f"  LOST {report['lost']}" if report["lost"] else ""
    build.say(f"  {key:22} {report['per_second']:12,.0f}/s   µs of CPU a delivery, process by process: {shares}{lost}")


def run(args) -> dict:
    """Messages of 128 bytes delivered per second, from one publisher process through one router or broker process to
    one subscriber process with one connection (_1) or ten (_10; the deliveries of all ten are counted). The median of
    the rounds; _min and _max are the lowest and highest of them. Every round runs every system once.

      bosswave       agent, router, agent; the application in its agent's process; ten: ten agents, ten entities
      bosswave_api   the same with agent daemons: applications are processes of their own and use the gRPC API; ten: ten
                     entities at one daemon
      nats, mosquitto   the brokers, as clear text and (_tls) over TLS 1.3; MQTT with quality of service 0
      bosswave_unbatched   batches of one message: one signature and two verifications for each
      lost           messages that were sent and did not come, over all rounds; absent when there are none

    All systems have the same bound on messages under way (--window), kept by the subscriber telling the publisher.
    mosquitto is without TCP_NODELAY here, which carries it further."""
    rounds = {key: [] for key in args.only}
    lost = 0
    with contextlib.ExitStack() as stack:
        directory = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bwroute")))
        running = systems.start({VARIANTS[key][0] for key in args.only}, directory, stack,
                                nodelay=False)
        for number in range(args.rounds):
            build.say(f"round {number + 1} of {args.rounds}")
            for key in args.only:
                name, connections, more = VARIANTS[key]
                report = load.run(running[name], connections, "--seconds", str(args.seconds), "--warm-up",
                                  str(args.warm_up), "--window", str(args.window), *more)
                check(key, report)
                say(key, report)
                rounds[key].append(report["per_second"])
                lost += report["lost"]
    out = {}
    for key, rates in rounds.items():
        out |= stats.summary(key, rates, 0)
    return {**out, **({"lost": lost} if lost else {})}
