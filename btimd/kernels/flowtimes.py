"""When a flow began and ended: the ways exporters write time, and what becomes of times that cannot be."""

from typing import Any, Final

from btimd.kernels._jit import inlined
from btimd.kernels.flowlayout import (
    LIMIT_FUTURE,
    LIMIT_PAST,
    M31,
    M32,
    N_CLAMPED,
    N_NO_TIME,
    S_INIT,
    TIME_DELTA_MICROSECONDS,
    TIME_MILLISECONDS,
    TIME_NTP,
    TIME_SECONDS,
    TIME_UPTIME,
)  # fmt: skip
from btimd.kernels.octets import load

_NO_TIME: Final = -1
_NTP_EPOCH: Final = 2_208_988_800


@inlined
def milliseconds(kind: Any, raw: Any, export: Any, uptime: Any) -> Any:  # noqa: PLR0911  one line per kind of time
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
        seconds = (raw >> 32) & M32
        if seconds < _NTP_EPOCH:
            seconds += 1 << 32  # era 1 begins in 2036
        return (seconds - _NTP_EPOCH) * 1000 + (((raw & M32) * 1000) >> 32)
    if kind == TIME_DELTA_MICROSECONDS:
        return max(export - (raw // 1000 if 0 <= raw < (1 << 50) else 1 << 40), 0)
    if kind == TIME_UPTIME:
        behind = (uptime - (raw & M32)) & M32
        if behind > M31:
            behind -= 1 << 32
        return max(export - behind, 0)
    return _NO_TIME


@inlined
def settle_times(start: Any, end: Any, at: Any, arrival: Any, counts: Any) -> None:
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
def write_times(out_start: Any, out_end: Any, slab: Any, base: Any, stride: Any, offsets: Any, lengths: Any,
                slot_start: Any, slot_end: Any, kind_start: Any, kind_end: Any, export: Any, uptime: Any, init: Any,
                arrival: Any, counts: Any, keep: Any) -> None:  # fmt: skip
    """Write start and end of every record. init: ms since 1970 of the exporter's start, 0 unknown, -1 use uptime.

    keep: 1 where a record that says no time keeps the times that are there. Arguments that differ between calls are
    np.int64, not literals: numba compiles a function anew for each literal.
    """
    both_uptime = kind_start == TIME_UPTIME and kind_end == TIME_UPTIME
    for k in range(len(out_start)):
        at = base + k * stride
        start_before = out_start[k]
        end_before = out_end[k]
        first = load(slab, at + offsets[slot_start], lengths[slot_start])
        last = load(slab, at + offsets[slot_end], lengths[slot_end])
        up = uptime
        known = True
        if init >= 0 and TIME_UPTIME in (kind_start, kind_end):
            began = init
            if lengths[S_INIT] != 0:
                own = load(slab, at + offsets[S_INIT], lengths[S_INIT])
                if own > 0:
                    began = own
            known = began > 0
            up = (export - began) & M32
        if both_uptime and first == 0 and last == 0:
            out_start[k] = _NO_TIME
            out_end[k] = _NO_TIME
        elif known:
            out_start[k] = milliseconds(kind_start, first, export, up)
            out_end[k] = milliseconds(kind_end, last, export, up)
        elif both_uptime:
            # Nobody says when the exporter started: the duration is known, the end is taken as the export time.
            out_end[k] = export
            out_start[k] = export - min((last - first) & M32, LIMIT_PAST)
        else:
            out_start[k] = milliseconds(kind_start, first, export, up) if kind_start != TIME_UPTIME else _NO_TIME
            out_end[k] = milliseconds(kind_end, last, export, up) if kind_end != TIME_UPTIME else _NO_TIME
        if keep != 0 and out_start[k] < 0 and out_end[k] < 0:
            out_start[k] = start_before
            out_end[k] = end_before
        settle_times(out_start, out_end, k, arrival, counts)
