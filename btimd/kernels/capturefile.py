"""Flow export out of captured packets: UDP payloads that begin like it are copied into a slab of datagrams."""

from typing import Any, Final

import numpy as np

from btimd.kernels._jit import inlined, kernel
from btimd.kernels.headers import (
    CUT_OFF,
    H_DESTINATION_PORT,
    H_FAULT,
    H_FRAGMENT,
    H_PROTOCOL,
    H_SOURCE_HI,
    H_SOURCE_LO,
    H_TRANSPORT_AT,
    LATER_FRAGMENT,
    NO_ADDRESSES,
    NO_FAULT,
    PORTS,
    WHOLE,
)
from btimd.kernels.octets import be2, be4
from btimd.kernels.packetlayout import F_AT, F_END, F_LINK, F_TIME
from btimd.kernels.packets import P_DEPTH, parse_packet

# The counts are int64[PACKET_COUNTS].
(C_PACKETS, C_DATAGRAMS, C_NOT_UDP, C_FRAGMENTS, C_CUT_OFF, C_OTHER_PAYLOAD, C_UNKNOWN_LINK) = range(7)
PACKET_COUNTS: Final = 7

# The state is int64[STATE_SIZE]: the next frame of the block of packets; what the block of datagrams holds.
X_FRAME, X_DATAGRAMS, X_OCTETS = 0, 1, 2
STATE_SIZE: Final = 3

TAKEN, BLOCK_FULL = 0, 1  # why take_datagrams ended

_UDP: Final = 17
_COLLECTORS: Final = (2055, 4739, 6343, 9995, 9996)  # ports that collectors of flow export listen on


@inlined
def _begins_like_export(slab: Any, at: Any, octets: Any) -> Any:
    """Tell whether a payload begins with a version of NetFlow, IPFIX or sFlow."""
    if octets >= 4 and be4(slab, at) == 5:
        return True
    return octets >= 2 and be2(slab, at) in (1, 5, 7, 9, 10)


@inlined
def _is_like_export(slab: Any, at: Any, octets: Any) -> Any:
    """Tell whether the beginning of a payload fits its length too, as far as its format tells one."""
    if octets < 16:
        return False
    version = be2(slab, at)
    second = be2(slab, at + 2)
    if version == 0:
        return be4(slab, at) == 5 and be4(slab, at + 4) in (1, 2)
    if version in (1, 5, 7):
        head = 16 if version == 1 else 24
        return second > 0 and octets == head + second * (48 if version == 5 else 52)
    head = 16 if version == 10 else 20
    if octets < head + 4 or (version == 10 and second != octets):
        return False
    size = be2(slab, at + head + 2)
    kind = be2(slab, at + head)
    templates = kind in (2, 3) if version == 10 else kind < 2
    return version in (9, 10) and (templates or kind > 255) and 4 <= size <= octets - head


@inlined
def _payload(slab: Any, at: Any, end: Any, link: Any, headers: Any, counts: Any) -> Any:  # noqa: PLR0911  a return per reason
    """Return where the UDP payload of a frame begins if it is flow export and whole, else -1; counts why not."""
    if link < 0:
        counts[C_UNKNOWN_LINK] += 1
        return np.int64(-1)
    status = parse_packet(slab, at, end, link, headers)
    fault = headers[H_FAULT]
    if status == NO_ADDRESSES:
        counts[C_CUT_OFF if fault == CUT_OFF else C_NOT_UDP] += 1
        return np.int64(-1)
    udp = np.int64(headers[H_TRANSPORT_AT])
    if headers[P_DEPTH] > 0 or headers[H_PROTOCOL] != _UDP:  # or extension headers that do not end
        counts[C_CUT_OFF if udp == 0 and headers[H_FRAGMENT] == WHOLE and fault != NO_FAULT else C_NOT_UDP] += 1
        return np.int64(-1)
    if headers[H_FRAGMENT] != WHOLE:
        counts[C_FRAGMENTS] += 1
        return np.int64(-1)
    if udp == 0 or udp + 8 > end:
        counts[C_CUT_OFF] += 1
        return np.int64(-1)
    octets = be2(slab, udp + 4) - 8
    if octets < 0 or udp + 8 + octets > end:
        counts[C_CUT_OFF] += 1
        return np.int64(-1)
    if not _begins_like_export(slab, udp + 8, octets):
        counts[C_OTHER_PAYLOAD] += 1
        return np.int64(-1)
    return udp + 8


@kernel
def take_datagrams(packets: Any, frames: Any, headers: Any, state: Any, counts: Any, slab: Any, offsets: Any,
                   source_hi: Any, source_lo: Any, source_port: Any, arrival: Any) -> int:  # fmt: skip
    """Copy flow export from frame state[X_FRAME] on until the block is full (BLOCK_FULL) or no frame is left (TAKEN).

    packets, frames: slab and frame index of a PacketBlock. headers: int64[packets.PACKET_SIZE], for use in here. slab:
    uint8, at least 65,536. offsets: int64[n + 1], offsets[0] = 0. source_hi, source_lo, arrival: int64[n], arrival in
    ms. source_port: uint16[n]. What a tunnel carries is not taken: it is on its way to another collector.
    """
    while state[X_FRAME] < frames.shape[1]:
        frame = np.int64(state[X_FRAME])
        index = np.int64(state[X_DATAGRAMS])
        if index == len(arrival):
            return BLOCK_FULL
        begin = _payload(packets, frames[F_AT, frame], frames[F_END, frame], frames[F_LINK, frame], headers, counts)
        if begin >= 0:
            octets = be2(packets, begin - 4) - 8
            filled = np.int64(state[X_OCTETS])
            if filled + octets > len(slab):
                return BLOCK_FULL
            # Unsigned indices, so that the compiler may copy 32 octets at a time.
            for k in range(np.uint64(octets)):
                slab[np.uint64(filled) + k] = packets[np.uint64(begin) + k]
            source_hi[index] = headers[H_SOURCE_HI]
            source_lo[index] = headers[H_SOURCE_LO]
            source_port[index] = be2(packets, begin - 8)
            arrival[index] = frames[F_TIME, frame] // 1_000_000
            offsets[index + 1] = filled + octets
            state[X_DATAGRAMS] = index + 1
            state[X_OCTETS] = filled + octets
            counts[C_DATAGRAMS] += 1
        counts[C_PACKETS] += 1
        state[X_FRAME] = frame + 1
    return TAKEN


@kernel
def count_export(packets: Any, frames: Any, headers: Any, statuses: Any) -> Any:
    """Return how many packets carry what is flow export by its port and first octets, or by how well its octets fit.

    packets, frames: slab and frame index of a PacketBlock. headers, statuses: what packetfile.read_packets says of it.
    """
    count = np.int64(0)
    for frame in range(frames.shape[1]):
        row = headers[frame]
        if statuses[frame] != PORTS or row[H_PROTOCOL] != _UDP or row[H_FRAGMENT] == LATER_FRAGMENT or row[P_DEPTH] > 0:
            continue
        at = np.int64(row[H_TRANSPORT_AT]) + 8
        octets = frames[F_END, frame] - at
        if octets < 2:
            continue
        if row[H_FRAGMENT] == WHOLE:
            octets = min(octets, be2(packets, at - 4) - 8)
        known = row[H_DESTINATION_PORT] in _COLLECTORS
        if _begins_like_export(packets, at, octets) and (known or _is_like_export(packets, at, octets)):
            count += 1
    return count
