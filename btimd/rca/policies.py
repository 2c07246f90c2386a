"""The ways of looking for causes by name."""

from collections.abc import Callable
from typing import Final

import numpy as np

from btimd.rca.policies_search import Adaptive, Everything, PrePlanned, RandomProbes
from btimd.rca.policies_walk import Bisection, TopDown
from btimd.rca.simulate import Policy, SimulationOptions
from btimd.rca.world import World

Maker = Callable[[World, SimulationOptions, np.random.Generator], Policy]

POLICIES: Final[dict[str, Maker]] = {
    "adaptive": Adaptive,
    "everything": Everything,
    "random": RandomProbes,
    "top-down": TopDown,
    "bisection": Bisection,
    "pre-planned": PrePlanned,
}
"""Name -> how to make it. What is made belongs to one world and may be used for any number of its incidents."""
