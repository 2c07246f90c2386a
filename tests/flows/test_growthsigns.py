"""Signs of needs: links, networks of regions, calls."""

from collections.abc import Sequence

from btimd.flows.growthsigns import signs_of_calls, signs_of_links, signs_of_regions
from btimd.flows.modeladdresses import ModelAddresses
from btimd.model.address import Prefix
from btimd.model.discovery import EdgeFinding, FindingKind, ModelComparison
from btimd.model.growth import FoundNeed
from btimd.model.service import Check, CheckKind, Node, NodeKind, Provenance, ServiceGraph
from btimd.model.topology import Device, DeviceInterface, DeviceState, FactSource, Link

TOPOLOGY = Provenance.TOPOLOGY


def node(name: str, kind: NodeKind, address: str = "", device: str = "", region: str = "") -> Node:
    checks = (Check(f"{name}-icmp", name, CheckKind.ICMP, address),) if address else ()
    return Node(name, kind, name, (), checks, device=device, region=region)


def model(*nodes: Node) -> ModelAddresses:
    return ModelAddresses(ServiceGraph({one.id: one for one in nodes}, {}), ())


def link(device: str, far: str, *sources: FactSource, ambiguous: bool = False, at: int = 5000) -> Link:
    return Link(
        f"{device}--{far}", device, 1, "Gi0/1", far, 0, "", sources, ambiguous=ambiguous, last_seen_milliseconds=at
    )


def device(name: str, *addresses: str) -> Device:
    return Device(name, addresses, DeviceState.UP)


MODEL = model(
    node("sw1", NodeKind.NETWORK, "10.0.0.1"),
    node("core", NodeKind.NETWORK, device="core-sw.example.org"),
    node("host1", NodeKind.HOST, "10.0.0.10"),
    node("os1", NodeKind.OS, "10.0.0.10"),
    node("db1", NodeKind.DATABASE, "10.0.0.10"),
    node("host2", NodeKind.HOST, "10.0.0.11"),
    node("twin-a", NodeKind.HOST, "10.0.0.12"),
    node("twin-b", NodeKind.HOST, "10.0.0.12"),
    node("app", NodeKind.APPLICATION, "10.0.0.13"),
    node("north", NodeKind.USER, region="north"),
)
DEVICES = (device("access-1", "10.0.0.1"), device("core-sw.example.org", "10.0.0.2"))


def links(*found: Link) -> Sequence[tuple[str, str, float, float]]:
    told = signs_of_links(MODEL, DEVICES, found, 9.0)
    assert {one.provenance for one in told} <= {TOPOLOGY}
    return [(one.node, one.need, one.confidence, one.seen_at) for one in told]


def test_a_host_needs_the_switch_it_hangs_on_by_address_or_by_its_own_word() -> None:
    assert links(
        link("access-1", "10.0.0.10", FactSource.FDB),
        link("access-1", "HOST2", FactSource.LLDP),
        link("access-1", "10.0.0.13", FactSource.FDB, at=0),
    ) == [("app", "sw1", 0.95, 9.0), ("host1", "sw1", 0.95, 5.0), ("host2", "sw1", 0.97, 5.0)]


def test_what_is_not_sure_does_not_count() -> None:
    assert links(link("access-1", "10.0.0.10", FactSource.FDB, ambiguous=True)) == [("host1", "sw1", 0.5, 5.0)]
    assert links(
        link("access-1", "10.0.0.10", FactSource.FDB), link("core-sw.example.org", "10.0.0.10", FactSource.FDB)
    ) == [("host1", "core", 0.5, 5.0), ("host1", "sw1", 0.5, 5.0)]


def test_words_that_fit_no_node_or_two_tell_nothing() -> None:
    assert (
        links(
            link("access-1", "10.0.0.12", FactSource.FDB),
            link("access-1", "10.9.9.9", FactSource.FDB),
            link("unknown", "10.0.0.10", FactSource.FDB),
            link("access-1", "access-1", FactSource.LLDP),
        )
        == []
    )


def test_between_switches_nobody_says_who_needs_whom() -> None:
    assert links(link("access-1", "core-sw.example.org", FactSource.LLDP)) == [("core", "sw1", 0.4, 9.0)]


def test_users_of_a_region_come_through_the_router_with_an_address_among_them() -> None:
    ports = [
        DeviceInterface("access-1", 1, "Vlan10", addresses=("10.1.2.1/24", "nonsense")),
        DeviceInterface("access-1", 2, "Vlan20", addresses=("10.9.0.1/16",)),
        DeviceInterface("core-sw.example.org", 1, "Vlan1", addresses=("10.200.0.1/24",)),
    ]
    regions = {
        "all": [Prefix.parse("10.0.0.0/8")],  # north is the narrower one
        "north": [Prefix.parse("10.1.0.0/16")],
        "south": [Prefix.parse("10.9.0.0/16")],
    }
    assert signs_of_regions(MODEL, DEVICES, ports, regions, 9.0) == (
        FoundNeed("north", "sw1", TOPOLOGY, 0.92, 9.0, 1),
    )  # fmt: skip
    both = [*ports, DeviceInterface("core-sw.example.org", 2, "Vlan10", addresses=("10.1.2.2/24",))]
    assert [one.confidence for one in signs_of_regions(MODEL, DEVICES, both, regions, 9.0)] == [0.5, 0.5]


def test_a_call_that_nothing_declared_explains_is_a_sign() -> None:
    def finding(kind: FindingKind, last: float | None = 7.0) -> EdgeFinding:
        return EdgeFinding(kind, "app", "db1", 6, ("5432",), 1, 900, 10_000, last, 0.9, "")

    found = ModelComparison(
        from_at=0.0, to_at=8.0, conversations=1, truncated=False, declared_edges=0, visible_edges=0, seen_edges=0,
        findings=(
            finding(FindingKind.UNDECLARED), finding(FindingKind.NEVER_SEEN), finding(FindingKind.UNDECLARED, None),
        ),
        caveat="",
    )  # fmt: skip
    assert signs_of_calls(found) == (
        FoundNeed("app", "db1", Provenance.FLOWS, 0.9 * 0.8, 7.0, 900),
        FoundNeed("app", "db1", Provenance.FLOWS, 0.9 * 0.8, 8.0, 900),
    )
