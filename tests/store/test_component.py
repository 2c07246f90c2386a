"""The components: every kind of store behind one port, against real servers; the journal and its end."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from btimd.model.points import PointBlock, SeriesQuery, SeriesRow
from btimd.runtime.clock import ManualClock
from btimd.runtime.lifecycle import ComponentHealth, HealthLevel
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from btimd.store.component import JournalComponent, SeriesStoreComponent
from btimd.store.journal import JournalFailedError
from btimd.store.settings import StoreSettings
from btimd.store.spool import SpoolError
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.store.contract import contract_server
from tests.store.examples import T0, T0_MILLISECONDS, incident, points, write
from tests.store.servers import Influx2Shim, Influxd, VictoriaMetrics

QUERY = SeriesQuery(
    measurement="flows",
    fields=("octets", "rtt_seconds"),
    from_milliseconds=T0_MILLISECONDS,
    to_milliseconds=T0_MILLISECONDS + 10**9,
    group_by=("business",),
    step_milliseconds=10_000,
)

Starter = Callable[[dict[str, Any]], Awaitable[SeriesStoreComponent]]


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
async def starter(tmp_path: Path, metrics: Metrics) -> AsyncIterator[Starter]:
    started: list[SeriesStoreComponent] = []

    async def start(settings: dict[str, Any]) -> SeriesStoreComponent:
        component = SeriesStoreComponent(
            StoreSettings.model_validate({"flush_every": "10ms"} | settings),
            tmp_path / "state",
            metrics=metrics,
            clock=ManualClock(now=T0),
            log=Log("store"),
        )
        started.append(component)
        await component.start()
        return component

    yield start
    for component in started:
        await component.stop()


@pytest.fixture
def influxd(tmp_path: Path) -> Iterator[Influxd]:
    server = Influxd(tmp_path / "influxd").start()
    server.query('CREATE DATABASE "btimd"')
    yield server
    server.kill()


@pytest.fixture
def shim(tmp_path: Path, influxd: Influxd) -> Iterator[Influx2Shim]:
    server = Influx2Shim(tmp_path / "shim", influxd).start()
    yield server
    server.kill()


@pytest.fixture
def victoria(tmp_path: Path) -> Iterator[VictoriaMetrics]:
    server = VictoriaMetrics(tmp_path / "victoria").start()
    yield server
    server.kill()


def influx(kind: str, url: str, **more: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "influx": {"url": url, "org": "net", "timeout": "5s", "retry_at_most_every": "50ms", **more},
    }


async def until(holds: Callable[[], object]) -> None:
    await asyncio.to_thread(wait_until, holds)


async def test_the_embedded_store_behind_the_port(starter: Starter, metrics: Metrics, tmp_path: Path) -> None:
    store = await starter({})
    assert store.name == "store"
    store.write(points(0, 2, 8))
    assert await store.flush()
    rows = [
        SeriesRow(T0_MILLISECONDS, ("erp",), (8.0, 1.0)),
        SeriesRow(T0_MILLISECONDS + 10_000, ("erp",), (9.0, 1.125)),
    ]
    assert await store.query(QUERY) == rows
    assert store.health() == ComponentHealth()
    await store.stop()
    await store.stop()
    store.write(points(2, 3, 8))
    assert metrics.value("btimd_store_points_dropped_total", {"reason": "stopped"}) == 3
    with pytest.raises(ConnectionError, match="the series store is not running"):
        await store.query(QUERY)
    assert await store.flush() is False
    again = await starter({})
    assert await again.query(QUERY) == rows
    assert sorted(path.name for path in await asyncio.to_thread(listed, tmp_path / "state")) == ["series.duckdb"]


def listed(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.suffix != ".wal"]


async def test_run_waits_until_it_is_cancelled(starter: Starter) -> None:
    store = await starter({})
    running = asyncio.create_task(store.run())
    await asyncio.sleep(0)
    assert not running.done()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_a_spool_in_use_stops_the_start_and_leaks_nothing(starter: Starter) -> None:
    with contract_server() as server:
        await starter(influx("influx2", server.url))
        with pytest.raises(SpoolError, match="is another btimd running"):
            await starter(influx("influx2", server.url))


async def test_a_secret_that_is_not_there_is_named(starter: Starter, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"cannot read {tmp_path}/token: No such file"):
        await starter(influx("influx2", "http://127.0.0.1:1", token_file=tmp_path / "token"))


async def test_no_secret_is_shown(starter: Starter, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    secret = tmp_path / "token"
    await asyncio.to_thread(write_secret, secret)
    with contract_server() as server:
        server.status, server.error_body = 401, b'{"message":"unauthorized access"}'
        store = await starter(influx("influx2", server.url, token_file=secret))
        store.write(points(0, 1, 1))
        await until(lambda: store.health().level is HealthLevel.ERROR)
        assert "check the token in influx.token_file" in store.health().reason
        await store.stop()
    shown = " ".join([caplog.text, repr(store), str(store.health()), repr(store.__dict__)])
    assert "t0ken" not in shown


def write_secret(path: Path) -> None:
    path.write_text("t0ken")
    path.chmod(0o600)


async def check_outage(store: SeriesStoreComponent, influxd: Influxd, metrics: Metrics) -> None:
    """Write, kill the server, write on (also what was written before, anew), start it, ask it itself."""
    store.write(points(0, 50, 1))
    await until(lambda: metrics.value("btimd_store_points_written_total") == 50)
    await asyncio.to_thread(influxd.kill)
    for number in range(50, 100):
        store.write(points(number, 1, number + 1))
        store.write(points(10, 1, number))
        if number % 10 == 0:
            assert await store.flush()
    assert await store.flush()
    await until(lambda: store.health().level is HealthLevel.WARNING)
    assert metrics.value("btimd_store_spool_points") == 100
    await asyncio.to_thread(influxd.start)
    await until(lambda: store.health() == ComponentHealth())
    (series,) = await asyncio.to_thread(influxd.query, "SELECT octets, rtt_seconds FROM flows", "btimd")
    wanted = [[T0_MILLISECONDS + n * 10_000, n + 1, (n + 1) / 8] for n in range(100)]
    wanted[10] = [T0_MILLISECONDS + 100_000, 99, 99 / 8]  # the last that was written
    assert series["values"] == wanted
    assert metrics.value("btimd_store_points_written_total") == 150
    assert metrics.value("btimd_store_points_rejected_total") == 0


@pytest.mark.real_server
@pytest.mark.slow
async def test_influxdb_1_gets_every_point_once_and_in_order_through_an_outage(
    starter: Starter, influxd: Influxd, metrics: Metrics
) -> None:
    store = await starter(influx("influx1", influxd.url))
    await check_outage(store, influxd, metrics)
    rows = await store.query(replace(QUERY, to_milliseconds=T0_MILLISECONDS + 20_000))
    assert rows == [
        SeriesRow(T0_MILLISECONDS, ("erp",), (1.0, 0.125)),
        SeriesRow(T0_MILLISECONDS + 10_000, ("erp",), (2.0, 0.25)),
    ]


@pytest.mark.real_server
@pytest.mark.slow
async def test_the_2_api_writer_gets_every_point_once_and_in_order_through_an_outage(
    starter: Starter, influxd: Influxd, shim: Influx2Shim, metrics: Metrics
) -> None:
    await check_outage(await starter(influx("influx2", shim.url)), influxd, metrics)


@pytest.mark.real_server
@pytest.mark.slow
async def test_victoriametrics_takes_what_the_2_api_writer_sends(
    starter: Starter, victoria: VictoriaMetrics, metrics: Metrics
) -> None:
    store = await starter(influx("influx2", victoria.url))
    hostile = PointBlock(
        "flows",
        np.array([T0_MILLISECONDS]),
        {"business": ['a, b="c\\'], "person": ["张\n三"]},
        {"octets": np.array([4])},
    )
    store.write(points(0, 3, 1))
    store.write(hostile)
    await until(lambda: metrics.value("btimd_store_points_written_total") == 4)
    await until(lambda: len(victoria.export('{__name__="flows_octets"}')) == 2)
    found = {
        (line["metric"]["business"], line["metric"].get("person", "")): list(
            zip(line["timestamps"], line["values"], strict=True)
        )
        for line in victoria.export('{__name__="flows_octets"}')
    }
    assert found == {
        ("erp", ""): [(T0_MILLISECONDS + step * 10_000, step + 1) for step in range(3)],
        ('a, b="c/', "张 三"): [(T0_MILLISECONDS, 4)],
    }


@pytest.mark.real_server
@pytest.mark.slow
async def test_influxdb_1_refuses_a_bad_point_says_why_and_takes_the_rest(
    starter: Starter, influxd: Influxd, metrics: Metrics, caplog: pytest.LogCaptureFixture
) -> None:
    store = await starter(influx("influx1", influxd.url))
    store.write(points(0, 1, 1))
    await until(lambda: metrics.value("btimd_store_points_written_total") == 1)
    wrong = PointBlock("flows", np.array([T0_MILLISECONDS]), {}, {"octets": np.array([0.5])})
    for block in (points(1, 4, 2), wrong, points(5, 4, 6)):
        store.write(block)
    await until(lambda: metrics.value("btimd_store_points_written_total") == 9)
    assert metrics.value("btimd_store_points_rejected_total") == 1
    assert "field type conflict" in caplog.text
    assert [row.values[0] for row in await store.query(QUERY)] == [float(value) for value in range(1, 10)]


@pytest.mark.real_server
@pytest.mark.slow
async def test_a_missing_database_keeps_the_points_until_it_is_made(
    starter: Starter, influxd: Influxd, metrics: Metrics
) -> None:
    store = await starter(influx("influx1", influxd.url, database="later"))
    store.write(points(0, 5, 1))
    await until(lambda: store.health().level is HealthLevel.ERROR)
    assert 'answered 404: database not found: "later"' in store.health().reason
    assert "create the database: CREATE DATABASE" in store.health().reason
    await asyncio.to_thread(influxd.query, 'CREATE DATABASE "later"')
    await until(lambda: store.health() == ComponentHealth())
    assert metrics.value("btimd_store_points_written_total") == 5
    assert len(await store.query(QUERY)) == 5


BLOCKS = (
    points(0, 5, 1),
    points(0, 3, 10, business="hr"),
    points(2, 2, 100, business="hr", interval="60s"),
    PointBlock("flows", np.array([T0_MILLISECONDS + 1]), {}, {"octets": np.array([7]), "users": np.array([3])}),
    points(1, 1, 50),
)

QUESTIONS = [
    replace(QUERY, fold=fold, step_milliseconds=step, group_by=group_by, where=where, fields=fields)
    for fold in ("sum", "mean", "max", "last")
    for step in (0, 20_000)
    for group_by, where in (((), None), (("business",), {"interval": "10s"}), (("interval", "never"), {"business": ""}))
    for fields in (("octets", "rtt_seconds"), ("users", "unheard_of"))
]


@pytest.mark.real_server
@pytest.mark.slow
async def test_the_embedded_store_answers_as_influxdb_1_does(
    starter: Starter, influxd: Influxd, metrics: Metrics
) -> None:
    server = await starter(influx("influx1", influxd.url))
    embedded = await starter({})
    for block in BLOCKS:
        server.write(block)
        embedded.write(block)
    assert await embedded.flush()
    await until(lambda: metrics.value("btimd_store_points_written_total") == 2 * sum(map(len, BLOCKS)))
    for question in QUESTIONS:
        assert await embedded.query(question) == await server.query(question), question


# The journal's component.


async def test_the_journal_component_counts_calls_and_transactions(tmp_path: Path, metrics: Metrics) -> None:
    component = JournalComponent(tmp_path / "state", metrics=metrics, clock=ManualClock(), log=Log("journal"))
    assert component.name == "journal"
    await component.stop()
    await component.start()
    await asyncio.gather(*(component.journal.write_incident(write(incident(f"I{n}"))) for n in range(40)))
    assert component.health() == ComponentHealth()
    await component.stop()
    await component.stop()
    assert metrics.value("btimd_store_journal_calls_total") == 40
    assert 1 <= metrics.value("btimd_store_journal_commits_total") < 10


async def test_run_forgets_what_is_old(tmp_path: Path, metrics: Metrics) -> None:
    component = JournalComponent(tmp_path, metrics=metrics, clock=ManualClock(now=T0), log=Log("journal"))
    await component.start()
    await component.journal.save_verdict("old", T0 - 401 * 86_400, b"{}")
    await component.journal.save_verdict("young", T0 - 399 * 86_400, b"{}")
    running = asyncio.create_task(component.run())
    kept = await component.journal.load_verdicts(9)
    while len(kept) == 2:
        kept = await component.journal.load_verdicts(9)
    running.cancel()
    assert [verdict_id for verdict_id, _, _ in kept] == ["young"]
    await component.stop()


async def test_run_raises_when_the_journal_fails(tmp_path: Path, metrics: Metrics) -> None:
    component = JournalComponent(tmp_path, metrics=metrics, clock=ManualClock(), log=Log("journal"))
    await component.start()
    running = asyncio.create_task(component.run())
    await component.journal.save_state("a", b"1")
    with pytest.raises(JournalFailedError, match="no such table"):
        await component.journal._ask(lambda connection: connection.execute("SELECT * FROM unheard_of"))
    with pytest.raises(JournalFailedError, match="failed: no such table: unheard_of; btimd"):
        await asyncio.wait_for(running, PATIENCE_SECONDS)
    assert component.health().level is HealthLevel.ERROR
    await component.stop()
