"""Which checks the nodes of a drawn world have: about 2.2 for each node."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from btimd.rca.world import Probes


class ProbeType(NamedTuple):
    """A check: how often a kind of node has it, what it costs, what it sees."""

    name: str
    share: float
    cost: float
    end_to_end: bool
    detects: float


def _icmp(share: float = 1.0) -> ProbeType:
    return ProbeType("icmp", share, 1.0, end_to_end=False, detects=0.5)


def _tcp(share: float = 1.0) -> ProbeType:
    return ProbeType("tcp", share, 1.5, end_to_end=False, detects=0.6)


def _agent(share: float = 1.0, name: str = "agent") -> ProbeType:
    return ProbeType(name, share, 3.0, end_to_end=False, detects=0.95)


def _dialogue(name: str, cost: float, share: float = 1.0) -> ProbeType:
    return ProbeType(name, share, cost, end_to_end=True, detects=0.95)


PROBE_TYPES: Final = {
    "business": (_dialogue("transaction", 10.0, 0.8),),
    "service": (_dialogue("http", 4.0), _tcp(0.7)),
    "application": (_dialogue("http", 4.0, 0.95), _tcp(), _agent(0.8)),
    "middleware": (_dialogue("queue", 4.0, 0.8), _tcp(), _agent(0.8)),
    "database": (_dialogue("sql", 6.0, 0.95), _tcp(), _agent(0.8)),
    "dns": (_dialogue("dns", 1.0), _agent(0.8)),
    "ldap": (_dialogue("bind", 2.0), _tcp(), _agent(0.8)),
    "storage": (_icmp(), _agent(name="snmp")),
    "os": (_icmp(), _tcp(0.7), _agent()),
    "host": (_icmp(), _agent(name="snmp"), _agent(0.3, "console")),
    "access-switch": (_icmp(), _agent(name="snmp")),
    "distribution-switch": (_icmp(), _agent(name="snmp")),
    "core-switch": (_icmp(), _agent(name="snmp")),
    "link": (_agent(0.95, "counters"), _icmp(0.6)),
    "wan": (_icmp(), _agent(0.8, "snmp"), _tcp(0.5)),
    "facility": (_agent(0.9, "sensor"), _icmp(0.5)),
}
"""The checks of a kind."""

CHECKS: Final = tuple(sorted({one.name for types in PROBE_TYPES.values() for one in types}))


def draw_probes(
    names: Sequence[str], kind: np.ndarray, kinds: Sequence[str], *, density: float, rng: np.random.Generator
) -> Probes:
    """Return the probes of nodes. kind: int16[n], index into kinds. density: 1 gives about 2.2 for each node."""
    found: list[tuple[int, int, ProbeType]] = []
    for number, what in enumerate(kinds):
        rows = np.flatnonzero(kind == number)
        for one in PROBE_TYPES[what]:
            share = min(1.0, one.share * density)
            check = CHECKS.index(one.name)
            found.extend((row, check, one) for row in rows[rng.random(len(rows)) < share].tolist())
    found.sort(key=lambda one: (one[0], one[2].cost))
    # A check that is bad without a reason is rare, and every place has its own rate.
    false_positive = rng.uniform(0.004, 0.02, len(found))
    return Probes(
        [f"{names[row]}/{one.name}" for row, _, one in found],
        np.array([row for row, _, _ in found], np.int32),
        CHECKS,
        np.array([check for _, check, _ in found], np.int16),
        np.array([one.cost for _, _, one in found], np.float32),
        np.array([one.end_to_end for _, _, one in found], np.bool_),
        np.array([one.detects for _, _, one in found], np.float32),
        false_positive.astype(np.float32),
    )
