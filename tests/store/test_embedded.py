"""The embedded store gives back what it was given, replaces what comes again, and forgets when it is time."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from btimd.model.points import PointBlock, SeriesQuery, SeriesRow
from btimd.runtime.clock import ManualClock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from btimd.store.embedded import EmbeddedStore, StoreFailedError
from btimd.store.settings import StoreSettings
from btimd.store.storemetrics import StoreMetrics
from tests.store.examples import T0, T0_MILLISECONDS, points

Opener = Callable[..., EmbeddedStore]

EVERYTHING = SeriesQuery(
    measurement="flows",
    fields=("octets", "rtt_seconds"),
    from_milliseconds=T0_MILLISECONDS,
    to_milliseconds=T0_MILLISECONDS + 10**9,
    group_by=("business",),
    step_milliseconds=10_000,
)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(now=T0)


@pytest.fixture
def opener(tmp_path: Path, metrics: Metrics, clock: ManualClock) -> Iterator[Opener]:
    stores: list[EmbeddedStore] = []

    def open_store(**settings: Any) -> EmbeddedStore:
        for before in stores:
            before.close()
        store = EmbeddedStore(
            path=tmp_path / "series.duckdb",
            settings=StoreSettings(flush_every=0.01, **settings),
            metrics=StoreMetrics(metrics),
            clock=clock,
            log=Log("store"),
        )
        stores.append(store)
        store.open()
        return store

    yield open_store
    for store in stores:
        store.close()


def put(store: EmbeddedStore, *blocks: PointBlock) -> None:
    for block in blocks:
        store.write(block)
    assert store.flush(10.0)


def row(step: int, business: str, octets: float | None, rtt: float | None) -> SeriesRow:
    return SeriesRow(T0_MILLISECONDS + step * 10_000, (business,), (octets, rtt))


def test_points_are_read_back_by_bin_and_group_in_order(opener: Opener, metrics: Metrics) -> None:
    store = opener()
    put(store, points(0, 2, 8), points(0, 1, 16, business="hr"))
    assert store.query(EVERYTHING) == [row(0, "erp", 8, 1.0), row(0, "hr", 16, 2.0), row(1, "erp", 9, 1.125)]
    assert metrics.value("btimd_store_points_written_total") == 3


@pytest.mark.parametrize(("fold", "octets"), [("sum", 30.0), ("mean", 7.5), ("max", 9.0), ("last", 9.0)])
def test_every_fold_over_one_bin_is_stamped_with_the_beginning_of_the_range(
    opener: Opener, fold: str, octets: float
) -> None:
    store = opener()
    put(store, points(0, 4, 6))
    query = replace(EVERYTHING, fields=("octets",), group_by=(), step_milliseconds=0, fold=fold)
    assert store.query(query) == [SeriesRow(T0_MILLISECONDS, (), (octets,))]


def test_the_last_value_is_the_latest_that_there_is_not_the_last_written(opener: Opener) -> None:
    store = opener()
    late = PointBlock("flows", np.array([T0_MILLISECONDS + 90_000]), {}, {"other": np.array([True])})
    put(store, points(5, 1, 50), points(0, 1, 1), late)
    query = replace(EVERYTHING, fields=("octets", "other"), group_by=(), step_milliseconds=0, fold="last")
    assert store.query(query) == [SeriesRow(T0_MILLISECONDS, (), (50.0, 1.0))]


def test_a_point_written_again_replaces_itself_in_the_same_flush_and_in_a_later_one(opener: Opener) -> None:
    store = opener()
    put(store, points(0, 3, 1), points(1, 1, 77), points(0, 1, 55), points(0, 1, 66))
    put(store, points(2, 2, 88))
    assert [line.values[0] for line in store.query(EVERYTHING)] == [66.0, 77.0, 88.0, 89.0]


def test_a_point_that_occurs_twice_in_one_block_ends_as_its_last(opener: Opener) -> None:
    store = opener()
    time = np.array([T0_MILLISECONDS] * 3 + [T0_MILLISECONDS + 10_000])
    block = PointBlock("flows", time, {"business": ["a", "b", "a", "a"]}, {"octets": np.array([1, 2, 3, 4])})
    put(store, block)
    assert [(line.tags, line.values[0]) for line in store.query(EVERYTHING)] == [
        (("a",), 3.0), (("b",), 2.0), (("a",), 4.0),
    ]  # fmt: skip


def test_only_the_fields_a_point_carries_are_replaced_and_what_is_not_finite_carries_nothing(opener: Opener) -> None:
    store = opener()
    time = np.array([T0_MILLISECONDS])
    tags = {"business": ["erp"], "interval": ["10s"]}
    put(store, points(0, 1, 8))
    put(store, PointBlock("flows", time, tags, {"octets": np.array([9]), "rtt_seconds": np.array([np.nan])}))
    put(store, PointBlock("flows", time, tags, {"users": np.array([41], dtype=np.uint8)}))
    query = replace(EVERYTHING, fields=("octets", "rtt_seconds", "users"))
    assert store.query(query) == [SeriesRow(T0_MILLISECONDS, ("erp",), (9.0, 1.0, 41.0))]


def test_tags_select_and_an_absent_tag_is_an_empty_one(opener: Opener) -> None:
    store = opener()
    time = np.array([T0_MILLISECONDS])
    put(store, points(0, 1, 1), PointBlock("flows", time, {"business": [""]}, {"octets": np.array([2])}))
    put(store, PointBlock("flows", time, {"region": ["north"]}, {"octets": np.array([4])}))
    asked = {}
    for where in (
        {"business": ""},
        {"business": "erp"},
        {"region": "north"},
        {"region": ""},
        {"never": ""},
        {"never": "x"},
    ):
        query = replace(EVERYTHING, fields=("octets",), group_by=(), step_milliseconds=0, where=where)
        asked[next(iter(where.items()))] = [line.values[0] for line in store.query(query)]
    assert asked == {
        ("business", ""): [6.0],
        ("business", "erp"): [1.0],
        ("region", "north"): [4.0],
        ("region", ""): [3.0],
        ("never", ""): [7.0],
        ("never", "x"): [],
    }


def test_what_was_never_written_is_no_data(opener: Opener) -> None:
    store = opener()
    assert store.query(EVERYTHING) == []
    put(store, points(0, 1, 8))
    assert store.query(replace(EVERYTHING, measurement="unheard_of")) == []
    assert store.query(replace(EVERYTHING, fields=("unheard_of",))) == []
    assert store.query(replace(EVERYTHING, from_milliseconds=T0_MILLISECONDS + 1)) == []
    assert store.query(replace(EVERYTHING, to_milliseconds=T0_MILLISECONDS)) == []
    assert store.query(replace(EVERYTHING, group_by=("unheard_of",))) == [SeriesRow(T0_MILLISECONDS, ("",), (8.0, 1.0))]
    with pytest.raises(ValueError, match="'median' is no fold"):
        store.query(replace(EVERYTHING, fold="median"))


def test_an_integer_field_becomes_real_when_reals_come(opener: Opener) -> None:
    store = opener()
    time = np.array([T0_MILLISECONDS, T0_MILLISECONDS + 10_000])
    put(store, PointBlock("flows", time[:1], {"business": ["a"]}, {"octets": np.array([2**40])}))
    put(store, PointBlock("flows", time[1:], {"business": ["a"]}, {"octets": np.array([0.5])}))
    put(store, PointBlock("flows", time[1:], {"business": ["b"]}, {"octets": np.array([7])}))
    query = replace(EVERYTHING, fields=("octets",))
    assert [line.values[0] for line in store.query(query)] == [2.0**40, 0.5, 7.0]


def test_what_does_not_fit_is_refused_and_counted_and_the_rest_is_stored(opener: Opener, metrics: Metrics) -> None:
    store = opener()
    time = np.array([T0_MILLISECONDS])
    put(
        store,
        points(0, 1, 8),
        PointBlock("flows", time, {"business": ["erp"]}, {"octets": np.array([True])}),
        PointBlock("flows", time, {"business": ["erp"]}, {"name": np.array(["text"])}),
        PointBlock("flows", time, {"_id": ["erp"]}, {"octets": np.array([1])}),
        PointBlock("flows", time, {}, {"_time": np.array([1])}),
        points(1, 1, 9),
    )
    assert [line.values[0] for line in store.query(EVERYTHING)] == [8.0, 9.0]
    assert metrics.value("btimd_store_points_rejected_total") == 4
    assert metrics.value("btimd_store_points_written_total") == 2


def test_a_block_duckdb_itself_refuses_does_not_stop_the_others(opener: Opener, metrics: Metrics) -> None:
    store = opener()
    time = np.array([T0_MILLISECONDS])
    same_but_for_case = PointBlock("x", time, {}, {"f": np.array([1]), "F": np.array([2])})
    put(store, points(0, 1, 8), same_but_for_case, points(1, 1, 9))
    assert [line.values[0] for line in store.query(EVERYTHING)] == [8.0, 9.0]
    assert metrics.value("btimd_store_points_rejected_total") == 1


def test_series_beyond_the_limit_are_refused_and_counted(opener: Opener, metrics: Metrics) -> None:
    store = opener(max_series=2)
    put(store, *(points(0, 1, value, business=name) for value, name in enumerate("abc")), points(1, 1, 7, business="a"))
    assert [line.tags[0] for line in store.query(EVERYTHING)] == ["a", "b", "a"]
    assert metrics.value("btimd_store_points_rejected_total") == 1


def test_everything_is_there_after_opening_again(opener: Opener) -> None:
    put(opener(), points(0, 2, 8), points(0, 1, 3, measurement='odd "name"', business="q\"' ;--"))
    store = opener()
    put(store, points(1, 2, 99))
    assert [line.values[0] for line in store.query(EVERYTHING)] == [8.0, 99.0, 100.0]
    odd = replace(EVERYTHING, measurement='odd "name"')
    assert store.query(odd) == [row(0, "q\"' ;--", 3, 0.375)]


def test_people_can_ask_a_view(opener: Opener, tmp_path: Path) -> None:
    store = opener()
    put(store, points(0, 1, 8))
    store.close()
    with duckdb.connect(str(tmp_path / "series.duckdb"), read_only=True) as connection:
        found = connection.execute(
            'SELECT time::VARCHAR, business, "interval", octets, rtt_seconds FROM flows'
        ).fetchall()
    assert found == [("2023-11-14 22:13:20", "erp", "10s", 8, 1.0)]


def test_points_go_when_they_were_kept_long_enough_each_series_by_its_own_rule(
    opener: Opener, metrics: Metrics, clock: ManualClock
) -> None:
    store = opener(keep=100.0, keep_by_series={"flows,interval=10s": 20.0})
    put(store, points(0, 12, 1), points(0, 12, 100, interval="60s"), points(0, 1, 5, business="short-lived"))
    clock.advance(110)
    put(store)
    assert metrics.value("btimd_store_points_expired_total") == 0  # looked less than an hour ago
    clock.ticks += 3600
    put(store)
    left = replace(EVERYTHING, fields=("octets",), group_by=("interval", "business"))
    assert [(line.time_milliseconds - T0_MILLISECONDS, *line.tags) for line in store.query(left)] == sorted(
        [(step * 10_000, "10s", "erp") for step in (9, 10, 11)]
        + [(step * 10_000, "60s", "erp") for step in range(1, 12)]
    )
    assert metrics.value("btimd_store_points_expired_total") == 9 + 1 + 1
    put(store, points(12, 1, 7, business="short-lived"))
    again = replace(EVERYTHING, where={"business": "short-lived"})
    assert store.query(again) == [row(12, "short-lived", 7, 0.875)]


def test_after_close_points_are_counted_as_lost_and_queries_say_so(opener: Opener, metrics: Metrics) -> None:
    store = opener()
    put(store, points(0, 1, 1))
    store.close()
    store.close()
    store.write(points(1, 5, 1))
    assert metrics.value("btimd_store_points_dropped_total", {"reason": "stopped"}) == 5
    with pytest.raises(ConnectionError, match="is closed"):
        store.query(EVERYTHING)


HOLDER = """
import sys
from pathlib import Path
from btimd.runtime.clock import ManualClock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from btimd.store.embedded import EmbeddedStore
from btimd.store.settings import StoreSettings
from btimd.store.storemetrics import StoreMetrics
from tests.store.examples import points
store = EmbeddedStore(path=Path(sys.argv[1]), settings=StoreSettings(flush_every=0.005),
                      metrics=StoreMetrics(Metrics()), clock=ManualClock(), log=Log("store"))
