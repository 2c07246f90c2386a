"""What sequence numbers say about loss: gaps, what came late, twice, or after a restart, and what an exporter counts.

A datagram covers a stretch of its exporter's numbers; where the stretch lies depends on what the exporter counts (its
rule). A stretch that nothing covers is a gap. A gap is pending until WINDOW datagrams or WINDOW_MILLISECONDS have
passed, then its units are lost; what comes late fills it. Protocols prescribe a rule, exporters follow others: every
rule is scored by how many steps from one datagram to the next it explains, and as soon as another one explains more
than that in force, the datagrams of the window are judged again by it. So a wrong guess costs no false loss.
"""

from typing import Any, Final

import numpy as np

from btimd.kernels._jit import inlined
from btimd.kernels.flowlayout import (
    E_CONFLICT,
    E_DATAGRAMS,
    E_DUPLICATES,
    E_EXPECTED,
    E_FIRST_SEEN,
    E_FRACTION,
    E_GAP,
    E_GAPS,
    E_INTERLEAVED,
    E_LAST_SEEN,
    E_LOST,
    E_LOST_RECORDS,
    E_OPEN,
    E_OTHER,
    E_OTHER_LEFT,
    E_OTHER_PORT,
    E_OTHER_RUN,
    E_PENDING,
    E_PORT,
    E_PORT_CHANGES,
    E_RECORDS,
    E_REORDERED,
    E_RESTARTS,
    E_RING,
    E_RULE,
    E_SCORE,
    E_SCORED,
    E_SETTLED,
    E_SINCE_OTHER,
    E_SKEW,
    E_SKEW_RUN,
    E_SKEW_SCALED,
    E_STILL,
    E_STRAYS,
    LIMIT_BACKWARD,
    LIMIT_GAP,
    M31,
    M32,
)  # fmt: skip

(RULE_UNSEEN, RULE_DATAGRAMS, RULE_BEFORE, RULE_DATA_BEFORE, RULE_AFTER, RULE_DATA_AFTER, RULE_SETS_BEFORE,
 RULE_SETS_AFTER, RULE_CONSTANT, RULE_NONE) = range(10)  # fmt: skip
RULES: Final[dict[int, str]] = {
    RULE_UNSEEN: "nothing seen yet",
    RULE_DATAGRAMS: "counts datagrams",
    RULE_BEFORE: "counts records sent before",
    RULE_DATA_BEFORE: "counts records sent before, options left out",
    RULE_AFTER: "counts records sent before, its own included",
    RULE_DATA_AFTER: "counts records sent before, its own included, options left out",
    RULE_SETS_BEFORE: "counts sets sent before",
    RULE_SETS_AFTER: "counts sets sent before, its own included",
    RULE_CONSTANT: "does not count: loss is unknown",
    RULE_NONE: "counts by no rule known: loss is unknown",
}
"""What E_RULE says, for people. In the last two cases loss is unknown, not zero."""

SFLOW: Final = 105
RING: Final = 32
WINDOW: Final = RING - 1
WINDOW_MILLISECONDS: Final = 5000
GAPS: Final = 32  # one per datagram of the window; more only when late ones split them
# A score gains UNIT for a step it explains and always loses a 32nd: a new rule prevails while all its gaps still wait.
UNIT: Final = 1024
SHIFT: Final = 5
LEAD: Final = UNIT // 2
LEAD_OVER_PROTOCOL: Final = 5 * UNIT // 2  # chance explains a step or two better than what the protocol prescribes
ESTABLISHED: Final = 3 * UNIT  # gaps count as loss only by a rule that explains something
STEPS_WITHOUT_RULE: Final = 24
STEPS_WITHOUT_CHANGE: Final = 8
NEAR: Final = 4096
INTERLEAVED: Final = 4
SKEW_SHIFT: Final = 6
SKEW_JUMP: Final = 2000 << SKEW_SHIFT


