from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btimd.flows.quality import QualityWindows
from btimd.flows.qualityrows import Cells, DurationColumns, grouped, interval_of, merged_durations, server_text
from btimd.kernels.sketch import BUCKETS, STATS, add_samples
from btimd.model.address import address_halves
from btimd.model.quality import NO_DURATIONS, Durations, QualityRow
from tests.flows.connections import counted, near, span, took
from tests.flows.traffic import ERP, SHARED, T0, attribution


def measured(samples: list[int]) -> Durations:
    stats, buckets = np.zeros((1, STATS), np.int64), np.zeros((1, BUCKETS), np.int32)
    add_samples(np.zeros(len(samples), np.int64), np.array(samples, np.int64), stats, buckets)
    return DurationColumns.of(stats, buckets, np.arange(1)).some(np.array([1]))[0]


def rows() -> list[QualityRow]:
    windows = QualityWindows(attribution())
    told = [
        counted("10.1.0.1", ERP, connections_attempted=1, requests=10),
        counted("10.2.0.1", ERP, connections_attempted=2),
        counted("10.1.0.1", SHARED, connections_attempted=4),
        took("response", 0.1, "10.1.0.1", ERP),
        took("response", 0.4, "10.2.0.1", ERP),
    ]
    windows.add(span(*told, packets=3, lost=1), T0)
    return list(windows.flush()[0].rows)


def test_rows_are_merged_over_what_is_not_asked_for() -> None:
    found = grouped(rows(), ("business",))
    assert [(row.business, row.region, row.segment, row.server, row.connections_attempted) for row in found] == [
        ("erp", "", "", "", 7),
        ("hr", "", "", "", 4),
    ]
    assert (found[0].requests, found[0].capture_loss_ratio, found[1].response) == (10, 0.25, NO_DURATIONS)
    response = found[0].response
    assert (response.count, response.mean_seconds, response.least_seconds, response.greatest_seconds) == (
        2,
        near(0.25),
        0.1,
        0.4,
    )
    assert (response.p50_seconds, response.p95_seconds) == (
        near(0.1, rel=0.02),
        near(0.4, rel=0.02),
    )
    assert [(row.region, row.server) for row in grouped(rows(), ("region", "server"))] == [
        ("east", f"{ERP}:443"), ("east", f"{SHARED}:5432"), ("west", f"{ERP}:443"),
    ]  # fmt: skip


def test_all_four_names_change_nothing_and_none_give_one_row() -> None:
    assert grouped(rows(), ("business", "region", "segment", "server")) == rows()
    (everything,) = grouped(rows(), ())
    assert (everything.business, everything.connections_attempted) == ("", 11)
    assert grouped([], ("business",)) == []


def test_the_merged_row_has_the_latest_revision_and_the_greatest_loss_that_is_known() -> None:
    one, *_ = rows()
    merged = grouped([replace(one, revision=2, capture_loss_ratio=None), one], ())[0]
    assert (merged.revision, merged.capture_loss_ratio) == (2, 0.25)
    unknown = replace(one, capture_loss_ratio=None)
    assert grouped([unknown, unknown], ())[0].capture_loss_ratio is None


def test_what_rows_cannot_be_grouped_by_is_refused() -> None:
    with pytest.raises(ValueError, match="person is nothing to group by; known: business, region, segment, server"):
        grouped([], ("person", "business"))


@settings(max_examples=60)
@given(st.lists(st.lists(st.integers(0, 10**13), max_size=20), min_size=1, max_size=5))
def test_merged_durations_are_those_of_all_samples_together(parts: list[list[int]]) -> None:
    found = merged_durations([measured(part) for part in parts])
    wanted = measured([sample for part in parts for sample in part])
    if not found.count:
        assert found == wanted == NO_DURATIONS
        return
    assert found.mean_seconds == near(wanted.mean_seconds)
    assert replace(found, mean_seconds=0.0) == replace(
        wanted,
        mean_seconds=0.0,
        p50_seconds=near(wanted.p50_seconds),
        p95_seconds=near(wanted.p95_seconds),
        p99_seconds=near(wanted.p99_seconds),
    )


