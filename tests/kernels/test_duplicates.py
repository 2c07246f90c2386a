from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btimd.kernels import duplicates as kernel

pytestmark = pytest.mark.bounds

SILENCE = 180


class Record(NamedTuple):
    source: int
    destination: int
    ports: tuple[int, int]
    protocol: int
    exporter: int
    domain: int = 0
    direction: int = 0
    rate: int = 1

    @property
    def key(self) -> tuple[int, int, tuple[int, int], int]:
        return self.source, self.destination, self.ports, self.protocol

    @property
    def point(self) -> tuple[int, int, bool]:
        return self.exporter, self.domain, self.direction == 1


class Table:
    def __init__(self, lines: int = 2048, preferred: tuple[int, ...] = (), sample_mask: int = 0) -> None:
        self.table = np.zeros((4 * lines, 2), np.int64)
        self.counts = np.zeros(kernel.COUNTS_SIZE, np.int64)
        self.of_exporter = np.zeros(8, np.int64)
        self.preferred = np.array([at in preferred for at in range(8)], np.uint8)
        self.sample_mask = sample_mask

    def mark(self, records: list[Record], now: int) -> list[bool]:
        n = len(records)
        halves = [
            np.array([value >> shift & 2**64 - 1 for value in values], np.uint64).view(np.int64)
            for values in ([one.source for one in records], [one.destination for one in records])
            for shift in (64, 0)
        ]
        duplicate = np.zeros(n, np.bool_)
        found = kernel.mark(
            halves[0], halves[1], halves[2], halves[3],
            np.array([one.ports[0] for one in records], np.uint16),
            np.array([one.ports[1] for one in records], np.uint16),
            np.array([one.protocol for one in records], np.uint8),
            np.array([one.direction for one in records], np.uint8),
            np.array([one.domain for one in records], np.uint32),
            np.array([one.exporter for one in records], np.int32),
            np.array([one.rate for one in records], np.int32),
            np.full(n, 100, np.int64), self.preferred, self.sample_mask, now, SILENCE, 0x1234_5678_9ABC_DEF0,
            self.table, np.zeros((3, kernel.BLOCK), np.int64), self.counts, self.of_exporter, duplicate,
        )  # fmt: skip
        assert found == duplicate.sum()
        return [bool(one) for one in duplicate]


class Book:
    """The same in obvious Python: who owns which key, since it was last seen there, and how good its view is."""

    def __init__(self, preferred: tuple[int, ...]) -> None:
        self.preferred = preferred
        self.owners: dict[object, tuple[object, int, bool, bool]] = {}

    def is_duplicate(self, record: Record, now: int) -> bool:
        sampled = record.rate > 1
        mine = (record.point, now, sampled, record.exporter in self.preferred)
        owner = self.owners.get(record.key)
        if owner is None or owner[0] == record.point or now - owner[1] > SILENCE:
            self.owners[record.key] = mine
            return False
        _, _, owner_samples, owner_preferred = owner
        if sampled:
            return not owner_samples
        if owner_samples or (mine[3] and not owner_preferred):
            self.owners[record.key] = mine
            return False
        return True


ADDRESSES = st.sampled_from(
    [0xFFFF_0A00_0001, 0xFFFF_0A00_0002, 0x2001_0DB8 << 96, (0x2001_0DB8 << 96) + 1, 2**128 - 1]
)
RECORDS = st.lists(
    st.builds(
        Record,
        source=ADDRESSES,
        destination=ADDRESSES,
        ports=st.sampled_from([(0, 0), (1, 2), (2, 1), (65_535, 443)]),
        protocol=st.sampled_from([0, 6, 17, 255]),
        exporter=st.integers(0, 3),
        domain=st.sampled_from([0, 1, 2**32 - 1]),
        direction=st.sampled_from([0, 1, 255]),
        rate=st.sampled_from([0, 1, 1000]),
    ),
    max_size=40,
)


@settings(max_examples=150)
@given(st.lists(st.tuples(RECORDS, st.integers(0, 300)), max_size=5), st.sampled_from([(), (2,), (1, 3)]))
def test_owners_are_what_a_dictionary_holds(
    batches: list[tuple[list[Record], int]], preferred: tuple[int, ...]
) -> None:
    table, book = Table(preferred=preferred), Book(preferred)
    now = 0
    wanted_of = [0] * 8
    for records, pause in batches:
        now += pause
        wanted = [book.is_duplicate(record, now) for record in records]
        assert table.mark(records, now) == wanted
        for record, duplicate in zip(records, wanted, strict=True):
            wanted_of[record.exporter] += duplicate
    assert table.of_exporter.tolist() == wanted_of
    assert table.counts[kernel.C_DUPLICATES] == sum(wanted_of)
    assert table.counts[kernel.C_OCTETS] == 100 * sum(wanted_of)
    assert table.counts[kernel.C_REFUSED] == 0


def flows(count: int, exporter: int) -> list[Record]:
    return [
        Record(0xFFFF_0A00_0000 + at // 50, 0xFFFF_0A10_0000 + at % 7, (1024 + at, 443), 6, exporter)
        for at in range(count)
    ]


def test_of_many_flows_more_than_a_block_each_is_counted_once() -> None:
    table = Table(lines=8192)
    assert not any(table.mark(flows(5000, 0), 10))
    assert all(table.mark(flows(5000, 1), 11))
    assert table.counts.tolist() == [10_000, 5000, 0, 0, 0, 500_000]


def test_what_finds_no_room_is_counted_and_is_no_duplicate() -> None:
    table = Table(lines=2)
    assert not any(table.mark(flows(20, 0), 10))
    assert sum(table.mark(flows(20, 1), 11)) == 8
    assert table.counts[kernel.C_REFUSED] == 24


def test_a_full_table_has_room_again_when_its_flows_have_ended() -> None:
    table = Table(lines=2)
    table.mark(flows(8, 0), 10)
    other = flows(16, 0)[8:]
    assert not any(table.mark(other, 10 + SILENCE + 1))
    assert all(table.mark([one._replace(exporter=1) for one in other], 10 + SILENCE + 2))


def test_the_sample_is_a_64th_of_the_keys_and_the_same_for_all_exporters() -> None:
    table = Table(lines=8192, sample_mask=63)
    table.mark(flows(20_000, 0), 10)
    tracked = int(table.counts[kernel.C_TRACKED])
    assert 200 < tracked < 450
    assert sum(table.mark(flows(20_000, 1), 10)) == tracked


def test_keys_have_hashes_of_their_own() -> None:
    keys = {
        int(kernel.key_hash(*(np.int64(part) for part in (0, 0xFFFF_0A00_0000 + a, 0, 0xFFFF_0A00_0000 + b, p, 6, 5))))
        for a in range(40)
        for b in range(40)
        for p in range(40)
    }
    assert len(keys) == 64_000
    assert len({(key >> 1) & 1023 for key in keys}) == 1024
    buckets = np.bincount([(key >> 1) & 16_383 for key in keys], minlength=16_384)
    assert buckets.max() < 20
