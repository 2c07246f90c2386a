"""What only some exporters tell of a record: NAT, events, forwarding status, VRF, application, label, MAC, ICMP.

A firewall's events (Cisco NSEL, elements 233 and 231 with 232) are counted so that nothing counts twice: updates (5)
carry what passed since the update before, the last of a connection comes with its teardown. Teardowns (2) carry the
sum of the whole connection: they count where no update told the same, that is from firewalls that never send updates,
and for connections that were younger than any that was ever updated (ASA NetFlow Implementation Guide, "Flow Update
Events"). Where no update came for hours, they were switched off, and teardowns count again.
"""

from typing import Any, Final

import numpy as np

from btimd.kernels import flowlayout as fl
from btimd.kernels._jit import inlined
from btimd.kernels.flowcolumns import field, gather, gather_address

_UNKNOWN_V4: Final = 0xFFFF_0000_0000  # 0.0.0.0
_DROPPED: Final = 2  # the upper two bits of a forwarding status (RFC 7270 section 4.12)
_CREATED, _DELETED, _DENIED, _UPDATE = 1, 2, 3, 5
_SHORTEST_UPDATE_AGE: Final = 58_000  # ms; the shortest interval that can be configured is a minute
_LONGEST_WITHOUT_UPDATE: Final = 7_200_000  # ms; twice the longest interval, and the usual idle time-out
_ICMP, _ICMPV6 = 1, 58


@inlined
def write_extras(extra: Any, words: Any, at: Any, slab: Any, starts: Any, n: Any, layout: Any) -> None:
    """Write the extra columns of n records, and which of them the device discarded."""
    for x in (fl.X_POST_SOURCE_HI, fl.X_POST_DESTINATION_HI):
        gather_address(extra, np.int64(x), at, slab, starts, n, layout, np.int64(fl.S_EXTRA + x))
        for k in range(at, at + n):
            if extra[x, k] == 0 and extra[x + 1, k] == _UNKNOWN_V4:
                extra[x + 1, k] = 0
    for x in range(fl.X_POST_SOURCE_PORT, fl.EXTRAS):
        gather(extra, np.int64(x), at, slab, starts, n, layout, np.int64(fl.S_EXTRA + x), np.int64(-1))
    length = np.int64(layout[1, fl.S_EXTRA + fl.X_APPLICATION])
    if 0 < length < 8:
        shift = 8 * (length - 1)
        for k in range(at, at + n):
            raw = extra[fl.X_APPLICATION, k]
            extra[fl.X_APPLICATION, k] = ((raw >> shift) << 56) | (raw & ((np.int64(1) << shift) - 1))
    if layout[1, fl.S_EXTRA + fl.X_MPLS_LABEL] != 0:
        for k in range(at, at + n):
            extra[fl.X_MPLS_LABEL, k] >>= 4
    for k in range(at, at + n):
        if extra[fl.X_LAYER2_OCTETS, k] < 0 or extra[fl.X_LAYER2_OCTETS, k] > fl.LIMIT_COUNTER:
            extra[fl.X_LAYER2_OCTETS, k] = 0
    if layout[1, fl.S_EXTRA + fl.X_FORWARDING_STATUS] != 0:
        for k in range(at, at + n):
            if (extra[fl.X_FORWARDING_STATUS, k] & 0xFF) >> 6 == _DROPPED:
                words[fl.P_QUALITY, k] |= fl.Q_DROPPED
    if layout[1, fl.S_EXTRA + fl.X_FIREWALL_EVENT] != 0:
        for k in range(at, at + n):
            if extra[fl.X_FIREWALL_EVENT, k] == _DENIED:
                words[fl.P_QUALITY, k] |= fl.Q_DROPPED


@inlined
def count_events(wide: Any, words: Any, extra: Any, at: Any, n: Any, domains: Any, domain_row: Any,
                 has_age: Any) -> None:  # fmt: skip
    """Take out the counters of events that other events count; let an update's octets begin where its interval does.

    Comes after times and extra columns. has_age: whether the records say when their connection was made.
    """
    for k in range(at, at + n):
        event = extra[fl.X_FIREWALL_EVENT, k]
        age = wide[fl.W_END, k] - wide[fl.W_START, k]
        youngest = domains[domain_row, fl.D_UPDATE_AGE]
        if wide[fl.W_END, k] - domains[domain_row, fl.D_UPDATED_AT] > _LONGEST_WITHOUT_UPDATE:
            youngest = np.int64(0)
        if event == _UPDATE:
            if not has_age:
                age = np.int64(_SHORTEST_UPDATE_AGE)
            if youngest == 0 or age < youngest:
                youngest = max(age, np.int64(_SHORTEST_UPDATE_AGE))
                domains[domain_row, fl.D_UPDATE_AGE] = youngest
            domains[domain_row, fl.D_UPDATED_AT] = max(domains[domain_row, fl.D_UPDATED_AT], wide[fl.W_END, k])
            wide[fl.W_START, k] = max(wide[fl.W_START, k], wide[fl.W_END, k] - youngest)
        elif event in (_CREATED, _DENIED) or (event == _DELETED and youngest > 0 and (not has_age or age >= youngest)):
            wide[fl.W_OCTETS, k] = 0
            wide[fl.W_PACKETS, k] = 0
            words[fl.P_QUALITY, k] |= fl.Q_NO_COUNTERS


@inlined
def _icmp(slab: Any, starts: Any, k: Any, layout: Any, both: Any, kind: Any, code: Any) -> Any:
    """Return type << 8 | code from a field of both or two fields, 0 where there are none."""
    if layout[1, both] != 0:
        return field(slab, starts, k, layout, both) & 0xFFFF
    return ((field(slab, starts, k, layout, kind) & 0xFF) << 8) | (field(slab, starts, k, layout, code) & 0xFF)


@inlined
def write_icmp(words: Any, octets: Any, at: Any, slab: Any, starts: Any, n: Any, layout: Any) -> None:
    """Put ICMP type << 8 | code into the destination port, as NetFlow v5 has it, where that is 0."""
    for k in range(n):
        protocol = octets[fl.B_PROTOCOL, at + k]
        if words[fl.P_DESTINATION, at + k] != 0 or protocol not in (_ICMP, _ICMPV6):
            continue
        value = np.int64(0)
        if protocol == _ICMPV6:
            value = _icmp(slab, starts, k, layout, np.int64(fl.S_ICMP6), np.int64(fl.S_ICMP_TYPE6),
                          np.int64(fl.S_ICMP_CODE6))  # fmt: skip
        if value == 0:  # some write both protocols into the field of the older one
            value = _icmp(slab, starts, k, layout, np.int64(fl.S_ICMP4), np.int64(fl.S_ICMP_TYPE4),
                          np.int64(fl.S_ICMP_CODE4))  # fmt: skip
        words[fl.P_DESTINATION, at + k] = value
