"""How well TCP connections do, segment by segment: handshakes, answers, retransmissions, resets.

What is counted, where it differs from how others use the words:

segments, retransmitted, out of order: of segments that occupy sequence numbers, which are those with data, SYN or FIN.
    Keep-alives (at most 1 octet, one below the next number) and probes of a zero window (1 octet at the next number)
    are none of these, and ask for nothing.
retransmitted: begins below the next number, in octets that were seen before; or in a hole, when it comes later than a
    round trip after the hole was found (the handshake's, 3 ms where that is not known), or after two duplicate
    ACKs that ask for it. out of order: in a hole otherwise. Of several holes one is kept, from the first to the last.
unseen: beyond the next number: the octets between were lost before the point of capture, or by the capture, or come
    later. Counts holes, not segments.
repeated: seen before, less than 2 ms after the number it would have reached was, and not sent anew: its IPv4
    identification is not newer; over IPv6 its hop limit differs, or no duplicate ACK asked for it. A SYN or SYN-ACK
    within 2 ms is repeated in any case: no host sends one again so soon. Whoever mirrors two ports sees this.
client: the sender of the SYN; of connections begun before the capture the side with the higher port, the first
    sender if they are equal.
unanswered: no SYN-ACK and no RST within 3 s. A later answer is not taken back, and a later RST is no refusal.
established: the client sent something after the SYN-ACK, or the server data. Before that a RST of the server refuses.
reset: the first RST of an established connection, unless both sides had sent FIN.
request: octets of the client, until the server sends an octet with an acknowledgment of all of them: that is the
    answer, and the time from the last of these octets to it is the response time. What the server says first is no
    answer. Turns of a TLS handshake are requests. Pipelined requests are one, timed from the last. With any of it sent
    again it is not timed, as then nobody knows what is answered (Karn; RFC 6298 3). Likewise the halves of a handshake
    whose SYN or SYN-ACK was sent again.
"""

from typing import Any, Final

import numpy as np

from btimd.kernels._jit import inlined
from btimd.kernels.dnsquality import note_dns, take_dns
from btimd.kernels.headers import (
    H_DESTINATION_PORT,
    H_FLAGS,
    H_FRAGMENT,
    H_IP_AT,
    H_IP_END,
    H_IP_OCTETS,
    H_IP_VERSION,
    H_SOURCE_PORT,
    H_TRANSPORT_AT,
)
from btimd.kernels.octets import be2, be4
from btimd.kernels.packetlayout import (
    QC_ATTEMPTED,
    QC_ESTABLISHED,
    QC_OUT_OF_ORDER_TO_SERVER,
    QC_REFUSED,
    QC_REPEATED,
    QC_REQUESTS,
    QC_RESET_BY_CLIENT,
    QC_RETRANSMITTED_TO_SERVER,
    QC_SEGMENTS_TO_SERVER,
    QC_UNANSWERED,
    QC_UNSEEN_TO_SERVER,
    QC_ZERO_WINDOWS_OF_CLIENT,
    QC_ZERO_WINDOWS_OF_SERVER,
    QUALITY_COUNTERS,
    SAMPLE_CLIENT_LEG,
    SAMPLE_RESPONSE,
    SAMPLE_SERVER_LEG,
)
from btimd.kernels.qualitylayout import (
    C_ATTEMPTED,
    C_ESTABLISHED,
    C_REFUSED,
    C_RESET,
    C_UNANSWERED,
    CONNECTION_BITS,
    E_OUT_OF_ORDER,
    E_REPEATED,
    E_RETRANSMITTED,
    E_UNSEEN,
    E_ZERO_WINDOWS,
    M_KIND,
    M_NANOSECONDS,
    M_SLOT,
    M_TIME,
    MOST_REQUESTS,
    MOST_SAMPLES,
    Q_ACK,
    Q_CONNECTIONS,
    Q_EVENTS,
    Q_HANDSHAKE,
    Q_HOLE,
    Q_HOLE_TIME,
    Q_NEXT,
    Q_SEGMENTS,
    Q_STATE,
    Q_TIME,
    QUALITY_WORDS,
    REPEATED_WITHIN,
    REQUESTS_SHIFT,
    S_CHANGED,
    S_CLIENT_REVERSE,
    S_DNS,
    S_FIN,
    S_HANDSHAKE_SEEN,
    S_KNOWN,
    S_OPEN,
    S_PROBED,
    S_REQUEST,
    S_REQUEST_AGAIN,
    S_RESET,
    S_SYN,
    S_SYN_ACK,
    S_SYN_ACK_AGAIN,
    S_SYN_AGAIN,
    S_UNANSWERED,
    S_ZERO,
    SAMPLE_ROWS,
    count_connection,
    count_event,
    events,
    measured,
)

