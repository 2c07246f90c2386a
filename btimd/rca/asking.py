"""What a diagnosis asks next: what tells its suspects apart best for the load, or what confirms the first of them."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

from btimd.model.probe import Health
from btimd.model.service import Check
from btimd.rca.diagnosis import Belief, Diagnosis
from btimd.rca.events import EngineOptions
from btimd.rca.findings import is_confirmed, judge, open_needs, unheard_below
from btimd.rca.solver_types import Pick

LEADS: Final = 0.5
"""A suspect above this is worth its own check even where that is not expected to tell much."""

_SPLITS_SHOWN: Final = 3
_LAST_LOOKED_AT: Final = 12
"""Before it gives up, a diagnosis asks what is left of so many suspects."""


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
    numbers = one.faults.node_number
    busy = {numbers[spec.check.node] for spec, _ in one.inflight.values() if spec.check.node in numbers}
    room = min(options.batch - len(one.inflight), options.max_probes - one.probes_used)
    if room <= 0:
        return []
    search = one.search()
    sure = [name for name in belief.causes if belief.probability(name) >= options.confident]
    unconfirmed = [name for name in sure if not is_confirmed(one, name)]
    gives_up = False
    nodes: list[str] = [*unconfirmed, *(below for name in unconfirmed for below in unheard_below(one, name))]
    below = _needs_to_clear(one, belief, options)
    if below:
        nodes = list(below)
    elif not (sure and len(sure) == len(belief.causes) and belief.is_complete):
        picks = search.choose(room, askable=askable, busy=busy, min_gain_bits=options.min_gain_bits)
        found = [_choice(one, pick) for pick in picks]
        if found or one.inflight:
            return found
        leader = one.suspect(belief)
        nodes = [leader] if belief.probability(leader) >= LEADS else []
        gives_up = judge(one, belief, options, budget_spent=False).cause is None
        if options.walk_ends <= belief.probability(leader) < options.confident:
            nodes += open_needs(one, leader) or ()
    found = _confirmations(one, nodes, busy, settled)
    if not found and gives_up:
        found = _confirmations(one, _shared_suspects(one, belief), busy, settled)
    return found[:room]


def _shared_suspects(one: Diagnosis, belief: Belief) -> list[str]:
    """Return the likeliest of those that can be behind all symptoms: what is left to ask where nothing tells much."""
    behind_each = [frozenset(one.faults.nodes_behind(symptom)) for symptom in one.symptoms.values()]
    shared = frozenset[str]().union(*behind_each[:1]).intersection(*behind_each[1:])
    likely = (name for name in belief.probabilities if name in shared and not one.index.is_logical(name))
    return list(islice(likely, _LAST_LOOKED_AT))


def _confirmations(
    one: Diagnosis, nodes: Iterable[str], busy: Container[int], settled: Mapping[str, Health]
) -> list[Choice]:  # fmt: skip
    numbers = one.faults.node_number
    found = (_confirmation(one, name, settled) for name in dict.fromkeys(nodes) if numbers[name] not in busy)
    return [choice for choice in found if choice is not None]


def _needs_to_clear(one: Diagnosis, belief: Belief, options: EngineOptions) -> tuple[str, ...]:
    """Return the needs that are left to clear below a suspect whose own dialogue fails: the walk down ends there."""
    leader = one.suspect(belief)
    if len(belief.causes) != 1 or belief.probability(leader) < options.walk_ends or one.index.is_logical(leader):
        return ()
    return tuple(need for need in open_needs(one, leader) or () if one.index.graph.nodes[need].checks)


def _confirmation(one: Diagnosis, node: str, settled: Mapping[str, Health]) -> Choice | None:
    """Return the node's own check that would show its faults most surely, None where it has none left to ask.

    Not Search.confirmation: that weighs the best of the ways in which a node fails and never repeats a question. Here
    all ways count, those of what is no component too, and what has become old may be asked again.
    """
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
