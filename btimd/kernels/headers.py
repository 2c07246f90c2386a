"""What a frame says about itself: link, network and transport headers of a frame that may be cut off anywhere.

 Ethernet   destination 6 | source 6 | [tag 2, TCI 2]* | ethertype 2, or length 2 | LLC AA AA 03 | OUI 3 | ethertype 2
 MPLS       label 20 bits, class 3, bottom 1, TTL 8 | ... | IP, or [control word 4] Ethernet (RFC 3032, 4385, 4448)
 PPPoE      version 1, code 1, session 2, length 2 | PPP protocol 2 (RFC 2516)
 IPv4       version, length 1 | class 1 | total 2 | id 2 | fragment 2 | TTL 1 | protocol 1 | sum 2 | from 4 | to 4
 IPv6       version, class, label 4 | payload 2 | next 1 | hops 1 | from 16 | to 16 | extension headers
 NSH        version, TTL, length in words 2 | type 1 | next protocol 1 | path 4 | context (RFC 8300)

The outermost IP header is the flow: that is what the device forwards and what its NetFlow would report. Who wants to
see into a tunnel asks `find_inner` where the inner frame begins and parses that, as often as he likes: each step moves
forward, and MAX_TUNNELS is as deep as anybody should go.
"""

from typing import Any, Final

import numpy as np

from btimd.kernels._jit import inlined, kernel
from btimd.kernels.octets import be2, be4, be8

# Link types: sFlow's header_protocol. Those not listed say nothing that is read here.
LINK_ETHERNET: Final = 1
LINK_PPP: Final = 7
LINK_ATM_IP: Final = 10
LINK_IPV4: Final = 11  # this, IPv6 and LINK_ATM_IP alike: the version in the IP header decides
LINK_IPV6: Final = 12
LINK_MPLS: Final = 13
LINK_POS: Final = 14
# Link types that only captures have: 2^32 + LINKTYPE_ number, which no header_protocol (32 bits) can be. They are read
# by packets.parse_packet; parse_frame does not know them.
LINK_OF_CAPTURES: Final = 1 << 32
LINK_LOOPBACK: Final = LINK_OF_CAPTURES + 0  # BSD: address family 4, in either order of octets
LINK_FDDI: Final = LINK_OF_CAPTURES + 10
LINK_PPP_OVER_ETHERNET: Final = LINK_OF_CAPTURES + 51
LINK_WIFI: Final = LINK_OF_CAPTURES + 105  # IEEE 802.11
LINK_COOKED: Final = LINK_OF_CAPTURES + 113  # Linux "any" interface
LINK_RADIOTAP: Final = LINK_OF_CAPTURES + 127
LINK_PPP_DIRECTED: Final = LINK_OF_CAPTURES + 204  # one octet says which way, then PPP
LINK_NFLOG: Final = LINK_OF_CAPTURES + 239
LINK_COOKED_2: Final = LINK_OF_CAPTURES + 276
LINK_UNKNOWN: Final = -1
# LINK_OF_ETHERTYPE + ethertype: what stands behind that ethertype in an Ethernet frame. Tunnels end in it too.
LINK_OF_ETHERTYPE: Final = 1 << 33

# What parse_frame returns.
NO_ADDRESSES: Final = 0  # nothing but, perhaps, MAC addresses, VLAN and ethertype
ADDRESSES: Final = 1
PORTS: Final = 2  # addresses, and ports or ICMP type and code

# out is int64[H_SIZE]; what the frame does not say is 0. First what packets.parse_packet leaves alone for most frames.
(H_SOURCE_MAC, H_DESTINATION_MAC, H_ETHERTYPE, H_MPLS_DEPTH, H_CUSTOMER_VLAN, H_INNER_AT, H_INNER_LINK, H_TTL,
 H_SOURCE_HI, H_SOURCE_LO, H_DESTINATION_HI, H_DESTINATION_LO, H_SOURCE_PORT, H_DESTINATION_PORT, H_PROTOCOL, H_FLAGS,
 H_CLASS, H_VLAN, H_TAGS, H_MPLS_LABEL, H_FRAGMENT, H_IP_AT, H_IP_OCTETS, H_IP_VERSION, H_TRANSPORT_AT, H_IP_END,
 H_FAULT) = range(27)  # fmt: skip
