"""Closed intervals -> what they tell of each business, per region and as a whole.

Revisions replace: an interval is held until it is due, and what it tells is then read from its latest state. How long
that takes is measured, as exporters tell of long flows late: an interval is due when, as a rule, 95 % of what it comes
to is there. Everything is judged, and learned from, at that same age, so that like is compared with like.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from btimd.flows.baseline import COUNTED, INDICATORS, Baselines, Observation
from btimd.flows.deviation import SeriesKey
from btimd.flows.qualityrows import QualityInterval
from btimd.model.deviation import ALL, Indicator
from btimd.model.flowbatch import AttributedBatch
from btimd.model.quality import COUNTERS, SAMPLE_KINDS
from btimd.model.taps import Names
from btimd.model.units import UnixMillis
from btimd.model.window import WindowBatch

INTERVAL_MILLISECONDS: Final = 60_000
Floats = npt.NDArray[np.float64]
Pair = tuple[str, str]
"""Business, region; ALL as region: the business as a whole."""

_OCTETS, _USERS, _ERROR, _LOSS, _FLOWS, _ATTEMPTED, _FAILED, _SEGMENTS, _AGAIN = range(9)
_SHAKES, _SHAKE_SECONDS, _ANSWERS, _ANSWER_SECONDS, _CAPTURE_LOSS, _ENDED = range(9, 15)
_FIGURES: Final = 15
_BY_RECORDS: Final = np.array([one in COUNTED for one in INDICATORS])
_BITS_PER_SECOND: Final = 8 * 1000 / INTERVAL_MILLISECONDS
_MOST_LOSS: Final = 0.05
_FEWEST_SEGMENTS: Final = 20
_FEWEST_DURATIONS: Final = 3
_MOST_AGE: Final = 5
_COMPLETE: Final = 0.95
_P50: Final = 2
_CONFIDENCE: Final = 1.96
_HELD: Final = 64


@dataclass(slots=True)
class _Interval:
    """The latest state of each cell of an interval, and how many octets it had at each age.

    traffic: by number of cell: octets, users, sampling error, export loss, flows; NaN octets: nothing was told of it.
    """

    traffic: Floats = field(default_factory=lambda: np.full((0, 5), np.nan))
    quality: dict[tuple[str, ...], tuple[float, ...]] = field(default_factory=dict)
    octets_at: list[float] = field(default_factory=list)

    def put(self, cells: npt.NDArray[np.int64], told: Floats) -> None:
        """Take the figures of cells: they replace those told before."""
        most = int(cells.max(initial=-1)) + 1
        if most > len(self.traffic):
            more = np.full((max(64, most - len(self.traffic), len(self.traffic) // 4), 5), np.nan)
            self.traffic = np.concatenate([self.traffic, more])
        self.traffic[cells] = told


class _Cells:
    """Numbers of (business, region, segment), and of the places that they count for."""

    def __init__(self, pair: Callable[[str, str], int]) -> None:
        self._pair = pair
        self._numbers: dict[tuple[str, str, str], int] = {}
        self._names: tuple[tuple[str, ...], tuple[tuple[str, str], ...]] = ((), ())
        self._known = np.full(1, -1, np.int64)
        self.places = np.zeros((0, 2), np.int64)

    def of(self, batch: WindowBatch) -> npt.NDArray[np.int64]:
        """Return the numbers of a batch's cells, -1 for traffic of no business."""
        columns = len(batch.places) + 1
        if self._names != (batch.businesses, batch.places):
            self._names = batch.businesses, batch.places
            self._known = np.full(1 + len(batch.businesses) * columns, -1, np.int64)  # the last: of no business
        business, place = batch.business_id.astype(np.int64), batch.place_id.astype(np.int64)
        codes = np.where(business >= 0, business * columns + place + 1, len(self._known) - 1)
        for code in np.unique(codes[(self._known[codes] < 0) & (business >= 0)]).tolist():
            number, at = divmod(code, columns)
            region, segment = batch.places[at - 1] if at else ("", "")
            self._known[code] = self._number(batch.businesses[number], region, segment)
        return self._known[codes]

    def _number(self, business: str, region: str, segment: str) -> int:
        found = self._numbers.setdefault((business, region, segment), len(self._numbers))
        if found >= len(self.places):
            self.places = np.concatenate([self.places, np.zeros((max(64, len(self.places)), 2), np.int64)])
        self.places[found] = self._pair(business, region), self._pair(business, ALL)
        return found


