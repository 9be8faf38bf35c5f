# SPDX-License-Identifier: Apache-2.0
"""Who plays: two namespaces of two owners on a router each, people at three agents, and the grants that
stand throughout, so that most messages have somebody who must get them."""

# Entity: the agent that holds its key. A namespace is its owner's key.
HOME = {"alpha": "agent-1", "ann": "agent-1", "beta": "agent-2", "bob": "agent-2",
        "cat": "agent-3", "dan": "agent-3", "eve": "agent-3"}
# Namespace: its designated router.
ROUTER = {"alpha": "router-a", "beta": "router-b"}
NAMESPACES = tuple(ROUTER)
PEOPLE = tuple(entity for entity in HOME if entity not in ROUTER)

# How long a node may go on deciding without its ledger, in seconds: short, because it bounds how long
# a revocation may go unheard; and longer than the 15 s after which a ledger that has nothing to say
# says so.
STALENESS = 20

# (namespace, granter, grantee, pattern, permissions, ttl), in force during the whole run.
STANDING = (
    ("alpha", "alpha", "ann", "*", "PC*T*L", 3),
    ("alpha", "ann", "cat", "r1/*", "PC*", 1),
    ("alpha", "alpha", "bob", "+/temp", "PC+", 0),
    ("beta", "beta", "bob", "*", "PC*T*L", 3),
    ("beta", "bob", "ann", "r2/+", "PC+", 1),
    ("beta", "beta", "cat", "*", "C*", 0),
)
# Who may give grants in which namespace, that people try to.
GRANTERS = {"alpha": ("alpha", "ann", "ann", "cat"), "beta": ("beta", "bob", "bob", "ann")}

# Subscriptions that the run begins with: (entity, namespace, pattern, tap, replay).
FIRST = (
    ("ann", "alpha", "*", False, False), ("bob", "alpha", "+/temp", False, False),
    ("cat", "alpha", "r1/*", False, True), ("alpha", "alpha", "*", True, False),
    ("bob", "beta", "*", False, False), ("ann", "beta", "r2/+", False, False),
    ("cat", "beta", "*", False, True), ("beta", "beta", "r2/*", True, False),
)
