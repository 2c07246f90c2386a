"""The life of an incident as one table: everything that can happen, in which state, who may ask for it, what it needs.

docs/incident-lifecycle.md is generated from it by tools/lifecycle_diagram.py. Rows of one trigger and state are tried
in order; the first whose condition holds is taken. Numbers are stable: documents and events of years ago name them.
"""

from typing import Any, Final

from btimd.itsm import changes, clockchanges, needs, workchanges
from btimd.itsm.changes import worth_telling
from btimd.itsm.needs import said, wish_is
from btimd.itsm.timers import TimerName, due_at
from btimd.itsm.transition import Transition
from btimd.itsm.triggers import (
    Absorb,
    Accept,
    AcceptTimeOver,
    AskSurvey,
    Assign,
    Cancel,
    CentreDue,
    Comment,
    Confirm,
    DigestDue,
    Escalate,
    ExternalUpdate,
    ExternalWish,
    ForceEscalate,
    Hold,
    HoldOver,
    LetGo,
    MergeInto,
    Observe,
    Pend,
    PendingOver,
    PeopleChanged,
    Reassess,
    Referenced,
    Reject,
    Release,
    RenotifyDue,
    ReopenTimeOver,
    ReportClear,
    ReportProblem,
    ResolutionMark,
    Resolve,
    ResponseMark,
    Resume,
    Return,
    SetPriority,
    StageDue,
    StageGraceOver,
    StageReport,
    Survey,
    Transfer,
    Unmerge,
    WaitOver,
)
from btimd.model.incident import OPEN_STATES, ActorRole, Incident, IncidentState
from btimd.model.ports import TellKind

_S = IncidentState
_TO = TellKind
OPEN: Final = OPEN_STATES
LIVE: Final = OPEN_STATES | {_S.RESOLVED}
"""States in which something can still happen by itself."""
_NOBODY: Final = (_S.STALLED, _S.NEW)
"""Where an incident that is to be dispatched ends when nobody is found: NEW where there are no groups at all."""
_UNTAKEN: Final = frozenset({_S.NEW, _S.HELD, _S.STALLED})
_HANDLED: Final = frozenset({_S.DISPATCHED, _S.ACCEPTED})
_MOVABLE: Final = frozenset({_S.DISPATCHED, _S.ACCEPTED, _S.STALLED, _S.NEW})
_CENTRE: Final = frozenset({ActorRole.CENTRE})
_DESK: Final = frozenset({ActorRole.DESK, ActorRole.CENTRE})
_HANDLER: Final = frozenset({ActorRole.HANDLER, ActorRole.CENTRE})
_REPORTER: Final = frozenset({ActorRole.REPORTER, ActorRole.DESK, ActorRole.CENTRE})


_TELL_RESOLVED: Final = ((_TO.REPORTER, "resolved"), (_TO.WATCHERS, "resolved"), (_TO.REPORTER, "survey"))


def _never(_before: Incident, _after: Incident) -> bool:
    return False


def _told_again(before: Incident, after: Incident) -> bool:
    return worth_telling(before, after) and (after.told_at != before.told_at or after.priority < before.priority)


def _signal_is_news(before: Incident, after: Incident) -> bool:
    return before.signal is not after.signal and due_at(after, TimerName.DIGEST) is None


