"""Fields of many records into one column: gathers, counters that can be, sampling rates.

The records of a run stand anywhere in the slab: starts[0, k] is where record k begins, starts[s, k] where its segment s
does. layout, int32[2, SLOTS], says for each slot where in the record its field stands and how many octets it has (see
flowlayout). Everything is written to the output from row `at` on.

Positions are int64, indices into starts and the output are made unsigned: that spares a test for negative ones.
"""

from typing import Any, Final

import numpy as np

from btimd.kernels import flowlayout as fl
from btimd.kernels._jit import inlined
from btimd.kernels.keytable import find_key
from btimd.kernels.octets import be2, be4, be8, load

_MAPPED: Final = 0xFFFF_0000_0000
_OFFSET: Final = (1 << fl.SEGMENT_SHIFT) - 1


@inlined
def field(slab: Any, starts: Any, k: Any, layout: Any, slot: Any) -> Any:
    """Return the number in a field of record k; 0 where there is no such field."""
    place = np.int64(layout[0, slot])
    return load(slab, starts[place >> fl.SEGMENT_SHIFT, k] + (place & _OFFSET), np.int64(layout[1, slot]))


@inlined
def gather(out: Any, row: Any, at: Any, slab: Any, starts: Any, n: Any, layout: Any, slot: Any, mask: Any) -> None:
    """Write a field of n records to out[row]; 0 where the layout has no such field."""
    line = np.uint64(row)
    first = np.uint64(at)
    place = np.int64(layout[0, slot])
    length = np.int64(layout[1, slot])
    segment = np.uint64(place >> fl.SEGMENT_SHIFT)
    offset = place & _OFFSET
    if length == 0:
        for k in range(n):
            out[line, first + np.uint64(k)] = 0
    elif length == 1:
        for k in range(n):
            i = np.uint64(k)
            out[line, first + i] = np.int64(slab[np.uint64(starts[segment, i] + offset)]) & mask
    elif length == 2:
        for k in range(n):
            i = np.uint64(k)
            out[line, first + i] = be2(slab, starts[segment, i] + offset) & mask
    elif length == 4:
        for k in range(n):
            i = np.uint64(k)
            out[line, first + i] = be4(slab, starts[segment, i] + offset) & mask
    elif length == 8:
        for k in range(n):
            i = np.uint64(k)
            out[line, first + i] = be8(slab, starts[segment, i] + offset) & mask
    else:
        for k in range(n):
            i = np.uint64(k)
            out[line, first + i] = load(slab, starts[segment, i] + offset, length) & mask


@inlined
def gather_address(out: Any, row: Any, at: Any, slab: Any, starts: Any, n: Any, layout: Any, slot: Any) -> None:
    """Write addresses to out[row] and out[row + 1]; slot: of the IPv4 field, that of the IPv6 field is the next.

    Of a layout with both families the IPv6 field counts unless it is zero.
    """
    hi = np.uint64(row)
    lo = np.uint64(row + 1)
    first = np.uint64(at)
    place = np.int64(layout[0, slot])
    segment = np.uint64(place >> fl.SEGMENT_SHIFT)
    offset = place & _OFFSET
    has_four = layout[1, slot] != 0
    if layout[1, slot + 1] == 0:
        for k in range(n):
            out[hi, first + np.uint64(k)] = 0
        if has_four:
            for k in range(n):
                i = np.uint64(k)
                out[lo, first + i] = be4(slab, starts[segment, i] + offset) | _MAPPED
        else:
            for k in range(n):
                out[lo, first + np.uint64(k)] = 0
        return
    place = np.int64(layout[0, slot + 1])
    segment6 = np.uint64(place >> fl.SEGMENT_SHIFT)
    offset6 = place & _OFFSET
    for k in range(n):
        i = np.uint64(k)
        position = starts[segment6, i] + offset6
        high = be8(slab, position)
        low = be8(slab, position + 8)
        if has_four and high == 0 and low == 0:
            low = be4(slab, starts[segment, i] + offset) | _MAPPED
        out[hi, first + i] = high
        out[lo, first + i] = low


@inlined
def check_counters(wide: Any, row: Any, at: Any, n: Any, words: Any, counts: Any) -> None:
    """Zero what no flow can have carried."""
    line = np.uint64(row)
    first = np.uint64(at)
    odd = np.int64(0)
    for k in range(n):
        odd |= wide[line, first + np.uint64(k)] >> 48  # all but one of those with a bit there are too large
    if odd != 0:
        for k in range(at, at + n):
            if wide[row, k] < 0 or wide[row, k] > fl.LIMIT_COUNTER:
                wide[row, k] = 0
                words[fl.P_QUALITY, k] |= fl.Q_ABSURD
                counts[fl.N_ABSURD_COUNTERS] += 1


@inlined
def _own_rate(slab: Any, starts: Any, k: Any, layout: Any, samplers: Any, domain_row: Any, exporter: Any) -> Any:
    """Return the rate that record k names or that was announced for the sampler it names; 0 for neither."""
    found = field(slab, starts, k, layout, fl.S_RATE)
    if found == 0 and layout[1, fl.S_INTERVAL] != 0:
        interval = field(slab, starts, k, layout, fl.S_INTERVAL)
        space = field(slab, starts, k, layout, fl.S_SPACE)
        if interval > 0 and 0 <= space < fl.LIMIT_COUNTER:
            found = (interval + space) // interval
    if found == 0 and layout[1, fl.S_SAMPLER] != 0:
        sampler = field(slab, starts, k, layout, fl.S_SAMPLER) & fl.M31
        slot = find_key(samplers, (domain_row << 31) | sampler)
        if samplers[slot, 0] == -1:
            slot = find_key(samplers, ((exporter + (1 << 30)) << 31) | sampler)
        if samplers[slot, 0] != -1:
            found = samplers[slot, 1]
    return found


@inlined
def write_rates(small: Any, words: Any, at: Any, slab: Any, starts: Any, n: Any, layout: Any, rate: Any,
                samplers: Any, domain_row: Any, exporter: Any, counts: Any) -> None:  # fmt: skip
    """Write sampling rates: in the record itself, else by the record's sampler, else `rate`."""
    line = np.uint64(fl.M_RATE)
    first = np.uint64(at)
    if layout[1, fl.S_RATE] == 0 and layout[1, fl.S_INTERVAL] == 0 and layout[1, fl.S_SAMPLER] == 0:
        for k in range(n):
            small[line, first + np.uint64(k)] = rate
        return
    plain = np.int64(0)
    if layout[1, fl.S_RATE] == 4:  # the usual way: a rate in each record
        gather(small, np.int64(fl.M_RATE), at, slab, starts, n, layout, np.int64(fl.S_RATE), np.int64(fl.M31))
        plain = np.int64(1)
        for k in range(n):
            found = np.int64(small[line, first + np.uint64(k)])
            plain &= np.int64(found > 0) & np.int64(found <= fl.LIMIT_RATE)
    if plain == 0:
        for k in range(n):
            found = _own_rate(slab, starts, k, layout, samplers, domain_row, exporter)
            if found < 0 or found > fl.LIMIT_RATE:
                counts[fl.N_ABSURD_RATES] += 1
                found = np.int64(0)
            small[line, first + np.uint64(k)] = found
    for k in range(at, at + n):
        if small[fl.M_RATE, k] > 0:
            words[fl.P_QUALITY, k] = np.int64(words[fl.P_QUALITY, k]) & ~fl.Q_RATE_ASSUMED
        else:
            small[fl.M_RATE, k] = rate
