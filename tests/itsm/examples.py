"""Verdicts, reports and incidents that the tests of this package share."""

from typing import Any

from btimd.itsm.deadlines import Promise
from btimd.itsm.lifecycle import step
from btimd.itsm.moment import LifecycleConfig
from btimd.itsm.triggers import ReportProblem, Trigger
from btimd.model.incident import Impact, ImpactAssessment, Incident, Urgency
from btimd.model.probe import ErrorClass, Health
from btimd.model.verdict import Evidence, Suspect, Verdict, VerdictStatus

T0 = 1_700_000_000.0  # 2023-11-14T22:13:20Z
DAY = 86_400.0
CONFIG = LifecycleConfig(reopen_within=DAY, promise=lambda _: Promise(0.0, 0.0))
"""Without promised times; tests/itsm/test_deadlines.py and test_work.py have those."""
REPORT = "Replaced the disk of erp-db and restarted the database."


def verdict(**changes: Any) -> Verdict:
    fields: dict[str, Any] = {
        "id": "D1",
        "symptoms": ("erp-http@1",),
        "symptom_nodes": ("erp",),
        "status": VerdictStatus.CAUSE_FOUND,
        "cause": "erp-db",
        "cause_error": ErrorClass.REFUSED,
        "path": ("erp", "erp-web", "erp-db"),
        "confidence": 0.97,
        "ranked": (Suspect("erp-db", 0.97), Suspect("erp-web", 0.02)),
        "evidence": (
            Evidence(
                check_id="erp-db-sql",
                node="erp-db",
                health=Health.BAD,
                error=ErrorClass.REFUSED,
                detail="10.2.0.20:5432 refused the connection",
                why="tells most",
                gain_bits=1.5,
                cost=6.0,
                at=T0 - 1,
            ),
        ),
        "businesses": ("erp",),
        "probes_used": 3,
        "started_at": T0 - 4,
        "ended_at": T0,
        "seconds_taken": 5.0,
        "summary": "ERP fails because its database refuses connections.",
    }
    if changes.get("cause", "erp-db") is None:
        fields |= {"status": VerdictStatus.UNKNOWN, "path": (), "confidence": 0.0, "summary": "No cause was found."}
    return Verdict(**(fields | changes))


def report(**changes: Any) -> ReportProblem:
    fields: dict[str, Any] = {
        "incident_id": "INC-20231114-0001",
        "fingerprint": "erp-db/down",
        "title": "erp-db refuses connections",
        "description": "ERP fails because its database refuses connections.",
        "cause": "erp-db",
        "verdict_id": "D1",
        "confidence": 0.97,
        "impact": Impact.MEDIUM,
        "urgency": Urgency.MEDIUM,
        "assessment": ImpactAssessment(businesses=("erp",), regions=("north",), users=40),
        "began_at": T0 - 5,
    }
    return ReportProblem(**(fields | changes))


def incident_after(*triggers: Trigger, config: LifecycleConfig = CONFIG) -> Incident:
    """Return the incident after these triggers, a second apart, the first at T0."""
    incident: Incident | None = None
    for index, trigger in enumerate(triggers):
        incident = step(incident, trigger, T0 + index, config).incident
    assert incident is not None
    return incident
