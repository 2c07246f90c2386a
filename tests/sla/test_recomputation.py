"""What was put right, and windows that were declared afterwards: the same figures as if it had been known at once."""

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from btimd.model.agreement import Agreement, OutageChange, PeriodFigures, Revision
from btimd.model.calendar import CalendarRule, ServiceCalendar
from btimd.model.maintenance import Matcher, Suppression, SuppressionEffect, SuppressionKind
from btimd.model.sla import Availability, SlaTarget
from btimd.sla.accounting import AvailabilityAccount
from btimd.sla.book import AgreementBook
from btimd.sla.windows import WindowBook
from tests.sla.agreeing import OFFICE, SHANGHAI, agreement, moment

SLOT = 600.0
SLOTS = 3 * 144
START = moment("15 00:00")
END = START + SLOTS * SLOT
NIGHTS = ServiceCalendar("nights", CalendarRule(zone=SHANGHAI, weekdays=frozenset({0}), hours=((600, 660),)))
UP, DOWN, UNKNOWN = Availability.UP, Availability.DOWN, Availability.UNKNOWN

CONDITIONS = st.sampled_from([UP, UP, DOWN, UNKNOWN])
RUNS = st.lists(st.tuples(st.integers(1, 60), CONDITIONS), min_size=3, max_size=25)
SPANS = st.tuples(st.integers(0, SLOTS - 1), st.integers(1, 100)).map(lambda one: (one[0], min(sum(one), SLOTS)))
CORRECTIONS = st.lists(st.tuples(SPANS, CONDITIONS), max_size=6)
WINDOWS = st.lists(SPANS, max_size=3)


@dataclass(frozen=True)
class Truth:
    """The condition of every slot, and which slots lie in windows."""

    slots: tuple[Availability, ...]
    planned: tuple[bool, ...]


def spread(runs: list[tuple[int, Availability]]) -> list[Availability]:
    slots = [condition for length, condition in runs for _ in range(length)][:SLOTS]
    return slots + [UP] * (SLOTS - len(slots))


def observed(slots: list[Availability]) -> AvailabilityAccount:
    account = AvailabilityAccount(SlaTarget("erp", 99.0), opened_at=START, stale_after_seconds=10**8)
    for number, condition in enumerate(slots):
        account.observe(condition, START + number * SLOT)
    account.advance(END)
    return account


def window(number: int, span: tuple[int, int]) -> Suppression:
    low, high = (START + one * SLOT for one in span)
    return Suppression(
        id=f"M-{number}", kind=SuppressionKind.WINDOW, effect=SuppressionEffect.INCIDENTS,
        matcher=Matcher(businesses=("erp",)), start_at=low, end_at=high,
    )  # fmt: skip


def agreements() -> tuple[Agreement, ...]:
    return (
        agreement("always"),
        agreement("office", calendar=OFFICE, maintenance_calendars=(NIGHTS,)),
        agreement("leaves-out", calendar=OFFICE, exclude_planned=True),
    )


def figures(book: AgreementBook, name: str) -> PeriodFigures:
    standing = book.standing(name, "erp", END)
    assert standing is not None
    return standing.figures


def by_looking_at_every_slot(truth: Truth, one: Agreement) -> tuple[float, float, float, float]:
    """Return up, down, unknown and planned down time, the slow and obvious way."""
    up = down = unknown = planned = 0.0
    for number, (condition, is_planned) in enumerate(zip(truth.slots, truth.planned, strict=True)):
        at = START + number * SLOT
        counts = one.calendar.is_open(at) and not any(other.is_open(at) for other in one.maintenance_calendars)
        planned_down = is_planned and condition is DOWN
        if not counts or (one.exclude_planned and planned_down):
            continue
        up += SLOT if condition is UP else 0.0
        down += SLOT if condition is DOWN else 0.0
        unknown += SLOT if condition is UNKNOWN else 0.0
        planned += SLOT if planned_down else 0.0
    return up, down, unknown, planned


@settings(max_examples=25)
@given(RUNS, CORRECTIONS, WINDOWS)
def test_corrections_and_late_windows_give_what_would_have_been_reckoned_at_once(
    runs: list[tuple[int, Availability]],
    corrections: list[tuple[tuple[int, int], Availability]],
    spans: list[tuple[int, int]],
) -> None:
    slots = spread(runs)
    put_right = AgreementBook({"erp": observed(slots)}, agreements())
    for (low, high), condition in corrections:
        change = OutageChange(availability=condition)
        begin, stop = START + low * SLOT, START + high * SLOT
        put_right.revise(Revision(subject="erp", start=begin, end=stop, change=change, by="li", at=END, why="late"))
        slots[low:high] = [condition] * (high - low)
    windows = [window(number, span) for number, span in enumerate(spans)]
    declared: list[Suppression] = []
    for one in windows:  # one after the other, each afterwards
        declared.append(one)
        put_right.plan(WindowBook(declared))
    at_once = AgreementBook({"erp": observed(slots)}, agreements())
    at_once.plan(WindowBook(windows))
    planned = tuple(any(low <= number < high for low, high in spans) for number in range(SLOTS))
    truth = Truth(tuple(slots), planned)
    month_before = START - moment("1 00:00")  # nobody measured then

    for one in put_right.agreements:
        found = figures(put_right, one.name)
        assert found == figures(at_once, one.name)
        up, down, unknown, planned_down = by_looking_at_every_slot(truth, one)
        before = one.calendar.between(START - month_before, START)
        before -= sum(
            stop - begin
            for other in one.maintenance_calendars
            for begin, stop in other.stretches(moment("1 00:00"), START)
        )
        assert (found.up_seconds, found.down_seconds, found.planned_down_seconds) == (up, down, planned_down)
        assert found.unknown_seconds == unknown + before


@settings(max_examples=10)
@given(RUNS, CORRECTIONS)
def test_an_account_that_was_kept_and_read_back_is_reckoned_the_same(
    runs: list[tuple[int, Availability]], corrections: list[tuple[tuple[int, int], Availability]]
) -> None:
    account = observed(spread(runs))
    for (low, high), condition in corrections:
        account.revise(START + low * SLOT, START + high * SLOT, OutageChange(availability=condition))
    again = AvailabilityAccount.from_document(account.to_document())

    for one in agreements():
        kept, read = (AgreementBook({"erp": each}, agreements()) for each in (account, again))
        assert figures(kept, one.name) == figures(read, one.name)
