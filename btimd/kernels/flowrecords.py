"""Flow records out of NetFlow and IPFIX datagrams: one call walks many datagrams and writes columns.

The kernel does what is frequent. Whatever is rare (a template, an unknown exporter, options that matter, a full
output) ends the call with a status, and the cursor says where; the caller deals with it and calls again.

All tables are integer arrays that the caller builds (capture/wire/tables.py). Their rows are described by the
constants below. Everything that is added or subtracted is int64.
"""

from typing import Any, Final

import numpy as np

from btimd.kernels._jit import inlined, kernel
from btimd.kernels.flowlayout import (
    AT_COUNTABLE,
    AT_DATAGRAM,
    AT_DOMAIN,
    AT_DOMAIN_ID,
    AT_EXPORT,
    AT_OPTIONS,
    AT_OUTPUT,
    AT_POSITION,
    AT_RECORDS,
    AT_REPLAY,
    AT_SEQUENCE,
    AT_SET_END,
    AT_UPTIME,
    AT_VERSION,
    B_CLASS,
    B_DIRECTION,
    B_PROTOCOL,
    D_EXPORTER,
    D_ID,
    D_INIT,
    D_RATE,
    D_RECORDS,
    D_VERSION,
    DONE,
    FULL,
    I_DOMAIN,
    I_EGRESS,
    I_INGRESS,
    KIND_FLOW,
    KIND_SKIP_DATA,
    KIND_SKIP_OPTIONS,
    KIND_STOP,
    LIMIT_COUNTER,
    LIMIT_RATE,
    M31,
    M32,
    M_EXPORTER,
    M_RATE,
    N_ABSURD_COUNTERS,
    N_ABSURD_RATES,
    N_BAD_SETS,
    N_DATAGRAMS,
    N_EMPTY_RECORDS,
    N_OCTETS,
    N_OPTIONS_RECORDS,
    N_RECORDS,
    N_RESERVED_SETS,
    N_REVERSE,
    N_SFLOW,
    N_SHORT,
    N_SKIPPED_RECORDS,
    N_TRUNCATED,
    N_UNKNOWN_VERSION,
    NEW_DOMAIN,
    P_DESTINATION,
    P_FLAGS,
    P_QUALITY,
    P_SOURCE,
    P_VLAN,
    RARE_SET,
    ROW_V1,
    ROW_V1_SHORT,
    ROW_V5,
    ROW_V7,
    S_CLASS,
    S_DESTINATION4,
    S_DESTINATION6,
    S_DESTINATION_PORT,
    S_DIRECTION,
    S_EGRESS,
    S_END,
    S_FLAGS,
    S_INGRESS,
    S_INTERVAL,
    S_OCTETS,
    S_PACKETS,
    S_PROTOCOL,
    S_RATE,
    S_REVERSE_CLASS,
    S_REVERSE_END,
    S_REVERSE_FLAGS,
    S_REVERSE_OCTETS,
    S_REVERSE_PACKETS,
    S_REVERSE_START,
    S_SAMPLER,
    S_SOURCE4,
    S_SOURCE6,
    S_SOURCE_PORT,
    S_SPACE,
    S_START,
    S_VLAN,
    SLOTS,
    T_END,
    T_FIELD_AT,
    T_FIELD_COUNT,
    T_KIND,
    T_LENGTH,
    T_RATE,
    T_REVERSE,
    T_REVERSE_END,
    T_REVERSE_START,
    T_START,
    T_VARIABLE,
    TIME_NONE,
    VARIABLE,
    W_DESTINATION_HI,
    W_DESTINATION_LO,
    W_END,
    W_OCTETS,
    W_PACKETS,
    W_SOURCE_HI,
    W_SOURCE_LO,
    W_START,
)  # fmt: skip
from btimd.kernels.flowtimes import write_times
from btimd.kernels.keytable import find_domain, find_key
from btimd.kernels.octets import be2, be4, be8, load
from btimd.kernels.sequence import account

