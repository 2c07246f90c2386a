"""Rotas as iCalendar (RFC 5545): duty read from other people's calendars, and written for them.

A calendar is a stranger's text: its size, rules and occurrences are bounded, and an event that cannot be understood
costs itself only, with a sentence that says which and why.
"""
# ruff: noqa: RUF001  Chinese calendars have Chinese punctuation

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import recurring_ical_events
from icalendar import Calendar, Event

from btimd.itsm.rota import Rota, instant
from btimd.itsm.rotaicalrules import WEEKDAYS, check_rule
from btimd.itsm.rotaseries import Series, series_of
from btimd.model.duty import DutyRole, DutySlot, GroupRota, People, Person
from btimd.model.units import UnixSeconds

MOST_CHARACTERS: Final = 4 * 1024 * 1024
MOST_SERIES: Final = 5000
MOST_SLOTS: Final = 20_000
_MOST_TIMEZONES: Final = 50
_MOST_PROBLEMS: Final = 100
_MOST_DAYS: Final = 400
_MOST_AGE_DAYS: Final = 3660
MOST_RULE_DAYS: Final = 1_000_000
"""Days that all recurring events together may make the reader go through."""
_BACKUP_WORDS: Final = frozenset({"backup", "back-up", "secondary", "备班", "备份"})
_BETWEEN_NAMES: Final = re.compile(r"\s*(?:[,;&+/、，；]|\band\b)\s*")
_FOLD: Final = re.compile(r"\r?\n[ \t]")
_ROLE: Final = "X-BTIM-ROLE"
_PERSON: Final = "X-BTIM-PERSON"


@dataclass(frozen=True, slots=True)
class CalendarReading:
    """What a calendar says of a span of time.

    problems: what of it was not understood, the first hundred; refused counts them all.
    """

    slots: tuple[DutySlot, ...]
    problems: tuple[str, ...]
    refused: int


def read_calendar(text: str, rota: GroupRota, people: People, start: UnixSeconds, end: UnixSeconds) -> CalendarReading:
    """Return the duty that a calendar tells for a group within a span, cut at its ends.

    Who: X-BTIM-PERSON, else the ATTENDEEs by their mail addresses, else the names or ids in SUMMARY. As what:
    X-BTIM-ROLE, else a category "backup", else the rota's calendar_role. Whole days and times without a zone are of
    the rota's time zone.
    """
    return _Reader(rota, people, start, end).read(text)


