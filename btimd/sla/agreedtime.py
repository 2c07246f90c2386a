"""AgreedTime: the agreed service time (AST) of a period: the calendar's open time without agreed maintenance."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from btimd.model.agreement import Agreement
from btimd.model.units import MILLIS_PER_SECOND, UnixMillis, UnixSeconds

Span: TypeAlias = tuple[UnixMillis, UnixMillis]


def union(spans: Iterable[Span]) -> list[Span]:
    """Return the same time as stretches that neither overlap nor touch, in order."""
    joined: list[Span] = []
    for low, high in sorted(span for span in spans if span[0] < span[1]):
        if joined and low <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], high))
        else:
            joined.append((low, high))
    return joined


def without(spans: Sequence[Span], taken: Sequence[Span]) -> list[Span]:
    """Return what is left of stretches when others are taken out; both in order and without overlaps."""
    left: list[Span] = []
    index = 0
    for low, high in spans:
        at = low
        while index < len(taken) and taken[index][1] <= low:
            index += 1
        following = index
        while following < len(taken) and taken[following][0] < high:
            if taken[following][0] > at:
                left.append((at, taken[following][0]))
            at = max(at, taken[following][1])
            following += 1
        if at < high:
            left.append((at, high))
    return left


class AgreedTime:
    """The service time from `start` to `end` under an agreement, in whole milliseconds.

    planned: outages that are no service time because they were planned; empty unless the agreement says so.
    """

    def __init__(
        self, agreement: Agreement, start: UnixSeconds, end: UnixSeconds, *, planned: Iterable[Span] = ()
    ) -> None:
        low, high = round(start * MILLIS_PER_SECOND), round(end * MILLIS_PER_SECOND)
        open_time = [_clip(span, low, high) for span in agreement.calendar.stretches(start, end)]
        taken = [span for one in agreement.maintenance_calendars for span in one.stretches(start, end)]
        taken += [(one.start, one.end) for one in agreement.maintenance]
        excluded = union([*(_clip(span, low, high) for span in taken), *planned])
        self._open = _Sums(union(open_time))
        self._agreed = _Sums(without(union(open_time), excluded))
        self.start, self.end = low, high

    @property
    def total(self) -> int:
        """All service time of the period."""
        return self._agreed.total

    def between(self, low: UnixMillis, high: UnixMillis) -> int:
        """Return the service time between two moments."""
        return self._agreed.before(high) - self._agreed.before(low) if high > low else 0

    def excluded_between(self, low: UnixMillis, high: UnixMillis) -> int:
        """Return the open time between two moments that is no service time because of maintenance."""
        return self._open.before(high) - self._open.before(low) - self.between(low, high) if high > low else 0

    def after(self, at: UnixMillis, span: int) -> UnixMillis | None:
        """Return the first moment by which so much service time has passed, None: not in this period."""
        return self._agreed.reach(self._agreed.before(at) + span)


class _Sums:
    def __init__(self, spans: Sequence[Span]) -> None:
        self._starts = [low for low, _ in spans]
        self._ends = [high for _, high in spans]
        self._until: list[int] = []
        total = 0
        for low, high in spans:
            total += high - low
            self._until.append(total)
        self.total = total

    def before(self, at: UnixMillis) -> int:
        index = bisect_right(self._starts, at)
        return self._until[index - 1] - max(self._ends[index - 1] - at, 0) if index else 0

    def reach(self, wanted: int) -> UnixMillis | None:
        index = bisect_left(self._until, wanted)
        return self._ends[index] - (self._until[index] - wanted) if index < len(self._ends) else None


def _clip(span: tuple[UnixSeconds, UnixSeconds], low: UnixMillis, high: UnixMillis) -> Span:
    return max(round(span[0] * MILLIS_PER_SECOND), low), min(round(span[1] * MILLIS_PER_SECOND), high)
