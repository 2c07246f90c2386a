from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from btimd.rca.truthfile import parse_incidents
from btimd.rca.world import World
from btimd.rca.worldfaults import Luck, TrueWorld, Wanted, draw_incidents, hidden_nodes
from btimd.rca.worldgen import Family, draw_world
from btimd.rca.worldmodel import REGIMES, Regime, believed
from tests.rca.fileworlds import world_of

SHOP = world_of()
ROW = SHOP.node_row
BIG = draw_world(1000, Family(), np.random.default_rng(1))
Floats = npt.NDArray[np.float64]


def strength(**faults: float) -> Floats:
    found = np.zeros(len(SHOP))
    for name, value in faults.items():
        found[ROW[name.replace("_", "-")]] = value
    return found


def luck(edge: float = 0.0, flow: float = 0.5, probe: float = 0.5) -> Luck:
    return Luck(np.full(len(SHOP.edges), edge), np.full(len(SHOP.indicators), flow), np.full(len(SHOP.probes), probe))


def bad(true: TrueWorld, faults: Floats, drawn: Luck) -> list[str]:
    return [SHOP.probes.ids[row] for row in np.flatnonzero(true.probes_bad(faults, drawn)).tolist()]


def test_damage_spreads_to_who_needs_and_meets_in_what_is_redundant() -> None:
    true = TrueWorld(SHOP, REGIMES["clean"], luck=0.0)
    impaired, below = true.damage(strength(db=1.0), SHOP.edges.weight.astype(np.float64))

    half = 1 - (1 - 0.5 * 0.95) ** 2
    assert {name: pytest.approx(impaired[ROW[name]]) for name in ("db", "app-1", "web", "shop", "host-3")} == {
        "db": 1.0, "app-1": 0.95, "web": half, "shop": 0.95 * half, "host-3": 0.0
    }  # fmt: skip
    assert [below[ROW["db"]], below[ROW["web"]]] == pytest.approx([0.0, half])


def test_a_gray_fault_shows_in_part() -> None:
    true = TrueWorld(SHOP, REGIMES["clean"], luck=0.0)
    impaired, _ = true.damage(strength(db=0.6), SHOP.edges.weight.astype(np.float64))

    assert impaired[ROW["app-1"]] == pytest.approx(0.95 * 0.6)


def test_what_does_not_look_end_to_end_sees_what_it_runs_on_only() -> None:
    true = TrueWorld(SHOP, REGIMES["clean"], luck=0.0)

    assert bad(true, strength(db=1.0), luck()) == ["web/http", "app-1/http", "app-2/http", "db/sql"]
    assert bad(true, strength(host_1=1.0), luck()) == ["app-1/http", "app-1/tcp", "host-1/icmp"]
    assert bad(true, strength(), luck(probe=0.0)) == []


def test_false_alarms_come_where_the_regime_has_them() -> None:
    noisy = TrueWorld(SHOP, Regime(false_alarms=True), luck=0.0)

    assert len(bad(noisy, strength(), luck(probe=0.005))) == len(SHOP.probes)
    assert bad(noisy, strength(), luck(probe=0.02)) == []
    assert noisy.flows_bad(strength(), luck(flow=0.002), false_alarms=0.003).tolist() == [True, True]
    assert noisy.flows_bad(strength(), luck(flow=0.002), false_alarms=0.0).tolist() == [False, False]


def test_flows_are_bad_through_any_of_their_needs() -> None:
    true = TrueWorld(SHOP, REGIMES["clean"], luck=0.0)

    assert true.flows_bad(strength(gate=1.0), luck(), false_alarms=0.0).tolist() == [True, False]
    assert true.flows_bad(strength(shop=1.0), luck(), false_alarms=0.0).tolist() == [True, True]


