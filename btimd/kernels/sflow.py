"""Flow records out of sFlow v5 datagrams: the packets a switch sampled, one record each.

 datagram   version 5, address type, agent 0, 4 or 16, sub-agent, sequence, uptime, samples | samples
 sample     enterprise << 12 | format, octets | body
 flow       sequence, source, rate, pool, drops, input, output, records | records                      (format 1)
 expanded   sequence, source type, index, rate, pool, drops, input format, value, output format, value, records    (3)
 discarded  sequence, source type, index, drops, input, output, reason, records | records                          (5)
 record     enterprise << 12 | format, octets | body; a raw header: protocol, frame octets, stripped, octets | octets

All are of 4 octets, big-endian (sflow.org, "sFlow Version 5", and "sFlow Dropped Packet Notification Structures").
The counts of samples and records are not believed: what is there is walked by its length, what is unknown is skipped by
its length. What is cut off is read as far as it goes.

A sampled packet counts for its IP packet's length, as NetFlow would count it, and its frame's length stands beside it
in the extra column; where no IP length is known the frame's length counts, and the record says so (Q_LAYER2).
"""

from typing import Any, Final

import numpy as np

from btimd.kernels import flowlayout as fl
from btimd.kernels._jit import inlined, kernel
from btimd.kernels.headers import (
    H_CLASS,
    H_DESTINATION_HI,
    H_DESTINATION_LO,
    H_DESTINATION_MAC,
    H_DESTINATION_PORT,
    H_FLAGS,
    H_MPLS_LABEL,
    H_PROTOCOL,
    H_SIZE,
    H_SOURCE_HI,
    H_SOURCE_LO,
    H_SOURCE_MAC,
    H_SOURCE_PORT,
    H_VLAN,
)  # fmt: skip
from btimd.kernels.keytable import find_domain
from btimd.kernels.octets import be4, be8
from btimd.kernels.sequence import account
from btimd.kernels.sflowsample import (
    COUNTER,
    DISCARDED,
    EXPANDED_COUNTER,
    EXPANDED_FLOW,
    FLOW,
    G_DIRECTION,
    G_FOUND,
    G_FRAME,
    G_INPUT,
    G_OCTETS,
    G_OUTPUT,
    G_QUALITY,
    G_RATE,
    G_SAMPLED,
    G_STATUS,
    G_VLAN,
    MAPPED,
    NOTHING,
    R_COUNTERS_AT,
    Y_COUNTER_SAMPLES,
    Y_COUNTERS_LEFT_OUT,
    Y_CUT_OFF,
    Y_EMPTY_SAMPLES,
    Y_UNKNOWN_SAMPLES,
    begin_sample,
    find_source,
    gather_records,
)  # fmt: skip

COUNTERS_EVERY: Final = 5_000  # ms: a source's counters are read at most so often; agents send them every 20 s or so


