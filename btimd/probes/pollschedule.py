"""When a device is polled, and for what: everything now and then, counters often, nothing much while it is silent."""

from enum import StrEnum

from btimd.model.units import MonotonicSeconds, Seconds


class Poll(StrEnum):
    """What a poll reads."""

    EVERYTHING = "everything"
    COUNTERS = "counters"


class PollSchedule:
    """The due times of one device.

    phase: 0 to 1, another one for each device: spreads the devices over the first period, and with it over all. After a
    failure the pauses double from counters_every up to back_off_max, and the next poll reads everything.
    """

    def __init__(self, *, every: Seconds, counters_every: Seconds, back_off_max: Seconds, phase: float) -> None:
        self._every = every
        self._counters_every = counters_every
        self._back_off_max = max(back_off_max, counters_every)
        self._phase = phase
        self._full_at: MonotonicSeconds = 0.0
        self._counters_at: MonotonicSeconds = 0.0
        self.failures = 0

    def start(self, now: MonotonicSeconds) -> None:
        """Begin with everything, within the first period of counters."""
        self._full_at = now + self._phase * min(self._counters_every, self._every)
        self._counters_at = self._full_at

    def due(self) -> tuple[MonotonicSeconds, Poll]:
        """Return when the next poll is due and what it reads."""
        if self.failures or self._full_at <= self._counters_at:
            return self._full_at, Poll.EVERYTHING
        return self._counters_at, Poll.COUNTERS

    def done(self, poll: Poll, now: MonotonicSeconds) -> None:
        """Note a poll that went well; beats that passed meanwhile are left out."""
        if poll is Poll.EVERYTHING:
            # Behind a failure the beat begins anew, else it stays, so that devices stay spread.
            self._full_at = now + self._every if self.failures else _next_beat(self._full_at, self._every, now)
        if self.failures:
            self._counters_at = now
        self._counters_at = _next_beat(self._counters_at, self._counters_every, now)
        self.failures = 0

    def failed(self, now: MonotonicSeconds) -> None:
        """Note a poll without an answer."""
        self.failures += 1
        pause = min(self._counters_every * 2.0 ** min(self.failures - 1, 30), self._back_off_max)
        self._full_at = now + pause * (1.0 + 0.1 * self._phase)

    def want_everything(self, now: MonotonicSeconds) -> None:
        """Read everything at once: the device is not what it was."""
        self._full_at = min(self._full_at, now)
        self._counters_at = max(self._counters_at, now)


def _next_beat(last: MonotonicSeconds, period: Seconds, now: MonotonicSeconds) -> MonotonicSeconds:
    return last + period * max(1, int((now - last) // period) + 1)


class Pace:
    """Lets requests to one device pass at a rate at most, evenly spread: a bucket that holds one token."""

    def __init__(self, per_second: float) -> None:
        self._gap = 1.0 / per_second
        self._free_at = float("-inf")

    def take(self, now: MonotonicSeconds) -> Seconds:
        """Return how long to wait before the next request, and count it as sent then."""
        at = max(now, self._free_at)
        self._free_at = at + self._gap
        return at - now
