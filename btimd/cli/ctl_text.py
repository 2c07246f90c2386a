"""How btimctl writes things: as JSON for programs, and single values as text for people."""

import json
import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, tzinfo
from enum import Enum, IntEnum
from typing import Any, Final

_C1_CONTROLS: Final = re.compile("[\x7f-\x9f]")  # what json.dumps leaves as it is, and a terminal may obey
_MOMENTS: Final = {"at", "since", "period_start", "period_end"}
_MOMENT_ENDINGS: Final = ("_at", "_until", "_since", "_eta", "accept_by")
_FLOAT_NOISE: Final = 1e-6
_THOUSAND: Final = 1000.0
_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86400
_UNITS: Final = ((_DAY, "d", _HOUR, "h"), (_HOUR, "h", _MINUTE, "min"), (_MINUTE, "min", 1, "s"))


def json_line(thing: Any) -> str:
    """Return a model object as one line of JSON: enums by name, wall-clock seconds as RFC 3339 in UTC."""
    text = json.dumps(as_json(thing), ensure_ascii=False, allow_nan=False)
    return _C1_CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def as_json(thing: Any, name: str = "") -> Any:  # noqa: PLR0911  one return per kind of thing
    """Return what json.dumps can write. `name`: of the field that holds the thing; times are known by it."""
    if is_dataclass(thing) and not isinstance(thing, type):
        return {field.name: as_json(getattr(thing, field.name), field.name) for field in fields(thing)}
    if isinstance(thing, IntEnum):
        return thing.name.lower()
    if isinstance(thing, Enum):
        return thing.value
    if isinstance(thing, Mapping):
        return {str(key): as_json(value) for key, value in thing.items()}
    if isinstance(thing, (list, tuple)):
        return [as_json(item) for item in thing]
    if isinstance(thing, float):
        if name in _MOMENTS or name.endswith(_MOMENT_ENDINGS):
            return datetime.fromtimestamp(thing, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return thing if math.isfinite(thing) else None
    return thing


def clean(text: str) -> str:
    """Return a text that cannot steer a terminal: control characters become the replacement character.

    Titles and descriptions come from mail and from other systems; an escape sequence in one must stay text.
    """
    return "".join(
        character if character == "\n" or unicodedata.category(character) not in {"Cc", "Cf"} else "\ufffd"
        for character in text
    )


def moment(seconds: float | None, zone: tzinfo | None = None) -> str:
    """Return a wall-clock moment in local time (or `zone`), "-" for none."""
    if seconds is None:
        return "-"
    return datetime.fromtimestamp(seconds, UTC).astimezone(zone).strftime("%m-%d %H:%M:%S")


def full_moment(seconds: float | None, zone: tzinfo | None = None) -> str:
    """Return a wall-clock moment with year and offset, "-" for none."""
    if seconds is None:
        return "-"
    return datetime.fromtimestamp(seconds, UTC).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %z")


def span(seconds: float) -> str:
    """Return a length of time in at most two units: "4.2 s", "3 min 20 s", "2 h 5 min", "3 d 4 h"."""
    if seconds < _MINUTE:
        return f"{seconds:.3g} s"
    whole = round(seconds)
    for unit, name, below, below_name in _UNITS:
        if whole >= unit:
            rest = whole % unit // below
            return f"{whole // unit} {name}" + (f" {rest} {below_name}" if rest else "")
    return f"{whole} s"


def quantity(value: float, unit: str = "") -> str:
    """Return a number with an SI prefix and three digits: "88.0 MB", "420"."""
    for prefix in ("", "k", "M", "G", "T"):
        if abs(value) < _THOUSAND or prefix == "T":
            break
        value /= _THOUSAND
    digits = f"{value:.0f}" if not prefix else f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"  # noqa: PLR2004  three digits
    return f"{digits} {prefix}{unit}".rstrip()


def percent(ratio: float | None, digits: int = 1) -> str:
    """Return a share in percent, "unmeasured" for none; never rounded up to 100 %."""
    if ratio is None:
        return "unmeasured"
    scale = 10**digits
    return f"{math.floor(ratio * 100 * scale + _FLOAT_NOISE) / scale:.{digits}f} %"
