"""Who can be sent to work, and when: persons, groups, escalation paths, classes of work, and the rules of a rota.

All of it is what the operator wrote (people.toml, rota.toml), checked; who is on duty at a moment is computed from it
by itsm.rota, who is sent by itsm.dispatch.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from btimd.model.incident import Priority
from btimd.model.notification import QuietHours
from btimd.model.units import Ratio, Seconds, UnixSeconds

MINUTES_PER_DAY: Final = 24 * 60
CENTRE: Final = 0
"""A level that is none: the management centre is asked instead of a further group."""
DEFAULT_CLASS: Final = "default"
"""The class of work that is of no other."""
WEEK: Final = frozenset(range(7))


class Presence(StrEnum):
    """How a person stands to the duty of a group at a moment."""

    ON_SHIFT = "on-shift"
    BACKUP = "backup"
    SOON = "soon"
    OFF = "off"


class DutyRole(StrEnum):
    """What a shift makes of those in it."""

    PRIMARY = "primary"
    BACKUP = "backup"


class DayRule(StrEnum):
    """On which days a shift begins. Workdays and free days are those of the rota's holidays, else of the week."""

    WEEKDAYS = "weekdays"
    WORKDAYS = "workdays"
    FREE_DAYS = "free-days"


@dataclass(frozen=True, slots=True)
class PersonContact:
    """A way to reach a person. means: "mail", "sms", "voice", "im" (any chat robot), or the name or kind of a robot.

    verified: it is known to reach this person. quiet: when it is not used but for what cannot wait.
    """

    means: str
    address: str
    verified: bool = False
    quiet: tuple[QuietHours, ...] = ()


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """When a person works who is in no rota: weekdays (0 = Monday) and minutes after midnight, local."""

    weekdays: frozenset[int]
    from_minute: int
    to_minute: int


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can be sent. timezone: IANA name.

    groups: level within each group, 1 = first line. skills: how well declared, 0 to 1, by class of work.
    capacity: how many orders at once are enough: one is a P3 order with an hour of work left. hours: used in groups
    without a rota; empty = always.
    """

    id: str
    name: str
    name_zh: str = ""
    language: str = "zh"
    timezone: str = "UTC"
    groups: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    skills: Mapping[str, Ratio] = field(default_factory=lambda: MappingProxyType({}))
    contacts: tuple[PersonContact, ...] = ()
    capacity: float = 3.0
    hours: tuple[WorkingHours, ...] = ()

    def name_in(self, language: str) -> str:
        """Return the name for a reader of a language."""
        return (self.name_zh or self.name) if language == "zh" else self.name


@dataclass(frozen=True, slots=True)
class LevelLimits:
    """How long one candidate may think, how often they are reminded, how many are asked before the next level.

    forced_to: the level that a forced escalation goes to, CENTRE = none is left.
    """

    accept_seconds: Seconds
    renotify_seconds: Seconds
    max_candidates: int
    forced_to: int


@dataclass(frozen=True, slots=True)
class Group:
    """People who do the same work. lead: person id, "" = nobody. accept: limits that differ from the general ones."""

    id: str
    name: str
    name_zh: str = ""
    lead: str = ""
    accept: Mapping[Priority, Seconds] = field(default_factory=lambda: MappingProxyType({}))
    renotify: Seconds | None = None
    max_candidates: int | None = None

    def name_in(self, language: str) -> str:
        """Return the name for a reader of a language."""
        return (self.name_zh or self.name) if language == "zh" else self.name


@dataclass(frozen=True, slots=True)
class PathLevel:
    """One step of an escalation path: who is asked, and how long.

    group: whose members. rota: the group whose rota says who is on duty, mostly the same. member_levels: which levels
    of the group, empty = all. None: as the group says, else as usual. forced_to: level number, CENTRE = nobody.
    """

    group: str
    rota: str
    member_levels: frozenset[int] = frozenset()
    accept: Mapping[Priority, Seconds] = field(default_factory=lambda: MappingProxyType({}))
    renotify: Seconds | None = None
    max_candidates: int | None = None
    forced_to: int = CENTRE


@dataclass(frozen=True, slots=True)
class EscalationPath:
    """Levels in order; the first is number 1."""

    id: str
    levels: tuple[PathLevel, ...]

    def level(self, number: int) -> PathLevel | None:
        """Return a level by its number, None where the path has no such level."""
        return self.levels[number - 1] if 1 <= number <= len(self.levels) else None


@dataclass(frozen=True, slots=True)
class WorkClass:
    """A class of work. effort_minutes: the standard hours it takes.

    by_priority, by_agreement: paths other than `path` for some priorities, or under some service level agreements.
    """

    id: str
    path: str
    effort_minutes: float = 60.0
    name: str = ""
    name_zh: str = ""
    by_priority: Mapping[Priority, str] = field(default_factory=lambda: MappingProxyType({}))
    by_agreement: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Supplier:
    """A company or department that is called for help. valid_until: last day of the contract, None = not told."""

    id: str
    name: str
    name_zh: str = ""
    phone: str = ""
    mail: str = ""
    url: str = ""
    hours: str = ""
    contract: str = ""
    customer_number: str = ""
    valid_until: date | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Support:
    """Who helps with some components or businesses, and what is worth knowing then."""

    id: str
    nodes: tuple[str, ...] = ()
    businesses: tuple[str, ...] = ()
    supplier: str = ""
    group: str = ""
    persons: tuple[str, ...] = ()
    serial: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Shift:
    """A rule that puts people on duty: each day that counts, from minute to minute of local time.

    to_minute > from_minute; beyond 1440 it ends on a later day. crews: who takes turns; rotate_days: for how many days
    each crew stays, 0 = the first crew always. first: the day on which crew number `offset` begins its first turn.
    since, until: first and last day of the rule, None = open.
    """

    id: str
    group: str
    timezone: str
    from_minute: int
    to_minute: int
    crews: tuple[tuple[str, ...], ...]
    role: DutyRole = DutyRole.PRIMARY
    days: DayRule = DayRule.WEEKDAYS
    weekdays: frozenset[int] = WEEK
    rotate_days: int = 0
    first: date = date(2024, 1, 1)
    offset: int = 0
    since: date | None = None
    until: date | None = None

    def crew(self, day: date) -> tuple[str, ...]:
        """Return whose turn it is on a local day, whether or not the day counts."""
        if self.rotate_days == 0:
            return self.crews[self.offset % len(self.crews)]
        turn = (day - self.first).days // self.rotate_days + self.offset
        return self.crews[turn % len(self.crews)]


@dataclass(frozen=True, slots=True)
class DutyOverride:
    """Somebody stands in. absent "": `by` comes in addition, in `role`. The later of two in the file wins."""

    group: str
    start_at: UnixSeconds
    end_at: UnixSeconds
    by: str
    absent: str = ""
    role: DutyRole = DutyRole.PRIMARY
    why: str = ""


@dataclass(frozen=True, slots=True)
class Absence:
    """Somebody is away and on no duty at all."""

    person: str
    start_at: UnixSeconds
    end_at: UnixSeconds
    why: str = ""


@dataclass(frozen=True, slots=True)
class DutySlot:
    """A person is on duty for a group from start_at until before end_at. source: shift, override or calendar."""

    start_at: UnixSeconds
    end_at: UnixSeconds
    group: str
    person: str
    role: DutyRole
    source: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class GroupRota:
    """What the duty of a group must be like. free_days, work_days: holidays and make-up workdays, local dates.

    least: fewer primaries at a moment are a gap; most: more are too many, 0 = no limit. covered: when somebody must be
    there, as weekdays and minutes of local time; empty = always. rest_seconds: between two shifts of a person.
    calendar: file or address of an iCalendar that also says who is on duty; calendar_role: as what.
    """

    group: str
    timezone: str
    least: int = 1
    most: int = 0
    covered: tuple[WorkingHours, ...] = ()
    rest_seconds: Seconds = 0.0
    free_days: frozenset[date] = frozenset()
    work_days: frozenset[date] = frozenset()
    calendar: str = ""
    calendar_role: DutyRole = DutyRole.PRIMARY

    def is_workday(self, day: date) -> bool:
        """Tell whether people generally work on a local day."""
        if day in self.work_days:
            return True
        return day.weekday() < 5 and day not in self.free_days  # noqa: PLR2004  Saturday


@dataclass(frozen=True, slots=True)
class RotaRules:
    """All that rota.toml says. Groups without an entry in `groups` follow their people's working hours."""

    groups: Mapping[str, GroupRota] = field(default_factory=lambda: MappingProxyType({}))
    shifts: tuple[Shift, ...] = ()
    overrides: tuple[DutyOverride, ...] = ()
    absences: tuple[Absence, ...] = ()


