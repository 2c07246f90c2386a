"""What was kept of an agreement, against counting minutes."""

from collections.abc import Sequence
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btimd.model.agreement import Agreement, DownShare, Maintenance, OutageFact, PeriodFigures
from btimd.model.sla import Availability, SlaStatus
from btimd.sla.availability import Stretch, agreed_time, figures
from tests.sla.agreeing import HOUR, MINUTE, OFFICE, agreement, moment

UP, DOWN, UNKNOWN = Availability.UP, Availability.DOWN, Availability.UNKNOWN
START, END = moment("1 00:00"), moment("30 00:00") + 24 * HOUR


def stretches(*parts: tuple[float, Availability], start: float) -> list[Stretch]:
    found, at = [], start
    for end, condition in parts:
        found.append((round(at * 1000), round(end * 1000), condition))
        at = end
    return found


def kept(
    one: Agreement,
    seen: Sequence[Stretch],
    facts: Sequence[OutageFact],
    now: float,
    period: tuple[float, float] = (START, END),
) -> PeriodFigures:
    agreed = agreed_time(one, period, facts, now)
    return figures(one, "erp", agreed=agreed, stretches=seen, facts=facts, now=now)


def outage(begins: float, ends: float | None, **what: Any) -> OutageFact:
    return OutageFact(subject="erp", began_at=begins, ended_at=ends, **what)


def test_down_time_at_night_costs_an_office_nothing() -> None:
    """Monday 16th 17:30 until Tuesday 10:00 down: half an hour and an hour of service time."""
    down, up = moment("16 17:30"), moment("17 10:00")
    seen = stretches((down, UP), (up, DOWN), (moment("17 12:00"), UP), start=moment("16 09:00"))
    facts = [outage(down, up, cause="db1", supplier="Oracle", users=40, users_exact=True)]

    assert kept(
        agreement(calendar=OFFICE, availability_percent=99.0), seen, facts, moment("17 12:00")
    ) == PeriodFigures(
        agreement="bank",
        subject="erp",
        period_start=START,
        period_end=END,
        at=moment("17 12:00"),
        agreed_seconds=21 * 9 * HOUR,
        excluded_seconds=0.0,
        up_seconds=10.5 * HOUR,
        down_seconds=1.5 * HOUR,
        unknown_seconds=90 * HOUR,
        availability=10.5 / 12,
        coverage=12 / 102,
        failures=1,
        mttr_seconds=1.5 * HOUR,
        mtbf_seconds=10.5 * HOUR,
        mtbsi_seconds=12 * HOUR,
        error_budget_seconds=cast("float", pytest.approx(1.89 * HOUR)),
        budget_used=cast("float", pytest.approx(1.5 / 1.89)),
        status=SlaStatus.BREACHED,
        user_minutes_lost=40 * 90.0,
        user_minutes_coverage=1.0,
        user_minutes_exact=True,
        planned_down_seconds=0.0,
        by_cause=(DownShare("db1", 1.5 * HOUR, 1),),
        by_supplier=(DownShare("Oracle", 1.5 * HOUR, 1),),
    )


def test_nothing_measured_is_unknown_and_never_up() -> None:
    state = kept(agreement(calendar=OFFICE), [], [], moment("17 12:00"))

    assert (state.up_seconds, state.unknown_seconds) == (0.0, 102 * HOUR)
    assert (state.availability, state.coverage, state.status) == (None, 0.0, SlaStatus.UNMEASURED)
    assert (state.failures, state.mttr_seconds, state.user_minutes_coverage) == (0, None, None)


def test_before_the_first_service_time_there_is_no_coverage() -> None:
    assert kept(agreement(calendar=OFFICE), [], [], START).coverage is None


def test_agreed_maintenance_is_no_down_time_and_no_service_time() -> None:
    one = agreement(maintenance=(Maintenance(moment("2 00:00"), moment("2 04:00")),))
    down, up = moment("2 01:00"), moment("2 05:00")
    seen = stretches((down, UP), (up, DOWN), (moment("3 00:00"), UP), start=START)
    state = kept(one, seen, [outage(down, up, planned=True)], moment("3 00:00"))

    assert (state.down_seconds, state.up_seconds, state.excluded_seconds) == (HOUR, 43 * HOUR, 4 * HOUR)
    assert (state.agreed_seconds, state.planned_down_seconds) == (716 * HOUR, HOUR)


def test_planned_outages_do_not_count_where_that_was_agreed() -> None:
    down, up = moment("2 01:00"), moment("2 05:00")
    seen = stretches((down, UP), (up, DOWN), (moment("3 00:00"), UP), start=START)
    state = kept(agreement(exclude_planned=True), seen, [outage(down, up, planned=True)], moment("3 00:00"))

    assert (state.down_seconds, state.excluded_seconds, state.failures) == (0.0, 4 * HOUR, 0)


def test_a_planned_outage_that_goes_on_is_left_out_up_to_now() -> None:
    down = moment("2 01:00")
    seen = stretches((down, UP), (moment("2 05:00"), DOWN), start=START)
    state = kept(agreement(exclude_planned=True), seen, [outage(down, None, planned=True)], moment("2 05:00"))

    assert (state.down_seconds, state.excluded_seconds, state.agreed_seconds) == (0.0, 4 * HOUR, 716 * HOUR)


