"""The rows of the integer tables that the flow decoder's kernels share with their callers, and their constants.

All tables are integer arrays that the caller builds (capture/wire/tables.py). Everything that is added or subtracted
is int64.
"""

from typing import Final

# Why a call ended.
DONE: Final = 0
FULL: Final = 1  # the output has no room for the set at the cursor
NEW_DOMAIN: Final = 2  # datagram of an exporter or observation domain that has no row yet
RARE_SET: Final = 3  # the set at the cursor is for the caller: template, options, or without template
SFLOW: Final = 4  # the datagram at the cursor is sFlow: kernels/sflow.py goes on there
NEED_EXTRA: Final = 5  # the set at the cursor fills extra columns and there are none yet
COUNTERS: Final = 6  # the sFlow sample at the cursor holds counters, which are for the caller

# The cursor is int64[CURSOR_SIZE].
AT_DATAGRAM, AT_POSITION, AT_OUTPUT, AT_DOMAIN, AT_EXPORT, AT_UPTIME = 0, 1, 2, 3, 4, 5
AT_SEQUENCE, AT_RECORDS, AT_COUNTABLE, AT_REPLAY, AT_VERSION, AT_DOMAIN_ID, AT_SET_END = 6, 7, 8, 9, 10, 11, 12
AT_OPTIONS: Final = 13
AT_STREAM: Final = 14  # 1 = the datagrams came over TCP: the port is part of every key
AT_AGENT_HI, AT_AGENT_LO = 15, 16  # who an sFlow datagram says it is from
CURSOR_SIZE: Final = 17

# The counts are int64[COUNTS_SIZE].
(N_DATAGRAMS, N_OCTETS, N_RECORDS, N_REVERSE, N_SKIPPED_RECORDS, N_OPTIONS_RECORDS, N_SHORT, N_UNKNOWN_VERSION,
 N_SFLOW, N_TRUNCATED, N_BAD_SETS, N_RESERVED_SETS, N_EMPTY_RECORDS, N_NO_TIME, N_CLAMPED, N_ABSURD_COUNTERS,
 N_ABSURD_RATES) = range(17)  # fmt: skip
COUNTS_SIZE: Final = 17

# domains: int64[rows, DOMAIN_SIZE], one row per (exporter address, version, observation domain)
(D_EXPORTER, D_VERSION, D_ID, D_INIT, D_RATE, D_RECORDS, D_STRICT, D_TIME_SOURCE, D_QUALITY,
 D_UPDATE_AGE, D_FORCED_RATE, D_HEADER_RATE, D_UPDATED_AT) = range(13)  # fmt: skip
DOMAIN_SIZE: Final = 13
# D_FORCED_RATE: not 0 = D_RATE holds whatever the exporter says. D_HEADER_RATE: the latest in a v5 header
# or an sFlow sample, 0 = none.
# Keys of domains: version << 32 | domain, and where the port tells exporters apart
# port << KEY_PORT_SHIFT | KEY_STREAM (of a connection) or KEY_STRICT (of UDP).
KEY_PORT_SHIFT: Final = 36
KEY_STREAM: Final = 1 << 52
KEY_STRICT: Final = 1 << 53
# D_UPDATE_AGE: how old a connection was, ms, when a firewall sent its first update, 0 = none seen (flowextras).
# D_UPDATED_AT: when its latest update ended, ms.
# D_STRICT: 1 = several exporters behind one address, each UDP port has rows of its own.
# D_TIME_SOURCE: whose clock dates the records. D_QUALITY: bits every record of the domain gets (Q_*).
TIMES_OF_FLOW, TIMES_OF_EXPORT, TIMES_OF_ARRIVAL = 0, 1, 2

