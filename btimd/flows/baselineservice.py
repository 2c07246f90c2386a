"""BaselineService: learns what is usual on a thread of its own, and tells on the loop what is not."""

import asyncio
import json
import os
import threading
import zipfile
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from typing_extensions import override

from btimd.flows.baseline import INDICATORS, Baselines, Judged
from btimd.flows.baselinelearning import Learner
from btimd.flows.deviation import DeviationOpened, Deviations, Event, SeriesKey
from btimd.flows.forecast import daily, forecast
from btimd.flows.history import MEASUREMENT as TRAFFIC
from btimd.flows.history import Closed
from btimd.flows.holidaydays import day_kinds
from btimd.flows.indicators import INTERVAL_MILLISECONDS, Feeders, Indicators
from btimd.flows.qualityfeed import MEASUREMENT as QUALITY
from btimd.flows.qualityfeed import QualityClosed
from btimd.flows.season import BIN_MINUTES, BINS_PER_DAY, DayKind, Season
from btimd.flows.settings import BaselineSettings
from btimd.model.deviation import (
    ALL,
    BaselinePoint,
    BaselineRow,
    BaselineState,
    BaselinesView,
    Deviation,
    Forecast,
    ForecastAsk,
    ForecastSubject,
    Indicator,
)
from btimd.model.points import SeriesQuery
from btimd.model.ports import SeriesStore
from btimd.model.taps import RecordTap
from btimd.model.window import interval_name
from btimd.runtime.clock import Clock, wall_milliseconds
from btimd.runtime.feed import Feed, FeedSubscription
from btimd.runtime.lifecycle import Component, ComponentHealth, HealthLevel
from btimd.runtime.log import Log, OncePerInterval
from btimd.runtime.metrics import Metrics

STATE_FILE: Final = "baselines.npz"
_WAIT_SECONDS: Final = 1.0
_STOP_SECONDS: Final = 4.0
_MOST_WAITING: Final = 512
_SHOWN: Final = 4096
_SETTLE_MILLISECONDS: Final = 5_000
_MOST_WAIT_MILLISECONDS: Final = 120_000
_DAY: Final = 86_400_000
_FORECAST_DAYS: Final = 120
_FORECAST_STEP: Final = 300_000
_LEAST_OF_DAY: Final = 144
_MOST_STATE_OCTETS: Final = 4 << 30


