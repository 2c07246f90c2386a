"""Connections in obvious Python: what every segment makes of them, by lists and sets of the octets that were seen.

Sequence numbers here count from the first SYN on without wrapping around: the test that makes the segments gives the
kernel their lower 32 bits. Known are only established connections, with a handshake before them.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final, NamedTuple

SOON: Final = 3_000_000
REPEATED_WITHIN: Final = 2_000_000
HOLE_UNIT: Final = 1 << 16


class Segment(NamedTuple):
    """One segment. reverse: of the server. identification: IPv4, 0 = none."""

    time: int
    reverse: bool
    seq: int
    ack: int
    length: int
    fin: bool = False
    window: int = 1000
    identification: int = 0
    rst: bool = False


@dataclass
class Side:
    """One direction: what its sender sent."""

    next: int
    time: int
    ack: int
    window: int
    identification: int
    duplicates: int = 0
    hole: range = range(0)
    found: int = 0
    room: bool = True
    probed: bool = False
    ended: bool = False


@dataclass
class Connection:
    """An established connection: client and server, each with its next number, and whether a request is open."""

    sides: tuple[Side, Side]
    trip: int
    counters: Counter[str] = field(default_factory=Counter)
    samples: list[tuple[str, int]] = field(default_factory=list)
    asked: bool = False
    ambiguous: bool = False
    was_reset: bool = False

    def note(self, one: Segment) -> None:
        """Take the next segment."""
        own, other = self.sides[one.reverse], self.sides[not one.reverse]
        to, by = ("to_client", "server") if one.reverse else ("to_server", "client")
        if one.rst:
            if not self.was_reset and not (own.ended and other.ended):
                self.counters[f"connections_reset_by_{by}"] += 1
            self.was_reset = True
            return
        own.ended = own.ended or one.fin
        octets = range(one.seq, one.seq + one.length + one.fin)
        if other.probed:
            other.probed = False
            if one.ack == other.next + 1:
                other.next = one.ack
        if one.length == 1 and not one.fin and one.seq == own.next and not other.room:
            own.probed = True
            self.acknowledge(one, own, by)
            return
        if octets and octets.stop <= own.next and not overlap(octets, own.hole):
            if one.time - own.time < REPEATED_WITHIN and is_copy(one, own, other):
                self.counters["packets_repeated_by_mirror"] += 1
                return
        if one.seq > own.next:
            self.counters[f"segments_unseen_{to}"] += 1
            skipped = range(own.next, one.seq)
            if own.hole and other.ack < own.hole.stop:
                own.hole = range(own.hole.start, one.seq)
            else:
                own.hole, own.found = skipped, one.time
        alive = one.seq == own.next - 1 and one.length <= 1 and not one.fin
        if octets and not alive:
            self.counters[f"segments_{to}"] += 1
            if octets.stop > own.next or (one.identification - own.identification) % 2**16 < 2**15:
                own.identification = one.identification
            if one.seq < own.next and not (one.seq == own.next - 1 and one.length > 1):
                self.counters[f"segments_{self.kind(one, octets, own, other)}_{to}"] += 1
            own.time = one.time
        if octets.stop > own.next:
            if one.length:
                self.turn(one, other)
            own.next = octets.stop
        self.acknowledge(one, own, by, pure=not octets and one.seq == own.next)

    def kind(self, one: Segment, octets: range, own: Side, other: Side) -> str:
        """Return what a segment below the next number is, and take what it brings from the hole."""
        if overlap(octets, own.hole):
            age = one.time // HOLE_UNIT - own.found // HOLE_UNIT
            if octets.start <= own.hole.start:
                own.hole = range(min(octets.stop, own.hole.stop), own.hole.stop)
            elif octets.stop >= own.hole.stop:
                own.hole = range(own.hole.start, octets.start)
            asked_for = other.duplicates >= 2 and other.ack == one.seq
            if age * HOLE_UNIT < (self.trip or SOON) and not asked_for:
                return "out_of_order"
        if self.asked and not one.reverse:
            self.ambiguous = True
        return "retransmitted"

    def turn(self, one: Segment, other: Side) -> None:
        """Take new octets."""
        if not one.reverse:
            self.counters["requests"] += not self.asked
            self.asked = True
        elif self.asked and one.ack >= other.next:
            if not self.ambiguous:
                self.samples.append(("response", max(0, one.time - other.time)))
            self.asked = self.ambiguous = False

    def acknowledge(self, one: Segment, own: Side, by: str, *, pure: bool = False) -> None:
        """Take acknowledgment and window."""
        if pure and one.ack == own.ack and one.window != 0:
            own.duplicates += one.window == own.window
        else:
            own.duplicates = own.duplicates if pure and one.ack == own.ack else 0
        own.ack, own.window = one.ack, one.window
        if one.window == 0 and not one.fin:
            own.room = False
            self.counters[f"zero_windows_of_{by}"] += 1
        elif one.window != 0:
            own.room = True


def overlap(octets: range, hole: range) -> bool:
    """Tell whether a segment brings octets out of a hole."""
    return max(octets.start, hole.start) < min(octets.stop, hole.stop)


def is_copy(one: Segment, own: Side, other: Side) -> bool:
    """Tell whether a segment that was seen before is the mirror's doing."""
    if one.identification:
        return (own.identification - one.identification) % 2**16 < 1024
    return own.identification != 0 or other.duplicates == 0
