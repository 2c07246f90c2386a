from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.itsm import deadlines
from btimd.itsm.deadlines import ALWAYS, DAY, HOUR, MINUTE, Limit, TimerRules
from btimd.model.incident import ClockStatus, Priority, ServiceClock

T0 = 1_700_000_000.0


@dataclass(frozen=True)
class HalfDays:
    """Open for the first twelve hours of every day since T0."""

    name: str = "half days"

    def is_open(self, at: float) -> bool:
        return (at - T0) % DAY < DAY / 2

    def _open_since_start(self, at: float) -> float:
        days, rest = divmod(at - T0, DAY)
        return days * DAY / 2 + min(rest, DAY / 2)

    def between(self, start: float, end: float) -> float:
        return max(0.0, self._open_since_start(end) - self._open_since_start(start))

    def add(self, start: float, seconds: float) -> float:
        days, rest = divmod(self._open_since_start(start) + seconds, DAY / 2)
        if rest == 0.0 and seconds > 0.0:
            return T0 + (days - 1) * DAY + DAY / 2
        return max(start, T0 + days * DAY + rest)


HALF = HalfDays()
PROMISE = deadlines.started(8 * HOUR, T0 + 10 * HOUR, HALF)


def test_the_table_is_that_of_the_handbook() -> None:
    rules = TimerRules()

    assert [rules.seconds(Limit.WAIT, of) for of in Priority] == [30, 120, 300, 900, 1800]
    assert [rules.seconds(Limit.ACCEPT, of) / MINUTE for of in Priority] == [5, 10, 30, 120, 240]
    assert [rules.seconds(Limit.RESOLUTION, of) / HOUR for of in Priority] == [2, 4, 8, 24, 40]
    assert [rules.seconds(Limit.REOPEN, of) / HOUR for of in Priority] == [24, 24, 48, 72, 72]


def test_the_lesser_priorities_wait_in_service_hours_only() -> None:
    closed = T0 + 13 * HOUR

    assert TimerRules().after(Limit.ACCEPT, Priority.P3, closed, HALF) == closed + 30 * MINUTE
    assert TimerRules().after(Limit.ACCEPT, Priority.P4, closed, HALF) == T0 + DAY + 2 * HOUR
    assert TimerRules().after(Limit.REOPEN, Priority.P5, closed, HALF) == closed + 3 * DAY


def test_a_promise_is_due_after_so_much_service_time() -> None:
    assert ServiceClock(ClockStatus.RUNNING, 8 * HOUR, T0 + DAY + 6 * HOUR) == PROMISE
    assert deadlines.started(0.0, T0, ALWAYS) == ServiceClock()


def test_marks_are_reached_in_service_time() -> None:
    assert deadlines.next_mark(PROMISE, T0 + 10 * HOUR, HALF) == T0 + DAY + 2 * HOUR
    half = deadlines.marked(PROMISE, T0 + DAY + 2 * HOUR, HALF)
    assert (half.told_percent, half.status) == (50, ClockStatus.RUNNING)
    assert deadlines.next_mark(half, T0 + DAY + 2 * HOUR, HALF) == T0 + DAY + 4 * HOUR
    late = deadlines.marked(half, T0 + 2 * DAY, HALF)
    assert (late.told_percent, late.status) == (100, ClockStatus.BREACHED)
    assert deadlines.next_mark(late, T0 + 2 * DAY, HALF) is None


def test_a_mark_looked_at_too_early_changes_nothing() -> None:
    assert deadlines.marked(PROMISE, T0 + 11 * HOUR, HALF) == PROMISE


def test_what_is_done_in_time_is_met_and_what_is_late_is_breached() -> None:
    met = deadlines.ended(PROMISE, T0 + DAY + 5 * HOUR, HALF)
    late = deadlines.ended(PROMISE, T0 + DAY + 7 * HOUR, HALF)

    assert (met.status, met.remaining_seconds, met.ended_at) == (ClockStatus.MET, HOUR, T0 + DAY + 5 * HOUR)
    assert (late.status, late.remaining_seconds) == (ClockStatus.BREACHED, -HOUR)
    assert deadlines.ended(met, T0 + 9 * DAY, HALF) == met
    assert deadlines.ended(deadlines.marked(PROMISE, T0 + 2 * DAY, HALF), T0 + 2 * DAY, HALF).status is (
        ClockStatus.BREACHED
    )


