import math

import numpy as np
import pytest

from bench.rca import AndMore, Pool, load, main
from btimd.rca.simulate import Answer, Case, Run, SimulationOptions, outcomes_of
from btimd.rca.worlddraw import Drawing
from tests.rca.fileworlds import DATABASE_DOWN, incident, noted, world_of

WORLD = world_of()
ROW = WORLD.node_row


def run(found: str, confidence: float, probes: int) -> Run:
    answer = Answer((ROW[found],), (ROW[found],), confidence, confidence)
    return Run(incident(WORLD, "db"), answer, tuple(range(probes)), rounds=1, step_seconds=(0.001,))


def test_runs_over_several_worlds_are_scored_together() -> None:
    pool = Pool(confident=0.9)
    pool.add(WORLD, [run("db", 0.95, 2), run("web", 0.95, 4), run("web", 0.5, 6)])
    pool.add(WORLD, [run("db", 0.92, 8)])
    scores = pool.scores()

    assert {key: pytest.approx(scores[key], abs=1e-3) for key in scores.keys() & SCORES.keys()} == SCORES
    assert [tuple(row) for row in pool.tenths()] == [
        (0.5, 1, 0.5, 0.0),
        (0.9, 3, pytest.approx(0.94), pytest.approx(2 / 3, abs=1e-3)),
    ]


SCORES = {
    "incidents": 4, "mean_probes": 5.0, "p50_probes": 5.0, "recall_k": 0.5, "confident": 0.75, "confident_exact": 0.667
}  # fmt: skip


def test_no_confident_run_is_no_rate() -> None:
    pool = Pool(confident=0.9)
    pool.add(WORLD, [run("db", 0.5, 2)])

    assert math.isnan(pool.scores()["confident_exact"])


def test_model_and_incidents_come_through_their_files() -> None:
    world, incidents = load(Drawing(400, "moderate", 2, 3, 1))

    assert (len(world), len(incidents), [len(one.causes or ()) for one in incidents]) == (400, 3, [2, 2, 2])


def test_more_probes_are_asked_after_the_end() -> None:
    one = incident(WORLD, "db", **DATABASE_DOWN)
    case = Case(one.symptoms, np.empty(0, np.int32))
    asked = {}
    for more in (0, 3):
        ask, rounds = noted(outcomes_of(one, len(WORLD.probes)))
        answer = AndMore(WORLD, SimulationOptions(max_probes=4), np.random.default_rng(1), more).run(case, ask)
        asked[more] = {probe for probes in rounds for probe in probes}
        assert answer.found == (ROW["db"],)

    assert len(asked[3]) == len(asked[0]) + 3


@pytest.mark.slow
def test_all_tables_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--nodes", "300", "--incidents", "2", "--seeds", "1", "--faults", "1", "--max-probes", "10"])
    out = capsys.readouterr().out

    assert [line for line in out.splitlines() if line.startswith("###")] == [
        "### Probes and accuracy",
        "### Calibration of the adaptive way (all sizes, regimes and numbers of faults together)",
        "### How many probes are worth it",
        "### More evidence must not make it worse",
        "### The cause is missing in the model",
        "### Half of the faults come from a known change",
        "### Enterprises of other shapes (one per seed)",
        "### Time and memory",
    ]
    assert out.count("| 300 |") == 6 + 1 + 4 + 6 + 1 + 2 + 1
