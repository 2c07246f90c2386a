from btimd.flows.modeladdresses import ModelAddresses, reachable
from btimd.model.address import Prefix
from btimd.model.service import BusinessService, Check, CheckKind, Node, NodeKind, ServiceGraph, ServiceRule


def number(text: str) -> int:
    return Prefix.parse(text).first


MODEL = ModelAddresses(
    ServiceGraph(
        {
            "erp": Node("erp", NodeKind.BUSINESS, "ERP", ("db",)),
            "db": Node("db", NodeKind.DATABASE, "db", ("host",), (Check("sql", "db", CheckKind.TCP, "10.0.0.3", 1),)),
            "host": Node("host", NodeKind.HOST, "h", (), (Check("echo", "host", CheckKind.ICMP, "10.0.0.3"),
                                                          Check("name", "host", CheckKind.ICMP, "h.example.org"))),
        },
        {"erp": BusinessService("erp", "ERP")},
    ),
    (
        ServiceRule("erp", ("erp",), Prefix.parse("10.0.0.0/30")),
        ServiceRule("erp#2", ("erp",), Prefix.parse("10.0.0.0/8")),
        ServiceRule("data", ("erp",), Prefix.parse("10.0.9.9/32"), node="db"),
    ),
)  # fmt: skip


def test_nodes_have_the_addresses_of_their_rules_and_checks_but_not_of_wide_rules() -> None:
    assert {name: [str(prefix) for prefix in prefixes] for name, prefixes in MODEL.prefixes.items()} == {
        "erp": ["10.0.0.0/30"], "db": ["10.0.9.9/32", "10.0.0.3/32"], "host": ["10.0.0.3/32"],
    }  # fmt: skip


def test_an_address_names_its_nodes_and_its_component() -> None:
    assert MODEL.nodes_at(number("10.0.0.3")) == ("db", "host", "erp")
    assert MODEL.component_at([number("10.0.0.3"), number("10.0.9.9")]) == "db"
    assert MODEL.component_at([number("10.0.0.1")]) is None
    assert MODEL.component_at([]) is None


def test_ids_that_are_taken_are_those_of_all_tables() -> None:
    assert MODEL.ids == {"erp", "db", "host", "data", "sql", "echo", "name"}


def test_what_is_below_is_reached_once() -> None:
    assert reachable({"a": ("b", "c"), "b": ("c",), "c": ()}, "a") == {"a", "b", "c"}
