"""IPFIX information elements by number: their names, types and units, and how their octets read for people.

The tables are text and are parsed when the first name is asked for: a daemon that only counts never pays for them.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

from btimd.capture.wire import readings
from btimd.capture.wire.element_table import ELEMENT_TABLE
from btimd.capture.wire.vendor_table import VENDOR_TABLE

REVERSE_PEN: Final = 29305
_CISCO: Final = 9
_CERT: Final = 6871
_NTOP: Final = 35632
_NTOP_V9_BASE: Final = 57472  # NetFlow v9 type of nProbe's element 0
_HIGH_BIT: Final = 0x8000
_CERT_REVERSE_BIT: Final = 0x4000
_SCOPES: Final = {1: "scope:system", 2: "scope:interface", 3: "scope:lineCard", 4: "scope:cache", 5: "scope:template"}
_DURATIONS: Final = {"seconds", "milliseconds", "microseconds", "nanoseconds"}


@dataclass(frozen=True, slots=True)
class Element:
    """An information element.

    type: u8 to u256, i8 to i64, f32, f64, bool, str, oct, ip4, ip6, mac; sec, ms, us, ns: the four dateTime types;
    blist, stl, stml: lists (RFC 6313); "oct" for elements nobody published. unit: as in the registry, or "".
    reading: what the value means beyond its type, or "".
    """

    enterprise: int
    id: int
    name: str
    type: str
    unit: str = ""
    reading: str = ""

    @property
    def kind(self) -> str:
        """How octets of this element read: an argument of `readable`."""
        if self.reading:
            return self.reading
        return self.unit if self.unit in _DURATIONS and self.type[0] == "u" and self.type[1:].isdigit() else self.type


@cache
def registered() -> dict[tuple[int, int], Element]:
    """Return every element of the tables by (enterprise, number); reverse elements are derived, not listed."""
    elements: dict[tuple[int, int], Element] = {}
    enterprise, prefix = 0, ""
    for entry in f"{ELEMENT_TABLE}{VENDOR_TABLE}".replace("\n", ";").split(";"):
        words = entry.split()
        if not words:
            continue
        if words[0][0] == "@":
            enterprise, prefix = int(words[0][1:]), "" if words[1] == "-" else f"{words[1]}:"
            continue
        kind, _, reading = words[2].partition(":")
        number, unit = int(words[0]), words[3] if len(words) > 3 else ""
        elements[enterprise, number] = Element(enterprise, number, f"{prefix}{words[1]}", kind, unit, reading)
    return elements


def element(enterprise: int, number: int) -> Element:
    """Return the element of a field; the reverse ones of RFC 5103 are named reverse*, unknown ones "pen:id"."""
    found = _find(enterprise, number)
    if found is None:
        return Element(enterprise, number, f"{enterprise}:{number}", "oct")
    return found


def is_named(enterprise: int, number: int) -> bool:
    """Tell whether somebody published a name for a field."""
    return _find(enterprise, number) is not None


def scope_name(number: int) -> str:
    """Return the name of a scope type of NetFlow v9 (RFC 3954 section 6.1)."""
    return _SCOPES.get(number, f"scope:{number}")


def readable(kind: str, value: bytes) -> int | float | str | bool:
    """Return octets as people read them; what does not fit its kind is left as hexadecimal digits."""
    return readings.readable(kind, value)


def _find(enterprise: int, number: int) -> Element | None:  # noqa: PLR0911  one line per way to be known
    elements = registered()
    found = elements.get((enterprise, number))
    if found is not None:
        return found
    if enterprise == 0 and number >= _NTOP_V9_BASE:
        return _moved(elements.get((_NTOP, number - _NTOP_V9_BASE)), enterprise, number)
    if enterprise == 0 and number >= _HIGH_BIT:
        return _moved(elements.get((_CISCO, number - _HIGH_BIT)), enterprise, number)
    if enterprise == _CISCO and number < _HIGH_BIT:
        private = elements.get((0, number + _HIGH_BIT))
        return _moved(private, enterprise, number) if private and private.name.startswith("cisco:") else None
    if enterprise == REVERSE_PEN:
        return _moved(elements.get((0, number)), enterprise, number, reverse=True)
    if enterprise == _CERT and number & _CERT_REVERSE_BIT:
        return _moved(elements.get((_CERT, number - _CERT_REVERSE_BIT)), enterprise, number, reverse=True)
    return None


def _moved(found: Element | None, enterprise: int, number: int, *, reverse: bool = False) -> Element | None:
    """Return the element under another number."""
    if found is None:
        return None
    name = found.name
    if reverse:
        vendor, colon, own = name.rpartition(":")
        name = f"{vendor}{colon}reverse{own[0].upper()}{own[1:]}"
    return Element(enterprise, number, name, found.type, found.unit, found.reading)
