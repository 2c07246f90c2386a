"""What a batch of links is to others: points of the series store, and rows of duplication."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import numpy as np

from btimd.flows.linkbatches import TOTAL, LinkBatch
from btimd.flows.projection import DIRECTIONS
from btimd.model.points import PointBlock
from btimd.model.topology import DuplicationRow
from btimd.model.window import interval_name

MEASUREMENT: Final = "btimd_links"
TOTAL_NAME: Final = "*"
_BITS: Final = 8
_MILLIS: Final = 1000
_CLEARLY: Final = 2
"""What is left of an estimate is believed from so many of its standard errors on."""


def points_of(
    batch: LinkBatch, exporters: Mapping[int, str], named: Callable[[int, int], tuple[str, int]]
) -> PointBlock:
    """Return the rows of a batch as points.

    exporters: names by number. named: of exporter number and ifIndex the interface's name, "" = not known, and its
    speed, bit/s. utilisation is a number only of totals ("*") where the speed is known, and of flow records alone.
    """
    numbers, interfaces = batch.exporter_id.tolist(), batch.interface.tolist()
    keys = list(zip(numbers, interfaces, strict=True))
    known = {key: named(*key) for key in set(keys)}
    business = _business_names(batch)
    speed = np.array([known[key][1] for key in keys], np.float64)
    total = (batch.business_id == TOTAL) & (speed > 0)
    bits = batch.octets * (_BITS * _MILLIS / batch.interval_milliseconds)
    utilisation = np.full(len(batch), np.nan)
    utilisation[total] = bits[total] / speed[total]
    return PointBlock(
        measurement=MEASUREMENT,
        time_milliseconds=np.full(len(batch), batch.interval_start_milliseconds, np.int64),
        tags={
            "exporter": [exporters.get(number, str(number)) for number in numbers],
            "interface": [known[key][0] or str(key[1]) for key in keys],
            "direction": [DIRECTIONS[side] for side in batch.outward.tolist()],
            "business": [business[number] for number in batch.business_id.tolist()],
            "interval": [interval_name(batch.interval_milliseconds)] * len(batch),
        },
        fields={
            "octets": batch.octets,
            "packets": batch.packets,
            "records": batch.records,
            "utilisation": utilisation,
        },
    )


def duplication_rows(batch: LinkBatch, exporters: Mapping[int, str]) -> Iterator[DuplicationRow]:
    """Yield the rows of one interval: all exporters together, then each; all businesses together, then each.

    Where only a sample of flows was looked at, what is duplicate is scaled to all of them: whoever reports one flow in
    64 twice reports all twice, on average. Where nothing was, nobody knows.
    """
    business = _business_names(batch)
    found: dict[tuple[str, str], list[int]] = {}
    told = batch.doubles
    columns = (told.counted_records, told.counted_octets, told.duplicate_records, told.duplicate_octets)
    lists = [column.tolist() for column in columns]
    for at, (exporter, number) in enumerate(zip(told.exporter_id.tolist(), told.business_id.tolist(), strict=True)):
        for name in (TOTAL_NAME, exporters.get(exporter, str(exporter))):
            sums = found.setdefault((name, business[number]), [0, 0, 0, 0])
            for column, values in enumerate(lists):
                sums[column] += values[at]
    for (name, label), (counted, octets, duplicates, double_octets) in sorted(found.items()):
        error = 0.0 if batch.compared == 1 else None
        if 0 < batch.compared < 1:
            error = 1 / math.sqrt(duplicates) if duplicates else None
            counted, duplicates = _scaled(counted, duplicates, batch.compared)  # noqa: PLW2901  estimates from here on
            octets, double_octets = _scaled(octets, double_octets, batch.compared)  # noqa: PLW2901
        sure = octets > _CLEARLY * (error or 0.0) * double_octets
        yield DuplicationRow(
            interval_start_milliseconds=batch.interval_start_milliseconds,
            interval_milliseconds=batch.interval_milliseconds,
            exporter=name,
            business=label,
            counted_records=counted,
            counted_octets=octets,
            duplicate_records=duplicates,
            duplicate_octets=double_octets,
            duplication_factor=(octets + double_octets) / octets if sure and batch.compared > 0 else None,
            compared=batch.compared,
            relative_error=error,
        )


def _scaled(counted: int, duplicate: int, compared: float) -> tuple[int, int]:
    """Return what counts and what is duplicate of all flows, from what was found in a share of them."""
    estimate = min(round(duplicate / compared), counted + duplicate)
    return counted + duplicate - estimate, estimate


def _business_names(batch: LinkBatch) -> dict[int, str]:
    return {TOTAL: TOTAL_NAME, -1: ""} | dict(enumerate(batch.businesses))
