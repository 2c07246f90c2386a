import math
from dataclasses import replace

import pytest

from btimd.flows.quality import INTERVALS_MILLISECONDS, QualityWindows
from btimd.flows.qualityfeed import QualityClosed, QualityHistory, quality_points
from btimd.flows.qualityrows import QualityInterval
from btimd.model.quality import COUNTERS
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
    assert quality_points(replace(closed.interval, rows=())).tags["server"] == []


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
    kept = history()
    first = intervals()[0]
    corrected = replace(first.rows[1], revision=1, connections_attempted=9)
    kept.publish(replace(first, revision=1, rows=(corrected,)))
    rows = kept.rows(interval_milliseconds=10_000, business=None, limit=99)[-3:]
    assert [(row.revision, row.connections_attempted) for row in rows] == [(0, 0), (1, 9), (0, 2)]


async def test_a_watcher_gets_what_is_there_and_then_every_change() -> None:
    kept = QualityHistory(INTERVALS_MILLISECONDS, 10)
    first, second, *_ = intervals()
    kept.publish(first)
    subscription = kept.watch(10_000)
    assert [*subscription.snapshot] == [*first.rows]
    kept.publish(second)
    assert [*await anext(subscription.changes())] == [*second.rows]
    subscription.close()


def test_an_interval_that_is_not_kept_and_an_unknown_name_are_refused() -> None:
    kept = history()
    with pytest.raises(ValueError, match="no intervals of 5 ms; ask for one of 10000, 60000"):
        kept.rows(interval_milliseconds=5, business=None, limit=1)
    with pytest.raises(ValueError, match="no intervals of 5 ms; ask for one of 10000, 60000"):
        kept.watch(5)
    with pytest.raises(ValueError, match="port is nothing to group by"):
        kept.rows(interval_milliseconds=10_000, business=None, group_by=("port",), limit=1)
