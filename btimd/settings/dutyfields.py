"""Types of values in people.toml and rota.toml, and the reading of their tables, each checked by itself."""

import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator

from btimd.model.incident import Priority
from btimd.settings.fields import parse_duration
from btimd.settings.load import Model, TomlFile, salvage, validate
from btimd.settings.report import SettingsError, did_you_mean

DAYS: Final = {"mon": 0, "tue": 1, "wed": 2, "thu": 3, "fri": 4, "sat": 5, "sun": 6}
ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_CLOCK: Final = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)")
_LAST_MINUTE: Final = 24 * 60
_PRIORITIES: Final = {priority.name: priority for priority in Priority}


def _clock(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value  # a default of our own code
    match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    minutes = int(match[1]) * 60 + int(match[2]) if match else _LAST_MINUTE + 1
    if minutes > _LAST_MINUTE:
        raise ValueError(f'{value!r} is no time of day; write "08:00", up to "24:00"')
    return minutes


def _zone(value: Any) -> str:
    text = str(value)
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f'{text!r} is no time zone; write a name of the IANA list, such as "Asia/Shanghai"') from None
    return text


def weekdays_of(value: Any) -> frozenset[int]:
    """Return weekdays of "daily", or of a list of "mon" and "mon-fri"; raises ValueError for anything else."""
    if isinstance(value, frozenset):
        return value
    words = ["mon-sun"] if value == "daily" else [value] if isinstance(value, str) else value
    found: set[int] = set()
    for word in words if isinstance(words, list) else [words]:
        first, dash, last = str(word).lower().partition("-")
        if first not in DAYS or (dash and last not in DAYS):
            raise ValueError(f'{word!r} is no day; write "daily", or a list of {", ".join(DAYS)} and "mon-fri"')
        low, high = DAYS[first], DAYS[last or first]
        found |= {day % 7 for day in range(low, high + 1 if high >= low else high + 8)}
    if not found:
        raise ValueError('no day is named; write "daily", or a list such as ["mon-fri"]')
    return frozenset(found)


def _priority_seconds(value: Any) -> dict[Priority, float]:
    """Return seconds by priority of "10m", for all, or of { P1 = "5m", P2 = "10m" }."""
    if isinstance(value, str):
        return dict.fromkeys(Priority, _positive_duration(value))
    if not isinstance(value, dict):
        raise ValueError(f'{value!r} is no time; write "10m", or {{ P1 = "5m", P2 = "10m" }}')  # noqa: TRY004  pydantic reports ValueError only
    return {priority_of(name): _positive_duration(text) for name, text in value.items()}


def priority_of(name: Any) -> Priority:
    """Return the priority that "P1" names; raises ValueError for anything else."""
    if name not in _PRIORITIES:
        raise ValueError(f"{name!r} is no priority; write {', '.join(_PRIORITIES)}")
    return _PRIORITIES[name]


def _positive_duration(value: Any) -> float:
    seconds = parse_duration(value)
    if seconds <= 0:
        raise ValueError("must be longer than nothing")
    return seconds


def _moment(value: Any) -> date:
    """Return a date, or a moment with or without a zone; text is read as RFC 3339."""
    if isinstance(value, date):
        return value
    try:
        return datetime.fromisoformat(value) if "T" in value or " " in value.strip() else date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError(f"{value!r} is no date; write 2026-10-01, or 2026-10-01T18:00:00") from None


ClockMinute = Annotated[int, BeforeValidator(_clock)]
"""Minutes after midnight, written as "08:00"."""
ZoneName = Annotated[str, BeforeValidator(_zone)]
"""The name of a time zone."""
Weekdays = Annotated[frozenset[int], BeforeValidator(weekdays_of)]
"""Days of the week, 0 = Monday."""
PrioritySeconds = Annotated[dict[Priority, float], BeforeValidator(_priority_seconds)]
"""Seconds by priority."""
Moment = Annotated[Any, BeforeValidator(_moment)]
"""A date or datetime."""


def _person_name(value: str) -> str:
    if not value.strip():
        raise ValueError("is empty; write a name")
    return value.strip()


Name = Annotated[str, AfterValidator(_person_name)]


class TableReader:
    """Reads the tables of a file by kind, collecting every mistake; what is half right is kept for further checks."""

    def __init__(self, file: TomlFile, kinds: tuple[str, ...]) -> None:
        self.file = file
        self.problems = [
            file.problem((kind,), "unknown table" + did_you_mean(kind, kinds))
            for kind in file.data
            if kind not in kinds
        ]

    def tables(self, kind: str, model: type[Model]) -> dict[str, Model]:
        """Return the tables [kind.ID] by id."""
        written = self.file.data.get(kind, {})
        if not isinstance(written, dict):
            self.problems.append(self.file.problem((kind,), f"is no table; write [{kind}.ID]"))
            return {}
        found: dict[str, Model] = {}
        for name in written:
            if not ID.fullmatch(name):
                text = "an id has letters, digits, '-', '_' and '.', at most 63 of them"
                self.problems.append(self.file.problem((kind, name), text))
            table = self._read(model, (kind, name))
            if table is not None:
                found[name] = table
        return found

    def rows(self, kind: str, model: type[Model]) -> list[tuple[int, Model]]:
        """Return the tables [[kind]] in order, each with its index."""
        written = self.file.data.get(kind, [])
        if not isinstance(written, list):
            self.problems.append(self.file.problem((kind,), f"is no list of tables; write [[{kind}]]"))
            return []
        read = ((index, self._read(model, (kind, index))) for index in range(len(written)))
        return [(index, table) for index, table in read if table is not None]

    def declared(self, kind: str) -> tuple[str, ...]:
        """Return the ids of all tables of a kind, right or not."""
        written = self.file.data.get(kind, {})
        return tuple(written) if isinstance(written, dict) else ()

    def problem(self, path: tuple[str | int, ...], text: str) -> None:
        """Note a mistake."""
        self.problems.append(self.file.problem(path, text))

    def need(self, path: tuple[str | int, ...], name: str, kind: str, known: Iterable[str]) -> None:
        """Note a mistake where a name is none of the known ones."""
        names = tuple(known)
        if name not in names:
            self.problem(path, f"no {kind} '{name}'" + did_you_mean(name, names))

    def check(self) -> None:
        """Raise SettingsError where there is any mistake."""
        if self.problems:
            raise SettingsError(self.problems)

    def _read(self, model: type[Model], path: tuple[str | int, ...]) -> Model | None:
        try:
            return validate(self.file, model, path)
        except SettingsError as error:
            self.problems += error.problems
        return salvage(self.file, model, path)
