#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds every #include against the rooms that CMakeLists.txt files declare (docs/architecture.md).

  check_layers.py [ROOT]     ROOT: the repository, by default the one this file is in

Prints one line for each violation and exits with 1 when there is any.
"""

import collections
import pathlib
import re
import sys

# Who may include a library, and where it may show. `level`: rooms from this level up; `rooms`: these only;
# `hidden`: not in a header that another room includes.
Seam = collections.namedtuple("Seam", "prefixes level rooms hidden", defaults=(None, None, False))
SEAMS = {
    "Beast": Seam(("boost/beast",), rooms={"http"}, hidden=True),
    "Asio": Seam(("boost/asio",), level=4),
    "RocksDB": Seam(("rocksdb/",), rooms={"store"}, hidden=True),
    "OpenSSL": Seam(("openssl/",), rooms={"crypto", "net", "http"}, hidden=True),
    "libsecp256k1": Seam(("secp256k1",), rooms={"crypto"}, hidden=True),
    "Crypto++": Seam(("cryptopp/", "crypto++/"), rooms={"crypto"}, hidden=True),
    "libsodium": Seam(("sodium",), rooms={"crypto"}, hidden=True),
    "gRPC": Seam(("grpc", "google/protobuf", "bosswave."), rooms={"agent", "client"}),
    "SQLite": Seam(("sqlite3",), rooms={"city"}, hidden=True),
    "toml++": Seam(("toml++/",), rooms={"node"}, hidden=True),
    "CLI11": Seam(("CLI/",), rooms={"cli"}),
    "spdlog": Seam(("spdlog/",), rooms={"telemetry"}, hidden=True),
    "prometheus-cpp": Seam(("prometheus/",), rooms={"telemetry"}, hidden=True),
}

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)
ROOM = re.compile(r"bw_room\(\s*(\w+)([^)]*)\)")
KEYWORDS = {"LEVEL", "DEPS", "LIBS", "PARTS", "TEST_DEPS", "TEST_LIBS"}


class Room:
    def __init__(self, name, words):
        self.name = name
        lists = {keyword: [] for keyword in KEYWORDS}
        current = None
        for word in words:
            if word in KEYWORDS:
                current = lists[word]
            elif current is not None:
                current.append(word)
        self.level = int(lists["LEVEL"][0]) if lists["LEVEL"] else None
        self.deps = set(lists["DEPS"])
        self.test_deps = set(lists["TEST_DEPS"])


def read_rooms(src, complain):
    """Rooms by name. A folder without bw_room() holds generated code only, below all levels."""
    rooms = {}
    for file in sorted(src.glob("*/CMakeLists.txt")):
        text = re.sub(r"#.*", "", file.read_text())
        declared = ROOM.search(text)
        name = file.parent.name
        if declared is None:
            rooms[name] = Room(name, ["LEVEL", "0"])
            if any(file.parent.rglob("*.[ch]pp")):
                complain(file, f"{name}: has sources but no bw_room()")
            continue
        rooms[name] = Room(name, declared[2].split())
        if declared[1] != name:
            complain(file, f"bw_room({declared[1]}) in the folder of {name}")
        if rooms[name].level is None:
            complain(file, f"{name}: bw_room() has no LEVEL")
            rooms[name].level = 0
    for name, room in rooms.items():
        for dep in sorted(room.deps):
            if dep not in rooms:
                complain(src / name / "CMakeLists.txt", f"{name}: depends on {dep}, which is no room")
            elif rooms[dep].level >= room.level and not is_generated(src, dep):
                complain(src / name / "CMakeLists.txt",
                         f"{name} (level {room.level}): depends on {dep} (level {rooms[dep].level}); "
                         "only lower levels may be")
    return rooms


def is_generated(src, name):
    return not any((src / name).rglob("*.[ch]pp"))


def is_test(path, src):
    parts = path.relative_to(src).parts
    return path.stem.endswith(("_test", "_testing")) or "testing" in parts


def includes(path):
    """(line, quoted or None, angled or None) for each #include."""
    text = path.read_text()
    for found in INCLUDE.finditer(text):
        yield text.count("\n", 0, found.start(found.lastindex)) + 1, found[1], found[2]


