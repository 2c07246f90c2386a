"""What to bring back first: open causes in the order that gives most users their businesses back soonest.

A cause that stands on another one comes after it, because it cannot work before. Of what can be done next, that comes
first which brings back most users per repair; where several repairs are needed before anybody is back, the business
with most users waiting decides; then criticality, then the number of businesses, then how sure the cause is.
"""

from collections import Counter
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
class _Difference:
    """What repairs bring back: users, businesses that work again, businesses that are less degraded."""

    users: int
    back: tuple[str, ...]
    better: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Gain:
    """A repair with those that must come before it. waiting: users who wait for it, shared among all they wait for."""

    nodes: tuple[str, ...]
    difference: _Difference
    waiting: float


class _Order:
    def __init__(self, index: GraphIndex, causes: Mapping[str, OpenCause], users: UsersByRegion) -> None:
        self._index, self._causes, self._users = index, causes, users
        self._in_all = {business: sum(regions.values()) for business, regions in users.items()}
        self.failing = Failing(index, causes)
        self._below = {
            node: frozenset(other for other in index.needs_closure(node) if other != node and other in causes)
            for node in causes
        }
        self._hits = {node: frozenset(index.businesses_of_all[node]) for node in causes}
        self._regions: dict[str, frozenset[str]] = {node: frozenset() for node in causes}
        for region in index.regions:
            for name in index.needs_closure(index.user_node(region) or ""):
                if name in causes:
                    self._regions[name] |= {region}
        self._found: dict[tuple[str, ...], _Difference] = {}

    def steps(self) -> tuple[RestoringStep, ...]:
        """Return the steps; afterwards nothing fails any more."""
        left = dict.fromkeys(self._causes)
        found: list[RestoringStep] = []
        while left:
            waiting = Counter(business for node in left for business in self._hits[node])
            best = max((self._gain(node, left, waiting) for node in left), key=self._key)
            for node in best.nodes:
                found.append(self._step(len(found) + 1, node, [one for one in left if one != node]))
                del left[node]
        return tuple(found)

    def _key(self, gain: _Gain) -> tuple[float, float, int, int, int, float]:
        repairs = len(gain.nodes)
        sure = min(self._causes[node].confidence for node in gain.nodes)
        found = gain.difference
        weight = max((_WEIGHT[self._index.graph.businesses[name].criticality] for name in found.back), default=0)
        return found.users / repairs, gain.waiting, weight, len(found.back), len(found.better), sure

    def _gain(self, node: str, left: Iterable[str], waiting: Mapping[str, int]) -> _Gain:
        """Return what it brings to repair a cause and those below it, lowest first. waiting: causes by business."""
        below = self._below[node]
        nodes = (*self._lowest_first(one for one in below if one in left), node)
        share = sum(
            self._in_all.get(business, 0) / waiting[business]
            for business in self._hits[node]
            if self.failing.state(business) is ViewState.BAD
        )
        return _Gain(nodes, self._difference(nodes), share)

    def _lowest_first(self, nodes: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted(nodes, key=self.failing.index.rank.__getitem__))

    def _difference(self, nodes: tuple[str, ...]) -> _Difference:
        """Return what these repairs bring back: users as a lower bound per region. Everything is left as it was."""
        if nodes not in self._found:
            hit = [name for name in self._index.graph.businesses if any(name in self._hits[node] for node in nodes)]
            regions = frozenset[str]().union(*(self._regions[node] for node in nodes))
            before, cut = {name: self.failing.state(name) for name in hit}, self._cut(self._index.regions)
            self.failing.restore(nodes)
            after, still = {name: self.failing.state(name) for name in hit}, self._cut(self._index.regions)
            self.failing.fail(nodes)
            back = tuple(name for name in hit if before[name] is ViewState.BAD and after[name] is not ViewState.BAD)
            better = tuple(name for name in hit if RANK[after[name]] < RANK[before[name]] and name not in back)
            regained: dict[str, int] = {}
            for business in back:
                for region, number in self._users.get(business, {}).items():
                    if region not in still:
                        regained[region] = max(regained.get(region, 0), number)
            for region in regions & (cut - still):
                for business, numbers in self._users.items():
                    if after.get(business, self.failing.state(business)) is not ViewState.BAD:
                        regained[region] = max(regained.get(region, 0), numbers.get(region, 0))
            self._found[nodes] = _Difference(sum(regained.values()), back, better)
        return self._found[nodes]

    def _cut(self, regions: Iterable[str]) -> frozenset[str]:
        nodes = self._index.user_node
        return frozenset(region for region in regions if self.failing.state(nodes(region) or "") is ViewState.BAD)

    def _forget(self, node: str) -> None:
        """Forget what a repair may have changed: what shares a business with it, and where regions play a part."""
        hits, regions = self._hits[node], self._regions[node]

        def stays(other: str) -> bool:
            return not (hits & self._hits[other] or regions or self._regions[other])

        self._found = {nodes: found for nodes, found in self._found.items() if all(map(stays, nodes))}

    def _step(self, rank: int, node: str, left: Sequence[str]) -> RestoringStep:
        found = self._difference((node,))
        users, businesses, better = found.users, found.back, found.better
        self.failing.restore((node,))
        self._forget(node)
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
