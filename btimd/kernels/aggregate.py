"""Sums per business, place and interval: flows are spread over their own time, to the last octet."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from btimd.kernels._jit import inlined, kernel

FINE_MILLISECONDS: Final = 10_000
FINE_PER_COARSE: Final = 6
"""Known to the compiler, so that no record costs a division to find its intervals."""

# The columns of totals: int64[slots, cells, 8], the eighth unused.
TO_SERVER, TO_CLIENT, PACKETS, FLOWS, FINE_USERS, COARSE_USERS, FLAGS = range(7)
SAMPLED, INEXACT, FINE_CHANGED, COARSE_CHANGED = 1, 2, 4, 8

# The columns of bounds: int64[3]: first interval of 10 s that is held, first that is not late, last that may be.
B_HELD, B_FRESH, B_LAST = range(3)
# The columns of tallies: int64[2, 4], of intervals of 10 s and of 60 s.
LATE_RECORDS, LATE_OCTETS, FUTURE_RECORDS, FUTURE_OCTETS = range(4)


@inlined
def cell_hash(key: Any) -> Any:
    """Return a non-negative hash of a cell's key; no product leaves 63 bits."""
    value = (key & 0xFFFFFFFF) * 0x2545F491
    value ^= ((key >> 32) & 0xFFFFFFFF) * 0x1B873593
    value = ((value ^ (value >> 31)) & 0xFFFFFFFF) * 0x2C1B3C6D
    return value >> 20


@kernel
def find_cells(
    share_record: npt.NDArray[np.int32],
    share_business: npt.NDArray[np.int32],
    share_pair: npt.NDArray[np.int32],
    client_row: npt.NDArray[np.int32],
    place_of_row: npt.NDArray[np.int32],
    keys: npt.NDArray[np.int64],
    values: npt.NDArray[np.int32],
    cells: npt.NDArray[np.int32],
    state: npt.NDArray[np.int64],
    pairs: npt.NDArray[np.int64],
    share_cell: npt.NDArray[np.int32],
) -> int:
    """Find the cell (business, place) of each share that has none yet; return how many found no room.

    share_record, share_business, share_pair: int32[s]. client_row: int32 per record, -1 = not in the plan.
    place_of_row: int32 per plan row. keys, values: int64 and int32[2^k], an open-addressing table, key
    (business + 1) << 32 | place + 1, value the cell, -1 = empty. cells: int32[c, 2] with c * 2 <= 2^k, business and
    place of each cell; cell b + 1 is (b, -1) for every business from -1. state: int64[1], the number of cells.
    pairs: int64[p, 8], the table of users.number, whose last column remembers the cell of a pair. share_cell:
    int32[s], -1 = to be found. When `cells` is full, a new place goes to its business's place -1 without being
    remembered, so that each time is counted.
    """
    mask = len(keys) - 1
    lost = 0
    for k in range(len(share_record)):
        if share_cell[k] >= 0:
            continue
        row = np.int64(client_row[share_record[k]])
        business = np.int64(share_business[k])
        pair = np.int64(share_pair[k])
        if row < 0:
            share_cell[k] = business + 1
            if pair >= 0:
                pairs[pair, 7] = business + 1
            continue
        place = np.int64(place_of_row[row])
        key = ((business + 1) << 32) | (place + 1)
        slot = cell_hash(key) & mask
        while values[slot] >= 0 and keys[slot] != key:
            slot = (slot + 1) & mask
        if values[slot] >= 0:
            share_cell[k] = values[slot]
        elif state[0] < len(cells):
            keys[slot] = key
            values[slot] = state[0]
            cells[state[0], 0] = business
            cells[state[0], 1] = place
            share_cell[k] = state[0]
            state[0] += 1
        else:
            share_cell[k] = business + 1
            lost += 1
            continue
        if pair >= 0:
            pairs[pair, 7] = share_cell[k]
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
def part(total: Any, elapsed: Any, duration: Any) -> Any:
    """Return floor(total * elapsed / duration) without leaving 63 bits; 0 <= elapsed <= duration < 2^31."""
    return total // duration * elapsed + total % duration * elapsed // duration


