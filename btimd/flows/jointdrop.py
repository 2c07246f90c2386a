"""Whether less of a business comes from a place than is usual: traffic, users and flows judged together.

Octets come in few large flows, so that they scatter; users and flows are counts and scatter less. Of each the shortfall
of an interval is measured in its own usual spread. The three are put together with the weights that show a drop by half
best (w = R^-1 d: d = what a drop by half would be of each, R = how they go together, both learned), limited, so that
one wild figure decides nothing, and two intervals in a row are added up.

What such a sum may be is learned too, per place and three hours of the day: the end that one interval in 500 exceeds,
and by how much it is exceeded then (peaks over a threshold; the excess of the square is taken as exponential). From
these comes the limit that a business exceeds `budget` times a week, whatever number of places it has.

Row 0 of results: each series by itself; row 1: together, at the number of the place's traffic.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Get = Callable[[str], npt.NDArray[Any]]

ALONE, TOGETHER = 0, 1
_LIMIT: Final = 7.0
_RMS_LIMIT: Final = 4.0
_COMMON: Final = 1 / 400  # variance that even many users do not average out: 5 %
_QUICK_GAIN: Final = 1 / 6
_LATELY_GAIN: Final = 1 / 4
_QUICK_FADES: Final = 0.97
_PULL_WINDOWS: Final = 3000
_SPREAD_WINDOWS: Final = 900
_LEAST_SEEN: Final = 60
_SHRINK: Final = 0.9
_TAIL: Final = 0.002
_TAIL_STEP: Final = 0.05
_TAIL_JUMP: Final = 0.4
_TAIL_FIRST: Final = 3.2
_TAIL_FLOOR: Final = 2.6
_EXCESS: Final = 0.24  # what a normal distribution has
_EXCESS_LEAST: Final = 0.2
_EXCESS_WORTH: Final = 30.0
_WIDEN: Final = 1.25
_TAIL_SURE: Final = 1500.0  # intervals that tell how far is far; before, it is taken for further
_TAIL_UNSURE: Final = 0.35
WEEK_INTERVALS: Final = 7 * 1440

ARRAYS: Final[Mapping[str, tuple[int, float]]] = {
    # name: how many per series (0: one, -1: one per block), begin
    "flows": (0, -1),
    "quick": (0, 0),
    "quick_before": (0, 0),
    "lately": (0, np.nan),
    "lately_before": (0, np.nan),
    "pull_with": (0, 0),
    "pull_of": (0, 0),
    "rms": (-1, 0),
    "fall_seen": (-1, 0),
    "together": (3, 0),
    "together_seen": (0, 0),
    "fall_before": (2, np.nan),
    "fall_end": (-2, _TAIL_FIRST),
    "fall_held": (2, 0),
    "fall_excess": (2, _EXCESS),
    "fall_exceeded": (2, 0),
}


@dataclass(frozen=True, slots=True)
class Falls:
    """What an interval lacks, by [ALONE, TOGETHER] and series.

    raw: shortfall before it is set against its spread; share: against it, limited. single: of this interval; score: of
    this and the one before; NaN where either is not known. shift: logarithm of value to expected, weighted as the
    score.
    """

    raw: Floats
    share: Floats
    single: Floats
    score: Floats
    shift: Floats


def quick_of(get: Get) -> Floats:
    """Return what of the last minutes' distance from the expected is left one interval later, by series."""
    return pull_of(get) * get("quick_before")


def pull_of(get: Get) -> Floats:
    """Return the share of a short-lived distance that is left, 0..1, as learned."""
    power = get("pull_of").astype(np.float64)
    return np.asarray(np.clip(np.where(power > 0, get("pull_with") / np.maximum(power, 1e-12), 0.0), 0.0, 1.0))


