"""What a diagnosis asks next: what splits its suspects best, or what confirms the first of them."""

from typing import Final

from btimd.rca.diagnosis import Belief, Diagnosis
from btimd.rca.events import EngineOptions
from btimd.rca.frontier import Choice, choose_batch, choose_confirmation, probe_pool
from btimd.rca.verdicts import open_needs

LEADS: Final = 0.5
"""A suspect above this is worth its own check even where that is not expected to tell much."""


def next_checks(one: Diagnosis, belief: Belief, options: EngineOptions) -> list[Choice]:
    """Return the checks to run now, best first; empty where none would tell enough (or all that would are running)."""
    settled = one.settled(belief)
    busy = {spec.check.node for spec, _ in one.inflight.values()}
    pool = [
        check
        for check in probe_pool(one.index, belief.nodes, belief.by_node)
        if check.id not in settled and check.node not in busy
    ]
    leader = belief.leader
    probability = belief.probability(leader)
    if probability < options.confident:
        room = min(options.batch - len(one.inflight), options.max_probes - one.probes_used)
        batch = choose_batch(belief.model, belief.posterior, pool, size=room, min_gain_bits=options.min_gain_bits)
        if batch or one.inflight or probability < LEADS:
            return batch
    nodes: tuple[str, ...] = (leader,)
    if options.walk_ends <= probability < options.confident:
        nodes = (leader, *(open_needs(one, belief, leader) or ()))
    found = (choose_confirmation(belief.model, belief.posterior, node, pool) for node in nodes if node in belief.nodes)
    room = max(options.max_probes - one.probes_used, 0)
    return [choice for choice in found if choice is not None][: min(options.batch, room)]
