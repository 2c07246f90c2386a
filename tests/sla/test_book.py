"""The book of agreements: standings, periods, alarms and corrections."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from btimd.model.agreement import (
    Agreement,
    AgreementKind,
    BurnWindow,
    OutageChange,
    RevisedFigures,
    Revision,
)
from btimd.model.maintenance import Matcher, Suppression, SuppressionEffect, SuppressionKind
from btimd.model.sla import Availability, SlaStatus, SlaTarget
from btimd.sla import book as books
from btimd.sla.accounting import AvailabilityAccount
from btimd.sla.book import AgreementBook
from btimd.sla.windows import WindowBook
from tests.sla.agreeing import HOUR, MINUTE, OFFICE, agreement, covering, moment

UP, DOWN, UNKNOWN = Availability.UP, Availability.DOWN, Availability.UNKNOWN
NEEDS = {"erp": ("db",), "mail": ("mx",), "db": ("line",), "mx": ("line",), "line": ()}
OPENED = moment("16 08:00")


def account(name: str, *parts: tuple[float, Availability, str], opened: float = OPENED) -> AvailabilityAccount:
    """Return the account of a business that was in these conditions, each up to a moment and of a cause."""
    one = AvailabilityAccount(SlaTarget(name, 99.9), opened_at=opened, stale_after_seconds=10**8)
    at = opened
    for end, condition, cause in parts:
        one.observe(condition, at, cause=cause)
        one.advance(end)
        at = end
    return one


def book(*agreements: Agreement, **accounts: AvailabilityAccount) -> AgreementBook:
    return AgreementBook(accounts, agreements, NEEDS)


def an_hour_down() -> AvailabilityAccount:
    """Monday from 8 to 17: down from 10 to 11 because of the line."""
    return account(
        "erp", (moment("16 10:00"), UP, ""), (moment("16 11:00"), DOWN, "line"), (moment("16 17:00"), UP, "")
    )


def revision(start: str, end: str, **what: Any) -> Revision:
    plain: dict[str, Any] = {"subject": "erp", "by": "li", "at": moment("16 17:00"), "why": "the change board says so"}
    change = OutageChange(**{key: what.pop(key) for key in tuple(what) if key not in plain})
    return Revision(start=moment(start), end=moment(end), change=change, **(plain | what))


def test_a_subject_stands_as_its_account_and_its_calendar_say() -> None:
    one = book(agreement(calendar=OFFICE, availability_percent=98.9), erp=an_hour_down())
    standing = one.standing("bank", "erp", moment("16 17:00"))

    assert standing is not None
    assert (standing.figures.up_seconds, standing.figures.down_seconds) == (7 * HOUR, HOUR)
    assert (standing.current, standing.burn_fast, standing.burn_slow) == (UP, 0.0, 0.0)
    assert standing.figures.status is SlaStatus.MET
    assert standing.budget_gone_at is None


def test_a_supplier_is_found_by_the_cause_and_reckoned_under_its_own_contract() -> None:
    one = book(
        agreement(businesses=("erp", "mail", "gone")),
        covering("isp", "line", kind=AgreementKind.UC),
        erp=an_hour_down(),
        mail=account("mail", (moment("16 17:00"), UP, "")),
    )
    erp = one.standing("bank", "erp", moment("16 17:00"))
    isp = one.standing("isp", "isp", moment("16 17:00"))

    assert one.pairs() == [("bank", "erp"), ("bank", "mail"), ("isp", "isp")]
    assert erp is not None
    assert isp is not None
    assert [(share.key, share.down_seconds) for share in erp.figures.by_supplier] == [("ISP", HOUR)]
    assert (isp.figures.down_seconds, isp.figures.up_seconds, isp.current) == (HOUR, 8 * HOUR, UP)


def test_an_agreement_stands_only_while_it_is_in_force() -> None:
    one = book(
        agreement("new", valid_from=date(2026, 12, 1)), agreement("old", valid_until=date(2026, 10, 31)),
        agreement("both", valid_from=date(2026, 11, 30), valid_until=date(2026, 11, 30)), erp=an_hour_down(),
    )  # fmt: skip
    now = moment("16 17:00")

    assert one.standing("new", "erp", now) is one.standing("old", "erp", now) is None
    assert one.standing("both", "erp", now) is not None
    assert one.look("new", "erp", now) == []


def test_all_periods_that_are_known_are_told_the_oldest_first() -> None:
    one = book(
        agreement(calendar=OFFICE),
        covering("isp", "line", kind=AgreementKind.UC),
        erp=account("erp", (moment("17 09:00"), UP, ""), opened=moment("16 09:00") - 20 * 24 * HOUR),
    )
    found = one.periods("bank", "erp", moment("17 09:00"))

    assert [(state.up_seconds, state.unknown_seconds) for state in found] == [
        (4 * 9 * HOUR, 18 * 9 * HOUR),
        (99 * HOUR, 0.0),
    ]
    assert len(one.periods("isp", "isp", moment("17 09:00"))) == 2


def test_an_outage_raises_both_alarms_and_a_draft_none() -> None:
    now = moment("16 17:00")
    down = account("erp", (now - HOUR, UP, ""), (now, DOWN, "db"))
    one = book(agreement(), agreement("soon", draft=True), erp=down)
    alerts = one.look("bank", "erp", now)

    assert [(alert.window, alert.raised) for alert in alerts] == [(BurnWindow.FAST, True), (BurnWindow.SLOW, True)]
    assert one.look("bank", "erp", now) == []
    assert one.look("soon", "erp", now) == []
    assert one.burning == [("bank", "erp", BurnWindow.FAST), ("bank", "erp", BurnWindow.SLOW)]
    standing = one.standing("bank", "erp", now)
    assert standing is not None
    assert (standing.burning, standing.budget_gone_at) == ((BurnWindow.FAST, BurnWindow.SLOW), now)


def test_alarms_of_subjects_that_are_gone_are_forgotten() -> None:
    one = book(agreement(), erp=an_hour_down())
    one.burning = [("bank", "erp", BurnWindow.FAST), ("bank", "mail", BurnWindow.FAST)]

    assert one.burning == [("bank", "erp", BurnWindow.FAST)]
    one.swap([agreement("other")], NEEDS)
    assert one.burning == []


def test_a_correction_is_written_down_with_all_it_changes() -> None:
    one = book(
        agreement(), covering("isp", "line", kind=AgreementKind.UC), covering("dba", "db"),
        agreement("mail", businesses=("mail",)), erp=an_hour_down(), mail=account("mail"),
    )  # fmt: skip
    asked = revision("16 10:30", "16 11:00", availability=UP)
    entry = one.revise(asked)

    assert (entry.number, entry.revision, one.audit) == (1, asked, [entry])
    assert [(one.agreement, one.down_seconds_before, one.down_seconds_after) for one in entry.effects] == [
        ("bank", HOUR, HOUR / 2),
        ("isp", HOUR, HOUR / 2),
        ("dba", HOUR, HOUR / 2),
    ]
    assert entry.effects[0] == RevisedFigures(
        agreement="bank",
        subject="erp",
        period_start=moment("1 00:00"),
        down_seconds_before=HOUR,
        down_seconds_after=HOUR / 2,
        unknown_seconds_before=OPENED - moment("1 00:00"),
        unknown_seconds_after=OPENED - moment("1 00:00"),
        availability_before=8 / 9,
        availability_after=8.5 / 9,
        status_before=SlaStatus.BREACHED,
        status_after=SlaStatus.BREACHED,
    )


def test_an_outage_that_turns_out_to_be_planned_is_taken_out_where_that_was_agreed() -> None:
    one = book(agreement(exclude_planned=True), agreement("strict"), erp=an_hour_down())
    entry = one.revise(revision("16 10:10", "16 10:20", planned=True))

    assert [(one.agreement, one.down_seconds_before, one.down_seconds_after) for one in entry.effects] == [
        ("bank", HOUR, 0.0),
        ("strict", HOUR, HOUR),
    ]


def test_a_planned_outage_raises_no_alarm_where_that_was_agreed() -> None:
    now = moment("16 17:00")
    one = book(agreement(exclude_planned=True), erp=account("erp", (now - HOUR, UP, ""), (now, DOWN, "db")))
    one.revise(revision("16 16:00", "16 17:00", planned=True))

    assert one.look("bank", "erp", now) == []


def test_another_cause_acquits_a_supplier() -> None:
    one = book(covering("isp", "line", kind=AgreementKind.UC), erp=an_hour_down())
    entry = one.revise(revision("16 10:00", "16 11:00", cause="db"))

    assert [(one.down_seconds_before, one.down_seconds_after) for one in entry.effects] == [(HOUR, 0.0)]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (revision("16 10:00", "16 11:00", subject="gone"), "no business 'gone' is accounted for"),
        (revision("16 10:00", "16 11:00", by=" "), "needs who makes it and why"),
        (revision("16 10:00", "16 11:00", why=""), "needs who makes it and why"),
        (revision("16 10:00", "16 11:00", why="x" * 2000), "longer than 2000 letters"),
        (revision("16 11:00", "16 11:00"), "needs a start before its end"),
        (revision("18 11:00", "18 12:00"), "nothing between .* can be revised"),
    ],
)
def test_a_correction_that_cannot_be_made_leaves_no_trace(asked: Revision, told: str) -> None:
    one = book(agreement(), erp=an_hour_down())

    with pytest.raises(ValueError, match=told):
        one.revise(asked)
    assert one.audit == []


def test_the_oldest_corrections_are_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(books, "MOST_AUDIT_ENTRIES", 2)
    one = book(agreement(), erp=an_hour_down())
    for _ in range(3):
        one.revise(revision("16 10:00", "16 11:00", cause="db"))

    assert ([entry.number for entry in one.audit], one.dropped_entries) == ([2, 3], 1)


def test_a_minute_of_a_flapping_business_costs_as_much_as_it_was_down() -> None:
    parts = [(OPENED + n * MINUTE, DOWN if n % 2 else UP, "db") for n in range(1, 61)]
    standing = book(agreement(), erp=account("erp", *parts)).standing("bank", "erp", OPENED + HOUR)

    assert standing is not None
    assert (standing.figures.failures, standing.figures.down_seconds) == (30, 1800.0)


def test_a_window_declared_afterwards_makes_the_past_planned_and_is_written_down_only_where_that_changes_it() -> None:
    ours = (agreement("counts", availability_percent=98.9), agreement("leaves-out", exclude_planned=True))
    one = book(*ours, erp=an_hour_down())
    work = Suppression(
        id="M-1", kind=SuppressionKind.WINDOW, effect=SuppressionEffect.INCIDENTS, matcher=Matcher(businesses=("erp",)),
        start_at=moment("16 10:30"), end_at=moment("16 12:00"),
    )  # fmt: skip
    why = replace(revision("16 10:30", "16 12:00", planned=True), why="M-1 was declared: new line")
    before = [one.standing(name, "erp", moment("16 17:00")) for name in ("counts", "leaves-out")]
    entries = one.plan(WindowBook([work]), [why])
    after = [one.standing(name, "erp", moment("16 17:00")) for name in ("counts", "leaves-out")]

    assert [found.figures.down_seconds for found in before if found] == [HOUR, HOUR]
    assert [found.figures.down_seconds for found in after if found] == [HOUR, HOUR / 2]
    assert [found.figures.planned_down_seconds for found in after if found] == [HOUR / 2, 0.0]
    assert [found.figures.failures for found in after if found] == [1, 1]
    assert [(share.key, share.outages) for share in after[0].figures.by_cause] == [("line", 1)]  # type: ignore[union-attr]
    (entry,) = entries
    assert (entry.number, entry.revision) == (1, why)
    assert [(it.agreement, it.down_seconds_before, it.down_seconds_after) for it in entry.effects] == [
        ("counts", HOUR, HOUR),
        ("leaves-out", HOUR, HOUR / 2),
    ]
    assert one.audit == entries
    assert one.plan(WindowBook([work]), [why]) == []  # nothing changes any more


def test_what_a_supplier_provides_is_cut_where_a_window_ends() -> None:
    line = covering("line", "line", kind=AgreementKind.UC, exclude_planned=True)
    one = book(line, erp=an_hour_down())
    work = Suppression(
        id="M-1", kind=SuppressionKind.WINDOW, effect=SuppressionEffect.INCIDENTS, matcher=Matcher(nodes=("line",)),
        start_at=moment("16 10:30"), end_at=moment("16 12:00"),
    )  # fmt: skip
    one.plan(WindowBook([work]))
    standing = one.standing("line", "line", moment("16 17:00"))

    assert standing is not None
    assert (standing.figures.down_seconds, standing.figures.failures) == (HOUR / 2, 1)
