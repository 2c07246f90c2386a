"""ServiceView: all that is known of a business, or of a group of them, in one place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

from btimd.model.ports import NodeState, Subscription
from btimd.model.service import Criticality, Rollup
from btimd.model.sla import SlaState
from btimd.model.units import UnixMillis, UnixSeconds


class ViewState(StrEnum):
    """How a business, group, layer or indicator stands. UNKNOWN is never shown as good."""

    GOOD = "good"
    DEGRADED = "degraded"
    BAD = "bad"
    UNKNOWN = "unknown"


STATE_COLOURS: Final[Mapping[ViewState, tuple[str, str]]] = {
    ViewState.GOOD: ("#2e7d32", "circle"),
    ViewState.DEGRADED: ("#f9a825", "triangle"),
    ViewState.BAD: ("#c62828", "cross"),
    ViewState.UNKNOWN: ("#757575", "question"),
}
"""State -> colour and shape, the same everywhere; the shape tells it without the colour."""


FIGURES: Final[Mapping[str, str]] = {
    "users_active": "",
    "users_idle": "",
    "users_online": "",
    "traffic_bits_per_second": "bit/s",
    "traffic_to_server_bits_per_second": "bit/s",
    "traffic_to_client_bits_per_second": "bit/s",
    "packets_per_second": "1/s",
    "flows_per_second": "1/s",
    "bits_per_second_per_user": "bit/s",
    "connections_per_second": "1/s",
    "connection_failure_ratio": "ratio",
    "client_network_seconds": "s",
    "server_network_seconds": "s",
    "response_p50_seconds": "s",
    "response_p95_seconds": "s",
    "retransmission_ratio": "ratio",
    "requests_per_second": "1/s",
    "requests_per_user_per_minute": "1/min",
    "availability_ratio": "ratio",
    "error_budget_used_ratio": "ratio",
    "components_bad": "",
    "deviations": "",
    "incidents": "",
}
"""The figures every business has, and their units; those that others push are called kpi.NAME."""


@dataclass(frozen=True, slots=True)
class BusinessGroup:
    """Businesses and groups that belong together: a department, a product. ignore: members that do not count."""

    id: str
    name: str
    name_zh: str = ""
    members: tuple[str, ...] = ()
    rollup: Rollup = Rollup.WORST
    quorum: int = 1
    weights: Mapping[str, float] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IndicatorRule:
    """An operator's own indicator: expressions over the figures of a business that mean degraded, bad; "" = none."""

    id: str
    business: str
    name: str
    degraded: str = ""
    bad: str = ""


@dataclass(frozen=True, slots=True)
class BusinessMetric:
    """A figure that somebody else measured of a business: orders, returns, length of a queue.

    unit: as OpenMetrics names it, "" = a plain number. at: when it was measured, ms since 1970. valid_seconds: how long
    after that it says anything of the business; then it is not known.
    """

    business: str
    name: str
    value: float
    unit: str
    at: UnixMillis
    valid_seconds: float = 900.0


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a business now. value None: not known, and why in `note`. state: only where something judges it."""

    name: str
    value: float | None
    unit: str
    state: ViewState | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class IndicatorState:
    """An operator's own indicator: the expression, what it came to, and the state that this means."""

    id: str
    name: str
    expression: str
    state: ViewState
    text: str


@dataclass(frozen=True, slots=True)
class RegionUse:
    """How a region uses a business now. octets_per_second: both ways, of the last closed interval."""

    region: str
    users_active: int
    users_idle: int
    octets_per_second: float


@dataclass(frozen=True, slots=True)
class LayerState:
    """One layer of what a business stands on (user, network, application ... facility), and its nodes."""

    layer: str
    state: ViewState
    nodes: tuple[NodeState, ...]


@dataclass(frozen=True, slots=True)
class ServiceView:
    """A business now. state: the worst that `reasons` tell. at: seconds since 1970.

    bottleneck: the layer or leg that most of the time goes to, or that fails deepest, in words; "" = none is known.
    incidents: ids of the open ones. sla None: nothing was promised.
    """

    business: str
    name: str
    name_zh: str
    criticality: Criticality
    owner: str
    groups: tuple[str, ...]
    state: ViewState
    colour: str
    shape: str
    reasons: tuple[str, ...]
    at: UnixSeconds
    figures: tuple[Figure, ...]
    regions: tuple[RegionUse, ...]
    layers: tuple[LayerState, ...]
    bottleneck: str
    indicators: tuple[IndicatorState, ...]
    deviations: tuple[str, ...]
    incidents: tuple[str, ...]
    sla: SlaState | None


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group now; members in the order of the configuration."""

    group: str
    name: str
    name_zh: str
    rollup: Rollup
    members: tuple[str, ...]
    state: ViewState
    colour: str
    shape: str
    reasons: tuple[str, ...]


class ServiceViews(Protocol):
    """All of a business in one place, and figures that others push."""

    async def view(self, business: str) -> ServiceView:
        """Return a business; raises KeyError for one that is not known."""
        ...

    async def views(self) -> Sequence[ServiceView]:
        """Return all businesses, in the order of the configuration."""
        ...

    def groups(self, views: Sequence[ServiceView]) -> Sequence[GroupView]:
        """Return all groups, in the order of the configuration, as these views of all businesses make them."""
        ...

    def watch(self) -> Subscription[ServiceView]:
        """Subscribe to businesses as they change."""
        ...

    def push(self, metrics: Sequence[BusinessMetric]) -> None:
        """Take figures, all or none; raises KeyError for an unknown business, ValueError for what is no figure."""
        ...
