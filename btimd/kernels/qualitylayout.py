"""The row of words that a flow has for its quality, and what TCP and DNS share over it: counters and samples.

A connection's row (Q_*). The first cache line is what every segment touches, the second what happens seldom. "0" is
the direction of who was seen first, "1" the other one; direction d has its words at 4 * d.

 0, 4   bits 0-31 next sequence number, 32-47 window, 48-49 duplicate ACKs in a row, up to 3; 50 = the word holds
 1, 5   when a segment that occupies numbers came last, ns
 2, 6   bits 0-31 highest acknowledgment, 32-47 mark: IPv4 identification, or next header and hop limit, of the latest
        such segment
 3      bits 0-23 state (Q_*), 24-62 requests
 7      segments of direction 0 (32 bits) and 1 (31 bits)
 8      six counters of 10 bits, C_*
 9-11   nine counters of 21 bits: retransmitted, out of order, unseen, zero windows, by direction each; repeated
 12     bits 0-31 initial sequence number of the SYN, 32-62 the handshake's round trip, microseconds
 13     when each direction's hole was found, 31 bits each of 2^16 ns
 14, 15 each direction's hole, octets that were skipped: bits 0-31 first number, 32-61 length, 0 = none

A DNS flow's row (D_*): 0 to 2 seven counters of 21 bits; 3 as above; 4 to 7 when each open question was seen, ns;
8 to 11 its number, bit 16 = open, bit 17 = it was repeated; 12, 13 the last answer's number with bit 16, and when.
"""

from typing import Any, Final

import numpy as np

from btimd.kernels._jit import inlined

QUALITY_WORDS: Final = 16
# samples: int64[SAMPLE_ROWS, m], durations measured: the flow's slot, kernels.packetlayout.SAMPLE_*, ns, and when, ns.
M_SLOT, M_KIND, M_NANOSECONDS, M_TIME = range(4)
SAMPLE_ROWS: Final = 4
MOST_SAMPLES: Final = 2
"""A packet brings at most so many."""

# Word 3, of both layouts.
Q_STATE: Final = 3
(S_KNOWN, S_CLIENT_REVERSE, S_DNS, S_CHANGED, S_SYN, S_SYN_ACK, S_OPEN, S_HANDSHAKE_SEEN, S_SYN_AGAIN, S_SYN_ACK_AGAIN,
 S_UNANSWERED, S_RESET, S_REQUEST, S_REQUEST_AGAIN) = [1 << bit for bit in range(14)]  # fmt: skip
# S_CHANGED: a counter outside the first line is not 0. S_SYN: a SYN waits for its answer, S_SYN_ACK: a SYN-ACK for the
# ACK. S_*_AGAIN: sent more than once, so an answer says nothing about time. S_REQUEST: a request waits for its answer.
S_FIN: Final = 1 << 14  # and 1 << 15: by direction
S_ZERO: Final = 1 << 16  # and 1 << 17: the direction's sender has no room
S_PROBED: Final = 1 << 18  # and 1 << 19: the direction's last segment probed a zero window
REQUESTS_SHIFT: Final = 24
MOST_REQUESTS: Final = (1 << 39) - 1

Q_NEXT, Q_TIME, Q_ACK, Q_SEGMENTS, Q_CONNECTIONS, Q_EVENTS, Q_HANDSHAKE, Q_HOLE_TIME, Q_HOLE = (
    0, 1, 2, 7, 8, 9, 12, 13, 14,
)  # fmt: skip
D_EVENTS, D_TIME, D_QUESTION, D_ANSWERED, D_ANSWERED_TIME = 0, 4, 8, 12, 13
QUESTIONS: Final = 4

C_ATTEMPTED, C_ESTABLISHED, C_REFUSED, C_UNANSWERED, C_RESET = 0, 1, 2, 3, 4  # C_RESET: by direction
CONNECTION_BITS: Final = 10
E_RETRANSMITTED, E_OUT_OF_ORDER, E_UNSEEN, E_ZERO_WINDOWS, E_REPEATED = 0, 2, 4, 6, 8  # by direction but the last
(E_QUERIES, E_ANSWERS, E_NXDOMAIN, E_SERVFAIL, E_OTHER_ERRORS, E_DNS_UNANSWERED, E_DNS_REPEATED) = range(7)
EVENT_BITS: Final = 21

REPEATED_WITHIN: Final = 2_000_000
"""A mirror shows a packet again after less, ns."""


@inlined
def _count(slot: Any, quality: Any, word: Any, shift: Any, most: Any) -> None:
    before = quality[slot, word]
    if (before >> shift) & most != most:
        quality[slot, word] = before + (np.int64(1) << shift)
    quality[slot, Q_STATE] |= S_CHANGED


@inlined
def count_connection(slot: Any, quality: Any, which: Any) -> None:
    """Count one of C_*; it stays at its most."""
    _count(slot, quality, Q_CONNECTIONS, which * CONNECTION_BITS, (1 << CONNECTION_BITS) - 1)


@inlined
def count_event(slot: Any, quality: Any, events_at: Any, which: Any) -> None:
    """Count one of E_* in the words at `events_at` (Q_EVENTS, D_EVENTS); it stays at its most."""
    _count(slot, quality, events_at + which // 3, which % 3 * EVENT_BITS, (1 << EVENT_BITS) - 1)


@inlined
def events(slot: Any, quality: Any, events_at: Any, which: Any) -> Any:
    """Return what count_event counted."""
    return (quality[slot, events_at + which // 3] >> (which % 3 * EVENT_BITS)) & ((1 << EVENT_BITS) - 1)


@inlined
def measured(slot: Any, kind: Any, nanoseconds: Any, time: Any, samples: Any, taken: Any) -> Any:
    """Write a duration, not below 0 where time stamps went back; return the number of samples there are now."""
    samples[M_SLOT, taken] = slot
    samples[M_KIND, taken] = kind
    samples[M_NANOSECONDS, taken] = max(np.int64(0), nanoseconds)
    samples[M_TIME, taken] = time
    return taken + 1
