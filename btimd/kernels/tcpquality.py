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
repeated: seen before, less than 2 ms after the sender's last segment, and not sent anew: its IPv4 identification is
    not newer; over IPv6, or where that is 0, its hop limit differs, or no duplicate ACK asked for it. A SYN or SYN-ACK
    within 2 ms is repeated in any case: no host sends one again so soon. Whoever mirrors two ports sees this.
client: the sender of the SYN; of connections begun before the capture the side with the higher port, the first
    sender if they are equal.
unanswered: no SYN-ACK and no RST within 3 s of the last SYN, whatever comes later; a RST is no refusal then.
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
)
from btimd.kernels.qualitylayout import (
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
    MOST_SAMPLES,
    Q_ACK,
    Q_CONNECTIONS,
    Q_EVENTS,
    Q_HANDSHAKE,
    Q_HOLE,
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
    S_RESET,
    S_SYN,
    S_SYN_ACK,
    S_UNANSWERED,
    S_ZERO,
    SAMPLE_ROWS,
    count_event,
    events,
)
from btimd.kernels.tcphandshake import hand_shaken, reset, syn_is_late, synchronise, unanswered
from btimd.kernels.tcporder import found_hole, is_copy, sent_before
from btimd.kernels.tcpwords import (
    ACK,
    DUPLICATES,
    ENDED,
    FIN,
    LENGTH,
    MARK,
    MOST,
    NUMBER,
    RST,
    SEEN,
    SYN,
    WINDOW,
    beyond,
    count_segment,
    set_next,
    turn,
)

__all__ = [
    "MOST_SAMPLES", "M_KIND", "M_NANOSECONDS", "M_SLOT", "M_TIME", "QUALITY_WORDS", "SAMPLE_ROWS", "begins_anew",
    "client_is_reverse", "has_ended", "note_dns", "note_segment", "take_counters",
]  # fmt: skip

SILENCE: Final = 10_000_000_000
"""A connection that sent nothing new for so long, ns, gives way to a SYN that does not belong to it."""

_UNUSUAL: Final = S_ZERO | (S_ZERO << 1) | S_PROBED | (S_PROBED << 1) | S_SYN | S_SYN_ACK


@inlined
def _mark_of(slab: Any, packet: Any) -> Any:
    """Return what tells a copy from a segment sent anew: the IPv4 identification, or IPv6 next header and hop limit."""
    return be2(slab, packet[H_IP_AT] + (4 if packet[H_IP_VERSION] == 4 else 6))


@inlined
def _acknowledge(slot: Any, reverse: Any, quality: Any, ack: Any, flags: Any, window: Any, pure: Any) -> None:
    """Note what a segment acknowledges, and its sender's window."""
    here = 4 * reverse
    own = quality[slot, here + Q_NEXT]
    last = quality[slot, here + Q_ACK]
    if flags & ACK == 0:
        return
    duplicates = (own >> DUPLICATES) & 3
    ahead = beyond(ack, last & NUMBER)
    if pure and ahead == 0 and window != 0 and window == (own >> WINDOW) & 0xFFFF:
        duplicates = min(np.int64(3), duplicates + 1)
    elif ahead != 0 or not pure:
        duplicates = np.int64(0)
    quality[slot, here + Q_ACK] = (last & ~NUMBER) | ack
    quality[slot, here + Q_NEXT] = (
        (own & (NUMBER | SEEN)) | (window << WINDOW) | (duplicates << DUPLICATES)
    )  # fmt: skip
    zero = S_ZERO << reverse
    if window == 0 and flags & FIN == 0:
        quality[slot, Q_STATE] |= zero
        count_event(slot, quality, Q_EVENTS, E_ZERO_WINDOWS + reverse)
    elif window != 0:
        quality[slot, Q_STATE] &= ~zero


