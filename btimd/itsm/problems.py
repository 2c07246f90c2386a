"""Problems (the root of incidents) and changes: their lives, the text of a request for change, change figures.

An incident may close while its problem stays open: the one is over when people can work again, the other when it
cannot happen again. itsm.problemwatch proposes problems; a person opens and closes them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from btimd.itsm.knowledgesteps import LIST_LIMIT, Action, Machine, Row, added, said
from btimd.itsm.timestamp import rfc3339
from btimd.model.knowledge import Change, ChangeState, Problem, ProblemOrigin, ProblemState, RecordKind
from btimd.model.knowledgework import ChangeFigures
from btimd.model.units import UnixSeconds

INCIDENT_LIMIT: Final = 200
"""Incidents that a problem names; the number of all is kept beside."""

# Problems.


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenProblem(Action):
    """A problem is put on record."""

    title: str
    description: str = ""
    origin: ProblemOrigin = ProblemOrigin.MANUAL
    key: str = ""
    node: str = ""
    incidents: tuple[str, ...] = ()
    owner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkIncident(Action):
    """A further incident (`about`) has the same root."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlinkIncident(Action):
    """An incident (`about`) has another root after all; `reason` says how that is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Investigate(Action):
    """Somebody looks for the root."""

    owner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteFinding(Action):
    """Something was found out (`reason`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetKnownError(Action):
    """The root cause is known, and what helps until it is removed. article_id: where that is described."""

    cause: str
    workaround: str
    article_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RaiseRfc(Action):
    """A change is asked for that removes the cause. change_id: its id, here or in the company's own system."""

    change_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseProblem(Action):
    """It is done with; `reason` says how."""


def _linked(problem: Problem, link: LinkIncident, _now: UnixSeconds) -> Problem:
    return replace(
        problem,
        incidents=added(problem.incidents, (link.about,), INCIDENT_LIMIT),
        incident_count=problem.incident_count + 1,
    )


def _link_wrong(problem: Problem, link: LinkIncident) -> str:
    if not link.about:
        return "no incident was named; name it"
    return f"{link.about} is linked already" if link.about in problem.incidents else ""


def _unlinked(problem: Problem, unlink: UnlinkIncident, _now: UnixSeconds) -> Problem:
    left = tuple(one for one in problem.incidents if one != unlink.about)
    return replace(problem, incidents=left, incident_count=problem.incident_count - 1)


def _not_linked(problem: Problem, unlink: UnlinkIncident) -> str:
    if not unlink.about:
        return "no incident was named; name it"
    return "" if unlink.about in problem.incidents else f"{unlink.about} is not among its incidents"


def _opened(problem: Problem, action: OpenProblem, now: UnixSeconds) -> Problem:
    incidents = tuple(dict.fromkeys(action.incidents))
    return replace(
        problem,
        origin=action.origin,
        title=action.title.strip(),
        description=action.description.strip(),
        key=action.key,
        node=action.node,
        incidents=incidents,
        incident_count=len(incidents),
        owner=action.owner,
        opened_at=now,
    )


def _investigated(problem: Problem, action: Investigate, _now: UnixSeconds) -> Problem:
    return replace(problem, owner=action.owner.strip() or action.actor)


def _known(problem: Problem, action: SetKnownError, now: UnixSeconds) -> Problem:
    return replace(
        problem,
        cause=action.cause.strip(),
        workaround=action.workaround.strip(),
        article_id=action.article_id,
        known_error_at=now,
    )


def _raised(problem: Problem, action: RaiseRfc, now: UnixSeconds) -> Problem:
    return replace(problem, change_id=action.change_id.strip(), rfc_at=now)


def _closed(problem: Problem, action: CloseProblem, now: UnixSeconds) -> Problem:
    return replace(problem, closed_at=now, closing_note=action.reason.strip())


def _unchanged(problem: Problem, _action: Action, _now: UnixSeconds) -> Problem:
    return problem


_P = ProblemState
_LIVE: Final = frozenset(_P) - {_P.CLOSED}
PROBLEMS: Final[Machine[Problem]] = Machine(
    RecordKind.PROBLEM,
    lambda problem_id: Problem(problem_id, 0, ProblemState.OPEN),
    (
        Row(OpenProblem, frozenset(), _P.OPEN, "opened", _opened, (said("title", lambda one: one.title),), start=True),
        Row(LinkIncident, _LIVE, None, "incident-linked", _linked, (_link_wrong,)),
        Row(
            UnlinkIncident, _LIVE, None, "incident-unlinked", _unlinked, (_not_linked, said("reason")),
        ),
        Row(Investigate, frozenset({_P.OPEN}), _P.INVESTIGATING, "investigated", _investigated),
        Row(NoteFinding, _LIVE, None, "noted", _unchanged, (said("finding"),)),
        Row(
            SetKnownError, frozenset({_P.INVESTIGATING, _P.KNOWN_ERROR}), _P.KNOWN_ERROR, "known-error", _known,
            (said("cause", lambda one: one.cause), said("workaround", lambda one: one.workaround)),
        ),
        Row(
            RaiseRfc, frozenset({_P.KNOWN_ERROR, _P.RFC_RAISED}), _P.RFC_RAISED, "rfc-raised", _raised,
            (said("change id", lambda one: one.change_id),),
        ),
        Row(CloseProblem, _LIVE, _P.CLOSED, "closed", _closed, (said("reason"),)),
    ),
)  # fmt: skip
"""The life of a problem."""


def rfc_text(problem: Problem, *, nodes: Sequence[str] = (), change: str = "", risk: str = "") -> str:
    """Return the text of a request for change that removes the cause of a known error.

    change: what is to be done; risk: what may go wrong and how to go back. What nobody wrote is left to be written,
    visibly.
    """
    open_point = "(to be written)"
    shown = ", ".join(problem.incidents[:LIST_LIMIT]) or "none linked"
    more = problem.incident_count - len(problem.incidents[:LIST_LIMIT])
    known = "not yet" if problem.known_error_at is None else rfc3339(problem.known_error_at)
    affected = ", ".join(dict.fromkeys((*((problem.node,) if problem.node else ()), *nodes)))
    lines = (
        f"Request for change: {problem.title}",
        "",
        f"Problem: {problem.id}, opened {rfc3339(problem.opened_at)}, cause known {known}",
        f"Nodes: {affected or open_point}",
        f"Incidents ({problem.incident_count}): {shown}{f' and {more} more' if more > 0 else ''}",
        "",
        "Reason",
        problem.description or f"{problem.incident_count} incidents have this root.",
        "",
        "Root cause",
        problem.cause or open_point,
        "",
        "Workaround until then",
        problem.workaround or open_point,
        "",
        "Change",
        change.strip() or open_point,
        "",
        "Risk and way back",
        risk.strip() or open_point,
    )
    return "\n".join(lines) + "\n"


# Changes.


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChange(Action):
    """A change is planned."""

    title: str
    planned_at: UnixSeconds
    nodes: tuple[str, ...] = ()
    problem_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndChange(Action):
    """The change was made, and does what it was for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailChange(Action):
    """The change was made, and does not do what it was for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackOutChange(Action):
    """The change was taken back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelChange(Action):
    """The change will not be made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlameChange(Action):
    """The change caused an incident (`about`); one that was called a success was none."""


def _planned(change: Change, plan: PlanChange, _now: UnixSeconds) -> Change:
    return replace(
        change, title=plan.title.strip(), planned_at=plan.planned_at, nodes=plan.nodes, problem_id=plan.problem_id
    )


def _ended(change: Change, action: Action, now: UnixSeconds) -> Change:
    return replace(change, ended_at=now, note=action.reason.strip())


def _blamed(change: Change, blame: BlameChange, _now: UnixSeconds) -> Change:
    return replace(change, incidents=added(change.incidents, (blame.about,)))


def _blame_wrong(change: Change, blame: BlameChange) -> str:
    if not blame.about:
        return "no incident was named; name it"
    return f"{blame.about} is linked already" if blame.about in change.incidents else ""


_C = ChangeState
_PLANNED: Final = frozenset({_C.PLANNED})
CHANGES: Final[Machine[Change]] = Machine(
    RecordKind.CHANGE,
    lambda change_id: Change(change_id, 0, ChangeState.PLANNED),
    (
        Row(
            PlanChange,
            frozenset(),
            _C.PLANNED,
            "planned",
            _planned,
            (said("title", lambda one: one.title),),
            start=True,
        ),
        Row(EndChange, _PLANNED, _C.SUCCEEDED, "succeeded", _ended),
        Row(FailChange, _PLANNED, _C.FAILED, "failed", _ended, (said("reason"),)),
        Row(BackOutChange, _PLANNED, _C.BACKED_OUT, "backed-out", _ended, (said("reason"),)),
        Row(CancelChange, _PLANNED, _C.CANCELLED, "cancelled", _ended, (said("reason"),)),
        Row(BlameChange, frozenset(_C) - {_C.CANCELLED}, None, "blamed", _blamed, (_blame_wrong,)),
    ),
)
"""The life of a change."""


def change_figures(changes: Sequence[Change], start: UnixSeconds, end: UnixSeconds) -> ChangeFigures:
    """Return the figures of the changes that ended in [start, end), and of those that were to be made before `end`."""
    ended = [one for one in changes if one.ended_at is not None and start <= one.ended_at < end]
    made = [one for one in ended if one.state is not ChangeState.CANCELLED]
    return ChangeFigures(
        made=len(made),
        succeeded=sum(one.state is ChangeState.SUCCEEDED and not one.incidents for one in made),
        caused_incidents=sum(len(one.incidents) for one in made),
        cancelled=len(ended) - len(made),
        overdue=sum(one.state is ChangeState.PLANNED and start <= one.planned_at < end for one in changes),
    )
