"""Sums per business, place and interval: flows are spread over their own time, to the last octet."""

from typing import Any

import numpy as np
import numpy.typing as npt

from btimd.kernels._jit import inlined, kernel


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
    client_row: npt.NDArray[np.int32],
    place_of_row: npt.NDArray[np.int32],
    keys: npt.NDArray[np.int64],
    values: npt.NDArray[np.int32],
    cells: npt.NDArray[np.int32],
    state: npt.NDArray[np.int64],
    share_cell: npt.NDArray[np.int32],
) -> int:
    """Write the cell (business, place) of each share, new cells being numbered; return the shares without a cell.

    share_record, share_business: int32[s]. client_row: int32 per record, -1 = not in the plan. place_of_row: int32
    per plan row. keys, values: int64 and int32[2^k], an open-addressing table, key (business + 1) << 32 | place + 1,
    value the cell, -1 = empty. cells: int32[c, 2] with c * 2 <= 2^k, business and place of each cell; cell b + 1 is
    (b, -1) for every business from -1. state: int64[1], the number of cells. share_cell: int32[s], written; when
    `cells` is full a new place goes to its business's place -1, and that is what is counted and returned.
    """
    mask = len(keys) - 1
    lost = 0
    for k in range(len(share_record)):
        row = np.int64(client_row[share_record[k]])
        business = np.int64(share_business[k])
        if row < 0:
            share_cell[k] = business + 1
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
    levels: npt.NDArray[np.int64],
    slot_interval: npt.NDArray[np.int64],
    slot_changed: npt.NDArray[np.uint8],
    totals: npt.NDArray[np.int64],
    seen: npt.NDArray[np.uint8],
    tallies: npt.NDArray[np.int64],
) -> int:
    """Add each share to the cells of the intervals its flow touched, at every level; return the number of additions.

    share_*: int32[s]; shares of one record stand together, and a pair is always in the same cell. The next six
    arrays are columns of the records; a flow covers start..end, both milliseconds included, at most the last 2^31 - 1
    of them; times before 1970 count as 1970, an end before the start as the start. Octets and packets are multiplied
    by the sampling rate, sums stop at 2^63 - 1.
    levels: int64[l, 7]: interval in milliseconds, number of the first slot, slots - 1 (slots = a power of two),
    first and last interval that may be written (at most as many as there are slots); the last two, start and number
    of the interval in which the last flow ended, are the kernel's own, and start with zeros.
    slot_interval: int64[slots], the interval a slot holds, -1 = none. slot_changed: uint8[slots], set to 1.
    totals: int64[slots, c, 8]: octets to the server, octets to the client, packets, flows, users, flags (1 sampled,
    2 users not exact, 4 changed), 0, 0; zero in slots that hold nothing. seen: uint8[slots, p / 8], a bit per pair.
    tallies: int64[l, 4], added to: records of which something was too old, octets too old (once per record), records
    that end after the last interval, octets of those.
    """
    additions = 0
    for k in range(len(share_record)):
        i = np.int64(share_record[k])
        cell = np.int64(share_cell[k])
        pair = np.int64(share_pair[k])
        first_owner = k == 0 or share_record[k - 1] != share_record[k]
        rate = np.int64(sampling_rate[i])
        all_octets = scaled(octets[i], rate)
        all_packets = scaled(packets[i], rate)
        start = max(start_milliseconds[i], np.int64(0))
        end = max(end_milliseconds[i], start)
        start = max(start, end - 0x7FFFFFFE)
        duration = end - start + 1
        direction = 0 if client_is_source[i] != 0 else 1
        flags = 4 | (1 if rate > 1 else 0) | (2 if pair < 0 else 0)
        for level in range(len(levels)):
            length = levels[level, 0]
            lowest = levels[level, 3]
            # Most flows lie in the interval in which the last one ended: two comparisons instead of two divisions.
            if levels[level, 5] <= start and end - levels[level, 5] < length:
                interval = final = levels[level, 6]
            else:
                interval = start // length
                final = end // length
                levels[level, 5] = final * length
                levels[level, 6] = final
            if final > levels[level, 4]:
                if first_owner:
                    tallies[level, 2] += 1
                    tallies[level, 3] = capped_sum(tallies[level, 3], all_octets)
                continue
            done_octets = np.int64(0)
            done_packets = np.int64(0)
            if interval < lowest:
                interval = lowest
                elapsed = min(lowest * length - start, duration)
                done_octets = part(all_octets, elapsed, duration)
                done_packets = part(all_packets, elapsed, duration)
                if first_owner:
                    tallies[level, 0] += 1
                    tallies[level, 1] = capped_sum(tallies[level, 1], done_octets)
            while interval <= final:
                upto_octets = all_octets
                upto_packets = all_packets
                if interval < final:
                    elapsed = (interval + 1) * length - start
                    upto_octets = part(all_octets, elapsed, duration)
                    upto_packets = part(all_packets, elapsed, duration)
                slot = levels[level, 1] + (interval & levels[level, 2])
                slot_interval[slot] = interval
                slot_changed[slot] = 1
                totals[slot, cell, direction] = capped_sum(totals[slot, cell, direction], upto_octets - done_octets)
                totals[slot, cell, 2] = capped_sum(totals[slot, cell, 2], upto_packets - done_packets)
                totals[slot, cell, 5] |= flags
                totals[slot, cell, 3] += np.int64(interval == final)
                if pair >= 0:
                    # Added without a branch: whether a pair was seen before cannot be predicted.
                    bits = np.int64(seen[slot, pair >> 3])
                    totals[slot, cell, 4] += 1 - ((bits >> (pair & 7)) & 1)
                    seen[slot, pair >> 3] = bits | (1 << (pair & 7))
                done_octets = upto_octets
                done_packets = upto_packets
                interval += 1
                additions += 1
    return additions
