"""btimd rca: try the diagnosis on worlds whose truth is known, draw such worlds, and try it on the site's own model."""

import argparse
import gc
import resource
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from btimd.cli.common import SubParsers, plain_console, print_json
from btimd.cli.ctl_tables import fill, new_table
from btimd.cli.rca_selftest import add_selftest
from btimd.cli.rca_words import count, print_summary
from btimd.rca.jsonwalk import FileProblemsError
from btimd.rca.worldmodel import REGIMES
from btimd.settings.report import Problem, SettingsError

POLICIES: Final = ("adaptive", "everything", "random", "top-down", "bisection", "pre-planned")
MODEL_FILE: Final = "M.json"
TRUTH_FILE: Final = "T.json"
_SHOWN_CAUSES: Final = 3
_NODES = (300, 1_000_000)
T = TypeVar("T")


def add_parser(subparsers: SubParsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "rca",
        help="try the diagnosis on incidents whose causes are known",
        description="Works on worlds in files, without a running btimd and without asking a network anything.",
    )
    what = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    _add_simulate(what)
    _add_world(what)
    add_selftest(what)


def _add_simulate(what: SubParsers) -> None:
    simulate = what.add_parser(
        "simulate",
        help="diagnose the incidents of a file and score the answers",
        description="Shows the diagnosis the symptoms of each incident; it learns an outcome only by asking for it.",
    )
    simulate.add_argument("--model", type=Path, required=True, metavar="FILE", help="nodes, edges, probes, indicators")
    simulate.add_argument("--truth", type=Path, required=True, metavar="FILE", help="incidents with their outcomes")
    simulate.add_argument("--policy", choices=POLICIES, default="adaptive", help="how to look (default: adaptive)")
    simulate.add_argument(
        "--max-probes", type=count, default=100, metavar="N", help="most probes for an incident (default: 100)"
    )
    simulate.add_argument("--batch", type=count, default=4, metavar="N", help="probes of one round (default: 4)")
    simulate.add_argument(
        "--confidence", type=_share, default=0.92, metavar="X", help="sure enough to stop, 0..1 (default: 0.92)"
    )
    simulate.add_argument("--limit", type=count, metavar="N", help="only the first incidents")
    simulate.add_argument("--seed", type=int, default=1, metavar="S", help="chance of the policy random (default: 1)")
    simulate.add_argument("--json", action="store_true", help="one JSON object per incident, and one that sums up")
    simulate.set_defaults(run=run_simulate)


def _add_world(what: SubParsers) -> None:
    world = what.add_parser(
        "world",
        help="draw an enterprise with incidents, as files for simulate",
        description=f"Writes {MODEL_FILE} and {TRUTH_FILE}; the same seed gives the same files.",
    )
    world.add_argument("--nodes", type=_nodes, default=1000, metavar="N", help="size (default: 1000)")
    world.add_argument(
        "--regime", choices=tuple(REGIMES), default="moderate", help="how wrong the model is (default: moderate)"
    )
    world.add_argument("--faults", type=count, default=1, metavar="K", help="faults at once (default: 1)")
    world.add_argument("--incidents", type=count, default=60, metavar="N", help="how many (default: 60)")
    world.add_argument("--seed", type=int, default=1, metavar="S", help="default: 1")
    world.add_argument(
        "--spread", choices=("independent", "correlated"), default="independent",
        help="every observation is drawn for itself, or part of the luck is shared",
    )  # fmt: skip
    world.add_argument("--any-family", action="store_true", help="another shape of enterprise for every seed")
    world.add_argument("--hidden", action="store_true", help="the nodes at fault are missing in the model")
    world.add_argument("--changes", action="store_true", help="half of the faults come from a change that is known")
    world.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where to write; made if need be")
    world.set_defaults(run=run_world)


def _nodes(text: str) -> int:
    number = count(text)
    if not _NODES[0] <= number <= _NODES[1]:
        raise argparse.ArgumentTypeError(f"{number} nodes; {_NODES[0]} to {_NODES[1]} are possible")
    return number


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 < value <= 1.0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0 and at most 1")
    return value


