"""Flow records out of NetFlow and IPFIX datagrams: one call walks many datagrams and writes columns.

The kernel does what is frequent. Whatever is rare (a template, an unknown exporter, options that matter, a full
output) ends the call with a status, and the cursor says where; the caller deals with it and calls again.

All tables are integer arrays that the caller builds (capture/wire/tables.py). Their rows are described by the
constants below. Everything that is added or subtracted is int64.
"""

from typing import Any, Final

import numpy as np

from btimd.kernels._jit import inlined, kernel

# Why a call ended.
DONE: Final = 0
FULL: Final = 1  # the output has no room for the set at the cursor
NEW_DOMAIN: Final = 2  # datagram of an exporter or observation domain that has no row yet
RARE_SET: Final = 3  # the set at the cursor is for the caller: template, options, or without template

# The cursor is int64[CURSOR_SIZE].
AT_DATAGRAM, AT_POSITION, AT_OUTPUT, AT_DOMAIN, AT_EXPORT, AT_UPTIME = 0, 1, 2, 3, 4, 5
AT_SEQUENCE, AT_RECORDS, AT_COUNTABLE, AT_REPLAY, AT_VERSION, AT_DOMAIN_ID, AT_SET_END = 6, 7, 8, 9, 10, 11, 12
AT_OPTIONS: Final = 13
CURSOR_SIZE: Final = 14

# The counts are int64[COUNTS_SIZE].
(N_DATAGRAMS, N_OCTETS, N_RECORDS, N_REVERSE, N_SKIPPED_RECORDS, N_OPTIONS_RECORDS, N_SHORT, N_UNKNOWN_VERSION,
 N_SFLOW, N_TRUNCATED, N_BAD_SETS, N_RESERVED_SETS, N_EMPTY_RECORDS, N_NO_TIME, N_CLAMPED, N_ABSURD_COUNTERS,
 N_ABSURD_RATES) = range(17)  # fmt: skip
COUNTS_SIZE: Final = 17

# domains: int64[rows, DOMAIN_SIZE], one row per (exporter address, version, observation domain)
(D_EXPORTER, D_VERSION, D_ID, D_INIT, D_RATE, D_DATAGRAMS, D_RECORDS, D_LOST, D_RESTARTS, D_REORDERED, D_SEQUENCE,
 D_PREVIOUS, D_ONLY_BEFORE, D_ONLY_AFTER, D_BACKWARD, D_FIRST_SEEN, D_LAST_SEEN,
 D_PREVIOUS_OPTIONS) = range(18)  # fmt: skip
DOMAIN_SIZE: Final = 18

# templates: int64[rows, TEMPLATE_SIZE]; the first rows are the fixed layouts of v5, v1, v1 of 48 octets, v7
(T_LENGTH, T_KIND, T_VARIABLE, T_FIELD_AT, T_FIELD_COUNT, T_START, T_END, T_REVERSE_START, T_REVERSE_END, T_RATE,
 T_REVERSE) = range(11)  # fmt: skip
TEMPLATE_SIZE: Final = 11
ROW_V5, ROW_V1, ROW_V1_SHORT, ROW_V7, FIXED_ROWS = 0, 1, 2, 3, 4
KIND_FLOW, KIND_STOP, KIND_SKIP_DATA, KIND_SKIP_OPTIONS = 0, 1, 2, 3

# slots: where a template has what; offsets and lengths are int32[rows, SLOTS], length 0 = the template has it not
(S_SOURCE4, S_SOURCE6, S_DESTINATION4, S_DESTINATION6, S_SOURCE_PORT, S_DESTINATION_PORT, S_PROTOCOL, S_CLASS, S_FLAGS,
 S_INGRESS, S_EGRESS, S_VLAN, S_DIRECTION, S_OCTETS, S_PACKETS, S_START, S_END, S_INIT, S_RATE, S_INTERVAL, S_SPACE,
 S_SAMPLER, S_REVERSE_OCTETS, S_REVERSE_PACKETS, S_REVERSE_START, S_REVERSE_END, S_REVERSE_FLAGS,
 S_REVERSE_CLASS) = range(28)  # fmt: skip
SLOTS: Final = 28
VARIABLE: Final = 65535

# How a time is written.
TIME_NONE, TIME_MILLISECONDS, TIME_SECONDS, TIME_NTP, TIME_DELTA_MICROSECONDS, TIME_UPTIME = 0, 1, 2, 3, 4, 5