class Settling:
    """Learns after how many intervals more an interval is as good as complete; 0 where packets are seen directly."""

    def __init__(self) -> None:
        self._share = np.ones(_MOST_AGE + 1)
        self._share[:2] = 0.0  # until it is measured, two intervals are waited for
        self._seen = 0

    def note(self, octets_at: Sequence[float]) -> None:
        """Take what an interval held at ages 0, 1, ... when it was first, and last, looked at."""
        if len(octets_at) <= _MOST_AGE or octets_at[_MOST_AGE] <= 0:
            return
        self._seen += 1
        shares = np.minimum(np.array(octets_at[: _MOST_AGE + 1]) / octets_at[_MOST_AGE], 1.0)
        self._share += (shares - self._share) * max(1 / self._seen, 1 / 60)

    @property
    def age(self) -> int:
        """How many intervals more to wait for."""
        return int(np.argmax(self._share >= _COMPLETE))


class Indicators:
    """Holds intervals until they are due and makes observations of them. Series are added to the model as they come.

    `businesses`: whose indicators there are; None = whoever has traffic.
    """

    def __init__(self, baselines: Baselines, keys: list[SeriesKey], businesses: frozenset[str] | None = None) -> None:
        self._baselines = baselines
        self._keys = keys
        self._numbers: dict[SeriesKey, int] = {key: number for number, key in enumerate(keys)}
        self.businesses = businesses
        self._held: OrderedDict[UnixMillis, _Interval] = OrderedDict()
        self._pairs: dict[Pair, int] = {}
        self._cells = _Cells(self._pair)
        self._table = np.full((0, len(INDICATORS)), -1, np.int32)
        for business, region, indicator in keys:
            pair = self._pair(business, region)
            self._table[pair, INDICATORS.index(indicator)] = self._numbers[business, region, indicator]
        self._judged_upto: UnixMillis | None = None
        self._refused: set[SeriesKey] = set()
        self._paired = 0
        self.settling = Settling()
        self.late = 0

    @property
    def newest(self) -> UnixMillis | None:
        """Start of the newest interval of which anything came."""
        return max(self._held, default=None)

    def add_traffic(self, batch: WindowBatch) -> None:
        """Take an interval of 60 s, or a revision of one; others are left out."""
        held = self._interval(batch.interval_start_milliseconds, batch.interval_milliseconds)
        if held is None:
            return
        cells = self._cells.of(batch)
        told = np.stack(
            (
                batch.octets_to_server + batch.octets_to_client,
                batch.users,
                batch.sampling_error_ratio,
                batch.export_loss_ratio,
                batch.flows,
            ),
            1,
        ).astype(np.float64)
        of_business = cells >= 0
        held.put(cells[of_business], told[of_business])

    def add_quality(self, interval: QualityInterval) -> None:
        """Take an interval of connection quality, or a revision of one."""
        held = self._interval(interval.interval_start_milliseconds, interval.interval_milliseconds)
        if held is None:
            return
        counters, durations = interval.counters.astype(np.float64), interval.durations
        client, server, answer = (interval.measured[SAMPLE_KINDS.index(kind)] for kind in _KINDS)
        medians, counts = durations.seconds[_P50], durations.count.astype(np.float64)
        both = np.minimum(counts[client], counts[server])
        columns = (
            counters[_C_ATTEMPTED],
            counters[_C_REFUSED] + counters[_C_UNANSWERED],
            counters[_C_SEGMENTS].sum(axis=0),
            counters[_C_AGAIN].sum(axis=0),
            both,
            np.where(both > 0, medians[client] + medians[server], 0.0),
            counts[answer],
            np.where(counts[answer] > 0, medians[answer], 0.0),
            interval.capture_loss_ratio,
        )
        for names, figures in zip(
            zip(*interval.names, strict=True), np.stack(columns, 1).tolist() if len(interval) else (), strict=True
        ):
            if names[0]:
                held.quality[names] = tuple(figures)

    def due(self, now: UnixMillis, settle_milliseconds: int) -> Iterator[UnixMillis]:
        """Yield the starts of the intervals that are to be judged now, in order; each is given once.

        settle_milliseconds: after the end of an interval until it is told the first time.
        """
        step = INTERVAL_MILLISECONDS
        newest = (now - settle_milliseconds) // step * step - step
        for start, held in self._held.items():
            age = (newest - start) // step
            while len(held.octets_at) <= min(age, _MOST_AGE):
                held.octets_at.append(float(np.nansum(held.traffic[:, 0])))
        upto = newest - self.settling.age * step
        if self._judged_upto is None or upto - self._judged_upto > _HELD * step:
            self._judged_upto = upto - step
        while self._judged_upto < upto:
            self._judged_upto += step
            yield self._judged_upto
        for start in [start for start in self._held if newest - start > (_MOST_AGE + 1) * step]:
            self.settling.note(self._held.pop(start).octets_at)

    def observation(self, start: UnixMillis, absent: Callable[[str], bool]) -> Observation:
        """Return what an interval tells. absent: whether nobody reports the traffic of a business now."""
        held = self._held.get(start, _Interval())
        figures = self._figures(held)
        values, weights = _values(figures)
        new = np.isfinite(values) & (self._table[: len(figures)] < 0)
        new &= ~_BY_RECORDS | (figures[:, _FLOWS] > 0)[:, None]
        names = list(self._pairs)
        for pair, kind in zip(*(one.tolist() for one in np.nonzero(new)), strict=True):
            found = self.number((*names[pair], INDICATORS[kind]))
            self._table[pair, kind] = -1 if found is None else found
        self.pair_users()
        size = len(self._keys)
        value, weight, error = np.full(size, np.nan), np.zeros(size), np.zeros(size)
        doubtful, gone = np.zeros(size, np.bool_), np.zeros(size, np.bool_)
        table = self._table[: len(figures)]
        pair, kind = np.nonzero(table >= 0)
        number = table[pair, kind]
        value[number], weight[number] = values[pair, kind], weights[pair, kind]
        loss = np.where(_BY_RECORDS[kind], figures[pair, _LOSS], figures[pair, _CAPTURE_LOSS])
        doubtful[number] = loss > _MOST_LOSS
        error[number] = np.where(_BY_RECORDS[kind], figures[pair, _ERROR] / _CONFIDENCE + np.nan_to_num(loss), 0.0)
        silent = {business for business in {business for business, _ in names} if absent(business)}
        if silent:
            gone[number] = np.array([business in silent for business, _ in names], np.bool_)[pair]
        return Observation(start, value, weight, error, doubtful, gone)

    def _figures(self, held: _Interval) -> Floats:
        """Return the figures of an interval by pair, of businesses as a whole too: float64[pairs, _FIGURES]."""
        quality = list(held.quality)
        cells = np.flatnonzero(np.isfinite(held.traffic[:, 0]))
        of_quality = [self._pair(names[0], names[1]) for names in quality]
        quality_whole = [self._pair(names[0], ALL) for names in quality]
        figures = np.zeros((len(self._pairs), _FIGURES))
        worst = np.full((len(self._pairs), 2), -1.0)
        if len(cells):
            told = held.traffic[cells]
            told[:, 2] = np.square(told[:, 2] * told[:, 0])
            for at in self._cells.places[cells].T:
                for column, source in ((_OCTETS, 0), (_USERS, 1), (_ERROR, 2), (_ENDED, 4)):
                    figures[:, column] += np.bincount(at, told[:, source], len(figures))
                figures[:, _FLOWS] += np.bincount(at, minlength=len(figures))
                np.maximum.at(worst[:, 0], at, np.nan_to_num(told[:, 3], nan=-1.0))
        if quality:
            told = np.array(list(held.quality.values()))
            told[:, 5] *= told[:, 4]
            told[:, 7] *= told[:, 6]
            for at in (of_quality, quality_whole):
                for column in range(_ATTEMPTED, _CAPTURE_LOSS):
                    figures[:, column] += np.bincount(at, told[:, column - _ATTEMPTED], len(figures))
                np.maximum.at(worst[:, 1], at, np.nan_to_num(told[:, -1], nan=-1.0))
        figures[:, _ERROR] = np.sqrt(figures[:, _ERROR]) / np.maximum(figures[:, _OCTETS], 1.0)
        figures[:, [_LOSS, _CAPTURE_LOSS]] = np.where(worst < 0, np.nan, worst)
        return figures

    def _pair(self, business: str, region: str) -> int:
        pair = (business, region)
        found = self._pairs.get(pair)
        if found is None:
            found = self._pairs[pair] = len(self._pairs)
            if found >= len(self._table):
                more = np.full((max(64, len(self._table)), len(INDICATORS)), -1, np.int32)
                self._table = np.concatenate([self._table, more])
        return found

    def number(self, key: SeriesKey) -> int | None:
        """Return the number of a series, a new one where there is room."""
        found = self._numbers.get(key)
        if found is not None or key in self._refused:
            return found
        if self.businesses is not None and key[0] not in self.businesses:
            return None
        made = self._baselines.add(key[2])
        if made is None:
            if len(self._refused) < self._baselines.most:
                self._refused.add(key)
            return None
        self._numbers[key] = made
        self._keys.append(key)
        pair = self._pair(key[0], key[1])
        self._table[pair, INDICATORS.index(key[2])] = made
        return made

    def pair_users(self) -> None:
        """Tell the model which traffic and flows are whose users', and which flows traffic came in."""
        for number in range(self._paired, len(self._keys)):
            business, region, _ = self._keys[number]
            traffic, users, flows = (
                self._numbers.get((business, region, one))
                for one in (Indicator.TRAFFIC, Indicator.USERS, Indicator.FLOWS)
            )
            if users is not None:
                for one in (traffic, flows):
                    if one is not None:
                        self._baselines.pair(one, users)
            if traffic is not None and flows is not None:
                self._baselines.join(traffic, flows)
        self._paired = len(self._keys)

    def _interval(self, start: UnixMillis, length: int) -> _Interval | None:
        if length != INTERVAL_MILLISECONDS:
            return None
        held = self._held.get(start)
        if held is None:
            if self._judged_upto is not None and start <= self._judged_upto - _MOST_AGE * INTERVAL_MILLISECONDS:
                self.late += 1
                return None
            held = self._held[start] = _Interval()
            while len(self._held) > _HELD:
                del self._held[min(self._held)]
        return held


