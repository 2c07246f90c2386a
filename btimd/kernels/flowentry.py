"""The entry of a two-way flow: one cache line, how it is found, reported and forgotten.

A packet costs little more than the lines of memory it touches, so what every packet needs of its flow is 64 octets:
entries: int64[slots * ENTRY_WORDS], from a multiple of 64 octets on, all zero where no flow is. E_ADDRESSES: of IPv4
both addresses, end 0's above; of IPv6 bits mixed from both, and `wide`, int64[slots, WIDE_WORDS], has the halves of
end 0's and of end 1's. Ends are in canonical order, the smaller one is end 0, so that both directions meet.
E_META: protocol << 56 | port of end 0 << 40 | port of end 1 << 24 | VLAN << 12 | tunnels opened << 7 | bits below.
Then three words of each direction, direction 0 being sent by end 0: D_COUNT: packets << 24 | bits << 8 | class of
service; bits are the TCP flags seen, or ICMP type << 8 | code of the first packet, as the class of service is the
first one's. D_OCTETS: octets of frames beyond their innermost IP packets << OCTETS_BITS | octets of those. D_TIMES:
first << 32 | last, ms after state[S_EPOCH]; of counts that are 0, last stays and first means nothing.

index: int32[2^k], by hash: seven more bits of the hash << 24 | slot, -1 = empty; at least twice as long as there are
slots. A flow goes and what stands behind it moves up, so that no search meets places of flows that are gone.
hashes: int32[slots].
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from btimd.kernels._jit import inlined, kernel
from btimd.kernels.tcpquality import QUALITY_WORDS, client_is_reverse, take_counters

ENTRY_WORDS: Final = 8
E_ADDRESSES, E_META, E_COUNTS = 0, 1, 2
D_COUNT, D_OCTETS, D_TIMES = range(3)
DIRECTION_WORDS: Final = 3
# Bits of E_META: in use; IPv6; the flow's first packet was sent by end 1; FIN of end 0, of end 1; RST; has an `outer`.
USED, WIDE, BEGAN_REVERSE, FIN_0, FIN_1, RESET, HAS_OUTER = 1, 2, 4, 8, 16, 32, 64
DEPTH_SHIFT, VLAN_SHIFT, ENDS_SHIFT = 7, 12, 24
KEY_MASK: Final = ~((1 << ENDS_SHIFT) - 1) | USED | WIDE
ENDS_MASK: Final = (1 << 40) - 1
COUNT_SHIFT: Final = 24
OCTETS_BITS: Final = 36
MOST_FRAME_OCTETS: Final = (1 << 24) - 1
"""Longer frames count as so long: no network has them."""
NEARLY_FULL: Final = 1 << 62 | 1 << (OCTETS_BITS - 1)
"""Bits of D_OCTETS of which none is set while there is room for another packet."""
WIDE_WORDS: Final = 4
# outer: int64[slots, OUTER_WORDS], what few flows have, as their first packet had it: halves of the outermost packet's
# source and destination, MPLS label.
OUTER_WORDS: Final = 5
O_LABEL: Final = 4

SLOT_BITS: Final = 24
MOST_PROBES: Final = 128
SECRETS: Final = 11
NANOSECONDS_PER_MILLISECOND: Final = 1_000_000

# state: int64[STATE_SIZE]. Slots ever used, numbers given back, flows; rows in the four outputs; the slot that the next
# search for silent flows begins at; what times count from, ms; and totals: flows begun, flows forgotten for want of
# room, packets and octets of frames, and those of them in no flow: of protocols other than IP, cut off by the capture,
# wrong, of unknown links.
(S_SLOTS, S_FREE, S_FLOWS, S_RECORDS, S_QUALITY, S_SAMPLES, S_FRESH, S_HAND, S_EPOCH, S_CREATED, S_EVICTED, S_PACKETS,
 S_OCTETS, S_NOT_IP, S_NOT_IP_OCTETS, S_CUT_OFF, S_CUT_OFF_OCTETS, S_MALFORMED, S_MALFORMED_OCTETS, S_UNKNOWN_LINK,
 S_UNKNOWN_LINK_OCTETS) = range(21)  # fmt: skip
STATE_SIZE: Final = 21

# The rows of the outputs, int64[rows, room]. A flow record; who the record of a connection and a sample are about.
# Times are ms since 1970, R_ENDS and Q_ENDS protocol << 32 | port of the first named << 16 | port of the other.
(R_SOURCE_HI, R_SOURCE_LO, R_DESTINATION_HI, R_DESTINATION_LO, R_ENDS, R_FIRST, R_LAST, R_COUNT, R_OCTETS,
 R_FRAME_OCTETS, R_VLAN, R_LABEL) = range(12)  # fmt: skip
RECORD_ROWS: Final = 12
(Q_CLIENT_HI, Q_CLIENT_LO, Q_SERVER_HI, Q_SERVER_LO, Q_ENDS, Q_TIME, Q_KIND, Q_NANOSECONDS) = range(8)
QUALITY_ROWS: Final = 6
SAMPLE_OUT_ROWS: Final = 8

TCP, UDP, ICMP, ICMPV6, DNS_PORT = 6, 17, 1, 58, 53
_M32: Final = 0xFFFF_FFFF
_MAPPED: Final = 0xFFFF_0000_0000


@inlined
def flow_hash(hi_0: Any, lo_0: Any, hi_1: Any, lo_1: Any, ends: Any, secrets: Any) -> Any:
    """Return 31 bits; secrets: int64[SECRETS], odd, below 2^31: no product leaves 63 bits, so Python gives the same."""
    value = (lo_0 & _M32) * secrets[0]
    value ^= ((lo_0 >> 32) & _M32) * secrets[1]
    value ^= (lo_1 & _M32) * secrets[2]
    value ^= ((lo_1 >> 32) & _M32) * secrets[3]
    value ^= (hi_0 & _M32) * secrets[4]
    value ^= ((hi_0 >> 32) & _M32) * secrets[5]
    value ^= (hi_1 & _M32) * secrets[6]
    value ^= ((hi_1 >> 32) & _M32) * secrets[7]
    value ^= (ends & _M32) * secrets[8]
    value ^= (ends >> 32) * secrets[9]
    value = ((value ^ (value >> 31)) & _M32) * secrets[10]
    return (value >> 25) & 0x7FFF_FFFF


@inlined
def narrow_hash(one: Any, other: Any, ends: Any, secrets: Any) -> Any:
    """Return 31 bits for two IPv4 addresses; no other flow has the same key as theirs, so it is no flow_hash."""
    value = one * secrets[0]
    value ^= other * secrets[2]
    value ^= (ends & _M32) * secrets[8]
    value ^= (ends >> 32) * secrets[9]
    value = ((value ^ (value >> 31)) & _M32) * secrets[10]
    return (value >> 25) & 0x7FFF_FFFF


@inlined
def tag_of(value: Any) -> Any:
    """Return the bits of a hash that an entry of the index carries above the number of its slot."""
    return (value >> 24) << SLOT_BITS


@inlined
def last_of(slot: Any, entries: Any) -> Any:
    """Return when the latest packet of a flow came, ms after the epoch."""
    at = ENTRY_WORDS * slot + E_COUNTS + D_TIMES
    return max(entries[at] & _M32, entries[at + DIRECTION_WORDS] & _M32)


@inlined
def is_measured(ends: Any) -> Any:
    """Tell whether the quality of flows with such protocol and ports is measured."""
    protocol = ends >> 32
    return protocol == TCP or (protocol == UDP and ((ends >> 16) & 0xFFFF == DNS_PORT or ends & 0xFFFF == DNS_PORT))


@inlined
def write_ends(slot: Any, turned: Any, entries: Any, wide: Any, out: Any, column: Any) -> None:
    """Write addresses, ports and protocol of a flow to the first five rows of a column; turned: 1 = end 1 first."""
    meta = entries[ENTRY_WORDS * slot + E_META]
    ends = (meta >> ENDS_SHIFT) & ENDS_MASK
    if meta & WIDE != 0:
        at = 2 * turned
        out[Q_CLIENT_HI, column] = wide[slot, at]
        out[Q_CLIENT_LO, column] = wide[slot, at + 1]
        out[Q_SERVER_HI, column] = wide[slot, 2 - at]
        out[Q_SERVER_LO, column] = wide[slot, 3 - at]
    else:
        both = entries[ENTRY_WORDS * slot + E_ADDRESSES]
        one = (both >> 32) & _M32 if turned == 0 else both & _M32
        other = both & _M32 if turned == 0 else (both >> 32) & _M32
        out[Q_CLIENT_HI, column] = 0
        out[Q_CLIENT_LO, column] = _MAPPED | one
        out[Q_SERVER_HI, column] = 0
        out[Q_SERVER_LO, column] = _MAPPED | other
    if turned != 0:
        ends = (ends >> 32 << 32) | ((ends & 0xFFFF) << 16) | ((ends >> 16) & 0xFFFF)
    out[Q_ENDS, column] = ends


@inlined
def client_end(slot: Any, entries: Any, quality: Any) -> Any:
    """Return which end of a flow is the client: 0 or 1."""
    return client_is_reverse(slot, quality) ^ np.int64(entries[ENTRY_WORDS * slot + E_META] & BEGAN_REVERSE != 0)


@kernel
def report(
    slot: Any,
    now: Any,
    final: int,
    entries: npt.NDArray[np.int64],
    wide: npt.NDArray[np.int64],
    outer: npt.NDArray[np.int64],
    quality: npt.NDArray[np.int64],
    state: npt.NDArray[np.int64],
    records: npt.NDArray[np.int64],
    quality_rows: npt.NDArray[np.int64],
    quality_counters: npt.NDArray[np.int64],
) -> int:
    """Write what came of a flow since its last record, and begin to count anew; return 0.

    At most two records, and one row of quality, for which there must be room. now: ns. final: 1 = it is forgotten then.
    """
    meta = entries[ENTRY_WORDS * slot + E_META]
    epoch = state[S_EPOCH]
    for direction in range(2):
        at = E_COUNTS + DIRECTION_WORDS * direction
        if entries[ENTRY_WORDS * slot + at + D_COUNT] == 0:
            continue
        n = state[S_RECORDS]
        state[S_RECORDS] = n + 1
        write_ends(slot, np.int64(direction), entries, wide, records, n)
        times = entries[ENTRY_WORDS * slot + at + D_TIMES]
        octets = entries[ENTRY_WORDS * slot + at + D_OCTETS] & ((1 << OCTETS_BITS) - 1)
        records[R_FIRST, n] = epoch + ((times >> 32) & _M32)
        records[R_LAST, n] = epoch + (times & _M32)
        records[R_COUNT, n] = entries[ENTRY_WORDS * slot + at + D_COUNT]
        records[R_OCTETS, n] = octets
        records[R_FRAME_OCTETS, n] = octets + (entries[ENTRY_WORDS * slot + at + D_OCTETS] >> OCTETS_BITS)
        records[R_VLAN, n] = (meta >> VLAN_SHIFT) & 0xFFF
        records[R_LABEL, n] = outer[slot, O_LABEL] if meta & HAS_OUTER != 0 else 0
        entries[ENTRY_WORDS * slot + at + D_COUNT] = 0
        entries[ENTRY_WORDS * slot + at + D_OCTETS] = 0
    if len(quality) > 0 and is_measured((meta >> ENDS_SHIFT) & ENDS_MASK):
        n = state[S_QUALITY]
        if take_counters(slot, quality, now, final, quality_counters, n) != 0:
            write_ends(slot, client_end(slot, entries, quality), entries, wide, quality_rows, n)
            quality_rows[Q_TIME, n] = epoch + last_of(slot, entries)
            state[S_QUALITY] = n + 1
    return 0


@inlined
def clear(slot: Any, entries: Any, outer: Any, quality: Any) -> None:
    """Leave a slot as if it had never been used; memory that the flow did not use is not touched."""
    meta = entries[ENTRY_WORDS * slot + E_META]
    if meta & HAS_OUTER != 0:
        for word in range(OUTER_WORDS):
            outer[slot, word] = 0
    if len(quality) > 0 and is_measured((meta >> ENDS_SHIFT) & ENDS_MASK):
        for word in range(QUALITY_WORDS):
            quality[slot, word] = 0
    for word in range(ENTRY_WORDS):
        entries[ENTRY_WORDS * slot + word] = 0


@kernel
def forget(
    slot: Any,
    index: npt.NDArray[np.int32],
    hashes: npt.NDArray[np.int32],
    entries: npt.NDArray[np.int64],
    outer: npt.NDArray[np.int64],
    quality: npt.NDArray[np.int64],
    free: npt.NDArray[np.int32],
    state: npt.NDArray[np.int64],
) -> int:
    """Give a reported flow's slot back: it leaves the index, and those behind it move up; return 0."""
    numbers = (1 << SLOT_BITS) - 1
    mask = len(index) - 1
    hole = np.int64(hashes[slot]) & mask
    while np.int64(index[hole]) & numbers != slot:
        hole = (hole + 1) & mask
    at = (hole + 1) & mask
    while index[at] >= 0:
        home = np.int64(hashes[np.int64(index[at]) & numbers]) & mask
        if (at - home) & mask >= (at - hole) & mask:
            index[hole] = index[at]
            hole = at
        at = (at + 1) & mask
    index[hole] = -1
    clear(slot, entries, outer, quality)
    free[state[S_FREE]] = slot
    state[S_FREE] += 1
    state[S_FLOWS] -= 1
    return 0


@kernel
def move_epoch(epoch: int, entries: npt.NDArray[np.int64], state: npt.NDArray[np.int64]) -> int:
    """Let times count from `epoch`, ms; those that cannot be said any more come to the edge. Return 0."""
    moved = state[S_EPOCH] - epoch
    for slot in range(state[S_SLOTS]):
        for direction in range(2):
            at = E_COUNTS + DIRECTION_WORDS * direction + D_TIMES
            times = entries[ENTRY_WORDS * slot + at]
            if times != 0:
                first = min(max(((times >> 32) & _M32) + moved, np.int64(0)), np.int64(_M32))
                last = min(max((times & _M32) + moved, np.int64(0)), np.int64(_M32))
                entries[ENTRY_WORDS * slot + at] = (first << 32) | last
    state[S_EPOCH] = epoch
    return 0
