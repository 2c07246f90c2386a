from dataclasses import replace

import numpy as np
import pytest

from btimd.rca.selftest import SelfTest, calibration_of, noticeable, self_test
from btimd.rca.simulate import Run, SimulationOptions
from btimd.rca.world import World
from tests.rca.fileworlds import ticking, world_of

WORLD = world_of()


def tried(world: World = WORLD, incidents: int = 25, faults: int = 1, regime: str = "moderate") -> list[Run]:
    wanted = SelfTest(incidents, faults, regime)
    return list(self_test(world, wanted, SimulationOptions(), clock=ticking()))


def test_every_incident_is_diagnosed_once() -> None:
    runs = tried()

    assert [run.incident.id for run in runs] == list(range(1, 26))
    assert all(len(run.incident.causes or ()) == 1 for run in runs)
    assert all(len(run.probes) <= len(WORLD.probes) for run in runs)


def test_the_same_seed_gives_the_same_answers() -> None:
    assert [run.answer for run in tried()] == [run.answer for run in tried()]


def test_on_a_model_that_is_right_most_causes_are_found() -> None:
    runs = tried(incidents=40, regime="clean")
    first = [WORLD.node_ids[run.answer.ranked[0]] in (run.incident.causes or ()) for run in runs]

    assert sum(first) >= 30


def test_only_what_an_indicator_notices_can_be_at_fault() -> None:
    prior = WORLD.prior.copy()
    prior[WORLD.node_row["web"]] = 0.0
    cut_off = replace(WORLD, indicators=replace(WORLD.indicators, start=np.array([0, 1], np.int32), ids=["gate"],
                                                need=np.array([8], np.int32)))  # fmt: skip

    assert noticeable(replace(WORLD, prior=prior)) == [0, 2, 3, 4, 5, 6, 7, 8]
    assert noticeable(cut_off) == [8]
    with pytest.raises(ValueError, match="an indicator notices the failure of 1 nodes; 2 are needed"):
        tried(cut_off, faults=2)


def test_confidence_is_fitted_to_how_often_it_was_right() -> None:
    fitted = calibration_of(WORLD, tried(incidents=40))

    assert list(fitted.confidence) == sorted(fitted.confidence)
    assert 0.0 <= fitted(0.1) <= fitted(0.9) <= 1.0
