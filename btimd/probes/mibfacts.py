"""What a poll has read -> DeviceFacts. Rows that cannot be are left out and counted in `partial`; nothing is raised."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from btimd.model.topology import DeviceFacts, InterfaceFacts
from btimd.model.units import UnixMillis
from btimd.probes import mibs
from btimd.probes.mibneighbours import cdp_neighbours, lldp_neighbours
from btimd.probes.mibvalues import (
    ipv4_of,
    lldp_id,
    mac,
    mac_of,
    mask_length,
    numbers,
    prefix_of,
    single,
    take_inet,
    text,
    whole,
)
from btimd.probes.snmpsession import Oid, Readings, Value

_UP: Final = 1
_COUNTER_STEPS: Final = ("system:", "ifXTable counters", "ifTable counters", "ifTable octets")
_CHASSIS: Final = 3
_BROADCAST: Final = 3
_SATURATED: Final = 0xFFFF_FFFF
_HALF_MEGABIT: Final = 500_000
_TICKS_PER_SECOND: Final = 100
_MILLIS_PER_TICK: Final = 10
_HIGHEST_SPEED: Final = 10_000_000  # Mbit/s; more is nonsense
_HIGHEST_INDEX: Final = 0x7FFF_FFFF  # InterfaceIndex, RFC 2863
_CIDR_ROUTE_INDEX: Final = 13  # destination 4, mask 4, TOS, next hop 4


@dataclass(slots=True)
class LeftOut:
    """Rows that made no sense, by table."""

    rows: dict[str, int] = field(default_factory=dict)

    def add(self, table: str, count: int = 1) -> None:
        """Count rows of a table."""
        if count:
            self.rows[table] = self.rows.get(table, 0) + count

    def texts(self) -> tuple[str, ...]:
        """Return a sentence for each table."""
        return tuple(
            f"{table}: {count} {'row' if count == 1 else 'rows'} left out, made no sense"
            for table, count in sorted(self.rows.items())
        )


def device_facts(name: str, address: str, at: UnixMillis, readings: Readings) -> DeviceFacts:
    """Return what a poll of everything tells of a device; requests and octets are for the caller to fill in."""
    left_out = LeftOut()
    scalars = readings.scalars
    ticks = whole(scalars.get(mibs.SYS_UPTIME))
    interfaces = _interfaces(readings, at, ticks, left_out)
    bridge_ports = numbers(readings.column(mibs.BASE_PORT_IF))
    own_macs = {interface.mac for interface in interfaces}
    object_id = scalars.get(mibs.SYS_OBJECT_ID)
    model, serial = _chassis(readings)
    return DeviceFacts(
        name=name or text(scalars.get(mibs.SYS_NAME)) or address,
        address=address,
        at=at,
        sys_name=text(scalars.get(mibs.SYS_NAME)),
        sys_description=text(scalars.get(mibs.SYS_DESCR)),
        sys_object_id=".".join(map(str, object_id)) if isinstance(object_id, tuple) else "",
        sys_location=text(scalars.get(mibs.SYS_LOCATION)),
        uptime_seconds=None if ticks is None else ticks / _TICKS_PER_SECOND,
        model=model,
        serial=serial,
        chassis=lldp_id(
            scalars.get(mibs.LLDP_CHASSIS_SUBTYPE),
            scalars.get(mibs.LLDP_CHASSIS),
            mac_subtype=4,
            address_subtype=5,
        ),
        interfaces=interfaces,
        neighbours=(
            *lldp_neighbours(readings, interfaces, bridge_ports, left_out.add),
            *cdp_neighbours(readings, left_out.add),
        ),
        arp=tuple(_arp(readings, left_out.add)),
        fdb=tuple(_fdb(readings, bridge_ports, own_macs, left_out.add)),
        routes=tuple(_routes(readings, left_out.add)),
        partial=(*readings.partial, *left_out.texts()),
    )


def with_counters(facts: DeviceFacts, at: UnixMillis, readings: Readings) -> DeviceFacts:
    """Return facts with the counters, states and uptime of a frequent poll, and the tables as they were."""
    ticks = whole(readings.scalars.get(mibs.SYS_UPTIME))
    fresh = _Counters(readings, at)
    return replace(
        facts,
        at=at,
        uptime_seconds=None if ticks is None else ticks / _TICKS_PER_SECOND,
        interfaces=tuple(fresh.put_on(interface) for interface in facts.interfaces),
        partial=(*(said for said in facts.partial if not said.startswith(_COUNTER_STEPS)), *readings.partial),
        error="",
    )


def interfaces_changed(facts: DeviceFacts, last_change: Value, readings: Readings) -> bool:
    """Tell whether a frequent poll saw that the table of interfaces is another one than in facts.

    last_change: ifTableLastChange at the poll of everything.
    """
    now = readings.scalars.get(mibs.IF_TABLE_LAST_CHANGE)
    if now is not None and last_change is not None and now != last_change:
        return True
    if "ifTable counters" in readings.unfinished:
        return False
    known = {interface.index for interface in facts.interfaces}
    return any(index not in known for index in numbers(readings.column(mibs.IF_OPER)))


class _Counters:
    """The counters of a poll, by interface."""

    def __init__(self, readings: Readings, at: UnixMillis) -> None:
        self._at = at
        self._oper = numbers(readings.column(mibs.IF_OPER))
        self._wide = (numbers(readings.column(mibs.IF_HC_IN_OCTETS)), numbers(readings.column(mibs.IF_HC_OUT_OCTETS)))
        self._narrow = (numbers(readings.column(mibs.IF_IN_OCTETS)), numbers(readings.column(mibs.IF_OUT_OCTETS)))
        self._others = tuple(
            numbers(readings.column(column))
            for column in (mibs.IF_IN_ERRORS, mibs.IF_OUT_ERRORS, mibs.IF_IN_DISCARDS, mibs.IF_OUT_DISCARDS)
        )
        self._wide_at = readings.arrived.get("ifXTable counters", {})
        self._narrow_at = readings.arrived.get("ifTable octets", {})

    def put_on(self, interface: InterfaceFacts) -> InterfaceFacts:
        """Return the interface with these counters; one that the poll did not tell of has none."""
        index = interface.index
        is_wide = index in self._wide[0] or index in self._wide[1]
        source, arrived = (self._wide, self._wide_at) if is_wide else (self._narrow, self._narrow_at)
        return replace(
            interface,
            oper_up=self._oper[index] == _UP if index in self._oper else interface.oper_up,
            in_octets=source[0].get(index),
            out_octets=source[1].get(index),
            in_errors=self._others[0].get(index),
            out_errors=self._others[1].get(index),
            in_discards=self._others[2].get(index),
            out_discards=self._others[3].get(index),
            hc=is_wide,
            counters_at=arrived.get((index,), self._at),
        )


def speed_of(speed: int | None, high_speed: int | None) -> int:
    """Return bit/s from ifSpeed and ifHighSpeed (Mbit/s), 0 = not told.

    ifSpeed is exact where both say the same; it ends at 2^32 - 1, and some agents let it wrap.
    """
    high = high_speed if high_speed is not None and high_speed <= _HIGHEST_SPEED else 0
    if speed is not None and speed != _SATURATED and (not high or abs(speed - high * 1_000_000) <= _HALF_MEGABIT):
        return speed
    return high * 1_000_000


def _interfaces(readings: Readings, at: UnixMillis, ticks: int | None, left_out: LeftOut) -> tuple[InterfaceFacts, ...]:
    described, named = readings.column(mibs.IF_DESCR), readings.column(mibs.IF_NAME)
    types, macs = numbers(readings.column(mibs.IF_TYPE)), readings.column(mibs.IF_MAC)
    speeds, high_speeds = numbers(readings.column(mibs.IF_SPEED)), numbers(readings.column(mibs.IF_HIGH_SPEED))
    admin, last_changes = numbers(readings.column(mibs.IF_ADMIN)), numbers(readings.column(mibs.IF_LAST_CHANGE))
    aliases = readings.column(mibs.IF_ALIAS)
    addresses = _addresses(readings, left_out.add)
    counters = _Counters(readings, at)
    found = []
    for index in sorted(described.keys() | named.keys()):
        number = single(index)
        if number is None or not 1 <= number <= _HIGHEST_INDEX:
            left_out.add("ifTable")
            continue
        changed = last_changes.get(number)
        known_change = changed is not None and ticks is not None and changed <= ticks
        description = text(described.get(index))
        interface = InterfaceFacts(
            index=number,
            name=text(named.get(index)) or description or str(number),
            description=description,
            alias=text(aliases.get(index)),
            type=types.get(number, 0),
            speed=speed_of(speeds.get(number), high_speeds.get(number)),
            mac=mac(macs.get(index)),
            admin_up=admin.get(number) == _UP,
            oper_up=False,  # until the counters say otherwise
            addresses=tuple(addresses.get(number, ())),
            last_change=at - ((ticks or 0) - (changed or 0)) * _MILLIS_PER_TICK if known_change else None,
        )
        found.append(counters.put_on(interface))
    return tuple(found)


def _addresses(readings: Readings, left_out: Callable[[str], None]) -> dict[int, list[str]]:
    """Return the addresses of each interface, with their prefix length where it is told."""
    found: dict[int, list[str]] = {}
    prefixes, types = readings.column(mibs.IP_ADDRESS_PREFIX), readings.column(mibs.IP_ADDRESS_TYPE)
    for index, interface in readings.column(mibs.IP_ADDRESS_IF).items():
        taken = take_inet(index, 0)
        if taken is None or not isinstance(interface, int):
            left_out("ipAddressTable")
            continue
        if types.get(index) == _BROADCAST:
            continue
        row = prefixes.get(index)  # points to a row of ipAddressPrefixTable, whose index ends in the length
        length = row[-1] if isinstance(row, tuple) and len(row) > len(mibs.IP_ADDRESS_PREFIX) else None
        found.setdefault(interface, []).append(_with_length(taken[0], length))
    masks = readings.column(mibs.IP_AD_ENT_MASK)
    for index, interface in readings.column(mibs.IP_AD_ENT_IF).items():
        address = ipv4_of(index)
        if address is None or not isinstance(interface, int):
            left_out("ipAddrTable")
            continue
        mask = masks.get(index)
        length = mask_length(ipv4_of(tuple(mask))) if isinstance(mask, bytes) else None
        found.setdefault(interface, []).append(_with_length(address, length))
    return found


def _with_length(address: str, length: int | None) -> str:
    if length is None or prefix_of(address, length) is None:
        return address
    return f"{address}/{length}"


def _chassis(readings: Readings) -> tuple[str, str]:
    """Return model and serial number of the first chassis, else of the first thing that has any."""
    models, serials = readings.column(mibs.ENTITY_MODEL), readings.column(mibs.ENTITY_SERIAL)
    classes, described = readings.column(mibs.ENTITY_CLASS), readings.column(mibs.ENTITY_DESCR)
    rows = sorted(classes.keys() | models.keys())
    for index in [*(row for row in rows if classes.get(row) == _CHASSIS), *rows]:
        model, serial = text(models.get(index)), text(serials.get(index))
        if model or serial:
            return model or text(described.get(index)), serial
    return "", ""


def _arp(readings: Readings, left_out: Callable[[str], None]) -> Iterable[tuple[int, str, str]]:
    for index, value in readings.column(mibs.NET_TO_PHYSICAL).items():
        taken = take_inet(index, 1)
        if taken is None or not isinstance(value, bytes):
            left_out("ipNetToPhysicalTable")
        elif mac(value):  # an entry without a MAC is one that is being asked for
            yield index[0], taken[0], mac(value)
    for index, value in readings.column(mibs.NET_TO_MEDIA).items():
        address = ipv4_of(index[1:])
        if address is None or not isinstance(value, bytes):
            left_out("ipNetToMediaTable")
        elif mac(value):
            yield index[0], address, mac(value)


def _fdb(
    readings: Readings, bridge_ports: dict[int, int], own_macs: set[str], left_out: Callable[[str], None]
) -> list[tuple[int, str]]:
    """Return who was seen behind which interface, each once, whatever VLAN; the device's own addresses are left out."""
    found: dict[tuple[int, str], None] = {}
    tables: tuple[tuple[str, Oid, int], ...] = (
        ("dot1qTpFdbTable", mibs.DOT1Q_FDB_PORT, 1),  # behind the number of the filtering database
        ("dot1dTpFdbTable", mibs.DOT1D_FDB_PORT, 0),
    )
    for table, column, start in tables:
        for index, port in readings.column(column).items():
            station = mac_of(index[start:])
            if station is None or not isinstance(port, int) or port < 0:
                left_out(table)
            elif port == 0 or station in own_macs:
                continue  # 0: learned, but the agent does not know where
            elif port in bridge_ports:
                found[bridge_ports[port], station] = None
            else:
                left_out(table)
    return list(found)


