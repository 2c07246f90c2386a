"""The audit trail in the journal."""

import json

import pytest

from btimd.model.agreement import BurnWindow, OutageChange, Revision
from btimd.model.sla import Availability, SlaTarget
from btimd.sla.accounting import AvailabilityAccount
from btimd.sla.auditdocument import read_trail, trail_document
from btimd.sla.book import AgreementBook
from tests.sla.agreeing import agreement, moment


def book() -> AgreementBook:
    opened = moment("16 08:00")
    account = AvailabilityAccount(SlaTarget("erp", 99.9), opened_at=opened, stale_after_seconds=10**6)
    account.observe(Availability.UP, opened)
    account.advance(moment("16 12:00"))
    return AgreementBook({"erp": account}, [agreement()], {"erp": ()})


def test_the_trail_and_the_alarms_survive_writing_and_reading() -> None:
    one = book()
    for change in (OutageChange(availability=Availability.DOWN, planned=True), OutageChange(cause="数据库", users=3)):
        one.revise(
            Revision(
                subject="erp",
                start=moment("16 09:00"),
                end=moment("16 10:00"),
                change=change,
                by="李",
                at=5.0,
                why="补录",
            )
        )
    one.dropped_entries = 7
    one.burning = [("bank", "erp", BurnWindow.SLOW)]
    again = book()
    read_trail(json.loads(json.dumps(trail_document(one))), again)

    assert (again.audit, again.dropped_entries, again.burning) == (one.audit, 7, one.burning)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"version": 2}, "audit trail of version 2, this program reads 1"),
        ({"entries": [{}]}, "audit trail is damaged: KeyError"),
        ({"entries": None}, "audit trail is damaged: TypeError"),
        ({"burning": [["bank", "erp", "sideways"]]}, "audit trail is damaged: ValueError"),
    ],
)
def test_what_is_no_trail_is_refused_and_changes_nothing(change: dict[str, object], told: str) -> None:
    one = book()

    with pytest.raises(ValueError, match=told):
        read_trail(trail_document(one) | change, one)
    with pytest.raises(ValueError, match="audit trail of version 'list'"):
        read_trail([], one)
    assert (one.audit, one.burning) == ([], [])
