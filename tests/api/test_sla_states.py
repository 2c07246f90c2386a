import asyncio
from dataclasses import replace

from btimd.api.client import Page, Update
from tests.api.conftest import Served
from tests.fakes.views import SLA_STATE


async def test_targets_are_listed_also_those_nobody_measured(served: Served) -> None:
    unmeasured = replace(SLA_STATE, availability=None, coverage=None)
    served.book.kept.append(unmeasured)
    with served.client() as client:
        assert await asyncio.to_thread(client.sla_states) == Page([SLA_STATE, unmeasured], more=False)


async def test_targets_are_followed_from_the_present_state_on(served: Served) -> None:
    served.book.feed.publish("erp", SLA_STATE)
    worse = replace(SLA_STATE, down_seconds=500.0)
    with served.client() as client:
        stream = client.watch_sla_states()
        first = await asyncio.to_thread(next, stream)
        served.book.feed.publish("erp", worse)
        second = await asyncio.to_thread(next, stream)

    assert (first, second) == (Update([SLA_STATE], snapshot=True), Update([worse], snapshot=False))
