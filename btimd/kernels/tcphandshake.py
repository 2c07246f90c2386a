"""How connections begin and end: SYN, SYN-ACK, the first ACK, RST (RFC 9293 3.5; see tcpquality.py for what counts)."""

from typing import Any, Final

import numpy as np

from btimd.kernels._jit import inlined
from btimd.kernels.packetlayout import SAMPLE_CLIENT_LEG, SAMPLE_SERVER_LEG
from btimd.kernels.qualitylayout import (
    C_ATTEMPTED,
    C_ESTABLISHED,
    C_REFUSED,
    C_RESET,
    C_UNANSWERED,
    E_REPEATED,
    E_RETRANSMITTED,
    Q_ACK,
    Q_EVENTS,
    Q_HANDSHAKE,
    Q_NEXT,
    Q_STATE,
    Q_TIME,
    REPEATED_WITHIN,
    S_CLIENT_REVERSE,
    S_HANDSHAKE_SEEN,
    S_KNOWN,
    S_OPEN,
    S_REQUEST,
    S_REQUEST_AGAIN,
    S_RESET,
    S_SYN,
    S_SYN_ACK,
    S_SYN_ACK_AGAIN,
    S_SYN_AGAIN,
    S_UNANSWERED,
    count_connection,
    count_event,
    measured,
)
from btimd.kernels.tcpwords import (
    ACK,
    ENDED,
    FIN,
    MICROSECONDS,
    MOST,
    NUMBER,
    SEEN,
    beyond,
    count_segment,
    set_next,
    turn,
)

SYN_TIMEOUT: Final = 3_000_000_000
"""A SYN without answer for so long, ns, is unanswered."""


@inlined
def syn_is_late(time: Any, slot: Any, quality: Any) -> Any:
    """Tell whether a SYN waits too long, and is not known to."""
    state = quality[slot, Q_STATE]
    if state & (S_SYN | S_UNANSWERED) != S_SYN:
        return False
    client = np.int64(state & S_CLIENT_REVERSE != 0)
    return time - quality[slot, 4 * client + Q_TIME] >= SYN_TIMEOUT


@inlined
def unanswered(slot: Any, quality: Any) -> None:
    """Count a SYN without answer."""
    quality[slot, Q_STATE] |= S_UNANSWERED
    count_connection(slot, quality, C_UNANSWERED)


@inlined
def _opened(slot: Any, quality: Any) -> None:
    quality[slot, Q_STATE] = (quality[slot, Q_STATE] & ~(S_SYN | S_SYN_ACK)) | S_OPEN
    count_connection(slot, quality, C_ESTABLISHED)


