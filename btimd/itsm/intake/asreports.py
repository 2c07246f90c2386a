"""What a report means to the life cycle of incidents."""

from types import MappingProxyType
from typing import Final

from btimd.itsm.replay import SYMPTOMS
from btimd.itsm.triggers import SYSTEM, ReportClear, ReportProblem
from btimd.model.incident import Difficulty, Impact, ImpactAssessment, Urgency
from btimd.model.report import Report, ReportSeverity
from btimd.model.units import UnixSeconds

_URGENCY: Final = MappingProxyType(
    {
        ReportSeverity.CRITICAL: Urgency.HIGH,
        ReportSeverity.HIGH: Urgency.HIGH,
        ReportSeverity.MEDIUM: Urgency.MEDIUM,
        ReportSeverity.LOW: Urgency.LOW,
        ReportSeverity.INFO: Urgency.LOW,
        ReportSeverity.UNKNOWN: Urgency.MEDIUM,
    }
)


def problem_of(report: Report, now: UnixSeconds) -> ReportProblem:
    """Return the trigger of a report of a problem; the impact is what the classification says, else low until weighed.

    What a person wrote has that person as reporter. The command id is the report's, so that a report handed on twice
    after a crash is taken once.
    """
    businesses = (report.business,) if report.business else ()
    return ReportProblem(
        actor=report.reporter or report.source or SYSTEM,
        command_id=report.id,
        notes={SYMPTOMS: symptom_of(report), "report": report.id, "channel": report.channel.value},
        incident_id="",
        fingerprint=report.fingerprint or f"report|{report.id}",
        title=report.title,
        description=report.text,
        cause=report.node,
        verdict_id="",
        confidence=0.0,
        impact=report.impact or Impact.LOW,
        urgency=report.urgency or _URGENCY[report.severity],
        assessment=ImpactAssessment(businesses=businesses),
        began_at=min(report.received_at, now),
        difficulty=Difficulty.MEDIUM if report.node else Difficulty.HIGH,
        by_human=bool(report.reporter),
        category=report.class_,
        count=report.count,
        reporter=report.reporter,
    )


def clear_of(report: Report) -> ReportClear:
    """Return the trigger of a report that a problem is over."""
    return ReportClear(
        actor=report.source or SYSTEM, command_id=report.id, remaining=0, reason=f"{report.source} reports it over"
    )


def symptom_of(report: Report) -> str:
    """Return what of the sender's is bad: its own number of the problem, else what the report is about."""
    return f"{report.source}#{report.origin_id}" if report.origin_id else report.fingerprint or report.id
