import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from btimd.api.calls_discovery import compare_model, suggest, weak_spots
from btimd.api.client import CallFailedError, Client, Page
from btimd.api.component import ApiComponent
from btimd.api.discovery import discovery_service
from btimd.api.settings import ApiSettings
from btimd.runtime.clock import ManualClock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from tests.fakes.discovery import COMPARISON, SPOT, SUGGESTIONS, FakeDiscovery
from tests.fakes.views import FakeBook, FakeDesk, FakeFlows, FakeGraph


@pytest.fixture
async def discovery(tmp_path: Path) -> AsyncIterator[tuple[FakeDiscovery, Client]]:
    """Serve a FakeDiscovery on a free port."""
    view = FakeDiscovery()
    component = ApiComponent(
        settings=ApiSettings(grpc_listen=("127.0.0.1", 0), http_listen=("127.0.0.1", 0)),
        state_directory=tmp_path, flows=FakeFlows(), graph=FakeGraph(), incidents=FakeDesk(), sla=FakeBook(),
        more=(discovery_service(view),), metrics=Metrics(), health=dict, clock=ManualClock(), log=Log("test"),
    )  # fmt: skip
    await component.start()
    host, port = component.grpc_address
    try:
        with Client(f"{host}:{port}") as client:
            yield view, client
    finally:
        await component.stop()


async def test_everything_arrives_as_it_was_meant(discovery: tuple[FakeDiscovery, Client]) -> None:
    view, client = discovery
    proposals = await asyncio.to_thread(suggest, client, 3600)
    comparison = await asyncio.to_thread(compare_model, client)

    assert (proposals, comparison) == (SUGGESTIONS, COMPARISON)
    assert view.asked == [3600.0, 86_400.0]


async def test_weak_spots_come_in_pages(discovery: tuple[FakeDiscovery, Client]) -> None:
    view, client = discovery
    view.spots.append(replace(SPOT, node="db2", users=None))

    assert await asyncio.to_thread(weak_spots, client, 1) == Page([SPOT], more=True)
    assert await asyncio.to_thread(weak_spots, client) == Page(view.spots, more=False)


async def test_a_time_that_is_too_long_or_negative_is_refused(discovery: tuple[FakeDiscovery, Client]) -> None:
    view, client = discovery
    for since in (-1, 31 * 86_400 + 1):
        with pytest.raises(CallFailedError, match="since_seconds"):
            await asyncio.to_thread(suggest, client, since)

    assert view.asked == []


async def test_without_a_past_the_reason_is_told(discovery: tuple[FakeDiscovery, Client]) -> None:
    view, client = discovery
    view.problem = "no flow records are kept"
    for call in (suggest, compare_model):
        with pytest.raises(CallFailedError, match="no flow records are kept") as told:
            await asyncio.to_thread(call, client)
        assert told.value.code == "FAILED_PRECONDITION"