def test_a_paused_clock_goes_on_with_what_was_left() -> None:
    paused = deadlines.paused(PROMISE, T0 + 11 * HOUR, HALF)
    resumed = deadlines.resumed(paused, T0 + 3 * DAY + HOUR, HALF)

    assert (paused.status, paused.due_at, paused.remaining_seconds) == (ClockStatus.PAUSED, None, 7 * HOUR)
    assert not deadlines.runs(paused)
    assert (resumed.status, resumed.due_at) == (ClockStatus.RUNNING, T0 + 3 * DAY + 8 * HOUR)
    assert deadlines.paused(deadlines.ended(PROMISE, T0 + DAY, HALF), T0 + DAY, HALF).status is ClockStatus.MET


def test_what_counted_as_done_goes_on_with_what_was_left() -> None:
    met = deadlines.ended(PROMISE, T0 + 11 * HOUR, HALF)
    again = deadlines.continued(met, T0 + DAY, HALF)

    assert (again.status, again.due_at, again.ended_at) == (ClockStatus.RUNNING, T0 + DAY + 7 * HOUR, None)
    assert deadlines.continued(PROMISE, T0 + DAY, HALF) == PROMISE


def test_what_was_given_up_ran_on_all_the_time() -> None:
    stopped = deadlines.stopped(PROMISE, T0 + 11 * HOUR, HALF)

    assert (stopped.status, stopped.ended_at) == (ClockStatus.STOPPED, T0 + 11 * HOUR)
    assert deadlines.continued(stopped, T0 + DAY, HALF) == PROMISE
    broken = deadlines.marked(PROMISE, T0 + 3 * DAY, HALF)
    assert deadlines.stopped(broken, T0 + 3 * DAY, HALF).status is ClockStatus.BREACHED


def test_a_stricter_promise_counts_from_the_opening_and_a_milder_one_is_none() -> None:
    opened, now = T0 + 10 * HOUR, T0 + DAY + 1 * HOUR
    strict = deadlines.tightened(PROMISE, 4 * HOUR, opened, now, HALF)

    assert strict == ServiceClock(ClockStatus.RUNNING, 4 * HOUR, T0 + DAY + 2 * HOUR, told_percent=75)
    assert deadlines.tightened(PROMISE, 9 * HOUR, opened, now, HALF) == PROMISE
    broken = deadlines.tightened(PROMISE, HOUR, opened, now, HALF)
    assert (broken.due_at, broken.told_percent, broken.status) == (T0 + 11 * HOUR, 90, ClockStatus.RUNNING)
    assert deadlines.next_mark(broken, now, HALF) == T0 + 11 * HOUR, "it is broken at once"
    paused = deadlines.paused(PROMISE, T0 + 11 * HOUR, HALF)
    assert deadlines.tightened(paused, 4 * HOUR, opened, now, HALF).remaining_seconds == 3 * HOUR


@pytest.mark.parametrize("calendar", [ALWAYS, HALF], ids=lambda one: one.name)
@given(allowed=st.floats(60, 40 * HOUR), pauses=st.lists(st.tuples(st.floats(0, HOUR), st.floats(0, DAY)), max_size=4))
def test_pauses_move_the_deadline_by_the_service_time_they_took(
    calendar: HalfDays, allowed: float, pauses: list[tuple[float, float]]
) -> None:
    now, clock, waited = T0, deadlines.started(allowed, T0, calendar), 0.0
    for worked, paused in pauses:
        now += worked
        if clock.due_at is not None and now < clock.due_at:
            clock = deadlines.paused(clock, now, calendar)
            waited += calendar.between(now, now + paused)
            now += paused
            clock = deadlines.resumed(clock, now, calendar)
    assert clock.due_at is not None
    assert calendar.between(T0, clock.due_at) == pytest.approx(allowed + waited, abs=0.01)
