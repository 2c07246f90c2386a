"""Service calendars: open time, what is added to it, and where clocks are changed."""

import itertools
from bisect import bisect_left
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btimd.model.calendar import (
    ALWAYS,
    FIRST_YEAR,
    LAST_YEAR,
    CalendarHorizonError,
    CalendarRule,
    ServiceCalendar,
    SpecialDays,
)

HOUR = 3600
MINUTE = 60
OFFICE = ((9 * 60, 18 * 60),)
ALL_DAY = ((0, 1440),)
WORKDAYS = frozenset(range(5))
EVERY_DAY = frozenset(range(7))


def at(text: str, zone: str = "UTC", fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


def calendar_of(rule: CalendarRule) -> ServiceCalendar:
    return ServiceCalendar("test", rule)


def office(zone: str = "Asia/Shanghai") -> ServiceCalendar:
    return calendar_of(CalendarRule(zone=ZoneInfo(zone), weekdays=WORKDAYS, hours=OFFICE))


class MinuteByMinute:
    """The slow, obvious calendar: a list of the minutes that are open, found by looking at every minute's clock."""

    def __init__(self, rule: CalendarRule, first: date, last: date) -> None:
        self.start = int(datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp()) - 86400
        self.end = int(datetime(last.year, last.month, last.day, tzinfo=UTC).timestamp()) + 2 * 86400
        minutes = range(self.start, self.end, MINUTE)
        shown = [datetime.fromtimestamp(minute, rule.zone).replace(tzinfo=None) for minute in minutes]
        self.open = [False] * len(minutes)
        # the highest time the clock has shown so far: a clock that is set back shows nothing new for a while
        reached = list(itertools.accumulate(shown, max))
        day = first - timedelta(days=2)
        while day <= last + timedelta(days=2):
            for begins, ends in self._hours(rule, day):
                midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001  as a wall clock shows it
                low, high = midnight + timedelta(minutes=begins), midnight + timedelta(minutes=ends)
                for index in range(bisect_left(reached, low), bisect_left(reached, high)):
                    self.open[index] = True
            day += timedelta(days=1)
        self.sums = [0, *itertools.accumulate(self.open)]

    @staticmethod
    def _hours(rule: CalendarRule, day: date) -> Iterable[tuple[int, int]]:
        special = rule.special_days(day.year)
        if day in rule.own_hours:
            return rule.own_hours[day]
        if day in rule.closed:
            return ()
        if day in rule.opened:
            return rule.hours
        if day in special.off:
            return ()
        if day in special.working or day.weekday() in rule.weekdays:
            return rule.hours
        return ()

    def is_open(self, minute: int) -> bool:
        return self.open[(minute - self.start) // MINUTE]

    def between(self, start: int, end: int) -> int:
        return MINUTE * (self.sums[(end - self.start) // MINUTE] - self.sums[(start - self.start) // MINUTE])

    def add(self, start: int, minutes: int) -> int | None:
        index = (start - self.start) // MINUTE
        while minutes:
            if index >= len(self.open):
                return None
            minutes -= self.open[index]
            index += 1
        return self.start + MINUTE * index

    def subtract(self, end: int, minutes: int) -> int | None:
        index = (end - self.start) // MINUTE
        while minutes:
            index -= 1
            if index < 0:
                return None
            minutes -= self.open[index]
        return self.start + MINUTE * index

    def next_change(self, minute: int) -> int | None:
        index = (minute - self.start) // MINUTE
        for later in range(index + 1, len(self.open)):
            if self.open[later] != self.open[index]:
                return self.start + MINUTE * later
        return None


DAYS = st.dates(date(2026, 3, 24), date(2026, 4, 4)) | st.dates(date(2026, 10, 21), date(2026, 11, 5))
SPANS = st.tuples(st.integers(0, 1439), st.integers(1, 1440)).map(lambda pair: (pair[0], pair[0] + pair[1]))
ZONES = st.sampled_from(
    ["UTC", "Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo",
     "America/Santiago", "Asia/Kathmandu", "Pacific/Apia"]
)  # fmt: skip


@st.composite
def rules(draw: st.DrawFn) -> CalendarRule:
    off, working = draw(st.frozensets(DAYS, max_size=3)), draw(st.frozensets(DAYS, max_size=3))
    return CalendarRule(
        zone=ZoneInfo(draw(ZONES)),
        weekdays=draw(st.frozensets(st.integers(0, 6), min_size=1)),
        hours=draw(st.sampled_from([OFFICE, ALL_DAY, ((0, 150), (150, 151), (1320, 1800))]) | st.tuples(SPANS, SPANS)),
        special_days=lambda _: SpecialDays(off, working),
        closed=draw(st.frozensets(DAYS, max_size=3)),
        opened=draw(st.frozensets(DAYS, max_size=3)),
        own_hours=MappingProxyType(draw(st.dictionaries(DAYS, st.tuples(SPANS), max_size=2))),
    )


PLACES = [(date(2026, 3, 27), date(2026, 3, 31)), (date(2026, 10, 23), date(2026, 11, 2))]


@settings(max_examples=40)
@given(rule=rules(), place=st.sampled_from(PLACES), data=st.data())
def test_the_calendar_answers_as_looking_at_every_minute_does(
    rule: CalendarRule, place: tuple[date, date], data: st.DataObject
) -> None:
    slow, fast = MinuteByMinute(rule, *place), calendar_of(rule)
    whole = range(slow.start + 86400, slow.end - 86400, MINUTE)
    minutes = [whole[0], *data.draw(st.lists(st.sampled_from(whole), min_size=30, max_size=30)), whole[-1]]
    for minute in minutes:
        assert fast.is_open(minute) is slow.is_open(minute)
        if (change := slow.next_change(minute)) is not None and change < whole[-1]:
            assert fast.next_change(minute) == change
    for start, end in itertools.pairwise(minutes):
        assert fast.between(start, end) == max(slow.between(start, end), 0)
        assert fast.milliseconds_between(start * 1000, end * 1000) == max(slow.between(start, end), 0) * 1000
        if (due := slow.add(start, abs(end - start) // 600)) is not None and due < whole[-1]:
            assert fast.add(start, abs(end - start) // 600 * MINUTE) == due
        if (since := slow.subtract(start, abs(end - start) // 600)) is not None and since > whole[0]:
            assert fast.subtract(start, abs(end - start) // 600 * MINUTE) == since


@given(
    start=st.floats(at("2026-01-01"), at("2027-01-01")),
    seconds=st.floats(0, 90 * 86400),
    zone=st.sampled_from(["Asia/Shanghai", "Europe/Berlin"]),
)
def test_what_is_added_is_between(start: float, seconds: float, zone: str) -> None:
    due = OFFICES[zone].add(start, seconds)

    assert OFFICES[zone].between(start, due) == pytest.approx(seconds, abs=1e-5)
    assert seconds == 0 or not OFFICES[zone].between(start, due - 1) >= seconds


OFFICES = {zone: office(zone) for zone in ("Asia/Shanghai", "Europe/Berlin")}


@given(first=st.integers(0, 4 * 10**9), second=st.integers(0, 10**6), third=st.integers(0, 10**9))
def test_milliseconds_add_up_without_a_remainder(first: int, second: int, third: int) -> None:
    base = round(at("2026-01-01") * 1000) + first
    whole = OFFICES["Europe/Berlin"].milliseconds_between(base, base + second + third)
    parts = OFFICES["Europe/Berlin"].milliseconds_between(base, base + second)

    assert parts + OFFICES["Europe/Berlin"].milliseconds_between(base + second, base + second + third) == whole


def test_the_moment_of_opening_is_open_and_that_of_closing_is_not() -> None:
    calendar = office()
    opening, closing = at("2026-11-23 09:00", "Asia/Shanghai"), at("2026-11-23 18:00", "Asia/Shanghai")

    assert [calendar.is_open(moment) for moment in (opening - 0.001, opening, closing - 0.001, closing)] == [
        False,
        True,
        True,
        False,
    ]


def test_an_order_of_friday_afternoon_is_due_on_monday() -> None:
    friday = at("2026-11-20 17:00", "Asia/Shanghai")

    assert office().add(friday, 2 * HOUR) == at("2026-11-23 10:00", "Asia/Shanghai")


def test_time_that_is_used_up_at_closing_time_ends_there() -> None:
    friday = at("2026-11-20 17:00", "Asia/Shanghai")

    assert office().add(friday, HOUR) == at("2026-11-20 18:00", "Asia/Shanghai")


def test_no_time_added_is_the_same_moment_even_at_night() -> None:
    night = at("2026-11-20 23:00", "Asia/Shanghai")

    assert office().add(night, 0) == night
    with pytest.raises(ValueError, match=r"calendar test: -1 seconds cannot be added"):
        office().add(night, -1)


def test_nothing_is_between_a_moment_and_an_earlier_one() -> None:
    noon = at("2026-11-20 12:00", "Asia/Shanghai")

    assert (office().between(noon, noon - HOUR), office().milliseconds_between(5, 4)) == (0.0, 0)


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-03-28", 24)], ids=["spring", "autumn", "usual"]
)
def test_a_day_has_as_many_hours_as_its_clocks_show(day: str, hours: int) -> None:
    every = calendar_of(CalendarRule(zone=ZoneInfo("Europe/Berlin"), weekdays=frozenset({5, 6}), hours=ALL_DAY))
    start = at(day, "Europe/Berlin")
    end = (datetime.fromisoformat(day) + timedelta(days=1)).replace(tzinfo=ZoneInfo("Europe/Berlin")).timestamp()

    assert every.between(start, end) == hours * HOUR


def test_an_opening_the_clocks_jump_over_is_the_moment_of_the_jump() -> None:
    nights = calendar_of(CalendarRule(zone=ZoneInfo("Europe/Berlin"), weekdays=EVERY_DAY, hours=((150, 240),)))
    jump = at("2026-03-29 01:00")

    assert nights.next_change(jump - HOUR) == jump
    assert nights.between(jump - HOUR, jump + 6 * HOUR) == HOUR


def test_a_closing_that_comes_twice_is_the_first_of_the_two() -> None:
    nights = calendar_of(CalendarRule(zone=ZoneInfo("Europe/Berlin"), weekdays=EVERY_DAY, hours=((0, 150),)))
    midnight = at("2026-10-25 00:00", "Europe/Berlin")

    assert nights.next_change(midnight) == at("2026-10-25 02:30", "Europe/Berlin", fold=0)


def test_a_date_that_never_was_has_no_open_time() -> None:
    apia = calendar_of(CalendarRule(zone=ZoneInfo("Pacific/Apia"), weekdays=EVERY_DAY, hours=OFFICE))

    assert apia.between(at("2011-12-29", "Pacific/Apia"), at("2011-12-31", "Pacific/Apia")) == 9 * HOUR


def test_hours_over_midnight_belong_to_the_day_they_begin_on_also_over_new_year() -> None:
    nights = calendar_of(CalendarRule(zone=ZoneInfo("UTC"), weekdays=frozenset({3}), hours=((1320, 1800),)))
    thursday = at("2026-12-31 22:00")

    assert nights.next_change(thursday) == thursday + 8 * HOUR == at("2027-01-01 06:00")
    assert nights.is_open(at("2027-01-01 05:59"))


def test_days_that_are_open_all_day_are_one_stretch_over_new_year() -> None:
    calendar = calendar_of(
        CalendarRule(
            zone=ZoneInfo("Asia/Shanghai"), weekdays=EVERY_DAY, hours=ALL_DAY, closed=frozenset({date(2027, 1, 3)})
        )
    )

    assert calendar.next_change(at("2026-06-01")) == at("2027-01-03", "Asia/Shanghai")
    assert list(calendar.stretches(at("2026-12-30"), at("2027-01-05"))) == [
        (at("2026-12-30"), at("2027-01-03", "Asia/Shanghai")),
        (at("2027-01-04", "Asia/Shanghai"), at("2027-01-05")),
    ]


def test_a_calendar_that_never_closes_again_has_no_next_change() -> None:
    every = calendar_of(CalendarRule(zone=ZoneInfo("UTC"), weekdays=EVERY_DAY, hours=ALL_DAY))

    assert every.next_change(at("2026-06-01")) is None
    assert every.between(at("2026-06-01"), at("2027-06-01")) == 365 * 24 * HOUR


def test_what_is_said_of_a_date_goes_before_what_its_country_and_its_weekday_say() -> None:
    rule = CalendarRule(
        zone=ZoneInfo("UTC"),
        weekdays=WORKDAYS,
        hours=OFFICE,
        special_days=lambda _: SpecialDays(
            frozenset({date(2026, 11, 17), date(2026, 11, 18)}), frozenset({date(2026, 11, 21), date(2026, 11, 22)})
        ),
        closed=frozenset({date(2026, 11, 16), date(2026, 11, 22), date(2026, 11, 19)}),
        opened=frozenset({date(2026, 11, 18)}),
        own_hours=MappingProxyType({date(2026, 11, 19): ((600, 660),)}),
    )

    assert [
        calendar_of(rule).between(at(f"2026-11-{day}"), at(f"2026-11-{day + 1}")) / HOUR for day in range(16, 23)
    ] == [
        0,
        0,
        9,
        1,
        9,
        9,
        0,
    ]


def test_moments_outside_the_years_a_calendar_knows_are_refused() -> None:
    for moment in (-1.0, at("2100-12-31") + 2 * 86400, float("inf"), float("nan")):
        with pytest.raises(
            CalendarHorizonError, match=rf"calendar test: .* outside the years {FIRST_YEAR} to {LAST_YEAR}"
        ):
            office().is_open(moment)


def test_time_that_never_comes_is_refused_with_what_to_do() -> None:
    rule = CalendarRule(zone=ZoneInfo("UTC"), weekdays=frozenset(), hours=OFFICE, opened=frozenset({date(2026, 12, 1)}))

    assert calendar_of(rule).add(at("2026-11-20"), 9 * HOUR) == at("2026-12-01 18:00")
    with pytest.raises(
        CalendarHorizonError, match=r"36000 s of open time do not come between 2026-11-20 00:00 UTC and"
    ):
        calendar_of(rule).add(at("2026-11-20"), 10 * HOUR)


def test_time_is_taken_away_as_it_is_added() -> None:
    monday = at("2026-11-23 10:00", "Asia/Shanghai")
    once = CalendarRule(zone=ZoneInfo("UTC"), weekdays=frozenset(), hours=OFFICE, opened=frozenset({date(2026, 1, 5)}))

    assert office().subtract(monday, 2 * HOUR) == at("2026-11-20 17:00", "Asia/Shanghai")
    assert office().subtract(monday, HOUR) == at("2026-11-23 09:00", "Asia/Shanghai")
    assert (office().subtract(monday, 0), ALWAYS.subtract(monday, HOUR)) == (monday, monday - HOUR)
    assert calendar_of(once).subtract(at("2026-06-01"), 10 * HOUR) == 0.0
    with pytest.raises(ValueError, match=r"calendar test: -1 seconds cannot be taken away"):
        office().subtract(monday, -1)


def test_years_are_made_at_need_only_and_once() -> None:
    asked: list[int] = []

    def special_days(year: int) -> SpecialDays:
        asked.append(year)
        return SpecialDays()

    calendar = calendar_of(
        CalendarRule(zone=ZoneInfo("UTC"), weekdays=WORKDAYS, hours=OFFICE, special_days=special_days)
    )
    calendar.is_open(at("2026-06-01"))
    calendar.add(at("2026-06-01"), 365 * 9 * HOUR)
    calendar.between(at("2025-06-01"), at("2026-06-01"))

    assert asked == [2025, 2026, 2027, 2024]


def test_always_is_open_at_every_moment_there_is() -> None:
    assert ALWAYS.name == "always"
    assert ALWAYS.rule is None
    assert (ALWAYS.is_open(-5.0), ALWAYS.next_change(0.0)) == (True, None)
    assert (ALWAYS.between(2.5, 4.0), ALWAYS.between(4.0, 2.5), ALWAYS.add(1e12, 0.5)) == (1.5, 0.0, 1e12 + 0.5)
    assert ALWAYS.milliseconds_between(-5, 7) == 12
    assert list(ALWAYS.stretches(1.0, 2.0)) == [(1.0, 2.0)]
    assert list(ALWAYS.stretches(2.0, 2.0)) == []
