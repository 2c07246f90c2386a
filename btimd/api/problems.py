"""ProblemsService: problems, known errors, proposals, changes."""

from typing import Any, Final

from btimd.api.auth import Caller
from btimd.api.codec import seconds_of_timestamp
from btimd.api.convert_knowledge import (
    CHANGE,
    CHANGE_FIGURES,
    CHANGE_STATE,
    PROBLEM,
    PROBLEM_STATE,
    PROPOSED_PROBLEM,
    RECORD_EVENT,
)
from btimd.api.errors import invalid, not_found
from btimd.api.knowledgerules import command_of, name, names, refusals, text, window
from btimd.api.pb import problems_pb2 as pb
from btimd.api.requests import named, optional_name, page_limit, page_of
from btimd.api.rpc import Service
from btimd.model.knowledge import Change, ChangeState, Problem, ProblemOrigin, Record, RecordKind
from btimd.model.knowledgework import KnowledgeView, ProposedProblem, RecordAction

_ENDS: Final = {
    ChangeState.SUCCEEDED: RecordAction.SUCCEED_CHANGE,
    ChangeState.FAILED: RecordAction.FAIL_CHANGE,
    ChangeState.BACKED_OUT: RecordAction.BACK_OUT_CHANGE,
    ChangeState.CANCELLED: RecordAction.CANCEL_CHANGE,
}


def problems_service(view: KnowledgeView) -> Service:
    """Return the service of a view; while the knowledge base is not to be had each call says so."""
    return Service(pb.DESCRIPTOR.services_by_name["ProblemsService"], ProblemsServicer(view), ("itsm",))


