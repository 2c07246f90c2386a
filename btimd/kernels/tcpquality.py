"""How well connections do, segment by segment: handshakes, answers, retransmissions, resets; DNS questions and answers."""

from typing import Any, Final

import numpy as np

from btimd.kernels._jit import inlined

# quality: int64[slots, QUALITY_WORDS], one row beside each flow, all zero when the flow begins.
QUALITY_WORDS: Final = 16
# samples: int64[SAMPLE_ROWS, m], durations measured: the flow's slot, kernels.packetlayout.SAMPLE_*, ns, and when, ns.
M_SLOT, M_KIND, M_NANOSECONDS, M_TIME = range(4)
SAMPLE_ROWS: Final = 4
MOST_SAMPLES: Final = 2
"""A packet brings at most so many."""


@inlined
def note_segment(slab: Any, packet: Any, end: Any, time: Any, slot: Any, reverse: Any, quality: Any, samples: Any,
                 taken: Any) -> Any:  # fmt: skip
    """Take a TCP segment; return the number of samples there are now, `taken` before."""
    return taken


@inlined
def note_dns(slab: Any, packet: Any, end: Any, time: Any, slot: Any, reverse: Any, quality: Any, samples: Any,
             taken: Any) -> Any:  # fmt: skip
    """Take a UDP datagram from or to port 53; return as note_segment does."""
    return taken


@inlined
def begins_anew(slot: Any, quality: Any, packet: Any, reverse: Any) -> Any:
    """Tell (0, 1) whether a SYN begins another connection with the addresses and ports of one that ended."""
    return np.int64(0)


@inlined
def has_ended(slot: Any, quality: Any) -> Any:
    """Tell (0, 1) whether a connection was closed or reset, so that its flow may be forgotten soon."""
    return np.int64(0)


@inlined
def client_is_reverse(slot: Any, quality: Any) -> Any:
    """Tell (0, 1) whether the client is not who was seen first."""
    return np.int64(0)


@inlined
def take_counters(slot: Any, quality: Any, now: Any, final: Any, counters: Any, column: Any) -> Any:
    """Move a flow's counters to counters[:, column], int64[QUALITY_COUNTERS, n]; return whether any was not 0.

    now: ns. final: 1 = the flow is forgotten after this, so that a SYN or a question without answer remains one.
    """
    return np.int64(0)
