"""Ethernet frames taken apart in obvious Python: as much as truth about captures needs."""

from typing import Final, NamedTuple

VLAN: Final = {0x8100, 0x88A8}
IPV4: Final = 0x0800
IPV6: Final = 0x86DD
PPPOE: Final = 0x8864
VN_TAG: Final = 0x8926
BACKBONE: Final = 0x88E7  # IEEE 802.1ah: a whole frame behind the tag
_PPP: Final = {0x21: IPV4, 0x57: IPV6}


class Frame(NamedTuple):
    """A frame. ip: version or 0; ip_octets: as its header says; rest_octets: behind the Ethernet header and all tags."""

    octets: bytes
    tags: int
    inside: str
    ip: int
    ip_octets: int
    rest_octets: int


def dissect(frame: bytes, length: int) -> Frame:
    """Return what a frame of `length` octets, of which `frame` was captured, is made of."""
    kind, at, tags, inside = _number(frame, 12), 14, 0, ""
    while kind in VLAN or kind in {PPPOE, VN_TAG, BACKBONE}:
        if kind == PPPOE:
            inside, kind, at = "PPPoE", _PPP.get(_number(frame, at + 6), 0), at + 8
        elif kind == BACKBONE:
            inside, kind, at = "backbone", _number(frame, at + 16), at + 18
        elif kind == VN_TAG:
            inside, kind, at = "VN-Tag", _number(frame, at + 4), at + 6
        else:
            tags, kind, at = tags + 1, _number(frame, at + 2), at + 4
    version = {IPV4: 4, IPV6: 6}.get(kind, 0)
    octets = {4: _number(frame, at + 2), 6: _number(frame, at + 4) + 40}.get(version, 0)
    return Frame(frame, tags, inside, version, octets, length - at)


def _number(octets: bytes, at: int) -> int:
    return int.from_bytes(octets[at : at + 2], "big")
