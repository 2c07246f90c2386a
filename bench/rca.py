"""How well and how cheaply causes are found: the adaptive way against others, on drawn enterprises.

    python -m bench.rca --nodes 10000 --incidents 60 --seeds 7 11

prints Markdown tables. Every enterprise is written to files and read back, as `btimd rca simulate` would. All figures
are of one thread; computing time is that of the process (`time.process_time`), so other work on the machine disturbs
it little. --parts chooses tables: main, calibration, budget, evidence, hidden, changes, families, size.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from typing_extensions import override

from bench.machine import machine
from btimd.rca.policies import POLICIES
from btimd.rca.policies_search import Adaptive, answer_of
from btimd.rca.scores import calibration, summary
from btimd.rca.simulate import Answer, Ask, Case, Outcomes, Policy, Run, SimulationOptions, simulate
from btimd.rca.truthfile import parse_incidents
from btimd.rca.world import Incident, IntArray, World
from btimd.rca.worlddraw import SPREADS, Drawing, draw
from btimd.rca.worldfile import parse_world
from btimd.rca.worldwrite import model_text, truth_text

PARTS = ("main", "calibration", "budget", "evidence", "hidden", "changes", "families", "size")
CAPS = (8, 16, 24, 40, 100)
MORE = (20, 100)
SCORES = ("recall@k", "recall@k+2", "exact set", "confident", "of these sound", "of these exact")
EVERYTHING_PROBES = 3_000_000
"""Asking everything is bounded to so many answers in a cell: at 100,000 nodes that is 13 incidents."""
UNCAPPED = 200


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run."""

    nodes: tuple[int, ...]
    regimes: tuple[str, ...]
    faults: tuple[int, ...]
    incidents: int
    seeds: tuple[int, ...]
    policies: tuple[str, ...]
    options: SimulationOptions
    spread: str = SPREADS[0]


@lru_cache(maxsize=2)
def _world(drawing: Drawing) -> World:
    """Return the model of a drawing through its file; faults and incidents of the drawing do not matter."""
    return parse_world("".join(model_text(draw(drawing).model)))


def load(drawing: Drawing) -> tuple[World, list[Incident]]:
    """Return model and incidents of a drawing, through their files."""
    world = _world(replace(drawing, faults=1, incidents=1))
    return world, parse_incidents("".join(truth_text(draw(drawing).incidents)), world)


