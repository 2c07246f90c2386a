"""The rota watch: reads the calendars that rota.toml names, and looks for gaps in the coming week; a Component.

Calendars are files in one directory that the operator names; nothing else is opened whatever rota.toml says, and no
address is ever asked. What cannot be read leaves in force what was read before, and is told.
"""

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

from btimd.itsm.rota import Rota
from btimd.itsm.rotacheck import FaultKind, RotaFault, rota_faults
from btimd.itsm.rotaical import MOST_CHARACTERS, read_calendar, write_calendar
from btimd.model.duty import DutySlot, GroupRota, People, RotaRules
from btimd.model.rotaview import RotaCalendar
from btimd.model.units import Seconds, UnixSeconds
from btimd.runtime.clock import Clock
from btimd.runtime.lifecycle import ComponentHealth, HealthLevel
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics

DAY: Final = 86_400.0
BACK_SECONDS: Final = 7 * DAY
AHEAD_SECONDS: Final = 63 * DAY
_GAPS_AHEAD: Final = 7 * DAY
_LOOK_EVERY: Final = 60.0
_READ_EVERY: Final = 3600.0
_USUAL_DAYS: Final = 56
_NAMED_GAPS: Final = 3


class Duty(Protocol):
    """Who keeps the rota."""

    @property
    def rota(self) -> Rota:
        """The rota in force."""
        ...

    def imported(self, slots: Sequence[DutySlot]) -> None:
        """Take what calendars say now."""
        ...


@dataclass(frozen=True, slots=True)
class Reading:
    """A calendar that was read. stamp: of the file, None where it could not be opened."""

    told: RotaCalendar
    slots: tuple[DutySlot, ...] = ()
    stamp: tuple[int, int, int] | None = None


def inside(folder: Path, name: str) -> Path:
    """Return the file of a name in a directory; raises ValueError for what would lead out of it."""
    if "://" in name:
        raise ValueError(f"{name!r} is an address; btimd reads files only: let a job of yours fetch it into {folder}")
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ValueError(f"{name!r} lies outside of {folder}; put the calendar there")
    return path


def read_one(folder: Path, rota: GroupRota, people: People, now: UnixSeconds) -> Reading:
    """Return what the calendar of a group says of the weeks around now."""
    told = RotaCalendar(rota.group, rota.calendar)
    try:
        path = inside(folder, rota.calendar)
        if not path.is_file():
            raise ValueError(f"there is no such file in {folder}")  # noqa: TRY301  one place for what is wrong
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            body = file.read(4 * MOST_CHARACTERS + 1)
        text = body.decode("utf-8-sig", "replace")
    except (OSError, ValueError) as error:
        reason = f"cannot read {rota.calendar}: {getattr(error, 'strerror', None) or error}"
        return Reading(replace(told, refused=1, problems=(reason,)))
    reading = read_calendar(text, rota, people, now - BACK_SECONDS, now + AHEAD_SECONDS)
    stamp = (found.st_ino, found.st_size, found.st_mtime_ns)
    told = replace(
        told, read_at=now, slots=len(reading.slots), refused=reading.refused, problems=tuple(reading.problems)
    )
    return Reading(told, reading.slots, stamp)


def read_all(folder: Path, rules: RotaRules, people: People, now: UnixSeconds) -> dict[str, Reading]:
    """Return what the calendars of all groups say."""
    return {group: read_one(folder, rota, people, now) for group, rota in rules.groups.items() if rota.calendar}


def gaps_ahead(rota: Rota, now: UnixSeconds, ahead: Seconds = _GAPS_AHEAD) -> list[RotaFault]:
    """Return where nobody, or too few, are on duty."""
    return [one for one in rota_faults(rota, now, now + ahead) if one.kind is FaultKind.GAP]


