"""The tables that are read of devices, by their object identifiers, and in which order.

SNMPv2-MIB (RFC 3418), IF-MIB (RFC 2863), IP-MIB (RFC 4293), IP-FORWARD-MIB (RFC 4292), BRIDGE-MIB (RFC 4188),
Q-BRIDGE-MIB (RFC 4363), ENTITY-MIB (RFC 6933), LLDP-MIB (IEEE 802.1AB-2005), CISCO-CDP-MIB. A table that another
replaced is asked only where the newer one is empty.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from btimd.probes.snmpsession import Oid, Readings, Scalars, Step, Table

_MIB_2: Final = (1, 3, 6, 1, 2, 1)
_IEEE_LLDP: Final = (1, 0, 8802, 1, 1, 2, 1)

SYS_DESCR: Final[Oid] = (*_MIB_2, 1, 1, 0)
SYS_OBJECT_ID: Final[Oid] = (*_MIB_2, 1, 2, 0)
SYS_UPTIME: Final[Oid] = (*_MIB_2, 1, 3, 0)
SYS_NAME: Final[Oid] = (*_MIB_2, 1, 5, 0)
SYS_LOCATION: Final[Oid] = (*_MIB_2, 1, 6, 0)
IF_TABLE_LAST_CHANGE: Final[Oid] = (*_MIB_2, 31, 1, 5, 0)
LLDP_CHASSIS_SUBTYPE: Final[Oid] = (*_IEEE_LLDP, 3, 1, 0)
LLDP_CHASSIS: Final[Oid] = (*_IEEE_LLDP, 3, 2, 0)

_IF_ENTRY: Final = (*_MIB_2, 2, 2, 1)
IF_DESCR: Final = (*_IF_ENTRY, 2)
IF_TYPE: Final = (*_IF_ENTRY, 3)
IF_SPEED: Final = (*_IF_ENTRY, 5)
IF_MAC: Final = (*_IF_ENTRY, 6)
IF_ADMIN: Final = (*_IF_ENTRY, 7)
IF_OPER: Final = (*_IF_ENTRY, 8)
IF_LAST_CHANGE: Final = (*_IF_ENTRY, 9)
IF_IN_OCTETS: Final = (*_IF_ENTRY, 10)
IF_IN_DISCARDS: Final = (*_IF_ENTRY, 13)
IF_IN_ERRORS: Final = (*_IF_ENTRY, 14)
IF_OUT_OCTETS: Final = (*_IF_ENTRY, 16)
IF_OUT_DISCARDS: Final = (*_IF_ENTRY, 19)
IF_OUT_ERRORS: Final = (*_IF_ENTRY, 20)

_IFX_ENTRY: Final = (*_MIB_2, 31, 1, 1, 1)
IF_NAME: Final = (*_IFX_ENTRY, 1)
IF_HC_IN_OCTETS: Final = (*_IFX_ENTRY, 6)
IF_HC_OUT_OCTETS: Final = (*_IFX_ENTRY, 10)
IF_HIGH_SPEED: Final = (*_IFX_ENTRY, 15)
IF_ALIAS: Final = (*_IFX_ENTRY, 18)

_IP_ADDRESS_ENTRY: Final = (*_MIB_2, 4, 34, 1)
IP_ADDRESS_IF: Final = (*_IP_ADDRESS_ENTRY, 3)
IP_ADDRESS_TYPE: Final = (*_IP_ADDRESS_ENTRY, 4)
IP_ADDRESS_PREFIX: Final = (*_IP_ADDRESS_ENTRY, 5)
_IP_AD_ENT: Final = (*_MIB_2, 4, 20, 1)
IP_AD_ENT_IF: Final = (*_IP_AD_ENT, 2)
IP_AD_ENT_MASK: Final = (*_IP_AD_ENT, 3)

_NET_TO_PHYSICAL_ENTRY: Final = (*_MIB_2, 4, 35, 1)
NET_TO_PHYSICAL: Final = (*_NET_TO_PHYSICAL_ENTRY, 4)
_NET_TO_MEDIA_ENTRY: Final = (*_MIB_2, 4, 22, 1)
NET_TO_MEDIA: Final = (*_NET_TO_MEDIA_ENTRY, 2)

_INET_ROUTE_ENTRY: Final = (*_MIB_2, 4, 24, 7, 1)
INET_ROUTE_IF: Final = (*_INET_ROUTE_ENTRY, 7)
_CIDR_ROUTE_ENTRY: Final = (*_MIB_2, 4, 24, 4, 1)
CIDR_ROUTE_IF: Final = (*_CIDR_ROUTE_ENTRY, 5)

_BASE_PORT_ENTRY: Final = (*_MIB_2, 17, 1, 4, 1)
BASE_PORT_IF: Final = (*_BASE_PORT_ENTRY, 2)
_DOT1D_FDB_ENTRY: Final = (*_MIB_2, 17, 4, 3, 1)
DOT1D_FDB_PORT: Final = (*_DOT1D_FDB_ENTRY, 2)
_DOT1Q_FDB_ENTRY: Final = (*_MIB_2, 17, 7, 1, 2, 2, 1)
DOT1Q_FDB_PORT: Final = (*_DOT1Q_FDB_ENTRY, 2)

_ENTITY_ENTRY: Final = (*_MIB_2, 47, 1, 1, 1, 1)
ENTITY_DESCR: Final = (*_ENTITY_ENTRY, 2)
ENTITY_CLASS: Final = (*_ENTITY_ENTRY, 5)
ENTITY_SERIAL: Final = (*_ENTITY_ENTRY, 11)
ENTITY_MODEL: Final = (*_ENTITY_ENTRY, 13)

_LLDP_LOC_PORT_ENTRY: Final = (*_IEEE_LLDP, 3, 7, 1)
LLDP_LOC_PORT_SUBTYPE: Final = (*_LLDP_LOC_PORT_ENTRY, 2)
LLDP_LOC_PORT_ID: Final = (*_LLDP_LOC_PORT_ENTRY, 3)
LLDP_LOC_PORT_DESC: Final = (*_LLDP_LOC_PORT_ENTRY, 4)
_LLDP_REM_ENTRY: Final = (*_IEEE_LLDP, 4, 1, 1)
LLDP_REM_CHASSIS_SUBTYPE: Final = (*_LLDP_REM_ENTRY, 4)
LLDP_REM_CHASSIS: Final = (*_LLDP_REM_ENTRY, 5)
LLDP_REM_PORT_SUBTYPE: Final = (*_LLDP_REM_ENTRY, 6)
LLDP_REM_PORT: Final = (*_LLDP_REM_ENTRY, 7)
LLDP_REM_PORT_DESC: Final = (*_LLDP_REM_ENTRY, 8)
LLDP_REM_NAME: Final = (*_LLDP_REM_ENTRY, 9)
_LLDP_REM_ADDRESS_ENTRY: Final = (*_IEEE_LLDP, 4, 2, 1)
LLDP_REM_ADDRESS: Final = (*_LLDP_REM_ADDRESS_ENTRY, 3)

_CDP_ENTRY: Final = (1, 3, 6, 1, 4, 1, 9, 9, 23, 1, 2, 1, 1)
CDP_ADDRESS_TYPE: Final = (*_CDP_ENTRY, 3)
CDP_ADDRESS: Final = (*_CDP_ENTRY, 4)
CDP_DEVICE: Final = (*_CDP_ENTRY, 6)
CDP_PORT: Final = (*_CDP_ENTRY, 7)
CDP_NAME: Final = (*_CDP_ENTRY, 17)

GROUPS: Final = ("addresses", "entity", "lldp", "cdp", "arp", "fdb", "routes")
"""What may be asked beside interfaces, which always are."""


@dataclass(frozen=True, slots=True)
class RowBounds:
    """Most rows of a table that are read: interfaces and neighbours; ARP and FDB; routes."""

    interfaces: int = 10_000
    stations: int = 20_000
    routes: int = 2_000


def full_steps(groups: Collection[str], bounds: RowBounds) -> tuple[Step, ...]:
    """Return what a poll of everything reads; groups: which of GROUPS."""
    system = [SYS_DESCR, SYS_OBJECT_ID, SYS_UPTIME, SYS_NAME, SYS_LOCATION, IF_TABLE_LAST_CHANGE]
    if "lldp" in groups:
        system += [LLDP_CHASSIS_SUBTYPE, LLDP_CHASSIS]
    ports, stations, routes = bounds.interfaces, bounds.stations, bounds.routes
    steps: list[Step] = [
        Scalars("system", tuple(system)),
        Table("ifTable", _IF_ENTRY, (2, 3, 5, 6, 7, 9), ports),
        Table("ifXTable", _IFX_ENTRY, (1, 15, 18), ports),
        *_counter_tables(ports),
    ]
    if "addresses" in groups:
        steps += [
            Table("ipAddressTable", _IP_ADDRESS_ENTRY, (3, 4, 5), ports),
            Table("ipAddrTable", _IP_AD_ENT, (2, 3), ports, needed=_where_empty(IP_ADDRESS_IF)),
        ]
    if "entity" in groups:
        steps.append(Table("entPhysicalTable", _ENTITY_ENTRY, (2, 5, 11, 13), 64, head_only=True))
    if "lldp" in groups:
        steps += [
            Table("lldpRemTable", _LLDP_REM_ENTRY, (4, 5, 6, 7, 8, 9), ports),
            Table("lldpRemManAddrTable", _LLDP_REM_ADDRESS_ENTRY, (3,), ports, needed=_where_any(LLDP_REM_CHASSIS)),
            Table("lldpLocPortTable", _LLDP_LOC_PORT_ENTRY, (2, 3, 4), ports, needed=_where_any(LLDP_REM_CHASSIS)),
        ]
    if "cdp" in groups:
        steps.append(Table("cdpCacheTable", _CDP_ENTRY, (3, 4, 6, 7, 17), ports))
    if "lldp" in groups or "fdb" in groups:
        steps.append(Table("dot1dBasePortTable", _BASE_PORT_ENTRY, (2,), ports))
    if "fdb" in groups:
        steps += [
            Table("dot1qTpFdbTable", _DOT1Q_FDB_ENTRY, (2,), stations),
            Table("dot1dTpFdbTable", _DOT1D_FDB_ENTRY, (2,), stations, needed=_where_empty(DOT1Q_FDB_PORT)),
        ]
    if "arp" in groups:
        steps += [
            Table("ipNetToPhysicalTable", _NET_TO_PHYSICAL_ENTRY, (4,), stations),
            Table("ipNetToMediaTable", _NET_TO_MEDIA_ENTRY, (2,), stations, needed=_where_empty(NET_TO_PHYSICAL)),
        ]
    if "routes" in groups:
        steps += [
            Table("inetCidrRouteTable", _INET_ROUTE_ENTRY, (7,), routes),
            Table("ipCidrRouteTable", _CIDR_ROUTE_ENTRY, (5,), routes, needed=_where_empty(INET_ROUTE_IF)),
        ]
    return tuple(steps)


def counter_steps(bounds: RowBounds) -> tuple[Step, ...]:
    """Return what the frequent poll of interface counters reads."""
    return (Scalars("system", (SYS_UPTIME, IF_TABLE_LAST_CHANGE)), *_counter_tables(bounds.interfaces))


def _counter_tables(rows: int) -> tuple[Table, ...]:
    # Octets in and out stand in one answer, and by themselves: what they say is dated by when the answer came.
    return (
        Table("ifXTable counters", _IFX_ENTRY, (6, 10), rows, timed=True),
        Table("ifTable counters", _IF_ENTRY, (8, 13, 14, 19, 20), rows),
        Table("ifTable octets", _IF_ENTRY, (10, 16), rows, needed=_some_lack_wide_counters, timed=True),
    )


def _some_lack_wide_counters(readings: Readings) -> bool:
    wide = readings.column(IF_HC_IN_OCTETS)
    return any(index not in wide for index in readings.column(IF_OPER))


def _where_empty(column: Oid) -> Callable[[Readings], bool]:
    return lambda readings: not readings.column(column)


def _where_any(column: Oid) -> Callable[[Readings], bool]:
    return lambda readings: bool(readings.column(column))
