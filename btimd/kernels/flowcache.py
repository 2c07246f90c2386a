"""From frames to two-way flows in one call: parse, find, count, measure."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from btimd.kernels._jit import inlined, kernel, prefetch
from btimd.kernels.flowentry import (
    BEGAN_REVERSE,
    COUNT_SHIFT,
    D_COUNT,
    D_OCTETS,
    D_TIMES,
    DEPTH_SHIFT,
    DIRECTION_WORDS,
    DNS_PORT,
    E_ADDRESSES,
    E_COUNTS,
    E_META,
    ENDS_MASK,
    ENDS_SHIFT,
    ENTRY_WORDS,
    FIN_0,
    FIN_1,
    HAS_OUTER,
    ICMP,
    ICMPV6,
    KEY_MASK,
    MOST_FRAME_OCTETS,
    MOST_PROBES,
    NANOSECONDS_PER_MILLISECOND,
    NEARLY_FULL,
    O_LABEL,
    OCTETS_BITS,
    Q_KIND,
    Q_NANOSECONDS,
    Q_TIME,
    RESET,
    S_CREATED,
    S_CUT_OFF,
    S_CUT_OFF_OCTETS,
    S_EPOCH,
    S_EVICTED,
    S_FLOWS,
    S_FREE,
    S_FRESH,
    S_MALFORMED,
    S_MALFORMED_OCTETS,
    S_NOT_IP,
    S_NOT_IP_OCTETS,
    S_OCTETS,
    S_PACKETS,
    S_QUALITY,
    S_RECORDS,
    S_SAMPLES,
    S_SLOTS,
    S_UNKNOWN_LINK,
    S_UNKNOWN_LINK_OCTETS,
    SLOT_BITS,
    TCP,
    UDP,
    USED,
    VLAN_SHIFT,
    WIDE,
    clear,
    client_end,
    flow_hash,
    report,
    tag_of,
    write_ends,
)
from btimd.kernels.headers import (
    CUT_OFF,
    H_CLASS,
    H_DESTINATION_HI,
    H_DESTINATION_LO,
    H_DESTINATION_PORT,
    H_FAULT,
    H_FLAGS,
    H_IP_AT,
    H_IP_END,
    H_IP_OCTETS,
    H_MPLS_LABEL,
    H_PROTOCOL,
    H_SOURCE_HI,
    H_SOURCE_LO,
    H_SOURCE_PORT,
    H_TRANSPORT_AT,
    LINK_UNKNOWN,
    NO_ADDRESSES,
    NOT_IP,
)
from btimd.kernels.packets import (
    P_DEPTH,
    P_OUTER_DESTINATION_HI,
    P_OUTER_DESTINATION_LO,
    P_OUTER_SOURCE_HI,
    P_OUTER_SOURCE_LO,
    P_OUTER_VLAN,
    PACKET_SIZE,
    parse_packet,
)
from btimd.kernels.tcpquality import (
    M_KIND,
    M_NANOSECONDS,
    M_TIME,
    MOST_SAMPLES,
    begins_anew,
    note_dns,
    note_segment,
)

BATCH: Final = 64
"""Packets per pass; no flow is forgotten within them."""
# rows: int64[BATCH, ROW_WORDS]: what parse_packet wrote, then the flow's E_ADDRESSES and E_META as far as they are key,
# the hash, whether end 1 sent the packet, and the slot of the flow it probably belongs to, -1 = none known, -2 = it is
# in no flow.
K_ADDRESSES, K_META, K_HASH, K_REVERSE, K_SLOT = range(PACKET_SIZE, PACKET_SIZE + 5)
ROW_WORDS: Final = -(-(PACKET_SIZE + 5) // 8) * 8
_AHEAD: Final = 16
_SYN, _FIN, _RST, _ACK = 2, 1, 4, 16
_M32: Final = 0xFFFF_FFFF
_MAPPED: Final = 0xFFFF


@inlined
def _note_without_addresses(captured: Any, octets: Any, link: Any, fault: Any, state: Any) -> None:
    """Count a frame that is in no flow under the reason why."""
    if link == LINK_UNKNOWN:
        state[S_UNKNOWN_LINK] += 1
        state[S_UNKNOWN_LINK_OCTETS] += octets
    elif fault == NOT_IP:
        state[S_NOT_IP] += 1
        state[S_NOT_IP_OCTETS] += octets
    elif fault == CUT_OFF and captured < octets:
        state[S_CUT_OFF] += 1
        state[S_CUT_OFF_OCTETS] += octets
    else:
        state[S_MALFORMED] += 1
        state[S_MALFORMED_OCTETS] += octets


@inlined
def _is_in(row: Any, slot: Any, entries: Any, wide: Any) -> Any:
    """Tell whether a packet belongs to the flow in a slot."""
    if (
        entries[ENTRY_WORDS * slot + E_ADDRESSES] != row[K_ADDRESSES]
        or entries[ENTRY_WORDS * slot + E_META] & KEY_MASK != row[K_META]
    ):
        return False
    if row[K_META] & WIDE == 0:
        return True
    at = 2 * row[K_REVERSE]
    return (
        wide[slot, at] == row[H_SOURCE_HI]
        and wide[slot, at + 1] == row[H_SOURCE_LO]
        and wide[slot, 2 - at] == row[H_DESTINATION_HI]
        and wide[slot, 3 - at] == row[H_DESTINATION_LO]
    )


@inlined
def _begin(slot: Any, row: Any, tag: Any, hashes: Any, entries: Any, wide: Any, outer: Any, state: Any) -> None:
    """Fill an empty entry with the key of a packet and with what its first packet says."""
    meta = row[K_META]
    entries[ENTRY_WORDS * slot + E_ADDRESSES] = row[K_ADDRESSES]
    hashes[slot] = row[K_HASH]
    if meta & WIDE != 0:
        at = 2 * row[K_REVERSE]
        wide[slot, at] = row[H_SOURCE_HI]
        wide[slot, at + 1] = row[H_SOURCE_LO]
        wide[slot, 2 - at] = row[H_DESTINATION_HI]
        wide[slot, 3 - at] = row[H_DESTINATION_LO]
    vlan = tag & 0xFFF if tag != 0 else row[P_OUTER_VLAN]
    meta |= (min(row[P_DEPTH], np.int64(7)) << DEPTH_SHIFT) | (vlan << VLAN_SHIFT)
    if row[K_REVERSE] != 0:
        meta |= BEGAN_REVERSE
    if row[P_DEPTH] != 0 or row[H_MPLS_LABEL] != 0:
        meta |= HAS_OUTER
        outer[slot, 0] = row[P_OUTER_SOURCE_HI]
        outer[slot, 1] = row[P_OUTER_SOURCE_LO]
        outer[slot, 2] = row[P_OUTER_DESTINATION_HI]
        outer[slot, 3] = row[P_OUTER_DESTINATION_LO]
        outer[slot, O_LABEL] = row[H_MPLS_LABEL]
    entries[ENTRY_WORDS * slot + E_META] = meta
    state[S_CREATED] += 1


@kernel
def _find(row: Any, index: Any, entries: Any, wide: Any) -> Any:
    """Return the slot of a packet's flow, or ~ the place in the index where it belongs; far from home it is home."""
    numbers = (1 << SLOT_BITS) - 1
    mask = len(index) - 1
    value = row[K_HASH]
    tag = tag_of(value)
    place = value & mask
    for _ in range(MOST_PROBES):
        entry = np.int64(index[place])
        if entry < 0:
            return ~place
        if (entry ^ tag) <= numbers and _is_in(row, entry & numbers, entries, wide):
            return entry & numbers
        place = (place + 1) & mask
    return ~(value & mask)