USUAL_ACCEPT_SECONDS: Final[Mapping[Priority, Seconds]] = MappingProxyType(
    {Priority.P1: 300.0, Priority.P2: 600.0, Priority.P3: 1800.0, Priority.P4: 7200.0, Priority.P5: 14400.0}
)
USUAL_MAX_CANDIDATES: Final = 3
_RENOTIFY_SHARE: Final = 3
"""Without anything said a person is reminded at each third of the time to accept."""


@dataclass(frozen=True, slots=True)
class People:
    """All that people.toml says, by id."""

    persons: Mapping[str, Person] = field(default_factory=lambda: MappingProxyType({}))
    groups: Mapping[str, Group] = field(default_factory=lambda: MappingProxyType({}))
    paths: Mapping[str, EscalationPath] = field(default_factory=lambda: MappingProxyType({}))
    classes: Mapping[str, WorkClass] = field(default_factory=lambda: MappingProxyType({}))
    suppliers: Mapping[str, Supplier] = field(default_factory=lambda: MappingProxyType({}))
    support: Mapping[str, Support] = field(default_factory=lambda: MappingProxyType({}))

    def members(self, group: str, levels: frozenset[int] = frozenset()) -> tuple[Person, ...]:
        """Return the members of a group on some of its levels, empty = all, by id."""
        found = (
            person
            for person in self.persons.values()
            if (level := person.groups.get(group)) is not None and (not levels or level in levels)
        )
        return tuple(sorted(found, key=lambda person: person.id))

    def class_of(self, category: str) -> WorkClass | None:
        """Return the class of a category: "db.oracle" falls back to "db", all to "default"; None = not even that."""
        name = category
        while name:
            if name in self.classes:
                return self.classes[name]
            name = name.rpartition(".")[0]
        return self.classes.get(DEFAULT_CLASS)

    def path_of(self, category: str, priority: Priority, agreement: str = "") -> EscalationPath | None:
        """Return who is asked in which order: by priority, else by agreement, else as the class says; None = nobody."""
        work = self.class_of(category)
        if work is None:
            return None
        name = work.by_priority.get(priority) or work.by_agreement.get(agreement) or work.path
        return self.paths.get(name)

    def limits(self, path: EscalationPath, number: int, priority: Priority) -> LevelLimits | None:
        """Return the limits of a level: what the path says, else the group, else as usual; None = no such level."""
        level = path.level(number)
        if level is None:
            return None
        group = self.groups[level.group]
        accept = level.accept.get(priority) or group.accept.get(priority) or USUAL_ACCEPT_SECONDS[priority]
        return LevelLimits(
            accept_seconds=accept,
            renotify_seconds=level.renotify or group.renotify or accept / _RENOTIFY_SHARE,
            max_candidates=level.max_candidates or group.max_candidates or USUAL_MAX_CANDIDATES,
            forced_to=level.forced_to,
        )

    def support_of(self, nodes: frozenset[str], businesses: frozenset[str] = frozenset()) -> tuple[Support, ...]:
        """Return what is known of help with any of these components or businesses, in the order of the file."""
        return tuple(
            one
            for one in self.support.values()
            if not nodes.isdisjoint(one.nodes) or not businesses.isdisjoint(one.businesses)
        )

    def person_at(self, address: str) -> Person | None:
        """Return whose verified contact an address is, as of the sender of a mail; None = nobody alone."""
        wanted = address.casefold()
        found = {
            person.id: person
            for person in self.persons.values()
            for contact in person.contacts
            if contact.verified and contact.address.casefold() == wanted
        }
        return next(iter(found.values())) if len(found) == 1 else None