H_SIZE: Final = 27
# H_SOURCE_HI...: IPv4 as ::ffff:a.b.c.d. H_DESTINATION_PORT: ICMP type << 8 | code, as NetFlow v5 has it.
# H_VLAN: the outermost tag's; H_CUSTOMER_VLAN: the next one's. H_MPLS_LABEL: the top label, with H_MPLS_DEPTH labels.
# H_IP_OCTETS: what the IP header says about its packet's length, 0 where it does not (offloaded, jumbogram).
# H_IP_AT, H_TRANSPORT_AT, H_INNER_AT: positions in the slab. H_IP_END: where the IP packet or the capture ends.
# H_INNER_AT, H_INNER_LINK: written by find_inner.
# H_TAGS: the VLAN tags of every Ethernet header on the way, 12 bits each, the outermost MOST_TAGS of them with the
# innermost of those in the lowest bits; from TAG_COUNT_SHIFT on how many there are, up to 7.
MOST_TAGS: Final = 5
TAG_COUNT_SHIFT: Final = 60
WHOLE, FIRST_FRAGMENT, LATER_FRAGMENT = 0, 1, 2  # H_FRAGMENT
# H_FAULT: why less was read than a whole frame says. CUT_OFF: the capture ends before a header does that the lengths
# said so far have room for. NOT_IP: something else is there. MALFORMED: what cannot be, such as an IPv4 header of 16
# octets, or a header that goes beyond the length of its packet.
NO_FAULT, CUT_OFF, NOT_IP, MALFORMED = 0, 1, 2, 3

MAX_TUNNELS: Final = 4

_IPV4, _IPV6, _MPLS, _MPLS_UPSTREAM, _PPPOE, _BRIDGED = 0x0800, 0x86DD, 0x8847, 0x8848, 0x8864, 0x6558
_TAG, _SERVICE_TAG, _OLD_TAG, _OLDER_TAG = 0x8100, 0x88A8, 0x9100, 0x9200
_VN_TAG, _PORT_TAG, _BACKBONE = 0x8926, 0x893F, 0x88E7  # Cisco VN-Tag, 802.1BR, 802.1ah: Ethernet in Ethernet
_NSH: Final = 0x894F
_SMALLEST_ETHERTYPE: Final = 1536
_ENDLESS: Final = 1 << 62
_LINKS: Final = 4  # Ethernet in MPLS in Ethernet ...: so many link headers and no more
_MAPPED: Final = 0xFFFF_0000_0000
_ICMP, _IP_IN_IP, _TCP, _UDP, _DCCP, _IPV6_IN_IP, _GRE, _AUTHENTICATION, _ICMPV6 = 1, 4, 6, 17, 33, 41, 47, 51, 58
_ETHERIP, _SCTP, _UDP_LITE, _MPLS_IN_IP, _ETHERNET_IN_IP = 97, 132, 136, 137, 143
_HOP_BY_HOP, _ROUTING, _FRAGMENT, _DESTINATION, _MOBILITY, _HIP, _SHIM = 0, 43, 44, 60, 135, 139, 140
_VXLAN, _VXLAN_OLD, _VXLAN_GPE, _GENEVE, _GTP, _TEREDO, _MPLS_IN_UDP = 4789, 8472, 4790, 6081, 2152, 3544, 6635


@inlined
def _ethertype_of_ppp(protocol: Any) -> Any:
    """Return the ethertype for a PPP protocol number (IANA), 0 for those that carry no IP."""
    if protocol == 0x0021:
        return np.int64(_IPV4)
    if protocol == 0x0057:
        return np.int64(_IPV6)
    if protocol in (0x0281, 0x0283):
        return np.int64(_MPLS)
    return np.int64(0)


@inlined
def join_tags(outside: Any, inside: Any) -> Any:
    """Return the H_TAGS of a frame that has `outside` and carries one that has `inside`."""
    only = (1 << TAG_COUNT_SHIFT) - 1
    count = outside >> TAG_COUNT_SHIFT
    more = inside >> TAG_COUNT_SHIFT
    kept = min(more, MOST_TAGS)
    fit = min(kept, max(MOST_TAGS - count, 0))
    tags = ((outside & only) << (12 * fit)) | ((inside & only) >> (12 * (kept - fit)))
    return (min(count + more, 7) << TAG_COUNT_SHIFT) | tags


@inlined
def _fail(out: Any, fault: Any) -> Any:
    """Note why reading ends; return the position that means so."""
    out[H_FAULT] = fault
    return np.int64(-1)


