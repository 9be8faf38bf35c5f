# SPDX-License-Identifier: Apache-2.0
"""The brokers that Bosswave is compared with, each set up as well as it can be for speed: no logs, no
persistence, no limit on what may wait."""
import os
import pathlib
import socket
import subprocess
import time

from bench.lib import build
from tests.system.bosswave import free_port

PATIENCE = 10.0


def certificate(directory: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    """A throw-away key on P-256, as Bosswave's own sessions use, and a certificate for it."""
    key, cert = directory / "tls.key", directory / "tls.crt"
    if not cert.exists():
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2", "-subj", "/CN=localhost", "-keyout", str(key), "-out", str(cert)],
                       check=True, capture_output=True)
    return key, cert


def wait_for_port(port: int, process: subprocess.Popen) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args[0]} ended at its start with {process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError(f"{process.args[0]} does not listen on port {port}")


class Broker:
    """One broker process on a free port, and the load clients' command lines for it."""

    def __init__(self, directory: pathlib.Path, tls: bool, nodelay: bool):
        self.directory, self.tls, self.nodelay = directory, tls, nodelay
        self.port = free_port()
        self.process = None

    def start(self):
        config = self.directory / f"{self.protocol}{'-tls' if self.tls else ''}.conf"
        config.write_text(self.config())
        with config.with_suffix(".log").open("wb") as log:
            self.process = subprocess.Popen([*self.program, str(config)], stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=subprocess.STDOUT)
        wait_for_port(self.port, self.process)
        return self

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(PATIENCE)

    def pids(self) -> list[int]:
        return [self.process.pid]

    def client(self) -> list[str]:
        return [str(build.program("bench_broker")), "--protocol", self.protocol,
                "--address", f"127.0.0.1:{self.port}", *(["--tls"] if self.tls else [])]

    def publisher(self) -> list[str]:
        return [*self.client(), "publish"]

    def subscriber(self, connections: int) -> list[str]:
        return [*self.client(), "subscribe", "--connections", str(connections)]


class Nats(Broker):
    protocol = "nats"
    program = ["nats-server", "-c"]

    def config(self) -> str:
        text = (f'listen: "127.0.0.1:{self.port}"\n'
                # What waits for one client before it is taken for dead; in all, more than the window of the load.
                'max_pending: 1GB\nwrite_deadline: "60s"\n')
        if self.tls:
            key, cert = certificate(self.directory)
            text += f'tls {{ cert_file: "{cert}", key_file: "{key}" }}\n'
        return text


class Mosquitto(Broker):
    protocol = "mqtt"
    program = ["mosquitto", "-c"]

    def config(self) -> str:
        # It writes each message by itself: without TCP_NODELAY the system collects them when it has many.
        text = (f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\nlog_type none\n"
                f"set_tcp_nodelay {str(self.nodelay).lower()}\n"
                "max_queued_messages 0\nmax_queued_bytes 0\nsys_interval 0\n")
        if self.tls:
            key, cert = certificate(self.directory)
            text += f"keyfile {key}\ncertfile {cert}\n"
        if os.geteuid() == 0:
            text += "user root\n"
        return text
