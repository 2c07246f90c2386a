"""Packets of capture files: walking pcap and pcapng in memory, filling the frame index of a PacketBlock.

 pcap      magic 4, version 4, zone 4, accuracy 4, most octets 4, link type 4 | record*
 record    seconds 4, micro- or nanoseconds 4, captured octets 4, octets on the wire 4, [Linux: 8 more] | octets
 pcapng    block*: kind 4, length 4 | body | length 4, in the byte order of its section, which a section header begins
           section header   byte order magic 4, version 4, section length 8, options
           interface        link type 2, 2, most octets 4 | options: code 2, length 2, value, padded to 4 octets
           enhanced packet  interface 4, time 8 (high half first), captured 4, on the wire 4 | octets, options
           packet (old)     interface 2, drops 2, then as the enhanced one
           simple packet    on the wire 4 | octets

Sources: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng. A file is walked in pieces: what stands in `data` is the next
piece of it, and a walk ends where a record does not stand in it as a whole.
"""

from typing import Any, Final

import numpy as np

from btimd.kernels._jit import inlined, kernel
from btimd.kernels.headers import link_of_linktype
from btimd.kernels.octets import be2, be4
from btimd.kernels.packetlayout import F_AT, F_END, F_LINK, F_OCTETS, F_TAG, F_TIME
from btimd.kernels.packets import read_packet

# The state is int64[STATE_SIZE]: where the walk is in `data`; packets that the last call found; the section's byte
# order, 1 = little-endian, -1 before the first section; the section's interfaces; the time of the packet before.
X_AT, X_PACKETS, X_LITTLE, X_INTERFACES, X_TIME = range(5)
STATE_SIZE: Final = 5

# The counts are int64[COUNTS]. Given: C_PACKETS, of them C_SIMPLE without a time of their own, C_UNKNOWN_LINK of a link
# type nothing here reads, C_WIRE_LENGTH whose length on the wire is less than what was captured. Not given: C_BAD_BLOCK
# packets whose block contradicts itself, C_UNKNOWN_INTERFACE of an interface that is not described, or whose
# description cannot be used. C_OTHER_BLOCK: pcapng's blocks about something else than packets. Counted by the reader of
# the file: C_TOO_LONG records of more octets than are believed, C_CUT_OFF by the end of the file, C_UNREAD_OCTETS
# behind a place where no block could be made out.
(C_PACKETS, C_SIMPLE, C_UNKNOWN_LINK, C_WIRE_LENGTH, C_BAD_BLOCK, C_UNKNOWN_INTERFACE, C_OTHER_BLOCK, C_TOO_LONG,
 C_CUT_OFF, C_UNREAD_OCTETS) = range(10)  # fmt: skip
COUNTS: Final = 10

# Why a walk ended: the index is full; the next record does not end in `data`; it is longer than any piece should be,
# X_AT stands behind it (and behind `data`); there is no block where one should begin.
FULL, MORE, TOO_LONG, LOST = 0, 1, 2, 3

# interfaces: int64[MOST_INTERFACES, I_SIZE]. A time of n units is n * I_FACTOR // I_DIVISOR ns, or n >> I_SHIFT seconds
# and the rest, where units are 2^-n s; I_MOST: later ones are no times; I_OFFSET: ns to add. I_FACTOR 0: not usable.
I_LINK, I_SNAP, I_FACTOR, I_DIVISOR, I_SHIFT, I_MOST, I_OFFSET = range(7)
I_SIZE: Final = 7
MOST_INTERFACES: Final = 4096

MOST_CAPTURED: Final = 262_144  # octets of a packet; libpcap's limit for everything but USB and D-Bus
MOST_BLOCK: Final = MOST_CAPTURED + 65_536

_SECTION, _INTERFACE, _OLD_PACKET, _SIMPLE_PACKET, _PACKET = 0x0A0D0D0A, 1, 2, 3, 6
_BIG_ENDIAN, _LITTLE_ENDIAN = 0x1A2B3C4D, 0x4D3C2B1A
_TIME_RESOLUTION, _TIME_OFFSET = 9, 14
_LATEST: Final = (1 << 62) // 1_000_000_000  # s: in the year 2116; as ns it may be added to without leaving 63 bits
_MOST_OFFSET: Final = 4_000_000_000  # s
_SECOND: Final = 1_000_000_000


@inlined
def _swap4(value: Any) -> Any:
    """Turn the 4 octets of a number around."""
    return (
        ((value & 0xFF) << 24) | ((value & 0xFF00) << 8) | ((value >> 8) & 0xFF00) | ((value >> 24) & 0xFF)
    )  # fmt: skip


@inlined
def _four(data: Any, at: Any, little: Any) -> Any:
    value = be4(data, at)
    return _swap4(value) if little else value


