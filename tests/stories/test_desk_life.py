"""A ticket from report to survey by btimctl: everybody with their own token, the life cycle judging who may do what."""

import argparse
import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from btimd.api.client import CallFailedError, Client, new_token
from btimd.api.component import ApiComponent
from btimd.api.settings import ApiSettings
from btimd.cli.btimctl import Commands, parser
from btimd.cli.ctl_incidents import with_action
from btimd.cli.ctl_output import Output
from btimd.runtime.clock import ManualClock, SystemClock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from btimd.store.incidentsearch import IncidentTable
from btimd.store.journal import SqliteJournal
from tests.fakes.views import FakeBook, FakeFlows, FakeGraph
from tests.itsm.desks import Desk
from tests.itsm.people import Team

REPORT = "The cable of the switch was loose; plugged it in again and fixed it with a clip"
NOTES = "Looked at the switch; the port of the printer is down"


@dataclass
class Office:
    """A served incident desk, and what people got to read."""

    desk: Desk
    people: Mapping[str, Commands]
    reads: argparse.ArgumentParser
    capsys: pytest.CaptureFixture[str]

    async def says(self, who: str, line: str, *words: str) -> tuple[int, str]:
        """Let somebody run a command of btimctl; return status, and what went to the screen or what was wrong."""
        args = self.reads.parse_args(with_action([*line.split(), *words]))
        try:
            status = await asyncio.to_thread(args.run, self.people[who], args)
        except CallFailedError as error:
            return 1, str(error)
        return status, self.capsys.readouterr().out

    async def does(self, who: str, line: str, *words: str) -> str:
        """Let somebody do something that must succeed; return the state of the incident after it."""
        status, told = await self.says(who, f"incident {line}", *words)
        assert status == 0, told
        return str(json.loads(told.splitlines()[0])["state"])


@pytest.fixture
async def office(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Office]:
    desk = Desk("sqlite", tmp_path)
    monkeypatch.setattr(SystemClock, "wall", lambda _self: desk.clock.wall())
    await desk.start(people=Team(by_level=(("ann", "bob"), ("dan",))))
    entries, secrets = [], {}
    roles = {"rita": "reporter", "ann": "handler", "bob": "handler", "dan": "handler", "mona": "manager"}
    for name, role in {**roles, "phone": "handler"}.items():
        entry, secret = new_token(name, role, desk=name == "phone", person="lin" if name == "phone" else "")
        entries.append(entry)
        secrets[name] = secret
    (tmp_path / "tokens.toml").write_text("\n".join(entries))
    assert isinstance(desk.journal, SqliteJournal)
    api = ApiComponent(
        settings=ApiSettings(
            grpc_listen=("127.0.0.1", 0), http_listen=("127.0.0.1", 0), tokens_file=tmp_path / "tokens.toml"
        ),
        state_directory=tmp_path,
        flows=FakeFlows(),
        graph=FakeGraph(),
        incidents=desk.component,
        search=IncidentTable(desk.journal.run),
        sla=FakeBook(),
        metrics=Metrics(),
        health=dict,
        clock=ManualClock(),
        log=Log("test"),
    )
    await api.start()
    host, port = api.grpc_address
    clients = {name: Client(f"{host}:{port}", token=secret) for name, secret in secrets.items()}
    output, clock = Output(as_json=True), SystemClock()
    try:
        people = {name: Commands(client, output, clock) for name, client in clients.items()}
        yield Office(desk, people, parser({}), capsys)
    finally:
        for client in clients.values():
            client.close()
        await api.stop()
        await desk.close()


