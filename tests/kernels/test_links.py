from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from btimd.flows.lines import zero_lines
from btimd.kernels import links as kernels
from btimd.kernels.flowlayout import Q_DROPPED
from tests.kernels.oracle_links import Key, Record, Sums, links

pytestmark = pytest.mark.bounds

SLOTS, HELD, LAST = 16, 5, 19
SETS = [0, 1, 2, 1]
EDGES = [-1, 0, 1, 2**31, 2**32 - 1, 2**32, 2**53, 2**63 - 1]
COUNTS = st.one_of(st.sampled_from(EDGES), st.integers(0, 10**6))
NOW = st.integers(290_000, 1_200_000)
TIMES = st.one_of(NOW, st.sampled_from([-(2**63), -1, 0, 2**31, 359_999, 360_000, 2**53, 2**63 - 1]))
PORTS = st.sampled_from([0, 1, 2, 3, 2**31 - 1, 2**31, 2**32 - 1])
RECORDS = st.lists(
    st.builds(
        Record, TIMES, NOW, COUNTS, COUNTS, st.sampled_from([-1, 0, 1, 2, 1000, 2**31 - 1]),
        st.sampled_from([0, 1, 2**31 - 1]), PORTS, PORTS, st.booleans(), st.booleans(), st.booleans(), st.booleans(),
        st.integers(-1, 3),
    ),
    max_size=30,
)  # fmt: skip


def added(
    records: list[Record], ports: int = 64, cells: int = 128
) -> tuple[dict[Key, Sums], list[int], int, list[int]]:
    """Return the kernel's sums, tallies, records that found no room, and its state."""
    keys, numbers = np.zeros(4 * ports, np.int64), np.zeros(4 * ports, np.int32)
    port_rows, cell_rows = np.zeros((ports, 2), np.int64), np.zeros((cells, 2), np.int32)
    table, state = np.zeros((ports, 3), np.int32), np.zeros(4, np.int64)
    lines, tallies = zero_lines(SLOTS * cells * 2), np.zeros(4, np.int64)
    slot_interval, slot_changed = np.full(SLOTS, -1, np.int64), np.zeros(SLOTS, np.uint8)

    def column(name: str, dtype: type) -> Any:
        return np.array([getattr(one, name) for one in records], dtype)

    lost = kernels.add_links(
        column("start", np.int64), column("end", np.int64), column("octets", np.int64), column("packets", np.int64),
        column("rate", np.int32), column("exporter", np.int32),
        np.array([Q_DROPPED if one.dropped else 0 for one in records], np.uint16),
        column("ingress", np.uint32), column("egress", np.uint32), column("at_egress", np.uint8),
        column("repeated", np.uint8), column("duplicate", np.uint8), column("rule", np.int32),
        np.array(SETS, np.int32), np.array([HELD, HELD, LAST]), slot_interval, slot_changed, keys, numbers, port_rows,
        table, cell_rows, state, lines, tallies, np.zeros((kernels.SCRATCH_ROWS, kernels.BLOCK), np.int64),
    )  # fmt: skip
    by_slot = lines.reshape(SLOTS, cells, 2, 8)
    sums: dict[Key, Sums] = {}
    for slot, cell, side in zip(*np.nonzero(by_slot.any(axis=3)), strict=True):
        port, owners = cell_rows[cell].tolist()
        exporter, interface = port_rows[port].tolist()
        counts = by_slot[slot, cell, side].tolist()
        marks = [counts[at] & 3 for at in (kernels.OWN_RECORDS, kernels.DERIVED_RECORDS)]
        counts[kernels.OWN_RECORDS] >>= 2
        counts[kernels.DERIVED_RECORDS] >>= 2
        assert slot_changed[slot] == 1
        found = Sums(counts, [bool(mark & kernels.SAMPLED) for mark in marks])
        sums[int(slot_interval[slot]), exporter, interface, int(side), owners] = found
    return sums, tallies.tolist(), lost, state.tolist()


