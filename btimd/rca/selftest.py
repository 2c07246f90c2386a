"""Tries the diagnosis on the site's own model: incidents are drawn, diagnosed, and scored."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from btimd.rca.calibration import Calibration, fit
from btimd.rca.policies_search import Adaptive
from btimd.rca.reach import Reach
from btimd.rca.scores import is_sound
from btimd.rca.simulate import Run, SimulationOptions, simulate
from btimd.rca.truthfile import incidents_of
from btimd.rca.world import World, depths
from btimd.rca.worldfaults import TrueWorld, Wanted, draw_incidents
from btimd.rca.worldmodel import REGIMES, Regime, believed

_PER_WORLD: Final = 20
_LUCK: Final = 0.3


@dataclass(frozen=True, slots=True)
class SelfTest:
    """What to try. regime: a name of REGIMES, how far the real world may be from the model."""

    incidents: int = 200
    faults: int = 1
    regime: str = "moderate"
    seed: int = 1


def noticeable(world: World) -> list[int]:
    """Return the nodes whose faults can make an indicator bad, and which can be at fault."""
    reach = Reach(world)
    seen = {node for indicator in range(len(world.indicators)) for node in reach.of_indicator(indicator)}
    return [node for node in sorted(seen) if world.prior[node] > 0.0]


def self_test(
    world: World, wanted: SelfTest, options: SimulationOptions, *, clock: Callable[[], float]
) -> Iterator[Run]:
    """Yield a run per incident; raises ValueError where the model has too little for it.

    The model is the site's; the world is not quite as the model says: some needs are missing in it, some lead
    elsewhere, weights differ, answers fail to come, and another world is drawn every 20 incidents.
    """
    regime = replace(REGIMES[wanted.regime], unprobed=0.0)
    among = np.array(noticeable(world), np.int64)
    if len(among) < wanted.faults:
        raise ValueError(f"an indicator notices the failure of {len(among)} nodes; {wanted.faults} are needed")
    rng = np.random.default_rng(wanted.seed)
    policy = Adaptive(world, options, rng)
    for first in range(0, wanted.incidents, _PER_WORLD):
        true = TrueWorld(_real(world, regime, rng), regime, luck=_LUCK)
        number = min(_PER_WORLD, wanted.incidents - first)
        entries = draw_incidents(true, world, Wanted(number, wanted.faults, among), rng)
        for position, entry in enumerate(entries):
            entry["id"] = first + position + 1
        yield from simulate(world, policy, incidents_of(entries, world), clock=clock)


def _real(world: World, regime: Regime, rng: np.random.Generator) -> World:
    """Return a world that is off from the model as models are off from the world."""
    real = believed(world, regime, rng)
    if (depths(real.edges) < 0).any():
        # A need that leads elsewhere has closed a circle; only missing ones then.
        real = believed(world, replace(regime, wrong=0.0), rng)
    return real


def calibration_of(world: World, runs: list[Run]) -> Calibration:
    """Return how often all of a set are at fault by the confidence that was told."""
    return fit([run.answer.confidence for run in runs], [is_sound(world, run) for run in runs])