class _Reader:
    def __init__(self, rota: GroupRota, people: People, start: UnixSeconds, end: UnixSeconds) -> None:
        self.rota = rota
        self.zone = ZoneInfo(rota.timezone)
        self.people = people
        self.start, self.end = start, end
        self.slots: list[DutySlot] = []
        self.problems: list[str] = []
        self.refused = 0
        self.rule_days = 0
        self.by_name = _names(people)

    def read(self, text: str) -> CalendarReading:
        if len(text) > MOST_CHARACTERS:
            self.refuse(f"the calendar has {len(text)} characters, at most {MOST_CHARACTERS} are read")
        elif reason := _bad_timezones(text):
            self.refuse(reason)
        else:
            try:
                calendar = Calendar.from_ical(text)
            except Exception as error:  # noqa: BLE001  the library raises many kinds for a stranger's text
                self.refuse(f"no iCalendar: {_short(error)}")
            else:
                self.calendar(calendar)
        slots = tuple(sorted(self.slots, key=lambda slot: (slot.start_at, slot.person, slot.end_at, slot.role)))
        return CalendarReading(slots, tuple(self.problems), self.refused)

    def refuse(self, problem: str) -> None:
        self.refused += 1
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(problem)

    def calendar(self, calendar: Any) -> None:
        """Read every series by itself, so that a bad one costs itself."""
        series: dict[str, list[Any]] = {}
        for event in calendar.walk("VEVENT"):
            uid = str(event.get("UID", "")) or f"without UID {len(series)}"
            series.setdefault(uid, []).append(event)
        for number, (uid, events) in enumerate(series.items()):
            if number >= MOST_SERIES or len(self.slots) >= MOST_SLOTS:
                self.refuse(f"more than {MOST_SERIES} events or {MOST_SLOTS} times of duty; the rest is not read")
                return
            name = f"event {_short(events[0].get('SUMMARY', '') or uid)!r}"
            try:
                for event in events:
                    self.rule_days += _check(event, self.start, self.end)
                if self.rule_days > MOST_RULE_DAYS:
                    raise ValueError("the calendar repeats too much; split it")  # noqa: TRY301  as any other mistake
                for occurrence in self.occurrences(events):
                    self.occurrence(name, occurrence)
            except Exception as error:  # noqa: BLE001  the same
                self.refuse(f"{name}: {_short(error)}")

    def occurrences(self, events: Sequence[Any]) -> Iterable[Any]:
        one = Calendar()
        for event in events:
            _end_rule(event, self.end)
            one.add_component(event)
        low, high = (datetime.fromtimestamp(at, UTC) for at in (self.start, self.end))
        found: Sequence[Any] = recurring_ical_events.of(one).between(low, high)
        return found

    def occurrence(self, name: str, event: Any) -> None:
        if str(event.get("STATUS", "")).upper() == "CANCELLED":
            return
        low, high = (self.moment(event.decoded(key)) for key in ("DTSTART", "DTEND"))
        if high <= low:
            raise ValueError("ends no later than it begins")
        if high - low > _MOST_DAYS * 86_400:
            raise ValueError(f"is longer than {_MOST_DAYS} days")
        low, high = max(low, self.start), min(high, self.end)
        if low >= high:
            return
        role = self.role(event)
        for person in self.persons(event):
            if self.rota.group not in person.groups:
                self.refuse(f"{name}: {person.id} is not in group {self.rota.group}")
                continue
            self.slots.append(DutySlot(low, high, self.rota.group, person.id, role, "calendar"))

    def moment(self, value: Any) -> UnixSeconds:
        if not isinstance(value, datetime):
            return instant(value, 0, self.zone)
        if value.tzinfo is None:
            return instant(value.date(), value.hour * 60 + value.minute, self.zone) + value.second
        return value.timestamp()

    def role(self, event: Any) -> DutyRole:
        written = str(event.get(_ROLE, "")).lower()
        if written in set(DutyRole):
            return DutyRole(written)
        if {word.lower() for word in _categories(event)} & _BACKUP_WORDS:
            return DutyRole.BACKUP
        return self.rota.calendar_role

    def persons(self, event: Any) -> list[Person]:
        told = str(event.get(_PERSON, ""))
        if told in self.people.persons:
            return [self.people.persons[told]]
        attendees = event.get("ATTENDEE", [])
        attendees = attendees if isinstance(attendees, list) else [attendees]
        words = [str(one).partition(":")[2] or str(one) for one in attendees]
        found = [self.by_name[word.casefold()] for word in words if word.casefold() in self.by_name]
        if found:
            return found
        summary = str(event.get("SUMMARY", "")).strip()
        names = [summary] if summary.casefold() in self.by_name else _BETWEEN_NAMES.split(summary)
        unknown = [one for one in names if one.casefold() not in self.by_name]
        if unknown:
            raise ValueError(f"nobody is called {_short(unknown[0])!r}; write a person's id, name or mail address")
        return [self.by_name[one.casefold()] for one in dict.fromkeys(names)]


def _names(people: People) -> Mapping[str, Person]:
    """Return people by id, by names and mail addresses that are of one person only."""
    found: dict[str, Person | None] = {}
    for person in people.persons.values():
        mails = (contact.address for contact in person.contacts if contact.means == "mail")
        for word in {one.casefold() for one in (person.name, person.name_zh, *mails) if one}:
            found[word] = None if word in found else person
    for person in people.persons.values():
        found[person.id.casefold()] = person
    return {word: person for word, person in found.items() if person is not None}


def _bad_timezones(text: str) -> str:
    """Return what is wrong with the time zones in a calendar; rules there are worked out while it is parsed."""
    inside, count = False, 0
    for line in _FOLD.sub("", text).splitlines():
        upper = line.strip().upper()
        if upper == "BEGIN:VTIMEZONE":
            inside, count = True, count + 1
        elif upper == "END:VTIMEZONE":
            inside = False
        elif inside and upper.startswith("RRULE"):
            if "FREQ=YEARLY" not in upper or any(
                word in upper for word in ("BYHOUR", "BYMINUTE", "BYSECOND", "BYYEAR")
            ):
                return f"time zone with rule {_short(line)!r}; clocks change by yearly rules of days"
            if "INTERVAL" in upper:
                return f"time zone with rule {_short(line)!r}; clocks change every year"
    return f"{count} time zones, at most {_MOST_TIMEZONES}" if count > _MOST_TIMEZONES else ""


def _rules(event: Any) -> list[Any]:
    rules = event.get("RRULE", [])
    return rules if isinstance(rules, list) else [rules]


def _check(event: Any, start: UnixSeconds, end: UnixSeconds) -> int:
    """Return how many days must be gone through for an event; raises ValueError where that cannot be bounded."""
    first, last = _day(event, "DTSTART"), _day(event, "DTEND")
    if first is None:
        raise ValueError("says no DTSTART that can be read")
    if last is not None and _naive(last) < _naive(first):
        raise ValueError("ends before it begins")
    begins = first.date() if isinstance(first, datetime) else first
    stops = datetime.fromtimestamp(end, UTC).date()
    if "EXRULE" in event:
        raise ValueError("has an EXRULE, which is not read; write EXDATE")
    rules = _rules(event)
    if not rules:
        return 1
    age = (datetime.fromtimestamp(start, UTC).date() - begins).days
    if age > _MOST_AGE_DAYS:
        raise ValueError(f"repeats since {begins}; let it begin within the last ten years")
    days = 1
    for rule in rules:
        words = {str(key).upper(): values if isinstance(values, list) else [values] for key, values in rule.items()}
        days += check_rule(words, begins, max(stops, begins) + timedelta(days=2))
        days += max((stops - begins).days, 0)
    return days


