from dataclasses import replace

import numpy as np
import pytest

from btimd.rca.world import World, depths
from btimd.rca.worldgen import Family, draw_world
from btimd.rca.worldmodel import REGIMES, Regime, believed
from tests.rca.fileworlds import world_of

WORLD = draw_world(3000, Family(), np.random.default_rng(1))


def pairs(world: World, *, calls: bool) -> set[tuple[str, str]]:
    edges = world.edges
    rows = zip(edges.needing.tolist(), edges.to.tolist(), edges.physical.tolist(), strict=True)
    return {(world.node_ids[one], world.node_ids[other]) for one, other, physical in rows if physical is not calls}


def test_a_clean_model_is_the_world() -> None:
    model = believed(WORLD, REGIMES["clean"], np.random.default_rng(1))

    assert model.node_ids == tuple(WORLD.node_ids)
    assert pairs(model, calls=True) == pairs(WORLD, calls=True)
    assert pairs(model, calls=False) == pairs(WORLD, calls=False)
    assert model.prior.tolist() == WORLD.prior.tolist()
    assert model.probes.ids == WORLD.probes.ids
    assert model.probes.false_positive.max() == 0.0


@pytest.mark.parametrize(
    ("name", "missing", "wrong", "unprobed"), [("moderate", 0.05, 0.02, 0.1), ("harsh", 0.1, 0.05, 0.2)]
)
def test_a_model_has_the_errors_of_its_regime(name: str, missing: float, wrong: float, unprobed: float) -> None:
    model = believed(WORLD, REGIMES[name], np.random.default_rng(1))
    true, seen = pairs(WORLD, calls=True), pairs(model, calls=True)

    assert pairs(model, calls=False) == pairs(WORLD, calls=False)
    assert len(true - seen) / len(true) == pytest.approx(missing + wrong, rel=0.2)
    assert len(seen - true) / len(true) == pytest.approx(wrong, rel=0.25)
    assert 1 - len(model.probes) / len(WORLD.probes) == pytest.approx(unprobed, rel=0.2)
    assert (depths(model.edges) >= 0).all()
    half_width = REGIMES[name].weight_error
    known = {pair: weight for pair, weight in _weights(WORLD).items() if pair not in true - seen}
    off = [abs(weight - known[pair]) for pair, weight in _weights(model).items() if pair in known]
    assert max(off) <= half_width + 1e-6
    assert np.mean(off) == pytest.approx(half_width / 2, rel=0.25)


def _weights(world: World) -> dict[tuple[str, str], float]:
    edges = world.edges
    rows = zip(edges.needing.tolist(), edges.to.tolist(), edges.weight.tolist(), strict=True)
    found: dict[tuple[str, str], float] = {}
    for one, other, weight in rows:
        found.setdefault((world.node_ids[one], world.node_ids[other]), weight)
    return found


def test_who_needs_a_hidden_node_seems_to_need_what_that_needs() -> None:
    world = world_of()
    hidden = [world.node_row[name] for name in ("web", "app-1", "host-3")]
    model = believed(world, Regime(), np.random.default_rng(1), hidden=hidden)

    assert model.node_ids == ("shop", "app-2", "db", "host-1", "host-2", "gate")
    assert {pair: round(weight, 5) for pair, weight in _weights(model).items()} == {
        ("shop", "app-2"): 0.475, ("shop", "db"): 0.45125, ("shop", "host-1"): 0.45125,
        ("app-2", "db"): 0.95, ("app-2", "host-2"): 0.95,
    }  # fmt: skip
    assert model.probes.ids == ["app-2/http", "app-2/tcp", "db/sql", "host-1/icmp", "host-2/icmp", "gate/icmp"]
    assert [model.node_ids[node] for node in model.probes.node] == ["app-2", "app-2", "db", "host-1", "host-2", "gate"]
    assert [model.node_ids[node] for node in model.indicators.need] == ["shop", "gate", "shop"]


def test_priors_may_be_wrong_too() -> None:
    model = believed(WORLD, replace(REGIMES["clean"], prior_error=0.3), np.random.default_rng(1))
    ratio = np.log(model.prior / WORLD.prior)

    assert np.std(ratio) == pytest.approx(0.3, rel=0.1)
