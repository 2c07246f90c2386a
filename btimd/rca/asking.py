"""What a diagnosis asks next: what tells its suspects apart best for the load, or what confirms the first of them."""

from dataclasses import dataclass
from typing import Final

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
        search.confirmation(one.faults.node_number[name], askable=askable)
        for name in dict.fromkeys(nodes)
        if one.faults.node_number[name] not in busy
    )
    return [_choice(one, pick) for pick in confirming if pick is not None][:room]


def _choice(one: Diagnosis, pick: Pick) -> Choice:
    check = one.faults.checks[pick.question]
    tells = f"expected {pick.gain_bits:.2f} bit for cost {check.cost:g}"
    if pick.confirms >= 0:
        return Choice(check, pick.gain_bits, f"settles whether it is {one.faults.nodes[pick.confirms]}: {tells}")
    apart = [one.faults.nodes[node] for node in pick.splits[:_SPLITS_SHOWN]]
    between = f" ({', '.join(apart)} or the others)" if apart else ""
    return Choice(check, pick.gain_bits, f"splits {pick.suspects} suspects{between}: {tells}")
