"""The latest packets of each business: rings of words in fixed memory, headers only unless payload is allowed.

memory: int64[rings, words], and `octets`, the same memory as uint8[rings, 8 * words]. A packet is

    time, ns since 1970 | octets on the wire << 24 | octets kept << 8 | link type | VLAN tag | the octets, padded to 8

and never goes over the end of its ring: one that does not fit there begins anew at 0. state: int64[rings,
RING_STATE_SIZE], one row per ring, all 0 when it begins.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from btimd.kernels._jit import inlined, kernel
from btimd.kernels.headers import (
    H_IP_AT,
    H_IP_VERSION,
    H_PROTOCOL,
    H_TRANSPORT_AT,
    LINK_ETHERNET,
    NO_ADDRESSES,
)
from btimd.kernels.packetlayout import F_AT, F_END, F_LINK, F_OCTETS, F_TAG, F_TIME
from btimd.kernels.packets import parse_packet

# R_HEAD: where the next packet goes. R_TAIL: the oldest packet. R_LAP: where the lap that the head has overtaken ends,
# 0 = the head is in the tail's lap. R_PACKETS: in the ring now. R_RECORDED, R_OVERWRITTEN: ever; overwritten ones were
# within the window still.
R_HEAD, R_TAIL, R_LAP, R_PACKETS, R_RECORDED, R_OVERWRITTEN = range(6)
RING_STATE_SIZE: Final = 6

W_TIME, W_LENGTHS, W_TAG = range(3)
PACKET_WORDS: Final = 3
WIRE_SHIFT: Final = 24
KEPT_SHIFT: Final = 8
KEPT_MASK: Final = 0xFFFF
LINK_MASK: Final = 0xFF
MOST_WIRE_OCTETS: Final = 0x7FFF_FFFF
MOST_HEADER_OCTETS: Final = 512
"""Headers longer than this, tunnels in tunnels, are cut off here."""

_LINK_HEADER_OCTETS: Final = 14
_IPV6_AND_FRAGMENT_OCTETS: Final = 48
_ICMP: Final = 1
_ICMPV6: Final = 58
_ICMP_HEADER_OCTETS: Final = 8


@inlined
def _forget_oldest(ring: Any, memory: Any, state: Any) -> None:
    """Give the room of a ring's oldest packet back; there is one."""
    tail = state[ring, R_TAIL]
    kept = (memory[ring, tail + W_LENGTHS] >> KEPT_SHIFT) & KEPT_MASK
    tail += PACKET_WORDS + ((kept + 7) >> 3)
    if tail == state[ring, R_LAP]:
        tail = np.int64(0)
        state[ring, R_LAP] = 0
    state[ring, R_TAIL] = tail
    state[ring, R_PACKETS] -= 1


@inlined
def _forget_before(ring: Any, time: Any, memory: Any, state: Any) -> None:
    """Give the room of the packets at the tail back that are older than `time`."""
    while state[ring, R_PACKETS] > 0 and memory[ring, state[ring, R_TAIL] + W_TIME] < time:
        _forget_oldest(ring, memory, state)


@inlined
def _make_room(ring: Any, size: Any, memory: Any, state: Any) -> Any:
    """Return where `size` words fit, at most the ring's; the oldest packets there are forgotten and counted."""
    before = np.int64(state[ring, R_PACKETS])
    if before == 0:
        state[ring, R_HEAD] = 0
        state[ring, R_TAIL] = 0
        state[ring, R_LAP] = 0
    if state[ring, R_HEAD] + size > memory.shape[1]:
        while state[ring, R_LAP] > 0:
            _forget_oldest(ring, memory, state)
        state[ring, R_LAP] = state[ring, R_HEAD]
        state[ring, R_HEAD] = 0
    while state[ring, R_LAP] > 0 and state[ring, R_TAIL] < state[ring, R_HEAD] + size:
        _forget_oldest(ring, memory, state)
    state[ring, R_OVERWRITTEN] += before - state[ring, R_PACKETS]
    return np.int64(state[ring, R_HEAD])


