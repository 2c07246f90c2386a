"""What sequence numbers say about loss."""

from typing import Any

import numpy as np

from btimd.kernels._jit import inlined
from btimd.kernels.flowlayout import (
    E_BACKWARD,
    E_DATAGRAMS,
    E_FIRST_SEEN,
    E_LAST_SEEN,
    E_LOST,
    E_ONLY_AFTER,
    E_ONLY_BEFORE,
    E_PREVIOUS,
    E_PREVIOUS_OPTIONS,
    E_RECORDS,
    E_REORDERED,
    E_RESTARTS,
    E_SEQUENCE,
    E_SKEW,
    LIMIT_BACKWARD,
    LIMIT_GAP,
    M31,
    M32,
)  # fmt: skip


@inlined
def account(state: Any, version: Any, sequence: Any, records: Any, options: Any, countable: Any, export: Any,
            arrival: Any, port: Any) -> None:  # noqa: ARG001  # fmt: skip
    """Compare a datagram's sequence number with what was expected; learn what the exporter counts.

    Most write the number of records sent before this datagram, some after it; the one that explains more wins.
    Some leave options records out: that is accepted from all. options: how many of `records` they are.
    state: a row of `sequences`. countable: whether all records of the datagram could be counted. export, arrival: ms
    since 1970, when it was sent by its own header and when it came. port: the UDP port it came from.
    """
    state[E_DATAGRAMS] += 1
    state[E_RECORDS] += records - options
    state[E_SKEW] = arrival - export
    state[E_LAST_SEEN] = arrival
    if state[E_FIRST_SEEN] == 0:
        state[E_FIRST_SEEN] = arrival
    if version == 1:
        return
    units = np.int64(1) if version == 9 else records
    known = countable or version == 9
    if state[E_PREVIOUS] >= 0:
        before = (sequence - state[E_SEQUENCE] - state[E_PREVIOUS]) & M32
        after = (sequence - state[E_SEQUENCE] - units) & M32 if known else before
        if before != 0 and (before + state[E_PREVIOUS_OPTIONS]) & M32 == 0:
            before = np.int64(0)
        if after != 0 and (after + options) & M32 == 0:
            after = np.int64(0)
        if before == 0 and after != 0:
            state[E_ONLY_BEFORE] += 1
        elif after == 0 and before != 0:
            state[E_ONLY_AFTER] += 1
        step = after if state[E_ONLY_AFTER] > state[E_ONLY_BEFORE] else before
        other = before if state[E_ONLY_AFTER] > state[E_ONLY_BEFORE] else after
        if other == 0 and state[E_ONLY_AFTER] == state[E_ONLY_BEFORE]:
            step = np.int64(0)
        if step > M31:
            state[E_BACKWARD] += 1
            if state[E_BACKWARD] < LIMIT_BACKWARD and step > M32 - LIMIT_GAP:
                # Late, not lost: what the gap before it counted is taken back, and the expectation stays.
                state[E_REORDERED] += 1
                state[E_LOST] = max(state[E_LOST] - units, 0)
                return
            state[E_RESTARTS] += 1
        elif step > LIMIT_GAP:
            state[E_RESTARTS] += 1
        else:
            state[E_LOST] += step
    state[E_BACKWARD] = 0
    state[E_SEQUENCE] = sequence
    state[E_PREVIOUS] = units if known else -1
    state[E_PREVIOUS_OPTIONS] = options if version == 10 else 0
