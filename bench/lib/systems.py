# SPDX-License-Identifier: Apache-2.0
"""Every system that the load benches compare, by name."""
import contextlib
import pathlib

from bench.lib import nodes, peers


def start(names: set[str], directory: pathlib.Path, stack: contextlib.ExitStack, nodelay: bool) -> dict:
    """Starts bosswave, bosswave_api, nats, nats_tls, mosquitto, mosquitto_tls, as named; `stack` stops them.
    `nodelay`: mosquitto's TCP_NODELAY; the others have it always and collect what they write themselves."""
    running = {}
    if names & {"bosswave", "bosswave_api"}:
        site = nodes.Site(directory / "site")
        stack.callback(site.stop)
        site.start()
    for name in sorted(names):
        if name == "bosswave":
            running[name] = nodes.Embedded(site)
        elif name == "bosswave_api":
            running[name] = nodes.Api(site)
        else:
            kind = peers.Nats if name.startswith("nats") else peers.Mosquitto
            broker = kind(directory, name.endswith("_tls"), nodelay)
            stack.callback(broker.stop)
            running[name] = broker.start()
    return running
