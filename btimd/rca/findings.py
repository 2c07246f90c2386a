"""When a diagnosis may end, and with what: which suspects are causes, how certain that is, what users say to it."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Final

from btimd.model.probe import ErrorClass, Health
from btimd.model.service import Check, Closure, Depth, NodeKind, depth_of
from btimd.model.sign import SignSource
from btimd.model.verdict import VerdictStatus
from btimd.rca.diagnosis import Belief, Diagnosis
from btimd.rca.events import EngineOptions

_BUDGET_SPENT: Final = "the probe budget is spent"
_NOTHING_LEFT: Final = "no further check would tell the suspects apart"
_SHALLOW: Final = frozenset({Depth.ECHO, Depth.CONNECT})
_HEARD: Final = frozenset({Health.GOOD, Health.BAD})
_SILENCE: Final = frozenset({ErrorClass.TIMEOUT, ErrorClass.UNREACHABLE})
_OF_THE_WAY: Final = _SILENCE | {ErrorClass.SLOW, ErrorClass.NO_ANSWER}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a diagnosis ends: its status, the cause if there is one to name, and why there is no certain one."""

    status: VerdictStatus
    cause: str | None
    reason: str


def is_confirmed(diagnosis: Diagnosis, node: str) -> bool:
    """Tell whether a node's own checks have had their say: one was bad and speaks of it alone, or none is left to ask.

    Where a bad answer may speak of what the node stands on as well, that has had its say too: else what is known of
    both from before would decide between them.
    """
    settled = diagnosis.settled()
    waiting = diagnosis.waiting()
    checks = diagnosis.index.graph.nodes[node].checks
    if any(settled.get(check.id) is Health.BAD for check in checks):
        return not unheard_below(diagnosis, node)
    return all(check.id in settled and check.id not in waiting for check in checks)


def unheard_below(diagnosis: Diagnosis, node: str) -> tuple[str, ...]:
    """Return what a node needs, of which its bad answers may speak as well and which nobody has heard of yet.

    An echo that is lost may be lost a router earlier, and a process from which nothing at all comes may be well on a
    host that is not; who refuses speaks of itself alone. What answers a whole transaction badly may have met a limit of
    what it needs. Something was heard of when a dialogue of its own was held, or all of its checks have been asked;
    that it takes connections, or an echo, is enough where it has no dialogue. Where it has no checks, what it needs
    itself counts.
    """
    index = diagnosis.index
    physical = index.is_physical(node)
    stands = _errors_at(diagnosis, node) <= (_OF_THE_WAY if physical else _SILENCE)
    # That a name is not known, or another's, is said by a server that is well.
    calls = not physical and not index.is_record(node) and _speaks_of_its_needs(diagnosis, node)
    settled = diagnosis.settled()
    waiting = diagnosis.waiting()
    found: list[str] = []
    seen = {node}
    queue = [node]
    for name in queue:
        for need in index.needs(name):
            if need in seen or not (stands if index.is_physical(need) else calls):
                continue
            seen.add(need)
            if not index.graph.nodes[need].checks:
                queue.append(need)
            elif not _was_heard(diagnosis, need, settled, waiting):
                found.append(need)
    return tuple(found)


def _was_heard(diagnosis: Diagnosis, node: str, settled: Mapping[str, Health], waiting: Container[str]) -> bool:
    checks = diagnosis.index.graph.nodes[node].checks
    if any(settled.get(check.id) in _HEARD for check in _dialogues(diagnosis, node) or checks):
        return True
    return all(check.id in settled and check.id not in waiting for check in checks)


def _dialogues(diagnosis: Diagnosis, node: str) -> list[Check]:
    """Return the checks of a process that hold a dialogue with it; of what processes run on an echo is enough."""
    if diagnosis.index.is_physical(node):
        return []
    return [check for check in diagnosis.index.graph.nodes[node].checks if depth_of(check.kind) not in _SHALLOW]


