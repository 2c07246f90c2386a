"""When a flow began and ended: the ways exporters write time, and what becomes of times that cannot be."""

from typing import Any, Final

import numpy as np

from btimd.kernels import flowlayout as fl
from btimd.kernels._jit import inlined
from btimd.kernels.flowcolumns import field
from btimd.kernels.octets import be4, be8

_NO_TIME: Final = -1
_NTP_EPOCH: Final = 2_208_988_800
_HALF: Final = 1 << 31
_OFFSET: Final = (1 << fl.SEGMENT_SHIFT) - 1


@inlined
def milliseconds(kind: Any, raw: Any, export: Any, uptime: Any) -> Any:  # noqa: PLR0911  one line per kind of time
    """Return the time a field means in ms since 1970, -1 where it means none.

    uptime: the exporter's sysUptime at `export`; relative times are signed modulo 2^32 (49.7 days).
    """
    if kind == fl.TIME_MILLISECONDS:
        return raw if raw > 0 else _NO_TIME
    if kind == fl.TIME_SECONDS:
        return min(raw, 1 << 40) * 1000 if raw > 0 else _NO_TIME
    if kind == fl.TIME_NTP:
        if raw == 0:
            return _NO_TIME
        seconds = (raw >> 32) & fl.M32
        if seconds < _NTP_EPOCH:
            seconds += 1 << 32  # era 1 begins in 2036
        return (seconds - _NTP_EPOCH) * 1000 + (((raw & fl.M32) * 1000) >> 32)
    if kind == fl.TIME_DELTA_MICROSECONDS:
        return max(export - (raw // 1000 if 0 <= raw < (1 << 50) else 1 << 40), 0)
    if kind == fl.TIME_UPTIME:
        behind = ((uptime - (raw & fl.M32) + _HALF) & fl.M32) - _HALF
        return max(export - behind, 0)
    return _NO_TIME


@inlined
def record_times(slab: Any, starts: Any, k: Any, layout: Any, slot_start: Any, slot_end: Any, kind_start: Any,
                 kind_end: Any, export: Any, uptime: Any, init: Any) -> Any:  # fmt: skip
    """Return (start, end) of record k, whatever way they are written; -1 for what it does not say.

    init: ms since 1970 of the exporter's start, 0 unknown, -1 use uptime. Arguments that differ between calls are
    np.int64, not literals: numba compiles a function anew for each literal.
    """
    first = field(slab, starts, k, layout, slot_start)
    last = field(slab, starts, k, layout, slot_end)
    both_uptime = kind_start == fl.TIME_UPTIME and kind_end == fl.TIME_UPTIME
    if both_uptime and first == 0 and last == 0:
        return np.int64(_NO_TIME), np.int64(_NO_TIME)
    up = uptime
    known = True
    if init >= 0 and fl.TIME_UPTIME in (kind_start, kind_end):
        began = field(slab, starts, k, layout, fl.S_INIT)
        if began <= 0:
            began = init
        known = began > 0
        up = (export - began) & fl.M32
    if known:
        return milliseconds(kind_start, first, export, up), milliseconds(kind_end, last, export, up)
    if both_uptime:
        # Nobody says when the exporter started: the duration is known, the end is taken as the export time.
        return export - min((last - first) & fl.M32, fl.LIMIT_PAST), export
    start = milliseconds(kind_start, first, export, up) if kind_start != fl.TIME_UPTIME else np.int64(_NO_TIME)
    end = milliseconds(kind_end, last, export, up) if kind_end != fl.TIME_UPTIME else np.int64(_NO_TIME)
    return start, end


@inlined
def settle_times(wide: Any, words: Any, at: Any, source: Any, export: Any, arrival: Any, counts: Any) -> None:
    """Complete, order and clamp the times of one record; -1 stands for none. source: whose clock dates it."""
    first = wide[fl.W_START, at]
    last = wide[fl.W_END, at]
    if first < 0 and last < 0:
        first = arrival
        last = arrival
        if source == fl.TIMES_OF_FLOW:
            counts[fl.N_NO_TIME] += 1
            words[fl.P_QUALITY, at] |= fl.Q_NO_TIME
    elif first < 0:
        first = last
    elif last < 0:
        last = first
    first = min(first, last)
    if source != fl.TIMES_OF_FLOW:
        lasted = min(last - first, fl.LIMIT_PAST)
        last = export if source == fl.TIMES_OF_EXPORT else arrival
        first = last - lasted
    low = arrival - fl.LIMIT_PAST
    high = arrival + fl.LIMIT_FUTURE
    if first < low or last > high:
        counts[fl.N_CLAMPED] += 1
        words[fl.P_QUALITY, at] |= fl.Q_CLAMPED
        first = min(max(first, low), high)
        last = min(max(last, low), high)
    wide[fl.W_START, at] = first
    wide[fl.W_END, at] = last


@inlined
def write_times(wide: Any, words: Any, at: Any, slab: Any, starts: Any, n: Any, layout: Any, kind_start: Any,
                kind_end: Any, source: Any, export: Any, uptime: Any, init: Any, arrival: Any,
                counts: Any) -> None:  # fmt: skip
    """Write start and end of n records. The two usual ways have loops of their own; odd records are settled after."""
    first = np.uint64(at)
    start_row = np.uint64(fl.W_START)
    end_row = np.uint64(fl.W_END)
    place = np.int64(layout[0, fl.S_START])
    segment1 = np.uint64(place >> fl.SEGMENT_SHIFT)
    offset1 = place & _OFFSET
    place = np.int64(layout[0, fl.S_END])
    segment2 = np.uint64(place >> fl.SEGMENT_SHIFT)
    offset2 = place & _OFFSET
    length = layout[1, fl.S_START] if layout[1, fl.S_START] == layout[1, fl.S_END] else 0
    kind = kind_start if kind_start == kind_end else np.int64(fl.TIME_NONE)
    low = arrival - fl.LIMIT_PAST
    high = arrival + fl.LIMIT_FUTURE
    odd = np.int64(0)  # gets the sign of every difference that must not be negative
    if kind == fl.TIME_UPTIME and length == 4 and (init < 0 or (init > 0 and layout[1, fl.S_INIT] == 0)):
        up = uptime if init < 0 else (export - init) & fl.M32
        for k in range(n):
            i = np.uint64(k)
            raw1 = be4(slab, starts[segment1, i] + offset1)
            raw2 = be4(slab, starts[segment2, i] + offset2)
            start = max(export + _HALF - ((up - raw1 + _HALF) & fl.M32), 0)
            end = max(export + _HALF - ((up - raw2 + _HALF) & fl.M32), 0)
            if (raw1 | raw2) == 0:
                start = np.int64(_NO_TIME)
                end = np.int64(_NO_TIME)
            odd |= start | (end - start) | (start - low) | (high - end)
            wide[start_row, first + i] = start
            wide[end_row, first + i] = end
    elif kind == fl.TIME_MILLISECONDS and length == 8:
        for k in range(n):
            i = np.uint64(k)
            start = be8(slab, starts[segment1, i] + offset1)
            end = be8(slab, starts[segment2, i] + offset2)
            start = start if start > 0 else np.int64(_NO_TIME)
            end = end if end > 0 else np.int64(_NO_TIME)
            odd |= start | end | (end - start) | (start - low) | (high - end)
            wide[start_row, first + i] = start
            wide[end_row, first + i] = end
    else:
        for k in range(n):
            i = np.uint64(k)
            start, end = record_times(slab, starts, k, layout, np.int64(fl.S_START), np.int64(fl.S_END), kind_start,
                                      kind_end, export, uptime, init)  # fmt: skip
            odd |= start | end | (start - low) | (high - end)
            if end < start:
                odd = np.int64(-1)
            wide[start_row, first + i] = start
            wide[end_row, first + i] = end
    if odd < 0 or source != fl.TIMES_OF_FLOW:
        for k in range(at, at + n):
            settle_times(wide, words, k, source, export, arrival, counts)
