"""IpPlan: which region, segment and person an address belongs to, as sorted disjoint address ranges."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, order=True)
class PlanRow:
    """What the IP plan says of a range; empty text where it says nothing."""

    region: str
    segment: str
    person: str


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Region and segment: the coordinates windows are kept by (a person is a user, not a place)."""

    region: str
    segment: str


@dataclass(frozen=True, slots=True)
class IpPlan:
    """Sorted, disjoint, inclusive ranges of addresses, each with a row of `rows`.

    start_hi/lo, end_hi/lo: uint64[n]. row: int32[n] into `rows`. `places` are the distinct (region, segment) pairs of
    the rows, `place_of_row`: int32[len(rows)] into `places`. generation: grows with every reload.
    Raises ValueError where ranges overlap or are out of order.
    """

    start_hi: npt.NDArray[np.uint64]
    start_lo: npt.NDArray[np.uint64]
    end_hi: npt.NDArray[np.uint64]
    end_lo: npt.NDArray[np.uint64]
    row: npt.NDArray[np.int32]
    rows: tuple[PlanRow, ...]
    generation: int = 1
    places: tuple[Place, ...] = field(init=False)
    place_of_row: npt.NDArray[np.int32] = field(init=False)

    def __post_init__(self) -> None:
        """Check order and derive the places."""
        previous = -1
        for index in range(len(self.row)):
            start = (int(self.start_hi[index]) << 64) | int(self.start_lo[index])
            end = (int(self.end_hi[index]) << 64) | int(self.end_lo[index])
            if start <= previous or end < start:
                raise ValueError(f"range {index} overlaps or is out of order")
            previous = end
        if len(self.row) and not 0 <= int(self.row.min()) <= int(self.row.max()) < len(self.rows):
            raise ValueError("a range names a row that does not exist")
        places = sorted({Place(row.region, row.segment) for row in self.rows})
        number = {place: index for index, place in enumerate(places)}
        object.__setattr__(self, "places", tuple(places))
        of_row = np.array([number[Place(row.region, row.segment)] for row in self.rows], dtype=np.int32)
        object.__setattr__(self, "place_of_row", of_row)

    @classmethod
    def empty(cls) -> "IpPlan":
        """Return a plan that knows no address."""
        halves = np.zeros(0, np.uint64)
        return cls(halves, halves, halves, halves, np.zeros(0, np.int32), ())
