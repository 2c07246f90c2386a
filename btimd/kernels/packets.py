"""The innermost packet of a frame: what a tunnel carries counts, and the outermost pair of addresses is kept.

The innermost packet is the last one that has addresses: where a tunnel carries ARP, or its packet is cut off before the
addresses end, the tunnel's own packet counts. Most frames are Ethernet, at most one tag, IPv4 or IPv6 without options,
and TCP, or UDP between ports of no tunnel: those are read in place, all others by a kernel that is called.
"""

from typing import Any, Final

import numpy as np

from btimd.kernels._jit import inlined, kernel
from btimd.kernels.capturelinks import open_link
from btimd.kernels.headers import (
    CUT_OFF,
    H_CLASS,
    H_DESTINATION_HI,
    H_DESTINATION_LO,
    H_DESTINATION_PORT,
    H_FAULT,
    H_FLAGS,
    H_FRAGMENT,
    H_INNER_AT,
    H_INNER_LINK,
    H_IP_AT,
    H_IP_END,
    H_IP_OCTETS,
    H_IP_VERSION,
    H_MPLS_LABEL,
    H_PROTOCOL,
    H_SIZE,
    H_SOURCE_HI,
    H_SOURCE_LO,
    H_SOURCE_PORT,
    H_TAGS,
    H_TRANSPORT_AT,
    H_VLAN,
    LINK_ETHERNET,
    LINK_OF_CAPTURES,
    LINK_OF_ETHERTYPE,
    MALFORMED,
    MAX_TUNNELS,
    NO_ADDRESSES,
    NO_FAULT,
    NOT_IP,
    PORTS,
    TAG_COUNT_SHIFT,
    WHOLE,
    find_inner,
    join_tags,
    parse_frame,
)
from btimd.kernels.octets import be2, be4, be8

# Behind the H_* of the innermost packet: how many tunnels were opened, the VLAN of the frame, as H_VLAN, and the
# addresses of the outermost packet.
(P_DEPTH, P_OUTER_VLAN, P_OUTER_SOURCE_HI, P_OUTER_SOURCE_LO, P_OUTER_DESTINATION_HI,
 P_OUTER_DESTINATION_LO) = range(H_SIZE, H_SIZE + 6)  # fmt: skip
PACKET_SIZE: Final = H_SIZE + 6

_MAPPED: Final = 0xFFFF_0000_0000
_IPV4, _IPV6, _TAG = 0x0800, 0x86DD, 0x8100
_TCP, _UDP = 6, 17
_LEAST_FRAME: Final = 54  # of those read in place: Ethernet, a tag, IPv4, and of TCP what is read


@inlined
def _parse(slab: Any, at: Any, end: Any, link: Any, out: Any) -> Any:
    """Do what parse_frame does, but take no addresses from an IPv4 header longer than its whole packet says it is."""
    status = parse_frame(slab, at, end, link, out)
    impossible = out[H_FAULT] == MALFORMED and out[H_IP_VERSION] == 4 and out[H_IP_OCTETS] == 0
    return np.int64(NO_ADDRESSES) if impossible else np.int64(status)


@kernel
def read_packet(slab: Any, at: int, end: int, link: int, out: Any) -> Any:
    """Do what parse_packet does, for every kind of frame, and write all of `out`."""
    inner_at = np.int64(at)
    inner_end = np.int64(end)
    inner_link = np.int64(link)
    fault = np.int64(NO_FAULT)
    if LINK_OF_CAPTURES <= link < LINK_OF_ETHERTYPE:
        fault = np.int64(open_link(slab, at, end, link, out))
        if fault == NO_FAULT:
            inner_at = np.int64(out[H_INNER_AT])
            inner_link = np.int64(out[H_INNER_LINK])
    status = _parse(slab, inner_at, inner_end, inner_link, out)
    if fault != NO_FAULT:
        out[H_FAULT] = fault
    out[P_DEPTH] = 0
    out[P_OUTER_VLAN] = out[H_VLAN]
    out[P_OUTER_SOURCE_HI] = out[H_SOURCE_HI]
    out[P_OUTER_SOURCE_LO] = out[H_SOURCE_LO]
    out[P_OUTER_DESTINATION_HI] = out[H_DESTINATION_HI]
    out[P_OUTER_DESTINATION_LO] = out[H_DESTINATION_LO]
    whole = False  # whether the end of what is read is that of the packet outside, not that of the capture
    while status != NO_ADDRESSES and out[P_DEPTH] < MAX_TUNNELS:
        fault = out[H_FAULT]
        found = find_inner(slab, out)
        inside_whole = whole or (out[H_IP_OCTETS] != 0 and out[H_IP_AT] + out[H_IP_OCTETS] <= inner_end)
        if found == 0:
            if out[H_FAULT] != fault:
                whole = inside_whole
            break
        outer_at, outer_end, outer_link, tags = inner_at, inner_end, inner_link, out[H_TAGS]
        inner_at = np.int64(out[H_INNER_AT])
        inner_end = np.int64(out[H_IP_END])
        inner_link = np.int64(out[H_INNER_LINK])
        status = _parse(slab, inner_at, inner_end, inner_link, out)
        whole = inside_whole
        out[H_TAGS] = join_tags(tags, out[H_TAGS])
        if status == NO_ADDRESSES:
            tags, fault = out[H_TAGS], out[H_FAULT]
            status = _parse(slab, outer_at, outer_end, outer_link, out)
            out[H_TAGS] = tags
            out[H_FAULT] = NO_FAULT if fault == NOT_IP else fault
            break
        out[P_DEPTH] += 1
    if out[H_FAULT] == CUT_OFF and whole:
        out[H_FAULT] = MALFORMED
    return status


