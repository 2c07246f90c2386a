import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typing_extensions import override

from btimd.flows.baselineservice import STATE_FILE, BaselineService, forecast_queries
from btimd.flows.deviation import DeviationOpened, Event
from btimd.flows.history import Closed, windows_points
from btimd.flows.linkrows import points_of
from btimd.flows.linktables import LinkLimits
from btimd.flows.linkwindows import LinkWindows
from btimd.flows.qualityfeed import quality_points
from btimd.flows.settings import BaselineSettings
from btimd.model.deviation import ALL, BaselineState, ForecastAsk, ForecastOutcome, ForecastSubject, Indicator
from btimd.model.points import PointBlock, SeriesQuery, SeriesRow
from btimd.model.ports import SeriesStore
from btimd.runtime.clock import ManualClock
from btimd.runtime.lifecycle import HealthLevel
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from btimd.store.embedded import EmbeddedStore
from btimd.store.settings import StoreSettings
from btimd.store.storemetrics import StoreMetrics
from tests.flows.linkcrafting import NOW as LINK_NOW
from tests.flows.linkcrafting import names_of, records
from tests.flows.test_indicators import quality, window
from tests.flows.traffic_days import MONDAY
from tests.patience import PATIENCE_SECONDS

MINUTE = 60_000
DAY = 86_400_000
NOW = MONDAY + 7 * DAY + 10 * 3_600_000


