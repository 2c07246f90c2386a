"""Moments and hours as they are typed."""

import argparse

import pytest

from btimd.cli.ctl_when import hours, weekdays, when
from btimd.model.maintenance import MinuteSpan


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("now", 1000.0),
        ("+2h", 8200.0),
        ("-5m", 700.0),
        ("5m ago", 700.0),
        ("1970-01-01T08:00+08:00", 0.0),
        ("1970-01-02 00:00Z", 86_400.0),
    ],
)
def test_a_moment_is_said_from_now_on_or_by_the_clock(text: str, moment: float) -> None:
    assert when(text)(1000.0) == moment


def test_hours_over_midnight_end_on_the_next_day() -> None:
    assert hours("02:00-04:00, 22:30-01:00") == (MinuteSpan(120, 240), MinuteSpan(1350, 1500))
    assert weekdays("Sun,mon") == (6, 0)


@pytest.mark.parametrize(
    ("read", "text"), [(when, "soon"), (hours, "2-4"), (hours, "25:00-26:00"), (weekdays, "sunday")]
)
def test_what_is_no_moment_no_hours_and_no_weekday_is_refused(read: object, text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=text):
        read(text)  # type: ignore[operator]  # one of three readers