_KINDS: Final = ("client_leg", "server_leg", "response")
_C_ATTEMPTED, _C_REFUSED, _C_UNANSWERED = (
    COUNTERS.index(f"connections_{name}") for name in ("attempted", "refused", "unanswered")
)
_C_SEGMENTS: Final = [COUNTERS.index("segments_to_server"), COUNTERS.index("segments_to_client")]
_C_AGAIN: Final = [COUNTERS.index(f"segments_retransmitted_to_{end}") for end in ("server", "client")]


def _values(figures: Floats) -> tuple[Floats, Floats]:
    """Return values and weights by pair and indicator: float64[pairs, 7]; NaN where there is too little to tell."""
    values, weights = np.full((2, len(figures), len(INDICATORS)), np.nan)
    weights[:] = 0.0
    values[:, 0] = figures[:, _OCTETS] * _BITS_PER_SECOND
    values[:, 1] = figures[:, _USERS]
    values[:, 6] = figures[:, _ENDED]
    # What came of a connection may count later than the attempt, so a part may exceed its whole.
    for kind, part, whole, fewest in ((2, _FAILED, _ATTEMPTED, 1), (5, _AGAIN, _SEGMENTS, _FEWEST_SEGMENTS)):
        of = np.maximum(figures[:, part], figures[:, whole])
        values[:, kind] = np.where(of >= fewest, figures[:, part] / np.maximum(of, 1), np.nan)
        weights[:, kind] = of
    for kind, seconds, count in ((3, _SHAKE_SECONDS, _SHAKES), (4, _ANSWER_SECONDS, _ANSWERS)):
        enough = (figures[:, count] >= _FEWEST_DURATIONS) & (figures[:, seconds] > 0)
        values[:, kind] = np.where(enough, figures[:, seconds] / np.maximum(figures[:, count], 1), np.nan)
        weights[:, kind] = figures[:, count]
    return values, weights