async def test_one_call_with_defaults_makes_a_ticket_that_goes_its_way(office: Office) -> None:
    assert await office.does("rita", "create", "The printer does not print") == "new"
    ticket = "INC-20231114-0001"

    # who is not asked may not; the reporter hears of their own, and of nothing to do but talk
    assert (await office.says("rita", f"incident accept {ticket}"))[1].startswith(
        "rita is reporter; this call needs handler"
    )
    assert (await office.says("ann", f"incident assign {ticket} ann"))[1].startswith("ann is handler")
    assert (await office.says("ann", f"incident escalate {ticket} why"))[1] == (
        f"{ticket} is new: escalate is not possible now; possible: hold, assign, resolve, accept, "
        "force-escalate, cancel, merge, set-priority, comment"
    )
    assert await office.does("mona", f"assign {ticket} bob") == "dispatched"
    assert (await office.says("ann", f"incident return {ticket} later"))[1].startswith(
        f"{ticket}: return is for centre, handler; ask one of them"
    )
    assert await office.does("bob", f"accept {ticket}") == "accepted"
    assert await office.does("bob", f"transfer {ticket} ann", "my shift ends") == "dispatched"
    assert await office.does("ann", f"accept {ticket}") == "accepted"
    assert await office.does("ann", f"progress {ticket} --next 2h", NOTES) == "accepted"
    assert await office.does("ann", f"pend {ticket} 30m", "the caretaker has the key") == "pending"
    assert await office.does("ann", f"resume {ticket}") == "accepted"
    assert await office.does("ann", f"resolve {ticket} --node switch3 --effort 25m", REPORT) == "resolved"
    assert (await office.says("bob", f"incident reject {ticket} no"))[1].startswith(
        f"{ticket}: reject is for centre, desk, reporter"
    )
    assert await office.does("rita", f"reject {ticket}", "it prints only half a page") == "dispatched"
    assert await office.does("ann", f"accept {ticket}") == "accepted"
    assert await office.does("ann", f"escalate {ticket}", "the switch itself is broken") == "dispatched"
    assert await office.does("dan", f"accept {ticket}") == "accepted"
    assert await office.does("dan", f"resolve {ticket} --node switch3", REPORT) == "resolved"
    assert await office.does("rita", f"confirm {ticket}") == "closed"
    assert await office.does("rita", f"survey {ticket} 4 --text better") == "closed"

    _, told = await office.says("rita", "incidents --reported --all")
    _, history = await office.says("ann", "incidents --node switch3 --all --count assignee")
    shown = json.loads(told)
    assert (shown["id"], shown["reporter"], shown["survey_score"], shown["reopen_count"]) == (ticket, "rita", 4, 1)
    assert json.loads(history) == {"values": ["dan"], "incidents": 1, "open": 0}


async def test_the_desk_takes_reports_down_and_solves_what_it_can(office: Office) -> None:
    assert await office.does("phone", "create --reporter rita --priority p4 --category print", "No toner") == "new"
    assert await office.does("phone", "resolve INC-20231114-0001", "Told them where the toner is kept") == "resolved"
    assert (await office.says("rita", "incident INC-20231114-0001"))[0] == 0
    status, told = await office.says("rita", "incident create --priority p1 Fire")

    assert (status, told) == (1, "priority: only the service desk and handlers may set it; leave it out")
    timeline = await office.desk.component.timeline("INC-20231114-0001")
    assert [(event.actor, event.kind) for event in timeline] == [("lin", "opened"), ("lin", "resolved")]
    assert await office.does("rita", "confirm INC-20231114-0001") == "closed"


async def test_what_belongs_together_is_merged_and_taken_apart(office: Office) -> None:
    for title in ("No mail", "No calendar"):
        assert await office.does("rita", "create", title) == "new"
    first, second = "INC-20231114-0001", "INC-20231114-0002"
    assert await office.does("ann", f"accept {second}") == "accepted"

    assert await office.does("ann", f"merge {second} {first}") == "merged"
    assert (await office.says("ann", f"incident unmerge {second} why"))[1].startswith("ann is handler")
    assert await office.does("mona", f"unmerge {second}", "another server") == "new"
    assert await office.does("mona", f"hold {second}", "ask the vendor first") == "held"
    assert await office.does("mona", f"release {second}") in {"new", "dispatched"}
    assert await office.does("mona", f"priority {first} p1", "the board meets") in {"new", "dispatched"}
    assert await office.does("mona", f"force-escalate {first} --level 2", "the board meets") == "dispatched"
    assert await office.does("mona", f"cancel {first}", "it was a drill") == "cancelled"