@inlined
def _tags(slab: Any, at: Any, end: Any, ethertype: Any, out: Any, outermost: Any) -> Any:
    """Pass tags and LLC behind an ethertype, and write the last one; return where its payload begins, or -1."""
    here = np.int64(at)
    kind = np.int64(ethertype)
    tags = 0
    while kind in (_TAG, _SERVICE_TAG, _OLD_TAG, _OLDER_TAG, _VN_TAG, _PORT_TAG):
        size = 6 if kind == _VN_TAG else 8 if kind == _PORT_TAG else 4
        if here + size > end:
            return _fail(out, CUT_OFF)
        if size == 4:
            vlan = be2(slab, here) & 0xFFF
            if outermost and tags == 0:
                out[H_VLAN] = vlan
            elif outermost and tags == 1:
                out[H_CUSTOMER_VLAN] = vlan
            out[H_TAGS] = join_tags(out[H_TAGS], (1 << TAG_COUNT_SHIFT) | vlan)
            tags += 1
        here += size
        kind = be2(slab, here - 2)
    if kind < _SMALLEST_ETHERTYPE:
        if here + 3 > end:
            return _fail(out, CUT_OFF)
        if be2(slab, here) != 0xAAAA or slab[here + 2] != 3:
            return _fail(out, NOT_IP)
        if here + 8 > end:
            return _fail(out, CUT_OFF)
        kind = be2(slab, here + 6)
        here += 8
    out[H_ETHERTYPE] = kind
    return here


@inlined
def _ethernet(slab: Any, at: Any, end: Any, out: Any, outermost: Any) -> Any:
    """Read an Ethernet header with its tags into `out`; return where its payload begins, -1 when it is cut off."""
    if at + 14 > end:
        return _fail(out, CUT_OFF)
    if outermost:
        out[H_DESTINATION_MAC] = (be4(slab, at) << 16) | be2(slab, at + 4)
        out[H_SOURCE_MAC] = (be4(slab, at + 6) << 16) | be2(slab, at + 10)
    return _tags(slab, at + 14, end, be2(slab, at + 12), out, outermost)


@inlined
def _labels(slab: Any, at: Any, end: Any, out: Any) -> Any:
    """Read an MPLS label stack; return where its payload begins, -1 when it is cut off."""
    here = at
    while here + 4 <= end:
        entry = be4(slab, here)
        if out[H_MPLS_DEPTH] == 0:
            out[H_MPLS_LABEL] = entry >> 12
        out[H_MPLS_DEPTH] += 1
        here += 4
        if entry & 0x100 != 0:
            return here
    return _fail(out, CUT_OFF)


@inlined
def _behind_labels(slab: Any, at: Any, end: Any) -> Any:
    """Return where a pseudowire's Ethernet begins: behind a control word, unless an ethertype is where one would be."""
    if at + 14 > end or be2(slab, at + 12) not in (_IPV4, _IPV6, _TAG, _SERVICE_TAG, _MPLS):
        return at + 4
    return at


@inlined
def _behind_nsh(slab: Any, at: Any) -> Any:
    """Return the link type of what an NSH header is before, LINK_UNKNOWN for none that is read (RFC 8300, 2.2)."""
    following = np.int64(slab[at + 3])
    if following in (1, 2):
        return np.int64(LINK_IPV4)
    if following == 3:
        return np.int64(LINK_ETHERNET)
    if following == 4:
        return np.int64(LINK_OF_ETHERTYPE + _NSH)
    return np.int64(LINK_MPLS) if following == 5 else np.int64(LINK_UNKNOWN)


