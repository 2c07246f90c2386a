"""The table of who uses what: one line of 64 bytes per pair of client address and business."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from btimd.kernels._jit import inlined, kernel, prefetch

PAIR_BITS: Final = 24
BLOCK: Final = 256


@inlined
def pair_hash(hi: Any, lo: Any, business: Any, seed: int) -> Any:
    """Return a non-negative hash of a pair; no product leaves 63 bits, so it is the same with and without compiler."""
    mixed = lo ^ seed
    value = (mixed & 0xFFFFFFFF) * 0x2545F491
    value ^= ((mixed >> 32) & 0xFFFFFFFF) * 0x1B873593
    value ^= (hi & 0xFFFFFFFF) * 0x19D699A5
    value ^= ((hi >> 32) & 0xFFFFFFFF) * 0x27D4EB2D
    value ^= ((business + 1) & 0xFFFFFFFF) * 0x165667B1
    value = ((value ^ (value >> 31)) & 0xFFFFFFFF) * 0x2C1B3C6D
    return value >> 20


@inlined
def tag_of(value: Any) -> Any:
    """Return the bits of a hash that an entry of the index carries above the number of its pair."""
    return ((value >> 32) & 0x7F) << PAIR_BITS


@kernel
def number(
    source_hi: npt.NDArray[np.int64],
    source_lo: npt.NDArray[np.int64],
    destination_hi: npt.NDArray[np.int64],
    destination_lo: npt.NDArray[np.int64],
    start_milliseconds: npt.NDArray[np.int64],
    end_milliseconds: npt.NDArray[np.int64],
    octets: npt.NDArray[np.int64],
    sampling_rate: npt.NDArray[np.int32],
    rule_id: npt.NDArray[np.int32],
    client_row: npt.NDArray[np.int32],
    client_is_source: npt.NDArray[np.uint8],
    owner_offsets: npt.NDArray[np.int32],
    owner_business: npt.NDArray[np.int32],
    earliest: int,
    latest: int,
    seed: int,
    index: npt.NDArray[np.int32],
    pairs: npt.NDArray[np.int64],
    free: npt.NDArray[np.int32],
    state: npt.NDArray[np.int64],
    scratch: npt.NDArray[np.int64],
    share_record: npt.NDArray[np.int32],
    share_business: npt.NDArray[np.int32],
    share_pair: npt.NDArray[np.int32],
    share_cell: npt.NDArray[np.int32],
) -> int:
    """Give each owner of each flow a share, find or make the share's pair, and return the number of shares.

    Columns of n flows; rule_id -1 = business -1, otherwise the owners of rule r are
    owner_business[owner_offsets[r]:owner_offsets[r + 1]]. Times outside earliest..latest are brought to its edges.
    index: int32[2^k], by hash: seven more bits of the hash << 24 | pair number, -1 = empty; at least twice as long as
    there will be pairs. pairs: int64[p, 8], p <= 2^24: hi, lo, business (-2 = unused line), plan row, first seen,
    last seen, octets, cell (-1 at first, written by aggregate.find_cells). free: int32[p], numbers given back.
    state: int64[4]: pairs ever numbered, length of `free`, pairs of business -1, shares refused. scratch: int64, as
    long as the share_* arrays.
    share_*: int32, written, long enough for all shares; share_pair -1 = refused because the table is full, or half
    full for business -1, or the probe sequence is longer than 256; share_cell is the pair's, -1 = not known yet.
    Octets (times sampling rate) stop at 2^63 - 1.
    """
    most = 0x7FFFFFFFFFFFFFFF
    numbers = (1 << PAIR_BITS) - 1
    mask = len(index) - 1
    count = 0
    # Three passes over blocks that fit the first cache: hash and ask for the entry; ask for the line it points to;
    # verify and update. Nothing waits in the first two, so the misses of a block overlap.
    for block in range(0, len(rule_id), BLOCK):
        before = count
        for row in range(block, min(block + BLOCK, len(rule_id))):
            rule = np.int64(rule_id[row])
            outward = client_is_source[row] != 0
            one, other = source_hi[row], destination_hi[row]
            hi = one if outward else other
            one, other = source_lo[row], destination_lo[row]
            lo = one if outward else other
            first = np.int64(owner_offsets[rule]) if rule >= 0 else np.int64(0)
            last = np.int64(owner_offsets[rule + 1]) if rule >= 0 else np.int64(1)
            for at in range(first, last):
                business: Any = np.int64(owner_business[at]) if rule >= 0 else np.int64(-1)
                value: Any = pair_hash(hi, lo, business, seed)
                prefetch(index, value & mask)
                scratch[count] = value
                share_record[count] = row
                share_business[count] = business
                count += 1
        for k in range(before, count):
            prefetch(pairs, np.int64(index[scratch[k] & mask]) & numbers)
        for k in range(before, count):
            i = np.int64(share_record[k])
            business = np.int64(share_business[k])
            outward = client_is_source[i] != 0
            one, other = source_hi[i], destination_hi[i]
            hi = one if outward else other
            one, other = source_lo[i], destination_lo[i]
            lo = one if outward else other
            slot = scratch[k] & mask
            tag = tag_of(scratch[k])
            entry: Any = np.int64(index[slot])
            pair: Any = entry & numbers
            probes = 0
            while (
                entry >= 0
                and probes < 256
                and (
                    (entry ^ tag) > numbers
                    or pairs[pair, 1] != lo
                    or pairs[pair, 2] != business
                    or pairs[pair, 0] != hi
                )
            ):
                slot = (slot + 1) & mask
                entry = np.int64(index[slot])
                pair = entry & numbers
                probes += 1
            begin = min(max(start_milliseconds[i], earliest), latest)
            end = min(max(end_milliseconds[i], earliest), latest)
            amount = max(octets[i], np.int64(0))
            rate = max(np.int64(sampling_rate[i]), np.int64(1))
            amount = amount * rate if amount < 0x100000000 or amount <= most // rate else np.int64(most)
            cell = np.int64(-1)
            if probes == 256:
                pair = np.int64(-1)
                state[3] += 1
            elif entry < 0:
                pair = np.int64(-1)
                if business < 0 and state[2] * 2 >= len(pairs):
                    state[3] += 1
                elif state[1] > 0 or state[0] < len(pairs):
                    if state[1] > 0:
                        state[1] -= 1
                        pair = np.int64(free[state[1]])
                    else:
                        pair = state[0]
                        state[0] += 1
                    if business < 0:
                        state[2] += 1
                    index[slot] = tag | pair
                    pairs[pair, 0] = hi
                    pairs[pair, 1] = lo
                    pairs[pair, 2] = business
                    pairs[pair, 3] = client_row[i]
                    pairs[pair, 4] = begin
                    pairs[pair, 5] = end
                    pairs[pair, 6] = amount
                    pairs[pair, 7] = -1
                else:
                    state[3] += 1
            else:
                pairs[pair, 3] = client_row[i]
                pairs[pair, 4] = min(pairs[pair, 4], begin)
                pairs[pair, 5] = max(pairs[pair, 5], end)
                known = pairs[pair, 6]
                pairs[pair, 6] = known + amount if known <= most - amount else np.int64(most)
                cell = pairs[pair, 7]
            share_pair[k] = pair
            share_cell[k] = cell
    return count


@kernel
def rebuild(
    index: npt.NDArray[np.int32],
    pairs: npt.NDArray[np.int64],
    free: npt.NDArray[np.int32],
    state: npt.NDArray[np.int64],
    keep_since: int,
    seed: int,
) -> int:
    """Forget the pairs last seen before `keep_since`, build the index anew, and return how many were forgotten.

    Shapes as in `number`. Lines of business -2 are unused: they go to `free`, which is built anew too.
    """
    forgotten = 0
    mask = len(index) - 1
    index[:] = -1
    state[1] = 0
    state[2] = 0
    for pair in range(state[0]):
        if pairs[pair, 2] != -2 and pairs[pair, 5] < keep_since:
            pairs[pair, 2] = -2
            forgotten += 1
        if pairs[pair, 2] == -2:
            free[state[1]] = pair
            state[1] += 1
            continue
        if pairs[pair, 2] < 0:
            state[2] += 1
        value = pair_hash(pairs[pair, 0], pairs[pair, 1], pairs[pair, 2], seed)
        slot = value & mask
        while index[slot] >= 0:
            slot = (slot + 1) & mask
        index[slot] = tag_of(value) | pair
    return forgotten
