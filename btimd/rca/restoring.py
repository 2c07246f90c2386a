"""What to bring back first: open causes in the order that gives most users their businesses back soonest.

A cause that stands on another one comes after it, because it cannot work before. Of what can be done next, that comes
first which brings back most users per repair; where several repairs are needed before anybody is back, the business
with most users waiting decides; then criticality, then the number of businesses, then how sure the cause is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from btimd.model.outage import OpenCause, RestoringOrder, RestoringStep, UsersByRegion
from btimd.model.service import Criticality
from btimd.model.units import UnixSeconds
from btimd.model.view import ViewState
from btimd.rca.graph import GraphIndex
from btimd.rca.outage import Failing, losses_of, over_all
from btimd.rca.rollup import RANK

MOST_CAUSES: Final = 50
_TOLD: Final = 5
_WEIGHT: Final[Mapping[Criticality, int]] = {
    Criticality.CRITICAL: 4, Criticality.HIGH: 3, Criticality.NORMAL: 2, Criticality.LOW: 1,
}  # fmt: skip


def restoring_order(
    index: GraphIndex, causes: Iterable[OpenCause], users: UsersByRegion, now: UnixSeconds
) -> RestoringOrder:
    """Return the order. users: on line before the causes took them away; {} where nobody counts them.

    Causes that are no longer in the graph are left out; of several with one node the surest counts.
    """
    by_node: dict[str, OpenCause] = {}
    gone: list[str] = []
    for cause in causes:
        if cause.node not in index.graph.nodes:
            gone.append(cause.node)
        elif cause.node not in by_node or cause.confidence > by_node[cause.node].confidence:
            by_node[cause.node] = cause
    surest = sorted(by_node.values(), key=lambda one: -one.confidence)[:MOST_CAUSES]
    order = _Order(index, {cause.node: cause for cause in surest}, users)
    regions = over_all(losses_of(order.failing, users))
    steps = order.steps()
    notes = []
    if not users:
        notes.append("nobody counts users: the order follows criticality and the number of businesses")
    if gone:
        notes.append(f"no longer in the model: {_some(sorted(gone))}")
    if len(by_node) > MOST_CAUSES:
        notes.append(f"{len(by_node) - MOST_CAUSES} more causes, less sure than these, are left out")
    several = sum(bool(step.users) for step in steps) > 1 or any(len(step.businesses) > 1 for step in steps)
    if users and several:
        notes.append("a person may use several businesses: users are lower bounds")
    return RestoringOrder(
        at=now,
        steps=steps,
        users_lost=sum(one.lost for one in regions) if users else None,
        users_exact=bool(users) and not several,
        notes=tuple(notes),
    )


@dataclass(frozen=True, slots=True)
class _Gain:
    """What a repair, with those that must come before it, brings back."""

    nodes: tuple[str, ...]
    users: int
    waiting: float
    businesses: tuple[str, ...]
    better: tuple[str, ...]
    weight: int


class _Order:
    def __init__(self, index: GraphIndex, causes: Mapping[str, OpenCause], users: UsersByRegion) -> None:
        self._index, self._causes, self._users = index, causes, users
        self.failing = Failing(index, causes)
        self._below = {
            node: frozenset(other for other in index.needs_closure(node) if other != node and other in causes)
            for node in causes
        }
        self._hits = {node: frozenset(index.businesses_above(node)) for node in causes}

    def steps(self) -> tuple[RestoringStep, ...]:
        """Return the steps; afterwards nothing fails any more."""
        left = dict.fromkeys(self._causes)
        found: list[RestoringStep] = []
        while left:
            best = max((self._gain(node, left) for node in left), key=self._key)
            for node in best.nodes:
                found.append(self._step(len(found) + 1, node, [one for one in left if one != node]))
                del left[node]
        return tuple(found)

    def _key(self, gain: _Gain) -> tuple[float, float, int, int, int, float]:
        repairs = len(gain.nodes)
        sure = min(self._causes[node].confidence for node in gain.nodes)
        return gain.users / repairs, gain.waiting, gain.weight, len(gain.businesses), len(gain.better), sure

    def _gain(self, node: str, left: Iterable[str]) -> _Gain:
        """Return what it brings to repair a cause and those below it, lowest first: a lower bound per region."""
        below = self._below[node]
        nodes = (*self._lowest_first(one for one in below if one in left), node)
        users, businesses, better = self._difference(nodes)
        waiting = sum(
            sum(self._users.get(business, {}).values()) / sum(business in self._hits[one] for one in left)
            for business in self._hits[node]
            if self.failing.state(business) is ViewState.BAD
        )
        weight = max((_WEIGHT[self._index.graph.businesses[name].criticality] for name in businesses), default=0)
        return _Gain(nodes, users, waiting, businesses, better, weight)

    def _lowest_first(self, nodes: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted(nodes, key=self.failing.rank.__getitem__))

    def _difference(self, nodes: Sequence[str]) -> tuple[int, tuple[str, ...], tuple[str, ...]]:
        """Return users, businesses that work again and those less degraded, and leave everything as it was."""
        before, lost = self._look()
        self.failing.restore(nodes)
        after, still = self._look()
        self.failing.fail(nodes)
        back = tuple(name for name in before if before[name] is ViewState.BAD and after[name] is not ViewState.BAD)
        better = tuple(name for name in before if RANK[after[name]] < RANK[before[name]] and name not in back)
        regained: dict[str, int] = {}
        for (business, region), number in lost.items():
            regained[region] = max(regained.get(region, 0), number - still.get((business, region), 0))
        return sum(regained.values()), back, better

    def _look(self) -> tuple[dict[str, ViewState], dict[tuple[str, str], int]]:
        states = {name: self.failing.state(name) for name in self._index.graph.businesses}
        lost = losses_of(self.failing, self._users).items()
        return states, {(name, one.region): one.lost for name, regions in lost for one in regions if one.lost}

    def _step(self, rank: int, node: str, left: Sequence[str]) -> RestoringStep:
        users, businesses, better = self._difference((node,))
        self.failing.restore((node,))
        waits = tuple(
            other
            for other in left
            if not businesses
            and any(self.failing.state(name) is ViewState.BAD for name in self._hits[node] & self._hits[other])
        )
        known = self._index.graph.nodes[node]
        after = self._lowest_first(self._below[node])
        return RestoringStep(
            rank=rank,
            cause=self._causes[node],
            name=known.name,
            kind=known.kind,
            users=users if self._users else None,
            businesses=businesses,
            better=better,
            after=after,
            waits_for=waits,
            text=self._text(users, businesses, better, after, waits),
        )

    def _text(
        self, users: int, businesses: Sequence[str], better: Sequence[str], after: Sequence[str], waits: Sequence[str]
    ) -> str:
        named = self._index.graph.businesses
        parts = []
        if businesses:
            parts.append(f"brings back {_some([named[name].name for name in businesses])}")
        if self._users and users:
            parts.append(f"{users} users work again")
        if better:
            parts.append(
                f"{_some([named[name].name for name in better])} {'is' if len(better) == 1 else 'are'} whole again"
            )
        if after:
            parts.append(f"stands on {_some(after)}")
        if waits:
            parts.append(f"brings back nobody without {_some(waits)}")
        return "; ".join(parts) or "no business works better by it; it gives back redundancy at most"


def _some(names: Sequence[str]) -> str:
    more = len(names) - _TOLD
    return ", ".join(names[:_TOLD]) + (f" and {more} more" if more > 0 else "")
