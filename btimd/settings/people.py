"""people.toml -> persons, groups, escalation paths, classes of work and support, or every mistake in it at once."""

import re
from collections.abc import Collection, Mapping
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final, Literal, TypeVar

from pydantic import Field, model_validator

from btimd.model.duty import (
    CENTRE,
    EscalationPath,
    Group,
    PathLevel,
    People,
    Person,
    PersonContact,
    Supplier,
    Support,
    WorkClass,
    WorkingHours,
)
from btimd.model.notification import QuietHours
from btimd.settings.dutyfields import ClockMinute, Name, PrioritySeconds, TableReader, Weekdays, ZoneName, priority_of
from btimd.settings.fields import Section
from btimd.settings.load import read_toml
from btimd.settings.tables import PositiveDuration

_KINDS: Final = ("person", "group", "path", "class", "supplier", "support")
_MOST_LEVELS: Final = 9
_MOST_PERSONS: Final = 5000
_PHONE: Final = re.compile(r"\+?[0-9][0-9 ()-]{2,24}")
_MAIL: Final = re.compile(r"[^@\s]+@[^@\s]+")
_MEANS: Final = re.compile(r"[a-z][a-z0-9-]{0,30}")
_Value = TypeVar("_Value")
_SHARE = Annotated[float, Field(ge=0, le=1)]
_LEVEL = Annotated[int, Field(ge=1, le=_MOST_LEVELS)]


class HoursTable(Section):
    """A part of each day: from, to and the days it begins on."""

    from_: ClockMinute = Field(alias="from")
    to: ClockMinute
    days: Weekdays = frozenset(range(7))


class ContactTable(Section):
    """A way to reach a person."""

    means: str
    address: str = Field(min_length=1)
    verified: bool = False
    quiet: tuple[HoursTable, ...] = ()

    @model_validator(mode="after")
    def _address_fits(self) -> "ContactTable":
        if not _MEANS.fullmatch(self.means):
            raise ValueError(f'{self.means!r} is no means; write a word such as "mail", "sms", "voice" or "wecom"')
        if self.means == "mail" and not _MAIL.fullmatch(self.address):
            raise ValueError(f"{self.address!r} is no mail address; write name@example.org")
        if self.means in {"sms", "voice"} and not _PHONE.fullmatch(self.address):
            raise ValueError(f'{self.address!r} is no telephone number; write "+86 138 0013 8000"')
        return self


class PersonTable(Section):
    """[person.ID]: somebody who can be sent."""

    name: Name
    name_zh: str = ""
    language: Literal["zh", "en"] = "zh"
    timezone: ZoneName = "UTC"
    groups: dict[str, _LEVEL] = Field(default_factory=dict)
    skills: dict[str, _SHARE] = Field(default_factory=dict)
    contacts: tuple[ContactTable, ...] = ()
    capacity: Annotated[float, Field(gt=0, le=100)] = 3.0
    hours: tuple[HoursTable, ...] = ()


class GroupTable(Section):
    """[group.ID]: people who do the same work."""

    name: Name
    name_zh: str = ""
    lead: str = ""
    accept: PrioritySeconds = Field(default_factory=dict)
    renotify: PositiveDuration | None = None
    max_candidates: Annotated[int, Field(ge=1, le=100)] | None = None


class LevelTable(Section):
    """A level of an escalation path."""

    group: str
    rota: str = ""
    members: tuple[_LEVEL, ...] = ()
    accept: PrioritySeconds = Field(default_factory=dict)
    renotify: PositiveDuration | None = None
    max_candidates: Annotated[int, Field(ge=1, le=100)] | None = None
    forced_to: int | Literal["centre"] | None = None


class PathTable(Section):
    """[path.ID]: who is asked, one group after another."""

    levels: tuple[LevelTable, ...] = Field(min_length=1, max_length=_MOST_LEVELS)


class ClassTable(Section):
    """[class.ID]: a class of work."""

    path: str
    name: str = ""
    name_zh: str = ""
    effort: PositiveDuration = 3600.0
    by_priority: dict[str, str] = Field(default_factory=dict)
    by_agreement: dict[str, str] = Field(default_factory=dict)


class SupplierTable(Section):
    """[supplier.ID]: a company or department that is called for help."""

    name: Name
    name_zh: str = ""
    phone: str = ""
    mail: str = ""
    url: str = ""
    hours: str = ""
    contract: str = ""
    customer_number: str = ""
    valid_until: date | None = None
    note: str = ""


