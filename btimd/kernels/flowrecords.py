"""Flow records out of NetFlow and IPFIX datagrams: one call walks many datagrams and writes columns.

The kernel does what is frequent. Whatever is rare (a template, an unknown exporter, options that matter, a full
output) ends the call with a status, and the cursor says where; the caller deals with it and calls again.

All tables are integer arrays that the caller builds (capture/wire/tables.py); flowlayout says what their rows hold.
Everything that is added or subtracted is int64. Nothing outside its set is read: a record lies inside its set, and the
fields of a layout lie inside the record, by construction where lengths are fixed, else because the walk checked them.
"""

from typing import Any, Final

import numpy as np

from btimd.kernels import flowlayout as fl
from btimd.kernels._jit import inlined, kernel
from btimd.kernels.flowcolumns import check_counters, gather, gather_address, write_rates
from btimd.kernels.flowextras import count_events, write_extras, write_icmp
from btimd.kernels.flowpackets import read_packets
from btimd.kernels.flowreverse import write_reverse
from btimd.kernels.flowtimes import write_times
from btimd.kernels.keytable import find_domain, find_key
from btimd.kernels.octets import be2, be4
from btimd.kernels.sequence import account

_ONE_SET: Final = 1 << 32  # AT_OPTIONS: options records, and from this bit on the sets of the datagram
_LONG_COUNTER_OCTETS: Final = 7  # shorter ones cannot be absurd

# The slots of the lines of `words`, `octets` and `ids` that are gathered.
_WORDS: Final = np.array([fl.S_SOURCE_PORT, fl.S_DESTINATION_PORT, fl.S_FLAGS, fl.S_VLAN], np.int64)
_OCTETS: Final = np.array([fl.S_PROTOCOL, fl.S_CLASS, fl.S_DIRECTION], np.int64)
_IDS: Final = np.array([fl.S_INGRESS, fl.S_EGRESS], np.int64)


@inlined
def _emit(slab: Any, starts: Any, n: Any, layout: Any, template: Any, rate: Any, base_quality: Any, export: Any,
          uptime: Any, domains: Any, domain_row: Any, arrival: Any, samplers: Any, headers: Any, counts: Any, at: Any,
          wide: Any, ids: Any, small: Any, words: Any, octets: Any, extra: Any) -> Any:  # fmt: skip
    """Write the n records that begin at starts[0] to the output from row `at`; return the rows written."""
    first = np.uint64(at)
    domain = domains[domain_row, fl.D_ID]
    exporter = domains[domain_row, fl.D_EXPORTER]
    quality = base_quality | template[fl.T_QUALITY]
    for k in range(n):
        ids[np.uint64(fl.I_DOMAIN), first + np.uint64(k)] = domain
    for k in range(n):
        small[np.uint64(fl.M_EXPORTER), first + np.uint64(k)] = exporter
    for k in range(n):
        words[np.uint64(fl.P_QUALITY), first + np.uint64(k)] = quality
    for side in range(2):
        gather_address(wide, np.int64(fl.W_SOURCE_HI) + 2 * side, at, slab, starts, n, layout,
                       np.int64(fl.S_SOURCE4) + 2 * side)  # fmt: skip
    for line in range(2):
        gather(wide, np.int64(fl.W_OCTETS) + line, at, slab, starts, n, layout, np.int64(fl.S_OCTETS) + line,
               np.int64(-1))  # fmt: skip
    for line in range(len(_WORDS)):
        gather(words, np.int64(line), at, slab, starts, n, layout, _WORDS[line], np.int64(0xFFFF))
    for line in range(len(_OCTETS)):
        gather(octets, np.int64(line), at, slab, starts, n, layout, _OCTETS[line], np.int64(0xFF))
    for line in range(len(_IDS)):
        gather(ids, np.int64(line), at, slab, starts, n, layout, _IDS[line], np.int64(fl.M32))
    init = domains[domain_row, fl.D_INIT] if domains[domain_row, fl.D_VERSION] == 10 else np.int64(-1)
    source = domains[domain_row, fl.D_TIME_SOURCE]
    write_times(wide, words, at, slab, starts, n, layout, template[fl.T_START], template[fl.T_END], source, export,
                uptime, init, arrival, counts)  # fmt: skip
    write_rates(small, words, at, slab, starts, n, layout, rate, samplers, domain_row, exporter, counts)
    if extra.shape[1] != 0:
        write_extras(extra, words, at, slab, starts, n, layout)
        if template[fl.T_PACKET] != 0:
            read_packets(slab, starts, n, layout, template[fl.T_PACKET], headers, at, wide, words, octets, extra)
        if template[fl.T_EVENTS] != 0:
            count_events(wide, words, extra, at, n, domains, domain_row, template[fl.T_EVENTS] == 1)
    for line in range(2):
        if layout[1, fl.S_OCTETS + line] >= _LONG_COUNTER_OCTETS:
            check_counters(wide, np.int64(fl.W_OCTETS) + line, at, n, words, counts)
    if template[fl.T_ICMP] != 0:
        write_icmp(words, octets, at, slab, starts, n, layout)
    counts[fl.N_RECORDS] += n
    if template[fl.T_REVERSE] == 0:
        return n
    return n + write_reverse(slab, starts, n, layout, template, source, export, uptime, init, arrival, counts, at,
                             wide, ids, small, words, octets, extra)  # fmt: skip


