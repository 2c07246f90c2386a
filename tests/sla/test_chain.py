"""Whether OLAs and UCs can make up an SLA."""

from types import MappingProxyType
from typing import Any

from btimd.model.agreement import AgreementKind
from btimd.model.service import BusinessService, Node, NodeKind, Rollup, ServiceGraph
from btimd.sla.chain import ChainNote, Links, chain_notes, links
from tests.sla.agreeing import OFFICE, agreement, covering, moment, targets

NOW = moment("16 00:00")


def graph(**nodes: Any) -> ServiceGraph:
    """Return a graph of the business "erp" and these nodes: their needs, or needs and what else is said of them."""
    made = {}
    for name, what in nodes.items():
        needs, rest = (what, {}) if isinstance(what, tuple) else (what.pop("needs"), what)
        kind = NodeKind.BUSINESS if name == "erp" else NodeKind.HOST
        made[name] = Node(name, kind, name, needs, **rest)
    return ServiceGraph(MappingProxyType(made), MappingProxyType({"erp": BusinessService("erp", "ERP")}), 1)


PLAIN = {"erp": ("web",), "web": ("db", "line"), "db": (), "line": ()}


def test_needs_that_have_a_substitute_are_not_in_the_row() -> None:
    built = graph(
        erp=("cluster",),
        cluster={"needs": ("a", "b"), "rollup": Rollup.BEST},
        a=("disk",),
        b={"needs": ("disk", "odd"), "ignore": ("odd",)},
        disk=(),
        odd=(),
    )

    assert links(built, "erp") == Links(frozenset({"cluster"}), frozenset({"a", "b", "disk"}))


def test_agreements_that_make_up_the_promise_are_not_told_of() -> None:
    ours = [
        agreement(availability_percent=99.0),
        covering("web", "web", availability_percent=99.5),
    ]

    assert chain_notes(ours, graph(**PLAIN), NOW) == []


def test_a_product_below_the_promise_is_told_with_its_parts_and_uncovered_nodes_are_a_gap() -> None:
    ours = [
        agreement(),
        covering("dba", "db", availability_percent=99.9),
        covering("isp", "line", kind=AgreementKind.UC, availability_percent=99.8),
    ]

    assert chain_notes(ours, graph(**PLAIN), NOW) == [
        ChainNote(
            "bank",
            "promises 99.9 % of erp, but what it stands on makes up 99.7 % at most (dba 99.9 %, isp 99.8 %);"
            " ask more of them or promise less",
        ),
        ChainNote("bank", "web that erp needs: no agreement covers it", is_gap=True),
    ]


def test_what_lies_inside_another_agreement_is_a_part_of_it_and_must_promise_as_much() -> None:
    ours = [
        agreement(availability_percent=99.0),
        covering("web", "web", availability_percent=99.5),
        covering("isp", "line", kind=AgreementKind.UC, availability_percent=99.2),
    ]

    assert chain_notes(ours, graph(**PLAIN), NOW) == [
        ChainNote("web", "promises 99.5 %, but isp, which it stands on, only 99.2 %")
    ]


def test_service_time_nobody_below_is_there_is_told() -> None:
    ours = [agreement(availability_percent=90.0), covering("web", "web", calendar=OFFICE)]

    assert chain_notes(ours, graph(**PLAIN), NOW) == [
        ChainNote("bank", "is in service 492 h in the next four weeks when web (calendar office) is not")
    ]


def test_an_incident_that_is_handed_down_must_be_resolved_in_time() -> None:
    ours = [
        agreement(availability_percent=90.0, response=targets(P1=10, P2=20), resolve=targets(P1=120, P2=240)),
        covering("web", "web", response=targets(P1=15, P2=30), resolve=targets(P1=100, P2=200)),
        covering("isp", "line", kind=AgreementKind.UC, resolve=targets(P1=110, P2=180)),
    ]

    assert chain_notes(ours, graph(**PLAIN), NOW) == [
        ChainNote(
            "bank",
            "promises to resolve P1 in 2 h, but bank responds in 10 min + web responds in 15 min + isp resolves in"
            " 1.83333 h is 2.25 h; ask for less or promise more time",
        )
    ]


def test_an_agreement_nothing_stands_under_is_not_judged() -> None:
    assert chain_notes([agreement(availability_percent=100.0)], graph(**PLAIN), NOW) == []
    assert chain_notes([agreement(businesses=("gone",)), covering("web", "web")], graph(**PLAIN), NOW) == []
