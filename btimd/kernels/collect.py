"""From attributed records to users and cells in one pass: who uses what, and what it carried in which interval."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from btimd.kernels._jit import inlined, kernel, prefetch
from btimd.kernels.aggregate import (
    B_FRESH,
    B_HELD,
    B_LAST,
    C_CELLS,
    C_DROPPED,
    C_OVERFLOWED,
    COARSE_CHANGED,
    FINE_CHANGED,
    FINE_MILLISECONDS,
    FINE_PER_COARSE,
    FUTURE_OCTETS,
    FUTURE_RECORDS,
    INEXACT,
    LATE_OCTETS,
    LATE_RECORDS,
    RATE_ASSUMED,
    RATES_SHIFT,
    TIMES_ADJUSTED,
    TO_CLIENT,
    TO_SERVER,
    add,
    capped_sum,
    cell_of,
    part,
    quotient,
    scaled,
)
from btimd.kernels.distinct import D_HELD, client_hash, goes_into_sketch, note_client
from btimd.kernels.flowlayout import Q_CLAMPED, Q_DROPPED, Q_NO_TIME, Q_RATE_ASSUMED
from btimd.kernels.users import (
    CHAINED,
    ENTRIES,
    FIRST,
    HEAD,
    HI,
    KEY_OF_NOBODY,
    KEY_SHIFT,
    LAST,
    LO,
    MINUTE_MASK,
    MINUTE_SHIFT,
    MOST_PROBES,
    NEXT,
    NODE_BITS,
    OCTETS,
    OCTETS_BITS,
    PLACES,
    S_NOBODY,
    S_PAIRS,
    S_REFUSED,
    SEEN_BITS,
    SEEN_MINUTES,
    address_hash,
    new_node,
    new_pair,
    tag_of,
    unused_place,
)

BLOCK: Final = 256
# The rows of scratch: int64[SCRATCH_ROWS, BLOCK * most owners]. Of each share of a block: its record; key (business +
# 2); cell (~cell where its place found no room); hash and halves of its address; the node that is probably its, -1 =
# none; pair (8 * node + place in the node, -1 =
# refused). Then the shares whose flow lies in one interval that is not late, and the others.
X_RECORD, X_KEY, X_CELL, X_HASH, X_HI, X_LO, X_NODE, X_PAIR, X_SINGLE, X_OTHER = range(10)
SCRATCH_ROWS: Final = 10


@inlined
def keep_falling(going: Any, minute: Any, held_minute: Any, pair: Any, seen_before: npt.NDArray[np.uint8]) -> Any:
    """Note elsewhere the bits that fall out of the entry of a pair whose latest minute was `minute`, if still held."""
    for number in range(SEEN_MINUTES):
        gone = (going >> (number * FINE_PER_COARSE)) & ((1 << FINE_PER_COARSE) - 1)
        at = minute - SEEN_MINUTES + 1 + number
        if gone != 0 and at >= held_minute:
            seen_before[at & (len(seen_before) - 1), pair] |= gone
    return 0


@inlined
def brought_to(
    interval: Any, entry: Any, last_minute: Any, held_minute: Any, pair: Any, seen_before: npt.NDArray[np.uint8]
) -> Any:
    """Return the bits of a pair's entry, moved on so that they reach up to an interval, and their latest minute."""
    seen = entry & ((1 << SEEN_BITS) - 1)
    minute = last_minute - ((last_minute - (entry >> MINUTE_SHIFT)) & MINUTE_MASK)
    steps = min(max(interval // FINE_PER_COARSE - minute, np.int64(0)), np.int64(SEEN_MINUTES))
    going = seen & ((1 << (steps * FINE_PER_COARSE)) - 1)
    if going != 0:
        keep_falling(going, minute, held_minute, pair, seen_before)
    return seen >> (steps * FINE_PER_COARSE), max(minute, interval // FINE_PER_COARSE)


@inlined
def entry_of(entry: Any, minute: Any, seen: Any) -> Any:
    """Return a pair's entry with other bits and another latest minute."""
    return (entry >> KEY_SHIFT << KEY_SHIFT) | ((minute & MINUTE_MASK) << MINUTE_SHIFT) | seen


@inlined
def note_before(interval: Any, pair: Any, seen_before: npt.NDArray[np.uint8]) -> Any:
    """Note a pair in an interval its entry does not reach back to; return 1 or 0: new there, and new in its minute."""
    minute = interval // FINE_PER_COARSE
    row = minute & (len(seen_before) - 1)
    noted = np.int64(seen_before[row, pair])
    bit = np.int64(1) << (interval - minute * FINE_PER_COARSE)
    seen_before[row, pair] = noted | bit
    return np.int64(noted & bit == 0), np.int64(noted == 0)


@inlined
def marks_of(rate: Any, quality: Any) -> Any:
    """Return the bits of FLAGS that a record brings."""
    return (
        (rate << RATES_SHIFT)
        | FINE_CHANGED
        | COARSE_CHANGED
        | (TIMES_ADJUSTED if quality & (Q_CLAMPED | Q_NO_TIME) != 0 else 0)
        | (RATE_ASSUMED if quality & Q_RATE_ASSUMED != 0 else 0)
    )


@kernel
def collect(
    source_hi: npt.NDArray[np.int64],
    source_lo: npt.NDArray[np.int64],
    destination_hi: npt.NDArray[np.int64],
    destination_lo: npt.NDArray[np.int64],
    start_milliseconds: npt.NDArray[np.int64],
    end_milliseconds: npt.NDArray[np.int64],
    octets: npt.NDArray[np.int64],
    packets: npt.NDArray[np.int64],
    sampling_rate: npt.NDArray[np.int32],
    exporter: npt.NDArray[np.int32],
    quality: npt.NDArray[np.uint16],
    rule_id: npt.NDArray[np.int32],
    client_row: npt.NDArray[np.int32],
    client_is_source: npt.NDArray[np.uint8],
    first: int,
    owner_offsets: npt.NDArray[np.int32],
    owner_business: npt.NDArray[np.int32],
    place_of_row: npt.NDArray[np.int32],
    stride: int,
    cell_table: npt.NDArray[np.int64],
    cells: npt.NDArray[np.int32],
    cell_state: npt.NDArray[np.int64],
    index: npt.NDArray[np.int32],
    nodes: npt.NDArray[np.int64],
    lines: npt.NDArray[np.int64],
    plain: npt.NDArray[np.int32],
    more: npt.NDArray[np.int32],
    free: npt.NDArray[np.int32],
    state: npt.NDArray[np.int64],
    epoch: int,
    earliest: int,
    latest: int,
    most_pairs: int,
    seed: int,
    bounds: npt.NDArray[np.int64],
    slot_interval: npt.NDArray[np.int64],
    slot_changed: npt.NDArray[np.uint8],
    totals: npt.NDArray[np.int64],
    seen_before: npt.NDArray[np.uint8],
    young: npt.NDArray[np.uint8],
    registers: npt.NDArray[np.uint8],
    sketch_free: npt.NDArray[np.int32],
    sketch_state: npt.NDArray[np.int64],
    tallies: npt.NDArray[np.int64],
    scratch: npt.NDArray[np.int64],
) -> int:
    """Add the records from number `first` on; return the number of records done: n, or fewer when cells want room.

    The first fourteen arrays are columns of n records, the last three of them what `attribute.match` wrote. Records
    that the device dropped are left out. A record goes to every owner of its rule, in full: the owners of rule r are
    owner_business[owner_offsets[r]:owner_offsets[r + 1]], of no rule -1.

    Cells: place_of_row: int32 per plan row; stride to cell_state: see aggregate.cell_of. totals:
    int64[2^f * room, 8], a cell's line in slot s is s * room + cell; zero in slots that hold nothing. The call ends
    early where there are more cells than `room`; the caller makes room and calls again with what was returned.

    Users: index to state: see kernels.users; lines: the memory of nodes as int64[2 n, 8]. The index is at least twice
    as long as there will be nodes. Times are brought into earliest..latest, less than 2^31 ms after the epoch. At
    most `most_pairs` are known, of which at most half are unattributed; a share whose pair is refused, or whose
    address is not found within 256 probes, makes its cells INEXACT and goes into their sketches: young to sketch_state:
    see kernels.distinct.

    Windows: a flow covers start..end, both milliseconds included, at most the last 2^31 - 1 of them; times before 1970
    count as 1970, an end before the start as the start. Octets and packets are multiplied by the sampling rate, sums
    stop at 2^63 - 1. bounds: see aggregate; what is held and not fresh counts for intervals of 60 s only.
    An interval of 60 s is the sum of its six, users excepted; who was not seen in it before is noted in the column
    COARSE_USERS of the interval of 10 s in which it happened. slot_interval: int64[2^f], the interval a slot holds,
    -1 = none; 2^f is at least the number of intervals held. slot_changed: uint8[2^f], written: 1 changed, 2 changed for
    the interval of 60 s. seen_before: uint8[2^g, pairs], by minute modulo 2^g: six bits for the intervals a pair was
    seen in, as far as the pair's own entry does not reach back. tallies: added to: records of which something was too
    old, octets too old (once per record), records that end after the last interval, octets of those.
    """
    numbers = (1 << NODE_BITS) - 1
    few = (1 << OCTETS_BITS) - 1
    index_mask = len(index) - 1
    fine_mask = len(slot_interval) - 1
    room = len(totals) // len(slot_interval)
    held, fresh, last = bounds[B_HELD], bounds[B_FRESH], bounds[B_LAST]
    held_minute = held // FINE_PER_COARSE
    last_minute = last // FINE_PER_COARSE
    # Short passes over blocks that fit the first caches. The first two ask for memory and wait for none of it: for the
    # entry of the index, then for the node it points to and the line of the cell. The others do little for each share,
    # so that the processor has several shares in work at a time.
    for block in range(first, len(rule_id), BLOCK):
        until = min(block + BLOCK, len(rule_id))
        count = np.int64(0)
        dropped = np.int64(0)
        for i in range(block, until):
            if quality[i] & Q_DROPPED != 0:
                dropped += 1
                continue
            rule = np.int64(rule_id[i])
            row = np.int64(client_row[i])
            outward = client_is_source[i] != 0
            one, other = source_hi[i], destination_hi[i]
            hi = one if outward else other
            one, other = source_lo[i], destination_lo[i]
            lo = one if outward else other
            value: Any = address_hash(hi, lo, seed)
            prefetch(index, value & index_mask)
            place: Any = np.int64(place_of_row[row]) if row >= 0 else np.int64(-1)
            owner = np.int64(owner_offsets[rule]) if rule >= 0 else np.int64(0)
            owners_end = np.int64(owner_offsets[rule + 1]) if rule >= 0 else np.int64(1)
            while owner < owners_end:
                business: Any = np.int64(owner_business[owner]) if rule >= 0 else np.int64(-1)
                scratch[X_RECORD, count] = i
                scratch[X_KEY, count] = business + 2
                scratch[X_CELL, count] = cell_of(business, place, stride, cell_table, cells, cell_state)
                scratch[X_HASH, count] = value
                scratch[X_HI, count] = hi
                scratch[X_LO, count] = lo
                count += 1
                owner += 1
        if cell_state[C_CELLS] > room:
            return block
        cell_state[C_DROPPED] += dropped
        singles: Any = np.int64(0)
        others: Any = np.int64(0)
        for k in range(count):
            value = scratch[X_HASH, k]
            tag = tag_of(value)
            entry: Any = np.int64(index[value & index_mask])
            other_entry: Any = np.int64(index[(value + 1) & index_mask])
            entry = entry if (entry ^ tag) & ~numbers == 0 or entry < 0 else other_entry
            node = entry & numbers if (entry ^ tag) & ~numbers == 0 else np.int64(-1)
            scratch[X_NODE, k] = node
            prefetch(lines, 2 * node)
            prefetch(lines, 2 * node + 1)
            i = scratch[X_RECORD, k]
            start = max(start_milliseconds[i], np.int64(0))
            final = max(end_milliseconds[i], start) // FINE_MILLISECONDS
            cell = scratch[X_CELL, k]
            if cell < 0:
                cell = ~cell
                scratch[X_CELL, k] = cell
                cell_state[C_OVERFLOWED] += 1
            prefetch(totals, (final & fine_mask) * room + cell)
            single = (start >= final * FINE_MILLISECONDS) & (fresh <= final) & (final <= last)
            if not single:
                # The other lines it will touch, as far as they are held: unasked for, each would be waited for.
                earlier = max(start // FINE_MILLISECONDS, held, final - 2 * FINE_PER_COARSE)
                while earlier < final:
                    prefetch(totals, (earlier & fine_mask) * room + cell)
                    earlier += 1
            scratch[X_SINGLE, singles] = k
            scratch[X_OTHER, others] = k
            singles += np.int64(single)
            others += np.int64(not single)
        # Pairs: the usual case is one look at one node.
        for k in range(count):
            key: Any = scratch[X_KEY, k]
            hi = scratch[X_HI, k]
            lo = scratch[X_LO, k]
            node = scratch[X_NODE, k]
            if node >= 0 and nodes[node, LO] == lo and nodes[node, HI] == hi:
                at = np.int64(-1)
                unused = np.int64(-1)
                for place in range(PLACES):
                    entry = nodes[node, ENTRIES + place]
                    at = np.int64(place) if entry >> KEY_SHIFT == key else at
                    unused = np.int64(place) if entry == 0 else unused
                if at >= 0:
                    scratch[X_PAIR, k] = node * 8 + at
                    continue
                if (
                    unused >= 0
                    and plain[node, NEXT] < 0
                    and state[S_PAIRS] < most_pairs
                    and (key != KEY_OF_NOBODY or state[S_NOBODY] * 2 < most_pairs)
                ):
                    scratch[X_PAIR, k] = node * 8 + unused
                    new_pair(node, unused, key, nodes, plain, state)
                    if sketch_state[D_HELD] > 0:
                        young[node * PLACES + unused] = 1
                    continue
            value = scratch[X_HASH, k]
            slot = value & index_mask
            tag = tag_of(value)
            entry = np.int64(index[slot])
            node = entry & numbers
            probes = 0
            while (
                entry >= 0
                and probes < MOST_PROBES
                and ((entry ^ tag) > numbers or nodes[node, LO] != lo or nodes[node, HI] != hi)
            ):
                slot = (slot + 1) & index_mask
                entry = np.int64(index[slot])
                node = entry & numbers
                probes += 1
            head = node if entry >= 0 and probes < MOST_PROBES else np.int64(-1)
            found = np.int64(-1)
            node = head
            while node >= 0:
                for place in range(PLACES):
                    if nodes[node, ENTRIES + place] >> KEY_SHIFT == key:
                        found = node * 8 + place
                if found >= 0:
                    break
                node = np.int64(plain[node, NEXT])
            if found < 0:
                if (
                    probes < MOST_PROBES
                    and state[S_PAIRS] < most_pairs
                    and (key != KEY_OF_NOBODY or state[S_NOBODY] * 2 < most_pairs)
                ):
                    row = np.int64(client_row[scratch[X_RECORD, k]])
                    if head < 0:
                        head = new_node(hi, lo, row, HEAD, nodes, plain, free, state)
                        if head >= 0:
                            index[slot] = tag | head
                            found = head * 8
                    else:
                        found = unused_place(head, nodes, plain)
                        if found < 0:
                            node = new_node(hi, lo, row, CHAINED, nodes, plain, free, state)
                            if node >= 0:
                                plain[~found, NEXT] = node
                                found = node * 8
                if found < 0:
                    state[S_REFUSED] += 1
                    scratch[X_PAIR, k] = -1
                    continue
                new_pair(found >> 3, found & 7, key, nodes, plain, state)
                if sketch_state[D_HELD] > 0:
                    young[(found >> 3) * PLACES + (found & 7)] = 1
            scratch[X_PAIR, k] = found
        # What people want to know of pairs.
        for k in range(count):
            if scratch[X_PAIR, k] < 0:
                continue
            node = scratch[X_PAIR, k] >> 3
            at = scratch[X_PAIR, k] & 7
            i = scratch[X_RECORD, k]
            began = min(max(start_milliseconds[i], earliest), latest) - epoch
            ended = min(max(end_milliseconds[i], earliest), latest) - epoch
            plain[node, FIRST + at] = min(np.int64(plain[node, FIRST + at]), began)
            plain[node, LAST + at] = max(np.int64(plain[node, LAST + at]), ended)
            amount = min(scaled(octets[i], np.int64(sampling_rate[i])), np.int64(0x7FFFFFFF00000000))
            together = np.int64(plain[node, OCTETS + at]) + amount
            plain[node, OCTETS + at] = together & few
            if together > few:
                carried = np.int64(more[node, at]) + (together >> OCTETS_BITS)
                if carried > few:  # stops at 2^62 - 1
                    carried = np.int64(few)
                    plain[node, OCTETS + at] = few
                more[node, at] = carried
        # Most flows lie in one interval.
        for k in scratch[X_SINGLE, :singles]:
            i = scratch[X_RECORD, k]
            pair = scratch[X_PAIR, k]
            final = max(end_milliseconds[i], start_milliseconds[i], np.int64(0)) // FINE_MILLISECONDS
            rate = max(np.int64(sampling_rate[i]), np.int64(1))
            flags = marks_of(rate, np.int64(quality[i]))
            fine_user = coarse_user = np.int64(0)
            spot = final & fine_mask
            slot_interval[spot] = final
            slot_changed[spot] = 3
            line: Any = spot * room + scratch[X_CELL, k]
            if pair >= 0:
                node = pair >> 3
                at = pair & 7
                entry = nodes[node, ENTRIES + at]
                seen, minute = brought_to(final, entry, last_minute, held_minute, node * PLACES + at, seen_before)
                within = final - (minute - SEEN_MINUTES + 1) * FINE_PER_COARSE
                if within >= 0:
                    first_of_minute = within - (final - final // FINE_PER_COARSE * FINE_PER_COARSE)
                    fine_user = 1 - ((seen >> within) & 1)
                    coarse_user = np.int64((seen >> first_of_minute) & ((1 << FINE_PER_COARSE) - 1) == 0)
                    seen |= np.int64(1) << within
                else:
                    fine_user, coarse_user = note_before(final, node * PLACES + at, seen_before)
                nodes[node, ENTRIES + at] = entry_of(entry, minute, seen)
                if fine_user != 0 and sketch_state[D_HELD] > 0 and young[node * PLACES + at] != 0:
                    client = client_hash(scratch[X_HI, k], scratch[X_LO, k], seed)
                    if goes_into_sketch(
                        final, scratch[X_CELL, k], coarse_user != 0, client, room, slot_interval, totals, registers
                    ):
                        flags |= INEXACT | note_client(line, client, totals, registers, sketch_free, sketch_state)
                        fine_user = coarse_user = np.int64(0)
            else:
                client = client_hash(scratch[X_HI, k], scratch[X_LO, k], seed)
                flags |= INEXACT | note_client(line, client, totals, registers, sketch_free, sketch_state)
            add(line, TO_SERVER if client_is_source[i] != 0 else TO_CLIENT,
                scaled(octets[i], rate), scaled(packets[i], rate), 1, fine_user, coarse_user, flags,
                np.int64(1) << (np.int64(exporter[i]) & 63), totals)  # fmt: skip
        # The others are spread over several, or are too late or too early.
        for k in scratch[X_OTHER, :others]:
            i = scratch[X_RECORD, k]
            first_owner = k == 0 or scratch[X_RECORD, k - 1] != i
            pair = scratch[X_PAIR, k]
            cell = scratch[X_CELL, k]
            rate = max(np.int64(sampling_rate[i]), np.int64(1))
            all_octets = scaled(octets[i], rate)
            all_packets = scaled(packets[i], rate)
            start = max(start_milliseconds[i], np.int64(0))
            end = max(end_milliseconds[i], start)
            start = max(start, end - 0x7FFFFFFE)
            interval = start // FINE_MILLISECONDS
            final = end // FINE_MILLISECONDS
            if final > last:
                if first_owner:
                    for level in range(2):
                        tallies[level, FUTURE_RECORDS] += 1
                        tallies[level, FUTURE_OCTETS] = capped_sum(tallies[level, FUTURE_OCTETS], all_octets)
                continue
            flags = marks_of(rate, np.int64(quality[i]))
            direction = TO_SERVER if client_is_source[i] != 0 else TO_CLIENT
            sender = np.int64(1) << (np.int64(exporter[i]) & 63)
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
            node = pair >> 3
            at = pair & 7
            entry = np.int64(0)
            seen = np.int64(0)
            minute = np.int64(0)
            if pair >= 0:
                entry = nodes[node, ENTRIES + at]
                seen, minute = brought_to(final, entry, last_minute, held_minute, node * PLACES + at, seen_before)
            else:
                flags |= INEXACT
            client = np.int64(-1)
            base = (minute - SEEN_MINUTES + 1) * FINE_PER_COARSE
            done_octets = np.int64(0)
            done_packets = np.int64(0)
            if interval < held:
                interval = held
                elapsed = min(held * FINE_MILLISECONDS - start, duration)
                done_octets = part(all_octets, elapsed, duration)
                done_packets = part(all_packets, elapsed, duration)
            # Up to an edge, `elapsed` after the start, passed floor(all * elapsed / duration). One division finds it
            # for the first edge; from edge to edge quotient and remainder advance by constant steps, which is exact.
            elapsed = (interval + 1) * FINE_MILLISECONDS - start
            whole_octets = np.int64(0) if all_octets < 0x100000000 else all_octets // duration
            whole_packets = np.int64(0) if all_packets < 0x100000000 else all_packets // duration
            rest_octets = all_octets - whole_octets * duration
            rest_packets = all_packets - whole_packets * duration
            upto_octets = all_octets
            upto_packets = all_packets
            over_octets = over_packets = step_octets = step_packets = more_octets = more_packets = np.int64(0)
            if interval < final:
                share = 1.0 / duration
                upto_octets = quotient(rest_octets * elapsed, duration, share)
                over_octets = rest_octets * elapsed - upto_octets * duration
                upto_octets += whole_octets * elapsed
                upto_packets = quotient(rest_packets * elapsed, duration, share)
                over_packets = rest_packets * elapsed - upto_packets * duration
                upto_packets += whole_packets * elapsed
                if interval + 1 < final:  # else no step is taken, and one could leave 63 bits
                    step_octets = quotient(rest_octets * FINE_MILLISECONDS, duration, share)
                    more_octets = rest_octets * FINE_MILLISECONDS - step_octets * duration
                    step_octets += whole_octets * FINE_MILLISECONDS
                    step_packets = quotient(rest_packets * FINE_MILLISECONDS, duration, share)
                    more_packets = rest_packets * FINE_MILLISECONDS - step_packets * duration
                    step_packets += whole_packets * FINE_MILLISECONDS
            while interval <= final:
                ends = interval == final
                upto_octets = all_octets if ends else upto_octets
                upto_packets = all_packets if ends else upto_packets
                spot = interval & fine_mask
                marks = flags if interval >= fresh else flags & ~FINE_CHANGED
                slot_interval[spot] = interval
                slot_changed[spot] |= (marks & (FINE_CHANGED | COARSE_CHANGED)) >> 1
                fine_user = coarse_user = np.int64(0)
                at_minute = interval // FINE_PER_COARSE
                if pair >= 0 and interval >= base:
                    within = interval - base
                    first_of_minute = at_minute * FINE_PER_COARSE - base
                    fine_user = 1 - ((seen >> within) & 1)
                    coarse_user = np.int64((seen >> first_of_minute) & ((1 << FINE_PER_COARSE) - 1) == 0)
                    seen |= np.int64(1) << within
                elif pair >= 0:
                    fine_user, coarse_user = note_before(interval, node * PLACES + at, seen_before)
                if pair < 0 or (fine_user != 0 and sketch_state[D_HELD] > 0 and young[node * PLACES + at] != 0):
                    client = client_hash(scratch[X_HI, k], scratch[X_LO, k], seed) if client < 0 else client
                    if pair < 0 or goes_into_sketch(
                        interval, cell, coarse_user != 0, client, room, slot_interval, totals, registers
                    ):
                        marks |= INEXACT | note_client(
                            spot * room + cell, client, totals, registers, sketch_free, sketch_state
                        )
                        fine_user = coarse_user = np.int64(0)
                add(spot * room + cell, direction, upto_octets - done_octets, upto_packets - done_packets, ends,
                    fine_user, coarse_user, marks, sender, totals)  # fmt: skip
                done_octets = upto_octets
                done_packets = upto_packets
                interval += 1
                if interval < final:
                    over_octets += more_octets
                    full = np.int64(over_octets >= duration)
                    over_octets -= full * duration
                    upto_octets += step_octets + full
                    over_packets += more_packets
                    full = np.int64(over_packets >= duration)
                    over_packets -= full * duration
                    upto_packets += step_packets + full
            if pair >= 0:
                nodes[node, ENTRIES + at] = entry_of(entry, minute, seen)
    return len(rule_id)