@inlined
def _fits(slot: Any, length: Any) -> Any:
    """Tell whether a field of variable length is one that its slot can hold."""
    if slot == fl.S_FRAME:
        return True
    if slot in (fl.S_SOURCE4, fl.S_DESTINATION4, fl.S_POST_SOURCE4, fl.S_POST_DESTINATION4):
        return length == 4
    if slot in (fl.S_SOURCE6, fl.S_DESTINATION6, fl.S_POST_SOURCE6, fl.S_POST_DESTINATION6):
        return length == 16
    if slot == fl.S_EXTRA + fl.X_MPLS_LABEL:
        return length == 3
    return length <= 8


@inlined
def _walk_variable(slab: Any, record: Any, end: Any, fields: Any, first: Any, count: Any, starts: Any, k: Any,
                   layout: Any) -> Any:  # fmt: skip
    """Find the segments of a record with variable lengths (RFC 7011 section 7); return its end, -1 if it does not fit.

    Writes starts[:, k], and to layout[1] the lengths of the variable fields that are used.
    """
    starts[0, k] = record
    here = record
    for row in range(first, first + count):
        length = np.int64(fields[row, 0])
        code = np.int64(fields[row, 1])
        if length == fl.VARIABLE:
            if here >= end:
                return np.int64(-1)
            length = np.int64(slab[here])
            here += 1
            if length == 255:
                if here + 2 > end:
                    return np.int64(-1)
                length = be2(slab, here)
                here += 2
        if here + length > end:
            return np.int64(-1)
        if code & 0xFF != 0:
            slot = (code & 0xFF) - 1
            starts[(code >> 8) & 0xFF, k] = here
            layout[1, slot] = length if _fits(slot, length) else 0
        here += length
        if code >> 16 != 0:
            starts[code >> 16, k] = here
    return here