def falls(
    get: Get,
    *,
    block: int,
    counted: Bools,
    dropping: Bools,
    value: Floats,
    off: Floats,
    expected: Floats,
    users: Floats,
    error: Floats,
    known: Bools,
) -> Falls:
    """Return what is missing. counted: users and flows; dropping: these and traffic. off, expected: on the even scale.

    Where nobody counts users, `users` is infinite. error: standard error as a share, by sampling and loss.
    """
    pulled = quick_of(get)
    off, expected = off - pulled, expected + pulled
    floor = get("floor").astype(np.float64)
    some = np.maximum(users, 0.5)
    usual = np.maximum(np.exp(np.clip(expected, -30.0, 60.0)) - floor, 0.0)
    scale = np.where(
        counted, np.sqrt(1 + np.where(np.isfinite(some), some, 0.0) * _COMMON), np.sqrt(1 / some + _COMMON)
    )
    roots = 2 * np.sqrt(usual + 0.375)
    raw = np.where(counted, roots - 2 * np.sqrt(np.maximum(value, 0.0) + 0.375), -off) / scale
    half = np.where(
        counted, roots - 2 * np.sqrt(usual / 2 + 0.375), np.log((usual + floor + 1e-9) / (usual / 2 + floor + 1e-9))
    )
    sigma = np.maximum(get("sigma")[block].astype(np.float64), 0.02)
    wider = np.sqrt(1 + np.square(error / sigma))
    rms = np.maximum(get("rms")[block].astype(np.float64), 0.2)
    able = known & dropping & np.isfinite(raw) & (get("fall_seen")[block] >= _LEAST_SEEN)
    share = np.where(able, np.clip(raw / (wider * rms), -_LIMIT, _LIMIT), np.nan)
    raw = np.where(np.isfinite(raw) & dropping, raw / wider, np.nan)
    single = np.full((2, len(off)), np.nan)
    shift = np.full((2, len(off)), np.nan)
    single[ALONE], shift[ALONE] = share, off
    traffic = np.flatnonzero((get("flows") >= 0) & (get("partner") >= 0) & ~counted)
    if len(traffic):
        members = members_of(get, traffic)
        shares = share[members]
        there = np.isfinite(shares)
        halves = np.where(there, (half / (wider * rms * scale))[members], 0.0)
        relation = _relations(get("together")[:, traffic].astype(np.float64), there)
        weights = np.maximum(np.linalg.solve(relation, halves[..., None])[..., 0], 0.0)
        power = np.sqrt(np.einsum("pi,pij,pj->p", weights, relation, weights))
        sure = there.any(axis=1) & (power > 0)
        power = np.where(sure, power, 1.0)
        lack = np.einsum("pi,pi->p", weights, np.where(there, shares, 0.0))
        single[TOGETHER, traffic] = np.where(sure, lack / power, np.nan)
        total = np.maximum(weights.sum(axis=1), 1e-9)
        moved = np.where(there, off[members], 0.0)
        shift[TOGETHER, traffic] = np.where(sure, (weights * moved).sum(axis=1) / total, np.nan)
    before = get("fall_before").astype(np.float64)
    return Falls(raw, share, single, (single + before) / np.sqrt(2.0), shift)