class ProblemsServicer:
    """Serves problems and changes; the person behind the token is the actor of what is changed."""

    def __init__(self, view: KnowledgeView) -> None:
        self._view = view

    # Problems.

    async def list_problems(self, request: pb.ListProblemsRequest, _caller: Caller) -> pb.ListProblemsResponse:
        """Return problems."""
        limit = page_limit(request.limit)
        with refusals():
            found = await self._view.records(
                RecordKind.PROBLEM,
                states=[PROBLEM_STATE.from_pb(number).value for number in request.states],
                incident_id=optional_name(request, "incident_id") or "",
                limit=limit + 1,
            )
        page, more = page_of(found, limit)
        return pb.ListProblemsResponse(problems=[_problem(one) for one in page], more=more)

    async def get_problem(self, request: pb.GetProblemRequest, _caller: Caller) -> pb.GetProblemResponse:
        """Return one problem with its history."""
        problem_id = named(request, "problem_id")
        with refusals():
            found = await self._view.record(RecordKind.PROBLEM, problem_id)
        if found is None:
            raise not_found("problem", problem_id)
        return pb.GetProblemResponse(
            problem=_problem(found[0]), history=[RECORD_EVENT.to_pb(event) for event in found[1]]
        )

    async def list_problem_proposals(
        self, _request: pb.ListProblemProposalsRequest, _caller: Caller
    ) -> pb.ListProblemProposalsResponse:
        """Return what is proposed."""
        with refusals():
            found = await self._view.proposals()
        return pb.ListProblemProposalsResponse(proposals=[PROPOSED_PROBLEM.to_pb(one) for one in found])

    async def dismiss_problem_proposal(
        self, request: pb.DismissProblemProposalRequest, caller: Caller
    ) -> pb.DismissProblemProposalResponse:
        """Decide that a proposal is none."""
        with refusals():
            gone = await self._view.dismiss(named(request, "key"), text(request, "reason"), caller.person)
        return pb.DismissProblemProposalResponse(proposal=PROPOSED_PROBLEM.to_pb(gone))

    async def open_problem(self, request: pb.OpenProblemRequest, caller: Caller) -> pb.OpenProblemResponse:
        """Put a problem on record, as proposed or by hand."""
        key = name(request, "proposal_key")
        proposed = await self._proposed(key) if key else None
        command = command_of(
            RecordAction.OPEN_PROBLEM,
            request,
            title=name(request, "title") or (proposed.title if proposed else ""),
            description=text(request, "description") or (proposed.why if proposed else ""),
            origin=proposed.origin if proposed else ProblemOrigin.MANUAL,
            key=key,
            node=name(request, "node") or (proposed.node if proposed else ""),
            incidents=tuple(dict.fromkeys((*(proposed.incidents if proposed else ()), *names(request, "incidents")))),
            owner=name(request, "owner"),
        )
        with refusals():
            return pb.OpenProblemResponse(problem=_problem(await self._view.act(command, caller.person)))

    async def _proposed(self, key: str) -> ProposedProblem | None:
        """Return a proposal; None: it was followed before, and the command will say so, or it is a key of its own."""
        with refusals():
            return next((one for one in await self._view.proposals() if one.key == key), None)

    async def investigate_problem(
        self, request: pb.InvestigateProblemRequest, caller: Caller
    ) -> pb.InvestigateProblemResponse:
        """Say who looks for the root."""
        made = await self._step(
            RecordAction.INVESTIGATE_PROBLEM, request, caller, owner=name(request, "owner") or caller.person
        )
        return pb.InvestigateProblemResponse(problem=made)

    async def note_problem(self, request: pb.NoteProblemRequest, caller: Caller) -> pb.NoteProblemResponse:
        """Add a finding."""
        made = await self._step(RecordAction.NOTE_PROBLEM, request, caller, reason=text(request, "finding"))
        return pb.NoteProblemResponse(problem=made)

    async def set_known_error(self, request: pb.SetKnownErrorRequest, caller: Caller) -> pb.SetKnownErrorResponse:
        """Say what the root cause is."""
        made = await self._step(
            RecordAction.SET_KNOWN_ERROR,
            request,
            caller,
            cause=text(request, "cause"),
            workaround=text(request, "workaround"),
            article_id=name(request, "article_id"),
        )
        return pb.SetKnownErrorResponse(problem=made)

    async def raise_change_request(
        self, request: pb.RaiseChangeRequestRequest, caller: Caller
    ) -> pb.RaiseChangeRequestResponse:
        """Say which change was asked for."""
        made = await self._step(
            RecordAction.RAISE_CHANGE_REQUEST, request, caller, change_id=name(request, "change_id")
        )
        return pb.RaiseChangeRequestResponse(problem=made)

    async def get_change_request_text(
        self, request: pb.GetChangeRequestTextRequest, _caller: Caller
    ) -> pb.GetChangeRequestTextResponse:
        """Return the text of a request for change."""
        with refusals():
            made = await self._view.change_request(
                named(request, "problem_id"), change=text(request, "change"), risk=text(request, "risk")
            )
        return pb.GetChangeRequestTextResponse(text=made)

    async def close_problem(self, request: pb.CloseProblemRequest, caller: Caller) -> pb.CloseProblemResponse:
        """End a problem."""
        return pb.CloseProblemResponse(problem=await self._step(RecordAction.CLOSE_PROBLEM, request, caller))

    async def link_incident(self, request: pb.LinkIncidentRequest, caller: Caller) -> pb.LinkIncidentResponse:
        """Tie an incident to a problem."""
        made = await self._step(RecordAction.LINK_INCIDENT, request, caller, incident_id=named(request, "incident_id"))
        return pb.LinkIncidentResponse(problem=made)

    async def unlink_incident(self, request: pb.UnlinkIncidentRequest, caller: Caller) -> pb.UnlinkIncidentResponse:
        """Take an incident out of a problem."""
        made = await self._step(
            RecordAction.UNLINK_INCIDENT, request, caller, incident_id=named(request, "incident_id")
        )
        return pb.UnlinkIncidentResponse(problem=made)

    async def _step(self, action: RecordAction, request: Any, caller: Caller, **said: Any) -> pb.Problem:
        command = command_of(action, request, record_id=named(request, "problem_id"), **said)
        with refusals():
            return _problem(await self._view.act(command, caller.person))

    # Changes.

    async def list_changes(self, request: pb.ListChangesRequest, _caller: Caller) -> pb.ListChangesResponse:
        """Return changes."""
        limit = page_limit(request.limit)
        with refusals():
            found = await self._view.records(
                RecordKind.CHANGE,
                states=[CHANGE_STATE.from_pb(number).value for number in request.states],
                incident_id="",
                limit=limit + 1,
            )
        page, more = page_of(found, limit)
        return pb.ListChangesResponse(changes=[_change(one) for one in page], more=more)

    async def get_change(self, request: pb.GetChangeRequest, _caller: Caller) -> pb.GetChangeResponse:
        """Return one change with its history."""
        change_id = named(request, "change_id")
        with refusals():
            found = await self._view.record(RecordKind.CHANGE, change_id)
        if found is None:
            raise not_found("change", change_id)
        return pb.GetChangeResponse(change=_change(found[0]), history=[RECORD_EVENT.to_pb(one) for one in found[1]])

    async def plan_change(self, request: pb.PlanChangeRequest, caller: Caller) -> pb.PlanChangeResponse:
        """Plan a change."""
        if not request.HasField("planned_at"):
            raise invalid("planned_at", "must be given")
        command = command_of(
            RecordAction.PLAN_CHANGE,
            request,
            title=name(request, "title"),
            planned_at=seconds_of_timestamp(request.planned_at),
            nodes=names(request, "nodes"),
            problem_id=name(request, "problem_id"),
        )
        with refusals():
            return pb.PlanChangeResponse(change=_change(await self._view.act(command, caller.person)))

    async def end_change(self, request: pb.EndChangeRequest, caller: Caller) -> pb.EndChangeResponse:
        """Say what became of a change."""
        outcome = CHANGE_STATE.from_pb(request.outcome) if request.outcome else None
        if outcome not in _ENDS:
            raise invalid("outcome", f"must be one of {', '.join(state.value for state in _ENDS)}")
        command = command_of(_ENDS[outcome], request, record_id=named(request, "change_id"))
        with refusals():
            return pb.EndChangeResponse(change=_change(await self._view.act(command, caller.person)))

    async def blame_change(self, request: pb.BlameChangeRequest, caller: Caller) -> pb.BlameChangeResponse:
        """Say which incident a change caused."""
        command = command_of(
            RecordAction.BLAME_CHANGE,
            request,
            record_id=named(request, "change_id"),
            incident_id=named(request, "incident_id"),
        )
        with refusals():
            return pb.BlameChangeResponse(change=_change(await self._view.act(command, caller.person)))

    async def get_change_figures(
        self, request: pb.GetChangeFiguresRequest, _caller: Caller
    ) -> pb.GetChangeFiguresResponse:
        """Return how many changes succeeded."""
        start, end = window(request)
        with refusals():
            return CHANGE_FIGURES.to_pb(await self._view.change_figures(start, end))


def _problem(record: Record) -> pb.Problem:
    if not isinstance(record, Problem):
        raise TypeError(f"{record.id} is no problem")
    return PROBLEM.to_pb(record)


def _change(record: Record) -> pb.InfrastructureChange:
    if not isinstance(record, Change):
        raise TypeError(f"{record.id} is no change")
    return CHANGE.to_pb(record)