# Output rows: wide int64[8, n], ids uint32[3, n], small int32[2, n], words uint16[4, n], octets uint8[3, n]
W_START, W_END, W_SOURCE_HI, W_SOURCE_LO, W_DESTINATION_HI, W_DESTINATION_LO, W_OCTETS, W_PACKETS = range(8)
I_INGRESS, I_EGRESS, I_DOMAIN = range(3)
M_RATE, M_EXPORTER = range(2)
P_SOURCE, P_DESTINATION, P_FLAGS, P_VLAN = range(4)
B_PROTOCOL, B_CLASS, B_DIRECTION = range(3)

LIMIT_COUNTER: Final = 1 << 48  # 281 TB in one record: no flow, a defect or an attack
LIMIT_RATE: Final = 1 << 24
LIMIT_GAP: Final = 1 << 22  # a larger step of a sequence number is a restart, not loss
LIMIT_BACKWARD: Final = 16  # so many steps back in a row are a restart, not reordering
LIMIT_PAST: Final = 86_400_000
LIMIT_FUTURE: Final = 3_600_000
_M31: Final = 0x7FFF_FFFF
_M32: Final = 0xFFFF_FFFF
_NO_TIME: Final = -1
_MAPPED: Final = 0xFFFF_0000_0000
_NTP_EPOCH: Final = 2_208_988_800
_U1, _U2, _U3 = np.uint64(1), np.uint64(2), np.uint64(3)  # unsigned indices: no test for negative ones in the loop


@inlined
def _be2(slab: Any, at: Any) -> Any:
    i = np.uint64(at)
    return (np.int64(slab[i]) << 8) | np.int64(slab[i + _U1])


@inlined
def _be4(slab: Any, at: Any) -> Any:
    i = np.uint64(at)
    return (
        (np.int64(slab[i]) << 24)
        | (np.int64(slab[i + _U1]) << 16)
        | (np.int64(slab[i + _U2]) << 8)
        | np.int64(slab[i + _U3])
    )


@inlined
def _be8(slab: Any, at: Any) -> Any:
    return (_be4(slab, at) << 32) | _be4(slab, at + 4)


@inlined
def _load(slab: Any, at: Any, length: Any) -> Any:
    """Return a big-endian integer of 0 to 8 octets; from 2^63 on it comes out negative."""
    if length == 4:
        return _be4(slab, at)
    if length == 8:
        return _be8(slab, at)
    value = np.int64(0)
    for k in range(length):
        value = (value << 8) | np.int64(slab[at + k])
    return value


@inlined
def _gather(out: Any, slab: Any, start: Any, stride: Any, length: Any, mask: Any) -> None:
    """Write the field of every record of a set; 0 where the template has no such field."""
    n = len(out)
    if length == 0:
        for k in range(n):
            out[k] = 0
    elif length == 1:
        for k in range(n):
            out[k] = np.int64(slab[np.uint64(start + k * stride)]) & mask
    elif length == 2:
        for k in range(n):
            out[k] = _be2(slab, start + k * stride) & mask
    elif length == 4:
        for k in range(n):
            out[k] = _be4(slab, start + k * stride) & mask
    else:
        for k in range(n):
            out[k] = _load(slab, start + k * stride, length) & mask


@inlined
def _gather_address(hi: Any, lo: Any, slab: Any, start: Any, stride: Any, offset4: Any, length4: Any,
                    offset6: Any, length6: Any) -> None:  # fmt: skip
    """Write addresses; of a template with both families the IPv6 field counts unless it is zero."""
    n = len(hi)
    for k in range(n):
        at = start + k * stride
        high = np.int64(0)
        low = np.int64(0)
        if length6 != 0:
            high = _be8(slab, at + offset6)
            low = _be8(slab, at + offset6 + 8)
        if length4 != 0 and high == 0 and low == 0:
            low = _be4(slab, at + offset4) | _MAPPED
        hi[k] = high
        lo[k] = low


@inlined
def _hash(value: Any) -> Any:
    """Spread 62 bits; products stay below 2^63 so that plain Python gives the same."""
    mixed = ((value & _M31) * 0x2545F491 + ((value >> 31) & _M31) * 0x1B873593) & 0x3FFF_FFFF_FFFF_FFFF
    mixed = (mixed ^ (mixed >> 29)) & _M31
    mixed = (mixed * 0x3C6EF373) & 0x3FFF_FFFF_FFFF_FFFF
    return (mixed ^ (mixed >> 31)) & _M31


