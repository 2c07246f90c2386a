"""When key indicators are due: spread over their period, so that they never run all at once."""

import heapq
import zlib
from collections.abc import Iterable
from typing import Final

from btimd.model.service import Check
from btimd.model.units import MonotonicSeconds, Ratio

JITTER: Final = 0.05
"""The share of its period by which a single run moves, either way."""

FIRST_WITHIN_SECONDS: Final = 5.0
"""After start and reload the first answer of a slow indicator does not take a whole period."""

FIRST_PER_SECOND: Final = 100.0
"""Nor do thousands of them all run within those seconds: the first round takes as long as this rate makes it."""

_FIRST_RUN: Final = -1


def share_of(text: str) -> Ratio:
    """Return a number in [0, 1) that is always the same for the same text and looks like chance across texts."""
    return zlib.crc32(text.encode()) / 2**32


class Schedule:
    """Due times of the checks that are key indicators; other checks are left out.

    The first run of each lies within 5 s, of more than 500 of them within more (or its period, if that is shorter).
    From then on its id decides where in the period it runs, moved by up to 5 % so that periods that divide each other
    do not meet for ever. A run that was missed is not made up for: nobody gains from two answers at once.
    """

    def __init__(self, checks: Iterable[Check], now: MonotonicSeconds) -> None:
        self._checks: dict[str, Check] = {}
        self._added: dict[str, MonotonicSeconds] = {}
        self._round: dict[str, int] = {}
        self._heap: list[tuple[MonotonicSeconds, str]] = []
        self._first_within = FIRST_WITHIN_SECONDS
        self.missed = 0
        self.replace(checks, now)

    def replace(self, checks: Iterable[Check], now: MonotonicSeconds) -> None:
        """Take a new set of checks; one whose period stays keeps its rhythm."""
        before = self._checks
        self._checks = {check.id: check for check in checks if check.every_seconds is not None}
        for name in before.keys() - self._checks.keys():
            del self._added[name], self._round[name]
        for name, check in self._checks.items():
            if name not in before or before[name].every_seconds != check.every_seconds:
                self._added[name] = now
                self._round[name] = _FIRST_RUN
        self._first_within = max(FIRST_WITHIN_SECONDS, len(self._checks) / FIRST_PER_SECOND)
        self._heap = [(self._due_at(name, self._round[name]), name) for name in self._checks]
        heapq.heapify(self._heap)

    def next_due(self) -> MonotonicSeconds | None:
        """Return when the next check is due, None where there is none."""
        return self._heap[0][0] if self._heap else None

    def due(self, now: MonotonicSeconds) -> list[Check]:
        """Return the checks due by now, the longest due first; each of them is then due again in the future."""
        found: list[Check] = []
        while self._heap and self._heap[0][0] <= now:
            _, name = heapq.heappop(self._heap)
            check = self._checks[name]
            found.append(check)
            done = self._round[name]
            self._round[name] = self._next_run(name, done, now)
            self.missed += self._round[name] - done - 1 if done != _FIRST_RUN else 0
            heapq.heappush(self._heap, (self._due_at(name, self._round[name]), name))
        return found

    def check(self, name: str) -> Check | None:
        """Return the key indicator of an id, None where it is none (any more)."""
        return self._checks.get(name)

    def __len__(self) -> int:
        return len(self._checks)

    def _due_at(self, name: str, run: int) -> MonotonicSeconds:
        period = _period(self._checks[name])
        if run == _FIRST_RUN:
            return self._added[name] + share_of(name) * min(period, self._first_within)
        jitter = (2.0 * share_of(f"{name}#{run}") - 1.0) * JITTER
        return self._added[name] + (share_of(name) + run + jitter) * period

    def _next_run(self, name: str, done: int, now: MonotonicSeconds) -> int:
        """Return the first run in the future; after the very first one, at least half a period away."""
        period = _period(self._checks[name])
        not_before = now + period / 2 if done == _FIRST_RUN else now
        run = max(done + 1, int((not_before - self._added[name]) / period) - 1)
        while self._due_at(name, run) <= not_before:
            run += 1
        return run


def _period(check: Check) -> float:
    if not check.every_seconds or check.every_seconds <= 0:
        raise ValueError(f"check {check.id} every {check.every_seconds} s is no schedule")
    return check.every_seconds
