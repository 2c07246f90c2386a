"""What observed traffic says of the model: services and dependencies that it lacks, what it claims in vain, weak spots.

Confidence is the estimated probability that somebody who knows the network would agree. It is computed from evidence
that is told with it; 0.5 is a coin, and what is below is not proposed unless asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from btimd.model.service import Criticality, NodeKind
from btimd.model.units import Ratio, Seconds, UnixSeconds


class SuggestionKind(StrEnum):
    """What is proposed for a group of servers."""

    SERVICE = "service"
    """People use it: a business service to be named."""
    COMPONENT = "component"
    """Mainly servers use it: a node that services need."""
    SHARED = "shared"
    """Everybody uses it: names, log-on, time."""
    PORT = "port"
    """A further port of servers that a rule names."""
    SERVER = "server"
    """A further server of a pool that a rule names."""


class FindingKind(StrEnum):
    """How the declared model and the traffic differ."""

    NEVER_SEEN = "never-seen"
    """A declared need, without traffic between the two."""
    UNDECLARED = "undeclared"
    """Traffic between two known nodes, neither of which needs the other, directly or not."""
    SILENT_SERVICE = "silent-service"
    """A business none of whose rules saw traffic."""
    SILENT_RULE = "silent-rule"
    """A rule that saw no traffic, of a business others of whose rules did."""
    UNKNOWN_SERVER = "unknown-server"
    """A server with traffic that no rule, node or check names."""
    NOT_VISIBLE = "not-visible"
    """A declared need that traffic cannot show: an end without a known address, or both ends on one address."""


class WeakReason(StrEnum):
    """Why a node is a weak spot."""

    SINGLE_POINT = "single-point"
    """Businesses fail with it, and it has no second server."""
    UNWATCHED = "unwatched"
    """Businesses fail with it, and no check asks it."""
    FREQUENT_CAUSE = "frequent-cause"
    """It was found to be the cause before."""
    IMPORTANT = "important"
    """Businesses need it; it has several servers, or none that is known."""


@dataclass(frozen=True, slots=True)
class ServiceSuggestion:
    """A group of servers that traffic goes to and no rule names.

    id: free in the present model. name: made of ports and addresses, or of names that were given; never guessed. kind:
    what it is proposed as; extends: the rule or business whose servers it adds to, "" = it is new. node_kind: the kind
    of the node of these servers. servers: prefixes; protocol: IANA number, 0 =
    several. ports: "443" or "8000-8010". clients: distinct addresses; users:
    those of them that are no servers; regions: of the IP plan. flows, octets: over the time looked at. criticality: a
    hint from the share of all users who use it. needs: ids of suggested or known nodes. evidence: sentences.
    """

    id: str
    name: str
    kind: SuggestionKind
    node_kind: NodeKind
    extends: str
    servers: tuple[str, ...]
    protocol: int
    ports: tuple[str, ...]
    clients: int
    users: int
    regions: tuple[str, ...]
    flows: int
    octets: int
    first_seen_at: UnixSeconds
    last_seen_at: UnixSeconds
    criticality: Criticality
    confidence: Ratio
    needs: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DependencySuggestion:
    """A server that is the client of another one's port.

    from_id, to_id: of a suggestion or of a node or business of the model; from_known, to_known: is in the model.
    kind: of the node needed. ports: of `to`. background: it belongs to what goes on all the time, whoever works
    (names, log-on, time), so the traffic cannot tell whether work would stop without it. correlation: of the changes of
    both activities from bin to bin, None = no activity was looked at. coverage: of the bins in which `from` was used,
    the share in which it used `to`. bins: how many were looked at.
    """

    from_id: str
    to_id: str
    from_known: bool
    to_known: bool
    kind: NodeKind
    protocol: int
    ports: tuple[str, ...]
    flows: int
    octets: int
    background: bool
    correlation: float | None
    coverage: Ratio | None
    bins: int
    confidence: Ratio
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Suggestions:
    """All that is proposed. patch: TOML to append to services.toml.

    from_at..to_at: the time looked at. conversations, records: how much was looked at. truncated: there was more than
    could be looked at. left_out: what is no evidence of a service, by reason, counted in conversations.
    """

    from_at: UnixSeconds
    to_at: UnixSeconds
    conversations: int
    records: int
    truncated: bool
    left_out: Mapping[str, int]
    services: tuple[ServiceSuggestion, ...]
    dependencies: tuple[DependencySuggestion, ...]
    patch: str = ""


@dataclass(frozen=True, slots=True)
class EdgeFinding:
    """One difference between model and traffic.

    from_id, to_id: nodes, businesses, rules, or addresses of servers nobody names; "" = nobody. last_seen_at: None =
    never in the time looked at. confidence: that the model is wrong here, and not that too little was seen.
    """

    kind: FindingKind
    from_id: str
    to_id: str
    protocol: int
    ports: tuple[str, ...]
    clients: int
    flows: int
    octets: int
    last_seen_at: UnixSeconds | None
    confidence: Ratio
    text: str


@dataclass(frozen=True, slots=True)
class ModelComparison:
    """Declared versus seen. visible_edges: of declared_edges those that traffic can show; seen_edges: those it does.

    caveat: what to bear in mind.
    """

    from_at: UnixSeconds
    to_at: UnixSeconds
    conversations: int
    truncated: bool
    declared_edges: int
    visible_edges: int
    seen_edges: int
    findings: tuple[EdgeFinding, ...]
    caveat: str


@dataclass(frozen=True, slots=True)
class WeakSpot:
    """A node, and what fails with it.

    reasons: most serious first. businesses: that need it, most critical first. users: on line now, over all of these
    businesses (somebody who uses two counts twice), None = not measured. score: weight of the businesses, where the
    weight of one is 8, 4, 2, 1 by criticality, times 1 + its share of all users; times 2 where nothing stands in for
    the node. servers: addresses known. checks: of the node itself. verdicts: how often it was the cause;
    diagnosis_seconds: how long it took to find, summed.
    """

    node: str
    kind: NodeKind
    name: str
    reasons: tuple[WeakReason, ...]
    businesses: tuple[str, ...]
    users: int | None
    score: float
    servers: tuple[str, ...]
    checks: int
    verdicts: int
    diagnosis_seconds: Seconds
    text: str


@dataclass(frozen=True, slots=True)
class PastCauses:
    """How often a node was found to be the cause, and how long finding it took, summed; for weak spots."""

    verdicts: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    seconds: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))


class DiscoveryUnavailableError(Exception):
    """Traffic of the past cannot be looked at; the text says why and what to do."""


class DiscoveryView(Protocol):
    """What the traffic says of the model. Every method works off the loop and remembers its answer for a while."""

    async def suggest(self, since_seconds: Seconds) -> Suggestions:
        """Return what the traffic of the last so many seconds proposes; raises DiscoveryUnavailableError."""
        ...

    async def compare(self, since_seconds: Seconds) -> ModelComparison:
        """Return how model and traffic differ; raises DiscoveryUnavailableError."""
        ...

    async def weak_spots(self) -> Sequence[WeakSpot]:
        """Return the nodes that businesses hang on, the most important one first."""
        ...