def _routes(readings: Readings, left_out: Callable[[str], None]) -> Iterable[tuple[str, str, int]]:
    for index, interface in readings.column(mibs.INET_ROUTE_IF).items():
        route = _inet_route(index)
        if route is None or not isinstance(interface, int):
            left_out("inetCidrRouteTable")
        else:
            yield (*route, interface)
    for index, interface in readings.column(mibs.CIDR_ROUTE_IF).items():
        mask = mask_length(ipv4_of(index[4:8]))
        network, hop = ipv4_of(index[:4]), ipv4_of(index[9:])
        ok = len(index) == _CIDR_ROUTE_INDEX and isinstance(interface, int)
        prefix = prefix_of(network, mask) if ok and network is not None and mask is not None else None
        if prefix is None or hop is None or not isinstance(interface, int):
            left_out("ipCidrRouteTable")
        else:
            yield prefix, hop, interface


def _inet_route(index: Oid) -> tuple[str, str] | None:
    """Return prefix and next hop of an index of inetCidrRouteTable; next hop "" = directly connected."""
    destination = take_inet(index, 0)
    if destination is None:
        return None
    network, place = destination
    if len(index) < place + 2 or index[place + 1] < 0:
        return None
    prefix = prefix_of(network, index[place])
    place += 2 + index[place + 1]  # the length, and the policy: an object identifier with its length in front
    if prefix is None:
        return None
    if index[place : place + 2] == (0, 0):  # no next hop: type unknown, no octets
        return prefix, ""
    hop = take_inet(index, place)
    return None if hop is None else (prefix, hop[0])
