"""FreeRADIUS detail files: accounting as the server writes it down, one record after the other.

A record is a line with the date at its very beginning, then one indented `Attribute = value` a line, and an empty line.
The server adds Timestamp, the time of arrival in s since 1970, which is used instead of the date in local time.

Source: rlm_detail(5) and raddb/mods-available/detail of FreeRADIUS 3.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from btimd.flows.leases import clean_name, prefix_of
from btimd.flows.radius import (
    MAX_PREFIXES,
    SHORTEST_PREFIX,
    Accounting,
    AccountingStatus,
    event_time,
)
from btimd.model.address import Prefix

_MAX_ATTRIBUTES: Final = 1024
_LINE: Final = re.compile(r"\s+([A-Za-z0-9.:-]+)\s*(?::?=|\+=)\s*(.*)")
_ESCAPE: Final = re.compile(r"\\([0-7]{3}|.)")
_STATUS: Final = {
    "Start": AccountingStatus.START,
    "Stop": AccountingStatus.STOP,
    "Interim-Update": AccountingStatus.INTERIM,
    "Alive": AccountingStatus.INTERIM,
    "Accounting-On": AccountingStatus.ON,
    "Accounting-Off": AccountingStatus.OFF,
}
_NAS: Final = {"NAS-Identifier": 32, "NAS-IP-Address": 4, "NAS-IPv6-Address": 95}
"""Each with its number, so that a NAS is the same one here and in packets."""
_ADDRESSES: Final = {"Framed-IP-Address", "Framed-IPv6-Address", "Framed-IPv6-Prefix", "Delegated-IPv6-Prefix"}
_NO_ADDRESS: Final = {"0.0.0.0", "255.255.255.254", "255.255.255.255"}  # noqa: S104  stand for no address
_MOST_SECONDS: Final = 1 << 40


class DetailRecords:
    """Reads a detail file line by line. records, refused: so far; last_error: why the last was refused."""

    def __init__(self) -> None:
        self.records = 0
        self.refused = 0
        self.last_error = ""
        self._line = 0
        self._values: list[tuple[str, str]] = []
        self._broken = ""

    def feed(self, line: bytes) -> Sequence[Accounting]:
        """Return the record that a line, without its end, completes."""
        self._line += 1
        text = line.decode("utf-8", "replace").rstrip()
        if not text:
            return self._close()
        if not text[0].isspace():
            # a date: a record before it that has no empty line behind it was not written to its end
            if self._values and not self._broken:
                self._broken = "a record that breaks off"
            self._close()
            return ()
        found = _LINE.fullmatch(text)
        if found is None:
            self._broken = "a line that is no 'Attribute = value'"
        elif len(self._values) >= _MAX_ATTRIBUTES:
            self._broken = f"a record of more than {_MAX_ATTRIBUTES} attributes"
        else:
            self._values.append((found[1], _value(found[2])))
        return ()

    def _close(self) -> Sequence[Accounting]:
        values, broken = self._values, self._broken
        self._values, self._broken = [], ""
        if not values and not broken:
            return ()
        self.records += 1
        try:
            found = _accounting(values, broken)
        except ValueError as error:
            self.refused += 1
            self.last_error = f"line {self._line}: {error}"
            return ()
        return () if found is None else (found,)


def _value(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] == '"':
        return _ESCAPE.sub(lambda found: chr(int(found[1], 8)) if len(found[1]) == 3 else found[1], text[1:-1])  # noqa: PLR2004  digits
    return text


def _accounting(given: Sequence[tuple[str, str]], broken: str) -> Accounting | None:
    """Return what a record tells, None where that is no accounting; raises ValueError without quoting what it tells.

    broken: why it cannot be understood, empty where it can.
    """
    if broken:
        raise ValueError(broken)
    values: dict[str, str] = {}
    for name, value in given:
        values.setdefault(name, value)
    if "Acct-Status-Type" not in values:
        return None
    arrival = _seconds(values, "Timestamp")
    if arrival is None:
        raise ValueError("a record without Timestamp")
    status = _STATUS.get(values["Acct-Status-Type"], AccountingStatus.OTHER)
    session = values.get("Acct-Session-Id", "")[:253]
    if not session and status < AccountingStatus.ON:
        raise ValueError("a record without Acct-Session-Id")
    prefixes = [_prefix(value) for name, value in given if name in _ADDRESSES]
    at, _ = event_time(None, arrival, _seconds(values, "Acct-Delay-Time") or 0.0)
    return Accounting(
        status=status,
        nas=_nas(values),
        session=session,
        person=clean_name(values.get("User-Name", "")),
        prefixes=tuple(dict.fromkeys(prefix for prefix in prefixes if prefix is not None))[:MAX_PREFIXES],
        at=at,
        lasted=_seconds(values, "Acct-Session-Time"),
    )


def _seconds(values: Mapping[str, str], name: str) -> float | None:
    text = values.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal()) or len(text) > 13 or int(text) > _MOST_SECONDS:  # noqa: PLR2004  digits
        raise ValueError(f"{name} is no number of seconds")
    return float(text)


def _prefix(text: str) -> Prefix | None:
    if text in _NO_ADDRESS:
        return None
    address, _, length = text.partition("/")
    try:
        bits = int(length) if length else 128
        if not 0 <= bits <= 128:  # noqa: PLR2004  the bits of an address
            raise ValueError  # noqa: TRY301  said below
        found = prefix_of(address, 128)
        number = found.first & (-1 << (128 - bits))
    except ValueError:
        raise ValueError("an address that is none") from None
    if bits < SHORTEST_PREFIX:
        return None
    return Prefix(number >> 64, number & 0xFFFF_FFFF_FFFF_FFFF, bits)


def _nas(values: Mapping[str, str]) -> str:
    for name, number in _NAS.items():
        if values.get(name):
            text = values[name]
            octets = text.encode("utf-8", "replace") if number == 32 else _address_octets(text)  # noqa: PLR2004  NAS-Identifier
            return f"{number}:{octets.hex()}"
    return values.get("Packet-Src-IP-Address") or values.get("Client-IP-Address") or ""


def _address_octets(text: str) -> bytes:
    try:
        found = prefix_of(text)
    except ValueError:
        raise ValueError("the address of a NAS that is none") from None
    return found.first.to_bytes(16)[-4:] if "." in text and ":" not in text else found.first.to_bytes(16)
