#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seeds of the fuzz targets, fuzz/corpus/TARGET/*, from the test vectors.

Each target has a function that yields (name, bytes); add yours to TARGETS.
"""

import json
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent


def vectors(name):
    return json.loads((ROOT / "tests" / "vectors" / f"{name}.json").read_text())


def file_name(text):
    return text.replace(" ", "_").replace(",", "")


def frame():
    for name, text in vectors("syndication")["frames"].items():
        yield name.replace(" ", "_"), bytes.fromhex(text)[4:]  # without the length


def batch():
    for number, whole in enumerate(vectors("syndication")["batches"]):
        yield f"whole_{number}", bytes.fromhex(whole["bytes"])
        for part in whole["selections"]:
            kept = "_".join(str(position) for position in part["kept"])
            yield f"part_{number}_{kept}", bytes.fromhex(part["bytes"])


def objects():
    for vector in vectors("objects")["objects"]:
        yield file_name(vector["name"]), bytes.fromhex(vector["bytes"])


def proofs():
    for vector in vectors("objects")["proofs"]:
        yield file_name(vector["name"]), bytes.fromhex(vector["bytes"])


def patterns():
    pairs = ["a/b a/b", "a/* */a", "+/b a/+", "a/+/* a/*/+"]
    pairs += ["a/*/b/c a/b/*/c", "!a/* +/x", "a b", "* *"]
    for number, pair in enumerate(pairs):
        yield f"pair_{number}", pair.replace(" ", "\n").encode()
    yield "widest", "\n".join(["/".join(["+"] * 31 + ["*"]), "/".join(["*"] + ["a"] * 31)]).encode()
    yield "longest", b"a" * 512


TARGETS = {
    "batch": batch,
    "frame": frame,
    "object": objects,
    "pattern": patterns,
    "proof": proofs,
}


def main():
    for target, seeds in TARGETS.items():
        folder = ROOT / "fuzz" / "corpus" / target
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in seeds():
            (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
