"""What becomes of flows: reported while they last, forgotten when they are over, or when others need the room."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from btimd.kernels._jit import inlined, kernel
from btimd.kernels.flowentry import (
    D_COUNT,
    D_TIMES,
    DIRECTION_WORDS,
    E_COUNTS,
    E_META,
    ENDS_MASK,
    ENDS_SHIFT,
    ENTRY_WORDS,
    FIN_0,
    FIN_1,
    NANOSECONDS_PER_MILLISECOND,
    RESET,
    S_EPOCH,
    S_EVICTED,
    S_HAND,
    S_QUALITY,
    S_RECORDS,
    S_SLOTS,
    TCP,
    USED,
    forget,
    last_of,
    report,
)
from btimd.kernels.tcpquality import has_ended

AGES: Final = 256
"""How many ages `evict` tells apart."""


@inlined
def _has_ended(slot: Any, entries: Any, quality: Any) -> Any:
    """Tell whether a connection was closed or reset."""
    meta = entries[ENTRY_WORDS * slot + E_META]
    if (meta >> ENDS_SHIFT & ENDS_MASK) >> 32 != TCP or meta & (FIN_0 | FIN_1 | RESET) == 0:
        return False
    if len(quality) > 0:
        return has_ended(slot, quality) != 0
    return meta & RESET != 0 or meta & (FIN_0 | FIN_1) == FIN_0 | FIN_1


@kernel
def sweep(
    first: int,
    until: int,
    now: int,
    active: int,
    inactive: int,
    ended: int,
    index: npt.NDArray[np.int32],
    hashes: npt.NDArray[np.int32],
    entries: npt.NDArray[np.int64],
    wide: npt.NDArray[np.int64],
    outer: npt.NDArray[np.int64],
    quality: npt.NDArray[np.int64],
    free: npt.NDArray[np.int32],
    state: npt.NDArray[np.int64],
    records: npt.NDArray[np.int64],
    quality_rows: npt.NDArray[np.int64],
    quality_counters: npt.NDArray[np.int64],
) -> Any:
    """Report the flows in slots first..until that are due and forget those that are over; return the slot reached.

    now: ns; active, inactive, ended: ms, 0 or more. A flow is reported when the first packet since its last record is
    `active` old; it is forgotten when its last packet is `inactive` old, or `ended` after the end of its connection.
    inactive = 0 forgets all. A flow whose last packet comes more than `inactive` after now is forgotten too: its time
    was wrong. index to state: see kernels.flowentry. The call ends early where an output is full.
    """
    moment = now // NANOSECONDS_PER_MILLISECOND - state[S_EPOCH]
    slot = np.int64(first)
    while slot < until:
        if entries[ENTRY_WORDS * slot + E_META] & USED == 0:
            slot += 1
            continue
        if state[S_RECORDS] + 2 > records.shape[1] or state[S_QUALITY] + 1 > quality_rows.shape[1]:
            return slot
        silent = moment - last_of(slot, entries)
        if silent >= inactive or -silent > inactive or (silent >= ended and _has_ended(slot, entries, quality)):
            report(slot, now, 1, entries, wide, outer, quality, state, records, quality_rows, quality_counters)
            forget(slot, index, hashes, entries, outer, quality, free, state)
        else:
            due = False
            for direction in range(2):
                at = E_COUNTS + DIRECTION_WORDS * direction
                if entries[ENTRY_WORDS * slot + at + D_COUNT] != 0:
                    age = moment - ((entries[ENTRY_WORDS * slot + at + D_TIMES] >> 32) & 0xFFFF_FFFF)
                    due = due or age >= active or -age > inactive
            if due:
                report(slot, now, 0, entries, wide, outer, quality, state, records, quality_rows, quality_counters)
        slot += 1
    return slot


@inlined
def age_of(nanoseconds: Any) -> Any:
    """Return a number from 0 to AGES - 1 that grows with an age: a quarter of an octave each."""
    octave = np.int64(0)
    rest = np.int64(nanoseconds)
    for step in (32, 16, 8, 4, 2, 1):
        if rest >> step != 0:
            rest >>= step
            octave += step
    return octave * 4 + ((nanoseconds >> (octave - 2)) & 3 if octave >= 2 else np.int64(0))


@kernel
def evict(
    wanted: int,
    window: int,
    ages: npt.NDArray[np.int64],
    index: npt.NDArray[np.int32],
    hashes: npt.NDArray[np.int32],
    entries: npt.NDArray[np.int64],
    wide: npt.NDArray[np.int64],
    outer: npt.NDArray[np.int64],
    quality: npt.NDArray[np.int64],
    free: npt.NDArray[np.int32],
    state: npt.NDArray[np.int64],
    records: npt.NDArray[np.int64],
    quality_rows: npt.NDArray[np.int64],
    quality_counters: npt.NDArray[np.int64],
) -> Any:
    """Report and forget up to `wanted` flows, those silent for longest among `window` slots; return how many.

    wanted: at least 1. ages: int64[AGES], scratch. index to state: see kernels.flowentry. Goes round: the next call
    looks at the slots behind. How long is told to a quarter of an octave only, counted from the latest packet seen
    among them, so that wrong times make the choice worse and nothing else. Fewer go where an output is full.
    """
    used = state[S_SLOTS]
    if used == 0:
        return 0
    looked = min(np.int64(window), used)
    latest = np.int64(0)
    for k in range(looked):
        slot = (state[S_HAND] + k) % used
        latest = max(latest, last_of(slot, entries))
    now = (state[S_EPOCH] + latest) * NANOSECONDS_PER_MILLISECOND
    ages[:] = 0
    for k in range(looked):
        slot = (state[S_HAND] + k) % used
        if entries[ENTRY_WORDS * slot + E_META] & USED != 0:
            last = last_of(slot, entries)
            ages[age_of(latest - last)] += 1
    edge = np.int64(AGES - 1)
    older = np.int64(0)
    while edge > 0 and older + ages[edge] < wanted:
        older += ages[edge]
        edge -= 1
    at_edge = wanted - older
    gone = np.int64(0)
    for k in range(looked):
        slot = (state[S_HAND] + k) % used
        if entries[ENTRY_WORDS * slot + E_META] & USED == 0:
            continue
        last = last_of(slot, entries)
        age = age_of(latest - last)
        if age < edge or (age == edge and at_edge <= 0):
            continue
        if state[S_RECORDS] + 2 > records.shape[1] or state[S_QUALITY] + 1 > quality_rows.shape[1]:
            break
        at_edge -= np.int64(age == edge)
        report(slot, now, 1, entries, wide, outer, quality, state, records, quality_rows, quality_counters)
        forget(slot, index, hashes, entries, outer, quality, free, state)
        gone += 1
    state[S_HAND] = (state[S_HAND] + looked) % used
    state[S_EVICTED] += gone
    return gone
