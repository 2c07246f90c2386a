"""BusinessService, Node, Check, ServiceRule, ServiceGraph: what a business is made of and what needs what."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from btimd.model.address import Prefix
from btimd.model.units import Ratio, Seconds, UnixSeconds


class NodeKind(StrEnum):
    """The layer a node stands on, from the business down to the facility."""

    BUSINESS = "business"
    USER = "user"
    NETWORK = "network"
    APPLICATION = "application"
    MIDDLEWARE = "middleware"
    DATABASE = "database"
    SHARED = "shared"
    OS = "os"
    HOST = "host"
    FACILITY = "facility"


class Criticality(StrEnum):
    """How much the enterprise depends on a business; feeds the impact of an incident (ITIL)."""

    CRITICAL = "critical"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


class CheckKind(StrEnum):
    """Which protocol a check speaks, or which other way of asking it uses."""

    ICMP = "icmp"
    TCP = "tcp"
    UDP = "udp"
    PATH = "path"
    MTU = "mtu"
    HTTP = "http"
    TLS = "tls"
    DNS = "dns"
    DHCP = "dhcp"
    SMTP = "smtp"
    POP3 = "pop3"
    IMAP = "imap"
    FTP = "ftp"
    LDAP = "ldap"
    NTP = "ntp"
    SSH = "ssh"
    RADIUS = "radius"
    SIP = "sip"
    POSTGRES = "postgres"
    MYSQL = "mysql"
    ORACLE = "oracle"
    MSSQL = "mssql"
    SYBASE = "sybase"
    DB2 = "db2"
    INFORMIX = "informix"
    REDIS = "redis"
    MONGODB = "mongodb"
    MQ = "mq"
    TUXEDO = "tuxedo"
    T3 = "t3"
    IIOP = "iiop"
    NRPC = "nrpc"
    AMQP = "amqp"
    KAFKA = "kafka"
    AJP = "ajp"
    SNMP = "snmp"
    CPU = "cpu"
    MEMORY = "memory"
    FILESYSTEM = "filesystem"
    FILE = "file"
    PROCESS = "process"
    INTERFACE = "interface"
    UPTIME = "uptime"
    SENSOR = "sensor"
    UPS = "ups"
    PLUGIN = "plugin"
    PROMETHEUS = "prometheus"


class Depth(StrEnum):
    """How far into its target a check looks."""

    ECHO = "echo"
    """The host answers."""
    CONNECT = "connect"
    """The process takes connections."""
    DIALOGUE = "dialogue"
    """The process does what it is there for."""
    STATE = "state"
    """Somebody who knows (an agent, an exporter) tells how the node itself is, whatever it needs."""


_DEPTHS: Final[Mapping[CheckKind, Depth]] = MappingProxyType({
    CheckKind.ICMP: Depth.ECHO,
    CheckKind.PATH: Depth.ECHO,
    CheckKind.MTU: Depth.ECHO,
    CheckKind.TCP: Depth.CONNECT,
    **dict.fromkeys(
        (
            CheckKind.CPU, CheckKind.MEMORY, CheckKind.FILESYSTEM, CheckKind.FILE, CheckKind.PROCESS,
            CheckKind.INTERFACE, CheckKind.UPTIME, CheckKind.SENSOR, CheckKind.UPS,
        ),
        Depth.STATE,
    ),
})  # fmt: skip


def depth_of(kind: CheckKind) -> Depth:
    """Return how far a kind of check looks: to the end of its protocol unless it is known to stop before."""
    return _DEPTHS.get(kind, Depth.DIALOGUE)


class Rollup(StrEnum):
    """How the state of something follows from its members'; members of unknown state are told of, never taken for good.

    WORST: as the worst member. BEST: as the best. DEGRADE: a member that is bad or degraded makes it degraded.
    QUORUM: good while so many members are good, bad where even with the degraded ones there are fewer. WEIGHTED: bad
    where bad members have half of the weight or more, degraded where bad and degraded ones have a quarter or more.
    """

    WORST = "worst"
    BEST = "best"
    DEGRADE = "degrade"
    QUORUM = "quorum"
    WEIGHTED = "weighted"


class Provenance(StrEnum):
    """Who says that one node needs another."""

    DECLARED = "declared"
    """The operator, in services.toml."""
    TOPOLOGY = "topology"
    """What devices tell of their neighbours."""
    FLOWS = "flows"
    """Traffic that was seen between the two."""


@dataclass(frozen=True, slots=True)
class Need:
    """What is known of one need beyond that it is there.

    strength: how likely the one that needs suffers when the needed fails, None = as its roll-up and kind say.
    confidence: how sure it is that the need exists, 1 = declared. since: when it was found, wall clock, 0 = always.
    """

    node: str
    provenance: Provenance = Provenance.DECLARED
    confidence: Ratio = 1.0
    strength: Ratio | None = None
    since: UnixSeconds = 0.0


class Closure(StrEnum):
    """What must work for a check to come out good."""

    OWN = "own"
    """The node itself and nothing else: somebody who knows tells how it is."""
    LOCAL = "local"
    """The node itself and what it runs on (hosts, network): reachability."""
    FULL = "full"
    """The node and everything it needs, all the way down: a transaction."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that can be asked of a node.

    host is a name or an address, port 0 for protocols without ports. `options` are the kind's own, as text, with their
    meanings in the probes' catalogue; those that name a file hold a secret. timeout_seconds bounds the whole dialogue;
    slower than slow_over_seconds is bad too. every_seconds: run as key indicator that often; None: run only when a
    diagnosis asks. cost: relative load on the target, 1 = an echo.
    """

    id: str
    node: str
    kind: CheckKind
    host: str
    port: int = 0
    options: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    timeout_seconds: Seconds = 2.0
    slow_over_seconds: Seconds | None = None
    every_seconds: Seconds | None = None
    closure: Closure = Closure.LOCAL
    cost: float = 1.0

    @property
    def is_key_indicator(self) -> bool:
        """Tell whether the check runs by itself, on schedule."""
        return self.every_seconds is not None


@dataclass(frozen=True, slots=True)
class Node:
    """A component of the service graph. `needs` are the ids of the nodes it cannot work without.

    rollup, quorum, weights, ignore: how the node stands when some of its needs are bad (a cluster is BEST or QUORUM of
    its members; an active and a standby server are BEST with `standby` naming the one that only waits). need_facts:
    what else is known of single needs. region: for a node of kind USER, the region of the IP plan whose users reach
    everything through it. prior: P(it is broken at a moment of trouble), None = as usual for its kind. device: nodes
    with the same text share one box, whose load limits they share; "" = the host of their checks decides.
    """

    id: str
    kind: NodeKind
    name: str
    needs: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    prior: float | None = None
    rollup: Rollup = Rollup.WORST
    quorum: int = 1
    weights: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    ignore: tuple[str, ...] = ()
    standby: tuple[str, ...] = ()
    need_facts: tuple[Need, ...] = ()
    region: str = ""
    device: str = ""


@dataclass(frozen=True, slots=True)
class ServiceRule:
    """Traffic to `server` on these ports is the traffic of `businesses`; `client` narrows it to some clients.

    protocol: IANA number, None = any. port_low..port_high inclusive; 0..65535 = any. line: where it was written.
    """

    id: str
    businesses: tuple[str, ...]
    server: Prefix
    protocol: int | None = None
    port_low: int = 0
    port_high: int = 65535
    client: Prefix | None = None
    node: str | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class BusinessService:
    """A business service (ITIL): what users call by name. It is also the node of the same id in the graph.

    regions: from which of the IP plan it may be used, () = from all; a user elsewhere is an unexpected talker.
    user_active_seconds, user_idle_seconds: how long after its last traffic a user counts as active, then as idle;
    None = as [flows] says.
    """

    id: str
    name: str
    name_zh: str = ""
    criticality: Criticality = Criticality.NORMAL
    owner: str = ""
    availability_percent: float | None = None
    regions: tuple[str, ...] = ()
    user_active_seconds: Seconds | None = None
    user_idle_seconds: Seconds | None = None


@dataclass(frozen=True, slots=True)
class ServiceGraph:
    """All nodes with their needs; businesses are nodes of kind BUSINESS.

    Raises ValueError for a need that does not exist, a check of another node, two nodes for the users of one region,
    and a cycle. generation grows with every reload.
    """

    nodes: Mapping[str, Node]
    businesses: Mapping[str, BusinessService]
    generation: int = 1

    def __post_init__(self) -> None:
        """Check that needs exist and do not run in a circle."""
        for node in self.nodes.values():
            for need in node.needs:
                if need not in self.nodes:
                    raise ValueError(f"node {node.id} needs {need}, which does not exist")
            for check in node.checks:
                if check.node != node.id:
                    raise ValueError(f"check {check.id} of node {check.node} is listed at {node.id}")
        for business in self.businesses:
            if business not in self.nodes or self.nodes[business].kind is not NodeKind.BUSINESS:
                raise ValueError(f"business {business} has no node")
        self._check_regions()
        cycle = find_cycle({node.id: node.needs for node in self.nodes.values()})
        if cycle:
            raise ValueError(f"needs run in a circle: {' -> '.join(cycle)}")

    def _check_regions(self) -> None:
        seen: set[str] = set()
        for node in (one for one in self.nodes.values() if one.region):
            if node.region in seen:
                raise ValueError(f"node {node.id} is the second one for the users of region {node.region}")
            seen.add(node.region)

    def user_node(self, region: str) -> Node | None:
        """Return what the users of a region reach everything through; None where the model does not say."""
        return next((node for node in self.nodes.values() if region and node.region == region), None)

    def checks(self) -> Iterator[Check]:
        """Yield every check of every node, in the order of the nodes."""
        for node in self.nodes.values():
            yield from node.checks


def find_cycle(needs: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return one cycle of the graph, first node repeated at the end, or an empty tuple. Names not in it are leaves."""
    done: set[str] = set()
    for root in needs:
        path: list[str] = []
        on_path: set[str] = set()
        work: list[tuple[str, bool]] = [(root, False)]
        while work:
            node, leaving = work.pop()
            if leaving:
                path.pop()
                on_path.discard(node)
                done.add(node)
                continue
            if node in on_path:
                return (*path[path.index(node) :], node)
            if node in done:
                continue
            path.append(node)
            on_path.add(node)
            work.append((node, True))
            work.extend((need, False) for need in needs.get(node, ()))
    return ()