@inlined
def _unusual(slab: Any, packet: Any, time: Any, slot: Any, reverse: Any, quality: Any, samples: Any, taken: Any,  # noqa: PLR0911  a return per case
             seq: Any, ack: Any, flags: Any, window: Any, length: Any) -> Any:  # fmt: skip
    """Take any segment but those that go on where the one before ended, on an established connection."""
    here, there = 4 * reverse, 4 - 4 * reverse
    mark = _mark_of(slab, packet)
    if packet[H_FRAGMENT] != 0:  # how many octets the other fragments bring is not known: begin anew behind them
        quality[slot, here + Q_NEXT] &= ~SEEN
        return taken
    if syn_is_late(time, slot, quality):
        unanswered(slot, quality)
    if flags & RST != 0:
        if quality[slot, Q_STATE] & S_KNOWN != 0:
            reset(slot, reverse, quality)
        return taken
    if flags & SYN != 0:
        return synchronise(
            time, slot, reverse, quality, samples, taken, seq, ack, flags, window, length, mark
        )  # fmt: skip
    if quality[slot, Q_STATE] & S_KNOWN == 0:
        source, destination = packet[H_SOURCE_PORT], packet[H_DESTINATION_PORT]
        client = reverse if source >= destination else 1 - reverse
        quality[slot, Q_STATE] = S_KNOWN | S_OPEN | S_CLIENT_REVERSE * np.int64(client)
    elif quality[slot, Q_STATE] & S_OPEN == 0:
        taken = hand_shaken(time, slot, reverse, quality, samples, taken, ack, flags, length)
    occupied = length + (flags & FIN)
    if flags & FIN != 0:
        quality[slot, Q_STATE] |= S_FIN << reverse
    own = quality[slot, here + Q_NEXT]
    if own & SEEN == 0:
        if length > 0:
            taken = turn(time, slot, reverse, quality, ack, samples, taken)
        if occupied > 0:
            count_segment(slot, quality, reverse)
        set_next(seq + occupied, window, mark, ack, time, slot, reverse, quality)
        if window == 0:
            _acknowledge(slot, reverse, quality, ack, flags, window, False)
        return taken
    ahead = beyond(seq, own & NUMBER)
    reached = ahead + occupied
    probed = S_PROBED << (1 - reverse)
    if quality[slot, Q_STATE] & probed != 0:
        quality[slot, Q_STATE] &= ~probed
        following = quality[slot, there + Q_NEXT]
        if beyond(ack, following & NUMBER) == 1:  # what the probe carried was taken after all
            quality[slot, there + Q_NEXT] = (following & ~NUMBER) | ack
    if occupied == 1 and length == 1 and ahead == 0 and quality[slot, Q_STATE] & (S_ZERO << (1 - reverse)) != 0:
        quality[slot, Q_STATE] |= S_PROBED << reverse
        _acknowledge(slot, reverse, quality, ack, flags, window, False)
        return taken
    if occupied > 0 and reached <= 0:
        hole = quality[slot, Q_HOLE + reverse]
        from_start = beyond(seq, hole & NUMBER)
        skipped = from_start < hole >> LENGTH and from_start + occupied > 0
        moment = time - quality[slot, here + Q_TIME]
        if not skipped and moment < REPEATED_WITHIN and is_copy(mark, packet, slot, reverse, quality):
            count_event(slot, quality, Q_EVENTS, E_REPEATED)
            return taken
    alive = ahead == -1 and length <= 1 and flags & FIN == 0
    if ahead > 0:
        count_event(slot, quality, Q_EVENTS, E_UNSEEN + reverse)
        found_hole(time, slot, reverse, quality, own & NUMBER, ahead)
    if occupied > 0 and not alive:
        count_segment(slot, quality, reverse)
        latest = quality[slot, here + Q_ACK]
        if reached > 0 or packet[H_IP_VERSION] != 4 or (mark - (latest >> MARK)) & 0xFFFF < 0x8000:
            quality[slot, here + Q_ACK] = (latest & NUMBER) | (mark << MARK)
        if ahead < 0 and not (ahead == -1 and length > 1):
            sent_before(time, slot, reverse, quality, seq, occupied)
        quality[slot, here + Q_TIME] = time
    if reached > 0:
        if length > 0:
            taken = turn(time, slot, reverse, quality, ack, samples, taken)
        quality[slot, here + Q_NEXT] = (own & ~NUMBER) | ((seq + occupied) & NUMBER)
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
        own & (SEEN | NUMBER) == SEEN | seq
        and flags & (FIN | SYN | RST | ACK) == ACK
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
    # Data and pure ACKs come in no order that a processor could foresee: both do the same, without a branch.
    data = np.int64(length > 0)
    last = quality[slot, here + Q_ACK]
    if data == 0 and last & NUMBER == ack:
        _acknowledge(slot, reverse, quality, ack, flags, window, True)
        return taken
    asks = np.int64(state & S_CLIENT_REVERSE != 0) == reverse
    if data != 0 and asks == (state & S_REQUEST == 0):
        taken = turn(time, slot, reverse, quality, ack, samples, taken)
    mark = _mark_of(slab, packet) if data != 0 else last >> MARK
    quality[slot, here + Q_NEXT] = ((seq + length) & NUMBER) | (window << WINDOW) | SEEN
    quality[slot, here + Q_TIME] = time if data != 0 else quality[slot, here + Q_TIME]
    quality[slot, here + Q_ACK] = ack | (mark << MARK)
    segments = quality[slot, Q_SEGMENTS]
    more = np.int64((segments >> (32 * reverse)) & MOST != MOST) & data
    quality[slot, Q_SEGMENTS] = segments + (more << (32 * reverse))
    return taken


