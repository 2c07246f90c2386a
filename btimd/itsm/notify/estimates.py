"""How long a person takes to accept after a notice, by means and time of day: learned from what happened, bounded.

Times are averaged as logarithms (they spread over orders of magnitude), older ones fade. Where little was seen of a
person at an hour the estimate leans on all that was seen of the person, and that on what is usual for the means.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from btimd.model.notification import AcceptTime, Means
from btimd.model.units import Seconds

BAND_HOURS: Final = 3
CELL_LIMIT: Final = 20_000
"""Persons x means x (bands of hours + 1) that are kept; the longest untouched goes first."""
USUAL: Final[Mapping[Means, Seconds]] = MappingProxyType({
    Means.SCREEN: 90.0, Means.IM: 150.0, Means.SMS: 180.0, Means.VOICE: 60.0, Means.EMAIL: 1800.0, Means.WEBHOOK: 900.0,
})  # fmt: skip
_ALL_DAY: Final = -1
_LEAN: Final = 3.0  # an estimate trusts what is more general like so many answers
_FADE: Final = 0.95  # weight that an answer keeps when the next comes
_NOT_ANSWERED: Final = 2.0  # nobody knows how long it would have been: at least as long as it was waited, times this
_VERSION: Final = 1
_LEAST: Final = 1.0
_MOST: Final = 7 * 86_400.0

_Key = tuple[str, Means, int]


@dataclass(frozen=True, slots=True)
class Estimates:
    """What was learned. cells: (person, means, band) -> (weight, sum of weighted log seconds), oldest touched first."""

    cells: Mapping[_Key, tuple[float, float]] = field(default_factory=lambda: MappingProxyType({}))

    def seconds(self, person: str, means: Means, hour: int) -> Seconds:
        """Return the time to accept that is to be expected."""
        usual = math.log(USUAL[means])
        for band in (_ALL_DAY, hour // BAND_HOURS):
            weight, total = self.cells.get((person, means, band), (0.0, 0.0))
            usual = (_LEAN * usual + total) / (_LEAN + weight)
        return math.exp(usual)

    def seen(self, person: str, means: Means) -> float:
        """Return how much was seen of a person's answers to a means, as a number of recent answers."""
        return self.cells.get((person, means, _ALL_DAY), (0.0, 0.0))[0]

    def learned(self, answer: AcceptTime) -> "Estimates":
        """Return the estimates with one more answer."""
        seconds = min(max(answer.seconds * (_NOT_ANSWERED if answer.censored else 1.0), _LEAST), _MOST)
        cells = dict(self.cells)
        for band in (_ALL_DAY, answer.hour // BAND_HOURS):
            weight, total = cells.pop((answer.person, answer.means, band), (0.0, 0.0))
            cells[answer.person, answer.means, band] = weight * _FADE + 1.0, total * _FADE + math.log(seconds)
        while len(cells) > CELL_LIMIT:
            del cells[next(iter(cells))]
        return Estimates(MappingProxyType(cells))

    def to_document(self) -> dict[str, Any]:
        """Return a JSON document of it."""
        rows = [
            [person, means.value, band, weight, total] for (person, means, band), (weight, total) in self.cells.items()
        ]
        return {"version": _VERSION, "cells": rows}

    @classmethod
    def from_document(cls, document: Any) -> "Estimates":
        """Return what a document holds; raises ValueError for another version or what cannot have been written."""
        if not isinstance(document, dict) or document.get("version") != _VERSION:
            raise ValueError("times to accept: no document of version 1")
        rows = document.get("cells")
        if not isinstance(rows, list) or len(rows) > CELL_LIMIT:
            raise ValueError(f"times to accept: cells are no list of at most {CELL_LIMIT}")
        cells: dict[_Key, tuple[float, float]] = {}
        for index, row in enumerate(rows):
            try:
                key, cell = _cell(row)
            except (TypeError, ValueError) as error:
                raise ValueError(f"times to accept: cells[{index}]: {error}") from None
            cells[key] = cell
        return cls(MappingProxyType(cells))


def _cell(row: Any) -> tuple[_Key, tuple[float, float]]:
    person, means, band, weight, total = row
    cell = float(weight), float(total)
    good = isinstance(person, str) and -1 <= int(band) < 24 // BAND_HOURS and cell[0] >= 0.0
    if not good or not all(map(math.isfinite, cell)):
        raise ValueError("out of range")
    return (person, Means(means), int(band)), cell