@inlined
def capped_sum(left: Any, right: Any) -> Any:
    """Return the sum of two non-negative numbers, 2^63 - 1 for more than that."""
    return left + right if left <= 0x7FFFFFFFFFFFFFFF - right else np.int64(0x7FFFFFFFFFFFFFFF)


@inlined
def add(
    slot: Any,
    coarse_slot: Any,
    cell: Any,
    pair: Any,
    direction: Any,
    octets: Any,
    packets: Any,
    ends: Any,
    flags: Any,
    slot_changed: npt.NDArray[np.uint8],
    totals: npt.NDArray[np.int64],
    seen: npt.NDArray[np.uint8],
) -> Any:
    """Add what one share brings to one cell of one interval; see `spread` for the shapes."""
    slot_changed[slot] |= flags >> 2
    totals[slot, cell, direction] = capped_sum(totals[slot, cell, direction], octets)
    totals[slot, cell, PACKETS] = capped_sum(totals[slot, cell, PACKETS], packets)
    totals[slot, cell, FLOWS] += np.int64(ends)
    totals[slot, cell, FLAGS] |= flags
    if pair >= 0:
        # Added without a branch: whether a pair was seen before cannot be predicted.
        shift = pair & 7
        fine = np.int64(seen[slot, pair >> 3])
        coarse = np.int64(seen[coarse_slot, pair >> 3])
        totals[slot, cell, FINE_USERS] += 1 - ((fine >> shift) & 1)
        totals[slot, cell, COARSE_USERS] += 1 - ((coarse >> shift) & 1)
        seen[slot, pair >> 3] = fine | (1 << shift)
        seen[coarse_slot, pair >> 3] = coarse | (1 << shift)


