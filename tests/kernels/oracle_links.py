"""Slow, obvious Python for the kernel of links: every millisecond is too many, so every interval's edge is looked at."""

from collections.abc import Iterable
from dataclasses import dataclass, field

MOST = 2**63 - 1
MINUTE = 60_000
REPEATED, MOST_IFINDEX = -1, 2**31 - 1
OWN, DERIVED = 0, 3


@dataclass(frozen=True)
class Record:
    """A record as the kernel sees it."""

    start: int
    end: int
    octets: int
    packets: int
    rate: int = 1
    exporter: int = 0
    ingress: int = 1
    egress: int = 2
    at_egress: bool = False
    dropped: bool = False
    repeated: bool = False
    duplicate: bool = False
    rule: int = -1


Key = tuple[int, int, int, int, int]
"""Interval, exporter, ifIndex, side, set of owners."""


@dataclass
class Sums:
    """Octets, packets, records metered here, the same derived, octets and records of duplicates, and marks."""

    counts: list[int] = field(default_factory=lambda: [0] * 8)
    sampled: list[bool] = field(default_factory=lambda: [False, False])


def times(count: int, rate: int) -> int:
    """Return a count times the rate, within what is counted."""
    return min(max(count, 0) * max(rate, 1), MOST)


def places(one: Record) -> list[tuple[int, int, int]]:
    """Return ifIndex, side and kind of what a record counts for."""
    if one.repeated:
        return [(REPEATED, 1, OWN)]
    found = [(one.ingress, 0, DERIVED if one.at_egress else OWN)]
    if not one.dropped:
        found.append((one.egress, 1, OWN if one.at_egress else DERIVED))
    return [(port if port <= MOST_IFINDEX else 0, side, kind) for port, side, kind in found]


def links(records: Iterable[Record], sets: list[int], held: int, last: int) -> tuple[dict[Key, Sums], list[int]]:
    """Return the sums and the tallies: late records and octets, future records and octets."""
    sums: dict[Key, Sums] = {}
    tallies = [0, 0, 0, 0]
    for one in records:
        end = max(one.end, one.start, 0)
        start = max(one.start, 0, end - (2**31 - 2))
        octets, packets, duration = times(one.octets, one.rate), times(one.packets, one.rate), end - start + 1

        def upto(total: int, interval: int, start: int = start, duration: int = duration) -> int:
            return total * min(max(interval * MINUTE - start, 0), duration) // duration

        if end // MINUTE > last:
            tallies[2:] = [tallies[2] + 1, min(tallies[3] + octets, MOST)]
            continue
        if start // MINUTE < held:
            tallies[:2] = [tallies[0] + 1, min(tallies[1] + upto(octets, held), MOST)]
        for interval in range(max(start // MINUTE, held), end // MINUTE + 1):
            parts = [upto(total, interval + 1) - upto(total, interval) for total in (octets, packets)]
            parts.append(int(interval == end // MINUTE))
            for port, side, kind in places(one):
                line = sums.setdefault(
                    (interval, one.exporter, port, side, sets[one.rule] if one.rule >= 0 else 0), Sums()
                )
                for at, more in enumerate(parts):
                    line.counts[kind + at] = min(line.counts[kind + at] + more, MOST)
                line.sampled[kind // 3] |= one.rate > 1
                if one.duplicate and kind == OWN:
                    line.counts[6] = min(line.counts[6] + parts[0], MOST)
                    line.counts[7] += parts[2]
    return sums, tallies
