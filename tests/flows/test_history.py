import numpy as np
import pytest

from btimd.flows.history import Closed, History, windows_points
from btimd.flows.users import UserLimits, Users
from btimd.flows.windows import Windows
from btimd.model.flowbatch import FlowBatch
from btimd.model.window import WindowBatch
from tests.flows.traffic import NOBODY, T0, attribution, flow


def batches() -> list[WindowBatch]:
    subject = attribution()
    windows = Windows(subject, Users(subject, UserLimits(capacity=64)))
    for client, start in (("10.1.0.1", 0), ("10.2.0.1", 0), ("10.1.0.1", 10_000)):
        windows.add(subject.attribute(flow(client, start=start, rate=2)), T0 + 10_000)
    windows.add(subject.attribute(flow("9.9.9.9", NOBODY, answer=True)), T0 + 10_000)
    return windows.flush()


def test_points_carry_names_as_tags_and_every_sum_as_field() -> None:
    block = windows_points(batches()[0])
    assert block.measurement == "btimd_traffic"
    assert block.time_milliseconds.tolist() == [T0, T0, T0]
    assert block.tags == {
        "business": ["", "erp", "erp"],
        "region": ["", "east", "west"],
        "segment": ["", "floor 1", "floor 2"],
        "interval": ["10s", "10s", "10s"],
    }
    assert {name: column.tolist() for name, column in block.fields.items()} == {
        "octets_to_server": [0, 2000, 2000],
        "octets_to_client": [1000, 0, 0],
        "packets": [10, 20, 20],
        "flows": [1, 1, 1],
        "users": [1, 1, 1],
        "users_exact": [True, False, False],
        "users_error_ratio": [0.0, 0.0, 0.0],
        "sampled": [False, True, True],
        "sampling_error_ratio": [0.0, pytest.approx(0.6198, abs=1e-4), pytest.approx(0.6198, abs=1e-4)],
        "export_loss_ratio": [pytest.approx(np.nan, nan_ok=True)] * 3,
        "times_adjusted": [False, False, False],
        "rate_assumed": [False, False, False],
    }
    assert block.fields["users_exact"].dtype == np.bool_


def published(*found: WindowBatch, capacity: int = 99) -> History:
    history = History((10_000, 60_000), capacity)
    for batch in found:
        history.publish(Closed.of(batch))
    return history


def test_rows_are_newest_first_by_business_and_the_oldest_interval_goes_as_a_whole() -> None:
    history = published(*batches(), capacity=4)
    rows = history.rows(interval_milliseconds=10_000, business="erp", limit=9)
    assert [(row.interval_start_milliseconds - T0, row.region) for row in rows] == [
        (10_000, "east"),
        (0, "east"),
        (0, "west"),
    ]
    assert len(history.rows(interval_milliseconds=10_000, business=None, limit=9)) == 4
    assert history.rows(interval_milliseconds=10_000, business=None, limit=2) == [rows[0], *batches()[0].rows()][:2]
    assert [row.business for row in history.rows(interval_milliseconds=60_000, business="", limit=9)] == [""]
    assert history.rows(interval_milliseconds=10_000, business="crm", limit=9) == []
    assert len(published(*batches(), capacity=3).rows(interval_milliseconds=10_000, business=None, limit=9)) == 1


def test_a_revision_replaces_its_cells_leaves_the_others_and_counts_once() -> None:
    subject = attribution()
    windows = Windows(subject, Users(subject, UserLimits(capacity=64)))
    windows.add(subject.attribute(FlowBatch.concat([flow("10.1.0.1"), flow("10.2.0.1")])), T0)
    found = windows.flush()
    windows.add(subject.attribute(FlowBatch.concat([flow("10.2.0.1"), flow("9.9.9.9", NOBODY)])), T0)
    found += windows.flush()
    windows.swap(attribution(businesses=("hr", "erp"), generation=2))
    windows.add(windows.attribution.attribute(flow("10.1.0.1", octets=5)), T0)
    found += windows.flush()
    history = published(*found, capacity=3)
    rows = history.rows(interval_milliseconds=10_000, business=None, limit=9)
    assert [(row.business, row.region, row.revision, row.octets_to_server) for row in rows] == [
        ("", "", 1, 1000), ("erp", "east", 2, 1005), ("erp", "west", 1, 2000),
    ]  # fmt: skip
    assert [*history.watch(10_000).snapshot] == rows
    assert history.rows(interval_milliseconds=10_000, business="erp", limit=1) == rows[1:2]


def test_a_watcher_begins_with_the_latest_rows_of_each_business() -> None:
    snapshot = published(*batches()).watch(10_000).snapshot
    assert [(row.interval_start_milliseconds - T0, row.business) for row in snapshot] == [(0, ""), (10_000, "erp")]


async def test_rows_are_made_away_from_the_loop_where_somebody_watches_and_not_at_all_where_nobody_does() -> None:
    history = published(batches()[0])
    assert (Closed.of(batches()[0]).rows, history.watched(10_000)) == (None, False)
    subscription = history.watch(10_000)
    assert (history.watched(10_000), history.watched(60_000)) == (True, False)
    assert Closed.of(batches()[0], watched=True).rows == tuple(batches()[0].rows())
    history.publish(Closed.of(batches()[1]))  # made when nobody watched
    assert [row.region for row in await anext(subscription.changes())] == ["east"]
    subscription.close()
    assert not history.watched(10_000)


async def test_a_watcher_gets_what_is_there_and_then_every_change() -> None:
    history = History((10_000, 60_000), capacity=10)
    first, second, _ = batches()
    history.publish(Closed.of(first))
    subscription = history.watch(10_000)
    assert [row.region for row in subscription.snapshot] == ["", "east", "west"]
    history.publish(Closed.of(second, watched=True))
    history.tell(10_000, second.rows())
    async for rows in subscription.changes():
        assert [(row.interval_start_milliseconds - T0, row.region) for row in rows] == [(10_000, "east")]
        break
    subscription.close()


def test_an_interval_that_is_not_kept_is_refused() -> None:
    with pytest.raises(ValueError, match="no intervals of 5 ms; ask for one of 10000, 60000"):
        published().watch(5)
    with pytest.raises(ValueError, match="no intervals of 5 ms; ask for one of 10000, 60000"):
        History((10_000, 60_000), 1).rows(interval_milliseconds=5, business=None, limit=1)
