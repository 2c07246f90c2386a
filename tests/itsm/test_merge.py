import pytest

from btimd.itsm.merge import covers, error_family, explains, fingerprint, grown, manual_fingerprint, title
from btimd.model.incident import ImpactAssessment
from btimd.model.probe import ErrorClass
from btimd.model.verdict import Verdict, VerdictStatus
from tests.itsm.examples import verdict

UNKNOWN = verdict(cause=None, symptom_nodes=("hr", "erp", "hr"), cause_error=ErrorClass.TIMEOUT)


def test_every_error_has_a_family() -> None:
    assert {error_family(error) for error in ErrorClass} == {"down", "slow", "wrong", "exceeded", "unclear", "unusual"}


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (verdict(), "erp-db/down"),
        (verdict(cause_error=ErrorClass.TIMEOUT), "erp-db/down"),
        (verdict(cause_error=ErrorClass.SLOW), "erp-db/slow"),
        (verdict(symptom_nodes=("hr",), symptoms=("hr-http@1",), path=("hr", "erp-db")), "erp-db/down"),
        (UNKNOWN, "?/erp,hr"),
    ],
)
def test_one_cause_is_one_incident_whatever_it_hits(made: Verdict, expected: str) -> None:
    assert fingerprint(made) == expected


def test_a_persons_report_is_an_incident_of_its_own() -> None:
    assert manual_fingerprint("c-1") == "manual/c-1"


@pytest.mark.parametrize(
    ("made", "other", "expected"),
    [
        (verdict(symptom_nodes=("erp", "hr")), "?/erp", True),
        (verdict(symptom_nodes=("erp", "hr")), "?/erp,hr", True),
        (verdict(), "?/erp,hr", False),
        (verdict(), "erp-web/down", False),
        (verdict(status=VerdictStatus.SHORTLIST), "?/erp", False),
        (UNKNOWN, "?/erp", False),
    ],
)
def test_a_cause_explains_the_incident_that_looked_for_it(made: Verdict, other: str, *, expected: bool) -> None:
    assert explains(made, other) is expected


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (verdict(), "erp-db refuses connections"),
        (verdict(status=VerdictStatus.SHORTLIST), "erp-db suspected: refuses connections"),
        (UNKNOWN, "erp, hr: cause unknown"),
        (verdict(cause=None, symptom_nodes=("x" * 300,)), "x" * 200),
    ],
)
def test_the_title_names_the_cause(made: Verdict, expected: str) -> None:
    assert title(made) == expected


def test_what_is_hit_only_grows() -> None:
    erp = ImpactAssessment(("erp",), ("north",), users=40)
    hr = ImpactAssessment(("hr",), ("north",), users=25)
    both = ImpactAssessment(("hr", "erp"), ("north", "south"), users=60)

    assert grown(erp, hr) == ImpactAssessment(("erp", "hr"), ("north",), users=40, users_exact=False)
    assert grown(erp, both) == ImpactAssessment(("erp", "hr"), ("north", "south"), users=60)
    assert grown(erp, ImpactAssessment(("erp",), ("north",))) == erp
    assert grown(ImpactAssessment(("hr",)), ImpactAssessment(("erp",))) == ImpactAssessment(
        ("hr", "erp"), users=None, users_exact=False
    )
    assert (covers(both, erp), covers(erp, both)) == (True, False)