TABLE: Final[tuple[Transition[Any], ...]] = (
    # Reports.
    Transition("1", ReportProblem, frozenset(), _S.NEW, "opened", changes.open_new, start=True),
    Transition(
        "22b", ReportProblem, frozenset({_S.PENDING}), _S.ACCEPTED, "resumed", workchanges.resume_reported,
        reason=lambda _: "it was reported again", tells=((_TO.HANDLER, "reported-again"),),
    ),
    Transition("2", ReportProblem, OPEN, None, "reported", changes.report_again, publish=_told_again),
    Transition("2a", DigestDue, OPEN, None, "digest", changes.digest),
    Transition(
        "3", ReportProblem, frozenset({_S.RESOLVED}), _S.NEW, "reopened", changes.reopen, or_to=(_S.DISPATCHED,),
        when=needs.SOON, tells=((_TO.REPORTER, "reopened"), (_TO.WATCHERS, "reopened")),
    ),
    Transition(
        "4", ReportClear, frozenset({_S.NEW}), _S.RESOLVED, "resolved", changes.clear_and_resolve,
        when=needs.AUTO, reason=lambda clear: clear.reason,
        tells=((_TO.REPORTER, "resolved"), (_TO.WATCHERS, "resolved")),
    ),
    Transition(
        "4a", ReportClear, LIVE, None, "cleared", changes.clear,
        when=needs.IS_LAST, reason=lambda clear: clear.reason, publish=_signal_is_news,
        tells=((_TO.HANDLER, "cleared"),),
    ),
    Transition("4b", ReportClear, LIVE, None, "cleared-in-part", changes.unchanged, publish=_never),
    # To a handler.
    Transition(
        "5", WaitOver, frozenset({_S.NEW}), _S.DISPATCHED, "dispatched", workchanges.dispatch, or_to=_NOBODY,
        when=needs.WANTED,
    ),
    Transition(
        "5a", WaitOver, frozenset({_S.NEW}), None, "left-waiting", changes.unchanged,
        reason=lambda _: "it cleared by itself, but somebody had touched it", publish=_never,
        tells=((_TO.CENTRE, "waits"),),
    ),
    Transition(
        "5b", PeopleChanged, frozenset({_S.NEW}), None, "queued", workchanges.queue, when=needs.UNQUEUED,
        reason=lambda _: "there are groups for it now", publish=_never,
    ),
    Transition(
        "6", Hold, frozenset({_S.NEW}), _S.HELD, "held", workchanges.hold, who=_CENTRE,
        needs=(said(lambda hold: hold.reason, "reason"),), reason=lambda hold: hold.reason.strip(),
    ),
    Transition(
        "7", Assign, _UNTAKEN, _S.DISPATCHED, "assigned", workchanges.assign, who=_CENTRE,
        needs=(needs.ASSIGNEE,), reason=lambda assign: assign.reason.strip(),
    ),
    Transition(
        "8", Resolve, frozenset({_S.NEW}), _S.RESOLVED, "resolved", changes.resolve, who=_DESK,
        needs=needs.RESOLUTION, reason=lambda resolve: resolve.override_reason.strip(),
        tells=_TELL_RESOLVED,
    ),
    Transition("9", Release, frozenset({_S.HELD}), _S.NEW, "released", workchanges.release, who=_CENTRE),
    Transition(
        "9a", HoldOver, frozenset({_S.HELD}), _S.NEW, "released", workchanges.release,
        reason=lambda _: "it was held long enough", tells=((_TO.CENTRE, "hold-over"),),
    ),
    Transition(
        "10", Accept, frozenset({_S.DISPATCHED}), _S.ACCEPTED, "accepted", workchanges.accept,
        needs=(needs.ADDRESSEE,), tells=((_TO.REPORTER, "accepted"),),
    ),
    Transition(
        "10a", Accept, _UNTAKEN, _S.ACCEPTED, "accepted", workchanges.take,
        reason=lambda _: "taken without an order", tells=((_TO.REPORTER, "accepted"),),
    ),
    Transition(
        "11", RenotifyDue, frozenset({_S.DISPATCHED}), None, "reminded", workchanges.remind, publish=_never,
    ),
    Transition(
        "12", AcceptTimeOver, frozenset({_S.DISPATCHED}), _S.DISPATCHED, "redispatched", workchanges.order_timeout,
        or_to=_NOBODY, when=needs.CANDIDATES_LEFT, reason=lambda _: "the order was not accepted in time",
        tells=((_TO.LEAD, "order-timeout"),),
    ),
    Transition(
        "13", AcceptTimeOver, frozenset({_S.DISPATCHED}), _S.DISPATCHED, "escalated",
        workchanges.order_timeout_escalated, or_to=_NOBODY,
        reason=lambda _: "no order at this level was accepted in time", tells=((_TO.LEAD, "escalated"),),
    ),
    Transition(
        "14", Return, _HANDLED, _S.DISPATCHED, "returned", workchanges.give_back, or_to=_NOBODY, who=_HANDLER,
        needs=(said(lambda wish: wish.reason, "reason"), needs.FEW_RETURNS), reason=lambda wish: wish.reason.strip(),
        tells=((_TO.LEAD, "returned"),),
    ),
    Transition(
        "15", Transfer, _HANDLED, _S.DISPATCHED, "transferred", workchanges.transfer, who=_HANDLER,
        needs=(said(lambda wish: wish.reason, "reason"), needs.PEER), reason=lambda wish: wish.reason.strip(),
    ),
    Transition(
        "16", Escalate, frozenset({_S.ACCEPTED}), _S.DISPATCHED, "escalated", workchanges.escalate, or_to=_NOBODY,
        who=_HANDLER, needs=(said(lambda wish: wish.reason, "reason"), needs.GROUPS),
        reason=lambda wish: wish.reason.strip(), tells=((_TO.LEAD, "escalated"),),
    ),
    Transition(
        "17", ForceEscalate, _MOVABLE | {_S.PENDING}, _S.DISPATCHED, "escalated", workchanges.force_escalate,
        or_to=_NOBODY, who=_CENTRE,
        needs=(said(lambda wish: wish.reason, "reason"), needs.GROUPS, needs.LEVEL),
        reason=lambda wish: wish.reason.strip(), tells=((_TO.LEAD, "escalated"),),
    ),
    # Work.
    Transition(
        "18", StageDue, frozenset({_S.ACCEPTED}), None, "stage-report-due", workchanges.stage_due, publish=_never,
        tells=((_TO.HANDLER, "stage-report-due"), (_TO.LEAD, "stage-report-due")),
    ),
    Transition(
        "19", StageReport, frozenset({_S.ACCEPTED}), None, "stage-report", workchanges.stage_report, who=_HANDLER,
        needs=(
            said(lambda report: report.text, "report", at_least=needs.STAGE_REPORT_MIN), needs.NEXT_NEWS,
        ),
        reason=lambda report: report.text.strip(), tells=((_TO.REPORTER, "progress"),),
    ),
    Transition(
        "20", StageGraceOver, frozenset({_S.ACCEPTED}), _S.DISPATCHED, "escalated", workchanges.next_level,
        or_to=_NOBODY, reason=lambda _: "no report on progress came", tells=((_TO.LEAD, "escalated"),),
    ),
    Transition(
        "21", Pend, frozenset({_S.ACCEPTED}), _S.PENDING, "pended", workchanges.pend, who=_HANDLER,
        needs=(said(lambda wish: wish.reason, "reason"), needs.UNTIL), reason=lambda wish: wish.reason.strip(),
        tells=((_TO.REPORTER, "pending"),),
    ),
    Transition(
        "22", Resume, frozenset({_S.PENDING}), _S.ACCEPTED, "resumed", workchanges.resume, who=_HANDLER,
        reason=lambda resume: resume.text.strip(),
    ),
    Transition(
        "22a", PendingOver, frozenset({_S.PENDING}), _S.ACCEPTED, "resumed", workchanges.resume,
        reason=lambda _: "it waited long enough", tells=((_TO.HANDLER, "pending-over"),),
    ),
    Transition(
        "23", Resolve, frozenset({_S.ACCEPTED, _S.PENDING}), _S.RESOLVED, "resolved", changes.resolve, who=_HANDLER,
        needs=needs.RESOLUTION, reason=lambda resolve: resolve.override_reason.strip(),
        tells=_TELL_RESOLVED,
    ),
    # Ends.
    Transition(
        "24", Confirm, frozenset({_S.RESOLVED}), _S.CLOSED, "closed", changes.close, who=_REPORTER,
        reason=lambda confirm: confirm.text.strip(),
    ),
    Transition(
        "24a", ReopenTimeOver, frozenset({_S.RESOLVED}), _S.CLOSED, "closed", changes.close,
        reason=lambda _: "not seen again in the time to reopen",
    ),
    Transition(
        "25", Reject, frozenset({_S.RESOLVED}), _S.NEW, "reopened", changes.reject, or_to=(_S.DISPATCHED,),
        who=_REPORTER, needs=(said(lambda wish: wish.reason, "reason"), needs.IN_TIME),
        reason=lambda wish: wish.reason.strip(),
    ),
    Transition(
        "26", Survey, frozenset({_S.RESOLVED, _S.CLOSED}), None, "survey", changes.survey, who=_REPORTER,
        needs=(needs.ANSWER,), reason=lambda answer: answer.text.strip(), publish=_never,
    ),
    Transition(
        "26a", AskSurvey, frozenset({_S.RESOLVED, _S.CLOSED}), None, "survey-reminded", changes.unchanged,
        when=needs.REMINDER, publish=_never, tells=((_TO.REPORTER, "survey-reminder"),),
    ),
    Transition(
        "26b", AskSurvey, frozenset({_S.RESOLVED, _S.CLOSED}), None, "survey-asked", changes.unchanged,
        publish=_never, tells=((_TO.REPORTER, "survey"),),
    ),
    Transition(
        "27", Cancel, OPEN, _S.CANCELLED, "cancelled", changes.close, who=_CENTRE,
        needs=(said(lambda cancel: cancel.reason, "reason"),), reason=lambda cancel: cancel.reason.strip(),
        tells=((_TO.REPORTER, "cancelled"), (_TO.WATCHERS, "cancelled")),
    ),
    Transition(
        "28", MergeInto, OPEN, _S.MERGED, "merged", changes.merged, who=_DESK | _HANDLER,
        needs=(needs.OPEN_PARENT,), reason=lambda wish: wish.reason.strip(), tells=((_TO.REPORTER, "merged"),),
    ),
    Transition(
        "28a", Absorb, OPEN, None, "absorbed", changes.absorb, reason=lambda absorb: absorb.reason.strip(),
    ),
    Transition(
        "29", Unmerge, frozenset({_S.MERGED}), _S.NEW, "unmerged", changes.unmerge, who=_CENTRE,
        needs=(said(lambda wish: wish.reason, "reason"), needs.LIVE_PARENT), reason=lambda wish: wish.reason.strip(),
    ),
    Transition(
        "29a", LetGo, LIVE, None, "let-go", changes.unchanged, reason=lambda wish: wish.reason.strip(),
    ),
    # Promises and priority.
    Transition(
        "30", ResponseMark, _MOVABLE, _S.DISPATCHED, "response-mark", clockchanges.response_escalated,
        or_to=_NOBODY, when=needs.RESPONSE_ESCALATES,
        tells=((_TO.LEAD, "response-mark"), (_TO.CENTRE, "response-mark")),
    ),
    Transition(
        "30a", ResponseMark, OPEN, None, "response-mark", clockchanges.response_mark,
        publish=clockchanges.just_breached,
        tells=((_TO.HANDLER, "response-mark"), (_TO.LEAD, "response-mark")),
    ),
    Transition(
        "30b", ResolutionMark, _MOVABLE | {_S.PENDING}, _S.DISPATCHED, "resolution-mark",
        clockchanges.resolution_escalated, or_to=_NOBODY, when=needs.RESOLUTION_ESCALATES,
        tells=((_TO.LEAD, "resolution-mark"), (_TO.CENTRE, "resolution-mark")),
    ),
    Transition(
        "30c", ResolutionMark, OPEN, None, "resolution-mark", clockchanges.resolution_mark,
        publish=clockchanges.just_breached,
        tells=((_TO.HANDLER, "resolution-mark"), (_TO.LEAD, "resolution-mark")),
    ),
    Transition(
        "31", SetPriority, OPEN, None, "priority-set", changes.set_priority, who=_CENTRE,
        needs=(said(lambda wish: wish.reason, "reason"),), reason=lambda wish: wish.reason.strip(),
    ),
    Transition(
        "31a", Reassess, OPEN, None, "reassessed", changes.reassess, reason=lambda news: news.cause,
        publish=_told_again,
    ),
    # Stalled.
    Transition(
        "32", PeopleChanged, frozenset({_S.STALLED}), _S.DISPATCHED, "dispatched", workchanges.dispatch,
        or_to=_NOBODY, when=needs.SOMEBODY, reason=lambda _: "somebody is there now",
    ),
    Transition(
        "32a", CentreDue, frozenset({_S.STALLED}), _S.DISPATCHED, "dispatched", workchanges.dispatch,
        or_to=_NOBODY, when=needs.SOMEBODY, reason=lambda _: "somebody is there now",
    ),
    Transition(
        "32b", CentreDue, frozenset({_S.STALLED}), None, "reminded", clockchanges.centre_reminded, publish=_never,
        reason=lambda _: "nobody is there yet", tells=((_TO.CENTRE, "stalled"),),
    ),
    # The other side.
    Transition(
        "33", ExternalUpdate, _UNTAKEN | _HANDLED, _S.ACCEPTED, "accepted", workchanges.external_accept,
        when=wish_is(ExternalWish.ACCEPT), needs=(needs.NO_ECHO,), reason=lambda update: f"in {update.target}",
        tells=((_TO.REPORTER, "accepted"),),
    ),
    Transition(
        "33a", ExternalUpdate, OPEN, _S.RESOLVED, "resolved", workchanges.external_resolve,
        when=wish_is(ExternalWish.RESOLVE),
        needs=(needs.NO_ECHO, said(lambda update: update.text, "text of the resolution")),
        reason=lambda update: f"in {update.target}", tells=_TELL_RESOLVED,
    ),
    Transition(
        "33b", ExternalUpdate, LIVE, None, "commented", workchanges.external_comment, needs=(needs.NO_ECHO,),
        reason=lambda update: update.text.strip(), publish=_never,
    ),
    Transition("33c", Referenced, frozenset(IncidentState), None, "referenced", workchanges.referenced, publish=_never),
    # What people know.
    Transition(
        "34", Comment, LIVE, None, "commented", changes.touch,
        needs=(said(lambda comment: comment.text, "comment"),), reason=lambda comment: comment.text.strip(),
    ),
    Transition("35", Observe, LIVE, None, "observed", changes.unchanged, reason=lambda seen: seen.text),
)  # fmt: skip
"""Every transition."""
