"""Neighbours, and which interface a local port of LLDP is."""

import pytest

from btimd.model.topology import FactSource, InterfaceFacts, NeighbourFacts
from btimd.probes import mibs
from btimd.probes.mibneighbours import cdp_neighbours, lldp_neighbours
from btimd.probes.snmpsession import Oid, Readings, Value

INTERFACES = (
    InterfaceFacts(1, "Gi0/1", "GigabitEthernet0/1", "uplink", mac="020000000001"),
    InterfaceFacts(2, "Gi0/2", "GigabitEthernet0/2", "desk", mac="020000000002"),
    InterfaceFacts(3, "Gi0/3", "GigabitEthernet0/3", "desk", mac="020000000002"),
)


def interface_of(port: int, bridge_ports: dict[int, int], local: tuple[int, bytes, bytes] | None = None) -> int:
    columns: dict[Oid, dict[Oid, Value]] = {
        mibs.LLDP_REM_CHASSIS_SUBTYPE: {(0, port, 1): 7},
        mibs.LLDP_REM_CHASSIS: {(0, port, 1): b"other"},
    }
    if local is not None:
        columns[mibs.LLDP_LOC_PORT_SUBTYPE] = {(port,): local[0]}
        columns[mibs.LLDP_LOC_PORT_ID] = {(port,): local[1]}
        columns[mibs.LLDP_LOC_PORT_DESC] = {(port,): local[2]}
    [found] = lldp_neighbours(Readings(columns=columns), INTERFACES, bridge_ports, lambda _: None)
    return found.interface


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ((5, b"Gi0/2", b""), 2),
        ((5, b"GigabitEthernet0/3", b""), 3),
        ((1, b"uplink", b""), 1),
        ((1, b"desk", b""), 0),
        ((3, bytes.fromhex("020000000001"), b""), 1),
        ((3, bytes.fromhex("020000000002"), b"Gi0/3"), 3),
        ((7, b"3", b""), 3),
        ((7, b"9", b"GigabitEthernet0/1"), 1),
        ((7, b"9", b""), 0),
        ((5, b"Gi9/9", b""), 0),
    ],
)
def test_a_local_port_is_what_its_row_says(local: tuple[int, bytes, bytes], expected: int) -> None:
    assert interface_of(40, {}, local) == expected


def test_a_local_port_without_a_row_is_a_bridge_port_or_an_interface() -> None:
    assert interface_of(2, {2: 3}) == 3
    assert interface_of(2, {}) == 2
    assert interface_of(9, {}) == 0


def test_several_neighbours_and_addresses_on_one_port() -> None:
    columns: dict[Oid, dict[Oid, Value]] = {
        mibs.LLDP_REM_CHASSIS: {(5, 1, 1): b"phone", (9, 1, 2): b"pc"},
        mibs.LLDP_REM_ADDRESS: {
            (5, 1, 1, 1, 4, 10, 0, 0, 1): 2,
            (5, 1, 1, 2, 16, *bytes(15), 1): 2,
            (5, 1, 1, 6, 6, 2, 0, 0, 0, 0, 1): 2,  # a MAC: none of ours
            (5, 1, 2, 1, 4, 10, 0, 0): 2,
            (5, 1): 2,
        },
    }
    left_out: list[str] = []
    found = list(lldp_neighbours(Readings(columns=columns), INTERFACES, {}, left_out.append))

    assert [(one.interface, one.chassis, one.addresses) for one in found] == [
        (1, "phone", ("10.0.0.1", "::1")),
        (1, "pc", ()),
    ]
    assert left_out == ["lldpRemManAddrTable"] * 2


def test_cdp_tells_name_port_and_address() -> None:
    columns: dict[Oid, dict[Oid, Value]] = {
        mibs.CDP_DEVICE: {(1, 4): b"core.example(FOC1)", (2, 1): b"", (3,): b"x"},
        mibs.CDP_PORT: {(1, 4): b"Ethernet1/1"},
        mibs.CDP_NAME: {(1, 4): b"core"},
        mibs.CDP_ADDRESS_TYPE: {(1, 4): 1},
        mibs.CDP_ADDRESS: {(1, 4): bytes((10, 0, 0, 2))},
    }
    left_out: list[str] = []

    assert list(cdp_neighbours(Readings(columns=columns), left_out.append)) == [
        NeighbourFacts(
            source=FactSource.CDP,
            interface=1,
            chassis="core.example(FOC1)",
            name="core",
            port="Ethernet1/1",
            addresses=("10.0.0.2",),
        )
    ]
    assert left_out == ["cdpCacheTable"] * 2
