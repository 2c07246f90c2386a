"""Filters of LDAP searches as people write them (RFC 4515): "(&(objectClass=person)(uid=m*))"."""

import re
from typing import Final

from btimd.probes.wire.ber import OCTET_STRING, encode

MAX_DEPTH: Final = 16
_SETS: Final = {"&": 0xA0, "|": 0xA1}
_NOT: Final = 0xA2
_EQUALITY: Final = 0xA3
_SUBSTRINGS: Final = 0xA4
_PRESENT: Final = 0x87
_TYPES: Final = {">=": 0xA5, "<=": 0xA6, "~=": 0xA8}
_ITEM: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9.;-]*)(>=|<=|~=|=)([^()]*)", re.ASCII)
_ESCAPE: Final = re.compile(rb"\\([0-9A-Fa-f]{2})")


def encode_filter(text: str) -> bytes:
    """Return a filter as sent; raises ValueError, in words for the operator."""
    found, end = _read(text, 0, 0)
    if end != len(text):
        raise _wrong(text, end)
    return found


def _wrong(text: str, at: int) -> ValueError:
    return ValueError(f'filter {text!r} is not understood from {text[at : at + 20]!r} on; write "(uid=probe)"')


def _read(text: str, at: int, depth: int) -> tuple[bytes, int]:
    """Return (the filter that begins here, where it ends)."""
    if text[at : at + 1] != "(" or depth > MAX_DEPTH:
        raise _wrong(text, at)
    sign = text[at + 1 : at + 2]
    if sign in _SETS or sign == "!":
        parts: list[bytes] = []
        end = at + 2
        while text[end : end + 1] == "(":
            part, end = _read(text, end, depth + 1)
            parts.append(part)
        if text[end : end + 1] != ")" or not parts or (sign == "!" and len(parts) > 1):
            raise _wrong(text, end)
        return encode(_SETS.get(sign, _NOT), *parts), end + 1
    item = _ITEM.match(text, at + 1)
    if item is None or text[item.end() : item.end() + 1] != ")":
        raise _wrong(text, at)
    return _item(item[1], item[2], item[3]), item.end() + 1


def _value(text: str) -> bytes:
    raw = text.encode()
    parts: list[bytes] = []
    end = 0
    for found in _ESCAPE.finditer(raw):
        parts += [raw[end : found.start()], bytes((int(found[1], 16),))]
        end = found.end()
    return b"".join((*parts, raw[end:]))


def _item(name: str, sign: str, value: str) -> bytes:
    attribute = encode(OCTET_STRING, name.encode())
    if sign != "=":
        return encode(_TYPES[sign], attribute, encode(OCTET_STRING, _value(value)))
    if value == "*":
        return encode(_PRESENT, name.encode())
    if "*" not in value:
        return encode(_EQUALITY, attribute, encode(OCTET_STRING, _value(value)))
    first, *middle, last = value.split("*")
    kinds = [(0x80, first), *((0x81, part) for part in middle), (0x82, last)]
    return encode(_SUBSTRINGS, attribute, encode(0x30, *(encode(tag, _value(part)) for tag, part in kinds if part)))
