from collections.abc import AsyncIterator, Mapping
from io import BytesIO
from pathlib import Path

import pytest
from aiohttp import ClientSession

from btimd.api.component import ApiComponent
from btimd.api.settings import ApiSettings
from btimd.model.delivery import CallbackRefusal, CallbackRefusedError
from btimd.runtime.clock import ManualClock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from tests.fakes.views import FakeBook, FakeDesk, FakeFlows, FakeGraph


class Taker:
    def __init__(self) -> None:
        self.calls: list[tuple[str, str, int]] = []
        self.why: CallbackRefusal | None = None

    async def take(self, name: str, headers: Mapping[str, str], body: bytes) -> int:
        if self.why is not None:
            raise CallbackRefusedError(self.why, "no")
        self.calls.append((name, headers.get("x-hub-signature", ""), len(body)))
        return 1


@pytest.fixture
def taker() -> Taker:
    return Taker()


@pytest.fixture
async def url(tmp_path: Path, taker: Taker) -> AsyncIterator[str]:
    component = ApiComponent(
        settings=ApiSettings(grpc_listen=("127.0.0.1", 0), http_listen=("127.0.0.1", 0)), state_directory=tmp_path,
        flows=FakeFlows(), graph=FakeGraph(), incidents=FakeDesk(), sla=FakeBook(), take_callback=taker.take,
        metrics=Metrics(), health=dict, clock=ManualClock(), log=Log("test"),
    )  # fmt: skip
    await component.start()
    yield f"http://127.0.0.1:{component.http_address[1]}/callbacks"
    await component.stop()


async def test_a_call_needs_no_token_and_may_be_larger_than_other_requests(url: str, taker: Taker) -> None:
    async with ClientSession() as session:
        async with session.post(
            f"{url}/jira", data=BytesIO(b"x" * 600_000), headers={"X-Hub-Signature": "s"}
        ) as answer:
            assert (answer.status, await answer.json()) == (202, {"new_changes": 1})
        async with session.post(f"{url}/jira", data=BytesIO(b"x" * 1_100_000)) as answer:
            assert answer.status == 413
        async with session.get(f"{url}/jira") as answer:
            assert answer.status == 405
    assert taker.calls == [("jira", "s", 600_000)]


async def test_refusals_have_the_status_that_lets_the_sender_do_right(url: str, taker: Taker) -> None:
    found = {}
    async with ClientSession() as session:
        for why in CallbackRefusal:
            taker.why = why
            async with session.post(f"{url}/jira", data=b"{}") as answer:
                found[why.value] = (answer.status, answer.headers.get("Retry-After"))
    assert found == {
        "unknown-target": (404, None), "not-signed": (401, None), "not-understood": (400, None),
        "too-large": (413, None), "busy": (503, "30"),
    }  # fmt: skip
