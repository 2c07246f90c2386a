"""Do service calendars answer as looking at every minute does? The property of the suite, on as many cases as wanted.

    python -m bench.calendars --cases 100000

A case is one question (open? next change? time between, time added, time taken away) to one drawn calendar, about the
days around a change of clocks. Exit status 1 where an answer differs; the calendar and the question are printed.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from bench.machine import machine
from btimd.model.calendar import CalendarRule, DayHours, ServiceCalendar, SpecialDays
from tests.model.test_calendar import ALL_DAY, MINUTE, OFFICE, PLACES, MinuteByMinute

PER_CALENDAR = 100
ZONES = (
    "UTC", "Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo",
    "America/Santiago", "Asia/Kathmandu", "Pacific/Apia",
)  # fmt: skip

Question = tuple[str, Callable[[], object], object]


def drawn(chance: random.Random) -> tuple[CalendarRule, tuple[date, date]]:
    """Return a rule and the days to ask about."""
    place = chance.choice(PLACES)

    def days(most: int) -> frozenset[date]:
        return frozenset(place[0] + timedelta(days=chance.randrange(-3, 12)) for _ in range(chance.randrange(most + 1)))

    def span() -> tuple[int, int]:
        low = chance.randrange(1440)
        return low, low + chance.randrange(1, 1441)

    hours: DayHours = chance.choice([OFFICE, ALL_DAY, ((0, 150), (150, 151), (1320, 1800)), (span(), span())])
    off, working = days(3), days(3)
    rule = CalendarRule(
        zone=ZoneInfo(chance.choice(ZONES)),
        weekdays=frozenset(chance.sample(range(7), chance.randrange(1, 8))),
        hours=hours,
        special_days=lambda _: SpecialDays(off, working),
        closed=days(3),
        opened=days(3),
        own_hours=MappingProxyType({day: (span(),) for day in days(2)}),
    )
    return rule, place


def questions(slow: MinuteByMinute, fast: ServiceCalendar, chance: random.Random, count: int) -> "list[Question]":
    """Return questions with the answer that looking at every minute gives; some are asked anew until they have one."""
    whole = range(slow.start + 86400, slow.end - 86400, MINUTE)
    found: list[Question] = []
    while len(found) < count:
        start, end = chance.choice(whole), chance.choice(whole)
        minutes = chance.randrange(0, 3000)
        match chance.randrange(5):
            case 0:
                found.append((f"is_open {start}", lambda at=start: fast.is_open(at), slow.is_open(start)))  # type: ignore[misc]
            case 1 if (change := slow.next_change(start)) is not None and change < whole[-1]:
                found.append((f"next_change {start}", lambda at=start: fast.next_change(at), change))  # type: ignore[misc]
            case 2:
                told = max(slow.between(start, end), 0)
                found.append((f"between {start} {end}", lambda a=start, b=end: fast.between(a, b), told))  # type: ignore[misc]
            case 3 if (due := slow.add(start, minutes)) is not None and due < whole[-1]:
                ask = f"add {start} {minutes * MINUTE}"
                found.append((ask, lambda a=start, m=minutes: fast.add(a, m * MINUTE), due))  # type: ignore[misc]
            case 4 if (since := slow.subtract(end, minutes)) is not None and since > whole[0]:
                ask = f"subtract {end} {minutes * MINUTE}"
                found.append((ask, lambda b=end, m=minutes: fast.subtract(b, m * MINUTE), since))  # type: ignore[misc]
            case _:
                pass
    return found


def main() -> int:
    """Ask, compare, print Markdown."""
    reading = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reading.add_argument("--cases", type=int, default=100_000)
    reading.add_argument("--seed", type=int, default=1)
    wanted = reading.parse_args()
    chance = random.Random(wanted.seed)
    asked = wrong = 0
    took = 0.0
    while asked < wanted.cases:
        rule, place = drawn(chance)
        slow, fast = MinuteByMinute(rule, *place), ServiceCalendar("drawn", rule)
        for text, ask, told in questions(slow, fast, chance, min(PER_CALENDAR, wanted.cases - asked)):
            begins = time.process_time()
            answer = ask()
            took += time.process_time() - begins
            asked += 1
            if answer != told:
                wrong += 1
                print(f"{text}: {answer!r} instead of {told!r} by {rule}", file=sys.stderr)
    print(f"{machine()}\n")
    print("| cases | different answers | CPU time per answer |\n|---|---|---|")
    print(f"| {asked:,} | {wrong} | {took / max(asked, 1) * 1e6:.0f} us |")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
