"""Who is on line, counted per business and region, for those who judge by it."""

from collections.abc import Mapping, Sequence

from btimd.daemon.viewfigures import UserCount
from btimd.model.outage import UsersByRegion
from btimd.model.ports import FlowView
from btimd.model.service import BusinessService
from btimd.model.units import Seconds


def users_on_line(flows: FlowView, businesses: Sequence[str]) -> Mapping[str, Sequence[UserCount]] | None:
    """Return the users of each business by region; None where no flows are seen, so that nobody knows.

    Waits for the flow thread: call it in a thread.
    """
    if not flows.exporters() and not flows.spans():
        return None
    counts: dict[str, list[UserCount]] = {business: [] for business in businesses}
    for row in flows.user_counts(business=None, group_by=("business", "region")):
        if row.business in counts:
            counts[row.business].append(UserCount(row.region, row.active, row.idle))
    return counts


def users_by_region(flows: FlowView, businesses: Sequence[str]) -> UsersByRegion:
    """Return how many users (active or idle) each business has in each region; {} where nobody counts them.

    Waits for the flow thread: call it in a thread.
    """
    counts = users_on_line(flows, businesses) or {}
    return {
        business: {one.region: one.active + one.idle for one in regions if one.active + one.idle}
        for business, regions in counts.items()
    }


def user_thresholds(
    businesses: Mapping[str, BusinessService], active_seconds: Seconds, idle_seconds: Seconds
) -> Mapping[str, tuple[Seconds, Seconds]]:
    """Return after what time users are idle, and gone, for the businesses that say so themselves."""
    return {
        name: (
            active_seconds if one.user_active_seconds is None else one.user_active_seconds,
            idle_seconds if one.user_idle_seconds is None else one.user_idle_seconds,
        )
        for name, one in businesses.items()
        if one.user_active_seconds is not None or one.user_idle_seconds is not None
    }
