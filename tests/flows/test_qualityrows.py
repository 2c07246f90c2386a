from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btimd.flows.quality import QualityWindows
from btimd.flows.qualityrows import Cells, durations, grouped, merged_durations, server_text
from btimd.kernels.sketch import BUCKETS, STATS, add_samples
from btimd.model.address import address_halves
from btimd.model.quality import NO_DURATIONS, Durations, QualityRow
from tests.flows.connections import counted, near, span, took
from tests.flows.traffic import ERP, SHARED, T0, attribution


def measured(samples: list[int]) -> Durations:
    stats, buckets = np.zeros((1, STATS), np.int64), np.zeros((1, BUCKETS), np.int32)
    add_samples(np.zeros(len(samples), np.int64), np.array(samples, np.int64), stats, buckets)
    return durations(stats, buckets, 1)(0)


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
