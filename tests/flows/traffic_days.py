"""Days of an enterprise's traffic as numbers: the shape of days and weeks, noise with memory, and what goes wrong."""

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


ENTERPRISE = (
    Business("erp", (400, 150, 60, 25)),
    Business("mail", (900, 300, 120, 40), bits_per_user=15_000.0),
    Business("shop", (250, 80, 30), shape="shop", bits_per_user=60_000.0),
    Business("files", (120, 50, 8), shape="batch", bits_per_user=120_000.0),
    Business("hr", (30, 6, 2)),
)
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
                found += [(business.name, region, one) for one in (Indicator if self.quality else list(Indicator)[:2])]
        return found

    def kind(self, day: int) -> DayKind:
        if day in self.holidays:
            return DayKind.HOLIDAY
        return weekday_kind((datetime.fromtimestamp(MONDAY / 1000, UTC) + timedelta(days=day)).date())

    @cached_property
    def values(self) -> tuple[Floats, Floats]:
        """Values and weights: float64[minutes, series]; NaN where a window is missing."""
        rng = np.random.default_rng(self.seed)
        values, weights = np.zeros((2, self.days * MINUTES, len(self.keys)))
        at = 0
        for business in self.businesses:
            parts = [self._region(business, most, rng) for most in business.users]
            traffic, users = (np.sum([part[at] for part in parts], axis=0) for at in (0, 1))
            for octets, online in [(part[0], part[1]) for part in parts] + [(traffic, users)]:
                values[:, at], values[:, at + 1] = octets, online
                if self.quality:
                    values[:, at + 2 : at + 6], weights[:, at + 2 : at + 6] = self._quality(online, rng)
                at += 6 if self.quality else 2
        lost = rng.random(self.days * MINUTES) < self.missing
        values[lost] = np.nan
        return values, weights

    def _region(self, business: Business, most: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        shape = np.concatenate([self._day(business.shape, day, rng) for day in range(self.days)])
        daily = np.repeat(np.exp(rng.normal(0, 0.07, self.days)), MINUTES)
        slow = np.exp(0.06 * _memory(rng, len(shape), 90))
        online = rng.poisson(np.maximum(most * shape * daily * slow, 0.0)).astype(np.float64)
        online = np.round(_smooth(online, 3))
        wild = 0.9 / np.sqrt(np.maximum(online, 1)) + 0.04
        noise = np.exp(wild * (0.6 * _memory(rng, len(shape), 6) + 0.6 * rng.standard_t(5, len(shape)) * 0.77))
        traffic = online * business.bits_per_user * noise
        if business.shape == "batch":
            traffic += self._backups(most * business.bits_per_user, rng)
        return traffic, online

    def _day(self, shape: str, day: int, rng: np.random.Generator) -> Floats:
        hours = np.arange(MINUTES) / 60 + rng.normal(0, 0.05)
        kind = self.kind(day)
        if shape == "shop":
            weekend = 1.3 if kind is not DayKind.WORKDAY else 1.0
            return weekend * (0.03 + 0.5 * _bump(hours, 12.5, 2.5) + _bump(hours, 20, 2.2))
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


def _smooth(values: Floats, minutes: int) -> Floats:
    return np.convolve(values, np.ones(minutes) / minutes, "same")
