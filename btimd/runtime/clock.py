"""Clocks: the one place where time is read."""

import time
from dataclasses import dataclass
from typing import Protocol

from btimd.model.units import MonotonicSeconds, UnixMillis, UnixSeconds


class Clock(Protocol):
    """Wall and monotonic time."""

    def wall(self) -> UnixSeconds:
        """Return seconds since 1970 UTC."""
        ...

    def monotonic(self) -> MonotonicSeconds:
        """Return seconds of a clock that is never set back."""
        ...


class SystemClock:
    """The machine's clock."""

    def wall(self) -> UnixSeconds:
        """Return seconds since 1970 UTC."""
        return time.time()

    def monotonic(self) -> MonotonicSeconds:
        """Return seconds since some fixed moment."""
        return time.monotonic()


@dataclass(slots=True)
class ManualClock:
    """A clock that moves when told to; for tests and replay."""

    now: UnixSeconds = 1_700_000_000.0
    ticks: MonotonicSeconds = 1_000.0

    def wall(self) -> UnixSeconds:
        """Return what the clock was set to."""
        return self.now

    def monotonic(self) -> MonotonicSeconds:
        """Return what the clock was advanced to."""
        return self.ticks

    def advance(self, seconds: float) -> None:
        """Move both times forward."""
        self.now += seconds
        self.ticks += seconds


def wall_milliseconds(clock: Clock) -> UnixMillis:
    """Return a clock's wall time in milliseconds."""
    return int(clock.wall() * 1000)
