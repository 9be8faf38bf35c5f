# SPDX-License-Identifier: Apache-2.0
"""Building and verifying proofs over large permission graphs on disk."""
import json
import os
import pathlib
import shutil
import subprocess

from bench.lib import build
from bench.lib.stats import percentile

TARGETS = ["bench_proof"]
# Rises when the graph or the store's files change, so that no stale graph is measured.
GRAPH_VERSION = 1


def options(parser) -> None:
    parser.add_argument("--samples", type=int, default=8000, help="requests, each of another pair")
    parser.add_argument("--small", action="store_true", help="leave the large graph out")


def graph(size: str) -> pathlib.Path:
    """The store with the graph of that size, made unless an earlier run left it."""
    home = pathlib.Path(os.environ.get("BW_BENCH_DATA", build.ROOT / "build" / "bench"))
    directory = home / f"proof-{size}-v{GRAPH_VERSION}"
    if not directory.exists():
        unfinished = directory.with_suffix(f".{os.getpid()}")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        subprocess.run([build.program("bench_proof"), "build", unfinished, size], check=True)
        unfinished.rename(directory)
    return directory


def us(nanoseconds: list[int], share: float) -> float:
    return round(percentile(nanoseconds, share) / 1000, 2)


def measure(size: str, samples: int, suffix: str) -> dict[str, float]:
    directory = graph(size)
    build.say(f"proof: measuring the {size} graph")
    done = subprocess.run([build.program("bench_proof"), "measure", directory, size, str(samples)],
                          check=True, stdout=subprocess.PIPE)
    times = json.loads(done.stdout)
    kinds = {"rooms": times["cold_rooms"], "meters": times["cold_meters"], "notices": times["cold_notices"]}
    cold = [one for kind in kinds.values() for one in kind]
    result = {"dots": times["dots"], "samples": len(cold), "verified": len(times["verify_known"]),
              "cold_p50_us": us(cold, 0.5), "cold_p99_us": us(cold, 0.99),
              "cached_p50_us": us(times["cached"], 0.5), "cached_p99_us": us(times["cached"], 0.99),
              "verify_known_p50_us": us(times["verify_known"], 0.5),
              "verify_unknown_p50_us": us(times["verify_unknown"], 0.5),
              "verify_unknown_p99_us": us(times["verify_unknown"], 0.99),
              "verify_signatures_p50_us": us(times["verify_signatures"], 0.5),
              "spammed_p99_us": us(times["spammed"], 0.99), "unspammed_p99_us": us(times["quiet"], 0.99),
              "spam_ratio_p99": round(percentile(times["spammed"], 0.99) / percentile(times["quiet"], 0.99), 2)}
    result |= {f"cold_{name}_p99_us": us(kind, 0.99) for name, kind in kinds.items()}
    return {f"{key}{suffix}": value for key, value in result.items()}


def run(args) -> dict:
    """Times building and verifying proofs over a permission graph on disk, as a node's replica does it
    (RocksDB's block cache is the product's and starts empty; the system's page cache is warm). Every DoT
    and entity is signed. The graph is a city in one namespace: paths of five links from the city by
    district, building, floor and room to a person, and two hubs below the city, one that gave each meter
    its own pattern and one that gave everybody the same pattern. On top come 100,000 DoTs that 1,000
    registered spammers aimed at one prover, with a pattern and permissions that suit every request of hers.
    Large: 3,000,000 DoTs, hubs of 700,000. Keys with the suffix _100k: 100,000 DoTs before the spam, hubs
    of 20,000. The graphs are kept below build/bench, so the first run takes minutes more.

    cold_p50_us, cold_p99_us      finding a proof for a pair of entity and URI not asked before: half of the
                                  samples with five links, a quarter through each of the hubs;
                                  cold_rooms_, cold_meters_, cold_notices_p99_us are the same by kind
    cached_p50_us, cached_p99_us  the same requests again, from the proof cache
    verify_known_p50_us           from the bytes of a five-link proof to a yes that is remembered
    verify_unknown_p50_us         the same for a proof not seen before; its DoTs and entities are looked up
                                  in the replica, which checked every signature when it took the entry in
    verify_signatures_p50_us      the same with five signatures checked in place of look-ups, as for a
                                  message file, which no replica vouches for
    spam_ratio_p99                p99 of finding proofs for the prover whom the spam aims at, over p99 for
                                  her twin with the same grants and no spam; interleaved, five-link and hub
                                  requests in turn (spammed_p99_us, unspammed_p99_us)
    dots, samples, verified       sizes of the graph and of the samples"""
    result = measure("small", args.samples, "_100k")
    return result if args.small else measure("large", args.samples, "") | result
