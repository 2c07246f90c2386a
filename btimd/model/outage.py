"""What fails with a node and what to bring back first: records, and the view that answers for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from btimd.model.service import Criticality, NodeKind
from btimd.model.units import Ratio, Seconds, UnixSeconds
from btimd.model.view import ViewState

UsersByRegion = Mapping[str, Mapping[str, int]]
"""Users on line: business -> region ("" = not known) -> number. A business that is missing is not measured."""


@dataclass(frozen=True, slots=True)
class RegionLoss:
    """Users of a region ("" = not in the IP plan): on line, and of those without the business.

    cut_off: nothing is reached from there, whatever the businesses do.
    """

    region: str
    users: int
    lost: int
    cut_off: bool = False


@dataclass(frozen=True, slots=True)
class BusinessOutage:
    """What an outage does to one business.

    state: BAD = down, DEGRADED = works with less, GOOD = works, but regions of its users are cut off. before: its state
    by what had failed already. way: from the business, or from what cut-off users come through, to a node that failed,
    along needs that are not good. users, users_lost: on line now and without it then, None = not measured.
    budget_seconds: downtime that its promise still allows in this period, breach_at: when that is used up if it is down
    from now on; None = not down, or nothing was promised.
    """

    business: str
    name: str
    criticality: Criticality
    state: ViewState
    before: ViewState
    reason: str
    users: int | None
    users_lost: int | None
    way: tuple[str, ...] = ()
    regions: tuple[RegionLoss, ...] = ()
    budget_seconds: Seconds | None = None
    breach_at: UnixSeconds | None = None


@dataclass(frozen=True, slots=True)
class Redundancy:
    """A redundant node that goes on working without some of its members.

    text: which are bad and which carry it. businesses: that would be hit without it. next_to_fail: members of which
    one more failure makes it fail, () where there is room for any.
    """

    node: str
    name: str
    state: ViewState
    text: str
    businesses: tuple[str, ...]
    next_to_fail: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OutageImpact:
    """What happens when nodes fail, everything else as it is.

    nodes: those that were asked about; already: what had failed before. businesses: those that change, worst and most
    users lost first. regions: over all businesses; a person may use several, so per region the largest number counts:
    users_lost is a lower bound where users_exact is False. untouched: businesses that stay as they are.
    """

    nodes: tuple[str, ...]
    already: tuple[str, ...]
    at: UnixSeconds
    businesses: tuple[BusinessOutage, ...]
    untouched: int
    regions: tuple[RegionLoss, ...]
    users: int | None
    users_lost: int | None
    users_exact: bool
    redundancy: tuple[Redundancy, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenCause:
    """Something that is known to be broken: a node, who says so, and how sure that is."""

    node: str
    verdict_id: str = ""
    confidence: Ratio = 1.0
    incident_id: str = ""


@dataclass(frozen=True, slots=True)
class RestoringStep:
    """One repair of a restoring order. rank: from 1. users: that it brings back, once the steps before are done.

    businesses: that work again with it, better: that are less degraded. after: steps that must be done before, because
    this one stands on them. waits_for: other causes without which it brings back nobody. None users = not measured.
    """

    rank: int
    cause: OpenCause
    name: str
    kind: NodeKind
    users: int | None
    businesses: tuple[str, ...]
    better: tuple[str, ...]
    after: tuple[str, ...]
    waits_for: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class RestoringOrder:
    """What to bring back first. users_lost: by all causes together, None = not measured."""

    at: UnixSeconds
    steps: tuple[RestoringStep, ...]
    users_lost: int | None
    users_exact: bool
    notes: tuple[str, ...] = ()


class OutageView(Protocol):
    """Says what an outage would do, and what to bring back first."""

    async def simulate(self, nodes: Sequence[str]) -> OutageImpact:
        """Return what happens when these nodes fail now; raises KeyError for one that is not in the graph."""
        ...

    async def restoring_order(self) -> RestoringOrder:
        """Return in which order the open causes are best dealt with."""
        ...