@inlined
def _network(slab: Any, at: Any, end: Any, link: Any, out: Any) -> Any:  # noqa: PLR0911  one return per way out
    """Skip what is before the first IP header; return where that begins, -1 where none is found."""
    here = np.int64(at)
    kind = np.int64(link)
    for depth in range(_LINKS):
        ethertype = np.int64(0)
        if kind in (LINK_IPV4, LINK_IPV6, LINK_ATM_IP):
            return here
        if kind == LINK_MPLS:
            ethertype = np.int64(_MPLS)
        elif kind in (LINK_PPP, LINK_POS):
            if here + 4 > end:
                return _fail(out, CUT_OFF)
            head = be2(slab, here)
            if head in (0x0F00, 0x8F00):  # Cisco HDLC
                ethertype = be2(slab, here + 2)
                here += 4
            else:
                if head == 0xFF03:
                    here += 2
                ethertype = _ethertype_of_ppp(be2(slab, here))
                here += 2
        elif kind == LINK_ETHERNET or LINK_OF_ETHERTYPE <= kind <= LINK_OF_ETHERTYPE + 0xFFFF:
            if kind == LINK_ETHERNET:
                here = _ethernet(slab, here, end, out, depth == 0)
            else:
                here = _tags(slab, here, end, kind - LINK_OF_ETHERTYPE, out, depth == 0)
            if here < 0:
                return here
            ethertype = out[H_ETHERTYPE]
            if ethertype == _PPPOE:
                if here + 8 > end:
                    return _fail(out, CUT_OFF)
                if slab[here + 1] != 0:
                    return _fail(out, NOT_IP)
                ethertype = _ethertype_of_ppp(be2(slab, here + 6))
                here += 8
        if ethertype in (_IPV4, _IPV6):
            return here
        if ethertype == _BACKBONE:
            here += 4
            kind = np.int64(LINK_ETHERNET)
        elif ethertype == _NSH:
            if here + 8 > end:
                return _fail(out, CUT_OFF)
            kind = _behind_nsh(slab, here)
            size = (be2(slab, here) & 63) * 4
            if size < 8:
                return _fail(out, MALFORMED)
            here += size
        elif ethertype in (_MPLS, _MPLS_UPSTREAM):
            here = _labels(slab, here, end, out)
            if here < 0:
                return here
            if here >= end:
                return _fail(out, CUT_OFF)
            if slab[here] >> 4 in (4, 6):
                return here
            here = _behind_labels(slab, here, end)
            kind = np.int64(LINK_ETHERNET)
        else:
            return _fail(out, NOT_IP)
    return _fail(out, MALFORMED)


@inlined
def _ends_early(out: Any, needed: Any, promised: Any) -> Any:
    """Note that a header goes on to `needed`, and its packet should to `promised`; return as parse_frame does."""
    if out[H_FAULT] == NO_FAULT:
        out[H_FAULT] = CUT_OFF if needed <= promised else MALFORMED
    return np.int64(ADDRESSES)


@inlined
def _transport(slab: Any, at: Any, stop: Any, promised: Any, protocol: Any, out: Any) -> Any:
    """Read ports and flags, or ICMP type and code."""
    out[H_TRANSPORT_AT] = at
    if protocol in (_TCP, _UDP, _SCTP, _UDP_LITE, _DCCP):
        if at + 4 > stop:
            return _ends_early(out, at + 4, promised)
        out[H_SOURCE_PORT] = be2(slab, at)
        out[H_DESTINATION_PORT] = be2(slab, at + 2)
        if protocol == _TCP:
            if at + 14 <= stop:
                out[H_FLAGS] = be2(slab, at + 12) & 0xFFF
            else:
                _ends_early(out, at + 14, promised)
        return np.int64(PORTS)
    if protocol in (_ICMP, _ICMPV6):
        if at + 2 > stop:
            return _ends_early(out, at + 2, promised)
        out[H_DESTINATION_PORT] = be2(slab, at)
        return np.int64(PORTS)
    return np.int64(ADDRESSES)


@inlined
def _ipv4(slab: Any, at: Any, end: Any, out: Any) -> Any:
    """Read an IPv4 header and what follows it (RFC 791)."""
    header = (np.int64(slab[at]) & 15) * 4
    if header < 20:
        out[H_FAULT] = MALFORMED
        return np.int64(NO_ADDRESSES)
    total = be2(slab, at + 2)
    fragment = be2(slab, at + 6)
    protocol = np.int64(slab[at + 9])
    out[H_IP_VERSION] = 4
    out[H_CLASS] = slab[at + 1]
    out[H_TTL] = slab[at + 8]
    out[H_PROTOCOL] = protocol
    out[H_SOURCE_LO] = be4(slab, at + 12) | _MAPPED
    out[H_DESTINATION_LO] = be4(slab, at + 16) | _MAPPED
    stop = np.int64(end)
    promised = np.int64(_ENDLESS)
    if total >= header:
        out[H_IP_OCTETS] = total
        promised = at + total
        stop = min(stop, promised)
    elif total != 0:  # 0: left to the network card
        out[H_FAULT] = MALFORMED
    out[H_IP_END] = stop
    if fragment & 0x1FFF != 0:
        out[H_FRAGMENT] = LATER_FRAGMENT
        return np.int64(ADDRESSES)
    if fragment & 0x2000 != 0:
        out[H_FRAGMENT] = FIRST_FRAGMENT
    if at + header > stop:
        return _ends_early(out, at + header, promised)
    return _transport(slab, at + header, stop, promised, protocol, out)


