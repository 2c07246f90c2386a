"""WaitingLines: who waits for what, so that room in one scope is offered to those alone who wait for it.

Asking the budget for everybody whenever anything ends costs the square of the queue. Here every job stands in the line
of the scope that held it back; a line is looked at when its time has come or its scope has room again, from its head
until the scope says no.
"""

import heapq
import itertools
import math
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from btimd.model.units import MonotonicSeconds
from btimd.probes.scopes import Key

T = TypeVar("T")


@dataclass(slots=True, order=True)
class _Place(Generic[T]):
    """A job in a line: urgent ones first, then the one that came first. job None = it has left."""

    rank: tuple[bool, int]
    job: T | None = field(compare=False)
    scope: Key = field(compare=False)
    expires_at: MonotonicSeconds = field(compare=False)


@dataclass(slots=True)
class _Line(Generic[T]):
    places: list[_Place[T]] = field(default_factory=list)
    at: MonotonicSeconds = math.inf


class WaitingLines(Generic[T]):
    """Jobs that wait, each in one line. Every operation costs the logarithm of what waits."""

    def __init__(self) -> None:
        self._lines: dict[Key, _Line[T]] = {}
        self._wakes: list[tuple[MonotonicSeconds, int, Key]] = []
        self._expiries: list[tuple[MonotonicSeconds, int, _Place[T]]] = []
        self._places: dict[T, _Place[T]] = {}
        self._numbers = itertools.count()
        self._woken: dict[Key, None] = {}

    def __len__(self) -> int:
        return len(self._places)

    def add(
        self, job: T, scope: Key, *, at: MonotonicSeconds, expires_at: MonotonicSeconds, urgent: bool, order: int
    ) -> None:
        """Let a job wait for a scope until `at`, infinite = until the scope has room. order: the lower goes first."""
        self._stand(_Place((not urgent, order), job, scope, expires_at))
        self._wake_at(scope, at)

    def promote(self, job: T) -> None:
        """Make a waiting job urgent: somebody waits for its answer now, and its line is looked at again."""
        place = self._places.get(job)
        if place is None or not place.rank[0]:
            return
        place.job = None
        self._stand(_Place((False, place.rank[1]), job, place.scope, place.expires_at))
        self.has_room(place.scope)

    def has_room(self, scope: Key) -> None:
        """Look at a scope's line again: something of it has ended."""
        if scope in self._lines:
            self._woken[scope] = None

    def expired(self, now: MonotonicSeconds) -> list[T]:
        """Return those whose time is up; they wait no more."""
        found: list[T] = []
        while self._expiries and (self._expiries[0][2].job is None or self._expiries[0][0] <= now):
            place = heapq.heappop(self._expiries)[2]
            if place.job is not None:
                found.append(place.job)
                self._leave(place)
        return found

    def due(self, now: MonotonicSeconds) -> list[Key]:
        """Return the scopes whose lines are to be looked at now, each once."""
        while self._wakes and self._wakes[0][0] <= now:
            at, _, scope = heapq.heappop(self._wakes)
            line = self._lines.get(scope)
            if line is not None and line.at == at:
                line.at = math.inf
                self._woken[scope] = None
        found, self._woken = list(self._woken), {}
        return found

    def head(self, scope: Key) -> T | None:
        """Return who is first in a line, None where nobody waits there."""
        line = self._lines.get(scope)
        while line is not None and line.places:
            if line.places[0].job is not None:
                return line.places[0].job
            heapq.heappop(line.places)
        self._lines.pop(scope, None)
        return None

    def take(self, scope: Key) -> None:
        """Let the first of a line, as `head` told it, leave."""
        self._leave(heapq.heappop(self._lines[scope].places))

    def stay(self, scope: Key, at: MonotonicSeconds) -> None:
        """Let a line wait on until `at`."""
        self._lines[scope].at = math.inf
        self._wake_at(scope, at)

    def next_at(self) -> MonotonicSeconds:
        """Return when to look again: the first line's time or the first job's end; infinite where nobody waits."""
        if self._woken:
            return -math.inf
        first = self._expiries[0][0] if self._expiries else math.inf
        return min(first, self._wakes[0][0]) if self._wakes else first

    def clear(self) -> list[T]:
        """Send everybody away; return them."""
        found = list(self._places)
        for held in (self._lines, self._wakes, self._expiries, self._places, self._woken):
            held.clear()
        return found

    def _stand(self, place: _Place[T]) -> None:
        if place.job is not None:
            self._places[place.job] = place
        heapq.heappush(self._lines.setdefault(place.scope, _Line()).places, place)
        heapq.heappush(self._expiries, (place.expires_at, next(self._numbers), place))

    def _leave(self, place: _Place[T]) -> None:
        if place.job is not None:
            del self._places[place.job]
        place.job = None

    def _wake_at(self, scope: Key, at: MonotonicSeconds) -> None:
        line = self._lines[scope]
        if at < line.at:
            line.at = at
            heapq.heappush(self._wakes, (at, next(self._numbers), scope))
