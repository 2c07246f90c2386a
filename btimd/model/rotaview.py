"""Rotas as calendars, as the API tells of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from btimd.model.units import UnixSeconds


@dataclass(frozen=True, slots=True)
class RotaCalendar:
    """What was read of the calendar of a group. read_at None: never without fault. refused counts all problems."""

    group: str
    file: str
    read_at: UnixSeconds | None = None
    slots: int = 0
    refused: int = 0
    problems: tuple[str, ...] = ()


class RotaView(Protocol):
    """Who reads and writes calendars."""

    def export(self, group: str, at: UnixSeconds | None, days: int) -> str:
        """Return the duty of a group as an iCalendar, from now on where no moment is given; raises KeyError."""
        ...

    def calendars(self) -> Sequence[RotaCalendar]:
        """Return what was read of each calendar."""
        ...

    def gaps(self) -> Sequence[str]:
        """Return what the coming week lacks, in sentences."""
        ...
