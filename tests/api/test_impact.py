"""ImpactService against a fake, over a real connection."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from btimd.api.calls_impact import grown_needs, restoring_order, simulate_outage
from btimd.api.client import CallFailedError, Client, Page
from btimd.api.component import ApiComponent
from btimd.api.impact import MOST_NODES, impact_service
from btimd.api.settings import ApiSettings
from btimd.runtime.clock import ManualClock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from tests.fakes.impact import GROWN, IMPACT, ORDER, FakeOutages
from tests.fakes.views import FakeBook, FakeDesk, FakeFlows, FakeGraph


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[tuple[FakeOutages, Client]]:
    """Serve a FakeOutages on a free port."""
    view = FakeOutages()
    component = ApiComponent(
        settings=ApiSettings(grpc_listen=("127.0.0.1", 0), http_listen=("127.0.0.1", 0)),
        state_directory=tmp_path, flows=FakeFlows(), graph=FakeGraph(), incidents=FakeDesk(), sla=FakeBook(),
        more=(impact_service(view, view),), metrics=Metrics(), health=dict, clock=ManualClock(), log=Log("test"),
    )  # fmt: skip
    await component.start()
    host, port = component.grpc_address
    try:
        with Client(f"{host}:{port}") as client:
            yield view, client
    finally:
        await component.stop()


async def test_everything_arrives_as_it_was_meant(served: tuple[FakeOutages, Client]) -> None:
    view, client = served

    assert await asyncio.to_thread(simulate_outage, client, ["rack1", "db2"]) == IMPACT
    assert await asyncio.to_thread(restoring_order, client) == ORDER
    assert view.asked == [("rack1", "db2")]


async def test_grown_needs_come_in_pages(served: tuple[FakeOutages, Client]) -> None:
    _, client = served

    assert await asyncio.to_thread(grown_needs, client, 1) == Page([GROWN[0]], more=True)
    assert await asyncio.to_thread(grown_needs, client) == Page(list(GROWN), more=False)


@pytest.mark.parametrize(
    ("nodes", "code", "words"),
    [
        (["db1", "nope"], "NOT_FOUND", "nope"),
        ([], "INVALID_ARGUMENT", "0 nodes"),
        (["x"] * (MOST_NODES + 1), "INVALID_ARGUMENT", "101 nodes"),
        (["x" * 201], "INVALID_ARGUMENT", "201 characters"),
    ],
)
async def test_what_cannot_be_simulated_is_refused(
    served: tuple[FakeOutages, Client], nodes: list[str], code: str, words: str
) -> None:
    view, client = served
    with pytest.raises(CallFailedError, match=words) as told:
        await asyncio.to_thread(simulate_outage, client, nodes)

    assert (told.value.code, view.asked) == (code, [])
