"""btimctl incidents and incident against a served API."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from btimd.cli.btimctl import main
from btimd.cli.ctl_incidents import with_action
from btimd.model.incident import ClosingReport, CommandKind, IncidentCommand, IncidentState, Priority
from btimd.runtime.clock import SystemClock
from tests.api.conftest import SECRETS, Served, serving, write_tokens
from tests.fakes.views import INCIDENT, NOW


@pytest.fixture
async def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    """Serve, and let btimctl be the manager; what time it is stands still."""
    token = tmp_path / "mona"
    token.write_text(SECRETS["mona"])
    monkeypatch.setattr(SystemClock, "wall", lambda _self: NOW)
    async with serving(tmp_path, {"tokens_file": write_tokens(tmp_path / "tokens.toml")}) as running:
        monkeypatch.setenv("BTIMD_SERVER", running.server)
        monkeypatch.setenv("BTIMD_TOKEN_FILE", str(token))
        monkeypatch.setenv("COLUMNS", "110")
        monkeypatch.setenv("TZ", "UTC")
        yield running


async def run(*words: str) -> int:
    """Run btimctl in a thread, as the server runs on this loop."""
    try:
        return await asyncio.to_thread(main, list(words))
    except SystemExit as ended:
        return int(ended.code or 0)


CHANGES = [
    ("accept I-1", IncidentCommand(CommandKind.ACCEPT, "c", "I-1")),
    ("return I-1 no-time", IncidentCommand(CommandKind.RETURN, "c", "I-1", text="no-time")),
    ("transfer I-1 lin shift-ends", IncidentCommand(CommandKind.TRANSFER, "c", "I-1", person="lin", text="shift-ends")),
    ("escalate I-1 expert", IncidentCommand(CommandKind.ESCALATE, "c", "I-1", text="expert")),
    ("progress I-1 half-done", IncidentCommand(CommandKind.STAGE_REPORT, "c", "I-1", text="half-done")),
    (
        "progress I-1 half-done --next 2h",
        IncidentCommand(CommandKind.STAGE_REPORT, "c", "I-1", text="half-done", until=NOW + 7200),
    ),
    ("pend I-1 30m part", IncidentCommand(CommandKind.PEND, "c", "I-1", text="part", until=NOW + 1800)),
    (
        "pend I-1 2026-11-22T18:00+00:00 part",
        IncidentCommand(CommandKind.PEND, "c", "I-1", text="part", until=1_795_370_400.0),
    ),
    ("resume I-1 --text came", IncidentCommand(CommandKind.RESUME, "c", "I-1", text="came")),
    (
        "resolve I-1 restarted --cause leak --action restart --node db1 --category db --effort 45m --article KB-1",
        IncidentCommand(
            CommandKind.RESOLVE,
            "c",
            "I-1",
            text="restarted",
            closing=ClosingReport("leak", "restart", "db1", "db", 45, "KB-1"),
        ),
    ),
    ("merge I-1 I-7 --text same", IncidentCommand(CommandKind.MERGE, "c", "I-1", text="same", parent_id="I-7")),
    ("hold I-1 vendor", IncidentCommand(CommandKind.HOLD, "c", "I-1", text="vendor")),
    ("release I-1", IncidentCommand(CommandKind.RELEASE, "c", "I-1")),
    ("assign I-1 lin", IncidentCommand(CommandKind.ASSIGN, "c", "I-1", person="lin")),
    ("assign I-1 lin knows", IncidentCommand(CommandKind.ASSIGN, "c", "I-1", person="lin", text="knows")),
    ("force-escalate I-1 slow", IncidentCommand(CommandKind.FORCE_ESCALATE, "c", "I-1", text="slow")),
    (
        "force-escalate I-1 slow --level 2",
        IncidentCommand(CommandKind.FORCE_ESCALATE, "c", "I-1", text="slow", level=2),
    ),
    (
        "priority I-1 P1 vip --expect-version 3",
        IncidentCommand(CommandKind.SET_PRIORITY, "c", "I-1", 3, text="vip", priority=Priority.P1),
    ),
    ("cancel I-1 drill", IncidentCommand(CommandKind.CANCEL, "c", "I-1", text="drill")),
    ("unmerge I-1 other", IncidentCommand(CommandKind.UNMERGE, "c", "I-1", text="other")),
    ("comment I-1 hello", IncidentCommand(CommandKind.COMMENT, "c", "I-1", text="hello")),
    ("confirm I-1", IncidentCommand(CommandKind.CONFIRM, "c", "I-1")),
    ("reject I-1 still", IncidentCommand(CommandKind.REJECT, "c", "I-1", text="still")),
    ("survey I-1 4 --text quick", IncidentCommand(CommandKind.SURVEY, "c", "I-1", text="quick", score=4)),
    ("create slow", IncidentCommand(CommandKind.CREATE, "c", title="slow")),
    (
        "create slow --text x --business erp --category db --priority p3 --reporter lin",
        IncidentCommand(
            CommandKind.CREATE,
            "c",
            title="slow",
            text="x",
            businesses=("erp",),
            category="db",
            priority=Priority.P3,
            person="lin",
        ),
    ),
]


def test_every_command_can_be_given() -> None:
    assert {command.kind for _, command in CHANGES} == set(CommandKind)


@pytest.mark.parametrize(("line", "command"), CHANGES, ids=[line for line, _ in CHANGES])
async def test_a_command_is_given_as_it_was_meant(
    served: Served, line: str, command: IncidentCommand, capsys: pytest.CaptureFixture[str]
) -> None:
    status = await run("incident", *line.split(), "--command-id", "c")

    assert (status, served.desk.commands) == (0, [(command, "mona")])
    assert capsys.readouterr().out.splitlines()[0].startswith("id")


async def test_an_incident_is_shown_by_its_id(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    status = await run("incident", "I-1")
    screen = capsys.readouterr().out.splitlines()
    again = await run("--json", "incident", "I-1")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert (status, again, served.desk.commands) == (0, 0, [])
    assert screen[0].rstrip() == "I-1  P2  new  active"
    assert screen[-1].rstrip() == "you may: accept, resolve, confirm"
    assert [line.get("id", line.get("kind")) for line in lines] == ["I-1", "opened"]


async def test_incidents_are_found_by_filters(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    served.desk.known["I-2"] = replace(
        INCIDENT, id="I-2", state=IncidentState.CLOSED, assignee="mona", title="Disk of host1", opened_at=NOW - 86_400
    )

    async def ids(*words: str) -> list[str]:
        assert await run("--json", "incidents", *words) == 0
        return [json.loads(line)["id"] for line in capsys.readouterr().out.splitlines() if line.startswith("{")]

    assert await ids() == await ids("list") == await ids("--state", "new", "--priority", "p2") == ["I-1"]
    assert await ids("--all") == ["I-1", "I-2"]
    assert await ids("--mine") == []
    assert await ids("--mine", "--all") == await ids("list", "--assignee", "mona", "--all") == ["I-2"]
    assert await ids("--since", "1h", "--business", "erp", "--region", "Shanghai") == ["I-1"]
    assert await ids("--from", "2026-09-20", "--until", "2026-09-21T00:00+00:00", "--text", "disk") == ["I-2"]
    assert await ids("--node", "db1", "--all", "--category", "net") == []
    assert await ids("--reported", "--group", "db") == []


async def test_incidents_are_counted(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    served.desk.known["I-2"] = replace(INCIDENT, id="I-2", state=IncidentState.CLOSED)
    status = await run("incidents", "--all", "--count", "node", "--count", "state")

    assert status == 0
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
        "node  state   incidents  open",
        "db1   closed          1     0",
        "db1   new             1     1",
    ]


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("incidents --state done", "'done' is no state; write one of new, held"),
        ("incidents --from yesterday", "'yesterday' is no time; write 2026-11-22 or 2026-11-22T18:00"),
        ("incident pend I-1 soon part", "'soon' is no time"),
        ("incident", "the following arguments are required: ACTION"),
        ("incidents --count size", "invalid choice: 'size'"),
    ],
)
async def test_what_cannot_be_meant_is_said(line: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert await run(*line.split()) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("incident I-1", "incident show I-1"),
        ("--json --server x:1 incident I-1", "--json --server x:1 incident show I-1"),
        ("--server=x:1 --tls incident I-1", "--server=x:1 --tls incident show I-1"),
        ("incident accept I-1", "incident accept I-1"),
        ("incident --help", "incident --help"),
        ("incident", "incident"),
        ("--server incident incidents", "--server incident incidents"),
        ("probe incident", "probe incident"),
    ],
)
def test_an_id_alone_means_to_show_it(given: str, read: str) -> None:
    assert with_action(given.split()) == read.split()
