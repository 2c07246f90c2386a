from btimd.flows.pathorder import server_interfaces, towards_servers
from btimd.flows.topology import Edge
from btimd.model.address import Prefix
from btimd.model.topology import DeviceFacts, DeviceState, FactSource, InterfaceFacts, PathHop


def hop(device: str, interface: int, octets: int = 100, direction: str = "in") -> PathHop:
    return PathHop(
        device, DeviceState.UP, interface, "", direction, 0, 60_000, octets, 0.0, 1.0, sampled=False, derived=False,
        utilisation=None, oper_up=None, far_device="", far_interface_name="", state="good", remarks=(),
    )  # fmt: skip


def edge(device: str, index: int, far: str, far_index: int) -> Edge:
    return Edge(device, index, far, far_index, "", (FactSource.LLDP,), ambiguous=False, seen_at=0)


def order(found: list[PathHop]) -> list[tuple[str, int, str, int | None]]:
    return [(one.device, one.interface, one.direction, one.lines_to_servers) for one in found]


def test_hops_go_from_users_to_servers_over_devices_without_hops_of_their_own() -> None:
    edges = [edge("access", 2, "switch", 1), edge("core", 1, "switch", 2), edge("core", 2, "dc", 1)]
    hops = [hop("dc", 9), hop("dc", 1, direction="out"), hop("dc", 1), hop("core", 2), hop("core", 1), hop("access", 2),
            hop("access", 1)]  # fmt: skip
    assert order(towards_servers(hops, edges, {("dc", 9)})) == [
        ("access", 1, "in", 3), ("access", 2, "in", 3),
        ("core", 1, "in", 1), ("core", 2, "in", 1),
        ("dc", 1, "in", 0), ("dc", 1, "out", 0), ("dc", 9, "in", 0),
    ]  # fmt: skip


def test_what_no_line_joins_to_the_servers_comes_last_by_traffic() -> None:
    hops = [hop("far", 1, 50), hop("island", 1, 700), hop("dc", 1, 10), hop("far", 2, 90)]
    assert order(towards_servers(hops, [], {("dc", 1)})) == [
        ("dc", 1, "in", 0), ("island", 1, "in", None), ("far", 2, "in", None), ("far", 1, "in", None),
    ]  # fmt: skip
    assert [one[3] for one in order(towards_servers(hops, [], ()))] == [None] * 4


def test_lines_in_a_circle_and_two_ways_have_an_order_too() -> None:
    edges = [edge("a", 1, "b", 1), edge("b", 2, "c", 1), edge("a", 2, "c", 2)]
    hops = [hop("c", 1), hop("b", 2, 300), hop("a", 1), hop("a", 3), hop("a", 2), hop("b", 1)]
    assert order(towards_servers(hops, edges, {("c", 5)})) == [
        ("b", 1, "in", 1), ("b", 2, "in", 1), ("a", 1, "in", 1), ("a", 3, "in", 1), ("a", 2, "in", 1), ("c", 1, "in", 0),
    ]  # fmt: skip


def test_servers_are_where_an_interface_has_their_network() -> None:
    ports = (
        InterfaceFacts(1, "lan", addresses=("10.0.0.1/24", "what?")),
        InterfaceFacts(2, "dc", addresses=("10.9.0.1/16", "2001:db8:9::1/64")),
        InterfaceFacts(3, "none"),
    )
    facts = {"core": DeviceFacts("core", "10.0.0.1", 0, interfaces=ports)}

    def found(*servers: str) -> set[tuple[str, int]]:
        return server_interfaces(facts, [Prefix.parse(one) for one in servers])

    assert found("10.9.7.7/32") == found("2001:db8:9::7/128") == found("10.8.0.0/15") == {("core", 2)}
    assert found("10.9.7.7/32", "10.0.0.0/28") == {("core", 1), ("core", 2)}
    assert found("::/0", "0.0.0.0/0") == found("192.0.2.1/32") == set()