class SupportTable(Section):
    """[support.ID]: who helps with which components and businesses."""

    nodes: tuple[str, ...] = ()
    businesses: tuple[str, ...] = ()
    supplier: str = ""
    group: str = ""
    persons: tuple[str, ...] = ()
    serial: str = ""
    note: str = ""


def load_people(
    path: Path,
    *,
    means: Collection[str] = (),
    agreements: Collection[str] = (),
    nodes: Collection[str] | None = None,
    businesses: Collection[str] | None = None,
) -> People:
    """Return the people of a file; raises SettingsError with every mistake.

    means: what senders exist for, empty = not checked. agreements: ids of service level agreements, empty = not
    checked. nodes, businesses: ids of services.toml, None = not checked.
    """
    reader = TableReader(read_toml(path), _KINDS)
    persons = reader.tables("person", PersonTable)
    groups = reader.tables("group", GroupTable)
    paths = reader.tables("path", PathTable)
    classes = reader.tables("class", ClassTable)
    suppliers = reader.tables("supplier", SupplierTable)
    support = reader.tables("support", SupportTable)
    _check_persons(reader, persons, means)
    _check_groups(reader, groups)
    _check_paths(reader, paths, persons)
    _check_classes(reader, classes, agreements)
    _check_support(reader, support, nodes, businesses)
    for name in sorted(suppliers.keys() - {one.supplier for one in support.values()}):
        reader.problem(("supplier", name), "no [support.ID] names it; nobody would be told of it")
    reader.check()
    return People(
        persons=_frozen({name: _person(name, table) for name, table in persons.items()}),
        groups=_frozen({name: _group(name, table) for name, table in groups.items()}),
        paths=_frozen({name: _path(name, table) for name, table in paths.items()}),
        classes=_frozen({name: _class(name, table) for name, table in classes.items()}),
        suppliers=_frozen({name: Supplier(name, **dict(table)) for name, table in suppliers.items()}),
        support=_frozen({name: Support(name, **dict(table)) for name, table in support.items()}),
    )


def _frozen(values: dict[str, _Value]) -> Mapping[str, _Value]:
    return MappingProxyType(values)


def _check_persons(reader: TableReader, persons: Mapping[str, PersonTable], means: Collection[str]) -> None:
    if len(persons) > _MOST_PERSONS:
        reader.problem(("person",), f"{len(persons)} persons, at most {_MOST_PERSONS}")
    groups, classes = reader.declared("group"), reader.declared("class")
    owners: dict[tuple[str, str], str] = {}
    for name in reader.declared("person"):
        for group in _written(reader, name, "groups"):
            reader.need(("person", name, "groups", group), group, "group", groups)
        for skill in _written(reader, name, "skills"):
            reader.need(("person", name, "skills", skill), skill, "class", classes)
    for name, person in persons.items():
        for index, contact in enumerate(person.contacts):
            path = ("person", name, "contacts", index)
            if means:
                reader.need((*path, "means"), contact.means, "means", means)
            owner = owners.setdefault((contact.means, contact.address.casefold()), name)
            if owner != name:
                reader.problem((*path, "address"), f"is also an address of '{owner}'; answers would be of both")


def _written(reader: TableReader, person: str, key: str) -> tuple[str, ...]:
    """Return the keys of a person's table as written, right or not."""
    table = reader.file.data["person"][person]
    written = table.get(key) if isinstance(table, dict) else None
    return tuple(written) if isinstance(written, dict) else ()


def _check_groups(reader: TableReader, groups: Mapping[str, GroupTable]) -> None:
    filled = {group for name in reader.declared("person") for group in _written(reader, name, "groups")}
    for name, group in groups.items():
        if group.lead:
            reader.need(("group", name, "lead"), group.lead, "person", reader.declared("person"))
        if name not in filled:
            reader.problem(("group", name), f"has no members; write groups = {{ {name} = 1 }} at a person")


def _check_paths(reader: TableReader, paths: Mapping[str, PathTable], persons: Mapping[str, PersonTable]) -> None:
    groups = reader.declared("group")
    levels_of: dict[str, set[int]] = {}
    for person in persons.values():
        for group, line in person.groups.items():
            levels_of.setdefault(group, set()).add(line)
    for name, path in paths.items():
        for index, level in enumerate(path.levels):
            place = ("path", name, "levels", index)
            reader.need((*place, "group"), level.group, "group", groups)
            if level.rota:
                reader.need((*place, "rota"), level.rota, "group", groups)
            for at, number in enumerate(level.members):
                if level.group in levels_of and number not in levels_of[level.group]:
                    reader.problem((*place, "members", at), f"nobody of group '{level.group}' is on level {number}")
            if isinstance(level.forced_to, int) and not index + 1 < level.forced_to <= len(path.levels):
                text = f'a forced escalation goes up: write a level from {index + 2} to {len(path.levels)}, or "centre"'
                if index + 1 == len(path.levels):
                    text = 'after the last level there is only the centre; write "centre" or leave it out'
                reader.problem((*place, "forced_to"), text)


