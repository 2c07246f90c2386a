"""Calls of TopologyService."""

from btimd.api.client import Client, Page
from btimd.api.convert_topology import DEVICE, DEVICE_INTERFACE, DUPLICATION, LINK, PATH_HOP
from btimd.api.pb import topology_pb2 as pb
from btimd.model.topology import Device, DeviceInterface, DuplicationRow, Link, PathHop


def devices(client: Client, *, limit: int = 0) -> Page[Device]:
    """Return the devices by name."""
    return client.page("ListDevices", pb.ListDevicesRequest(limit=limit), "devices", DEVICE.from_pb)


def interfaces(client: Client, *, device: str | None = None, limit: int = 0) -> Page[DeviceInterface]:
    """Return the interfaces of a device, or of all."""
    request = pb.ListInterfacesRequest(device=device, limit=limit)
    return client.page("ListInterfaces", request, "interfaces", DEVICE_INTERFACE.from_pb)


def links(
    client: Client,
    *,
    device: str | None = None,
    interface: str | None = None,
    business: str | None = None,
    limit: int = 0,
) -> Page[Link]:
    """Return links and lines, fullest first."""
    request = pb.ListLinksRequest(device=device, interface=interface, business=business, limit=limit)
    return client.page("ListLinks", request, "links", LINK.from_pb)


def business_path(client: Client, business: str, *, limit: int = 0) -> Page[PathHop]:
    """Return where a business runs, most traffic first."""
    request = pb.GetBusinessPathRequest(business=business, limit=limit)
    return client.page("GetBusinessPath", request, "hops", PATH_HOP.from_pb)


def duplication(
    client: Client, *, business: str | None = None, exporter: str | None = None, limit: int = 0
) -> Page[DuplicationRow]:
    """Return how much was reported more than once, newest first."""
    request = pb.ListDuplicationRequest(business=business, exporter=exporter, limit=limit)
    return client.page("ListDuplication", request, "rows", DUPLICATION.from_pb)
