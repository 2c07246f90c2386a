"""The level desk over a real book of agreements."""

from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from btimd.daemon.leveldesk import LevelDesk, response_figures
from btimd.model.agreement import Agreement, AuditEntry, OutageChange, PeriodFigures, Revision, Standing
from btimd.model.incident import ClockStatus, Incident, IncidentState, ServiceClock
from btimd.model.levels import ResponseFigures
from btimd.model.service import BusinessService, Node, NodeKind, ServiceGraph
from btimd.runtime.clock import ManualClock
from btimd.sla.book import AgreementBook
from tests.itsm.examples import incident_after, report
from tests.sla.agreeing import OFFICE, agreement, covering, moment
from tests.sla.test_book import NEEDS, an_hour_down

NOW = moment("16 17:00")
GRAPH = ServiceGraph(
    MappingProxyType({
        name: Node(name, NodeKind.BUSINESS if name == "erp" else NodeKind.HOST, name, needs)
        for name, needs in NEEDS.items() if name != "mail"
    }),
    MappingProxyType({"erp": BusinessService("erp", "ERP", name_zh="企业资源")}),
    1,
)  # fmt: skip


class Book:
    """An AgreementView over a book of agreements."""

    def __init__(self, *agreements: Agreement) -> None:
        self.book = AgreementBook({"erp": an_hour_down()}, agreements, NEEDS)

    def agreements(self) -> Sequence[Agreement]:
        return self.book.agreements

    def standings(self) -> Sequence[Standing]:
        found = (self.book.standing(*pair, NOW) for pair in self.book.pairs())
        return [one for one in found if one is not None]

    def periods(self, agreement: str) -> Sequence[PeriodFigures]:
        one = self.book.agreement(agreement)
        return [found for subject in self.book.subjects(one) for found in self.book.periods(agreement, subject, NOW)]

    def revise(self, business: str, start: float, end: float, change: OutageChange, *, by: str, why: str) -> AuditEntry:
        return self.book.revise(Revision(subject=business, start=start, end=end, change=change, by=by, at=NOW, why=why))

    def audit(self) -> Sequence[AuditEntry]:
        return self.book.audit


def incident(**fields: Any) -> Incident:
    made = incident_after(report(cause="line"))
    plain = {
        "opened_at": NOW - 3600,
        "assessment": replace(made.assessment, businesses=("erp",)),
        "response": ServiceClock(ClockStatus.MET, 600.0, ended_at=NOW - 3300),
        "resolution": ServiceClock(ClockStatus.RUNNING, 3600.0, due_at=NOW - 1),
    }
    return replace(made, **plain | fields)


def desk(*incidents: Incident) -> LevelDesk:
    async def asked() -> Sequence[Incident]:
        return incidents

    book = Book(agreement(availability_percent=99.99), covering("line", "line", availability_percent=90.0))
    return LevelDesk(book, asked, GRAPH, {"office": OFFICE}, ManualClock(now=NOW))


def test_agreements_say_whom_they_touch_and_whether_they_add_up() -> None:
    bank, line = desk().agreements()

    assert (bank.touches, bank.covered, bank.adds_up, bank.calendar, bank.timezone) == (
        ("erp",), 0, False, "always", "Asia/Shanghai",
    )  # fmt: skip
    assert any("makes up" in note for note in bank.notes)
    assert (line.touches, line.covered, line.adds_up) == (("erp",), 1, True)


async def test_a_standing_has_the_incidents_of_its_period_and_a_forecast() -> None:
    others = [incident(state=IncidentState.CANCELLED), incident(opened_at=NOW - 40 * 86_400)]
    elsewhere = incident(cause="db")
    bank, line = await desk(incident(), elsewhere, *others).standings(None)

    assert bank.response == ResponseFigures(
        incidents=2, answered=2, answered_in_time=2, mean_response_seconds=300.0, overdue=2
    )
    assert line.response.incidents == 1
    assert bank.forecast.expected is None  # less than a day was measured
    assert bank.standing.figures.down_seconds == 3600.0
    assert await desk().standings("line") == [replace(line, response=ResponseFigures())]
    with pytest.raises(KeyError):
        await desk().standings("nope")


def test_late_and_paused_work_is_told_as_it_was() -> None:
    done = incident(
        paused_seconds=600.0, state=IncidentState.RESOLVED,
        response=ServiceClock(ClockStatus.BREACHED, 600.0, ended_at=NOW - 1800),
        resolution=ServiceClock(ClockStatus.MET, 3600.0, ended_at=NOW),
    )  # fmt: skip
    assert response_figures([done], NOW) == ResponseFigures(
        incidents=1,
        answered=1,
        mean_response_seconds=1800.0,
        resolved=1,
        resolved_in_time=1,
        mean_resolve_seconds=3000.0,
    )


def test_components_and_words_are_of_one_subject() -> None:
    (one,) = desk().contributions("bank", None, 12)

    assert (one.node, one.down_seconds, one.agreement, one.promised_percent) == ("line", 3600.0, "line", 90.0)
    assert "承诺" in desk().statement("bank", "erp", NOW, "zh")
    assert "it could be used" in desk().statement("bank", None, None, "en")
    for subject, at in (("hr", None), (None, 0.0)):
        with pytest.raises(KeyError):
            desk().statement("bank", subject, at, "en")
    with pytest.raises(KeyError):
        desk().contributions("nope", None, 12)


def test_the_same_correction_said_again_changes_nothing() -> None:
    levels = desk()
    said: Any = ("erp", moment("16 10:00"), moment("16 11:00"), OutageChange(planned=True))
    first = levels.revise(*said, by="mona", why="change")
    again = levels.revise(*said, by="mona", why="change")
    other = levels.revise(*said, by="mona", why="another")

    assert again is first
    assert (other.number, len(levels.audit())) == (2, 2)


def test_calendars_are_asked_by_name_in_the_years_they_know() -> None:
    levels = desk()

    assert levels.calendars() == ["always", "office"]
    assert levels.calendar("office", None, 1).days[0].day == "2026-11-16"
    with pytest.raises(KeyError):
        levels.calendar("nope", None, 1)
    with pytest.raises(ValueError, match="1970 to 2100"):
        levels.calendar("office", 1e18, 1)
