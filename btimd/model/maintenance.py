"""Maintenance windows and silences: what is left alone on purpose, from when to when, by whom and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from btimd.model.calendar import CalendarRule, ServiceCalendar
from btimd.model.incident import Priority
from btimd.model.units import Seconds, UnixSeconds

LONG_SECONDS: Final = 86_400.0
"""A stretch that lasts longer is told: its end may have been forgotten."""
LONGEST_SECONDS: Final = 400 * 86_400.0
"""Nothing may be left alone for longer, and nothing may be declared for longer ago."""


_AROUND: Final = 8 * 86_400.0
"""No hours of a week are longer."""


class SuppressionKind(StrEnum):
    """What it is: work that was planned (the accounts call the down time planned), or a wish for quiet."""

    WINDOW = "window"
    SILENCE = "silence"


class SuppressionEffect(StrEnum):
    """What is left out: incidents, what people are told of them, or nothing but time that counts in the accounts."""

    INCIDENTS = "incidents"
    NOTICES = "notices"
    ACCOUNTS = "accounts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Matcher:
    """What is left alone: all that fits everything that is said here; what is left empty fits anything.

    businesses: nobody else is hit. nodes: the cause is one of them, or a part that nobody else needs; where no cause is
    known, all businesses that are hit cannot work without one of them. regions: no other region is hit. categories:
    "db" is "db.oracle" too. words: the title has them all, in small letters or capitals. least_priority: this one or
    less urgent.
    """

    businesses: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    least_priority: Priority | None = None

    @property
    def is_empty(self) -> bool:
        """Tell whether it fits anything."""
        return not (
            self.businesses or self.nodes or self.regions or self.categories or self.words or self.least_priority
        )

    def text(self) -> str:
        """Return it for people: "businesses erp, hr; nodes ora1"."""
        named = [
            ("businesses", self.businesses), ("nodes", self.nodes), ("regions", self.regions),
            ("categories", self.categories), ("words", self.words),
        ]  # fmt: skip
        parts = [f"{name} {', '.join(values)}" for name, values in named if values]
        if self.least_priority is not None:
            parts.append(f"{self.least_priority.name} and less urgent")
        return "; ".join(parts) or "everything"


@dataclass(frozen=True, slots=True)
class MinuteSpan:
    """Hours of a day, in minutes after midnight; `to_minute` beyond 1440 is on the next day."""

    from_minute: int
    to_minute: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """Again and again: hours of weekdays (0 = Monday) of a time zone, or the open time of a calendar."""

    weekdays: tuple[int, ...] = ()
    hours: tuple[MinuteSpan, ...] = ()
    timezone: str = "UTC"
    calendar: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """A maintenance window or a silence. It holds from start_at to end_at, within these again and again if it recurs.

    end_at None: until somebody ends it; for what recurs only. ended_at: ended by somebody before its time.
    reference: a change request, for example. source: where the operator's files say it, "" = declared by created_by.
    """

    id: str
    kind: SuppressionKind
    effect: SuppressionEffect
    matcher: Matcher
    start_at: UnixSeconds
    end_at: UnixSeconds | None
    recurrence: Recurrence | None = None
    reason: str = ""
    reference: str = ""
    created_by: str = ""
    created_at: UnixSeconds = 0.0
    ended_at: UnixSeconds | None = None
    ended_by: str = ""
    end_reason: str = ""
    source: str = ""

    @property
    def until(self) -> UnixSeconds | None:
        """The end of it all, None where nobody knows."""
        ends = [one for one in (self.end_at, self.ended_at) if one is not None]
        return min(ends) if ends else None

    def is_past(self, now: UnixSeconds) -> bool:
        """Tell whether it can hold never again."""
        return self.until is not None and now >= self.until


class HeldState(StrEnum):
    """What became of a report that made no incident."""

    HELD = "held"
    """The trouble lasts, as far as is known."""
    CLEARED = "cleared"
    """It was over before the maintenance was."""
    OPENED = "opened"
    """It lasted longer: an incident was opened or went on with it."""
    LOST = "lost"
    """It was of an earlier run of btimd, and was not seen again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressedReport:
    """A trouble that made no incident. count: how often it was reported. incident_id: the one it became afterwards."""

    position: int
    suppression_id: str
    fingerprint: str
    title: str
    cause: str
    businesses: tuple[str, ...]
    regions: tuple[str, ...]
    verdict_id: str
    first_at: UnixSeconds
    last_at: UnixSeconds
    count: int
    state: HeldState
    incident_id: str = ""