@given(RECORDS)
@settings(max_examples=60)
@example([Record(400_000, 460_500, 1000, 10), Record(400_000, 460_500, 2**63 - 1, 2**63 - 1, rate=1000)])
@example([Record(0, 1_200_000, 2**53, 2**53), Record(2**63 - 1, 299_999, 1, 1), Record(0, 2**63 - 1, 1, 1)])
def test_every_record_counts_where_it_names_an_interface_to_the_last_octet(records: list[Record]) -> None:
    expected, tallies = links(records, SETS, HELD, LAST)
    sums, found_tallies, lost, _ = added(records)
    assert (sums, found_tallies, lost) == (expected, tallies, 0)


def test_what_finds_no_room_is_counted_once_per_record_and_leaves_the_others_alone() -> None:
    records = [Record(400_000, 400_500, 100, 1, ingress=port, egress=1) for port in (1, 2, 3, 2)]
    sums, _, lost, state = added(records, ports=2)
    assert lost == 1
    assert state[kernels.S_REFUSED : kernels.S_CELLS_REFUSED + 1] == [1, 0]
    assert {key[2:4]: one.counts[:6] for key, one in sums.items()} == {
        (1, 0): [100, 1, 1, 0, 0, 0],
        (1, 1): [0, 0, 0, 400, 4, 4],
        (2, 0): [200, 2, 2, 0, 0, 0],
    }
    _, _, lost, state = added([Record(400_000, 400_500, 100, 1, rule=rule) for rule in (0, 1, 2)], cells=3)
    assert lost == 2
    assert state[kernels.S_REFUSED : kernels.S_CELLS_REFUSED + 1] == [3, 3]


def test_more_records_than_a_block_count_like_few() -> None:
    records = [
        Record(400_000 + 7 * at, 400_000 + 100 * at, at, 1, ingress=at % 3, exporter=at % 2, rule=at % 4)
        for at in range(2 * kernels.BLOCK + 3)
    ]
    expected, tallies = links(records, SETS, HELD, LAST)
    assert added(records)[:3] == (expected, tallies, 0)


class Flows:
    """Calls of find_repeated on one table of a single place."""

    def __init__(self) -> None:
        self.table = np.zeros((1, 2), np.int64)

    def tell(self, *, domain: int, at: int, port: int = 80, wanted: int = 1) -> bool:
        """Report a flow; return whether it was repeated."""
        one, two, three, four = (np.array([word]) for word in (1, -(2**63), 3, 2**63 - 1))
        repeated = np.full(1, 9, np.uint8)
        found = kernels.find_repeated(
            one, two, three, four, np.array([port], np.uint16), np.array([53], np.uint16), np.array([6], np.uint8),
            np.array([2**31 - 1], np.int32), np.array([domain], np.uint32), np.array([2**32]),
            np.array([wanted], np.uint8), 2**62 - 1, at, 180, self.table,
            np.zeros((kernels.SCRATCH_ROWS, kernels.BLOCK), np.int64), repeated,
        )  # fmt: skip
        assert found == repeated[0]
        return bool(found)


def test_a_flow_belongs_to_the_domain_that_told_it_first_until_that_is_silent() -> None:
    flows = Flows()
    told = [
        flows.tell(domain=domain, at=at)
        for domain, at in ((0, 0), (2**32 - 1, 1), (0, 100), (7, 280), (7, 281), (0, 282))
    ]
    assert told == [False, True, False, True, False, True]


def test_the_time_of_a_flow_goes_round_after_eight_years() -> None:
    flows = Flows()
    around = 2**28
    told = [
        flows.tell(domain=domain, at=at % around)
        for domain, at in ((0, around - 1), (1, around + 5), (1, around + 200))
    ]
    assert told == [False, True, False]


def test_a_flow_that_finds_no_place_is_not_repeated_and_neither_is_one_that_is_not_asked_for() -> None:
    flows = Flows()
    assert not flows.tell(domain=0, at=0)
    assert not flows.tell(domain=1, at=1, port=81)
    assert not flows.tell(domain=0, at=2, port=81)
    assert not flows.tell(domain=1, at=2, wanted=0)
    assert flows.tell(domain=1, at=2)


def test_different_words_mix_into_different_numbers_below_2_to_the_62() -> None:
    words = [0, 1, -1, 2**31, 2**62, -(2**63), 2**63 - 1, *range(2, 2000)]
    numbers = {int(kernels.mix(np.int64(word))) for word in words}
    assert len(numbers) == len(words)
    assert all(0 <= number < 2**62 for number in numbers)
