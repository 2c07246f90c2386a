"""Questions to name servers and their answers, over UDP port 53 (RFC 1035 4.1.1), within one flow.

A question is open until an answer with its number comes, or for QUESTION_TIMEOUT, after which it is unanswered. One
asked again while open is no other question, and its answer is not timed, as nobody knows which one it answers. Four can
be open at a time: further ones are counted, and neither timed nor called unanswered.

 number 2 | QR 1 bit, opcode 4, AA, TC, RD 1 each | RA 1, Z 3, rcode 4 | counts 8
"""

from typing import Any, Final

import numpy as np

from btimd.kernels._jit import inlined
from btimd.kernels.headers import (
    H_DESTINATION_PORT,
    H_FRAGMENT,
    H_IP_END,
    H_SOURCE_PORT,
    H_TRANSPORT_AT,
    LATER_FRAGMENT,
)
from btimd.kernels.octets import be2
from btimd.kernels.packetlayout import (
    QC_DNS_ANSWERS,
    QC_DNS_NXDOMAIN,
    QC_DNS_OTHER_ERRORS,
    QC_DNS_QUERIES,
    QC_DNS_SERVFAIL,
    QC_DNS_UNANSWERED,
    QC_REPEATED,
    SAMPLE_DNS_RESPONSE,
)
from btimd.kernels.qualitylayout import (
    D_ANSWERED,
    D_ANSWERED_TIME,
    D_EVENTS,
    D_QUESTION,
    D_TIME,
    E_ANSWERS,
    E_DNS_REPEATED,
    E_DNS_UNANSWERED,
    E_NXDOMAIN,
    E_OTHER_ERRORS,
    E_QUERIES,
    E_SERVFAIL,
    Q_STATE,
    QUESTIONS,
    REPEATED_WITHIN,
    S_CHANGED,
    S_CLIENT_REVERSE,
    S_DNS,
    S_KNOWN,
    count_event,
    events,
    measured,
)

PORT: Final = 53
QUESTION_TIMEOUT: Final = 5_000_000_000
"""A question without answer for so long, ns, is unanswered: as long as resolvers wait before they ask again."""
_OPEN, _AGAIN = 1 << 16, 1 << 17
_SERVFAIL, _NXDOMAIN = 2, 3


@inlined
def _asked(number: Any, time: Any, slot: Any, quality: Any) -> None:
    """Open a question, or see one repeated."""
    free = np.int64(-1)
    for k in range(QUESTIONS):
        question = quality[slot, D_QUESTION + k]
        age = time - quality[slot, D_TIME + k]
        if question & _OPEN != 0 and age >= QUESTION_TIMEOUT:
            count_event(slot, quality, D_EVENTS, E_DNS_UNANSWERED)
            question = np.int64(0)
            quality[slot, D_QUESTION + k] = 0
        if question & _OPEN == 0:
            free = np.int64(k)
        elif question & 0xFFFF == number:
            if age < REPEATED_WITHIN:
                count_event(slot, quality, D_EVENTS, E_DNS_REPEATED)
            else:
                quality[slot, D_QUESTION + k] = question | _AGAIN
            return
    count_event(slot, quality, D_EVENTS, E_QUERIES)
    if free >= 0:
        quality[slot, D_QUESTION + free] = number | _OPEN
        quality[slot, D_TIME + free] = time


