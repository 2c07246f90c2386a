"""Recurrence rules that are safe to follow."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pytest
from dateutil.rrule import rrulestr  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from btimd.itsm.rotaicalrules import _parsed, check_rule

FIRST = date(2024, 1, 31)


def words(text: str) -> dict[str, Sequence[str]]:
    parts = (part.partition("=") for part in text.split(";"))
    return {key: values.split(",") for key, _, values in parts}


DAYS = st.lists(st.sampled_from(["MO", "WE", "SU"]), max_size=2, unique=True)
RULES = st.one_of(
    st.builds("FREQ=DAILY;INTERVAL={};BYDAY={}".format, st.integers(1, 9), DAYS.map(",".join)),
    st.builds("FREQ=WEEKLY;INTERVAL={};BYDAY={}".format, st.integers(1, 5), DAYS.map(",".join)),
    st.builds(
        "FREQ=MONTHLY;INTERVAL={};BYDAY={};BYMONTHDAY={}".format,
        st.integers(1, 13),
        st.sampled_from(["", "2TU", "-1FR", "MO,3SU"]),
        st.sampled_from(["", "1", "31", "-1", "15,-2"]),
    ),
    st.builds(
        "FREQ=YEARLY;BYMONTH={};BYDAY={};BYMONTHDAY={}".format,
        st.sampled_from(["2", "3,11"]),
        st.sampled_from(["", "-1SU"]),
        st.sampled_from(["", "29", "30", "-1"]),
    ),
    st.builds("FREQ=YEARLY;INTERVAL={};BYMONTHDAY={}".format, st.integers(1, 3), st.sampled_from(["", "7"])),
)


@settings(max_examples=60)
@given(RULES, st.integers(0, 800))
def test_a_rule_holds_on_the_days_that_another_implementation_gives(text: str, offset: int) -> None:
    text = ";".join(part for part in text.split(";") if not part.endswith("="))
    first = FIRST + timedelta(days=offset)
    began = datetime(first.year, first.month, first.day)  # noqa: DTZ001  wall clock
    last = began + timedelta(days=1500)
    until = f"{text};UNTIL={last:%Y%m%dT%H%M%S}"
    if text in {"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=YEARLY;BYMONTH=2;BYDAY=-1SU;BYMONTHDAY=30"}:
        return  # the other one searches to the year 9999
    if "BYDAY" in text and "BYMONTHDAY" in text:
        until = text.replace("FREQ=YEARLY", "FREQ=MONTHLY") + f";UNTIL={last:%Y%m%dT%H%M%S}"
    if "MONTHLY" in until and "INTERVAL=12" in until:
        return  # the same may happen
    expected = {one.date() for one in rrulestr(until, dtstart=began)}
    rule = _parsed(words(text))

    found = {day for number in range(1501) if rule.holds(day := first + timedelta(days=number), first)}
    assert found == expected


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