store.open()
sys.stdout.write("open\\n")
sys.stdout.flush()
for number in range(100_000):
    store.write(points(number, 20, number))
    store.write(points(number, 1, number, business=f"b{number}", measurement=f"m{number % 7}"))
    if number % 5 == 4:
        store.flush(60.0)
        sys.stdout.write(f"{number}\\n")  # in one piece, also where nothing is buffered
        sys.stdout.flush()
"""


def killed_while_writing(path: Path, acknowledgements: int, meanwhile: Callable[[], None]) -> int:
    """Run HOLDER on a file, kill it after so many flushes, return the last number it said was flushed."""
    flushed = -1
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        meanwhile()
        for count, line in enumerate(process.stdout):
            flushed = int(line)
            if count == acknowledgements:
                process.kill()
    assert process.returncode == -9
    return flushed


@pytest.mark.slow
def test_what_was_flushed_survives_kill_9_and_a_second_process_is_told_who_holds_the_file(
    opener: Opener, tmp_path: Path
) -> None:
    def look() -> None:
        with pytest.raises(StoreFailedError, match=r"cannot open the series store .*PID.*; another process holds it"):
            opener()

    flushed = killed_while_writing(tmp_path / "series.duckdb", 40, look)
    store = opener()
    found = [int(line.values[0] or 0) for line in store.query(replace(EVERYTHING, fields=("octets",)))]
    assert len(found) >= flushed + 20
    assert found[: flushed + 1] == list(range(flushed + 1))
    single = [
        line.tags[0]
        for number in range(7)
        for line in store.query(replace(EVERYTHING, measurement=f"m{number}", fields=("octets",)))
    ]
    assert {f"b{number}" for number in range(flushed + 1)} <= set(single)
    assert len(single) == len(set(single))
    put(store, points(0, 1, 4711))
    assert store.query(EVERYTHING)[0].values[0] == 4711.0


def test_a_file_that_is_no_database_is_refused(opener: Opener, tmp_path: Path) -> None:
    (tmp_path / "series.duckdb").write_bytes(b"no database" * 1000)
    with pytest.raises(StoreFailedError, match="cannot open the series store"):
        opener()