@inlined
def _write(at: Any, arrival: Any, domain: Any, sample: Any, header: Any, counts: Any, wide: Any, ids: Any, small: Any,
           words: Any, octets: Any, extra: Any) -> None:  # fmt: skip
    """Write one record to row `at`."""
    quality = sample[G_QUALITY] | fl.Q_PACKET | domain[fl.D_QUALITY]
    length = sample[G_OCTETS]
    if length == 0:
        length = sample[G_FRAME]
        quality |= fl.Q_LAYER2 if length != 0 else fl.Q_NO_COUNTERS
    rate = sample[G_RATE]
    if rate > fl.LIMIT_RATE:
        counts[fl.N_ABSURD_RATES] += 1
        rate = np.int64(0)
    if rate == 0:
        rate = domain[fl.D_RATE]
        if domain[fl.D_FORCED_RATE] == 0:
            quality |= fl.Q_RATE_ASSUMED
    else:
        quality &= ~fl.Q_RATE_ASSUMED
        if sample[G_SAMPLED] != 0:
            domain[fl.D_HEADER_RATE] = rate
            if domain[fl.D_FORCED_RATE] != 0:
                rate = domain[fl.D_FORCED_RATE]
    vlan = header[H_VLAN]
    if vlan == 0 and sample[G_VLAN] < 4096:
        vlan = sample[G_VLAN]
    wide[fl.W_START, at] = arrival
    wide[fl.W_END, at] = arrival
    wide[fl.W_SOURCE_HI, at] = header[H_SOURCE_HI]
    wide[fl.W_SOURCE_LO, at] = header[H_SOURCE_LO]
    wide[fl.W_DESTINATION_HI, at] = header[H_DESTINATION_HI]
    wide[fl.W_DESTINATION_LO, at] = header[H_DESTINATION_LO]
    wide[fl.W_OCTETS, at] = length
    wide[fl.W_PACKETS, at] = 1
    ids[fl.I_INGRESS, at] = sample[G_INPUT]
    ids[fl.I_EGRESS, at] = sample[G_OUTPUT]
    ids[fl.I_DOMAIN, at] = domain[fl.D_ID]
    small[fl.M_RATE, at] = rate
    small[fl.M_EXPORTER, at] = domain[fl.D_EXPORTER]
    words[fl.P_SOURCE, at] = header[H_SOURCE_PORT]
    words[fl.P_DESTINATION, at] = header[H_DESTINATION_PORT]
    words[fl.P_FLAGS, at] = header[H_FLAGS]
    words[fl.P_VLAN, at] = vlan
    words[fl.P_QUALITY, at] = quality
    octets[fl.B_PROTOCOL, at] = header[H_PROTOCOL]
    octets[fl.B_CLASS, at] = header[H_CLASS]
    octets[fl.B_DIRECTION, at] = sample[G_DIRECTION]
    extra[fl.X_LAYER2_OCTETS, at] = sample[G_FRAME]
    extra[fl.X_FORWARDING_STATUS, at] = sample[G_STATUS]
    extra[fl.X_MPLS_LABEL, at] = header[H_MPLS_LABEL]
    extra[fl.X_SOURCE_MAC, at] = header[H_SOURCE_MAC]
    extra[fl.X_DESTINATION_MAC, at] = header[H_DESTINATION_MAC]


@inlined
def _wants_counters(slab: Any, at: Any, stop: Any, kind: Any, domain_row: Any, sources: Any, tallies: Any,
                    arrival: Any) -> Any:  # fmt: skip
    """Tell whether a counter sample is due to be read by the caller."""
    tallies[Y_COUNTER_SAMPLES] += 1
    if at + 12 > stop:
        tallies[Y_CUT_OFF] += 1
        return False
    source = be4(slab, at + 4)
    index = source & 0xFF_FFFF
    source >>= 24
    if kind == EXPANDED_COUNTER:
        source = be4(slab, at + 4)
        index = be4(slab, at + 8)
    row = find_source(sources, domain_row, source, index, tallies)
    if row < 0:
        return False
    last = sources[row, R_COUNTERS_AT]
    if 0 <= arrival - last < COUNTERS_EVERY and last >= 0:
        tallies[Y_COUNTERS_LEFT_OUT] += 1
        return False
    sources[row, R_COUNTERS_AT] = arrival
    return True


