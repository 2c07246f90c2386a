"""What triggers must bring, and the conditions that choose between rows of the transition table."""

from collections.abc import Callable
from typing import Final, TypeVar

from btimd.itsm import deadlines, orders, timers
from btimd.itsm.deadlines import Limit
from btimd.itsm.moment import Moment
from btimd.itsm.timers import TimerName
from btimd.itsm.transition import Needs, When
from btimd.itsm.triggers import (
    SYSTEM,
    Accept,
    AcceptTimeOver,
    AskSurvey,
    Assign,
    CentreDue,
    Escalate,
    ExternalUpdate,
    ExternalWish,
    ForceEscalate,
    MergeInto,
    Pend,
    PeopleChanged,
    Reject,
    ReportClear,
    ReportProblem,
    ResolutionMark,
    Resolve,
    ResponseMark,
    Return,
    StageReport,
    Survey,
    Transfer,
    Trigger,
    Unmerge,
    WaitOver,
)
from btimd.itsm.workchanges import last_seen
from btimd.model.incident import Incident, IncidentState, ServiceClock, Signal

T = TypeVar("T", bound=Trigger)

CLOSING_REPORT_MIN: Final = 20
"""Characters of a closing report; less says nothing to the person who meets the same trouble next year."""
STAGE_REPORT_MIN: Final = 20
"""Characters of a report on progress."""
TEXT_LIMIT: Final = 10_000
"""Characters of any text of a person."""
NAME_LIMIT: Final = 200
"""Characters of a person's or a group's name."""
SCORES: Final = range(1, 6)


# Demands.


def said(read: Callable[[T], str], what: str, *, at_least: int = 1) -> Needs[T]:
    """Demand a text."""

    def missing(_incident: Incident, trigger: T, _moment: Moment) -> str:
        length = len(read(trigger).strip())
        if length == 0:
            return f"no {what} was given; write why"
        if length < at_least:
            return f"the {what} has {length} characters; write at least {at_least}"
        return f"the {what} has {length} characters; shorten it to {TEXT_LIMIT}" if length > TEXT_LIMIT else ""

    return Needs(f"{what} given" if at_least == 1 else f"{what} of {at_least} characters", missing)


def _closing_report_missing(_incident: Incident, resolve: Resolve, _moment: Moment) -> str:
    length = len(resolve.closing_report.strip())
    if length < CLOSING_REPORT_MIN:
        return (
            f"the closing report has {length} characters; write at least {CLOSING_REPORT_MIN}: what the cause was "
            "and what was done"
        )
    return f"the closing report has {length} characters; shorten it to {TEXT_LIMIT}" if length > TEXT_LIMIT else ""


def _closing_fields_missing(_incident: Incident, resolve: Resolve, moment: Moment) -> str:
    empty = [name for name in moment.config.closing_fields if getattr(resolve.closing, name, None) in {None, ""}]
    return f"the closing report does not say: {', '.join(empty)}" if empty else ""


def _override_missing(incident: Incident, resolve: Resolve, _moment: Moment) -> str:
    if incident.signal is Signal.CLEARED or resolve.override_reason.strip() or incident.verdict_id == "":
        return ""
    return "the symptoms are still there; wait until they clear or give an override_reason"


RESOLUTION: Final[tuple[Needs[Resolve], ...]] = (
    Needs(f"closing report of {CLOSING_REPORT_MIN} characters", _closing_report_missing),
    Needs("every field of [itsm] closing_fields", _closing_fields_missing),
    Needs("override reason while symptoms last", _override_missing),
)


def _parent_wrong(incident: Incident, wish: MergeInto, _moment: Moment) -> str:
    if wish.parent.id == incident.id:
        return f"{incident.id} cannot be merged into itself; name another parent"
    if not wish.parent.state.is_open:
        return f"the parent {wish.parent.id} is {wish.parent.state.value}; name an open incident"
    return ""


OPEN_PARENT: Final = Needs("parent is another open incident", _parent_wrong)


