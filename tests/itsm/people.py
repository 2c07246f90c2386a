"""A toy dispatcher: lists of names per level, in the order they are asked."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from btimd.itsm.moment import Choice, OrderLimits
from btimd.model.incident import Incident
from btimd.model.units import UnixSeconds


@dataclass
class Team:
    """Persons by level; who is `away` is known, but not on duty. said: limits by level."""

    by_level: tuple[tuple[str, ...], ...] = (("ann", "bob", "cai"), ("dan",))
    away: set[str] = field(default_factory=set)
    said: dict[int, OrderLimits] = field(default_factory=dict)

    def levels(self, _incident: Incident, _now: UnixSeconds) -> int:
        return len(self.by_level)

    def decide(self, _incident: Incident, level: int, excluded: frozenset[str], _now: UnixSeconds) -> Choice:
        there = [name for name in self.by_level[level - 1] if name not in self.away | excluded]
        return Choice(there[0] if there else "", f"team-{level}" if there else "", f"level {level}: {','.join(there)}")

    def limits(self, _incident: Incident, level: int) -> OrderLimits:
        return self.said.get(level, OrderLimits())

    def transfer_candidates(self, incident: Incident, _now: UnixSeconds) -> Sequence[str] | None:
        return [name for name in self.by_level[max(incident.level, 1) - 1] if name not in self.away]

    def on_duty(self, person: str, _now: UnixSeconds) -> bool | None:
        known = any(person in names for names in self.by_level)
        return person not in self.away if known else None
