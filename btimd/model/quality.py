"""QualityBatch: how well connections did, measured on their packets."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

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
