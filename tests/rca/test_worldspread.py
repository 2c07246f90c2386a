import numpy as np
import numpy.typing as npt
import pytest

from btimd.rca.worldfaults import Luck
from btimd.rca.worldmodel import REGIMES, Regime
from btimd.rca.worldspread import IndependentWorld
from tests.rca.fileworlds import world_of

SHOP = world_of()
ROW = SHOP.node_row
WEIGHT = SHOP.edges.weight.astype(np.float64)


def strength(**faults: float) -> npt.NDArray[np.float64]:
    found = np.zeros(len(SHOP))
    for name, value in faults.items():
        found[ROW[name.replace("_", "-")]] = value
    return found


def luck(flow: float = 0.5, probe: float = 0.5) -> Luck:
    return Luck(np.zeros(len(SHOP.edges)), np.full(len(SHOP.indicators), flow), np.full(len(SHOP.probes), probe))


def bad(true: IndependentWorld, faults: npt.NDArray[np.float64], drawn: Luck) -> list[str]:
    return [SHOP.probes.ids[row] for row in np.flatnonzero(true.probes_bad(faults, drawn)).tolist()]


def test_a_fault_reaches_over_the_surest_way_alone() -> None:
    reach = IndependentWorld(SHOP, REGIMES["clean"], luck=0.3).reach(ROW["db"], WEIGHT)

    assert {name: pytest.approx(reach[ROW[name]]) for name in ("db", "app-1", "web", "shop", "host-3")} == {
        "db": 1.0, "app-1": 0.95, "web": 0.475, "shop": 0.95 * 0.475, "host-3": 0.0
    }  # fmt: skip


def test_less_than_a_twentieth_is_left_out() -> None:
    weak = IndependentWorld(SHOP, REGIMES["clean"], luck=0.3).reach(ROW["db"], WEIGHT * 0.1)

    assert [weak[ROW["app-1"]], weak[ROW["web"]]] == [pytest.approx(0.095), 0.0]


def test_its_own_check_sees_a_fault_as_it_detects_and_others_as_it_reaches() -> None:
    true = IndependentWorld(SHOP, REGIMES["clean"], luck=0.3)

    assert bad(true, strength(db=1.0), luck(probe=0.9)) == ["app-1/http", "app-2/http", "db/sql"]
    assert bad(true, strength(db=0.6), luck(probe=0.6)) == []
    assert "db/sql" in bad(true, strength(db=0.6), luck(probe=0.56))


def test_false_alarms_come_where_the_regime_has_them() -> None:
    noisy = IndependentWorld(SHOP, Regime(false_alarms=True), luck=0.3)

    assert len(bad(noisy, strength(), luck(probe=0.005))) == len(SHOP.probes)
    assert noisy.flows_bad(strength(), luck(flow=0.002), false_alarms=0.003).tolist() == [True, True]
    assert noisy.flows_bad(strength(), luck(flow=0.002), false_alarms=0.0).tolist() == [False, False]


def test_flows_are_bad_through_the_surest_of_their_needs() -> None:
    true = IndependentWorld(SHOP, REGIMES["clean"], luck=0.3)

    assert true.flows_bad(strength(gate=1.0), luck(), false_alarms=0.0).tolist() == [True, False]
    assert true.flows_bad(strength(shop=1.0), luck(), false_alarms=0.0).tolist() == [True, True]
