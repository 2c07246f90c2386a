"""Request Tracker 5 and Redmine as Debian ships them: what the adapters believe about them, asked of themselves."""

import asyncio
import json
import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
import redminelib
import rt.rest2

from btimd.itsm.emit.httptarget import HttpTarget
from btimd.itsm.emit.inbox import Inbox
from btimd.itsm.emit.targets import sources_of
from btimd.model.delivery import ExternalUpdate, UpdateKind
from btimd.runtime.log import Log
from tests.itsm import ticketservers
from tests.itsm.posts import REPORT, STEPS, Post
from tests.itsm.ticketservers import TicketServer
from tests.patience import PATIENCE_SECONDS

pytestmark = [pytest.mark.real_server, pytest.mark.slow]


@dataclass
class Seen:
    """A ticket as an independent client reads it. notes: first lines of btimd's notes, oldest first."""

    id: str
    status: str
    priority: str
    notes: list[str]


class RequestTrackerOracle:
    """What RT says, asked with the client library of other people."""

    kind = "request_tracker"

    def __init__(self, server: TicketServer) -> None:
        self.server = server
        self.client = rt.rest2.Rt(f"{server.url}/REST/2.0", token=server.secret_file.read_text())

    def tickets(self, key: str) -> list[Seen]:
        found = self.client.search(queue="Network", raw_query=f"'CF.{{BtimIncident}}' = '{key}'")
        return [self.ticket(str(one["id"])) for one in found]

    def ticket(self, number: str) -> Seen:
        ticket = self.client.get_ticket(number)
        header = {"Authorization": f"token {self.server.secret_file.read_text()}"}
        notes: list[str] = []
        for change in self.client.get_ticket_history(number):
            if change["Type"] in {"Comment", "Correspond"}:
                path = f"/REST/2.0/transaction/{change['id']}/attachments?fields=Content"
                notes += [one["Content"] for one in self.server.get(path, header)["items"]]
        return Seen(number, ticket["Status"], ticket["Priority"], [one.splitlines()[0] for one in notes])

    def as_ann(self, method: str, number: str, document: dict[str, Any]) -> None:
        path = f"/REST/2.0/ticket/{number}" + ("" if method == "PUT" else "/comment")
        token = (self.server.folder / "ann.token").read_text()
        _send(method, self.server.url + path, document, {"Authorization": f"token {token}"})

    def work(self, number: str) -> None:
        """Let ann work on a ticket."""
        self.as_ann("POST", number, {"Content": "restarting it now", "ContentType": "text/plain"})
        self.as_ann("PUT", number, {"Owner": "ann"})
        self.as_ann("PUT", number, {"Status": "resolved"})

    resolved = "resolved"
    statuses = ("open", "resolved", "resolved")
    priorities = ("100", "100")


class RedmineOracle:
    """What Redmine says, asked with the client library of other people."""

    kind = "redmine"

    def __init__(self, server: TicketServer) -> None:
        self.server = server
        self.client = redminelib.Redmine(server.url, key=server.secret_file.read_text())
        self.field = server.values["incident_field"]

    def tickets(self, key: str) -> list[Seen]:
        found = self.client.issue.filter(project_id="network", status_id="*", **{f"cf_{self.field}": key})
        return [self.ticket(str(one.id)) for one in found]

    def ticket(self, number: str) -> Seen:
        issue = self.client.issue.get(int(number), include=["journals"])
        notes = [journal.notes.splitlines()[0] for journal in issue.journals if getattr(journal, "notes", "")]
        return Seen(number, str(issue.status.id), str(issue.priority.id), notes)

    def work(self, number: str) -> None:
        """Let ann work on an issue."""
        key = {"X-Redmine-API-Key": (self.server.folder / "ann.key").read_text()}
        for change in ({"notes": "restarting it now"}, {"assigned_to_id": 6}, {"status_id": 3}):
            _send("PUT", f"{self.server.url}/issues/{number}.json", {"issue": change}, key)

    resolved = "3"
    statuses = ("2", "3", "5")
    priorities = ("5", "5")


Oracle = RequestTrackerOracle | RedmineOracle


def _send(method: str, url: str, document: dict[str, Any], headers: dict[str, str]) -> None:
    headers = {"Content-Type": "application/json", **headers}
    request = Request(url, json.dumps(document).encode(), headers, method=method)  # noqa: S310  http on loopback
    with urlopen(request, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310  http on loopback
        answer.read()


@pytest.fixture(scope="module", params=["request_tracker", "redmine"])
def oracle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Oracle]:
    """A running server with its oracle."""
    folder = tmp_path_factory.mktemp(request.param)
    server = getattr(ticketservers, request.param)(folder)
    try:
        yield RequestTrackerOracle(server) if request.param == "request_tracker" else RedmineOracle(server)
    finally:
        server.stop()


def post(folder: Path, oracle: Oracle, **values: Any) -> Post:
    target = {"url": oracle.server.url, **oracle.server.values, **values}
    settings: dict[str, Any] = {oracle.kind: {"desk": target}}
    return Post(folder, settle=1.0, backoff_cap=1.0, **settings)


def first_lines(incident_id: str, *numbers: int) -> list[str]:
    return [f"[btimd {incident_id}.{number}]" for number in numbers]


