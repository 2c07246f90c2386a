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

# The cursor is int64[CURSOR_SIZE].
AT_DATAGRAM, AT_POSITION, AT_OUTPUT, AT_DOMAIN, AT_EXPORT, AT_UPTIME = 0, 1, 2, 3, 4, 5
AT_SEQUENCE, AT_RECORDS, AT_COUNTABLE, AT_REPLAY, AT_VERSION, AT_DOMAIN_ID, AT_SET_END = 6, 7, 8, 9, 10, 11, 12
AT_OPTIONS: Final = 13
CURSOR_SIZE: Final = 14

# The counts are int64[COUNTS_SIZE].
(N_DATAGRAMS, N_OCTETS, N_RECORDS, N_REVERSE, N_SKIPPED_RECORDS, N_OPTIONS_RECORDS, N_SHORT, N_UNKNOWN_VERSION,
 N_SFLOW, N_TRUNCATED, N_BAD_SETS, N_RESERVED_SETS, N_EMPTY_RECORDS, N_NO_TIME, N_CLAMPED, N_ABSURD_COUNTERS,
 N_ABSURD_RATES) = range(17)  # fmt: skip
COUNTS_SIZE: Final = 17

# domains: int64[rows, DOMAIN_SIZE], one row per (exporter address, version, observation domain)
(D_EXPORTER, D_VERSION, D_ID, D_INIT, D_RATE, D_RECORDS, D_STRICT, D_TIME_SOURCE, D_QUALITY) = range(9)
DOMAIN_SIZE: Final = 9
# D_STRICT: 1 = several exporters behind one address, each UDP port has rows of its own.
# D_TIME_SOURCE: whose clock dates the records. D_QUALITY: bits every record of the domain gets (Q_*).
TIMES_OF_FLOW, TIMES_OF_EXPORT, TIMES_OF_ARRIVAL = 0, 1, 2

# sequences: int64[rows, SEQUENCE_SIZE], beside `domains`, one row each; what sequence.account remembers
(E_DATAGRAMS, E_LOST, E_RESTARTS, E_REORDERED, E_SEQUENCE, E_PREVIOUS, E_ONLY_BEFORE, E_ONLY_AFTER, E_BACKWARD,
 E_FIRST_SEEN, E_LAST_SEEN, E_PREVIOUS_OPTIONS, E_RECORDS, E_SKEW) = range(14)  # fmt: skip
SEQUENCE_SIZE: Final = 14

# templates: int64[rows, TEMPLATE_SIZE]; the first rows are the fixed layouts of v5, v1, v1 of 48 octets, v7
(T_LENGTH, T_KIND, T_VARIABLE, T_FIELD_AT, T_FIELD_COUNT, T_START, T_END, T_REVERSE_START, T_REVERSE_END, T_RATE,
 T_REVERSE) = range(11)  # fmt: skip
TEMPLATE_SIZE: Final = 11
ROW_V5, ROW_V1, ROW_V1_SHORT, ROW_V7, FIXED_ROWS = 0, 1, 2, 3, 4
KIND_FLOW, KIND_STOP, KIND_SKIP_DATA, KIND_SKIP_OPTIONS = 0, 1, 2, 3

# slots: where a template has what; offsets and lengths are int32[rows, SLOTS], length 0 = the template has it not
(S_SOURCE4, S_SOURCE6, S_DESTINATION4, S_DESTINATION6, S_SOURCE_PORT, S_DESTINATION_PORT, S_PROTOCOL, S_CLASS, S_FLAGS,
 S_INGRESS, S_EGRESS, S_VLAN, S_DIRECTION, S_OCTETS, S_PACKETS, S_START, S_END, S_INIT, S_RATE, S_INTERVAL, S_SPACE,
 S_SAMPLER, S_REVERSE_OCTETS, S_REVERSE_PACKETS, S_REVERSE_START, S_REVERSE_END, S_REVERSE_FLAGS,
 S_REVERSE_CLASS) = range(28)  # fmt: skip
SLOTS: Final = 28
VARIABLE: Final = 65535

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
LIMIT_BACKWARD: Final = 16  # so many steps back in a row are a restart, not reordering
LIMIT_PAST: Final = 86_400_000
LIMIT_FUTURE: Final = 3_600_000
M31: Final = 0x7FFF_FFFF
M32: Final = 0xFFFF_FFFF
