"""Calls of ImpactService, as seen by a caller."""

from collections.abc import Sequence

from btimd.api.client import Client, Page
from btimd.api.convert_impact import GROWN_NEED, OUTAGE_IMPACT, RESTORING_ORDER
from btimd.api.pb import impact_pb2 as pb
from btimd.model.growth import GrownNeed
from btimd.model.outage import OutageImpact, RestoringOrder


def simulate_outage(client: Client, nodes: Sequence[str]) -> OutageImpact:
    """Return what would happen if these nodes failed now."""
    return OUTAGE_IMPACT.from_pb(client.call("SimulateOutage", pb.SimulateOutageRequest(nodes=nodes)).impact)


def restoring_order(client: Client) -> RestoringOrder:
    """Return what to bring back first."""
    return RESTORING_ORDER.from_pb(client.call("GetRestoringOrder", pb.GetRestoringOrderRequest()).order)


def grown_needs(client: Client, limit: int = 0) -> Page[GrownNeed]:
    """Return the needs that were found."""
    return client.page("ListGrownNeeds", pb.ListGrownNeedsRequest(limit=limit), "needs", GROWN_NEED.from_pb)