def _check_classes(reader: TableReader, classes: Mapping[str, ClassTable], agreements: Collection[str]) -> None:
    paths = reader.declared("path")
    for name, work in classes.items():
        reader.need(("class", name, "path"), work.path, "path", paths)
        for priority, other in work.by_priority.items():
            try:
                priority_of(priority)
            except ValueError as error:
                reader.problem(("class", name, "by_priority", priority), str(error))
            reader.need(("class", name, "by_priority", priority), other, "path", paths)
        for agreement, other in work.by_agreement.items():
            if agreements:
                reader.need(("class", name, "by_agreement", agreement), agreement, "agreement", agreements)
            reader.need(("class", name, "by_agreement", agreement), other, "path", paths)
    if "default" not in reader.declared("class") and reader.declared("path"):
        text = "[class.default] is missing; without it incidents of other classes would find nobody"
        reader.problem(("class",), text)


def _check_support(
    reader: TableReader,
    support: Mapping[str, SupportTable],
    nodes: Collection[str] | None,
    businesses: Collection[str] | None,
) -> None:
    for name, one in support.items():
        path = ("support", name)
        if not one.nodes and not one.businesses:
            reader.problem(path, "helps with nothing; name nodes or businesses")
        if not one.supplier and not one.group and not one.persons:
            reader.problem(path, "names nobody who helps; write a supplier, a group or persons")
        if one.supplier:
            reader.need((*path, "supplier"), one.supplier, "supplier", reader.declared("supplier"))
        if one.group:
            reader.need((*path, "group"), one.group, "group", reader.declared("group"))
        for key, named, known, kind in (
            ("persons", one.persons, reader.declared("person"), "person"),
            ("nodes", one.nodes, nodes, "node"),
            ("businesses", one.businesses, businesses, "service"),
        ):
            for index, what in enumerate(named if known is not None else ()):
                reader.need((*path, key, index), what, kind, known or ())


def _person(name: str, table: PersonTable) -> Person:
    return Person(
        id=name,
        name=table.name,
        name_zh=table.name_zh,
        language=table.language,
        timezone=table.timezone,
        groups=_frozen(dict(table.groups)),
        skills=_frozen(dict(table.skills)),
        contacts=tuple(
            PersonContact(
                contact.means,
                contact.address,
                verified=contact.verified,
                quiet=tuple(QuietHours(hours.from_, hours.to, hours.days) for hours in contact.quiet),
            )
            for contact in table.contacts
        ),
        capacity=table.capacity,
        hours=working_hours(table.hours),
    )


def working_hours(tables: tuple[HoursTable, ...]) -> tuple[WorkingHours, ...]:
    """Return hours as they are kept."""
    return tuple(WorkingHours(hours.days, hours.from_, hours.to) for hours in tables)


def _group(name: str, table: GroupTable) -> Group:
    return Group(
        id=name,
        name=table.name,
        name_zh=table.name_zh,
        lead=table.lead,
        accept=MappingProxyType(dict(table.accept)),
        renotify=table.renotify,
        max_candidates=table.max_candidates,
    )


def _path(name: str, table: PathTable) -> EscalationPath:
    def forced(index: int, to: int | str | None) -> int:
        if isinstance(to, int):
            return to
        return CENTRE if to == "centre" or index + 1 == len(table.levels) else index + 2

    return EscalationPath(
        name,
        tuple(
            PathLevel(
                group=level.group,
                rota=level.rota or level.group,
                member_levels=frozenset(level.members),
                accept=MappingProxyType(dict(level.accept)),
                renotify=level.renotify,
                max_candidates=level.max_candidates,
                forced_to=forced(index, level.forced_to),
            )
            for index, level in enumerate(table.levels)
        ),
    )


def _class(name: str, table: ClassTable) -> WorkClass:
    return WorkClass(
        id=name,
        path=table.path,
        effort_minutes=table.effort / 60.0,
        name=table.name or name,
        name_zh=table.name_zh,
        by_priority=MappingProxyType({priority_of(one): path for one, path in table.by_priority.items()}),
        by_agreement=_frozen(dict(table.by_agreement)),
    )
