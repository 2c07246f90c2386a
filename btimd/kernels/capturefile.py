"""UDP payloads out of a capture file in memory: walking packet records, taking link, IP and UDP headers off."""

from typing import Any, Final

import numpy as np

from btimd.kernels._jit import inlined, kernel

# The counts are int64[PACKET_COUNTS].
(C_PACKETS, C_DATAGRAMS, C_NOT_UDP, C_FRAGMENTS, C_CUT_OFF, C_OTHER_PAYLOAD, C_UNKNOWN_LINK) = range(7)
PACKET_COUNTS: Final = 7

# The state is int64[STATE_SIZE].
X_POSITION, X_DATAGRAMS, X_OCTETS = 0, 1, 2
STATE_SIZE: Final = 3

END, BLOCK_FULL, OTHER_BLOCK = 0, 1, 2  # why a walk ended

# Link types (pcap LINKTYPE_ numbers) by what they need.
LINK_NULL, LINK_ETHERNET, LINK_RAW, LINK_LOOP, LINK_SLL = 0, 1, 101, 108, 113
LINK_IPV4, LINK_IPV6, LINK_SLL2, LINK_RAW_OPENBSD, LINK_RAW_BSD = 228, 229, 276, 14, 12
_MAPPED: Final = 0xFFFF_0000_0000


@inlined
def _be2(data: Any, at: Any) -> Any:
    return (np.int64(data[at]) << 8) | np.int64(data[at + 1])


@inlined
def _be4(data: Any, at: Any) -> Any:
    return (_be2(data, at) << 16) | _be2(data, at + 2)


@inlined
def _number(data: Any, at: Any, length: Any, little: Any) -> Any:
    value = np.int64(0)
    for k in range(length):
        octet = data[at + length - 1 - k] if little else data[at + k]
        value = (value << 8) | np.int64(octet)
    return value


@inlined
def _find_ip(data: Any, at: Any, end: Any, link: Any) -> Any:
    """Return where the IP header begins, -1 for another protocol, -2 for an unknown link type."""
    if link in (LINK_RAW, LINK_IPV4, LINK_IPV6, LINK_RAW_BSD, LINK_RAW_OPENBSD):
        return at
    if link in (LINK_NULL, LINK_LOOP):
        return at + 4
    kind_at = at + 12
    if link == LINK_SLL:
        kind_at = at + 14
    elif link == LINK_SLL2:
        kind_at = at
    elif link != LINK_ETHERNET:
        return -2
    here = kind_at + 2
    if link == LINK_SLL2:
        here = at + 20
    if here > end:
        return -1
    kind = _be2(data, kind_at)
    while kind in (0x8100, 0x88A8, 0x9100):
        if here + 4 > end:
            return -1
        kind = _be2(data, here + 2)
        here += 4
    return here if kind in (0x0800, 0x86DD) else -1


@inlined
def _take(data: Any, at: Any, end: Any, link: Any, milliseconds: Any, state: Any, counts: Any, slab: Any,  # noqa: PLR0911  a return per reason
          offsets: Any,
          source_hi: Any, source_lo: Any, source_port: Any, arrival: Any) -> Any:  # fmt: skip
    """Copy one packet's payload to the slab if it is flow export; return False when the slab has no room."""
    here = _find_ip(data, at, end, link)
    if here < 0:
        counts[C_UNKNOWN_LINK if here == -2 else C_NOT_UDP] += 1
        return True
    if here + 1 > end:
        counts[C_CUT_OFF] += 1
        return True
    high = np.int64(0)
    low = np.int64(0)
    family = data[here] >> 4
    if family == 4:
        if here + 20 > end:
            counts[C_CUT_OFF] += 1
            return True
        udp = here + (np.int64(data[here]) & 15) * 4
        if data[here + 9] != 17:
            counts[C_NOT_UDP] += 1
            return True
        fragment = _be2(data, here + 6)
        if fragment & 0x3FFF:
            counts[C_FRAGMENTS] += 1
            return True
        low = _be4(data, here + 12) | _MAPPED
    elif family == 6:
        if here + 40 > end:
            counts[C_CUT_OFF] += 1
            return True
        following = np.int64(data[here + 6])
        udp = here + 40
        while following in (0, 43, 60, 44):
            if udp + 8 > end:
                counts[C_CUT_OFF] += 1
                return True
            if following == 44:
                if _be2(data, udp + 2) & 0xFFF9:
                    counts[C_FRAGMENTS] += 1
                    return True
                following = np.int64(data[udp])
                udp += 8
            else:
                following = np.int64(data[udp])
                udp += 8 + 8 * np.int64(data[udp + 1])
        if following != 17:
            counts[C_NOT_UDP] += 1
            return True
        high = (_be4(data, here + 8) << 32) | _be4(data, here + 12)
        low = (_be4(data, here + 16) << 32) | _be4(data, here + 20)
    else:
        counts[C_NOT_UDP] += 1
        return True
    if udp + 8 > end:
        counts[C_CUT_OFF] += 1
        return True
    length = _be2(data, udp + 4) - 8
    payload = udp + 8
    if length < 0 or payload + length > end:
        counts[C_CUT_OFF] += 1
        return True
    version = _be2(data, payload) if length >= 2 else np.int64(-1)
    sflow = length >= 4 and _be4(data, payload) == 5
    if not sflow and version not in (1, 5, 7, 9, 10):
        counts[C_OTHER_PAYLOAD] += 1
        return True
    index = state[X_DATAGRAMS]
    octets = state[X_OCTETS]
    if octets + length > len(slab):
        return False
    # Unsigned indices, so that the compiler may copy 32 octets at a time.
    for k in range(np.uint64(length)):
        slab[np.uint64(octets) + k] = data[np.uint64(payload) + k]
    source_hi[index] = high
    source_lo[index] = low
    source_port[index] = _be2(data, udp)
    arrival[index] = milliseconds
    offsets[index + 1] = octets + length
    state[X_DATAGRAMS] = index + 1
    state[X_OCTETS] = octets + length
    counts[C_DATAGRAMS] += 1
    return True


