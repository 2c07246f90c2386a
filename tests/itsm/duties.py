"""A small company for the tests of rota and dispatch: a hotline, database people, and an expert."""

from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

from btimd.itsm.rota import Rota
from btimd.model.duty import (
    DEFAULT_CLASS,
    Absence,
    DutyOverride,
    DutyRole,
    DutySlot,
    EscalationPath,
    Group,
    GroupRota,
    PathLevel,
    People,
    Person,
    RotaRules,
    Shift,
    WorkClass,
)

SHANGHAI = "Asia/Shanghai"
BERLIN = "Europe/Berlin"
MONDAY = date(2026, 11, 2)


def at(text: str, zone: str = SHANGHAI) -> float:
    """Return the moment of a local time such as "2026-11-02 08:00"."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def local(moment: float, zone: str = SHANGHAI) -> str:
    return f"{datetime.fromtimestamp(moment, ZoneInfo(zone)):%m-%d %H:%M}"


def told(slots: list[DutySlot], zone: str = SHANGHAI) -> list[str]:
    """Return slots as lines for reading."""
    return [
        f"{local(slot.start_at, zone)} - {local(slot.end_at, zone)} {slot.person}"
        + ("" if slot.role is DutyRole.PRIMARY else " backup")
        + ("" if slot.source != "override" else f" ({slot.why or 'override'})")
        for slot in slots
    ]


def person(name: str, skills: Mapping[str, float] | None = None, capacity: float = 3.0, **groups: int) -> Person:
    return Person(
        id=name,
        name=name.title(),
        name_zh="",
        language="en",
        timezone=SHANGHAI,
        groups=MappingProxyType(groups),
        skills=MappingProxyType(dict(skills or {})),
        capacity=capacity,
    )


def people_of(*persons: Person, levels: tuple[PathLevel, ...] = (), classes: tuple[WorkClass, ...] = ()) -> People:
    """Return people with every group they name, and one path over `levels`, else over all groups in order."""
    groups = sorted({group for one in persons for group in one.groups})
    levels = levels or tuple(PathLevel(group, group) for group in groups)
    known = (WorkClass(DEFAULT_CLASS, "path"), *classes)
    return People(
        persons=MappingProxyType({one.id: one for one in persons}),
        groups=MappingProxyType({name: Group(name, f"Group {name}") for name in groups}),
        paths=MappingProxyType({"path": EscalationPath("path", levels)}),
        classes=MappingProxyType({one.id: one for one in known}),
    )


def shift(
    name: str,
    start: str,
    end: str,
    *crews: tuple[str, ...],
    rotate_days: int = 0,
    role: DutyRole = DutyRole.PRIMARY,
    group: str = "noc",
    zone: str = SHANGHAI,
    offset: int = 0,
) -> Shift:
    low, high = (int(text[:2]) * 60 + int(text[3:]) for text in (start, end))
    return Shift(
        id=name,
        group=group,
        timezone=zone,
        from_minute=low,
        to_minute=high if high > low else high + 1440,
        crews=crews,
        role=role,
        rotate_days=rotate_days,
        first=MONDAY,
        offset=offset,
    )


def rota_of(
    *shifts: Shift,
    people: People | None = None,
    overrides: tuple[DutyOverride, ...] = (),
    absences: tuple[Absence, ...] = (),
    groups: tuple[GroupRota, ...] = (),
) -> Rota:
    names = sorted({one for each in shifts for crew in each.crews for one in crew})
    if people is None:
        people = people_of(*(person(name, noc=1) for name in names))
    rules = RotaRules(MappingProxyType({one.group: one for one in groups}), shifts, overrides, absences)
    return Rota(rules, people)