__all__ = [
    "MOST_SAMPLES", "M_KIND", "M_NANOSECONDS", "M_SLOT", "M_TIME", "QUALITY_WORDS", "SAMPLE_ROWS", "begins_anew",
    "client_is_reverse", "has_ended", "note_dns", "note_segment", "take_counters",
]  # fmt: skip

SYN_TIMEOUT: Final = 3_000_000_000
"""A SYN without answer for so long, ns, is unanswered."""
SILENCE: Final = 10_000_000_000
"""A connection that sent nothing new for so long, ns, gives way to a SYN that does not belong to it."""
SOON: Final = 3_000_000
"""How long after a hole was found octets out of order fill it, ns, where no handshake told the round trip."""

_FIN, _SYN, _RST, _ACK = 1, 2, 4, 16
_NUMBER: Final = 0xFFFF_FFFF
_HALF: Final = 0x8000_0000
_WINDOW: Final = 32  # shifts in Q_NEXT
_DUPLICATES: Final = 48
_SEEN: Final = 1 << 50
_MARK: Final = 32  # shift in Q_ACK
_LENGTH: Final = 32  # shift in Q_HOLE
_MICROSECONDS: Final = 32  # shift in Q_HANDSHAKE
_MOST: Final = 0x7FFF_FFFF
_HOLE_UNIT: Final = 16  # 2^16 ns
_HOLE_BITS: Final = 31
_ENDED: Final = S_FIN | (S_FIN << 1)
_UNUSUAL: Final = S_ZERO | (S_ZERO << 1) | S_PROBED | (S_PROBED << 1) | S_SYN | S_SYN_ACK
_OLDER: Final = 64  # identifications behind the newest that a copy may have


@inlined
def _beyond(a: Any, b: Any) -> Any:
    """Return how far sequence number a is beyond b, -2^31 to 2^31 - 1."""
    return ((a - b + _HALF) & _NUMBER) - _HALF


@inlined
def _count_segment(slot: Any, quality: Any, reverse: Any) -> None:
    before = quality[slot, Q_SEGMENTS]
    if (before >> (32 * reverse)) & _MOST != _MOST:
        quality[slot, Q_SEGMENTS] = before + (np.int64(1) << (32 * reverse))


@inlined
def _mark_of(slab: Any, packet: Any) -> Any:
    """Return what tells a copy from a segment sent anew: the IPv4 identification, or IPv6 next header and hop limit."""
    return be2(slab, packet[H_IP_AT] + (4 if packet[H_IP_VERSION] == 4 else 6))


@inlined
def _turn(time: Any, slot: Any, reverse: Any, quality: Any, ack: Any, samples: Any, taken: Any) -> Any:
    """Take new octets: they ask, or answer what was asked. To be called before the sender's words change."""
    state = quality[slot, Q_STATE]
    if np.int64(state & S_CLIENT_REVERSE != 0) == reverse:
        if state & S_REQUEST == 0:
            more = np.int64(state >> REQUESTS_SHIFT < MOST_REQUESTS)
            quality[slot, Q_STATE] = (state | S_REQUEST) + (more << REQUESTS_SHIFT)
    elif state & S_REQUEST != 0:
        there = 4 - 4 * reverse
        if _beyond(ack, quality[slot, there + Q_NEXT] & _NUMBER) >= 0:
            quality[slot, Q_STATE] = state & ~(S_REQUEST | S_REQUEST_AGAIN)
            if state & S_REQUEST_AGAIN == 0:
                return measured(
                    slot, SAMPLE_RESPONSE, time - quality[slot, there + Q_TIME], time, samples, taken
                )  # fmt: skip
    return taken


