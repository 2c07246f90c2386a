from dataclasses import replace

import pytest

from btimd.flows.topology import Topology, TopologyLimits, bare_name, build_topology, mac_of, short_port
from btimd.model.ports import Exporter, ExporterInterface
from btimd.model.topology import DeviceFacts, FactSource, InterfaceFacts, NeighbourFacts

NOW = 1_790_000_000_000
LLDP, CDP, FDB, ARP, ROUTE = FactSource.LLDP, FactSource.CDP, FactSource.FDB, FactSource.ARP, FactSource.ROUTE


def port(index: int, name: str = "", mac: str = "", *addresses: str, alias: str = "") -> InterfaceFacts:
    return InterfaceFacts(
        index, name or f"Gi0/{index}", f"GigabitEthernet0/{index}", alias, mac=mac, addresses=addresses
    )


def device(name: str, *interfaces: InterfaceFacts, **more: object) -> DeviceFacts:
    return DeviceFacts(name, f"192.0.2.{ord(name[0])}", NOW, f"{name}.corp.test", interfaces=interfaces, **more)  # type: ignore[arg-type]  # fields by name


def seen(interface: int, *, source: FactSource = LLDP, **more: object) -> NeighbourFacts:
    return NeighbourFacts(source, interface, **more)  # type: ignore[arg-type]  # fields by name


def exporter(
    number: int, address: str, name: str = "", *interfaces: ExporterInterface, strict: bool = False
) -> Exporter:
    return Exporter(number, address, 10, (0,), 1, 1, 0, 1, 1, NOW, NOW, name=name, interfaces=interfaces, strict=strict)


def built(*facts: DeviceFacts, limits: TopologyLimits | None = None) -> Topology:
    return build_topology({one.name: one for one in facts}, (), (), NOW, limits)


def edges(topology: Topology) -> list[tuple[str, str, str, bool]]:
    return [
        (
            f"{one.device}:{one.index}",
            f"{one.far_device}:{one.far_index or one.far_name}",
            "+".join(one.sources),
            one.ambiguous,
        )
        for one in topology.edges
    ]


CORE = device("core", port(1, mac="aa0000000001"), port(2, mac="aa0000000002"), chassis="aa00000000ff")
EDGE = device(
    "edge", port(7, mac="bb0000000007", alias="uplink to core"), port(8, mac="bb0000000008"), chassis="edge-1"
)


def test_a_link_that_both_ends_tell_is_one_link() -> None:
    core = replace(CORE, neighbours=(seen(1, chassis="edge-1", port="Gi0/7"),))
    edge = replace(EDGE, neighbours=(seen(7, chassis="aa00000000ff", port="GigabitEthernet0/1"),))
    assert edges(built(core, edge)) == [("core:1", "edge:7", "lldp", False)]


@pytest.mark.parametrize(
    ("chassis", "name", "address"),
    [("EDGE-1", "", ""), ("bb0000000008", "", ""), ("x", "edge.corp.test", ""), ("x", "EDGE.other.test.", ""),
     ("edge", "", ""), ("x", "y", "192.0.2.101")],
)  # fmt: skip
def test_a_neighbour_is_known_by_chassis_name_or_address(chassis: str, name: str, address: str) -> None:
    told = seen(1, chassis=chassis, name=name, port="Gi0/7", addresses=(address,) if address else ())
    assert edges(built(replace(CORE, neighbours=(told,)), EDGE)) == [("core:1", "edge:7", "lldp", False)]


@pytest.mark.parametrize(
    "words",
    [{"port": "gi0/7"}, {"port": "GigabitEthernet0/7"}, {"port": "bb:00:00:00:00:07"}, {"port": "7"},
     {"port": "Uplink to core"}, {"port": "?", "port_description": "Gi0/7"}],
)  # fmt: skip
def test_a_port_is_known_by_name_description_alias_mac_or_number(words: dict[str, str]) -> None:
    core = replace(CORE, neighbours=(seen(1, chassis="edge-1", **words),))  # type: ignore[arg-type]  # fields by name
    assert edges(built(core, EDGE)) == [("core:1", "edge:7", "lldp", False)]


def test_a_port_that_is_not_known_is_the_one_that_claims_us() -> None:
    core = replace(CORE, neighbours=(seen(1, chassis="edge-1", port="slot 7"),))
    edge = replace(EDGE, neighbours=(seen(7, name="core", port="slot 1"),))
    assert edges(built(core, edge)) == [("core:1", "edge:7", "lldp", False)]
    assert edges(built(core, EDGE)) == [("core:1", "edge:slot 7", "lldp", False)]


