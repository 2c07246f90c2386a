"""Neighbours from LLDP-MIB and CISCO-CDP-MIB: who hangs on which interface.

LLDP numbers its local ports by itself (LldpPortNumber): on bridges usually as BRIDGE-MIB does, elsewhere usually by
ifIndex, and on some devices neither. So what lldpLocPortTable says of a port goes before what its number looks like.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from btimd.model.topology import FactSource, InterfaceFacts, NeighbourFacts
from btimd.probes import mibs
from btimd.probes.mibvalues import address, family_address, lldp_id, octets_of, text, text_or_mac
from btimd.probes.snmpsession import Oid, Readings

_REM_INDEX: Final = 3  # time mark, local port, number of the neighbour
_CDP_INDEX: Final = 2
_CHASSIS_MAC, _CHASSIS_ADDRESS = 4, 5
_PORT_ALIAS, _PORT_MAC, _PORT_ADDRESS, _PORT_LOCAL = 1, 3, 4, 7
_CDP_IP, _CDP_IPV6 = 1, 20
_CDP_OCTETS: Final = {_CDP_IP: 4, _CDP_IPV6: 16}


def lldp_neighbours(
    readings: Readings,
    interfaces: Sequence[InterfaceFacts],
    bridge_ports: Mapping[int, int],
    left_out: Callable[[str], None],
) -> Iterator[NeighbourFacts]:
    """Yield who LLDP heard, in the order of ports; interface 0: the local port is none that is known."""
    chassis_kinds, chassis = readings.column(mibs.LLDP_REM_CHASSIS_SUBTYPE), readings.column(mibs.LLDP_REM_CHASSIS)
    port_kinds, ports = readings.column(mibs.LLDP_REM_PORT_SUBTYPE), readings.column(mibs.LLDP_REM_PORT)
    described, names = readings.column(mibs.LLDP_REM_PORT_DESC), readings.column(mibs.LLDP_REM_NAME)
    addresses = _lldp_addresses(readings, left_out)
    local = _LocalPorts(readings, interfaces, bridge_ports)
    for index in sorted(chassis.keys() | ports.keys(), key=lambda index: index[1:]):
        if len(index) != _REM_INDEX:
            left_out("lldpRemTable")
            continue
        found = NeighbourFacts(
            source=FactSource.LLDP,
            interface=local.interface(index[1]),
            chassis=lldp_id(
                chassis_kinds.get(index),
                chassis.get(index),
                mac_subtype=_CHASSIS_MAC,
                address_subtype=_CHASSIS_ADDRESS,
            ),
            name=text(names.get(index)),
            port=lldp_id(port_kinds.get(index), ports.get(index), mac_subtype=_PORT_MAC, address_subtype=_PORT_ADDRESS),
            port_description=text(described.get(index)),
            addresses=tuple(addresses.get(index[1:], ())),
        )
        if found.chassis or found.name:
            yield found
        else:
            left_out("lldpRemTable")


def _lldp_addresses(readings: Readings, left_out: Callable[[str], None]) -> dict[Oid, list[str]]:
    """Return management addresses by local port and number of the neighbour; time marks may differ between tables."""
    found: dict[Oid, list[str]] = {}
    for index in readings.column(mibs.LLDP_REM_ADDRESS):
        # time mark, port, neighbour, subtype (an address family), length, octets
        octets = octets_of((index[3], *index[5:])) if len(index) > 5 and index[4] == len(index) - 5 else None  # noqa: PLR2004
        one = family_address(octets) if octets is not None else None
        if one is not None:
            found.setdefault(index[1:3], []).append(one)
        elif octets is None:
            left_out("lldpRemManAddrTable")  # a well-formed address of another family (MAC, ...) is none of ours
    return found


class _LocalPorts:
    """Which interface a local port of LLDP is."""

    def __init__(
        self, readings: Readings, interfaces: Sequence[InterfaceFacts], bridge_ports: Mapping[int, int]
    ) -> None:
        self._kinds = readings.column(mibs.LLDP_LOC_PORT_SUBTYPE)
        self._ids = readings.column(mibs.LLDP_LOC_PORT_ID)
        self._described = readings.column(mibs.LLDP_LOC_PORT_DESC)
        self._bridge_ports = bridge_ports
        self._indexes = {interface.index for interface in interfaces}
        self._names = _only_once((one.name, one.index) for one in interfaces)
        self._descriptions = _only_once((one.description, one.index) for one in interfaces)
        self._aliases = _only_once((one.alias, one.index) for one in interfaces)
        self._macs = _only_once((one.mac, one.index) for one in interfaces)

    def interface(self, port: int) -> int:
        """Return the ifIndex of a local port, 0 = not known."""
        kind, identity = self._kinds.get((port,)), self._ids.get((port,))
        said = text(identity)
        described = text(self._described.get((port,)))
        found: int | None = None
        match kind:
            case 1:  # _PORT_ALIAS
                found = self._aliases.get(said)
            case 3:  # _PORT_MAC
                found = self._macs.get(lldp_id(kind, identity, mac_subtype=_PORT_MAC, address_subtype=_PORT_ADDRESS))
            case _:
                found = self._names.get(said) or self._descriptions.get(said)
        found = found or self._names.get(described) or self._descriptions.get(described)
        if found is None and kind == _PORT_LOCAL and said.isascii() and said.isdigit() and int(said) in self._indexes:
            found = int(said)
        if found is None and port in self._bridge_ports:
            found = self._bridge_ports[port]
        if found is None and port in self._indexes:
            found = port
        return found or 0


def _only_once(pairs: Iterator[tuple[str, int]]) -> dict[str, int]:
    """Return the texts that one interface alone has."""
    known = [(one, index) for one, index in pairs if one]
    often = Counter(one for one, _ in known)
    return {one: index for one, index in known if often[one] == 1}


def cdp_neighbours(readings: Readings, left_out: Callable[[str], None]) -> Iterator[NeighbourFacts]:
    """Yield who CDP heard; the index begins with the ifIndex."""
    devices, ports = readings.column(mibs.CDP_DEVICE), readings.column(mibs.CDP_PORT)
    names = readings.column(mibs.CDP_NAME)
    kinds, addresses = readings.column(mibs.CDP_ADDRESS_TYPE), readings.column(mibs.CDP_ADDRESS)
    for index in sorted(devices.keys() | ports.keys()):
        device = text_or_mac(devices.get(index))
        if len(index) != _CDP_INDEX or not device:
            left_out("cdpCacheTable")
            continue
        octets, kind = addresses.get(index), kinds.get(index)
        one = address(octets) if isinstance(octets, bytes) and kind in _CDP_OCTETS else None
        yield NeighbourFacts(
            source=FactSource.CDP,
            interface=index[0],
            chassis=device,
            name=text(names.get(index)) or device,
            port=text_or_mac(ports.get(index)),
            addresses=() if one is None else (one,),
        )