@inlined
def _network_header_end(slab: Any, at: Any, end: Any, link: Any, packet: Any) -> Any:
    """Return where the innermost IP header ends, with the header of ICMP; of a frame without one, the link header."""
    if parse_packet(slab, at, end, link, packet) == NO_ADDRESSES:
        return min(at + _LINK_HEADER_OCTETS, end) if link == LINK_ETHERNET else at
    stop = np.int64(packet[H_TRANSPORT_AT])
    if stop == 0:  # a later fragment, or extension headers that are cut off
        ip_at = np.int64(packet[H_IP_AT])
        stop = ip_at + ((np.int64(slab[ip_at]) & 15) * 4 if packet[H_IP_VERSION] == 4 else _IPV6_AND_FRAGMENT_OCTETS)
    elif packet[H_PROTOCOL] in (_ICMP, _ICMPV6):
        stop += _ICMP_HEADER_OCTETS
    return min(stop, end)


@kernel
def record(
    slab: npt.NDArray[np.uint8],
    frames: npt.NDArray[np.int64],
    slots: npt.NDArray[np.int32],
    payload_at: npt.NDArray[np.int64],
    tags: npt.NDArray[np.int16],
    payload_octets: npt.NDArray[np.int64],
    window: int,
    memory: npt.NDArray[np.int64],
    octets: npt.NDArray[np.uint8],
    state: npt.NDArray[np.int64],
    packet: npt.NDArray[np.int64],
) -> int:
    """Copy the packets of flows that have a ring into it; return how many.

    slab, frames: as in a PacketBlock, n frames. slots: int32[n], rows of `tags`, below 0 = no flow. payload_at:
    int64[n], where in the slab the transport header ends; a value not above the frame's beginning: unknown, then
    everything after the IP header counts as payload (of ICMP: after its 8 octets). tags: int16, a ring per flow, below
    0 = none. payload_octets: int64[rings], how many octets of payload may be kept. window: ns that packets are kept.
    packet: int64[packets.PACKET_SIZE], scratch.
    """
    recorded = 0
    for row in range(len(slots)):
        slot = np.int64(slots[row])
        if slot < 0:
            continue
        ring = np.int64(tags[slot])
        if ring < 0:
            continue
        at = frames[F_AT, row]
        end = frames[F_END, row]
        link = frames[F_LINK, row]
        stop = payload_at[row]
        if stop <= at:
            stop = _network_header_end(slab, at, end, link, packet)
        kept = min(min(stop - at, MOST_HEADER_OCTETS) + payload_octets[ring], end - at)
        size = PACKET_WORDS + ((kept + 7) >> 3)
        if link < 0 or kept < 0 or kept > KEPT_MASK or size > memory.shape[1]:
            continue
        time = frames[F_TIME, row]
        _forget_before(ring, time - window, memory, state)
        head = _make_room(ring, size, memory, state)
        memory[ring, head + W_TIME] = time
        wire = min(max(frames[F_OCTETS, row], 0), MOST_WIRE_OCTETS)
        memory[ring, head + W_LENGTHS] = (wire << WIRE_SHIFT) | (kept << KEPT_SHIFT) | (link & LINK_MASK)
        memory[ring, head + W_TAG] = frames[F_TAG, row]
        to = (head + PACKET_WORDS) * 8
        for k in range(kept):
            octets[ring, to + k] = slab[at + k]
        state[ring, R_HEAD] = head + size
        state[ring, R_PACKETS] += 1
        state[ring, R_RECORDED] += 1
        recorded += 1
    return recorded


@kernel
def forget_before(time: int, memory: npt.NDArray[np.int64], state: npt.NDArray[np.int64]) -> int:
    """Forget, in every ring, the oldest packets as long as they are from before `time` (ns); return how many are left.

    memory, state: as in `record`.
    """
    left = 0
    for ring in range(len(state)):
        _forget_before(ring, time, memory, state)
        left += state[ring, R_PACKETS]
    return left
