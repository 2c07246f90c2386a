"""What a diagnosis asks next: what tells its suspects apart best for the load, or what confirms the first of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from btimd.model.probe import Health
from btimd.model.service import Check
from btimd.rca.diagnosis import Belief, Diagnosis
from btimd.rca.events import EngineOptions
from btimd.rca.solver_types import Pick
from btimd.rca.verdicts import is_confirmed, open_needs

LEADS: Final = 0.5
"""A suspect above this is worth its own check even where that is not expected to tell much."""

_SPLITS_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Choice:
    """A check to run, what it is expected to tell in bits, and why it was chosen, in words."""

    check: Check
    gain_bits: float
    why: str


def next_checks(one: Diagnosis, belief: Belief, options: EngineOptions) -> list[Choice]:
    """Return the checks to run now, best first; empty where none would tell enough (or all that would are running)."""
    settled = one.settled()
    askable = one.askable(settled)
    busy = {one.faults.node_number[spec.check.node] for spec, _ in one.inflight.values()}
    room = min(options.batch - len(one.inflight), options.max_probes - one.probes_used)
    if room <= 0:
        return []
    search = one.search()
    sure = [name for name in belief.causes if belief.probability(name) >= options.confident]
    unconfirmed = [name for name in sure if not is_confirmed(one, name)]
    nodes: list[str] = unconfirmed
    if not (sure and len(sure) == len(belief.causes) and belief.is_complete):
        picks = search.choose(room, askable=askable, busy=busy, min_gain_bits=options.min_gain_bits)
        found = [_choice(one, pick) for pick in picks]
        if found or one.inflight:
            return found
        leader = belief.leader
        if belief.probability(leader) < LEADS:
            return []
        nodes = [leader]
        if options.walk_ends <= belief.probability(leader) < options.confident:
            nodes += open_needs(one, leader) or ()
    confirming = (
        _confirmation(one, name, settled)
        for name in dict.fromkeys(nodes)
        if one.faults.node_number[name] not in busy
    )
    return [choice for choice in confirming if choice is not None][:room]


def _confirmation(one: Diagnosis, node: str, settled: Mapping[str, Health]) -> Choice | None:
    """Return the node's own check that would show its faults most surely, None where it has none left to ask."""
    best: Choice | None = None
    best_worth = (0.0, 0.0)
    for check in one.index.graph.nodes[node].checks:
        if check.id in settled:
            continue
        worth = (round(one.faults.detection_of_own(check), 6), -check.cost)
        if best is None or worth > best_worth:
            best, best_worth = Choice(check, 0.0, f"settles whether it is {node}, for cost {check.cost:g}"), worth
    return best


def _choice(one: Diagnosis, pick: Pick) -> Choice:
    check = one.faults.checks[pick.question]
    tells = f"expected {pick.gain_bits:.2f} bit for cost {check.cost:g}"
    apart = [one.faults.nodes[node] for node in pick.splits[:_SPLITS_SHOWN]]
    between = f" ({', '.join(apart)} or the others)" if apart else ""
    return Choice(check, pick.gain_bits, f"splits {pick.suspects} suspects{between}: {tells}")
