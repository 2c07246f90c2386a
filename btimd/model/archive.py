"""Who talked to whom, from the archive of flow records, and the largest of anything over any time."""

from dataclasses import dataclass
from typing import Final, Protocol

from btimd.model.units import UnixMillis

GROUPS: Final = ("client", "server", "port", "protocol", "business", "rule", "region", "segment", "exporter", "hour")
"""What found records can be added up by."""
SORTS: Final = ("time", "octets")
SUBJECTS: Final = (
    "businesses", "regions", "segments", "links", "interfaces", "users", "servers", "ports", "exporters",
    "applications", "conversations",
)  # fmt: skip
"""What can be ranked. users: client addresses. applications: service rules. links: interfaces without direction."""
MEASURES: Final = ("octets", "octets_to_server", "octets_to_client", "packets", "flows", "users", "peak_users")
"""What it can be ranked by."""


class ArchiveBusyError(Exception):
    """Too many searches are running; try again later."""


@dataclass(frozen=True, slots=True)
class FlowSearch:
    """Which flow records to find: those that were under way in [from, to) and fit everything that is given.

    client, server, address, peer: an address or a prefix, "" = any; address is either end, peer the other end of it.
    port: the server's. None = any; business "" = traffic that belongs to none. interface: SNMP index, in or out.
    min_octets: of a record, times its sampling rate. group_by: of GROUPS, () = single records. sort: of SORTS, newest
    or largest first; groups are always sorted by octets. duplicates: also records that another observation point
    reported first.
    """

    from_milliseconds: UnixMillis
    to_milliseconds: UnixMillis
    client: str = ""
    server: str = ""
    address: str = ""
    peer: str = ""
    port: int | None = None
    protocol: int | None = None
    business: str | None = None
    region: str | None = None
    exporter: str | None = None
    interface: int | None = None
    min_octets: int = 0
    duplicates: bool = False
    sort: str = "time"
    group_by: tuple[str, ...] = ()
    limit: int = 100


@dataclass(frozen=True, slots=True)
class FoundFlow:
    """One flow record. octets, packets: times the sampling rate. from_client: it went from client to server.

    duplicate: another observation point reported it first. record_quality: bits of RecordQuality.
    """

    start_milliseconds: UnixMillis
    end_milliseconds: UnixMillis
    client: str
    client_port: int
    server: str
    server_port: int
    protocol: int
    from_client: bool
    octets: int
    packets: int
    tcp_control_bits: int
    ip_class_of_service: int
    sampling_rate: int
    exporter: str
    ingress_interface: int
    egress_interface: int
    vlan_id: int
    rule: str
    businesses: tuple[str, ...]
    region: str
    segment: str
    duplicate: bool
    record_quality: int


@dataclass(frozen=True, slots=True)
class FoundGroup:
    """Records added up; a record of several businesses stands in the group of each.

    keys: in the order of group_by; hours as ms since 1970. clients: different ones, None = not counted.
    """

    keys: tuple[str, ...]
    octets_to_server: int
    octets_to_client: int
    packets: int
    flows: int
    first_milliseconds: UnixMillis
    last_milliseconds: UnixMillis
    clients: int | None = None


@dataclass(frozen=True, slots=True)
class TimeRange:
    """From a moment up to another."""

    from_milliseconds: UnixMillis
    to_milliseconds: UnixMillis


@dataclass(frozen=True, slots=True)
class Coverage:
    """What an answer rests on.

    missing: parts of the time asked for of which nothing was read, the earliest first, 1,000 at most: the archive has
    nothing of them, or the search ended before; it begins with the newest hour, so that then the first of them is what
    it did not come to. hours: read. scanned: records in the files that were read. bad_files:
    those that could not be read, 20 at most. stopped: why it ended before everything was read, "" = it did not.
    """

    hours: int
    files: int
    scanned: int
    missing: tuple[TimeRange, ...] = ()
    bad_files: tuple[str, ...] = ()
    stopped: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class SearchResult:
    """flows, or groups where group_by was given; more: there are others that are not in the answer.

    total: of everything that was found, shared records once; None where single records were asked for.
    """

    flows: tuple[FoundFlow, ...]
    groups: tuple[FoundGroup, ...]
    more: bool
    coverage: Coverage
    total: FoundGroup | None = None


@dataclass(frozen=True, slots=True)
class RankingQuery:
    """The largest of `subject` (of SUBJECTS) by `measure` (of MEASURES) in [from, to); business None = all traffic."""

    subject: str
    measure: str
    from_milliseconds: UnixMillis
    to_milliseconds: UnixMillis
    business: str | None = None
    limit: int = 10


@dataclass(frozen=True, slots=True)
class RankingRow:
    """One place. keys: its names, such as exporter, interface and direction. share: of the total, None: no such thing.

    others: not one thing, but all that are not in the ranking together.
    """

    keys: tuple[str, ...]
    value: float
    share: float | None
    others: bool = False


@dataclass(frozen=True, slots=True)
class Ranking:
    """The largest first. from..to: the time that was really looked at. resolution: its smallest step.

    columns: what keys mean. source: "series" or "archive". remarks: what to know before trusting it.
    """

    columns: tuple[str, ...]
    unit: str
    rows: tuple[RankingRow, ...]
    total: float | None
    from_milliseconds: UnixMillis
    to_milliseconds: UnixMillis
    resolution_milliseconds: int
    source: str
    remarks: tuple[str, ...] = ()
    coverage: Coverage | None = None


@dataclass(frozen=True, slots=True)
class ArchiveStatus:
    """What the archive holds. oldest, newest: of its records, None = none. dropped: records lost since the start.

    waiting: records in memory. problem: why nothing is written now, "" = all is well.
    """

    enabled: bool
    hours: int
    files: int
    octets: int
    records: int
    oldest_milliseconds: UnixMillis | None
    newest_milliseconds: UnixMillis | None
    max_octets: int
    keep_seconds: float
    written: int
    dropped: int
    waiting: int
    bad_files: tuple[str, ...]
    problem: str


class ArchiveView(Protocol):
    """Answers from the archive. Raises ValueError for what cannot be asked, ArchiveBusyError where too many ask."""

    async def search(self, search: FlowSearch) -> SearchResult:
        """Find flow records."""
        ...

    async def rank(self, query: RankingQuery) -> Ranking:
        """Return the largest of something."""
        ...

    async def status(self) -> ArchiveStatus:
        """Return what the archive holds."""
        ...
