"""Connection quality per business, place and server within one interval: lines of sums, and sketches of durations."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from btimd.kernels._jit import inlined, kernel, prefetch
from btimd.kernels.aggregate import capped_sum
from btimd.kernels.packetlayout import QUALITY_COUNTERS, SAMPLE_KINDS
from btimd.kernels.sketch import BUCKETS, add_sketch, add_to, bucket_of

# The columns of cells: int64[room, 8], what each line is of; -1 = unattributed, unknown place, no server named.
K_BUSINESS, K_PLACE, K_SERVER_HI, K_SERVER_LO, K_PORT = range(5)
CELL_WORDS: Final = 8
# The columns of lines: int64[room, 32]: the counters, flags, a bit for each observation point, and for each kind of
# sample the row of its sketch + 1, 0 = there was none.
L_FLAGS: Final = QUALITY_COUNTERS
L_POINTS: Final = L_FLAGS + 1
L_SKETCH: Final = L_POINTS + 1
LINE_WORDS: Final = 32
FINE_CHANGED, COARSE_CHANGED = 1, 2
_CHANGED: Final = FINE_CHANGED | COARSE_CHANGED
# state: int64[3]: lines in use, sketches in use, shares whose server or place found no room.
S_LINES, S_SKETCHES, S_OVERFLOWED = range(3)
STATE_WORDS: Final = 3
SAMPLES_AT_ONCE: Final = 128

_M31: Final = 0x7FFFFFFF
_M62: Final = 0x3FFF_FFFF_FFFF_FFFF

Numbers = npt.NDArray[np.int64]
Columns = npt.NDArray[Any]


@inlined
def _spread(value: Any) -> Any:
    """Spread 62 bits over 31; products stay below 2^63 so that plain Python gives the same."""
    mixed = ((value & _M31) * 0x2545F491 + ((value >> 31) & _M31) * 0x1B873593) & _M62
    mixed = (mixed ^ (mixed >> 29)) & _M31
    mixed = (mixed * 0x3C6EF373) & _M62
    return (mixed ^ (mixed >> 31)) & _M31


@inlined
def _slot_of(business: Any, place: Any, hi: Any, lo: Any, port: Any, table: Any, cells: Any) -> Any:
    """Return the slot of `table` that holds a cell, or the empty one where it belongs."""
    mask = np.int64(len(table) - 1)
    names = ((business + 1) & 0x3FFFFF) << 40 | ((place + 1) & 0x7FFFFF) << 17 | ((port + 1) & 0x1FFFF)
    slot = (_spread(lo & _M62) ^ _spread((hi & _M62) ^ ((lo >> 62) & 3)) ^ _spread(names)) & mask
    while table[slot] != 0:
        line = table[slot] - 1
        if (
            cells[line, K_SERVER_LO] == lo
            and cells[line, K_PORT] == port
            and cells[line, K_PLACE] == place
            and cells[line, K_BUSINESS] == business
            and cells[line, K_SERVER_HI] == hi
        ):
            break
        slot = (slot + 1) & mask
    return slot


@inlined
def line_of(
    business: Any, place: Any, hi: Any, lo: Any, port: Any, table: Any, cells: Any, state: Any, most: Any
) -> Any:
    """Return the line of a cell, a new one if need be; `cells` has room for one more.

    table: int64[2^k], at least twice as long as `cells`, line + 1, 0 = empty. Of `most` lines a quarter is for cells
    without server. Without room a server counts in the cell of its place that names none, a place as unknown; that one
    always gets a line.
    """
    full = False
    while True:
        slot = _slot_of(business, place, hi, lo, port, table, cells)
        if table[slot] != 0:
            break
        used = state[S_LINES]
        if used < most - most // 4 or (port < 0 and (used < most or place < 0)):
            cells[used, K_BUSINESS] = business
            cells[used, K_PLACE] = place
            cells[used, K_SERVER_HI] = hi
            cells[used, K_SERVER_LO] = lo
            cells[used, K_PORT] = port
            table[slot] = used + 1
            state[S_LINES] = used + 1
            break
        full = True
        if port >= 0:
            hi = np.int64(0)
            lo = np.int64(0)
            port = np.int64(-1)
        else:
            place = np.int64(-1)
    if full:
        state[S_OVERFLOWED] += 1
    return table[slot] - 1


@kernel
def index_lines(table: Numbers, cells: Numbers, used: int) -> int:
    """Enter the first `used` cells into an empty table; return how many they were."""
    for line in range(used):
        slot = _slot_of(
            cells[line, K_BUSINESS],
            cells[line, K_PLACE],
            cells[line, K_SERVER_HI],
            cells[line, K_SERVER_LO],
            cells[line, K_PORT],
            table,
            cells,
        )
        table[slot] = np.int64(line + 1)
    return used


@inlined
def _share_line(
    k: Any, business: Any, place: Any, addresses: Any, ports: Any, client_is_source: Any, table: Any, cells: Any,
    state: Any, most: Any,
) -> Any:  # fmt: skip
    """Return the line of one owner's share; a server is named where a business's rule names the end that answers."""
    if business >= 0 and client_is_source[k] != 0:
        port = np.int64(ports[1, k])
        return line_of(business, place, addresses[2, k], addresses[3, k], port, table, cells, state, most)
    return line_of(business, place, np.int64(0), np.int64(0), np.int64(-1), table, cells, state, most)


@kernel
def gather_records(
    begin: int,
    earliest: int,
    end: int,
    addresses: Numbers,
    ports: Columns,
    times: Numbers,
    counters: Numbers,
    rules: Columns,
    client_rows: Columns,
    client_is_source: Columns,
    owner_offsets: Columns,
    owner_business: Columns,
    place_of_row: Columns,
    point: int,
    table: Numbers,
    cells: Numbers,
    lines: Numbers,
    state: Numbers,
    most: int,
) -> int:
    """Add quality records from `begin` on to the lines of an interval; return the first that found no room, n if none.

    Records with earliest <= time < end, ms, are of the interval; the others are passed over. addresses: int64[4, n],
    ports: uint16[2, n], times: int64[n], counters: int64[QUALITY_COUNTERS, n] as in QualityBatch; rules, client_rows:
    int32[n], -1 = none, client_is_source: uint8[n] as in AttributedBatch. owner_business[owner_offsets[r]:...]: the
    owners of rule r; place_of_row: the place of a plan row, int32. point: the bit of the observation point. table,
    cells, state, most: see line_of. lines: int64[len(cells), LINE_WORDS]. A record is added whole or not at all: a
    caller who makes room goes on where this ended.
    """
    for k in range(begin, len(times)):
        if times[k] < earliest or times[k] >= end:
            continue
        rule = np.int64(rules[k])
        first, last = np.int64(0), np.int64(1)
        if rule >= 0:
            first, last = np.int64(owner_offsets[rule]), np.int64(owner_offsets[rule + 1])
        if state[S_LINES] + last - first > len(cells):
            return k
        row = np.int64(client_rows[k])
        place = np.int64(-1)
        if row >= 0:
            place = np.int64(place_of_row[row])
        for owner in range(first, last):
            business = np.int64(-1)
            if rule >= 0:
                business = np.int64(owner_business[owner])
            line = _share_line(k, business, place, addresses, ports, client_is_source, table, cells, state, most)
            for counter in range(QUALITY_COUNTERS):
                if counters[counter, k] > 0:
                    lines[line, counter] = capped_sum(lines[line, counter], counters[counter, k])
            lines[line, L_FLAGS] |= _CHANGED
            lines[line, L_POINTS] |= point
    return len(times)


@kernel
def gather_samples(
    begin: int,
    earliest: int,
    end: int,
    addresses: Numbers,
    ports: Columns,
    times: Numbers,
    kinds: Columns,
    nanoseconds: Numbers,
    rules: Columns,
    client_rows: Columns,
    client_is_source: Columns,
    owner_offsets: Columns,
    owner_business: Columns,
    place_of_row: Columns,
    point: int,
    table: Numbers,
    cells: Numbers,
    lines: Numbers,
    stats: Numbers,
    buckets: npt.NDArray[np.int32],
    state: Numbers,
    most: int,
    line_parts: Numbers,
    flat_buckets: npt.NDArray[np.int32],
    scratch: Numbers,
) -> Any:
    """Add measured durations to the sketches of an interval; arguments and result as with gather_records.

    kinds: uint8[m], one that does not exist is passed over; nanoseconds: int64[m]. stats, buckets: see sketch.py.
    line_parts: lines as int64[4 * len(lines), 8], flat_buckets: buckets as int32[n]: the same memory, to ask for parts
    of it. scratch: int64[3, s], s at least the owners a rule has.

    Short passes over some samples at a time: which line, which sketch, and only then the sums; each asks for the memory
    that the next one needs, as every sample would wait for it otherwise.
    """
    n = len(times)
    k: Any = np.int64(begin)
    while k < n:
        count = np.int64(0)
        full = False
        while k < n:
            kind = np.int64(kinds[k])
            if times[k] < earliest or times[k] >= end or kind >= SAMPLE_KINDS:
                k += 1
                continue
            rule = np.int64(rules[k])
            first, last = np.int64(0), np.int64(1)
            if rule >= 0:
                first, last = np.int64(owner_offsets[rule]), np.int64(owner_offsets[rule + 1])
            shares = last - first
            full = state[S_LINES] + shares > len(cells) or state[S_SKETCHES] + count + shares > len(stats)
            if full or count + shares > scratch.shape[1]:
                break
            row = np.int64(client_rows[k])
            place = np.int64(-1)
            if row >= 0:
                place = np.int64(place_of_row[row])
            for owner in range(first, last):
                business = np.int64(-1)
                if rule >= 0:
                    business = np.int64(owner_business[owner])
                line = _share_line(k, business, place, addresses, ports, client_is_source, table, cells, state, most)
                prefetch(line_parts, line * (LINE_WORDS // 8) + L_FLAGS // 8)
                scratch[0, count] = k
                scratch[1, count] = line
                count += 1
            k += 1
        for share in range(count):
            line = scratch[1, share]
            sample = scratch[0, share]
            kind = np.int64(kinds[sample])
            sketch = lines[line, L_SKETCH + kind]
            if sketch == 0:
                sketch = state[S_SKETCHES] + 1
                state[S_SKETCHES] = sketch
                lines[line, L_SKETCH + kind] = sketch
            lines[line, L_FLAGS] |= _CHANGED
            lines[line, L_POINTS] |= point
            value = max(nanoseconds[sample], np.int64(0))
            bucket = bucket_of(value)
            prefetch(stats, sketch - 1)
            prefetch(flat_buckets, (sketch - 1) * BUCKETS + bucket)
            scratch[0, share] = sketch - 1
            scratch[1, share] = value
            scratch[2, share] = bucket
        for share in range(count):
            add_to(scratch[0, share], scratch[1, share], scratch[2, share], stats, buckets)
        if full:
            return k
    return n


@kernel
def absorb(
    from_cells: Numbers,
    from_lines: Numbers,
    from_stats: Numbers,
    from_buckets: npt.NDArray[np.int32],
    used: int,
    table: Numbers,
    cells: Numbers,
    lines: Numbers,
    stats: Numbers,
    buckets: npt.NDArray[np.int32],
    state: Numbers,
) -> int:
    """Add the first `used` lines of one interval, with their sketches, to those of another that has room for all."""
    most = np.int64(_M31)
    for source in range(used):
        line = line_of(
            from_cells[source, K_BUSINESS],
            from_cells[source, K_PLACE],
            from_cells[source, K_SERVER_HI],
            from_cells[source, K_SERVER_LO],
            from_cells[source, K_PORT],
            table,
            cells,
            state,
            most,
        )
        for counter in range(QUALITY_COUNTERS):
            lines[line, counter] = capped_sum(lines[line, counter], from_lines[source, counter])
        lines[line, L_FLAGS] |= from_lines[source, L_FLAGS]
        lines[line, L_POINTS] |= from_lines[source, L_POINTS]
        for kind in range(SAMPLE_KINDS):
            other = from_lines[source, L_SKETCH + kind]
            if other == 0:
                continue
            sketch = lines[line, L_SKETCH + kind]
            if sketch == 0:
                sketch = state[S_SKETCHES] + 1
                state[S_SKETCHES] = sketch
                lines[line, L_SKETCH + kind] = sketch
            add_sketch(other - 1, from_stats, from_buckets, sketch - 1, stats, buckets)
    return used