def _parent_is_over(incident: Incident, wish: Unmerge, _moment: Moment) -> str:
    if wish.parent.id != incident.parent_id:
        return f"{incident.id} is part of {incident.parent_id}, not of {wish.parent.id}"
    if wish.parent.state.is_open or wish.parent.state is IncidentState.RESOLVED:
        return ""
    return f"the parent {wish.parent.id} is {wish.parent.state.value}; what was part of it is over, report it anew"


LIVE_PARENT: Final = Needs("parent not closed", _parent_is_over)


def _not_the_addressee(incident: Incident, accept: Accept, _moment: Moment) -> str:
    if accept.actor == incident.assignee:
        return ""
    return f"the order went to {incident.assignee}, not to {accept.actor}; the management centre can assign it anew"


ADDRESSEE: Final = Needs("the order went to who accepts", _not_the_addressee)


def _assignee_wrong(_incident: Incident, assign: Assign, moment: Moment) -> str:
    person = assign.person.strip()
    if not person or len(person) > NAME_LIMIT:
        return f"no person was named, or with more than {NAME_LIMIT} characters; name who shall get it"
    on_duty = moment.people.on_duty(person, moment.now)
    if on_duty is None:
        return f"there is nobody named {person!r}; look up their id"
    if not on_duty and not assign.reason.strip():
        return f"{person} is not on duty; write why they shall get it nevertheless"
    return ""


ASSIGNEE: Final = Needs("known person; a reason where they are off duty", _assignee_wrong)


def _peer_wrong(incident: Incident, wish: Transfer, moment: Moment) -> str:
    person = wish.person.strip()
    if not person or person == incident.assignee or len(person) > NAME_LIMIT:
        return "no peer was named; name who shall get it"
    peers = moment.people.transfer_candidates(incident, moment.now)
    if peers is not None and person not in peers:
        return f"{person} is not among the peers it can go to: {', '.join(sorted(peers)) or 'there is none now'}"
    return ""


PEER: Final = Needs("peer who is offered", _peer_wrong)


def _returned_too_often(incident: Incident, _wish: Return, moment: Moment) -> str:
    if incident.return_count < moment.config.max_returns:
        return ""
    return f"it was returned {incident.return_count} times; ask the management centre to take it"


FEW_RETURNS: Final = Needs("fewer than max_returns returns before", _returned_too_often)


def _no_groups(incident: Incident, _wish: Escalate | ForceEscalate, moment: Moment) -> str:
    if orders.there_are_groups(incident, moment):
        return ""
    return "no groups are configured, so that there is no level to go to; assign a person"


GROUPS: Final = Needs("groups are configured", _no_groups)


def _level_wrong(incident: Incident, wish: ForceEscalate, moment: Moment) -> str:
    levels = moment.people.levels(incident, moment.now)
    return "" if 0 <= wish.level <= levels else f"there is no level {wish.level}; name one from 1 to {levels}"


LEVEL: Final = Needs("level of the path", _level_wrong)


def _until_wrong(incident: Incident, wish: Pend, moment: Moment) -> str:
    longest = moment.config.timers.seconds(Limit.PENDING, incident.priority)
    if moment.now < wish.until <= moment.now + longest:
        return ""
    return f"say until when it waits: later than now, and at most {longest / deadlines.HOUR:g} hours"


UNTIL: Final = Needs("until a time not too far off", _until_wrong)


def _news_wrong(_incident: Incident, report: StageReport, moment: Moment) -> str:
    late = report.next_at is not None and report.next_at <= moment.now
    return "the time of the next news has passed; name a later one" if late else ""


NEXT_NEWS: Final = Needs("time of the next news, if any, to come", _news_wrong)


def _too_late_to_reject(incident: Incident, _wish: Reject, moment: Moment) -> str:
    over = reopen_time_is_over(incident, moment)
    return "the time to reopen it has passed; report it anew" if over else ""


IN_TIME: Final = Needs("within the time to reopen", _too_late_to_reject)


def _survey_wrong(incident: Incident, answer: Survey, moment: Moment) -> str:
    if answer.score not in SCORES:
        return f"{answer.score} is no score; give 1 (not content at all) to 5"
    if incident.survey_score is not None:
        return "this survey was answered"
    until = (incident.resolved_at or 0.0) + moment.config.timers.seconds(Limit.SURVEY, incident.priority)
    return "the time to answer has passed" if moment.now > until else ""


