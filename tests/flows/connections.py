"""Quality records and durations for the tests of flows, in the small network of traffic.py."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from btimd.model.address import address_halves
from btimd.model.flowbatch import FlowBatch
from btimd.model.packets import SpanTraffic
from btimd.model.quality import COUNTERS, SAMPLE_KINDS, QualityBatch
from tests.flows.traffic import ERP, PORTS, T0


@dataclass(frozen=True)
class Told:
    """One quality record (counts) or one duration (kind, seconds) of a connection; at: ms after T0."""

    client: str = "10.1.0.1"
    server: str = ERP
    at: int = 0
    counts: Mapping[str, int] | None = None
    kind: str = ""
    seconds: float = 0.0
    port: int | None = None
    protocol: int = 6


def counted(
    client: str = "10.1.0.1", server: str = ERP, *, at: int = 0, port: int | None = None, **counts: int
) -> Told:
    """Return a quality record."""
    return Told(client, server, at, counts, port=port)


def took(
    kind: str, seconds: float, client: str = "10.1.0.1", server: str = ERP, *, at: int = 0, port: int | None = None
) -> Told:
    """Return a duration."""
    return Told(client, server, at, None, kind, seconds, port)


def _ends(told: Sequence[Told]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    halves = [(*address_halves(one.client), *address_halves(one.server)) for one in told]
    ports = [(40_000, PORTS.get(one.server, 80) if one.port is None else one.port) for one in told]
    return (
        np.array(halves, np.uint64).reshape(-1, 4).T.copy().view(np.int64),
        np.array(ports, np.uint16).reshape(-1, 2).T.copy(),
        np.array([one.protocol for one in told], np.uint8),
        np.array([T0 + one.at for one in told], np.int64),
    )


def quality_batch(*told: Told) -> QualityBatch:
    """Return a batch of quality records and durations, in their order."""
    records = [one for one in told if one.counts is not None]
    samples = [one for one in told if one.counts is None]
    counters = np.zeros((len(COUNTERS), len(records)), np.int64)
    for column, one in enumerate(records):
        for name, count in (one.counts or {}).items():
            counters[COUNTERS.index(name), column] = count
    return QualityBatch(
        *_ends(records),
        counters,
        *_ends(samples),
        np.array([SAMPLE_KINDS.index(one.kind) for one in samples], np.uint8),
        np.array([round(one.seconds * 1e9) for one in samples], np.int64),
    )


def span(*told: Told, point: int = 0, packets: int = 0, lost: int = 0, flows: FlowBatch | None = None) -> SpanTraffic:
    """Return a harvest."""
    return SpanTraffic(point, FlowBatch.zeros(0) if flows is None else flows, quality_batch(*told), packets, lost)


def near(value: float | None, rel: float = 1e-9) -> Any:
    """Return what equals a number within a share of it."""
    return pytest.approx(value, rel=rel)
