"""The condition of a business after every sequence of samples and symptoms of its own key indicators."""

from dataclasses import replace

import pytest

from btimd.daemon.businesses import BusinessConditions
from btimd.model.probe import ErrorClass, Health, ProbeResult, ProbeSpec
from btimd.model.service import BusinessService, Check, CheckKind, Node, NodeKind, ServiceGraph
from btimd.model.sla import Availability
from btimd.model.symptom import Symptom

UP, DOWN, UNKNOWN = Availability.UP, Availability.DOWN, Availability.UNKNOWN


def check(name: str, node: str = "erp", every: float | None = 5.0) -> Check:
    return Check(name, node, CheckKind.TCP, "127.0.0.1", 80, every_seconds=every)


PAGE, PORT, ASKED, WEB = check("page"), check("port"), check("asked", every=None), check("web-port", "web")
CHECKS = {one.id: one for one in (PAGE, PORT, ASKED, WEB)}


def graph(*checks: Check) -> ServiceGraph:
    own = tuple(one for one in checks if one.node == "erp")
    others = tuple(one for one in checks if one.node == "web")
    nodes = {
        "erp": Node("erp", NodeKind.BUSINESS, "ERP", ("web",), own),
        "web": Node("web", NodeKind.APPLICATION, "Web", (), others),
    }
    return ServiceGraph(nodes, {"erp": BusinessService("erp", "ERP")})


GRAPH = graph(PAGE, PORT, ASKED, WEB)


def tell(conditions: BusinessConditions, event: str) -> None:
    """Tell "page good", "port unknown", "page opens" or "page clears"."""
    name, what = event.split()
    if what in {"opens", "clears"}:
        symptom = Symptom(f"symptom-{name}", name, CHECKS[name].node, ErrorClass.TIMEOUT, "off", 1.0, 2.0)
        (conditions.opened if what == "opens" else conditions.cleared)(symptom)
    else:
        conditions.result(ProbeResult(ProbeSpec(1, CHECKS[name]), Health(what), ErrorClass.NONE, "", 1.0, 0.1))


@pytest.mark.parametrize(
    ("events", "condition"),
    [
        ([], UNKNOWN),
        (["page good"], UP),
        (["page bad"], UNKNOWN),
        (["page unknown"], UNKNOWN),
        (["page good", "page bad"], UP),
        (["page good", "page unknown"], UNKNOWN),
        (["page good", "port bad"], UP),
        (["page good", "port unknown"], UP),
        (["page opens"], DOWN),
        (["page good", "page bad", "page opens"], DOWN),
        (["page opens", "page unknown"], DOWN),
        (["page opens", "page good"], DOWN),
        (["page opens", "port good"], DOWN),
        (["page opens", "page good", "page clears"], UP),
        (["page opens", "page clears"], UNKNOWN),
        (["page opens", "port opens", "page clears"], DOWN),
        (["page opens", "port opens", "page clears", "port clears", "port good"], UP),
        (["page clears", "page good"], UP),
        (["asked good"], UNKNOWN),
        (["asked bad", "page good"], UP),
        (["web-port opens", "page good"], UP),
        (["web-port good"], UNKNOWN),
    ],
    ids=lambda value: ", ".join(value) if isinstance(value, list) else None,
)
def test_a_business_is_down_while_a_symptom_of_its_own_is_open_and_up_while_an_indicator_is_good(
    events: list[str], condition: Availability
) -> None:
    conditions = BusinessConditions(GRAPH)
    for event in events:
        tell(conditions, event)

    assert conditions.availability("erp") is condition


@pytest.mark.parametrize(("name", "business"), [("page", "erp"), ("asked", None), ("web-port", None)])
def test_a_result_speaks_of_a_business_only_where_it_is_a_key_indicator_of_it(name: str, business: str | None) -> None:
    result = ProbeResult(ProbeSpec(1, CHECKS[name]), Health.GOOD, ErrorClass.NONE, "", 1.0, 0.1)

    assert BusinessConditions(GRAPH).result(result) == business


def test_another_graph_keeps_what_is_known_of_checks_that_stay() -> None:
    conditions = BusinessConditions(GRAPH)
    tell(conditions, "page opens")
    tell(conditions, "port good")
    conditions.swap(graph(PORT, WEB))
    assert conditions.availability("erp") is UP

    conditions.swap(GRAPH)
    assert conditions.availability("erp") is UP  # the symptom is of a check that was gone: it is not remembered

    tell(conditions, "page opens")
    conditions.swap(graph(replace(PAGE, host="127.0.0.2"), PORT))
    assert conditions.availability("erp") is DOWN
