"""`btimctl model ...` against a served API."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from btimd.api.component import ApiComponent
from btimd.api.discovery import discovery_service
from btimd.api.settings import ApiSettings
from btimd.cli.btimctl import main
from btimd.cli.ctl_discovery import write_patch
from btimd.runtime.clock import ManualClock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from tests.fakes.discovery import FakeDiscovery
from tests.fakes.views import FakeBook, FakeDesk, FakeFlows, FakeGraph


@pytest.fixture
async def view(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeDiscovery]:
    """Serve a FakeDiscovery, and let btimctl find it."""
    found = FakeDiscovery()
    component = ApiComponent(
        settings=ApiSettings(grpc_listen=("127.0.0.1", 0), http_listen=("127.0.0.1", 0)),
        state_directory=tmp_path, flows=FakeFlows(), graph=FakeGraph(), incidents=FakeDesk(), sla=FakeBook(),
        more=(discovery_service(found),), metrics=Metrics(), health=dict, clock=ManualClock(), log=Log("test"),
    )  # fmt: skip
    await component.start()
    monkeypatch.setenv("BTIMD_SERVER", ":".join(map(str, component.grpc_address)))
    monkeypatch.delenv("COLUMNS", raising=False)
    yield found
    await component.stop()


async def run(*arguments: str) -> int:
    return await asyncio.to_thread(main, arguments)


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("suggest", ("web-10-20-1-10", "97 %", "oracle-10-20-3-10", "0.93", "3000 conversations scans")),
        ("check", ("undeclared", "erp-app calls erp-db (ports 1521)", "never", "traffic can show 4 of them, and shows 3")),
        ("weak", ("db1", "30.5", "single-point, unwatched", "erp, hr fail with it")),
    ],
)  # fmt: skip
async def test_each_action_shows_its_table(
    view: FakeDiscovery, capsys: pytest.CaptureFixture[str], action: str, words: tuple[str, ...]
) -> None:
    assert await run("model", action) == 0
    printed = capsys.readouterr().out

    assert [word for word in words if word not in printed] == []
    assert view.asked in ([], [86_400.0])


async def test_json_holds_all_of_it(view: FakeDiscovery, capsys: pytest.CaptureFixture[str]) -> None:
    assert await run("--json", "model", "suggest", "--since", "7d") == 0
    told = json.loads(capsys.readouterr().out)

    assert (told["services"][0]["ports"], told["from_at"]) == (["443", "8000-8010"], "2023-11-14T22:13:20.000Z")
    assert view.asked == [7 * 86_400.0]


async def test_the_patch_is_written_to_a_new_file_only(
    view: FakeDiscovery, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "services.new.toml"

    assert await run("model", "suggest", "--write", str(file)) == 0
    assert await run("model", "suggest", "--write", str(file)) == 1
    assert file.read_text() == "[service.web-10-20-1-10]\n"
    assert f"{file} is there already; name another file" in capsys.readouterr().err
    assert len(view.asked) == 2


def test_a_patch_that_cannot_be_written_or_is_empty_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert write_patch(tmp_path / "none" / "x.toml", "x") == 1
    assert write_patch(tmp_path / "x.toml", "") == 0
    assert capsys.readouterr().err.splitlines() == [
        f"cannot write {tmp_path}/none/x.toml: No such file or directory",
        "nothing is proposed, so nothing was written",
    ]
    assert not (tmp_path / "x.toml").exists()
