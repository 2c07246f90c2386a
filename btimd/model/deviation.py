"""What is usual of a business, what deviates from it, and when a threshold will be crossed."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from btimd.model.ports import Subscription
from btimd.model.probe import ErrorClass
from btimd.model.symptom import Symptom
from btimd.model.units import UnixMillis, UnixSeconds

ALL: Final = "*"
"""As region: the business as a whole. As business: most businesses at once."""


class Indicator(StrEnum):
    """What a baseline is of. Values: bit/s; users; share of attempted connections; seconds; share of segments; flows.

    Flows are those that ended in an interval.
    """

    TRAFFIC = "traffic"
    USERS = "users"
    FAILURES = "failures"
    HANDSHAKE = "handshake"
    RESPONSE = "response"
    RETRANSMISSION = "retransmission"
    FLOWS = "flows"


class DeviationKind(StrEnum):
    """How something left what is usual.

    DROP, RISE: suddenly, within two intervals. SILENCE: to nothing. CHANGE: for hours, by more than days differ.
    DRIFT: over weeks. NO_DATA: nobody reports, so nothing is known; this is no deviation of the business.
    """

    DROP = "drop"
    RISE = "rise"
    SILENCE = "silence"
    CHANGE = "change"
    DRIFT = "drift"
    NO_DATA = "no-data"


class BaselineState(StrEnum):
    """What is known of an indicator now. UNKNOWN: it is not measured now, or not surely enough."""

    LEARNING = "learning"
    USUAL = "usual"
    DEVIATING = "deviating"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Deviation:
    """An indicator off its baseline.

    regions: of a deviation of a whole business, the regions that are off; of one of all, the businesses. expected, low,
    high: the middle and the ends of what is usual at the time; value and these in the unit of the indicator. since: the
    start of the first interval that was off. seen_at: when it was certain. score: how many times further from
    `expected` than the end of what is usual. cleared_at None: it lasts. reason: why it was cleared.
    """

    id: str
    business: str
    region: str
    indicator: Indicator
    kind: DeviationKind
    value: float
    expected: float
    low: float
    high: float
    score: float
    since: UnixSeconds
    seen_at: UnixSeconds
    text: str
    text_zh: str = ""
    regions: tuple[str, ...] = ()
    cleared_at: UnixSeconds | None = None
    reason: str = ""

    @property
    def is_rise(self) -> bool:
        """Tell whether there is more than usual."""
        return self.value > self.expected


@dataclass(frozen=True, slots=True)
class BaselineRow:
    """An indicator of a business in a region now: its value and what is usual; None: not known.

    at: start of the interval judged last. days: on how many days this time of such a day was seen.
    """

    business: str
    region: str
    indicator: Indicator
    state: BaselineState
    at: UnixSeconds
    value: float | None
    expected: float | None
    low: float | None
    high: float | None
    days: int


@dataclass(frozen=True, slots=True)
class BaselinePoint:
    """A quarter of an hour: the median of what was, None where nothing was measured, and what is usual then."""

    time_milliseconds: UnixMillis
    value: float | None
    expected: float | None
    low: float | None
    high: float | None


class ForecastSubject(StrEnum):
    """What is forecast.

    LINK: 95th percentile of the day of a link's utilisation. USERS: most of the day, of a business, means of 5 minutes.
    RESPONSE: 95th percentile of the day of a business's response times, medians of 5 minutes.
    """

    LINK = "link"
    USERS = "users"
    RESPONSE = "response"


class ForecastOutcome(StrEnum):
    """Whether a threshold will be crossed."""

    CROSSES = "crosses"
    NOT_WITHIN_HORIZON = "not-within-horizon"
    ALREADY = "already"
    NOT_ENOUGH_HISTORY = "not-enough-history"


@dataclass(frozen=True, slots=True)
class ForecastAsk:
    """The question when `name` (a business, or EXPORTER:INTERFACE) will cross `threshold`."""

    subject: ForecastSubject
    name: str
    threshold: float
    horizon_days: int = 90


@dataclass(frozen=True, slots=True)
class ForecastPoint:
    """A day, by its UTC midnight: the figure it had (None: it lies ahead, or is not known) and what was to expect."""

    time_milliseconds: UnixMillis
    value: float | None
    expected: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """The answer to a ForecastAsk.

    days: of history that it rests on. level: the present level, slope_per_day: its growth. likely_at: the first day on
    which the expected figure crosses; earliest_at, latest_at: the same of the ends of the band, None = not within the
    horizon. band_ratio: the share of days that should lie in the band. text says it in a sentence.
    """

    ask: ForecastAsk
    outcome: ForecastOutcome
    days: int
    level: float | None
    slope_per_day: float | None
    earliest_at: UnixSeconds | None
    likely_at: UnixSeconds | None
    latest_at: UnixSeconds | None
    band_ratio: float
    text: str
    points: tuple[ForecastPoint, ...] = ()


class BaselinesView(Protocol):
    """What is usual and what is not. Called on the loop."""

    def deviations(self) -> Sequence[Deviation]:
        """Return what deviates now, the longest first."""
        ...

    def watch_deviations(self) -> Subscription[Deviation]:
        """Subscribe to deviations: those open, then every opening and clearing."""
        ...

    def baselines(self, *, business: str | None, region: str | None, limit: int) -> Sequence[BaselineRow]:
        """Return the present state of indicators, by name."""
        ...

    def baseline(self, business: str, region: str, indicator: Indicator) -> Sequence[BaselinePoint]:
        """Return the last 24 hours, oldest first; raises KeyError for what there is no baseline of."""
        ...

    async def forecast(self, ask: ForecastAsk) -> Forecast:
        """Say when a threshold will be crossed; raises ValueError for a name of the wrong form."""
        ...


_SLOW: Final = frozenset({Indicator.HANDSHAKE, Indicator.RESPONSE, Indicator.RETRANSMISSION})


def symptom_of(deviation: Deviation) -> Symptom | None:
    """Return the symptom that a diagnosis starts from; None for what users do not feel, and for what is not known.

    More traffic or users than usual is worth a look and no trouble; a deviation of all businesses has no node.
    """
    if deviation.kind is DeviationKind.NO_DATA or deviation.business == ALL:
        return None
    if deviation.indicator in {Indicator.TRAFFIC, Indicator.USERS} and deviation.is_rise:
        return None
    if deviation.indicator not in {Indicator.TRAFFIC, Indicator.USERS} and not deviation.is_rise:
        return None
    if deviation.indicator in _SLOW:
        error = ErrorClass.SLOW
    elif deviation.indicator is Indicator.FAILURES:
        error = ErrorClass.UNREACHABLE
    elif deviation.kind is DeviationKind.SILENCE and deviation.region == ALL:
        error = ErrorClass.NO_ANSWER
    else:
        error = ErrorClass.UNUSUAL
    place = "all" if deviation.region == ALL else deviation.region
    return Symptom(
        id=deviation.id,
        check_id=f"baseline:{deviation.indicator.value}:{place}",
        node=deviation.business,
        error=error,
        text=deviation.text,
        since=deviation.since,
        seen_at=deviation.seen_at,
    )
