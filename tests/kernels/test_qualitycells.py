from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btimd.flows.qualityrows import Cells
from btimd.kernels import qualitycells as kernels
from btimd.kernels.packetlayout import QUALITY_COUNTERS, SAMPLE_KINDS
from btimd.kernels.sketch import ST_COUNT, ST_SUM
from tests.kernels.oracle_quality import Key, QualityCellsOracle

pytestmark = pytest.mark.bounds

OFFSETS = np.array([0, 1, 3, 4], np.int32)
OWNERS = np.array([0, 1, 2, -1], np.int32)
PLACE_OF_ROW = np.array([0, 1, 1, 2], np.int32)
HALVES = st.sampled_from([0, 1, -1, 2**62, -(2**63), 2**63 - 1])
BEGIN, END = 10_000, 20_000

# server, port, rule, plan row, whether the source is the client, time
CONNECTION = st.tuples(
    st.tuples(HALVES, HALVES), st.integers(0, 3), st.integers(-1, 2), st.integers(-1, 3), st.integers(0, 1),
    st.sampled_from([BEGIN - 1, BEGIN, BEGIN + 1, END - 1, END]),
)  # fmt: skip
Connection = tuple[tuple[int, int], int, int, int, int, int]


def columns(given_connections: list[Connection]) -> dict[str, Any]:
    """Return the columns that both kernels read."""
    n = len(given_connections)
    addresses, ports = np.zeros((4, n), np.int64), np.zeros((2, n), np.uint16)
    for k, (server, port, *_) in enumerate(given_connections):
        addresses[2:, k] = server
        ports[1, k] = port
    return {
        "addresses": addresses,
        "ports": ports,
        "times": np.array([one[5] for one in given_connections], np.int64),
        "rules": np.array([one[2] for one in given_connections], np.int32),
        "rows": np.array([one[3] for one in given_connections], np.int32),
        "sides": np.array([one[4] for one in given_connections], np.uint8),
    }


def shares(oracle: QualityCellsOracle, one: Connection) -> list[Key]:
    """Return the cells in which a connection counts."""
    (hi, lo), port, rule, row, is_client, time = one
    if not BEGIN <= time < END:
        return []
    owners = OWNERS[OFFSETS[rule] : OFFSETS[rule + 1]].tolist() if rule >= 0 else [-1]
    place = int(PLACE_OF_ROW[row]) if row >= 0 else -1
    return [oracle.cell(business, place, (hi, lo, port) if is_client else None) for business in owners]


def keys(cells: Cells) -> list[Key]:
    """Return what each line is of."""
    return [
        (business, place, None if port < 0 else (hi, lo, port))
        for business, place, hi, lo, port, *_ in cells.cells[: len(cells)].tolist()
    ]


def run(gather: Any, cells: Cells) -> None:
    """Call a kernel until it has taken everything, giving it the least room that it asks for."""
    done, length = gather(0, cells)
    while done < length:
        cells.grow(2)
        before = done
        done, length = gather(done, cells)
        assert done > before or len(cells.cells) > len(cells)


@settings(max_examples=80)
@given(st.lists(st.tuples(CONNECTION, st.integers(0, 2**63 - 1), st.integers(-1, 5)), max_size=40), st.integers(1, 12))
def test_records_add_up_per_owner_place_and_server_until_there_is_no_room(
    told: list[tuple[Connection, int, int]], most: int
) -> None:
    these = columns([one for one, _, _ in told])
    counters = np.zeros((QUALITY_COUNTERS, len(told)), np.int64)
    for k, (_, first, last) in enumerate(told):
        counters[0, k], counters[QUALITY_COUNTERS - 1, k] = first, last
    cells = Cells(most, room=1, sketches=1)

    def gather(begin: int, into: Cells) -> tuple[int, int]:
        return kernels.gather_records(
            begin, BEGIN, END, these["addresses"], these["ports"], these["times"], counters, these["rules"],
            these["rows"], these["sides"], OFFSETS, OWNERS, PLACE_OF_ROW, 4, into.table, into.cells, into.lines,
            into.state, into.most,
        ), len(told)  # fmt: skip

    run(gather, cells)
    oracle = QualityCellsOracle(most)
    for one, first, last in told:
        for key in shares(oracle, one):
            oracle.record(key, {0: first, QUALITY_COUNTERS - 1: max(last, 0)})
    assert keys(cells) == [*oracle.counts]
    assert int(cells.state[kernels.S_OVERFLOWED]) == oracle.overflowed
    for line, counts in zip(cells.lines[: len(cells)].tolist(), oracle.counts.values(), strict=True):
        assert line[0] == min(counts[0], 2**63 - 1)
        assert line[QUALITY_COUNTERS - 1] == counts[QUALITY_COUNTERS - 1]
        assert line[kernels.L_FLAGS : kernels.L_SKETCH] == [3, 4]


@settings(max_examples=80)
@given(st.lists(st.tuples(CONNECTION, st.integers(0, 255) | st.integers(0, 3), st.integers(0, 10**10)), max_size=40),
       st.integers(1, 12), st.integers(0, 40), st.integers(2, 9))  # fmt: skip
def test_durations_go_to_the_sketch_of_their_cell_and_kind_and_intervals_can_be_added(
    told: list[tuple[Connection, int, int]], most: int, split: int, room: int
) -> None:
    parts = []
    oracle = QualityCellsOracle(2**31)
    for half in (told[:split], told[split:]):
        these = columns([one for one, _, _ in half])
        kinds = np.array([kind for _, kind, _ in half], np.uint8)
        nanoseconds = np.array([value for _, _, value in half], np.int64)
        cells = Cells(most, room=1, sketches=1)

        def gather(begin: int, into: Cells, these: Any = these, kinds: Any = kinds, took: Any = nanoseconds) -> Any:
            return kernels.gather_samples(
                begin, BEGIN, END, these["addresses"], these["ports"], these["times"], kinds, took, these["rules"],
                these["rows"], these["sides"], OFFSETS, OWNERS, PLACE_OF_ROW, 1, into.table, into.cells, into.lines,
                into.stats, into.buckets, into.state, into.most, into.lines.reshape(-1, 8), into.buckets.reshape(-1),
                np.zeros((3, room), np.int64),
            ), len(kinds)  # fmt: skip

        run(gather, cells)
        mine = QualityCellsOracle(most)
        for one, kind, value in half:
            if kind < SAMPLE_KINDS:
                for key in shares(mine, one):
                    mine.sample(key, kind, value)
                    oracle.cell(*key)
                    oracle.sample(key, kind, value)
        assert keys(cells) == [*mine.counts]
        parts.append(cells)
    whole = Cells.merged(parts)
    assert keys(whole) == [*oracle.counts]
    for key, line in zip(keys(whole), whole.lines.tolist(), strict=False):
        for kind in range(SAMPLE_KINDS):
            samples = oracle.samples[key].get(kind, [])
            sketch = line[kernels.L_SKETCH + kind] - 1
            assert (sketch >= 0) == bool(samples)
            if samples:
                assert whole.stats[sketch, [ST_COUNT, ST_SUM]].tolist() == [len(samples), sum(samples)]
                assert whole.buckets[sketch].sum() == len(samples)
