"""TopologyService: devices, interfaces and links, and what each business puts on them."""

from btimd.api.auth import Caller
from btimd.api.convert_topology import DEVICE, DEVICE_INTERFACE, DUPLICATION, LINK, PATH_HOP
from btimd.api.errors import invalid
from btimd.api.pb import topology_pb2 as pb
from btimd.api.requests import named, optional_name, page_limit, page_of
from btimd.api.rpc import Service
from btimd.model.topology import TopologyView


class TopologyServicer:
    """Serves a TopologyView."""

    def __init__(self, view: TopologyView) -> None:
        self._view = view

    async def list_devices(self, request: pb.ListDevicesRequest, _caller: Caller) -> pb.ListDevicesResponse:
        """Return the devices."""
        limit = page_limit(request.limit)
        page, more = page_of(self._view.devices(limit=limit + 1), limit)
        return pb.ListDevicesResponse(devices=[DEVICE.to_pb(one) for one in page], more=more)

    async def list_interfaces(self, request: pb.ListInterfacesRequest, _caller: Caller) -> pb.ListInterfacesResponse:
        """Return interfaces."""
        limit, device = page_limit(request.limit), optional_name(request, "device")
        try:
            found = self._view.interfaces(device=device, limit=limit + 1)
        except KeyError as error:
            raise invalid("device", str(error.args[0])) from error
        page, more = page_of(found, limit)
        return pb.ListInterfacesResponse(interfaces=[DEVICE_INTERFACE.to_pb(one) for one in page], more=more)

    async def list_links(self, request: pb.ListLinksRequest, _caller: Caller) -> pb.ListLinksResponse:
        """Return links, fullest first."""
        limit, device = page_limit(request.limit), optional_name(request, "device")
        interface, business = optional_name(request, "interface"), optional_name(request, "business")
        try:
            found = self._view.links(device=device, interface=interface, business=business, limit=limit + 1)
        except KeyError as error:
            raise invalid("device", str(error.args[0])) from error
        page, more = page_of(found, limit)
        return pb.ListLinksResponse(links=[LINK.to_pb(one) for one in page], more=more)

    async def get_business_path(
        self, request: pb.GetBusinessPathRequest, _caller: Caller
    ) -> pb.GetBusinessPathResponse:
        """Return where a business runs."""
        limit = page_limit(request.limit)
        page, more = page_of(self._view.business_path(named(request, "business"), limit=limit + 1), limit)
        return pb.GetBusinessPathResponse(hops=[PATH_HOP.to_pb(one) for one in page], more=more)

    async def list_duplication(self, request: pb.ListDuplicationRequest, _caller: Caller) -> pb.ListDuplicationResponse:
        """Return how much was reported more than once."""
        limit = page_limit(request.limit)
        found = self._view.duplication(
            business=optional_name(request, "business"), exporter=optional_name(request, "exporter"), limit=limit + 1
        )
        page, more = page_of(found, limit)
        return pb.ListDuplicationResponse(rows=[DUPLICATION.to_pb(one) for one in page], more=more)


def topology_service(view: TopologyView) -> Service:
    """Return the service of a view; the flows component must run for it."""
    return Service(pb.DESCRIPTOR.services_by_name["TopologyService"], TopologyServicer(view), ("flows",))
