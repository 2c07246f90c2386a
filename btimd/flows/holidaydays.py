"""Holidays and make-up workdays, of a country's calendar and of the operator's own file."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import holidays

from btimd.flows.season import DayKind, weekday_kind

_WORDS = {
    "workday": DayKind.WORKDAY,
    "saturday": DayKind.SATURDAY,
    "sunday": DayKind.SUNDAY,
    "holiday": DayKind.HOLIDAY,
}
_MOST_LINES = 100_000


def day_kinds(country: str = "", subdivision: str = "", days_file: Path | None = None) -> Callable[[date], DayKind]:
    """Return what tells the kind of a date; raises ValueError that says what is wrong and what to write.

    country: ISO 3166 code, "" = weeks only. days_file: lines "2026-05-02 workday", which win over the calendar.
    """
    own = {} if days_file is None else read_days(days_file)
    calendar: Any = None
    if country:
        try:
            calendar = holidays.country_holidays(country, subdiv=subdivision or None)
        except NotImplementedError as error:
            raise ValueError(f"{error}; write an ISO 3166 code such as CN, DE or US") from error

    def kind_of(day: date) -> DayKind:
        found = own.get(day)
        if found is not None:
            return found
        plain = weekday_kind(day)
        if calendar is None:
            return plain
        if day in calendar:
            return DayKind.HOLIDAY
        if plain is not DayKind.WORKDAY and day in calendar.weekend_workdays:
            return DayKind.WORKDAY
        return plain

    return kind_of


def read_days(path: Path) -> dict[date, DayKind]:
    """Return the days of a file: a date and its kind per line; raises ValueError with the line."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"cannot read {path}: {error}; list days there, one per line: 2026-05-02 workday") from error
    if len(lines) > _MOST_LINES:
        raise ValueError(f"{path}: {len(lines)} lines, at most {_MOST_LINES}")
    days = {}
    for number, line in enumerate(lines, 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        try:
            day, word = words
            days[date.fromisoformat(day)] = _WORDS[word]
        except (ValueError, KeyError):
            raise ValueError(
                f"{path}:{number}: {line.strip()[:80]!r} is no day; write: 2026-05-02 {'|'.join(_WORDS)}"
            ) from None
    return days
