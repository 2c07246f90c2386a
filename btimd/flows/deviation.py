"""When a series has left its baseline, and how that is told: each trouble once, at the widest place it holds for.

A state machine over judged intervals: `handle(...)` returns what opened and what cleared. A series is off

    fallen     less traffic, users and flows together, or of one of them, than two intervals lack (flows/jointdrop.py)
    risen      two intervals in a row beyond what is usual, the second `factor` times so far, and by enough
    silent     nothing for much longer than it ever was at this time of day, where something is expected for sure
    changed    quarters of an hour add up to more than days differ (CUSUM on robust spreads)
    drifting   the last week's level is far from that of two to four weeks ago

and on again after some intervals well inside (hysteresis). A region whose business is off as a whole is not told by
itself; where most businesses are off at once, that is told once for all of them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from btimd.flows import jointdrop
from btimd.flows.baseline import COUNTED, INDICATORS, LOGARITHMIC, Baselines, Bools, Floats, Judged, Quarter
from btimd.flows.deviationtext import cleared_text, text_of, text_zh_of
from btimd.model.deviation import ALL, Deviation, DeviationKind, Indicator

_TRAFFIC, _FLOWS = INDICATORS.index(Indicator.TRAFFIC), INDICATORS.index(Indicator.FLOWS)
_DROPPING: Final = np.array([one in COUNTED for one in INDICATORS])
_WATCHED: Final = np.array([one is not Indicator.FLOWS for one in INDICATORS])  # by itself; flows go with users
_SHARE_TOGETHER: Final = 0.5  # of the budget; the rest is for each by itself
_SHARE_ALONE: Final = np.array([0.3, 0.1, 1.0, 1.0, 1.0, 1.0, 0.1])
_BOTH: Final = 0.2
_NEAR: Final = 0.5
_CLEAR: Final = 0.75
_TELLING: Final = 1.5
_RISES_MORE: Final = 0.06
_CHANGES_MORE: Final = 0.1
_LOG_DROP: Final = 0.29  # to three quarters
_LOG_DROP_SEASON: Final = 0.22
_LOG_RISE: Final = 0.41  # by half
_RATIO_RISE: Final = 0.02
_HARDER: Final = np.array([1.0, 1.0, 1.5, 1.0, 1.0, 1.5, 1.0])  # what is counted comes in bursts
_SECONDS_RISE: Final = np.array([0.0, 0.0, 0.0, 0.002, 0.010, 0.0, 0.0])
_CHANGE_LOG: Final = 0.36
_CHANGE_RATIO: Final = 0.06
_CLEAR_QUARTER: Final = 1.5
_SURE_TRAFFIC: Final = 10_000.0
_SURE_USERS: Final = 5.0
_ALONE_USERS: Final = 30.0  # of fewer, octets or flows alone say nothing within minutes
_SILENT_USERS: Final = 4.0
_LEAST_SILENCE: Final = 10.0
_FEW_SILENCE: Final = 200.0
_NEARLY_MOST: Final = 3
_SHORT: Final = 60

_LOG_KINDS: Final = [number for number, one in enumerate(INDICATORS) if one in LOGARITHMIC]

SUDDEN, CHANGED, DRIFTING, ABSENT = range(4)


@dataclass(frozen=True, slots=True)
class DeviationLimits:
    """How far is too far. factor: times the end of what is usual; nearly: share of it that the interval before needs.

    budget: how many drops a week a business may be said to have without having one, as far as the past tells.
    clear_after: intervals well inside. change: what quarters of an hour add up to, in day-to-day spreads.
    adopt_after: intervals after which what lasts is taken as the new usual. warm: intervals after a start before
    anything is told. absent_after: intervals without any report. most_share: of regions or businesses, to tell of all.
    """

    factor: float = 1.15
    nearly: float = 1.0
    budget: float = 0.2
    clear_after: int = 3
    change: float = 14.0
    adopt_after: int = 1440
    warm: int = 30
    absent_after: int = 3
    most_share: float = 0.5


@dataclass(frozen=True, slots=True)
class DeviationOpened:
    """Something deviates."""

    deviation: Deviation


@dataclass(frozen=True, slots=True)
class DeviationCleared:
    """It is over; `deviation.reason` says why."""

    deviation: Deviation


Event = DeviationOpened | DeviationCleared
SeriesKey = tuple[str, str, Indicator]
_Report = tuple[int, bool, str, str, Indicator]
"""Channel, whether it is a rise, business, region, indicator."""


@dataclass(slots=True)
class _Off:
    """A series that is off in a channel."""

    rise: bool
    silence: bool
    since: float
    inside: int = 0
    lasted: int = 0
    shift: float = 0.0
    shifts: dict[int, float] = field(default_factory=dict)
    part: bool = False  # of a business that lacks what a region lacks


@dataclass(slots=True)
class Deviations:
    """The state machine. `keys` names the series of the model and grows with it."""

    baselines: Baselines
    keys: list[SeriesKey]
    limits: DeviationLimits = field(default_factory=DeviationLimits)
    interval_milliseconds: int = 60_000
    open: dict[_Report, Deviation] = field(default_factory=dict)
    _off: tuple[dict[int, _Off], ...] = field(default_factory=lambda: ({}, {}, {}, {}))
    _near: npt.NDArray[np.int8] = field(default_factory=lambda: np.zeros(0, np.int8))
    _nearly_for: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    _absent: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    _frozen: Bools = field(default_factory=lambda: np.zeros(0, np.bool_))
    _warm: int = 0
    _last_start: int = 0
    _numbers: dict[SeriesKey, int] = field(default_factory=dict)
    _family: Floats = field(default_factory=lambda: np.zeros(0))
    _leads: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def frozen(self) -> Bools:
        """Return of which series nothing may be learned from the interval handled last."""
        return self._frozen

    def is_off(self, number: int) -> bool:
        """Tell whether a series is off, told by itself or not."""
        lead = int(self._leads[number]) if number < len(self._leads) else number
        return any(number in off for off in self._off[:DRIFTING]) or lead in self._off[SUDDEN]

    def handle(self, judged: Judged) -> list[Event]:
        """Take the next interval; return what opened and cleared."""
        self._grow(len(judged.y))
        gap = judged.observation.start - self._last_start > 5 * self.interval_milliseconds
        self._warm = 0 if gap else self._warm + 1
        self._last_start = judged.observation.start
        limits, factor = self.limits, self.limits.factor
        kind = self.baselines.indicator[: len(judged.y)]
        up = judged.off / (judged.above * _HARDER[kind] * (1 + _RISES_MORE * np.log(self._family)))
        able = judged.valid & judged.known
        high = self._enough(judged, able)
        rises = high & (up > limits.nearly * factor)
        warm = self._warm > limits.warm
        hit_high = rises & (self._near > 0) & (up > factor)
        falls, hit_low, down = self._fallen(judged, able)
        silent = self._silent(judged, able)
        changed = False
        if warm:
            for number in np.flatnonzero(hit_low | hit_high | silent).tolist():
                lead = number if hit_high[number] else int(self._leads[number])
                changed |= self._turn_off(lead, judged, silent=bool(silent[number]), rise=bool(hit_high[number]))
        changed |= self._follow(judged, able, down, up)
        changed |= self._follow_absence(judged)
        self._near = np.where(able, rises.astype(np.int8) - falls.astype(np.int8), self._near).astype(np.int8)
        self._nearly_for = np.where(self._near != 0, self._nearly_for + 1, 0)
        self._frozen = (self._nearly_for > 0) & (self._nearly_for <= _NEARLY_MOST) & warm
        for off in self._off[:CHANGED]:
            self._frozen[list(off)] = True
        self._frozen |= self._frozen[self._leads]
        if self._off[SUDDEN]:
            self.baselines.settle(np.flatnonzero(np.isin(self._leads, list(self._off[SUDDEN]))).tolist())
        return self._tell(judged) if changed else []

    def quarter(self, judged: Judged, quarter: Quarter) -> list[Event]:
        """Take what of a quarter of an hour is over."""
        self._grow(len(quarter.off))
        kind = self.baselines.indicator[: len(quarter.off)]
        least = np.where(np.isin(kind, _LOG_KINDS), _CHANGE_LOG, _CHANGE_RATIO)
        changed = False
        off = self._off[CHANGED]
        for sum_, rise in ((quarter.falling, False), (quarter.rising, True)):
            wanted = (sum_ > self.limits.change * (1 + _CHANGES_MORE * np.log(self._family))) & (
                np.abs(quarter.off) > least
            )
            wanted &= quarter.known & _WATCHED[kind]
            wanted &= ~_DROPPING[kind] | (judged.users[: len(kind)] >= _SURE_USERS)
            if not rise:
                wanted &= _DROPPING[kind]
            for number in np.flatnonzero(wanted).tolist():
                lead = int(self._leads[number])
                if not off.keys() & {number, lead} and not self._off[SUDDEN].keys() & {number, lead}:
                    off[number] = _Off(rise=rise, silence=False, since=judged.place.bin_start / 1000 - 900)
                    changed = True
        for number, one in list(off.items()):
            signed = quarter.spreads[number] * (1 if one.rise else -1)
            one.inside = one.inside + 1 if quarter.known[number] and signed < _CLEAR_QUARTER else 0
            if one.inside > self.limits.clear_after:
                del off[number]
                self.baselines.arrays["rising" if one.rise else "falling"][number] = 0
                changed = True
        return self._tell(judged) if changed else []

    def day(self, judged: Judged) -> list[Event]:
        """Look for drift, once a day."""
        moved, sure = self.baselines.drifts()
        self._grow(len(moved))
        sure &= _WATCHED[self.baselines.indicator[: len(sure)]]
        sure &= (self._leads == np.arange(len(sure))) | ~sure[self._leads]  # where traffic drifts its users do too
        found = set(np.flatnonzero(sure).tolist())
        off = self._off[DRIFTING]
        changed = found != off.keys()
        for number in [number for number in off if number not in found]:
            del off[number]
        for number in found - off.keys():
            off[number] = _Off(
                rise=bool(moved[number] > 0), silence=False, since=judged.observation.start / 1000, shift=moved[number]
            )
        return self._tell(judged) if changed else []

    def forget(self, numbers: Sequence[int], judged: Judged) -> list[Event]:
        """Let go of series whose business is gone."""
        for off in self._off:
            for number in numbers:
                off.pop(number, None)
        return self._tell(judged)

    # -- one series

    def _grow(self, size: int) -> None:
        more = size - len(self._near)
        if more > 0:
            self._near = np.concatenate([self._near, np.zeros(more, np.int8)])
            self._nearly_for = np.concatenate([self._nearly_for, np.zeros(more, np.int64)])
            self._absent = np.concatenate([self._absent, np.zeros(more, np.int64)])
            for key in self.keys[len(self._numbers) : size]:
                self._numbers[key] = len(self._numbers)
            places: dict[str, int] = {}
            for business, _, indicator in self.keys[:size]:
                places[business] = places.get(business, 0) + (indicator is Indicator.TRAFFIC)
            self._family = np.array([max(places[key[0]], 1) for key in self.keys[:size]], np.float64)
            lead = [self._numbers.get((*key[:2], Indicator.TRAFFIC), at) for at, key in enumerate(self.keys[:size])]
            drops = _DROPPING[self.baselines.indicator[:size]]
            self._leads = np.where(drops, np.array(lead, np.int64), np.arange(size))

    def _fallen(self, judged: Judged, able: Bools) -> tuple[Bools, Bools, Floats]:
        """Return by series of traffic what nearly, and what for sure, is missing, and how far it is missing now.

        That is: 1 = as much as an interval must lack if both lack alike.
        """
        get, block, told = self.baselines.get, judged.place.block, judged.falls
        kind = self.baselines.indicator[: len(judged.y)]
        weekly = self.limits.budget / (self._family * jointdrop.WEEK_INTERVALS)
        chances = np.stack([weekly * _SHARE_ALONE[kind], weekly * _SHARE_TOGETHER])
        limit = jointdrop.limits(get, block, chances)
        before = np.nan_to_num(get("fall_before"), nan=-9.0)
        single, score = np.nan_to_num(told.single, nan=-9.0), np.nan_to_num(told.score, nan=-9.0)
        much = self._much(judged)
        crowd = np.stack([judged.users >= _ALONE_USERS, judged.users >= _SURE_USERS])
        enough = able & _DROPPING[kind] & crowd & much
        hit = enough & (score > limit) & (np.minimum(single, before) > _BOTH * limit)
        near = enough & (single > _NEAR * limit)
        far = np.where(np.isfinite(told.single), single / (limit / np.sqrt(2.0)), 0.0).max(axis=0)
        down = far.copy()
        np.maximum.at(down, self._leads, far)
        leads = np.zeros((2, len(kind)), np.bool_)
        for row, found in enumerate((near, hit)):
            leads[row, self._leads[np.flatnonzero(found.any(axis=0))]] = True
        return leads[0], leads[1], down

    def _much(self, judged: Judged) -> Bools:
        """Return where so much is missing that somebody would mind: bool[2, series], each alone, and together."""
        lately = self.baselines.get("lately_before")  # in the morning few are there because few have come yet
        shift, low = judged.falls.shift, judged.y - np.fmin(judged.least, lately)
        below = np.stack([low, low])
        places = np.flatnonzero(np.isfinite(shift[jointdrop.TOGETHER]))
        if len(places):
            members = low[jointdrop.members_of(self.baselines.get, places)[:, 1:]]  # which scatter less
            there = np.isfinite(members)
            below[1, places] = np.where(there, members, 0.0).sum(axis=1) / np.maximum(there.sum(axis=1), 1)
        found: Bools = (shift < -_LOG_DROP) & (below < -_LOG_DROP_SEASON)
        return found

    def _enough(self, judged: Judged, able: Bools) -> Bools:
        """Return where there is so much more than expected that somebody would mind."""
        kind = self.baselines.indicator[: len(judged.y)]
        dropping = _DROPPING[kind]
        rising = able & ~dropping & (judged.off > 0)
        where = np.flatnonzero(rising & (judged.off > 0.5 * judged.above))
        high = np.zeros(len(kind), np.bool_)
        if len(where):
            expected = self.baselines.from_even(judged.expected)[where]
            value, logs = judged.observation.value[where], np.isin(kind[where], _LOG_KINDS)
            much = np.where(logs, judged.off[where] > _LOG_RISE, value - expected > _RATIO_RISE)
            high[where] = much & (value - expected > _SECONDS_RISE[kind[where]])
        return high

    def _silent(self, judged: Judged, able: Bools) -> Bools:
        """Return which series have had nothing for much longer than is usual, where something is for sure expected."""
        kind = self.baselines.indicator[: len(judged.y)]
        silent, longest = self.baselines.get("silent"), self.baselines.get("longest")[judged.place.block]
        run: Bools = able & (judged.observation.value == 0) & _DROPPING[kind] & _WATCHED[kind]
        users = np.maximum(np.where(np.isfinite(judged.users), judged.users, np.inf), 0.1)
        few = _FEW_SILENCE / users  # who are few are all gone at times
        run &= silent + 1 >= np.maximum(np.maximum(_LEAST_SILENCE, few), 3 * longest + 5)
        if not run.any():
            return run
        season: Floats = self.baselines.from_even(judged.season)
        sure: Bools = run & (judged.users >= _SILENT_USERS)
        sure &= season > np.where(kind == _TRAFFIC, _SURE_TRAFFIC, _SILENT_USERS)
        return sure

    def _turn_off(self, number: int, judged: Judged, *, silent: bool, rise: bool) -> bool:
        off = self._off[SUDDEN]
        silence = silent or (not rise and judged.observation.value[number] == 0)
        start = judged.observation.start
        if number in off:
            return False
        since = start - (self.baselines.arrays["silent"][number] if silent else 1) * self.interval_milliseconds
        off[number] = _Off(rise=rise, silence=silence, since=float(since) / 1000)
        self._off[CHANGED].pop(number, None)
        return True

    def _follow(self, judged: Judged, able: Bools, down: Floats, up: Floats) -> bool:
        """Count intervals inside again, and take what lasts as usual."""
        limits, changed = self.limits, False
        for number, one in list(self._off[SUDDEN].items()):
            one.lasted += 1
            if not able[number]:
                continue
            far = (up if one.rise else down)[number]
            for member in (number,) if one.rise else np.flatnonzero(self._leads == number).tolist():
                if np.isfinite(judged.off[member]):
                    old = one.shifts.get(member, 0.0)
                    one.shifts[member] = old + (float(judged.off[member]) - old) / min(one.lasted, 240)
            one.inside = one.inside + 1 if far < (0.6 * limits.factor if one.rise else _CLEAR) else 0
            if one.inside >= limits.clear_after:
                del self._off[SUDDEN][number]
                if one.lasted < _SHORT:
                    self.baselines.widen(number, judged.place.block, rise=one.rise)
                changed = True
            elif one.lasted >= limits.adopt_after:
                del self._off[SUDDEN][number]
                for member, shift in one.shifts.items():
                    self.baselines.adopt(member, shift)
                changed = True
        return changed

    def _follow_absence(self, judged: Judged) -> bool:
        absent, changed = judged.observation.absent, False
        if not absent.any() and not self._off[ABSENT]:
            self._absent[:] = 0
            return False
        self._absent = np.where(absent, self._absent + 1, 0)
        off = self._off[ABSENT]
        for number in np.flatnonzero(self._absent >= self.limits.absent_after).tolist():
            if number not in off and self.keys[number][2] is Indicator.TRAFFIC:
                first = judged.observation.start - (int(self._absent[number]) - 1) * self.interval_milliseconds
                off[number] = _Off(rise=False, silence=False, since=first / 1000)
                changed = True
        for number in [number for number in off if not absent[number]]:
            del off[number]
            changed = True
        return changed

    # -- telling

    def _tell(self, judged: Judged) -> list[Event]:
        """Return what changes in what is told."""
        wanted = dict(self._reports(judged))
        now = (judged.observation.start + self.interval_milliseconds) / 1000
        events: list[Event] = []
        for report in [report for report in self.open if report not in wanted]:
            deviation = self.open.pop(report)
            wider = any(
                other[:2] == report[:2] and other[4] is report[4] and other[2] in {report[2], ALL} for other in wanted
            )
            reason = cleared_text(deviation, now, part_of_wider=wider)
            events.append(DeviationCleared(replace(deviation, cleared_at=now, reason=reason)))
        for report, numbers in wanted.items():
            if report not in self.open:
                self.open[report] = deviation = self._deviation(report, numbers, judged, now)
                events.append(DeviationOpened(deviation))
        return events

    def _reports(self, judged: Judged) -> Iterator[tuple[_Report, list[int]]]:
        able = judged.known if len(judged.known) else np.zeros(0, np.bool_)
        for channel, off in enumerate(self._off):
            groups: dict[tuple[bool, Indicator], dict[str, dict[str, int]]] = {}
            for number, one in off.items():
                if channel and channel != ABSENT and number in self._off[SUDDEN]:
                    continue
                business, region, indicator = self.keys[number]
                groups.setdefault((one.rise, indicator), {}).setdefault(business, {})[region] = number
            for (rise, indicator), businesses in groups.items():
                yield from self._grouped((channel, rise, indicator), businesses, able)

    def _grouped(
        self, what: tuple[int, bool, Indicator], businesses: dict[str, dict[str, int]], able: Bools
    ) -> Iterator[tuple[_Report, list[int]]]:
        channel, rise, indicator = what
        known: dict[str, int] = {}
        nearly: dict[str, int] = {}  # what is off, or begins to be
        for number in np.flatnonzero(able).tolist() if channel != ABSENT else range(len(self.keys)):
            business, region, other = self.keys[number]
            if other is indicator and business in businesses and region != ALL:
                known[business] = known.get(business, 0) + 1
                near = channel == SUDDEN and self._near[number] == (1 if rise else -1)
                nearly[business] = nearly.get(business, 0) + (near or region in businesses[business])
        whole = {}
        for business, regions in businesses.items():
            off = max(len(regions) - (ALL in regions), nearly.get(business, 0))
            told = (channel, rise, business, ALL, indicator) in self.open
            alone = ALL in regions and self._is_alone(self._off[channel][regions[ALL]], told=told, regions=off)
            if off > max(1, self.limits.most_share * known.get(business, 0)) or alone:
                whole[business] = list(regions.values())
        of_all = sum(1 for _, region, other in self.keys if region == ALL and other is indicator)
        of_many = [name for name in businesses if name in whole or ALL in businesses[name]]
        if len(of_many) >= max(3, self.limits.most_share * of_all):
            leads = [self._whole(name, indicator, list(businesses[name].values())) for name in of_many]
            yield (channel, rise, ALL, ALL, indicator), leads
            return
        for business, regions in businesses.items():
            if business in whole:
                yield (channel, rise, business, ALL, indicator), list(regions.values())
                continue
            for region, number in regions.items():  # what one region lacks, the business lacks too: that is no news
                if region != ALL:
                    yield (channel, rise, business, region, indicator), [number]

    @staticmethod
    def _is_alone(one: _Off, *, told: bool, regions: int) -> bool:
        """Tell whether a business is off as a whole: not because a region is, or was when it began."""
        one.part |= regions > 0 and not told
        return told or not one.part

    def _whole(self, business: str, indicator: Indicator, numbers: Sequence[int]) -> int:
        return self._numbers.get((business, ALL, indicator), numbers[0])

    def _deviation(self, report: _Report, numbers: list[int], judged: Judged, now: float) -> Deviation:
        channel, rise, business, region, indicator = report
        offs = [self._off[channel].get(number) for number in numbers]
        since = min((one.since for one in offs if one is not None), default=now)
        lead = numbers[0]
        if region == ALL and business != ALL:
            lead = self._whole(business, indicator, numbers)
        value, expected, low, high, score = self._figures(lead, judged, channel)
        first = self._off[channel].get(lead) or next((one for one in offs if one is not None), None)
        kind = DeviationKind.RISE if rise else DeviationKind.DROP
        if channel == SUDDEN and first is not None and first.silence and not rise:
            kind = DeviationKind.SILENCE
        kind = {CHANGED: DeviationKind.CHANGE, DRIFTING: DeviationKind.DRIFT, ABSENT: DeviationKind.NO_DATA}.get(
            channel, kind
        )
        if channel == DRIFTING and first is not None:
            expected = self.baselines.from_one(lead, float(judged.expected[lead]) - first.shift)
        names = sorted({self.keys[number][0 if business == ALL else 1] for number in numbers} - {ALL})
        bare = Deviation(
            id=f"{business}/{region}/{indicator.value}/{kind.value}/{int(since)}",
            business=business,
            region=region,
            indicator=indicator,
            kind=kind,
            value=value,
            expected=expected,
            low=low,
            high=high,
            score=score,
            since=min(since, now),
            seen_at=now,
            text="",
            regions=tuple(names) if region == ALL else (),
        )
        if kind is not DeviationKind.DROP or business == ALL:
            return replace(bare, text=text_of(bare), text_zh=text_zh_of(bare))
        bare, also = self._clearest(bare, lead, judged)
        return replace(bare, text=text_of(bare, also), text_zh=text_zh_of(bare))

    def _clearest(
        self, bare: Deviation, lead: int, judged: Judged
    ) -> tuple[Deviation, list[tuple[Indicator, float, float]]]:
        """Return a drop by its clearest indicator, traffic first, and the others that are clear: value and expected."""
        share = np.nan_to_num(judged.falls.share)
        members = sorted(np.flatnonzero(self._leads == lead).tolist(), key=lambda one: -share[one])
        clear = [number for number in members if share[number] > _TELLING and number != lead]
        if clear and share[lead] <= _TELLING:
            first = clear.pop(0)
            value, expected, low, high, _ = self._figures(first, judged, SUDDEN)
            bare = replace(bare, indicator=self.keys[first][2], value=value, expected=expected, low=low, high=high)
        return bare, [(self.keys[number][2], *self._figures(number, judged, SUDDEN)[:2]) for number in clear]

    def _figures(self, number: int, judged: Judged, channel: int) -> tuple[float, float, float, float, float]:
        factor = self.limits.factor if channel == SUDDEN else 1.0
        middle, below, above = judged.expected[number], judged.below[number], judged.above[number]
        if channel in {CHANGED, DRIFTING}:
            middle = judged.season[number]
        ends = (middle, middle - factor * below, middle + factor * above)
        expected, low, high = (self.baselines.from_one(number, float(one)) for one in ends)
        value = float(judged.observation.value[number])
        if channel in {CHANGED, DRIFTING} or not np.isfinite(value):
            recent = self.baselines.history(number)[(judged.place.bin - 1) % len(self.baselines.history(number))]
            value = self.baselines.from_one(number, float(recent)) if np.isfinite(recent) else 0.0
        end = below if judged.off[number] < 0 else above
        score = (
            abs(float(judged.off[number])) / (factor * float(end)) if np.isfinite(judged.off[number]) and end else 0.0
        )
        parts = [one if np.isfinite(one) else 0.0 for one in (value, expected, low, high, score)]
        return parts[0], parts[1], parts[2], parts[3], parts[4]
