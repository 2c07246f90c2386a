"""Rotas as calendars in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from typing_extensions import override

from btimd.model.rotaview import RotaCalendar, RotaView

CALENDARS = (
    RotaCalendar("noc", "noc.ics", 1_793_462_400.0, 60, 1, ("event 'x': nobody of that name",)),
    RotaCalendar("dba", "dba.ics"),
)
GAP = "rota dba: 2026-11-01 16:00 to 2026-11-02 00:00 UTC (8 h): nobody on duty, 1 wanted"


@dataclass
class FakeRota(RotaView):
    """Answers with what stands above."""

    asked: list[tuple[str, float | None, int]] = field(default_factory=list)

    @override
    def export(self, group: str, at: float | None, days: int) -> str:
        if group == "nope":
            raise KeyError(group)
        self.asked.append((group, at, days))
        return "BEGIN:VCALENDAR\r\nSUMMARY:\x1b[2Jann\r\nEND:VCALENDAR\r\n"

    @override
    def calendars(self) -> Sequence[RotaCalendar]:
        return CALENDARS

    @override
    def gaps(self) -> Sequence[str]:
        return [GAP]
