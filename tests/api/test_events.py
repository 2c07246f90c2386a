import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from aiohttp import ClientSession

from btimd.api.auth import Caller, Role
from btimd.api.component import ApiComponent
from btimd.api.errors import ApiError
from btimd.api.events import EventsServicer, events_service
from btimd.api.pb import events_pb2 as pb
from btimd.api.settings import ApiSettings
from btimd.model.heard import Heard, HeardAs, Told
from btimd.runtime.clock import ManualClock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from tests.api.conftest import SECRETS, write_tokens
from tests.fakes.events import HEARD, FakeEvents
from tests.fakes.views import FakeBook, FakeDesk, FakeFlows, FakeGraph
from tests.patience import PATIENCE_SECONDS

OTTO = Caller("otto", Role.HANDLER)


async def test_what_was_heard_and_who_sent_are_listed() -> None:
    view = FakeEvents()
    servicer = EventsServicer(view)
    answer = await servicer.list_events(pb.ListEventsRequest(node="db", heard_as=pb.HEARD_AS_BAD, limit=5), OTTO)
    assert view.asked == [(6, "db", HeardAs.BAD)]
    assert [(one.node, one.text, one.heard_as) for one in answer.events] == [("db", "No space left", pb.HEARD_AS_BAD)]
    (sender,) = (await servicer.list_senders(pb.ListSendersRequest(), OTTO)).senders
    assert (sender.sender, sender.matched, sender.no_rule, sender.no_node, sender.last_unmatched) == (
        "10.0.0.1",
        1,
        2,
        3,
        "hello",
    )


async def test_a_change_is_taken_in_the_name_of_the_caller_and_mistakes_are_named() -> None:
    servicer = EventsServicer(FakeEvents())
    answer = await servicer.record_change(pb.RecordChangeRequest(node="db", text="release 4.2"), OTTO)
    assert (answer.event.sender, answer.event.text) == ("otto", "release 4.2")
    for node, text, code in (("x", "y", grpc.StatusCode.NOT_FOUND), ("db", " ", grpc.StatusCode.INVALID_ARGUMENT)):
        with pytest.raises(ApiError) as raised:
            await servicer.record_change(pb.RecordChangeRequest(node=node, text=text), OTTO)
        assert raised.value.code is code


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[tuple[str, list[Told]]]:
    told: list[Told] = []

    def take(one: Told) -> Heard:
        told.append(one)
        return HEARD

    settings = ApiSettings(
        grpc_listen=("127.0.0.1", 0), http_listen=("127.0.0.1", 0), tokens_file=write_tokens(tmp_path / "tokens")
    )
    component = ApiComponent(
        settings=settings, state_directory=tmp_path, flows=FakeFlows(), graph=FakeGraph(), incidents=FakeDesk(), sla=FakeBook(),
        more=(events_service(FakeEvents()),), take_event=take, metrics=Metrics(), health=dict, clock=ManualClock(), log=Log("test"),
    )  # fmt: skip
    await component.start()
    yield f"http://127.0.0.1:{component.http_address[1]}/events", told
    await component.stop()


BODY = {"alerts": [{"status": "firing", "labels": {"alertname": "x", "instance": "db"}, "fingerprint": "1"}]}


async def test_events_are_posted_by_operators_once(served: tuple[str, list[Told]]) -> None:
    url, told = served
    async with ClientSession() as session:
        answer: object = None
        for who, expected in (("vera", 403), (None, 401), ("otto", 200), ("otto", 200)):
            headers = {"Authorization": f"Bearer {SECRETS[who]}"} if who else {}
            async with session.post(url, json=BODY, headers=headers) as response:
                assert response.status == expected
                answer = await response.json()
        assert answer == {"events": [{"heard_as": "repeated"}]}
        assert [one.sender for one in told] == ["otto"]
        otto = {"Authorization": f"Bearer {SECRETS['otto']}"}
        async with session.post(url, json={"alerts": 1}, headers=otto) as response:
            assert (response.status, await response.json()) == (400, {"error": "alerts: is no list"})
        async with session.post(url, data=b" " * 300_000, headers=otto) as response:
            assert response.status == 413


@pytest.mark.slow
async def test_curl_can_post_a_cloud_event_in_binary_mode(served: tuple[str, list[Told]]) -> None:
    url, told = served
    command = [
        "curl",
        "-sf",
        url,
        "-H",
        f"Authorization: Bearer {SECRETS['otto']}",
        "-H",
        "Content-Type: application/json",
        "-H",
        "ce-id: 7",
        "-H",
        "ce-source: /ci",
        "-H",
        "ce-specversion: 1.0",
        "-H",
        "ce-type: deploy.change",
        "-d",
        json.dumps({"btimd_node": "db", "text": "release 5"}),
    ]
    await asyncio.to_thread(subprocess.run, command, check=True, timeout=PATIENCE_SECONDS)
    assert [(one.node, one.text, one.health) for one in told] == [("db", "release 5", None)]