class BaselineService(Component, BaselinesView):
    """Takes closed intervals (`closed`, on the flow thread), tells deviations (`on_event`, on the loop).

    `feeders` is a RecordTap for the flow thread. grace_seconds: after its end an interval is told the first time.
    businesses: whose baselines there are; None = whoever has traffic. Without a series store nothing is learned from
    the past, and there are no forecasts.
    """

    def __init__(
        self,
        *,
        settings: BaselineSettings,
        state_directory: Path,
        series: SeriesStore | None,
        grace_seconds: float,
        metrics: Metrics,
        clock: Clock,
        log: Log,
        businesses: Sequence[str] | None = None,
        on_event: Callable[[Event], None] = lambda _: None,
    ) -> None:
        self._settings = settings
        self._path = state_directory / STATE_FILE
        self._series = series
        self._grace = round(grace_seconds * 1000) + _SETTLE_MILLISECONDS
        self._clock = clock
        self._log = log
        self._businesses = None if businesses is None else frozenset(businesses)
        self._on_event = on_event
        self._kind_of: Callable[[date], DayKind] = lambda _: DayKind.WORKDAY
        self._season = Season()
        self._feeders = Feeders(guard=threading.Lock())  # records come on the flow thread
        self._guard = threading.Lock()  # around the model, between its thread and the views
        self._waiting: deque[Closed | QualityClosed] = deque()
        self._arrived = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._learning: asyncio.Task[None] | None = None
        self._failure: Exception | None = None
        self._failures = OncePerInterval()
        self._stopped = asyncio.Event()
        self._judged: Judged | None = None
        self._day = 0
        self._saved_at = 0.0
        self._feed: Feed[str, Deviation] = Feed(_SHOWN, keep=lambda one: one.cleared_at is None)
        self._opened = metrics.counter("btimd_flows_deviations_total", "Deviations told, by kind.", ("kind",))
        self._open = metrics.gauge("btimd_flows_open_deviations", "Deviations that last.")
        self._series_known = metrics.gauge("btimd_flows_baseline_series", "Series that a baseline is learned of.")
        self._lost_series = metrics.gauge("btimd_flows_baseline_series_refused", "Series without room: max_series.")
        self._lost = metrics.counter("btimd_flows_baseline_dropped_total", "Intervals that baselines had no time for.")
        self._judgements = metrics.counter(
            "btimd_flows_baseline_intervals_total", "Intervals compared with what is usual."
        )
        self._failed = metrics.counter("btimd_flows_baseline_failures_total", "Intervals that could not be judged.")
        self._age = metrics.gauge("btimd_flows_baseline_wait_intervals", "Intervals waited for late exports.")
        self._fresh()

    def _fresh(self) -> None:
        self._keys: list[SeriesKey] = []
        self._baselines = Baselines(most=self._settings.max_series, least_days=self._settings.least_days)
        self._make()

    def _make(self) -> None:
        self._indicators = Indicators(self._baselines, self._keys, self._businesses)
        self._deviations = Deviations(self._baselines, self._keys, self._settings.limits())

    # -- life

    @property
    @override
    def name(self) -> str:
        """Name for logs and metrics."""
        return "baselines"

    @property
    def feeders(self) -> RecordTap:
        """What is to see every record, so that who falls silent is known."""
        return self._feeders

    @override
    async def start(self) -> None:
        """Read the calendar and what was learned before; raises ValueError for a calendar that cannot be."""
        self._stopped.clear()
        self._stopping.clear()
        self._failure = None
        if not self._settings.enabled:
            return
        self._kind_of = await asyncio.to_thread(
            day_kinds, self._settings.country, self._settings.subdivision, self._settings.days_file
        )
        self._season = Season(ZoneInfo(self._settings.time_zone), self._kind_of)
        self._loop = asyncio.get_running_loop()
        restored = await asyncio.to_thread(self._restore)
        self._saved_at = self._clock.monotonic()
        if restored or self._series is None or not self._settings.learn_from:
            self._begin()
        else:
            self._learning = asyncio.create_task(self._learn_from_store(self._series))

    def _begin(self) -> None:
        if not self._stopping.is_set():
            self._thread = threading.Thread(target=self._work, name="baselines", daemon=True)
            self._thread.start()

    @override
    async def run(self) -> None:
        """Wait until stopped; raises what ended the thread."""
        await self._stopped.wait()
        if self._failure is not None:
            raise self._failure

    @override
    async def stop(self) -> None:
        """Write down what was learned."""
        self._stopping.set()
        self._arrived.set()
        if self._learning is not None:
            self._learning.cancel()
            self._learning = None
        thread, self._thread = self._thread, None
        if thread is not None:
            await asyncio.to_thread(thread.join, _STOP_SECONDS)
        self._stopped.set()

    @override
    def health(self) -> ComponentHealth:
        """Say whether it learns."""
        if self._failure is not None:
            return ComponentHealth(HealthLevel.ERROR, f"baselines failed: {self._failure!r}")
        if self._baselines.overflowed:
            text = f"no room for more than {self._baselines.most} series; raise flows.baselines.max_series"
            return ComponentHealth(HealthLevel.WARNING, text)
        return ComponentHealth()

    def swap(self, businesses: Sequence[str] | None) -> None:
        """Go on with other businesses; what is known of those that are gone is kept, but nothing is told of them."""
        self._businesses = None if businesses is None else frozenset(businesses)
        with self._guard:
            self._indicators.businesses = self._businesses
            if self._businesses is not None and self._judged is not None:
                gone = [number for number, key in enumerate(self._keys) if key[0] not in self._businesses]
                for event in self._deviations.forget(gone, self._judged):
                    self._publish(event)

    # -- data

    def closed(self, closed: Closed | QualityClosed) -> None:
        """Take an interval; called on the flow thread, returns at once."""
        if not self._settings.enabled:
            return
        batch = closed.batch if isinstance(closed, Closed) else closed.interval
        if batch.interval_milliseconds != INTERVAL_MILLISECONDS:
            return
        if len(self._waiting) >= _MOST_WAITING:
            self._waiting.popleft()
            self._lost.inc()
        self._waiting.append(closed)
        self._arrived.set()

    def _work(self) -> None:
        try:
            while not self._stopping.is_set():
                self._arrived.wait(_WAIT_SECONDS)
                self._arrived.clear()
                self.step(wall_milliseconds(self._clock))
                if self._clock.monotonic() - self._saved_at >= self._settings.save_every:
                    self._save()
            self._save()
        except Exception as error:  # noqa: BLE001  handed to run(), where the supervisor sees it
            self._failure = error
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._stopped.set)

    def step(self, now: int) -> None:
        """Take what waits and judge what is due. Called on the thread of baselines, and by tests."""
        while self._waiting:
            closed = self._waiting.popleft()
            with self._guard:
                if isinstance(closed, Closed):
                    self._indicators.add_traffic(closed.batch)
                else:
                    self._indicators.add_quality(closed.interval)
        for start in list(self._indicators.due(now, self._grace)):
            try:
                with self._guard:
                    events = self._judge(start)
            except Exception:  # noqa: BLE001  one interval is lost, counted and said
                self._failed.inc()
                held = self._failures.take(self._clock.monotonic())
                if held is not None:
                    self._log.exception("baseline-interval-failed", more_since_last_line=held)
                continue
            for event in events:
                if self._loop is not None:
                    self._loop.call_soon_threadsafe(self._publish, event)

    def _judge(self, start: int) -> list[Event]:
        newest = self._indicators.newest
        stands_still = newest is None or newest < start  # nobody reports anything at all
        observation = self._indicators.observation(
            start, lambda business: stands_still or self._feeders.absent(business, start)
        )
        place = self._season.place(start + INTERVAL_MILLISECONDS // 2)
        judged = self._baselines.judge(observation, place)
        events = self._deviations.handle(judged)
        quarter = self._baselines.learn(judged, self._deviations.frozen())
        if quarter is not None:
            events += self._deviations.quarter(judged, quarter)
        if self._day and place.day != self._day:
            events += self._deviations.day(judged)
        self._day = place.day
        self._judged = judged
        self._judgements.inc()
        self._series_known.set(len(self._keys))
        self._lost_series.set(self._baselines.overflowed)
        self._age.set(self._indicators.settling.age)
        return events

    def _publish(self, event: Event) -> None:
        deviation = event.deviation
        self._feed.publish(deviation.id, deviation)
        if isinstance(event, DeviationOpened):
            self._opened.labels(deviation.kind.value).inc()
            self._log.info("deviation-opened", id=deviation.id, text=deviation.text)
        else:
            self._log.info("deviation-cleared", id=deviation.id, reason=deviation.reason)
        self._open.set(len(self._feed.values()))
        self._on_event(event)

    # -- what was learned

    def _save(self) -> None:
        """Write the state beside the old one, then in its place."""
        self._saved_at = self._clock.monotonic()
        with self._guard:
            state = self._baselines.saved()
            names = json.dumps([[business, region, indicator.value] for business, region, indicator in self._keys])
        state["keys"] = np.frombuffer(names.encode(), np.uint8)
        state["time_zone"] = np.frombuffer(self._settings.time_zone.encode(), np.uint8)
        beside = self._path.with_suffix(".new.npz")
        try:
            with beside.open("wb") as file:
                np.savez(file, **state)  # type: ignore[arg-type]  # no array is called allow_pickle
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
        except OSError as error:
            self._log.warning("baselines-not-saved", path=self._path, reason=str(error))

    def _restore(self) -> bool:
        """Read the state; what cannot be read is set aside by learning anew, with a warning."""
        try:
            if not self._path.exists():
                return False
            if self._path.stat().st_size > _MOST_STATE_OCTETS:
                raise ValueError("the file is too large")  # noqa: TRY301  one way for all that is wrong with it
            with self._path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                saved: dict[str, Any] = dict(file.items())
            keys = [
                (str(business), str(region), Indicator(indicator))
                for business, region, indicator in json.loads(saved.pop("keys").tobytes())
            ]
            if saved.pop("time_zone").tobytes().decode() != self._settings.time_zone:
                raise ValueError("it was learned in another time zone")  # noqa: TRY301  the same
            baselines = Baselines.restored(saved, most=self._settings.max_series, least_days=self._settings.least_days)
            if [INDICATORS.index(key[2]) for key in keys] != baselines.indicator[: len(baselines)].tolist():
                raise ValueError("names and series differ")  # noqa: TRY301  the same
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            self._log.warning("baselines-learned-anew", path=self._path, reason=str(error)[:200])
            return False
        self._baselines, self._keys = baselines, keys
        self._make()
        self._log.info("baselines-restored", series=len(keys))
        return True

    async def _learn_from_store(self, store: SeriesStore) -> None:
        """Read the past from the series store, oldest first; the present is judged afterwards."""
        now = wall_milliseconds(self._clock)
        learner = Learner(self._baselines, self._indicators, self._season, rows=self._settings.learn_rows)
        try:
            for query in learner.queries(now, round(self._settings.learn_from * 1000)):
                rows = await store.query(query)
                await asyncio.to_thread(learner.take, query, rows)
        except (ValueError, OSError, RuntimeError) as error:
            self._log.warning("baselines-not-learned", reason=str(error)[:200], intervals=learner.intervals)
        self._log.info("baselines-learned", series=len(self._keys), intervals=learner.intervals)
        self._learning = None
        self._begin()

    # -- views

    @override
    def deviations(self) -> Sequence[Deviation]:
        """Return what deviates now, the longest first."""
        return sorted(self._feed.values(), key=lambda one: (one.since, one.id))

    @override
    def watch_deviations(self) -> FeedSubscription[str, Deviation]:
        """Subscribe to deviations."""
        return self._feed.subscribe()

    @override
    def baselines(self, *, business: str | None, region: str | None, limit: int) -> Sequence[BaselineRow]:
        """Return the present state of indicators, by name."""
        with self._guard:
            judged = self._judged
            if judged is None:
                return ()
            wanted = [
                number
                for number, key in enumerate(self._keys[: len(judged.y)])
                if business in {None, key[0]} and region in {None, key[1]}
            ]
            wanted.sort(key=lambda number: (self._keys[number][:2], INDICATORS.index(self._keys[number][2])))
            return [self._row(number, judged) for number in wanted[:limit]]

    def _row(self, number: int, judged: Judged) -> BaselineRow:
        business, region, indicator = self._keys[number]
        factor = self._settings.factor
        state = BaselineState.USUAL
        if not judged.valid[number]:
            state = BaselineState.UNKNOWN
        elif self._deviations.is_off(number):
            state = BaselineState.DEVIATING
        elif not judged.known[number]:
            state = BaselineState.LEARNING
        middle = float(judged.expected[number])
        told = np.isfinite(middle)
        ends = (middle, middle - factor * float(judged.below[number]), middle + factor * float(judged.above[number]))
        expected, low, high = (self._baselines.from_one(number, one) if told else None for one in ends)
        value = float(judged.observation.value[number])
        days = self._baselines.arrays["days"][judged.place.cell, number]
        return BaselineRow(
            business, region, indicator, state, judged.observation.start / 1000,
            value if np.isfinite(value) else None, expected, low, high, int(days),
        )  # fmt: skip

    @override
    def baseline(self, business: str, region: str, indicator: Indicator) -> Sequence[BaselinePoint]:
        """Return the last 24 hours, oldest first; raises KeyError for what there is no baseline of."""
        with self._guard:
            key = (business, region, indicator)
            if key not in self._keys or self._judged is None:
                raise KeyError(f"there is no baseline of {indicator.value} of {business}, region {region}")
            number = self._keys.index(key)
            recent = self._baselines.history(number)
            step = BIN_MINUTES * 60_000
            newest = self._judged.place.bin_start
            return [
                self._point(number, newest - back * step, recent, current=back == 0)
                for back in range(BINS_PER_DAY - 1, -1, -1)
            ]

    def _point(self, number: int, start: int, recent: Any, *, current: bool) -> BaselinePoint:
        place = self._season.place(start + BIN_MINUTES * 30_000)
        expected, low, high = self._baselines.band_of(number, place, self._settings.factor)
        value = float(recent[place.bin])
        known = np.isfinite(value) and not current
        return BaselinePoint(start, self._baselines.from_one(number, value) if known else None, expected, low, high)

    @override
    async def forecast(self, ask: ForecastAsk) -> Forecast:
        """Say when a threshold will be crossed; raises ValueError for a name of the wrong form."""
        now = wall_milliseconds(self._clock)
        today = now - now % _DAY
        queries = forecast_queries(ask)
        found: dict[int, float] = {}
        fold = {ForecastSubject.USERS: 1 / (_FORECAST_STEP // INTERVAL_MILLISECONDS)}.get(ask.subject, 1.0)
        for back in range(_FORECAST_DAYS, 0, -10):
            begin = today - back * _DAY
            for query in queries if self._series is not None else ():
                rows = await self._query(replace(query, from_milliseconds=begin, to_milliseconds=begin + 10 * _DAY))
                for row in rows:
                    if row.values[0] is not None:
                        value = row.values[0] * fold
                        found[row.time_milliseconds] = max(found.get(row.time_milliseconds, 0.0), value)
        times = np.array(sorted(found), np.int64)
        values = np.array([found[time] for time in times.tolist()], np.float64)
        quantile = 1.0 if ask.subject is ForecastSubject.USERS else 0.95
        make = partial(forecast, ask, *daily(times, values, quantile, _LEAST_OF_DAY), kind_of=self._kind_of)
        return await asyncio.to_thread(make)

    async def _query(self, query: SeriesQuery) -> Sequence[Any]:
        return () if self._series is None else await self._series.query(query)


def forecast_queries(ask: ForecastAsk) -> Sequence[SeriesQuery]:
    """Return what to ask the series store for a forecast, without the time; raises ValueError for a name."""
    common: dict[str, Any] = {"from_milliseconds": 0, "to_milliseconds": 0, "step_milliseconds": _FORECAST_STEP}
    interval = {"interval": interval_name(INTERVAL_MILLISECONDS)}
    if ask.subject is ForecastSubject.USERS:
        return [SeriesQuery(TRAFFIC, ("users",), where={"business": ask.name, **interval}, fold="sum", **common)]
    if ask.subject is ForecastSubject.RESPONSE:
        where = {"business": ask.name, **interval}
        return [SeriesQuery(QUALITY, ("response_seconds_p50",), where=where, fold="mean", **common)]
    exporter, separator, interface = ask.name.partition(":")
    if not separator or not exporter or not interface:
        raise ValueError(f"{ask.name!r} is no link; write EXPORTER:INTERFACE, such as CORE:Gi0/1")
    return [
        SeriesQuery(
            "btimd_links", ("utilisation",), fold="mean", **common,
            where={"exporter": exporter, "interface": interface, "direction": way, "business": ALL, **interval},
        )
        for way in ("in", "out")
    ]  # fmt: skip
