"""The table of who uses what: one node of two cache lines per client address, with five businesses each.

nodes: int64[n, 16], whose rows begin on a multiple of 128 octets. The first line holds the upper and the lower half of
the address, one word of which the lower half is the plan row and the upper half the next node of the same address
(-1 = none), and five entries, one per business: 0 = unused, otherwise key << KEY_SHIFT | minute << MINUTE_SHIFT | seen.
key is the business + 2 (1 = unattributed). seen is a bit for each interval of 10 s of the five minutes up to `minute`,
set where the pair was seen; the minute is kept modulo 2^16. The second line is for people and is int32, so `plain` is
the same memory as int32[n, 32]: when a pair was first and last seen, in ms after an epoch, and its octets modulo 2^31.
more: int32[n, 5], the octets above that, 0 in unused places. A pair's number is 5 * node + its place in the node.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from btimd.kernels._jit import inlined, kernel

NODE_BITS: Final = 24
NODE_WORDS: Final = 16
PLACES: Final = 5
MOST_PROBES: Final = 256
HI, LO, ENTRIES = 0, 1, 3
# Columns of the same memory as int32.
ROW, NEXT, FIRST, LAST, OCTETS, KIND = 4, 5, 16, 21, 26, 31
FREE, HEAD, CHAINED = 0, 1, 2
OCTETS_BITS: Final = 31

SEEN_BITS: Final = 30
SEEN_MINUTES: Final = 5
MINUTE_SHIFT: Final = SEEN_BITS
MINUTE_MASK: Final = 0xFFFF
KEY_SHIFT: Final = 46
KEY_BITS: Final = 17
KEY_OF_NOBODY: Final = 1

# state: int64[STATE_SIZE]: nodes ever numbered, numbers given back, pairs, unattributed pairs, shares refused.
S_NODES, S_FREE, S_PAIRS, S_NOBODY, S_REFUSED = range(5)
STATE_SIZE: Final = 5


@inlined
def address_hash(hi: Any, lo: Any, seed: Any) -> Any:
    """Return a non-negative hash of an address; no product leaves 63 bits, so it is the same without compiler."""
    mixed = lo ^ seed
    value = (mixed & 0xFFFFFFFF) * 0x2545F491
    value ^= ((mixed >> 32) & 0xFFFFFFFF) * 0x1B873593
    value ^= (hi & 0xFFFFFFFF) * 0x19D699A5
    value ^= ((hi >> 32) & 0xFFFFFFFF) * 0x27D4EB2D
    value = ((value ^ (value >> 31)) & 0xFFFFFFFF) * 0x2C1B3C6D
    return value >> 20


@inlined
def tag_of(value: Any) -> Any:
    """Return the bits of a hash that an entry of the index carries above the number of its node."""
    return ((value >> 32) & 0x7F) << NODE_BITS


@inlined
def new_node(
    hi: Any,
    lo: Any,
    row: Any,
    kind: Any,
    nodes: npt.NDArray[np.int64],
    plain: npt.NDArray[np.int32],
    free: npt.NDArray[np.int32],
    state: npt.NDArray[np.int64],
) -> Any:
    """Return a node without entries, -1 if there is none left."""
    if state[S_FREE] > 0:
        state[S_FREE] -= 1
        node = np.int64(free[state[S_FREE]])
    elif state[S_NODES] < len(nodes):
        node = state[S_NODES]
        state[S_NODES] += 1
    else:
        return np.int64(-1)
    for word in range(NODE_WORDS):
        nodes[node, word] = 0
    nodes[node, HI] = hi
    nodes[node, LO] = lo
    plain[node, ROW] = row
    plain[node, NEXT] = -1
    plain[node, KIND] = kind
    return node


@inlined
def new_pair(
    node: Any,
    place: Any,
    key: Any,
    nodes: npt.NDArray[np.int64],
    plain: npt.NDArray[np.int32],
    state: npt.NDArray[np.int64],
) -> None:
    """Let an unused place of a node be a pair that was never seen; `more` of an unused place is 0."""
    nodes[node, ENTRIES + place] = key << KEY_SHIFT
    plain[node, FIRST + place] = 0x7FFFFFFF
    plain[node, LAST + place] = 0
    plain[node, OCTETS + place] = 0
    state[S_PAIRS] += 1
    state[S_NOBODY] += np.int64(key == KEY_OF_NOBODY)


@inlined
def unused_place(head: Any, nodes: npt.NDArray[np.int64], plain: npt.NDArray[np.int32]) -> Any:
    """Return the first unused place of an address, 8 * node + place; without one, ~ the last node of its chain."""
    here = np.int64(head)
    while True:
        for place in range(PLACES):
            if nodes[here, ENTRIES + place] == 0:
                return here * 8 + place
        following = np.int64(plain[here, NEXT])
        if following < 0:
            return ~here
        here = following


@kernel
def rebuild(
    index: npt.NDArray[np.int32],
    nodes: npt.NDArray[np.int64],
    plain: npt.NDArray[np.int32],
    more: npt.NDArray[np.int32],
    free: npt.NDArray[np.int32],
    state: npt.NDArray[np.int64],
    keep_since: int,
    seed: int,
) -> int:
    """Forget the pairs last seen before `keep_since`, build the index anew, and return how many were forgotten.

    keep_since: ms after the epoch. index: int32[2^k], by hash: seven more bits of the hash << 24 | node, -1 = empty.
    free: int32[n], numbers of nodes given back, built anew too. Pairs keep their numbers, so a node stays as long as
    one of its pairs is known, and the first one of an address as long as any of them is.
    """
    forgotten = 0
    mask = len(index) - 1
    index[:] = -1
    state[S_FREE] = 0
    state[S_PAIRS] = 0
    state[S_NOBODY] = 0
    for head in range(state[S_NODES]):
        if plain[head, KIND] != HEAD:
            continue
        known = np.int64(0)
        before = np.int64(-1)
        here = np.int64(head)
        while here >= 0:
            following = np.int64(plain[here, NEXT])
            in_node = np.int64(0)
            for place in range(PLACES):
                entry = nodes[here, ENTRIES + place]
                if entry == 0:
                    continue
                if plain[here, LAST + place] < keep_since:
                    nodes[here, ENTRIES + place] = 0
                    more[here, place] = 0
                    forgotten += 1
                else:
                    in_node += 1
                    state[S_NOBODY] += np.int64(entry >> KEY_SHIFT == KEY_OF_NOBODY)
            known += in_node
            if in_node == 0 and before >= 0:
                plain[before, NEXT] = following
                plain[here, KIND] = FREE
            else:
                before = here
            here = following
        state[S_PAIRS] += known
        if known == 0:
            plain[head, KIND] = FREE
            continue
        value = address_hash(nodes[head, HI], nodes[head, LO], seed)
        slot = value & mask
        while index[slot] >= 0:
            slot = (slot + 1) & mask
        index[slot] = tag_of(value) | head
    for node in range(state[S_NODES]):
        if plain[node, KIND] == FREE:
            free[state[S_FREE]] = node
            state[S_FREE] += 1
    return forgotten


@kernel
def list_pairs(
    first_node: int,
    end_node: int,
    key: int,
    nodes: npt.NDArray[np.int64],
    plain: npt.NDArray[np.int32],
    more: npt.NDArray[np.int32],
    octets_before: npt.NDArray[np.int64],
    rates: npt.NDArray[np.float32],
    done: int,
    halves: npt.NDArray[np.int64],
    names: npt.NDArray[np.int32],
    times: npt.NDArray[np.int32],
    octets: npt.NDArray[np.int64],
    speeds: npt.NDArray[np.float32],
) -> int:
    """Write the pairs of the addresses whose first node is from first_node to end_node - 1; return how many there are.

    key: of the pairs that are wanted, 0 = of all that are attributed, -1 = of all. They are written from number `done`
    on, up to the length of the arrays, those of an address one after the other: halves: int64[2, n], of the address.
    names: int32[3, n]: business id, plan row, first node of the address. times: int32[2, n], first and last seen in ms
    after the epoch. octets: int64[n]. speeds: float32[2, n], see note_rates; NaN for a pair that it has not seen.
    """
    for head in range(first_node, end_node):
        if plain[head, KIND] != HEAD:
            continue
        here = np.int64(head)
        while here >= 0:
            for place in range(PLACES):
                found = nodes[here, ENTRIES + place] >> KEY_SHIFT
                if found == 0 or (found != key if key > 0 else key == 0 and found == KEY_OF_NOBODY):
                    continue
                if done >= len(octets):
                    return done
                halves[0, done] = nodes[head, HI]
                halves[1, done] = nodes[head, LO]
                names[0, done] = found - 2
                names[1, done] = plain[head, ROW]
                names[2, done] = head
                times[0, done] = plain[here, FIRST + place]
                times[1, done] = plain[here, LAST + place]
                octets[done] = (np.int64(more[here, place]) << OCTETS_BITS) | np.int64(plain[here, OCTETS + place])
                known = octets_before[place, here] > 0
                speeds[0, done] = rates[0, place, here] if known else np.float32(np.nan)
                speeds[1, done] = rates[1, place, here] if known else np.float32(np.nan)
                done += 1
            here = np.int64(plain[here, NEXT])
    return done


@kernel
def note_rates(
    end_node: int,
    nodes: npt.NDArray[np.int64],
    plain: npt.NDArray[np.int32],
    more: npt.NDArray[np.int32],
    seconds: float,
    weight: float,
    octets_before: npt.NDArray[np.int64],
    rates: npt.NDArray[np.float32],
) -> int:
    """Bring the rates of all pairs up to date, `seconds` after the last time; return how many pairs there are.

    octets_before: int64[PLACES, n], octets of a pair at the last call, 0 for one that was not there. rates:
    float32[2, PLACES, n]: octets per second since the call before, and what was usual before that: each call brings it
    towards the rate it finds by `weight` of the difference; the first rate that is not 0 is taken as it is. Memory of
    places that hold no pair is left alone, as the system gives it when it is first written to.
    """
    pairs = 0
    for node in range(end_node):
        for place in range(PLACES):
            if nodes[node, ENTRIES + place] == 0:
                if octets_before[place, node] != 0:
                    octets_before[place, node] = 0
                    rates[0, place, node] = 0.0
                    rates[1, place, node] = 0.0
                continue
            pairs += 1
            now = (np.int64(more[node, place]) << OCTETS_BITS) | np.int64(plain[node, OCTETS + place])
            if now == 0:
                continue
            rate = np.float64(rates[0, place, node])
            usual = np.float64(rates[1, place, node])
            rates[1, place, node] = rate if usual == 0.0 else usual + weight * (rate - usual)
            rates[0, place, node] = np.float64(max(now - octets_before[place, node], np.int64(0))) / seconds
            octets_before[place, node] = now
    return pairs
