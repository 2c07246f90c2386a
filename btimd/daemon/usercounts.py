"""Who is on line, counted per business and region, for those who judge by it."""

from collections.abc import Mapping, Sequence
from typing import Final

from btimd.daemon.viewfigures import UserCount
from btimd.model.ports import FlowView

_AT_MOST: Final = 100_000


def users_on_line(flows: FlowView, businesses: Sequence[str]) -> Mapping[str, Sequence[UserCount]] | None:
    """Return the users of each business by region; None where no flows are seen, so that nobody knows.

    Waits for the flow thread: call it in a thread.
    """
    if not flows.exporters() and not flows.spans():
        return None
    counts: dict[str, Sequence[UserCount]] = {}
    for business in businesses:
        regions: dict[str, dict[str, int]] = {}
        for user in flows.users(business=business, region=None, limit=_AT_MOST):
            states = regions.setdefault(user.region, {})
            states[user.state] = states.get(user.state, 0) + 1
        counts[business] = [
            UserCount(region, states.get("active", 0), states.get("idle", 0))
            for region, states in sorted(regions.items())
        ]
    return counts