@inlined
def _answered(number: Any, rcode: Any, time: Any, slot: Any, quality: Any, samples: Any, taken: Any) -> Any:
    """Count an answer, and close its question."""
    if quality[slot, D_ANSWERED] == number | _OPEN and time - quality[slot, D_ANSWERED_TIME] < REPEATED_WITHIN:
        count_event(slot, quality, D_EVENTS, E_DNS_REPEATED)
        return taken
    quality[slot, D_ANSWERED] = number | _OPEN
    quality[slot, D_ANSWERED_TIME] = time
    count_event(slot, quality, D_EVENTS, E_ANSWERS)
    if rcode == _NXDOMAIN:
        count_event(slot, quality, D_EVENTS, E_NXDOMAIN)
    elif rcode == _SERVFAIL:
        count_event(slot, quality, D_EVENTS, E_SERVFAIL)
    elif rcode != 0:
        count_event(slot, quality, D_EVENTS, E_OTHER_ERRORS)
    for k in range(QUESTIONS):
        question = quality[slot, D_QUESTION + k]
        if question & _OPEN != 0 and question & 0xFFFF == number:
            quality[slot, D_QUESTION + k] = 0
            age = time - quality[slot, D_TIME + k]
            if age >= QUESTION_TIMEOUT:
                count_event(slot, quality, D_EVENTS, E_DNS_UNANSWERED)
            elif question & _AGAIN == 0:
                return measured(slot, SAMPLE_DNS_RESPONSE, age, time, samples, taken)
            return taken
    return taken


@inlined
def note_dns(slab: Any, packet: Any, end: Any, time: Any, slot: Any, reverse: Any, quality: Any, samples: Any,  # noqa: ARG001  as note_segment
             taken: Any) -> Any:  # fmt: skip
    """Take a UDP datagram from or to port 53; arguments and what is returned are note_segment's."""
    at = packet[H_TRANSPORT_AT] + 8
    if at == 8 or at + 4 > packet[H_IP_END] or packet[H_FRAGMENT] == LATER_FRAGMENT:
        return taken
    number = be2(slab, at)
    flags = be2(slab, at + 2)
    if flags & 0x8000 == 0:
        if packet[H_DESTINATION_PORT] == PORT:
            _begin(slot, quality, reverse)
            _asked(number, time, slot, quality)
    elif packet[H_SOURCE_PORT] == PORT:
        _begin(slot, quality, 1 - reverse)
        return _answered(number, flags & 15, time, slot, quality, samples, taken)
    return taken


@inlined
def _begin(slot: Any, quality: Any, client: Any) -> None:
    """Note, with the first message, in which direction questions go."""
    if quality[slot, Q_STATE] == 0:
        quality[slot, Q_STATE] = S_KNOWN | S_DNS | S_CLIENT_REVERSE * np.int64(client)


@inlined
def take_dns(slot: Any, quality: Any, now: Any, final: Any, counters: Any, column: Any) -> Any:
    """Do what take_counters does, for a DNS flow; counters[:, column] is 0."""
    for k in range(QUESTIONS):
        waits = quality[slot, D_QUESTION + k] & _OPEN != 0
        if waits and (final != 0 or now - quality[slot, D_TIME + k] >= QUESTION_TIMEOUT):
            count_event(slot, quality, D_EVENTS, E_DNS_UNANSWERED)
            quality[slot, D_QUESTION + k] = 0
    if quality[slot, Q_STATE] & S_CHANGED == 0:
        return np.int64(0)
    counters[QC_DNS_QUERIES, column] = events(slot, quality, D_EVENTS, E_QUERIES)
    counters[QC_DNS_ANSWERS, column] = events(slot, quality, D_EVENTS, E_ANSWERS)
    counters[QC_DNS_NXDOMAIN, column] = events(slot, quality, D_EVENTS, E_NXDOMAIN)
    counters[QC_DNS_SERVFAIL, column] = events(slot, quality, D_EVENTS, E_SERVFAIL)
    counters[QC_DNS_OTHER_ERRORS, column] = events(slot, quality, D_EVENTS, E_OTHER_ERRORS)
    counters[QC_DNS_UNANSWERED, column] = events(slot, quality, D_EVENTS, E_DNS_UNANSWERED)
    counters[QC_REPEATED, column] = events(slot, quality, D_EVENTS, E_DNS_REPEATED)
    for word in range(D_EVENTS, D_EVENTS + 3):
        quality[slot, word] = 0
    quality[slot, Q_STATE] &= ~S_CHANGED
    return np.int64(1)