SFLOW_VERSION: Final = 105  # sFlow v5 as a domain's version; its observation domain is the sub-agent
# sequences: int64[rows, SEQUENCE_SIZE], beside `domains`, one row each, all zero at first; what sequence.account
# remembers. E_RULE is one of sequence.RULES; E_LOST and E_PENDING are in its units, E_LOST_RECORDS is their estimate in
# flow records. E_CONFLICT: several exporters count in one row, 1 = from several UDP ports, 2 = from one.
# E_SKEW: ms that the exporter's clock is behind ours (network delay included).
(E_DATAGRAMS, E_LOST, E_RESTARTS, E_REORDERED, E_FIRST_SEEN, E_LAST_SEEN, E_RECORDS, E_SKEW, E_RULE, E_PENDING,
 E_DUPLICATES, E_LOST_RECORDS, E_CONFLICT) = range(13)  # fmt: skip
# The rest of the row is for sequence.account alone. E_EXPECTED and E_OTHER hold a number + 1, 0 = none.
(E_EXPECTED, E_OPEN, E_PORT, E_PORT_CHANGES, E_OTHER, E_OTHER_PORT, E_OTHER_RUN, E_OTHER_LEFT, E_SINCE_OTHER,
 E_INTERLEAVED, E_SETTLED, E_STILL, E_SCORED, E_SKEW_SCALED, E_SKEW_RUN, E_FRACTION,
 E_GAPS, E_STRAYS) = range(13, 31)  # fmt: skip
E_SCORE: Final = 31  # 8 scores, one per rule
E_GAP: Final = 39  # 32 gaps of (first missing number | units << 32, ordinal and arrival of the datagram after it)
# The last 32 datagrams: (number | records << 32 | countable << 48, options | sets << 16 | port << 32).
E_RING: Final = 135
SEQUENCE_SIZE: Final = 199

# templates: int64[rows, TEMPLATE_SIZE]; the first rows are the fixed layouts of v5, v1, v1 of 48 octets, v7
(T_LENGTH, T_KIND, T_VARIABLE, T_FIELD_AT, T_FIELD_COUNT, T_START, T_END, T_REVERSE_START, T_REVERSE_END, T_RATE,
 T_REVERSE, T_USED, T_UNCONFIRMED) = range(13)  # fmt: skip
(T_EXTRA, T_PACKET, T_ICMP, T_EVENTS, T_QUALITY) = range(13, 18)
TEMPLATE_SIZE: Final = 18
# T_EXTRA: 1 = fills extra columns. T_PACKET: the link type of the packet section the records are made of, 0 = none.
# T_ICMP: 1 = ICMP type and code have fields of their own. T_EVENTS: 1 = the counters are those of a firewall's events.
# T_QUALITY: bits every record of the template gets.
# T_USED: arrival of the latest set, ms. T_UNCONFIRMED: 1 = remembered from an earlier run and not sent again yet: a set
# that does not fit it exactly is for the caller; 2 = the same, found to fit by the caller.
ROW_V5, ROW_V1, ROW_V1_SHORT, ROW_V7, FIXED_ROWS = 0, 1, 2, 3, 4
KIND_FLOW, KIND_STOP, KIND_SKIP_DATA, KIND_SKIP_OPTIONS = 0, 1, 2, 3

# slots: where a template has what; offsets and lengths are int32[rows, SLOTS], length 0 = the template has it not
(S_SOURCE4, S_SOURCE6, S_DESTINATION4, S_DESTINATION6, S_SOURCE_PORT, S_DESTINATION_PORT, S_PROTOCOL, S_CLASS, S_FLAGS,
 S_INGRESS, S_EGRESS, S_VLAN, S_DIRECTION, S_OCTETS, S_PACKETS, S_START, S_END, S_INIT, S_RATE, S_INTERVAL, S_SPACE,
 S_SAMPLER, S_REVERSE_OCTETS, S_REVERSE_PACKETS, S_REVERSE_START, S_REVERSE_END, S_REVERSE_FLAGS,
 S_REVERSE_CLASS) = range(28)  # fmt: skip