def octets(time: int, region: int) -> int:
    rng = np.random.default_rng(time // MINUTE * 7 + region)
    return int(1e8 * np.exp(rng.normal(0, 0.06)))


class Store(SeriesStore):
    """A week of a business with two regions of 50 users, and a link that fills up."""

    @override
    def write(self, block: PointBlock) -> None: ...

    @override
    async def query(self, query: SeriesQuery) -> Sequence[SeriesRow]:
        times = range(query.from_milliseconds, query.to_milliseconds, query.step_milliseconds)
        if query.measurement == "btimd_links":
            days = [(time, (time - MONDAY) / DAY) for time in times if MONDAY - 40 * DAY <= time < NOW]
            return [SeriesRow(time, (), (0.7 + 0.002 * day,)) for time, day in days]
        return [
            SeriesRow(time, ("erp", f"r{region}"), (octets(time, region), 0.0, 50.0 + time // MINUTE % 3, 200.0))
            for time in times
            if MONDAY + 2 * DAY <= time < NOW
            for region in (0, 1)
        ]


def service(path: Path, events: list[Event], store: SeriesStore | None, **settings: object) -> BaselineService:
    return BaselineService(
        settings=BaselineSettings.model_validate({"least_days": 2, "learn_from": "5d", **settings}),
        state_directory=path,
        series=store,
        grace_seconds=10.0,
        metrics=Metrics(),
        clock=ManualClock(now=NOW / 1000),
        log=Log("test"),
        on_event=events.append,
    )


def feed(running: BaselineService, minutes: range, share: float = 1.0) -> None:
    for minute in minutes:
        start = NOW + minute * MINUTE
        cells = [
            ("erp", f"r{region}", "", int(octets(start, region) * (share if region else 1.0)), 50) for region in (0, 1)
        ]
        running.closed(Closed.of(window(cells, start=start)))
        running.step(start + MINUTE + 15_000)


async def learned(running: BaselineService) -> None:
    await running.start()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while running._learning is not None:  # noqa: ASYNC110  learning has no event of its own
            await asyncio.sleep(0.01)
    running._stopping.set()  # the tests step by themselves
    thread = running._thread
    if thread is not None:
        await asyncio.to_thread(thread.join, 10)


@pytest.mark.slow
async def test_what_is_usual_is_learned_from_the_store_kept_over_a_restart_and_told_when_it_is_not(
    tmp_path: Path,
) -> None:
    events: list[Event] = []
    running = service(tmp_path, events, Store())
    await learned(running)
    feed(running, range(-6, 60))
    feed(running, range(60, 66), share=0.3)
    await asyncio.sleep(0)

    (event,) = events
    assert isinstance(event, DeviationOpened)
    assert (event.deviation.region, event.deviation.indicator) == ("r1", Indicator.TRAFFIC)
    assert event.deviation.since == (NOW + 60 * MINUTE) / 1000
    assert list(running.deviations()) == [event.deviation]
    rows = {(row.region, row.indicator): row for row in running.baselines(business="erp", region=None, limit=10)}
    assert rows["r1", Indicator.TRAFFIC].state is BaselineState.DEVIATING
    assert rows["r0", Indicator.TRAFFIC].state is BaselineState.USUAL
    points = running.baseline("erp", ALL, Indicator.USERS)
    assert len(points) == 96
    assert points[-2].value is not None
    with pytest.raises(KeyError, match="no baseline of failures of erp"):
        running.baseline("erp", ALL, Indicator.FAILURES)
    running._save()
    await running.stop()

    again = service(tmp_path, [], None)
    assert again._restore()
    assert again._keys == running._keys
    np.testing.assert_array_equal(again._baselines.get("level"), running._baselines.get("level"))


async def test_a_state_that_is_none_is_learned_anew(tmp_path: Path) -> None:
    (tmp_path / STATE_FILE).write_bytes(b"PK\x03\x04 no archive")
    running = service(tmp_path, [], None)
    await running.start()
    await running.stop()
    assert (running._keys, running.health().level) == ([], HealthLevel.OK)
    assert (tmp_path / STATE_FILE).stat().st_size > 100


async def test_when_nobody_reports_nothing_is_said_to_have_dropped(tmp_path: Path) -> None:
    running = service(tmp_path, [], None)
    await learned(running)
    feed(running, range(10))
    running.step(NOW + 30 * MINUTE)

    states = {row.state for row in running.baselines(business=None, region=None, limit=10)}
    assert states == {BaselineState.UNKNOWN}


async def test_intervals_that_nobody_has_time_for_are_counted(tmp_path: Path) -> None:
    running = service(tmp_path, [], None)
    for minute in range(520):
        running.closed(Closed.of(window([("erp", "r0", "", 1, 1)], start=NOW + minute * MINUTE)))
    assert running._lost._value.get() == 8.0


async def test_a_forecast_rests_on_the_store(tmp_path: Path) -> None:
    running = service(tmp_path, [], Store())
    ask = ForecastAsk(ForecastSubject.LINK, "CORE:Gi0/1", 0.8, 90)
    found = await running.forecast(ask)
    assert (found.outcome, found.days) == (ForecastOutcome.CROSSES, 47)
    assert found.slope_per_day == pytest.approx(0.002, rel=0.01)
    nothing = await service(tmp_path, [], None).forecast(ask)
    assert nothing.outcome is ForecastOutcome.NOT_ENOUGH_HISTORY


def test_a_link_is_named_by_exporter_and_interface() -> None:
    with pytest.raises(ValueError, match="'CORE' is no link; write EXPORTER:INTERFACE"):
        forecast_queries(ForecastAsk(ForecastSubject.LINK, "CORE", 0.9))


class Embedded(SeriesStore):
    """The embedded store itself, asked away from the loop."""

    def __init__(self, path: Path) -> None:
        self.store = EmbeddedStore(
            path=path / "series.duckdb", settings=StoreSettings(flush_every=0.01), metrics=StoreMetrics(Metrics()),
            clock=ManualClock(now=NOW / 1000), log=Log("store"),
        )  # fmt: skip
        self.store.open()

    @override
    def write(self, block: PointBlock) -> None:
        self.store.write(block)

    @override
    async def query(self, query: SeriesQuery) -> Sequence[SeriesRow]:
        return await asyncio.to_thread(self.store.query, query)


def days_of(template: PointBlock, per_day: float, **fields: float) -> PointBlock:
    """Return a written point 16 days long, 13 hours a day by minute; given fields grow by `per_day` each day."""
    first = NOW - NOW % DAY - 16 * DAY
    times = np.array([first + day * DAY + minute * MINUTE for day in range(16) for minute in range(780)], np.int64)
    grown = 1 + per_day * ((times - first) // DAY)
    size = len(times)
    return replace(
        template,
        time_milliseconds=times,
        tags={name: [value[0]] * size for name, value in template.tags.items()},
        fields={
            name: fields[name] * grown if name in fields else np.repeat(value[:1], size)
            for name, value in template.fields.items()
        },
    )


async def test_forecasts_read_what_windows_quality_and_links_write(tmp_path: Path) -> None:
    store = Embedded(tmp_path)
    traffic = windows_points(window([("erp", "east", "", 1000, 1)]))
    link = link_points()
    store.write(days_of(traffic, 0.01, users=100.0))
    store.write(days_of(replace(traffic, tags={**traffic.tags, "region": ["west"]}), 0.01, users=50.0))
    store.write(days_of(quality_points(quality()), 0.02, response_seconds_p50=0.1))
    store.write(days_of(link, 0.01, utilisation=0.5))
    assert store.store.flush(30)
    running = service(tmp_path, [], store)
    asks = [
        ForecastAsk(ForecastSubject.USERS, "erp", 180.0, 30),
        ForecastAsk(ForecastSubject.RESPONSE, "erp", 0.15, 30),
        ForecastAsk(ForecastSubject.LINK, "core:wan", 0.6, 30),
    ]
    found = [await running.forecast(ask) for ask in asks]
    store.store.close()

    assert [(one.outcome, one.days) for one in found] == [(ForecastOutcome.CROSSES, 16)] * 3
    np.testing.assert_allclose([one.slope_per_day or 0 for one in found], [1.5, 0.002, 0.005], rtol=0.02)
    np.testing.assert_allclose([one.level or 0 for one in found], [172.5, 0.13, 0.575], rtol=0.02)


def link_points() -> PointBlock:
    """Return the points that a link's utilisation is written as."""
    windows = LinkWindows(LinkLimits(max_interfaces=8, max_cells=16))
    windows.add(records(0, exporter_id=0, octet_delta_count=7500), None, names_of(["erp"]), LINK_NOW + 2000)
    batch = windows.close(LINK_NOW + 70_000)[-1]
    points = points_of(batch, {0: "core"}, lambda _, interface: ("wan", 1000) if interface else ("", 0))
    rows = zip(points.tags["interface"], points.tags["business"], points.tags["direction"], strict=True)
    at = next(number for number, row in enumerate(rows) if row[:2] == ("wan", "*"))
    tags = {name: value[at : at + 1] for name, value in points.tags.items()}
    fields = {name: value[at : at + 1] for name, value in points.fields.items()}
    return replace(points, time_milliseconds=points.time_milliseconds[at : at + 1], tags=tags, fields=fields)
