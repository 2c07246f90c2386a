from btimd.flows.modeladdresses import ModelAddresses
from btimd.flows.modelcheck import compare_model, coverage_confidence
from btimd.model.address import Prefix
from btimd.model.discovery import FindingKind, ModelComparison
from btimd.model.flowbatch import FlowBatch
from btimd.model.service import BusinessService, Check, CheckKind, Node, NodeKind, ServiceGraph, ServiceRule
from tests.flows.worlds_discovery import attribution, traffic, where, world


def node(name: str, host: str, *needs: str, kind: NodeKind = NodeKind.APPLICATION) -> Node:
    checks = (Check(f"{name}-port", name, CheckKind.TCP, host, 1),) if host else ()
    return Node(name, kind, name, needs, checks)


NODES = (
    Node("erp", NodeKind.BUSINESS, "ERP", ("erp-web", "dns")),
    Node("fax", NodeKind.BUSINESS, "Fax"),
    node("erp-web", "10.20.1.10", "erp-app", "old-db", "nameless", "core"),
    node("erp-app", "10.20.2.10"),
    node("erp-db", "10.20.3.10", kind=NodeKind.DATABASE),
    node("old-db", "10.20.3.99", kind=NodeKind.DATABASE),
    node("dns", "10.20.0.53", kind=NodeKind.SHARED),
    node("nameless", ""),
    node("core", "10.0.0.1", kind=NodeKind.NETWORK),
)
RULES = (
    ServiceRule("erp", ("erp",), Prefix.parse("10.20.1.10/32"), 6, 443, 443),
    ServiceRule("erp-old", ("erp",), Prefix.parse("10.20.1.99/32"), 6, 443, 443),
    ServiceRule("fax", ("fax",), Prefix.parse("10.20.7.7/32"), 6, 515, 515),
)
GRAPH = ServiceGraph(
    {one.id: one for one in NODES}, {"erp": BusinessService("erp", "ERP"), "fax": BusinessService("fax", "Fax")}
)


def compared(batch: FlowBatch) -> ModelComparison:
    found = attribution(RULES, ("erp", "fax"))
    return compare_model(traffic(batch, found), ModelAddresses(GRAPH, RULES), where(found).row_of)


def test_what_is_declared_is_held_against_what_was_seen() -> None:
    found = compared(world(1))
    told = [(one.kind, one.from_id, one.to_id, one.ports) for one in found.findings]
    unknown = [one for one in told if one[0] is FindingKind.UNKNOWN_SERVER]

    assert (
        told[: -len(unknown) - 1]
        == [
            (FindingKind.NEVER_SEEN, "erp-web", "old-db", ()),
            (FindingKind.UNDECLARED, "erp-app", "erp-db", ("1521",)),
            (FindingKind.UNDECLARED, "erp-app", "dns", ("53",)),
            (FindingKind.UNDECLARED, "erp-db", "dns", ("53",)),
            (FindingKind.SILENT_SERVICE, "fax", "", ()),
            (FindingKind.SILENT_RULE, "erp", "erp-old", ()),
        ]
        or told[: -len(unknown) - 1] == []
    )
    assert told[-1][:3] == (FindingKind.NOT_VISIBLE, "erp-web", "nameless")
    assert (found.declared_edges, found.visible_edges, found.seen_edges) == (6, 4, 3)


def test_servers_that_nobody_names_are_listed_with_their_ports() -> None:
    unknown = {one.to_id: one for one in compared(world(1)).findings if one.kind is FindingKind.UNKNOWN_SERVER}

    assert {
        "10.20.0.54", "10.20.0.60", "10.20.0.61", "10.20.1.11", "10.20.1.20", "10.20.1.30", "10.20.1.40", "10.20.1.50",
        "10.20.1.60", "10.20.1.70", "10.20.2.11", "10.20.2.30", "10.20.2.40", "10.20.3.20", "10.20.3.30",
    } == set(unknown)  # fmt: skip
    mail = unknown["10.20.1.40"]
    assert set(mail.ports) == {"25", "143", "993"}
    assert mail.text == f"10.20.1.40 serves {mail.clients} clients; no rule, node or check names it"


def test_the_shorter_the_time_the_less_is_sure_of_what_was_not_seen() -> None:
    assert [round(coverage_confidence(days * 86_400), 2) for days in (0, 1, 7, 31, 365)] == [0, 0.18, 0.48, 0.95, 0.95]


def test_without_traffic_nothing_is_borne_out_and_nothing_is_sure() -> None:
    found = compared(FlowBatch.zeros(0))

    assert (found.visible_edges, found.seen_edges, {one.confidence for one in found.findings}) == (4, 0, {0.0})
    assert found.caveat == (
        "looked at 0 seconds; what runs once a week or a month may not have run; "
        "what no exporter or mirror port sees looks as if it did not exist"
    )
