# SPDX-License-Identifier: Apache-2.0
"""Resident memory of the processes over time, each life of a process on its own."""

import collections
import time

import checks

EVERY = 1.0      # seconds
WARM = 30.0      # seconds of a life that do not count: first connections, first messages, caches
JUDGED = 60.0    # seconds of it, at least, before anything is said of a life
# A process keeps what is worth keeping (proofs, topics, the store's caches), up to limits that a soak
# does not reach. Seen in 300 s without kills: 0.2 to 1.3 MiB, 4 KiB/s at most.
GROWTH = 8 * 1024    # KiB
SLOPE = 16.0         # KiB/s


class Memory:
    def __init__(self, processes):
        self._processes = processes
        self._lives = collections.defaultdict(list)  # (process, pid): [(seconds, KiB)]
        self._next = 0.0

    def look(self, resident):
        """`resident(name)`: (KiB, pid), or None."""
        now = time.time()
        if now < self._next:
            return
        self._next = now + EVERY
        for name in self._processes:
            found = resident(name)
            if found:
                self._lives[name, found[1]].append((now, found[0]))

    def _warm(self, life):
        return [(at, size) for at, size in life if at - life[0][0] >= WARM]

    def wrong(self):
        warm = {who: self._warm(life) for who, life in self._lives.items()}
        return [f"{name} (process {pid}): {words}" for (name, pid), life in warm.items()
                if life and life[-1][0] - life[0][0] >= JUDGED for words in checks.memory(life, GROWTH, SLOPE)]

    def lines(self):
        """For each process: its lives, and its longest one's memory."""
        for name in self._processes:
            lives = [life for (owner, _), life in self._lives.items() if owner == name]
            longest = max(lives, key=lambda life: life[-1][0] - life[0][0], default=[(0.0, 0)])
            warm = self._warm(longest) or longest
            peak = max((size for life in lives for _, size in life), default=0)
            yield (f"{name:9} {len(lives):3} lives, longest {longest[-1][0] - longest[0][0]:4.0f} s: "
                   f"{warm[0][1] / 1024:5.1f} MiB warm, {longest[-1][1] / 1024:5.1f} MiB at its end; "
                   f"peak of all {peak / 1024:5.1f} MiB")
