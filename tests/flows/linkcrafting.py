"""Attributed records and names for tests of links."""

from collections.abc import Sequence

import numpy as np

from btimd.flows.linkbatches import TOTAL, LinkBatch
from btimd.model.flowbatch import AttributedBatch, FlowBatch
from btimd.model.ipplan import IpPlan
from btimd.model.taps import Names

NOW = 1_790_000_000_000 - 1_790_000_000_000 % 60_000


def names_of(*owners: Sequence[str], generation: int = 1, businesses: Sequence[str] = ()) -> Names:
    """Return names with a rule per argument, owned by these businesses."""
    known = tuple(dict.fromkeys([*businesses, *(name for rule in owners for name in rule)]))
    flat = [known.index(name) for rule in owners for name in rule or ()]
    sizes = [len(rule) for rule in owners]
    return Names(
        generation,
        known,
        (),
        np.concatenate(([0], np.cumsum(sizes))).astype(np.int32),
        np.array(flat, np.int32),
        IpPlan.empty(),
    )


def records(*rules: int, **columns: int | Sequence[int]) -> AttributedBatch:
    """Return records of these rules; columns as in FlowBatch, one value for all or one each."""
    given = {
        "flow_start_milliseconds": NOW + 1000,
        "flow_end_milliseconds": NOW + 1999,
        "octet_delta_count": 1000,
        "packet_delta_count": 10,
        "ingress_interface": 1,
        "egress_interface": 2,
        **columns,
    }
    full = {name: [value] * len(rules) if isinstance(value, int) else list(value) for name, value in given.items()}
    rule = np.array(rules, np.int32)
    return AttributedBatch(
        FlowBatch.of(**full), rule, np.full(len(rules), -1, np.int32), np.zeros(len(rules), np.uint8), 1
    )


def rows(batch: LinkBatch) -> list[tuple[object, ...]]:
    """Return exporter, ifIndex, direction, business, octets, packets, records and remarks of each row."""
    names = {TOTAL: "*", -1: ""} | dict(enumerate(batch.businesses))
    return [
        (
            int(batch.exporter_id[at]),
            int(batch.interface[at]),
            "out" if batch.outward[at] else "in",
            names[int(batch.business_id[at])],
            int(batch.octets[at]),
            int(batch.packets[at]),
            int(batch.records[at]),
            "s" * int(batch.sampled[at]) + "d" * int(batch.derived[at]),
        )
        for at in range(len(batch))
    ]


def doubles(batch: LinkBatch) -> list[tuple[object, ...]]:
    """Return exporter, business, counted records and octets, duplicate records and octets."""
    names, found = {TOTAL: "*", -1: ""} | dict(enumerate(batch.businesses)), batch.doubles
    return [
        (
            int(found.exporter_id[at]),
            names[int(found.business_id[at])],
            int(found.counted_records[at]),
            int(found.counted_octets[at]),
            int(found.duplicate_records[at]),
            int(found.duplicate_octets[at]),
        )
        for at in range(len(found.exporter_id))
    ]
