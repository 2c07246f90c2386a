"""What the parts of the diagnosis engine share while they deal with one event."""

from dataclasses import dataclass, field

from btimd.model.probe import ProbeSpec
from btimd.model.service import Check
from btimd.model.units import UnixSeconds
from btimd.rca.events import Command


@dataclass(slots=True)
class Turn:
    """The commands of one event, in order."""

    now: UnixSeconds
    commands: list[Command] = field(default_factory=list)


@dataclass(slots=True)
class Numbers:
    """Gives the probes of an engine their numbers. next_probe_id: of the next one."""

    next_probe_id: int

    def spec(self, check: Check, why: str) -> ProbeSpec:
        """Return a check as a probe of its own."""
        spec = ProbeSpec(self.next_probe_id, check, why)
        self.next_probe_id += 1
        return spec
