"""Who sits behind an address, as views show it: bindings, and the sources that tell of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from btimd.model.units import UnixMillis


class PersonSourceKind(StrEnum):
    """What tells of persons. Of two that disagree on an address the higher `rank` is right; the IP plan comes last."""

    DHCP = "dhcp"
    LIST = "list"
    RADIUS = "radius"
    MACS = "macs"

    @property
    def rank(self) -> int:
        """Return the precedence; macs names clients of leases and binds no address itself."""
        return _RANKS[self]


_RANKS = {
    PersonSourceKind.MACS: 0,
    PersonSourceKind.DHCP: 1,
    PersonSourceKind.LIST: 2,
    PersonSourceKind.RADIUS: 3,
}


@dataclass(frozen=True, slots=True)
class PersonBinding:
    """A person behind an address or prefix, as a source tells it.

    since, until: ms since 1970, None = not told, or for ever. in_force: no source of higher precedence says otherwise.
    """

    address: str
    person: str
    source: str
    kind: PersonSourceKind
    since_milliseconds: UnixMillis | None
    until_milliseconds: UnixMillis | None
    in_force: bool


@dataclass(frozen=True, slots=True)
class PersonSource:
    """How a source does.

    place: the file, or the address listened on. bindings: that it gives now. records, refused: read since the start,
    and those of them that could not be understood or found no room. changed: when it last told something, None =
    never. problem: what is wrong with it now, empty = nothing. last_error: of the last record refused.
    """

    name: str
    kind: PersonSourceKind
    place: str
    bindings: int
    records: int
    refused: int
    changed_milliseconds: UnixMillis | None
    problem: str
    last_error: str


class PersonsView(Protocol):
    """What is known of persons and from where."""

    async def persons(self, match: str | None, limit: int) -> Sequence[PersonBinding]:
        """Return bindings, those in force first, then by address.

        match: an address, for all that cover it; a prefix, for all within it; or a person, whole name; None = all.
        """
        ...

    def person_sources(self) -> Sequence[PersonSource]:
        """Return the sources, in the order of the configuration."""
        ...
