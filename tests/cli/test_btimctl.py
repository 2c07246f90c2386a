"""btimctl against a served API: what it prints, where it fails, with which status."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from btimd.api.settings import ApiSettings
from btimd.cli.btimctl import main
from btimd.model.incident import CommandKind, IncidentCommand, Priority
from tests.api.conftest import SECRETS, Served, serving, until, write_tokens
from tests.fakes.views import INCIDENT, NODE_STATES, QUALITY, SLA_STATE, WINDOW
from tests.patience import PATIENCE_SECONDS

COMMANDS = [
    "status",
    "windows",
    "windows --business erp --interval 1m --limit 5",
    "quality",
    "quality erp",
    "quality --by server --interval 1m --limit 3",
    "quality erp --by region --by segment",
    "users erp --region Shanghai",
    "users",
    "users --by region --by segment",
    "users erp --by person --seen 5m",
    "exporters",
    "spans",
    "explain 10.1.2.3 10.2.0.10 443 udp",
    "history traffic octets users --by business --where region=Shanghai --step 5m --since 1d --fold max",
    "graph",
    "nodes",
    "symptoms",
    "verdicts --limit 3",
    "incidents",
    "incidents list --all",
    "incidents show I-1",
    "sla",
    "sla agreements",
    "sla agreements bank",
    "sla standings",
    "sla standings bank",
    "sla periods bank",
    "sla periods bank --subject erp",
    "sla causes bank --periods 3",
    "sla say bank --language zh",
    "sla revisions --business erp",
    "sla revise erp --from=-2h --to=-1h --why change --planned --cause ora1",
    "calendar office --from 2026-11-02 --days 2",
    "maintenance",
    "maintenance list --past",
    "maintenance show M-1",
    "maintenance add --business erp --why disks --from +1h --for 2h --days sun --hours 02:00-04:00",
    "maintenance end M-1 --why done",
    "silence list --past",
    "duty calendars",
    "silence add --node ora1 --why known --to +2h --word full --priority P3 --notices",
    "view",
    "view erp",
    "push erp orders 12 --unit 1/h --valid 1h",
]


@pytest.fixture
async def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    """Serve, and let btimctl be the manager."""
    token = tmp_path / "mona"
    token.write_text(SECRETS["mona"])
    async with serving(tmp_path, {"tokens_file": write_tokens(tmp_path / "tokens.toml")}) as running:
        monkeypatch.setenv("BTIMD_SERVER", running.server)
        monkeypatch.setenv("BTIMD_TOKEN_FILE", str(token))
        monkeypatch.setenv("COLUMNS", "100")
        yield running


async def run(line: str) -> int:
    """Run btimctl in a thread, as the server runs on this loop."""
    try:
        return await asyncio.to_thread(main, line.split())
    except SystemExit as ended:
        return int(ended.code or 0)


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize("line", COMMANDS)
async def test_every_question_is_answered_for_people_and_for_programs(
    line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status = await run(line)
    people = capsys.readouterr()
    json_status = await run(f"--json {line}")
    programs = capsys.readouterr()

    assert (status, json_status, people.err, programs.err) == (0, 0, "", "")
    assert people.out.strip()
    assert all(len(row) <= 100 and "…" not in row for row in people.out.splitlines())
    assert all(isinstance(json.loads(row), dict) for row in programs.out.splitlines())


@pytest.mark.parametrize(
    ("line", "command"),
    [
        (
            "incidents create slow --business erp --business hr --text since-noon",
            IncidentCommand(CommandKind.CREATE, "c", text="since-noon", title="slow", businesses=("erp", "hr")),
        ),
        ("incidents accept I-1 --expect-version 3", IncidentCommand(CommandKind.ACCEPT, "c", "I-1", 3)),
        ("incidents resolve I-1 restarted", IncidentCommand(CommandKind.RESOLVE, "c", "I-1", text="restarted")),
        (
            "incidents resolve I-1 restarted --override-reason false-alarm",
            IncidentCommand(CommandKind.RESOLVE, "c", "I-1", text="restarted", override_reason="false-alarm"),
        ),
        ("incidents confirm I-1 --text ok", IncidentCommand(CommandKind.CONFIRM, "c", "I-1", text="ok")),
        ("incidents cancel I-1 test", IncidentCommand(CommandKind.CANCEL, "c", "I-1", text="test")),
        ("incidents comment I-1 hello", IncidentCommand(CommandKind.COMMENT, "c", "I-1", text="hello")),
        (
            "incidents priority I-1 p1 quarter-end",
            IncidentCommand(CommandKind.SET_PRIORITY, "c", "I-1", text="quarter-end", priority=Priority.P1),
        ),
        ("incidents merge I-1 I-7", IncidentCommand(CommandKind.MERGE, "c", "I-1", parent_id="I-7")),
    ],
)
async def test_every_change_is_made_as_it_was_meant(
    served: Served, capsys: pytest.CaptureFixture[str], line: str, command: IncidentCommand
) -> None:
    status = await run(f"--json {line} --command-id c")
    printed = json.loads(capsys.readouterr().out)

    assert status == 0
    assert served.desk.commands == [(command, "mona")]
    assert printed["version"] == served.desk.known[printed["id"]].version


async def test_a_change_without_a_command_id_gets_a_new_one_each_time(served: Served) -> None:
    await run("incidents comment I-1 a")
    await run("incidents comment I-1 a")

    assert len({command.command_id for command, _ in served.desk.commands} - {""}) == 2


@pytest.mark.usefixtures("served")
async def test_a_probe_that_is_not_good_ends_with_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    status = await run("probe db1-sql")

    assert (status, capsys.readouterr().out) == (1, "✖ bad  db1-sql of db1: refused (refused), 0.004 s\n")


@pytest.mark.parametrize(
    ("line", "status", "message"),
    [
        ("--server 127.0.0.1:1 sla", 1, "btimctl: cannot reach btimd at 127.0.0.1:1 "),
        ("--server nowhere sla", 1, "btimctl: --server: 'nowhere' is no address"),
        ("--token-file /nowhere sla", 1, "btimctl: cannot read the token file /nowhere: No such file"),
        ("probe nope", 1, "btimctl: there is no check 'nope'"),
        ("incidents show I-9", 1, "btimctl: there is no incident 'I-9'"),
        ("incidents accept I-2", 1, "btimctl: I-2 is resolved; allowed now: resolve, comment"),
        ("windows --limit 5000", 1, "btimctl: limit: 5000 is not from 0 to 1000"),
        ("windows --interval soon", 2, "'soon' is no duration"),
        ("explain a b c", 2, "invalid int value: 'c'"),
        ("explain 10.0.0.1 10.0.0.2 1 gre", 2, "'gre' is no protocol; write one of icmp, tcp"),
        ("history m f --where x", 2, "'x' is not of the form TAG=VALUE"),
        ("incidents priority I-1 P9 why", 2, "'P9' is no priority; write P1, P2, P3, P4 or P5"),
        ("users --state busy", 2, "invalid choice: 'busy'"),
        ("", 2, "the following arguments are required: COMMAND"),
    ],
)
async def test_an_error_is_one_sentence_and_a_status(
    served: Served, capsys: pytest.CaptureFixture[str], line: str, status: int, message: str
) -> None:
    await run("incidents resolve I-1 done")
    served.desk.known["I-2"] = replace(served.desk.known["I-1"], id="I-2")
    capsys.readouterr()
    found = await run(line)
    printed = capsys.readouterr()

    assert (found, printed.out) == (status, "")
    assert message in printed.err
    assert "Traceback" not in printed.err


async def test_more_than_is_shown_is_said(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    served.flows.rows.append(WINDOW)
    await run("windows --limit 1")

    assert capsys.readouterr().err == "btimctl: there is more; ask for it with --limit\n"


async def test_quality_is_that_of_the_latest_interval_unless_more_is_asked_for(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    before = replace(QUALITY, interval_start_milliseconds=QUALITY.interval_start_milliseconds - 60_000)
    served.flows.connections = [QUALITY, replace(QUALITY, server=""), before]
    found = []
    for line in ("quality erp", "quality --by region --by server", "quality --limit 2", "quality --limit 3"):
        await run(f"--json {line}")
        printed = capsys.readouterr()
        found.append((len(printed.out.splitlines()), "there is more" in printed.err))

    assert found == [(2, False), (2, False), (2, True), (3, False)]
    assert served.flows.grouped_by == [
        ("business", "server"), ("business", "region", "server"), ("business",), ("business",),
    ]  # fmt: skip


async def test_without_measured_connections_quality_says_why(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    served.flows.connections.clear()
    await run("quality")

    assert capsys.readouterr().out.startswith("no connections were measured yet")


async def test_nothing_is_said_in_words_to_people_and_not_at_all_to_programs(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    served.desk.known.clear()
    await run("incidents")
    await run("--json incidents")

    assert capsys.readouterr().out == "no incidents\n"


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("windows watch --interval 1m", "business"),
        ("quality --watch --interval 1m", "server"),
        ("nodes watch", "node"),
        ("diagnoses watch", "id"),
        ("incidents watch", "id"),
        ("sla watch", "target"),
    ],
)
async def test_watching_prints_the_present_state_then_changes_and_ends_with_the_server(
    served: Served, capsys: pytest.CaptureFixture[str], line: str, key: str
) -> None:
    def publish() -> None:
        served.flows.publish(WINDOW)
        served.flows.publish_quality(QUALITY)
        served.graph.nodes.publish("db1", NODE_STATES[3])
        served.desk.feed.publish("I-1", INCIDENT)
        served.book.feed.publish("erp", SLA_STATE)

    publish()
    watching = asyncio.create_task(run(f"--json {line}"))
    await until(lambda: served.component.streams == 1)
    publish()
    await served.component.stop()
    status = await watching

    lines = [json.loads(row) for row in capsys.readouterr().out.splitlines()]
    assert status == 0
    assert len(lines) == (0 if line.startswith("diagnoses") else 2)
    assert all(key in row for row in lines)


@pytest.mark.slow
async def test_ctrl_c_ends_watching_without_a_traceback(served: Served) -> None:
    served.graph.nodes.publish("db1", NODE_STATES[3])
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "btimd.cli.btimctl", "--json", "nodes", "watch",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=dict(os.environ),
    )  # fmt: skip
    assert process.stdout is not None
    first = await asyncio.wait_for(process.stdout.readline(), PATIENCE_SECONDS)
    process.send_signal(signal.SIGINT)
    _, errors = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
    await until(lambda: served.component.streams == 0)

    assert json.loads(first)["node"] == "db1"
    assert (process.returncode, errors) == (130, b"")


def test_a_token_is_made_without_a_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--role", "handler", "--business", "erp", "--region", "Shanghai", "--desk", "--person", "li.anna"]
    status = main(["--server", "127.0.0.1:1", "token", "anna", *words])
    entry, _, _ = capsys.readouterr().out.partition("\n#")
    (tmp_path / "tokens.toml").write_text(entry)

    assert status == 0
    assert entry.startswith(
        '[[token]]\nname = "anna"\nrole = "handler"\nperson = "li.anna"\n'
        'businesses = ["erp"]\nregions = ["Shanghai"]\ndesk = true\nsha256 = "'
    )
    assert ApiSettings(tokens_file=tmp_path / "tokens.toml").tokens_file