# The slot of a simple extra column X_* is S_EXTRA + X_*; the places of the four address halves serve the two families.
S_EXTRA: Final = 28
S_POST_SOURCE4, S_POST_SOURCE6, S_POST_DESTINATION4, S_POST_DESTINATION6 = 28, 29, 30, 31
(S_ICMP4, S_ICMP6, S_ICMP_TYPE4, S_ICMP_CODE4, S_ICMP_TYPE6, S_ICMP_CODE6, S_FRAME, S_FRAME_OCTETS) = range(44, 52)
S_FRAME_OFFSET, S_FRAME_TYPE = 52, 53  # where in its frame a section begins, dataLinkFrameType
SLOTS: Final = 54
VARIABLE: Final = 65535
# A slot's offset is segment << SEGMENT_SHIFT | octets from where the segment begins. Segment 0 begins with the record,
# further ones behind the length of a variable field that is used, and behind such fields where used ones follow.
SEGMENT_SHIFT: Final = 16
SEGMENTS: Final = 32
RUN: Final = 256  # records that are gathered together
# fields: int32[rows, 2], (octets, 0) for a run of fixed fields, or for one of variable length
# (VARIABLE, slot + 1 or 0 | segment of its value << 8, 0 = unused | segment behind it << 16, 0 = unused).

# How a time is written.
TIME_NONE, TIME_MILLISECONDS, TIME_SECONDS, TIME_NTP, TIME_DELTA_MICROSECONDS, TIME_UPTIME = 0, 1, 2, 3, 4, 5

# Output rows: wide int64[8, n], ids uint32[3, n], small int32[2, n], words uint16[5, n], octets uint8[3, n],
# extra int64[EXTRAS, n] or, where no layout so far needed them, int64[EXTRAS, 0]
W_START, W_END, W_SOURCE_HI, W_SOURCE_LO, W_DESTINATION_HI, W_DESTINATION_LO, W_OCTETS, W_PACKETS = range(8)
I_INGRESS, I_EGRESS, I_DOMAIN = range(3)
M_RATE, M_EXPORTER = range(2)
P_SOURCE, P_DESTINATION, P_FLAGS, P_VLAN, P_QUALITY = range(5)
B_PROTOCOL, B_CLASS, B_DIRECTION = range(3)
(X_POST_SOURCE_HI, X_POST_SOURCE_LO, X_POST_DESTINATION_HI, X_POST_DESTINATION_LO, X_POST_SOURCE_PORT,
 X_POST_DESTINATION_PORT, X_NAT_EVENT, X_FIREWALL_EVENT, X_FORWARDING_STATUS, X_LAYER2_OCTETS, X_INGRESS_VRF,
 X_EGRESS_VRF, X_APPLICATION, X_MPLS_LABEL, X_SOURCE_MAC, X_DESTINATION_MAC) = range(16)  # fmt: skip
EXTRAS: Final = 16

# Bits of the column record_quality: what to know before trusting a record.
Q_CLAMPED: Final = 1  # its times lay outside what can be and were brought to the edge
Q_NO_TIME: Final = 2  # it names no usable time: stamped with its arrival
Q_ABSURD: Final = 4  # a counter no flow can have carried was set to 0
Q_RATE_ASSUMED: Final = 8  # the exporter announced no sampling rate: the operator's, or 1
Q_LAYER2: Final = 16  # octets are those of the frame (layer 2): the record has no others
Q_DROPPED: Final = 32  # the device discarded what it reports
Q_REVERSE: Final = 64  # the other direction of a bidirectional record
Q_PACKET: Final = 128  # made of one sampled packet's header, not of a flow the device kept
Q_NO_COUNTERS: Final = 256  # it names no octets: none counted

LIMIT_COUNTER: Final = 1 << 48  # 281 TB in one record: no flow, a defect or an attack
LIMIT_RATE: Final = 1 << 24
LIMIT_GAP: Final = 1 << 22  # a larger step of a sequence number is a restart, not loss
LIMIT_BACKWARD: Final = 16  # so many datagrams in a row that go on from a number not far back are a restart
LIMIT_PAST: Final = 86_400_000
LIMIT_FUTURE: Final = 3_600_000
M31: Final = 0x7FFF_FFFF
M32: Final = 0xFFFF_FFFF
