from dataclasses import replace

from btimd.rca.scores import calibration, run_json, share_found, summary
from btimd.rca.simulate import Answer, Run
from tests.rca.fileworlds import incident, world_of

WORLD = world_of()
ROW = WORLD.node_row


def run(*causes: str, ranked: tuple[str, ...], found: tuple[str, ...], confidence: float, probes: int = 2) -> Run:
    answer = Answer(tuple(ROW[name] for name in ranked), tuple(ROW[name] for name in found), confidence, confidence)
    return Run(incident(WORLD, *causes), answer, tuple(range(probes)), rounds=probes, step_seconds=(0.001, 0.003))


RIGHT = run("db", ranked=("db", "web"), found=("db",), confidence=0.95)
SECOND = run("db", ranked=("web", "db"), found=("web",), confidence=0.95, probes=4)
HALF = run("db", "gate", ranked=("gate", "web", "db"), found=("gate",), confidence=0.55, probes=0)


def test_a_run_is_told_in_names() -> None:
    assert run_json(WORLD, SECOND) == {
        "id": 1, "ranked": ["web", "db"], "set": ["web"], "confidence": 0.95,
        "probes": ["web/http", "app-1/http", "app-1/tcp", "app-2/http"], "rounds": 4, "seconds": 0.004,
    }  # fmt: skip


def test_runs_are_summed_up() -> None:
    assert summary(WORLD, [RIGHT, SECOND, HALF], confident=0.9) == {
        "incidents": 3, "mean_probes": 2.0, "p50_probes": 2.0, "p95_probes": 3.8, "mean_rounds": 2.0,
        "mean_cost": 7.1667, "p50_step_ms": 2.0, "p95_step_ms": 3.0, "mean_seconds": 0.004, "scored": 3,
        "top1": 0.6667, "top3": 1.0, "recall_k": 0.5, "recall_k2": 1.0, "exact": 0.3333,
        "confident": 0.6667, "confident_exact": 0.5, "confident_top1": 0.5, "confident_probes": 3.0,
        "calibration": [
            {"from": 0.5, "number": 1, "confidence": 0.55, "right": 0.0},
            {"from": 0.9, "number": 2, "confidence": 0.95, "right": 0.5},
        ],
    }  # fmt: skip


def test_where_no_truth_is_told_there_are_no_scores() -> None:
    untold = replace(RIGHT, incident=replace(RIGHT.incident, causes=None))

    assert summary(WORLD, [untold], confident=0.9) == {
        "incidents": 1, "mean_probes": 2.0, "p50_probes": 2.0, "p95_probes": 2.0, "mean_rounds": 2.0,
        "mean_cost": 8.0, "p50_step_ms": 2.0, "p95_step_ms": 2.9, "mean_seconds": 0.004, "scored": 0,
    }  # fmt: skip
    assert summary(WORLD, [], confident=0.9)["incidents"] == 0


def test_a_cause_outside_the_model_is_scored_by_its_neighbours() -> None:
    first = replace(RIGHT, incident=replace(RIGHT.incident, causes=("tape",), near=("web",)))
    found = summary(WORLD, [first, RIGHT], confident=0.9)

    assert {key: found[key] for key in ("top3", "outside_model", "near1", "near3", "confident_outside")} == {
        "top3": 0.5, "outside_model": 1, "near1": 0.0, "near3": 1.0, "confident_outside": 1.0
    }  # fmt: skip


def test_none_confident_is_no_score() -> None:
    found = summary(WORLD, [HALF], confident=0.9)

    assert (found["confident"], found["confident_exact"], found["confident_top1"]) == (0.0, None, None)


def test_full_confidence_stands_in_the_last_tenth() -> None:
    sure = run("db", ranked=("db",), found=("db",), confidence=1.0)

    assert calibration(WORLD, [sure]) == [{"from": 0.9, "number": 1, "confidence": 1.0, "right": 1.0}]
    assert share_found(WORLD, HALF, extra=1) == 1.0
