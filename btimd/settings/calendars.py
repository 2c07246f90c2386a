"""[calendar.NAME]: service calendars of the operator, in the classes of service hours that support contracts use."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays  # noqa: TID251  what is closed in a country is a setting
from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from btimd.model.calendar import ALWAYS, MINUTES_PER_DAY, CalendarRule, DayHours, ServiceCalendar, SpecialDays
from btimd.model.units import UnixSeconds
from btimd.settings.fields import Section
from btimd.settings.report import did_you_mean

_CLOCK: Final = re.compile(r"([01]\d|2[0-4]):([0-5]\d)")
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_DAYS_OF_CLASS: Final = {"5": frozenset(range(5)), "6": frozenset(range(6)), "7": frozenset(range(7))}
_WEEKDAYS: Final = {name: number for number, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))}
_NINE_HOURS: Final = 9 * 60
_NINE_TO_SIX: Final = (9 * 60, 18 * 60)
_MOST_DATES: Final = 2000
_MOST_HOURS: Final = 24
_LOOK_AHEAD: Final = 31 * 86400.0
_WHOLE_DAY: Final[DayHours] = ((0, MINUTES_PER_DAY),)


def _clock(value: Any) -> int:
    """Return the minutes since midnight of "09:00"; "24:00" is the end of the day."""
    if isinstance(value, int) and not isinstance(value, bool):  # minutes, by our own code; TOML has texts
        return value
    match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    minutes = int(match[1]) * 60 + int(match[2]) if match else MINUTES_PER_DAY + 1
    if minutes > MINUTES_PER_DAY:
        raise ValueError(f'{value!r} is no time of day; write "09:00", from "00:00" to "24:00"')
    return minutes


def _hours(value: Any) -> tuple[int, int]:
    if isinstance(value, tuple):
        return value
    begins, dash, ends = value.partition("-") if isinstance(value, str) else ("", "", "")
    if not dash:
        raise ValueError(f'{value!r} is no stretch of hours; write "09:00-18:00", over midnight "22:00-06:00"')
    return _span(_clock(begins.strip()), _clock(ends.strip()))


def _span(begins: int, ends: int) -> tuple[int, int]:
    """Return a stretch; one that ends before it begins ends on the next day."""
    if begins in {ends, MINUTES_PER_DAY}:
        raise ValueError('has no hours; a whole day is "00:00" to "24:00"')
    return begins, ends if ends > begins else ends + MINUTES_PER_DAY


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f'{value!r} is no time zone; write "Asia/Shanghai", "UTC", "Europe/Berlin"') from error
    return value


def _country(value: str) -> str:
    if value:
        _library(value)
    return value


def _library(code: str, years: tuple[int, ...] = ()) -> holidays.HolidayBase:
    """Return the holidays of "CN" or "DE-BY"; raises ValueError that says what to write."""
    country, _, part = code.partition("-")
    try:
        return holidays.country_holidays(country, subdiv=part or None, years=years or None)
    except NotImplementedError as error:
        raise ValueError(
            f'no holidays of {code!r} are known; write an ISO 3166 code such as "CN", "US" or "DE-BY"'
        ) from error


def _one_date(value: Any) -> Any:
    """Take dates and their ISO form only: a number would be read as seconds since 1970."""
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    elif type(value) is date:
        return value
    raise ValueError(f"{value!r} is no date; write 2026-02-17")


Clock = Annotated[int, BeforeValidator(_clock)]
Hours = Annotated[tuple[int, int], BeforeValidator(_hours)]
Day = Annotated[date, BeforeValidator(_one_date)]
Dates = Annotated[tuple[Day, ...], Field(max_length=_MOST_DATES)]


class CalendarTable(Section):
    """[calendar.NAME]: hours and days by a class (`class`), or by `days` and `hours` of one's own."""

    class_: Literal["5x9", "5x24", "6x9", "6x24", "7x9", "7x24"] | None = Field(default=None, alias="class")
    """Days a week, from Monday, and hours a day."""
    timezone: Annotated[str, AfterValidator(_zone)]
    """IANA name of the time zone whose clocks the hours are of."""
    from_: Clock | None = Field(default=None, alias="from")
    """When the nine hours of a class begin; 09:00."""
    to: Clock | None = None
    """When they end; 18:00."""
    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = ()
    """Weekdays that are open, instead of a class."""
    hours: Annotated[tuple[Hours, ...], Field(max_length=_MOST_HOURS)] = ()
    """Their hours: "09:00-18:00", over midnight "22:00-06:00"."""
    holidays: Annotated[str, AfterValidator(_country)] = ""
    """Country (and part of it) whose holidays are closed and whose make-up workdays are open."""
    closed: Dates = ()
    """Dates that are closed whatever else is said."""
    open: Dates = ()
    """Dates with the usual hours whatever weekday or holiday they are."""
    special: Annotated[dict[Day, tuple[Hours, ...]], Field(max_length=_MOST_DATES)] = Field(default_factory=dict)
    """Dates with hours of their own."""

    @field_validator("to")
    @classmethod
    def _fits_the_class(cls, value: int | None, info: ValidationInfo) -> int | None:
        begins, kind = info.data.get("from_"), info.data.get("class_")
        if value is None or begins is None:
            return value
        length = _span(begins, value)[1] - begins
        if kind is not None and kind.endswith("x9") and length != _NINE_HOURS:
            raise ValueError(
                f"class {kind} has 9 hours a day, these are {length / 60:g}; write other times, or `days` and `hours`"
                " instead of the class"
            )
        return value

    @field_validator("open", "special")
    @classmethod
    def _is_said_once(cls, value: Any, info: ValidationInfo) -> Any:
        for earlier in ("closed", "open"):
            if earlier != info.field_name and (both := set(info.data.get(earlier, ())) & set(value)):
                raise ValueError(f"{min(both)} is in '{earlier}' too; say one thing of it")
        return value

    @model_validator(mode="after")
    def _says_when(self) -> "CalendarTable":
        if self.class_ is None:
            if not self.days or not self.hours:
                raise ValueError('says no hours; write class = "5x9", or days = ["mon"] and hours = ["09:00-18:00"]')
            if self.from_ is not None or self.to is not None:
                raise ValueError("'from' and 'to' belong to a class; write the times in 'hours'")
        elif self.days or self.hours:
            raise ValueError("'days' and 'hours' stand instead of 'class'; take one away")
        elif self.class_.endswith("x24") and (self.from_ is not None or self.to is not None):
            raise ValueError(f"class {self.class_} is open all day; take 'from' and 'to' away")
        elif (self.from_ is None) != (self.to is None):
            raise ValueError("'from' and 'to' belong together; write both")
        return self

    def rule(self) -> CalendarRule:
        """Return what open time follows from."""
        return CalendarRule(
            zone=ZoneInfo(self.timezone),
            weekdays=_DAYS_OF_CLASS[self.class_[0]] if self.class_ else frozenset(_WEEKDAYS[day] for day in self.days),
            hours=self._hours_of_a_day(),
            special_days=special_days(self.holidays),
            closed=frozenset(self.closed),
            opened=frozenset(self.open),
            own_hours=MappingProxyType(dict(self.special)),
        )

    def _hours_of_a_day(self) -> DayHours:
        if self.class_ is None:
            return self.hours
        if self.class_.endswith("x24"):
            return _WHOLE_DAY
        if self.from_ is None or self.to is None:
            return (_NINE_TO_SIX,)
        return (_span(self.from_, self.to),)


