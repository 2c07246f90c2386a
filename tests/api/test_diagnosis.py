"""DiagnosisService against a fake, over a real connection."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from btimd.api import diagnosis
from btimd.api.auth import NEEDED_ROLE, Role
from btimd.api.calls_diagnosis import diagnosis_file, diagnosis_story, kept_diagnoses
from btimd.api.client import CallFailedError, Client, Page
from btimd.api.component import ApiComponent
from btimd.api.convert_diagnosis import DIAGNOSIS_STORY
from btimd.api.diagnosis import diagnosis_service
from btimd.api.settings import ApiSettings
from btimd.rca.capsulefiles import decode
from btimd.runtime.clock import ManualClock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from tests.api.conftest import SECRETS, write_tokens
from tests.fakes.diagnoses import FakeDiagnoses, shop_capsule, shop_story
from tests.fakes.views import FakeBook, FakeDesk, FakeFlows, FakeGraph


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[tuple[FakeDiagnoses, str]]:
    """Serve a FakeDiagnoses on a free port; reads are open."""
    view = FakeDiagnoses()
    component = ApiComponent(
        settings=ApiSettings(
            grpc_listen=("127.0.0.1", 0), http_listen=("127.0.0.1", 0), tokens_file=write_tokens(tmp_path / "tokens")
        ),
        state_directory=tmp_path, flows=FakeFlows(), graph=FakeGraph(), incidents=FakeDesk(), sla=FakeBook(),
        more=(diagnosis_service(view),), metrics=Metrics(), health=dict, clock=ManualClock(), log=Log("test"),
    )  # fmt: skip
    await component.start()
    try:
        yield view, ":".join(map(str, component.grpc_address))
    finally:
        await component.stop()


async def test_a_story_arrives_as_it_was_told(kept: tuple[FakeDiagnoses, str]) -> None:
    view, server = kept
    with Client(server) as client:
        story = await asyncio.to_thread(diagnosis_story, client, view.entries[0].id)
        assert story == DIAGNOSIS_STORY.from_pb(DIAGNOSIS_STORY.to_pb(shop_story()))  # moments are of nanoseconds there
        assert replace(story, verdict=shop_story().verdict, steps=shop_story().steps) == shop_story()
        assert await asyncio.to_thread(kept_diagnoses, client, 2) == Page(view.entries[:2], more=True)
        assert await asyncio.to_thread(kept_diagnoses, client) == Page(view.entries, more=False)


async def test_the_file_is_for_operators(kept: tuple[FakeDiagnoses, str], monkeypatch: pytest.MonkeyPatch) -> None:
    view, server = kept
    name = view.entries[0].id
    assert NEEDED_ROLE["/btimd.v1.DiagnosisService/ExportDiagnosis"] is Role.HANDLER
    with Client(server, token=SECRETS["otto"]) as client:
        assert decode(await asyncio.to_thread(diagnosis_file, client, name), "it") == shop_capsule()
        monkeypatch.setattr(diagnosis, "MOST_OCTETS", 10)
        with pytest.raises(CallFailedError, match="octets, more than 10; copy the file from state/diagnoses"):
            await asyncio.to_thread(diagnosis_file, client, name)
    with Client(server, token=SECRETS["vera"]) as client, pytest.raises(CallFailedError) as refused:
        await asyncio.to_thread(diagnosis_file, client, name)
    assert refused.value.code == "PERMISSION_DENIED"


@pytest.mark.parametrize("call", [diagnosis_story, diagnosis_file])
async def test_what_is_not_there_or_not_readable_is_refused(kept: tuple[FakeDiagnoses, str], call) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001  one of two functions
    view, server = kept
    with Client(server, token=SECRETS["otto"]) as client:
        for name, code in (("D9", "NOT_FOUND"), ("", "INVALID_ARGUMENT"), ("x" * 300, "INVALID_ARGUMENT")):
            with pytest.raises(CallFailedError) as told:
                await asyncio.to_thread(call, client, name)
            assert told.value.code == code
        view.unreadable = True
        with pytest.raises(CallFailedError, match="is no capsule") as told:
            await asyncio.to_thread(call, client, "D1")
        assert told.value.code == "FAILED_PRECONDITION"