@inlined
def _two(data: Any, at: Any, little: Any) -> Any:
    value = be2(data, at)
    return (value >> 8) | ((value & 0xFF) << 8) if little else value


@inlined
def _note(frames: Any, index: Any, at: Any, captured: Any, octets: Any, time: Any, link: Any) -> Any:
    """Write one column of the frame index."""
    frames[F_AT, index] = at
    frames[F_END, index] = at + captured
    frames[F_OCTETS, index] = max(octets, captured)
    frames[F_TIME, index] = time
    frames[F_LINK, index] = link
    frames[F_TAG, index] = 0


@kernel
def walk_pcap(data: Any, end: int, little: int, header: int, unit: int, link: int, state: Any, counts: Any,
              frames: Any) -> Any:  # fmt: skip
    """Note the records in data[state[X_AT]:end] until one is not whole or the index is full; return why it ended.

    data: uint8. little: 1 = little-endian, else 0. header: octets before a record's packet, 16 or 24. unit: ns of one
    unit of the times' fractions. link: headers.LINK_* or -1. frames: int64[FRAME_ROWS, n], filled from column 0 on,
    state[X_PACKETS] columns. A length on the wire of less than was captured is taken to be that.
    """
    at = np.int64(state[X_AT])
    index = np.int64(0)
    room = frames.shape[1]
    short = np.int64(0)
    why = np.int64(MORE)
    while at + header <= end:
        if index == room:
            why = np.int64(FULL)
            break
        captured = _four(data, at + 8, little)
        begin = at + header
        if captured > MOST_CAPTURED:
            at = begin + captured
            why = np.int64(TOO_LONG)
            break
        if begin + captured > end:
            break
        time = _four(data, at, little) * _SECOND + _four(data, at + 4, little) * unit
        octets = _four(data, at + 12, little)
        short += octets < captured
        _note(frames, index, begin, captured, octets, time, link)
        index += 1
        at = begin + captured
    counts[C_PACKETS] += index
    counts[C_WIRE_LENGTH] += short
    counts[C_UNKNOWN_LINK] += index if link < 0 else 0
    state[X_AT] = at
    state[X_PACKETS] = index
    return why


@inlined
def _resolution(interface: Any, exponent: Any) -> Any:
    """Write how times become ns from if_tsresol: 10^-exponent s, or 2^-(exponent - 128) s."""
    power = exponent & 0x7F
    interface[I_FACTOR] = 1
    interface[I_DIVISOR] = 1
    interface[I_SHIFT] = -1
    interface[I_MOST] = (1 << 63) - 1
    if exponent & 0x80:
        interface[I_SHIFT] = power
        if power < 31:
            interface[I_MOST] = np.int64(_LATEST) << power
    elif power <= 9:
        interface[I_MOST] = _LATEST
        for _ in range(power):
            interface[I_MOST] *= 10
        for _ in range(9 - power):
            interface[I_FACTOR] *= 10
    else:
        for _ in range(min(power, 18) - 9):
            interface[I_DIVISOR] *= 10
    if power > (62 if exponent & 0x80 else 18):
        interface[I_FACTOR] = 0


@inlined
def _describe(data: Any, at: Any, stop: Any, little: Any, interface: Any) -> None:
    """Read an interface description's body data[at:stop]; one that is too short, or counts no time, is not usable."""
    interface[I_LINK] = -1
    interface[I_SNAP] = 0
    interface[I_OFFSET] = 0
    interface[I_FACTOR] = 0
    if at + 8 > stop:
        return
    _resolution(interface, np.int64(6))
    interface[I_LINK] = link_of_linktype(_two(data, at, little))
    interface[I_SNAP] = _four(data, at + 4, little)
    here = at + 8
    while here + 4 <= stop:
        code = _two(data, here, little)
        length = _two(data, here + 2, little)
        here += 4
        if code == 0 or here + length > stop:
            return
        if code == _TIME_RESOLUTION and length == 1:
            _resolution(interface, np.int64(data[here]))
        elif code == _TIME_OFFSET and length == 8:
            first = _four(data, here, little)
            second = _four(data, here + 4, little)
            high = second if little else first
            low = first if little else second
            seconds = (((high ^ 0x8000_0000) - 0x8000_0000) << 32) | low
            if abs(seconds) > _MOST_OFFSET:
                interface[I_FACTOR] = 0
                return
            interface[I_OFFSET] = seconds * _SECOND
        here += (length + 3) // 4 * 4


@inlined
def _time(interface: Any, high: Any, low: Any) -> Any:
    """Return the ns since 1970 of a packet, below 0 for what is no time."""
    if high >= 0x8000_0000:
        return np.int64(-1)
    stamp = (high << 32) | low
    if stamp > interface[I_MOST]:
        return np.int64(-1)
    shift = interface[I_SHIFT]
    if shift < 0:
        time = stamp * interface[I_FACTOR]
        if interface[I_DIVISOR] > 1:
            time //= interface[I_DIVISOR]
        return time + interface[I_OFFSET]
    rest = stamp & ((np.int64(1) << shift) - 1)
    seconds = stamp >> shift
    if shift > 30:
        rest >>= shift - 30
        shift = np.int64(30)
    return seconds * _SECOND + ((rest * _SECOND) >> shift) + interface[I_OFFSET]