def table_name(value: str) -> str:
    """Return a name a table may have; raises ValueError for others."""
    if not _ID.fullmatch(value):
        raise ValueError(f"{value!r}: a name has letters, digits, '-', '_' and '.', at most 63 of them")
    return value


def _calendar_name(value: str) -> str:
    table_name(value)
    if value == ALWAYS.name:
        raise ValueError(f"'{ALWAYS.name}' is the calendar without end; give this one another name")
    return value


CalendarTables = dict[Annotated[str, AfterValidator(_calendar_name)], CalendarTable]
"""The type of the root setting `calendar`."""


def build_calendars(tables: Mapping[str, CalendarTable]) -> Mapping[str, ServiceCalendar]:
    """Return the calendars by name, with ALWAYS among them."""
    built = {name: ServiceCalendar(name, table.rule()) for name, table in tables.items()}
    return MappingProxyType({**built, ALWAYS.name: ALWAYS})


def pick_calendar(name: str, calendars: Mapping[str, ServiceCalendar]) -> ServiceCalendar:
    """Return a calendar by its name, ALWAYS for ""; raises ValueError that tells the names there are."""
    if not name:
        return ALWAYS
    try:
        return calendars[name]
    except KeyError:
        raise ValueError(f"no calendar '{name}'" + did_you_mean(name, calendars)) from None


def special_days(code: str) -> Callable[[int], SpecialDays]:
    """Return what tells the special days of a year in a country; "": none. Raises ValueError for an unknown one."""
    if not code:
        return lambda _: SpecialDays()
    _library(code)

    @cache
    def of_year(year: int) -> SpecialDays:
        # a year's notice also moves days of the years beside it
        found = _library(code, (year - 1, year, year + 1))
        return SpecialDays(
            off=frozenset(day for day in found if day.year == year),
            working=frozenset(day for day in found.weekend_workdays if day.year == year),
        )

    return of_year


def announced_until(code: str, after: int) -> int | None:
    """Return the last year whose make-up workdays are known to the library; None: the country has none.

    after: the first year to look at. A government announces them late in the year before; until then the make-up
    workdays of a year are missing, and days moved to make long holidays too.
    """
    if not code:
        return None
    years = [year for year in range(after - 5, after + 5) if special_days(code)(year).working]
    return max(years) if years else None


def calendar_notes(tables: Mapping[str, CalendarTable], now: UnixSeconds) -> list[str]:
    """Return which calendars know too little of the coming weeks: the year they reach has no make-up workdays yet."""
    year = datetime.fromtimestamp(now + _LOOK_AHEAD, UTC).year
    notes = []
    for name, table in tables.items():
        known = announced_until(table.holidays, year)
        if known is not None and known < year:
            notes.append(
                f"calendar {name}: the make-up workdays of {year} in {table.holidays} are not known to the package"
                " 'holidays'; update it, or write the days into 'open' and 'closed'"
            )
    return notes
