"""The state of every node: its own health by its last answers, and the status that its needs give it."""

from collections.abc import Sequence

from btimd.model.ports import NodeState
from btimd.model.probe import Health, ProbeResult
from btimd.rca.graph import GraphIndex

GOOD = "good"
DEGRADED = "degraded"
BAD = "bad"
UNKNOWN = "unknown"


class NodeStates:
    """Keeps the last answer of every check and derives node states from them.

    own health: bad where the last answer of any own check is bad, good where one is good and none bad, else unknown.
    status: bad by own health, degraded where a need is bad or degraded, good by own health, unknown when never
    checked.
    """

    def __init__(self, index: GraphIndex) -> None:
        self._index = index
        self._results: dict[str, ProbeResult] = {}
        self._states: dict[str, NodeState] = {}
        self._rank: dict[str, int] = {}
        self.swap(index)

    def swap(self, index: GraphIndex) -> list[NodeState]:
        """Go on with another graph; answers of checks that are no longer in it are forgotten. Return all states."""
        self._index = index
        self._results = {key: found for key, found in self._results.items() if key in index.checks}
        order = _needs_first(index)
        self._rank = {name: rank for rank, name in enumerate(order)}
        self._states = {}
        self._derive(order)
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
        above = self._index.serves_closure(self._index.checks[check.id].node)
        return self._derive(sorted(above, key=self._rank.__getitem__))

    def all(self) -> list[NodeState]:
        """Return the state of every node, in the order of the graph."""
        return [self._states[name] for name in self._index.graph.nodes]

    def _derive(self, names: Sequence[str]) -> list[NodeState]:
        changed: list[NodeState] = []
        for name in names:
            state = self._state(name)
            if self._states.get(name) != state:
                self._states[name] = state
                changed.append(state)
        return changed

    def _state(self, name: str) -> NodeState:
        node = self._index.graph.nodes[name]
        answers = [self._results[check.id] for check in node.checks if check.id in self._results]
        bad = [answer for answer in answers if answer.health is Health.BAD]
        told = max(bad or answers, key=lambda answer: answer.started_at, default=None)
        own = BAD if bad else GOOD if answers else UNKNOWN
        trouble = [need for need in node.needs if self._states[need].status in {BAD, DEGRADED}]
        status = own if own == BAD or not trouble else DEGRADED
        return NodeState(
            node=name,
            kind=node.kind.value,
            name=node.name,
            status=status,
            own_health=own,
            detail=told.detail if told is not None else "",
            checked_at=max((answer.started_at for answer in answers), default=None),
            needs=node.needs,
            businesses=self._index.businesses_above(name),
        )


def _needs_first(index: GraphIndex) -> tuple[str, ...]:
    """Return all nodes so that every node comes after what it needs."""
    order: dict[str, None] = {}
    for root in index.graph.nodes:
        work = [(root, False)]
        while work:
            name, leaving = work.pop()
            if leaving:
                order.setdefault(name)
            elif name not in order:
                work.append((name, True))
                work.extend((need, False) for need in index.needs(name) if need not in order)
    return tuple(order)
