"""Agreed service time, against a set of the moments that are in it."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from btimd.model.agreement import Maintenance
from btimd.model.calendar import CalendarRule, ServiceCalendar
from btimd.sla.agreedtime import AgreedTime, union, without
from tests.sla.agreeing import HOUR, OFFICE, SHANGHAI, agreement, millis, moment

SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=8)


def moments(spans: list[tuple[int, int]]) -> set[int]:
    return {one for low, high in spans for one in range(low, high)}


@given(SPANS, SPANS)
def test_stretches_are_joined_and_taken_out_as_sets_of_moments_are(
    first: list[tuple[int, int]], second: list[tuple[int, int]]
) -> None:
    joined, taken = union(first), union(second)

    assert moments(joined) == moments(first)
    assert joined == sorted(joined)
    assert all(one[1] < other[0] for one, other in itertools.pairwise(joined))
    assert moments(without(joined, taken)) == moments(first) - moments(second)


def test_maintenance_is_no_service_time_and_is_told() -> None:
    nights = ServiceCalendar("m", CalendarRule(zone=SHANGHAI, weekdays=frozenset({0}), hours=((17 * 60, 20 * 60),)))
    agreed = AgreedTime(
        agreement(
            calendar=OFFICE,
            maintenance_calendars=(nights,),
            maintenance=(Maintenance(moment("17 08:00"), moment("17 10:00"), "CHG-1"),),
        ),
        moment("16 00:00"),
        moment("18 00:00"),
        planned=[(millis("17 12:00"), millis("17 12:30"))],
    )

    # Monday without its last hour, Tuesday without its first hour and half an hour at noon
    assert agreed.total == round((8 + 8 - 0.5) * HOUR * 1000)
    assert agreed.between(millis("16 16:00"), millis("17 10:30")) == round(1.5 * HOUR * 1000)
    assert agreed.between(millis("17 10:30"), millis("16 16:00")) == 0
    assert agreed.excluded_between(millis("16 00:00"), millis("18 00:00")) == round(2.5 * HOUR * 1000)
    assert agreed.after(millis("16 16:30"), round(HOUR * 1000)) == millis("17 10:30")
    assert agreed.after(millis("17 17:30"), round(HOUR * 1000)) is None


BOUNDS = st.tuples(st.integers(0, 2879), st.integers(0, 2879)).map(sorted)


@given(st.lists(BOUNDS, max_size=4), st.lists(BOUNDS, max_size=4), BOUNDS)
def test_service_time_is_what_counting_its_minutes_says(
    maintained: list[list[int]], planned: list[list[int]], asked: list[int]
) -> None:
    start = moment("16 00:00")
    agreed = AgreedTime(
        agreement(
            calendar=OFFICE,
            maintenance=tuple(Maintenance(start + low * 60, start + high * 60) for low, high in maintained),
        ),
        start,
        moment("18 00:00"),
        planned=[(round((start + low * 60) * 1000), round((start + high * 60) * 1000)) for low, high in planned],
    )
    open_minutes = {day * 1440 + one for day in (0, 1) for one in range(540, 1080)}
    inside = open_minutes - moments([(low, high) for low, high in (*maintained, *planned)])
    low, high = (round((start + one * 60) * 1000) for one in asked)

    assert agreed.total == len(inside) * 60_000
    assert agreed.between(low, high) == len(inside & set(range(*asked))) * 60_000
    assert agreed.excluded_between(low, high) == len((open_minutes - inside) & set(range(*asked))) * 60_000
