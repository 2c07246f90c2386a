"""What reports, closing and priorities change in an incident; itsm.workchanges has what orders and their work change.

State, version and id are set by itsm.lifecycle, save where a transition has several ends: there the change chooses.
"""

from dataclasses import replace
from typing import Final

from btimd.itsm import deadlines, merge, orders, priority, timers
from btimd.itsm.deadlines import Limit
from btimd.itsm.moment import Change, Moment, OrderLimits, Tell
from btimd.itsm.timers import TimerName
from btimd.itsm.timestamp import rfc3339
from btimd.itsm.triggers import (
    SYSTEM,
    Absorb,
    DigestDue,
    MergeInto,
    Reassess,
    Reject,
    ReportClear,
    ReportProblem,
    Resolve,
    SetPriority,
    Survey,
    Trigger,
    Unmerge,
)
from btimd.model.incident import DispatchOutcome, Incident, IncidentState, Signal
from btimd.model.ports import TellKind
from btimd.model.units import UnixSeconds

NEWS_SHARE: Final = 5
"""One in so many users more or less is no news."""


# Reports.


def open_new(incident: Incident, report: ReportProblem, moment: Moment) -> Incident:
    """Fill in a new incident from its first report; its clocks begin."""
    judged = priority.judge_new(report.impact, report.urgency, moment.config.matrix)
    opened = replace(
        incident,
        fingerprint=report.fingerprint,
        title=report.title,
        description=report.description,
        cause=report.cause,
        verdict_id=report.verdict_id,
        confidence=report.confidence,
        impact=judged.impact,
        urgency=judged.urgency,
        priority=judged.priority if report.priority is None else report.priority,
        priority_is_manual=report.priority is not None,
        assessment=report.assessment,
        report_count=report.count,
        touched_by_human=report.by_human,
        opened_at=moment.now,
        last_seen_at=moment.now,
        began_at=report.began_at,
        category=report.category,
        reporter=report.reporter or (report.actor if report.by_human else ""),
        difficulty=report.difficulty,
    )
    response, resolution = moment.config.promised(opened)
    calendar = moment.config.calendar(opened)
    opened = replace(
        opened,
        response=deadlines.started(response, moment.now, calendar),
        resolution=deadlines.started(resolution, moment.now, calendar),
    )
    return orders.waiting(opened, moment)


def report_again(incident: Incident, report: ReportProblem, moment: Moment) -> Change:
    """Count a further report; what it hits is added, what it judges is weighed."""
    made = reported(incident, report, moment)
    after = made.incident
    if after.state is IncidentState.NEW and timers.due_at(after, TimerName.WAIT) is None:
        after = orders.waiting(after, moment)  # it had cleared, so that no order went out
    return replace(made, incident=_told(incident, after, moment))


def reported(incident: Incident, report: ReportProblem, moment: Moment) -> Change:
    """Return what a further report says of an incident, whatever state it is in."""
    covers = merge.covers(report.assessment, incident.assessment)
    judged = priority.judge_again(
        incident, report.impact, report.urgency, covers_all=covers, matrix=moment.config.matrix
    )
    after = incident
    if report.fingerprint == incident.fingerprint:  # not the report of a merged child, which has another cause
        after = replace(
            after,
            description=report.description,
            verdict_id=report.verdict_id,
            confidence=report.confidence,
            difficulty=report.difficulty,
            category=incident.category or report.category,
        )
    after = replace(
        after,
        signal=Signal.ACTIVE,
        assessment=merge.grown(incident.assessment, report.assessment),
        report_count=incident.report_count + report.count,
        last_seen_at=moment.now,
        began_at=min(incident.began_at, report.began_at),
    )
    return judged_anew(after, judged, moment)


def reopen(incident: Incident, report: ReportProblem, moment: Moment) -> Change:
    """Start over: the trouble is back, what was done about it did not last. Its handler gets it again if on duty."""
    made = reported(incident, report, moment)
    return made.then(_back(made.incident, moment, to_handler=orders.there_are_groups(incident, moment)))


def reject(incident: Incident, _reject: Reject, moment: Moment) -> Change:
    """Start over: the reporter says that it is not dealt with."""
    return _back(replace(incident, touched_by_human=True), moment, to_handler=True)


def _back(incident: Incident, moment: Moment, *, to_handler: bool) -> Change:
    calendar = moment.config.calendar(incident)
    handler = incident.assignee
    after = replace(
        incident,
        reopen_count=incident.reopen_count + 1,
        closing_report="",
        closing=None,
        resolved_at=None,
        first_time_fix=False,
        survey_score=None,
        resolution=deadlines.continued(incident.resolution, moment.now, calendar),
    )
    if incident.first_time_fix is None and incident.accepted_at is None:  # it cleared before anybody responded
        after = replace(after, response=deadlines.continued(incident.response, moment.now, calendar))
    if to_handler and handler and moment.people.on_duty(handler, moment.now):
        return orders.order(after, handler, moment, group=incident.group, level=max(incident.level, 1), by_hand=False)
    return Change(orders.waiting(replace(after, level=0, level_dispatch_count=0), moment))


