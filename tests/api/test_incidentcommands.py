"""Who may do what to which incident, as far as the API judges it; the life cycle judges the rest."""

from dataclasses import replace
from typing import Any

import grpc
import pytest

from btimd.api.auth import ALL, Caller, Role, Scope
from btimd.api.desksearch import DeskSearch
from btimd.api.errors import ApiError
from btimd.api.incidents import IncidentsServicer
from btimd.api.pb import incidents_pb2 as pb
from btimd.model.incident import ActorRole, CommandKind, ImpactAssessment, IncidentState
from tests.fakes.views import INCIDENT, FakeDesk

HR = Scope(frozenset({"hr"}))
MINE = replace(INCIDENT, id="I-2", reporter="rita", assessment=ImpactAssessment(("erp",), ("Beijing",)))
THEIRS = replace(INCIDENT, id="I-3", reporter="otto", assignee="otto", assessment=ImpactAssessment(("crm",)))
DONE = replace(INCIDENT, id="I-4", state=IncidentState.CLOSED, reporter="rita", assessment=ImpactAssessment(("hr",)))


def rita(scope: Scope = ALL) -> Caller:
    return Caller("web", Role.REPORTER, "rita", scope)


def otto(scope: Scope = ALL) -> Caller:
    return Caller("otto", Role.HANDLER, "otto", scope)


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk(known={one.id: one for one in (INCIDENT, MINE, THEIRS, DONE)})


@pytest.fixture
def service(desk: FakeDesk) -> IncidentsServicer:
    return IncidentsServicer(desk, DeskSearch(desk))


