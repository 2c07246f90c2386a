import math

import numpy as np
import pytest

from btimd.flows.quality import INTERVALS_MILLISECONDS, QualityWindows
from btimd.flows.qualityfeed import QualityClosed, QualityHistory, quality_points
from btimd.flows.qualityrows import Cells, QualityInterval, interval_of
from btimd.model.quality import COUNTERS, SAMPLE_KINDS
from tests.flows.connections import counted, near, span, took
from tests.flows.traffic import ERP, NOBODY, T0, attribution

SERVER = f"{ERP}:443"


def intervals() -> list[QualityInterval]:
    windows = QualityWindows(attribution())
    for at in (0, 10_000, 20_000):
        told = [counted(client, at=at, connections_attempted=2) for client in ("10.1.0.1", "10.2.0.1")]
        windows.add(span(*told, took("response", 0.25, at=at), counted(server=NOBODY, at=at, requests=7)), T0 + at)
    return windows.flush()


def history(capacity: int = 100) -> QualityHistory:
    kept = QualityHistory(INTERVALS_MILLISECONDS, capacity)
    for interval in intervals():
        kept.publish(interval)
    return kept


def test_points_carry_names_as_tags_and_every_figure_as_field() -> None:
    closed = QualityClosed.of(intervals()[0])
    block = closed.points
    assert block.measurement == "btimd_quality"
    assert block.time_milliseconds.tolist() == [T0, T0, T0]
    assert block.tags == {
        "business": ["", "erp", "erp"],
        "region": ["east", "east", "west"],
        "segment": ["floor 1", "floor 1", "floor 2"],
        "server": ["", SERVER, SERVER],
        "interval": ["10s", "10s", "10s"],
    }
    columns = {name: column.tolist() for name, column in block.fields.items()}
    assert [*columns][: len(COUNTERS)] == [*COUNTERS]
    assert columns["connections_attempted"] == [0, 2, 2]
    assert columns["requests"] == [7, 0, 0]
    assert columns["response_count"] == [0, 1, 0]
    assert [math.isnan(one) for one in columns["response_seconds_p95"]] == [True, False, True]
    assert columns["response_seconds_p95"][1] == near(0.25, 0.02)
    assert columns["response_seconds_greatest"][1] == 0.25
    assert all(math.isnan(one) for one in columns["capture_loss_ratio"])
    assert len(columns) == len(COUNTERS) + 4 * 6 + 1


def test_points_say_what_the_rows_say() -> None:
    for interval in intervals():
        fields, rows = quality_points(interval).fields, interval.rows
        for name in COUNTERS:
            assert fields[name].tolist() == [getattr(row, name) for row in rows]
        for kind in SAMPLE_KINDS:
            told = [getattr(row, kind) for row in rows]
            assert fields[f"{kind}_count"].tolist() == [one.count for one in told]
            for figure in ("mean", "p50", "p95", "p99", "greatest"):
                found = [None if math.isnan(one) else one for one in fields[f"{kind}_seconds_{figure}"].tolist()]
                assert found == [getattr(one, f"{figure}_seconds") for one in told]


def test_an_interval_without_rows_has_no_points() -> None:
    empty = interval_of(
        Cells(1), np.zeros(0, np.intp), interval_start_milliseconds=T0, interval_milliseconds=10_000, revision=0,
        businesses=(), places=(), loss={},
    )  # fmt: skip
    assert (len(quality_points(empty)), quality_points(empty).tags["server"]) == (0, [])


def test_rows_are_newest_first_by_business_and_bounded() -> None:
    kept = history()
    rows = kept.rows(interval_milliseconds=10_000, business="erp", limit=5)
    assert [(row.interval_start_milliseconds - T0, row.region) for row in rows] == [
        (20_000, "east"), (20_000, "west"), (10_000, "east"), (10_000, "west"), (0, "east"),
    ]  # fmt: skip
    assert [row.requests for row in kept.rows(interval_milliseconds=60_000, business="", limit=9)] == [21]
    assert len(kept.rows(interval_milliseconds=10_000, business=None, limit=99)) == 9


def test_rows_are_merged_over_what_is_not_asked_for() -> None:
    rows = history().rows(interval_milliseconds=10_000, business=None, group_by=("business",), limit=3)
    assert [(row.interval_start_milliseconds - T0, row.business, row.connections_attempted) for row in rows] == [
        (20_000, "", 0), (20_000, "erp", 4), (10_000, "", 0),
    ]  # fmt: skip


def test_only_intervals_from_a_moment_on_are_returned() -> None:
    rows = history().rows(interval_milliseconds=10_000, business="", limit=9, from_milliseconds=T0 + 10_000)
    assert [row.interval_start_milliseconds - T0 for row in rows] == [20_000, 10_000]