@pytest.mark.parametrize(
    ("address", "text"),
    [("10.0.0.1", "10.0.0.1:443"), ("2001:db8::1", "[2001:db8::1]:443"), ("ff00::", "[ff00::]:443")],
)
def test_servers_are_written_as_in_a_url(address: str, text: str) -> None:
    hi, lo = np.array(address_halves(address), np.uint64).view(np.int64).tolist()
    assert server_text(hi, lo, 443) == text
    assert server_text(hi, lo, -1) == ""


def test_cells_grow_by_doubling_or_by_what_is_asked_for_and_keep_what_they_hold() -> None:
    cells = Cells(100, room=2, sketches=2)
    cells.state[:2] = 2
    cells.cells[:2, 0], cells.lines[:2, 3], cells.stats[:2, 0] = (7, 8), (1, 2), (3, 4)
    cells.grow(1)
    assert (len(cells.cells), len(cells.stats), cells.cells[:3, 0].tolist()) == (4, 4, [7, 8, 0])
    assert (cells.lines[:2, 3].tolist(), cells.stats[:3, 0].tolist()) == ([1, 2], [3, 4, 0])
    assert sorted(cells.table[cells.table > 0].tolist()) == [1, 2]
    cells.grow(90)
    assert (len(cells.cells), len(cells.table)) == (92, 256)


def test_columns_say_of_each_sketch_what_rows_say_and_keep_nothing_of_where_they_come_from() -> None:
    stats, buckets = np.zeros((4, STATS), np.int64), np.zeros((4, BUCKETS), np.int32)
    add_samples(np.array([1, 3, 3]), np.array([500, 10**6, 10**9]), stats, buckets)
    columns = DurationColumns.of(stats, buckets, np.array([3, 0, 1]))
    stats[:], buckets[:] = 0, 0
    assert columns.count.tolist() == [0, 2, 0, 1]
    assert np.isnan(columns.seconds[:, [0, 2]]).all()
    assert columns.seconds[:, 3].tolist() == [5e-7] * 6
    assert columns.some(np.array([2, 1, 0, 3])) == [
        NO_DURATIONS,
        Durations(2, 0.5005, 0.001, near(0.001, 0.02), near(1.0, 0.02), near(1.0, 0.02), 1.0, (173, 346), (1, 1)),
        NO_DURATIONS,
        Durations(1, 5e-7, 5e-7, 5e-7, 5e-7, 5e-7, 5e-7, (0,), (1,)),
    ]
    nothing = DurationColumns.of(stats, buckets, np.zeros(0, np.int64))
    assert (nothing.count.tolist(), nothing.some(np.zeros(1, np.int64))) == ([0], [NO_DURATIONS])


def test_rows_are_made_of_columns_once_and_only_those_that_are_asked_for() -> None:
    windows = QualityWindows(attribution())
    windows.add(span(*(counted(f"10.{at}.0.1", requests=at) for at in (1, 2))), T0)
    interval = windows.flush()[0]
    (west,) = interval.some_rows((1,))
    assert (west.region, west.requests, [*interval._made]) == ("west", 2, [1])
    windows.add(span(counted("10.2.0.1", requests=5)), T0)
    assert [row.requests for row in interval.rows] == [1, 2]
    assert interval.rows[1] is west


def test_an_interval_without_lines_has_no_rows() -> None:
    empty = interval_of(
        Cells(1), np.zeros(0, np.intp), interval_start_milliseconds=T0, interval_milliseconds=10_000, revision=3,
        businesses=(), places=(), loss={},
    )  # fmt: skip
    assert (len(empty), empty.rows, empty.names) == (0, (), ([], [], [], []))
