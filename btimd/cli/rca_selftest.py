"""btimd rca selftest: how well causes would be found here, before anything breaks."""

import argparse
import time
from collections.abc import Sequence
from typing import Any, Final

from btimd.cli.common import SubParsers, add_config_option, print_json
from btimd.cli.rca_words import count, print_summary
from btimd.daemon.config import load_config
from btimd.rca.worldmodel import REGIMES
from btimd.settings.report import Problem, SettingsError

_LISTED: Final = 10


def add_selftest(what: SubParsers) -> None:
    """Add the subcommand."""
    parser = what.add_parser(
        "selftest",
        help="try the diagnosis on the model of services.toml",
        description="Draws incidents on the site's own model, diagnoses them and tells how many probes it took and how "
        "often it was right, and what cannot be told apart whatever is asked. Asks no network.",
    )
    add_config_option(parser)
    parser.add_argument("--incidents", type=count, default=200, metavar="N", help="how many (default: 200)")
    parser.add_argument("--faults", type=count, default=1, metavar="K", help="faults at once (default: 1)")
    parser.add_argument(
        "--regime", choices=tuple(REGIMES), default="moderate", help="how wrong the model may be (default: moderate)"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="default: 1")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.set_defaults(run=run_selftest)


def run_selftest(options: argparse.Namespace) -> int:
    """Print what was found."""
    from btimd.rca.scores import summary  # late: the help of the command needs none of this
    from btimd.rca.selftest import SelfTest, calibration_of, self_test
    from btimd.rca.simulate import SimulationOptions
    from btimd.rca.siteworld import blind_spots, site_world

    world = site_world(load_config(options.config).services.graph)
    wanted = SelfTest(options.incidents, options.faults, options.regime, options.seed)
    limits = SimulationOptions()
    try:
        runs = list(self_test(world, wanted, limits, clock=time.process_time))
    except ValueError as error:
        raise SettingsError([Problem("services.toml", 0, "", str(error))]) from error
    spots = blind_spots(world)
    fitted = calibration_of(world, runs)
    found: dict[str, Any] = {
        **summary(world, runs, confident=limits.confidence),
        "nodes": len(world),
        "unnoticed": list(spots.unnoticed),
        "unprobed": list(spots.unprobed),
        "alike": [list(group) for group in spots.alike],
        "fitted": {"raw": [round(one, 4) for one in fitted.raw],
                   "confidence": [round(one, 4) for one in fitted.confidence]},
    }  # fmt: skip
    if options.json:
        print_json(found)
        return 0
    print(f"{len(world)} nodes, {len(world.probes)} probes, {len(world.indicators)} indicators")
    print_summary(found)
    _print_list("a fault there is noticed by nothing", spots.unnoticed)
    _print_list("no check asks them", spots.unprobed)
    _print_list("cannot be told apart", [" = ".join(group) for group in spots.alike])
    return 0


def _print_list(title: str, names: Sequence[str]) -> None:
    if names:
        print(f"\n{title}:")
        for name in names[:_LISTED]:
            print(f"  {name}")
        if len(names) > _LISTED:
            print(f"  and {len(names) - _LISTED} more (--json lists all)")