class RotaWatch:
    """A Component. folder: the only directory that is read."""

    name = "duty.rota"

    def __init__(self, duty: Duty, folder: Path, *, metrics: Metrics, clock: Clock, log: Log) -> None:
        self._duty = duty
        self._folder = folder
        self._clock = clock
        self._log = log
        self._readings: dict[str, Reading] = {}
        self._read_at = -_READ_EVERY
        self._gaps: list[RotaFault] = []
        self._gap_seconds = metrics.gauge(
            "btimd_duty_gap_seconds", "Time in the coming week without enough people on duty", ("group",)
        )
        self._refused = metrics.gauge(
            "btimd_duty_calendar_problems", "What of a calendar was not understood when it was read last", ("group",)
        )

    async def start(self) -> None:
        """Read the calendars before the first order is given."""
        await self.look()

    async def run(self) -> None:
        """Look every minute: a calendar that was changed is read again, all of them every hour."""
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            await self.look()

    async def stop(self) -> None:
        """Do nothing."""

    def health(self) -> ComponentHealth:
        """Say which calendar cannot be read, and what the coming week lacks."""
        parts = [one.told.problems[0] for one in self._readings.values() if one.told.problems]
        parts += [one.text() for one in self._gaps[:_NAMED_GAPS]]
        if len(self._gaps) > _NAMED_GAPS:
            parts.append(f"and {len(self._gaps) - _NAMED_GAPS} more gaps in the coming week")
        return ComponentHealth(HealthLevel.WARNING, "; ".join(parts)) if parts else ComponentHealth()

    async def reload(self, folder: Path) -> None:
        """Read everything again, as people and rota are others now."""
        self._folder = folder
        self._read_at = -_READ_EVERY
        await self.look()

    async def look(self) -> None:
        """Read what has changed, and look for gaps."""
        rota, now = self._duty.rota, self._clock.wall()
        is_due = self._clock.monotonic() - self._read_at >= _READ_EVERY
        if is_due or await asyncio.to_thread(self._is_changed):
            self._read_at = self._clock.monotonic()
            found = await asyncio.to_thread(read_all, self._folder, rota.rules, rota.people, now)
            self._take(found, rota)
        self._gaps = gaps_ahead(self._duty.rota, now)
        for group in self._duty.rota.rules.groups:
            self._gap_seconds.labels(group).set(
                sum(one.end_at - one.start_at for one in self._gaps if one.group == group)
            )

    def _is_changed(self) -> bool:
        for one in self._readings.values():
            try:
                found = inside(self._folder, one.told.file).stat()
            except (OSError, ValueError):
                stamp = None
            else:
                stamp = (found.st_ino, found.st_size, found.st_mtime_ns)
            if stamp != one.stamp:
                return True
        return False

    def _take(self, found: Mapping[str, Reading], rota: Rota) -> None:
        if self._duty.rota.rules is not rota.rules:
            return  # a reload came between; it reads again
        kept = {}
        for group, one in found.items():
            before = self._readings.get(group)
            if one.told.read_at is None and before is not None and before.told.file == one.told.file:
                told = replace(one.told, read_at=before.told.read_at, slots=before.told.slots)
                kept[group] = replace(one, slots=before.slots, told=told)
            else:
                kept[group] = one
            self._refused.labels(group).set(one.told.refused)
            if one.told.problems and (before is None or before.told.problems != one.told.problems):
                self._log.warning("rota-calendar", group=group, refused=one.told.refused, first=one.told.problems[0])
        self._readings = kept
        slots = [slot for one in kept.values() for slot in one.slots]
        if list(rota.imported) != slots:
            self._duty.imported(slots)

    # -- what the API asks

    def export(self, group: str, at: UnixSeconds | None, days: int) -> str:
        """Return the duty of a group as an iCalendar; raises KeyError."""
        rota = self._duty.rota
        if group not in rota.groups:
            raise KeyError(group)
        now = self._clock.wall()
        start = now if at is None else at
        return write_calendar(rota, group, start, start + (days or _USUAL_DAYS) * DAY, now)

    def calendars(self) -> Sequence[RotaCalendar]:
        """Return what was read of each calendar."""
        return [one.told for one in self._readings.values()]

    def gaps(self) -> Sequence[str]:
        """Return what the coming week lacks."""
        return [one.text() for one in self._gaps]
