"""Indicator, Threshold and Sample: a figure that is watched."""

from dataclasses import dataclass

from btimd.model.probe import Health, ProbeResult
from btimd.model.units import Seconds


@dataclass(frozen=True, slots=True)
class Threshold:
    """A key indicator is off when `bad_of` of the last `window` samples are bad, on again when all are good."""

    bad_of: int = 2
    window: int = 3

    def __post_init__(self) -> None:
        """Refuse a threshold that can never be met."""
        if not 1 <= self.bad_of <= self.window:
            raise ValueError(f"{self.bad_of} bad of {self.window} samples can never be met")


@dataclass(frozen=True, slots=True)
class Indicator:
    """A check that runs on schedule (key indicator). id is the id of the check."""

    id: str
    node: str
    period_seconds: Seconds
    threshold: Threshold = Threshold()


@dataclass(frozen=True, slots=True)
class Sample:
    """One reading of an indicator."""

    indicator: Indicator
    result: ProbeResult

    @property
    def health(self) -> Health:
        """The health that was read."""
        return self.result.health
