from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from btimd.flows.lines import zero_lines
from btimd.kernels import aggregate, distinct, users
from btimd.kernels.collect import BLOCK, SCRATCH_ROWS, collect
from btimd.kernels.flowlayout import Q_CLAMPED, Q_DROPPED, Q_NO_TIME, Q_RATE_ASSUMED
from tests.kernels import oracle

pytestmark = pytest.mark.bounds

EDGES = [0, 1, 999, 1000, 1001, 2**31, 2**32 - 1, 2**32, 2**53, 2**63 - 1]
COUNTS = st.one_of(st.sampled_from([-1, *EDGES]), st.integers(0, 10**6))
NOW = st.integers(290_000, 1_200_000)
TIMES = st.one_of(NOW, st.sampled_from([-(2**63), -1, 0, 2**31, 2**53, 399_999, 400_000, 2**63 - 1]))
SHARES = st.lists(
    st.builds(
        oracle.Share, st.integers(0, 3), st.integers(0, 3), TIMES, NOW, COUNTS, COUNTS,
        st.sampled_from([-1, 0, 1, 2, 1000, 2**31 - 1]), st.booleans(),
    ),
    max_size=30,
)  # fmt: skip
SLOTS, COARSE_SLOTS, ROOM = 128, 32, 4
RATES = (1 << aggregate.SKETCH_SHIFT - aggregate.RATES_SHIFT) - 1
HELD, FRESH, LAST = 30, 35, 118
Cells = dict[tuple[int, int], tuple[Any, ...]]


