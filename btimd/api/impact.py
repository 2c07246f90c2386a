"""ImpactService: what fails with a node, what to bring back first, what the model has grown by."""

from typing import Final

from btimd.api.auth import Caller
from btimd.api.convert_impact import GROWN_NEED, OUTAGE_IMPACT, RESTORING_ORDER
from btimd.api.errors import invalid, not_found
from btimd.api.pb import impact_pb2 as pb
from btimd.api.requests import bounded, page_limit, page_of
from btimd.api.rpc import Service
from btimd.model.growth import GrowthView
from btimd.model.outage import OutageView

MOST_NODES: Final = 100
_MOST_CHARACTERS: Final = 200


class ImpactServicer:
    """Serves OutageView and GrowthView."""

    def __init__(self, outages: OutageView, growth: GrowthView) -> None:
        self._outages = outages
        self._growth = growth

    async def simulate_outage(self, request: pb.SimulateOutageRequest, _caller: Caller) -> pb.SimulateOutageResponse:
        """Say what would happen."""
        if not 1 <= len(request.nodes) <= MOST_NODES:
            raise invalid("nodes", f"{len(request.nodes)} nodes; from 1 to {MOST_NODES}")
        nodes = [bounded("nodes", node, _MOST_CHARACTERS) for node in request.nodes]
        try:
            impact = await self._outages.simulate(nodes)
        except KeyError as error:
            raise not_found("node", str(error.args[0])) from error
        return pb.SimulateOutageResponse(impact=OUTAGE_IMPACT.to_pb(impact))

    async def get_restoring_order(
        self, _request: pb.GetRestoringOrderRequest, _caller: Caller
    ) -> pb.GetRestoringOrderResponse:
        """Return the order."""
        return pb.GetRestoringOrderResponse(order=RESTORING_ORDER.to_pb(await self._outages.restoring_order()))

    async def list_grown_needs(self, request: pb.ListGrownNeedsRequest, _caller: Caller) -> pb.ListGrownNeedsResponse:
        """Return needs that were found."""
        needs, more = page_of(self._growth.grown(), page_limit(request.limit))
        return pb.ListGrownNeedsResponse(needs=[GROWN_NEED.to_pb(one) for one in needs], more=more)


def impact_service(outages: OutageView, growth: GrowthView) -> Service:
    """Return the service to be served."""
    return Service(pb.DESCRIPTOR.services_by_name["ImpactService"], ImpactServicer(outages, growth), ("rca",))
