"""MTTR, MTBF and MTBSI of businesses, nodes and classes of trouble, from the months of availability accounts.

MTTR = down / failures, MTBF = up / failures, MTBSI = MTTR + MTBF. Time that nobody measured is in none of them.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from btimd.model.qualityview import Reliability
from btimd.model.sla import Outage, SlaState
from btimd.model.units import Seconds, UnixSeconds


def of_businesses(months: Iterable[SlaState]) -> Sequence[Reliability]:
    """Return the reliability of each business over its months, the least available first."""
    by_business: defaultdict[str, list[SlaState]] = defaultdict(list)
    for month in months:
        by_business[month.target.business].append(month)
    rows = [
        _row(
            name,
            start=min(one.period_start for one in known),
            end=max(one.at for one in known),
            up=sum(one.up_seconds for one in known),
            down=sum(one.down_seconds for one in known),
            unknown=sum(one.unknown_seconds for one in known),
            failures=len(_merged(outage for one in known for outage in one.outages)),
        )
        for name, known in by_business.items()
    ]
    return sorted(rows, key=_worst_first)


@dataclass(slots=True)
class _Known:
    """What is known of a node or class: its outages, and the months of the businesses that it took down."""

    outages: list[Outage] = field(default_factory=list)
    businesses: set[str] = field(default_factory=set)


def of_causes(months: Sequence[SlaState], names: Callable[[Outage], Iterable[str]]) -> Sequence[Reliability]:
    """Return the reliability of what outages are put down to (names), the least available first.

    Outages of several businesses at a time are one failure. Measured counts as of the business, among those that it
    took down, that was measured the longest.
    """
    measured: defaultdict[str, list[SlaState]] = defaultdict(list)
    found: defaultdict[str, _Known] = defaultdict(_Known)
    for month in months:
        measured[month.target.business].append(month)
        for outage in month.outages:
            for name in names(outage):
                found[name].outages.append(outage)
                found[name].businesses.add(outage.business)
    rows = []
    for name, known in found.items():
        longest = max((measured[business] for business in known.businesses), key=_measured)
        end = max(one.at for one in longest)
        stretches = _merged(known.outages)
        down = sum((last or end) - first for first, last in stretches)
        whole = _measured(longest)
        rows.append(
            _row(
                name,
                start=min(one.period_start for one in longest),
                end=end,
                up=max(0.0, whole - down),
                down=down,
                unknown=sum(one.unknown_seconds for one in longest),
                failures=len(stretches),
            )
        )
    return sorted(rows, key=_worst_first)


def _measured(months: Iterable[SlaState]) -> Seconds:
    return sum(one.up_seconds + one.down_seconds for one in months)


def _merged(outages: Iterable[Outage]) -> Sequence[tuple[UnixSeconds, UnixSeconds | None]]:
    """Return the stretches of time that outages cover together; one that reaches into the next month is one."""
    merged: list[tuple[UnixSeconds, UnixSeconds | None]] = []
    for one in sorted(outages, key=lambda one: one.began_at):
        last = merged[-1] if merged else None
        if last is None or (last[1] is not None and one.began_at > last[1]):
            merged.append((one.began_at, one.ended_at))
        elif last[1] is not None:
            merged[-1] = (last[0], None if one.ended_at is None else max(last[1], one.ended_at))
    return merged


def _row(
    name: str, *, start: UnixSeconds, end: UnixSeconds, up: Seconds, down: Seconds, unknown: Seconds, failures: int
) -> Reliability:
    measured, whole = up + down, up + down + unknown
    mttr = down / failures if failures else None
    mtbf = up / failures if failures else None
    return Reliability(
        name=name,
        start=start,
        end=end,
        up_seconds=up,
        down_seconds=down,
        unknown_seconds=unknown,
        failures=failures,
        availability=up / measured if measured else None,
        coverage=measured / whole if whole else None,
        mttr_seconds=mttr,
        mtbf_seconds=mtbf,
        mtbsi_seconds=None if mttr is None or mtbf is None else mttr + mtbf,
    )


def _worst_first(row: Reliability) -> tuple[float, str]:
    return (2.0 if row.availability is None else row.availability, row.name)