@kernel
def walk_sflow(slab: Any, datagrams: Any, source_hi: Any, source_lo: Any, source_port: Any, arrival: Any, cursor: Any,
               counts: Any, domain_table: Any, domains: Any, sequences: Any, sources: Any, tallies: Any, header: Any,
               sample: Any, wide: Any, ids: Any, small: Any, words: Any, octets: Any, extra: Any) -> int:  # fmt: skip
    """Decode sFlow v5 datagrams from the cursor on, until one that is none or something rare; return why it ended.

    DONE: the datagram at the cursor is no sFlow, or there are no more. NEW_DOMAIN, FULL, NEED_EXTRA: as
    flowrecords.walk_datagrams, which has the same arguments. COUNTERS: the sample slab[AT_POSITION:AT_SET_END], with
    its head, holds counters to read; the caller sets AT_POSITION behind it. While AT_POSITION is 0 or more the
    datagram at the cursor is not finished, and only this kernel can go on with it.
    extra: all zero from AT_OUTPUT on. header: int64[H_SIZE], sample: int64[SAMPLE_SIZE], to work in. sources, tallies:
    see sflowsample.py. The exporter is the agent that the datagram names, and not who sent it, unless the agent is zero
    or not told.
    """
    n = len(datagrams) - 1
    room = wide.shape[1]
    while cursor[fl.AT_DATAGRAM] < n:
        index = cursor[fl.AT_DATAGRAM]
        begin = datagrams[index]
        end = datagrams[index + 1]
        size = end - begin
        if cursor[fl.AT_POSITION] < 0:
            if size < 4 or be4(slab, begin) != 5:
                return fl.DONE
            kind = be4(slab, begin + 4) if size >= 8 else np.int64(0)
            head = begin + (24 if kind == 2 else 12 if kind == 1 else 8)
            if kind > 2 or head + 16 > end:
                counts[fl.N_SHORT] += 1
                counts[fl.N_SFLOW] += 1
                counts[fl.N_DATAGRAMS] += 1
                counts[fl.N_OCTETS] += size
                cursor[fl.AT_DATAGRAM] = index + 1
                continue
            high: Any = np.int64(0)
            low: Any = np.int64(0)
            if kind == 2:
                high = be8(slab, begin + 8)
                low = be8(slab, begin + 16)
            elif kind == 1 and be4(slab, begin + 8) != 0:
                low = be4(slab, begin + 8) | MAPPED
            if high == 0 and low == 0:
                high = source_hi[index]
                low = source_lo[index]
            cursor[fl.AT_AGENT_HI] = high
            cursor[fl.AT_AGENT_LO] = low
            cursor[fl.AT_VERSION] = fl.SFLOW_VERSION
            cursor[fl.AT_DOMAIN_ID] = be4(slab, head)
            cursor[fl.AT_SEQUENCE] = be4(slab, head + 4)
            cursor[fl.AT_EXPORT] = arrival[index]
            place = find_domain(domain_table, high, low, (np.int64(fl.SFLOW_VERSION) << 32) | cursor[fl.AT_DOMAIN_ID])
            if domain_table[place, 2] == -1:
                return fl.NEW_DOMAIN
            cursor[fl.AT_DOMAIN] = domain_table[place, 3]
            cursor[fl.AT_RECORDS] = 0
            cursor[fl.AT_POSITION] = head + 16
        domain_row = cursor[fl.AT_DOMAIN]
        while cursor[fl.AT_POSITION] + 8 <= end:
            position = cursor[fl.AT_POSITION]
            kind = be4(slab, position)
            length = be4(slab, position + 4)
            body = position + 8
            stop = body + length
            if kind == 0 and length == 0:  # padding
                cursor[fl.AT_POSITION] = body
                continue
            if stop > end:
                tallies[Y_CUT_OFF] += 1
                stop = end
            if kind in (FLOW, EXPANDED_FLOW, DISCARDED):
                at = cursor[fl.AT_OUTPUT]
                if at >= room:
                    return fl.FULL
                if at >= extra.shape[1]:
                    return fl.NEED_EXTRA
                here = begin_sample(slab, body, stop, kind, domain_row, sample, sources, tallies)
                if here < 0:
                    tallies[Y_EMPTY_SAMPLES] += 1
                else:
                    for k in range(H_SIZE):
                        header[k] = 0
                    gather_records(slab, here, stop, sample, header, extra, at, tallies)
                    if sample[G_FOUND] == NOTHING:
                        tallies[Y_EMPTY_SAMPLES] += 1
                        for k in range(fl.EXTRAS):
                            extra[k, at] = 0
                    else:
                        _write(at, arrival[index], domains[domain_row], sample, header, counts, wide, ids, small, words,
                               octets, extra)  # fmt: skip
                        cursor[fl.AT_OUTPUT] = at + 1
                        cursor[fl.AT_RECORDS] += 1
                        counts[fl.N_RECORDS] += 1
                        domains[domain_row, fl.D_RECORDS] += 1
            elif kind in (COUNTER, EXPANDED_COUNTER):
                if _wants_counters(slab, body, stop, kind, domain_row, sources, tallies, arrival[index]):
                    cursor[fl.AT_SET_END] = stop
                    return fl.COUNTERS
            elif stop == body + length:
                tallies[Y_UNKNOWN_SAMPLES] += 1
            cursor[fl.AT_POSITION] = stop
        counts[fl.N_DATAGRAMS] += 1
        counts[fl.N_SFLOW] += 1
        counts[fl.N_OCTETS] += size
        account(sequences[domain_row], np.int64(fl.SFLOW_VERSION), cursor[fl.AT_SEQUENCE], cursor[fl.AT_RECORDS],
                np.int64(0), True, arrival[index], arrival[index], np.int64(source_port[index]))  # fmt: skip
        cursor[fl.AT_DATAGRAM] = index + 1
        cursor[fl.AT_POSITION] = -1
    return fl.DONE
