"""SizeSearch: finds the longest packet that passes, a few sizes at a time; and says what that means. No sockets here.

A router that cannot pass a packet whole should say so and name the size that it can (RFC 1191, RFC 8201). Where a
filter eats that word, long packets vanish silently (a black hole): then only trying tells (RFC 8899).
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from btimd.model.probe import ErrorClass, Health
from btimd.model.units import Octets
from btimd.probes.wire.dialogue import Outcome, printable
from btimd.probes.wire.icmperror import IcmpError, Told

LEAST_V4: Final = 576  # RFC 791: every host takes it; shorter ones are no finding of their own
LEAST_V6: Final = 1280  # RFC 8200 section 5
MOST: Final = 9216
_AT_ONCE: Final = 8


@dataclass(slots=True)
class SizeSearch:
    """The sizes that are still possible: `passed` did, `failed` did not; in between nobody knows.

    told: what somebody said of a packet too big. local: what this machine's own link takes, 0 = everything tried.
    """

    passed: Octets
    failed: Octets
    told: IcmpError | None = None
    local: Octets = 0
    confirmed: bool = False
    trusted: bool = True

    def sizes(self) -> list[Octets]:
        """Return the sizes to try next, the longest first; none where it is known."""
        if not self.confirmed:
            return [self.failed - 1, self.passed]
        room = self.failed - self.passed - 1
        if room <= 0:
            return []
        if self.trusted and self.told is not None and self.passed < self.told.mtu < self.failed:
            return [self.told.mtu, *([self.told.mtu + 1] if self.told.mtu + 1 < self.failed else [])]
        steps = min(_AT_ONCE, room)
        return sorted({self.passed + (room * step + steps - 1) // steps for step in range(1, steps + 1)}, reverse=True)

    def learn(self, answered: set[Octets], tried: list[Octets]) -> None:
        """Take what came of a try: the sizes that were answered of those that were sent."""
        best = max((size for size in answered if size < self.failed), default=0)
        if best:
            self.confirmed = True
            self.passed = max(self.passed, best)
        if self.told is not None and self.told.mtu in tried and self.told.mtu not in answered:
            self.trusted = False  # it says one thing and does another
        lost = [size for size in tried if size > self.passed and size not in answered]
        if self.confirmed and lost:
            self.failed = min(self.failed, *lost)

    def hear(self, error: IcmpError) -> None:
        """Take what somebody says of a packet too big."""
        if error.told is not Told.TOO_BIG:
            return
        if error.is_local:
            self.local = error.mtu
            if self.passed < error.mtu < self.failed:
                self.failed = error.mtu + 1
        elif self.told is None or error.mtu < self.told.mtu:
            self.told = error


def judge_size(name: str, search: SizeSearch, least: Octets | None, wanted: Octets) -> Outcome:
    """Return what a search found. least: what must pass, None = what this machine's link takes, at most `wanted`."""
    if not search.confirmed:
        detail = f"{name} does not answer, not even packets of {search.passed} octets"
        return Outcome(Health.BAD, ErrorClass.TIMEOUT, printable(detail))
    found = search.passed
    needed = least if least is not None else min(wanted, search.local or wanted)
    values = {"mtu_octets": float(found), "needed_octets": float(needed), "told": float(search.told is not None)}
    if found >= needed:
        detail = f"packets of {found} octets pass to {name}"
        return Outcome(Health.GOOD, ErrorClass.NONE, printable(detail), MappingProxyType(values))
    short = f"only packets of up to {found} octets pass to {name}, not {needed}"
    if search.local and search.local <= found:
        detail, error = f"{short}: this machine's own link takes no more", ErrorClass.WRONG_ANSWER
    elif search.told is not None:
        told = search.told
        said = f"{told.by} says: {told.words}, {told.mtu} octets"
        detail, error = f"{short}: {said}", ErrorClass.WRONG_ANSWER
    else:
        detail, error = f"{short}, and nobody says why: longer ones vanish (black hole)", ErrorClass.TIMEOUT
    return Outcome(Health.BAD, error, printable(detail), MappingProxyType(values))
