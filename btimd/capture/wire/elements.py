"""IPFIX information elements by number: their names, and how their octets read for people."""

from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address
from struct import unpack
from typing import Final

from btimd.capture.wire.element_table import ELEMENT_TABLE

REVERSE_PEN: Final = 29305
_NTP_EPOCH_SECONDS: Final = 2_208_988_800
_LAST_SECOND: Final = 253_402_300_799  # of the year 9999
_MAX_INTEGER_OCTETS: Final = 8


@dataclass(frozen=True, slots=True)
class Element:
    """An information element. type: see element_table; "oct" for elements nobody registered."""

    enterprise: int
    id: int
    name: str
    type: str


def _parse(table: str) -> dict[int, Element]:
    elements: dict[int, Element] = {}
    for entry in table.replace("\n", ";").split(";"):
        if entry.strip():
            number, name, kind = entry.split()
            elements[int(number)] = Element(0, int(number), name, kind)
    return elements


IANA_ELEMENTS: Final = _parse(ELEMENT_TABLE)


def element(enterprise: int, number: int) -> Element:
    """Return the element of a field; the reverse ones of RFC 5103 are named reverse*, unknown ones "pen:id"."""
    found = IANA_ELEMENTS.get(number)
    if found is not None and enterprise == 0:
        return found
    if found is not None and enterprise == REVERSE_PEN:
        return Element(enterprise, number, f"reverse{found.name[0].upper()}{found.name[1:]}", found.type)
    return Element(enterprise, number, f"{enterprise}:{number}", "oct")


def readable(kind: str, value: bytes) -> int | float | str | bool:  # noqa: PLR0911  one line per type
    """Return octets as people read them; what does not fit its type is left as hexadecimal digits."""
    if kind[0] == "u" and 1 <= len(value) <= _MAX_INTEGER_OCTETS:
        return int.from_bytes(value, "big")
    if kind == "i32" and 1 <= len(value) <= _MAX_INTEGER_OCTETS:
        return int.from_bytes(value, "big", signed=True)
    if kind == "ip4" and len(value) == 4:
        return str(IPv4Address(value))
    if kind == "ip6" and len(value) == 16:
        return str(IPv6Address(value))
    if kind == "mac" and len(value) == 6:
        return value.hex(":")
    if kind == "str":
        return value.rstrip(b"\0").decode("utf-8", "replace")
    if kind == "bool" and value in {b"\1", b"\2"}:  # RFC 7011 section 6.1.5
        return value == b"\1"
    if kind == "f64" and len(value) in {4, 8}:
        return float(unpack(">f" if len(value) == 4 else ">d", value)[0])
    if kind in {"sec", "ms", "ntp"}:
        return _time(kind, value)
    return value.hex()


def _time(kind: str, value: bytes) -> str:
    number = int.from_bytes(value, "big")
    if kind == "ntp" and len(value) == 8:
        seconds = number >> 32
        seconds += (1 << 32) if seconds < _NTP_EPOCH_SECONDS else 0
        milliseconds = (seconds - _NTP_EPOCH_SECONDS) * 1000 + (((number & 0xFFFF_FFFF) * 1000) >> 32)
    elif kind == "ntp" or not 1 <= len(value) <= _MAX_INTEGER_OCTETS:
        return value.hex()
    else:
        milliseconds = number * 1000 if kind == "sec" else number
    if milliseconds // 1000 > _LAST_SECOND:
        return value.hex()
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"
