import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from typing_extensions import override

from btimd.api import calls_baselines as calls
from btimd.api.baselines import baselines_service
from btimd.api.client import CallFailedError, Client, Page, Update
from btimd.api.component import ApiComponent
from btimd.api.settings import ApiSettings
from btimd.model.deviation import (
    ALL,
    BaselinePoint,
    BaselineRow,
    BaselineState,
    BaselinesView,
    Deviation,
    DeviationKind,
    Forecast,
    ForecastAsk,
    ForecastOutcome,
    ForecastPoint,
    ForecastSubject,
    Indicator,
)
from btimd.model.ports import Subscription
from btimd.runtime.clock import ManualClock
from btimd.runtime.feed import Feed
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from tests.fakes.views import NOW, FakeBook, FakeDesk, FakeFlows, FakeGraph

DEVIATION = Deviation(
    id="erp/north/traffic/drop/1", business="erp", region="north", indicator=Indicator.TRAFFIC,
    kind=DeviationKind.DROP, value=41e6, expected=87e6, low=80e6, high=95e6, score=1.5, since=NOW, seen_at=NOW + 120,
    text="erp, region north: traffic 41 Mbit/s", text_zh="流量突降",
)  # fmt: skip
MOST = replace(DEVIATION, id="all", business=ALL, region=ALL, regions=("erp", "hr", "oa"))
ROW = BaselineRow("erp", ALL, Indicator.USERS, BaselineState.USUAL, NOW, 120.0, 118.0, 90.0, 150.0, 12)
NEW = BaselineRow("erp", "", Indicator.RESPONSE, BaselineState.LEARNING, NOW, None, None, None, None, 0)
POINTS = (
    BaselinePoint(1_790_000_000_000, 40.0, 50.0, 45.0, 55.0),
    BaselinePoint(1_790_000_900_000, None, None, None, None),
)
ASK = ForecastAsk(ForecastSubject.LINK, "CORE:Gi0/1", 0.9, 90)
FORECAST = Forecast(
    ASK, ForecastOutcome.CROSSES, 60, 0.7, 0.002, NOW, NOW + 864_000, None, 0.8, "crosses 90 %",
    (ForecastPoint(1_790_000_000_000, None, 0.7, 0.6, 0.8),),
)  # fmt: skip


@dataclass
class FakeBaselines(BaselinesView):
    """Baselines in memory."""

    open: list[Deviation] = field(default_factory=lambda: [DEVIATION])
    feed: Feed[str, Deviation] = field(default_factory=lambda: Feed(10))
    asked: list[object] = field(default_factory=list)

    @override
    def deviations(self) -> Sequence[Deviation]:
        return self.open

    @override
    def watch_deviations(self) -> Subscription[Deviation]:
        return self.feed.subscribe()

    @override
    def baselines(self, *, business: str | None, region: str | None, limit: int) -> Sequence[BaselineRow]:
        self.asked.append((business, region, limit))
        return [ROW, NEW][:limit]

    @override
    def baseline(self, business: str, region: str, indicator: Indicator) -> Sequence[BaselinePoint]:
        self.asked.append((business, region, indicator))
        if business != "erp":
            raise KeyError(f"there is no baseline of {business}")
        return POINTS

    @override
    async def forecast(self, ask: ForecastAsk) -> Forecast:
        if ":" not in ask.name:
            raise ValueError(f"{ask.name!r} is no link")
        return replace(FORECAST, ask=ask)


@pytest.fixture
def view() -> FakeBaselines:
    return FakeBaselines()


@pytest.fixture
async def client(tmp_path: Path, view: FakeBaselines) -> AsyncIterator[Client]:
    settings = ApiSettings(grpc_listen=("127.0.0.1", 0), http_listen=("127.0.0.1", 0), default_interval=60.0)
    api = ApiComponent(
        settings=settings,
        state_directory=tmp_path,
        flows=FakeFlows(),
        graph=FakeGraph(),
        incidents=FakeDesk(),
        sla=FakeBook(),
        more=[baselines_service(view)],
        metrics=Metrics(),
        health=dict,
        clock=ManualClock(),
        log=Log("test"),
    )
    await api.start()
    try:
        with Client("{}:{}".format(*api.grpc_address)) as made:
            yield made
    finally:
        await api.stop()


async def test_deviations_are_listed_by_business(client: Client, view: FakeBaselines) -> None:
    view.open = [DEVIATION, MOST, replace(DEVIATION, id="x", business="crm")]
    assert await asyncio.to_thread(calls.deviations, client, business="erp") == Page([DEVIATION, MOST], more=False)
    assert await asyncio.to_thread(calls.deviations, client, limit=1) == Page([DEVIATION], more=True)


async def test_deviations_are_followed_until_they_clear(client: Client, view: FakeBaselines) -> None:
    view.feed.publish("1", DEVIATION)
    over = replace(DEVIATION, cleared_at=NOW + 600, reason="over after 10 minutes")
    stream = calls.watch_deviations(client, "erp")
    first = await asyncio.to_thread(next, stream)
    view.feed.publish("2", replace(DEVIATION, business="crm"))
    view.feed.publish("1", over)
    second = await asyncio.to_thread(next, stream)

    assert (first, second) == (Update([DEVIATION], snapshot=True), Update([over], snapshot=False))


async def test_baselines_say_what_is_usual_now_and_over_the_day(client: Client, view: FakeBaselines) -> None:
    rows = await asyncio.to_thread(calls.baselines, client, business="erp", region="*", limit=1)
    points = await asyncio.to_thread(calls.baseline, client, "erp", "", Indicator.USERS)

    assert (rows, points) == (Page([ROW], more=True), Page(list(POINTS), more=False))
    assert view.asked == [("erp", "*", 2), ("erp", ALL, Indicator.USERS)]
    everything = await asyncio.to_thread(calls.baselines, client)
    assert everything.items == [ROW, NEW]


async def test_what_there_is_no_baseline_of_is_said(client: Client) -> None:
    with pytest.raises(CallFailedError, match="there is no baseline of hr"):
        await asyncio.to_thread(calls.baseline, client, "hr", ALL, Indicator.TRAFFIC)


async def test_a_forecast_is_answered_as_it_was_asked(client: Client) -> None:
    assert await asyncio.to_thread(calls.forecast, client, ASK) == FORECAST
    usual = await asyncio.to_thread(calls.forecast, client, replace(ASK, horizon_days=0))
    assert usual.ask.horizon_days == 90


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"name": "CORE"}, "'CORE' is no link"),
        ({"name": ""}, "must be given"),
        ({"threshold": 0.0}, "is not above 0"),
        ({"threshold": float("nan")}, "is not above 0"),
        ({"horizon_days": 731}, "731 is not from 0 to 730"),
    ],
)
async def test_a_question_that_is_none_is_refused(client: Client, wrong: dict[str, object], text: str) -> None:
    with pytest.raises(CallFailedError, match=text):
        await asyncio.to_thread(calls.forecast, client, replace(ASK, **wrong))  # type: ignore[arg-type]  # by name
