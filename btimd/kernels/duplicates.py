"""The table of who reported a flow first: two words per flow key, four to a line; a full line uses its neighbour."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from btimd.kernels._jit import inlined, kernel, prefetch

BLOCK: Final = 256
WAYS: Final = 4
DOMAIN_BITS: Final = 11
(C_TRACKED, C_DUPLICATES, C_REFUSED, C_TAKEN_OVER, C_SAMPLED_TWICE, C_OCTETS) = range(6)
COUNTS_SIZE: Final = 6
SAMPLED, PREFERRED = 1, 2
_OWNER_SHIFT: Final = 2
_SEEN_SHIFT: Final = 34
_OWNER_MASK: Final = 0xFFFFFFFF


@inlined
def chosen(source_lo: Any, destination_lo: Any, ports: Any, seed: Any) -> Any:
    """Return a cheap hash of a flow key of which six bits decide whether it is in the sample."""
    mixed = (source_lo & 0xFFFFFFFF) + (destination_lo & 0xFFFFFFFF) * 5 + ports * 11
    return ((mixed ^ seed) & 0xFFFFFFFF) * 0x2545F491 >> 26


@inlined
def key_hash(source_hi: Any, source_lo: Any, destination_hi: Any, destination_lo: Any, ports: Any, protocol: Any,
             seed: Any) -> Any:  # fmt: skip
    """Return 63 bits that stand for a flow key, never 0; no product leaves 63 bits."""
    mixed = source_lo ^ seed
    value = (mixed & 0xFFFFFFFF) * 0x2545F491
    value ^= (((mixed >> 32) & 0xFFFFFFFF) ^ (protocol << 20)) * 0x1B873593
    value ^= (destination_lo & 0xFFFFFFFF) * 0x19D699A5
    value ^= ((destination_lo >> 32) & 0xFFFFFFFF) * 0x27D4EB2D
    value ^= (ports & 0xFFFFFFFF) * 0x165667B1
    value ^= (source_hi & 0xFFFFFFFF) * 0x2C1B3C6D
    value ^= ((source_hi >> 32) & 0xFFFFFFFF) * 0x297A2D39
    value ^= (destination_hi & 0xFFFFFFFF) * 0x3C6EF372
    value ^= ((destination_hi >> 32) & 0xFFFFFFFF) * 0x1F83D9AB
    # Both halves of the sum are mixed into each other: equal steps of ports or addresses are no equal steps of this.
    low = ((value ^ (value >> 31)) & 0xFFFFFFFF) * 0x2C1B3C6D
    high = ((value >> 20) & 0xFFFFFFFF) * 0x1B873593
    return ((low ^ (high >> 17) ^ ((high & 0x3FFFFFF) << 37)) & 0x7FFFFFFFFFFFFFFF) | 1


@inlined
def owner_of(exporter: Any, domain: Any, direction: Any) -> Any:
    """Return the observation point of a record as 32 bits: exporter, a hash of its domain, direction."""
    folded = ((domain & 0xFFFFFFFF) * 0x2545F491 >> 17) & ((1 << DOMAIN_BITS) - 1)
    return ((exporter & 0xFFFFF) << (DOMAIN_BITS + 1)) | (folded << 1) | (1 if direction == 1 else 0)


@inlined
def _place_of(table: Any, line: Any, key: Any) -> Any:
    """Return the row of a key in a line, -1 where it is not; all four are compared, no branch is to be guessed."""
    first = line * WAYS
    way = np.int64(table[first + 1, 0] == key)
    way += 2 * np.int64(table[first + 2, 0] == key)
    way += 3 * np.int64(table[first + 3, 0] == key)
    return first + way if table[first + way, 0] == key else np.int64(-1)


@inlined
def _room_in(table: Any, line: Any, now_seconds: Any, silence_seconds: Any) -> Any:
    """Return the first row of a line that is empty or whose owner has been silent for long, -1 where none is."""
    for row in range(line * WAYS, line * WAYS + WAYS):
        if table[row, 0] == 0 or now_seconds - (table[row, 1] >> _SEEN_SHIFT) > silence_seconds:
            return np.int64(row)
    return np.int64(-1)


@kernel
def mark(
    source_hi: npt.NDArray[np.int64],
    source_lo: npt.NDArray[np.int64],
    destination_hi: npt.NDArray[np.int64],
    destination_lo: npt.NDArray[np.int64],
    source_port: npt.NDArray[np.uint16],
    destination_port: npt.NDArray[np.uint16],
    protocol: npt.NDArray[np.uint8],
    direction: npt.NDArray[np.uint8],
    domain: npt.NDArray[np.uint32],
    exporter: npt.NDArray[np.int32],
    sampling_rate: npt.NDArray[np.int32],
    octets: npt.NDArray[np.int64],
    preferred: npt.NDArray[np.uint8],
    sample_mask: int,
    now_seconds: int,
    silence_seconds: int,
    seed: int,
    table: npt.NDArray[np.int64],
    scratch: npt.NDArray[np.int64],
    counts: npt.NDArray[np.int64],
    of_exporter: npt.NDArray[np.int64],
    duplicate: npt.NDArray[np.bool_],
) -> int:
    """Mark the records whose flow another observation point owns; return how many there are.

    Columns of n records. sample_mask: 63 = look at keys whose `chosen` has six zero bits, 0 = at all. now_seconds:
    0..2^28. table: int64[4 * 2^k, 2], k >= 1, all zero at first: key hash (0 = empty), and when its owner last saw it
    << 34 | owner << 2 | PREFERRED | SAMPLED. scratch: int64[3, BLOCK]. counts: int64[COUNTS_SIZE], added to. preferred,
    of_exporter: by exporter, as long as the largest exporter number + 1. duplicate: all False at first, written.

    A key belongs to the point that reported it first, until that one is silent for silence_seconds; a preferred point
    takes it over, and so does one that sees every packet from one that samples. Records of sampled packets are
    duplicates only of flows that a point without sampling owns: two samplers see different packets.
    """
    lines = len(table) // WAYS - 1
    found = 0
    rows, keys, picks = scratch[0], scratch[1], scratch[2]
    # Four passes over blocks that fit the first cache; in those that calculate, nothing waits and nothing branches.
    for block in range(0, len(exporter), BLOCK):
        stop = min(block + BLOCK, len(exporter))
        s_hi, s_lo = source_hi[block:stop], source_lo[block:stop]
        d_hi, d_lo = destination_hi[block:stop], destination_lo[block:stop]
        s_port, d_port, kind = source_port[block:stop], destination_port[block:stop], protocol[block:stop]
        count = stop - block
        if sample_mask == 0:
            for k in range(stop - block):
                ports: Any = (np.int64(s_port[k]) << 16) | np.int64(d_port[k])
                rows[k] = k
                keys[k] = key_hash(s_hi[k], s_lo[k], d_hi[k], d_lo[k], ports, np.int64(kind[k]), seed)
        else:
            for k in range(stop - block):
                ports = (np.int64(s_port[k]) << 16) | np.int64(d_port[k])
                picks[k] = chosen(s_lo[k], d_lo[k], ports, seed)
            count = 0
            for k in range(stop - block):
                rows[count] = k
                count += 1 if picks[k] & sample_mask == 0 else 0
            for j in range(count):
                row: Any = rows[j]
                ports = (np.int64(s_port[row]) << 16) | np.int64(d_port[row])
                keys[j] = key_hash(s_hi[row], s_lo[row], d_hi[row], d_lo[row], ports, np.int64(kind[row]), seed)
        for j in range(count):
            prefetch(table, ((keys[j] >> 1) & lines) * WAYS)
        counts[C_TRACKED] += count
        for j in range(count):
            row = block + rows[j]
            key: Any = keys[j]
            who = np.int64(exporter[row])
            line: Any = (key >> 1) & lines
            at = _place_of(table, line, key)
            if at < 0 and table[line * WAYS + WAYS - 1, 0] != 0:  # was full once: the neighbour may have it
                at = _place_of(table, line ^ 1, key)
            rank = np.int64(PREFERRED if preferred[who] != 0 else 0)
            if sampling_rate[row] > 1:
                rank |= SAMPLED
            owner = owner_of(who, np.int64(domain[row]), direction[row])
            entry = (now_seconds << _SEEN_SHIFT) | (owner << _OWNER_SHIFT) | rank
            if at < 0:
                room = _room_in(table, line, now_seconds, silence_seconds)
                if room < 0:
                    room = _room_in(table, line ^ 1, now_seconds, silence_seconds)
                if room < 0:
                    counts[C_REFUSED] += 1
                else:
                    table[room, 0] = key
                    table[room, 1] = entry
                continue
            known = table[at, 1]
            if (known >> _OWNER_SHIFT) & _OWNER_MASK == owner or now_seconds - (known >> _SEEN_SHIFT) > silence_seconds:
                table[at, 1] = entry
                continue
            if rank & SAMPLED != 0 and known & SAMPLED != 0:
                counts[C_SAMPLED_TWICE] += 1
                continue
            better = known & SAMPLED != 0 or (rank & SAMPLED == 0 and rank & PREFERRED > known & PREFERRED)
            if better:
                counts[C_TAKEN_OVER] += 1
                table[at, 1] = entry
                continue
            duplicate[row] = True
            found += 1
            of_exporter[who] += 1
            counts[C_OCTETS] += max(octets[row], np.int64(0))
    counts[C_DUPLICATES] += found
    return found