@inlined
def _is_copy(mark: Any, packet: Any, slot: Any, reverse: Any, quality: Any, reached: Any) -> Any:
    """Tell whether octets seen before, a moment ago, are the same packet. reached: how far beyond the next number."""
    newest = quality[slot, 4 * reverse + Q_ACK] >> _MARK
    if packet[H_IP_VERSION] == 4 and mark != 0:
        older = (newest - mark) & 0xFFFF
        return older == 0 if reached == 0 else 0 < older < _OLDER
    return mark != newest or (quality[slot, 4 - 4 * reverse + Q_NEXT] >> _DUPLICATES) & 3 == 0


@inlined
def _syn_is_late(time: Any, slot: Any, quality: Any) -> Any:
    """Tell whether a SYN waits too long, and is not known to."""
    state = quality[slot, Q_STATE]
    if state & (S_SYN | S_UNANSWERED) != S_SYN:
        return False
    client = np.int64(state & S_CLIENT_REVERSE != 0)
    return time - quality[slot, 4 * client + Q_TIME] >= SYN_TIMEOUT


@inlined
def _unanswered(slot: Any, quality: Any) -> None:
    quality[slot, Q_STATE] |= S_UNANSWERED
    count_connection(slot, quality, C_UNANSWERED)


@inlined
def _opened(slot: Any, quality: Any) -> None:
    quality[slot, Q_STATE] = (quality[slot, Q_STATE] & ~(S_SYN | S_SYN_ACK)) | S_OPEN
    count_connection(slot, quality, C_ESTABLISHED)


@inlined
def _set_next(number: Any, window: Any, mark: Any, ack: Any, time: Any, slot: Any, reverse: Any, quality: Any) -> None:
    """Let a direction begin at a number."""
    here = 4 * reverse
    quality[slot, here + Q_NEXT] = (number & _NUMBER) | (window << _WINDOW) | _SEEN
    quality[slot, here + Q_TIME] = time
    quality[slot, here + Q_ACK] = ack | (mark << _MARK)
    quality[slot, Q_HOLE + reverse] = 0


@inlined
def _synchronise(time: Any, slot: Any, reverse: Any, quality: Any, samples: Any, taken: Any, seq: Any, ack: Any,
                 flags: Any, window: Any, length: Any, mark: Any) -> Any:  # fmt: skip
    """Take a SYN or a SYN-ACK."""
    here, there = 4 * reverse, 4 - 4 * reverse
    state = quality[slot, Q_STATE]
    seen = quality[slot, here + Q_NEXT] & _SEEN != 0
    from_client = np.int64(state & S_CLIENT_REVERSE != 0) == reverse
    following = seq + 1 + length
    if state & S_KNOWN == 0:
        answers = flags & _ACK != 0
        quality[slot, Q_STATE] = (
            S_KNOWN | (S_SYN_ACK if answers else S_SYN) | S_CLIENT_REVERSE * np.int64(answers != (reverse != 0))
        )
        count_connection(slot, quality, C_ATTEMPTED)
        _count_segment(slot, quality, reverse)
        if not answers:
            quality[slot, Q_HANDSHAKE] = seq
            quality[slot, Q_STATE] |= S_HANDSHAKE_SEEN
            if length > 0:
                taken = _turn(time, slot, reverse, quality, ack, samples, taken)
        _set_next(following, window, mark, ack, time, slot, reverse, quality)
        return taken
    if seen:
        if _beyond(quality[slot, here + Q_NEXT] & _NUMBER, seq) < 1:
            return taken  # belongs to no connection that is known
        if from_client and state & S_HANDSHAKE_SEEN != 0 and quality[slot, Q_HANDSHAKE] & _NUMBER != seq & _NUMBER:
            return taken
        if flags & _ACK != 0 and state & S_SYN != 0 and not from_client:  # simultaneous opening goes on so
            quality[slot, Q_STATE] = (quality[slot, Q_STATE] & ~S_SYN) | S_SYN_ACK
        if time - quality[slot, here + Q_TIME] < REPEATED_WITHIN:
            count_event(slot, quality, Q_EVENTS, E_REPEATED)
            return taken
        _count_segment(slot, quality, reverse)
        count_event(slot, quality, Q_EVENTS, E_RETRANSMITTED + reverse)
        quality[slot, Q_STATE] |= S_SYN_AGAIN if from_client else S_SYN_ACK_AGAIN
        if from_client and state & S_REQUEST != 0:
            quality[slot, Q_STATE] |= S_REQUEST_AGAIN
        return taken
    if from_client:
        # The SYN is seen after its SYN-ACK, or the sides were mistaken for each other.
        if state & S_SYN_ACK != 0 and quality[slot, there + Q_ACK] & _NUMBER == (seq + 1) & _NUMBER:
            _count_segment(slot, quality, reverse)
            _set_next(following, window, mark, ack, time, slot, reverse, quality)
            quality[slot, Q_HANDSHAKE] = seq
        return taken
    if state & S_SYN == 0:
        return taken
    if flags & _ACK == 0:  # simultaneous opening
        quality[slot, Q_STATE] |= S_SYN_AGAIN | S_SYN_ACK_AGAIN
        _count_segment(slot, quality, reverse)
        _set_next(following, window, mark, ack, time, slot, reverse, quality)
        return taken
    past = _beyond(ack, quality[slot, Q_HANDSHAKE] & _NUMBER)
    if past < 1 or _beyond(quality[slot, there + Q_NEXT] & _NUMBER, ack) < 0:
        return taken  # answers another SYN
    _count_segment(slot, quality, reverse)
    if state & S_SYN_AGAIN == 0:
        taken = measured(slot, SAMPLE_SERVER_LEG, time - quality[slot, there + Q_TIME], time, samples, taken)
    if length > 0:
        taken = _turn(time, slot, reverse, quality, ack, samples, taken)
    quality[slot, Q_STATE] = (quality[slot, Q_STATE] & ~S_SYN) | S_SYN_ACK
    _set_next(following, window, mark, ack, time, slot, reverse, quality)
    return taken


