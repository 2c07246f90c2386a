"""The ways by name; how each of them looks is in test_policies_walk.py and test_policies_search.py."""

import numpy as np

from btimd.cli.rca import POLICIES as OFFERED
from btimd.rca.policies import POLICIES
from btimd.rca.simulate import SimulationOptions
from tests.rca.fileworlds import world_of


def test_every_way_has_a_name_that_the_command_offers() -> None:
    options, rng, world = SimulationOptions(), np.random.default_rng(1), world_of()
    made = {name: type(make(world, options, rng)).__name__ for name, make in POLICIES.items()}

    assert made == {
        "adaptive": "Adaptive", "everything": "Everything", "random": "RandomProbes",
        "top-down": "TopDown", "bisection": "Bisection", "pre-planned": "PrePlanned",
    }  # fmt: skip
    assert tuple(made) == OFFERED