@kernel
def walk_pcapng(data: Any, end: int, interfaces: Any, state: Any, counts: Any, frames: Any) -> Any:
    """Note the packets in data[state[X_AT]:end] until a block is not whole or the index is full; return why it ended.

    data: uint8. interfaces: int64[MOST_INTERFACES, I_SIZE],
    those of the section, kept from call to call like `state`. frames: as for walk_pcap. A simple packet has the time of
    the packet before it. LOST: X_AT stands where no block could be made out.
    """
    at = np.int64(state[X_AT])
    index = np.int64(0)
    room = frames.shape[1]
    short = np.int64(0)
    unknown = np.int64(0)
    little = np.int64(state[X_LITTLE])
    why = np.int64(MORE)
    while at + 12 <= end:
        if index == room:
            why = np.int64(FULL)
            break
        kind = be4(data, at)
        if kind == _SECTION:
            magic = be4(data, at + 8)
            if magic not in (_BIG_ENDIAN, _LITTLE_ENDIAN):
                why = np.int64(LOST)
                break
            little = np.int64(1) if magic == _LITTLE_ENDIAN else np.int64(0)
            state[X_INTERFACES] = 0
        elif little == 1:
            kind = _swap4(kind)
        length = _four(data, at + 4, little == 1)
        if little < 0 or length < 12 or length & 3 != 0:
            why = np.int64(LOST)
            break
        stop = at + length - 4
        if length > MOST_BLOCK:
            if kind == _INTERFACE and state[X_INTERFACES] < MOST_INTERFACES:  # the next one has the next number
                _describe(data, at, at, little == 1, interfaces[state[X_INTERFACES]])
                state[X_INTERFACES] += 1
            at += length
            why = np.int64(TOO_LONG)
            break
        if at + length > end:
            break
        body = at + 8
        at += length
        if kind == _INTERFACE:
            if state[X_INTERFACES] < MOST_INTERFACES:
                _describe(data, body, stop, little == 1, interfaces[state[X_INTERFACES]])
                state[X_INTERFACES] += 1
            continue
        if kind not in (_PACKET, _OLD_PACKET, _SIMPLE_PACKET):
            counts[C_OTHER_BLOCK] += 1 if kind != _SECTION else 0
            continue
        simple = kind == _SIMPLE_PACKET
        begin = body + (4 if simple else 20)
        if begin > stop or _four(data, stop, little == 1) != length:
            counts[C_BAD_BLOCK] += 1
            continue
        number = np.int64(0)
        if not simple:
            number = _four(data, body, little == 1) if kind == _PACKET else _two(data, body, little == 1)
        if number >= state[X_INTERFACES] or interfaces[number, I_FACTOR] == 0:
            counts[C_UNKNOWN_INTERFACE] += 1
            continue
        octets = _four(data, begin - 4, little == 1)
        if simple:
            captured = min(octets, stop - begin)
            if interfaces[number, I_SNAP] > 0:
                captured = min(captured, interfaces[number, I_SNAP])
            time = np.int64(state[X_TIME])
        else:
            captured = _four(data, body + 12, little == 1)
            time = _time(interfaces[number], _four(data, body + 4, little == 1), _four(data, body + 8, little == 1))
        if captured > min(stop - begin, MOST_CAPTURED) or time < 0:
            counts[C_BAD_BLOCK] += 1
            continue
        counts[C_SIMPLE] += 1 if simple else 0
        state[X_TIME] = time
        link = np.int64(interfaces[number, I_LINK])
        short += octets < captured
        unknown += link < 0
        _note(frames, index, begin, captured, octets, time, link)
        index += 1
    counts[C_PACKETS] += index
    counts[C_WIRE_LENGTH] += short
    counts[C_UNKNOWN_LINK] += unknown
    state[X_AT] = at
    state[X_PACKETS] = index
    state[X_LITTLE] = little
    return why


@kernel
def read_packets(slab: Any, frames: Any, out: Any, statuses: Any) -> None:
    """Read the innermost packet of every frame, for callers that are no kernels.

    slab: uint8. frames: int64[FRAME_ROWS, n]. out: int64[n, packets.PACKET_SIZE] and statuses: int64[n], what
    packets.read_packet writes and returns.
    """
    for index in range(frames.shape[1]):
        at, end, link = frames[F_AT, index], frames[F_END, index], frames[F_LINK, index]
        statuses[index] = read_packet(slab, at, end, link, out[index])