@inlined
def begins_anew(slab: Any, packet: Any, time: Any, slot: Any, reverse: Any, quality: Any) -> Any:
    """Tell (0, 1) whether a segment begins another connection with the addresses and ports of one that ended.

    That is a SYN with another number than the connection's, if this ended, was never established, began before the
    capture or was silent for SILENCE. The caller takes the old counters as final, and lets a row of zeros follow.
    """
    at = packet[H_TRANSPORT_AT]
    state = quality[slot, Q_STATE]
    if state & S_KNOWN == 0 or packet[H_FLAGS] & (SYN | ACK | RST) != SYN or at == 0 or at + 16 > packet[H_IP_END]:
        return np.int64(0)
    client = np.int64(state & S_CLIENT_REVERSE != 0)
    known = state & S_HANDSHAKE_SEEN != 0
    if known and client == reverse and quality[slot, Q_HANDSHAKE] & NUMBER == be4(slab, at + 4):
        return np.int64(0)
    if state & S_OPEN == 0:
        # Crossing SYNs open one connection, and a SYN may be seen behind its SYN-ACK.
        waits = state & (S_SYN if known else S_SYN_ACK) != 0
        unseen = quality[slot, 4 * reverse + Q_NEXT] & SEEN == 0
        return np.int64(not (waits and unseen and (client == reverse) != known))
    latest = max(quality[slot, Q_TIME], quality[slot, 4 + Q_TIME])
    ended = state & (ENDED | S_RESET) != 0
    return np.int64(ended or not known or time - latest >= SILENCE)


@inlined
def has_ended(slot: Any, quality: Any) -> Any:
    """Tell (0, 1) whether a connection was closed or reset, so that its flow may be forgotten soon."""
    state = quality[slot, Q_STATE]
    return np.int64(state & S_RESET != 0 or state & ENDED == ENDED)


@inlined
def client_is_reverse(slot: Any, quality: Any) -> Any:
    """Tell (0, 1) whether the client is not who was seen first."""
    return np.int64(quality[slot, Q_STATE] & S_CLIENT_REVERSE != 0)


@inlined
def take_counters(slot: Any, quality: Any, now: Any, final: Any, counters: Any, column: Any) -> Any:
    """Move a flow's counters to counters[:, column], int64[QUALITY_COUNTERS, n]; return whether any was not 0.

    now: ns. final: 1 = the flow is forgotten after this, so that a SYN or a question without answer remains one.
    Without any, nothing is written to `counters`. Calling it about once a second leaves no counter at its most.
    """
    state = quality[slot, Q_STATE]
    if state & S_DNS == 0:
        if state & (S_SYN | S_UNANSWERED) == S_SYN and (final != 0 or syn_is_late(now, slot, quality)):
            unanswered(slot, quality)
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
    counters[QC_SEGMENTS_TO_SERVER + client, column] = segments & NUMBER
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
