"""Threshold, Flapping: when a key indicator, a check that runs by itself, is off, and when it comes and goes."""

from dataclasses import dataclass

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
class Flapping:
    """An indicator that turns bad `count` times within `window_seconds` comes and goes: its symptom stays.

    It is cleared when no sample was bad for steady_seconds, whatever the threshold says before. count 0 = never.
    """

    count: int = 3
    window_seconds: Seconds = 600.0
    steady_seconds: Seconds = 180.0
