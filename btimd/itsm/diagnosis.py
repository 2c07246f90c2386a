"""Turns a verdict into a report on an incident: texts and notes, bounded in size."""

import json
from dataclasses import asdict
from typing import Final

from btimd.itsm import merge
from btimd.itsm.replay import EVIDENCE, PATH, SUMMARY, SYMPTOMS
from btimd.itsm.triggers import ReportProblem
from btimd.model.incident import Difficulty, Impact, ImpactAssessment, Urgency
from btimd.model.verdict import Evidence, Verdict

DESCRIPTION_LIMIT: Final = 4000
EVIDENCE_LINES: Final = 40
LINE_LIMIT: Final = 300
SYMPTOM_LIMIT: Final = 500
_PATH_LIMIT: Final = 100


def report_of(
    verdict: Verdict,
    *,
    incident_id: str,
    assessment: ImpactAssessment,
    impact: Impact,
    urgency: Urgency,
    difficulty: Difficulty = Difficulty.LOW,
    category: str = "",
) -> ReportProblem:
    """Return the report that a verdict makes. incident_id: given to it if no incident has its cause yet."""
    return ReportProblem(
        incident_id=incident_id,
        fingerprint=merge.fingerprint(verdict),
        title=merge.title(verdict),
        description=verdict.summary[:DESCRIPTION_LIMIT],
        cause=verdict.cause or "",
        verdict_id=verdict.id,
        confidence=verdict.confidence,
        impact=impact,
        urgency=urgency,
        difficulty=difficulty,
        category=category,
        assessment=assessment,
        began_at=verdict.ended_at - verdict.seconds_taken,
        notes={
            SYMPTOMS: "\n".join(_line(symptom) for symptom in verdict.symptoms[:SYMPTOM_LIMIT]),
            SUMMARY: verdict.summary[:DESCRIPTION_LIMIT],
            PATH: "\n".join(_line(node) for node in verdict.path[:_PATH_LIMIT]),
            EVIDENCE: "\n".join(evidence_line(one) for one in verdict.evidence[:EVIDENCE_LINES]),
        },
    )


def evidence_line(evidence: Evidence) -> str:
    """Return one piece of evidence as a line: "erp-db bad (refused): 10.2.0.20:5432 refused; asked because ..."."""
    health = evidence.health.value if evidence.error == "none" else f"{evidence.health.value} ({evidence.error.value})"
    why = f"; asked because {evidence.why}" if evidence.why else ""
    return _line(f"{evidence.check_id} on {evidence.node} {health}: {evidence.detail}{why}")


def verdict_json(verdict: Verdict) -> bytes:
    """Return the whole diagnosis with its evidence as JSON, for the journal."""
    return json.dumps(asdict(verdict), ensure_ascii=False, sort_keys=True).encode("utf-8", "replace")


def symptom_lines(verdict: Verdict) -> frozenset[str]:
    """Return the symptoms of a verdict as they stand in a timeline's notes."""
    return frozenset(_line(symptom) for symptom in verdict.symptoms[:SYMPTOM_LIMIT])


def _line(text: str) -> str:
    return " ".join(text.split())[:LINE_LIMIT]
