"""What orders and work change in an incident: acceptance, return, transfer, escalation, progress, waiting."""

from dataclasses import replace

from btimd.itsm import deadlines, orders, timers
from btimd.itsm.changes import reported, resolve, unpended
from btimd.itsm.deadlines import Limit
from btimd.itsm.moment import Change, Moment, Tell
from btimd.itsm.replay import ENDED_DISPATCH, OUTCOME
from btimd.itsm.timers import TimerName
from btimd.itsm.triggers import (
    Accept,
    AcceptTimeOver,
    Assign,
    Escalate,
    ExternalUpdate,
    ForceEscalate,
    Hold,
    Pend,
    Referenced,
    RenotifyDue,
    ReportProblem,
    Resolve,
    Return,
    StageDue,
    StageReport,
    Transfer,
    Trigger,
)
from btimd.model.incident import DispatchOutcome, Incident, TicketReference
from btimd.model.ports import TellKind

# To a handler.


def dispatch(incident: Incident, _trigger: Trigger, moment: Moment) -> Change:
    """Order whom the dispatcher finds."""
    return orders.dispatch(incident, max(incident.level, 1), moment)


def queue(incident: Incident, _trigger: Trigger, moment: Moment) -> Incident:
    """Let an order go out after a while; there was nobody to give one to before."""
    return orders.waiting(incident, moment)


def hold(incident: Incident, hold: Hold, moment: Moment) -> Incident:
    """Take the incident out of dispatch for a while."""
    after = replace(incident, hold_reason=hold.reason.strip(), touched_by_human=True)
    return timers.armed(after, TimerName.HOLD, moment.due(Limit.HOLD, after))


def release(incident: Incident, _trigger: Trigger, moment: Moment) -> Incident:
    """Give the incident back to dispatch, at once."""
    return orders.waiting(incident, moment, at_once=True)


def assign(incident: Incident, assign: Assign, moment: Moment) -> Change:
    """Order whom the management centre names."""
    person = assign.person.strip()
    after = replace(incident, touched_by_human=True)
    return orders.order(after, person, moment, group=incident.group, level=max(incident.level, 1), by_hand=True)


def accept(incident: Incident, accept: Accept, moment: Moment) -> Change:
    """Give the incident to the person who accepts the order; the response is given."""
    made = incident.dispatch
    notes = {} if made is None else {ENDED_DISPATCH: made.id, OUTCOME: str(DispatchOutcome.ACCEPTED)}
    right = True if made is not None and made.number == 1 else incident.first_dispatch_right
    taken = replace(take(incident, accept, moment), first_dispatch_right=right)
    return Change(taken, notes)


def take(incident: Incident, accept: Trigger, moment: Moment) -> Incident:
    """Give the incident to the person who takes it."""
    calendar = moment.config.calendar(incident)
    after = replace(
        incident,
        assignee=accept.actor,
        accepted_at=moment.now,
        touched_by_human=True,
        dispatch=None,
        hold_reason="",
        stage_reported_at=None,
        stage_eta=None,
        response=deadlines.ended(incident.response, moment.now, calendar),
    )
    return timers.armed(after, TimerName.STAGE, moment.due(Limit.STAGE, after))


def remind(incident: Incident, _due: RenotifyDue, moment: Moment) -> Change:
    """Repeat the order."""
    made = incident.dispatch
    if made is None:  # the state says that there is one
        return Change(incident)
    after = replace(incident, dispatch=replace(made, reminders=made.reminders + 1))
    after = timers.armed(after, TimerName.RENOTIFY, moment.due(Limit.RENOTIFY, after, made.renotify_seconds))
    return Change(after, tells=(Tell(TellKind.REMINDER, made.person, "reminder", made.id),))


# From a handler.


def order_timeout(incident: Incident, _over: AcceptTimeOver, moment: Moment) -> Change:
    """Take the order back and ask the next one at the same level."""
    return _again(incident, incident.level, moment, DispatchOutcome.TIMEOUT)


def order_timeout_escalated(incident: Incident, _over: AcceptTimeOver, moment: Moment) -> Change:
    """Take the order back and go to the level that comes after this one."""
    return _again(incident, orders.forced_level(incident, moment), moment, DispatchOutcome.TIMEOUT, escalated=True)


def give_back(incident: Incident, _wish: Return, moment: Moment) -> Change:
    """Take the incident back from the handler, who cannot do it, and ask the next one at the same level."""
    after = replace(incident, return_count=incident.return_count + 1, touched_by_human=True)
    return _again(after, incident.level, moment, DispatchOutcome.RETURNED, tell=False)


def transfer(incident: Incident, wish: Transfer, moment: Moment) -> Change:
    """Hand the incident to a peer, who has to accept it before the resolution is due."""
    withdrawn = orders.withdrawn(incident, DispatchOutcome.TRANSFERRED, tell=False)
    after = replace(withdrawn.incident, transfer_count=incident.transfer_count + 1, touched_by_human=True)
    due_at = incident.resolution.due_at
    accept_by = due_at if due_at is not None and due_at > moment.now else None
    made = orders.order(
        after,
        wish.person.strip(),
        moment,
        group=incident.group,
        level=max(incident.level, 1),
        by_hand=True,
        accept_by=accept_by,
    )
    return withdrawn.then(made)


def escalate(incident: Incident, _wish: Escalate, moment: Moment) -> Change:
    """Go to the next level, as the handler asks."""
    after = replace(incident, touched_by_human=True)
    return _again(
        after, incident.level + 1, moment, DispatchOutcome.RECALLED, tell=False, exclude=False, escalated=True
    )


