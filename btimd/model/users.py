"""Clients of businesses as columns, and who sits behind an address."""

from dataclasses import dataclass
from typing import Protocol

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