def clear(incident: Incident, _report: ReportClear, _moment: Moment) -> Incident:
    """Note that the technical condition is over; the work may not be."""
    return replace(incident, signal=Signal.CLEARED)


def unchanged(incident: Incident, _trigger: Trigger, _moment: Moment) -> Incident:
    """Leave the fields; the timeline alone says what happened: which symptoms ended, what was observed."""
    return incident


def clear_and_resolve(incident: Incident, report: ReportClear, moment: Moment) -> Incident:
    """End what came and went by itself; every end has a closing report, this one too."""
    text = (
        f"cleared at {rfc3339(moment.now)} by {report.actor}: {report.reason}, and nobody had taken the incident; "
        f"it was {incident.cause or incident.title}"
    )
    after = replace(incident, signal=Signal.CLEARED, closing_report=text, resolved_at=moment.now)
    return _clocks_ended(after, moment)


def digest(incident: Incident, _due: DigestDue, moment: Moment) -> Incident:
    """Let targets be told of what was reported since they were last told."""
    return replace(incident, told_at=moment.now)


def _told(before: Incident, after: Incident, moment: Moment) -> Incident:
    """Return the incident with targets told now, or, where they were just told, when they may be told again."""
    if not worth_telling(before, after):
        return after
    again_at = None if before.told_at is None else before.told_at + moment.config.digest_seconds
    if again_at is None or moment.now >= again_at or after.priority < before.priority:
        return timers.disarmed(replace(after, told_at=moment.now), TimerName.DIGEST)
    if timers.due_at(after, TimerName.DIGEST) is not None:
        return after
    return timers.armed(after, TimerName.DIGEST, again_at)


def worth_telling(before: Incident, after: Incident) -> bool:
    """Tell whether a repeated report changed what people see; fewer than a fifth more users is no news."""
    was, now = before.assessment.users or 0, after.assessment.users or 0
    plain = replace(before.assessment, users=None, users_exact=True) == replace(
        after.assessment, users=None, users_exact=True
    )
    judged = (before.signal, before.impact, before.urgency, before.priority)
    return (
        judged != (after.signal, after.impact, after.urgency, after.priority)
        or not plain
        or abs(now - was) * NEWS_SHARE >= max(was, 1)
    )


# Priority.


def judged_anew(incident: Incident, judged: priority.Judgement, moment: Moment) -> Change:
    """Take over a judgement. A higher priority brings every deadline forward; a lower one moves none away."""
    after = replace(incident, impact=judged.impact, urgency=judged.urgency, priority=judged.priority)
    return raised(incident, after, moment)


def raised(before: Incident, after: Incident, moment: Moment) -> Change:
    """Bring forward what a higher priority makes due earlier, and tell who has the incident."""
    if after.priority >= before.priority:
        return Change(after)
    calendar = moment.config.calendar(after)
    response, resolution = moment.config.promised(after)
    after = replace(
        after,
        response=deadlines.tightened(after.response, response, after.opened_at, moment.now, calendar),
        resolution=deadlines.tightened(after.resolution, resolution, after.opened_at, moment.now, calendar),
    )

    said = OrderLimits() if after.dispatch is None else moment.people.limits(after, after.level)

    def due(limit: Limit, start: UnixSeconds) -> UnixSeconds:
        seconds = {Limit.ACCEPT: said.accept_seconds, Limit.RENOTIFY: said.renotify_seconds}.get(limit)
        return moment.config.timers.after(limit, after.priority, start, calendar, seconds)

    after = timers.brought_forward(after, TimerName.WAIT, due(Limit.WAIT, after.opened_at))
    if after.dispatch is not None:
        accept_by = min(after.dispatch.accept_by, due(Limit.ACCEPT, after.dispatch.sent_at))
        made = replace(
            after.dispatch,
            accept_by=accept_by,
            accept_seconds=said.accept_seconds,
            renotify_seconds=said.renotify_seconds,
            max_candidates=said.max_candidates,
        )
        after = replace(after, dispatch=made)
        after = timers.brought_forward(after, TimerName.ACCEPT, accept_by)
    after = timers.brought_forward(
        after, TimerName.STAGE, due(Limit.STAGE, after.stage_reported_at or after.accepted_at or moment.now)
    )
    for name, limit in (
        (TimerName.RENOTIFY, Limit.RENOTIFY),
        (TimerName.STAGE_GRACE, Limit.STAGE_GRACE),
        (TimerName.HOLD, Limit.HOLD),
        (TimerName.CENTRE, Limit.CENTRE),
    ):
        after = timers.brought_forward(after, name, due(limit, moment.now))
    what = "priority-raised"
    if after.dispatch is not None:
        return Change(after, tells=(Tell(TellKind.REMINDER, after.assignee, what, after.dispatch.id),))
    if after.assignee and after.state.is_open:
        return Change(after, tells=(Tell(TellKind.HANDLER, after.assignee, what),))
    if after.state is IncidentState.STALLED:
        return Change(after, tells=(Tell(TellKind.CENTRE, "", what),))
    return Change(after)


