"""Sums per business, place and interval: the numbering of cells, and the parts of a flow, to the last octet."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from btimd.kernels._jit import inlined, kernel

FINE_MILLISECONDS: Final = 10_000
FINE_PER_COARSE: Final = 6
"""Known to the compiler, so that no record costs a division to find its intervals."""

# The columns of totals: int64[slots * cells, 8]. EXPORTERS: a bit for each exporter number modulo 64.
TO_SERVER, TO_CLIENT, PACKETS, FLOWS, FINE_USERS, COARSE_USERS, FLAGS, EXPORTERS = range(8)
# FLAGS: these bits; from RATES_SHIFT on all sampling rates or-ed together: the largest to less than twice that; from
# SKETCH_SHIFT on the number of a sketch + 1, see kernels.distinct. UNCOUNTED: a client of whom there is no trace.
INEXACT, FINE_CHANGED, COARSE_CHANGED, TIMES_ADJUSTED, RATE_ASSUMED, UNCOUNTED = 1, 2, 4, 8, 16, 32
RATES_SHIFT: Final = 8
SKETCH_SHIFT: Final = 40
SKETCH_MASK: Final = (1 << 22) - 1

# The columns of bounds: int64[3]: first interval of 10 s that is held, first that is not late, last that may be.
B_HELD, B_FRESH, B_LAST = range(3)
# The columns of tallies: int64[2, 4], of intervals of 10 s and of 60 s.
LATE_RECORDS, LATE_OCTETS, FUTURE_RECORDS, FUTURE_OCTETS = range(4)

CELL_BITS: Final = 21
# state of cells: int64[3]: the number of cells, shares without room for their place, records left out (Q_DROPPED).
C_CELLS, C_OVERFLOWED, C_DROPPED = range(3)


@inlined
def cell_of(
    business: Any,
    place: Any,
    stride: Any,
    table: npt.NDArray[np.int64],
    cells: npt.NDArray[np.int32],
    state: npt.NDArray[np.int64],
) -> Any:
    """Return the cell of a business at a place, a new one if need be; ~cell when the place found no room.

    table: int64[2^k], longer than `cells`, of (business + 1) * stride + place + 1, << CELL_BITS | cell + 1, 0 = empty;
    stride: more than there are places. A table of as many entries as there are such numbers is a plain array of two
    dimensions; a smaller one is searched. cells: int32[c, 2], business and place of each cell; cell b + 1 is (b, -1)
    for every business from -1. When `cells` is full, a new place goes to its business's place -1.
    """
    if place < 0:
        return np.int64(business + 1)
    key = (business + 1) * stride + place + 1
    mask = len(table) - 1
    slot = key & mask
    entry = table[slot]
    while entry != 0 and entry >> CELL_BITS != key:
        slot = (slot + 1) & mask
        entry = table[slot]
    if entry != 0:
        return (entry & ((1 << CELL_BITS) - 1)) - 1
    if state[C_CELLS] >= len(cells):
        return ~np.int64(business + 1)
    cell = state[C_CELLS]
    table[slot] = (key << CELL_BITS) | (cell + 1)
    cells[cell, 0] = business
    cells[cell, 1] = place
    state[C_CELLS] += 1
    return cell


@kernel
def find_cells(
    business: npt.NDArray[np.int32],
    place: npt.NDArray[np.int32],
    stride: int,
    table: npt.NDArray[np.int64],
    cells: npt.NDArray[np.int32],
    state: npt.NDArray[np.int64],
    found: npt.NDArray[np.int64],
) -> int:
    """Write the cell of each business and place, int64[n]; return how many found no room and are at place -1."""
    lost = 0
    for k in range(len(business)):
        cell = cell_of(np.int64(business[k]), np.int64(place[k]), stride, table, cells, state)
        if cell < 0:
            lost += 1
            cell = ~cell
        found[k] = cell
    state[C_OVERFLOWED] += lost
    return lost


@inlined
def scaled(count: Any, rate: Any) -> Any:
    """Return count times rate, 0 for a negative count, 2^63 - 1 for more than that."""
    count = max(count, np.int64(0))
    rate = max(rate, np.int64(1))
    if count < 0x100000000 or count <= 0x7FFFFFFFFFFFFFFF // rate:
        return count * rate
    return np.int64(0x7FFFFFFFFFFFFFFF)


@inlined
def quotient(dividend: Any, divisor: Any, reciprocal: Any) -> Any:
    """Return floor(dividend / divisor), exactly, with 1 / divisor as a float; the result must be below 2^33.

    The product is off by less than one, which the remainder tells; it costs a third of a division.
    """
    result = np.int64(np.float64(dividend) * reciprocal)
    rest = dividend - result * divisor
    return result + np.int64(rest >= divisor) - np.int64(rest < 0)


@inlined
def part(total: Any, elapsed: Any, duration: Any) -> Any:
    """Return floor(total * elapsed / duration) without leaving 63 bits; 0 <= elapsed <= duration < 2^31."""
    return total // duration * elapsed + total % duration * elapsed // duration


@inlined
def capped_sum(left: Any, right: Any) -> Any:
    """Return the sum of two non-negative numbers, 2^63 - 1 for more than that."""
    return left + right if left <= 0x7FFFFFFFFFFFFFFF - right else np.int64(0x7FFFFFFFFFFFFFFF)


@inlined
def add(
    line: Any,
    direction: Any,
    octets: Any,
    packets: Any,
    ends: Any,
    fine_user: Any,
    coarse_user: Any,
    flags: Any,
    exporter: Any,
    totals: npt.NDArray[np.int64],
) -> None:
    """Add what one share brings to one cell of one interval, which is a line of `totals`."""
    totals[line, direction] = capped_sum(totals[line, direction], octets)
    totals[line, PACKETS] = capped_sum(totals[line, PACKETS], packets)
    totals[line, FLOWS] += np.int64(ends)
    totals[line, FINE_USERS] += fine_user
    totals[line, COARSE_USERS] += coarse_user
    totals[line, FLAGS] |= flags
    totals[line, EXPORTERS] |= exporter
