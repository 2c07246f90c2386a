"""Recurrence rules that are safe to follow."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pytest
from dateutil.rrule import rrulestr

from btimd.itsm.rotaicalrules import _parsed, check_rule

FIRST = date(2024, 1, 31)


def words(text: str) -> dict[str, Sequence[str]]:
    parts = (part.partition("=") for part in text.split(";"))
    return {key: values.split(",") for key, _, values in parts}


@pytest.mark.parametrize("begins", [date(2024, 1, 31), date(2024, 2, 29), date(2025, 3, 3), date(2025, 7, 7)])
@pytest.mark.parametrize(
    "text",
    [
        "FREQ=DAILY",
        "FREQ=DAILY;INTERVAL=3;BYDAY=MO,SU",
        "FREQ=DAILY;BYMONTH=2,3",
        "FREQ=WEEKLY",
        "FREQ=WEEKLY;INTERVAL=3;BYDAY=TU,SU",
        "FREQ=MONTHLY;BYMONTHDAY=31",
        "FREQ=MONTHLY;INTERVAL=5;BYMONTHDAY=1,-1",
        "FREQ=MONTHLY;BYDAY=2TU,-1FR",
        "FREQ=MONTHLY;INTERVAL=2;BYDAY=WE",
        "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
        "FREQ=YEARLY;BYMONTH=3,10;BYDAY=-1SU",
        "FREQ=YEARLY;BYMONTHDAY=7",
        "FREQ=YEARLY;BYDAY=MO",
        "FREQ=YEARLY;INTERVAL=2;BYMONTHDAY=-1",
    ],
)
def test_a_rule_holds_on_the_days_that_another_implementation_gives(text: str, begins: date) -> None:
    start = datetime(begins.year, begins.month, begins.day)  # noqa: DTZ001  wall clock
    last = start + timedelta(days=1000)
    expected = {one.date() for one in rrulestr(f"{text};UNTIL={last:%Y%m%dT%H%M%S}", dtstart=start)}
    rule = _parsed(words(text))

    assert {day for number in range(1001) if rule.holds(day := begins + timedelta(days=number), begins)} == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("FREQ=HOURLY", "repeats HOURLY; write DAILY, WEEKLY, MONTHLY, YEARLY"),
        ("INTERVAL=1", "repeats by no known rule; write DAILY"),
        ("FREQ=DAILY;BYSETPOS=1", "repeats DAILY with BYSETPOS, which is not read"),
        ("FREQ=YEARLY;BYWEEKNO=1", "repeats YEARLY with BYWEEKNO, which is not read"),
        ("FREQ=DAILY;INTERVAL=0", "interval 0; at most 400, with months 1"),
        ("FREQ=DAILY;INTERVAL=401", "interval 401; at most 400, with months 1"),
        ("FREQ=DAILY;INTERVAL=2;BYMONTH=1", "interval 2; at most 400, with months 1"),
        ("FREQ=WEEKLY;BYDAY=2MO", "counts weekdays in something other than a month"),
        ("FREQ=YEARLY;BYDAY=20MO", "counts weekdays in something other than a month"),
        ("FREQ=MONTHLY;BYDAY=MO,3SU", "mixes weekdays with and without a number, which is not read"),
        ("FREQ=MONTHLY;BYDAY=XX", "repeats on 'XX', which is no weekday"),
        ("FREQ=DAILY;BYHOUR=1,2,3,4,5;BYSECOND=1,2,3,4,5", "repeats 25 times a day; at most 24 are read"),
        ("FREQ=DAILY;INTERVAL=7;BYDAY=MO", "has a rule that does not come true any more"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "has a rule that does not come true any more"),
        ("FREQ=MONTHLY;BYDAY=5MO;BYMONTHDAY=1", "has a rule that does not come true any more"),
    ],
)
def test_what_is_not_safe_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        check_rule(words(text), FIRST, date(2026, 11, 2))


def test_what_rotas_use_is_safe_and_costs_little() -> None:
    end = date(2026, 11, 2)

    assert check_rule(words("FREQ=DAILY;COUNT=3"), FIRST, end) == 1
    assert check_rule(words("FREQ=WEEKLY;INTERVAL=3;BYDAY=MO"), FIRST, end) == 21
    assert check_rule(words("FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=8"), FIRST, end) == 25
    assert check_rule(words("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29"), FIRST, end) == 484