@inlined
def _ipv6(slab: Any, at: Any, end: Any, out: Any) -> Any:
    """Read an IPv6 header, its extension headers and what follows them (RFC 8200)."""
    payload = be2(slab, at + 4)
    protocol = np.int64(slab[at + 6])
    out[H_IP_VERSION] = 6
    out[H_CLASS] = (be2(slab, at) >> 4) & 0xFF
    out[H_TTL] = slab[at + 7]
    out[H_PROTOCOL] = protocol
    out[H_SOURCE_HI] = be8(slab, at + 8)
    out[H_SOURCE_LO] = be8(slab, at + 16)
    out[H_DESTINATION_HI] = be8(slab, at + 24)
    out[H_DESTINATION_LO] = be8(slab, at + 32)
    stop = np.int64(end)
    promised = np.int64(_ENDLESS)
    if payload != 0 or protocol != _HOP_BY_HOP:  # a jumbogram's length is in its options (RFC 2675)
        out[H_IP_OCTETS] = 40 + payload
        promised = at + 40 + payload
        stop = min(stop, promised)
    out[H_IP_END] = stop
    here = at + 40
    while protocol in (
        _HOP_BY_HOP, _ROUTING, _FRAGMENT, _DESTINATION, _AUTHENTICATION, _MOBILITY, _HIP, _SHIM,
    ):  # fmt: skip
        if here + 8 > stop:
            return _ends_early(out, here + 8, promised)
        following = np.int64(slab[here])
        if protocol == _FRAGMENT:
            place = be2(slab, here + 2)
            if place >> 3 != 0:
                out[H_FRAGMENT] = LATER_FRAGMENT
                out[H_PROTOCOL] = following
                return np.int64(ADDRESSES)
            if place & 1 != 0:
                out[H_FRAGMENT] = FIRST_FRAGMENT
            here += 8
        elif protocol == _AUTHENTICATION:
            here += (np.int64(slab[here + 1]) + 2) * 4
        else:
            here += (np.int64(slab[here + 1]) + 1) * 8
        protocol = following
        out[H_PROTOCOL] = protocol
        if here > stop:
            return _ends_early(out, here, promised)
    return _transport(slab, here, stop, promised, protocol, out)


@inlined
def parse_ip(slab: Any, at: Any, end: Any, out: Any) -> Any:
    """Read the IP packet at `at`, of either version, into `out`; return as parse_frame does."""
    if at < 0:
        return np.int64(NO_ADDRESSES)
    if at >= end:
        out[H_FAULT] = CUT_OFF
        return np.int64(NO_ADDRESSES)
    version = slab[at] >> 4
    if version == 4 and at + 20 <= end:
        out[H_IP_AT] = at
        return _ipv4(slab, at, end, out)
    if version == 6 and at + 40 <= end:
        out[H_IP_AT] = at
        return _ipv6(slab, at, end, out)
    out[H_FAULT] = CUT_OFF if version in (4, 6) else MALFORMED
    return np.int64(NO_ADDRESSES)


@inlined
def parse_frame(slab: Any, at: Any, end: Any, link: Any, out: Any) -> Any:
    """Read the frame slab[at:end], which may be cut off anywhere; return NO_ADDRESSES, ADDRESSES or PORTS.

    slab: uint8. link: a LINK_* number, int64. out: int64[H_SIZE], all of it written. Nothing at or behind `end` is
    read. H_PROTOCOL is the last one known where extension headers are cut off.
    """
    for k in range(H_SIZE):
        out[k] = 0
    return parse_ip(slab, _network(slab, at, end, link, out), end, out)