def _speaks_of_its_needs(diagnosis: Diagnosis, node: str) -> bool:
    """Tell whether no bad answer of a node speaks of it alone: all are of whole transactions."""
    settled = diagnosis.settled()
    bad = [check for check in diagnosis.index.graph.nodes[node].checks if settled.get(check.id) is Health.BAD]
    return all(check.closure is Closure.FULL for check in bad)


def _errors_at(diagnosis: Diagnosis, node: str) -> frozenset[ErrorClass]:
    """Return what is wrong by a node's own checks."""
    errors = {line.error for line in diagnosis.evidence if line.node == node and line.health is Health.BAD}
    return frozenset(errors | {symptom.error for symptom in diagnosis.symptoms.values() if symptom.node == node})


def open_needs(diagnosis: Diagnosis, node: str) -> tuple[str, ...] | None:
    """Return the direct needs of a node that no check has cleared, None where the walk down does not end here.

    The walk ends at a node whose own dialogue fails while all it needs works: that is the layer at fault, also where
    the leak of every check leaves some doubt. A need is cleared when all of its dialogues have had their say; that it
    takes connections is enough where it has none. For what processes run on, an echo is dialogue enough. A need without
    checks of its own stays open for ever.
    Where a limit was met, it may be that of a system further down, whose room or memory is used up.
    """
    settled = diagnosis.settled()
    waiting = diagnosis.waiting()
    graph = diagnosis.index.graph
    own = graph.nodes[node].checks if diagnosis.index.is_physical(node) else _dialogues(diagnosis, node)
    if not any(settled.get(check.id) is Health.BAD for check in own):
        return None
    still_open: list[str] = []
    below = _systems_below(diagnosis, node) if _met_a_limit(diagnosis, node) else ()
    for need in dict.fromkeys((*graph.nodes[node].needs, *below)):
        checks = graph.nodes[need].checks
        if any(settled.get(check.id) is Health.BAD for check in checks):
            return None
        deep = _dialogues(diagnosis, need)
        if any(check.id not in settled or check.id in waiting for check in deep) or not any(
            settled.get(check.id) is Health.GOOD for check in deep or checks
        ):
            still_open.append(need)
    return tuple(still_open)


def _met_a_limit(diagnosis: Diagnosis, node: str) -> bool:
    return any(one.node == node and one.error is ErrorClass.EXCEEDED for one in diagnosis.evidence)


def _systems_below(diagnosis: Diagnosis, node: str) -> tuple[str, ...]:
    """Return the systems with checks of their own that a node stands on."""
    index = diagnosis.index
    below = index.needs_closure(node)[1:]
    return tuple(one for one in below if index.kind(one) is NodeKind.OS and index.graph.nodes[one].checks)


def users_are_served(diagnosis: Diagnosis) -> str:
    """Return in words that the users whom the symptoms speak of are served all the same, empty where they are not.

    Where users of everything that fails by btimd's own probes still get answers, it is the probes' way that is broken.
    """
    if any(symptom.check_id not in diagnosis.index.checks for symptom in diagnosis.symptoms.values()):
        return ""
    heard = [sign for sign in diagnosis.signs_told() if sign.source is SignSource.FLOWS]
    texts: dict[str, None] = {}
    for symptom in diagnosis.symptoms.values():
        theirs = [
            sign
            for sign in heard
            if symptom.node in diagnosis.index.needs_closure(sign.node)
            and (not symptom.region or symptom.region == sign.region)
        ]
        if any(sign.health is Health.BAD for sign in theirs):
            return ""
        served = [sign for sign in theirs if sign.health is Health.GOOD and sign.at >= symptom.seen_at]
        if not served:
            return ""
        texts.update(dict.fromkeys(sign.text for sign in served))
    return "; ".join(texts)