@kernel
def walk_datagrams(slab: Any, datagrams: Any, source_hi: Any, source_lo: Any, source_port: Any, arrival: Any,
                   cursor: Any, counts: Any, domain_table: Any, domains: Any, sequences: Any, template_table: Any,
                   templates: Any, slot_offsets: Any, slot_lengths: Any, fields: Any, samplers: Any, layout: Any,
                   starts: Any, wide: Any, ids: Any, small: Any, words: Any, octets: Any,
                   extra: Any) -> Any:  # fmt: skip
    """Decode datagrams from the cursor on until something rare turns up; return why it ended.

    slab: uint8. datagrams: int64[n + 1], datagram i is slab[datagrams[i]:datagrams[i + 1]]. source_hi, source_lo:
    int64[n] (bits of the address halves). arrival: int64[n], ms. cursor: int64[CURSOR_SIZE], all zero at first but
    AT_POSITION = -1 ("before the header"); AT_REPLAY = 1 leaves out sequence numbers and datagram counts.
    domain_table, template_table, samplers: see find_domain, find_key. For the kernel's use: layout, int32[2, SLOTS],
    and starts, int64[SEGMENTS + 1, RUN]. wide, ids, small, words, octets: output, all with the same number of columns,
    written from AT_OUTPUT on; extra: as many columns, zero from AT_OUTPUT on, or none.
    The caller guarantees ascending offsets inside the slab and table rows that exist.
    """
    count = len(datagrams) - 1
    room = wide.shape[1]
    headers = starts[fl.SEGMENTS]
    copied = np.int64(-1)  # whose row is in `layout`
    status = np.int64(fl.DONE)
    position = cursor[fl.AT_POSITION]
    at = cursor[fl.AT_OUTPUT]
    version = cursor[fl.AT_VERSION]
    domain_row = cursor[fl.AT_DOMAIN]
    export = cursor[fl.AT_EXPORT]
    uptime = cursor[fl.AT_UPTIME]
    sequence = cursor[fl.AT_SEQUENCE]
    records = cursor[fl.AT_RECORDS]
    options = cursor[fl.AT_OPTIONS]
    countable = cursor[fl.AT_COUNTABLE]
    index = cursor[fl.AT_DATAGRAM]
    while index < count:
        begin = datagrams[index]
        end = datagrams[index + 1]
        size = end - begin
        row = np.int64(-1)
        legacy = np.int64(0)
        header = np.int64(0)
        if position < 0:
            version = be2(slab, begin) if size >= 4 else np.int64(-1)
            if version == 9:
                header = np.int64(20)
            elif version == 10 or version == 1:  # noqa: PLR1714  a tuple costs a search
                header = np.int64(16)
            elif version == 5 or version == 7:  # noqa: PLR1714
                header = np.int64(24)
            bad = np.int64(-1)
            domain_id = np.int64(0)
            sequence = np.int64(0)
            uptime = np.int64(0)
            if size < 4:
                bad = np.int64(fl.N_SHORT)
            elif header == 0:
                if be4(slab, begin) == 5:
                    status = np.int64(fl.SFLOW)
                    break
                bad = np.int64(fl.N_UNKNOWN_VERSION)
            elif size < header:
                bad = np.int64(fl.N_SHORT)
            elif version == 10:
                export = be4(slab, begin + 4) * 1000
                sequence = be4(slab, begin + 8)
                domain_id = be4(slab, begin + 12)
            elif version == 9:
                uptime = be4(slab, begin + 4)
                export = be4(slab, begin + 8) * 1000
                sequence = be4(slab, begin + 12)
                domain_id = be4(slab, begin + 16)
            else:
                uptime = be4(slab, begin + 4)
                export = be4(slab, begin + 8) * 1000 + be4(slab, begin + 12) // 1_000_000
                if version != 1:
                    sequence = be4(slab, begin + 16)
                if version == 5:
                    domain_id = be2(slab, begin + 20)
                legacy = be2(slab, begin + 2)
                row = np.int64(fl.ROW_V5 if version == 5 else fl.ROW_V7 if version == 7 else fl.ROW_V1)
                if version == 1 and header + legacy * 52 > size:
                    row = np.int64(fl.ROW_V1_SHORT)
                if legacy == 0 or header + legacy * templates[row, fl.T_LENGTH] > size:
                    bad = np.int64(fl.N_TRUNCATED)
            if bad >= 0:
                counts[bad] += 1
                counts[fl.N_DATAGRAMS] += 1
                counts[fl.N_OCTETS] += size
                index += 1
                continue
            cursor[fl.AT_DOMAIN_ID] = domain_id
            key: Any = (version << 32) | domain_id
            by_port: Any = key | (np.int64(source_port[index]) << fl.KEY_PORT_SHIFT)
            if cursor[fl.AT_STREAM] == 1:
                key = by_port | fl.KEY_STREAM
            place = find_domain(domain_table, source_hi[index], source_lo[index], key)
            if domain_table[place, 2] != -1 and domains[domain_table[place, 3], fl.D_STRICT] == 1:
                place = find_domain(domain_table, source_hi[index], source_lo[index], by_port | fl.KEY_STRICT)
            if domain_table[place, 2] == -1:
                status = np.int64(fl.NEW_DOMAIN)
                break
            domain_row = domain_table[place, 3]
            records = np.int64(0)
            options = np.int64(0)
            countable = np.int64(1)
            if legacy == 0:
                position = begin + header
        while legacy > 0 or position + 4 <= end:
            if legacy > 0:
                here = begin + header
                stop = end
                n = legacy
                if at + n > room:
                    status = np.int64(fl.FULL)
                    break
            else:
                set_id = be2(slab, position)
                length = be2(slab, position + 2)
                if length < 4 or position + length > end:
                    padding = set_id == 0 and length == 0
                    for k in range(position, end):
                        padding = padding and slab[k] == 0
                    if not padding:
                        counts[fl.N_BAD_SETS] += 1
                        countable = np.int64(0)
                    position = end
                    break
                stop = position + length
                if set_id < 256:
                    base_id = 0 if version == 9 else 2
                    if set_id == base_id or set_id == base_id + 1:
                        status = np.int64(fl.RARE_SET)
                        cursor[fl.AT_SET_END] = stop
                        options += _ONE_SET
                        break
                    counts[fl.N_RESERVED_SETS] += 1
                    options += _ONE_SET
                    position = stop
                    continue
                slot = find_key(template_table, (domain_row << 16) | set_id)
                row = template_table[slot, 1] if template_table[slot, 0] != -1 else np.int64(-1)
                if row < 0 or templates[row, fl.T_KIND] == fl.KIND_STOP:
                    status = np.int64(fl.RARE_SET)
                    cursor[fl.AT_SET_END] = stop
                    options += _ONE_SET
                    break
                here = position + 4
                if templates[row, fl.T_LENGTH] == 0:
                    counts[fl.N_EMPTY_RECORDS] += 1
                    options += _ONE_SET
                    position = stop
                    continue
                n = (stop - here) // templates[row, fl.T_LENGTH]
                if templates[row, fl.T_UNCONFIRMED] == 1:
                    fits = templates[row, fl.T_VARIABLE] == 0
                    for k in range(here + n * templates[row, fl.T_LENGTH], stop):
                        fits = fits and slab[k] == 0
                    if not fits:
                        status = np.int64(fl.RARE_SET)
                        cursor[fl.AT_SET_END] = stop
                        break
                templates[row, fl.T_USED] = arrival[index]
            kind = templates[row, fl.T_KIND]
            minimum = templates[row, fl.T_LENGTH]
            variable = templates[row, fl.T_VARIABLE]
            rate = templates[row, fl.T_RATE]
            quality = domains[domain_row, fl.D_QUALITY]
            if legacy > 0:
                rate = be2(slab, begin + 22) & 0x3FFF if version == 5 else np.int64(0)
                if rate != 0:
                    domains[domain_row, fl.D_HEADER_RATE] = rate
                    quality &= ~fl.Q_RATE_ASSUMED
                if rate == 0 or domains[domain_row, fl.D_FORCED_RATE] != 0:
                    rate = domains[domain_row, fl.D_RATE]
            elif kind == fl.KIND_FLOW:
                if at + n * (1 + templates[row, fl.T_REVERSE]) > room:
                    status = np.int64(fl.FULL)
                    break
                if templates[row, fl.T_EXTRA] != 0 and extra.shape[1] == 0:
                    status = np.int64(fl.NEED_EXTRA)
                    break
            if row != copied:
                for slot in range(fl.SLOTS):
                    layout[0, slot] = slot_offsets[row, slot]
                    layout[1, slot] = slot_lengths[row, slot]
                copied = row
            done = np.int64(0)
            if variable == 0 and kind != fl.KIND_FLOW:
                done = n
            run = fl.RUN if variable < 2 else 1  # the length of a used field is kept for one record only
            more = variable != 0 or done < n
            while more:
                m = np.int64(0)
                if variable == 0:
                    m = min(n - done, np.int64(fl.RUN))
                    for k in range(m):
                        starts[0, k] = here + k * minimum
                    here += m * minimum
                    more = done + m < n
                else:
                    more = done < n and stop - here >= minimum
                    while more and m < run:
                        after = _walk_variable(slab, here, stop, fields, templates[row, fl.T_FIELD_AT],
                                               templates[row, fl.T_FIELD_COUNT], starts, m, layout)  # fmt: skip
                        if after < 0:
                            counts[fl.N_BAD_SETS] += 1
                            countable = np.int64(0)
                            more = False
                        else:
                            here = after
                            m += 1
                            more = done + m < n and stop - here >= minimum
                if kind == fl.KIND_FLOW:
                    at += _emit(slab, starts, m, layout, templates[row], rate, quality, export, uptime, domains,
                                domain_row, arrival[index], samplers, headers, counts, at, wide, ids, small, words,
                                octets, extra)  # fmt: skip
                done += m
            if variable != 0 and done == n and stop - here >= minimum:
                counts[fl.N_BAD_SETS] += 1  # shorter than the shortest: more of them than there is room for
            if kind == fl.KIND_SKIP_DATA:
                counts[fl.N_SKIPPED_RECORDS] += done
            elif kind == fl.KIND_SKIP_OPTIONS:
                counts[fl.N_OPTIONS_RECORDS] += done
                options += done
            else:
                domains[domain_row, fl.D_RECORDS] += done
            records += done
            options += _ONE_SET
            legacy = np.int64(0)
            position = stop
        if status != fl.DONE:
            break
        if cursor[fl.AT_REPLAY] == 0:
            counts[fl.N_DATAGRAMS] += 1
            counts[fl.N_OCTETS] += size
            account(sequences[domain_row], version, sequence, records, options, countable == 1, export,
                    arrival[index], np.int64(source_port[index]))  # fmt: skip
        index += 1
        position = np.int64(-1)
    cursor[fl.AT_DATAGRAM] = index
    cursor[fl.AT_POSITION] = position
    cursor[fl.AT_OUTPUT] = at
    cursor[fl.AT_VERSION] = version
    cursor[fl.AT_DOMAIN] = domain_row
    cursor[fl.AT_EXPORT] = export
    cursor[fl.AT_UPTIME] = uptime
    cursor[fl.AT_SEQUENCE] = sequence
    cursor[fl.AT_RECORDS] = records
    cursor[fl.AT_OPTIONS] = options
    cursor[fl.AT_COUNTABLE] = countable
    return status