async def test_the_life_of_an_incident_is_one_ticket_with_every_note_once_and_in_order(
    oracle: Oracle, tmp_path: Path
) -> None:
    async with post(tmp_path, oracle).open() as office:
        await office.tell("INC-1", 1, 2, 3, 4, 5)
        await office.until_delivered()
        (ticket,) = await asyncio.to_thread(oracle.tickets, "INC-1")
        reference = await office.journal.load_reference("desk", "INC-1")

    assert [note.split(" ")[0:2] for note in ticket.notes] == [
        one.split(" ") for one in first_lines("INC-1", 2, 3, 4, 5)
    ]
    assert (ticket.status, ticket.priority) == (oracle.resolved, oracle.priorities[0])
    assert reference is not None
    assert (reference.external_id, reference.seq, reference.is_open) == (ticket.id, 5, False)


async def test_a_trial_tells_good_credentials_from_bad_ones_and_leaves_nothing(oracle: Oracle, tmp_path: Path) -> None:
    name = "token_file" if oracle.kind == "request_tracker" else "key_file"
    wrong = tmp_path / "wrong"
    wrong.touch(mode=0o600)
    wrong.write_text("0123456789abcdef0123")
    trials = []
    for index, more in enumerate(({}, {name: str(wrong)})):
        (tmp_path / str(index)).mkdir()
        async with post(tmp_path / str(index), oracle, **more).open(run=False) as office:
            target = office.targets[0]
            assert isinstance(target, HttpTarget)
            trials.append(await target.try_out())

    assert [one.outcome.kind.value for one in trials] == ["delivered", "paused"]
    assert trials[0].outcome.detail == "searching for an incident's id works"
    assert await asyncio.to_thread(oracle.tickets, "btimd-trial") == []


async def test_what_may_have_arrived_is_looked_up_and_not_written_twice(oracle: Oracle, tmp_path: Path) -> None:
    async with post(tmp_path, oracle).open(run=False) as office:
        target = office.targets[0]
        for number in (1, 2):
            await office.tell("INC-2", number)
            (message,) = await office.journal.claim_messages(office.clock.wall(), 1)
            assert (await target.deliver(message)).kind == "delivered"
            again = await target.deliver(replace(message, uncertain=True))
            assert again.kind == "delivered"
            await office.journal.message_delivered(message.id, office.clock.wall())
        (ticket,) = await asyncio.to_thread(oracle.tickets, "INC-2")

    assert len(ticket.notes) == 1


async def test_a_status_the_server_only_pretends_to_take_is_found_out(oracle: Oracle, tmp_path: Path) -> None:
    states = {
        **oracle.server.values.get("states", {}),
        "new": "1" if oracle.kind == "redmine" else "new",
        "accepted": "77",
    }
    async with post(tmp_path, oracle, states=states).open(run=False) as office:
        target = office.targets[0]
        await office.tell("INC-3", 1, 2)
        outcomes = []
        for _ in range(2):
            (message,) = await office.journal.claim_messages(office.clock.wall(), 1)
            outcomes.append(await target.deliver(message))
            await office.journal.message_delivered(message.id, office.clock.wall())

    assert [outcome.kind for outcome in outcomes] == ["delivered", "refused"]
    assert outcomes[1].detail.endswith("it does not become '77'; check states")
    assert outcomes[1].partly, "the note is there, so the next attempt looks first"


async def test_a_server_that_is_killed_at_work_gets_everything_once(oracle: Oracle, tmp_path: Path) -> None:
    async with post(tmp_path, oracle).open() as office:
        for number in range(2):
            await office.tell(f"KILL-{number}", 1, 2)
        await asyncio.sleep(1.0)
        await asyncio.to_thread(oracle.server.stop, signal.SIGKILL)
        await asyncio.sleep(0.5)
        await asyncio.to_thread(oracle.server.start)
        await office.until_delivered()
        found = [await asyncio.to_thread(oracle.tickets, f"KILL-{number}") for number in range(2)]

    assert [len(tickets) for tickets in found] == [1, 1]
    assert [len(tickets[0].notes) for tickets in found] == [1, 1]


async def test_what_people_do_there_comes_back_once_and_what_btimd_did_does_not(oracle: Oracle, tmp_path: Path) -> None:
    taken: list[ExternalUpdate] = []

    async def on_update(update: ExternalUpdate) -> str:
        await asyncio.sleep(0)
        taken.append(update)
        return "done"

    async with post(tmp_path, oracle, poll="5s").open() as office:
        (source,) = sources_of(office.settings, [one for one in office.targets if isinstance(one, HttpTarget)])
        inbox = Inbox(
            journal=office.journal, sources=[source], on_update=on_update, metrics=office.metrics,
            clock=office.clock, log=Log("itsm"),
        )  # fmt: skip
        assert await inbox.poll(source) == 0
        await office.tell("INC-4", 1, 3, steps=STEPS)
        await office.until_delivered()
        (ticket,) = await asyncio.to_thread(oracle.tickets, "INC-4")
        await asyncio.to_thread(oracle.work, ticket.id)
        assert await inbox.poll(source) >= 3
        assert await inbox.poll(source) == 0, "what is known is not taken again"
        assert await inbox.hand_on()

    mine = [update for update in taken if update.incident_id == "INC-4"]
    assert {update.external_id for update in mine} == {ticket.id}
    assert {update.actor for update in mine} <= {"ann", "ann Test"}
    comments = [update.value for update in mine if update.kind is UpdateKind.COMMENT]
    assert comments == ["restarting it now"]
    assert [update.meaning for update in mine if update.kind is UpdateKind.STATUS][-1] == "resolve"
    assert [update.kind for update in mine if update.kind is UpdateKind.ASSIGNEE]
    assert REPORT not in comments
