# SPDX-License-Identifier: Apache-2.0
"""A running `bw sub` whose lines are handed on as they come, with the time of their arrival."""

import json
import signal
import subprocess
import threading
import time

from bosswave import BW, SIGNS_OF_A_CRASH


class Feed:
    def __init__(self, arguments, on_row, on_end):
        """on_row(row, time) and on_end(exit code, error, time, whether end() was called) come on a thread of
        this feed."""
        self._on_row, self._on_end = on_row, on_end
        self._process = subprocess.Popen([BW, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                         stderr=subprocess.PIPE, text=True, errors="replace")
        self._asked_to_end = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        for line in self._process.stdout:
            if line.endswith("\n"):  # else it was killed in the middle of it
                self._on_row(json.loads(line), time.time())
        said = self._process.stderr.read()
        code = self._process.wait()
        self._process.stdout.close()
        self._process.stderr.close()
        if any(sign in said for sign in SIGNS_OF_A_CRASH) or (code < 0 and not self._asked_to_end):
            said = "crashed: " + said
        self._on_end(code, said.strip(), time.time(), self._asked_to_end)

    def end(self, hard):
        self._asked_to_end = True
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL if hard else signal.SIGTERM)
