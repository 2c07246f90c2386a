"""ConditionLog: the condition of a subject over time, as stretches that can be looked at again.

The stretches follow each other without gaps, in whole milliseconds. Their number is bounded by losing only order:
where there are too many, the stretches within an hour, and later within a day, are put together by condition, first
what was down, then what was unknown, then what was up. The time in each condition stays exact for every hour (day);
only when in that hour it was is no longer known. `rearranged` counts the stretches that were put together.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from typing import Any, Final

from btimd.model.sla import Availability
from btimd.model.units import UnixMillis

MOST_STRETCHES: Final = 4000
_HOUR: Final = 3_600_000
_DAY: Final = 24 * _HOUR
_CODES: Final = {Availability.UP: "u", Availability.DOWN: "d", Availability.UNKNOWN: "n"}
_CONDITIONS: Final = {code: condition for condition, code in _CODES.items()}
_PUT_TOGETHER: Final = (Availability.DOWN, Availability.UNKNOWN, Availability.UP)


class ConditionLog:
    """The condition from `start` to `until`; before and after it nothing is known."""

    def __init__(self, start: UnixMillis, most: int = MOST_STRETCHES) -> None:
        self._starts: list[UnixMillis] = []
        self._conditions: list[Availability] = []
        self._start = start
        self._most = most
        self.until = start
        self.rearranged = 0

    @property
    def start(self) -> UnixMillis:
        """The first moment that is known."""
        return self._start

    def __len__(self) -> int:
        return len(self._starts)

    def append(self, to: UnixMillis, condition: Availability) -> None:
        """Go on to a moment in a condition."""
        if to <= self.until:
            return
        if not self._conditions or self._conditions[-1] is not condition:
            self._starts.append(self.until)
            self._conditions.append(condition)
        self.until = to
        if len(self._starts) > self._most:
            self._put_together()

    def put(self, start: UnixMillis, end: UnixMillis, condition: Availability) -> None:
        """Say that a stretch was in another condition; what is outside the known time is left out."""
        start, end = max(start, self._start), min(end, self.until)
        if start >= end:
            return
        after = [(end, self._at(end))] if end < self.until else []
        low, high = bisect_left(self._starts, start), bisect_right(self._starts, end)
        fresh = [(start, condition), *after]
        if low > 0 and self._conditions[low - 1] is condition:
            fresh = fresh[1:]
        if after and condition is after[0][1]:
            fresh = [one for one in fresh if one[0] != end]
        self._starts[low:high] = [at for at, _ in fresh]
        self._conditions[low:high] = [one for _, one in fresh]
        if len(self._starts) > self._most:
            self._put_together()

    def stretches(self, start: UnixMillis, end: UnixMillis) -> Iterator[tuple[UnixMillis, UnixMillis, Availability]]:
        """Yield what is known of the time from `start` to `end`, in order, without gaps."""
        start, end = max(start, self._start), min(end, self.until)
        if start >= end:
            return
        for index in range(max(bisect_right(self._starts, start) - 1, 0), len(self._starts)):
            low = max(self._starts[index], start)
            if low >= end:
                return
            following = self._starts[index + 1] if index + 1 < len(self._starts) else self.until
            yield low, min(following, end), self._conditions[index]

    def sums(self, start: UnixMillis, end: UnixMillis) -> dict[Availability, int]:
        """Return the milliseconds in each condition."""
        sums = dict.fromkeys(Availability, 0)
        for low, high, condition in self.stretches(start, end):
            sums[condition] += high - low
        return sums

    def forget(self, before: UnixMillis) -> None:
        """Drop what was before a moment."""
        if before <= self._start:
            return
        if before >= self.until:
            self._starts, self._conditions = [], []
            self._start = self.until = before
            return
        index = bisect_right(self._starts, before) - 1
        del self._starts[:index], self._conditions[:index]
        self._starts[0] = self._start = before

    def _at(self, moment: UnixMillis) -> Availability:
        return self._conditions[bisect_right(self._starts, moment) - 1]

    def _put_together(self) -> None:
        """Halve the number of stretches, the oldest first, by the hour and if that is not enough by the day."""
        for zone in (_HOUR, _DAY):
            at = self._start // zone * zone
            while len(self._starts) > self._most // 2 and at < self.until:
                self._order(max(at, self._start), min(at + zone, self.until))
                # on to the next zone in which anything changes
                following = bisect_right(self._starts, at + zone - 1)
                at = (self._starts[following] if following < len(self._starts) else self.until) // zone * zone

    def _order(self, start: UnixMillis, end: UnixMillis) -> None:
        inside = list(self.stretches(start, end))
        if len(inside) <= len(_PUT_TOGETHER):
            return
        low, high = bisect_left(self._starts, start), bisect_left(self._starts, end)
        fresh: list[tuple[UnixMillis, Availability]] = []
        at = start
        for condition in _PUT_TOGETHER:
            span = sum(stop - begin for begin, stop, one in inside if one is condition)
            if span:
                fresh.append((at, condition))
                at += span
        after = [] if high < len(self._starts) and self._starts[high] == end else [(end, inside[-1][2])]
        if end < self.until:
            fresh += after
        self._starts[low:high] = [one for one, _ in fresh]
        self._conditions[low:high] = [one for _, one in fresh]
        self.rearranged += len(inside)
        self._merge(low - 1, low + len(fresh))

    def _merge(self, low: int, high: int) -> None:
        for index in range(min(high, len(self._starts) - 1), max(low, 0), -1):
            if self._conditions[index] is self._conditions[index - 1]:
                del self._starts[index], self._conditions[index]

    # -- keeping

    def to_document(self) -> dict[str, Any]:
        """Return the log as plain data."""
        return {
            "start": self._start,
            "until": self.until,
            "rearranged": self.rearranged,
            "starts": list(self._starts),
            "conditions": "".join(_CODES[one] for one in self._conditions),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "ConditionLog":
        """Return the log of `to_document`; raises KeyError, TypeError or ValueError for anything else."""
        log = cls(int(document["start"]))
        log.until = int(document["until"])
        log.rearranged = int(document["rearranged"])
        log._starts = [int(one) for one in document["starts"]]
        log._conditions = [_CONDITIONS[code] for code in document["conditions"]]
        ordered = all(one < other for one, other in zip(log._starts, log._starts[1:], strict=False))
        whole = log._starts[:1] == ([log._start] if log.until > log._start else [])
        if not (ordered and whole and len(log._starts) == len(log._conditions)):
            raise ValueError("the stretches of the log do not follow each other")
        if log._starts and log._starts[-1] >= log.until:
            raise ValueError("the stretches of the log go on after its end")
        return log
