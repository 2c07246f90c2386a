import asyncio
from dataclasses import replace

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo  # type: ignore[import-untyped]  # no py.typed
from grpc_status import rpc_status

from btimd.api.client import CallFailedError, Page, Update
from btimd.api.convert import INCIDENT as CODEC
from btimd.api.incidentrequests import METHODS
from btimd.api.pb import incidents_pb2 as pb
from btimd.model.incident import (
    ActorRole,
    ClosingReport,
    CommandKind,
    ImpactAssessment,
    IncidentCommand,
    IncidentState,
    Priority,
)
from tests.api.conftest import SECRETS, Served
from tests.fakes.views import INCIDENT, NOW, OPENED


async def test_open_incidents_are_listed_by_urgency_and_all_by_age(served: Served) -> None:
    closed = replace(INCIDENT, id="I-0", state=IncidentState.CLOSED, priority=Priority.P1, closed_at=NOW + 9)
    served.desk.known["I-0"] = closed
    with served.client() as client:
        assert await asyncio.to_thread(client.incidents) == Page([INCIDENT], more=False)
        assert await asyncio.to_thread(client.incidents, include_closed=True, limit=1) == Page([INCIDENT], more=True)
        assert await asyncio.to_thread(client.incidents, business="crm") == Page([], more=False)


async def test_an_incident_comes_with_its_timeline(served: Served) -> None:
    with served.client() as client:
        assert await asyncio.to_thread(client.incident, "I-1") == (INCIDENT, [OPENED])
        with pytest.raises(CallFailedError, match="there is no incident 'I-9'"):
            await asyncio.to_thread(client.incident, "I-9")


async def test_incidents_are_followed_until_they_are_closed(served: Served) -> None:
    served.desk.feed.publish("I-1", INCIDENT)
    closed = replace(INCIDENT, state=IncidentState.CLOSED)
    with served.client() as client:
        stream = client.watch_incidents("hr")
        first = await asyncio.to_thread(next, stream)
        served.desk.feed.publish("I-2", replace(INCIDENT, id="I-2", assessment=ImpactAssessment(("crm",))))
        served.desk.feed.publish("I-1", closed)
        second = await asyncio.to_thread(next, stream)

    assert (first, second) == (Update([INCIDENT], snapshot=True), Update([closed], snapshot=False))


COMMANDS = [
    IncidentCommand(CommandKind.CREATE, "c", text="No page.", title="ERP is slow", businesses=("erp",)),
    IncidentCommand(CommandKind.ACCEPT, "c", "I-1", 3, text="mine"),
    IncidentCommand(CommandKind.RESOLVE, "c", "I-1", 3, text="restarted db1", override_reason="check is wrong"),
    IncidentCommand(CommandKind.CONFIRM, "c", "I-1", text="works"),
    IncidentCommand(CommandKind.CANCEL, "c", "I-1", text="a test"),
    IncidentCommand(CommandKind.COMMENT, "c", "I-1", text="called the vendor"),
    IncidentCommand(CommandKind.SET_PRIORITY, "c", "I-1", text="end of quarter", priority=Priority.P1),
    IncidentCommand(CommandKind.MERGE, "c", "I-1", text="the same", parent_id="I-7"),
    IncidentCommand(
        CommandKind.CREATE, "c", text="", title="No mail", category="mail", priority=Priority.P4, person="lin"
    ),
    IncidentCommand(
        CommandKind.RESOLVE, "c", "I-1", text="x", closing=ClosingReport("disk", "new disk", "db1", "db", 45, "KB-1")
    ),
    IncidentCommand(CommandKind.HOLD, "c", "I-1", text="wait for the vendor"),
    IncidentCommand(CommandKind.RELEASE, "c", "I-1", 3),
    IncidentCommand(CommandKind.ASSIGN, "c", "I-1", person="lin", text="knows it"),
    IncidentCommand(CommandKind.ASSIGN, "c", "I-1", person="lin"),
    IncidentCommand(CommandKind.RETURN, "c", "I-1", text="not my field"),
    IncidentCommand(CommandKind.TRANSFER, "c", "I-1", person="lin", text="end of shift"),
    IncidentCommand(CommandKind.ESCALATE, "c", "I-1", text="needs an expert"),
    IncidentCommand(CommandKind.FORCE_ESCALATE, "c", "I-1", level=2, text="too slow"),
    IncidentCommand(CommandKind.STAGE_REPORT, "c", "I-1", text="half of it is restored", until=NOW + 600),
    IncidentCommand(CommandKind.STAGE_REPORT, "c", "I-1", text="half of it is restored"),
    IncidentCommand(CommandKind.PEND, "c", "I-1", text="spare part", until=NOW + 7200),
    IncidentCommand(CommandKind.RESUME, "c", "I-1", text="it came"),
    IncidentCommand(CommandKind.REJECT, "c", "I-1", text="still slow"),
    IncidentCommand(CommandKind.SURVEY, "c", "I-1", score=4, text="quick"),
    IncidentCommand(CommandKind.UNMERGE, "c", "I-1", text="another cause"),
]


def test_every_command_there_is_has_an_rpc() -> None:
    assert {command.kind for command in COMMANDS} == set(CommandKind) == METHODS.keys()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.kind.value)