def members_of(get: Get, traffic: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the numbers of traffic, users and flows of places: int64[places, 3]."""
    return np.stack([traffic, get("partner")[traffic], get("flows")[traffic]], 1).astype(np.int64)


def _relations(together: Floats, there: Bools) -> Floats:
    """Return how traffic, users and flows go together, by place: float64[places, 3, 3]; what is not there is alone."""
    found = np.zeros((together.shape[1], 3, 3))
    found[:, [0, 1, 2], [0, 1, 2]] = 1.0
    for at, (one, other) in enumerate(((0, 1), (0, 2), (1, 2))):
        both = _SHRINK * np.clip(together[at], -0.5, 0.95) * (there[:, one] & there[:, other])
        found[:, one, other] = found[:, other, one] = both
    return found


def limits(get: Get, block: int, chances: Floats) -> Floats:
    """Return what a score must exceed: float64[2, series]. chances: how likely that may be in an interval."""
    excess = np.maximum(get("fall_excess").astype(np.float64), _EXCESS_LEAST)
    more = np.maximum(np.log(_TAIL / np.maximum(chances, 1e-15)), 0.0)
    unsure = 1 + _TAIL_UNSURE * np.maximum(1 - get("fall_seen")[block] / _TAIL_SURE, 0.0)
    return np.asarray(get("fall_end")[:, block] * unsure * np.sqrt(1 + excess * more))


def learn(get: Get, told: Falls, *, block: int, y: Floats, off: Floats, take: Bools, settled: Bools) -> None:
    """Take an interval in. y: on the even scale; take: of which series; settled: whose level is known."""
    _learn_quick(get, off, take & settled)
    lately, before = get("lately"), get("lately_before")
    np.copyto(before, lately, where=take)
    np.copyto(lately, np.where(np.isfinite(lately), lately + _LATELY_GAIN * (y - lately), y), where=take)
    seen, rms = get("fall_seen")[block], get("rms")[block]
    usable = take & settled & np.isfinite(told.raw)
    gain = np.where(usable, 1 / np.minimum(seen + 1, _SPREAD_WINDOWS), 0.0)
    raw = np.nan_to_num(told.raw)
    limited = np.where(seen > 30, np.clip(raw, -_RMS_LIMIT * rms, _RMS_LIMIT * rms), raw)  # noqa: PLR2004  half an hour
    rms[:] = np.sqrt(
        np.square(rms.astype(np.float64)) + gain * (np.square(limited) - np.square(rms.astype(np.float64)))
    )
    seen += usable
    traffic = np.flatnonzero(np.isfinite(told.single[TOGETHER]) & usable)
    if len(traffic):
        shares = np.clip(np.nan_to_num(told.share[members_of(get, traffic)]), -3.0, 3.0)
        count = get("together_seen")
        rate = 1 / np.minimum(count[traffic] + 1, _PULL_WINDOWS)
        for at, (one, other) in enumerate(((0, 1), (0, 2), (1, 2))):
            row = get("together")[at]
            row[traffic] += rate * (shares[:, one] * shares[:, other] - row[traffic])
        count[traffic] += 1
    _learn_ends(get, told, block, take)


def _learn_quick(get: Get, off: Floats, take: Bools) -> None:
    quick, before = get("quick"), get("quick_before")
    sigma = np.maximum(get("sigma"), 0.02)
    near = np.clip(np.where(take, off, 0.0), -3 * sigma.max(axis=0), 3 * sigma.max(axis=0))
    for name, product in (("pull_with", near * before), ("pull_of", np.square(before, dtype=np.float64))):
        kept = get(name)
        kept += np.where(take, (product - kept) / _PULL_WINDOWS, 0.0)
    before[:] = np.where(take, quick, before * _QUICK_FADES)
    quick += np.where(take, _QUICK_GAIN * (near - quick), (_QUICK_FADES - 1) * quick)


def _learn_ends(get: Get, told: Falls, block: int, take: Bools) -> None:
    held, ends = get("fall_held"), get("fall_end")[:, block]
    excess, exceeded = get("fall_excess"), get("fall_exceeded")
    known = np.isfinite(told.score)
    usable = known & take
    far = np.where(usable, np.maximum(np.nan_to_num(told.score), held), 0.0)
    beyond = far > ends
    rate = 1 / (np.minimum(exceeded, 300.0) + _EXCESS_WORTH)
    times = far / np.maximum(ends, 1e-6)
    over = np.minimum(np.square(times) - 1, 3.0)
    excess += np.where(beyond, rate * (over - excess), 0.0)
    exceeded += beyond
    step = np.where(
        beyond, np.maximum(np.exp(_TAIL_STEP), times**_TAIL_JUMP), np.where(usable, np.exp(-_TAIL_STEP * _TAIL), 1.0)
    )
    ends[:] = np.maximum(ends * step, _TAIL_FLOOR)
    held[:] = np.where(usable, 0.0, np.where(known, np.maximum(held, np.nan_to_num(told.score)), held))
    get("fall_before")[:] = told.single


def widen(get: Get, number: int, block: int) -> None:
    """Be more careful with a place that lacked something for a short while only."""
    get("fall_end")[:, block, number] *= _WIDEN
