import pytest

from btimd.model.probe import ErrorClass
from btimd.model.verdict import Suspect, VerdictStatus
from btimd.rca.graph import GraphIndex
from btimd.rca.wording import summarise
from tests.rca.worlds import enterprise, shop


@pytest.mark.parametrize(
    ("error", "condition", "text"),
    [
        (ErrorClass.REFUSED, "down", "ERP database (db1) refuses connections; ERP is down through erp-app -> db1"),
        (ErrorClass.SLOW, "slow", "ERP database (db1) answers too slowly; ERP is slow through erp-app -> db1"),
        (
            ErrorClass.NONE,
            "not used as usual",
            "ERP database (db1) has failed; ERP is not used as usual through erp-app -> db1",
        ),
    ],
)
def test_a_cause_is_told_with_what_it_does_and_whom_it_hits(error: ErrorClass, condition: str, text: str) -> None:
    assert (
        summarise(
            GraphIndex(shop()), status=VerdictStatus.CAUSE_FOUND, cause="db1", own_error=error,
            path=("erp", "erp-app", "db1"), ranked=(), symptom_nodes=("erp",), businesses=("erp",), condition=condition,
            reason="",
        )
        == text
    )  # fmt: skip


def test_a_business_that_does_not_fail_yet_only_needs_the_cause() -> None:
    text = summarise(
        GraphIndex(enterprise()), status=VerdictStatus.CAUSE_FOUND, cause="ldap", own_error=ErrorClass.TIMEOUT,
        path=("ldap",), ranked=(), symptom_nodes=("ldap",), businesses=("erp", "hr"), condition="down", reason="",
    )  # fmt: skip
    assert text == "ldap does not answer in time; ERP and HR need it"


def test_a_shortlist_names_the_suspects_and_why_it_is_none() -> None:
    text = summarise(
        GraphIndex(shop()), status=VerdictStatus.SHORTLIST, cause="db1", own_error=ErrorClass.NONE,
        path=("erp", "db1"), ranked=(Suspect("db1", 0.6), Suspect("host-db", 0.3)), symptom_nodes=("erp",),
        businesses=("erp",), condition="down", reason="the probe budget is spent",
    )  # fmt: skip
    assert text == (
        "not certain (the probe budget is spent), most likely: ERP database (db1) 60%, host-db 30%; ERP is down"
    )


def test_an_unknown_cause_is_said_to_be_unknown() -> None:
    text = summarise(
        GraphIndex(shop()), status=VerdictStatus.UNKNOWN, cause=None, own_error=ErrorClass.NONE, path=(), ranked=(),
        symptom_nodes=("gone",), businesses=(), condition="down", reason="none of the checks could be carried out",
    )  # fmt: skip
    assert text == "the cause of the trouble near gone is not known: none of the checks could be carried out"