@dataclass
class Tables:
    """The tables of one caller; cell c is business c - 1 at the unknown place."""

    capacity: int = 1024
    seed: int = 5
    sketches: int = 64
    bounds: tuple[int, int, int] = HELD, FRESH, LAST
    held: npt.NDArray[np.int64] = field(default_factory=lambda: np.full(SLOTS, -1, np.int64))
    changed: npt.NDArray[np.uint8] = field(default_factory=lambda: np.zeros(SLOTS, np.uint8))
    totals: npt.NDArray[np.int64] = field(default_factory=lambda: zero_lines(ROOM * SLOTS))
    tallies: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros((2, 4), np.int64))
    cells: npt.NDArray[np.int32] = field(default_factory=lambda: np.zeros((ROOM, 2), np.int32))
    cell_state: npt.NDArray[np.int64] = field(default_factory=lambda: np.array([ROOM, 0, 0], np.int64))
    state: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(users.STATE_SIZE, np.int64))

    def __post_init__(self) -> None:
        self.nodes = zero_lines(self.capacity, 2)
        self.plain = self.nodes.view(np.int32)
        self.more = np.zeros((self.capacity, users.PLACES), np.int32)
        self.free = np.zeros(self.capacity, np.int32)
        self.index = np.full(4096, -1, np.int32)
        self.seen_before = np.zeros((COARSE_SLOTS, self.capacity * users.PLACES), np.uint8)
        self.young = np.zeros(self.capacity * users.PLACES, np.uint8)
        self.registers = np.zeros((self.sketches, distinct.REGISTERS), np.uint8)
        self.sketch_free = np.zeros(self.sketches, np.int32)
        self.sketch_state = np.zeros(distinct.STATE_SIZE, np.int64)

    def add(self, shares: list[oracle.Share], quality: int = 0, exporter: int = 0) -> int:
        """Add one record for each share: the client is address (user, ~user), the rule r belongs to business r."""
        start, end, octets, packets = (
            np.array([getattr(share, name) for share in shares], np.int64)
            for name in ("start", "end", "octets", "packets")
        )
        user = np.array([share.user for share in shares], np.int64)
        away = np.array([share.to_server for share in shares], np.bool_)
        nobody = np.full(len(shares), 99, np.int64)
        return collect(
            np.where(away, user, nobody), np.where(away, ~user, nobody), np.where(away, nobody, user),
            np.where(away, nobody, ~user), start, end, octets, packets,
            np.array([share.rate for share in shares], np.int32), np.full(len(shares), exporter, np.int32),
            np.full(len(shares), quality, np.uint16),
            np.array([share.cell - 1 for share in shares], np.int32), np.full(len(shares), -1, np.int32),
            away.astype(np.uint8), 0, np.arange(ROOM, dtype=np.int32), np.arange(ROOM, dtype=np.int32),
            np.zeros(1, np.int32), 1, np.zeros(16, np.int64), self.cells, self.cell_state, self.index, self.nodes,
            self.nodes.reshape(-1, 8), self.plain, self.more, self.free, self.state, 0, 300_000, 1_190_000,
            self.capacity, self.seed, np.array(self.bounds, np.int64), self.held, self.changed, self.totals,
            self.seen_before, self.young, self.registers, self.sketch_free, self.sketch_state, self.tallies, np.zeros((SCRATCH_ROWS, BLOCK), np.int64),
        )  # fmt: skip

    def sums(self) -> tuple[Cells, Cells]:
        """Return the cells of 10 s that are not late, and all cells of 60 s."""
        fine: Cells = {}
        coarse: Cells = {}
        lines = self.totals.reshape(SLOTS, ROOM, 8)
        for slot in sorted(range(SLOTS), key=lambda slot: int(self.held[slot])):
            for cell in range(ROOM):
                *sums, fine_users, coarse_users, flags, _ = lines[slot, cell].tolist()
                late = self.held[slot] < self.bounds[1]
                assert (flags & aggregate.FINE_CHANGED != 0) == (flags != 0 and not late)
                if not flags:
                    continue
                exact, sampled = not flags & aggregate.INEXACT, flags >> aggregate.RATES_SHIFT & RATES > 1
                if not late:
                    fine[int(self.held[slot]), cell] = (*sums, fine_users, exact, sampled)
                minute = (int(self.held[slot]) // 6, cell)
                *known, known_exact, known_sampled = coarse.get(minute, (0, 0, 0, 0, 0, True, False))
                together = [
                    min(left + right, oracle.MOST) for left, right in zip(known, [*sums, coarse_users], strict=True)
                ]
                coarse[minute] = (*together, known_exact and exact, known_sampled or sampled)
        return fine, coarse


def run(shares: list[oracle.Share]) -> tuple[Cells, Cells, list[list[int]]]:
    tables = Tables()
    assert tables.add(shares) == len(shares)
    held = tables.held.tolist()
    assert tables.changed.tolist() == [0 if interval < 0 else 2 if interval < FRESH else 3 for interval in held]
    return *tables.sums(), tables.tallies.tolist()


@settings(max_examples=150)
@given(SHARES)
@example([oracle.Share(0, 0, 399_992, 400_000, -1, 1 << 53, -1, to_server=False)])  # a step would leave 63 bits
@example([oracle.Share(0, 0, 390_012, 400_010, 1 << 32, 1, 2**31 - 1, to_server=False)])
def test_cells_are_the_exact_fractions_of_every_flow(shares: list[oracle.Share]) -> None:
    wanted = {key: cell.line() for key, cell in oracle.spread(shares, 10_000, FRESH, LAST).items()}
    assert run(shares)[0] == wanted


@settings(max_examples=150)
@given(SHARES)
def test_six_intervals_are_the_minute_to_the_last_octet_and_user(shares: list[oracle.Share]) -> None:
    kept = [share for share in shares if max(share.end, share.start, 0) // 10_000 <= LAST]
    wanted = {key: cell.line() for key, cell in oracle.spread(kept, 60_000, HELD // 6, LAST // 6).items()}
    assert run(shares)[1] == wanted


@pytest.mark.parametrize("octets", [0, 1, 7, 2**31, 2**32, 2**53, 2**63 - 1])
def test_the_parts_of_a_flow_sum_to_its_octets_to_the_last_one(octets: int) -> None:
    cells, _, tallies = run([oracle.Share(0, 0, 350_001, 579_998, octets, 3, 1, to_server=True)])
    assert sum(line[0] for line in cells.values()) == octets
    assert sum(line[2] for line in cells.values()) == 3
    assert sum(line[3] for line in cells.values()) == 1
    assert (len(cells), tallies) == (23, [[0, 0, 0, 0]] * 2)


def test_what_is_too_old_is_counted_and_what_is_not_is_kept() -> None:
    cells, minutes, tallies = run([oracle.Share(0, 0, 340_000, 359_999, 2000, 2, 1, to_server=False)])
    assert cells == {(35, 0): (0, 1000, 1, 1, 1, True, False)}
    assert minutes == {(5, 0): (0, 2000, 2, 1, 1, True, False)}
    assert tallies == [[1, 1000, 0, 0], [0, 0, 0, 0]]


def test_what_is_too_old_for_a_minute_too_is_counted_for_both() -> None:
    cells, minutes, tallies = run([oracle.Share(0, 0, 290_000, 309_999, 2000, 2, 1, to_server=True)])
    assert (cells, minutes) == ({}, {(5, 0): (1000, 0, 1, 1, 1, True, False)})
    assert tallies == [[1, 2000, 0, 0], [1, 1000, 0, 0]]


def test_a_record_from_the_future_is_counted_and_not_kept() -> None:
    share = oracle.Share(0, 0, 1_100_000, 1_190_000, 11, 1, 10, to_server=True)
    assert run([share]) == ({}, {}, [[0, 0, 1, 110]] * 2)


def test_all_equal_records_are_one_user_and_sums_stop_at_the_largest_number() -> None:
    cells, _, _ = run([oracle.Share(1, 2, 400_000, 400_000, 2**63 - 1, 1, 1, to_server=True)] * 5)
    assert cells == {(40, 1): (2**63 - 1, 0, 5, 5, 1, True, False)}


@settings(max_examples=60)
@given(st.lists(st.integers(2**62, 2**63 - 1), min_size=1, max_size=300), st.integers(0, 2**62))
def test_users_are_told_apart_by_their_address_whatever_the_seed(addresses: list[int], seed: int) -> None:
    tables = Tables(seed=seed)
    tables.add([oracle.Share(0, address, 400_000, 400_000, 1, 1, 1, to_server=True) for address in addresses])
    assert tables.sums()[0][40, 0][4] == len(set(addresses)) == tables.state[users.S_PAIRS]


def test_a_full_table_makes_cells_inexact_and_still_knows_the_old_users() -> None:
    tables = Tables(capacity=8)
    everybody = [oracle.Share(1, user, 400_000, 400_000, 1, 1, 1, to_server=True) for user in range(10)]
    tables.add(everybody[:8])
    assert tables.sums()[0] == {(40, 1): (8, 0, 8, 8, 8, True, False)}
    tables.add(everybody)
    assert tables.sums()[0] == {(40, 1): (18, 0, 18, 18, 8, False, False)}
    assert tables.state[users.S_REFUSED] == 2


def test_unattributed_traffic_gets_at_most_half_of_the_table() -> None:
    tables = Tables(capacity=8)
    tables.add([oracle.Share(0, user, 400_000, 400_000, 1, 1, 1, to_server=True) for user in range(8)])
    tables.add([oracle.Share(1, user, 400_000, 400_000, 1, 1, 1, to_server=True) for user in range(8)])
    assert [line[4] for line in tables.sums()[0].values()] == [4, 4]
    assert tables.state[users.S_REFUSED] == 8


def test_what_a_device_dropped_is_in_no_sum_and_counted() -> None:
    tables = Tables()
    tables.add([oracle.Share(0, 1, 400_000, 400_000, 5, 5, 1, to_server=True)] * 300, quality=Q_DROPPED)
    assert (tables.sums(), tables.cell_state[aggregate.C_DROPPED], tables.state[users.S_PAIRS]) == (({}, {}), 300, 0)


def test_a_cell_knows_the_rates_the_doubts_and_the_exporters_of_its_records() -> None:
    tables = Tables()
    share = oracle.Share(0, 1, 400_000, 400_000, 5, 5, 100, to_server=True)
    tables.add([share], quality=Q_CLAMPED | Q_RATE_ASSUMED, exporter=3)
    tables.add([oracle.Share(0, 1, 400_000, 400_000, 5, 5, 1, to_server=True)], quality=Q_NO_TIME, exporter=64 + 63)
    flags, exporters = tables.totals[40 * ROOM][[aggregate.FLAGS, aggregate.EXPORTERS]].tolist()
    assert flags >> aggregate.RATES_SHIFT == 101
    assert flags & 0xFF == (
        aggregate.TIMES_ADJUSTED | aggregate.RATE_ASSUMED | aggregate.FINE_CHANGED | aggregate.COARSE_CHANGED
    )
    assert exporters & 0xFFFFFFFFFFFFFFFF == 1 << 63 | 1 << 3


def test_a_call_ends_where_cells_want_room_and_goes_on_when_there_is() -> None:
    tables = Tables(cell_state=np.array([ROOM + 1, 0, 0], np.int64))
    share = oracle.Share(0, 1, 400_000, 400_000, 5, 5, 1, to_server=True)
    assert tables.add([share] * 300) == 0
    tables.cell_state[aggregate.C_CELLS] = ROOM
    assert tables.add([share] * 300) == 300
    assert tables.sums()[0] == {(40, 0): (1500, 0, 1500, 300, 1, True, False)}
