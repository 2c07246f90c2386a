"""Devices, interfaces, neighbours and links: what the network tells of itself, and what businesses put on it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from btimd.model.units import UnixMillis


class FactSource(StrEnum):
    """Where something about the network is known from."""

    LLDP = "lldp"
    CDP = "cdp"
    FDB = "fdb"
    ARP = "arp"
    ROUTE = "route"
    FLOW = "flow"
    CONFIG = "config"


@dataclass(frozen=True, slots=True)
class InterfaceFacts:
    """A row of ifTable and ifXTable (RFC 2863).

    speed: bit/s, 0 = not told. mac: 12 lower-case hexadecimal digits, "" = none. addresses: "10.0.0.1/24".
    in_octets, out_octets: ifHCInOctets, ifHCOutOctets, else the 32-bit ones (hc False), at counters_at; None = not
    told. in_errors, out_errors, in_discards, out_discards likewise. last_change: ms since 1970, None = not told.
    """

    index: int
    name: str
    description: str = ""
    alias: str = ""
    type: int = 0
    speed: int = 0
    mac: str = ""
    admin_up: bool = True
    oper_up: bool = True
    addresses: tuple[str, ...] = ()
    in_octets: int | None = None
    out_octets: int | None = None
    in_errors: int | None = None
    out_errors: int | None = None
    in_discards: int | None = None
    out_discards: int | None = None
    hc: bool = True
    counters_at: UnixMillis = 0
    last_change: UnixMillis | None = None


@dataclass(frozen=True, slots=True)
class NeighbourFacts:
    """What a device says of who hangs on one of its interfaces (LLDP-MIB, CISCO-CDP-MIB).

    chassis: the neighbour's chassis id, a MAC as 12 hexadecimal digits or text. addresses: management addresses.
    """

    source: FactSource
    interface: int
    chassis: str = ""
    name: str = ""
    port: str = ""
    port_description: str = ""
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """All that one device told by SNMP at a moment, or why it told nothing.

    name: of the table [probes.snmp.NAME], or sysName for a device that was found. address: where it was asked.
    sys_*: SNMPv2-MIB; uptime_seconds None = not told. model, serial: ENTITY-MIB. chassis: LLDP local chassis id.
    arp: (interface, address, MAC) of ipNetToPhysicalTable or ipNetToMediaTable. fdb: (interface, MAC) of the bridge,
    interface = ifIndex. routes: (prefix, next hop, interface). requests, octets: what asking cost. partial: tables
    that could not be read whole, each with its reason. error: why nothing could be read, "" = it could.
    """

    name: str
    address: str
    at: UnixMillis
    sys_name: str = ""
    sys_description: str = ""
    sys_object_id: str = ""
    sys_location: str = ""
    uptime_seconds: float | None = None
    model: str = ""
    serial: str = ""
    chassis: str = ""
    interfaces: tuple[InterfaceFacts, ...] = ()
    neighbours: tuple[NeighbourFacts, ...] = ()
    arp: tuple[tuple[int, str, str], ...] = ()
    fdb: tuple[tuple[int, str], ...] = ()
    routes: tuple[tuple[str, str, int], ...] = ()
    requests: int = 0
    octets: int = 0
    partial: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class BusinessShare:
    """What one business puts on an interface, one way. business "" = traffic of none. share: of all flow octets."""

    business: str
    octets: int
    bits_per_second: float
    share: float


@dataclass(frozen=True, slots=True)
class InterfaceLoad:
    """How full one direction of an interface is, and with what, in one interval.

    device: name or address of the exporter or device. direction: "in" or "out", as the device sees it.
    speed: bit/s, 0 = unknown; utilisation: of the measured load where there is one, else of the flows'; None where the
    speed is not known. measured_bits_per_second: from SNMP counters, None = not asked. flow_bits_per_second: from flow
    records, each counted once at this interface. flow_coverage: flows divided by measured; None = unknown. sampled:
    some of it is estimated. shares: of businesses, largest first.
    """

    device: str
    interface: int
    interface_name: str
    direction: str
    interval_start_milliseconds: UnixMillis
    interval_milliseconds: int
    speed: int
    utilisation: float | None
    measured_bits_per_second: float | None
    flow_bits_per_second: float
    flow_coverage: float | None
    sampled: bool
    shares: tuple[BusinessShare, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """Two ends that hang on each other; the far end may be known by name only (far_interface 0).

    id: stable text of both ends, "core:Gi0/1--edge1:Gi0/48". sources: what tells of it. ambiguous: several
    devices are seen behind that interface. oper_up: None = nobody told. loads: of the near end, in and out; empty =
    nothing was measured.
    """

    id: str
    device: str
    interface: int
    interface_name: str
    far_device: str
    far_interface: int
    far_interface_name: str
    sources: tuple[FactSource, ...]
    speed: int = 0
    oper_up: bool | None = None
    ambiguous: bool = False
    last_seen_milliseconds: UnixMillis = 0
    loads: tuple[InterfaceLoad, ...] = field(default=())


class DeviceState(StrEnum):
    """What is known of a device's own health."""

    UP = "up"
    RESTARTED = "restarted"
    """It answers, and has been up for a short time only."""
    SILENT = "silent"
    """It was asked and did not answer."""
    UNKNOWN = "unknown"
    """It is not asked, or what it told is too old."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device of the network, as SNMP, neighbours and flow records tell together.

    name: of the configuration, else sysName, else the exporter's name or address. exporters: addresses of those that
    send its flow records. error: why it told nothing, "" = it did or was not asked. told_milliseconds: when it told
    its facts, None = never. interfaces: how many are known.
    """

    name: str
    addresses: tuple[str, ...]
    state: DeviceState
    sys_name: str = ""
    sys_description: str = ""
    sys_location: str = ""
    model: str = ""
    serial: str = ""
    uptime_seconds: float | None = None
    exporters: tuple[str, ...] = ()
    interfaces: int = 0
    error: str = ""
    partial: tuple[str, ...] = ()
    told_milliseconds: UnixMillis | None = None


