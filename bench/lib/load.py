# SPDX-License-Identifier: Apache-2.0
"""One round of load through any system: a subscriber process, then a publisher process, and what they counted.

A system has publisher() and subscriber(connections), the command lines of its load clients, and pids(), the
processes between them."""
import json
import os
import pathlib
import select
import subprocess

PATIENCE = 60.0


class Failed(RuntimeError):
    pass


def line_of(process: subprocess.Popen, what: str) -> str:
    ready, _, _ = select.select([process.stdout], [], [], PATIENCE)
    line = process.stdout.readline().decode() if ready else ""
    if not line:
        process.kill()
        raise Failed(f"{what}: no answer; exit {process.wait()}")
    return line


def cpu_seconds(pid: int) -> float:
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def reap(process: subprocess.Popen) -> float:
    """Waits for the end of a process; the seconds of CPU that it used."""
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise Failed(f"{process.args[0]} ended with {process.returncode}")
    return used.ru_utime + used.ru_stime


def close(process: subprocess.Popen) -> None:
    if process.returncode is None:
        process.kill()
        process.wait()
    for stream in (process.stdin, process.stdout):
        if stream:
            stream.close()


def run(system, connections: int, *options: str) -> dict:
    """The subscriber's report (bench/programs/tally.hpp), under "publisher" that of the publisher, and under "cpu" the
    seconds of CPU of the publisher, the processes between, and the subscriber."""
    read_fd, write_fd = os.pipe2(os.O_NONBLOCK)
    began = [cpu_seconds(pid) for pid in system.pids()]
    subscriber = subprocess.Popen([*system.subscriber(connections), *options, "--progress-fd", str(write_fd)],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[write_fd])
    os.close(write_fd)
    publisher = None
    try:
        if line_of(subscriber, "subscriber").strip() != "ready":
            raise Failed("the subscriber is not ready")
        publisher = subprocess.Popen([*system.publisher(), *options, "--progress-fd", str(read_fd)],
                                     stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, pass_fds=[read_fd])
        sent = json.loads(line_of(publisher, "publisher"))
        publisher_cpu = reap(publisher)
        subscriber.stdin.write(f"{sent['sent']}\n".encode())
        subscriber.stdin.flush()
        report = json.loads(line_of(subscriber, "subscriber"))
        subscriber_cpu = reap(subscriber)
    finally:
        os.close(read_fd)
        for process in (subscriber, publisher):
            if process:
                close(process)
    between = [cpu_seconds(pid) - before for pid, before in zip(system.pids(), began)]
    return {**report, "publisher": sent, "cpu": [publisher_cpu, *between, subscriber_cpu]}
