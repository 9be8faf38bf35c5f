#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""House rules that compilers do not know.

  tidy.py [ROOT]     ROOT: the repository, by default the one this file is in

Prints one line for each violation and exits with 1 when there is any.
"""

import pathlib
import re
import sys

FOLDERS = ["src", "tests", "fuzz", "bench", "tools", "cmake", "proto", "examples"]
COMMENT = {
    **dict.fromkeys([".cpp", ".hpp", ".proto"], "//"),
    **dict.fromkeys([".py", ".sh", ".cmake"], "#"),
    "CMakeLists.txt": "#",
}
LICENCE = "SPDX-License-Identifier: Apache-2.0"
LINES = 600
COLUMNS = 100

# Split, so that this file does not break its own rules.
LATER = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
DETACHED = re.compile(r"\basio::det" r"ached\b")
# What may be longer than a line: a string, a comment beside the row of a table, an #include.
MAY_BE_LONG = re.compile(r'"|//|^\s*#')


def sources(root):
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            mark = COMMENT.get(path.suffix) or COMMENT.get(path.name)
            if mark and path.is_file():
                yield path, mark
    for path in sorted(root.glob("CMakeLists.txt")):
        yield path, "#"


def problems_of(path, mark):
    lines = path.read_text().split("\n")
    if f"{mark} {LICENCE}" not in lines[:2]:
        yield 1, f"the first line must be '{mark} {LICENCE}'"
    if len(lines) - 1 > LINES:
        yield LINES, f"{len(lines) - 1} lines; at most {LINES}: split it by idea"
    for number, line in enumerate(lines, 1):
        if "\t" in line:
            yield number, "a tab; indent with spaces"
        if line != line.rstrip():
            yield number, "spaces at the end of the line"
        if len(line) > COLUMNS and path.suffix in {".cpp", ".hpp"} and not MAY_BE_LONG.search(line):
            yield number, f"{len(line)} columns; at most {COLUMNS}: run make format"
        if LATER.search(line):
            yield number, "a note of work left; do it, or put it where work is tracked"
        if DETACHED.search(line):
            yield number, "a detached coroutine; give it to a net::TaskGroup, which waits for it"


def main():
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent
    root = root.resolve()
    found = 0
    for path, mark in sources(root):
        for number, what in problems_of(path, mark):
            print(f"{path.relative_to(root)}:{number}: {what}")
            found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
