import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from btimd.api import calls_baselines as calls
from btimd.api.baselines import baselines_service
from btimd.api.client import CallFailedError, Client, Page, Update
from btimd.api.component import ApiComponent
from btimd.api.settings import ApiSettings
from btimd.model.deviation import (
    ALL,
    Indicator,
)
from btimd.runtime.clock import ManualClock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from tests.fakes.baselines import ASK, DEVIATION, FORECAST, MOST, NEW, POINTS, ROW, FakeBaselines
from tests.fakes.views import NOW, FakeBook, FakeDesk, FakeFlows, FakeGraph


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