_MAPPED: Final = 0xFFFF_0000_0000


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
            out[k] = be2(slab, start + k * stride) & mask
    elif length == 4:
        for k in range(n):
            out[k] = be4(slab, start + k * stride) & mask
    else:
        for k in range(n):
            out[k] = load(slab, start + k * stride, length) & mask


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
            high = be8(slab, at + offset6)
            low = be8(slab, at + offset6 + 8)
        if length4 != 0 and high == 0 and low == 0:
            low = be4(slab, at + offset4) | _MAPPED
        hi[k] = high
        lo[k] = low


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
                found = load(slab, at + offsets[S_RATE], lengths[S_RATE])
            if found == 0 and lengths[S_INTERVAL] != 0:
                interval = load(slab, at + offsets[S_INTERVAL], lengths[S_INTERVAL])
                space = load(slab, at + offsets[S_SPACE], lengths[S_SPACE])
                if interval > 0 and 0 <= space < LIMIT_COUNTER:
                    found = (interval + space) // interval
            if found == 0 and lengths[S_SAMPLER] != 0:
                sampler = load(slab, at + offsets[S_SAMPLER], lengths[S_SAMPLER]) & M31
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
        wide[W_OCTETS, new] = load(slab, record + offsets[S_REVERSE_OCTETS], lengths[S_REVERSE_OCTETS])
        wide[W_PACKETS, new] = load(slab, record + offsets[S_REVERSE_PACKETS], lengths[S_REVERSE_PACKETS])
        _check_counters(wide[W_OCTETS, new : new + 1], counts)
        _check_counters(wide[W_PACKETS, new : new + 1], counts)
        if wide[W_OCTETS, new] == 0 and wide[W_PACKETS, new] == 0:
            continue
        written += 1
        wide[W_START, new] = wide[W_START, old]
        wide[W_END, new] = wide[W_END, old]
        if template[T_REVERSE_START] != TIME_NONE or template[T_REVERSE_END] != TIME_NONE:
            write_times(wide[W_START, new : new + 1], wide[W_END, new : new + 1], slab, record, stride, offsets,
                   lengths, np.int64(S_REVERSE_START), np.int64(S_REVERSE_END), template[T_REVERSE_START],
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
        words[P_QUALITY, new] = words[P_QUALITY, old]
        words[P_FLAGS, new] = load(slab, record + offsets[S_REVERSE_FLAGS], lengths[S_REVERSE_FLAGS]) & 0xFFFF
        octets[B_PROTOCOL, new] = octets[B_PROTOCOL, old]
        octets[B_DIRECTION, new] = octets[B_DIRECTION, old]
        octets[B_CLASS, new] = octets[B_CLASS, old]
        if lengths[S_REVERSE_CLASS] != 0:
            octets[B_CLASS, new] = load(slab, record + offsets[S_REVERSE_CLASS], lengths[S_REVERSE_CLASS]) & 0xFF
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
    _gather(ids[I_INGRESS, at:to], slab, base + offsets[S_INGRESS], stride, lengths[S_INGRESS], M32)
    _gather(ids[I_EGRESS, at:to], slab, base + offsets[S_EGRESS], stride, lengths[S_EGRESS], M32)
    for k in range(at, to):
        ids[I_DOMAIN, k] = domain[D_ID]
        small[M_EXPORTER, k] = domain[D_EXPORTER]
        words[P_QUALITY, k] = 0
    init = domain[D_INIT] if domain[D_VERSION] == 10 else np.int64(-1)
    write_times(wide[W_START, at:to], wide[W_END, at:to], slab, base, stride, offsets, lengths, np.int64(S_START),
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
                length = be2(slab, here)
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


@kernel
def walk_datagrams(slab: Any, datagrams: Any, source_hi: Any, source_lo: Any, source_port: Any, arrival: Any,
                   cursor: Any, counts: Any, domain_table: Any, domains: Any, sequences: Any, template_table: Any,
                   templates: Any, slot_offsets: Any, slot_lengths: Any, fields: Any, samplers: Any, scratch: Any,
                   wide: Any, ids: Any, small: Any, words: Any, octets: Any, extra: Any) -> int:  # noqa: ARG001  # fmt: skip
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
            version = be2(slab, begin) if size >= 4 else np.int64(-1)
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
                bad = N_SFLOW if be4(slab, begin) == 5 else N_UNKNOWN_VERSION
            elif size < header:
                bad = N_SHORT
            else:
                cursor[AT_SEQUENCE] = 0
                cursor[AT_DOMAIN_ID] = 0
                if version == 10:
                    cursor[AT_UPTIME] = 0
                    cursor[AT_EXPORT] = be4(slab, begin + 4) * 1000
                    cursor[AT_SEQUENCE] = be4(slab, begin + 8)
                    cursor[AT_DOMAIN_ID] = be4(slab, begin + 12)
                elif version == 9:
                    cursor[AT_UPTIME] = be4(slab, begin + 4)
                    cursor[AT_EXPORT] = be4(slab, begin + 8) * 1000
                    cursor[AT_SEQUENCE] = be4(slab, begin + 12)
                    cursor[AT_DOMAIN_ID] = be4(slab, begin + 16)
                else:
                    cursor[AT_UPTIME] = be4(slab, begin + 4)
                    cursor[AT_EXPORT] = be4(slab, begin + 8) * 1000 + be4(slab, begin + 12) // 1_000_000
                    if version != 1:
                        cursor[AT_SEQUENCE] = be4(slab, begin + 16)
                    if version == 5:
                        cursor[AT_DOMAIN_ID] = be2(slab, begin + 20)
                    legacy = be2(slab, begin + 2)
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
                rate = be2(slab, begin + 22) & 0x3FFF if version == 5 else np.int64(0)
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
            set_id = be2(slab, position)
            length = be2(slab, position + 2)
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
            account(sequences[domain_row], cursor[AT_VERSION], cursor[AT_SEQUENCE], cursor[AT_RECORDS],
                    cursor[AT_OPTIONS], cursor[AT_COUNTABLE] == 1, cursor[AT_EXPORT], arrival[index],
                    np.int64(source_port[index]))  # fmt: skip
        cursor[AT_DATAGRAM] = index + 1
        cursor[AT_POSITION] = -1
    return DONE
