"""What was kept of an agreement in a period: availability, failures, users' time lost, and by whom.

All times are inside the agreed service time (AST). DT: the down time in it. availability = (measured - DT) / measured
with measured = AST up to now without the time nobody measured: unknown time is never up.

The status is judged as that of a business's own target (accounting.py), with AST in place of the month: BREACHED when
the target cannot be met any more even if the rest of the period is up.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeAlias

from btimd.model.agreement import Agreement, DownShare, OutageFact, PeriodFigures
from btimd.model.sla import Availability, SlaStatus
from btimd.model.units import MILLIS_PER_SECOND, UnixMillis, UnixSeconds
from btimd.sla.accounting import AT_RISK_LEFT_SECONDS, AT_RISK_USED, PACE_MATTERS_FROM
from btimd.sla.agreedtime import AgreedTime, Span

Stretch: TypeAlias = tuple[UnixMillis, UnixMillis, Availability]
_SMALLEST_BUDGET: Final = MILLIS_PER_SECOND
_MILLIS_PER_MINUTE: Final = 60 * MILLIS_PER_SECOND
_MOST_SHARES: Final = 50


def agreed_time(
    agreement: Agreement, period: tuple[UnixSeconds, UnixSeconds], facts: Iterable[OutageFact], now: UnixSeconds
) -> AgreedTime:
    """Return the service time of a period, without planned outages where the agreement says so.

    One that goes on is left out up to `now`: nobody knows when it ends.
    """
    return AgreedTime(agreement, *period, planned=planned_spans(agreement, period, facts, now))


def planned_spans(
    agreement: Agreement, period: tuple[UnixSeconds, UnixSeconds], facts: Iterable[OutageFact], now: UnixSeconds
) -> list[Span]:
    """Return the outages that are no service time."""
    if not agreement.exclude_planned:
        return []
    low, high = (round(moment * MILLIS_PER_SECOND) for moment in (period[0], min(period[1], max(now, period[0]))))
    return [_clip(one, low, high) for one in facts if one.planned]


def figures(
    agreement: Agreement,
    subject: str,
    *,
    agreed: AgreedTime,
    stretches: Sequence[Stretch],
    facts: Sequence[OutageFact],
    now: UnixSeconds,
) -> PeriodFigures:
    """Return what was kept. stretches, facts: of the subject, in order, also beyond the period.

    Time of the period up to `now` that no stretch tells of is unknown. Outages under one cause or supplier beyond the
    longest fifty are put together under "...".
    """
    until = min(max(round(now * MILLIS_PER_SECOND), agreed.start), agreed.end)
    up, down_spans = 0, list[Span]()
    for low, high, condition in stretches:
        begin, stop = max(low, agreed.start), min(high, until)
        if condition is Availability.UP:
            up += agreed.between(begin, stop)
        elif condition is Availability.DOWN and begin < stop:
            down_spans.append((begin, stop))
    down = sum(agreed.between(*span) for span in down_spans)
    elapsed = agreed.between(agreed.start, until)
    unknown, measured = elapsed - up - down, up + down
    budget = agreement.allowed * agreed.total
    parts = _down_of(facts, down_spans, agreed, until)
    counted = [(fact, span) for fact, span in parts if span]
    failures = max(sum(begins for _, _, begins in _begun(counted)), 1 if down else 0)
    known = [(fact.users, span, fact.users_exact) for fact, span in counted if fact.users is not None]
    return PeriodFigures(
        agreement=agreement.name,
        subject=subject,
        period_start=agreed.start / MILLIS_PER_SECOND,
        period_end=agreed.end / MILLIS_PER_SECOND,
        at=until / MILLIS_PER_SECOND,
        agreed_seconds=agreed.total / MILLIS_PER_SECOND,
        excluded_seconds=agreed.excluded_between(agreed.start, until) / MILLIS_PER_SECOND,
        up_seconds=up / MILLIS_PER_SECOND,
        down_seconds=down / MILLIS_PER_SECOND,
        unknown_seconds=unknown / MILLIS_PER_SECOND,
        availability=up / measured if measured else None,
        coverage=measured / elapsed if elapsed else None,
        failures=failures,
        mttr_seconds=down / failures / MILLIS_PER_SECOND if failures else None,
        mtbf_seconds=up / failures / MILLIS_PER_SECOND if failures else None,
        mtbsi_seconds=measured / failures / MILLIS_PER_SECOND if failures else None,
        error_budget_seconds=budget / MILLIS_PER_SECOND,
        budget_used=down / max(budget, _SMALLEST_BUDGET),
        status=_status(agreement, agreed, until=until, down=down, unknown=unknown, is_down=_is_down(down_spans, until)),
        user_minutes_lost=sum(users * span for users, span, _ in known) / _MILLIS_PER_MINUTE,
        user_minutes_coverage=sum(span for _, span, _ in known) / down if down else None,
        user_minutes_exact=all(exact for _, _, exact in known),
        planned_down_seconds=sum(span for fact, span in counted if fact.planned) / MILLIS_PER_SECOND,
        by_cause=_shares(((fact.cause, span, begins) for fact, span, begins in _begun(counted)), down),
        by_supplier=_shares(((fact.supplier, span, begins) for fact, span, begins in _begun(counted)), down),
    )


def _is_down(down: Sequence[Span], until: UnixMillis) -> bool:
    return bool(down) and down[-1][1] == until


def _down_of(
    facts: Sequence[OutageFact], down: Sequence[Span], agreed: AgreedTime, until: UnixMillis
) -> list[tuple[OutageFact, int]]:
    """Return the down time in the service time that belongs to each outage; both lists in order."""
    found = []
    index = 0
    for fact in facts:
        low, high = _clip(fact, agreed.start, until)
        span = 0
        while index < len(down) and down[index][1] <= low:
            index += 1
        for begin, stop in down[index:]:
            if begin >= high:
                break
            span += agreed.between(max(begin, low), min(stop, high))
        found.append((fact, span))
    return found


def _begun(parts: Sequence[tuple[OutageFact, int]]) -> Iterator[tuple[OutageFact, int, bool]]:
    """Yield each part of an outage, and whether the outage begins with it: one may be cut where maintenance ends."""
    last: OutageFact | None = None
    for fact, span in parts:
        goes_on = last is not None and (last.ended_at, last.cause) == (fact.began_at, fact.cause)
        yield fact, span, not goes_on
        last = fact


def _clip(fact: OutageFact, low: UnixMillis, high: UnixMillis) -> Span:
    ended = high if fact.ended_at is None else round(fact.ended_at * MILLIS_PER_SECOND)
    return max(round(fact.began_at * MILLIS_PER_SECOND), low), min(ended, high)


def _shares(parts: Iterable[tuple[str, int, bool]], down: int) -> tuple[DownShare, ...]:
    sums: dict[str, list[int]] = {}
    left = down
    for key, span, begins in parts:
        one = sums.setdefault(key, [0, 0])
        one[0] += span
        one[1] += begins
        left -= span
    if left > 0:  # outages that are no longer listed
        sums.setdefault("", [0, 0])[0] += left
    ordered = sorted(sums.items(), key=lambda one: (-one[1][0], one[0]))
    shares = [DownShare(key, span / MILLIS_PER_SECOND, count) for key, (span, count) in ordered[:_MOST_SHARES]]
    if rest := ordered[_MOST_SHARES:]:
        span, count = sum(one[0] for _, one in rest), sum(one[1] for _, one in rest)
        shares.append(DownShare("...", span / MILLIS_PER_SECOND, count))
    return tuple(shares)


def _status(
    agreement: Agreement, agreed: AgreedTime, *, until: UnixMillis, down: int, unknown: int, is_down: bool
) -> SlaStatus:
    elapsed = agreed.between(agreed.start, until)
    if elapsed == unknown:
        return SlaStatus.UNMEASURED
    # whole milliseconds on both sides: a target that is just met is met
    if down > agreement.allowed * (agreed.total - unknown) + 0.5:
        return SlaStatus.BREACHED
    if until == agreed.end:
        return SlaStatus.MET
    budget = agreement.allowed * agreed.total
    used = down / max(budget, _SMALLEST_BUDGET)
    over = elapsed / agreed.total
    running_out = is_down and budget - down < AT_RISK_LEFT_SECONDS * MILLIS_PER_SECOND
    if used >= AT_RISK_USED or (used >= PACE_MATTERS_FROM and used > over) or running_out:
        return SlaStatus.AT_RISK
    return SlaStatus.MET