async def refusal(call: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(ApiError) as refused:
        await call
    return refused.value.code, refused.value.message


async def test_a_reporter_works_on_what_they_reported_and_on_nothing_else(
    service: IncidentsServicer, desk: FakeDesk
) -> None:
    mine = pb.CommentIncidentRequest(command_id="a", incident_id="I-2", comment="since nine")
    other = pb.CommentIncidentRequest(command_id="b", incident_id="I-1", comment="me too")
    score = pb.SurveyIncidentRequest(command_id="c", incident_id="I-3", score=5)

    assert (await service.comment_incident(mine, rita())).incident.id == "I-2"
    assert await refusal(service.comment_incident(other, rita())) == (
        grpc.StatusCode.PERMISSION_DENIED,
        "rita has not reported I-1; ask whoever did",
    )
    assert (await refusal(service.survey_incident(score, rita(HR)))) == (
        grpc.StatusCode.NOT_FOUND,
        "there is no incident 'I-3'",
    )
    assert [(command.command_id, actor) for command, actor in desk.commands] == [("a", "rita")]
    assert desk.roles == [frozenset()]


async def test_what_lies_outside_the_scope_is_not_there_for_commands_too(
    service: IncidentsServicer, desk: FakeDesk
) -> None:
    gone = pb.AcceptIncidentRequest(command_id="a", incident_id="I-2")
    into = pb.MergeIncidentRequest(command_id="b", incident_id="I-1", parent_id="I-2")
    own = pb.ReturnIncidentRequest(command_id="c", incident_id="I-3", reason="not mine")

    for call in (service.accept_incident(gone, otto(HR)), service.merge_incident(into, otto(HR))):
        assert await refusal(call) == (grpc.StatusCode.NOT_FOUND, "there is no incident 'I-2'")
    await service.return_incident(own, otto(HR))
    assert [command.kind for command, _ in desk.commands] == [CommandKind.RETURN]


async def test_reporting_for_others_and_priorities_by_hand_are_for_handlers(service: IncidentsServicer) -> None:
    plain = pb.CreateIncidentRequest(command_id="a", title="No mail")
    for_lin = pb.CreateIncidentRequest(command_id="b", title="No mail", reporter="lin")
    first = pb.CreateIncidentRequest(command_id="c", title="No mail", priority=pb.PRIORITY_P1)
    outside = pb.CreateIncidentRequest(command_id="d", title="No mail", businesses=["erp"])

    assert (await service.create_incident(plain, rita())).incident.reporter == "rita"
    assert (await service.create_incident(for_lin, otto())).incident.reporter == "lin"
    assert await refusal(service.create_incident(for_lin, rita())) == (
        grpc.StatusCode.PERMISSION_DENIED,
        "reporter: only the service desk and handlers may set it; leave it out",
    )
    assert (await refusal(service.create_incident(first, rita())))[0] is grpc.StatusCode.PERMISSION_DENIED
    assert await refusal(service.create_incident(outside, rita(HR))) == (
        grpc.StatusCode.NOT_FOUND,
        "there is no business 'erp'",
    )


async def test_the_capacities_of_a_token_go_to_the_life_cycle(service: IncidentsServicer, desk: FakeDesk) -> None:
    phone = Caller("phone", Role.HANDLER, "lin", capacities=frozenset({ActorRole.DESK}))
    await service.resolve_incident(
        pb.ResolveIncidentRequest(command_id="a", incident_id="I-1", closing_report="told them how"), phone
    )

    assert [(actor, roles) for (_, actor), roles in zip(desk.commands, desk.roles, strict=True)] == [
        ("lin", frozenset({ActorRole.DESK}))
    ]


async def test_an_incident_comes_with_what_the_caller_may_do(service: IncidentsServicer) -> None:
    async def allowed(incident_id: str, caller: Caller) -> list[str]:
        return list((await service.get_incident(pb.GetIncidentRequest(incident_id=incident_id), caller)).allowed)

    assert await allowed("I-1", otto()) == ["accept", "resolve", "confirm"]
    assert await allowed("I-1", rita()) == []
    assert await allowed("I-2", rita()) == ["confirm"]
    assert await allowed("I-2", Caller("vera", Role.VIEWER, "rita")) == []
    assert await refusal(service.get_incident(pb.GetIncidentRequest(incident_id="I-2"), otto(HR))) == (
        grpc.StatusCode.NOT_FOUND,
        "there is no incident 'I-2'",
    )


async def test_lists_counts_and_streams_hold_what_lies_inside_and_what_is_ones_own(
    service: IncidentsServicer, desk: FakeDesk
) -> None:
    for one in desk.known.values():
        desk.feed.publish(one.id, one)
    everything = pb.ListIncidentsRequest(include_closed=True)
    by_state = pb.CountIncidentsRequest(include_closed=True, group_by=[pb.INCIDENT_DIMENSION_STATE])

    listed = (await service.list_incidents(everything, rita(HR))).incidents
    counted = (await service.count_incidents(by_state, otto(HR))).counts
    stream = service.watch_incidents(pb.WatchIncidentsRequest(), rita(HR))
    first: Any = stream.respond(stream.subscription.snapshot, True)

    assert [one.id for one in listed] == ["I-4", "I-2", "I-1"]
    assert [(list(one.values), one.incidents, one.open) for one in counted] == [(["new"], 2, 2), (["closed"], 1, 0)]
    assert sorted(one.id for one in first.incidents) == ["I-1", "I-2"]


async def test_filters_say_what_they_can_and_who_me_is(service: IncidentsServicer) -> None:
    mine = pb.ListIncidentsRequest(filter=pb.IncidentFilter(assignee="me"))
    told = pb.ListIncidentsRequest(filter=pb.IncidentFilter(reporter="me", states=[pb.INCIDENT_STATE_CLOSED]))
    unknown = pb.ListIncidentsRequest(filter=pb.IncidentFilter(states=[77]))  # type: ignore[list-item]  # there is none
    early = pb.ListIncidentsRequest(filter=pb.IncidentFilter(from_time={"seconds": -1}))
    names = [f"INCIDENT_DIMENSION_{name}" for name in ("STATE", "PRIORITY", "ASSIGNEE", "GROUP")]
    by = pb.CountIncidentsRequest(group_by=names)

    assert [one.id for one in (await service.list_incidents(mine, otto())).incidents] == ["I-3"]
    assert [one.id for one in (await service.list_incidents(told, rita())).incidents] == ["I-4"]
    assert await refusal(service.list_incidents(mine, Caller("anybody", Role.VIEWER))) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        'filter.assignee: "me" is nobody without a token; say who',
    )
    assert (await refusal(service.list_incidents(unknown, otto())))[0] is grpc.StatusCode.INVALID_ARGUMENT
    assert (await refusal(service.list_incidents(early, otto())))[1] == (
        "filter.from_time: lies outside the years 1970 to 9999"
    )
    assert (await refusal(service.count_incidents(by, otto())))[1] == "group_by: 4 of them; 3 at most"