def force_escalate(incident: Incident, wish: ForceEscalate, moment: Moment) -> Change:
    """Go to the level that the management centre names, else to the one that comes after this one."""
    after = replace(unpended(incident, moment), touched_by_human=True)
    level = wish.level or orders.forced_level(incident, moment)
    return _again(after, level, moment, DispatchOutcome.RECALLED, exclude=False, escalated=True)


def next_level(incident: Incident, _trigger: Trigger, moment: Moment) -> Change:
    """Go to the level that comes after this one, as nothing was heard in time."""
    after = unpended(incident, moment)
    return _again(after, orders.forced_level(incident, moment), moment, DispatchOutcome.RECALLED, escalated=True)


def _again(
    incident: Incident,
    level: int,
    moment: Moment,
    outcome: DispatchOutcome,
    *,
    tell: bool = True,
    exclude: bool = True,
    escalated: bool = False,
) -> Change:
    """Take the incident from who has it and dispatch it at a level."""
    withdrawn = orders.withdrawn(incident, outcome, tell=tell)
    after = orders.excluding(withdrawn.incident, incident.assignee) if exclude else withdrawn.incident
    made = orders.dispatch(after, level, moment)
    if escalated or made.incident.level > max(incident.level, 1):
        made = replace(made, incident=replace(made.incident, escalation_count=incident.escalation_count + 1))
    return withdrawn.then(made)


# Work.


def stage_due(incident: Incident, _due: StageDue, moment: Moment) -> Incident:
    """Wait a little longer for the report on progress."""
    return timers.armed(incident, TimerName.STAGE_GRACE, moment.due(Limit.STAGE_GRACE, incident))


def stage_report(incident: Incident, report: StageReport, moment: Moment) -> Incident:
    """Take note of the progress; the next report is due later."""
    after = replace(incident, stage_reported_at=moment.now, stage_eta=report.next_at, touched_by_human=True)
    after = timers.disarmed(after, TimerName.STAGE_GRACE)
    return timers.armed(after, TimerName.STAGE, moment.due(Limit.STAGE, after))


def pend(incident: Incident, wish: Pend, moment: Moment) -> Incident:
    """Wait for somebody else; the time until the next report on progress stands still, the resolution by the rules."""
    due_at = timers.due_at(incident, TimerName.STAGE)
    after = replace(
        incident,
        pending_reason=wish.reason.strip(),
        pending_until=wish.until,
        stage_left_seconds=0.0 if due_at is None else max(0.0, due_at - moment.now),
        touched_by_human=True,
    )
    if moment.config.pending_stops_clock:
        calendar = moment.config.calendar(incident)
        after = replace(
            after, pending_since=moment.now, resolution=deadlines.paused(after.resolution, moment.now, calendar)
        )
    return timers.armed(after, TimerName.PENDING, wish.until)


def resume(incident: Incident, _trigger: Trigger, moment: Moment) -> Incident:
    """Go on."""
    left = incident.stage_left_seconds or 0.0
    return timers.armed(unpended(incident, moment), TimerName.STAGE, moment.now + left)


def resume_reported(incident: Incident, report: ReportProblem, moment: Moment) -> Change:
    """Go on, as the trouble was reported again."""
    made = reported(incident, report, moment)
    return replace(made, incident=replace(resume(made.incident, report, moment), told_at=moment.now))


# The other side.


def referenced(incident: Incident, news: Referenced, _moment: Moment) -> Incident:
    """Keep what a target calls the incident."""
    return _reference(incident, news.target, news.reference)


def external_comment(incident: Incident, update: ExternalUpdate, _moment: Moment) -> Incident:
    """Take note of what was said there."""
    return _seen(replace(incident, touched_by_human=True), update)


def external_accept(incident: Incident, update: ExternalUpdate, moment: Moment) -> Change:
    """Give the incident to who took the ticket there; an order to somebody else is withdrawn."""
    made = incident.dispatch
    if made is not None and made.person == update.actor:
        accepted = accept(incident, Accept(actor=update.actor), moment)
        return replace(accepted, incident=_seen(accepted.incident, update))
    if incident.assignee == update.actor:  # it is theirs already
        return Change(_seen(incident, update))
    withdrawn = orders.withdrawn(incident, DispatchOutcome.RECALLED, tell=True)
    return replace(withdrawn, incident=_seen(take(withdrawn.incident, update, moment), update))


def external_resolve(incident: Incident, update: ExternalUpdate, moment: Moment) -> Change:
    """Resolve the incident with what was written there as its closing report."""
    text = f"resolved in {update.target} as {update.reference} by {update.actor}: {update.text.strip()}"
    withdrawn = Change(incident)
    if incident.dispatch is not None:
        withdrawn = orders.withdrawn(incident, DispatchOutcome.RECALLED, tell=True)
    after = resolve(withdrawn.incident, Resolve(actor=update.actor, closing_report=text), moment)
    return replace(withdrawn, incident=_seen(after, update))


def last_seen(incident: Incident, target: str) -> int:
    """Return the number of the last change of a target that was taken over, 0 for none."""
    return next((one.seq for one in incident.references if one.target == target), 0)


def _seen(incident: Incident, update: ExternalUpdate) -> Incident:
    return _reference(incident, update.target, update.reference, update.seq, update.status)


def _reference(incident: Incident, target: str, reference: str, seq: int | None = None, status: str = "") -> Incident:
    known = next((one for one in incident.references if one.target == target), TicketReference(target, reference))
    others = tuple(one for one in incident.references if one.target != target)
    kept = replace(known, reference=reference, seq=known.seq if seq is None else seq, status=status or known.status)
    return replace(incident, references=(*others, kept))
