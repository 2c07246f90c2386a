"""Which recurrence rules (RFC 5545, 3.3.10) of strangers' calendars are safe to follow.

A rule that never comes true again is searched to the year 9999, which takes many seconds for one event. So rules are
held to what rotas need, and each must come true within some years after the span that is asked for.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_KEYS: Final[Mapping[str, frozenset[str]]] = {
    "DAILY": frozenset({"BYDAY", "BYMONTH"}),
    "WEEKLY": frozenset({"BYDAY", "BYMONTH"}),
    "MONTHLY": frozenset({"BYDAY", "BYMONTH", "BYMONTHDAY"}),
    "YEARLY": frozenset({"BYDAY", "BYMONTH", "BYMONTHDAY"}),
}
_ALWAYS: Final = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYHOUR", "BYMINUTE", "BYSECOND"})
_MOST_PER_DAY: Final = 24
_MOST_INTERVAL: Final = 400
_DAYS_AHEAD: Final = 12 * 366
_BY_DAY: Final = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")


@dataclass(frozen=True, slots=True)
class _Rule:
    frequency: str
    interval: int
    weekdays: tuple[tuple[int, int], ...]
    months: frozenset[int]
    month_days: frozenset[int]

    def holds(self, day: date, first: date) -> bool:
        """Tell whether a rule that began on a day comes true on a later one."""
        return (
            (not self.months or day.month in self.months) and self._in_step(day, first) and self._day_fits(day, first)
        )

    def _in_step(self, day: date, first: date) -> bool:
        """Tell whether a day lies in a day, week, month or year that the interval does not skip."""
        match self.frequency:
            case "DAILY":
                steps = (day - first).days
            case "WEEKLY":
                monday, start = (one - timedelta(days=one.weekday()) for one in (day, first))
                steps = (monday - start).days // 7
            case "MONTHLY":
                steps = (day.year - first.year) * 12 + day.month - first.month
            case _:
                steps = day.year - first.year
        return steps % self.interval == 0

    def _day_fits(self, day: date, first: date) -> bool:
        """Tell whether it is the right day within the day, week, month or year."""
        if self.weekdays or self.month_days:
            wanted = not self.month_days or not self.month_days.isdisjoint((day.day, day.day - _days_in_month(day) - 1))
            return wanted and self._weekday(day)
        match self.frequency:
            case "DAILY":
                return True
            case "WEEKLY":
                return day.weekday() == first.weekday()
            case "MONTHLY":
                return day.day == first.day
            case _:
                return day.day == first.day and (bool(self.months) or day.month == first.month)

    def _weekday(self, day: date) -> bool:
        """Tell whether it is one of the weekdays; "2TU" is the second of the month, "-1FR" the last."""
        if not self.weekdays:
            return True
        from_start, from_end = (day.day - 1) // 7 + 1, -((_days_in_month(day) - day.day) // 7 + 1)
        return any(
            weekday == day.weekday() and number in {0, from_start, from_end} for number, weekday in self.weekdays
        )


def check_rule(words: Mapping[str, Sequence[Any]], first: date, end: date) -> int:
    """Return how many days were looked at to see that a rule comes true after `end`.

    Raises ValueError for a rule that is not safe, or not read. words: the parts of the rule in capitals, each with its
    values. first: the day on which the event begins.
    """
    rule = _parsed(words)
    for number in range(1, _DAYS_AHEAD):
        if rule.holds(end + timedelta(days=number), first):
            return number
    raise ValueError("has a rule that does not come true any more; write the event without it")


def _parsed(words: Mapping[str, Sequence[Any]]) -> _Rule:
    frequency = _text(words, "FREQ")
    if frequency not in _KEYS:
        raise ValueError(f"repeats {frequency or 'by no known rule'}; write {', '.join(_KEYS)}")
    for key in words:
        if key not in _ALWAYS and key not in _KEYS[frequency]:
            raise ValueError(f"repeats {frequency} with {key[:20]}, which is not read; write it in another way")
    per_day = 1
    for key in ("BYHOUR", "BYMINUTE", "BYSECOND"):
        per_day *= max(len(words.get(key, ())), 1)
    if per_day > _MOST_PER_DAY:
        raise ValueError(f"repeats {per_day} times a day; at most {_MOST_PER_DAY} are read")
    interval = _number(words, "INTERVAL", 1)
    months = frozenset(int(month) for month in words.get("BYMONTH", ()))
    if not 1 <= interval <= _MOST_INTERVAL or (months and interval > 1):
        raise ValueError(f"repeats {frequency} with interval {interval}; at most {_MOST_INTERVAL}, with months 1")
    weekdays = tuple(_weekday(str(one)) for one in words.get("BYDAY", ()))
    numbered = {bool(number) for number, _ in weekdays}
    if len(numbered) > 1:
        raise ValueError("mixes weekdays with and without a number, which is not read; write two events")
    if True in numbered and (frequency != "MONTHLY" and not (frequency == "YEARLY" and months)):
        raise ValueError("counts weekdays in something other than a month, which is not read")
    return _Rule(frequency, interval, weekdays, months, frozenset(int(day) for day in words.get("BYMONTHDAY", ())))


def _text(words: Mapping[str, Sequence[Any]], key: str) -> str:
    values = words.get(key, ())
    return str(values[0]).upper() if values else ""


def _number(words: Mapping[str, Sequence[Any]], key: str, usual: int) -> int:
    values = words.get(key, ())
    return int(values[0]) if values else usual


def _weekday(text: str) -> tuple[int, int]:
    match = _BY_DAY.fullmatch(text.upper())
    if match is None:
        raise ValueError(f"repeats on {text[:20]!r}, which is no weekday")
    return int(match[1] or 0), WEEKDAYS.index(match[2])


def _days_in_month(day: date) -> int:
    later = day.replace(day=28) + timedelta(days=4)
    return (later - timedelta(days=later.day)).day