@inlined
def _payload_at(slab: Any, row: Any, end: Any) -> Any:
    """Return where in the slab the payload of TCP or UDP begins, at most where the packet ends; 0 = nobody knows."""
    at = np.int64(row[H_TRANSPORT_AT])
    stop = min(np.int64(row[H_IP_END]), end)
    if at == 0 or row[H_PROTOCOL] not in (TCP, UDP):
        return np.int64(0)
    if row[H_PROTOCOL] == TCP:
        at += (np.int64(slab[at + 12]) >> 4) * 4 if at + 12 < stop else np.int64(20)
    else:
        at += 8
    return min(at, stop)


@kernel
def add_packets(
    slab: npt.NDArray[np.uint8],
    frame_at: npt.NDArray[np.int64],
    frame_end: npt.NDArray[np.int64],
    frame_octets: npt.NDArray[np.int64],
    frame_time: npt.NDArray[np.int64],
    frame_link: npt.NDArray[np.int64],
    frame_tag: npt.NDArray[np.int64],
    first: int,
    batch: int,
    index: npt.NDArray[np.int32],
    hashes: npt.NDArray[np.int32],
    entries: npt.NDArray[np.int64],
    wide: npt.NDArray[np.int64],
    outer: npt.NDArray[np.int64],
    quality: npt.NDArray[np.int64],
    quality_lines: npt.NDArray[np.int64],
    free: npt.NDArray[np.int32],
    state: npt.NDArray[np.int64],
    secrets: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    measured: npt.NDArray[np.int64],
    records: npt.NDArray[np.int64],
    quality_rows: npt.NDArray[np.int64],
    quality_counters: npt.NDArray[np.int64],
    samples: npt.NDArray[np.int64],
    fresh: npt.NDArray[np.int32],
    slots: npt.NDArray[np.int32],
    payload_at: npt.NDArray[np.int64],
) -> Any:
    """Count the frames from number `first` on in their flows; return the number of frames done: n, or fewer.

    frame_*: the rows of PacketBlock.frames, 0 <= at <= end <= len(slab). index to state: see kernels.flowentry.
    quality: int64[slots, QUALITY_WORDS], or no rows = not measured; quality_lines: the same by line, int64[2 * slots,
    8]. batch: 1 to BATCH packets at a time; the call ends early when fewer slots are free, or when an output has no
    room for them: 2 * batch records, batch rows of quality, MOST_SAMPLES * batch samples. rows: int64[BATCH, ROW_WORDS]
    and measured: int64[tcpquality.SAMPLE_ROWS, MOST_SAMPLES] are scratch. fresh: the slots of flows begun, or length 0
    = not wanted; otherwise the call ends early for it too. slots, payload_at: of each frame the slot of its flow, -1 =
    none, and where its payload begins; or length 0.

    A connection that begins with the addresses and ports of one that ended is another one: the old one is reported, the
    slot stays. So is, and is forgotten, a flow that stands where one belongs that MOST_PROBES looks do not find: only a
    sender who knows the secrets sees that happen.
    """
    n = len(frame_at)
    capacity = len(free)
    numbers = (1 << SLOT_BITS) - 1
    mask = len(index) - 1
    epoch = state[S_EPOCH]
    measuring = len(quality) > 0
    noting = len(slots) > 0
    begin = np.int64(first)
    while begin < n:
        if (
            state[S_FREE] + capacity - state[S_SLOTS] < batch
            or state[S_RECORDS] + 2 * batch > records.shape[1]
            or (measuring and state[S_QUALITY] + batch > quality_rows.shape[1])
            or (measuring and state[S_SAMPLES] + MOST_SAMPLES * batch > samples.shape[1])
            or (len(fresh) > 0 and state[S_FRESH] + batch > len(fresh))
        ):
            return begin
        count: Any = min(np.int64(batch), n - begin)
        octets_seen = np.int64(0)
        for k in range(count):
            i = begin + k
            ahead = frame_at[min(i + _AHEAD, n - 1)]
            prefetch(slab, ahead)
            prefetch(slab, ahead + 64)
            row: Any = rows[k]
            octets_seen += min(frame_octets[i], np.int64(MOST_FRAME_OCTETS))
            if parse_packet(slab, frame_at[i], frame_end[i], frame_link[i], row) == NO_ADDRESSES:
                octets = min(frame_octets[i], np.int64(MOST_FRAME_OCTETS))
                captured = frame_end[i] - frame_at[i]
                _note_without_addresses(captured, octets, frame_link[i], row[H_FAULT], state)
                row[K_SLOT] = -2
                row[K_HASH] = 0
                row[K_META] = 0
                continue
            hi = row[H_SOURCE_HI]
            lo = row[H_SOURCE_LO]
            port = row[H_SOURCE_PORT]
            other_hi = row[H_DESTINATION_HI]
            other_lo = row[H_DESTINATION_LO]
            other_port = row[H_DESTINATION_PORT]
            protocol = row[H_PROTOCOL]
            # Requests and replies of ICMP meet: type and code are no part of the key.
            other_port = other_port if (protocol != ICMP) & (protocol != ICMPV6) else np.int64(0)
            reverse = (hi > other_hi) | (
                (hi == other_hi) & ((lo > other_lo) | ((lo == other_lo) & (port > other_port)))
            )
            hi_0 = other_hi if reverse else hi
            lo_0 = other_lo if reverse else lo
            hi_1 = hi if reverse else other_hi
            lo_1 = lo if reverse else other_lo
            both = (other_port << 16) | port if reverse else (port << 16) | other_port
            ends = (protocol << 32) | both
            value = flow_hash(hi_0, lo_0, hi_1, lo_1, ends, secrets)
            prefetch(index, value & mask)
            narrow = ((hi_0 | hi_1) == 0) & (lo_0 >> 32 == _MAPPED) & (lo_1 >> 32 == _MAPPED)
            row[K_ADDRESSES] = (lo_0 << 32) | (lo_1 & _M32) if narrow else hi_0 ^ lo_0 ^ (hi_1 << 7) ^ (lo_1 << 13)
            row[K_META] = (ends << ENDS_SHIFT) | (USED if narrow else USED | WIDE)
            row[K_HASH] = value
            row[K_REVERSE] = np.int64(reverse)
            row[K_SLOT] = -1
        for k in range(count):
            value = rows[k, K_HASH]
            tag = tag_of(value)
            entry = np.int64(index[value & mask])
            other_entry = np.int64(index[(value + 1) & mask])
            entry = entry if (entry ^ tag) & ~numbers == 0 or entry < 0 else other_entry
            slot = entry & numbers if (entry ^ tag) & ~numbers == 0 else np.int64(-1)
            prefetch(entries, ENTRY_WORDS * slot)
            if rows[k, K_META] & WIDE != 0:
                prefetch(wide, slot)
            if measuring:
                prefetch(quality_lines, 2 * slot)
                prefetch(quality_lines, 2 * slot + 1)
            rows[k, K_SLOT] = slot if rows[k, K_SLOT] == -1 else np.int64(-2)
        for k in range(count):
            i = begin + k
            row = rows[k]
            slot = row[K_SLOT]
            if slot == -2:
                if noting:
                    slots[i] = -1
                    payload_at[i] = 0
                continue
            ends = (row[K_META] >> ENDS_SHIFT) & ENDS_MASK
            time = max(frame_time[i], np.int64(0))
            if slot < 0 or not _is_in(row, slot, entries, wide):
                slot = np.int64(_find(row, index, entries, wide))
                if slot < 0:
                    place = ~slot
                    if index[place] >= 0:
                        slot = np.int64(index[place]) & numbers
                        report(
                            slot, time, 1, entries, wide, outer, quality, state, records, quality_rows, quality_counters
                        )
                        clear(slot, entries, outer, quality)
                        state[S_EVICTED] += 1
                    elif state[S_FREE] > 0:
                        state[S_FREE] -= 1
                        state[S_FLOWS] += 1
                        slot = np.int64(free[state[S_FREE]])
                    else:
                        slot = state[S_SLOTS]
                        state[S_SLOTS] += 1
                        state[S_FLOWS] += 1
                    index[place] = tag_of(row[K_HASH]) | slot
                    _begin(slot, row, frame_tag[i], hashes, entries, wide, outer, state)
                    if len(fresh) > 0:
                        fresh[state[S_FRESH]] = slot
                        state[S_FRESH] += 1
            protocol = ends >> 32
            flags = row[H_FLAGS]
            reverse = row[K_REVERSE]
            since = reverse ^ np.int64(entries[ENTRY_WORDS * slot + E_META] & BEGAN_REVERSE != 0)
            if flags & (_SYN | _FIN | _RST) != 0:
                meta = entries[ENTRY_WORDS * slot + E_META]
                if flags & _SYN != 0:
                    if measuring:
                        anew = begins_anew(slot, quality, row, since) != 0
                    else:
                        anew = flags & _ACK == 0 and (meta & RESET != 0 or meta & (FIN_0 | FIN_1) == FIN_0 | FIN_1)
                    if anew:
                        report(
                            slot, time, 1, entries, wide, outer, quality, state, records, quality_rows, quality_counters
                        )
                        clear(slot, entries, outer, quality)
                        _begin(slot, row, frame_tag[i], hashes, entries, wide, outer, state)
                        meta = entries[ENTRY_WORDS * slot + E_META]
                        since = np.int64(0)
                meta |= RESET if flags & _RST != 0 else 0
                if flags & _FIN != 0:
                    meta |= FIN_1 if reverse != 0 else FIN_0
                entries[ENTRY_WORDS * slot + E_META] = meta
            # What the IP header says, but not more than the frame had room for.
            frame = min(frame_octets[i], np.int64(MOST_FRAME_OCTETS))
            room = max(frame - (row[H_IP_AT] - frame_at[i]), np.int64(0))
            octets = min(row[H_IP_OCTETS], room) if row[H_IP_OCTETS] != 0 else room
            at = E_COUNTS + DIRECTION_WORDS * reverse
            if entries[ENTRY_WORDS * slot + at + D_OCTETS] & NEARLY_FULL != 0:
                report(slot, time, 0, entries, wide, outer, quality, state, records, quality_rows, quality_counters)
            counted = entries[ENTRY_WORDS * slot + at + D_COUNT]
            moment = min(max(time // NANOSECONDS_PER_MILLISECOND - epoch, np.int64(0)), np.int64(_M32))
            earliest = moment
            latest = moment
            if counted == 0:
                counted = row[H_CLASS]
                if protocol in (ICMP, ICMPV6):
                    counted |= row[H_DESTINATION_PORT] << 8
            else:
                times = entries[ENTRY_WORDS * slot + at + D_TIMES]
                earliest = min((times >> 32) & _M32, moment)
                latest = max(times & _M32, moment)
            entries[ENTRY_WORDS * slot + at + D_TIMES] = (earliest << 32) | latest
            entries[ENTRY_WORDS * slot + at + D_COUNT] = (counted | (flags << 8)) + (1 << COUNT_SHIFT)
            entries[ENTRY_WORDS * slot + at + D_OCTETS] += ((frame - octets) << OCTETS_BITS) | octets
            if noting:
                slots[i] = slot
                payload_at[i] = _payload_at(slab, row, frame_end[i])
            if measuring:
                taken = np.int64(0)
                if protocol == TCP:
                    taken = note_segment(slab, row, frame_end[i], time, slot, since, quality, measured, taken)
                elif protocol == UDP and ((ends >> 16) & 0xFFFF == DNS_PORT or ends & 0xFFFF == DNS_PORT):
                    taken = note_dns(slab, row, frame_end[i], time, slot, since, quality, measured, taken)
                for sample in range(taken):
                    column = state[S_SAMPLES]
                    write_ends(slot, client_end(slot, entries, quality), entries, wide, samples, column)
                    samples[Q_TIME, column] = measured[M_TIME, sample] // NANOSECONDS_PER_MILLISECOND
                    samples[Q_KIND, column] = measured[M_KIND, sample]
                    samples[Q_NANOSECONDS, column] = measured[M_NANOSECONDS, sample]
                    state[S_SAMPLES] = column + 1
        state[S_PACKETS] += count
        state[S_OCTETS] += octets_seen
        begin += count
    return begin
