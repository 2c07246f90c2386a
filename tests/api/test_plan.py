"""PlanService over a fake view: what is asked and what comes back."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from btimd.api import calls_plan
from btimd.api.client import CallFailedError, Client, Page, Update
from btimd.api.component import ApiComponent
from btimd.api.plan import plan_service
from btimd.api.settings import ApiSettings
from btimd.runtime.clock import ManualClock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from tests.fakes.planviews import CHANGE, CONFLICT, EMPTY_USE, TALKER, UNEXPECTED, UNKNOWN, USE, FakePlan
from tests.fakes.views import FakeBook, FakeDesk, FakeFlows, FakeGraph


@pytest.fixture
def view() -> FakePlan:
    return FakePlan()


@pytest.fixture
async def server(tmp_path: Path, view: FakePlan) -> AsyncIterator[str]:
    component = ApiComponent(
        settings=ApiSettings(grpc_listen=("127.0.0.1", 0), http_listen=("127.0.0.1", 0)),
        state_directory=tmp_path,
        flows=FakeFlows(),
        graph=FakeGraph(),
        incidents=FakeDesk(),
        sla=FakeBook(),
        more=(plan_service(view),),
        metrics=Metrics(),
        health=dict,
        clock=ManualClock(),
        log=Log("test"),
    )
    await component.start()
    try:
        yield "{}:{}".format(*component.grpc_address)
    finally:
        await component.stop()


async def test_every_list_comes_back_as_it_was(server: str, view: FakePlan) -> None:
    with Client(server) as client:
        assert await asyncio.to_thread(calls_plan.prefix_use, client, order="octets", limit=1) == Page([USE], True)
        assert await asyncio.to_thread(calls_plan.prefix_use, client) == Page([USE, EMPTY_USE], False)
        assert await asyncio.to_thread(calls_plan.unknown, client, order="last-seen", limit=7) == UNKNOWN
        assert await asyncio.to_thread(calls_plan.unexpected, client, business="erp") == UNEXPECTED
        assert await asyncio.to_thread(calls_plan.unexpected, client) == UNEXPECTED
        assert await asyncio.to_thread(calls_plan.conflicts, client) == Page([CONFLICT], False)
        assert await asyncio.to_thread(calls_plan.changes, client, 5) == Page([CHANGE], False)

    assert view.asked == [
        ("use", "octets", 2), ("use", "plan", 101), ("unknown", "last-seen", 7),
        ("unexpected", "erp", 100), ("unexpected", None, 100),
    ]  # fmt: skip


async def test_more_than_may_be_asked_for_is_refused(server: str) -> None:
    with Client(server) as client, pytest.raises(CallFailedError, match="limit: 5000 is not from 0 to 1000"):
        await asyncio.to_thread(calls_plan.prefix_use, client, limit=5000)


async def test_new_unexpected_talkers_are_followed_per_business(server: str, view: FakePlan) -> None:
    view.talkers.publish("a", TALKER)
    other, new = replace(TALKER, business="hr"), replace(TALKER, address="10.2.0.9")
    with Client(server) as client:
        stream = calls_plan.watch_unexpected(client, business="erp")
        first = await asyncio.to_thread(next, stream)
        view.talkers.publish("b", other)
        view.talkers.publish("c", new)
        second = await asyncio.to_thread(next, stream)

    assert (first, second) == (Update([TALKER], snapshot=True), Update([new], snapshot=False))
