"""What a monitoring plugin writes: a line for people, more lines, and performance data.

Monitoring Plugins Development Guidelines, "Plugin Output for Nagios" and "Performance data":

    text of the first line | 'label'=value[UOM];[warn];[crit];[min];[max] ...
    more text
    last line of more text | more performance data
    yet more performance data

Bounded: 240 characters of the first line and of the rest are kept, and 64 values. What makes no sense costs itself.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from btimd.probes.wire.dialogue import printable

MAX_VALUES: Final = 64
MAX_NAME: Final = 64
MAX_PERFDATA: Final = 8 * 1024
_ITEM: Final = re.compile(r"\s*(?:'((?:[^']|''){0,256})'|([^\s=']{1,256}))=([^\s;]*)(?:;\S*)?(?=\s|$)")
_VALUE: Final = re.compile(r"([-+]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][-+]?\d+)?)\s*([^\s\d]*)")
_NOT_IN_NAMES: Final = re.compile(r"[^a-z0-9]+")
_UNITS: Final[Mapping[str, tuple[float, str]]] = MappingProxyType({
    "": (1.0, ""),
    "s": (1.0, "seconds"),
    "sec": (1.0, "seconds"),
    "ms": (1e-3, "seconds"),
    "us": (1e-6, "seconds"),
    "µs": (1e-6, "seconds"),
    "ns": (1e-9, "seconds"),
    "%": (0.01, "ratio"),
    "c": (1.0, "total"),
    "b": (1.0, "bytes"),
    "bytes": (1.0, "bytes"),
    **{f"{unit}b": (1024.0**power, "bytes") for power, unit in enumerate("kmgtpe", 1)},
    **{f"{unit}ib": (1024.0**power, "bytes") for power, unit in enumerate("kmgtpe", 1)},
})  # fmt: skip
"""Unit of measure, in lower case -> what makes the base unit of it, and its name. The guidelines do not say whether a
KB is 1000 or 1024 octets; the plugins themselves count in 1024 (check_disk: MB = 2^20), so that is taken."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a plugin wrote. text: the first line; more: what follows, in one line; values: by name, in base units."""

    text: str
    more: str = ""
    values: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))


def decode_output(raw: bytes) -> Said:
    """Return what a plugin said; whatever octets it wrote, nothing is raised."""
    lines = raw.decode("utf-8", "replace").replace("\r\n", "\n").replace("\0", " ").split("\n")
    text, _, perfdata = lines[0].partition("|")
    more: list[str] = []
    kept = perfdata
    in_perfdata = False
    for line in lines[1:]:
        if in_perfdata:
            kept += " " + line
            continue
        said, bar, rest = line.partition("|")
        more.append(said)
        if bar:
            in_perfdata = True
            kept += " " + rest
    values = decode_perfdata(kept)
    return Said(printable(text.strip()), printable(" ".join(" ".join(more).split())), values)


def decode_perfdata(text: str) -> Mapping[str, float]:
    """Return the values of performance data by name, in base units; those that cannot be read are left out."""
    found: dict[str, float] = {}
    for label, written in _items(text[:MAX_PERFDATA]):
        named = _named(label, written)
        if named is not None and named[0] not in found:
            found[named[0]] = named[1]
        if len(found) >= MAX_VALUES:
            break
    return MappingProxyType(found)


def _items(text: str) -> Iterator[tuple[str, str]]:
    """Yield (label, value with its unit); an item that makes no sense is skipped up to the next space."""
    at = 0
    while at < len(text):
        match = _ITEM.match(text, at)
        if match is None:
            space = text.find(" ", at + 1)
            at = len(text) if space < 0 else space
            continue
        at = match.end()
        quoted, plain, value = match[1], match[2], match[3]
        yield (plain if quoted is None else quoted.replace("''", "'")), value


def _named(label: str, written: str) -> tuple[str, float] | None:
    match = _VALUE.fullmatch(written)
    if match is None:  # "U": could not be determined
        return None
    is_celsius = match[2] in {"C", "°C"}
    factor, unit = (1.0, "celsius") if is_celsius else _UNITS.get(match[2].lower(), (1.0, match[2].lower()))
    value = float(match[1].replace(",", ".")) * factor
    if not math.isfinite(value):
        return None
    name = _NOT_IN_NAMES.sub("_", label.lower())[:MAX_NAME].strip("_") or ("root" if label.startswith("/") else "value")
    unit = _NOT_IN_NAMES.sub("_", unit).strip("_")
    return (name if not unit or name.endswith(unit) else f"{name}_{unit}"), value
