"""A whole diagnosis over a world of files: rounds of a few probes, chosen by what the answers so far leave open."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from btimd.rca.calibration import IDENTITY, Calibration
from btimd.rca.solver import Search
from btimd.rca.solver_graph import GraphModel
from btimd.rca.solver_types import Belief, SearchOptions

UNKNOWN = -1
"""Outcome of a probe that gave no answer: costs, and tells nothing."""


@dataclass(frozen=True, slots=True)
class PolicyOptions:
    """How a diagnosis over a world goes. batch: probes of one round. symptom_weight: tempering of indicators, which
    are correlated within a group. confirm: ask the leader's own check once more before it is named.
    """

    batch: int = 4
    symptom_weight: float = 0.625
    search: SearchOptions = field(default_factory=lambda: SearchOptions(cost_power=0.15))
    hard_limit: int = 100


@dataclass(frozen=True, slots=True)
class Answer:
    """How a diagnosis ended. ranked: nodes. confidence: that the first is right. probes: all asked, in order."""

    ranked: tuple[int, ...]
    set: tuple[int, ...]
    confidence: float
    set_confidence: float
    probes: tuple[int, ...]
    rounds: int
    step_seconds: tuple[float, ...]
    belief: Belief


def diagnose(
    model: GraphModel,
    symptoms: Sequence[int],
    groups: Sequence[int],
    ask: Callable[[list[int]], list[int]],
    options: PolicyOptions = PolicyOptions(),
    calibration: Calibration = IDENTITY,
) -> Answer:
    """Return the causes behind symptoms.

    symptoms: numbers of the indicators that are bad, all others are good. groups: the group of every indicator (its
    business). ask: takes numbers of probes, returns GOOD, BAD or UNKNOWN for each.
    """
    search = Search(model, options.search, calibration)
    askable = np.zeros(model.question_count, np.bool_)
    askable[: model.probe_count] = True
    bad = set(symptoms)
    for number, group in enumerate(groups):
        search.observe(
            model.probe_count + number, int(number in bad), weight=options.symptom_weight, group=group, symptom=True
        )
    asked: list[int] = []
    seconds: list[float] = []
    rounds = 0
    while True:
        begin = time.process_time()
        picks = search.choose(min(options.batch, options.hard_limit - len(asked)), askable=askable)
        seconds.append(time.process_time() - begin)
        if not picks:
            break
        rounds += 1
        questions = [pick.question for pick in picks]
        asked += questions
        for question, outcome in zip(questions, ask(questions), strict=True):
            askable[question] = False
            if outcome != UNKNOWN:
                search.observe(question, outcome)
    belief = search.belief()
    return Answer(
        tuple(suspect.node for suspect in belief.ranked),
        belief.leader.nodes,
        belief.confidence,
        belief.set_confidence,
        tuple(asked),
        rounds,
        tuple(seconds),
        belief,
    )