@inlined
def _gre(slab: Any, at: Any, stop: Any, out: Any) -> Any:
    """Find what a GRE header carries (RFC 2784, 2890; version 1: PPP, RFC 2637; Ethernet, also as ERSPAN)."""
    if at + 4 > stop:
        out[H_FAULT] = CUT_OFF
        return 0
    flags = be2(slab, at)
    carried = be2(slab, at + 2)
    here = at + 4
    if flags & 7 == 1:
        here += 4 + (4 if flags & 0x1000 else 0) + (4 if flags & 0x80 else 0)
        out[H_INNER_LINK] = LINK_PPP
        out[H_INNER_AT] = here
        return 1 if carried == 0x880B and flags & 0x1000 != 0 else 0
    if flags & 0x4007 != 0:  # source routing is gone, other versions are not defined
        return 0
    sequenced = flags & 0x1000 != 0
    here += (4 if flags & 0x8000 else 0) + (4 if flags & 0x2000 else 0) + (4 if sequenced else 0)
    link: Any = np.int64(0)
    if carried in (_IPV4, _IPV6):
        link = LINK_IPV4
    elif carried in (_MPLS, _MPLS_UPSTREAM):
        link = LINK_MPLS
    elif carried == _BRIDGED:
        link = LINK_ETHERNET
    elif carried in (_NSH, _TAG, _PPPOE):
        link = LINK_OF_ETHERTYPE + carried
    elif carried == 0x88BE:  # ERSPAN: type I has no sequence number and no header, type II has both
        link = LINK_ETHERNET
        here += 8 if sequenced else 0
    elif carried == 0x22EB:  # ERSPAN type III
        if here + 12 > stop:
            out[H_FAULT] = CUT_OFF
            return 0
        link = np.int64(LINK_IPV4 if (slab[here + 10] >> 2) & 31 == 2 else LINK_ETHERNET)  # what it says is mirrored
        here += 20 if slab[here + 11] & 1 else 12
    out[H_INNER_LINK] = link
    out[H_INNER_AT] = here
    return 1 if link != 0 else 0


@inlined
def _teredo(slab: Any, at: Any, stop: Any, out: Any) -> Any:
    """Find the IPv6 packet of a Teredo datagram (RFC 4380, 5.1.1), behind authentication and origin.

    Anything may use the port, so the packet must fit its datagram and have an address that Teredo gives or link-local.
    """
    here = at + 8
    if here + 4 <= stop and be2(slab, here) == 1:
        here += 13 + np.int64(slab[here + 2]) + np.int64(slab[here + 3])
    if here + 2 <= stop and be2(slab, here) == 0:
        here += 8
    if here + 40 > stop:
        if here < stop and slab[here] >> 4 == 6:
            out[H_FAULT] = CUT_OFF
        return 0
    if slab[here] >> 4 != 6 or here + 40 + be2(slab, here + 4) > at + be2(slab, at + 4):
        return 0
    out[H_INNER_LINK] = LINK_IPV4
    out[H_INNER_AT] = here
    for address in (here + 8, here + 24):
        if be4(slab, address) == 0x2001_0000 or be2(slab, address) & 0xFFC0 == 0xFE80:
            return 1
    return 0


@inlined
def _udp_tunnel(slab: Any, at: Any, stop: Any, out: Any) -> Any:  # noqa: PLR0911  one return per tunnel
    """Find what VXLAN (RFC 7348), Geneve (RFC 8926) or GTP-U (TS 29.281) carry, by their UDP ports."""
    here = at + 8
    port = out[H_DESTINATION_PORT]
    if port == _TEREDO or out[H_SOURCE_PORT] == _TEREDO:
        return _teredo(slab, at, stop, out)
    if port not in (_VXLAN, _VXLAN_OLD, _VXLAN_GPE, _GENEVE, _GTP, _MPLS_IN_UDP):
        return 0
    if here + 8 > stop:
        out[H_FAULT] = CUT_OFF
        return 0
    if port in (_VXLAN, _VXLAN_OLD):
        out[H_INNER_LINK] = LINK_ETHERNET
        out[H_INNER_AT] = here + 8
        return 1 if slab[here] & 8 else 0
    if port == _VXLAN_GPE:
        carried = slab[here + 3]
        out[H_INNER_LINK] = LINK_IPV4 if carried in (1, 2) else LINK_ETHERNET if carried == 3 else LINK_MPLS
        if carried == 4:
            out[H_INNER_LINK] = LINK_OF_ETHERTYPE + _NSH
        out[H_INNER_AT] = here + 8
        return 1 if carried in (1, 2, 3, 4, 5) else 0
    if port == _MPLS_IN_UDP:  # RFC 7510
        out[H_INNER_LINK] = LINK_MPLS
        out[H_INNER_AT] = here
        return 1
    if port == _GENEVE:
        carried = be2(slab, here + 2)
        out[H_INNER_LINK] = LINK_ETHERNET if carried == _BRIDGED else LINK_IPV4
        out[H_INNER_AT] = here + 8 + (np.int64(slab[here]) & 63) * 4
        return 1 if slab[here] >> 6 == 0 and carried in (_BRIDGED, _IPV4, _IPV6) else 0
    if port == _GTP and slab[here] >> 4 == 3 and slab[here + 1] == 255:
        flags = slab[here]
        here += 8
        if flags & 7:
            if here + 4 > stop:
                out[H_FAULT] = CUT_OFF
                return 0
            following = slab[here + 3] if flags & 4 else 0
            here += 4
            while following != 0:
                if here + 4 <= stop and slab[here] == 0:
                    out[H_FAULT] = MALFORMED
                    return 0
                if here + 4 > stop or here + np.int64(slab[here]) * 4 > stop:
                    out[H_FAULT] = CUT_OFF
                    return 0
                here += np.int64(slab[here]) * 4
                following = slab[here - 1]
        out[H_INNER_LINK] = LINK_IPV4
        out[H_INNER_AT] = here
        return 1
    return 0


