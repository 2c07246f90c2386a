"""Reads options of checks: texts of the operator to numbers, with errors that say what to write. Raises ValueError."""

import re
from collections.abc import Mapping
from typing import Final

from btimd.model.units import Ratio, Seconds

_TIME: Final = re.compile(r"(?P<number>\d{1,6}(?:\.\d{1,6})?)\s*(?P<unit>us|ms|s)")
_SECONDS_PER: Final = {"us": 1e-6, "ms": 1e-3, "s": 1.0}


def whole(options: Mapping[str, str], name: str, default: int, *, low: int, high: int) -> int:
    """Return a whole number."""
    text = options.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise ValueError(f'{name} {text!r} is no whole number from {low} to {high}; write "{default}"')
    return int(text)


def share(options: Mapping[str, str], name: str, default: float) -> Ratio:
    """Return a percentage as a share."""
    text = options.get(name, f"{default:g}").removesuffix("%").strip()
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0.0 <= found <= 100.0:  # noqa: PLR2004  a percentage
        raise ValueError(f'{name} {options.get(name)!r} is no percentage from 0 to 100; write "{default:g}"')
    return found / 100.0


def seconds(options: Mapping[str, str], name: str, default: Seconds | None) -> Seconds | None:
    """Return a time such as "50ms" or "1.5s"."""
    text = options.get(name)
    if text is None:
        return default
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise ValueError(f'{name} {text!r} is no time; write it with its unit: "50ms", "1.5s"')
    return float(match["number"]) * _SECONDS_PER[match["unit"]]


def one_of(options: Mapping[str, str], name: str, default: str, known: tuple[str, ...]) -> str:
    """Return one of the words that are known."""
    text = options.get(name, default)
    if text not in known:
        raise ValueError(f"{name} {text!r} is unknown; write one of {', '.join(known)}")
    return text


def octets(options: Mapping[str, str], name: str) -> bytes:
    """Return what a text stands for: "hex:0a0b" those octets, anything else its UTF-8."""
    text = options.get(name, "")
    if not text.startswith("hex:"):
        return text.encode()
    try:
        return bytes.fromhex(text.removeprefix("hex:"))
    except ValueError as error:
        raise ValueError(f'{name} {text!r} is no hexadecimal text; write "hex:0a0b0c"') from error