def test_an_old_interval_goes_as_a_whole_and_the_latest_always_stays() -> None:
    starts = [row.interval_start_milliseconds - T0 for row in history(7).rows(
        interval_milliseconds=10_000, business=None, limit=99)]  # fmt: skip
    assert starts == [20_000] * 3 + [10_000] * 3
    assert len(history(1).rows(interval_milliseconds=10_000, business=None, limit=99)) == 3


def test_a_revision_replaces_its_rows_and_leaves_the_others() -> None:
    windows = QualityWindows(attribution())
    windows.add(span(counted(requests=1), counted("10.2.0.1", requests=2), counted(at=10_000, requests=4)), T0)
    kept = QualityHistory(INTERVALS_MILLISECONDS, 4)
    for interval in windows.flush():
        kept.publish(interval)
    windows.add(span(counted("10.2.0.1", requests=5), counted(server=NOBODY, requests=8)), T0)
    later = windows.flush()
    for interval in later:
        kept.publish(interval)
    rows = kept.rows(interval_milliseconds=10_000, business=None, limit=99)
    found = [
        (row.interval_start_milliseconds - T0, row.business, row.region, row.revision, row.requests) for row in rows
    ]
    assert found == [
        (10_000, "erp", "east", 0, 4), (0, "", "east", 1, 8), (0, "erp", "east", 0, 1), (0, "erp", "west", 1, 7),
    ]  # fmt: skip
    assert [*kept.watch(10_000).snapshot] == [rows[1], rows[0]]
    assert kept.rows(interval_milliseconds=10_000, business="erp", limit=3) == [rows[0], *rows[2:]]
    assert kept.rows(interval_milliseconds=10_000, business=None, limit=2) == rows[:2]
    merged = kept.rows(interval_milliseconds=10_000, business="erp", group_by=("business",), limit=9)
    assert [(row.revision, row.requests) for row in merged] == [(0, 4), (1, 8)]


def test_the_capacity_counts_a_row_that_was_revised_once() -> None:
    first, second, *_ = intervals()
    kept = QualityHistory(INTERVALS_MILLISECONDS, 6)
    for interval in (first, first, first, second, second):
        kept.publish(interval)
    assert len(kept.rows(interval_milliseconds=10_000, business=None, limit=99)) == 6


def test_rows_are_made_when_they_are_asked_for_or_when_somebody_watches() -> None:
    kept = QualityHistory(INTERVALS_MILLISECONDS, 10)
    first, second, *_ = intervals()
    assert not kept.watched(10_000)
    kept.publish(QualityClosed.of(first).interval)
    assert not first._made
    assert len(kept.rows(interval_milliseconds=10_000, business=None, limit=1)) == len(first._made) == 1
    subscription = kept.watch(10_000)
    assert (kept.watched(10_000), kept.watched(60_000)) == (True, False)
    assert len(QualityClosed.of(second, watched=kept.watched(10_000)).interval._made) == 3
    subscription.close()
    assert not kept.watched(10_000)


async def test_a_watcher_gets_what_is_there_and_then_every_change() -> None:
    kept = QualityHistory(INTERVALS_MILLISECONDS, 10)
    first, second, *_ = intervals()
    kept.publish(first)
    subscription = kept.watch(10_000)
    assert [*subscription.snapshot] == [*first.rows]
    kept.publish(second)
    assert [*await anext(subscription.changes())] == [*second.rows]
    subscription.close()


def test_a_watcher_begins_with_the_latest_rows_of_each_business() -> None:
    windows = QualityWindows(attribution())
    told = [counted(requests=1), counted(server=NOBODY, requests=2), counted(at=10_000, server=NOBODY, requests=4)]
    windows.add(span(*told), T0)
    kept = QualityHistory(INTERVALS_MILLISECONDS, 10)
    for interval in windows.flush():
        kept.publish(interval)
    assert [(row.business, row.requests) for row in kept.watch(10_000).snapshot] == [("erp", 1), ("", 4)]


def test_an_interval_that_is_not_kept_and_an_unknown_name_are_refused() -> None:
    kept = history()
    with pytest.raises(ValueError, match="no intervals of 5 ms; ask for one of 10000, 60000"):
        kept.rows(interval_milliseconds=5, business=None, limit=1)
    with pytest.raises(ValueError, match="no intervals of 5 ms; ask for one of 10000, 60000"):
        kept.watch(5)
    with pytest.raises(ValueError, match="port is nothing to group by"):
        kept.rows(interval_milliseconds=10_000, business=None, group_by=("port",), limit=1)
