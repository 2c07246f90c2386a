"""What capture files hold, in slow and obvious Python: octets in, packets and counts out."""

import struct
from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction

MOST_CAPTURED = 262_144
MOST_BLOCK = MOST_CAPTURED + 65_536
MOST_INTERFACES = 4096
LATEST = (1 << 62) // 10**9  # s


@dataclass
class Walked:
    """packets: (begin, end, octets on the wire, ns, link type as in the file). why: FULL is never said."""

    packets: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    why: str = "more"
    at: int = 0


def walk_pcap(data: bytes, order: str, header: int, unit: int, link: int) -> Walked:
    found = Walked()
    while len(data) - found.at >= header:
        seconds, fraction, captured, octets = struct.unpack_from(f"{order}IIII", data, found.at)
        begin, end = found.at + header, found.at + header + captured
        if captured > MOST_CAPTURED:
            found.why, found.at = "too long", end
            return found
        if end > len(data):
            return found
        _note(found, begin, end, octets, seconds * 10**9 + fraction * unit, link)
        found.at = end
    return found


@dataclass
class Interface:
    link: int = -1
    snap: int = 0
    units: Fraction | None = None
    offset: int = 0
    binary: bool = False


def walk_pcapng(data: bytes) -> Walked:  # noqa: C901  one case per kind of block
    found, order, interfaces, before = Walked(), "", list[Interface](), 0
    while len(data) - found.at >= 12:
        block = data[found.at :]
        if block[:4] == b"\x0a\x0d\x0d\x0a":
            order = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}.get(block[8:12], "")
            if not order:
                found.why = "lost"
                return found
            interfaces = []
        if not order:
            found.why = "lost"
            return found
        kind, length = struct.unpack_from(f"{order}II", block)
        if length < 12 or length % 4:
            found.why = "lost"
            return found
        if length > MOST_BLOCK:
            if kind == 1 and len(interfaces) < MOST_INTERFACES:
                interfaces.append(Interface())
            found.why = "too long"
            found.at += length
            return found
        if length > len(block):
            return found
        body, (trailer,) = block[8 : length - 4], struct.unpack_from(f"{order}I", block, length - 4)
        begin = found.at + 8
        found.at += length
        if kind == 1 and len(interfaces) < MOST_INTERFACES:
            interfaces.append(describe(body, order))
        elif kind in {2, 3, 6}:
            before = _packet(found, kind, body, begin, order, interfaces, before, whole=trailer == length)
        elif kind not in {1, 0x0A0D0D0A}:
            found.counts["other block"] += 1
    return found


def _packet(found: Walked, kind: int, body: bytes, begin: int, order: str, interfaces: list[Interface],
            before: int, *, whole: bool) -> int:  # fmt: skip
    """Note a packet; return its time, or that of the one before."""
    head = 4 if kind == 3 else 20
    if len(body) < head or not whole:
        found.counts["bad block"] += 1
        return before
    number = struct.unpack_from(f"{order}{'H' if kind == 2 else 'I'}", body)[0] if kind != 3 else 0
    if number >= len(interfaces) or interfaces[number].units is None:
        found.counts["unknown interface"] += 1
        return before
    interface, room = interfaces[number], len(body) - head
    (octets,) = struct.unpack_from(f"{order}I", body, head - 4)
    if kind == 3:
        captured, time = min(octets, room, interface.snap or room), before
    else:
        high, low, captured = struct.unpack_from(f"{order}III", body, 4)
        time = _time(interface, high << 32 | low)
    if captured > room or captured > MOST_CAPTURED or time < 0:
        found.counts["bad block"] += 1
        return before
    found.counts["simple"] += kind == 3
    _note(found, begin + head, begin + head + captured, octets, time, interface.link)
    return time


def _time(interface: Interface, stamp: int) -> int:
    assert interface.units is not None
    if stamp >= 1 << 63 or stamp > LATEST * interface.units:
        return -1
    seconds = stamp / interface.units
    if interface.binary:  # to 2^-30 s
        seconds = Fraction(int(seconds * (1 << 30)), 1 << 30)
    return int(seconds * 10**9) + interface.offset * 10**9


def describe(body: bytes, order: str) -> Interface:
    if len(body) < 8:
        return Interface()
    link, _, snap = struct.unpack_from(f"{order}HHI", body)
    found, rest = Interface(link, snap, Fraction(10**6)), body[8:]
    while len(rest) >= 4:
        code, length = struct.unpack_from(f"{order}HH", rest)
        value = rest[4 : 4 + length]
        if code == 0 or len(value) < length:
            break
        if code == 9 and length == 1:
            base, power, most = (2, value[0] & 0x7F, 62) if value[0] & 0x80 else (10, value[0], 18)
            found.binary = base == 2
            found.units = Fraction(base) ** power if power <= most else None
        elif code == 14 and length == 8:
            (found.offset,) = struct.unpack(f"{order}q", value)
            if abs(found.offset) > 4_000_000_000:
                found.units = None
                break
        rest = rest[4 + (length + 3) // 4 * 4 :]
    return found


def _note(found: Walked, begin: int, end: int, octets: int, time: int, link: int) -> None:
    found.counts["packets"] += 1
    found.counts["short wire length"] += octets < end - begin
    found.packets.append((begin, end, max(octets, end - begin), time, link))