@dataclass(frozen=True, slots=True)
class DeviceInterface:
    """An interface of a device. index 0: what has none: the device itself, discarded, not told.

    sources: who knows it: CONFIG for SNMP, FLOW for flow records and exporters' options. speed: bit/s, 0 = unknown;
    speed_source: "config", "snmp", "exporter", "". admin_up, oper_up: None = nobody told. neighbours: "edge1 Gi0/48",
    several where it is ambiguous. loads: in and out, empty = nothing was measured.
    """

    device: str
    index: int
    name: str
    description: str = ""
    alias: str = ""
    mac: str = ""
    addresses: tuple[str, ...] = ()
    speed: int = 0
    speed_source: str = ""
    admin_up: bool | None = None
    oper_up: bool | None = None
    sources: tuple[str, ...] = ()
    neighbours: tuple[str, ...] = ()
    loads: tuple[InterfaceLoad, ...] = ()


@dataclass(frozen=True, slots=True)
class PathHop:
    """One direction of an interface that a business runs over, in one interval.

    share: of all octets there. state: "good", "degraded", "bad", "unknown", and remarks say why. far_device: what hangs
    on it, "" = not known. octets: estimates where sampled; derived: told by the other end of the device.
    lines_to_servers: how many lines lie between the device and the network of the servers, None = not known.
    """

    device: str
    device_state: DeviceState
    interface: int
    interface_name: str
    direction: str
    interval_start_milliseconds: UnixMillis
    interval_milliseconds: int
    octets: int
    bits_per_second: float
    share: float
    sampled: bool
    derived: bool
    utilisation: float | None
    oper_up: bool | None
    far_device: str
    far_interface_name: str
    state: str
    remarks: tuple[str, ...]
    lines_to_servers: int | None = None


@dataclass(frozen=True, slots=True)
class DuplicationRow:
    """How much of what was reported counts, in one interval; octets are estimates where sampled.

    exporter: name or address, "*" = all together. business: "*" = all together, "" = of none. duplication_factor:
    octets reported per octet that counts, None = none count here, as others reported them first, or not known.
    compared: the share of flows that was looked at; below 1 all of this is estimated from them, and the standard error
    of what is duplicate is at least relative_error of it, more where few flows carry most. compared 0: nothing was
    looked at, or sometimes a sample and sometimes all, so nobody knows. relative_error None = not known.
    """

    interval_start_milliseconds: UnixMillis
    interval_milliseconds: int
    exporter: str
    business: str
    counted_records: int
    counted_octets: int
    duplicate_records: int
    duplicate_octets: int
    duplication_factor: float | None
    compared: float = 1.0
    relative_error: float | None = 0.0


class TopologyView(Protocol):
    """What is known of devices and links, and what businesses put on them. `limit`: at most so many."""

    def devices(self, *, limit: int) -> Sequence[Device]:
        """Return the devices by name."""
        ...

    def interfaces(self, *, device: str | None, limit: int) -> Sequence[DeviceInterface]:
        """Return the interfaces of a device, or of all; raises KeyError for a device that is not known."""
        ...

    def links(self, *, device: str | None, interface: str | None, business: str | None, limit: int) -> Sequence[Link]:
        """Return links and lines, fullest first; raises KeyError for a device that is not known.

        interface: name or ifIndex. business: only those it runs over.
        """
        ...

    def business_path(self, business: str, *, limit: int) -> Sequence[PathHop]:
        """Return where a business runs in the latest interval: from users to servers, then what no line joins to these.

        Hops whose lines_to_servers is None are in the order of their devices' traffic, most first.
        """
        ...

    def duplication(self, *, business: str | None, exporter: str | None, limit: int) -> Sequence[DuplicationRow]:
        """Return how much was reported more than once in the latest intervals, newest first."""
        ...
