"""Threshold: when a key indicator, a check that runs by itself, is off."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Threshold:
    """A key indicator is off when `bad_of` of the last `window` samples are bad, on again when all are good."""

    bad_of: int = 2
    window: int = 3

    def __post_init__(self) -> None:
        """Refuse a threshold that can never be met."""
        if not 1 <= self.bad_of <= self.window:
            raise ValueError(f"{self.bad_of} bad of {self.window} samples can never be met")
