"""RecordCommand -> the kind of record and the action that it asks for."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from btimd.itsm.knowledge import Draft, Edit, Publish, Retire, Review, SendBack, Submit, Use
from btimd.itsm.knowledgesteps import Action
from btimd.itsm.problems import (
    BackOutChange,
    BlameChange,
    CancelChange,
    CloseProblem,
    EndChange,
    FailChange,
    Investigate,
    LinkIncident,
    NoteFinding,
    OpenProblem,
    PlanChange,
    RaiseRfc,
    SetKnownError,
    UnlinkIncident,
)
from btimd.model.incident import CommandRefusedError, RefusalCode
from btimd.model.knowledge import RecordKind
from btimd.model.knowledgework import ArticleText, RecordAction, RecordCommand

_A = RecordAction


def _plain(kind: type[Action]) -> Callable[[RecordCommand, dict[str, Any]], Action]:
    """Return what makes an action that says no more than who, why and of which incident."""
    return lambda _command, who: kind(**who)


def _text(command: RecordCommand) -> ArticleText:
    if command.text is None:
        raise CommandRefusedError(RefusalCode.INVALID, "no text was given; write the article")
    return command.text


def _use(command: RecordCommand, who: dict[str, Any]) -> Action:
    if command.outcome is None:
        raise CommandRefusedError(RefusalCode.INVALID, "no outcome was given; say used, helped or failed")
    return Use(outcome=command.outcome, **who)


def _open(command: RecordCommand, who: dict[str, Any]) -> Action:
    return OpenProblem(
        title=command.title,
        description=command.description,
        origin=command.origin,
        key=command.key,
        node=command.node,
        incidents=command.incidents,
        owner=command.owner,
        **who,
    )


def _plan(command: RecordCommand, who: dict[str, Any]) -> Action:
    if command.planned_at <= 0:
        raise CommandRefusedError(RefusalCode.INVALID, "no time was given; say when the change is to be made")
    return PlanChange(
        title=command.title,
        planned_at=command.planned_at,
        nodes=command.nodes,
        problem_id=command.problem_id,
        **who,
    )


_MAKERS: Final[Mapping[RecordAction, tuple[RecordKind, Callable[[RecordCommand, dict[str, Any]], Action]]]] = (
    MappingProxyType({
        _A.DRAFT_ARTICLE: (
            RecordKind.ARTICLE,
            lambda command, who: Draft(
                text=_text(command), source_incident=command.incident_id, replaces=command.replaces, **who
            ),
        ),
        _A.EDIT_ARTICLE: (RecordKind.ARTICLE, lambda command, who: Edit(text=_text(command), **who)),
        _A.SUBMIT_ARTICLE: (RecordKind.ARTICLE, _plain(Submit)),
        _A.REVIEW_ARTICLE: (RecordKind.ARTICLE, _plain(Review)),
        _A.REJECT_ARTICLE: (RecordKind.ARTICLE, _plain(SendBack)),
        _A.PUBLISH_ARTICLE: (RecordKind.ARTICLE, _plain(Publish)),
        _A.RETIRE_ARTICLE: (RecordKind.ARTICLE, _plain(Retire)),
        _A.USE_ARTICLE: (RecordKind.ARTICLE, _use),
        _A.OPEN_PROBLEM: (RecordKind.PROBLEM, _open),
        _A.INVESTIGATE_PROBLEM: (
            RecordKind.PROBLEM, lambda command, who: Investigate(owner=command.owner, **who),
        ),
        _A.NOTE_PROBLEM: (RecordKind.PROBLEM, _plain(NoteFinding)),
        _A.SET_KNOWN_ERROR: (
            RecordKind.PROBLEM,
            lambda command, who: SetKnownError(
                cause=command.cause, workaround=command.workaround, article_id=command.article_id, **who
            ),
        ),
        _A.RAISE_CHANGE_REQUEST: (
            RecordKind.PROBLEM, lambda command, who: RaiseRfc(change_id=command.change_id, **who),
        ),
        _A.CLOSE_PROBLEM: (RecordKind.PROBLEM, _plain(CloseProblem)),
        _A.LINK_INCIDENT: (RecordKind.PROBLEM, _plain(LinkIncident)),
        _A.UNLINK_INCIDENT: (RecordKind.PROBLEM, _plain(UnlinkIncident)),
        _A.PLAN_CHANGE: (RecordKind.CHANGE, _plan),
        _A.SUCCEED_CHANGE: (RecordKind.CHANGE, _plain(EndChange)),
        _A.FAIL_CHANGE: (RecordKind.CHANGE, _plain(FailChange)),
        _A.BACK_OUT_CHANGE: (RecordKind.CHANGE, _plain(BackOutChange)),
        _A.CANCEL_CHANGE: (RecordKind.CHANGE, _plain(CancelChange)),
        _A.BLAME_CHANGE: (RecordKind.CHANGE, _plain(BlameChange)),
    })
)  # fmt: skip
STARTS: Final = frozenset({_A.DRAFT_ARTICLE, _A.OPEN_PROBLEM, _A.PLAN_CHANGE})
"""What makes a new record."""


def action_of(command: RecordCommand, actor: str) -> tuple[RecordKind, Action]:
    """Return the kind of record and the action that a person asks for; raises CommandRefusedError."""
    if (command.action in STARTS) == bool(command.record_id):
        missing = "a new record gets its id here; leave it out" if command.record_id else "no id was given; name one"
        raise CommandRefusedError(RefusalCode.INVALID, f"{command.action.value}: {missing}")
    kind, make = _MAKERS[command.action]
    who = {
        "actor": actor, "command_id": command.command_id, "reason": command.reason, "about": command.incident_id,
    }  # fmt: skip
    return kind, make(command, who)