@inlined
def _reset(slot: Any, reverse: Any, quality: Any) -> None:
    """Take a RST."""
    state = quality[slot, Q_STATE]
    by_client = np.int64(state & S_CLIENT_REVERSE != 0) == reverse
    if state & S_RESET == 0:
        if state & S_OPEN != 0:
            if state & _ENDED != _ENDED:
                count_connection(slot, quality, C_RESET + reverse)
        elif not by_client and state & S_UNANSWERED == 0:
            count_connection(slot, quality, C_REFUSED)
            quality[slot, Q_STATE] &= ~(S_SYN | S_SYN_ACK)
        quality[slot, Q_STATE] |= S_RESET


@inlined
def _hand_shaken(time: Any, slot: Any, reverse: Any, quality: Any, samples: Any, taken: Any, seq: Any, ack: Any,
                 flags: Any, length: Any) -> Any:  # fmt: skip
    """Take a segment without SYN or RST on a connection that is not established: it may be now."""
    here, there = 4 * reverse, 4 - 4 * reverse
    state = quality[slot, Q_STATE]
    if np.int64(state & S_CLIENT_REVERSE != 0) == reverse:
        if flags & _ACK == 0:
            return taken
        next_there = quality[slot, there + Q_NEXT]
        if state & S_SYN_ACK != 0 and next_there & _SEEN != 0 and _beyond(ack, next_there & _NUMBER) == 0:
            if state & S_SYN_ACK_AGAIN == 0:
                taken = measured(slot, SAMPLE_CLIENT_LEG, time - quality[slot, there + Q_TIME], time, samples, taken)
            if state & (S_SYN_AGAIN | S_SYN_ACK_AGAIN | S_HANDSHAKE_SEEN) == S_HANDSHAKE_SEEN:
                trip = min(np.int64(_MOST), max(np.int64(0), time - quality[slot, here + Q_TIME]) // 1000)
                quality[slot, Q_HANDSHAKE] = (quality[slot, Q_HANDSHAKE] & _NUMBER) | (trip << _MICROSECONDS)
        if state & (S_SYN | S_SYN_ACK) != 0:
            _opened(slot, quality)
    elif length > 0 or flags & _FIN != 0:
        if state & S_SYN_ACK != 0 or (
            state & S_SYN != 0
            and _beyond(ack, quality[slot, Q_HANDSHAKE] & _NUMBER) >= 1
            and _beyond(quality[slot, there + Q_NEXT] & _NUMBER, ack) >= 0
        ):
            _opened(slot, quality)
    return taken


@inlined
def _found_hole(time: Any, slot: Any, reverse: Any, quality: Any, first: Any, length: Any) -> None:
    """Keep what was skipped: with an older hole as one, unless that was acknowledged and so is filled elsewhere."""
    hole = quality[slot, Q_HOLE + reverse]
    before = hole >> _LENGTH
    if before != 0:
        start = hole & _NUMBER
        acknowledged = quality[slot, 6 - 4 * reverse] & _NUMBER
        whole = _beyond(first, start) + length
        if _beyond(acknowledged, start + before) < 0 and before < whole < _HALF >> 1:
            quality[slot, Q_HOLE + reverse] = start | (whole << _LENGTH)
            return
    quality[slot, Q_HOLE + reverse] = first | (min(length, np.int64((_HALF >> 1) - 1)) << _LENGTH)
    shift = _HOLE_BITS * reverse
    others = quality[slot, Q_HOLE_TIME] & ~(np.int64(_MOST) << shift)
    quality[slot, Q_HOLE_TIME] = others | (((time >> _HOLE_UNIT) & _MOST) << shift)


@inlined
def _filled(slot: Any, reverse: Any, quality: Any, seq: Any, occupied: Any) -> None:
    """Take octets that were skipped from the hole; those from its middle leave it as it is."""
    hole = quality[slot, Q_HOLE + reverse]
    start, length = hole & _NUMBER, hole >> _LENGTH
    from_start = _beyond(seq, start)
    if from_start <= 0:
        rest = max(np.int64(0), length - (from_start + occupied))
        hole = ((start + length - rest) & _NUMBER) | (rest << _LENGTH)
    elif from_start + occupied >= length:
        hole = start | (from_start << _LENGTH)
    quality[slot, Q_HOLE + reverse] = hole if hole >> _LENGTH != 0 else np.int64(0)


@inlined
def _sent_before(time: Any, slot: Any, reverse: Any, quality: Any, seq: Any, occupied: Any) -> None:
    """Count a segment below the next number as retransmitted or out of order."""
    there = 4 - 4 * reverse
    state = quality[slot, Q_STATE]
    hole = quality[slot, Q_HOLE + reverse]
    from_start = _beyond(seq, hole & _NUMBER)
    if from_start < hole >> _LENGTH and from_start + occupied > 0:
        found = (quality[slot, Q_HOLE_TIME] >> (_HOLE_BITS * reverse)) & _MOST
        age = (((time >> _HOLE_UNIT) - found) & _MOST) << _HOLE_UNIT
        trip = (quality[slot, Q_HANDSHAKE] >> _MICROSECONDS) * 1000
        asked = (quality[slot, there + Q_NEXT] >> _DUPLICATES) & 3 >= 2
        _filled(slot, reverse, quality, seq, occupied)
        if age < (trip if trip > 0 else SOON) and not (asked and quality[slot, there + Q_ACK] & _NUMBER == seq):
            count_event(slot, quality, Q_EVENTS, E_OUT_OF_ORDER + reverse)
            return
    count_event(slot, quality, Q_EVENTS, E_RETRANSMITTED + reverse)
    if state & S_REQUEST != 0 and np.int64(state & S_CLIENT_REVERSE != 0) == reverse:
        quality[slot, Q_STATE] |= S_REQUEST_AGAIN


@inlined
def _acknowledge(slot: Any, reverse: Any, quality: Any, ack: Any, flags: Any, window: Any, pure: Any) -> None:
    """Note what a segment acknowledges, and its sender's window."""
    here = 4 * reverse
    own = quality[slot, here + Q_NEXT]
    last = quality[slot, here + Q_ACK]
    if flags & _ACK == 0:
        return
    duplicates = (own >> _DUPLICATES) & 3
    ahead = _beyond(ack, last & _NUMBER)
    if pure and ahead == 0 and window != 0 and window == (own >> _WINDOW) & 0xFFFF:
        duplicates = min(np.int64(3), duplicates + 1)
    elif ahead != 0:
        duplicates = np.int64(0)
    if ahead > 0 or last & _NUMBER == 0:
        quality[slot, here + Q_ACK] = (last & ~_NUMBER) | ack
    quality[slot, here + Q_NEXT] = (
        (own & (_NUMBER | _SEEN)) | (window << _WINDOW) | (duplicates << _DUPLICATES)
    )  # fmt: skip
    zero = S_ZERO << reverse
    if window == 0 and flags & _FIN == 0:
        quality[slot, Q_STATE] |= zero
        count_event(slot, quality, Q_EVENTS, E_ZERO_WINDOWS + reverse)
    elif window != 0:
        quality[slot, Q_STATE] &= ~zero


@inlined
def _unusual(slab: Any, packet: Any, time: Any, slot: Any, reverse: Any, quality: Any, samples: Any, taken: Any,
             seq: Any, ack: Any, flags: Any, window: Any, length: Any) -> Any:  # fmt: skip
    """Take any segment but those that go on where the one before ended, on an established connection."""
    here, there = 4 * reverse, 4 - 4 * reverse
    mark = _mark_of(slab, packet)
    if packet[H_FRAGMENT] != 0:  # how many octets the other fragments bring is not known: begin anew behind them
        quality[slot, here + Q_NEXT] &= ~_SEEN
        return taken
    if _syn_is_late(time, slot, quality):
        _unanswered(slot, quality)
    if flags & _RST != 0:
        if quality[slot, Q_STATE] & S_KNOWN != 0:
            _reset(slot, reverse, quality)
        return taken
    if flags & _SYN != 0:
        return _synchronise(
            time, slot, reverse, quality, samples, taken, seq, ack, flags, window, length, mark
        )  # fmt: skip
    if quality[slot, Q_STATE] & S_KNOWN == 0:
        source, destination = packet[H_SOURCE_PORT], packet[H_DESTINATION_PORT]
        client = reverse if source >= destination else 1 - reverse
        quality[slot, Q_STATE] = S_KNOWN | S_OPEN | S_CLIENT_REVERSE * np.int64(client)
    elif quality[slot, Q_STATE] & S_OPEN == 0:
        taken = _hand_shaken(time, slot, reverse, quality, samples, taken, seq, ack, flags, length)
    occupied = length + (flags & _FIN)
    if flags & _FIN != 0:
        quality[slot, Q_STATE] |= S_FIN << reverse
    own = quality[slot, here + Q_NEXT]
    if own & _SEEN == 0:
        if length > 0:
            taken = _turn(time, slot, reverse, quality, ack, samples, taken)
        if occupied > 0:
            _count_segment(slot, quality, reverse)
        _set_next(seq + occupied, window, mark, ack, time, slot, reverse, quality)
        if window == 0:
            _acknowledge(slot, reverse, quality, ack, flags, window, False)
        return taken
    ahead = _beyond(seq, own & _NUMBER)
    reached = ahead + occupied
    probed = S_PROBED << (1 - reverse)
    if quality[slot, Q_STATE] & probed != 0:
        quality[slot, Q_STATE] &= ~probed
        following = quality[slot, there + Q_NEXT]
        if _beyond(ack, following & _NUMBER) == 1:  # what the probe carried was taken after all
            quality[slot, there + Q_NEXT] = (following & ~_NUMBER) | ack
    if occupied == 1 and length == 1 and ahead == 0 and quality[slot, Q_STATE] & (S_ZERO << (1 - reverse)) != 0:
        quality[slot, Q_STATE] |= S_PROBED << reverse
        _acknowledge(slot, reverse, quality, ack, flags, window, False)
        return taken
    if occupied > 0 and reached <= 0:
        hole = quality[slot, Q_HOLE + reverse]
        from_start = _beyond(seq, hole & _NUMBER)
        skipped = from_start < hole >> _LENGTH and from_start + occupied > 0
        moment = time - quality[slot, here + Q_TIME]
        if not skipped and moment < REPEATED_WITHIN and _is_copy(mark, packet, slot, reverse, quality, reached):
            count_event(slot, quality, Q_EVENTS, E_REPEATED)
            return taken
    alive = ahead == -1 and length <= 1 and flags & _FIN == 0
    if ahead > 0:
        count_event(slot, quality, Q_EVENTS, E_UNSEEN + reverse)
        _found_hole(time, slot, reverse, quality, own & _NUMBER, ahead)
    if occupied > 0 and not alive:
        _count_segment(slot, quality, reverse)
        if ahead < 0 and not (ahead == -1 and length > 1):
            _sent_before(time, slot, reverse, quality, seq, occupied)
    if reached > 0:
        if length > 0:
            taken = _turn(time, slot, reverse, quality, ack, samples, taken)
        if occupied > 0:
            quality[slot, here + Q_TIME] = time
        quality[slot, here + Q_NEXT] = (own & ~_NUMBER) | ((seq + occupied) & _NUMBER)
        quality[slot, here + Q_ACK] = (quality[slot, here + Q_ACK] & _NUMBER) | (mark << _MARK)
    _acknowledge(slot, reverse, quality, ack, flags, window, occupied == 0 and ahead == 0)
    return taken


@inlined
def note_segment(slab: Any, packet: Any, end: Any, time: Any, slot: Any, reverse: Any, quality: Any, samples: Any,
                 taken: Any) -> Any:  # fmt: skip
    """Take a TCP segment; return the number of samples there are now, `taken` before.

    slab: uint8. packet: int64[PACKET_SIZE] as parse_packet wrote it. end: where the frame ended on the wire, as a
    position in the slab, behind the slab's end if need be; it is used where the IP header does not say. time: ns.
    reverse: 0 = sent by who was seen first, 1 = by the other side. quality: int64[slots, QUALITY_WORDS]. samples:
    int64[SAMPLE_ROWS, m], with room for MOST_SAMPLES more. A segment whose header was not captured up to the window is
    left out.
    """
    at = packet[H_TRANSPORT_AT]
    if at == 0 or at + 16 > packet[H_IP_END]:
        return taken
    seq = be4(slab, at + 4)
    ack = be4(slab, at + 8)
    word = be4(slab, at + 12)  # offset 4 | reserved 4 | flags 8 | window 16
    header = (word >> 28) * 4
    flags = (word >> 16) & 0xFF
    window = word & 0xFFFF
    octets = packet[H_IP_OCTETS]
    stop = packet[H_IP_AT] + octets if octets != 0 else end
    length = max(np.int64(0), stop - at - header)
    here = 4 * reverse
    state = quality[slot, Q_STATE]
    own = quality[slot, here + Q_NEXT]
    usual = (
        own & (_SEEN | _NUMBER) == _SEEN | seq
        and flags & (_FIN | _SYN | _RST | _ACK) == _ACK
        and state & (_UNUSUAL | S_OPEN) == S_OPEN
        and window != 0
        and packet[H_FRAGMENT] == 0
    )
    if not usual:
        if header < 20:
            return taken
        return _unusual(
            slab, packet, time, slot, reverse, quality, samples, taken, seq, ack, flags, window, length
        )  # fmt: skip
    last = quality[slot, here + Q_ACK]
    if length > 0:
        taken = _turn(time, slot, reverse, quality, ack, samples, taken)
        quality[slot, here + Q_NEXT] = ((seq + length) & _NUMBER) | (window << _WINDOW) | _SEEN
        quality[slot, here + Q_TIME] = time
        quality[slot, here + Q_ACK] = ack | (_mark_of(slab, packet) << _MARK)
        _count_segment(slot, quality, reverse)
        return taken
    if last & _NUMBER != ack:
        quality[slot, here + Q_NEXT] = seq | (window << _WINDOW) | _SEEN
        quality[slot, here + Q_ACK] = (last & ~_NUMBER) | ack
    else:
        _acknowledge(slot, reverse, quality, ack, flags, window, True)
    return taken


@inlined
def begins_anew(slab: Any, packet: Any, time: Any, slot: Any, reverse: Any, quality: Any) -> Any:
    """Tell (0, 1) whether a segment begins another connection with the addresses and ports of one that ended.

    That is a SYN with another number than the connection's, if this ended, was never established, began before the
    capture or was silent for SILENCE. The caller takes the old counters as final, and lets a row of zeros follow.
    """
    at = packet[H_TRANSPORT_AT]
    state = quality[slot, Q_STATE]
    if state & S_KNOWN == 0 or packet[H_FLAGS] & (_SYN | _ACK | _RST) != _SYN or at == 0 or at + 16 > packet[H_IP_END]:
        return np.int64(0)
    client = np.int64(state & S_CLIENT_REVERSE != 0)
    known = state & S_HANDSHAKE_SEEN != 0
    if known and client == reverse and quality[slot, Q_HANDSHAKE] & _NUMBER == be4(slab, at + 4):
        return np.int64(0)
    if state & S_OPEN == 0:
        # Crossing SYNs open one connection, and a SYN may be seen behind its SYN-ACK.
        waits = state & (S_SYN if known else S_SYN_ACK) != 0
        unseen = quality[slot, 4 * reverse + Q_NEXT] & _SEEN == 0
        return np.int64(not (waits and unseen and (client == reverse) != known))
    latest = max(quality[slot, Q_TIME], quality[slot, 4 + Q_TIME])
    ended = state & (_ENDED | S_RESET) != 0
    return np.int64(ended or not known or time - latest >= SILENCE)


@inlined
def has_ended(slot: Any, quality: Any) -> Any:
    """Tell (0, 1) whether a connection was closed or reset, so that its flow may be forgotten soon."""
    state = quality[slot, Q_STATE]
    return np.int64(state & S_RESET != 0 or state & _ENDED == _ENDED)


@inlined
def client_is_reverse(slot: Any, quality: Any) -> Any:
    """Tell (0, 1) whether the client is not who was seen first."""
    return np.int64(quality[slot, Q_STATE] & S_CLIENT_REVERSE != 0)


@inlined
def take_counters(slot: Any, quality: Any, now: Any, final: Any, counters: Any, column: Any) -> Any:
    """Move a flow's counters to counters[:, column], int64[QUALITY_COUNTERS, n]; return whether any was not 0.

    now: ns. final: 1 = the flow is forgotten after this, so that a SYN or a question without answer remains one. Without
    any, nothing is written to `counters`. Calling it about once a second leaves no counter at its most.
    """
    state = quality[slot, Q_STATE]
    if state & S_DNS == 0:
        if state & (S_SYN | S_UNANSWERED) == S_SYN and (final != 0 or _syn_is_late(now, slot, quality)):
            _unanswered(slot, quality)
            state = quality[slot, Q_STATE]
        if state & S_CHANGED == 0 and quality[slot, Q_SEGMENTS] == 0 and state >> REQUESTS_SHIFT == 0:
            return np.int64(0)
    for row in range(QUALITY_COUNTERS):
        counters[row, column] = 0
    if state & S_DNS != 0:
        return take_dns(slot, quality, now, final, counters, column)
    client = np.int64(state & S_CLIENT_REVERSE != 0)
    server = 1 - client
    segments = quality[slot, Q_SEGMENTS]
    counters[QC_SEGMENTS_TO_SERVER + client, column] = segments & _NUMBER
    counters[QC_SEGMENTS_TO_SERVER + server, column] = segments >> 32
    counters[QC_REQUESTS, column] = state >> REQUESTS_SHIFT
    quality[slot, Q_SEGMENTS] = 0
    quality[slot, Q_STATE] = state & ((1 << REQUESTS_SHIFT) - 1) & ~S_CHANGED
    if state & S_CHANGED == 0:
        return np.int64(1)
    connections = quality[slot, Q_CONNECTIONS]
    most = (1 << CONNECTION_BITS) - 1
    counters[QC_ATTEMPTED, column] = connections & most
    counters[QC_ESTABLISHED, column] = (connections >> (C_ESTABLISHED * CONNECTION_BITS)) & most
    counters[QC_REFUSED, column] = (connections >> (C_REFUSED * CONNECTION_BITS)) & most
    counters[QC_UNANSWERED, column] = (connections >> (C_UNANSWERED * CONNECTION_BITS)) & most
    counters[QC_RESET_BY_CLIENT + client, column] = (connections >> (C_RESET * CONNECTION_BITS)) & most
    counters[QC_RESET_BY_CLIENT + server, column] = (connections >> ((C_RESET + 1) * CONNECTION_BITS)) & most
    for direction in range(2):
        to = np.int64(direction != client)
        counters[QC_RETRANSMITTED_TO_SERVER + to, column] = events(slot, quality, Q_EVENTS, E_RETRANSMITTED + direction)
        counters[QC_OUT_OF_ORDER_TO_SERVER + to, column] = events(slot, quality, Q_EVENTS, E_OUT_OF_ORDER + direction)
        counters[QC_UNSEEN_TO_SERVER + to, column] = events(slot, quality, Q_EVENTS, E_UNSEEN + direction)
        of = QC_ZERO_WINDOWS_OF_CLIENT if to == 0 else QC_ZERO_WINDOWS_OF_SERVER
        counters[of, column] = events(slot, quality, Q_EVENTS, E_ZERO_WINDOWS + direction)
    counters[QC_REPEATED, column] = events(slot, quality, Q_EVENTS, E_REPEATED)
    quality[slot, Q_CONNECTIONS] = 0
    for word in range(Q_EVENTS, Q_EVENTS + 3):
        quality[slot, word] = 0
    return np.int64(1)
