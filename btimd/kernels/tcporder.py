"""Segments below the next number: sent again, out of order, or shown again by the mirror (see tcpquality.py)."""

from typing import Any, Final

import numpy as np

from btimd.kernels._jit import inlined
from btimd.kernels.headers import H_IP_VERSION
from btimd.kernels.qualitylayout import (
    E_OUT_OF_ORDER,
    E_RETRANSMITTED,
    Q_ACK,
    Q_EVENTS,
    Q_HANDSHAKE,
    Q_HOLE,
    Q_HOLE_TIME,
    Q_NEXT,
    Q_STATE,
    S_CLIENT_REVERSE,
    S_REQUEST,
    S_REQUEST_AGAIN,
    count_event,
)
from btimd.kernels.tcpwords import DUPLICATES, HALF, LENGTH, MARK, MICROSECONDS, MOST, NUMBER, beyond

SOON: Final = 3_000_000
"""How long after a hole was found octets out of order fill it, ns, where no handshake told the round trip."""
_HOLE_UNIT: Final = 16  # 2^16 ns
_HOLE_BITS: Final = 31
_OLDER: Final = 1024  # identifications behind the newest that a copy may have: hosts count them for all connections


@inlined
def is_copy(mark: Any, packet: Any, slot: Any, reverse: Any, quality: Any) -> Any:
    """Tell whether octets seen before, a moment ago, are the same packet."""
    newest = quality[slot, 4 * reverse + Q_ACK] >> MARK
    if packet[H_IP_VERSION] == 4 and mark != 0:
        return (newest - mark) & 0xFFFF < _OLDER
    return mark != newest or (quality[slot, 4 - 4 * reverse + Q_NEXT] >> DUPLICATES) & 3 == 0


@inlined
def found_hole(time: Any, slot: Any, reverse: Any, quality: Any, first: Any, length: Any) -> None:
    """Keep what was skipped: with an older hole as one, unless that was acknowledged and so is filled elsewhere."""
    hole = quality[slot, Q_HOLE + reverse]
    before = hole >> LENGTH
    if before != 0:
        start = hole & NUMBER
        acknowledged = quality[slot, 6 - 4 * reverse] & NUMBER
        whole = beyond(first, start) + length
        if beyond(acknowledged, start + before) < 0 and before < whole < HALF >> 1:
            quality[slot, Q_HOLE + reverse] = start | (whole << LENGTH)
            return
    quality[slot, Q_HOLE + reverse] = first | (min(length, np.int64((HALF >> 1) - 1)) << LENGTH)
    shift = _HOLE_BITS * reverse
    others = quality[slot, Q_HOLE_TIME] & ~(np.int64(MOST) << shift)
    quality[slot, Q_HOLE_TIME] = others | (((time >> _HOLE_UNIT) & MOST) << shift)


@inlined
def _filled(slot: Any, reverse: Any, quality: Any, seq: Any, occupied: Any) -> None:
    """Take octets that were skipped from the hole; those from its middle leave it as it is."""
    hole = quality[slot, Q_HOLE + reverse]
    start, length = hole & NUMBER, hole >> LENGTH
    from_start = beyond(seq, start)
    if from_start <= 0:
        rest = max(np.int64(0), length - (from_start + occupied))
        hole = ((start + length - rest) & NUMBER) | (rest << LENGTH)
    elif from_start + occupied >= length:
        hole = start | (from_start << LENGTH)
    quality[slot, Q_HOLE + reverse] = hole if hole >> LENGTH != 0 else np.int64(0)


@inlined
def sent_before(time: Any, slot: Any, reverse: Any, quality: Any, seq: Any, occupied: Any) -> None:
    """Count a segment below the next number as retransmitted or out of order."""
    there = 4 - 4 * reverse
    state = quality[slot, Q_STATE]
    hole = quality[slot, Q_HOLE + reverse]
    from_start = beyond(seq, hole & NUMBER)
    if from_start < hole >> LENGTH and from_start + occupied > 0:
        found = (quality[slot, Q_HOLE_TIME] >> (_HOLE_BITS * reverse)) & MOST
        age = (((time >> _HOLE_UNIT) - found) & MOST) << _HOLE_UNIT
        trip = (quality[slot, Q_HANDSHAKE] >> MICROSECONDS) * 1000
        asked = (quality[slot, there + Q_NEXT] >> DUPLICATES) & 3 >= 2
        _filled(slot, reverse, quality, seq, occupied)
        if age < (trip if trip > 0 else SOON) and not (asked and quality[slot, there + Q_ACK] & NUMBER == seq):
            count_event(slot, quality, Q_EVENTS, E_OUT_OF_ORDER + reverse)
            return
    count_event(slot, quality, Q_EVENTS, E_RETRANSMITTED + reverse)
    if state & S_REQUEST != 0 and np.int64(state & S_CLIENT_REVERSE != 0) == reverse:
        quality[slot, Q_STATE] |= S_REQUEST_AGAIN
