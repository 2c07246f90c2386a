from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC

from btimd.daemon.promises import agreement_of, promise_of
from btimd.itsm.deadlines import Promise
from btimd.model.agreement import Agreement, AgreementKind
from btimd.model.agreement import Promise as Agreed
from btimd.model.calendar import ALWAYS, CalendarRule, ServiceCalendar
from btimd.model.incident import ImpactAssessment, Priority
from btimd.model.units import UnixSeconds
from tests.store.examples import incident

OFFICE = ServiceCalendar("office", CalendarRule(zone=UTC, weekdays=frozenset(range(5)), hours=((9 * 60, 17 * 60),)))
INCIDENT = replace(incident(), assessment=ImpactAssessment(("erp",)), cause="db1", priority=Priority.P2, opened_at=50.0)


class Book:
    """Agreements that promise what they are told to."""

    def __init__(self, response: Agreed | None, resolution: Agreed | None) -> None:
        self.promised = (response, resolution)
        self.asked: list[tuple[Sequence[str], str, Priority, float]] = []

    def agreements(self) -> Sequence[Agreement]:
        return (Agreement(name="erp", kind=AgreementKind.SLA, availability_percent=99.5, calendar=OFFICE, zone=UTC),)

    def promises(
        self, *, businesses: Sequence[str], cause: str, priority: Priority, opened_at: UnixSeconds
    ) -> tuple[Agreed | None, Agreed | None]:
        self.asked.append((businesses, cause, priority, opened_at))
        return self.promised


def agreed(seconds: float) -> Agreed:
    return Agreed("erp", seconds, 50.0 + seconds, None, missed=False, left_seconds=seconds)


def test_times_and_service_hours_come_from_the_agreement_that_is_due_first() -> None:
    book = Book(agreed(600.0), agreed(7200.0))

    assert promise_of(book)(INCIDENT) == Promise(600.0, 7200.0, OFFICE)
    assert book.asked == [(("erp",), "db1", Priority.P2, 50.0)]


def test_an_agreement_on_the_response_alone_leaves_the_resolution_to_the_table() -> None:
    assert promise_of(Book(agreed(600.0), None))(INCIDENT) == Promise(600.0, None, OFFICE)


def test_without_an_agreement_the_table_of_times_holds_around_the_clock() -> None:
    assert promise_of(Book(None, None))(INCIDENT) == Promise(None, None, ALWAYS)


def test_the_agreement_that_decides_is_named() -> None:
    assert agreement_of(Book(agreed(600.0), None))(INCIDENT) == "erp"
    assert agreement_of(Book(None, None))(INCIDENT) == ""