def set_priority(incident: Incident, wish: SetPriority, moment: Moment) -> Change:
    """Fix the priority."""
    after = replace(incident, priority=wish.priority, priority_is_manual=True, touched_by_human=True)
    return raised(incident, after, moment)


def reassess(incident: Incident, news: Reassess, moment: Moment) -> Change:
    """Take over how bad it is found to be now."""
    judged = priority.judge_again(
        incident, news.impact, news.urgency, covers_all=news.covers_all, matrix=moment.config.matrix
    )
    after = replace(
        incident,
        assessment=merge.grown(incident.assessment, news.assessment),
        difficulty=incident.difficulty if news.difficulty is None else news.difficulty,
    )
    made = judged_anew(after, judged, moment)
    return replace(made, incident=_told(incident, made.incident, moment))


# Ends.


def resolve(incident: Incident, resolve: Resolve, moment: Moment) -> Incident:
    """Store the closing report; the clocks end."""
    report = resolve.closing
    undisturbed = (
        incident.return_count == incident.transfer_count == incident.escalation_count == incident.reopen_count == 0
    )
    after = replace(
        unpended(incident, moment),
        closing_report=resolve.closing_report.strip(),
        closing=report,
        category=report.category if report is not None and report.category else incident.category,
        resolved_at=moment.now,
        touched_by_human=True,
        first_time_fix=undisturbed,
    )
    return _clocks_ended(after, moment)


def _clocks_ended(incident: Incident, moment: Moment) -> Incident:
    calendar = moment.config.calendar(incident)
    return replace(
        incident,
        response=deadlines.ended(incident.response, moment.now, calendar),
        resolution=deadlines.ended(incident.resolution, moment.now, calendar),
    )


def close(incident: Incident, trigger: Trigger, moment: Moment) -> Change:
    """End the incident; what was promised and is not done is given up, who had it is told."""
    calendar = moment.config.calendar(incident)
    is_open = incident.state.is_open
    made = Change(unpended(incident, moment))
    if incident.dispatch is not None:
        made = made.then(orders.withdrawn(made.incident, DispatchOutcome.RECALLED, tell=True))
    elif is_open and incident.assignee and incident.assignee != trigger.actor:
        made = replace(made, tells=(Tell(TellKind.RECALL, incident.assignee, "ended"),))
    after = replace(
        made.incident,
        closed_at=moment.now,
        hold_reason="",
        touched_by_human=incident.touched_by_human or trigger.actor != SYSTEM,
        response=deadlines.stopped(made.incident.response, moment.now, calendar),
        resolution=deadlines.stopped(made.incident.resolution, moment.now, calendar),
    )
    return replace(made, incident=after)


def merged(incident: Incident, wish: MergeInto, moment: Moment) -> Change:
    """End the incident as a part of another one."""
    made = close(incident, wish, moment)
    return replace(made, incident=replace(made.incident, parent_id=wish.parent.id))


def unmerge(incident: Incident, _wish: Unmerge, moment: Moment) -> Incident:
    """Give the incident back its own life; its clocks ran on, as the trouble did."""
    calendar = moment.config.calendar(incident)
    return orders.waiting(
        replace(
            incident,
            parent_id="",
            closed_at=None,
            touched_by_human=True,
            level=0,
            level_dispatch_count=0,
            response=deadlines.continued(incident.response, moment.now, calendar),
            resolution=deadlines.continued(incident.resolution, moment.now, calendar),
        ),
        moment,
    )


def survey(incident: Incident, answer: Survey, _moment: Moment) -> Incident:
    """Keep how content the reporter is."""
    return replace(incident, survey_score=answer.score)


def unpended(incident: Incident, moment: Moment) -> Incident:
    """Return an incident that waits for nobody outside any more; a clock that stood still goes on."""
    since = incident.pending_since
    waited = 0.0 if since is None else max(0.0, moment.now - since)
    return replace(
        incident,
        pending_reason="",
        pending_until=None,
        pending_since=None,
        stage_left_seconds=None,
        paused_seconds=incident.paused_seconds + waited,
        resolution=deadlines.resumed(incident.resolution, moment.now, moment.config.calendar(incident)),
    )


# The rest.


def touch(incident: Incident, _trigger: Trigger, _moment: Moment) -> Incident:
    """Note that a person is at it, so that nothing is resolved over their head."""
    return replace(incident, touched_by_human=True)


def absorb(incident: Incident, absorb: Absorb, moment: Moment) -> Change:
    """Take over what a child hits; the child's clocks end, the parent's go on."""
    child = absorb.child
    judged = priority.judge_again(incident, child.impact, child.urgency, covers_all=False, matrix=moment.config.matrix)
    both = {incident.signal, child.signal}
    after = replace(
        incident,
        signal=Signal.ACTIVE if Signal.ACTIVE in both else Signal.CLEARED,
        assessment=merge.grown(incident.assessment, child.assessment),
        report_count=incident.report_count + child.report_count,
        began_at=min(incident.began_at, child.began_at),
        touched_by_human=incident.touched_by_human or child.touched_by_human,
    )
    return judged_anew(after, judged, moment)
