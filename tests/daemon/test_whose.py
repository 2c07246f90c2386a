import pytest

from btimd.daemon.whose import Whose, plain_host
from btimd.model.service import Check, CheckKind, Node, NodeKind, ServiceGraph


def check(name: str, node: str, host: str, kind: CheckKind = CheckKind.TCP, **options: str) -> Check:
    return Check(name, node, kind, host, options=options)


GRAPH = ServiceGraph(
    {
        "ora": Node("ora", NodeKind.DATABASE, "Oracle", checks=(check("ora.tcp", "ora", "10.0.0.5"),)),
        "db1": Node(
            "db1", NodeKind.HOST, "db1.example.com", checks=(check("db1.icmp", "db1", "10.0.0.5", CheckKind.ICMP),)
        ),
        "sw1": Node("sw1", NodeKind.NETWORK, "core switch", device="sw1.example.com"),
        "wan": Node(
            "wan",
            NodeKind.NETWORK,
            "WAN",
            checks=(check("wan.if", "wan", "10.9.9.9", CheckKind.INTERFACE, interface="Gi0/1"),),
        ),
    },
    {},
)


@pytest.mark.parametrize(
    ("hosts", "kinds", "interface", "expected"),
    [
        (("10.0.0.5",), (), "", "db1"),
        (("10.0.0.5",), (NodeKind.DATABASE,), "", "ora"),
        (("::ffff:10.0.0.5",), (), "", "db1"),
        (("DB1",), (), "", "db1"),
        (("db1.example.com.",), (NodeKind.OS,), "", "db1"),
        (("sw1",), (), "", "sw1"),
        (("nobody", "10.0.0.5"), (), "", "db1"),
        (("10.9.9.9",), (), "gi0/1", "wan"),
        (("192.0.2.7",), (), "", "sw1"),
        (("10.0.0.50",), (), "", ""),
        ((), (), "", ""),
        (("",), (), "", ""),
    ],
)  # fmt: skip
def test_names_and_addresses_find_their_node(
    hosts: tuple[str, ...], kinds: tuple[NodeKind, ...], interface: str, expected: str
) -> None:
    assert Whose(GRAPH, {"sw1": ["192.0.2.7"]}).node_of(hosts, kinds, interface) == expected


def test_all_nodes_of_a_box_are_found_for_what_concerns_the_whole_box() -> None:
    assert Whose(GRAPH).nodes_of(("10.0.0.5", "sw1.example.com")) == ("ora", "db1", "sw1")


def test_addresses_are_compared_in_one_form() -> None:
    assert [plain_host(text) for text in ("[2001:DB8::1]", "Web.Example.COM.", "10.0.0.1 ")] == [
        "2001:db8::1",
        "web.example.com",
        "10.0.0.1",
    ]
