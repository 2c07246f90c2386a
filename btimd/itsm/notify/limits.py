"""Limits: how often one address is used, and what messages may cost in a day."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from btimd.model.incident import Priority
from btimd.model.notification import Means, Notice, NoticeState
from btimd.model.units import Seconds, UnixSeconds


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most so many messages within so long, to one address."""

    count: int
    seconds: Seconds


DEFAULT_LIMITS: Final[Mapping[Means, RateLimit]] = MappingProxyType(
    {
        Means.VOICE: RateLimit(3, 900.0),
        Means.SMS: RateLimit(5, 900.0),
        Means.IM: RateLimit(20, 900.0),
        Means.EMAIL: RateLimit(30, 900.0),
        Means.WEBHOOK: RateLimit(60, 900.0),
    }
)


@dataclass(frozen=True, slots=True)
class CostCap:
    """What a day may cost, in the currency of the channels' costs. Orders up to `spares` are sent all the same."""

    per_day: float
    spares: Priority = Priority.P1


def free_at(
    means: Means, address: str, history: Iterable[Notice], now: UnixSeconds, limits: Mapping[Means, RateLimit]
) -> UnixSeconds:
    """Return when the address may be used again, `now` or earlier = at once.

    Every notice counts that left or is about to: what was refused before anything was sent does not.
    """
    limit = limits.get(means)
    if limit is None:
        return now
    used = sorted(
        max(notice.due_at, notice.at)
        for notice in history
        if notice.means is means
        and notice.address == address
        and not notice.folded_into
        and notice.state is not NoticeState.WITHDRAWN
        and (notice.state is not NoticeState.FAILED or notice.uncertain)
        and max(notice.due_at, notice.at) > now - limit.seconds
    )
    if len(used) < limit.count:
        return now
    if limit.count == 0:
        return now + limit.seconds
    return used[-limit.count] + limit.seconds


def affordable(cost: float, spent: float, priority: Priority, cap: CostCap | None) -> bool:
    """Tell whether a message may be paid for. spent: today, all persons."""
    return cap is None or cost <= 0.0 or priority <= cap.spares or spent + cost <= cap.per_day
