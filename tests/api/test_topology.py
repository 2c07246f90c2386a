import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from btimd.api import calls_topology as calls
from btimd.api.client import CallFailedError, Client, Page
from tests.api.topologyserving import serving_topology
from tests.fakes.topology import DEVICE, DUPLICATION, HOP, INTERFACE, LINK, FakeTopology


@pytest.fixture
def view() -> FakeTopology:
    return FakeTopology()


@pytest.fixture
async def server(tmp_path: Path, view: FakeTopology) -> AsyncIterator[str]:
    async with serving_topology(tmp_path, view) as served:
        yield served


async def test_everything_comes_as_the_view_says_it(server: str) -> None:
    with Client(server) as client:
        assert await asyncio.to_thread(calls.devices, client) == Page([DEVICE], more=False)
        assert await asyncio.to_thread(calls.interfaces, client, device="core") == Page([INTERFACE], more=False)
        assert await asyncio.to_thread(calls.links, client) == Page([LINK], more=False)
        assert await asyncio.to_thread(calls.business_path, client, "erp") == Page([HOP], more=False)
        assert await asyncio.to_thread(calls.duplication, client) == Page([DUPLICATION], more=False)


async def test_what_is_asked_reaches_the_view_and_what_is_not_asked_is_none(server: str, view: FakeTopology) -> None:
    with Client(server) as client:
        await asyncio.to_thread(calls.links, client, device="core", interface="Gi0/1", business="erp")
        await asyncio.to_thread(calls.links, client)
        await asyncio.to_thread(calls.duplication, client, business="*", exporter="10.0.0.1")
    assert view.asked == [("core", "Gi0/1", "erp"), (None, None, None), ("*", "10.0.0.1")]


async def test_more_links_than_asked_for_are_said_to_be_there(server: str, view: FakeTopology) -> None:
    view.link_rows = [LINK, replace(LINK, id="b")]
    with Client(server) as client:
        assert await asyncio.to_thread(calls.links, client, limit=1) == Page([LINK], more=True)


async def test_a_device_that_is_not_known_and_a_business_that_is_not_named_are_refused(server: str) -> None:
    with Client(server) as client:
        with pytest.raises(CallFailedError, match="device: no device 'x'"):
            await asyncio.to_thread(calls.links, client, device="x")
        with pytest.raises(CallFailedError, match="device: no device 'x'"):
            await asyncio.to_thread(calls.interfaces, client, device="x")
        with pytest.raises(CallFailedError, match="business: must be given"):
            await asyncio.to_thread(calls.business_path, client, "")
