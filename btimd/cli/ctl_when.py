"""Moments and hours as they are typed at btimctl."""

import argparse
import re
from collections.abc import Callable
from datetime import datetime
from typing import Final

from btimd.cli.common import seconds_of
from btimd.model.maintenance import MinuteSpan

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY: Final = 1440
_HOURS: Final = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")

When = Callable[[float], float]
"""Returns the moment that was meant, given the present one."""


def when(text: str) -> When:
    """Return what a text says of a moment: "now", "+2h", "-30m", "30m ago", "2026-11-22 02:00", or with an offset."""
    if text == "now":
        return lambda now: now
    if text.endswith(" ago"):
        text = f"-{text.removesuffix(' ago').strip()}"
    if text[:1] in {"+", "-"}:
        seconds = seconds_of(text[1:])
        return (lambda now: now + seconds) if text[0] == "+" else (lambda now: now - seconds)
    try:
        moment = datetime.fromisoformat(text).astimezone().timestamp()
    except (ValueError, OverflowError, OSError) as error:
        raise argparse.ArgumentTypeError(
            f'{text!r} is no moment; write "2026-11-22 02:00" (local time), 2026-11-22T02:00+08:00, +2h, "30m ago", now'
        ) from error
    return lambda _: moment


def hours(text: str) -> tuple[MinuteSpan, ...]:
    """Return hours of a day: "02:00-04:00", several with commas between; over midnight "22:00-02:00"."""
    found = []
    for part in text.split(","):
        read = _HOURS.fullmatch(part.strip())
        if read is None:
            raise argparse.ArgumentTypeError(f'{part!r} are no hours; write "02:00-04:00"')
        low, high = (int(read[one]) * 60 + int(read[one + 1]) for one in (1, 3))
        found.append(MinuteSpan(low, high if high > low else high + _DAY))
    return tuple(found)


def weekdays(text: str) -> tuple[int, ...]:
    """Return weekdays: "sun", "mon,tue"."""
    names = [part.strip().lower() for part in text.split(",")]
    for name in names:
        if name not in WEEKDAYS:
            raise argparse.ArgumentTypeError(f"{name!r} is no weekday; write {', '.join(WEEKDAYS)}")
    return tuple(WEEKDAYS.index(name) for name in names)
