"""Days of an enterprise's traffic as numbers: the shape of days and weeks, noise with memory, and what goes wrong.

Assumed: people come as a Poisson process, whose rate follows the day, a factor of the day (7 %) and a slow noise (6 %
over 90 minutes); they stay for 25 minutes on the mean (exponential), and are active in `activity` of the minutes. A user
makes flows by a negative binomial distribution (variance = mean + mean^2), whose mean all users share a noise of (6 %
over 6 minutes). The octets of a flow are lognormal (sigma 1.5), with a shared noise of 4 % over 6 minutes.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

import numpy as np
import numpy.typing as npt

from btimd.flows.season import DayKind, weekday_kind
from btimd.model.deviation import ALL, Indicator

Floats = npt.NDArray[np.float64]
MINUTES = 1440
MONDAY = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp() * 1000)


@dataclass(frozen=True)
class Business:
    """users: in each region at the busiest time. shape: "office", "shop" (evenings, weekends) or "batch" (nights)."""

    name: str
    users: tuple[int, ...]
    shape: str = "office"
    bits_per_user: float = 40_000.0
    flows_per_user: float = 4.0
    activity: float = 0.65


ENTERPRISE = (
    Business("erp", (400, 150, 60, 25)),
    Business("mail", (900, 300, 120, 40), bits_per_user=15_000.0, flows_per_user=2.0, activity=0.8),
    Business("shop", (250, 80, 30), shape="shop", bits_per_user=60_000.0, flows_per_user=6.0, activity=0.5),
    Business("files", (120, 50, 8), shape="batch", bits_per_user=120_000.0, flows_per_user=1.5, activity=0.4),
    Business("hr", (30, 6, 2)),
)
_COUNTED = (Indicator.TRAFFIC, Indicator.USERS, Indicator.FLOWS)
_STAY = 25.0
_SIGMA = 1.5
REGIONS = ("north", "south", "east", "west")


@dataclass(frozen=True)
class Days:
    """`days` days from a Monday on, by minute. holidays: days that are off, counted from the first."""

    days: int
    seed: int = 1
    businesses: tuple[Business, ...] = ENTERPRISE
    holidays: frozenset[int] = frozenset()
    missing: float = 0.0005
    quality: bool = True

    @cached_property
    def keys(self) -> list[tuple[str, str, Indicator]]:
        """The series, regions of a business before the business as a whole."""
        found = []
        for business in self.businesses:
            for region in (*REGIONS[: len(business.users)], ALL):
                found += [(business.name, region, one) for one in (Indicator if self.quality else _COUNTED)]
        return found

    def kind(self, day: int) -> DayKind:
        if day in self.holidays:
            return DayKind.HOLIDAY
        return weekday_kind((datetime.fromtimestamp(MONDAY / 1000, UTC) + timedelta(days=day)).date())

    @cached_property
    def values(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Values and weights: float32[minutes, series]; NaN where a window is missing."""
        rng = np.random.default_rng(self.seed)
        values, weights = np.zeros((2, self.days * MINUTES, len(self.keys)), np.float32)
        at = 0
        for business in self.businesses:
            parts = [self._region(business, most, rng) for most in business.users]
            for octets, online, flows in [*parts, tuple(np.sum(parts, axis=0))]:
                values[:, at], values[:, at + 1] = octets, online
                if self.quality:
                    values[:, at + 2 : at + 6], weights[:, at + 2 : at + 6] = self._quality(online, rng)
                at += 7 if self.quality else 3
                values[:, at - 1] = flows
        lost = rng.random(self.days * MINUTES) < self.missing
        values[lost] = np.nan
        return values, weights

    def _region(self, business: Business, most: int, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
        """Return bit/s, users and flows by minute."""
        shape = np.concatenate([self._day(business.shape, day, rng) for day in range(self.days)])
        size = len(shape)
        daily = np.repeat(np.exp(rng.normal(0, 0.07, self.days)), MINUTES)
        wanted = most * shape * daily * np.exp(0.06 * _memory(rng, size, 90)) / business.activity
        coming = rng.poisson(np.maximum(wanted / _STAY, 0.0))
        begin = np.repeat(np.arange(size), coming)
        end = np.minimum(begin + 1 + rng.exponential(_STAY, len(begin)).astype(np.int64), size)
        there = np.cumsum(np.bincount(begin, minlength=size + 1) - np.bincount(end, minlength=size + 1))[:size]
        online = rng.binomial(there, business.activity)
        eager = business.flows_per_user * np.exp(0.06 * _memory(rng, size, 6))
        flows = rng.poisson(np.where(online > 0, rng.gamma(np.maximum(online, 1e-9)) * eager, 0.0))
        bits = business.bits_per_user / business.flows_per_user * np.exp(0.04 * _memory(rng, size, 6))
        traffic = bits * _lognormal_sums(rng, flows)
        if business.shape == "batch":
            traffic += self._backups(most * business.bits_per_user, rng)
        return traffic, online.astype(np.float64), flows.astype(np.float64)

    def _day(self, shape: str, day: int, rng: np.random.Generator) -> Floats:
        hours = np.arange(MINUTES) / 60 + rng.normal(0, 0.05)
        kind = self.kind(day)
        if shape == "shop":
            weekend = 1.3 if kind is not DayKind.WORKDAY else 1.0
            return weekend * (0.03 + 0.5 * _bump(hours, 12.5, 2.5) + _bump(hours, 20, 2.2) + _bump(hours, -4, 2.2))
        work = (_ramp(hours, 8.3, 0.35) - _ramp(hours, 17.6, 0.5)) * (1 - 0.35 * _bump(hours, 12.3, 0.35))
        scale = {DayKind.WORKDAY: 1.0, DayKind.SATURDAY: 0.12, DayKind.SUNDAY: 0.05, DayKind.HOLIDAY: 0.05}[kind]
        date = (datetime.fromtimestamp(MONDAY / 1000, UTC) + timedelta(days=day)).date()
        if kind is DayKind.WORKDAY:
            scale *= {0: 1.08, 4: 0.9}.get(date.weekday(), 1.0) * (1.2 if date.day >= 28 else 1.0)
        return scale * work + 0.015

    def _backups(self, bits: float, rng: np.random.Generator) -> Floats:
        traffic = np.zeros(self.days * MINUTES)
        for day in range(self.days):
            start = day * MINUTES + 60 + int(rng.normal(0, 4))
            length = int(70 * np.exp(rng.normal(0, 0.12))) * (3 if day % 7 == 5 else 1)
            traffic[max(start, 0) : start + length] += 3 * bits * np.exp(rng.normal(0, 0.1))
        return traffic

    def _quality(self, online: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
        size = len(online)
        attempts = rng.poisson(online * 0.8).astype(np.float64)
        failed = rng.binomial(attempts.astype(int), np.clip(0.004 * np.exp(0.4 * _memory(rng, size, 30)), 0, 1))
        segments = rng.poisson(online * 60).astype(np.float64)
        again = rng.binomial(segments.astype(int), np.clip(0.008 * np.exp(0.5 * _memory(rng, size, 20)), 0, 1))
        load = 0.08 * np.sqrt(online / max(online.max(), 1))
        some = np.maximum(attempts, 1)
        shake = 0.012 * np.exp(load + 0.05 * _memory(rng, size, 60) + rng.normal(0, 0.5, size) / np.sqrt(some))
        answer = 0.080 * np.exp(2 * load + 0.08 * _memory(rng, size, 60) + rng.normal(0, 0.9, size) / np.sqrt(some))
        values = np.stack([failed / some, shake, answer, again / np.maximum(segments, 1)], 1)
        weights = np.stack([attempts, attempts, attempts, segments], 1)
        few = weights < np.array([1, 3, 3, 20])
        values[few] = np.nan
        return values, weights


def _bump(hours: Floats, middle: float, width: float) -> Floats:
    return np.asarray(np.exp(-0.5 * ((hours - middle) / width) ** 2))


def _ramp(hours: Floats, middle: float, width: float) -> Floats:
    return np.asarray(1 / (1 + np.exp(-(hours - middle) / width * 2)))


def _memory(rng: np.random.Generator, size: int, minutes: float) -> Floats:
    """Return noise of spread 1 that forgets in so many minutes."""
    keep = np.exp(-1 / minutes)
    steps = rng.normal(0, np.sqrt(1 - keep**2), size)
    kernel = keep ** np.arange(int(8 * minutes))
    spectrum = 1 << (size + len(kernel)).bit_length()
    made = np.fft.irfft(np.fft.rfft(steps, spectrum) * np.fft.rfft(kernel, spectrum), spectrum)[:size]
    return np.asarray(made)


def _lognormal_sums(rng: np.random.Generator, counts: npt.NDArray[np.int64]) -> Floats:
    """Return sums of so many lognormal figures of mean 1; of more than 40 as a lognormal of the same mean and spread."""
    few = np.minimum(counts, 40) * (counts <= 40)
    each = rng.lognormal(-(_SIGMA**2) / 2, _SIGMA, int(few.sum()))
    sums = np.bincount(np.repeat(np.arange(len(counts)), few), each, len(counts))
    spread = np.sqrt(np.log1p(np.expm1(_SIGMA**2) / np.maximum(counts, 1)))
    return np.where(counts > 40, counts * np.exp(spread * rng.normal(size=len(counts)) - spread**2 / 2), sums)


def cut(rng: np.random.Generator, what: str, traffic: float, users: float, flows: float) -> tuple[float, float, float]:
    """Return an interval of a region with half of its "users" gone, or of its "flows", or of its "octets" alone."""
    if what == "octets":
        return traffic / 2, users, flows
    if what == "flows":
        left = rng.binomial(int(flows), 0.5)
        online = rng.binomial(int(users), 1 - 0.5 ** (flows / max(users, 1)))
        return traffic * left / max(flows, 1), online, left
    online = rng.binomial(int(users), 0.5)
    left = rng.binomial(int(flows), online / max(users, 1))
    return traffic * left / max(flows, 1), online, left
