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
    is_measured,
    narrow_hash,
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
# rows: int64[BATCH, ROW_WORDS]: what parse_packet wrote, but for its first words, which say nothing of flows. There
# stand E_ADDRESSES and E_META as far as they are key, the hash, whether end 1 sent the packet, the slot of the flow it
# probably belongs to, -1 = none known, -2 = it is in no flow, what it adds to D_OCTETS, its time, ms after the epoch,
# and whether it was not sent by who was seen first.
(K_ADDRESSES, K_META, K_HASH, K_REVERSE, K_SLOT, K_OCTETS, K_MOMENT, K_SINCE) = range(8)
ROW_WORDS: Final = -(-PACKET_SIZE // 8) * 8
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


@inlined
def _key(row: Any, secrets: Any) -> Any:
    """Write the key of a packet, the same for both directions; return its hash."""
    hi = row[H_SOURCE_HI]
    lo = row[H_SOURCE_LO]
    port = row[H_SOURCE_PORT]
    other_hi = row[H_DESTINATION_HI]
    other_lo = row[H_DESTINATION_LO]
    other_port = row[H_DESTINATION_PORT]
    protocol = row[H_PROTOCOL]
    # Requests and replies of ICMP meet: type and code are no part of the key.
    other_port = other_port if (protocol != ICMP) & (protocol != ICMPV6) else np.int64(0)
    if (hi | other_hi) == 0 and lo >> 32 == _MAPPED and other_lo >> 32 == _MAPPED:
        one = lo & _M32
        other = other_lo & _M32
        reverse = (one > other) | ((one == other) & (port > other_port))
        both = (other_port << 16) | port if reverse else (port << 16) | other_port
        ends = (protocol << 32) | both
        addresses = (other << 32) | one if reverse else (one << 32) | other
        row[K_ADDRESSES] = addresses
        row[K_META] = (ends << ENDS_SHIFT) | USED
        row[K_REVERSE] = np.int64(reverse)
        return narrow_hash((addresses >> 32) & _M32, addresses & _M32, ends, secrets)
    reverse = (hi > other_hi) | ((hi == other_hi) & ((lo > other_lo) | ((lo == other_lo) & (port > other_port))))
    hi_0 = other_hi if reverse else hi
    lo_0 = other_lo if reverse else lo
    hi_1 = hi if reverse else other_hi
    lo_1 = lo if reverse else other_lo
    both = (other_port << 16) | port if reverse else (port << 16) | other_port
    ends = (protocol << 32) | both
    row[K_ADDRESSES] = hi_0 ^ lo_0 ^ (hi_1 << 7) ^ (lo_1 << 13)
    row[K_META] = (ends << ENDS_SHIFT) | USED | WIDE
    row[K_REVERSE] = np.int64(reverse)
    return flow_hash(hi_0, lo_0, hi_1, lo_1, ends, secrets)


@inlined
def _is_usual(row: Any, entries: Any, wide: Any) -> Any:
    """Tell whether a packet can be counted where it was looked for: a known flow that has room, and no SYN."""
    slot = row[K_SLOT]
    if slot < 0 or row[H_FLAGS] & _SYN != 0 or not _is_in(row, slot, entries, wide):
        return False
    return entries[ENTRY_WORDS * slot + E_COUNTS + DIRECTION_WORDS * row[K_REVERSE] + D_OCTETS] & NEARLY_FULL == 0


@inlined
def _count(row: Any, entries: Any) -> None:
    """Count a packet in its flow."""
    at = ENTRY_WORDS * row[K_SLOT]
    meta = entries[at + E_META]
    reverse = row[K_REVERSE]
    flags = row[H_FLAGS]
    row[K_SINCE] = reverse ^ np.int64(meta & BEGAN_REVERSE != 0)
    if flags & (_FIN | _RST) != 0:
        meta |= RESET if flags & _RST != 0 else 0
        if flags & _FIN != 0:
            meta |= FIN_1 if reverse != 0 else FIN_0
        entries[at + E_META] = meta
    at += E_COUNTS + DIRECTION_WORDS * reverse
    counted = entries[at + D_COUNT]
    moment = row[K_MOMENT]
    earliest = moment
    latest = moment
    if counted == 0:
        counted = row[H_CLASS]
        if row[H_PROTOCOL] in (ICMP, ICMPV6):
            counted |= row[H_DESTINATION_PORT] << 8
    else:
        times = entries[at + D_TIMES]
        earliest = min((times >> 32) & _M32, moment)
        latest = max(times & _M32, moment)
    entries[at + D_TIMES] = (earliest << 32) | latest
    entries[at + D_COUNT] = (counted | (flags << 8)) + (1 << COUNT_SHIFT)
    entries[at + D_OCTETS] += row[K_OCTETS]


@kernel
def _settle(slab: Any, time: Any, tag: Any, row: Any, index: Any, hashes: Any, entries: Any, wide: Any, outer: Any,
            quality: Any, free: Any, state: Any, records: Any, quality_rows: Any, quality_counters: Any,
            fresh: Any) -> int:  # fmt: skip
    """Write the slot in which a packet is to be counted, with a new flow or a record of an old one if need be.

    Return 0. time: ns, 0 or more. tag: the VLAN tag that the network card took off.
    """
    numbers = (1 << SLOT_BITS) - 1
    slot = row[K_SLOT]
    if slot == -2:
        return 0
    if slot < 0 or not _is_in(row, slot, entries, wide):
        slot = np.int64(_find(row, index, entries, wide))
        if slot < 0:
            place = ~slot
            if index[place] >= 0:
                slot = np.int64(index[place]) & numbers
                report(slot, time, 1, entries, wide, outer, quality, state, records, quality_rows, quality_counters)
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
            _begin(slot, row, tag, hashes, entries, wide, outer, state)
            if len(fresh) > 0:
                fresh[state[S_FRESH]] = slot
                state[S_FRESH] += 1
    row[K_SLOT] = slot
    flags = row[H_FLAGS]
    reverse = row[K_REVERSE]
    if flags & _SYN != 0:
        meta = entries[ENTRY_WORDS * slot + E_META]
        if len(quality) > 0 and row[H_PROTOCOL] == TCP:
            since = reverse ^ np.int64(meta & BEGAN_REVERSE != 0)
            anew = begins_anew(slab, row, time, slot, since, quality) != 0
        else:
            anew = flags & _ACK == 0 and (meta & RESET != 0 or meta & (FIN_0 | FIN_1) == FIN_0 | FIN_1)
        if anew:
            report(slot, time, 1, entries, wide, outer, quality, state, records, quality_rows, quality_counters)
            clear(slot, entries, outer, quality)
            _begin(slot, row, tag, hashes, entries, wide, outer, state)
    if entries[ENTRY_WORDS * slot + E_COUNTS + DIRECTION_WORDS * reverse + D_OCTETS] & NEARLY_FULL != 0:
        report(slot, time, 0, entries, wide, outer, quality, state, records, quality_rows, quality_counters)
    return 0


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
            i: Any = begin + k
            ahead = frame_at[min(i + _AHEAD, n - 1)]
            prefetch(slab, ahead)
            prefetch(slab, ahead + 64)
            row = rows[k]
            octets: Any = min(frame_octets[i], np.int64(MOST_FRAME_OCTETS))
            octets_seen += octets
            if parse_packet(slab, frame_at[i], frame_end[i], frame_link[i], row) == NO_ADDRESSES:
                captured = frame_end[i] - frame_at[i]
                _note_without_addresses(captured, octets, frame_link[i], row[H_FAULT], state)
                row[K_SLOT] = -2
                row[K_META] = 0
                continue
            # What the IP header says, but not more than the frame had room for.
            room = max(octets - (row[H_IP_AT] - frame_at[i]), np.int64(0))
            inner = min(row[H_IP_OCTETS], room) if row[H_IP_OCTETS] != 0 else room
            row[K_OCTETS] = ((octets - inner) << OCTETS_BITS) | inner
            moment = max(frame_time[i], np.int64(0)) // NANOSECONDS_PER_MILLISECOND - epoch
            row[K_MOMENT] = min(max(moment, np.int64(0)), np.int64(_M32))
            row[K_SLOT] = -1
        # Another loop: what a processor does ahead of time is little more than one packet of both.
        for k in range(count):
            value = _key(rows[k], secrets) if rows[k, K_SLOT] == -1 else np.int64(0)
            prefetch(index, value & mask)
            rows[k, K_HASH] = value
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
                prefetch(quality_lines, 2 * slot)  # what most segments need of it is in the first line
            rows[k, K_SLOT] = slot if rows[k, K_SLOT] == -1 else np.int64(-2)
        reached: Any = np.int64(0)
        measured_to: Any = np.int64(0)
        settled: Any = np.int64(-1)
        while True:
            while reached < count and (reached == settled or _is_usual(rows[reached], entries, wide)):
                if rows[reached, K_SLOT] >= 0:
                    _count(rows[reached], entries)
                reached += 1
            if measuring:
                for done in range(measured_to, reached):
                    row = rows[done]
                    slot = row[K_SLOT]
                    ends = (row[K_META] >> ENDS_SHIFT) & ENDS_MASK
                    if slot < 0 or not is_measured(ends):
                        continue
                    i = begin + done
                    time = max(frame_time[i], np.int64(0))
                    wire_end = frame_at[i] + min(frame_octets[i], np.int64(MOST_FRAME_OCTETS))
                    taken = np.int64(0)
                    if ends >> 32 == TCP:
                        taken = note_segment(slab, row, wire_end, time, slot, row[K_SINCE], quality, measured, taken)
                    else:
                        taken = note_dns(slab, row, wire_end, time, slot, row[K_SINCE], quality, measured, taken)
                    for sample in range(taken):
                        column = state[S_SAMPLES]
                        write_ends(slot, client_end(slot, entries, quality), entries, wide, samples, column)
                        samples[Q_TIME, column] = measured[M_TIME, sample] // NANOSECONDS_PER_MILLISECOND
                        samples[Q_KIND, column] = measured[M_KIND, sample]
                        samples[Q_NANOSECONDS, column] = measured[M_NANOSECONDS, sample]
                        state[S_SAMPLES] = column + 1
                measured_to = reached
            if reached == count:
                break
            _settle(
                slab, max(frame_time[begin + reached], np.int64(0)), frame_tag[begin + reached], rows[reached], index,
                hashes, entries, wide, outer, quality, free, state, records, quality_rows, quality_counters, fresh,
            )  # fmt: skip
            settled = reached
        if len(slots) > 0:
            for k in range(count):
                i = begin + k
                slots[i] = max(rows[k, K_SLOT], np.int64(-1))
                payload_at[i] = _payload_at(slab, rows[k], frame_end[i]) if rows[k, K_SLOT] >= 0 else np.int64(0)
        state[S_PACKETS] += count
        state[S_OCTETS] += octets_seen
        begin += count
    return begin
