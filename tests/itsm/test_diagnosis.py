import json

from btimd.itsm.diagnosis import report_of, symptom_lines, verdict_json
from btimd.model.incident import Impact, ImpactAssessment, Urgency
from tests.itsm.examples import T0, report, verdict

HIT = ImpactAssessment(businesses=("erp",), regions=("north",), users=40)
LINE = "erp-db-sql on erp-db bad (refused): 10.2.0.20:5432 refused the connection; asked because tells most"


def test_a_verdict_becomes_a_report_with_its_evidence_as_lines() -> None:
    made = report_of(
        verdict(), incident_id="INC-20231114-0001", assessment=HIT, impact=Impact.MEDIUM, urgency=Urgency.MEDIUM
    )

    assert made == report(
        began_at=T0 - 5,
        notes={
            "symptoms": "erp-http@1",
            "summary": "ERP fails because its database refuses connections.",
            "path": "erp\nerp-web\nerp-db",
            "evidence": LINE,
        },
    )


def test_the_class_of_work_is_in_the_report() -> None:
    made = report_of(
        verdict(), incident_id="1", assessment=HIT, impact=Impact.LOW, urgency=Urgency.LOW, category="database"
    )

    assert made.category == "database"


def test_a_huge_verdict_makes_a_bounded_report() -> None:
    huge = verdict(
        symptoms=tuple(f"s{number}\n{'x' * 999}" for number in range(9999)),
        evidence=verdict().evidence * 9999,
        summary="y" * 99_999,
    )
    made = report_of(huge, incident_id="I", assessment=HIT, impact=Impact.LOW, urgency=Urgency.LOW)

    assert len(made.notes["symptoms"].splitlines()) == 500
    assert set(made.notes["symptoms"].splitlines()) == symptom_lines(huge)
    assert max(len(line) for line in symptom_lines(huge)) == 300
    assert made.notes["evidence"].splitlines() == [LINE] * 40
    assert len(made.description) == 4000


def test_a_verdict_is_kept_whole() -> None:
    kept = json.loads(verdict_json(verdict()))

    assert (kept["id"], kept["cause"], kept["evidence"][0]["gain_bits"]) == ("D1", "erp-db", 1.5)
