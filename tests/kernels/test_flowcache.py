"""The kernels of the flow table below the level that tests/flows/test_table.py sees: places, ages, edges of numbers."""

import inspect
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btimd.flows.table import FlowTable, TableLimits
from btimd.kernels import flowcache, flowentry, flowsweep
from tests.flows.test_table import rows_of, sums
from tests.kernels import oracle_flowcache as oracle
from tests.kernels.oracle_flowcache import MAPPED, START, UDP, Packet, block_of

pytestmark = pytest.mark.bounds


def plain(function: Any) -> Any:
    """Return what a kernel is compiled from."""
    return inspect.unwrap(getattr(function, "py_func", function))


def crowded(table: FlowTable, wanted: int) -> list[Packet]:
    """Return flows that all belong to one place of a table's index."""
    destinations = MAPPED | np.unique(np.random.default_rng(1).integers(2, 1 << 32, 1 << 19))
    ends = np.full_like(destinations, UDP << 32 | 40_000 << 16 | 443)
    values = plain(flowentry.narrow_hash)(1, destinations & 0xFFFF_FFFF, ends, table._secrets)
    chosen = destinations[values & (len(table._index) - 1) == 5][:wanted].tolist()
    assert len(chosen) == wanted
    return [Packet(source=MAPPED | 1, destination=destination, protocol=UDP) for destination in chosen]


def check(table: FlowTable) -> None:
    """Check that each flow is found from where it belongs, and that nothing else is in the index."""
    places = np.flatnonzero(table._index >= 0).tolist()
    slots = [int(table._index[place]) & 0xFF_FFFF for place in places]
    metas = table._entries.reshape(-1, flowentry.ENTRY_WORDS)[:, flowentry.E_META]
    assert sorted(slots) == np.flatnonzero(metas & flowentry.USED).tolist()
    mask = len(table._index) - 1
    for place, slot in zip(places, slots, strict=True):
        home = int(table._hashes[slot])
        assert int(table._index[place]) >> 24 == home >> 24
        assert all(table._index[(home + step) & mask] >= 0 for step in range((place - home) & mask))


@settings(max_examples=60)
@given(st.lists(st.tuples(oracle.TIMED, st.booleans()), max_size=6), st.integers(1, 64), st.integers(0, 2**31))
def test_every_flow_is_found_from_where_it_belongs_whatever_was_forgotten(
    batches: list[Any], capacity: int, seed: int
) -> None:
    table = FlowTable(TableLimits(flows=capacity), seed=seed)
    now = START
    for packets, evict in batches:
        table.add(block_of([packet for packet, _ in packets]))
        check(table)
        if evict:
            table._evict(3)
        now += 30 * oracle.SECOND
        table.harvest(now)
        check(table)
    table.flush()
    check(table)
    assert not table._entries.any()
    assert not table._outer.any()
    assert (table._index == -1).all()


def test_flows_that_crowd_one_place_lose_no_packet() -> None:
    table = FlowTable(TableLimits(flows=300), seed=3)
    packets = crowded(table, flowentry.MOST_PROBES + 20)
    table.add(block_of(packets))
    check(table)
    assert table.counters.evicted == 20
    assert table.counters.flows == flowentry.MOST_PROBES
    wanted = oracle.Table()
    wanted.add(packets)
    assert sums(rows_of(table.flush())) == sums(wanted.flush())


def test_a_flow_is_reported_before_its_octets_leave_their_bits() -> None:
    table = FlowTable()
    block = block_of([Packet()] * 5000)
    block.frames[2] = 1 << 40
    table.add(block)
    rows = rows_of(table.flush())
    assert len(rows) > 1
    assert sum(row[7] for row in rows) == 5000
    assert sum(row[9] for row in rows) == 5000 * flowentry.MOST_FRAME_OCTETS
    assert sum(row[8] for row in rows) == 5000 * 50


@pytest.mark.parametrize("age", [0, 1, 2, 3, 4, 5, 7, 8, 2**31, 2**32 - 1, 2**62, 2**63 - 1])
def test_ages_grow_with_time_and_stay_in_their_table(age: int) -> None:
    place = int(plain(flowsweep.age_of)(np.int64(age)))
    assert 0 <= place < flowsweep.AGES
    assert age == 0 or int(plain(flowsweep.age_of)(np.int64(age - 1))) <= place


def test_the_scratch_of_a_batch_holds_what_is_parsed_and_what_is_looked_up() -> None:
    assert flowcache.ROW_WORDS % 8 == 0
    assert flowcache.K_SLOT < flowcache.ROW_WORDS