def judge(diagnosis: Diagnosis, belief: Belief, options: EngineOptions, *, budget_spent: bool) -> Outcome:
    """Return how the diagnosis ends if it ends now, for the likeliest cause."""
    leader = diagnosis.suspect(belief)
    reason = _BUDGET_SPENT if budget_spent else _NOTHING_LEFT
    if diagnosis.probes_used and diagnosis.heard_nothing:
        return Outcome(VerdictStatus.UNKNOWN, None, "none of the checks could be carried out")
    if not leader or diagnosis.index.is_logical(leader):
        if belief.probability(leader) >= options.confident:
            reason = "everything it is known to need is good, so it is something that is not modelled"
        return Outcome(VerdictStatus.UNKNOWN, None, reason)
    return judge_cause(diagnosis, belief, options, leader, reason)


def judge_cause(
    diagnosis: Diagnosis, belief: Belief, options: EngineOptions, cause: str, reason: str = _NOTHING_LEFT
) -> Outcome:
    """Return how certain it is that one node is a cause."""
    probability = belief.probability(cause)
    if probability < options.shortlist_floor:
        return Outcome(VerdictStatus.UNKNOWN, None, reason)
    if _speaks_for_itself(diagnosis, cause):
        return Outcome(VerdictStatus.UNKNOWN, None, f"what {cause} is asked itself is good")
    if probability < options.confident:
        walked = probability >= options.walk_ends and open_needs(diagnosis, cause) == ()
        status = VerdictStatus.CAUSE_FOUND if walked else VerdictStatus.SHORTLIST
        return Outcome(status, cause, "" if walked else reason)
    settled = diagnosis.settled()
    own = [settled.get(check.id) for check in diagnosis.index.graph.nodes[cause].checks]
    if Health.GOOD in own and Health.BAD not in own:
        return Outcome(VerdictStatus.SHORTLIST, cause, "its own check is good")
    return Outcome(VerdictStatus.CAUSE_FOUND, cause, "")


def _speaks_for_itself(diagnosis: Diagnosis, node: str) -> bool:
    """Tell whether a node's own dialogue is good and no check of it is bad: it can hardly be the cause."""
    settled = diagnosis.settled()
    checks = diagnosis.index.graph.nodes[node].checks
    deep = [settled.get(check.id) for check in checks if depth_of(check.kind) is Depth.DIALOGUE]
    return Health.GOOD in deep and not any(settled.get(check.id) is Health.BAD for check in checks)


def all_found(diagnosis: Diagnosis, belief: Belief, options: EngineOptions) -> bool:
    """Tell whether the causes are certain, confirmed, and explain everything."""
    causes = belief.causes
    if not causes or not belief.is_complete or diagnosis.suspect(belief) not in causes:
        return False
    return all(_is_found(diagnosis, belief, options, cause) for cause in causes)


def _is_found(diagnosis: Diagnosis, belief: Belief, options: EngineOptions, cause: str) -> bool:
    """Tell whether a cause is certain and confirmed, or the walk down has ended at it."""
    probability = belief.probability(cause)
    if probability >= options.confident:
        return is_confirmed(diagnosis, cause)
    walked = probability >= options.walk_ends and not diagnosis.index.is_logical(cause)
    return walked and open_needs(diagnosis, cause) == ()


def outcomes_of(diagnosis: Diagnosis, belief: Belief, options: EngineOptions, *, budget_spent: bool) -> list[Outcome]:
    """Return how a diagnosis ends for each of its certain causes, else for the first suspect alone."""
    served = users_are_served(diagnosis)
    if served:
        return [Outcome(VerdictStatus.NOT_CONFIRMED, None, served)]
    found = [
        judge_cause(diagnosis, belief, options, cause)
        for cause in belief.causes
        if not diagnosis.index.is_logical(cause) and cause in diagnosis.candidates()
    ]
    certain = [outcome for outcome in found if outcome.status is VerdictStatus.CAUSE_FOUND]
    return certain or [judge(diagnosis, belief, options, budget_spent=budget_spent)]
