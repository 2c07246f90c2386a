"""One call from a seed to a model and its incidents."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from btimd.rca.world import World
from btimd.rca.worldfaults import TrueWorld, Wanted, draw_incidents, hidden_nodes
from btimd.rca.worldgen import ROOMY, Family, draw_world, drawn_family
from btimd.rca.worldmodel import REGIMES, believed
from btimd.rca.worldspread import IndependentWorld

SPREADS: Final = ("independent", "correlated")
"""How damage spreads: every observation is drawn for itself, or part of the luck is shared by all of an incident."""

_HIDDEN_SHARE: Final = 0.02


@dataclass(frozen=True, slots=True)
class Drawing:
    """What to draw. regime: a name of REGIMES. any_family: another kind of enterprise per seed, not the standard one.

    hidden: the causes are missing in the model. changes: half of the faults are due to a change that is known.
    spread: one of SPREADS; it also says which enterprise is the standard one: a roomy one, or one that shares much.
    """

    nodes: int
    regime: str
    faults: int
    incidents: int
    seed: int
    any_family: bool = False
    hidden: bool = False
    changes: bool = False
    spread: str = SPREADS[0]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A model, and the entries of its truth file."""

    model: World
    incidents: list[dict[str, Any]]


def draw(wanted: Drawing) -> Drawn:
    """Return the same world for the same seed; number of faults and of incidents do not change the model."""
    building, believing, breaking = np.random.default_rng(wanted.seed).spawn(3)
    independent = wanted.spread == SPREADS[0]
    standard = ROOMY if independent else Family()
    family = drawn_family(building) if wanted.any_family else standard
    regime = REGIMES[wanted.regime]
    world = draw_world(wanted.nodes, family, building)
    hidden = hidden_nodes(world, _HIDDEN_SHARE, believing) if wanted.hidden else None
    model = believed(world, regime, believing, hidden=() if hidden is None else hidden.tolist())
    true = (IndependentWorld if independent else TrueWorld)(world, regime, luck=family.luck)
    incidents = Wanted(wanted.incidents, wanted.faults, hidden, wanted.changes)
    return Drawn(model, draw_incidents(true, model, incidents, breaking))