def read_file(path: Path, parse: Callable[[str], T]) -> T:
    """Return what a file holds; raises SettingsError with file and line of every mistake."""
    try:
        return parse(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SettingsError([Problem(str(path), 0, "", f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise SettingsError([Problem(str(path), 0, "", f"is no UTF-8 text at octet {error.start}")]) from error
    except FileProblemsError as error:
        problems = [Problem(path.name, one.line, one.path, one.text) for one in error.problems]
        if error.more:
            last = error.problems[-1].line
            problems.append(Problem(path.name, last, "~", "there may be more; only the first mistakes are listed"))
        raise SettingsError(problems) from error


def run_simulate(options: argparse.Namespace) -> int:
    """Diagnose every incident and print what came of it."""
    import numpy as np  # late: the help of the command needs none of this

    from btimd.rca.policies import POLICIES as MAKERS
    from btimd.rca.scores import run_json, summary
    from btimd.rca.simulate import SimulationOptions, simulate
    from btimd.rca.truthfile import parse_incidents
    from btimd.rca.worldfile import parse_world

    world = read_file(options.model, parse_world)
    incidents = read_file(options.truth, lambda text: parse_incidents(text, world))[: options.limit]
    limits = SimulationOptions(options.max_probes, options.batch, options.confidence)
    began = time.process_time()
    policy = MAKERS[options.policy](world, limits, np.random.default_rng(options.seed))
    built = time.process_time() - began
    gc.freeze()  # the world stays as it is: looking through it for garbage would take longer than a step
    runs = []
    for run in _watched(simulate(world, policy, incidents, clock=time.process_time), len(incidents), options):
        runs.append(run)
        if options.json:
            print_json(run_json(world, run))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found = {
        **summary(world, runs, confident=options.confidence),
        "policy": options.policy,
        "nodes": len(world),
        "model_seconds": round(built, 3),
        "rss_mb": round(peak, 1),
    }
    if options.json:
        print_json(found)
    else:
        _print_runs([run_json(world, run) for run in runs], [run.incident.causes for run in runs])
        print_summary(found)
    return 0


def _watched(runs: Iterable[T], number: int, options: argparse.Namespace) -> Iterable[T]:
    """Return the runs, with a bar where somebody looks at it."""
    if options.json or not sys.stderr.isatty():
        return runs
    from rich.console import Console
    from rich.progress import track

    return track(runs, "diagnosing", total=number, console=Console(stderr=True), transient=True)


def _print_runs(runs: Sequence[dict[str, Any]], truths: Sequence[tuple[str, ...] | None]) -> None:
    table = new_table("incident", "found", "sure", "probes", "rounds", "truth", right=("sure", "probes", "rounds"))
    rows = []
    for run, causes in zip(runs, truths, strict=True):
        found = _short(run["set"]) if run["set"] else f"nothing; first {_short(run['ranked'][:1])}"
        rows.append(
            (
                str(run["id"]),
                found,
                f"{run['confidence']:.0%}",
                str(len(run["probes"])),
                str(run["rounds"]),
                _verdict(run, causes),
            )
        )
    plain_console().print(fill(table, rows))


def _short(names: Sequence[str]) -> str:
    rest = f" and {len(names) - _SHOWN_CAUSES} more" if len(names) > _SHOWN_CAUSES else ""
    return ", ".join(names[:_SHOWN_CAUSES]) + rest


def _verdict(run: dict[str, Any], causes: tuple[str, ...] | None) -> str:
    """Return how an answer compares with the truth."""
    if not causes:
        return "not told"
    if set(run["set"]) == set(causes):
        return "right"
    rank = next((rank for rank, name in enumerate(run["ranked"], 1) if name in causes), None)
    place = f"one at rank {rank}" if rank else "none among the first 10"
    return f"{_short(causes)}; {place}"


def run_world(options: argparse.Namespace) -> int:
    """Write a model and its incidents."""
    from btimd.rca.worlddraw import Drawing, draw
    from btimd.rca.worldwrite import model_text, truth_text

    paths = options.out / MODEL_FILE, options.out / TRUTH_FILE
    for path in paths:
        if path.exists():
            raise SettingsError([Problem(str(path), 0, "", "exists already; name another folder or remove it")])
    drawn = draw(
        Drawing(
            nodes=options.nodes,
            regime=options.regime,
            faults=options.faults,
            incidents=options.incidents,
            seed=options.seed,
            any_family=options.any_family,
            hidden=options.hidden,
            changes=options.changes,
            spread=options.spread,
        )
    )
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        for path, text in zip(paths, (model_text(drawn.model), truth_text(drawn.incidents)), strict=True):
            with path.open("w", encoding="utf-8") as file:
                file.writelines(text)
    except OSError as error:
        raise SettingsError([Problem(str(options.out), 0, "", f"cannot be written: {error.strerror}")]) from error
    model = drawn.model
    print(f"{paths[0]}: {len(model)} nodes, {len(model.edges)} edges, {len(model.probes)} probes, "
          f"{len(model.indicators)} indicators")  # fmt: skip
    print(f"{paths[1]}: {len(drawn.incidents)} incidents of {options.faults} faults each")
    return 0
