"""Proposals for made-up enterprises whose truth is known."""

from collections.abc import Sequence

import pytest

from btimd.flows.activity import Activity
from btimd.flows.modeladdresses import ModelAddresses
from btimd.flows.suggest import suggest
from btimd.model.address import Prefix
from btimd.model.discovery import SuggestionKind, Suggestions
from btimd.model.flowbatch import FlowBatch
from btimd.model.service import BusinessService, Node, NodeKind, ServiceGraph, ServiceRule
from tests.flows.worlds_discovery import TRUTH, addresses, attribution, traffic, where, world

NOTHING = ModelAddresses(ServiceGraph({}, {}), ())
ERP_RULE = ServiceRule("erp", ("erp",), Prefix.parse("10.20.1.10/32"), 6, 443, 443)
ERP = ServiceGraph(
    {"erp": Node("erp", NodeKind.BUSINESS, "ERP", ("web",)), "web": Node("web", NodeKind.APPLICATION, "web")},
    {"erp": BusinessService("erp", "ERP")},
)


def proposed(
    batch: FlowBatch,
    model: ModelAddresses = NOTHING,
    *,
    by_evidence: bool = True,
    over_time: bool = True,
) -> Suggestions:
    found = attribution(model.rules, tuple(model.graph.businesses))
    seen = traffic(batch, found, by_evidence=by_evidence)
    times = seen.conversations.from_milliseconds, seen.conversations.to_milliseconds

    def activity(
        ends: Sequence[tuple[int, int, int, int, int]], groups: int, edges: Sequence[tuple[int, int]]
    ) -> tuple[Activity, int]:
        made = Activity(ends, groups, edges, *times)
        made.add(batch)
        return made, len(batch)

    return suggest(seen, model, where(found), activity=activity if over_time else None)


def names_of(found: Suggestions) -> dict[str, str]:
    """Return the truth's name of each proposal that has exactly the right servers and ports."""
    return {
        one.id: name
        for one in found.services
        for name, (servers, ports) in TRUTH.services.items()
        if addresses(one.servers) == servers and {str(port) for port in ports} <= set(one.ports)
    }


def edges_of(found: Suggestions) -> set[tuple[str, str]]:
    named = names_of(found)
    return {(named.get(one.from_id, one.from_id), named.get(one.to_id, one.to_id)) for one in found.dependencies}


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_every_service_and_pool_is_found_with_its_ports_and_nothing_else(seed: int) -> None:
    found = proposed(world(seed))

    assert sorted(names_of(found).values()) == sorted(TRUTH.services)
    assert len(found.services) == len(TRUTH.services)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_dependency_is_found_and_of_work_none_that_is_not_there(seed: int) -> None:
    found = proposed(world(seed))
    named = names_of(found)
    work = {
        (named.get(one.from_id, one.from_id), named.get(one.to_id, one.to_id))
        for one in found.dependencies
        if not one.background
    }

    assert edges_of(found) >= TRUTH.edges
    assert work == {edge for edge in TRUTH.edges if edge[1] not in TRUTH.shared}
    assert {to for from_, to in edges_of(found) - TRUTH.edges} == {"dns"}


def test_without_evidence_of_who_began_all_but_the_service_above_the_ports_of_clients_is_found() -> None:
    found = proposed(world(1), by_evidence=False, over_time=False)

    assert set(TRUTH.services) - set(names_of(found).values()) == {"custom"}
    assert edges_of(found) >= TRUTH.edges
    assert {one.correlation for one in found.dependencies} == {None}


def test_a_proposal_says_what_it_is_and_why() -> None:
    found = proposed(world(1))
    by_name = {name: one for one in found.services if (name := names_of(found).get(one.id))}
    kinds = {name: (one.kind.value, one.node_kind.value) for name, one in by_name.items()}

    assert kinds == {
        "erp-web": ("service", "application"), "erp-app": ("component", "application"),
        "erp-db": ("component", "database"), "hr-web": ("service", "application"),
        "hr-db": ("component", "database"), "crm-web": ("service", "application"),
        "crm-app": ("component", "application"), "crm-mq": ("component", "middleware"),
        "crm-db": ("component", "database"), "mail": ("service", "application"), "files": ("service", "application"),
        "custom": ("service", "application"), "portal": ("service", "application"), "dns": ("shared", "shared"),
        "ldap": ("shared", "shared"), "ntp": ("shared", "shared"),
    }  # fmt: skip
    files = by_name["files"]
    assert (files.id, files.name, files.protocol) == ("ftp-10-20-1-50", f"ftp 21, {files.ports[1]} on 10.20.1.50", 6)
    assert files.regions == ("north",)
    assert by_name["erp-web"].criticality.value == "high"
    assert by_name["custom"].criticality.value == "normal"
    assert found.left_out.keys() == {
        "to servers outside the enterprise", "scans", "between peers", "to ports agreed on at run time",
        "too little evidence",
    }  # fmt: skip


def test_what_a_rule_names_is_not_proposed_but_its_further_servers_are() -> None:
    found = proposed(world(1), ModelAddresses(ERP, [ERP_RULE]))
    about_erp = [one for one in found.services if addresses(one.servers) & {"10.20.1.10", "10.20.1.11"}]

    assert [(one.kind, one.extends, one.servers, one.ports) for one in about_erp] == [
        (SuggestionKind.SERVER, "erp", ("10.20.1.11/32",), ("443",))
    ]
    assert ("erp", True) in {(one.from_id, one.from_known) for one in found.dependencies}


def test_a_further_port_of_servers_that_a_rule_names_is_proposed_for_that_rule() -> None:
    rule = ServiceRule("erp", ("erp",), Prefix.parse("10.20.1.40/32"), 6, 993, 993)
    found = proposed(world(1), ModelAddresses(ERP, [rule]))

    assert [(one.kind, one.extends, one.ports) for one in found.services if one.servers == ("10.20.1.40/32",)] == [
        (SuggestionKind.PORT, "erp", ("25", "143"))
    ]


def test_no_traffic_proposes_nothing() -> None:
    found = proposed(FlowBatch.zeros(0))

    assert (found.services, found.dependencies, found.left_out) == ((), (), {})
