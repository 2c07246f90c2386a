"""Data sets that came before their template, kept for a while within bounds."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from btimd.model.units import UnixMillis

SetKey = tuple[int, int]
"""(domain row, template id)."""

_OVERHEAD_OCTETS: Final = 200  # what keeping one set costs beside its octets


@dataclass(frozen=True, slots=True)
class PendingSet:
    """A data set with the header of the datagram it came in, as one small datagram."""

    datagram: bytes
    arrival_milliseconds: UnixMillis


class PendingSets:
    """Bounded per template and in total; the oldest goes first. `dropped` counts what was given up."""

    def __init__(self, *, max_octets: int, max_octets_per_template: int, max_age_milliseconds: int) -> None:
        self._max_octets = max_octets
        self._max_octets_per_template = max_octets_per_template
        self._max_age = max_age_milliseconds
        self._sets: dict[SetKey, deque[PendingSet]] = {}
        self._octets_of: dict[SetKey, int] = {}
        self._octets = 0
        self._count = 0
        self._round: deque[SetKey] = deque()
        self.dropped = 0

    def add(self, key: SetKey, pending: PendingSet) -> None:
        """Keep a set; older ones make room."""
        cost = len(pending.datagram) + _OVERHEAD_OCTETS
        if cost > self._max_octets_per_template or cost > self._max_octets:
            self.dropped += 1
            return
        if key not in self._sets:
            self._round.append(key)
        queue = self._sets.setdefault(key, deque())
        queue.append(pending)
        self._count += 1
        self._octets += cost
        self._octets_of[key] = self._octets_of.get(key, 0) + cost
        while self._octets_of[key] > self._max_octets_per_template or self._is_old(queue[0], pending):
            self._drop_oldest(key)
        while self._octets > self._max_octets:
            self._drop_oldest(next(iter(self._sets)))
        self._sweep(pending)

    def _sweep(self, newest: PendingSet) -> None:
        """Drop what is old of the key that was not looked at for longest: each comes round."""
        key = self._round.popleft()
        while key in self._sets and self._is_old(self._sets[key][0], newest):
            self._drop_oldest(key)
        if key in self._sets:
            self._round.append(key)

    def take(self, key: SetKey, now: UnixMillis) -> Sequence[PendingSet]:
        """Return, and forget, the sets that wait for a template and are not too old, oldest first."""
        queue = self._sets.pop(key, None)
        if queue is None:
            return ()
        self._octets -= self._octets_of.pop(key)
        self._count -= len(queue)
        fresh = [pending for pending in queue if now - pending.arrival_milliseconds <= self._max_age]
        self.dropped += len(queue) - len(fresh)
        return fresh

    def forget(self, domain_row: int) -> None:
        """Drop what waits for templates of a domain."""
        for key in [key for key in self._sets if key[0] == domain_row]:
            while key in self._sets:
                self._drop_oldest(key)

    def _is_old(self, pending: PendingSet, newest: PendingSet) -> bool:
        return newest.arrival_milliseconds - pending.arrival_milliseconds > self._max_age

    def _drop_oldest(self, key: SetKey) -> None:
        queue = self._sets[key]
        cost = len(queue.popleft().datagram) + _OVERHEAD_OCTETS
        self._octets -= cost
        self._octets_of[key] -= cost
        self._count -= 1
        self.dropped += 1
        if not queue:
            del self._sets[key], self._octets_of[key]

    @property
    def octets(self) -> int:
        """Memory in use, estimated."""
        return self._octets

    def __len__(self) -> int:
        return self._count