@dataclass(frozen=True, slots=True)
class SuppressionView:
    """A window or silence as it stands. holds_from, holds_until: of the stretch that holds now, else of the next one.

    suppressed: troubles that made no incident. lasting: of these, those that are not over. warnings: what is probably
    not meant.
    """

    suppression: Suppression
    active: bool
    holds_from: UnixSeconds | None
    holds_until: UnixSeconds | None
    suppressed: int
    lasting: int
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSuppression:
    """What somebody declares."""

    kind: SuppressionKind
    effect: SuppressionEffect
    matcher: Matcher
    start_at: UnixSeconds
    end_at: UnixSeconds | None
    recurrence: Recurrence | None = None
    reason: str = ""
    reference: str = ""


class MaintenanceView(Protocol):
    """Who keeps windows and silences. Every method is called on the loop; what one returned from is durable."""

    def suppressions(self, *, past: bool) -> Sequence[SuppressionView]:
        """Return those that hold or will, and with `past` those that are over, the newest first."""
        ...

    def touched(self, matcher: Matcher) -> tuple[frozenset[str], frozenset[str]]:
        """Return which businesses (above its nodes too) and regions a matcher is about."""
        ...

    async def suppressed(self, suppression_id: str, limit: int) -> Sequence[SuppressedReport]:
        """Return what made no incident, the newest first; suppression_id "": of all."""
        ...

    async def declare(self, new: NewSuppression, *, by: str, command_id: str) -> SuppressionView:
        """Let something be left alone; the same command again changes nothing. Raises ValueError with what is wrong."""
        ...

    async def end(self, suppression_id: str, *, by: str, reason: str, void: bool = False) -> SuppressionView:
        """End it now; raises KeyError where there is none, ValueError for what is over or stands in a file.

        void: it was declared by mistake and never held, so that the accounts forget it too.
        """
        ...


class MaintenanceStore(Protocol):
    """Where windows, silences and what they held back are kept; what a method returned from is durable."""

    async def add(self, new: Suppression, command_id: str) -> Suppression:
        """Keep one under the next id of its kind; one of a command that is known is returned as it was kept."""
        ...

    async def replace(self, suppression: Suppression) -> None:
        """Keep what became of one."""
        ...

    async def load(self) -> Sequence[Suppression]:
        """Return all, the oldest first."""
        ...

    async def hold(self, held: SuppressedReport, report: str) -> SuppressedReport:
        """Keep a trouble; one that is held already is counted with it. report: for who wrote it to read again."""
        ...

    async def settle(self, fingerprint: str, state: HeldState, incident_id: str, now: UnixSeconds) -> bool:
        """Write what became of a trouble that is held; tell whether there was one."""
        ...

    async def held(self) -> Sequence[tuple[SuppressedReport, str]]:
        """Return the troubles that are held, with their reports, the oldest first."""
        ...

    async def of(self, suppression_id: str, limit: int) -> Sequence[SuppressedReport]:
        """Return what one held back, "" = any; the newest first."""
        ...

    async def counts(self) -> Mapping[str, int]:
        """Return how many troubles each held back."""
        ...


def weekly(recurrence: Recurrence) -> ServiceCalendar:
    """Return the calendar of hours of weekdays."""
    hours = tuple((one.from_minute, one.to_minute) for one in recurrence.hours)
    rule = CalendarRule(zone=ZoneInfo(recurrence.timezone), weekdays=frozenset(recurrence.weekdays), hours=hours)
    return ServiceCalendar("weekly", rule)


@dataclass(frozen=True, slots=True)
class Timed:
    """A suppression with the calendar of its recurrence; calendar None: it holds all the time from start to end."""

    suppression: Suppression
    calendar: ServiceCalendar | None = field(default=None, compare=False)

    def holds(self, at: UnixSeconds) -> bool:
        """Tell whether it holds at a moment."""
        one = self.suppression
        if at < one.start_at or one.is_past(at):
            return False
        return self.calendar is None or self.calendar.is_open(at)

    def stretches(self, start: UnixSeconds, end: UnixSeconds) -> list[tuple[UnixSeconds, UnixSeconds]]:
        """Return when it holds between two moments, in order."""
        low = max(start, self.suppression.start_at)
        high = end if self.suppression.until is None else min(end, self.suppression.until)
        if low >= high:
            return []
        return [(low, high)] if self.calendar is None else list(self.calendar.stretches(low, high))

    def next_change(self, now: UnixSeconds) -> UnixSeconds | None:
        """Return the next moment at which it begins or ceases to hold."""
        one = self.suppression
        if one.is_past(now):
            return None
        if now < one.start_at:
            return one.start_at
        change = None if self.calendar is None else self.calendar.next_change(now)
        known = [at for at in (change, one.until) if at is not None]
        return min(known) if known else None

    def coming(self, now: UnixSeconds, within: Seconds) -> tuple[UnixSeconds, UnixSeconds] | None:
        """Return the stretch that holds now, else the next one that begins within a time."""
        around = LONGEST_SECONDS if self.calendar is None else _AROUND
        found = self.stretches(now - around, now + within + around)
        return next((one for one in found if one[1] > now and one[0] <= now + within), None)
