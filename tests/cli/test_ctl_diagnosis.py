# ruff: noqa: RUF001
#  Chinese has its own punctuation
"""`btimctl diagnosis` against a served API."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from btimd.api.component import ApiComponent
from btimd.api.diagnosis import diagnosis_service
from btimd.api.settings import ApiSettings
from btimd.cli.btimctl import main
from btimd.rca.capsulefiles import read
from btimd.runtime.clock import ManualClock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from tests.fakes.diagnoses import FakeDiagnoses, shop_capsule
from tests.fakes.views import FakeBook, FakeDesk, FakeFlows, FakeGraph


@pytest.fixture
async def view(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeDiagnoses]:
    """Serve a FakeDiagnoses, and let btimctl find it with the token of the machine."""
    found = FakeDiagnoses()
    component = ApiComponent(
        settings=ApiSettings(grpc_listen=("127.0.0.1", 0), http_listen=("127.0.0.1", 0)),
        state_directory=tmp_path, flows=FakeFlows(), graph=FakeGraph(), incidents=FakeDesk(), sla=FakeBook(),
        more=(diagnosis_service(found),), metrics=Metrics(), health=dict, clock=ManualClock(), log=Log("test"),
    )  # fmt: skip
    await component.start()
    monkeypatch.setenv("BTIMD_SERVER", ":".join(map(str, component.grpc_address)))
    monkeypatch.setenv("BTIMD_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("COLUMNS", "160")
    yield found
    await component.stop()


async def run(*arguments: str) -> int:
    return await asyncio.to_thread(main, ("diagnosis", *arguments))


async def test_kept_diagnoses_are_listed(view: FakeDiagnoses, capsys: pytest.CaptureFixture[str]) -> None:
    assert await run("list") == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["ended", "id", "finding", "cause", "sure", "businesses", "took", "probes", "again"]
    assert [line.split()[3] for line in lines] == [entry.id for entry in view.entries]
    assert lines[0].split()[4:7] == ["cause", "found", "db1"]
    view.entries = []
    assert await run("list") == 0
    assert capsys.readouterr().out == "no diagnosis is kept\n"


async def test_one_is_told_and_drawn(view: FakeDiagnoses, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = view.entries[0].id
    assert await run("show", name, "--graph", str(tmp_path / "a.svg")) == 0
    told = capsys.readouterr().out
    assert "Round 1:" in told
    assert "✖ db1  database, ERP database  cause" in told
    assert (tmp_path / "a.svg").read_text().startswith("<svg ")
    assert await run("show", name, "--lang", "zh", "--graph", str(tmp_path / "a.dot")) == 0
    assert "第 1 轮：" in capsys.readouterr().out
    assert (tmp_path / "a.dot").read_text().startswith("digraph diagnosis {")


async def test_json_holds_the_whole_story(view: FakeDiagnoses, capsys: pytest.CaptureFixture[str]) -> None:
    assert await asyncio.to_thread(main, ("--json", "diagnosis", "show", view.entries[0].id)) == 0
    story = json.loads(capsys.readouterr().out)
    assert (story["verdict"]["cause"], story["steps"][0]["batch"], story["differences"]) == ("db1", 1, [])


async def test_the_file_is_written_for_its_owner_only(
    view: FakeDiagnoses, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.capsule.json.gz"
    assert await run("export", view.entries[0].id, str(path)) == 0
    assert read(path) == shop_capsule()
    assert path.stat().st_mode & 0o777 == 0o600
    assert f"btimd replay {path}" in capsys.readouterr().out.replace("\n", "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("show",), "say which one"),
        (("show", "D9"), "there is no kept diagnosis 'D9'"),
        (("show", "D9", "--graph", "a.png"), "ends neither in .svg nor in .dot"),
        (("export", "D9"), "say into which file"),
    ],
)
@pytest.mark.usefixtures("view")
async def test_what_cannot_be_done_is_said(
    arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run(*arguments) == 1
    assert words in capsys.readouterr().err


async def test_files_that_cannot_be_written_are_said(
    view: FakeDiagnoses, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = view.entries[0].id
    assert await run("export", name, str(tmp_path / "none" / "x")) == 1
    assert "cannot be written: No such file" in capsys.readouterr().err
    assert await run("show", name, "--graph", str(tmp_path / "none" / "x.svg")) == 1
    assert "cannot be written: No such file" in capsys.readouterr().err
