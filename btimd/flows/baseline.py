"""The seasonal baselines of many series at once: what is usual now, how far off a value is, and learning from it.

Everything is kept on a scale on which noise is even: traffic and durations as logarithms, users as logarithms with the
noise of counting, ratios as square roots with the noise of their counts. Per series there are

    a level per quarter of an hour and kind of day   from the medians of past days, each day's pull limited (Huber)
    a spread per block of three hours                its middle from limited absolute deviations, its two tails by
                                                     following the quantiles that one value in 500 exceeds
    a track of the last half hour                    so that a calm or busy day shifts what is expected

A value is judged against level + track. Memory: about 3.1 KB per series.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from btimd.flows import jointdrop
from btimd.flows.jointdrop import Falls
from btimd.flows.season import BIN_MINUTES, BINS_PER_DAY, BLOCKS, CELLS, DayKind, Place
from btimd.model.deviation import Indicator

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

INDICATORS: Final = tuple(Indicator)
COUNTED: Final = frozenset({Indicator.TRAFFIC, Indicator.USERS, Indicator.FLOWS})
"""What flow records tell; less of it is bad, of others more."""
LOGARITHMIC: Final = COUNTED | {Indicator.HANDSHAKE, Indicator.RESPONSE}
VERSION: Final = 2

_TRAFFIC, _USERS, _FLOWS = (INDICATORS.index(one) for one in (Indicator.TRAFFIC, Indicator.USERS, Indicator.FLOWS))
_USERS_FLOOR: Final = 0.5
_FLOORS: Final = np.array([27.0, _USERS_FLOOR, 0.0, 0.0, 0.0, 0.0, _USERS_FLOOR])
_MIN_SECONDS: Final = 1e-6
_DAYS_KEPT: Final = 40
_TRACK_GAIN: Final = 1 / 30
_TRACK_PULL: Final = 2.5
_TRACK_MOST: Final = 1.2
_SPREAD_WINDOWS: Final = 600
_TAIL: Final = 0.002
_TAIL_STEP: Final = 0.2
_TAIL_FLOOR: Final = 2.7
_TAIL_MOST: Final = 1.5
_ABS_TO_SIGMA: Final = 1.2533
_LEVEL_GAIN: Final = 0.1
_LEVEL_PULL: Final = 3.0
_LEAST_IN_BIN: Final = 5
_CHANGE_SLACK: Final = 3.0
_CHANGE_PULL: Final = 3.0
_FLOOR_SHARE: Final = 0.03
_LEAST_SEEN: Final = 60  # an hour of windows tells a spread
_HALF_HOUR: Final = 30
_FEW: Final = 4
_MOST_DAYS: Final = 250
_DRIFT_RECENT: Final = 5
_DRIFT_FROM, _DRIFT_TO = 20, 10
_DRIFT_USERS: Final = 1.6  # logarithm of five users: fewer come and go


@dataclass(frozen=True, slots=True)
class Observation:
    """What an interval told, by series: value in the unit of the indicator, NaN where nothing was measured.

    weight: connections attempted, segments, or durations behind a ratio or a duration. error: standard error of the
    value as a share of it, as far as sampling and loss go. doubtful: the value is there and may not be judged by, nor
    learned from. absent: nobody reports, so that nothing is known.
    """

    start: int
    value: Floats
    weight: Floats
    error: Floats
    doubtful: Bools
    absent: Bools


@dataclass(frozen=True, slots=True)
class Judged:
    """Where the values of an interval stand, by series, on the even scale.

    season: by the time alone; least: the lower of the two levels that it lies between; expected: with the track of the
    last half hour. off: value - expected. below, above: how far it may usually be off. noise: variance of counting and
    sampling. users: expected behind it. settled: enough days were seen; known: and
    their spread too. valid: judged. falls: what is missing of traffic, users and flows.
    """

    place: Place
    observation: Observation
    y: Floats
    season: Floats
    least: Floats
    expected: Floats
    off: Floats
    below: Floats
    above: Floats
    noise: Floats
    users: Floats
    settled: Bools
    known: Bools
    valid: Bools
    falls: Falls


@dataclass(frozen=True, slots=True)
class Quarter:
    """A quarter of an hour that is over, by series: how its median stood to past days, in day-to-day spreads."""

    off: Floats
    spreads: Floats
    falling: Floats
    rising: Floats
    known: Bools


@dataclass(slots=True)
class Baselines:
    """The model of up to `most` series, which are added by `add` and keep their numbers."""

    most: int = 20_000
    least_days: int = 3
    indicator: npt.NDArray[np.int8] = field(default_factory=lambda: np.zeros(0, np.int8))
    used: int = 0
    arrays: dict[str, npt.NDArray[Any]] = field(default_factory=dict)
    overflowed: int = 0
    _last: Place | None = None

    def __post_init__(self) -> None:
        """Begin without series."""
        self.arrays = {name: np.full((*shape, 0), fill, dtype) for name, (shape, fill, dtype) in _ARRAYS.items()}

    def __len__(self) -> int:
        return self.used

    @property
    def octets(self) -> int:
        """Memory taken."""
        return sum(array.nbytes for array in self.arrays.values())

    def add(self, indicator: Indicator) -> int | None:
        """Return the number of a new series, None where there is no room; that is counted in `overflowed`."""
        if self.used >= self.most:
            self.overflowed += 1
            return None
        if self.used == len(self.indicator):
            room = min(max(64, 2 * self.used), self.most)
            self.indicator = np.concatenate([self.indicator, np.zeros(room - self.used, np.int8)])
            for name, (shape, fill, dtype) in _ARRAYS.items():
                grown = np.full((*shape, room), fill, dtype)
                grown[..., : self.used] = self.arrays[name]
                self.arrays[name] = grown
        self.indicator[self.used] = INDICATORS.index(indicator)
        self.arrays["floor"][self.used] = _FLOORS[self.indicator[self.used]]
        self.used += 1
        return self.used - 1

    def get(self, name: str) -> npt.NDArray[Any]:
        """Return an array of the model, only the series in use; series are its last axis."""
        return self.arrays[name][..., : self.used]

    # -- scales

    def _to_even(self, value: Floats, weight: Floats) -> Floats:
        """Return values on the even scale."""
        return to_even(self.indicator[: self.used], self.get("floor"), value, weight)

    def from_even(self, y: Floats) -> Floats:
        """Return values in the unit of their indicators."""
        return from_even(self.indicator[: self.used], self.get("floor"), y)

    def from_one(self, number: int, y: float) -> float:
        """Return one value of a series in the unit of its indicator."""
        one = slice(number, number + 1)
        return float(from_even(self.indicator[one], self.arrays["floor"][one], np.array([y]))[0])

    # -- judging

    def judge(self, observation: Observation, place: Place) -> Judged:
        """Compare an interval with what is usual. Nothing is learned of it."""
        kind = self.indicator[: self.used]
        level, days = self.get("level"), self.get("days")
        season = level[place.before] * (1 - place.weight) + level[place.after] * place.weight
        expected = season + self.get("track")
        y = self._to_even(observation.value, observation.weight)
        users = self._users(kind, expected)
        noise = np.square(observation.error)
        some = np.maximum(observation.weight, 1.0)
        counted = _COUNTED[kind]
        noise += np.where(counted, 1 / np.maximum(users, _USERS_FLOOR), np.where(_LOG[kind], 1 / some, 0.25 / some))
        more = _TAIL_FLOOR**2 * np.maximum(noise - self.get("noise")[place.block], 0.0)
        settled = (np.minimum(days[place.before], days[place.after]) >= self.least_days) & np.isfinite(season)
        known = settled & (self.get("seen")[place.block] >= _LEAST_SEEN)
        least = _TAIL_FLOOR * _LEAST_SIGMA[kind]
        valid = np.isfinite(y) & ~observation.doubtful & ~observation.absent
        told = jointdrop.falls(
            self.get,
            block=place.block,
            counted=(kind == _USERS) | (kind == _FLOWS),
            dropping=counted,
            value=observation.value,
            off=y - expected,
            expected=expected,
            users=users,
            error=observation.error,
            known=valid & known,
        )
        return Judged(
            place=place,
            observation=observation,
            y=y,
            season=season,
            least=np.minimum(level[place.before], level[place.after]),
            expected=expected,
            off=y - expected,
            below=np.maximum(np.sqrt(np.square(self.get("low")[place.block]) + more), least),
            above=np.maximum(np.sqrt(np.square(self.get("high")[place.block]) + more), least),
            noise=noise,
            users=users,
            settled=settled,
            known=known,
            valid=valid,
            falls=told,
        )

    def _users(self, kind: npt.NDArray[np.int8], expected: Floats) -> Floats:
        """Return how many users are expected behind traffic and users; infinitely many where nobody counts them."""
        partner = self.get("partner").astype(np.int64)
        number = np.where(kind == _USERS, np.arange(len(kind)), partner)
        users = np.exp(np.clip(expected[np.maximum(number, 0)], -30.0, 30.0))
        return np.where((number >= 0) & np.isfinite(users), users, np.inf)

    def pair(self, traffic: int, users: int) -> None:
        """Say whose number of users a series of traffic or flows has: of few users it varies much."""
        self.arrays["partner"][traffic] = users

    def join(self, traffic: int, flows: int) -> None:
        """Say which flows a series of traffic came in: they are judged together."""
        self.arrays["flows"][traffic] = flows

    def band_of(self, number: int, place: Place, factor: float) -> tuple[float | None, float | None, float | None]:
        """Return expected, low and high of a series at any moment, without the track, in its unit; None: not known."""
        level = self.arrays["level"][:, number]
        season = float(level[place.before] * (1 - place.weight) + level[place.after] * place.weight)
        if not np.isfinite(season):
            return None, None, None
        low, high = (factor * float(self.arrays[name][place.block, number]) for name in ("low", "high"))
        return self.from_one(number, season), self.from_one(number, season - low), self.from_one(number, season + high)

    # -- learning

    def learn(self, judged: Judged, frozen: Bools) -> Quarter | None:
        """Take an interval in, but of `frozen` series; intervals come in order. Return what of a quarter is over."""
        quarter = None
        place = judged.place
        if self._last is not None and place.bin_start != self._last.bin_start:
            quarter = self._close_bin(self._last)
            if place.day != self._last.day:
                self._close_day(self._last)
        self._last = place
        take = judged.valid & ~frozen
        filling = self.get("filling")
        filling[place.minute % BIN_MINUTES] = np.where(take, judged.y, np.nan)
        self._learn_spread(judged, take & judged.settled)
        np.copyto(self.get("held"), judged.off, where=judged.valid & frozen & np.isfinite(judged.off))
        self._learn_silence(judged, frozen)
        jointdrop.learn(
            self.get, judged.falls, block=place.block, y=judged.y, off=judged.off, take=take, settled=judged.settled
        )
        track, off = self.get("track"), judged.off
        limit = _TRACK_PULL * self.get("sigma")[place.block]
        step = _TRACK_GAIN * np.clip(np.where(take & judged.known, off, 0.0), -limit, limit)
        np.clip(track + step, -_TRACK_MOST, _TRACK_MOST, out=track)
        np.multiply(track, np.where(judged.known, 1.0, 0.99), out=track)
        return quarter

    def _learn_spread(self, judged: Judged, take: Bools) -> None:
        block = judged.place.block
        off = np.where(take, judged.off, 0.0)
        distance = np.abs(off)
        seen, sigma = self.get("seen")[block], self.get("sigma")[block]
        low, high, noise = self.get("low")[block], self.get("high")[block], self.get("noise")[block]
        gain = np.where(take, 1 / np.minimum(seen + 1, _SPREAD_WINDOWS), 0.0)
        limited = np.where(seen > _HALF_HOUR, np.minimum(distance, 4 * sigma), distance)
        sigma += gain * (limited * _ABS_TO_SIGMA - sigma)
        np.maximum(sigma, _LEAST_SIGMA[self.indicator[: self.used]], out=sigma)
        noise += gain * (judged.noise - noise)
        decay = np.where(take, np.exp(-_TAIL_STEP * _TAIL), 1.0)
        held = self.get("held")
        back = np.where(take, held, 0.0)  # an interval that was nearly off, and no beginning of anything
        held[take] = 0
        for tail, far in ((low, np.maximum(-off, -back)), (high, np.maximum(off, back))):
            raised = np.clip((tail + far) / 2, tail * np.exp(_TAIL_STEP), tail * _TAIL_MOST)
            np.copyto(tail, np.where(far > tail, raised, tail * decay))
        np.maximum(low, _TAIL_FLOOR * sigma, out=low)
        np.maximum(high, _TAIL_FLOOR * sigma, out=high)
        seen += take

    def _learn_silence(self, judged: Judged, frozen: Bools) -> None:
        """Count intervals without anything, and remember the longest such time of each block."""
        silent, longest = self.get("silent"), self.get("longest")[judged.place.block]
        nothing = judged.valid & (judged.observation.value == 0)
        ended = judged.valid & ~nothing
        np.maximum(longest, np.where(ended & ~frozen, silent, 0), out=longest)
        silent += nothing
        silent[ended] = 0

    def _close_bin(self, place: Place) -> Quarter:
        filling, level, days = self.get("filling"), self.get("level"), self.get("days")
        median, count = _medians(filling)
        filling[:] = np.nan
        self.get("recent")[place.bin] = median
        some = count >= _LEAST_IN_BIN
        seen = days[place.cell].astype(np.float64)
        spread, spreads_seen = self.get("between")[place.block], self.get("between_seen")[place.block]
        old = level[place.cell].astype(np.float64)
        fresh = some & ~np.isfinite(old)
        learning = some & ~fresh
        off = np.where(learning, median - old, 0.0)
        known = some & (seen >= self.least_days) & (spreads_seen >= 2 * self.least_days)
        floor = 2 * _LEAST_SIGMA[self.indicator[: self.used]]
        users = learning & (self.indicator[: self.used] == _USERS)
        counting = np.where(users, np.exp(-np.clip(old, -60.0, 60.0)), 0.0)
        spreads = off / np.sqrt(np.square(np.maximum(spread, floor)) + counting)
        falling, rising = self.get("falling"), self.get("rising")
        for sum_, sign in ((falling, -1.0), (rising, 1.0)):
            grown = np.maximum(sum_ + np.minimum(sign * spreads - _CHANGE_SLACK, _CHANGE_PULL), 0.0)
            np.copyto(sum_, np.minimum(np.where(known, grown, sum_ * 0.9), 1000.0))
        told = Quarter(off, spreads, falling.astype(np.float64), rising.astype(np.float64), known)
        limit = np.where(seen >= self.least_days, _LEVEL_PULL * np.maximum(spread, floor), np.inf)
        gain = np.where(some, np.maximum(1 / (seen + 1), _LEVEL_GAIN), 0.0)
        level[place.cell] = np.where(fresh, median, old + gain * np.clip(off, -limit, limit))
        days[place.cell] = np.minimum(seen + some, _MOST_DAYS).astype(np.uint8)
        far = np.where(spreads_seen > _FEW, np.minimum(np.abs(off), 4 * spread), np.abs(off))
        rate = np.where(learning, np.maximum(1 / (spreads_seen + 1), 0.005), 0.0)
        spread += rate * (far * _ABS_TO_SIGMA - spread)
        spreads_seen += learning
        self.get("longest")[place.block] *= np.float32(0.998)
        return told

    def _close_day(self, place: Place) -> None:
        recent, daily = self.get("recent"), self.get("daily")
        self._set_floors()
        if place.kind is not DayKind.WORKDAY:
            return
        median, count = _medians(recent)
        daily[:-1] = daily[1:]
        daily[-1] = np.where(count >= BINS_PER_DAY // 2, median, np.nan)

    def _set_floors(self) -> None:
        """Let traffic far below the busiest time of a series not matter, so that a few packets at night are no news."""
        level, floor = self.get("level"), self.get("floor")
        known = (self.indicator[: self.used] == _TRAFFIC) & np.isfinite(level).any(axis=0)
        highest = np.where(known, np.max(np.where(np.isfinite(level), level, 0.0), axis=0, initial=0.0), 0.0)
        wanted = np.maximum(_FLOOR_SHARE * np.exp(np.minimum(highest, 60.0)), _FLOORS[_TRAFFIC])
        for number in np.flatnonzero(known & ((wanted > 3 * floor) | (wanted < floor / 10))).tolist():
            for name in ("level", "recent", "daily"):
                told = self.arrays[name][..., number].astype(np.float64)
                plain = np.maximum(np.exp(np.minimum(told, 60.0)) - floor[number], 0.0)
                self.arrays[name][..., number] = np.log(plain + wanted[number])
            floor[number] = wanted[number]
            for name in ("track", "falling", "rising", "sigma", "low", "high", "seen", "between", "between_seen"):
                self.arrays[name][..., number] = 0

    def drifts(self) -> tuple[Floats, Bools]:
        """Return how far the last week's level is from that of two to four weeks ago, and of which series that is much.

        A level of a day is its median; only workdays count.
        """
        daily = self.get("daily").astype(np.float64)
        now, before = daily[-_DRIFT_RECENT:], daily[-_DRIFT_FROM:-_DRIFT_TO]
        new, new_count = _medians(now)
        old, old_count = _medians(before)
        steps, _ = _medians(np.abs(np.diff(daily[-_DRIFT_FROM:], axis=0)))
        moved = new - old
        enough = (new_count >= _DRIFT_RECENT - 1) & (old_count >= _DRIFT_TO - 3) & np.isfinite(moved)
        moved = np.where(enough, moved, 0.0)
        sure = np.abs(moved) > 4 * np.where(enough, np.maximum(steps, 0.02), np.inf)
        some = _medians(daily)[0]
        partner = self.get("partner").astype(np.int64)
        crowd = np.where(self.indicator[: self.used] == _USERS, some, np.where(partner >= 0, some[partner], np.inf))
        enough &= ~(crowd < _DRIFT_USERS)
        return moved, sure & enough & (np.abs(moved) > _DRIFT_LEAST[self.indicator[: self.used]])

    def adopt(self, number: int, shift: float) -> None:
        """Take a lasting deviation of a series as its new usual."""
        self.arrays["level"][:, number] += np.float32(shift)
        for name in ("track", "falling", "rising", "silent"):
            self.arrays[name][number] = 0

    def widen(self, number: int, block: int, *, rise: bool) -> None:
        """Be more careful with a series that was off for a short while only."""
        self.arrays["high" if rise else "low"][block, number] *= np.float32(_TAIL_MOST)
        if not rise:
            jointdrop.widen(self.get, number, block)

    def settle(self, numbers: Sequence[int]) -> None:
        """Forget what the intervals held of series that are off."""
        self.arrays["held"][list(numbers)] = 0
        self.arrays["fall_held"][:, list(numbers)] = 0

    def history(self, number: int) -> npt.NDArray[np.float32]:
        """Return the medians of the last 24 hours by quarter of the day, on the even scale."""
        recent: npt.NDArray[np.float32] = self.arrays["recent"][:, number]
        return recent

    # -- state

    def saved(self) -> dict[str, npt.NDArray[Any]]:
        """Return what `restored` needs; copies."""
        kept = {name: self.get(name).copy() for name in _ARRAYS if name != "filling"}
        return {**kept, "indicator": self.indicator[: self.used].copy(), "version": np.array(VERSION)}

    @classmethod
    def restored(cls, saved: Mapping[str, npt.NDArray[Any]], *, most: int, least_days: int = 3) -> "Baselines":
        """Return a model as it was saved; raises ValueError or KeyError for what is none, or of another version."""
        if int(saved["version"]) != VERSION:
            raise ValueError(f"version {saved['version']} is not {VERSION}")
        indicator = saved["indicator"]
        used = len(indicator)
        if (
            used > most
            or indicator.dtype != np.int8
            or (used and not 0 <= indicator.min() <= indicator.max() < len(INDICATORS))
        ):
            raise ValueError(f"{used} series of {indicator.dtype}, at most {most} are wanted")
        model = cls(most=most, least_days=least_days)
        for one in indicator.tolist():
            model.add(INDICATORS[one])
        for name, (shape, _, dtype) in _ARRAYS.items():
            if name == "filling":
                continue
            array = saved[name]
            if array.shape != (*shape, used) or array.dtype != dtype:
                raise ValueError(f"{name} is {array.dtype}{array.shape}")
            model.get(name)[:] = array
        return model


_f4: Final = np.float32
_ARRAYS: Final[Mapping[str, tuple[tuple[int, ...], float, Any]]] = {
    "level": ((CELLS,), np.nan, _f4),
    "days": ((CELLS,), 0, np.uint8),
    "sigma": ((BLOCKS,), 0, _f4),
    "low": ((BLOCKS,), 0, _f4),
    "high": ((BLOCKS,), 0, _f4),
    "noise": ((BLOCKS,), 0, _f4),
    "seen": ((BLOCKS,), 0, _f4),
    "between": ((BLOCKS,), 0, _f4),
    "between_seen": ((BLOCKS,), 0, _f4),
    "longest": ((BLOCKS,), 0, _f4),
    "floor": ((), 0, _f4),
    "partner": ((), -1, np.int32),
    "track": ((), 0, _f4),
    "held": ((), 0, _f4),
    "silent": ((), 0, _f4),
    "falling": ((), 0, _f4),
    "rising": ((), 0, _f4),
    "filling": ((BIN_MINUTES,), np.nan, _f4),
    "recent": ((BINS_PER_DAY,), np.nan, _f4),
    "daily": ((_DAYS_KEPT,), np.nan, _f4),
    **{
        name: ({0: (), -1: (BLOCKS,), -2: (2, BLOCKS)}.get(size, (size,)), begin, np.int32 if name == "flows" else _f4)
        for name, (size, begin) in jointdrop.ARRAYS.items()
    },
}
_COUNTED: Final = np.array([one in COUNTED for one in INDICATORS])
_LOG: Final = np.array([one in LOGARITHMIC for one in INDICATORS])
_LEAST_SIGMA: Final = np.where(_LOG, 0.02, 0.005)
_DRIFT_LEAST: Final = np.where(_LOG, 0.35, 0.08)


def to_even(kind: npt.NDArray[np.int8], floor: npt.NDArray[Any], value: Floats, weight: Floats) -> Floats:
    """Return values on the scale on which noise is even. kind: into INDICATORS; floor: added before logarithms."""
    logs = np.log(np.maximum(value + floor, _MIN_SECONDS))
    ratios = np.sqrt((np.maximum(value, 0.0) * weight + 0.375) / (weight + 0.75))
    return np.where(_LOG[kind], logs, ratios)


def from_even(kind: npt.NDArray[np.int8], floor: npt.NDArray[Any], y: Floats) -> Floats:
    """Return values in the unit of their indicators, never below 0."""
    values = np.where(_LOG[kind], np.exp(np.minimum(y, 60.0)) - floor, np.square(np.maximum(y, 0.0)))
    return np.maximum(values, 0.0)


def _medians(columns: npt.NDArray[Any]) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Return the median over the first axis of what is no NaN, NaN where there is nothing, and how many there are."""
    ordered = np.sort(columns, axis=0)  # NaN last
    count = np.isfinite(columns).sum(axis=0)
    across = np.arange(columns.shape[1])
    high = np.minimum(count // 2, len(columns) - 1)
    low = np.maximum((count - 1) // 2, 0)
    median = (ordered[low, across].astype(np.float64) + ordered[high, across]) / 2
    return np.where(count > 0, median, np.nan), count


def observation_of(start: int, values: Sequence[float], weights: Sequence[float] | None = None) -> Observation:
    """Return an observation of sure values, NaN where nothing was measured."""
    value = np.array(values, np.float64)
    weight = np.zeros(len(value)) if weights is None else np.array(weights, np.float64)
    none = np.zeros(len(value), np.bool_)
    return Observation(start, value, weight, np.zeros(len(value)), none, none)
