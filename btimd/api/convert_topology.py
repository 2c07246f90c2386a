"""Topology <-> protobuf."""

from btimd.api.codec import Codec
from btimd.api.pb import topology_pb2 as pb
from btimd.model.topology import (
    BusinessShare,
    Device,
    DeviceInterface,
    DuplicationRow,
    InterfaceLoad,
    Link,
    PathHop,
)

_INTERVAL = {"interval_start_milliseconds": "interval_start"}

DEVICE = Codec(Device, pb.Device, {"told_milliseconds": "told_at"})
BUSINESS_SHARE = Codec(BusinessShare, pb.BusinessShare)
INTERFACE_LOAD = Codec(InterfaceLoad, pb.InterfaceLoad, _INTERVAL)
DEVICE_INTERFACE = Codec(DeviceInterface, pb.DeviceInterface)
LINK = Codec(Link, pb.Link, {"last_seen_milliseconds": "last_seen_at"})
PATH_HOP = Codec(PathHop, pb.PathHop, _INTERVAL)
DUPLICATION = Codec(DuplicationRow, pb.DuplicationRow, _INTERVAL)