@kernel
def spread(
    share_record: npt.NDArray[np.int32],
    share_pair: npt.NDArray[np.int32],
    share_cell: npt.NDArray[np.int32],
    start_milliseconds: npt.NDArray[np.int64],
    end_milliseconds: npt.NDArray[np.int64],
    octets: npt.NDArray[np.int64],
    packets: npt.NDArray[np.int64],
    sampling_rate: npt.NDArray[np.int32],
    client_is_source: npt.NDArray[np.uint8],
    bounds: npt.NDArray[np.int64],
    slot_interval: npt.NDArray[np.int64],
    slot_changed: npt.NDArray[np.uint8],
    totals: npt.NDArray[np.int64],
    seen: npt.NDArray[np.uint8],
    tallies: npt.NDArray[np.int64],
) -> int:
    """Add each share to the cells of the intervals of 10 s its flow touched; return the number of additions.

    An interval of 60 s is the sum of its six, users excepted; who was not seen in it before is noted in the column
    COARSE_USERS of the interval of 10 s in which it happened.
    share_*: int32[s]; shares of one record stand together, and a pair is always in the same cell. The next six
    arrays are columns of the records; a flow covers start..end, both milliseconds included, at most the last 2^31 - 1
    of them; times before 1970 count as 1970, an end before the start as the start. Octets and packets are multiplied
    by the sampling rate, sums stop at 2^63 - 1.
    bounds: see above; what is held and not fresh counts for intervals of 60 s only. slot_interval: int64[2^f], the
    interval a slot holds, -1 = none; 2^f is at least the number of intervals held. slot_changed: uint8[2^f], written:
    1 changed, 2 changed for the interval of 60 s. totals: int64[2^f, c, 8], zero in slots that hold nothing.
    seen: uint8[2^f + 2^g, p / 8], a bit per pair, of intervals of 10 s and then, by number modulo 2^g, of 60 s.
    tallies: added to: records of which something was too old, octets too old (once per record), records that end
    after the last interval, octets of those.
    """
    additions = 0
    fine_mask = len(slot_interval) - 1
    coarse_base = len(slot_interval)
    coarse_mask = len(seen) - len(slot_interval) - 1
    held, fresh, last = bounds[B_HELD], bounds[B_FRESH], bounds[B_LAST]
    for k in range(len(share_record)):
        i = np.int64(share_record[k])
        cell = np.int64(share_cell[k])
        pair = np.int64(share_pair[k])
        rate = np.int64(sampling_rate[i])
        all_octets = scaled(octets[i], rate)
        all_packets = scaled(packets[i], rate)
        start = max(start_milliseconds[i], np.int64(0))
        end = max(end_milliseconds[i], start)
        start = max(start, end - 0x7FFFFFFE)
        interval = start // FINE_MILLISECONDS
        final = end // FINE_MILLISECONDS
        direction = TO_SERVER if client_is_source[i] != 0 else TO_CLIENT
        flags = (SAMPLED if rate > 1 else 0) | (INEXACT if pair < 0 else 0) | FINE_CHANGED | COARSE_CHANGED
        if interval == final and fresh <= final <= last:
            slot = final & fine_mask
            slot_interval[slot] = final
            add(slot, coarse_base + (final // FINE_PER_COARSE & coarse_mask), cell, pair, direction, all_octets,
                all_packets, 1, flags, slot_changed, totals, seen)  # fmt: skip
            additions += 1
            continue
        first_owner = k == 0 or share_record[k - 1] != share_record[k]
        if final > last:
            if first_owner:
                for level in range(2):
                    tallies[level, FUTURE_RECORDS] += 1
                    tallies[level, FUTURE_OCTETS] = capped_sum(tallies[level, FUTURE_OCTETS], all_octets)
            continue
        duration = end - start + 1
        if interval < fresh and first_owner:
            for level in range(2):
                edge = fresh if level == 0 else held
                if interval < edge:
                    elapsed = min(edge * FINE_MILLISECONDS - start, duration)
                    tallies[level, LATE_RECORDS] += 1
                    tallies[level, LATE_OCTETS] = capped_sum(
                        tallies[level, LATE_OCTETS], part(all_octets, elapsed, duration)
                    )
        done_octets = np.int64(0)
        done_packets = np.int64(0)
        if interval < held:
            interval = held
            elapsed = min(held * FINE_MILLISECONDS - start, duration)
            done_octets = part(all_octets, elapsed, duration)
            done_packets = part(all_packets, elapsed, duration)
        # Up to an edge, `elapsed` after the start, passed floor(all * elapsed / duration). One division finds it for
        # the first edge; from edge to edge quotient and remainder advance by constant steps, which is as exact.
        elapsed = (interval + 1) * FINE_MILLISECONDS - start
        whole_octets = np.int64(0) if all_octets < 0x100000000 else all_octets // duration
        whole_packets = np.int64(0) if all_packets < 0x100000000 else all_packets // duration
        rest_octets = all_octets - whole_octets * duration
        rest_packets = all_packets - whole_packets * duration
        upto_octets = all_octets
        upto_packets = all_packets
        over_octets = over_packets = step_octets = step_packets = more_octets = more_packets = np.int64(0)
        if interval < final:
            upto_octets = rest_octets * elapsed // duration
            over_octets = rest_octets * elapsed - upto_octets * duration
            upto_octets += whole_octets * elapsed
            upto_packets = rest_packets * elapsed // duration
            over_packets = rest_packets * elapsed - upto_packets * duration
            upto_packets += whole_packets * elapsed
        if interval + 1 < final:
            step_octets = rest_octets * FINE_MILLISECONDS // duration
            more_octets = rest_octets * FINE_MILLISECONDS - step_octets * duration
            step_octets += whole_octets * FINE_MILLISECONDS
            step_packets = rest_packets * FINE_MILLISECONDS // duration
            more_packets = rest_packets * FINE_MILLISECONDS - step_packets * duration
            step_packets += whole_packets * FINE_MILLISECONDS
        while interval <= final:
            if interval == final:
                upto_octets = all_octets
                upto_packets = all_packets
            slot = interval & fine_mask
            slot_interval[slot] = interval
            add(slot, coarse_base + (interval // FINE_PER_COARSE & coarse_mask), cell, pair, direction,
                upto_octets - done_octets, upto_packets - done_packets, interval == final,
                flags if interval >= fresh else flags & ~FINE_CHANGED, slot_changed, totals, seen)  # fmt: skip
            done_octets = upto_octets
            done_packets = upto_packets
            interval += 1
            additions += 1
            if interval < final:
                upto_octets += step_octets
                over_octets += more_octets
                if over_octets >= duration:
                    over_octets -= duration
                    upto_octets += 1
                upto_packets += step_packets
                over_packets += more_packets
                if over_packets >= duration:
                    over_packets -= duration
                    upto_packets += 1
    return additions