def check_room_include(path, line, target, room, rooms, src, complain):
    other = target.split("/")[0]
    if other not in rooms:
        return complain(path, f'"{target}": {other} is no room', line)
    if not (src / target).is_file():
        return complain(path, f'"{target}": no such file', line)
    if is_test(src / target, src) and not is_test(path, src):
        return complain(path, f'"{target}": only tests may use what is made for tests', line)
    if other == room.name:
        return None
    allowed = room.deps | room.test_deps if is_test(path, src) else room.deps
    if other not in allowed:
        return complain(path, f'"{target}": {room.name} does not name {other} in its DEPS', line)
    if rooms[other].level >= room.level and not is_test(path, src):
        return complain(path, f'"{target}": {other} (level {rooms[other].level}) is not below '
                              f"{room.name} (level {room.level})", line)
    return None


def check_library_include(path, line, target, room, src, complain):
    if is_test(path, src):
        return
    for library, seam in SEAMS.items():
        if not target.startswith(seam.prefixes):
            continue
        if seam.rooms is not None and room.name not in seam.rooms:
            complain(path, f"<{target}>: {library} belongs to {', '.join(sorted(seam.rooms))}", line)
        if seam.level is not None and room.level < seam.level:
            complain(path, f"<{target}>: {library} is for rooms from level {seam.level} up, "
                           f"{room.name} has {room.level}", line)


def check_hidden(graph, libraries, src, complain):
    """A header of one room must not carry a hidden library into another."""
    def exposed(header, seen):
        found = {library: header for library in libraries.get(header, ())}
        for line, target in graph.get(header, ()):
            if target not in seen:
                seen.add(target)
                found |= exposed(target, seen)
        return found

    for path, targets in graph.items():
        room = path.relative_to(src).parts[0]
        for line, target in targets:
            if target.relative_to(src).parts[0] == room or is_test(path, src):
                continue
            for library, header in exposed(target, {target}).items():
                complain(path, f"{target.relative_to(src)} brings {library} with it "
                               f"(by {header.relative_to(src)})", line)


def check_cycles(graph, src, complain):
    done, under_way = set(), []

    def visit(path):
        if path in under_way:
            circle = under_way[under_way.index(path):] + [path]
            return complain(path, "headers include each other: " +
                            " -> ".join(str(part.relative_to(src)) for part in circle))
        if path in done:
            return None
        under_way.append(path)
        for _, target in graph.get(path, ()):
            visit(target)
        under_way.pop()
        return done.add(path)

    for path in sorted(graph):
        visit(path)


def check(root):
    src = root / "src"
    problems = []

    def complain(path, what, line=1):
        problems.append(f"{path.relative_to(root)}:{line}: {what}")

    rooms = read_rooms(src, complain)
    graph, hidden = collections.defaultdict(list), collections.defaultdict(set)
    for path in sorted([*src.rglob("*.cpp"), *src.rglob("*.hpp")]):
        name = path.relative_to(src).parts[0]
        if name not in rooms:
            complain(path, f"{name} is no room: it has no CMakeLists.txt")
            continue
        for line, quoted, angled in includes(path):
            if quoted:
                check_room_include(path, line, quoted, rooms[name], rooms, src, complain)
                graph[path].append((line, src / quoted))
            else:
                check_library_include(path, line, angled, rooms[name], src, complain)
                hidden[path] |= {library for library, seam in SEAMS.items()
                                 if seam.hidden and angled.startswith(seam.prefixes)}
    check_hidden(graph, hidden, src, complain)
    check_cycles(graph, src, complain)
    return problems


def main():
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent
    problems = check(root.resolve())
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
