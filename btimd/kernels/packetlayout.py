"""The rows of the integer tables that kernels over captured packets share with their callers, and their constants.

Everything that is added or subtracted is int64; times of packets are ns since 1970 UTC.
"""

from typing import Final

# frames: int64[FRAME_ROWS, n], the frames of a PacketBlock. F_AT, F_END: where the captured octets begin and end in the
# slab. F_OCTETS: the frame's length on the wire, with its VLAN tags. F_TIME: ns. F_LINK: headers.LINK_*, or -1 for a
# link type nothing here reads. F_TAG: the VLAN tag that the network card took off, TPID << 16 | TCI, 0 = none.
F_AT, F_END, F_OCTETS, F_TIME, F_LINK, F_TAG = range(6)
FRAME_ROWS: Final = 6

# The counters of a quality record, and its row in QualityBatch.counters: what happened on one connection, or between
# one client and one DNS server, since its record before. "to server": sent by the client.
(QC_ATTEMPTED, QC_ESTABLISHED, QC_REFUSED, QC_UNANSWERED, QC_RESET_BY_CLIENT, QC_RESET_BY_SERVER, QC_SEGMENTS_TO_SERVER,
 QC_SEGMENTS_TO_CLIENT, QC_RETRANSMITTED_TO_SERVER, QC_RETRANSMITTED_TO_CLIENT, QC_OUT_OF_ORDER_TO_SERVER,
 QC_OUT_OF_ORDER_TO_CLIENT, QC_UNSEEN_TO_SERVER, QC_UNSEEN_TO_CLIENT, QC_ZERO_WINDOWS_OF_SERVER,
 QC_ZERO_WINDOWS_OF_CLIENT, QC_REQUESTS, QC_DNS_QUERIES, QC_DNS_ANSWERS, QC_DNS_NXDOMAIN, QC_DNS_SERVFAIL,
 QC_DNS_OTHER_ERRORS, QC_DNS_UNANSWERED, QC_REPEATED) = range(24)  # fmt: skip
QUALITY_COUNTERS: Final = 24

# Kinds of QualityBatch.sample_kind: what a measured duration is.
(SAMPLE_CLIENT_LEG, SAMPLE_SERVER_LEG, SAMPLE_RESPONSE, SAMPLE_DNS_RESPONSE) = range(4)
SAMPLE_KINDS: Final = 4
