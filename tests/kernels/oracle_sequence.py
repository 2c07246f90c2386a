"""Exporters that count as they like, a network that loses, swaps and repeats, and what a collector can know of it.

`arrivals` makes up what comes; `Collector` keeps every missing unit by itself in a dictionary.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

NUMBERS = 2**32


@dataclass(frozen=True)
class Sent:
    """One datagram: its number, its records, the options records among them, and its sets."""

    sequence: int
    records: int
    options: int
    sets: int


@dataclass(frozen=True)
class Convention:
    """What an exporter counts: units of a datagram, and whether it writes the count after having added them."""

    units: Callable[[int, int, int], int]
    counts_itself: bool = False

    def sends(self, contents: Sequence[tuple[int, int, int]], start: int) -> list[Sent]:
        """Number datagrams of (records, options, sets)."""
        sent = []
        count = start
        for records, options, sets in contents:
            after = count + self.units(records, options, sets)
            sent.append(Sent((after if self.counts_itself else count) % NUMBERS, records, options, sets))
            count = after
        return sent


CONVENTIONS = {
    1: Convention(lambda _records, _options, _sets: 1),
    2: Convention(lambda records, _options, _sets: records),
    3: Convention(lambda records, options, _sets: records - options),
    4: Convention(lambda records, _options, _sets: records, counts_itself=True),
    5: Convention(lambda records, options, _sets: records - options, counts_itself=True),
    6: Convention(lambda _records, _options, sets: sets),
    7: Convention(lambda _records, _options, sets: sets, counts_itself=True),
}
"""By the number of the rule (sequence.RULES)."""


@dataclass
class Collector:
    """Knows the convention, and waits `window` datagrams for what is missing."""

    convention: Convention
    window: int
    lost: int = 0
    reordered: int = 0
    duplicates: int = 0
    missing: dict[int, int] = field(default_factory=dict)
    """Missing unit -> the datagram, counted from 1, at which it was missed."""
    _next: int | None = None
    _datagrams: int = 0

    def receive(self, sent: Sent) -> None:
        """Note one datagram; its numbers are those without a limit of 32 bits."""
        self._datagrams += 1
        units = self.convention.units(sent.records, sent.options, sent.sets)
        begin = sent.sequence - units if self.convention.counts_itself else sent.sequence
        for unit, missed in list(self.missing.items()):
            if self._datagrams - missed >= self.window:
                del self.missing[unit]
                self.lost += 1
        if self._next is None or begin >= self._next:
            for unit in range(begin if self._next is None else self._next, begin):
                self.missing[unit] = self._datagrams
            self._next = begin + units
        elif any(unit in self.missing for unit in range(begin, begin + units)):
            self.reordered += 1
            for unit in range(begin, begin + units):
                self.missing.pop(unit, None)
        else:
            self.duplicates += 1
