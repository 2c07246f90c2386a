"""QualityBatch: how well connections did, measured on their packets."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from btimd.model.units import UnixMillis

COUNTERS: Final[tuple[str, ...]] = (
    "connections_attempted", "connections_established", "connections_refused", "connections_unanswered",
    "connections_reset_by_client", "connections_reset_by_server", "segments_to_server", "segments_to_client",
    "segments_retransmitted_to_server", "segments_retransmitted_to_client", "segments_out_of_order_to_server",
    "segments_out_of_order_to_client", "segments_unseen_to_server", "segments_unseen_to_client",
    "zero_windows_of_server", "zero_windows_of_client", "requests", "dns_queries", "dns_answers", "dns_nxdomain",
    "dns_servfail", "dns_other_errors", "dns_unanswered", "packets_repeated_by_mirror",
)  # fmt: skip
"""The rows of QualityBatch.counters, as kernels.packetlayout.QC_* number them."""
SAMPLE_KINDS: Final[tuple[str, ...]] = ("client_leg", "server_leg", "response", "dns_response")
"""What a measured duration is, as kernels.packetlayout.SAMPLE_* number them.

client_leg, server_leg: the two halves of a TCP handshake's round trip on either side of the point of capture, from
SYN-ACK to ACK and from SYN to SYN-ACK. response: from the last octet of a request to the first of its answer.
"""


@dataclass(frozen=True, slots=True)
class QualityBatch:
    """n quality records and m measured durations, as columns.

    Each record and each duration carries (client, server) as who asked and who answered: the sender of the SYN, of the
    DNS query. addresses: int64[4, n] upper and lower half of the client's, then of the server's address. ports:
    uint16[2, n] client's and server's. protocol: uint8[n]. time_milliseconds: int64[n], of the latest packet counted.
    counters: int64[24, n], rows in the order of COUNTERS, growth since the record before.
    sample_addresses: int64[4, m], sample_ports: uint16[2, m], sample_protocol: uint8[m], sample_time_milliseconds:
    int64[m], sample_kind: uint8[m] into SAMPLE_KINDS, sample_nanoseconds: int64[m], 0 or more.
    """

    addresses: npt.NDArray[np.int64]
    ports: npt.NDArray[np.uint16]
    protocol: npt.NDArray[np.uint8]
    time_milliseconds: npt.NDArray[np.int64]
    counters: npt.NDArray[np.int64]
    sample_addresses: npt.NDArray[np.int64]
    sample_ports: npt.NDArray[np.uint16]
    sample_protocol: npt.NDArray[np.uint8]
    sample_time_milliseconds: npt.NDArray[np.int64]
    sample_kind: npt.NDArray[np.uint8]
    sample_nanoseconds: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        """Refuse columns of unequal length."""
        records, samples = len(self.time_milliseconds), len(self.sample_time_milliseconds)
        shapes = {
            "addresses": (4, records), "ports": (2, records), "protocol": (records,),
            "counters": (len(COUNTERS), records), "sample_addresses": (4, samples), "sample_ports": (2, samples),
            "sample_protocol": (samples,), "sample_kind": (samples,), "sample_nanoseconds": (samples,),
        }  # fmt: skip
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} is {getattr(self, name).shape}, wanted {shape}")

    def __len__(self) -> int:
        return len(self.time_milliseconds)

    @classmethod
    def empty(cls) -> "QualityBatch":
        """Return a batch without records and durations."""
        nothing, words, octets = np.zeros(0, np.int64), np.zeros((2, 0), np.uint16), np.zeros(0, np.uint8)
        return cls(
            np.zeros((4, 0), np.int64), words, octets, nothing, np.zeros((len(COUNTERS), 0), np.int64),
            np.zeros((4, 0), np.int64), words, octets, nothing, octets, nothing,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Durations:
    """How long something took, of `count` samples; None where there is none. Quantiles are off by 2 % at most.

    buckets, bucket_counts: the sketch they come from, ascending buckets and what those hold; sketches are merged by
    adding counts. Bucket 0 holds what took up to 1 us, bucket b what took more than 1 us * g^(b-1), up to 1 us * g^b,
    g = 1.02 / 0.98; bucket 511 all that took longer.
    """

    count: int = 0
    mean_seconds: float | None = None
    least_seconds: float | None = None
    p50_seconds: float | None = None
    p95_seconds: float | None = None
    p99_seconds: float | None = None
    greatest_seconds: float | None = None
    buckets: tuple[int, ...] = ()
    bucket_counts: tuple[int, ...] = ()


NO_DURATIONS: Final = Durations()


def _share(part: int, whole: int) -> float | None:
    """Return a part of a whole, None where there was neither.

    What came of something may count in a later interval than the thing itself, so a part may exceed its whole.
    """
    return part / max(part, whole) if part or whole else None


@dataclass(frozen=True, slots=True)
class QualityRow:
    """How well connections to a server, from a place, for a business did in an interval.

    business: empty for unattributed traffic. server: "10.0.0.1:443", "[2001:db8::1]:443"; empty for unattributed
    traffic, for connections that a business's own servers open, and for servers that found no room. Rows that were
    merged have empty text in what they were merged over. The counters are those of COUNTERS. What a handshake, a
    request or a question came to counts when that was known, which may be in a later interval.
    capture_loss_ratio: share of the packets that the capture lost in the interval; lost packets look like segments
    that were sent again, and their answers are missing; None = nobody knows. A later revision replaces the row.
    """

    interval_start_milliseconds: UnixMillis
    interval_milliseconds: int
    revision: int
    business: str
    region: str
    segment: str
    server: str
    connections_attempted: int = 0
    connections_established: int = 0
    connections_refused: int = 0
    connections_unanswered: int = 0
    connections_reset_by_client: int = 0
    connections_reset_by_server: int = 0
    segments_to_server: int = 0
    segments_to_client: int = 0
    segments_retransmitted_to_server: int = 0
    segments_retransmitted_to_client: int = 0
    segments_out_of_order_to_server: int = 0
    segments_out_of_order_to_client: int = 0
    segments_unseen_to_server: int = 0
    segments_unseen_to_client: int = 0
    zero_windows_of_server: int = 0
    zero_windows_of_client: int = 0
    requests: int = 0
    dns_queries: int = 0
    dns_answers: int = 0
    dns_nxdomain: int = 0
    dns_servfail: int = 0
    dns_other_errors: int = 0
    dns_unanswered: int = 0
    packets_repeated_by_mirror: int = 0
    client_leg: Durations = NO_DURATIONS
    server_leg: Durations = NO_DURATIONS
    response: Durations = NO_DURATIONS
    dns_response: Durations = NO_DURATIONS
    capture_loss_ratio: float | None = None

    @property
    def refused_ratio(self) -> float | None:
        """Share of the attempted connections that a reset answered; None, here and below, where there were none."""
        return _share(self.connections_refused, self.connections_attempted)

    @property
    def unanswered_ratio(self) -> float | None:
        """Share of the attempted connections that nothing answered."""
        return _share(self.connections_unanswered, self.connections_attempted)

    @property
    def retransmission_to_server_ratio(self) -> float | None:
        """Share of the segments from clients that had been sent before."""
        return _share(self.segments_retransmitted_to_server, self.segments_to_server)

    @property
    def retransmission_to_client_ratio(self) -> float | None:
        """Share of the segments from servers that had been sent before."""
        return _share(self.segments_retransmitted_to_client, self.segments_to_client)

    @property
    def out_of_order_ratio(self) -> float | None:
        """Share of all segments that came out of order."""
        late = self.segments_out_of_order_to_server + self.segments_out_of_order_to_client
        return _share(late, self.segments_to_server + self.segments_to_client)

    @property
    def unseen_ratio(self) -> float | None:
        """Share of all segments that were acknowledged and never seen: the capture misses packets, or one direction."""
        unseen = self.segments_unseen_to_server + self.segments_unseen_to_client
        return _share(unseen, unseen + self.segments_to_server + self.segments_to_client)

    @property
    def nxdomain_ratio(self) -> float | None:
        """Share of the DNS answers that the name does not exist."""
        return _share(self.dns_nxdomain, self.dns_answers)

    @property
    def servfail_ratio(self) -> float | None:
        """Share of the DNS answers that the server failed."""
        return _share(self.dns_servfail, self.dns_answers)

    @property
    def dns_unanswered_ratio(self) -> float | None:
        """Share of the DNS questions that nothing answered."""
        return _share(self.dns_unanswered, self.dns_queries)
