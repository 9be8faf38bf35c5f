# SPDX-License-Identifier: Apache-2.0
"""Builds the programs a bench runs, with the release preset, and finds them."""
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# BW_BUILD names another directory that the release preset was configured into.
BUILD = pathlib.Path(os.environ.get("BW_BUILD", ROOT / "build" / "release"))


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def targets(names: list[str]) -> None:
    if not names:
        return  # ninja would take that for all
    if not (BUILD / "build.ninja").exists():
        say("configure: preset release")
        subprocess.run(["make", "-C", str(ROOT), "build/release/build.ninja"], check=True, stdout=sys.stderr)
    say(f"build: {' '.join(names)}")
    subprocess.run(["ninja", "-C", str(BUILD), "-j", str(os.cpu_count() or 2), "--quiet", *names],
                   check=True, stdout=sys.stderr)


def bw() -> pathlib.Path:
    return BUILD / "src" / "cli" / "bw"


def program(name: str) -> pathlib.Path:
    """A program of bench/programs."""
    return BUILD / "bench" / name
