"""Short messages: how many parts a text takes, and how it is cut by meaning so that it takes no more than allowed.

3GPP TS 23.038 section 6.2.1 (the 7-bit default alphabet and its extension table) and 23.040 section 9.2.3.24.1 (a part
of a longer message gives six octets to its header: 153 of 160 septets, 67 of 70 UCS-2 characters are left).
"""

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = frozenset("^{}\\[~]|€\f")
_JOINER: Final = "\u200d"
_BMP_END: Final = 0xFFFF
_FLAGS: Final = range(0x1F1E6, 0x1F200)  # two of these are one flag


class Alphabet(StrEnum):
    """What a message is written in; one character outside of GSM-7 turns the whole message into UCS-2."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"


@dataclass(frozen=True, slots=True)
class Size:
    """What a text costs. units: septets or UTF-16 units."""

    alphabet: Alphabet
    units: int
    parts: int


def alphabet_of(text: str) -> Alphabet:
    """Return the smallest alphabet that has all characters of a text."""
    return Alphabet.GSM7 if all(c in _BASIC or c in _EXTENDED for c in text) else Alphabet.UCS2


def size_of(text: str) -> Size:
    """Return what a text takes. No character (escape and its letter, surrogate pair) is split between parts."""
    alphabet = alphabet_of(text)
    whole, part = (160, 153) if alphabet is Alphabet.GSM7 else (70, 67)
    costs = [_units(character, alphabet) for character in text]
    units = sum(costs)
    if units <= whole:
        return Size(alphabet, units, 1)
    parts, used = 1, 0
    for cost in costs:
        if used + cost > part:
            parts, used = parts + 1, 0
        used += cost
    return Size(alphabet, units, parts)


def _units(character: str, alphabet: Alphabet) -> int:
    if alphabet is Alphabet.GSM7:
        return 2 if character in _EXTENDED else 1
    return 2 if ord(character) > _BMP_END else 1


def clusters(text: str) -> Iterator[str]:
    """Yield what a reader takes for one character: with its accents, variation selectors, joined and paired emoji.

    The rules of UAX #29 that matter in messages, not all of them (Hangul jamo and Indic conjuncts may be parted).
    """
    held = ""
    for character in text:
        joins = held and (
            unicodedata.combining(character)
            or unicodedata.category(character) in {"Mn", "Me", "Mc"}
            or character == _JOINER
            or held[-1] == _JOINER
            or 0x1F3FB <= ord(character) <= 0x1F3FF  # noqa: PLR2004  skin tones belong to what stands before them
            or (ord(character) in _FLAGS and len(held) == 1 and ord(held) in _FLAGS)
        )
        if held and not joins:
            yield held
            held = ""
        held += character
    if held:
        yield held


def shortened(text: str, keep: int, mark: str) -> str:
    """Return the first `keep` clusters of a text and a mark; a word of letters is not cut where that loses little."""
    parts = list(clusters(text))
    if len(parts) <= keep:
        return text
    if keep <= 0:
        return ""
    kept = parts[:keep]
    if _is_letter(kept[-1]) and _is_letter(parts[keep]):
        start = keep
        while start > 0 and _is_letter(kept[start - 1]):
            start -= 1
        if start >= keep * 2 // 3 and start > 0:
            kept = kept[:start]
    return "".join(kept).rstrip() + mark


def _is_letter(cluster: str) -> bool:
    return cluster[0].isalnum() and cluster[0].isascii()


def fitted(write: Callable[[dict[str, str]], str], values: dict[str, str], cuttable: tuple[str, ...], fits: int) -> str:
    """Return write(values) in at most `fits` parts, cutting the values named in `cuttable`, the first one first.

    What is not cuttable (priority, limits, number, how to answer) stays whole. Only where that alone is too long the
    end of the text is cut.
    """
    text = write(values)
    if size_of(text).parts <= fits:
        return text
    values = dict(values)
    for name in cuttable:
        whole = values.get(name, "")
        low, high = 0, sum(1 for _ in clusters(whole))
        while low < high:  # the longest that fits; 0 = left out
            middle = (low + high + 1) // 2
            text = write(values | {name: _cut(whole, middle)})
            low, high = (middle, high) if size_of(text).parts <= fits else (low, middle - 1)
        values[name] = _cut(whole, low)
        text = write(values)
        if size_of(text).parts <= fits:
            return text
    low, high = 0, sum(1 for _ in clusters(text))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if size_of(_cut(text, middle)).parts <= fits else (low, middle - 1)
    return _cut(text, low)


def _cut(text: str, keep: int) -> str:
    return shortened(text, keep, ".." if alphabet_of(text) is Alphabet.GSM7 else "…")
