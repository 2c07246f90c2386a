"""Values and row indexes of MIB tables -> texts and numbers; what does not fit is None, never an exception."""

import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from btimd.probes.snmpsession import Oid, Value

_LONGEST_TEXT: Final = 255
_MAC_OCTETS: Final = 6
_IPV4_OCTETS: Final = 4
_IPV6_OCTETS: Final = 16
_ADDRESS_OCTETS: Final = {1: (4, 4), 2: (16, 16), 3: (8, 4), 4: (20, 16)}
"""InetAddressType (RFC 4001) -> octets on the wire, and how many of them are the address; the rest is a zone."""
_FAMILY_OCTETS: Final = {1: _IPV4_OCTETS, 2: _IPV6_OCTETS}
_WRITTEN_MAC: Final = re.compile(r"(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}|(?:[0-9a-f]{4}[.-]){2}[0-9a-f]{4}", re.IGNORECASE)


def whole(value: Value) -> int | None:
    """Return a number that is not negative."""
    return value if isinstance(value, int) and value >= 0 else None


def text(value: Value) -> str:
    """Return a string of a device in one clean line: UTF-8, without control characters, at most 255 characters."""
    if not isinstance(value, bytes):
        return ""
    decoded = value[: 4 * _LONGEST_TEXT].decode("utf-8", "replace").rstrip("\0")
    clean = "".join(character if character.isprintable() else " " for character in decoded)
    return " ".join(clean.split())[:_LONGEST_TEXT]


def mac(value: Value) -> str:
    """Return 12 hexadecimal digits of a MAC address; "" for anything else and for zeros."""
    if isinstance(value, bytes) and len(value) == _MAC_OCTETS and any(value):
        return value.hex()
    return ""


def text_or_mac(value: Value) -> str:
    """Return an id that is text or a MAC address, written or in octets; a MAC is returned as 12 hexadecimal digits."""
    if not isinstance(value, bytes):
        return ""
    if len(value) == _MAC_OCTETS and not all(32 <= octet < 127 for octet in value):  # noqa: PLR2004  printable ASCII
        return mac(value)
    found = text(value)
    if _WRITTEN_MAC.fullmatch(found):
        return re.sub(r"[:.-]", "", found).lower()
    return found


def address(octets: bytes) -> str | None:
    """Return the text of 4 or 16 octets."""
    if len(octets) == _IPV4_OCTETS:
        return str(IPv4Address(octets))
    if len(octets) == _IPV6_OCTETS:
        return str(IPv6Address(octets))
    return None


def family_address(value: bytes) -> str | None:
    """Return the address behind an octet with the IANA address family, as LLDP writes network addresses."""
    if value and _FAMILY_OCTETS.get(value[0]) == len(value) - 1:
        return address(value[1:])
    return None


def lldp_id(subtype: Value, value: Value, *, mac_subtype: int, address_subtype: int) -> str:
    """Return a chassis or port id (IEEE 802.1AB 9.5.2, 9.5.3): MACs as 12 digits, addresses and names as text."""
    if not isinstance(value, bytes):
        return ""
    if subtype == mac_subtype and len(value) == _MAC_OCTETS:
        return mac(value)
    if subtype == address_subtype:
        found = family_address(value)
        if found is not None:
            return found
    return text_or_mac(value)


def octets_of(part: Oid) -> bytes | None:
    """Return sub-identifiers as octets."""
    if all(0 <= number <= 255 for number in part):  # noqa: PLR2004  an octet
        return bytes(part)
    return None


def ipv4_of(part: Oid) -> str | None:
    """Return the address that four sub-identifiers are."""
    octets = octets_of(part)
    return address(octets) if octets is not None and len(octets) == _IPV4_OCTETS else None


def mac_of(part: Oid) -> str | None:
    """Return the MAC address that six sub-identifiers are."""
    octets = octets_of(part)
    return octets.hex() if octets is not None and len(octets) == _MAC_OCTETS and any(octets) else None


def take_inet(index: Oid, start: int) -> tuple[str, int] | None:
    """Return the InetAddressType and InetAddress at `start` of an index as (address, where the rest starts)."""
    if len(index) < start + 2:
        return None
    kind, length = index[start], index[start + 1]
    wire, used = _ADDRESS_OCTETS.get(kind, (-1, 0))
    octets = octets_of(index[start + 2 : start + 2 + length]) if length == wire else None
    if octets is None or len(octets) != length:
        return None
    found = address(octets[:used])
    return None if found is None else (found, start + 2 + length)


def mask_length(mask: str | None) -> int | None:
    """Return the prefix length of a netmask; None if its ones are not in front."""
    if mask is None:
        return None
    number = int(IPv4Address(mask))
    length = number.bit_count()
    return length if number == (0xFFFF_FFFF << (32 - length)) & 0xFFFF_FFFF else None


def prefix_of(network: str, length: int) -> str | None:
    """Return "10.0.0.0/8" with the bits behind the prefix off; None for a length that cannot be."""
    is_v4 = "." in network and ":" not in network
    bits = 32 if is_v4 else 128
    if not 0 <= length <= bits:
        return None
    number = int(IPv4Address(network) if is_v4 else IPv6Address(network))
    number = number >> (bits - length) << (bits - length)
    return f"{IPv4Address(number) if is_v4 else IPv6Address(number)}/{length}"


def single(index: Oid) -> int | None:
    """Return the number an index consists of."""
    return index[0] if len(index) == 1 else None


def numbers(column: Mapping[Oid, Value]) -> dict[int, int]:
    """Return a column of numbers whose index is one number; what does not fit is left out."""
    return {
        index[0]: value for index, value in column.items() if len(index) == 1 and isinstance(value, int) and value >= 0
    }
