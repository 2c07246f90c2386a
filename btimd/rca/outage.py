"""What happens when nodes fail: which businesses are down or degraded, by roll-up, and which users are without them.

Here a need that is down takes down whoever has it, unless its roll-up, or the need's strength, says otherwise: this is
what the model says, not what checks have seen. Everything that is not named as failed is taken for good.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from btimd.model.outage import BusinessOutage, OutageImpact, Redundancy, RegionLoss, UsersByRegion
from btimd.model.sla import SlaState
from btimd.model.units import UnixSeconds
from btimd.model.view import ViewState
from btimd.rca.graph import GraphIndex
from btimd.rca.rollup import RANK, REDUNDANT, counted_needs, roll_up, rolled_state

MOST_REDUNDANT: Final = 200
"""Redundant nodes that are told of, those of most businesses first."""
_MOST_MEMBERS: Final = 50
_TOLD: Final = 5
_NO_USERS: Final[Mapping[str, int]] = {}


class _Good(dict[str, ViewState]):
    """States of nodes; those that are not named are good."""

    def __missing__(self, key: str) -> ViewState:
        return ViewState.GOOD


class Failing:
    """A graph in which nodes fail and come back; only what changes by it is looked at. Any depth, no recursion."""

    def __init__(self, index: GraphIndex, down: Iterable[str] = ()) -> None:
        self.index = index
        self._down: set[str] = set()
        self._states = _Good()
        self.fail(down)

    @property
    def down(self) -> frozenset[str]:
        """What has failed by itself."""
        return frozenset(self._down)

    @property
    def touched(self) -> tuple[str, ...]:
        """Everything that is not good, what is needed first."""
        return tuple(sorted(self._states, key=self.index.rank.__getitem__))

    def state(self, name: str) -> ViewState:
        """Return how a node stands."""
        return self._states[name]

    def reason(self, name: str) -> str:
        """Return why a node stands as it does."""
        if name in self._down:
            return "it is down itself"
        return roll_up(self.index.graph.nodes[name], self._states)[1]

    def way(self, name: str) -> tuple[str, ...]:
        """Return the way from a node that is not good down to one that failed, along the worst needs; () for others."""
        steps = [name] if self._states[name] is not ViewState.GOOD else []
        while steps and steps[-1] not in self._down:
            node = self.index.graph.nodes[steps[-1]]
            steps.append(max(counted_needs(node), key=lambda need: RANK[self._states[need]]))
        return tuple(steps)

    def fail(self, nodes: Iterable[str]) -> None:
        """Let nodes fail."""
        new = [name for name in dict.fromkeys(nodes) if name not in self._down]
        self._down.update(new)
        self._derive(new)

    def restore(self, nodes: Iterable[str]) -> None:
        """Bring nodes back; they still stand on what they need."""
        back = [name for name in dict.fromkeys(nodes) if name in self._down]
        self._down.difference_update(back)
        self._derive(back)

    def next_to_fail(self, name: str) -> tuple[str, ...]:
        """Return the members of a redundant node of which one more failure makes it fail."""
        node = self.index.graph.nodes[name]
        found = []
        for need in counted_needs(node)[:_MOST_MEMBERS]:
            if self._states[need] is not ViewState.BAD:
                one_more = _Good({member: self._states[member] for member in node.needs})
                one_more[need] = ViewState.BAD
                if roll_up(node, one_more)[0] is ViewState.BAD:
                    found.append(need)
        return tuple(found)

    def _derive(self, names: Iterable[str]) -> None:
        self.index.climb(names, self._changed)

    def _changed(self, name: str) -> bool:
        """Derive the state of a node anew; tell whether it is another one."""
        node = self.index.graph.nodes[name]
        state = ViewState.BAD if name in self._down else rolled_state(node, self._states)
        if state is self._states[name]:
            return False
        if state is ViewState.GOOD:
            del self._states[name]
        else:
            self._states[name] = state
        return True


def cut_off_regions(failing: Failing) -> frozenset[str]:
    """Return the regions whose users reach nothing."""
    index = failing.index
    return frozenset(
        region
        for region in index.regions
        if (name := index.user_node(region)) is not None and failing.state(name) is ViewState.BAD
    )


def losses_of(failing: Failing, users: UsersByRegion) -> Mapping[str, tuple[RegionLoss, ...]]:
    """Return what the users of each measured business lose, by region; businesses in the order of the graph."""
    cut = cut_off_regions(failing)
    return {
        business: tuple(
            RegionLoss(
                region,
                number,
                number if region in cut or failing.state(business) is ViewState.BAD else 0,
                region in cut,
            )
            for region, number in sorted(users.get(business, _NO_USERS).items())
            if number
        )
        for business in failing.index.graph.businesses
        if business in users
    }


def over_all(losses: Mapping[str, Sequence[RegionLoss]]) -> tuple[RegionLoss, ...]:
    """Return the regions over all businesses, most lost first: of each the largest numbers, so a lower bound."""
    found: dict[str, RegionLoss] = {}
    for regions in losses.values():
        for one in regions:
            had = found.get(one.region, RegionLoss(one.region, 0, 0))
            found[one.region] = RegionLoss(
                one.region, max(had.users, one.users), max(had.lost, one.lost), one.cut_off or had.cut_off
            )
    return tuple(sorted(found.values(), key=lambda one: (-one.lost, -one.users, one.region)))


def simulate(
    index: GraphIndex,
    nodes: Sequence[str],
    *,
    already: Collection[str] = (),
    users: UsersByRegion,
    sla: Mapping[str, SlaState],
    now: UnixSeconds,
) -> OutageImpact:
    """Return what happens when nodes fail on top of what has failed already; raises KeyError for unknown nodes.

    users: on line now, {} where nobody counts them.
    """
    for name in nodes:
        if name not in index.graph.nodes:
            raise KeyError(name)
    known = tuple(dict.fromkeys(name for name in already if name in index.graph.nodes and name not in nodes))
    failing = Failing(index, known)
    before = {business: failing.state(business) for business in index.graph.businesses}
    cut_before = cut_off_regions(failing)
    redundant_before = {name: failing.reason(name) for name in _redundant(failing)}
    failing.fail(nodes)
    losses = losses_of(failing, users)
    cut = cut_off_regions(failing) - cut_before
    hit = [
        _business(failing, business, before[business], losses.get(business), sla.get(business), now)
        for business in index.graph.businesses
        if failing.state(business) is not before[business] or any(one.region in cut for one in losses.get(business, ()))
    ]
    hit.sort(key=lambda one: (-RANK[one.state], -(one.users_lost or 0)))  # the rest in the order of the graph
    regions = over_all({one.business: one.regions for one in hit})
    measured = [one for one in hit if one.users is not None]
    saved = [name for name in _redundant(failing) if redundant_before.get(name) != failing.reason(name)]
    return OutageImpact(
        nodes=tuple(dict.fromkeys(nodes)),
        already=known,
        at=now,
        businesses=tuple(hit),
        untouched=len(index.graph.businesses) - len(hit),
        regions=tuple(one for one in regions if one.lost or one.region in cut),
        users=sum(one.users for one in over_all(losses)) if users else None,
        users_lost=sum(one.lost for one in regions) if users and len(measured) == len(hit) else None,
        users_exact=bool(users) and len([one for one in measured if one.users_lost]) <= 1,
        redundancy=_told(failing, saved),
        notes=_notes(index, users, hit, cut),
    )


def _redundant(failing: Failing) -> list[str]:
    """Return the redundant nodes that lost something and go on working."""
    nodes, index = failing.index.graph.nodes, failing.index
    above = {name: None for bad in failing.touched for name in index.served_by(bad)}
    return [
        name
        for name in above
        if nodes[name].rollup in REDUNDANT
        and name not in failing.down
        and failing.state(name) is not ViewState.BAD
        and any(failing.state(need) is ViewState.BAD for need in counted_needs(nodes[name]))
    ]


def _told(failing: Failing, names: Sequence[str]) -> tuple[Redundancy, ...]:
    index = failing.index
    found = [
        Redundancy(
            node=name,
            name=index.graph.nodes[name].name,
            state=failing.state(name),
            text=failing.reason(name),
            businesses=index.businesses_of_all[name],
        )
        for name in names
    ]
    found.sort(key=lambda one: (-len(one.businesses), one.node))
    return tuple(
        Redundancy(one.node, one.name, one.state, one.text, one.businesses, failing.next_to_fail(one.node))
        for one in found[:MOST_REDUNDANT]
    )


def _business(
    failing: Failing,
    business: str,
    before: ViewState,
    regions: tuple[RegionLoss, ...] | None,
    sla: SlaState | None,
    now: UnixSeconds,
) -> BusinessOutage:
    known = failing.index.graph.businesses[business]
    state = failing.state(business)
    budget = None
    if state is ViewState.BAD and sla is not None:
        budget = max(sla.error_budget_seconds - sla.down_seconds, 0.0)
    cut = [one.region for one in regions or () if one.cut_off]
    reason = failing.reason(business)
    if cut and state is not ViewState.BAD:
        reason = "; ".join(part for part in (reason, f"users of {_some(cut)} reach nothing") if part)
    through = failing.index.user_node(cut[0]) if cut else None
    return BusinessOutage(
        business=business,
        name=known.name,
        criticality=known.criticality,
        state=state,
        before=before,
        reason=reason,
        users=None if regions is None else sum(one.users for one in regions),
        users_lost=None if regions is None else sum(one.lost for one in regions),
        way=failing.way(business) or (failing.way(through) if through is not None else ()),
        regions=regions or (),
        budget_seconds=budget,
        breach_at=None if budget is None else now + budget,
    )


def _notes(
    index: GraphIndex, users: UsersByRegion, hit: Sequence[BusinessOutage], cut: Collection[str]
) -> tuple[str, ...]:
    """Return what the figures cannot say."""
    notes = []
    if not users:
        notes.append("nobody counts users: no flows are seen")
    else:
        untold = [one.business for one in hit if one.users is None]
        if untold:
            notes.append(f"users are not measured for {_some(untold)}")
        if len([one for one in hit if one.users_lost]) > 1:
            notes.append("a person may use several businesses: over all of them users lost is a lower bound")
        regions = {region for numbers in users.values() for region, number in numbers.items() if region and number}
        pathless = sorted(regions - set(index.regions))
        if pathless:
            text = f"the model does not say what users of {_some(pathless)} come through; [node.ID] with region does"
            notes.append(text)
    if cut:
        notes.append(f"cut off from everything: {_some(sorted(cut))}")
    return tuple(notes)


def _some(names: Sequence[str]) -> str:
    more = len(names) - _TOLD
    return ", ".join(names[:_TOLD]) + (f" and {more} more" if more > 0 else "")