@kernel
def find_key(table: Any, key: int) -> Any:
    """Return the slot of `key` in an open-addressing table, or the empty slot where it belongs.

    table: int64[2^k, 2], rows (key, value), key -1 = empty, at least one empty. key: 0 or more.
    """
    mask = len(table) - 1
    slot = _hash(key) & mask
    while table[slot, 0] != key and table[slot, 0] != -1:
        slot = (slot + 1) & mask
    return slot


@kernel
def find_domain(table: Any, hi: int, lo: int, key: int) -> Any:
    """Return the slot of an exporter's observation domain, or the empty slot where it belongs.

    table: int64[2^k, 4], rows (hi, lo, version << 32 | domain, row), key -1 = empty, at least one empty.
    """
    mask = len(table) - 1
    slot = (_hash(hi & 0x3FFF_FFFF_FFFF_FFFF) ^ _hash(lo & 0x3FFF_FFFF_FFFF_FFFF) ^ _hash(key)) & mask
    while table[slot, 2] != -1 and (table[slot, 2] != key or table[slot, 1] != lo or table[slot, 0] != hi):
        slot = (slot + 1) & mask
    return slot


@inlined
def _milliseconds(kind: Any, raw: Any, export: Any, uptime: Any) -> Any:  # noqa: PLR0911  one line per kind of time
    """Return the time a field means in ms since 1970, -1 where it means none.

    uptime: the exporter's sysUptime at `export`; relative times are signed modulo 2^32 (49.7 days).
    """
    if kind == TIME_MILLISECONDS:
        return raw if raw > 0 else _NO_TIME
    if kind == TIME_SECONDS:
        return min(raw, 1 << 40) * 1000 if raw > 0 else _NO_TIME
    if kind == TIME_NTP:
        if raw == 0:
            return _NO_TIME
        seconds = (raw >> 32) & _M32
        if seconds < _NTP_EPOCH:
            seconds += 1 << 32  # era 1 begins in 2036
        return (seconds - _NTP_EPOCH) * 1000 + (((raw & _M32) * 1000) >> 32)
    if kind == TIME_DELTA_MICROSECONDS:
        return max(export - (raw // 1000 if 0 <= raw < (1 << 50) else 1 << 40), 0)
    if kind == TIME_UPTIME:
        behind = (uptime - (raw & _M32)) & _M32
        if behind > _M31:
            behind -= 1 << 32
        return max(export - behind, 0)
    return _NO_TIME


@inlined
def _settle_times(start: Any, end: Any, at: Any, arrival: Any, counts: Any) -> None:
    """Complete, order and clamp the times of one record; -1 stands for none."""
    first = start[at]
    last = end[at]
    if first < 0 and last < 0:
        counts[N_NO_TIME] += 1
        first = arrival
        last = arrival
    elif first < 0:
        first = last
    elif last < 0:
        last = first
    first = min(first, last)
    if first < arrival - LIMIT_PAST or last > arrival + LIMIT_FUTURE:
        counts[N_CLAMPED] += 1
        first = min(max(first, arrival - LIMIT_PAST), arrival + LIMIT_FUTURE)
        last = min(max(last, arrival - LIMIT_PAST), arrival + LIMIT_FUTURE)
    start[at] = first
    end[at] = last


@inlined
def _times(out_start: Any, out_end: Any, slab: Any, base: Any, stride: Any, offsets: Any, lengths: Any, slot_start: Any,
           slot_end: Any, kind_start: Any, kind_end: Any, export: Any, uptime: Any, init: Any, arrival: Any,
           counts: Any, keep: Any) -> None:  # fmt: skip
    """Write start and end of every record. init: ms since 1970 of the exporter's start, 0 unknown, -1 use uptime.

    keep: 1 where a record that says no time keeps the times that are there. Arguments that differ between calls are
    np.int64, not literals: numba compiles a function anew for each literal.
    """
    both_uptime = kind_start == TIME_UPTIME and kind_end == TIME_UPTIME
    for k in range(len(out_start)):
        at = base + k * stride
        start_before = out_start[k]
        end_before = out_end[k]
        first = _load(slab, at + offsets[slot_start], lengths[slot_start])
        last = _load(slab, at + offsets[slot_end], lengths[slot_end])
        up = uptime
        known = True
        if init >= 0 and TIME_UPTIME in (kind_start, kind_end):
            began = init
            if lengths[S_INIT] != 0:
                own = _load(slab, at + offsets[S_INIT], lengths[S_INIT])
                if own > 0:
                    began = own
            known = began > 0
            up = (export - began) & _M32
        if both_uptime and first == 0 and last == 0:
            out_start[k] = _NO_TIME
            out_end[k] = _NO_TIME
        elif known:
            out_start[k] = _milliseconds(kind_start, first, export, up)
            out_end[k] = _milliseconds(kind_end, last, export, up)
        elif both_uptime:
            # Nobody says when the exporter started: the duration is known, the end is taken as the export time.
            out_end[k] = export
            out_start[k] = export - min((last - first) & _M32, LIMIT_PAST)
        else:
            out_start[k] = _milliseconds(kind_start, first, export, up) if kind_start != TIME_UPTIME else _NO_TIME
            out_end[k] = _milliseconds(kind_end, last, export, up) if kind_end != TIME_UPTIME else _NO_TIME
        if keep != 0 and out_start[k] < 0 and out_end[k] < 0:
            out_start[k] = start_before
            out_end[k] = end_before
        _settle_times(out_start, out_end, k, arrival, counts)


@inlined
def _rates(out: Any, slab: Any, base: Any, stride: Any, offsets: Any, lengths: Any, rate: Any, samplers: Any,
           domain_row: Any, exporter: Any, counts: Any) -> None:  # fmt: skip
    """Write sampling rates: in the record itself, else by the record's sampler, else `rate`."""
    n = len(out)
    plain = lengths[S_RATE] == 0 and lengths[S_INTERVAL] == 0 and lengths[S_SAMPLER] == 0
    for k in range(n):
        found = np.int64(0)
        if not plain:
            at = base + k * stride
            if lengths[S_RATE] != 0:
                found = _load(slab, at + offsets[S_RATE], lengths[S_RATE])
            if found == 0 and lengths[S_INTERVAL] != 0:
                interval = _load(slab, at + offsets[S_INTERVAL], lengths[S_INTERVAL])
                space = _load(slab, at + offsets[S_SPACE], lengths[S_SPACE])
                if interval > 0 and 0 <= space < LIMIT_COUNTER:
                    found = (interval + space) // interval
            if found == 0 and lengths[S_SAMPLER] != 0:
                sampler = _load(slab, at + offsets[S_SAMPLER], lengths[S_SAMPLER]) & _M31
                slot = find_key(samplers, (domain_row << 31) | sampler)
                if samplers[slot, 0] == -1:
                    slot = find_key(samplers, ((exporter + (1 << 30)) << 31) | sampler)
                if samplers[slot, 0] != -1:
                    found = samplers[slot, 1]
            if found < 0 or found > LIMIT_RATE:
                counts[N_ABSURD_RATES] += 1
                found = np.int64(0)
        out[k] = found if found > 0 else rate


@inlined
def _check_counters(out: Any, counts: Any) -> None:
    """Zero what no flow can have carried."""
    for k in range(len(out)):
        if out[k] < 0 or out[k] > LIMIT_COUNTER:
            out[k] = 0
            counts[N_ABSURD_COUNTERS] += 1


@inlined
def _reverse(slab: Any, base: Any, stride: Any, n: Any, offsets: Any, lengths: Any, template: Any, export: Any,
             uptime: Any, init: Any, arrival: Any, counts: Any, at: Any, wide: Any, ids: Any, small: Any, words: Any,
             octets: Any) -> Any:  # fmt: skip
    """Append the other direction of bidirectional records (RFC 5103), unless it carried nothing; return how many."""
    written = 0
    for k in range(n):
        record = base + k * stride
        new = at + n + written
        old = at + k
        wide[W_OCTETS, new] = _load(slab, record + offsets[S_REVERSE_OCTETS], lengths[S_REVERSE_OCTETS])
        wide[W_PACKETS, new] = _load(slab, record + offsets[S_REVERSE_PACKETS], lengths[S_REVERSE_PACKETS])
        _check_counters(wide[W_OCTETS, new : new + 1], counts)
        _check_counters(wide[W_PACKETS, new : new + 1], counts)
        if wide[W_OCTETS, new] == 0 and wide[W_PACKETS, new] == 0:
            continue
        written += 1
        wide[W_START, new] = wide[W_START, old]
        wide[W_END, new] = wide[W_END, old]
        if template[T_REVERSE_START] != TIME_NONE or template[T_REVERSE_END] != TIME_NONE:
            _times(wide[W_START, new : new + 1], wide[W_END, new : new + 1], slab, record, stride, offsets, lengths,
                   np.int64(S_REVERSE_START), np.int64(S_REVERSE_END), template[T_REVERSE_START],
                   template[T_REVERSE_END], export, uptime, init, arrival, counts, np.int64(1))  # fmt: skip
        wide[W_SOURCE_HI, new] = wide[W_DESTINATION_HI, old]
        wide[W_SOURCE_LO, new] = wide[W_DESTINATION_LO, old]
        wide[W_DESTINATION_HI, new] = wide[W_SOURCE_HI, old]
        wide[W_DESTINATION_LO, new] = wide[W_SOURCE_LO, old]
        ids[I_INGRESS, new] = ids[I_EGRESS, old]
        ids[I_EGRESS, new] = ids[I_INGRESS, old]
        ids[I_DOMAIN, new] = ids[I_DOMAIN, old]
        small[M_RATE, new] = small[M_RATE, old]
        small[M_EXPORTER, new] = small[M_EXPORTER, old]
        words[P_SOURCE, new] = words[P_DESTINATION, old]
        words[P_DESTINATION, new] = words[P_SOURCE, old]
        words[P_VLAN, new] = words[P_VLAN, old]
        words[P_FLAGS, new] = _load(slab, record + offsets[S_REVERSE_FLAGS], lengths[S_REVERSE_FLAGS]) & 0xFFFF
        octets[B_PROTOCOL, new] = octets[B_PROTOCOL, old]
        octets[B_DIRECTION, new] = octets[B_DIRECTION, old]
        octets[B_CLASS, new] = octets[B_CLASS, old]
        if lengths[S_REVERSE_CLASS] != 0:
            octets[B_CLASS, new] = _load(slab, record + offsets[S_REVERSE_CLASS], lengths[S_REVERSE_CLASS]) & 0xFF
    counts[N_REVERSE] += written
    return written


@inlined
def _emit(slab: Any, base: Any, stride: Any, n: Any, offsets: Any, lengths: Any, template: Any, rate: Any,
          export: Any, uptime: Any, domain_row: Any, domain: Any, arrival: Any, samplers: Any, counts: Any, at: Any,
          wide: Any, ids: Any, small: Any, words: Any, octets: Any) -> Any:  # fmt: skip
    """Write n records of one layout, `stride` octets apart, to the output from row `at`; return the rows written."""
    to = at + n
    _gather_address(wide[W_SOURCE_HI, at:to], wide[W_SOURCE_LO, at:to], slab, base, stride, offsets[S_SOURCE4],
                    lengths[S_SOURCE4], offsets[S_SOURCE6], lengths[S_SOURCE6])  # fmt: skip
    _gather_address(wide[W_DESTINATION_HI, at:to], wide[W_DESTINATION_LO, at:to], slab, base, stride,
                    offsets[S_DESTINATION4], lengths[S_DESTINATION4], offsets[S_DESTINATION6],
                    lengths[S_DESTINATION6])  # fmt: skip
    _gather(wide[W_OCTETS, at:to], slab, base + offsets[S_OCTETS], stride, lengths[S_OCTETS], -1)
    _gather(wide[W_PACKETS, at:to], slab, base + offsets[S_PACKETS], stride, lengths[S_PACKETS], -1)
    _check_counters(wide[W_OCTETS, at:to], counts)
    _check_counters(wide[W_PACKETS, at:to], counts)
    _gather(words[P_SOURCE, at:to], slab, base + offsets[S_SOURCE_PORT], stride, lengths[S_SOURCE_PORT], 0xFFFF)
    _gather(words[P_DESTINATION, at:to], slab, base + offsets[S_DESTINATION_PORT], stride,
            lengths[S_DESTINATION_PORT], 0xFFFF)  # fmt: skip
    _gather(words[P_FLAGS, at:to], slab, base + offsets[S_FLAGS], stride, lengths[S_FLAGS], 0xFFFF)
    _gather(words[P_VLAN, at:to], slab, base + offsets[S_VLAN], stride, lengths[S_VLAN], 0xFFFF)
    _gather(octets[B_PROTOCOL, at:to], slab, base + offsets[S_PROTOCOL], stride, lengths[S_PROTOCOL], 0xFF)
    _gather(octets[B_CLASS, at:to], slab, base + offsets[S_CLASS], stride, lengths[S_CLASS], 0xFF)
    _gather(octets[B_DIRECTION, at:to], slab, base + offsets[S_DIRECTION], stride, lengths[S_DIRECTION], 0xFF)
    _gather(ids[I_INGRESS, at:to], slab, base + offsets[S_INGRESS], stride, lengths[S_INGRESS], _M32)
    _gather(ids[I_EGRESS, at:to], slab, base + offsets[S_EGRESS], stride, lengths[S_EGRESS], _M32)
    for k in range(at, to):
        ids[I_DOMAIN, k] = domain[D_ID]
        small[M_EXPORTER, k] = domain[D_EXPORTER]
    init = domain[D_INIT] if domain[D_VERSION] == 10 else np.int64(-1)
    _times(wide[W_START, at:to], wide[W_END, at:to], slab, base, stride, offsets, lengths, np.int64(S_START),
           np.int64(S_END), template[T_START], template[T_END], export, uptime, init, arrival, counts,
           np.int64(0))  # fmt: skip
    _rates(small[M_RATE, at:to], slab, base, stride, offsets, lengths, rate, samplers, domain_row,
           domain[D_EXPORTER], counts)  # fmt: skip
    counts[N_RECORDS] += n
    if template[T_REVERSE] == 0:
        return n
    return n + _reverse(slab, base, stride, n, offsets, lengths, template, export, uptime, init, arrival, counts, at,
                        wide, ids, small, words, octets)  # fmt: skip


@inlined
def _walk_variable(slab: Any, at: Any, end: Any, fields: Any, first: Any, count: Any, offsets: Any,
                   lengths: Any) -> Any:  # fmt: skip
    """Find the fields of a record with variable lengths (RFC 7011 section 7); return its length, -1 if it does not fit.

    offsets, lengths: int32[SLOTS] of the record, written. fields: int32[.., 2], rows (length, slot or -1).
    """
    for slot in range(SLOTS):
        lengths[slot] = 0
        offsets[slot] = 0
    here = at
    for k in range(first, first + count):
        length = np.int64(fields[k, 0])
        if length == VARIABLE:
            if here >= end:
                return -1
            length = np.int64(slab[here])
            here += 1
            if length == 255:
                if here + 2 > end:
                    return -1
                length = _be2(slab, here)
                here += 2
        if here + length > end:
            return -1
        slot = fields[k, 1]
        if slot >= 0:
            fits = length <= 8
            if slot in (S_SOURCE4, S_DESTINATION4):
                fits = length == 4
            elif slot in (S_SOURCE6, S_DESTINATION6):
                fits = length == 16
            if fits:
                offsets[slot] = here - at
                lengths[slot] = length
        here += length
    return here - at


@inlined
def _account(domain: Any, sequence: Any, records: Any, options: Any, countable: Any, arrival: Any) -> None:
    """Compare a datagram's sequence number with what was expected; learn what the exporter counts.

    Most write the number of records sent before this datagram, some after it; the one that explains more wins.
    Some leave options records out: that is accepted from all. options: how many of `records` they are.
    """
    domain[D_DATAGRAMS] += 1
    domain[D_LAST_SEEN] = arrival
    if domain[D_FIRST_SEEN] == 0:
        domain[D_FIRST_SEEN] = arrival
    if domain[D_VERSION] == 1:
        return
    units = np.int64(1) if domain[D_VERSION] == 9 else records
    known = countable or domain[D_VERSION] == 9
    if domain[D_PREVIOUS] >= 0:
        before = (sequence - domain[D_SEQUENCE] - domain[D_PREVIOUS]) & _M32
        after = (sequence - domain[D_SEQUENCE] - units) & _M32 if known else before
        if before != 0 and (before + domain[D_PREVIOUS_OPTIONS]) & _M32 == 0:
            before = np.int64(0)
        if after != 0 and (after + options) & _M32 == 0:
            after = np.int64(0)
        if before == 0 and after != 0:
            domain[D_ONLY_BEFORE] += 1
        elif after == 0 and before != 0:
            domain[D_ONLY_AFTER] += 1
        step = after if domain[D_ONLY_AFTER] > domain[D_ONLY_BEFORE] else before
        other = before if domain[D_ONLY_AFTER] > domain[D_ONLY_BEFORE] else after
        if other == 0 and domain[D_ONLY_AFTER] == domain[D_ONLY_BEFORE]:
            step = np.int64(0)
        if step > _M31:
            domain[D_BACKWARD] += 1
            if domain[D_BACKWARD] < LIMIT_BACKWARD and step > _M32 - LIMIT_GAP:
                # Late, not lost: what the gap before it counted is taken back, and the expectation stays.
                domain[D_REORDERED] += 1
                domain[D_LOST] = max(domain[D_LOST] - units, 0)
                return
            domain[D_RESTARTS] += 1
        elif step > LIMIT_GAP:
            domain[D_RESTARTS] += 1
        else:
            domain[D_LOST] += step
    domain[D_BACKWARD] = 0
    domain[D_SEQUENCE] = sequence
    domain[D_PREVIOUS] = units if known else -1
    domain[D_PREVIOUS_OPTIONS] = options if domain[D_VERSION] == 10 else 0


@kernel
def walk_datagrams(slab: Any, datagrams: Any, source_hi: Any, source_lo: Any, arrival: Any, cursor: Any, counts: Any,
                   domain_table: Any, domains: Any, template_table: Any, templates: Any, slot_offsets: Any,
                   slot_lengths: Any, fields: Any, samplers: Any, scratch: Any, wide: Any, ids: Any, small: Any,
                   words: Any, octets: Any) -> int:  # fmt: skip
    """Decode datagrams from the cursor on until something rare turns up; return why it ended.

    slab: uint8. datagrams: int64[n + 1], datagram i is slab[datagrams[i]:datagrams[i + 1]]. source_hi, source_lo:
    int64[n] (bits of the address halves). arrival: int64[n], ms. cursor: int64[CURSOR_SIZE], all zero at first but
    AT_POSITION = -1 ("before the header"); AT_REPLAY = 1 leaves out sequence numbers and datagram counts.
    domain_table, template_table, samplers: see find_domain, find_key. scratch: int32[2, SLOTS].
    wide, ids, small, words, octets: output, all with the same number of columns, written from AT_OUTPUT on.
    The caller guarantees ascending offsets inside the slab and table rows that exist.
    """
    count = len(datagrams) - 1
    room = wide.shape[1]
    while cursor[AT_DATAGRAM] < count:
        index = cursor[AT_DATAGRAM]
        begin = datagrams[index]
        end = datagrams[index + 1]
        size = end - begin
        row = 0
        legacy = 0
        if cursor[AT_POSITION] < 0:
            version = _be2(slab, begin) if size >= 4 else np.int64(-1)
            header = 0
            if version == 9:
                header = 20
            elif version in (10, 1):
                header = 16
            elif version in (5, 7):
                header = 24
            bad = -1
            if size < 4:
                bad = N_SHORT
            elif header == 0:
                bad = N_SFLOW if _be4(slab, begin) == 5 else N_UNKNOWN_VERSION
            elif size < header:
                bad = N_SHORT
            else:
                cursor[AT_SEQUENCE] = 0
                cursor[AT_DOMAIN_ID] = 0
                if version == 10:
                    cursor[AT_UPTIME] = 0
                    cursor[AT_EXPORT] = _be4(slab, begin + 4) * 1000
                    cursor[AT_SEQUENCE] = _be4(slab, begin + 8)
                    cursor[AT_DOMAIN_ID] = _be4(slab, begin + 12)
                elif version == 9:
                    cursor[AT_UPTIME] = _be4(slab, begin + 4)
                    cursor[AT_EXPORT] = _be4(slab, begin + 8) * 1000
                    cursor[AT_SEQUENCE] = _be4(slab, begin + 12)
                    cursor[AT_DOMAIN_ID] = _be4(slab, begin + 16)
                else:
                    cursor[AT_UPTIME] = _be4(slab, begin + 4)
                    cursor[AT_EXPORT] = _be4(slab, begin + 8) * 1000 + _be4(slab, begin + 12) // 1_000_000
                    if version != 1:
                        cursor[AT_SEQUENCE] = _be4(slab, begin + 16)
                    if version == 5:
                        cursor[AT_DOMAIN_ID] = _be2(slab, begin + 20)
                    legacy = _be2(slab, begin + 2)
                    row = ROW_V5 if version == 5 else ROW_V7 if version == 7 else ROW_V1
                    if version == 1 and header + legacy * 52 > size:
                        row = ROW_V1_SHORT
                    if legacy == 0 or header + legacy * templates[row, T_LENGTH] > size:
                        bad = N_TRUNCATED
            if bad >= 0:
                counts[bad] += 1
                counts[N_DATAGRAMS] += 1
                counts[N_OCTETS] += size
                cursor[AT_DATAGRAM] = index + 1
                continue
            cursor[AT_VERSION] = version
            place = find_domain(domain_table, source_hi[index], source_lo[index],
                                (version << 32) | cursor[AT_DOMAIN_ID])  # fmt: skip
            if domain_table[place, 2] == -1:
                return NEW_DOMAIN
            cursor[AT_DOMAIN] = domain_table[place, 3]
            cursor[AT_RECORDS] = 0
            cursor[AT_OPTIONS] = 0
            cursor[AT_COUNTABLE] = 1
            if legacy > 0:
                at = cursor[AT_OUTPUT]
                if at + legacy > room:
                    return FULL
                domain_row = cursor[AT_DOMAIN]
                rate = _be2(slab, begin + 22) & 0x3FFF if version == 5 else np.int64(0)
                if rate == 0:
                    rate = domains[domain_row, D_RATE]
                _emit(slab, begin + header, templates[row, T_LENGTH], legacy, slot_offsets[row], slot_lengths[row],
                      templates[row], rate, cursor[AT_EXPORT], cursor[AT_UPTIME], domain_row, domains[domain_row],
                      arrival[index], samplers, counts, at, wide, ids, small, words, octets)  # fmt: skip
                domains[domain_row, D_RECORDS] += legacy
                cursor[AT_OUTPUT] = at + legacy
                cursor[AT_RECORDS] = legacy
                cursor[AT_POSITION] = end
            else:
                cursor[AT_POSITION] = begin + header
        domain_row = cursor[AT_DOMAIN]
        while cursor[AT_POSITION] + 4 <= end:
            position = cursor[AT_POSITION]
            set_id = _be2(slab, position)
            length = _be2(slab, position + 2)
            if length < 4 or position + length > end:
                padding = set_id == 0 and length == 0
                for k in range(position, end):
                    padding = padding and slab[k] == 0
                if not padding:
                    counts[N_BAD_SETS] += 1
                    cursor[AT_COUNTABLE] = 0
                cursor[AT_POSITION] = end
                break
            stop = position + length
            cursor[AT_SET_END] = stop
            if set_id < 256:
                base_id = 0 if cursor[AT_VERSION] == 9 else 2
                if set_id in (base_id, base_id + 1):
                    return RARE_SET
                counts[N_RESERVED_SETS] += 1
                cursor[AT_POSITION] = stop
                continue
            slot = find_key(template_table, (domain_row << 16) | set_id)
            row = template_table[slot, 1] if template_table[slot, 0] != -1 else -1
            if row < 0 or templates[row, T_KIND] == KIND_STOP:
                return RARE_SET
            kind = templates[row, T_KIND]
            minimum = templates[row, T_LENGTH]
            here = position + 4
            if minimum == 0:
                counts[N_EMPTY_RECORDS] += 1
                cursor[AT_POSITION] = stop
                continue
            n = (stop - here) // minimum
            at = cursor[AT_OUTPUT]
            if kind == KIND_FLOW and at + n * (1 + templates[row, T_REVERSE]) > room:
                return FULL
            if templates[row, T_VARIABLE] == 0:
                if kind == KIND_FLOW:
                    at += _emit(slab, here, minimum, n, slot_offsets[row], slot_lengths[row], templates[row],
                                templates[row, T_RATE], cursor[AT_EXPORT], cursor[AT_UPTIME], domain_row,
                                domains[domain_row], arrival[index], samplers, counts, at, wide, ids, small, words,
                                octets)  # fmt: skip
            else:
                n = 0
                while stop - here >= minimum:
                    used = _walk_variable(slab, here, stop, fields, templates[row, T_FIELD_AT],
                                          templates[row, T_FIELD_COUNT], scratch[0], scratch[1])  # fmt: skip
                    if used < 0:
                        counts[N_BAD_SETS] += 1
                        cursor[AT_COUNTABLE] = 0
                        break
                    if kind == KIND_FLOW:
                        at += _emit(slab, here, used, np.int64(1), scratch[0], scratch[1], templates[row],
                                    templates[row, T_RATE], cursor[AT_EXPORT], cursor[AT_UPTIME], domain_row,
                                    domains[domain_row], arrival[index], samplers, counts, at, wide, ids, small,
                                    words, octets)  # fmt: skip
                    here += used
                    n += 1
            if kind == KIND_SKIP_DATA:
                counts[N_SKIPPED_RECORDS] += n
            elif kind == KIND_SKIP_OPTIONS:
                counts[N_OPTIONS_RECORDS] += n
                cursor[AT_OPTIONS] += n
            else:
                domains[domain_row, D_RECORDS] += n
            cursor[AT_OUTPUT] = at
            cursor[AT_RECORDS] += n
            cursor[AT_POSITION] = stop
        if cursor[AT_REPLAY] == 0:
            counts[N_DATAGRAMS] += 1
            counts[N_OCTETS] += size
            _account(domains[domain_row], cursor[AT_SEQUENCE], cursor[AT_RECORDS], cursor[AT_OPTIONS],
                     cursor[AT_COUNTABLE] == 1, arrival[index])  # fmt: skip
        cursor[AT_DATAGRAM] = index + 1
        cursor[AT_POSITION] = -1
    return DONE