def test_a_neighbour_that_is_no_device_stays_a_name() -> None:
    core = replace(CORE, neighbours=(seen(1, chassis="cc0000000001", name="phone-7", port="wan"),))
    assert edges(built(core)) == [("core:1", "phone-7:wan", "lldp", False)]


def test_lldp_and_cdp_that_agree_are_one_link_and_ambiguous_where_they_differ() -> None:
    agree = (seen(1, chassis="edge-1", port="Gi0/7"), seen(1, source=CDP, name="edge.corp.test", port="?"),
             seen(2, name="phone.corp.test", port="a"), seen(2, source=CDP, name="phone", port="A"))  # fmt: skip
    assert edges(built(replace(CORE, neighbours=agree), EDGE)) == [
        ("core:1", "edge:7", "cdp+lldp", False),
        ("core:2", "phone:A", "cdp+lldp", False),
    ]
    differ = (seen(1, chassis="edge-1", port="Gi0/7"), seen(1, source=CDP, name="old-switch", port="Gi0/1"))
    assert edges(built(replace(CORE, neighbours=differ), EDGE)) == [
        ("core:1", "edge:7", "lldp", True),
        ("core:1", "old-switch:Gi0/1", "cdp", True),
    ]


def test_words_that_fit_two_devices_fit_none() -> None:
    twin = replace(device("twin", port(7)), chassis="edge-1", sys_name="edge.branch.test")
    by_chassis = replace(CORE, neighbours=(seen(1, chassis="edge-1", name="edge", port="Gi0/7"),))
    assert edges(built(by_chassis, EDGE, twin)) == [("core:1", "edge:7", "lldp", False)]  # its full name is one's only
    by_name = replace(CORE, neighbours=(seen(1, chassis="edge-1", name="edge.lab.test", port="Gi0/7"),))
    assert edges(built(by_name, EDGE, twin)) == [("core:1", "edge.lab.test:Gi0/7", "lldp", False)]


def test_a_host_is_placed_on_the_one_access_port_behind_which_its_mac_is() -> None:
    many = tuple((1, f"cc00000000{number:02d}") for number in range(5))
    edge = replace(EDGE, fdb=((8, "cc0000000001"), (7, "cc0000000002"), (7, "dd0000000001")), neighbours=(
        seen(7, chassis="aa00000000ff", port="Gi0/1"),))  # fmt: skip
    core = replace(CORE, fdb=many, arp=((2, "10.0.0.5", "cc0000000001"), (2, "fe80::5", "cc0000000001")))
    assert edges(built(core, edge)) == [
        ("core:1", "edge:7", "lldp", False),
        ("edge:8", "10.0.0.5:cc0000000001", "arp+fdb", False),
    ]


def test_several_hosts_behind_a_port_and_a_host_behind_two_ports_are_ambiguous() -> None:
    arp = tuple((1, f"10.0.0.{number}", f"cc000000000{number}") for number in (1, 2, 3))
    edge = replace(EDGE, fdb=((7, "cc0000000001"), (7, "cc0000000002"), (8, "cc0000000003")), arp=arp)
    core = replace(CORE, fdb=((2, "cc0000000003"),))
    assert edges(built(core, edge)) == [
        ("core:2", "10.0.0.3:cc0000000003", "arp+fdb", True),
        ("edge:7", "10.0.0.1:cc0000000001", "arp+fdb", True),
        ("edge:7", "10.0.0.2:cc0000000002", "arp+fdb", True),
        ("edge:8", "10.0.0.3:cc0000000003", "arp+fdb", True),
    ]


def test_a_device_behind_an_access_port_is_linked_by_its_mac_and_virtual_macs_are_nobodys() -> None:
    edge = replace(EDGE, fdb=((8, "aa0000000002"), (7, "00005e000101")), arp=((8, "10.0.0.1", "00005e000101"),))
    assert edges(built(CORE, edge)) == [("core:2", "edge:8", "fdb", False)]


def test_routers_in_a_narrow_network_or_each_others_next_hop_are_linked() -> None:
    one = device("one", port(1, "a", "", "10.9.0.1/30"), port(2, "b", "", "10.8.0.1/24"), port(3, "c", "", "fd00::/127"),
                 routes=(("10.5.0.0/16", "10.8.0.2", 2),))  # fmt: skip
    other = device("other", port(5, "a", "", "10.9.0.2/30"), port(6, "b", "", "10.8.0.2/24"),
                   port(7, "c", "", "fd00::1/127", "bad"), routes=(("10.4.0.0/16", "10.8.0.1", 6),))  # fmt: skip
    assert edges(built(one, other)) == [
        ("one:1", "other:5", "route", False),
        ("one:2", "other:6", "route", False),
        ("one:3", "other:7", "route", False),
    ]
    one_way = replace(other, routes=())
    assert len(edges(built(one, one_way))) == 2