@inlined
def synchronise(time: Any, slot: Any, reverse: Any, quality: Any, samples: Any, taken: Any, seq: Any, ack: Any,  # noqa: PLR0911  a return per case
                 flags: Any, window: Any, length: Any, mark: Any) -> Any:  # fmt: skip
    """Take a SYN or a SYN-ACK."""
    here, there = 4 * reverse, 4 - 4 * reverse
    state = quality[slot, Q_STATE]
    seen = quality[slot, here + Q_NEXT] & SEEN != 0
    from_client = np.int64(state & S_CLIENT_REVERSE != 0) == reverse
    following = seq + 1 + length
    if state & S_KNOWN == 0:
        answers = flags & ACK != 0
        quality[slot, Q_STATE] = (
            S_KNOWN | (S_SYN_ACK if answers else S_SYN) | S_CLIENT_REVERSE * np.int64(answers != (reverse != 0))
        )
        count_connection(slot, quality, C_ATTEMPTED)
        count_segment(slot, quality, reverse)
        if not answers:
            quality[slot, Q_HANDSHAKE] = seq
            quality[slot, Q_STATE] |= S_HANDSHAKE_SEEN
            if length > 0:
                taken = turn(time, slot, reverse, quality, ack, samples, taken)
        set_next(following, window, mark, ack, time, slot, reverse, quality)
        return taken
    if seen:
        if beyond(quality[slot, here + Q_NEXT] & NUMBER, seq) < 1:
            return taken  # belongs to no connection that is known
        if from_client and state & S_HANDSHAKE_SEEN != 0 and quality[slot, Q_HANDSHAKE] & NUMBER != seq & NUMBER:
            return taken
        if flags & ACK != 0 and state & S_SYN != 0 and not from_client:  # simultaneous opening goes on so
            quality[slot, Q_STATE] = (quality[slot, Q_STATE] & ~S_SYN) | S_SYN_ACK
        if time - quality[slot, here + Q_TIME] < REPEATED_WITHIN:
            count_event(slot, quality, Q_EVENTS, E_REPEATED)
            return taken
        count_segment(slot, quality, reverse)
        count_event(slot, quality, Q_EVENTS, E_RETRANSMITTED + reverse)
        quality[slot, here + Q_TIME] = time
        quality[slot, Q_STATE] |= S_SYN_AGAIN if from_client else S_SYN_ACK_AGAIN
        if from_client and state & S_REQUEST != 0:
            quality[slot, Q_STATE] |= S_REQUEST_AGAIN
        return taken
    if from_client:
        # The SYN is seen after its SYN-ACK, or the sides were mistaken for each other.
        if state & S_SYN_ACK != 0 and quality[slot, there + Q_ACK] & NUMBER == (seq + 1) & NUMBER:
            count_segment(slot, quality, reverse)
            set_next(following, window, mark, ack, time, slot, reverse, quality)
            quality[slot, Q_HANDSHAKE] = seq
            quality[slot, Q_STATE] |= S_HANDSHAKE_SEEN | S_SYN_AGAIN
        return taken
    if state & S_SYN == 0:
        return taken
    if flags & ACK == 0:  # simultaneous opening
        quality[slot, Q_STATE] |= S_SYN_AGAIN | S_SYN_ACK_AGAIN
        count_segment(slot, quality, reverse)
        set_next(following, window, mark, ack, time, slot, reverse, quality)
        return taken
    past = beyond(ack, quality[slot, Q_HANDSHAKE] & NUMBER)
    if past < 1 or beyond(quality[slot, there + Q_NEXT] & NUMBER, ack) < 0:
        return taken  # answers another SYN
    count_segment(slot, quality, reverse)
    if state & S_SYN_AGAIN == 0:
        taken = measured(slot, SAMPLE_SERVER_LEG, time - quality[slot, there + Q_TIME], time, samples, taken)
    if length > 0:
        taken = turn(time, slot, reverse, quality, ack, samples, taken)
    quality[slot, Q_STATE] = (quality[slot, Q_STATE] & ~S_SYN) | S_SYN_ACK
    set_next(following, window, mark, ack, time, slot, reverse, quality)
    return taken


@inlined
def reset(slot: Any, reverse: Any, quality: Any) -> None:
    """Take a RST."""
    state = quality[slot, Q_STATE]
    by_client = np.int64(state & S_CLIENT_REVERSE != 0) == reverse
    if state & S_RESET == 0:
        if state & S_OPEN != 0:
            if state & ENDED != ENDED:
                count_connection(slot, quality, C_RESET + reverse)
        elif not by_client and state & S_UNANSWERED == 0:
            count_connection(slot, quality, C_REFUSED)
            quality[slot, Q_STATE] &= ~(S_SYN | S_SYN_ACK)
        quality[slot, Q_STATE] |= S_RESET


@inlined
def hand_shaken(time: Any, slot: Any, reverse: Any, quality: Any, samples: Any, taken: Any, ack: Any,
                 flags: Any, length: Any) -> Any:  # fmt: skip
    """Take a segment without SYN or RST on a connection that is not established: it may be now."""
    here, there = 4 * reverse, 4 - 4 * reverse
    state = quality[slot, Q_STATE]
    if np.int64(state & S_CLIENT_REVERSE != 0) == reverse:
        if flags & ACK == 0:
            return taken
        next_there = quality[slot, there + Q_NEXT]
        if state & S_SYN_ACK != 0 and next_there & SEEN != 0 and beyond(ack, next_there & NUMBER) == 0:
            if state & S_SYN_ACK_AGAIN == 0:
                taken = measured(slot, SAMPLE_CLIENT_LEG, time - quality[slot, there + Q_TIME], time, samples, taken)
            if state & (S_SYN_AGAIN | S_SYN_ACK_AGAIN | S_HANDSHAKE_SEEN) == S_HANDSHAKE_SEEN:
                trip = min(np.int64(MOST), max(np.int64(0), time - quality[slot, here + Q_TIME]) // 1000)
                quality[slot, Q_HANDSHAKE] = (quality[slot, Q_HANDSHAKE] & NUMBER) | (trip << MICROSECONDS)
        if state & (S_SYN | S_SYN_ACK) != 0:
            _opened(slot, quality)
    elif length > 0 or flags & FIN != 0:
        answers = (
            beyond(ack, quality[slot, Q_HANDSHAKE] & NUMBER) >= 1
            and beyond(quality[slot, there + Q_NEXT] & NUMBER, ack) >= 0
        )
        if state & S_SYN_ACK != 0 or (state & S_SYN != 0 and answers):
            _opened(slot, quality)
    return taken
