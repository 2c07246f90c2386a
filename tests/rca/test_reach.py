from typing import Any

import pytest

from btimd.rca.reach import Reach
from tests.rca.fileworlds import world_of

WORLD = world_of()
ROW = WORLD.node_row


def named(found: dict[int, float]) -> dict[str, Any]:
    return {WORLD.node_ids[node]: pytest.approx(weight, rel=1e-5) for node, weight in found.items()}


def test_the_best_way_down_counts() -> None:
    assert named(Reach(WORLD).below(ROW["web"])) == {
        "web": 1.0, "app-1": 0.5, "app-2": 0.5, "db": 0.475, "host-1": 0.475, "host-2": 0.475, "host-3": 0.45125
    }  # fmt: skip
    assert named(Reach(WORLD).below(ROW["app-1"], physical=True)) == {"app-1": 1.0, "host-1": 0.95}


def test_a_probe_sees_its_own_node_as_well_as_it_detects() -> None:
    reach = Reach(WORLD)

    assert named(reach.of_probe(WORLD.probe_row["app-1/tcp"])) == {"app-1": 0.6, "host-1": 0.95}
    assert named(reach.of_probe(WORLD.probe_row["db/sql"])) == {"db": 0.95, "host-3": 0.95}


def test_an_indicator_sees_all_that_it_needs() -> None:
    found = named(Reach(WORLD).of_indicator(0))

    assert found["gate"] == 1.0
    assert found["db"] == pytest.approx(0.95 * 0.475, rel=1e-5)
    assert Reach(WORLD).needs(ROW["app-2"]) == [ROW["db"], ROW["host-2"]]
