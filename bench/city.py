# SPDX-License-Identifier: Apache-2.0
"""A whole city under one authority system: built through a ledger's public door, reopened, asked, pressed."""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

from bench.lib import build

TARGETS = ["bw"]
MIB = 1024 * 1024
# Of the file system for the agents' replicas. The file is sparse: it takes what is written.
IMAGE_BYTES = 200 * 1024 * MIB


def options(parser) -> None:
    parser.add_argument("--scale", type=float, default=1.0, help="1 is San Francisco: 5,055,966 objects")
    parser.add_argument("--pairs", type=int, default=10_000, help="random questions after it is built")
    parser.add_argument("--step", type=float, default=2.0, help="seconds at each rate of permission changes")
    parser.add_argument("--participants", type=int, default=100, help="agents on poor access links; 0: none")
    parser.add_argument("--watch", type=float, default=300.0, help="seconds for which their use is measured")
    parser.add_argument("--rounds", type=int, default=10, help="quiet ones, and as many under attack")


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


@contextlib.contextmanager
def sharing_blocks(path: pathlib.Path):
    """A file system at `path` whose files share blocks, so that the replicas of all agents take the room of one, where
    root and mkfs.xfs are there for it; else they are copies, as many as fit."""
    if os.geteuid() != 0 or not shutil.which("mkfs.xfs"):
        yield
        return
    path.mkdir(parents=True, exist_ok=True)
    image = path.with_name(path.name + ".xfs")
    with open(image, "wb") as file:
        file.truncate(IMAGE_BYTES)
    subprocess.run(["mkfs.xfs", "-q", "-m", "reflink=1", image], check=True)
    subprocess.run(["mount", "-o", "loop", image, path], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", path], check=True)


def participants(directory: pathlib.Path, args) -> dict:
    if args.participants == 0:
        return {}
    with sharing_blocks(directory / "run" / "participants"):
        try:
            lived = bw(directory, args, "run", "--days", "0.1", "--participants", str(args.participants), "--watch",
                       str(args.watch), "--attack", "--rounds", str(args.rounds))
        except RuntimeError as error:
            build.say(f"city: the agents' figures are left out: {error}")
            return {}
    found, attacked = lived["participants"], lived["attacked"]
    return {"agent_cpu_percent": round(found["agent_cpu_percent"], 4),
            "agent_cpu_percent_max": round(found["agent_cpu_percent_max"], 4),
            "agent_bytes_per_s": round(found["agent_bytes_per_s"], 1),
            "agent_bytes_per_s_max": round(found["agent_bytes_per_s_max"], 1),
            "agent_rss_mib_max": round(found["agent_rss_bytes_max"] / MIB, 1),
            "quiet_message_p50_us": round(attacked["quiet_message_p50_us"]),
            "attacked_message_p50_us": round(attacked["attacked_message_p50_us"]),
            "quiet_message_standard_error_us": round(attacked["standard_error_us"]),
            "attacked_messages_lost": attacked["messages_lost"],
            "run_disagreements": lived["disagreements"] + found["disagreements"]}


def run(args) -> dict:
    """build_s: signing, submitting, validating and indexing every object, until all are durable;
    rss_mib: the most that any one process had resident; disk_gib: the ledger's directory, stopped;
    reopen_s: from its files to the first answer; proof_cold_*_us: finding and loading an occupant's
    proof for the first time; oracle_disagreements: of --pairs random questions, those that proof
    search, the model and a slow oracle did not answer alike."""
    # BW_BENCH_DATA: on which file system. Short, because a socket's path has at most 107 bytes.
    home = pathlib.Path(tempfile.mkdtemp(prefix="bwcity", dir=os.environ.get("BW_BENCH_DATA")))
    try:
        return static(home, args) | capacity(home, args) | participants(home, args)
    finally:
        shutil.rmtree(home, ignore_errors=True)