class Feeders:
    """Who reports the traffic of which business: a RecordTap that knows when a reporter has fallen silent.

    A business is absent when reporters that it had at least `least_share` of its records from, and that reported in
    nearly every interval before, have reported nothing at all for an interval. guard: a lock, where records come on
    another thread than questions.
    """

    def __init__(self, least_share: float = 0.05, guard: AbstractContextManager[object] | None = None) -> None:
        self._least_share = least_share
        self._minute = -1
        self._records: dict[int, float] = {}
        self._steady: dict[int, float] = {}
        self._heard: dict[int, int] = {}
        self._share: dict[str, dict[int, float]] = {}
        self._guard = nullcontext() if guard is None else guard

    def add(
        self, batch: AttributedBatch, duplicate: npt.NDArray[np.bool_] | None, names: Names, now: UnixMillis
    ) -> None:
        """Take records: at most some thousand of a batch, which is enough to know who reports whom."""
        del duplicate
        minute = now // INTERVAL_MILLISECONDS
        some = slice(None, None, max(1, len(batch) // 4096))
        exporters, rules = batch.flows["exporter_id"][some], batch.service_rule_id[some]
        pairs, counts = np.unique(np.stack([exporters, rules], 1), axis=0, return_counts=True)
        with self._guard:
            self._turn(now)
            self._count(pairs, counts, names, minute)

    def _count(self, pairs: npt.NDArray[np.int64], counts: npt.NDArray[np.int64], names: Names, minute: int) -> None:
        for exporter in np.unique(pairs[:, 0]).tolist():
            self._heard[exporter] = minute
        for (exporter, rule), count in zip(pairs.tolist(), counts.tolist(), strict=True):
            if rule < 0:
                continue
            for owner in names.owner_business[names.owner_offsets[rule] : names.owner_offsets[rule + 1]].tolist():
                if owner >= 0:
                    shares = self._share.setdefault(names.businesses[owner], {})
                    shares[exporter] = shares.get(exporter, 0.0) + count

    def tick(self, now: UnixMillis) -> None:
        """Notice that time passes."""
        with self._guard:
            self._turn(now)

    def flush(self) -> None:
        """There is nothing to hand on."""

    def absent(self, business: str, start: UnixMillis) -> bool:
        """Tell whether reporters of a business said nothing during an interval or since."""
        minute = start // INTERVAL_MILLISECONDS
        with self._guard:
            shares = self._share.get(business, {})
            total = sum(shares.values())
            missing = sum(
                share
                for exporter, share in shares.items()
                if self._heard.get(exporter, minute) < minute and self._steady.get(exporter, 0.0) > 0.9  # noqa: PLR2004  nine intervals of ten
            )
        return total > 0 and missing > self._least_share * total

    def _turn(self, now: UnixMillis) -> None:
        minute = now // INTERVAL_MILLISECONDS
        if self._minute < 0:
            self._minute = minute
        while self._minute < minute:
            for exporter, last in list(self._heard.items()):
                if last >= self._minute:
                    steady = self._steady.get(exporter, 0.0)
                    self._steady[exporter] = steady + (1 - steady) / 15
                elif minute - last > 24 * 60:
                    self._forget(exporter)
            self._minute = minute if minute - self._minute > _HELD else self._minute + 1
            for shares in self._share.values():
                for exporter in shares:
                    shares[exporter] *= 0.99

    def _forget(self, exporter: int) -> None:
        """After a day of silence a reporter is one no more."""
        self._heard.pop(exporter, None)
        self._steady.pop(exporter, None)
        for shares in self._share.values():
            shares.pop(exporter, None)