ANSWER: Final = Needs("score from 1 to 5, once, in time", _survey_wrong)


def _echo(incident: Incident, update: ExternalUpdate, _moment: Moment) -> str:
    if update.actor == SYSTEM or not update.actor:
        return "it is an echo of what btimd wrote there"
    last = last_seen(incident, update.target)
    return (
        "" if update.seq > last else f"change {update.seq} of {update.target} was taken over before; the last is {last}"
    )


NO_ECHO: Final = Needs("change of somebody else, not seen before", _echo)


# Conditions.

REMINDER: Final[When[AskSurvey]] = When("it is a reminder", lambda _incident, ask, _moment: ask.reminder)


def reopen_time_is_over(incident: Incident, moment: Moment) -> bool:
    """Tell whether a resolved incident stays resolved for good: what comes now is a new one."""
    if incident.resolved_at is None:
        return False
    return moment.now >= incident.resolved_at + moment.config.reopen_seconds(incident.priority)


SOON: Final[When[ReportProblem]] = When(
    "within the time to reopen", lambda incident, _r, moment: not reopen_time_is_over(incident, moment)
)
IS_LAST: Final[When[ReportClear]] = When("no symptom is left", lambda _i, clear, _m: clear.remaining == 0)
AUTO: Final[When[ReportClear]] = When(
    "no symptom is left, nobody touched it, auto_resolve is on",
    lambda incident, clear, moment: (
        clear.remaining == 0 and not incident.touched_by_human and moment.config.auto_resolve
    ),
)
WANTED: Final[When[WaitOver]] = When(
    "signal active, or dispatch_cleared",
    lambda incident, _w, moment: incident.signal is Signal.ACTIVE or moment.config.dispatch_cleared,
)
UNQUEUED: Final[When[PeopleChanged]] = When(
    "there are groups now, and no order is on its way",
    lambda incident, _p, moment: (
        orders.there_are_groups(incident, moment)
        and timers.due_at(incident, TimerName.WAIT) is None
        and (incident.signal is Signal.ACTIVE or moment.config.dispatch_cleared)
    ),
)


def _most_candidates(incident: Incident, moment: Moment) -> int:
    said = None if incident.dispatch is None else incident.dispatch.max_candidates
    return moment.config.max_candidates if said is None else said


CANDIDATES_LEFT: Final[When[AcceptTimeOver]] = When(
    "fewer than max_candidates orders at this level",
    lambda incident, _over, moment: incident.level_dispatch_count < _most_candidates(incident, moment),
)


def _somebody_is_there(incident: Incident, _trigger: PeopleChanged | CentreDue, moment: Moment) -> bool:
    return bool(orders.find(incident, max(incident.level, 1), moment)[1].person)


SOMEBODY: Final = When("somebody is there now", _somebody_is_there)


def _reaches(clock: ServiceClock, percent: int, incident: Incident, moment: Moment) -> bool:
    told = deadlines.marked(clock, moment.now, moment.config.calendar(incident)).told_percent
    return percent > 0 and clock.told_percent < percent <= told and orders.there_are_groups(incident, moment)


def _response_escalates(incident: Incident, _mark: ResponseMark, moment: Moment) -> bool:
    return _reaches(incident.response, moment.config.escalate_response_percent, incident, moment)


def _resolution_escalates(incident: Incident, _mark: ResolutionMark, moment: Moment) -> bool:
    return _reaches(incident.resolution, moment.config.escalate_resolution_percent, incident, moment)


RESPONSE_ESCALATES: Final = When("escalate_response_percent is reached", _response_escalates)
RESOLUTION_ESCALATES: Final = When("escalate_resolution_percent is reached", _resolution_escalates)


def wish_is(wish: ExternalWish) -> When[ExternalUpdate]:
    """Choose by what the change in the target's ticket means."""
    return When(f"the change means: {wish.value}", lambda _i, update, _m: update.wish is wish)