def test_routers_over_a_switch_are_linked_to_the_switch_only() -> None:
    one = device("one", port(1, "a", "", "10.9.0.1/30"), neighbours=(seen(1, chassis="edge-1", port="Gi0/7"),))
    other = device("other", port(5, "a", "", "10.9.0.2/30"))
    assert edges(built(one, other, EDGE)) == [("edge:7", "one:1", "lldp", False)]


def test_old_facts_tell_no_links_and_links_beyond_the_bound_are_counted() -> None:
    core = replace(CORE, neighbours=(seen(1, name="a"), seen(2, name="b")))
    assert built(replace(core, at=NOW - 3_600_001)).edges == ()
    bounded = built(core, limits=TopologyLimits(max_links=1))
    assert (len(bounded.edges), bounded.left_out) == (1, 1)


def test_exporters_are_the_device_that_has_their_address_or_name() -> None:
    core = replace(CORE, interfaces=(port(1, "a", "", "10.0.0.1/24"),))
    found = build_topology(
        {"core": core, "edge": EDGE},
        [exporter(0, "10.0.0.1"), exporter(1, "203.0.113.9", "EDGE.corp.test"), exporter(2, "192.0.2.101"),
         exporter(3, "203.0.113.7", "branch"), exporter(4, "203.0.113.8", strict=True),
         exporter(5, "203.0.113.8", strict=True)],
        (), NOW,
    )  # fmt: skip
    assert found.device_of_exporter == {
        0: "core", 1: "edge", 2: "edge", 3: "branch", 4: "203.0.113.8#4", 5: "203.0.113.8#5",
    }  # fmt: skip
    assert found.exporters["edge"] == (1, 2)


def test_a_device_that_is_asked_at_the_address_of_an_interface_is_its_exporter_and_next_hop() -> None:
    ports = port(1, "", "", "192.0.2.99/24"), port(2, "", "", "10.9.0.1/24"), port(3, "", "", "10.9.0.1/24")
    core = replace(device("core", *ports), address="192.0.2.99")
    edge = device("edge", port(7), routes=(("0.0.0.0/0", "192.0.2.99", 7),), neighbours=(
        seen(7, addresses=("192.0.2.99",), port="nothing known"),
    ))  # fmt: skip
    exporters = [exporter(0, "192.0.2.99"), exporter(1, "10.9.0.1")]
    topology = build_topology({"core": core, "edge": edge}, exporters, (), NOW)
    assert topology.exporters == {"core": (0, 1)}
    assert [(one.device, one.far_device) for one in topology.edges] == [("edge", "core")]


def test_interfaces_are_known_from_snmp_options_and_flow_records() -> None:
    found = build_topology(
        {"core": replace(CORE, address="10.0.0.1")},
        [exporter(0, "10.0.0.1", "", ExporterInterface(1, "x", "wan", 1000)),
         exporter(1, "10.0.0.2", "", ExporterInterface(4, "eth4", "lan", 2000))],
        [(0, 1), (0, 9), (1, 4), (1, 0), (7, 7)], NOW,
    )  # fmt: skip
    assert {key: (one.name, one.exporter_speed, one.facts is not None) for key, one in found.ports.items()} == {
        ("core", 1): ("Gi0/1", 1000, True),
        ("core", 2): ("Gi0/2", 0, True),
        ("core", 9): ("9", 0, False),
        ("10.0.0.2", 4): ("eth4", 2000, False),
        ("10.0.0.2", 0): ("", 0, False),
    }


def test_words_are_compared_in_their_plainest_form() -> None:
    assert [bare_name(text) for text in ("Core.Corp.Test.", "10.0.0.1", "fe80::1", "")] == [
        "core",
        "10.0.0.1",
        "fe80::1",
        "",
    ]
    assert [mac_of(text) for text in ("AA:bb:cc:00:11:22", "aabb.cc00.1122", "core")] == ["aabbcc001122"] * 2 + [""]
    assert [short_port(text) for text in ("TenGigE0/0/1", "Te0/0/1", "Gi 1/0/2", "xe-0/0/1.0", "lan")] == [
        "te0/0/1", "te0/0/1", "gi1/0/2", "xe0/0/1.0", "lan",
    ]  # fmt: skip