@inlined
def find_inner(slab: Any, out: Any) -> Any:
    """Tell (0, 1) whether the packet that parse_frame read into `out` is a tunnel's, and where the inner frame begins.

    Writes H_INNER_AT and H_INNER_LINK; the inner frame ends at H_IP_END. It is parsed by parse_frame into an array of
    its own, or over `out`. Knows IP in IP, GRE (PPTP, ERSPAN, NVGRE), Ethernet and MPLS in IP, VXLAN, VXLAN-GPE,
    Geneve, GTP-U, MPLS in UDP and Teredo. Later fragments, and tunnels whose header is cut off, are none; H_FAULT is
    CUT_OFF for the latter.
    """
    at = out[H_TRANSPORT_AT]
    stop = out[H_IP_END]
    protocol = out[H_PROTOCOL]
    out[H_INNER_AT] = 0
    out[H_INNER_LINK] = 0
    found = 0
    if at == 0 or out[H_FRAGMENT] == LATER_FRAGMENT:
        return 0
    if protocol == _UDP:
        found = _udp_tunnel(slab, at, stop, out)
    elif protocol in (_IP_IN_IP, _IPV6_IN_IP):
        out[H_INNER_LINK] = LINK_IPV4
        out[H_INNER_AT] = at
        found = 1
    elif protocol == _GRE:
        found = _gre(slab, at, stop, out)
    elif protocol == _MPLS_IN_IP:
        out[H_INNER_LINK] = LINK_MPLS
        out[H_INNER_AT] = at
        found = 1
    elif protocol in (_ETHERIP, _ETHERNET_IN_IP):  # RFC 3378, with 2 octets before the frame; RFC 8986
        out[H_INNER_LINK] = LINK_ETHERNET
        out[H_INNER_AT] = at + 2 if protocol == _ETHERIP else at
        found = 1
    if found != 0 and out[H_INNER_AT] >= stop:
        out[H_FAULT] = CUT_OFF
        found = 0
    return found


@kernel
def link_of_linktype(linktype: int) -> int:  # noqa: PLR0911  one return per link type
    """Return the LINK_* number for the LINKTYPE_ number of a pcap or pcapng file, LINK_UNKNOWN for what is not read.

    linktype: as in the file, without the bits above 16 (pcap keeps the length of the check sum there). Source: the
    registry of draft-ietf-opsawg-pcaplinktype.
    """
    if linktype == 1:
        return LINK_ETHERNET
    if linktype in (12, 14, 101, 228, 229):  # raw IP; 12 and 14 are what some systems write for it
        return LINK_IPV4
    if linktype in (9, 50, 104):  # PPP, PPP in HDLC framing, Cisco HDLC
        return LINK_PPP
    if linktype == 219:
        return LINK_MPLS
    if linktype in (0, 108):
        return LINK_LOOPBACK
    if linktype in (166, 204):
        return LINK_PPP_DIRECTED
    if linktype in (10, 51, 105, 113, 127, 239, 276):
        return LINK_OF_CAPTURES + linktype
    return LINK_UNKNOWN


@kernel
def read_frame(slab: Any, at: int, end: int, link: int, out: Any) -> Any:
    """Do what parse_frame does, for callers that are no kernels and have one frame at a time."""
    return parse_frame(slab, at, end, link, out)


@kernel
def read_inner(slab: Any, out: Any) -> Any:
    """Do what find_inner does, for the same callers."""
    return find_inner(slab, out)
