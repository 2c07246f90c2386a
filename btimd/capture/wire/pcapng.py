"""Writing pcapng files, with times in nanoseconds (draft-ietf-opsawg-pcapng, sections 4.1 to 4.3).

 block      type 4 | length 4 | body, padded to 4 | length 4
 section    0A0D0D0A | 1A2B3C4D | version 1.0 | section length 8, -1 = until the next | options
 interface  00000001 | link type 2 | 0 2 | snap length 4, 0 = none | options
 packet     00000006 | interface 4 | time, upper and lower 4 | octets kept 4 | octets on the wire 4 | the octets
 option     code 2 | length 2 | value, padded to 4

Everything is little-endian.
"""

import struct
from dataclasses import dataclass
from typing import Final

from btimd.kernels.headers import LINK_ATM_IP, LINK_ETHERNET, LINK_IPV4, LINK_IPV6, LINK_MPLS, LINK_POS, LINK_PPP

_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_BYTE_ORDER: Final = 0x1A2B3C4D
_UNKNOWN_LENGTH: Final = -1
_HARDWARE, _SYSTEM, _APPLICATION = 2, 3, 4  # of a section
_NAME, _TIME_RESOLUTION = 2, 9  # of an interface
_NANOSECONDS: Final = b"\x09"  # 10^-9 s
_SMALLEST_BLOCK: Final = 12
_PACKET_HEAD: Final = struct.Struct("<IIIII")
_MOST_TEXT_OCTETS: Final = 255
_MAC_OCTETS: Final = 12
TAG_OCTETS: Final = 4

LINK_TYPES: Final = {
    LINK_ETHERNET: 1, LINK_PPP: 9, LINK_POS: 50, LINK_ATM_IP: 101, LINK_IPV4: 101, LINK_IPV6: 101, LINK_MPLS: 219,
}  # fmt: skip
"""The link types of capture files (LINKTYPE_*) by those of kernels.headers; 101 is IP of either version."""


def _block(kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    length = struct.pack("<I", _SMALLEST_BLOCK + len(body))
    return struct.pack("<I", kind) + length + body + length


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


def _text(code: int, value: str) -> bytes:
    octets = value.encode()[:_MOST_TEXT_OCTETS].decode(errors="ignore").encode()
    return _option(code, octets) if octets else b""


def section_block(*, hardware: str = "", system: str = "", application: str = "") -> bytes:
    """Return what a file begins with, and what it says about where it was made; empty texts are left out."""
    options = _text(_HARDWARE, hardware) + _text(_SYSTEM, system) + _text(_APPLICATION, application)
    end = _option(0, b"") if options else b""
    return _block(_SECTION, struct.pack("<IHHq", _BYTE_ORDER, 1, 0, _UNKNOWN_LENGTH) + options + end)


def interface_block(name: str, link_type: int) -> bytes:
    """Return the description of an interface; the first is number 0. link_type: a value of LINK_TYPES."""
    options = _text(_NAME, name) + _option(_TIME_RESOLUTION, _NANOSECONDS) + _option(0, b"")
    return _block(_INTERFACE, struct.pack("<HHI", link_type, 0, 0) + options)


def packet_block(interface: int, time: int, octets: bytes, wire_octets: int) -> bytes:
    """Return a packet. time: ns since 1970 UTC. wire_octets: its length before it was cut; not below what is kept."""
    head = _PACKET_HEAD.pack(interface, time >> 32, time & 0xFFFF_FFFF, len(octets), max(wire_octets, len(octets)))
    return _block(_PACKET, head + octets)


def with_tag(octets: bytes, tag: int) -> bytes:
    """Return an Ethernet frame with a VLAN tag (TPID << 16 | TCI) where a network card took it off; 0 = none.

    A frame that ends before the tag's place stays as it is.
    """
    if tag == 0 or len(octets) < _MAC_OCTETS:
        return octets
    return octets[:_MAC_OCTETS] + struct.pack(">I", tag) + octets[_MAC_OCTETS:]


@dataclass(frozen=True, slots=True)
class Outline:
    """How many packets a file of this writer holds, and the times of its first and last, in ns; 0 without any."""

    packets: int = 0
    first: int = 0
    last: int = 0


def outline(octets: bytes) -> Outline:
    """Return what a file written here holds. Of any other, or a damaged one, it says what it understands: perhaps 0."""
    at, times = 0, []
    while at + _SMALLEST_BLOCK <= len(octets):
        kind, length = struct.unpack_from("<II", octets, at)
        if length < _SMALLEST_BLOCK or length % 4 or at + length > len(octets):
            break
        if kind == _PACKET and length >= _SMALLEST_BLOCK + _PACKET_HEAD.size:
            _interface, upper, lower, _kept, _wire = _PACKET_HEAD.unpack_from(octets, at + 8)
            times.append(upper << 32 | lower)
        at += length
    return Outline(len(times), min(times), max(times)) if times else Outline()
