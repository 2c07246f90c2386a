"""Baselines from the past: what to ask the series store, and learning from its answers."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from btimd.flows.baseline import COUNTED, INDICATORS, Baselines, Observation
from btimd.flows.history import MEASUREMENT as TRAFFIC
from btimd.flows.indicators import INTERVAL_MILLISECONDS, Indicators
from btimd.flows.season import Season
from btimd.model.deviation import ALL, Indicator
from btimd.model.points import SeriesQuery, SeriesRow
from btimd.model.window import interval_name

_CHUNK: Final = 6 * 3_600_000
_DAY: Final = 86_400_000
_BY_RECORDS: Final = np.array([one in COUNTED for one in INDICATORS])
_BITS_PER_SECOND: Final = 8 * 1000 / INTERVAL_MILLISECONDS


class Learner:
    """Learns traffic, users and flows of the past by intervals of 60 s, a few hours at a time, oldest first.

    rows: most rows that are read; the last hours are asked first to see how many an hour has, and as many days are
    learned as that allows. What connections did is learned from the present on: the store holds it per server, and
    medians of servers cannot be put together.
    """

    def __init__(self, baselines: Baselines, indicators: Indicators, season: Season, *, rows: int) -> None:
        self._baselines = baselines
        self._indicators = indicators
        self._season = season
        self._rows = rows
        self._seen = 0
        self.intervals = 0

    def queries(self, now: int, length: int) -> Iterator[SeriesQuery]:
        """Yield what to ask, each after `take` was given the answer to the one before."""
        end = now - now % INTERVAL_MILLISECONDS - 10 * INTERVAL_MILLISECONDS
        yield self._query(end - 24 * 3_600_000, end - 18 * 3_600_000)  # a sample: how much there is
        per_chunk = max(self._seen, 1)
        chunks = min(length // _CHUNK, self._rows // per_chunk)
        for number in range(chunks, 0, -1):
            yield self._query(end - number * _CHUNK, end - (number - 1) * _CHUNK)

    def _query(self, begin: int, end: int) -> SeriesQuery:
        return SeriesQuery(
            TRAFFIC,
            ("octets_to_server", "octets_to_client", "users", "flows"),
            begin,
            end,
            group_by=("business", "region"),
            where={"interval": interval_name(INTERVAL_MILLISECONDS)},
            step_milliseconds=INTERVAL_MILLISECONDS,
        )

    def take(self, query: SeriesQuery, rows: Sequence[SeriesRow]) -> None:
        """Learn from an answer. Intervals in which nobody had traffic are not known to have been observed."""
        if not self._seen:
            self._seen = len(rows)
            return
        del query
        begin = 0
        while begin < len(rows):
            start, end = rows[begin].time_milliseconds, begin
            while end < len(rows) and rows[end].time_milliseconds == start:
                end += 1
            self._learn(start, rows[begin:end])
            begin = end

    def _learn(self, start: int, rows: Sequence[SeriesRow]) -> None:
        sums: dict[tuple[str, str, Indicator], float] = {}
        for row in rows:
            business, region = row.tags
            if not business:
                continue
            up, down, users, flows = (value or 0.0 for value in row.values)
            told_of = {
                Indicator.TRAFFIC: (up + down) * _BITS_PER_SECOND,
                Indicator.USERS: users,
                Indicator.FLOWS: flows,
            }
            for place in (region, ALL):
                for indicator, told in told_of.items():
                    key = (business, place, indicator)
                    sums[key] = sums.get(key, 0.0) + told
        numbers = {self._indicators.number(key): told for key, told in sums.items()}
        self._indicators.pair_users()
        size = len(self._baselines)
        value = np.where(_BY_RECORDS[self._baselines.indicator[:size]], 0.0, np.nan)
        for number, found in numbers.items():
            if number is not None:
                value[number] = found
        none = np.zeros(size, np.bool_)
        moment = self._season.place(start + INTERVAL_MILLISECONDS // 2)
        observation = Observation(start, value, np.zeros(size), np.zeros(size), none, none)
        self._baselines.learn(self._baselines.judge(observation, moment), none)
        self.intervals += 1
