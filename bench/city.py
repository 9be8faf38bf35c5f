# SPDX-License-Identifier: Apache-2.0
"""A whole city under one authority system: built through a ledger's public door, reopened, asked, pressed."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

from bench.lib import build

TARGETS = ["bw"]
MIB = 1024 * 1024


def options(parser) -> None:
    parser.add_argument("--scale", type=float, default=1.0, help="1 is San Francisco: 5,055,966 objects")
    parser.add_argument("--pairs", type=int, default=10_000, help="random questions after it is built")
    parser.add_argument("--step", type=float, default=2.0, help="seconds at each rate of permission changes")


def bw(directory: pathlib.Path, args, *words: str) -> dict:
    """One command of `bw city`; its JSON also when it found disagreements."""
    build.say(f"city: {words[0]} at scale {args.scale}")
    done = subprocess.run([build.bw(), "--json", "--dir", directory, "city", *words, "--scale", str(args.scale)],
                          stdout=subprocess.PIPE, check=False)
    if not done.stdout:
        raise RuntimeError(f"bw city {words[0]} ended with {done.returncode}")
    return json.loads(done.stdout.splitlines()[-1])


def static(directory: pathlib.Path, args) -> dict:
    """The figures of the city at rest."""
    built = bw(directory, args, "build")
    checked = bw(directory, args, "check", "--pairs", str(args.pairs))
    return {"build_s": round(built["build_s"], 2),
            "rss_mib": round(max(built["ledger_rss_bytes"], built["rss_bytes"]) / MIB, 1),
            "disk_gib": round(built["disk_bytes"] / MIB / 1024, 4),
            "reopen_s": round(checked["reopen_s"], 3),
            "proof_cold_p50_us": round(checked["proof_cold_p50_us"], 1),
            "proof_cold_p99_us": round(checked["proof_cold_p99_us"], 1),
            "oracle_disagreements": checked["oracle_disagreements"]}


def capacity(directory: pathlib.Path, args) -> dict:
    found = bw(directory, args, "capacity", "--step", str(args.step))
    return {"churn_per_hour": round(found["churn_per_hour"])}


def participants(directory: pathlib.Path) -> dict:
    """Of a run with participants, when there was one."""
    report = subprocess.run([build.bw(), "--json", "--dir", directory, "city", "report"],
                            stdout=subprocess.PIPE, check=True)
    figures = json.loads(report.stdout)["figures"]
    found = {name: round(figures[name], 3) for name in ("agent_cpu_percent", "agent_bytes_per_s") if name in figures}
    if not found:
        build.say("city: agent_cpu_percent and agent_bytes_per_s left out: no run with participants in this city")
    return found


def run(args) -> dict:
    """build_s: signing, submitting, validating and indexing every object, until all are durable;
    rss_mib: the most that any one process had resident; disk_gib: the ledger's directory, stopped;
    reopen_s: from its files to the first answer; proof_cold_*_us: finding and loading an occupant's
    proof for the first time; oracle_disagreements: of --pairs random questions, those that proof
    search, the model and a slow oracle did not answer alike."""
    # BW_BENCH_DATA: on which file system. Short, because a socket's path has at most 107 bytes.
    home = pathlib.Path(tempfile.mkdtemp(prefix="bwcity", dir=os.environ.get("BW_BENCH_DATA")))
    try:
        return static(home, args) | capacity(home, args) | participants(home)
    finally:
        shutil.rmtree(home, ignore_errors=True)
