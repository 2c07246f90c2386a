"""The ways of looking for causes by name."""

from collections.abc import Callable
from typing import Final

import numpy as np

from btimd.rca.adaptive import Adaptive, model_of
from btimd.rca.policies_search import Everything, PrePlanned, RandomProbes
from btimd.rca.policies_walk import Bisection, TopDown
from btimd.rca.simulate import Policy, SimulationOptions
from btimd.rca.world import World

Maker = Callable[[World, SimulationOptions, np.random.Generator], Policy]

POLICIES: Final[dict[str, Maker]] = {
    "adaptive": lambda world, options, rng: Adaptive(world, options),  # noqa: ARG005  nothing is left to chance
    "everything": lambda world, options, rng: Everything(world, model_of(world), options, rng),
    "random": lambda world, options, rng: RandomProbes(world, model_of(world), options, rng),
    "top-down": lambda world, options, rng: TopDown(world, options),  # noqa: ARG005
    "bisection": lambda world, options, rng: Bisection(world, options),  # noqa: ARG005
    "pre-planned": lambda world, options, rng: PrePlanned(world, model_of(world), options, rng),
}
"""Name -> how to make it. What is made belongs to one world and may be used for any number of its incidents."""
