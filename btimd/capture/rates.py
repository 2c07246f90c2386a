"""How much each exporter sends, over the last minute: differences of what the decoder counts."""

from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from btimd.model.ports import Exporter
from btimd.model.units import UnixMillis

SPAN_MILLISECONDS: Final = 60_000
STEP_MILLISECONDS: Final = 10_000
_LEAST_MILLISECONDS: Final = 1000


class ExporterRates:
    """Remembers what exporters had sent at moments of the last minute, at most seven of them."""

    def __init__(self) -> None:
        self._marks: deque[tuple[UnixMillis, dict[tuple[int, str], tuple[int, int]]]] = deque()

    def is_due(self, now: UnixMillis) -> bool:
        """Tell whether it is time to `note` again."""
        return not self._marks or not 0 <= now - self._marks[-1][0] < STEP_MILLISECONDS

    def note(self, exporters: Iterable[Exporter], now: UnixMillis) -> None:
        """Remember what exporters have sent by now. After the clock was set back everything begins anew."""
        if self._marks and now < self._marks[-1][0]:
            self._marks.clear()
        counts = {(one.id, one.address): (one.datagrams, one.records) for one in exporters}
        self._marks.append((now, counts))
        while len(self._marks) > 1 and self._marks[1][0] <= now - SPAN_MILLISECONDS:
            self._marks.popleft()

    def filled_in(self, exporter: Exporter, now: UnixMillis) -> Exporter:
        """Return an exporter with its rates: since a minute ago, or since it was first seen."""
        since, counts = self._marks[0] if self._marks else (exporter.first_seen_milliseconds, {})
        known = counts.get((exporter.id, exporter.address))
        if known is None:
            known, since = (0, 0), max(since, exporter.first_seen_milliseconds)
        seconds = max(now - since, _LEAST_MILLISECONDS) / 1000
        return replace(
            exporter,
            datagrams_per_second=round(max(exporter.datagrams - known[0], 0) / seconds, 3),
            records_per_second=round(max(exporter.records - known[1], 0) / seconds, 3),
        )
