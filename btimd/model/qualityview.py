"""QualityView: the figures of handling for a stretch of time, by what they may be grouped, and how far they reach."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from btimd.model.units import Ratio, Seconds, UnixSeconds
from btimd.model.workfigures import Trend, WorkFigures


class FigureGroup(StrEnum):
    """By what incidents are told apart. BUSINESS: an incident counts in each that it hits."""

    BUSINESS = "business"
    GROUP = "group"
    PERSON = "person"
    CLASS = "class"
    NODE = "node"
    PRIORITY = "priority"


@dataclass(frozen=True, slots=True)
class FigureQuery:
    """Which incidents are looked at: those of [start, end) that fit every filter; an empty filter fits all."""

    start: UnixSeconds
    end: UnixSeconds
    business: str = ""
    group: str = ""
    person: str = ""
    category: str = ""
    node: str = ""


@dataclass(frozen=True, slots=True)
class FigureCoverage:
    """How far figures can be trusted.

    incidents: looked at. unread: those whose timeline could not be read. left_out: those beyond the most that are
    looked at. known_since: when the first incident on record was opened; of the time before nothing is known, None:
    there is none on record. surveys_known: False while the knowledge base is not to be had.
    """

    incidents: int = 0
    unread: int = 0
    left_out: int = 0
    known_since: UnixSeconds | None = None
    surveys_known: bool = True

    def share_of(self, start: UnixSeconds, end: UnixSeconds) -> Ratio | None:
        """Return the share of a window of which incidents are on record; None: of nothing."""
        if self.known_since is None or end <= start:
            return None
        return max(0.0, end - max(start, self.known_since)) / (end - start)


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """The figures of one group. name empty: those of which it is not known."""

    name: str
    figures: WorkFigures


@dataclass(frozen=True, slots=True)
class Reliability:
    """How often something failed, and for how long, in whole calendar months (UTC) as far as they are over.

    up + down + unknown = the time looked at; unknown was measured by nobody and is in none of the figures. availability
    and coverage None: nothing was measured, no time passed. mttr, mtbf, mtbsi None: without a failure.
    measured_seconds of a node or class: of the business, of those it took down, that was measured the longest.
    """

    name: str
    start: UnixSeconds
    end: UnixSeconds
    up_seconds: Seconds
    down_seconds: Seconds
    unknown_seconds: Seconds
    failures: int
    availability: Ratio | None
    coverage: Ratio | None
    mttr_seconds: Seconds | None
    mtbf_seconds: Seconds | None
    mtbsi_seconds: Seconds | None


Visible = Callable[[Collection[str], Collection[str]], bool]
"""Tells whether who asks may see what touches these businesses and regions."""


class QualityView(Protocol):
    """Makes figures. Raises ValueError for a window that makes no sense."""

    async def figures(self, query: FigureQuery, visible: Visible) -> tuple[WorkFigures, FigureCoverage]:
        """Return the figures of a window."""
        ...

    async def grouped(
        self, query: FigureQuery, by: FigureGroup, visible: Visible
    ) -> tuple[Sequence[GroupFigures], FigureCoverage]:
        """Return the figures of each group, the one with most opened incidents first."""
        ...

    async def trend(
        self, query: FigureQuery, by: FigureGroup, *, bucket: Seconds, ahead: int, visible: Visible
    ) -> tuple[Trend, FigureCoverage]:
        """Return opened incidents per bucket and group with a forecast; buckets begin at `start`."""
        ...

    async def reliability(
        self, start: UnixSeconds, end: UnixSeconds, by: FigureGroup, visible: Visible
    ) -> Sequence[Reliability]:
        """Return how reliable things were in the months that a window touches; by: BUSINESS, NODE or CLASS."""
        ...
