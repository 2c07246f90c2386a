"""Business figures that others push: the latest of each in memory, all of them in the series store."""

import math
import re
from collections.abc import Collection, Sequence
from typing import Final

import numpy as np

from btimd.model.points import PointBlock
from btimd.model.ports import SeriesStore
from btimd.model.view import BusinessMetric
from btimd.runtime.metrics import Metrics

MEASUREMENT: Final = "btimd_kpi"
MOST_NAMES: Final = 100
"""Figures of one business."""
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")
_UNIT: Final = re.compile(r"[A-Za-z0-9_/%]{0,20}")


class BusinessMetrics:
    """What others measured of businesses. Used on the event loop."""

    def __init__(self, series: SeriesStore, metrics: Metrics) -> None:
        self._series = series
        self._latest: dict[str, dict[str, BusinessMetric]] = {}
        self._pushed = metrics.counter("btimd_store_kpi_points_total", "Figures of businesses that others pushed")

    def push(self, metrics: Sequence[BusinessMetric], known: Collection[str]) -> None:
        """Take figures, all or none; known: the businesses there are.

        Raises KeyError for an unknown business, ValueError for a name, unit, value or validity that cannot be, and
        where a business would have too many.
        """
        names: dict[str, set[str]] = {}
        for one in metrics:
            self._check(one, known)
            names.setdefault(one.business, set(self._latest.get(one.business, ()))).add(one.name)
        for business, found in names.items():
            if len(found) > MOST_NAMES:
                raise ValueError(f"{business} would have {len(found)} figures; {MOST_NAMES} at most")
        for one in metrics:
            kept = self._latest.setdefault(one.business, {})
            before = kept.get(one.name)
            if before is None or before.at <= one.at:
                kept[one.name] = one
        self._pushed.inc(len(metrics))
        if metrics:
            self._series.write(_points(metrics))

    def latest(self, business: str) -> Sequence[BusinessMetric]:
        """Return the latest of each figure of a business, by name."""
        return [one for _, one in sorted(self._latest.get(business, {}).items())]

    @staticmethod
    def _check(one: BusinessMetric, known: Collection[str]) -> None:
        if one.business not in known:
            raise KeyError(one.business)
        if not _NAME.fullmatch(one.name):
            raise ValueError(f"{one.name[:70]!r} is no name: lower-case letters, digits and underscore, up to 63")
        if not _UNIT.fullmatch(one.unit):
            raise ValueError(f"{one.unit[:30]!r} is no unit: letters, digits, / and %, up to 20")
        if not math.isfinite(one.value):
            raise ValueError(f"{one.name} is {one.value}; a figure is a finite number")
        if not 0 < one.valid_seconds <= 366 * 86_400:
            raise ValueError(f"{one.name} is valid for {one.valid_seconds:g} s; from a second to a year")


def _points(metrics: Sequence[BusinessMetric]) -> PointBlock:
    return PointBlock(
        measurement=MEASUREMENT,
        time_milliseconds=np.array([one.at for one in metrics], np.int64),
        tags={
            "business": [one.business for one in metrics],
            "name": [one.name for one in metrics],
            "unit": [one.unit for one in metrics],
        },
        fields={"value": np.array([one.value for one in metrics], np.float64)},
    )