@inlined
def _may_be_tunnel(source_port: Any, destination_port: Any) -> Any:
    """Tell whether headers.find_inner looks into UDP between these ports."""
    return (source_port == 3544) | (destination_port in (2152, 3544, 4789, 4790, 6081, 6635, 8472))


@inlined
def parse_packet(slab: Any, at: Any, end: Any, link: Any, out: Any) -> Any:
    """Read the innermost packet of the frame slab[at:end] into `out`; return as headers.parse_frame does.

    slab: uint8. link: LINK_*, or LINK_UNKNOWN. out: int64[PACKET_SIZE]. Written for every frame: H_SOURCE_HI and all
    H_* behind it, of the innermost packet that has addresses; P_DEPTH and P_OUTER_VLAN. H_TAGS are those of the whole
    frame, tunnels included. P_OUTER_SOURCE_HI to P_OUTER_DESTINATION_LO are written where P_DEPTH or H_MPLS_LABEL is
    not 0; H_SOURCE_MAC to H_TTL where there are no addresses. Who wants those of other frames too calls read_packet.

    H_FAULT says whether all headers could be read, also beside addresses: then they are those of the packet outside, or
    its ports or flags are not known. Without addresses it says why: NOT_IP, CUT_OFF or MALFORMED. CUT_OFF of a frame
    that was captured whole (as long as it was on the wire) means a frame that ends too early.
    """
    if link == LINK_ETHERNET and end - at >= _LEAST_FRAME:
        ip = at + 14
        kind = be2(slab, at + 12)
        vlan = np.int64(0)
        tags = np.int64(0)
        if kind == _TAG:
            vlan = be2(slab, at + 14) & 0xFFF
            tags = (1 << TAG_COUNT_SHIFT) | vlan
            kind = be2(slab, at + 16)
            ip = at + 18
        header = 0
        total = np.int64(0)
        protocol = np.int64(0)
        if kind == _IPV4 and slab[ip] == 0x45 and be2(slab, ip + 6) & 0x3FFF == 0:
            header = 20
            total = be2(slab, ip + 2)
            protocol = np.int64(slab[ip + 9])
            out[H_CLASS] = slab[ip + 1]
            out[H_SOURCE_HI] = 0
            out[H_SOURCE_LO] = be4(slab, ip + 12) | _MAPPED
            out[H_DESTINATION_HI] = 0
            out[H_DESTINATION_LO] = be4(slab, ip + 16) | _MAPPED
            out[H_IP_VERSION] = 4
        elif kind == _IPV6 and slab[ip] >> 4 == 6 and ip + 54 <= end:
            header = 40
            total = be2(slab, ip + 4) + 40
            protocol = np.int64(slab[ip + 6])
            out[H_CLASS] = (be2(slab, ip) >> 4) & 0xFF
            out[H_SOURCE_HI] = be8(slab, ip + 8)
            out[H_SOURCE_LO] = be8(slab, ip + 16)
            out[H_DESTINATION_HI] = be8(slab, ip + 24)
            out[H_DESTINATION_LO] = be8(slab, ip + 32)
            out[H_IP_VERSION] = 6
        if header != 0:
            transport = ip + header
            source_port = be2(slab, transport)
            destination_port = be2(slab, transport + 2)
            segment = protocol == _TCP and total >= header + 20
            if segment or (
                protocol == _UDP and total >= header + 8 and not _may_be_tunnel(source_port, destination_port)
            ):
                out[H_SOURCE_PORT] = source_port
                out[H_DESTINATION_PORT] = destination_port
                out[H_PROTOCOL] = protocol
                out[H_FLAGS] = be2(slab, transport + 12) & 0xFFF if segment else np.int64(0)
                out[H_VLAN] = vlan
                out[H_TAGS] = tags
                out[H_MPLS_LABEL] = 0
                out[H_FRAGMENT] = WHOLE
                out[H_IP_AT] = ip
                out[H_IP_OCTETS] = total
                out[H_TRANSPORT_AT] = transport
                out[H_IP_END] = min(end, ip + total)
                out[H_FAULT] = NO_FAULT
                out[P_DEPTH] = 0
                out[P_OUTER_VLAN] = vlan
                return np.int64(PORTS)
    return read_packet(slab, at, end, link, out)
