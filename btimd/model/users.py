"""Clients of businesses as columns, who sits behind an address, and what may be asked of users."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class ClientColumns:
    """n pairs of client address and business, as they are known at a moment.

    address_hi, address_lo: uint64. business_id: int32 into `businesses`, -1 = traffic of no business. plan_row: int32
    row of the IP plan in force, -1 = the plan does not know the address. first_seen, last_seen: int64, ms since 1970.
    octets: int64, both ways, since it was first seen, times the sampling rate.
    An address that uses several businesses stands in several rows.
    """

    businesses: tuple[str, ...]
    address_hi: npt.NDArray[np.uint64]
    address_lo: npt.NDArray[np.uint64]
    business_id: npt.NDArray[np.int32]
    plan_row: npt.NDArray[np.int32]
    first_seen: npt.NDArray[np.int64]
    last_seen: npt.NDArray[np.int64]
    octets: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.business_id)


class PersonLookup(Protocol):
    """Who uses an address now, as far as leases, log-ons or a list tell; it goes before the IP plan's person."""

    @property
    def persons(self) -> tuple[str, ...]:
        """The persons that `find` numbers; grows, and is never reordered while the same object is held."""
        ...

    def find(self, address_hi: npt.NDArray[np.uint64], address_lo: npt.NDArray[np.uint64]) -> npt.NDArray[np.int32]:
        """Return the number of the person behind each address, -1 = nobody is known."""
        ...


@runtime_checkable
class PersonSources(Protocol):
    """A PersonLookup that also tells where it knows people from."""

    def sources(self, address_hi: npt.NDArray[np.uint64], address_lo: npt.NDArray[np.uint64]) -> Sequence[str]:
        """Return what names the person behind each address: dhcp, radius, csv; "" = nobody is known."""
        ...


USER_STATES: Final = ("gone", "idle", "active")
USER_ORDERS: Final = ("last-seen", "octets", "traffic")
USER_DIMENSIONS: Final = ("business", "region", "segment", "person")


@dataclass(frozen=True, slots=True)
class UserQuery:
    """Which users to list; None = whatever it is, "" = where nothing is known of it.

    business: None = of any business, "" = clients of traffic that belongs to none. state: active, idle or gone.
    address: of one client, or a prefix. order: last-seen: latest first; octets: most since first seen first; traffic:
    most octets per second first. Raises ValueError for another state or order.
    """

    business: str | None = None
    region: str | None = None
    segment: str | None = None
    person: str | None = None
    state: str | None = None
    address: str | None = None
    order: str = "last-seen"

    def __post_init__(self) -> None:
        """Refuse states and orders that there are not."""
        if self.state is not None and self.state not in USER_STATES:
            raise ValueError(f"{self.state!r} is no state of users; take one of {', '.join(USER_STATES)}")
        if self.order not in USER_ORDERS:
            raise ValueError(f"users cannot be ordered by {self.order!r}; take one of {', '.join(USER_ORDERS)}")


@dataclass(frozen=True, slots=True)
class UserCount:
    """How many client addresses there are in a group; each counts once, in its liveliest state.

    business, region, segment, person: of the group, "" also for what is not told apart. persons: distinct people known
    by name among the active and idle ones. octets: since each was first seen. octets_per_second: over the last minute.
    """

    business: str
    region: str
    segment: str
    person: str
    active: int
    idle: int
    gone: int
    persons: int
    octets: int
    octets_per_second: float
