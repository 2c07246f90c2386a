from dataclasses import replace

import numpy as np

from btimd.model.service import Need, Provenance
from btimd.rca.siteworld import BlindSpots, blind_spots, site_world
from tests.rca.fileworlds import shop, world_of
from tests.rca.worlds import graph_of, node

GRAPH = graph_of(
    node("erp", "business", "web dns", "http"),
    replace(
        node("web", "application", "db host-1", "http tcp", prior=0.01),
        need_facts=(Need("db", Provenance.FLOWS, confidence=0.5),),
    ),
    node("db", "database", "host-2"),
    node("dns", "shared", "host-2"),
    node("host-1", "host", "", "icmp"),
    node("host-2", "host"),
)


def test_a_service_graph_becomes_a_world() -> None:
    world = site_world(GRAPH)

    assert list(world.node_ids) == ["erp", "web", "db", "dns", "host-1", "host-2"]
    assert [world.kind_names[kind] for kind in world.kind] == [
        "business", "application", "database", "shared", "host", "host"
    ]  # fmt: skip
    assert np.allclose(world.prior, [1e-4, 0.01, 4e-4, 3e-4, 2e-4, 2e-4])
    edges = world.edges
    assert [
        (world.node_ids[one], world.node_ids[other], round(weight, 3), physical)
        for one, other, weight, physical in zip(
            edges.needing.tolist(), edges.to.tolist(), edges.weight.tolist(), edges.physical.tolist(), strict=True
        )
    ] == [
        ("erp", "web", 0.95, True), ("erp", "dns", 0.95, True), ("web", "db", 0.475, False),
        ("web", "host-1", 0.95, True), ("db", "host-2", 0.95, True), ("dns", "host-2", 0.95, True),
    ]  # fmt: skip
    probes = world.probes
    assert probes.ids == ["erp-http", "web-http", "web-tcp", "host-1-icmp"]
    assert probes.end_to_end.tolist() == [True, True, False, False]
    assert np.allclose(probes.detects, [0.95, 0.95, 0.6, 0.5])
    assert np.allclose(probes.cost, [4.0, 4.0, 1.5, 1.0])
    assert (list(world.indicators.ids), world.indicators.need.tolist()) == (["erp"], [0])


def test_key_indicators_that_look_end_to_end_are_indicators_too() -> None:
    checks = tuple(replace(check, every_seconds=10.0) for check in GRAPH.nodes["web"].checks)
    nodes = [replace(one, checks=checks) if one.id == "web" else one for one in GRAPH.nodes.values()]

    assert list(site_world(graph_of(*nodes)).indicators.ids) == ["erp", "web-http"]


def test_what_cannot_be_noticed_asked_or_told_apart_is_told() -> None:
    model = shop()
    model["nodes"].append({"id": "spare", "kind": "host"})
    model["probes"] = [probe for probe in model["probes"] if probe["node"] not in {"host-1", "host-2", "app-2"}]

    assert blind_spots(world_of(model)) == BlindSpots(
        unnoticed=("spare",),
        unprobed=("shop", "app-2", "host-1", "host-2", "spare"),
        alike=(("app-2", "host-2"),),
    )


def test_a_world_that_sees_everything_has_no_blind_spots() -> None:
    model = shop()
    model["probes"].append({"id": "shop/http", "node": "shop", "check": "http", "end_to_end": True})

    assert blind_spots(world_of(model)) == BlindSpots((), (), ())
