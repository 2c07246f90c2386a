"""The state of every node: its own health by its last answers, and the status that its needs give it."""

from collections.abc import Iterable

from btimd.model.ports import NodeState
from btimd.model.probe import Health, ProbeResult
from btimd.model.service import Node
from btimd.model.view import ViewState
from btimd.rca.graph import GraphIndex
from btimd.rca.rollup import REDUNDANT, roll_up

GOOD = "good"
DEGRADED = "degraded"
BAD = "bad"
UNKNOWN = "unknown"


class NodeStates:
    """Keeps the last answer of every check and derives node states from them.

    own health: bad where the last answer of any own check is bad, good where one is good and none bad, else unknown.
    status: bad by own health; else by the roll-up of its needs. With "worst" and "degrade" a need that is bad or
    degraded makes it degraded: whether it fails is for a check of its own to say. A node that is redundant (best,
    quorum, weighted) stands as its members do; a good answer of its own makes bad members a degradation. Where the
    needs say nothing against it, its own health counts, and for a redundant node without checks its members'.
    """

    def __init__(self, index: GraphIndex) -> None:
        self._index = index
        self._results: dict[str, ProbeResult] = {}
        self._states: dict[str, NodeState] = {}
        self._status: dict[str, str] = {}
        self.swap(index)

    def swap(self, index: GraphIndex) -> list[NodeState]:
        """Go on with another graph; answers of checks that are no longer in it are forgotten. Return all states."""
        self._index = index
        self._results = {key: found for key, found in self._results.items() if key in index.checks}
        self._states, self._status = {}, {}
        for name in index.needs_first:
            state = self._state(name)
            self._states[name], self._status[name] = state, state.status
        return self.all()

    def take(self, result: ProbeResult) -> list[NodeState]:
        """Take an answer and return the states that changed; UNKNOWN answers tell nothing of the node."""
        check = result.spec.check
        before = self._results.get(check.id)
        if check.id not in self._index.checks or result.health is Health.UNKNOWN:
            return []
        if before is not None and before.started_at > result.started_at:
            return []
        self._results[check.id] = result
        return self._derive((self._index.checks[check.id].node,))

    def all(self) -> list[NodeState]:
        """Return the state of every node, in the order of the graph."""
        return [self._states[name] for name in self._index.graph.nodes]

    def _derive(self, names: Iterable[str]) -> list[NodeState]:
        """Derive these anew, and those above them as far as a status changes; return what changed, needs first."""
        changed: list[NodeState] = []

        def derive(name: str) -> bool:
            state, before = self._state(name), self._states[name]
            if state == before:
                return False
            self._states[name], self._status[name] = state, state.status
            changed.append(state)
            return state.status != before.status

        self._index.climb(names, derive)
        return changed

    def _state(self, name: str) -> NodeState:
        node = self._index.graph.nodes[name]
        answers = [self._results[check.id] for check in node.checks if check.id in self._results]
        bad = [answer for answer in answers if answer.health is Health.BAD]
        told = max(bad or answers, key=lambda answer: answer.started_at, default=None)
        own = BAD if bad else GOOD if answers else UNKNOWN
        status, note = self._standing(node, own)
        detail = told.detail if told is not None else ""
        return NodeState(
            node=name,
            kind=node.kind.value,
            name=node.name,
            status=status,
            own_health=own,
            detail="; ".join(part for part in (note, detail) if part),
            checked_at=max((answer.started_at for answer in answers), default=None),
            needs=node.needs,
            businesses=self._index.businesses_of_all[name],
        )

    def _standing(self, node: Node, own: str) -> tuple[str, str]:
        """Return the status of a node, and what its members have to do with it where it is redundant."""
        if own == BAD or not node.needs:
            return own, ""
        found, note = roll_up(node, self._status)
        if node.rollup not in REDUNDANT:
            return (DEGRADED if found in {ViewState.BAD, ViewState.DEGRADED} else own), ""
        match found:
            case ViewState.BAD:
                return (DEGRADED if own == GOOD else BAD), note
            case ViewState.DEGRADED:
                return DEGRADED, note
            case ViewState.UNKNOWN:
                return own, note
        return (own if node.checks else GOOD), note
