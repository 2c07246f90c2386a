"""The IP plan as an object: how full its prefixes are, who is not in it, who talks from elsewhere, how it changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from btimd.model.ports import Subscription
from btimd.model.units import UnixMillis


@dataclass(frozen=True, slots=True)
class PrefixUse:
    """One line of the IP plan and who was seen in it.

    region, segment, person: in force, so with what the line inherits. The prefix has 2^host_bits addresses. nested:
    how many lines lie inside. seen: client addresses ever seen since they are remembered; active: those seen lately;
    octets: theirs, both ways, estimated from sampling. own_*: without those that belong to a nested line. servers:
    addresses of service rules in the prefix, nested lines included. last_seen_milliseconds: None = nobody was seen.
    busiest_business: whose traffic most of the octets are, "" = of no business.
    """

    prefix: str
    line: int
    region: str
    segment: str
    person: str
    host_bits: int
    nested: int
    seen: int
    active: int
    octets: int
    own_seen: int
    own_active: int
    own_octets: int
    servers: int
    last_seen_milliseconds: UnixMillis | None
    busiest_business: str
    busiest_octets: int


@dataclass(frozen=True, slots=True)
class UnknownAddress:
    """A client that the IP plan does not know. prefix: the /24 or /64 it lies in."""

    address: str
    prefix: str
    first_seen_milliseconds: UnixMillis
    last_seen_milliseconds: UnixMillis
    octets: int
    businesses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UnknownPrefix:
    """Clients that the IP plan does not know, by /24 or /64.

    scope: private, public, link-local or other: a public one is rather the internet than a forgotten network.
    businesses: those they use, most octets first. neighbour: the region of the nearest range of the plan before or
    after it in the same /16 or /48, "" = there is none. plan_line: to be completed and pasted into the IP plan.
    """

    prefix: str
    scope: str
    addresses: int
    first_seen_milliseconds: UnixMillis
    last_seen_milliseconds: UnixMillis
    octets: int
    businesses: tuple[str, ...]
    neighbour: str
    plan_line: str


@dataclass(frozen=True, slots=True)
class UnknownClients:
    """What the IP plan does not know: how many client addresses and prefixes there are, and the foremost of both."""

    addresses_total: int
    prefixes_total: int
    prefixes: tuple[UnknownPrefix, ...]
    addresses: tuple[UnknownAddress, ...]


@dataclass(frozen=True, slots=True)
class UnexpectedTalker:
    """A client that uses a business from a region that is not among the business's regions; region "" = unknown."""

    business: str
    address: str
    region: str
    segment: str
    person: str
    expected_regions: tuple[str, ...]
    first_seen_milliseconds: UnixMillis
    last_seen_milliseconds: UnixMillis
    octets: int


@dataclass(frozen=True, slots=True)
class UnexpectedCount:
    """How many clients use a business from elsewhere, and what they carried."""

    business: str
    expected_regions: tuple[str, ...]
    addresses: int
    octets: int


@dataclass(frozen=True, slots=True)
class UnexpectedTalkers:
    """Every business with regions and who talks to it from elsewhere: counts of all, the foremost talkers."""

    counts: tuple[UnexpectedCount, ...]
    talkers: tuple[UnexpectedTalker, ...]


@dataclass(frozen=True, slots=True)
class PlanConflict:
    """Something in the IP plan, or between plan and services, that is wrong or probably not meant.

    severity: wrong, doubtful or note. kind: one word for programs. lines: of the IP plan. where: of services.toml, ""
    where it is the plan alone. text: what was found. remedy: what to do.
    """

    severity: str
    kind: str
    lines: tuple[int, ...]
    where: str
    text: str
    remedy: str


@dataclass(frozen=True, slots=True)
class PlanLineChange:
    """A prefix of the IP plan that was added, removed or changed (`what`); before, after: region / segment / person."""

    what: str
    prefix: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class PlanMove:
    """Addresses that go to another region; "" = not in the plan. addresses: how many there are, exact up to 2^53.

    clients: how many of them were known as clients, octets: what those carried.
    """

    from_region: str
    to_region: str
    addresses: float
    clients: int
    octets: int


@dataclass(frozen=True, slots=True)
class PlanChange:
    """What a new IP plan changed. lines: at most some hundred of the added, removed and changed ones."""

    at_milliseconds: UnixMillis
    from_generation: int
    to_generation: int
    added: int
    removed: int
    changed: int
    moves: tuple[PlanMove, ...]
    lines: tuple[PlanLineChange, ...]
    summary: str


class PlanView(Protocol):
    """The IP plan in use. Every call looks at the clients that are known at that moment, or were seconds ago."""

    async def prefix_use(self, *, order: str, limit: int) -> Sequence[PrefixUse]:
        """Return lines of the plan with their use; order: plan, octets, seen, empty. Raises ValueError for others."""
        ...

    async def unknown(self, *, order: str, limit: int) -> UnknownClients:
        """Return who is not in the plan; order: octets, last-seen. Raises ValueError for others."""
        ...

    async def unexpected(self, *, business: str | None, limit: int) -> UnexpectedTalkers:
        """Return who uses businesses from elsewhere, most recently seen first."""
        ...

    def watch_unexpected(self) -> Subscription[UnexpectedTalker]:
        """Subscribe to talkers that were not known before."""
        ...

    async def conflicts(self) -> Sequence[PlanConflict]:
        """Return what is wrong or doubtful in plan and services, the worst first."""
        ...

    def changes(self) -> Sequence[PlanChange]:
        """Return the latest changes of the plan, newest first."""
        ...
