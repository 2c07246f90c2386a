"""WorkFigures: how well incidents were dealt with in a stretch of time, by exact definitions (docs/quality.md).

What is not known is never counted as good: it stands beside, as a number of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from btimd.model.incident import IncidentState, Priority
from btimd.model.knowledge import SurveyFigures
from btimd.model.units import Ratio, Seconds, UnixSeconds


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """An order of an incident to one person. accepted_at None: it was not accepted by them."""

    person: str
    sent_at: UnixSeconds
    accepted_at: UnixSeconds | None = None


@dataclass(frozen=True, slots=True)
class IncidentFacts:
    """What figures are made of: one incident as its timeline tells it up to some moment.

    category: the class of trouble, empty: none was given. began_at None: not known, as of a report by telephone, which
    tells no earlier moment than its own. cause_known_at: when a cause was first named. accepted_at: the first
    acceptance. resolved_at: of the resolution that stands, None: it is not resolved. pauses: stretches in which the
    clock of its resolution stood still. handler: who had it when it was resolved. online: a person resolved it before
    any order and without taking it. self_cleared: it was resolved by no person. effort_minutes None: nobody said.
    first_order_right: the first order was accepted by its addressee and neither returned nor transferred; None: that
    is not decided, or there was no order. group: that had it last. node: that was at fault, by the closing report or
    by the diagnosis.
    """

    id: str
    state: IncidentState
    priority: Priority
    opened_at: UnixSeconds
    fingerprint: str = ""
    cause: str = ""
    category: str = ""
    services: tuple[str, ...] = ()
    began_at: UnixSeconds | None = None
    cause_known_at: UnixSeconds | None = None
    accepted_at: UnixSeconds | None = None
    resolved_at: UnixSeconds | None = None
    closed_at: UnixSeconds | None = None
    pauses: tuple[tuple[UnixSeconds, UnixSeconds], ...] = ()
    orders: tuple[OrderFacts, ...] = ()
    handler: str = ""
    online: bool = False
    self_cleared: bool = False
    returns: int = 0
    transfers: int = 0
    escalations: int = 0
    reopens: int = 0
    first_order_right: bool | None = None
    effort_minutes: int | None = None
    group: str = ""
    node: str = ""
    regions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Share:
    """`good` of `of`. undecided: those that could not be judged yet; they are in neither."""

    good: int = 0
    of: int = 0
    undecided: int = 0

    @property
    def rate(self) -> Ratio | None:
        """The share; None: there is nothing to take a share of."""
        return self.good / self.of if self.of else None


@dataclass(frozen=True, slots=True)
class Durations:
    """How long something took: mean, the time within which half and nine of ten were done; None: none was measured.

    unmeasured: it happened, and its beginning is not known.
    """

    count: int = 0
    unmeasured: int = 0
    mean: Seconds | None = None
    p50: Seconds | None = None
    p90: Seconds | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a mean over what is done leaves out: how many wait at the end of the window, and the longest of them."""

    count: int = 0
    longest: Seconds | None = None


@dataclass(frozen=True, slots=True)
class PersonFigures:
    """What one person did. effort_unknown: resolved incidents without a statement of effort."""

    person: str
    orders: int
    accepted: int
    resolved: int
    effort_minutes: int
    effort_unknown: int


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """What one class of trouble took. category empty: none was given.

    standard_minutes: the effort that half of its incidents stayed within; None: too few said theirs.
    """

    category: str
    opened: int
    resolved: int
    orders: int
    effort_minutes: int
    effort_unknown: int
    standard_minutes: float | None


@dataclass(frozen=True, slots=True)
class CauseFigures:
    """What one cause brought. cause empty: the cause is not known. seconds: until resolved, pauses left out."""

    cause: str
    incidents: int
    share: Ratio
    worst: Priority
    seconds: Seconds


@dataclass(frozen=True, slots=True)
class WorkFigures:
    """The figures of [start, end). Each counts the incidents to which what it measures happened in the window.

    response, resolution: wall time, then time in service hours. detection: from beginning to opening. cause: from
    opening to the first cause named. restoration: from beginning to resolution, in wall time.
    """

    start: UnixSeconds
    end: UnixSeconds
    opened: int = 0
    resolved: int = 0
    closed: int = 0
    cancelled: int = 0
    merged: int = 0
    self_cleared: int = 0
    reopened: int = 0
    orders: int = 0
    by_priority: Mapping[Priority, int] = field(default_factory=lambda: MappingProxyType({}))
    first_time_fix: Share = Share()
    first_dispatch: Share = Share()
    satisfaction: SurveyFigures = field(default_factory=SurveyFigures)
    response: Durations = Durations()
    response_business: Durations = Durations()
    resolution: Durations = Durations()
    resolution_business: Durations = Durations()
    detection: Durations = Durations()
    cause: Durations = Durations()
    restoration: Durations = Durations()
    waiting_response: Waiting = Waiting()
    waiting_resolution: Waiting = Waiting()
    people: tuple[PersonFigures, ...] = ()
    classes: tuple[ClassFigures, ...] = ()
    causes: tuple[CauseFigures, ...] = ()


@dataclass(frozen=True, slots=True)
class ForecastPoint:
    """What is to be expected of one bucket, and the range that holds nine of ten."""

    expected: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class TrendSeries:
    """How many incidents of a group were opened in each bucket. forecast: of the buckets after; empty: too short."""

    group: str
    counts: tuple[int, ...]
    forecast: tuple[ForecastPoint, ...] = ()


@dataclass(frozen=True, slots=True)
class Trend:
    """Counts of opened incidents: `edges[i]` to `edges[i + 1]` is bucket i. series: the largest first, "" the rest."""

    edges: tuple[UnixSeconds, ...]
    total: TrendSeries
    series: tuple[TrendSeries, ...]
