"""What each transition does to an incident's fields. State, version and id are set by itsm.lifecycle alone."""

from dataclasses import dataclass, field, replace

from btimd.itsm import merge, priority
from btimd.itsm.timestamp import rfc3339
from btimd.itsm.triggers import (
    SYSTEM,
    Absorb,
    Accept,
    ReportClear,
    ReportProblem,
    Resolve,
    SetPriority,
    Trigger,
)
from btimd.model.incident import Incident, Signal
from btimd.model.units import Seconds, UnixSeconds


@dataclass(frozen=True, slots=True)
class LifecycleConfig:
    """What the operator decides about the life of incidents."""

    reopen_within: Seconds = 86_400.0
    auto_resolve: bool = True
    matrix: priority.Matrix = field(default_factory=lambda: priority.ITIL_MATRIX)


@dataclass(frozen=True, slots=True)
class Moment:
    """The circumstances of a step."""

    now: UnixSeconds
    config: LifecycleConfig


def open_new(incident: Incident, report: ReportProblem, moment: Moment) -> Incident:
    """Fill in a new incident from its first report."""
    judged = priority.judge_new(report.impact, report.urgency, moment.config.matrix)
    return replace(
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
        report_count=1,
        touched_by_human=report.by_human,
        opened_at=moment.now,
        last_seen_at=moment.now,
        began_at=report.began_at,
    )


def report_again(incident: Incident, report: ReportProblem, moment: Moment) -> Incident:
    """Count a further report; what it hits is added, what it judges is weighed."""
    covers = merge.covers(report.assessment, incident.assessment)
    judged = priority.judge_again(
        incident, report.impact, report.urgency, covers_all=covers, matrix=moment.config.matrix
    )
    if report.fingerprint == incident.fingerprint:  # not the report of a merged child, which has another cause
        incident = replace(
            incident, description=report.description, verdict_id=report.verdict_id, confidence=report.confidence
        )
    return replace(
        incident,
        signal=Signal.ACTIVE,
        impact=judged.impact,
        urgency=judged.urgency,
        priority=judged.priority,
        assessment=merge.grown(incident.assessment, report.assessment),
        report_count=incident.report_count + 1,
        last_seen_at=moment.now,
        began_at=min(incident.began_at, report.began_at),
    )


def reopen(incident: Incident, report: ReportProblem, moment: Moment) -> Incident:
    """Start over: the trouble is back, what was done about it did not last."""
    again = report_again(incident, report, moment)
    return replace(
        again,
        reopen_count=incident.reopen_count + 1,
        assignee="",
        closing_report="",
        accepted_at=None,
        resolved_at=None,
    )


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
    return replace(incident, signal=Signal.CLEARED, closing_report=text, resolved_at=moment.now)


def accept(incident: Incident, accept: Accept, moment: Moment) -> Incident:
    """Give the incident to the person who takes it."""
    return replace(incident, assignee=accept.actor, accepted_at=moment.now, touched_by_human=True)


def resolve(incident: Incident, resolve: Resolve, moment: Moment) -> Incident:
    """Store the closing report."""
    return replace(
        incident, closing_report=resolve.closing_report.strip(), resolved_at=moment.now, touched_by_human=True
    )


def close(incident: Incident, trigger: Trigger, moment: Moment) -> Incident:
    """End the incident."""
    return replace(
        incident, closed_at=moment.now, touched_by_human=incident.touched_by_human or trigger.actor != SYSTEM
    )


def touch(incident: Incident, _trigger: Trigger, _moment: Moment) -> Incident:
    """Note that a person is at it, so that nothing is resolved over their head."""
    return replace(incident, touched_by_human=True)


def set_priority(incident: Incident, wish: SetPriority, _moment: Moment) -> Incident:
    """Fix the priority."""
    return replace(incident, priority=wish.priority, priority_is_manual=True, touched_by_human=True)


def absorb(incident: Incident, absorb: Absorb, moment: Moment) -> Incident:
    """Take over what a child hits; the child's clocks end, the parent's go on."""
    child = absorb.child
    judged = priority.judge_again(incident, child.impact, child.urgency, covers_all=False, matrix=moment.config.matrix)
    both = {incident.signal, child.signal}
    return replace(
        incident,
        signal=Signal.ACTIVE if Signal.ACTIVE in both else Signal.CLEARED,
        impact=judged.impact,
        urgency=judged.urgency,
        priority=judged.priority,
        assessment=merge.grown(incident.assessment, child.assessment),
        report_count=incident.report_count + child.report_count,
        began_at=min(incident.began_at, child.began_at),
        touched_by_human=incident.touched_by_human or child.touched_by_human,
    )