@inlined
def _ahead(number: Any, than: Any) -> Any:
    """Return how far a number lies ahead of another, negative where behind; numbers have 32 bits and wrap."""
    distance = (number - than) & M32
    return distance - (M32 + 1) if distance > M31 else distance


@inlined
def _units(rule: Any, records: Any, options: Any, sets: Any) -> Any:
    """Return how many numbers a datagram covers."""
    if rule == RULE_DATAGRAMS:
        return np.int64(1)
    if rule in (RULE_BEFORE, RULE_AFTER):
        return records
    if rule in (RULE_DATA_BEFORE, RULE_DATA_AFTER):
        return records - options
    return sets


@inlined
def _settle(state: Any) -> None:
    """End the wait for the oldest gap: what is still missing of it is lost."""
    units = state[E_GAP] >> 32
    rule = state[E_RULE]
    state[E_PENDING] -= units
    if state[E_SCORE + (rule & 7)] >= ESTABLISHED:
        state[E_LOST] += units
        if rule == RULE_DATAGRAMS or rule >= RULE_SETS_BEFORE:
            seen = state[E_DATAGRAMS]
            units = (units * state[E_RECORDS] + seen // 2) // seen
        state[E_LOST_RECORDS] += units
    state[E_SETTLED] = max(state[E_SETTLED], state[E_GAP + 1])
    state[E_GAPS] -= 1
    for k in range(E_GAP, E_GAP + 3 * state[E_GAPS]):
        state[k] = state[k + 3]


@inlined
def _insert(state: Any, place: Any, first: Any, units: Any, ordinal: Any, arrival: Any) -> None:
    """Note a gap at a place of the list that has room; its units are counted as pending by the caller."""
    for k in range(E_GAP + 3 * state[E_GAPS] - 1, E_GAP + 3 * place - 1, -1):
        state[k + 3] = state[k]
    at = E_GAP + 3 * place
    state[at] = (first & M32) | (units << 32)
    state[at + 1] = ordinal
    state[at + 2] = arrival
    state[E_GAPS] += 1


@inlined
def _fill(state: Any, begin: Any, units: Any) -> Any:
    """Take a late datagram's stretch out of the gaps; return how many of its units were missing."""
    filled = np.int64(0)
    k = state[E_GAPS] - 1
    while k >= 0:
        at = E_GAP + 3 * k
        first = state[at] & M32
        length = state[at] >> 32
        offset = _ahead(begin, first)
        low = max(offset, 0)
        high = min(offset + units, length)
        if low < high:
            filled += high - low
            state[E_PENDING] -= high - low
            if low > 0 and high < length and state[E_GAPS] == GAPS:
                if k == 0:  # no room for both halves of the oldest: the first half waits no longer
                    state[at] = first | (low << 32)
                    ordinal, arrival = state[at + 1], state[at + 2]
                    _settle(state)
                    _insert(state, 0, first + high, length - high, ordinal, arrival)
                    return filled
                _settle(state)
                k -= 1
                at -= 3
            if low > 0 and high < length:
                state[at] = first | (low << 32)
                _insert(state, k + 1, first + high, length - high, state[at + 1], state[at + 2])
            elif low > 0:
                state[at] = first | (low << 32)
            elif high < length:
                state[at] = ((first + high) & M32) | ((length - high) << 32)
            else:
                state[E_GAPS] -= 1
                for j in range(at, E_GAP + 3 * state[E_GAPS]):
                    state[j] = state[j + 3]
        k -= 1
    return filled


@inlined
def _came_before(state: Any, ordinal: Any) -> bool:
    """Tell whether the window holds another datagram with the same number, the same content as far as counted."""
    at = E_RING + 2 * (ordinal & WINDOW)
    for k in range(max(state[E_DATAGRAMS] - WINDOW, 1), ordinal):
        other = E_RING + 2 * (k & WINDOW)
        if state[other] == state[at] and (state[other + 1] ^ state[at + 1]) & M32 == 0:
            return True
    return False


@inlined
def _follow(state: Any, end: Any, unknown_end: Any, port: Any) -> None:
    """Let the datagram continue the count."""
    if port != state[E_PORT]:
        if state[E_EXPECTED] != 0:
            state[E_PORT_CHANGES] += 1
        state[E_PORT] = port
    if state[E_OTHER] != 0:
        state[E_REORDERED] += state[E_STRAYS]  # they came later than the window, but it was no restart
        state[E_STRAYS] = 0
        state[E_SINCE_OTHER] += 1
        state[E_OTHER_RUN] = 0
    state[E_EXPECTED] = (end & M32) + 1
    state[E_OPEN] = unknown_end


@inlined
def _stray(state: Any, ordinal: Any, begin: Any, end: Any, unknown_end: Any, port: Any, ahead: Any) -> None:
    """Note a datagram that fits nowhere: a restart if others go on from it, or another exporter if both go on."""
    ports_matter = state[E_PORT_CHANGES] < 3
    other = state[E_OTHER] - 1
    further = _ahead(begin, other) if other >= 0 else np.int64(-1)
    goes_on = 0 <= further <= 1 << 16 and (port == state[E_OTHER_PORT] or not ports_matter)
    both = state[E_SINCE_OTHER] > 0 or (state[E_OTHER_LEFT] == 1 and goes_on)
    if state[E_SINCE_OTHER] > 256:
        state[E_INTERLEAVED] = 0
    if other >= 0 and both and ((goes_on and further == 0) or (ports_matter and port != state[E_PORT])):
        state[E_INTERLEAVED] += 1
        if state[E_INTERLEAVED] >= INTERLEAVED and state[E_CONFLICT] == 0:
            state[E_CONFLICT] = 1 if port != state[E_PORT] else 2
    left = state[E_OTHER_LEFT] if goes_on else 0
    if not goes_on:
        state[E_OTHER_RUN] = 0
        state[E_OTHER_LEFT] = 0
        state[E_SINCE_OTHER] = 0
    state[E_OTHER] = (end & M32) + 1
    state[E_OTHER_PORT] = port
    state[E_OTHER_RUN] += 1
    near = -NEAR < ahead < 0 and port == state[E_PORT]
    if near:
        state[E_STRAYS] += 1
    if state[E_OTHER_RUN] < (LIMIT_BACKWARD if near or state[E_SINCE_OTHER] > 0 else 2):
        return
    # What was left may come back: then it was no restart, but two exporters behind one address.
    while state[E_GAPS] > 0:
        _settle(state)
    state[E_RESTARTS] += 1 - left
    for k in range(E_SCORE, E_SCORE + RULE_CONSTANT):  # it may be another program that goes on
        state[k] >>= 3
    state[E_STRAYS] = 0
    state[E_OTHER] = state[E_EXPECTED]
    state[E_OTHER_PORT] = state[E_PORT]
    state[E_OTHER_RUN] = 0
    state[E_OTHER_LEFT] = 1
    state[E_SINCE_OTHER] = 0
    state[E_EXPECTED] = (end & M32) + 1
    state[E_PORT] = port
    state[E_OPEN] = unknown_end
    state[E_SETTLED] = ordinal


@inlined
def _place(state: Any, ordinal: Any, arrival: Any) -> bool:
    """Lay the stretch of a datagram beside those before it, by the rule in force; tell whether it was missed."""
    at = E_RING + 2 * (ordinal & WINDOW)
    rule = state[E_RULE]
    sequence = state[at] & M32
    countable = (state[at] >> 48) != 0 or rule == RULE_DATAGRAMS
    second = state[at + 1]
    port = second >> 32
    units = np.int64(0)
    if countable:
        units = _units(rule, (state[at] >> 32) & 0xFFFF, second & 0xFFFF, (second >> 16) & 0xFFFF)
    counts_itself = rule in (RULE_AFTER, RULE_DATA_AFTER, RULE_SETS_AFTER)
    begin = (sequence - units) & M32 if counts_itself else sequence
    end = sequence if counts_itself else sequence + units
    unknown_end = 0 if countable or counts_itself else 1
    if state[E_EXPECTED] == 0:
        _follow(state, end, unknown_end, port)
        return False
    ahead = _ahead(begin, state[E_EXPECTED] - 1)
    same = port == state[E_PORT] or state[E_PORT_CHANGES] >= 3
    if ahead == 0 or (same and 0 < ahead <= LIMIT_GAP):
        # Without its length nobody can tell the datagram's own records from lost ones: then nothing is missing.
        if ahead > 0 and state[E_OPEN] == 0 and (countable or not counts_itself):
            if state[E_GAPS] == GAPS:
                _settle(state)
            _insert(state, state[E_GAPS], state[E_EXPECTED] - 1, ahead, ordinal, arrival)
            state[E_PENDING] += ahead
        _follow(state, end, unknown_end, port)
        return False
    filled = np.int64(0)
    if ahead < 0:
        filled = _fill(state, begin, units)
    if filled > 0:
        state[E_REORDERED] += 1
        if port != state[E_PORT] and filled == units:
            state[E_PORT_CHANGES] += 1
    elif ahead < 0 and same and not countable and ahead > -NEAR:
        _forget_around(state, sequence, counts_itself)
        state[E_REORDERED] += 1
    elif ahead < 0 and same and _came_before(state, ordinal):
        state[E_DUPLICATES] += 1
    elif ahead < 0 and same and units == 0 and ahead > -NEAR:
        state[E_REORDERED] += 1
    else:
        _stray(state, ordinal, begin, end, unknown_end, port, ahead)
    return bool(0 < filled == units)


@inlined
def _forget_around(state: Any, sequence: Any, counts_itself: Any) -> None:
    """Take out of the gaps whatever a late datagram of unknown length may have filled."""
    for k in range(state[E_GAPS]):
        at = E_GAP + 3 * k
        first = state[at] & M32
        length = state[at] >> 32
        inside = _ahead(sequence, first)
        if 0 <= inside < length or (counts_itself and inside == length):
            kept = length - inside if counts_itself else inside
            state[E_PENDING] -= length - kept
            state[at] = ((first + inside if counts_itself else first) & M32) | (kept << 32)


@inlined
def _obey(state: Any, rule: Any, arrival: Any) -> None:
    """Put a rule in force and judge the datagrams of the window by it again; what has been settled stays."""
    ordinal = state[E_DATAGRAMS]
    believed = state[E_RULE] < RULE_CONSTANT
    if not believed:
        state[E_SETTLED] = ordinal - 1
    state[E_RULE] = rule
    reordered, duplicates, restarts = state[E_REORDERED], state[E_DUPLICATES], state[E_RESTARTS]
    changes = state[E_PORT_CHANGES]
    everything = ordinal <= RING and state[E_LOST] == 0 and believed and rule < RULE_CONSTANT
    if everything:
        state[E_SETTLED] = 0
        for column in (E_REORDERED, E_DUPLICATES, E_RESTARTS, E_PORT_CHANGES, E_INTERLEAVED, E_CONFLICT):
            state[column] = 0
    for column in (E_GAPS, E_PENDING, E_EXPECTED, E_OPEN, E_OTHER, E_OTHER_RUN, E_OTHER_LEFT, E_SINCE_OTHER, E_STRAYS):
        state[column] = 0
    if rule >= RULE_CONSTANT:
        return
    first = max(ordinal - WINDOW, state[E_SETTLED], np.int64(1))
    for k in range(first + 1, ordinal + 1):
        at = E_RING + 2 * (k & WINDOW)
        before = E_RING + 2 * ((k - 1) & WINDOW)
        step = _ahead(state[at], state[before])
        if (step < -NEAR or step > LIMIT_GAP) and (state[at + 1] ^ state[before + 1]) >> 32 == 0:
            first = np.int64(k)  # it started anew, and by another rule: what was before stays as it was judged
    if first > max(ordinal - WINDOW, state[E_SETTLED], np.int64(1)):
        restarts += 1
        everything = False
        state[E_SETTLED] = first
    for k in range(first, ordinal + 1):
        _place(state, np.int64(k), arrival)
    if not everything:
        state[E_REORDERED] = reordered
        state[E_DUPLICATES] = duplicates
        state[E_RESTARTS] = restarts
        state[E_PORT_CHANGES] = changes


@inlined
def _evidence(step: Any, units: Any) -> Any:
    """Return what a step says about a rule by which it had to be `units`, or more where datagrams were lost."""
    if step == units:
        return np.int64(UNIT)
    return np.int64(-2 * UNIT if 0 < step < units else 0)


@inlined
def _judge(state: Any, version: Any, ordinal: Any) -> Any:
    """Score the rules by the last step; return the rule that should be in force from now on."""
    at = E_RING + 2 * (ordinal & WINDOW)
    before = E_RING + 2 * ((ordinal - 1) & WINDOW)
    if (state[at + 1] ^ state[before + 1]) >> 32 != 0:  # of another port: maybe of another exporter
        for k in range(max(ordinal - 4, 1), ordinal - 1):
            other = E_RING + 2 * (k & WINDOW)
            if (state[at + 1] ^ state[other + 1]) >> 32 == 0:
                before = other
    rule = state[E_RULE]
    step = (state[at] - state[before]) & M32
    records = (state[at] >> 32) & 0xFFFF
    options = state[at + 1] & 0xFFFF
    records_before = (state[before] >> 32) & 0xFFFF
    options_before = state[before + 1] & 0xFFFF
    if step != 0:
        state[E_STILL] = 0
    elif version in (9, SFLOW) or (records > options and records_before > options_before):
        state[E_STILL] += 1
        if state[E_STILL] >= STEPS_WITHOUT_CHANGE:
            return np.int64(RULE_CONSTANT)
    if (state[at] >> 48) & (state[before] >> 48) == 0:
        if rule == RULE_DATAGRAMS and version in (9, SFLOW):
            score = state[E_SCORE + RULE_DATAGRAMS]
            state[E_SCORE + RULE_DATAGRAMS] = score - (score >> SHIFT) + (UNIT if step == 1 else 0)
        return rule
    sets = (state[at + 1] >> 16) & 0xFFFF
    sets_before = (state[before + 1] >> 16) & 0xFFFF
    state[E_SCORED] += 1
    for k in range(E_SCORE + RULE_DATAGRAMS, E_SCORE + RULE_CONSTANT):
        state[k] -= state[k] >> SHIFT
    state[E_SCORE + RULE_DATAGRAMS] += UNIT if step == 1 else 0
    state[E_SCORE + RULE_BEFORE] += _evidence(step, records_before)
    state[E_SCORE + RULE_DATA_BEFORE] += _evidence(step, records_before - options_before)
    state[E_SCORE + RULE_AFTER] += _evidence(step, records)
    state[E_SCORE + RULE_DATA_AFTER] += _evidence(step, records - options)
    state[E_SCORE + RULE_SETS_BEFORE] += _evidence(step, sets_before) if sets_before > 0 else np.int64(0)
    state[E_SCORE + RULE_SETS_AFTER] += _evidence(step, sets) if sets > 0 else np.int64(0)
    best = np.int64(rule if rule < RULE_CONSTANT else 0)
    prescribed = RULE_DATAGRAMS if version in (9, SFLOW) else RULE_BEFORE
    lead = LEAD_OVER_PROTOCOL if best == prescribed else LEAD
    most = state[E_SCORE + best] + lead if best != 0 else np.int64(LEAD)
    for k in range(RULE_DATAGRAMS, RULE_CONSTANT):
        if state[E_SCORE + k] > most:
            best = np.int64(k)
            most = state[E_SCORE + k]
    if rule == RULE_NONE:
        return best if most >= ESTABLISHED else rule
    if rule == RULE_CONSTANT:
        return best if state[E_STILL] == 0 and best != 0 else rule
    hopeless = best == rule and state[E_SCORE + rule] < LEAD and most < UNIT + lead
    if hopeless and state[E_SCORED] >= STEPS_WITHOUT_RULE and state[E_CONFLICT] == 0:
        return np.int64(RULE_NONE)
    return best


@inlined
def _skew(state: Any, version: Any, export: Any, arrival: Any) -> None:
    """Follow the difference of clocks; of exporters that write whole seconds half a second is taken off, on average."""
    if version == SFLOW:
        return
    if state[E_FRACTION] == 0 and export % 1000 != 0:
        state[E_FRACTION] = 1
        state[E_SKEW_SCALED] += 500 << SKEW_SHIFT
    now = (arrival - export - (500 if state[E_FRACTION] == 0 else 0)) << SKEW_SHIFT
    away = now - state[E_SKEW_SCALED]
    if state[E_DATAGRAMS] == 1:
        state[E_SKEW_SCALED] = now
    elif -SKEW_JUMP < away < SKEW_JUMP:
        state[E_SKEW_RUN] = 0
        state[E_SKEW_SCALED] += away >> 5
    else:
        # One that came late says nothing; sixteen in a row say that somebody set a clock.
        sign = 1 if away > 0 else -1
        state[E_SKEW_RUN] = state[E_SKEW_RUN] + sign if state[E_SKEW_RUN] * sign > 0 else sign
        if state[E_SKEW_RUN] * sign >= 16:
            state[E_SKEW_RUN] = 0
            state[E_SKEW_SCALED] = now
    state[E_SKEW] = (state[E_SKEW_SCALED] + (1 << (SKEW_SHIFT - 1))) >> SKEW_SHIFT


@inlined
def account(state: Any, version: Any, sequence: Any, records: Any, options: Any, countable: Any, export: Any,
            arrival: Any, port: Any) -> None:  # fmt: skip
    """Compare a datagram's sequence number with those before it and note in `state` what that says.

    state: int64[SEQUENCE_SIZE], a row of `sequences`. version: 1, 5, 7, 9, 10, or SFLOW. sequence: 0..2^32 - 1.
    records: all records of the datagram; options: how many of them are options records, and above bit 32 how many
    data, options and template sets the datagram has (0 = not told, then rules that count sets are not tried).
    countable: whether all records could be counted. export, arrival: ms since 1970, when it was sent by its own header
    and when it came. port: the UDP port it came from, 0..65535.
    """
    state[E_DATAGRAMS] += 1
    ordinal = state[E_DATAGRAMS]
    sets = min(options >> 32, np.int64(0xFFFF))
    options &= M32
    state[E_RECORDS] += records - options
    state[E_LAST_SEEN] = arrival
    if state[E_FIRST_SEEN] == 0:
        state[E_FIRST_SEEN] = arrival
    _skew(state, version, export, arrival)
    if version == 1:
        state[E_RULE] = RULE_NONE
        return
    at = E_RING + 2 * (ordinal & WINDOW)
    fits = records <= 0xFFFF
    state[at] = sequence | (records << 32 | 1 << 48 if countable and fits else np.int64(0))
    state[at + 1] = min(options, np.int64(0xFFFF)) | (sets << 16) | (port << 32)
    rule = state[E_RULE]
    if rule == RULE_UNSEEN:
        state[E_RULE] = RULE_DATAGRAMS if version in (9, SFLOW) else RULE_BEFORE
    else:
        best = _judge(state, version, ordinal)
        if best != rule:
            _obey(state, best, arrival)
            return
    if state[E_RULE] >= RULE_CONSTANT:
        return
    while state[E_GAPS] > 0 and (
        ordinal - state[E_GAP + 1] >= WINDOW
        or (arrival - state[E_GAP + 2] >= WINDOW_MILLISECONDS and ordinal - state[E_GAP + 1] >= 2)
    ):
        _settle(state)
    if _place(state, ordinal, arrival):
        state[E_SCORE + state[E_RULE]] += UNIT  # the rule told exactly what was missing