async def test_every_command_arrives_as_it_was_meant_in_the_name_of_the_caller(
    served: Served, command: IncidentCommand
) -> None:
    with served.client("mona") as client:
        incident = await asyncio.to_thread(client.command, command)

    assert served.desk.commands == [(command, "mona")]
    assert served.desk.roles == [frozenset({ActorRole.DESK, ActorRole.CENTRE})]
    assert incident == served.desk.known[incident.id]


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (replace(COMMANDS[0], title=" "), "title: must be given"),
        (replace(COMMANDS[0], title="x" * 301), "title: 301 characters; 300 at most"),
        (replace(COMMANDS[0], businesses=("erp",) * 101), "businesses: 101 of them; 100 at most"),
        (replace(COMMANDS[1], command_id=""), "command_id: must be given"),
        (replace(COMMANDS[1], incident_id=""), "incident_id: must be given"),
        (replace(COMMANDS[1], expected_version=-1), "expected_version: -1 is negative"),
        (replace(COMMANDS[2], text=" "), "closing_report: must be given"),
        (replace(COMMANDS[2], override_reason="x" * 20_001), "override_reason: 20001 characters; 20000 at most"),
        (replace(COMMANDS[4], text=""), "reason: must be given"),
        (replace(COMMANDS[5], text=""), "comment: must be given"),
        (replace(COMMANDS[5], text="x" * 20_001), "comment: 20001 characters; 20000 at most"),
        (replace(COMMANDS[6], priority=None), "priority: must be given"),
        (replace(COMMANDS[6], text=""), "reason: must be given"),
        (replace(COMMANDS[7], parent_id=""), "parent_id: must be given"),
        (replace(COMMANDS[0], businesses=("x" * 201,)), "businesses: 201 characters; 200 at most"),
        (replace(COMMANDS[0], person="x" * 201), "reporter: 201 characters; 200 at most"),
        (IncidentCommand(CommandKind.HOLD, "c", "I-1"), "reason: must be given"),
        (IncidentCommand(CommandKind.ASSIGN, "c", "I-1"), "person: must be given"),
        (IncidentCommand(CommandKind.FORCE_ESCALATE, "c", "I-1", level=-1, text="x"), "level: -1 is not from 0 to 100"),
        (IncidentCommand(CommandKind.STAGE_REPORT, "c", "I-1"), "text: must be given"),
        (IncidentCommand(CommandKind.PEND, "c", "I-1", text="x"), "until: must be given: until when it waits"),
        (
            IncidentCommand(CommandKind.PEND, "c", "I-1", text="x", until=-5),
            "until: lies outside the years 1970 to 9999",
        ),
    ],
)
async def test_a_command_that_says_too_little_or_too_much_never_reaches_the_desk(
    served: Served, command: IncidentCommand, message: str
) -> None:
    with served.client("mona") as client, pytest.raises(CallFailedError, match=message) as refused:
        await asyncio.to_thread(client.command, command)

    assert refused.value.code == "INVALID_ARGUMENT"
    assert served.desk.commands == []


@pytest.mark.parametrize(
    ("path", "request_", "code", "reason", "metadata"),
    [
        (
            "AcceptIncident",
            pb.AcceptIncidentRequest(command_id="c", incident_id="I-9"),
            grpc.StatusCode.NOT_FOUND,
            "NOT_FOUND",
            {"incident": "I-9", "command": "accept"},
        ),
        (
            "AcceptIncident",
            pb.AcceptIncidentRequest(command_id="c", incident_id="I-2"),
            grpc.StatusCode.FAILED_PRECONDITION,
            "NOT_ALLOWED_NOW",
            {"incident": "I-2", "command": "accept", "allowed": "accept,resolve,confirm"},
        ),
        (
            "AcceptIncident",
            pb.AcceptIncidentRequest(command_id="c", incident_id="I-1", expected_version=2),
            grpc.StatusCode.ABORTED,
            "WRONG_VERSION",
            {"incident": "I-1", "command": "accept", "current_version": "3"},
        ),
        (
            "MergeIncident",
            pb.MergeIncidentRequest(command_id="c", incident_id="I-1", parent_id="I-1"),
            grpc.StatusCode.INVALID_ARGUMENT,
            "INVALID",
            {"incident": "I-1", "command": "merge"},
        ),
    ],
    ids=["not found", "not allowed now", "wrong version", "invalid"],
)
async def test_a_refusal_says_what_helps_on(
    served: Served, path: str, request_: pb.AcceptIncidentRequest, code: grpc.StatusCode, reason: str, metadata: object
) -> None:
    served.desk.known["I-2"] = replace(INCIDENT, id="I-2", state=IncidentState.ACCEPTED)
    async with grpc.aio.insecure_channel(served.server) as channel:
        call = channel.unary_unary(f"/btimd.v1.IncidentsService/{path}", type(request_).SerializeToString)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(request_, metadata=(("authorization", f"Bearer {SECRETS['mona']}"),))

    status = rpc_status.from_call(refused.value)
    info, current = ErrorInfo(), pb.Incident()
    assert refused.value.code() is code
    assert status is not None
    assert status.details[0].Unpack(info)
    assert (info.domain, info.reason, dict(info.metadata)) == ("btimd", reason, metadata)
    if reason == "WRONG_VERSION":
        assert status.details[1].Unpack(current)
        assert CODEC.from_pb(current) == INCIDENT