@kernel
def walk_pcap(data: Any, little: Any, nanoseconds: Any, link: int, state: Any, counts: Any, slab: Any, offsets: Any,
              source_hi: Any, source_lo: Any, source_port: Any, arrival: Any) -> int:  # fmt: skip
    """Copy payloads of a pcap file from state[X_POSITION] on until the block is full or the file ends.

    data: uint8, the file. slab: uint8, at least 65,536. offsets: int64[n + 1], offsets[0] = 0. source_hi, source_lo,
    arrival: int64[n]. source_port: uint16[n]. A packet cut off at the end of the file is counted and ends the walk.
    """
    size = len(data)
    while state[X_POSITION] + 16 <= size:
        at = state[X_POSITION]
        if state[X_DATAGRAMS] == len(arrival):
            return BLOCK_FULL
        seconds = _number(data, at, 4, little)
        fraction = _number(data, at + 4, 4, little)
        length = _number(data, at + 8, 4, little)
        if at + 16 + length > size:
            counts[C_PACKETS] += 1
            counts[C_CUT_OFF] += 1
            state[X_POSITION] = size
            return END
        milliseconds = seconds * 1000 + fraction // (1_000_000 if nanoseconds else 1000)
        if not _take(data, at + 16, at + 16 + length, link, milliseconds, state, counts, slab, offsets, source_hi,
                     source_lo, source_port, arrival):  # fmt: skip
            return BLOCK_FULL
        counts[C_PACKETS] += 1
        state[X_POSITION] = at + 16 + length
    return END


@kernel
def walk_pcapng(data: Any, little: Any, links: Any, units: Any, state: Any, counts: Any, slab: Any, offsets: Any,
                source_hi: Any, source_lo: Any, source_port: Any, arrival: Any) -> int:  # fmt: skip
    """Copy payloads of packet blocks (6, and 2 of old) from state[X_POSITION] on, until something else comes.

    That is another block, a full output, or the end.

    links, units: int64[interfaces], link type and time units per second. Else as walk_pcap.
    """
    size = len(data)
    while state[X_POSITION] + 12 <= size:
        at = state[X_POSITION]
        if state[X_DATAGRAMS] == len(arrival):
            return BLOCK_FULL
        kind = _number(data, at, 4, little)
        if kind not in (6, 2):
            return OTHER_BLOCK
        length = _number(data, at + 4, 4, little)
        if length < 32 or at + length > size or length & 3:
            counts[C_PACKETS] += 1
            counts[C_CUT_OFF] += 1
            state[X_POSITION] = size
            return END
        interface = _number(data, at + 8, 4 if kind == 6 else 2, little)
        high = _number(data, at + 12, 4, little)
        low = _number(data, at + 16, 4, little)
        captured = _number(data, at + 20, 4, little)
        if interface >= len(links) or captured > length - 32 or high >= (1 << 31):
            counts[C_CUT_OFF] += 1
        else:
            stamp = (high << 32) | low
            per_second = units[interface]
            rest = stamp % per_second
            if per_second > 1_000_000_000_000:
                rest = rest // (per_second // 1_000_000_000)
                per_second = np.int64(1_000_000_000)
            milliseconds = (stamp // units[interface]) * 1000 + rest * 1000 // per_second
            if not _take(data, at + 28, at + 28 + captured, links[interface], milliseconds, state, counts, slab,
                         offsets, source_hi, source_lo, source_port, arrival):  # fmt: skip
                return BLOCK_FULL
        counts[C_PACKETS] += 1
        state[X_POSITION] = at + length
    return END