def test_down_time_is_split_by_cause_and_what_no_outage_tells_of_is_not_known() -> None:
    seen = stretches(
        (moment("2 00:00"), UP), (moment("2 01:00"), DOWN), (moment("2 02:00"), UP), (moment("2 05:00"), DOWN),
        (moment("2 06:00"), UP), (moment("2 07:00"), DOWN), start=START,
    )  # fmt: skip
    facts = [
        outage(moment("2 00:00"), moment("2 01:00"), cause="db1", users=10),
        outage(moment("2 02:00"), moment("2 05:00"), cause="isp", supplier="Telecom", planned=True),
    ]
    state = kept(agreement(), seen, facts, moment("2 07:00"))

    assert state.by_cause == (DownShare("isp", 3 * HOUR, 1), DownShare("", HOUR, 0), DownShare("db1", HOUR, 1))
    assert state.by_supplier == (DownShare("Telecom", 3 * HOUR, 1), DownShare("", 2 * HOUR, 1))
    assert (state.user_minutes_lost, state.user_minutes_coverage, state.user_minutes_exact) == (600.0, 0.2, False)
    assert state.planned_down_seconds == 3 * HOUR


def test_many_causes_are_put_together() -> None:
    facts = [outage(START + n * MINUTE, START + n * MINUTE + 30, cause=f"n{n:02}") for n in range(60)]
    seen = [
        (round(begin * 1000), round(end * 1000), condition)
        for one in facts
        for begin, end, condition in (
            (one.began_at, one.began_at + 30, DOWN), (one.began_at + 30, one.began_at + 60, UP),
        )
    ]  # fmt: skip
    state = kept(agreement(), seen, facts, START + HOUR)

    assert len(state.by_cause) == 51
    assert state.by_cause[-1] == DownShare("...", 300.0, 10)
    assert (state.failures, state.mttr_seconds) == (60, 30.0)


@pytest.mark.parametrize(
    ("down_minutes", "still", "status"),
    [
        (0, False, SlaStatus.MET),
        (10, False, SlaStatus.MET),
        (12, False, SlaStatus.AT_RISK),
        (33, False, SlaStatus.AT_RISK),
        (30, True, SlaStatus.AT_RISK),
        (43, False, SlaStatus.AT_RISK),
        (44, False, SlaStatus.BREACHED),
    ],
)
def test_the_status_follows_the_budget_of_the_agreed_time(
    down_minutes: float, *, still: bool, status: SlaStatus
) -> None:
    """99.9 % of 30 days leave 43.2 minutes; the 5th is 13 % of the month."""
    begin = moment("5 00:00")
    end = begin + down_minutes * MINUTE
    now = end if still else end + HOUR
    seen = stretches((begin, UP), (end, DOWN), (now, UP), start=START)

    assert kept(agreement(), seen, [outage(begin, None if still else end)], now).status is status


def test_a_target_that_is_just_met_at_the_end_is_met() -> None:
    begin = moment("5 00:00")
    end = begin + 43.2 * MINUTE
    seen = stretches((begin, UP), (end, DOWN), (END, UP), start=START)

    assert kept(agreement(), seen, [outage(begin, end)], END + 1).status is SlaStatus.MET


PARTS = st.lists(
    st.tuples(st.integers(1, 900), st.sampled_from([UP, DOWN, UNKNOWN])), min_size=1, max_size=12
)  # fmt: skip


@settings(max_examples=60)
@given(PARTS, st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 900)), max_size=3), st.integers(0, 6000))
def test_figures_are_what_counting_minutes_says(
    parts: list[tuple[int, Availability]], maintained: list[tuple[int, int]], elapsed: int
) -> None:
    period = (moment("16 00:00"), moment("20 00:00"))
    colours = [condition for length, condition in parts for _ in range(length)]
    seen, at = [], round(period[0] * 1000)
    for length, condition in parts:
        seen.append((at, at + length * 60_000, condition))
        at += length * 60_000
    facts = [outage(low / 1000, high / 1000) for low, high, condition in seen if condition is DOWN]
    windows = tuple(Maintenance(period[0] + a * 60, period[0] + (a + b) * 60) for a, b in maintained)
    state = kept(agreement(calendar=OFFICE, maintenance=windows), seen, facts, period[0] + elapsed * 60, period)
    counted = dict.fromkeys(Availability, 0)
    for minute in range(min(elapsed, 4 * 1440)):
        shut = any(a <= minute < a + b for a, b in maintained)
        if 540 <= minute % 1440 < 1080 and not shut:
            counted[colours[minute] if minute < len(colours) else UNKNOWN] += 60

    assert (state.up_seconds, state.down_seconds, state.unknown_seconds) == (
        counted[UP],
        counted[DOWN],
        counted[UNKNOWN],
    )
    assert sum(one.down_seconds for one in state.by_cause) == counted[DOWN]
    measured = counted[UP] + counted[DOWN]
    assert state.availability == (counted[UP] / measured if measured else None)