def _day(event: Any, key: str) -> date | None:
    value = event.decoded(key) if key in event else None
    return value if isinstance(value, date) else None


def _naive(value: date) -> datetime:
    """Return a moment to compare by, near enough for what is days wrong."""
    at = value if isinstance(value, datetime) else datetime.combine(value, time())
    return at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at


def _end_rule(event: Any, end: UnixSeconds) -> None:
    """Let rules without an end stop after the span."""
    whole_days = not isinstance(event.decoded("DTSTART"), datetime)
    last = datetime.fromtimestamp(end, UTC) + timedelta(days=2)
    for rule in _rules(event):
        until = rule.get("UNTIL")
        if "COUNT" not in rule and (until is None or _day_of(until) > last.date()):
            rule["UNTIL"] = [last.date() if whole_days else last]


def _day_of(until: Any) -> date:
    first = until[0] if isinstance(until, list) else until
    return first.date() if isinstance(first, datetime) else first


def _categories(event: Any) -> Iterator[str]:
    written = event.get("CATEGORIES", [])
    for group in written if isinstance(written, list) else [written]:
        yield from (str(one).strip() for one in getattr(group, "cats", [group]))


def _short(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 80 else f"{text[:79]}…"  # noqa: PLR2004  a line of a log


def write_calendar(rota: Rota, group: str, start: UnixSeconds, end: UnixSeconds, now: UnixSeconds) -> str:
    """Return the duty of a group that begins within a span as an iCalendar; now: when it is written."""
    calendar = Calendar()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", "-//btimd//duty rota//EN")
    known = rota.people.groups.get(group)
    calendar.add("X-WR-CALNAME", known.name if known else group)
    recurring, single = series_of(rota, group, start, end)
    for series in recurring:
        calendar.add_component(_recurring_event(series, rota.people, now))
    for number, slot in enumerate(single):
        uid = f"{group}.{slot.person}.{slot.start_at:.0f}.{slot.role}.{number}@btimd"
        event = _event(rota.people, slot.person, slot.role, uid, now)
        event.add("DTSTART", datetime.fromtimestamp(slot.start_at, UTC))
        event.add("DTEND", datetime.fromtimestamp(slot.end_at, UTC))
        if slot.why:
            event.add("DESCRIPTION", slot.why)
        calendar.add_component(event)
    first, last = (datetime.fromtimestamp(at, UTC).date() for at in (start, end))
    calendar.add_missing_timezones(first_date=first - timedelta(days=366), last_date=last + timedelta(days=366))
    return str(calendar.to_ical(), "utf-8")


def _recurring_event(series: Series, people: People, now: UnixSeconds) -> Event:
    zone = ZoneInfo(series.timezone)

    def local(day: date, minute: int) -> datetime:
        return datetime.combine(day, time(), zone) + timedelta(minutes=minute)  # wall clock: the zone stays

    uid = f"{series.group}.{series.shift}.{series.person}.{series.turn}@btimd"
    event = _event(people, series.person, series.role, uid, now)
    event.add("DTSTART", local(series.first, series.from_minute))
    event.add("DTEND", local(series.first, series.to_minute))
    event.add(
        "RRULE",
        {
            "FREQ": "WEEKLY" if series.by_week else "DAILY",
            "INTERVAL": series.interval,
            "BYDAY": [WEEKDAYS[day] for day in sorted(series.weekdays)],
            "WKST": "MO",
            "UNTIL": datetime.fromtimestamp(instant(series.last, series.from_minute, zone), UTC),
        },
    )
    if series.without:
        event.add("EXDATE", [local(day, series.from_minute) for day in series.without])
    return event


def _event(people: People, person: str, role: DutyRole, uid: str, now: UnixSeconds) -> Event:
    event = Event()
    event.add("UID", uid)
    event.add("DTSTAMP", datetime.fromtimestamp(now, UTC))
    known = people.persons.get(person)
    event.add("SUMMARY", known.name if known else person)
    mail = next((contact.address for contact in known.contacts if contact.means == "mail"), "") if known else ""
    if mail:
        event.add("ATTENDEE", f"mailto:{mail}")
    event.add(_PERSON, person)
    event.add(_ROLE, role.value)
    event.add("CATEGORIES", [role.value])
    event.add("TRANSP", "TRANSPARENT")
    return event
