"""Octets, packets and records per interface, direction and business: every record counts at every hop it names."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from btimd.kernels._jit import inlined, kernel, prefetch
from btimd.kernels.aggregate import (
    B_HELD,
    B_LAST,
    FUTURE_OCTETS,
    FUTURE_RECORDS,
    LATE_OCTETS,
    LATE_RECORDS,
    capped_sum,
    part,
    quotient,
    scaled,
)
from btimd.kernels.duplicates import key_hash
from btimd.kernels.flowlayout import Q_DROPPED

INTERVAL_MILLISECONDS: Final = 60_000
"""One length only, and no shorter: exporters tell of long flows once a minute, and each interval costs two lines."""

# The columns of lines: int64[.., 8]. OWN: metered where it counts; DERIVED: from what was metered at the other end of
# the device. RECORDS hold MARKS in their low bits. DUPLICATE: part of OWN.
OWN_OCTETS, OWN_PACKETS, OWN_RECORDS, DERIVED_OCTETS, DERIVED_PACKETS, DERIVED_RECORDS = range(6)
DUPLICATE_OCTETS, DUPLICATE_RECORDS = 6, 7
MARK_BITS: Final = 2
CHANGED, SAMPLED = 1, 2

REPEATED: Final = -1
"""Instead of an ifIndex: what counts at no interface because the exporter had told it before."""
NOWHERE: Final = 0
"""ifIndex of what has no interface: the device itself, discarded, not told."""
MOST_IFINDEX: Final = 0x7FFFFFFF
MOST_PROBES: Final = 64
BLOCK: Final = 256
# The columns of state: int64[4].
S_PORTS, S_CELLS, S_REFUSED, S_CELLS_REFUSED = range(4)
# The rows of scratch: line within the slot * 8 + first column, of both sides; records within one interval; others.
X_SINGLE, X_OTHER = 2, 3
SCRATCH_ROWS: Final = 4
SEEN_SHIFT: Final = 33
SECONDS_MASK: Final = (1 << 28) - 1
DOMAIN_MASK: Final = (1 << SEEN_SHIFT) - 1


@inlined
def mix(word: Any) -> Any:
    """Return a number below 2^62 in which every bit of another depends on many, without leaving 63 bits."""
    low = word & 0x7FFFFFFF
    high = (word >> 31) & 0x7FFFFFFF
    top = (word >> 62) & 3
    one = low * 0x2545F491 + high
    two = high * 0x1B873593 + low + top
    one ^= one >> 29
    two ^= two >> 31
    return (((one & 0x7FFFFFFF) << 31) | (two & 0x7FFFFFFF)) ^ (one >> 31)


@inlined
def port_of(
    exporter: Any,
    interface: Any,
    keys: npt.NDArray[np.int64],
    numbers: npt.NDArray[np.int32],
    ports: npt.NDArray[np.int64],
    state: npt.NDArray[np.int64],
) -> Any:
    """Return the number of an interface of an exporter, a new one if need be; -1 where there is no room."""
    mask = len(keys) - 1
    key = ((exporter << 32) | (interface + 1)) + 1
    mixed = interface * 0x1E3779B1 + exporter * 0x5BD1E995
    slot = (mixed ^ (mixed >> 17)) & mask
    probes = 0
    while keys[slot] != key and keys[slot] != 0 and probes < MOST_PROBES:
        slot = (slot + 1) & mask
        probes += 1
    if keys[slot] == key:
        return np.int64(numbers[slot])
    if keys[slot] != 0 or state[S_PORTS] >= len(ports):
        state[S_REFUSED] += 1
        return np.int64(-1)
    port = state[S_PORTS]
    keys[slot] = key
    numbers[slot] = port
    ports[port, 0] = exporter
    ports[port, 1] = interface
    state[S_PORTS] += 1
    return port


@inlined
def cell_of(
    port: Any,
    owners: Any,
    cell_table: npt.NDArray[np.int32],
    cells: npt.NDArray[np.int32],
    state: npt.NDArray[np.int64],
) -> Any:
    """Return the cell of a set of owners at a port, a new one if need be; -1 where there is no room."""
    cell = np.int64(cell_table[port, owners]) - 1
    if cell >= 0:
        return cell
    if state[S_CELLS] >= len(cells):
        state[S_REFUSED] += 1
        state[S_CELLS_REFUSED] += 1
        return np.int64(-1)
    cell = state[S_CELLS]
    cell_table[port, owners] = cell + 1
    cells[cell, 0] = port
    cells[cell, 1] = owners
    state[S_CELLS] += 1
    return cell


@inlined
def add_part(
    line: Any,
    kind: Any,
    octets: Any,
    packets: Any,
    ends: Any,
    marks: Any,
    duplicate: Any,
    lines: npt.NDArray[np.int64],
) -> None:
    """Add what a record brings to one line; duplicate: 1 for one, where it was metered."""
    lines[line, kind] = capped_sum(lines[line, kind], octets)
    lines[line, kind + 1] = capped_sum(lines[line, kind + 1], packets)
    lines[line, kind + 2] = (lines[line, kind + 2] + (ends << MARK_BITS)) | marks
    if duplicate != 0 and kind == OWN_OCTETS:
        lines[line, DUPLICATE_OCTETS] = capped_sum(lines[line, DUPLICATE_OCTETS], octets)
        lines[line, DUPLICATE_RECORDS] += ends


@kernel
def add_links(
    start_milliseconds: npt.NDArray[np.int64],
    end_milliseconds: npt.NDArray[np.int64],
    octets: npt.NDArray[np.int64],
    packets: npt.NDArray[np.int64],
    sampling_rate: npt.NDArray[np.int32],
    exporter: npt.NDArray[np.int32],
    quality: npt.NDArray[np.uint16],
    ingress: npt.NDArray[np.uint32],
    egress: npt.NDArray[np.uint32],
    direction: npt.NDArray[np.uint8],
    repeated: npt.NDArray[np.uint8],
    duplicate: npt.NDArray[np.uint8],
    rule_id: npt.NDArray[np.int32],
    owners_of_rule: npt.NDArray[np.int32],
    bounds: npt.NDArray[np.int64],
    slot_interval: npt.NDArray[np.int64],
    slot_changed: npt.NDArray[np.uint8],
    keys: npt.NDArray[np.int64],
    numbers: npt.NDArray[np.int32],
    ports: npt.NDArray[np.int64],
    cell_table: npt.NDArray[np.int32],
    cells: npt.NDArray[np.int32],
    state: npt.NDArray[np.int64],
    lines: npt.NDArray[np.int64],
    tallies: npt.NDArray[np.int64],
    scratch: npt.NDArray[np.int64],
) -> int:
    """Add n records; return how many of them found no room for something.

    The first thirteen arrays are columns of n records. direction: 1 = metered at the egress interface, else at the
    ingress one. repeated: not 0 = this exporter reported it before at the same place: it counts at no interface, and
    at the port REPEATED, outward. duplicate: not 0 = reported before by another observation point. Octets and packets
    are multiplied by the sampling rate, sums stop at 2^63 - 1. Of what the device discarded (Q_DROPPED) only the
    ingress interface saw something. ifIndex above 2^31 - 1 (RFC 2863: there is none) is NOWHERE. exporter: 0..2^31 - 1.

    owners_of_rule: int32 per rule, a number for each set of owners; records without rule are of set 0.
    keys, numbers: int64[2^k], int32[2^k], 2^k at least twice len(ports); zeros at first. ports: int64[p, 2], exporter
    and ifIndex or REPEATED. cell_table: int32[p, sets], cell + 1, 0 = none. cells: int32[c, 2], port and set.
    lines: int64[2^f * c * 2, 8]: slot s, cell, side (0 in, 1 out) is line (s * c + cell) * 2 + side; zero in slots that
    hold nothing. slot_interval, slot_changed, bounds, tallies (int64[4]): as in collect.collect, with one level, of
    INTERVAL_MILLISECONDS, where what is held is not late; slot_changed: 0 or 1. A flow covers start..end, both
    milliseconds included, at most the last 2^31 - 1 of them.
    scratch: int64[SCRATCH_ROWS, BLOCK].
    """
    slot_mask = len(slot_interval) - 1
    room = len(cells) * 2
    held, last = bounds[B_HELD], bounds[B_LAST]
    lost: Any = np.int64(0)
    # Passes over blocks: the first asks for the memory of lines, the others find it there.
    for block in range(0, len(rule_id), BLOCK):
        until = min(block + BLOCK, len(rule_id))
        singles: Any = np.int64(0)
        others: Any = np.int64(0)
        for i in range(block, until):
            k = i - block
            who = np.int64(exporter[i])
            rule = np.int64(rule_id[i])
            owners = np.int64(owners_of_rule[rule]) if rule >= 0 else np.int64(0)
            at_egress = direction[i] == 1
            end: Any = max(end_milliseconds[i], start_milliseconds[i], np.int64(0))
            start: Any = max(start_milliseconds[i], np.int64(0))
            final: Any = end // INTERVAL_MILLISECONDS
            refused = state[S_REFUSED]
            for side in range(2):
                interface: Any = np.int64(ingress[i]) if side == 0 else np.int64(egress[i])
                interface = interface if interface <= MOST_IFINDEX else np.int64(NOWHERE)
                nothing = side == 1 and quality[i] & Q_DROPPED != 0
                kind: Any = np.int64(OWN_OCTETS) if at_egress == (side == 1) else np.int64(DERIVED_OCTETS)
                if repeated[i] != 0:
                    nothing = side == 0
                    interface = np.int64(REPEATED)
                    kind = np.int64(OWN_OCTETS)
                spot: Any = np.int64(-1)
                if not nothing and final <= last and final >= held:
                    port: Any = port_of(who, interface, keys, numbers, ports, state)
                    if port >= 0:
                        cell: Any = cell_of(port, owners, cell_table, cells, state)
                        if cell >= 0:
                            spot = cell * 2 + side
                            prefetch(lines, (final & slot_mask) * room + spot)
                            if start < final * INTERVAL_MILLISECONDS:
                                earlier = max(start // INTERVAL_MILLISECONDS, held, final - 2)
                                while earlier < final:
                                    prefetch(lines, (earlier & slot_mask) * room + spot)
                                    earlier += 1
                scratch[side, k] = spot * 8 + kind if spot >= 0 else np.int64(-1)
            lost += np.int64(state[S_REFUSED] != refused)
            single = (start >= final * INTERVAL_MILLISECONDS) & (held <= final) & (final <= last)
            scratch[X_SINGLE, singles] = i
            scratch[X_OTHER, others] = i
            singles += np.int64(single)
            others += np.int64(not single)
        for i in scratch[X_SINGLE, :singles]:
            rate = max(np.int64(sampling_rate[i]), np.int64(1))
            marks = np.int64(CHANGED) | (np.int64(SAMPLED) if rate > 1 else np.int64(0))
            all_octets = scaled(octets[i], rate)
            all_packets = scaled(packets[i], rate)
            final = max(end_milliseconds[i], start_milliseconds[i], np.int64(0)) // INTERVAL_MILLISECONDS
            slot = final & slot_mask
            again = np.int64(duplicate[i])
            for side in range(2):
                spot = scratch[side, i - block]
                if spot >= 0:
                    slot_interval[slot] = final
                    slot_changed[slot] = 1
                    add_part(slot * room + (spot >> 3), spot & 7, all_octets, all_packets, np.int64(1), marks, again,
                             lines)  # fmt: skip
        for i in scratch[X_OTHER, :others]:
            rate = max(np.int64(sampling_rate[i]), np.int64(1))
            marks = np.int64(CHANGED) | (np.int64(SAMPLED) if rate > 1 else np.int64(0))
            all_octets = scaled(octets[i], rate)
            all_packets = scaled(packets[i], rate)
            end = max(end_milliseconds[i], start_milliseconds[i], np.int64(0))
            start = max(start_milliseconds[i], np.int64(0), end - 0x7FFFFFFE)
            final = end // INTERVAL_MILLISECONDS
            if final > last:
                tallies[FUTURE_RECORDS] += 1
                tallies[FUTURE_OCTETS] = capped_sum(tallies[FUTURE_OCTETS], all_octets)
                continue
            interval = start // INTERVAL_MILLISECONDS
            duration = end - start + 1
            done_octets = np.int64(0)
            done_packets = np.int64(0)
            if interval < held:
                interval = held
                elapsed = min(held * INTERVAL_MILLISECONDS - start, duration)
                done_octets = part(all_octets, elapsed, duration)
                done_packets = part(all_packets, elapsed, duration)
                tallies[LATE_RECORDS] += 1
                tallies[LATE_OCTETS] = capped_sum(tallies[LATE_OCTETS], done_octets)
            # From edge to edge quotient and remainder advance by constant steps, as in collect.collect.
            elapsed = (interval + 1) * INTERVAL_MILLISECONDS - start
            whole_octets = np.int64(0) if all_octets < 0x100000000 else all_octets // duration
            whole_packets = np.int64(0) if all_packets < 0x100000000 else all_packets // duration
            rest_octets = all_octets - whole_octets * duration
            rest_packets = all_packets - whole_packets * duration
            upto_octets = all_octets
            upto_packets = all_packets
            over_octets = over_packets = step_octets = step_packets = more_octets = more_packets = np.int64(0)
            if interval < final:
                share = 1.0 / duration
                upto_octets = quotient(rest_octets * elapsed, duration, share)
                over_octets = rest_octets * elapsed - upto_octets * duration
                upto_octets += whole_octets * elapsed
                upto_packets = quotient(rest_packets * elapsed, duration, share)
                over_packets = rest_packets * elapsed - upto_packets * duration
                upto_packets += whole_packets * elapsed
                if interval + 1 < final:
                    step_octets = quotient(rest_octets * INTERVAL_MILLISECONDS, duration, share)
                    more_octets = rest_octets * INTERVAL_MILLISECONDS - step_octets * duration
                    step_octets += whole_octets * INTERVAL_MILLISECONDS
                    step_packets = quotient(rest_packets * INTERVAL_MILLISECONDS, duration, share)
                    more_packets = rest_packets * INTERVAL_MILLISECONDS - step_packets * duration
                    step_packets += whole_packets * INTERVAL_MILLISECONDS
            again = np.int64(duplicate[i])
            into = scratch[0, i - block]
            out = scratch[1, i - block]
            while interval <= final:
                ends = np.int64(interval == final)
                upto_octets = all_octets if ends else upto_octets
                upto_packets = all_packets if ends else upto_packets
                slot = interval & slot_mask
                if into >= 0 or out >= 0:
                    slot_interval[slot] = interval
                    slot_changed[slot] = 1
                if into >= 0:
                    add_part(slot * room + (into >> 3), into & 7, upto_octets - done_octets,
                             upto_packets - done_packets, ends, marks, again, lines)  # fmt: skip
                if out >= 0:
                    add_part(slot * room + (out >> 3), out & 7, upto_octets - done_octets,
                             upto_packets - done_packets, ends, marks, again, lines)  # fmt: skip
                done_octets = upto_octets
                done_packets = upto_packets
                interval += 1
                if interval < final:
                    over_octets += more_octets
                    full = np.int64(over_octets >= duration)
                    over_octets -= full * duration
                    upto_octets += step_octets + full
                    over_packets += more_packets
                    full = np.int64(over_packets >= duration)
                    over_packets -= full * duration
                    upto_packets += step_packets + full
    return int(lost)


@kernel
def find_repeated(
    hi_a: npt.NDArray[np.int64],
    lo_a: npt.NDArray[np.int64],
    hi_b: npt.NDArray[np.int64],
    lo_b: npt.NDArray[np.int64],
    port_a: npt.NDArray[np.uint16],
    port_b: npt.NDArray[np.uint16],
    protocol: npt.NDArray[np.uint8],
    exporter: npt.NDArray[np.int32],
    domain: npt.NDArray[np.uint32],
    metered_at: npt.NDArray[np.int64],
    wanted: npt.NDArray[np.uint8],
    seed: int,
    now_seconds: int,
    silence_seconds: int,
    table: npt.NDArray[np.int64],
    scratch: npt.NDArray[np.int64],
    repeated: npt.NDArray[np.uint8],
) -> int:
    """Write 1 to `repeated` for records that another domain of the same exporter reports too, 0 else; return how many.

    The first ten arrays are columns of n records; metered_at: interface and direction of metering, any number per
    pair; wanted: not 0 = to be looked at. A flow belongs to the domain that reported it first until that one has
    been silent for silence_seconds. now_seconds: modulo 2^28. table: int64[2^k, 2]: key, and when last << 33 | domain
    + 1; zeros at first. Each key has one place, where a new key replaces one that was silent; else the new one is not
    looked at. scratch: int64[SCRATCH_ROWS, BLOCK].
    """
    mask = len(table) - 1
    found = 0
    keys, places = scratch[0], scratch[1]
    # Passes over blocks: the first only calculates, the second asks for the memory of the table, the last finds it.
    for block in range(0, len(repeated), BLOCK):
        until = min(block + BLOCK, len(repeated))
        one_hi, one_lo, other_hi, other_lo = hi_a[block:until], lo_a[block:until], hi_b[block:until], lo_b[block:until]
        one_port, other_port, kind = port_a[block:until], port_b[block:until], protocol[block:until]
        who, where = exporter[block:until], metered_at[block:until]
        for k in range(until - block):
            ports: Any = (np.int64(one_port[k]) << 16) | np.int64(other_port[k])
            flow = key_hash(one_hi[k], one_lo[k], other_hi[k], other_lo[k], ports, np.int64(kind[k]), seed)
            mixed = mix(flow ^ (np.int64(who[k]) << 31) ^ where[k])
            keys[k] = mixed | 1
            places[k] = (mixed >> 1) & mask
        for k in range(until - block):
            repeated[block + k] = 0
            prefetch(table, places[k])
        for i in range(block, until):
            if wanted[i] == 0:
                continue
            key: Any = keys[i - block]
            place = places[i - block]
            known = table[place, 0]
            mine = np.int64(domain[i]) + 1
            silent = ((now_seconds - (table[place, 1] >> SEEN_SHIFT)) & SECONDS_MASK) > silence_seconds
            if known == key and table[place, 1] & DOMAIN_MASK != mine and not silent:
                repeated[i] = 1
                found += 1
            elif known == key or silent or known == 0:
                table[place, 0] = key
                table[place, 1] = ((now_seconds & SECONDS_MASK) << SEEN_SHIFT) | mine
    return found
