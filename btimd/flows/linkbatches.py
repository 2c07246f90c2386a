"""What windows of links emit: the sums of an interval, shared out to totals and businesses."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from btimd.flows.linktables import COLUMNS, SIDES, Numbering
from btimd.kernels import links as kernels
from btimd.model.units import UNKNOWN_ID, UnixMillis

INTERVAL_MILLISECONDS: Final = kernels.INTERVAL_MILLISECONDS
TOTAL: Final = -2
"""Instead of a business: all records, each once, whoever owns them."""


@dataclass(frozen=True, slots=True)
class Doubles:
    """Of one interval, per exporter and business (as in LinkBatch): what counts, and what another point had reported.

    Octets are estimates where sampled. A record is here once, however many interfaces it names. What was not looked
    at counts.
    """

    exporter_id: npt.NDArray[np.int32]
    business_id: npt.NDArray[np.int32]
    counted_records: npt.NDArray[np.int64]
    counted_octets: npt.NDArray[np.int64]
    duplicate_records: npt.NDArray[np.int64]
    duplicate_octets: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LinkBatch:
    """What went over interfaces in one interval: for each direction that changed, its total and its businesses.

    n rows, sorted by exporter, interface, outward, business. business_id: TOTAL, -1 = of no business, else into
    businesses. interface: ifIndex, 0 = none: the device itself, discarded, not told. octets, packets: estimates where
    sampled. derived: from what was metered at the other end of the device. A row of 0 records takes an earlier one
    back; a direction that is named replaces all that was said of it in this interval. doubles: of the whole interval.
    compared: the share of flows that was looked at for duplicates, of which doubles are; 0 = none, or it changed within
    the interval.
    """

    interval_start_milliseconds: UnixMillis
    interval_milliseconds: int
    revision: int
    businesses: tuple[str, ...]
    exporter_id: npt.NDArray[np.int32]
    interface: npt.NDArray[np.int64]
    outward: npt.NDArray[np.uint8]
    business_id: npt.NDArray[np.int32]
    octets: npt.NDArray[np.int64]
    packets: npt.NDArray[np.int64]
    records: npt.NDArray[np.int64]
    sampled: npt.NDArray[np.uint8]
    derived: npt.NDArray[np.uint8]
    doubles: Doubles
    compared: float = 1.0

    def __len__(self) -> int:
        return len(self.octets)


@dataclass(frozen=True, slots=True)
class Rows:
    """Sums per port, business and side of one interval; the rows of a port begin with its total.

    key: port * (businesses + 2) + business + 2, ascending. sums: int64[rows, 2, 8]. marks: int64[rows, 2].
    """

    businesses: tuple[str, ...]
    ports: npt.NDArray[np.int64]
    key: npt.NDArray[np.int64]
    sums: npt.NDArray[np.int64]
    marks: npt.NDArray[np.int64]

    @classmethod
    def of(
        cls,
        owners: tuple[tuple[str, ...], ...],
        numbering: Numbering,
        sums: npt.NDArray[np.int64],
        marks: npt.NDArray[np.int64],
    ) -> "Rows":
        """Share out what cells hold: all of it to the total of the port, and all of it to each owner."""
        businesses = tuple(sorted({name for names in owners for name in names}))
        number = {name: at for at, name in enumerate(businesses)}
        columns = [(TOTAL, *(number[name] for name in names)) if names else (TOTAL, UNKNOWN_ID) for names in owners]
        sizes = np.array([len(column) for column in columns])
        firsts = np.cumsum(sizes) - sizes
        flat = np.array([one for column in columns for one in column], np.int64) - TOTAL
        used = np.flatnonzero(sums.any(axis=(1, 2)))
        port, owner = (numbering.cells[used, at].astype(np.int64) for at in range(2))
        take = np.repeat(np.arange(len(used)), sizes[owner])
        nth = np.arange(len(take)) - np.repeat(np.cumsum(sizes[owner]) - sizes[owner], sizes[owner])
        column = flat[firsts[owner][take] + nth]
        key, line = np.unique(port[take] * (len(businesses) - TOTAL) + column, return_inverse=True)
        together = np.zeros((len(key), SIDES, COLUMNS), np.int64)
        marked = np.zeros((len(key), SIDES), np.int64)
        np.add.at(together, line, sums[used][take])
        together[together < 0] = np.iinfo(np.int64).max
        np.bitwise_or.at(marked, line, marks[used][take])
        return cls(businesses, numbering.ports, key, together, marked)

    def batch(self, interval: int, revision: int, compared: float = 1.0) -> LinkBatch:
        """Return the rows of the directions that changed, and what counted once and what did not."""
        width = len(self.businesses) - TOTAL
        port, business = self.key // width, self.key % width + TOTAL
        total = np.searchsorted(self.key, port * width)  # the row of the port's total
        changed, metered = self.marks[total] & kernels.CHANGED != 0, self.sums[total, :, kernels.OWN_OCTETS] > 0
        metered |= self.sums[total, :, kernels.OWN_RECORDS] > 0  # a flow that goes on has its end elsewhere
        real = self.ports[port, 1] != kernels.REPEATED
        row, side = np.nonzero(changed & self.sums.any(axis=2) & real[:, None])
        own = metered[row, side]
        first = np.where(own, kernels.OWN_OCTETS, kernels.DERIVED_OCTETS)
        order = np.lexsort((business[row], side, self.ports[port[row], 1], self.ports[port[row], 0]))
        row, side, own, first = row[order], side[order], own[order], first[order]
        lines = self.sums[row, side]
        at = np.arange(len(row))
        return LinkBatch(
            interval_start_milliseconds=interval * INTERVAL_MILLISECONDS,
            interval_milliseconds=INTERVAL_MILLISECONDS,
            revision=revision,
            businesses=self.businesses,
            exporter_id=self.ports[port[row], 0].astype(np.int32),
            interface=self.ports[port[row], 1],
            outward=side.astype(np.uint8),
            business_id=business[row].astype(np.int32),
            octets=lines[at, first],
            packets=lines[at, first + 1],
            records=lines[at, first + 2],
            sampled=((self.marks[row, side] & kernels.SAMPLED) != 0).astype(np.uint8),
            derived=(~own).astype(np.uint8),
            doubles=self._doubles(port, business, real),
            compared=compared,
        )

    def _doubles(
        self, port: npt.NDArray[np.int64], business: npt.NDArray[np.int64], real: npt.NDArray[np.bool_]
    ) -> Doubles:
        """Return what counted once and what did not, per exporter and business."""
        width = len(self.businesses) - TOTAL
        exporter = self.ports[port, 0]
        key, line = np.unique(exporter * width + business - TOTAL, return_inverse=True)
        own = self.sums[:, :, [kernels.OWN_RECORDS, kernels.OWN_OCTETS]].sum(axis=1)
        double = self.sums[:, :, [kernels.DUPLICATE_RECORDS, kernels.DUPLICATE_OCTETS]].sum(axis=1)
        double = np.where(real[:, None], double, own)
        found = np.zeros((len(key), 4), np.int64)
        np.add.at(found, line, np.concatenate((own - double, double), axis=1))
        return Doubles(
            exporter_id=(key // width).astype(np.int32),
            business_id=(key % width + TOTAL).astype(np.int32),
            counted_records=found[:, 0],
            counted_octets=found[:, 1],
            duplicate_records=found[:, 2],
            duplicate_octets=found[:, 3],
        )
