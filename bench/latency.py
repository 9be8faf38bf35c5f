# SPDX-License-Identifier: Apache-2.0
"""One-way latency through the whole path at fixed rates: bench/run latency."""
import contextlib
import pathlib
import tempfile

from bench.lib import build, load, stats, systems

TARGETS = ["bw", "bench_broker", "bench_agent", "bench_api"]
SYSTEMS = ["bosswave", "nats", "mosquitto", "nats_tls", "mosquitto_tls"]
RATES = [100, 10_000]
PERCENTILES = ["p50", "p99", "p999"]


def options(parser):
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="counted in each round")
    parser.add_argument("--warm-up", type=float, default=0.3, help="seconds in each round that do not count")
    parser.add_argument("--only", nargs="+", choices=[*SYSTEMS, "bosswave_api"], default=SYSTEMS, metavar="SYSTEM",
                        help=f"measure these only: {' '.join(SYSTEMS)} bosswave_api")


def run(args) -> dict:
    """Microseconds from when a message of 128 bytes was due at the publisher to when the subscriber's application has
    it, both on this machine's monotonic clock: SYSTEM_p50_RATE, _p99_ and _p999_, at 100 and 10,000 messages per
    second. Messages are due at fixed times, whatever became of the ones before, and are counted from then, so that
    what holds up the sender is in the figure. No process spins: each sleeps until its next message. Systems and rates
    take turns within each round; the median of the rounds, _min and _max the lowest and highest. The p999 of a round
    at 100 per second is its slowest message. nats and mosquitto without TLS, nats_tls and mosquitto_tls with it."""
    rounds = {f"{name}_{percentile}_{rate}": [] for name in args.only for percentile in PERCENTILES for rate in RATES}
    lost = 0
    with contextlib.ExitStack() as stack:
        directory = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bwlate")))
        running = systems.start(set(args.only), directory, stack, nodelay=True)
        for number in range(args.rounds):
            build.say(f"round {number + 1} of {args.rounds}")
            for rate in RATES:
                for name in args.only:
                    report = load.run(running[name], 1, "--rate", str(rate), "--seconds", str(args.seconds),
                                      "--warm-up", str(args.warm_up))
                    for percentile in PERCENTILES:
                        rounds[f"{name}_{percentile}_{rate}"].append(report[f"{percentile}_us"])
                    lost += report["lost"]
                    shown = "  ".join(f"{percentile} {report[f'{percentile}_us']:9.1f}" for percentile in PERCENTILES)
                    loss = f"  LOST {report['lost']}" if report["lost"] else ""
                    build.say(f"  {name:14} {rate:6}/s   {shown} µs{loss}")
    out = {}
    for key, values in rounds.items():
        out |= stats.summary(key, values)
    return {**out, **({"lost": lost} if lost else {})}