def test_luck_of_an_incident_holds_for_all_that_is_seen_through_a_need() -> None:
    true = TrueWorld(SHOP, REGIMES["clean"], luck=1.0)

    assert bad(true, strength(db=1.0), luck(edge=0.96)) == ["db/sql"]
    assert bad(true, strength(db=1.0), luck(edge=0.6)) == ["app-1/http", "app-2/http", "db/sql"]
    assert bad(true, strength(db=1.0), luck(edge=0.4)) == ["web/http", "app-1/http", "app-2/http", "db/sql"]


def drawn(regime: str = "moderate", *, faults: int = 2, hidden: bool = False, changes: bool = False, number: int = 20,
          ) -> tuple[World, list[dict[str, Any]]]:  # fmt: skip
    rng = np.random.default_rng(3)
    rows = hidden_nodes(BIG, 0.05, rng) if hidden else None
    model = believed(BIG, REGIMES[regime], rng, hidden=[] if rows is None else rows.tolist())
    true = TrueWorld(BIG, REGIMES[regime], luck=0.3)
    return model, draw_incidents(true, model, Wanted(number, faults, rows, changes), rng)


def test_incidents_have_so_many_faults_and_each_can_be_seen() -> None:
    model, incidents = drawn()

    assert [one["id"] for one in incidents] == list(range(1, 21))
    assert all(len(set(one["causes"])) == 2 for one in incidents)
    assert all(one["symptoms"] for one in incidents)
    assert all(set(one["outcomes"]) <= model.probe_row.keys() for one in incidents)
    unknown = np.mean([list(one["outcomes"].values()).count("unknown") for one in incidents]) / len(model.probes)
    assert unknown == pytest.approx(0.04, rel=0.15)


def test_in_a_clean_world_all_that_is_bad_stands_on_a_cause() -> None:
    model, incidents = drawn("clean", faults=1)
    above = {}
    for one in incidents:
        cause = model.node_row[one["causes"][0]]
        above[cause] = _above(model, cause)
        assert all(int(model.probes.node[model.probe_row[name]]) in above[cause] for name in one["outcomes"])
        assert set(one["outcomes"].values()) <= {"bad"}


def _above(world: World, node: int) -> set[int]:
    """Return who needs a node, over any number of steps."""
    found, front = {node}, {node}
    while front:
        needing = world.edges.needing[np.isin(world.edges.to, list(front))].tolist()
        front = set(needing) - found
        found |= front
    return found


def test_the_same_seed_gives_the_same_incidents() -> None:
    assert drawn()[1] == drawn()[1]


def test_hidden_causes_are_not_in_the_model_and_their_neighbours_are_told() -> None:
    model, incidents = drawn(faults=1, hidden=True)

    assert all(one["causes"][0] not in model.node_row for one in incidents)
    assert all(set(one.get("near", [])) <= model.node_row.keys() for one in incidents)
    assert sum(bool(one.get("near")) for one in incidents) == len(incidents)


def test_about_half_of_the_faults_come_from_a_change() -> None:
    _, incidents = drawn(faults=1, changes=True, number=60)
    due = [one["causes"][0] in one["changes"] for one in incidents]

    assert 20 <= sum(due) <= 42
    assert all(len(one["changes"]) >= 4 for one in incidents)


def test_incidents_are_read_as_they_were_written() -> None:
    import json

    model, incidents = drawn(changes=True)
    read = parse_incidents(json.dumps(incidents), model)

    assert [one.causes for one in read] == [tuple(one["causes"]) for one in incidents]
    assert [len(one.bad) + len(one.unknown) for one in read] == [len(one["outcomes"]) for one in incidents]


def test_faults_that_nobody_could_notice_are_an_error() -> None:
    world = replace(SHOP, prior=np.where(np.arange(len(SHOP)) == ROW["shop"], SHOP.prior, 0.0).astype(np.float32))

    with pytest.raises(ValueError, match="no further fault shows on an indicator"):
        draw_incidents(TrueWorld(world, Regime(), luck=0.0), world, Wanted(1, 2), np.random.default_rng(1))