def runs_of(policy: str, drawing: Drawing, options: SimulationOptions) -> tuple[World, list[Run]]:
    """Return the runs of a policy over a drawing."""
    world, incidents = load(drawing)
    if policy == "everything":
        incidents = incidents[: max(EVERYTHING_PROBES // len(world.probes), 1)]
    return world, _run(POLICIES[policy](world, options, np.random.default_rng(drawing.seed)), world, incidents)


def _run(policy: Policy, world: World, incidents: Sequence[Incident]) -> list[Run]:
    return list(simulate(world, policy, incidents, clock=time.process_time))


class Pool:
    """Runs over several worlds, scored together."""

    def __init__(self, confident: float) -> None:
        self._confident = confident
        self._parts: list[tuple[World, list[Run]]] = []

    def add(self, world: World, runs: list[Run]) -> None:
        """Take in the runs over a world."""
        self._parts.append((world, runs))

    def scores(self) -> dict[str, Any]:
        """Return the means over all runs; percentiles and rates are weighed by the number of runs of a world."""
        found = [summary(world, runs, confident=self._confident) for world, runs in self._parts]
        sizes = np.array([one["incidents"] for one in found], float)
        sure = sizes * [one.get("confident", 0.0) for one in found]
        means: dict[str, Any] = {"incidents": int(sizes.sum())}
        for key in found[0].keys() - {"incidents", "calibration"}:
            weights = sure if key.startswith("confident_") and key != "confident_outside" else sizes
            values = np.array([one.get(key) or 0.0 for one in found], float)
            means[key] = float(values @ weights / weights.sum()) if weights.sum() else float("nan")
        probes = [len(run.probes) for _, runs in self._parts for run in runs]
        steps = [1000.0 * step for _, runs in self._parts for run in runs for step in run.step_seconds]
        means["p50_probes"], means["p95_probes"] = np.percentile(probes, [50, 95])
        means["p50_step_ms"], means["p95_step_ms"] = np.percentile(steps, [50, 95])
        return means

    def tenths(self) -> Iterator[tuple[float, int, float, float]]:
        """Yield per tenth of confidence where it begins, number, mean confidence, share sound."""
        rows: dict[float, list[dict[str, float]]] = {}
        for world, runs in self._parts:
            for row in calibration(world, runs):
                rows.setdefault(row["from"], []).append(row)
        for tenth, parts in sorted(rows.items()):
            number = np.array([part["number"] for part in parts])
            means = [
                float(np.array([part[key] for part in parts]) @ number / number.sum())
                for key in ("confidence", "sound")
            ]
            yield tenth, int(number.sum()), means[0], means[1]


def row(*cells: object) -> None:
    """Print a row of a Markdown table, at once: a long bench shall be watched."""
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def head(title: str, *columns: str) -> None:
    print(f"\n### {title}\n")
    row(*columns)
    row(*("---" for _ in columns))


def _percent(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.2f}".lstrip("0") if value < 1 else "1"


def _probes(scores: dict[str, Any]) -> str:
    return f"{scores['mean_probes']:.1f} ({scores['p50_probes']:.0f}, {scores['p95_probes']:.0f})"


def _scores(scores: dict[str, Any]) -> list[str]:
    keys = ("recall_k", "recall_k2", "exact", "confident", "confident_sound", "confident_exact")
    return [_percent(scores[key]) for key in keys]


def pooled(policy: str, plan: Plan, drawings: Sequence[Drawing], options: SimulationOptions | None = None) -> Pool:
    """Return the runs of a policy over drawings."""
    pool = Pool(plan.options.confidence)
    for drawing in drawings:
        pool.add(*runs_of(policy, drawing, options or plan.options))
    return pool


def drawings_of(plan: Plan, nodes: int, regime: str, faults: int, **special: bool) -> list[Drawing]:
    return [Drawing(nodes, regime, faults, plan.incidents, seed, spread=plan.spread, **special) for seed in plan.seeds]


def main_table(plan: Plan) -> None:
    head("Probes and accuracy", "nodes", "model", "faults", "way", "probes (p50, p95)", "rounds", *SCORES,
         "ms per round (p95)", "incidents")  # fmt: skip
    for nodes in plan.nodes:
        for regime in plan.regimes:
            for faults in plan.faults:
                for policy in plan.policies:
                    walks = policy in ("top-down", "bisection")
                    limits = replace(plan.options, max_probes=UNCAPPED) if walks else plan.options
                    scores = pooled(policy, plan, drawings_of(plan, nodes, regime, faults), limits).scores()
                    step = f"{scores['p50_step_ms']:.1f} ({scores['p95_step_ms']:.1f})"
                    rounds = f"{scores['mean_rounds']:.1f}"
                    row(nodes, regime, faults, policy, _probes(scores), rounds, *_scores(scores), step,
                        scores["incidents"])  # fmt: skip


def calibration_table(plan: Plan) -> None:
    head("Calibration of the adaptive way (all sizes, regimes and numbers of faults together)",
         "confidence from", "incidents", "mean confidence", "set holds causes only")  # fmt: skip
    pool = Pool(plan.options.confidence)
    for nodes in plan.nodes:
        for regime in plan.regimes:
            for faults in plan.faults:
                for drawing in drawings_of(plan, nodes, regime, faults):
                    pool.add(*runs_of("adaptive", drawing, plan.options))
    for tenth, number, confidence, sound in pool.tenths():
        row(f"{tenth:.1f}", number, f"{confidence:.2f}", f"{sound:.2f}")


def budget_table(plan: Plan) -> None:
    head("How many probes are worth it", "nodes", "faults", *(f"at most {cap}" for cap in CAPS))
    for nodes in plan.nodes:
        for faults in plan.faults:
            cells = []
            for cap in CAPS:
                drawings = drawings_of(plan, nodes, "moderate", faults)
                scores = pooled("adaptive", plan, drawings, replace(plan.options, max_probes=cap)).scores()
                cells.append(f"{_percent(scores['recall_k'])} with {scores['mean_probes']:.1f}")
            row(nodes, faults, *cells)


class AndMore(Adaptive):
    """Asks some random probes of suspects when the adaptive way has ended: what it says then must not be worse."""

    def __init__(self, world: World, options: SimulationOptions, rng: np.random.Generator, more: int) -> None:
        super().__init__(world, options, rng)
        self._more = more

    @override
    def run(self, case: Case, ask: Ask) -> Answer:
        asked: list[int] = []

        def noting(probes: Sequence[int] | IntArray) -> Outcomes:
            asked.extend(int(probe) for probe in probes)
            return ask(probes)

        ended = super().run(case, noting)
        search = self._begin(case)
        self._learn(search, ask, asked)
        suspects = [suspect.node for suspect in search.belief().ranked[:100]]
        pool = np.setdiff1d(np.flatnonzero(np.isin(self._world.probes.node, suspects)), asked)
        self._learn(search, ask, self._rng.permutation(pool)[: self._more].tolist())
        return answer_of(search.belief()) if self._more else ended


def evidence_table(plan: Plan) -> None:
    head(
        "More evidence must not make it worse",
        "nodes",
        "faults",
        "way",
        "probes",
        "recall@k",
        "recall@k+2",
        "exact set",
    )
    for nodes in plan.nodes:
        for faults in plan.faults:
            for more in (0, *MORE, None):
                pool = Pool(plan.options.confidence)
                for drawing in drawings_of(plan, nodes, "moderate", faults):
                    if more is None:
                        pool.add(*runs_of("everything", drawing, plan.options))
                        continue
                    world, incidents = load(drawing)
                    policy = AndMore(world, plan.options, np.random.default_rng(drawing.seed), more)
                    pool.add(world, _run(policy, world, incidents))
                scores = pool.scores()
                name = "everything" if more is None else f"adaptive and {more} random" if more else "adaptive"
                row(nodes, faults, name, f"{scores['mean_probes']:.1f}",
                    *(_percent(scores[key]) for key in ("recall_k", "recall_k2", "exact")))  # fmt: skip


def hidden_table(plan: Plan) -> None:
    head("The cause is missing in the model", "nodes", "way", "probes (p50, p95)", "a neighbour first",
         "a neighbour in the first 3", "confident all the same", "incidents")  # fmt: skip
    for nodes in plan.nodes:
        for policy in plan.policies:
            scores = pooled(policy, plan, drawings_of(plan, nodes, "moderate", 1, hidden=True)).scores()
            found = (_percent(scores[key]) for key in ("near1", "near3", "confident_outside"))
            row(nodes, policy, _probes(scores), *found, scores["incidents"])


def changes_table(plan: Plan) -> None:
    head("Half of the faults come from a known change", "nodes", "faults", "probes (p50, p95)",
         *SCORES)  # fmt: skip
    for nodes in plan.nodes:
        for faults in plan.faults:
            scores = pooled("adaptive", plan, drawings_of(plan, nodes, "moderate", faults, changes=True)).scores()
            row(nodes, faults, _probes(scores), *_scores(scores))


def families_table(plan: Plan) -> None:
    head("Enterprises of other shapes (one per seed)", "nodes", "seed", "faults", "way", "probes (p50, p95)",
         *SCORES)  # fmt: skip
    for nodes in plan.nodes:
        for seed in plan.seeds:
            for faults in plan.faults:
                for policy in [name for name in plan.policies if name in {"adaptive", "everything"}]:
                    drawing = Drawing(
                        nodes, "moderate", faults, plan.incidents, seed, any_family=True, spread=plan.spread
                    )
                    scores = pooled(policy, plan, [drawing]).scores()
                    row(nodes, seed, faults, policy, _probes(scores), *_scores(scores))


def size_table(plan: Plan) -> None:
    head("Time and memory", "nodes", "probes of the model", "read the file, s", "build the model, s",
         "memory at most, MB", "ms per round", "p95")  # fmt: skip
    for nodes in plan.nodes:
        with tempfile.TemporaryDirectory() as folder:
            drawn = draw(Drawing(nodes, "moderate", 1, min(plan.incidents, 20), plan.seeds[0]))
            model, truth = Path(folder) / "M.json", Path(folder) / "T.json"
            model.write_text("".join(model_text(drawn.model)))
            truth.write_text("".join(truth_text(drawn.incidents)))
            began = time.process_time()
            probes = len(parse_world(model.read_text()).probes)
            read = time.process_time() - began
            command = ["-m", "btimd", "rca", "simulate", "--json", "--model", str(model), "--truth", str(truth)]
            done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=True)
        found = json.loads(done.stdout.splitlines()[-1])
        row(nodes, probes, f"{read:.2f}", f"{found['model_seconds']:.2f}", f"{found['rss_mb']:.0f}",
            f"{found['p50_step_ms']:.1f}", f"{found['p95_step_ms']:.1f}")  # fmt: skip


TABLES = {
    "main": main_table,
    "calibration": calibration_table,
    "budget": budget_table,
    "evidence": evidence_table,
    "hidden": hidden_table,
    "changes": changes_table,
    "families": families_table,
    "size": size_table,
}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.rca", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--nodes", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--regimes", nargs="+", default=["moderate"], choices=["clean", "moderate", "harsh"])
    parser.add_argument("--faults", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--incidents", type=int, default=60)
    parser.add_argument(
        "--seeds", type=int, nargs="+", default=[7, 11], help="1 to 3 were used to tune the adaptive way"
    )
    parser.add_argument("--policies", nargs="+", default=list(POLICIES), choices=list(POLICIES))
    parser.add_argument("--parts", nargs="+", default=list(PARTS), choices=PARTS)
    parser.add_argument("--max-probes", type=int, default=100)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--spread", default=SPREADS[0], choices=SPREADS)
    parser.add_argument("--confidence", type=float, default=0.92)
    given = parser.parse_args(arguments)
    plan = Plan(
        tuple(given.nodes),
        tuple(given.regimes),
        tuple(given.faults),
        given.incidents,
        tuple(given.seeds),
        tuple(given.policies),
        SimulationOptions(given.max_probes, given.batch, given.confidence),
        given.spread,
    )
    print(f"{machine()}; {plan.incidents} incidents per cell and seed, seeds {', '.join(map(str, plan.seeds))}")
    for part in given.parts:
        TABLES[part](plan)


if __name__ == "__main__":
    main()
