"""Scores runs against the truth."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np

from btimd.rca.simulate import Run
from btimd.rca.world import World

_DECILES: Final = 10


def run_json(world: World, run: Run, *, shown: int = 10) -> dict[str, Any]:
    """Return a run as it is printed: one JSON object per incident."""
    answer = run.answer
    return {
        "id": run.incident.id,
        "ranked": [world.node_ids[node] for node in answer.ranked[:shown]],
        "set": [world.node_ids[node] for node in answer.found],
        "confidence": round(answer.confidence, 4),
        "probes": [world.probes.ids[probe] for probe in run.probes],
        "rounds": run.rounds,
        "seconds": round(run.seconds, 4),
    }


def share_found(world: World, run: Run, extra: int = 0) -> float:
    """Return the share of the k true causes among the first k + extra ranked."""
    causes = run.incident.causes or ()
    first = {world.node_ids[node] for node in run.answer.ranked[: len(causes) + extra]}
    return sum(cause in first for cause in causes) / len(causes) if causes else 1.0


def is_top(world: World, run: Run, rank: int) -> bool:
    """Tell whether one of the first so many is a true cause."""
    return any(world.node_ids[node] in (run.incident.causes or ()) for node in run.answer.ranked[:rank])


def is_exact(world: World, run: Run) -> bool:
    """Tell whether the set found is the set of causes."""
    return {world.node_ids[node] for node in run.answer.found} == set(run.incident.causes or ())


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return round(float(np.mean(found)), 4) if found else 0.0


def _percentile(values: Sequence[float], percent: float) -> float:
    return round(float(np.percentile(values, percent)), 4) if values else 0.0


def summary(world: World, runs: Sequence[Run], *, confident: float) -> dict[str, Any]:
    """Return the figures of some runs; scores only over those whose causes are told.

    top1, top3: share of incidents with a true cause among the first 1, 3. recall_k, recall_k2: share of the k true
    causes among the first k, k + 2. exact: share whose set is the truth. confident: share whose confidence is at
    least this; confident_exact, confident_top1: share of these that are right. calibration: per tenth of confidence
    the number, mean confidence and share right (the whole set). outside_model: incidents with a cause that the model
    does not hold; near1, near3: share of these with a neighbour of it among the first 1, 3; confident_outside: share
    of these that are confident all the same (and wrong). *_step_ms: computing time between two rounds.
    """
    steps = [1000.0 * step for run in runs for step in run.step_seconds]
    probes = [float(len(run.probes)) for run in runs]
    found: dict[str, Any] = {
        "incidents": len(runs),
        "mean_probes": _mean(probes),
        "p50_probes": _percentile(probes, 50),
        "p95_probes": _percentile(probes, 95),
        "mean_rounds": _mean(run.rounds for run in runs),
        "mean_cost": _mean(float(world.probes.cost[list(run.probes)].sum()) for run in runs),
        "p50_step_ms": round(_percentile(steps, 50), 3),
        "p95_step_ms": round(_percentile(steps, 95), 3),
        "mean_seconds": _mean(run.seconds for run in runs),
    }
    told = [run for run in runs if run.incident.causes]
    found["scored"] = len(told)
    if not told:
        return found
    sure = [run for run in told if run.answer.confidence >= confident]
    found |= {
        "top1": _mean(is_top(world, run, 1) for run in told),
        "top3": _mean(is_top(world, run, 3) for run in told),
        "recall_k": _mean(share_found(world, run) for run in told),
        "recall_k2": _mean(share_found(world, run, 2) for run in told),
        "exact": _mean(is_exact(world, run) for run in told),
        "confident": _mean(run.answer.confidence >= confident for run in told),
        "confident_exact": _mean(is_exact(world, run) for run in sure) if sure else None,
        "confident_top1": _mean(is_top(world, run, 1) for run in sure) if sure else None,
        "confident_probes": _mean(len(run.probes) for run in sure) if sure else None,
        "calibration": calibration(world, told),
    }
    return found | _outside(world, told, confident)


def calibration(world: World, runs: Sequence[Run]) -> list[dict[str, float]]:
    """Return number, mean confidence and share right of every tenth of confidence that occurs."""
    rows = []
    for tenth in range(_DECILES):
        inside = [run for run in runs if min(int(run.answer.confidence * _DECILES), _DECILES - 1) == tenth]
        if inside:
            rows.append(
                {
                    "from": tenth / _DECILES,
                    "number": len(inside),
                    "confidence": _mean(run.answer.confidence for run in inside),
                    "right": _mean(is_exact(world, run) for run in inside),
                }
            )
    return rows


def _outside(world: World, runs: Sequence[Run], confident: float) -> dict[str, Any]:
    """Return the figures of incidents with a cause that the model does not hold; nothing where there is none."""
    known = world.node_row
    outside = [run for run in runs if any(cause not in known for cause in run.incident.causes or ())]
    if not outside:
        return {}

    def near(run: Run, rank: int) -> bool:
        return any(world.node_ids[node] in run.incident.near for node in run.answer.ranked[:rank])

    return {
        "outside_model": len(outside),
        "near1": _mean(near(run, 1) for run in outside),
        "near3": _mean(near(run, 3) for run in outside),
        "confident_outside": _mean(run.answer.confidence >= confident for run in outside),
    }
