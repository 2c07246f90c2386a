"""rota.toml -> the rules of who is on duty when, or every mistake in it at once."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from pydantic import Field, PlainValidator, model_validator

from btimd.model.duty import (
    MINUTES_PER_DAY,
    Absence,
    DayRule,
    DutyOverride,
    DutyRole,
    GroupRota,
    People,
    RotaRules,
    Shift,
)
from btimd.model.units import UnixSeconds
from btimd.settings.dutyfields import ClockMinute, Moment, TableReader, ZoneName, weekdays_of
from btimd.settings.fields import Section
from btimd.settings.load import read_toml
from btimd.settings.people import HoursTable, working_hours
from btimd.settings.report import did_you_mean
from btimd.settings.tables import PositiveDuration

_KINDS: Final = ("rota", "shift", "override", "absence")
_MOST_PEOPLE: Final = 1000
_MOST_ROWS: Final = 20_000
_DAY: Final = 86_400.0
_USUAL_FIRST: Final = date(2024, 1, 1)
"""A Monday."""

CountryDays = Callable[[str], tuple[frozenset[date], frozenset[date]]]
"""Country or "CN-11" -> its days off and its make-up workdays; raises ValueError for a country it does not know."""


def _days(value: Any) -> DayRule | frozenset[int]:
    if isinstance(value, str) and value in {DayRule.WORKDAYS, DayRule.FREE_DAYS}:
        return DayRule(value)
    try:
        return weekdays_of(value)
    except ValueError as error:
        raise ValueError(f'{error}, or "workdays", or "free-days"') from None


ShiftDays = Annotated[DayRule | frozenset[int], PlainValidator(_days)]


class RotaTable(Section):
    """[rota.GROUP]: what the duty of a group must be like."""

    timezone: ZoneName = "UTC"
    least: Annotated[int, Field(ge=0, le=_MOST_PEOPLE)] = 1
    most: Annotated[int, Field(ge=0, le=_MOST_PEOPLE)] = 0
    covered: tuple[HoursTable, ...] = ()
    rest: PositiveDuration | None = None
    holidays: str = ""
    closed: tuple[date, ...] = ()
    open: tuple[date, ...] = ()
    calendar: str = ""
    calendar_role: DutyRole = DutyRole.PRIMARY


class ShiftTable(Section):
    """[shift.ID]: people who are on duty at certain hours of certain days, in turns."""

    rota: str
    from_: ClockMinute = Field(alias="from")
    to: ClockMinute
    people: tuple[str | tuple[str, ...], ...] = Field(min_length=1, max_length=_MOST_PEOPLE)
    role: DutyRole = DutyRole.PRIMARY
    days: ShiftDays = frozenset(range(7))
    rotate: str = "never"
    first: date = _USUAL_FIRST
    offset: Annotated[int, Field(ge=-1000, le=1000)] = 0
    timezone: ZoneName | None = None
    since: date | None = None
    until: date | None = None

    @property
    def crews(self) -> tuple[tuple[str, ...], ...]:
        """The people in turns. Without turns all are on duty together."""
        crews = tuple((crew,) if isinstance(crew, str) else crew for crew in self.people)
        return crews if self.rotate_days else (tuple(dict.fromkeys(one for crew in crews for one in crew)),)

    @property
    def rotate_days(self) -> int:
        """For how many days a crew stays, 0 = for ever."""
        return {"never": 0, "day": 1, "daily": 1, "week": 7, "weekly": 7}.get(self.rotate) or _days_of(self.rotate)

    @model_validator(mode="after")
    def _makes_sense(self) -> "ShiftTable":
        if self.rotate not in {"never", "day", "daily", "week", "weekly"} and not _days_of(self.rotate):
            raise ValueError(f'{self.rotate!r} is no turn; write rotate = "daily", "weekly", "never" or a number: "3d"')
        if any(not crew for crew in self.crews):
            raise ValueError("a crew is empty; write people, or leave it out")
        if self.since is not None and self.until is not None and self.until < self.since:
            raise ValueError(f"ends on {self.until}, before it begins on {self.since}")
        return self


class OverrideTable(Section):
    """[[override]]: somebody stands in for somebody, or comes in addition."""

    rota: str
    from_: Moment = Field(alias="from")
    to: Moment
    by: str
    for_: str = Field(default="", alias="for")
    role: DutyRole = DutyRole.PRIMARY
    why: str = ""


class AbsenceTable(Section):
    """[[absence]]: somebody is away."""

    person: str
    from_: Moment = Field(alias="from")
    to: Moment
    why: str = ""


def _days_of(text: str) -> int:
    number = text.removesuffix("d")
    return int(number) if text.endswith("d") and number.isdecimal() and len(number) <= 3 else 0  # noqa: PLR2004


def load_rota(path: Path, people: People, country_days: CountryDays | None = None) -> RotaRules:
    """Return the rules of a file; raises SettingsError with every mistake.

    country_days: tells holidays, None = nothing is known of any country, and naming one is a mistake.
    """
    reader = TableReader(read_toml(path), _KINDS)
    rotas = reader.tables("rota", RotaTable)
    shifts = reader.tables("shift", ShiftTable)
    overrides = reader.rows("override", OverrideTable)
    absences = reader.rows("absence", AbsenceTable)
    groups = {name: _group(reader, name, table, people, country_days) for name, table in rotas.items()}
    zones = {name: table.timezone for name, table in rotas.items()}
    for name, shift in shifts.items():
        _check_shift(reader, name, shift, people)
    rules = RotaRules(
        groups=MappingProxyType(groups),
        shifts=tuple(_shift(name, table, zones.get(table.rota, "UTC")) for name, table in shifts.items()),
        overrides=tuple(_override(reader, index, table, people, zones) for index, table in overrides),
        absences=tuple(_absence(reader, index, table, people) for index, table in absences),
    )
    for kind, count in (("override", len(rules.overrides)), ("absence", len(rules.absences))):
        if count > _MOST_ROWS:
            reader.problem((kind,), f"{count} of them, at most {_MOST_ROWS}; delete what is over")
    reader.check()
    return rules


def _group(
    reader: TableReader, name: str, table: RotaTable, people: People, country_days: CountryDays | None
) -> GroupRota:
    reader.need(("rota", name), name, "group", people.groups)
    closed, opened = frozenset(table.closed), frozenset(table.open)
    for day in sorted(closed & opened):
        reader.problem(("rota", name, "open"), f"{day} is both closed and open; keep one")
    free_days, work_days = closed, opened
    if table.holidays and country_days is None:
        reader.problem(("rota", name, "holidays"), "holidays of countries are not known here; write closed = [dates]")
    elif table.holidays and country_days is not None:
        try:
            off, made_up = country_days(table.holidays)
        except ValueError as error:
            reader.problem(("rota", name, "holidays"), str(error))
        else:
            free_days, work_days = (off - opened) | closed, (made_up - closed) | opened
    if table.most and table.most < table.least:
        reader.problem(
            ("rota", name, "most"), f"{table.most} is fewer than least = {table.least}; nothing can be right"
        )
    return GroupRota(
        group=name,
        timezone=table.timezone,
        least=table.least,
        most=table.most,
        covered=working_hours(table.covered),
        rest_seconds=table.rest or 0.0,
        free_days=free_days,
        work_days=work_days,
        calendar=table.calendar,
        calendar_role=table.calendar_role,
    )


def _check_shift(reader: TableReader, name: str, table: ShiftTable, people: People) -> None:
    path = ("shift", name)
    _check_rota(reader, (*path, "rota"), table.rota)
    for index, crew in enumerate(table.people):
        for at, person in enumerate((crew,) if isinstance(crew, str) else crew):
            place = (*path, "people", index) if isinstance(crew, str) else (*path, "people", index, at)
            _check_member(reader, place, person, table.rota, people)


def _check_rota(reader: TableReader, path: tuple[str | int, ...], name: str) -> None:
    rotas = reader.declared("rota")
    if name not in rotas:
        reader.problem(path, f"no rota '{name}'" + did_you_mean(name, rotas) + f"; or write [rota.{name}]")


def _check_member(reader: TableReader, path: tuple[str | int, ...], person: str, group: str, people: People) -> None:
    reader.need(path, person, "person", people.persons)
    if person in people.persons and group in people.groups and group not in people.persons[person].groups:
        text = f"'{person}' is not in group '{group}'; write groups = {{ {group} = 1 }} at the person"
        reader.problem(path, text)


def _shift(name: str, table: ShiftTable, zone: str) -> Shift:
    days = table.days if isinstance(table.days, DayRule) else DayRule.WEEKDAYS
    return Shift(
        id=name,
        group=table.rota,
        timezone=table.timezone or zone,
        from_minute=table.from_,
        to_minute=table.to if table.to > table.from_ else table.to + MINUTES_PER_DAY,
        crews=table.crews,
        role=table.role,
        days=days,
        weekdays=table.days if isinstance(table.days, frozenset) else frozenset(range(7)),
        rotate_days=table.rotate_days,
        first=table.first,
        offset=table.offset,
        since=table.since,
        until=table.until,
    )


def _override(
    reader: TableReader, index: int, table: OverrideTable, people: People, zones: Mapping[str, str]
) -> DutyOverride:
    path = ("override", index)
    _check_rota(reader, (*path, "rota"), table.rota)
    _check_member(reader, (*path, "by"), table.by, table.rota, people)
    if table.for_:
        reader.need((*path, "for"), table.for_, "person", people.persons)
    if table.for_ == table.by:
        reader.problem((*path, "for"), f"'{table.by}' stands in for the same person; name two")
    start, end = _span(reader, path, table.from_, table.to, zones.get(table.rota, "UTC"))
    return DutyOverride(table.rota, start, end, table.by, table.for_, table.role, table.why)


def _absence(reader: TableReader, index: int, table: AbsenceTable, people: People) -> Absence:
    path = ("absence", index)
    reader.need((*path, "person"), table.person, "person", people.persons)
    person = people.persons.get(table.person)
    start, end = _span(reader, path, table.from_, table.to, person.timezone if person else "UTC")
    return Absence(table.person, start, end, table.why)


def _span(
    reader: TableReader, path: tuple[str, int], start: date, end: date, zone: str
) -> tuple[UnixSeconds, UnixSeconds]:
    """Return moments; a plain date at the end counts whole, and what has no zone is local."""
    low, high = _moment(start, zone), _moment(end, zone, whole_day=True)
    if high <= low:
        reader.problem((*path, "to"), "is not after 'from'; write the later one here")
    return low, high


def _moment(value: date, zone: str, *, whole_day: bool = False) -> UnixSeconds:
    if not isinstance(value, datetime):
        day = value + timedelta(days=1) if whole_day else value
        value = datetime(day.year, day.month, day.day)  # noqa: DTZ001  the zone follows
    return (value if value.tzinfo else value.replace(tzinfo=ZoneInfo(zone))).timestamp()
