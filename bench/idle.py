# SPDX-License-Identifier: Apache-2.0
"""What an agent costs that has nothing to do."""
import pathlib
import re
import subprocess
import time

from bench.lib import build
from bench.lib.apart import apart
from bench.lib.load import Failed, line_of

TARGETS = ["bw", "bench_idle"]
SUBSCRIPTIONS = 100
CHANGE_EVERY_S = 24.0    # 150 an hour
HEADERS_PER_SEGMENT = 52  # IPv4 and TCP with time stamps


def options(parser) -> None:
    parser.add_argument("--seconds", type=float, default=120, help="how long to watch; whole multiples of 24 are fair")


def cpu_ns(pid: int) -> int:
    """Nanoseconds on a CPU, of all threads that live."""
    stats = pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(stat.read_text(encoding="ascii").split()[0]) for stat in stats)


def tcp(pid: int) -> tuple[int, int]:
    """Bytes and segments, both ways, of all TCP connections that the process has."""
    listed = subprocess.run(["ss", "--tcp", "--info", "--processes", "--numeric", "--no-header", "--oneline"],
                            check=True, capture_output=True, text=True).stdout
    payload = segments = 0
    for line in listed.splitlines():
        if f"pid={pid}," in line:
            counts = {key: int(value) for key, value in re.findall(r"(bytes_\w+|segs_\w+):(\d+)", line)}
            payload += counts.get("bytes_sent", 0) + counts.get("bytes_received", 0)
            segments += counts.get("segs_out", 0) + counts.get("segs_in", 0)
    return payload, segments


def watch(site, agent, seconds: float) -> dict:
    """Changes the ledger all the while."""
    pid = agent.process.pid
    began, cpu, (payload, segments) = time.monotonic(), cpu_ns(pid), tcp(pid)
    changes = 0
    while (left := began + seconds - time.monotonic()) > 0:
        due = began + (changes + 0.5) * CHANGE_EVERY_S
        time.sleep(max(0.0, min(left, due - time.monotonic())))
        if time.monotonic() >= due:
            site.ledger.ok("grant", site.ledger.key("other"), f"lab/else/{changes}", "PC*", sign="lab")
            changes += 1
            build.say(f"idle: change {changes} of the ledger")
    took = time.monotonic() - began
    cpu, (payload_end, segments_end) = cpu_ns(pid) - cpu, tcp(pid)
    payload, segments = payload_end - payload, segments_end - segments
    return {"cpu_percent": round(cpu / took / 1e7, 4),
            "bytes_per_s": round((payload + segments * HEADERS_PER_SEGMENT) / took, 1),
            "payload_bytes_per_s": round(payload / took, 1), "segments_per_s": round(segments / took, 2),
            "changes_per_hour": round(changes / took * 3600, 1), "seconds": round(took, 1)}


def run(args) -> dict:
    """CPU and network of an agent daemon with 100 subscriptions to which nothing is published, following a ledger
    that changes 150 times an hour (a grant to somebody else every 24 s, at the real rate). Ledger, router, agent and
    the application are four processes.

    cpu_percent          of one core, all threads of the agent's process
    bytes_per_s          on the agent's TCP connections (router and ledger), both ways: payload, which is TLS
                         records, and 52 bytes of headers for each segment
    payload_bytes_per_s, segments_per_s  its two parts
    changes_per_hour, seconds            what the ledger did, how long it was watched"""
    with apart() as site:
        site.entity("reader", "idle/+", "C")
        site.entity("other")
        agent = site.agent("agent")
        agent.ok("entity", "import", "reader", site.ledger.path("keys", "reader.key"))
        agent.caught_up(site.entries())
        application = subprocess.Popen(
            [build.program("bench_idle"), agent.path("agent.sock"), "reader", "lab", str(SUBSCRIPTIONS)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            if line_of(application, "subscriptions").strip() != "ready":
                raise Failed("the subscriptions do not stand")
            time.sleep(3)
            build.say(f"idle: watching for {args.seconds} s")
            return watch(site, agent, args.seconds)
        finally:
            application.stdin.close()
            application.wait(30)
