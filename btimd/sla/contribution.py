"""What each component took from the availability of a subject: where to spend, and where it is enough."""

from collections.abc import Iterable, Mapping, Sequence

from btimd.model.agreement import Agreement, PeriodFigures
from btimd.model.levels import Contribution
from btimd.model.units import Seconds


def contributions(
    periods: Sequence[PeriodFigures], agreements: Iterable[Agreement], cover: Mapping[str, frozenset[str]]
) -> list[Contribution]:
    """Return what the causes of outages took in some periods of one subject, the worst first.

    Nothing where nothing was measured. cover: the nodes of each OLA and UC.
    """
    measured = sum(one.up_seconds + one.down_seconds for one in periods)
    down = sum(one.down_seconds for one in periods)
    if measured <= 0:
        return []
    sums: dict[str, tuple[Seconds, int]] = {}
    for period in periods:
        for share in period.by_cause:
            seconds, count = sums.get(share.key, (0.0, 0))
            sums[share.key] = seconds + share.down_seconds, count + share.outages
    found = [
        _contribution(node, seconds, count, down, measured, _answerable(node, agreements, cover))
        for node, (seconds, count) in sums.items()
        if seconds > 0
    ]
    return sorted(found, key=lambda one: (-one.down_seconds, one.node))


def _contribution(
    node: str, seconds: Seconds, count: int, down: Seconds, measured: Seconds, answers: Agreement | None
) -> Contribution:
    availability = 1.0 - seconds / measured
    promised = None if answers is None else answers.availability_percent
    return Contribution(
        node=node,
        down_seconds=seconds,
        outages=count,
        share=seconds / down,
        availability=availability,
        without=1.0 - (down - seconds) / measured,
        mttr_seconds=seconds / max(count, 1),
        agreement="" if answers is None else answers.name,
        promised_percent=promised,
        below_promise=promised is not None and availability * 100.0 < promised,
    )


def _answerable(node: str, agreements: Iterable[Agreement], cover: Mapping[str, frozenset[str]]) -> Agreement | None:
    """Return the OLA or UC that covers a node, of several the one that covers least."""
    fitting = [one for one in agreements if node and node in cover.get(one.name, ())]
    return min(fitting, key=lambda one: (len(cover[one.name]), one.name), default=None)
