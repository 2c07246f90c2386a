"""The operator's lists: who has an address or prefix, and who uses the device with a MAC."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from btimd.flows.leases import clean_name, mac_text
from btimd.model.address import Prefix
from btimd.model.units import UnixSeconds

_MOST_CELLS: Final = 4
_FIRST_CELLS: Final = {"address_or_prefix", "address", "prefix", "mac"}


@dataclass(frozen=True, slots=True)
class ListedPerson:
    """A line of the address list. since, until: s since 1970, None = always, never."""

    prefix: Prefix
    person: str
    since: UnixSeconds | None
    until: UnixSeconds | None


@dataclass(slots=True)
class Listed:
    """What a list says. records: lines with content; refused: those not understood; last_error: why the last was."""

    persons: list[ListedPerson] = field(default_factory=list)
    macs: dict[str, str] = field(default_factory=dict)
    records: int = 0
    refused: int = 0
    last_error: str = ""


def read_persons(octets: bytes) -> Listed:
    """Return the lines `address_or_prefix,person[,since,until]`; times are ISO 8601, UTC where no zone is given."""
    listed = Listed()
    for number, cells in _lines(octets, listed):
        try:
            if not 2 <= len(cells) <= _MOST_CELLS:  # noqa: PLR2004  address and person at least
                raise ValueError("wanted address_or_prefix,person[,since,until]")  # noqa: TRY301  said below
            prefix = _prefix(cells[0])
            person = clean_name(cells[1])
            if not person:
                raise ValueError("no person")  # noqa: TRY301  said below
            since, until = (_time(cell) for cell in (*cells[2:], "", "")[:2])
            listed.persons.append(ListedPerson(prefix, person, since, until))
        except ValueError as error:
            _refuse(listed, number, error)
    return listed


def read_macs(octets: bytes) -> Listed:
    """Return the lines `mac,person`."""
    listed = Listed()
    for number, cells in _lines(octets, listed):
        try:
            if len(cells) != 2:  # noqa: PLR2004  mac and person
                raise ValueError("wanted mac,person")  # noqa: TRY301  said below
            mac, person = mac_text(cells[0]), clean_name(cells[1])
            if not mac or not person:
                raise ValueError("no MAC as 00:11:22:aa:bb:cc, or no person")  # noqa: TRY301  said below
            listed.macs[mac] = person
        except ValueError as error:
            _refuse(listed, number, error)
    return listed


def _lines(octets: bytes, listed: Listed) -> Sequence[tuple[int, list[str]]]:
    """Return the cells of the lines that say something."""
    found: list[tuple[int, list[str]]] = []
    for number, line in enumerate(octets.decode("utf-8-sig", "replace").splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            cells = [cell.strip() for cell in next(csv.reader([line], skipinitialspace=True))]
        except (csv.Error, StopIteration):
            listed.records += 1
            _refuse(listed, number, ValueError("no line of CSV"))
            continue
        if not listed.records and cells[0].lower() in _FIRST_CELLS:
            continue
        listed.records += 1
        found.append((number, cells))
    return found


def _refuse(listed: Listed, number: int, error: ValueError) -> None:
    listed.refused += 1
    listed.last_error = f"line {number}: {error}"


def _prefix(text: str) -> Prefix:
    try:
        return Prefix.parse(text)
    except ValueError:
        raise ValueError("no address or prefix, or one with host bits; write 10.1.2.3 or 10.1.2.0/24") from None


def _time(text: str) -> UnixSeconds | None:
    if not text:
        return None
    try:
        parsed = datetime.fromisoformat(text)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise ValueError("since or until is no time; write 2026-01-31T08:00:00Z") from None
