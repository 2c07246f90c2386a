"""What a connection's row is made of, and turns: who asked last, and when that was answered (see tcpquality.py)."""

from typing import Any, Final

import numpy as np

from btimd.kernels._jit import inlined
from btimd.kernels.packetlayout import SAMPLE_RESPONSE
from btimd.kernels.qualitylayout import (
    MOST_REQUESTS,
    Q_ACK,
    Q_HOLE,
    Q_NEXT,
    Q_SEGMENTS,
    Q_STATE,
    Q_TIME,
    REQUESTS_SHIFT,
    S_CLIENT_REVERSE,
    S_FIN,
    S_REQUEST,
    S_REQUEST_AGAIN,
    measured,
)

FIN, SYN, RST, ACK = 1, 2, 4, 16
NUMBER: Final = 0xFFFF_FFFF
HALF: Final = 0x8000_0000
MOST: Final = 0x7FFF_FFFF
WINDOW: Final = 32  # shifts in Q_NEXT
DUPLICATES: Final = 48
SEEN: Final = 1 << 50
MARK: Final = 32  # shift in Q_ACK
LENGTH: Final = 32  # shift in Q_HOLE
MICROSECONDS: Final = 32  # shift in Q_HANDSHAKE
ENDED: Final = S_FIN | (S_FIN << 1)


@inlined
def beyond(a: Any, b: Any) -> Any:
    """Return how far sequence number a is beyond b, -2^31 to 2^31 - 1."""
    return ((a - b + HALF) & NUMBER) - HALF


@inlined
def count_segment(slot: Any, quality: Any, reverse: Any) -> None:
    """Count a segment of a direction; the count stays at its most."""
    before = quality[slot, Q_SEGMENTS]
    if (before >> (32 * reverse)) & MOST != MOST:
        quality[slot, Q_SEGMENTS] = before + (np.int64(1) << (32 * reverse))


@inlined
def set_next(number: Any, window: Any, mark: Any, ack: Any, time: Any, slot: Any, reverse: Any, quality: Any) -> None:
    """Let a direction begin at a number."""
    here = 4 * reverse
    quality[slot, here + Q_NEXT] = (number & NUMBER) | (window << WINDOW) | SEEN
    quality[slot, here + Q_TIME] = time
    quality[slot, here + Q_ACK] = ack | (mark << MARK)
    quality[slot, Q_HOLE + reverse] = 0


@inlined
def turn(time: Any, slot: Any, reverse: Any, quality: Any, ack: Any, samples: Any, taken: Any) -> Any:
    """Take new octets: they ask, or answer what was asked. To be called before the sender's words change."""
    state = quality[slot, Q_STATE]
    if np.int64(state & S_CLIENT_REVERSE != 0) == reverse:
        if state & S_REQUEST == 0:
            more = np.int64(state >> REQUESTS_SHIFT < MOST_REQUESTS)
            quality[slot, Q_STATE] = (state | S_REQUEST) + (more << REQUESTS_SHIFT)
    elif state & S_REQUEST != 0:
        there = 4 - 4 * reverse
        if beyond(ack, quality[slot, there + Q_NEXT] & NUMBER) >= 0:
            quality[slot, Q_STATE] = state & ~(S_REQUEST | S_REQUEST_AGAIN)
            if state & S_REQUEST_AGAIN == 0:
                return measured(
                    slot, SAMPLE_RESPONSE, time - quality[slot, there + Q_TIME], time, samples, taken
                )  # fmt: skip
    return taken
