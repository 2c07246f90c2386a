"""What stands before the network layer in captures that have no Ethernet headers: where it ends, and what follows.

BSD loopback  address family 4, in the order of octets of the machine, or of the network
cooked        type 2, device type 2, address 2 + 8, ethertype 2 (LINKTYPE_LINUX_SLL)
cooked 2      ethertype 2, zero 2, interface 4, device type 2, type 1, address 1 + 8 (LINKTYPE_LINUX_SLL2)
802.11        control 2, duration 2, addresses 18, sequence 2, [address 6], [QoS 2, [HT 4]] | LLC
radiotap      version 1, zero 1, length 2, ... | 802.11, numbers little-endian
FDDI          control 1, destination 6, source 6 | LLC
NFLOG         family 1, version 1, group 2 | [length 2, type 2, value, zeros up to 4]*, in the order of the machine
"""

from typing import Any, Final

import numpy as np

from btimd.kernels._jit import inlined
from btimd.kernels.headers import (
    CUT_OFF,
    H_INNER_AT,
    H_INNER_LINK,
    LINK_COOKED,
    LINK_COOKED_2,
    LINK_FDDI,
    LINK_IPV4,
    LINK_LOOPBACK,
    LINK_NFLOG,
    LINK_OF_ETHERTYPE,
    LINK_PPP,
    LINK_PPP_DIRECTED,
    LINK_PPP_OVER_ETHERNET,
    LINK_RADIOTAP,
    LINK_WIFI,
    MALFORMED,
    NO_FAULT,
    NOT_IP,
)
from btimd.kernels.octets import be2, be4

_PPPOE: Final = 0x8864
_MOST_ATTRIBUTES: Final = 32
_NFLOG_PAYLOAD: Final = 9


@inlined
def _le2(slab: Any, at: Any) -> Any:
    return np.int64(slab[at]) | (np.int64(slab[at + 1]) << 8)


@inlined
def _follow(at: Any, link: Any, out: Any) -> Any:
    """Note what follows, and where."""
    out[H_INNER_AT] = at
    out[H_INNER_LINK] = link
    return NO_FAULT


@inlined
def _is_family(family: Any) -> Any:
    """Tell whether an address family is one of IP: 2, and 10, 24, 28 or 30 for IPv6, by system."""
    return family in (2, 10, 24, 28, 30)


@inlined
def _wifi(slab: Any, at: Any, end: Any, out: Any) -> Any:
    """Find the LLC header of an 802.11 data frame that is not encrypted and not aggregated."""
    if at + 24 > end:
        return CUT_OFF
    control, flags = slab[at], slab[at + 1]
    if control & 0x4F != 0x08 or flags & 0x40:  # data with a body, version 0; nothing encrypted
        return NOT_IP
    here = at + (30 if flags & 3 == 3 else 24)
    if control & 0x80:
        if here + 2 > end:
            return CUT_OFF
        if slab[here] & 0x80:
            return NOT_IP
        here += 6 if flags & 0x80 else 2
    return _follow(here, LINK_OF_ETHERTYPE, out)


@inlined
def _nflog(slab: Any, at: Any, end: Any, out: Any) -> Any:
    """Find the packet among the attributes of a record of the Linux packet filter's log."""
    if at + 4 > end:
        return CUT_OFF
    if slab[at + 1] != 0 or not _is_family(slab[at]):
        return NOT_IP
    here = at + 4
    for _ in range(_MOST_ATTRIBUTES):
        if here + 4 > end:
            return CUT_OFF
        length = _le2(slab, here)
        kind = _le2(slab, here + 2)
        if kind > 255:  # there are some 20 types: written by a big-endian machine
            length = be2(slab, here)
            kind = be2(slab, here + 2)
        if length < 4:
            return MALFORMED
        if kind == _NFLOG_PAYLOAD:
            return _follow(here + 4, LINK_IPV4, out)
        here += (length + 3) & ~3
    return MALFORMED


@inlined
def open_link(slab: Any, at: Any, end: Any, link: Any, out: Any) -> Any:  # noqa: PLR0911  one return per link type
    """Find what the frame slab[at:end] of a LINK_OF_CAPTURES type carries; return NO_FAULT, or a fault as in H_FAULT.

    Writes H_INNER_AT and H_INNER_LINK when it returns NO_FAULT, for headers.parse_frame; the position may be behind
    `end`. Nothing at or behind `end` is read. An unknown link type is NOT_IP.
    """
    if link == LINK_LOOPBACK:
        if at + 4 > end:
            return CUT_OFF
        family = be4(slab, at)
        if family & 0xFFFF == 0:
            family = np.int64(_le2(slab, at))
        return _follow(at + 4, LINK_IPV4, out) if _is_family(family) else NOT_IP
    if link == LINK_COOKED:
        return _follow(at + 16, LINK_OF_ETHERTYPE + be2(slab, at + 14), out) if at + 16 <= end else CUT_OFF
    if link == LINK_COOKED_2:
        return _follow(at + 20, LINK_OF_ETHERTYPE + be2(slab, at), out) if at + 20 <= end else CUT_OFF
    if link == LINK_PPP_OVER_ETHERNET:
        return _follow(at, LINK_OF_ETHERTYPE + _PPPOE, out)
    if link == LINK_PPP_DIRECTED:
        return _follow(at + 1, LINK_PPP, out)
    if link == LINK_FDDI:
        return _follow(at + 13, LINK_OF_ETHERTYPE, out)
    if link == LINK_WIFI:
        return _wifi(slab, at, end, out)
    if link == LINK_RADIOTAP:
        if at + 4 > end:
            return CUT_OFF
        length = _le2(slab, at + 2)
        if slab[at] != 0 or length < 8:
            return MALFORMED
        return _wifi(slab, at + length, end, out)
    if link == LINK_NFLOG:
        return _nflog(slab, at, end, out)
    return NOT_IP
